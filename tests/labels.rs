//! Labels through the kernel, by the names of a map.

mod common;

use std::net::IpAddr;

use common::{netns, ordinary_user, peer, traffic, wait};
use netfilter_conntrack::{
    Bitmask, Conntrack, Error, EventKind, Format, Groups, Handle, LabelMap, Tuple,
};

const NAMES: &[u8] = b"# a comment\n0 first\n7 customer one\n127 last\n";

fn flow(port: u16) -> Conntrack {
    let source = ([192, 0, 2, 1], port).into();
    let mut entry = Conntrack::flow(Tuple::udp(source, ([198, 51, 100, 2], 53).into()).unwrap());
    entry.set_timeout(600);
    entry
}

fn labels(names: &LabelMap, which: &[&str]) -> Bitmask {
    let mut labels = Bitmask::new(127).unwrap();
    which
        .iter()
        .for_each(|name| labels.set(names.bit(name).unwrap()));
    labels
}

/// Rules that use labels, without which the kernel keeps none.
fn use_labels() {
    peer::nft(
        "table inet labels {
             chain incoming {
                 type filter hook input priority filter; policy accept;
                 udp dport 7777 ct label set 127
             }
         }",
    );
}

#[test]
fn set_changed_and_read_by_name() {
    netns::run(|| {
        use_labels();
        let names = LabelMap::parse(NAMES);
        let mut handle = Handle::open(Groups::empty()).unwrap();
        let mut entry = flow(1);
        entry.set_labels(labels(&names, &["first", "customer one"]));
        handle.create(&entry).unwrap();
        let found = handle.get(&entry).unwrap();
        assert_eq!(found.labels(), entry.labels());
        let text = found.display(Format::plain().labels(&names)).to_string();
        assert!(text.contains("labels=first,customer one"), "{text}");

        // With a mask only the labels in it are changed.
        let mut change = flow(1);
        change.set_labels(labels(&names, &["last"]));
        change.set_labels_mask(labels(&names, &["first", "last"]));
        handle.update(&change).unwrap();
        let found = handle.get(&entry).unwrap();
        assert_eq!(
            found.labels(),
            Some(&labels(&names, &["customer one", "last"]))
        );

        // Without one they replace all.
        let mut change = flow(1);
        change.set_labels(labels(&names, &["first"]));
        handle.update(&change).unwrap();
        let found = handle.get(&entry).unwrap();
        assert_eq!(found.labels(), Some(&labels(&names, &["first"])));

        // As many bits as labels have, or fewer, but not more.
        let mut change = flow(1);
        let mut large = Bitmask::new(128).unwrap();
        large.set(0);
        change.set_labels(large);
        assert_eq!(handle.update(&change).unwrap_err().errno(), libc::ERANGE);
    });
}

#[test]
fn rules_set_labels_and_events_tell() {
    netns::run(|| {
        use_labels();
        traffic::start_tracking();
        let names = LabelMap::parse(NAMES);
        let mut events = Handle::open(Groups::CONNTRACK).unwrap();
        events.set_nonblocking(true).unwrap();
        let address = IpAddr::from([127, 0, 0, 1]);
        let receiver = std::net::UdpSocket::bind((address, 7777)).unwrap();
        let sender = std::net::UdpSocket::bind((address, 0)).unwrap();
        sender
            .send_to(b"?", receiver.local_addr().unwrap())
            .unwrap();
        // The rule is on the way in, where the flow is known already.
        let told = wait::until("an event with labels", || match events.next_event() {
            Ok(event) => Some((event.kind(), event.conntrack()?.labels()?.to_bitmask())),
            Err(Error::WouldBlock) => None,
            Err(error) => panic!("{error}"),
        });
        assert_eq!(told, (EventKind::Update, labels(&names, &["last"])));
    });
}

#[test]
fn without_a_rule_there_is_no_room() {
    netns::run(|| {
        let names = LabelMap::parse(NAMES);
        let mut handle = Handle::open(Groups::empty()).unwrap();
        handle.create(&flow(1)).unwrap();
        let mut change = flow(1);
        change.set_labels(labels(&names, &["first"]));
        assert_eq!(handle.update(&change).unwrap_err().errno(), libc::ENOSPC);
        assert_eq!(handle.get(&change).unwrap().labels(), None);
    });
}

#[test]
fn passes_for_an_ordinary_user() {
    ordinary_user::rerun_these_tests();
}
