//! Each command of the subsystem, beyond what the types need.

use std::net::Ipv4Addr;

use netfilter_conntrack::ipset::{Entry, Reason, Set, SetType};
use netfilter_conntrack::nfnetlink::L3Proto;

use crate::common::{netns, peer};
use crate::{name, session};

fn host(last: u8) -> Entry {
    Entry::address(Ipv4Addr::new(192, 0, 2, last))
}

#[test]
fn the_protocol_is_agreed_on() {
    netns::run(|| assert_eq!(session().protocol(), 7));
}

#[test]
fn none_is_answered() {
    netns::run(|| {
        let error = session().none().unwrap_err();
        assert_eq!(error.reason(), Some(Reason::Other(libc::EOPNOTSUPP)));
    });
}

#[test]
fn a_set_is_created_once() {
    netns::run(|| {
        let mut session = session();
        let set = Set::new("x", SetType::HASH_IP).unwrap();
        session.create_if_missing(&set).unwrap();
        session.create_if_missing(&set).unwrap();
        let error = session.create(&set).unwrap_err();
        assert_eq!(error.reason(), Some(Reason::SetExists));
        let mut other = set.clone();
        other.set_type = SetType::HASH_NET;
        let error = session.create_if_missing(&other).unwrap_err();
        assert_eq!(error.reason(), Some(Reason::SetExists));
    });
}

#[test]
fn headers_name_the_type() {
    netns::run(|| {
        let mut session = session();
        let set = Set::new("six", SetType::HASH_NET_PORT).unwrap();
        session.create(&set.with_family(L3Proto::IPV6)).unwrap();
        let header = session.header("six").unwrap();
        assert_eq!(header.name, "six");
        assert_eq!(header.set_type, SetType::HASH_NET_PORT);
        assert_eq!(header.family, L3Proto::IPV6);
        assert!(peer::run("ipset list -t six").contains(&format!("Revision: {}", header.revision)));
    });
}

#[test]
fn sets_have_indices() {
    netns::run(|| {
        let mut session = session();
        for set in ["zero", "one"] {
            session
                .create(&Set::new(set, SetType::HASH_IP).unwrap())
                .unwrap();
        }
        assert_eq!(session.index_of("one").unwrap(), 1);
        assert_eq!(session.name_of(0).unwrap(), "zero");
        assert_eq!(session.info("one").unwrap().index, Some(1));
        // Rules know sets by index, and keep to the name in a swap.
        session.swap("zero", "one").unwrap();
        assert_eq!(session.name_of(0).unwrap(), "zero");
        let error = session.name_of(7).unwrap_err();
        assert_eq!(error.reason(), Some(Reason::NoSuchSet));
    });
}

#[test]
fn an_entry_is_updated() {
    netns::run(|| {
        let mut session = session();
        let set = Set::new("x", SetType::HASH_IP).unwrap();
        let set = set.with_timeout(10).with_counters().with_comment();
        session.create(&set).unwrap();
        session.add("x", &host(1)).unwrap();
        let first = session.entries("x").unwrap();
        assert!(first[0].timeout <= Some(10), "{first:?}");
        assert_eq!((first[0].packets, first[0].bytes), (Some(0), Some(0)));
        let entry = host(1)
            .with_timeout(1000)
            .with_counters(5, 6)
            .with_comment("again");
        let error = session.add("x", &entry).unwrap_err();
        assert_eq!(error.reason(), Some(Reason::EntryExists));
        session.add_or_update("x", &entry).unwrap();
        let mut second = session.entries("x").unwrap();
        let timeout = second[0].timeout.replace(1000).unwrap();
        assert!((990..=1000).contains(&timeout), "{timeout}");
        assert_eq!(second, [entry]);
    });
}

#[test]
fn a_missing_entry_can_be_deleted_if_present() {
    netns::run(|| {
        let mut session = session();
        session
            .create(&Set::new("x", SetType::HASH_IP).unwrap())
            .unwrap();
        let error = session.delete("x", &host(1)).unwrap_err();
        assert_eq!(error.reason(), Some(Reason::NoSuchEntry));
        session.delete_if_present("x", &host(1)).unwrap();
    });
}

#[test]
fn networks_are_found_by_address() {
    netns::run(|| {
        let mut session = session();
        session
            .create(&Set::new("x", SetType::HASH_NET).unwrap())
            .unwrap();
        let net = (Ipv4Addr::new(192, 0, 2, 0), 24);
        session.add("x", &Entry::address(net)).unwrap();
        let exception = Entry::address((Ipv4Addr::new(192, 0, 2, 64), 28)).with_nomatch();
        session.add("x", &exception).unwrap();
        assert!(session.test("x", &host(1)).unwrap());
        assert!(!session.test("x", &host(65)).unwrap());
        assert!(session.test("x", &host(65).with_nomatch()).unwrap());
        // A network is found as itself only.
        let part = Entry::address((Ipv4Addr::new(192, 0, 2, 0), 25));
        assert!(!session.test("x", &part).unwrap());
    });
}

#[test]
fn all_sets_are_flushed_and_destroyed() {
    netns::run(|| {
        let mut session = session();
        for set in ["a", "b"] {
            session
                .create(&Set::new(set, SetType::HASH_IP).unwrap())
                .unwrap();
            session.add(set, &host(1)).unwrap();
        }
        session.flush_all().unwrap();
        for set in ["a", "b"] {
            assert_eq!(session.entries(set).unwrap(), []);
        }
        session.destroy("a").unwrap();
        session.destroy_if_present("a").unwrap();
        session.destroy_all().unwrap();
        assert!(session.names().unwrap().is_empty());
        assert_eq!(peer::run("ipset list -n"), "");
        session.destroy_all().unwrap();
    });
}

#[test]
fn a_set_serves_a_firewall_rule() {
    netns::run(|| {
        let mut session = session();
        let set = Set::new("x", SetType::HASH_IP).unwrap().with_counters();
        session.create(&set).unwrap();
        peer::run("iptables -A OUTPUT -m set --match-set x dst -j DROP");
        let error = session.destroy("x").unwrap_err();
        assert_eq!(error.reason(), Some(Reason::InUse));
        let error = session.rename("x", "y").unwrap_err();
        assert_eq!(error.reason(), Some(Reason::Referenced));
        assert_eq!(session.info("x").unwrap().references, 1);

        let target = Ipv4Addr::new(127, 0, 0, 9);
        let send = || {
            let socket = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
            socket.send_to(b"hello", (target, 9))
        };
        send().unwrap();
        session.add("x", &Entry::address(target)).unwrap();
        let dropped = send().unwrap_err();
        assert_eq!(dropped.kind(), std::io::ErrorKind::PermissionDenied);
        let entry = session.entries("x").unwrap().remove(0);
        // IP and UDP header with 5 bytes.
        assert_eq!((entry.packets, entry.bytes), (Some(1), Some(33)));
    });
}

#[test]
fn names_are_any_bytes() {
    netns::run(|| {
        let mut session = session();
        let odd = &b"caf\xe9 \"1\""[..];
        session
            .create(&Set::new(odd, SetType::HASH_IP).unwrap())
            .unwrap();
        session.add(odd, &host(1)).unwrap();
        assert_eq!(session.names().unwrap()[0].as_bytes(), odd);
        let longest = "x".repeat(31);
        session.rename(odd, &longest).unwrap();
        assert_eq!(session.names().unwrap(), [name(&longest)]);
        for bad in ["", &"x".repeat(32), "a\0b"] {
            let error = session.destroy(bad).unwrap_err();
            assert_eq!(error.errno(), libc::EINVAL);
        }
    });
}
