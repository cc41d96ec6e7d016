//! The kernel's messages, decoded: recorded ones, and some made by hand.

mod common;

use common::attributes::{assert_agree, assert_has_only};
use common::vectors::{self, Vector, number};
use netfilter_conntrack::conntrack::{Counters, Icmp, ProtoInfo, TcpFlags, TcpInfo, TcpState};
use netfilter_conntrack::netlink::{Message, Messages};
use netfilter_conntrack::nfnetlink::{L3Proto, Nfgenmsg, Subsystem};
use netfilter_conntrack::{
    Conntrack, ConntrackRef, DecodeError, Direction, Event, EventKind, Status, Tuple,
};

/// The vectors that are messages about one entry.
fn entries() -> impl Iterator<Item = Vector> {
    let conntrack = u64::from(Subsystem::CONNTRACK.0);
    vectors::all().into_iter().filter(move |vector| {
        let kind = vector.expected["header"]["type"].as_u64();
        kind.is_some_and(|kind| kind >> 8 == conntrack) && !vector.name.starts_with('b')
    })
}

fn message(vector: &Vector) -> Message<'_> {
    Message::parse(&vector.bytes).expect("a message")
}

fn decoded(name: &str) -> Conntrack {
    let vector = vectors::get(name);
    let view = ConntrackRef::parse(&message(&vector)).expect("a well-formed message");
    view.to_owned().expect("a well-formed message")
}

#[test]
fn recorded_entries_have_exactly_the_attributes_noted() {
    let mut compared = 0;
    for vector in entries() {
        // For the cut message the C library gives what stands before the cut.
        let Some(noted) = vector.parsed().filter(|_| !vector.name.starts_with("s03")) else {
            continue;
        };
        let view = ConntrackRef::parse(&message(&vector)).expect("well-formed");
        let entry = view.to_owned().expect("well-formed");
        assert_has_only(&entry, &noted, &vector.name);
        assert_agree(&view, &entry);
        assert_eq!(view.check(), Ok(()));
        assert_eq!(view.l3proto(), L3Proto(number(&vector.expected["family"])));

        // The same without the message around the attributes, and into an entry
        // that has had others.
        let (header, attributes) = Nfgenmsg::split(&message(&vector)).expect("nfgenmsg");
        let bare = ConntrackRef::from_attributes(attributes, header.family);
        let mut reused = decoded("k07");
        bare.expect("well-formed")
            .decode_into(&mut reused)
            .expect("well-formed");
        assert_has_only(&reused, &noted, &vector.name);
        compared += 1;
    }
    assert_eq!(compared, 24);
}

#[test]
fn kinds_of_events_are_as_noted() {
    for vector in entries() {
        let kind = match vector.callback() {
            Some("NEW") => EventKind::New,
            Some("UPDATE") => EventKind::Update,
            Some("DESTROY") => EventKind::Destroy,
            other => panic!("{}: {other:?}", vector.name),
        };
        let header = message(&vector).header();
        assert_eq!(EventKind::of(header), Some(kind), "{}", vector.name);
        if let Ok(event) = Event::parse(message(&vector)) {
            let event = event.expect("about an entry");
            assert_eq!((event.kind(), event.header()), (kind, header));
            assert_eq!(event.nsid(), None);
        }
    }
}

#[test]
fn a_datagram_of_a_dump_has_the_entries_noted() {
    let vector = vectors::get("k29");
    let noted = vector.expected["datagram"].as_array().expect("a list");
    let mut messages = Messages::new(&vector.bytes);
    for noted in noted {
        let message = messages.next().expect("a message").expect("a whole one");
        let view = ConntrackRef::parse(&message).expect("well-formed");
        let original = view.original().expect("a tuple");
        assert_eq!(view.id(), Some(number(&noted["id"])));
        assert_eq!(original.l4proto().0, number::<u8>(&noted["l4proto"]));
        let addresses = [original.source(), original.destination()];
        let texts = [&noted["source"], &noted["destination"]];
        assert_eq!(
            addresses.map(|a| a.to_string()),
            texts.map(|t| t.as_str().expect("text"))
        );
        assert_agree(&view, &view.to_owned().expect("well-formed"));
    }
    assert!(messages.next().is_none());
}

/// The typed getters, against what the captures' descriptions say.
#[test]
fn typed_getters_tell_what_the_captures_hold() {
    let tcp = decoded("k01");
    let flags = TcpFlags {
        flags: 0x23,
        mask: 0,
    };
    let established = TcpInfo {
        state: Some(TcpState::ESTABLISHED),
        wscale_original: Some(10),
        wscale_reply: Some(10),
        flags_original: Some(flags),
        flags_reply: Some(flags),
    };
    assert_eq!(tcp.protoinfo(), Some(ProtoInfo::Tcp(established)));
    let ports = |tuple: Option<Tuple>| tuple.and_then(|t| t.ports());
    assert_eq!(ports(tcp.original()), Some((40080, 80)));
    assert_eq!(ports(tcp.reply()), Some((80, 40080)));
    let traffic = Counters {
        packets: 3,
        bytes: 171,
    };
    assert_eq!(tcp.counters(Direction::Reply), Some(traffic));
    assert_eq!(tcp.labels().map(|l| l.iter().collect()), Some(vec![3, 100]));
    assert_eq!(tcp.timestamps().start, Some(1_795_302_512_729_269_062));
    assert_eq!((tcp.master(), tcp.zone(), tcp.helper()), (None, None, None));

    let echo = Icmp {
        kind: 128,
        code: 0,
        id: 27720,
    };
    let ping = decoded("k04");
    assert_eq!(ping.original().and_then(|t| t.icmp()), Some(echo));
    let reply = Some(Icmp { kind: 129, ..echo });
    assert_eq!(ping.reply().and_then(|t| t.icmp()), reply);

    let ftp = decoded("k07");
    assert_eq!(ftp.helper(), Some("ftp"));
    let adjust = ftp.seq_adjust(Direction::Original).expect("adjusted");
    assert_eq!((adjust.offset_before, adjust.offset_after), (0, 2));
    let data = decoded("k08");
    assert_eq!(data.master(), ftp.original());
    assert!(data.status().is_some_and(|s| s.contains(Status::EXPECTED)));
    let zone = |name| {
        (
            decoded(name).zone(),
            decoded(name).original().and_then(|t| t.zone()),
        )
    };
    assert_eq!(
        [zone("k09"), zone("k10")],
        [(Some(43), None), (None, Some(42))]
    );
    assert_eq!(
        decoded("k12").original().and_then(|t| t.keys()),
        Some((5001, 6000))
    );
    let synproxy = decoded("k14").synproxy().expect("there");
    assert_eq!((synproxy.isn, synproxy.its, synproxy.tsoff), (1, 2, 3));
    let destroyed = decoded("k18");
    assert!(destroyed.timestamps().stop < destroyed.timestamps().event);
}

/// Where 64-bit numbers must be aligned, the kernel pads with an empty
/// attribute that has the number of the status.
#[test]
fn padding_is_not_taken_for_a_status() {
    let entry = decoded("s01");
    assert_eq!(entry.status(), Some(Status::from_bits_retain(0x188)));
    assert_eq!(entry.timestamps().event, Some(0x18ea_321f_9797_9a96));
}

#[test]
fn damaged_messages_are_errors_that_name_the_attribute() {
    let error = |name| {
        let vector = vectors::get(name);
        ConntrackRef::parse(&message(&vector)).expect_err("it is damaged")
    };
    let text = error("s03").to_string();
    assert!(text.contains("length 64 of attribute 7 "), "{text}");
    let short = DecodeError::Length {
        attribute: "CTA_STATUS",
        len: 2,
    };
    assert_eq!(error("s04"), short);
    assert!(short.to_string().contains("CTA_STATUS"));
}

/// An UPDATE event says what it knows; all else of the entry stays.
#[test]
fn merging_adds_to_what_is_known() {
    let mut known = decoded("k15");
    let update = vectors::get("k16");
    let view = ConntrackRef::parse(&message(&update)).expect("well-formed");
    let labels = known.labels().cloned();
    assert!(labels.is_some() && view.labels().is_none());
    view.merge_into(&mut known).expect("well-formed");
    assert_eq!(known.labels(), labels.as_ref());
    assert_eq!(known.timeout(), view.timeout());
    assert_eq!(known.protoinfo(), view.protoinfo());
}
