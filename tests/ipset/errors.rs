//! Each way in which the kernel refuses something, by name.

use std::net::{Ipv4Addr, Ipv6Addr};

use netfilter_conntrack::ipset::{
    Addresses, Entry, MacAddr, Place, Ports, Reason, Result, Session, Set, SetType,
};
use netfilter_conntrack::nfnetlink::L3Proto;

use crate::common::{netns, privileges};
use crate::{name, session};

const A: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 1);
const B: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 2);
const SIX: Ipv6Addr = Ipv6Addr::LOCALHOST;

fn set(set_name: &str, set_type: SetType) -> Set {
    Set::new(set_name, set_type).unwrap()
}

/// The sets that the cases below work with.
fn sets(session: &mut Session) {
    let bitmap = set("bitmap", SetType::BITMAP_IP).with_range((Ipv4Addr::new(10, 0, 0, 0), 24));
    let small = set("small", SetType::HASH_IP)
        .with_maxelem(1)
        .with_hashsize(1);
    for set in [
        bitmap,
        small,
        set("hash", SetType::HASH_IP),
        set("other", SetType::HASH_IP),
        set("six", SetType::HASH_IP).with_family(L3Proto::IPV6),
        set("net", SetType::HASH_NET),
        set("port", SetType::HASH_IP_PORT),
        set("list", SetType::LIST_SET),
        set("list2", SetType::LIST_SET),
        set("timed", SetType::HASH_IP).with_timeout(0),
    ] {
        session.create(&set).unwrap();
    }
    session.add("list", &Entry::set(name("hash"))).unwrap();
}

#[test]
fn each_refusal_has_a_name() {
    type Case = (Reason, i32, fn(&mut Session) -> Result);
    let cases: &[Case] = &[
        (Reason::NoSuchSet, libc::ENOENT, |s| s.destroy("none")),
        (Reason::NoSuchSet, libc::ENOENT, |s| s.flush("none")),
        (Reason::NoSuchSet, libc::ENOENT, |s| s.swap("none", "hash")),
        (Reason::NoSuchSet, libc::ENOENT, |s| s.rename("none", "new")),
        (Reason::NoSuchSet, libc::ENOENT, |s| {
            s.add("none", &Entry::address(A))
        }),
        (Reason::NoSuchSet, libc::ENOENT, |s| {
            s.test("none", &Entry::address(A)).map(drop)
        }),
        (Reason::NoSuchSet, libc::ENOENT, |s| {
            s.header("none").map(drop)
        }),
        (Reason::NoSuchSet, libc::ENOENT, |s| {
            s.index_of("none").map(drop)
        }),
        (Reason::NoSuchSet, libc::ENOENT, |s| {
            s.entries("none").map(drop)
        }),
        (Reason::NoSuchSet, libc::ENOENT, |s| {
            s.info("none").map(drop)
        }),
        (Reason::SetExists, libc::EEXIST, |s| {
            s.create(&set("hash", SetType::HASH_IP))
        }),
        (Reason::SetExists, 4101, |s| s.rename("other", "net")),
        (Reason::NoSecondSet, 4101, |s| s.swap("hash", "none")),
        (Reason::TypeNotSupported, 4098, |s| {
            s.create(&set("new", "hash:moon".parse().unwrap()))
        }),
        (Reason::TypeNotSupported, 4098, |s| {
            s.create(&set("new", SetType::HASH_IP).with_revision(99))
        }),
        (Reason::TypeNotSupported, 4098, |s| {
            s.create(&set("new", SetType::BITMAP_IP).with_family(L3Proto::IPV6))
        }),
        (Reason::InvalidFamily, 4106, |s| {
            s.create(&set("new", SetType::HASH_IP).with_family(L3Proto::UNSPEC))
        }),
        (Reason::TypeMismatch, 4102, |s| s.swap("other", "net")),
        (Reason::InUse, 4100, |s| s.destroy("hash")),
        (Reason::Referenced, 4108, |s| s.rename("hash", "new")),
        (Reason::Malformed, 4097, |s| {
            s.add("hash", &Entry::default())
        }),
        (Reason::Malformed, 4097, |s| {
            s.add("hash", &Entry::address(A).with_mac(MacAddr([2; 6])))
        }),
        (Reason::Malformed, 4097, |s| {
            s.add("hash", &Entry::address(SIX))
        }),
        (Reason::Malformed, 4097, |s| {
            s.create(&set("new", SetType::BITMAP_IP))
        }),
        (Reason::EntryExists, 4103, |s| {
            s.add("hash", &Entry::address(A))?;
            s.add("hash", &Entry::address(A))
        }),
        (Reason::NoSuchEntry, 4103, |s| {
            s.delete("hash", &Entry::address(B))
        }),
        (Reason::InvalidPrefix, 4104, |s| {
            s.add("net", &Entry::address((A, 33)))
        }),
        (Reason::InvalidPrefix, 4104, |s| {
            s.add("net", &Entry::address((A, 0)))
        }),
        (Reason::InvalidNetmask, 4105, |s| {
            s.create(&set("new", SetType::HASH_IP).with_netmask(33))
        }),
        (Reason::NoTimeouts, 4107, |s| {
            s.add("hash", &Entry::address(B).with_timeout(1))
        }),
        (Reason::NoCounters, 4111, |s| {
            s.add("hash", &Entry::address(B).with_counters(1, 1))
        }),
        (Reason::NoComments, 4112, |s| {
            s.add("hash", &Entry::address(B).with_comment("x"))
        }),
        (Reason::NoSkbinfo, 4114, |s| {
            s.add("hash", &Entry::address(B).with_skbqueue(1))
        }),
        (Reason::OutOfRange, 4352, |s| {
            s.add("bitmap", &Entry::address(Ipv4Addr::new(11, 0, 0, 0)))
        }),
        (Reason::RangeTooLarge, 4353, |s| {
            s.create(&set("new", SetType::BITMAP_IP).with_range((A, 8)))
        }),
        (Reason::Full, 4352, |s| {
            s.add("small", &Entry::address((Ipv4Addr::new(10, 0, 0, 0), 24)))
        }),
        (Reason::ZeroEntry, 4353, |s| {
            s.add("hash", &Entry::address(Ipv4Addr::UNSPECIFIED))
        }),
        (Reason::InvalidProtocol, 4354, |s| {
            let zero = Ports::of(netfilter_conntrack::L4Proto(0), 0);
            s.add("port", &Entry::address(A).with_ports(zero))
        }),
        (Reason::NoProtocol, 4355, |s| {
            s.add("port", &Entry::address(A).with_ports(80))
        }),
        (Reason::NoRanges, 4356, |s| {
            let range = Addresses::Range(SIX.into(), SIX.into());
            s.add("six", &Entry::address(range))
        }),
        (Reason::InvalidRange, 4357, |s| {
            s.add(
                "net",
                &Entry::address(Ipv4Addr::UNSPECIFIED..=Ipv4Addr::BROADCAST),
            )
        }),
        (Reason::NoSuchMember, 4352, |s| {
            s.add("list", &Entry::set(name("none")))
        }),
        (Reason::NestedList, 4353, |s| {
            s.add("list", &Entry::set(name("list2")))
        }),
        (Reason::NoSuchReference, 4355, |s| {
            let place = Place::Before(name("none"));
            s.add("list", &Entry::set(name("net")).with_place(place))
        }),
        (Reason::ReferenceNotInList, 4357, |s| {
            let place = Place::After(name("other"));
            s.add("list", &Entry::set(name("net")).with_place(place))
        }),
    ];
    netns::run(|| {
        for (nth, (reason, errno, case)) in cases.iter().enumerate() {
            let mut session = session();
            sets(&mut session);
            let error = case(&mut session).expect_err(&format!("case {nth}: {reason:?}"));
            assert_eq!(
                (error.reason(), error.errno()),
                (Some(*reason), *errno),
                "case {nth}"
            );
            let text = error.to_string();
            assert!(
                text.starts_with("ipset ") && text.ends_with(&reason.to_string()),
                "{text}"
            );
            // Nothing outlives the case.
            session.flush_all().unwrap();
            session.destroy_all().unwrap();
        }
    });
}

#[test]
fn what_cannot_be_sent_is_not_sent() {
    netns::run(|| {
        let mut session = session();
        let set = set("x", SetType::HASH_NET_IFACE).with_comment();
        session.create(&set).unwrap();
        let net = Entry::address((A, 24));
        for bad in [
            net.clone().with_interface(name("sixteen-letters!")),
            net.clone()
                .with_interface(name("eth0"))
                .with_comment("x".repeat(256)),
            net.clone()
                .with_interface(name("eth0"))
                .with_comment("a\0b"),
        ] {
            let error = session.add("x", &bad).unwrap_err();
            assert_eq!((error.reason(), error.errno()), (None, libc::EINVAL));
            let mut batch = session.batch();
            batch.add("x", &bad).unwrap_err();
            // The batch goes on as if it had not been there.
            batch
                .add("x", &net.clone().with_interface(name("eth1")))
                .unwrap();
            assert_eq!(batch.commit().unwrap().len(), 0);
            session.flush("x").unwrap();
        }
    });
}

#[test]
fn without_the_capability_the_kernel_says_so() {
    netns::run(|| {
        privileges::without_capabilities(|| {
            let error = Session::open().unwrap_err();
            assert_eq!(error.errno(), libc::EPERM);
            assert!(error.to_string().contains("CAP_NET_ADMIN"), "{error}");
        });
    });
}
