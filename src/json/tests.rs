use proptest::prelude::*;
use serde_json::{Value, from_str, from_value, json, to_string, to_value};

use crate::conntrack::attr::Kind;
use crate::conntrack::fields::Blob;
use crate::conntrack::{
    Attr, Bitmask, Conntrack, ConntrackRef, Direction, EventKind, Format, Icmp, L4Proto, Nat,
    SeqAdjust, Status, Synproxy, Tuple,
};
use crate::expect::{Expect, ExpectAttr, ExpectRef};
use crate::golden::{calls, cases};
use crate::netlink::Message;

/// Whether both have the same attributes with the same values.
fn assert_same(entry: &Conntrack, other: &Conntrack, json: &str) {
    assert!(entry.attrs().eq(other.attrs()), "{json}");
    for attr in entry.attrs() {
        assert_eq!(
            entry.attr(attr),
            other.attr(attr),
            "{} in {json}",
            attr.name()
        );
    }
    assert_eq!(
        (entry.snat(), entry.dnat()),
        (other.snat(), other.dnat()),
        "{json}"
    );
    if entry.is_set(Attr::Secctx) {
        assert_eq!(entry.secctx_bytes(), other.secctx_bytes(), "{json}");
    }
}

fn assert_round_trip(entry: &Conntrack) -> Conntrack {
    let json = to_string(entry).unwrap();
    assert!(!json.contains('\n'));
    let back: Conntrack = from_str(&json).unwrap();
    assert_same(entry, &back, &json);
    assert_eq!(to_string(&back).unwrap(), json);
    back
}

/// Sets an attribute to these bytes, also one that only the kernel sets.
fn set(entry: &mut Conntrack, attr: Attr, bytes: &[u8]) {
    match attr.row().kind {
        Kind::Context => Blob::store(&mut entry.secctx, &[bytes, b"\0"]),
        Kind::Labels => {
            let mut mask = Bitmask::new(8 * bytes.len() as u32).unwrap();
            bytes.iter().for_each(|byte| mask.set(u32::from(*byte)));
            *entry.label_field_mut(attr) = Some(Box::new(mask));
        }
        Kind::Name | Kind::Blob => entry.store(attr, bytes),
        _ => {
            let field = entry.field_mut(attr);
            field
                .iter_mut()
                .zip(bytes)
                .for_each(|(place, byte)| *place = *byte);
        }
    }
    entry.head.set.insert(attr);
}

#[test]
fn each_attribute_alone() {
    for attr in Attr::ALL {
        for bytes in [[0; 16], [0xff; 16], *b"some more text!!"] {
            let mut entry = Conntrack::new();
            set(
                &mut entry,
                attr,
                bytes.split(|byte| *byte == 0).next().unwrap(),
            );
            assert_round_trip(&entry);
        }
    }
}

proptest! {
    #[test]
    fn any_attributes(values in prop::collection::vec((0..76u32, any::<[u8; 16]>()), 0..40)) {
        let mut entry = Conntrack::new();
        for (number, mut bytes) in values {
            bytes.iter_mut().for_each(|byte| *byte = (*byte).max(1));
            set(&mut entry, Attr::from_number(number).unwrap(), &bytes);
        }
        assert_round_trip(&entry);
    }
}

#[test]
fn all_that_the_c_library_wrote() {
    for case in cases("printing") {
        assert_round_trip(&calls::entry(&case["attrs"]));
    }
    for case in cases("printing-expect") {
        let expect = calls::expect(&case["attrs"]);
        let json = to_string(&expect).unwrap();
        let back: Expect = from_str(&json).unwrap();
        assert_eq!(format!("{back:?}"), format!("{expect:?}"), "{json}");
        for attr in ExpectAttr::all() {
            let heads = [&expect, &back].map(|expect| expect.head(attr).map(|head| head.set));
            assert!(heads[0] == heads[1] || !expect.is_set(attr), "{json}");
        }
    }
}

fn recorded(name: &str) -> Vec<u8> {
    let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/vectors");
    let hex = std::fs::read_to_string(format!("{directory}/{name}.hex")).unwrap();
    calls::bytes(&hex.split_whitespace().collect::<String>().into())
}

fn recorded_entry(name: &str) -> Conntrack {
    let bytes = recorded(name);
    let view = ConntrackRef::parse(&Message::parse(&bytes).unwrap()).unwrap();
    view.to_owned().unwrap()
}

#[test]
fn entries_of_the_kernel_keep_their_text_too() {
    for name in [
        "k01-dump-tcp4",
        "k02-dump-udp6",
        "k03-dump-icmp4",
        "k04-dump-icmp6",
        "k06-dump-nat-udp6",
        "k07-dump-helper-seqadj",
        "k08-dump-expected-master",
        "k10-dump-origzone",
        "k11-dump-sctp4-filtered",
        "k12-dump-gre4",
        "k14-dump-synproxy",
        "k18-event-destroy-tcp4",
        "s01-pad-before-timestamp-event",
    ] {
        let entry = recorded_entry(name);
        let back = assert_round_trip(&entry);
        for format in [Format::plain(), Format::xml()] {
            let format = format.as_of(std::time::UNIX_EPOCH);
            let texts = [&entry, &back].map(|entry| entry.display(format).to_string());
            assert_eq!(texts[0], texts[1]);
        }
        assert_eq!(entry.original(), back.original());
        assert_eq!(entry.reply(), back.reply());
        assert_eq!(entry.master(), back.master());
    }
}

#[test]
fn the_schema_of_entries() {
    let entry = to_value(recorded_entry("k01-dump-tcp4")).unwrap();
    let expected = json!({
        "original": {
            "l3proto": "ipv4", "l4proto": "tcp", "src": "10.0.1.2", "dst": "10.0.2.2",
            "sport": 40080, "dport": 80, "packets": 4, "bytes": 223,
        },
        "reply": {
            "l3proto": "ipv4", "l4proto": "tcp", "src": "10.0.2.2", "dst": "10.0.1.2",
            "sport": 80, "dport": 40080, "packets": 3, "bytes": 171,
        },
        "status": ["SEEN_REPLY", "ASSURED", "CONFIRMED", "SRC_NAT_DONE", "DST_NAT_DONE"],
        "timeout": 431_994,
        "mark": 51966,
        "use": 1,
        "id": 1_107_711_610,
        "tcp": {
            "state": "ESTABLISHED",
            "flags_original": 35, "mask_original": 0, "flags_reply": 35, "mask_reply": 0,
            "wscale_original": 10, "wscale_reply": 10,
        },
        "labels": [3, 100],
        "timestamp": {"start": 1_795_302_512_729_269_062u64},
    });
    assert_eq!(entry, expected);
}

#[test]
fn the_schema_of_what_is_rare() {
    let mut entry = Conntrack::new();
    let icmp = Icmp {
        kind: 128,
        code: 1,
        id: 2,
    };
    let addresses = || {
        (
            "2001:db8::1".parse().unwrap(),
            "2001:db8::2".parse().unwrap(),
        )
    };
    let tuple = |l4proto| Tuple::new(addresses().0, addresses().1, l4proto).unwrap();
    let original = tuple(L4Proto::ICMPV6).with_icmp(icmp).with_zone(3);
    entry.set_original(original).set_reply(original.inverted());
    entry.set_master(tuple(L4Proto::GRE).with_ports(7, 8));
    entry.set_status(Status::OFFLOAD | Status::from_bits_retain(1 << 20));
    let nat = Nat::to_address(addresses().0).with_ports(1024, 65535);
    entry.set_snat(nat).unwrap().set_helper("ftp").unwrap();
    entry
        .set_helper_info(b"\0\xff")
        .set_labels_mask(Bitmask::new(31).unwrap());
    let adjust = SeqAdjust {
        correction_pos: 1,
        offset_before: -2,
        offset_after: 3,
    };
    entry.set_seq_adjust(Direction::Reply, adjust);
    entry.set_synproxy(Synproxy {
        isn: 1,
        its: 2,
        tsoff: 3,
    });
    set(&mut entry, Attr::Secctx, b"f\xfftp");
    set(&mut entry, Attr::TimestampEvent, &1u64.to_ne_bytes());
    set(&mut entry, Attr::SctpState, &[4]);
    let expected = json!({
        "original": {
            "l3proto": "ipv6", "l4proto": "icmpv6", "src": "2001:db8::1", "dst": "2001:db8::2",
            "type": 128, "code": 1, "id": 2, "zone": 3,
        },
        "reply": {
            "l3proto": "ipv6", "l4proto": "icmpv6", "src": "2001:db8::2", "dst": "2001:db8::1",
            "type": 129, "code": 1, "id": 2,
            "seq_adjust": {"correction_pos": 1, "offset_before": -2, "offset_after": 3},
        },
        "master": {
            "l3proto": "ipv6", "l4proto": "gre", "src": "2001:db8::1", "dst": "2001:db8::2",
            "srckey": 7, "dstkey": 8,
        },
        "status": ["OFFLOAD", 1_048_576],
        "sctp": {"state": "ESTABLISHED"},
        "helper": "ftp",
        "helper_info": "00ff",
        "secctx": {"hex": "66ff7470"},
        "labels_mask": [],
        "labels_mask_size": 32,
        "timestamp": {"event": 1},
        "snat": {"ipv6": ["2001:db8::1", "2001:db8::1"], "ports": [1024, 65535]},
        "synproxy": {"isn": 1, "its": 2, "tsoff": 3},
    });
    assert_eq!(to_value(assert_round_trip(&entry)).unwrap(), expected);
    entry.secctx = None;
    assert_eq!(to_value(&entry).unwrap()["secctx"], Value::Null);
    assert_round_trip(&entry);
}

#[test]
fn the_schema_of_expectations() {
    let bytes = recorded("k22-exp-dump");
    let expect = ExpectRef::parse(&Message::parse(&bytes).unwrap()).unwrap();
    let expect = to_value(expect.to_owned().unwrap()).unwrap();
    let tuple = |src: &str, dst: &str, sport: u16, dport: u16| {
        json!({
            "l3proto": "ipv4", "l4proto": "tcp", "src": src, "dst": dst,
            "sport": sport, "dport": dport,
        })
    };
    let expected = json!({
        "master": tuple("10.0.1.2", "10.0.2.2", 40021, 21),
        "expected": tuple("10.0.2.2", "10.0.2.254", 0, 51201),
        "mask": tuple("255.255.255.255", "255.255.255.255", 0, 65535),
        "timeout": 299,
        "flags": [],
        "class": 0,
        "helper": "ftp",
        "function": "nat-follow-master",
        "nat_tuple": tuple("0.0.0.0", "0.0.0.0", 51201, 0),
        "nat_direction": "reply",
        "id": 2_581_528_600u32,
    });
    assert_eq!(expect, expected);
}

#[test]
fn kinds_of_events() {
    let kinds = [EventKind::New, EventKind::Update, EventKind::Destroy];
    let json = to_string(&kinds).unwrap();
    assert_eq!(json, r#"["new","update","destroy"]"#);
    assert_eq!(from_str::<[EventKind; 3]>(&json).unwrap(), kinds);
}

#[test]
fn objects_that_hold_together_badly_are_refused() {
    let refused = |value: Value| from_value::<Conntrack>(value).unwrap_err().to_string();
    for (value, why) in [
        (
            json!({"original": {"l4proto": "tpc"}}),
            "\"tpc\" is not known",
        ),
        (json!({"original": {"l4proto": 256}}), "did not match"),
        (json!({"original": {"src": "1.2.3"}}), "did not match"),
        (
            json!({"original": {"src": ["::1", "1.2.3.4"]}}),
            "did not match",
        ),
        (json!({"original": {"sport": 65536}}), "expected u16"),
        (
            json!({"status": ["ASSURED", "FUNNY"]}),
            "\"FUNNY\" is not known",
        ),
        (json!({"tcp": {"state": "established"}}), "is not known"),
        (json!({"helper": "sixteen-bytes-xx"}), "more than 15 bytes"),
        (json!({"helper": "f\u{0}p"}), "NUL"),
        (json!({"helper": {"hex": "0"}}), "did not match"),
        (json!({"helper_info": "0g"}), "hexadecimal"),
        (json!({"helper_info": "+1"}), "hexadecimal"),
        (json!({"secctx": {"hex": "00"}}), "NUL"),
        (json!({"labels": [128]}), "beyond the size"),
        (json!({"labels": [1], "labels_size": 0}), "beyond the size"),
        (json!({"labels": [], "labels_size": u32::MAX}), "65536 bits"),
        (json!({"snat": {"ipv4": ["1.2.3.4"]}}), "invalid length"),
        (json!({"snat": {"ipv6": ["1.2.3.4", "::1"]}}), "IPv6"),
    ] {
        let shown = value.to_string();
        let error = refused(value);
        assert!(error.contains(why), "{shown}: {error}");
    }
    let long = json!({"function": "twenty-four-bytes-long-x"});
    assert!(from_value::<Expect>(long).is_err());
    // What is not known is skipped.
    let entry: Conntrack = from_value(json!({"mark": 5, "later": {"a": 1}})).unwrap();
    assert_eq!((entry.mark(), entry.attrs().count()), (Some(5), 1));
}
