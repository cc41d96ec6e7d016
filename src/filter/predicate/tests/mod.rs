//! Predicates against a plain reference, on random entries.

mod entries;
mod expression;

use std::ops::RangeInclusive;

use proptest::prelude::*;

use super::Predicate;
use crate::conntrack::{Bitmask, Conntrack, ConntrackRef, Direction, L4Proto, Status, Tuple};
use crate::filter::{DumpFilter, IpPrefix, NatKind};
use crate::netlink::{Attrs, Message};
use crate::nfnetlink::{L3Proto, Nfgenmsg};
use crate::uapi::{cta, cta_ip, cta_tuple};
use entries::{entry, message};
use expression::expression;

use Direction::{Original, Reply};

proptest! {
    #![proptest_config(ProptestConfig { cases: 4096, ..ProptestConfig::default() })]

    #[test]
    fn compiled_predicates_agree_with_the_reference(
        expression in expression(),
        entries in prop::collection::vec(entry(), 8),
    ) {
        let matcher = expression.predicate().compile();
        for entry in entries {
            let bytes = message(&entry);
            let message = Message::parse(&bytes).unwrap();
            let view = ConntrackRef::parse(&message).unwrap();
            let owned = view.to_owned().unwrap();
            let expected = expression.holds(&owned);
            prop_assert_eq!(matcher.matches(&owned), expected, "owned {:?}", owned);
            prop_assert_eq!(matcher.matches(&view), expected, "view {:?}", view);
        }
    }

    #[test]
    fn covers_pass_what_predicates_hold_for(
        expression in expression(),
        entries in prop::collection::vec(entry(), 8),
    ) {
        let cover = expression.predicate().cover();
        for entry in entries {
            let expected = expression.holds(&entry);
            let Some(cover) = &cover else {
                prop_assert!(!expected, "{:?}", entry);
                continue;
            };
            let passes = Predicate::from(&cover.filter).compile().matches(&entry);
            prop_assert!(passes || !expected, "{:?} drops {:?}", cover, entry);
            prop_assert!(!cover.exact || passes == expected, "{:?} {:?}", cover, entry);
            let parts = cover.filter.clone().by_family().into_iter();
            let passing = parts.filter(|part| Predicate::from(part).compile().matches(&entry));
            prop_assert_eq!(passing.count(), usize::from(passes), "{:?}", cover);
        }
    }

    #[test]
    fn covers_are_requests_without_ipv6_addresses(expression in expression()) {
        let Some(cover) = expression.predicate().cover() else { return Ok(()) };
        for filter in cover.filter.by_family() {
            prop_assert!(!sends_ipv6_address(&filter), "{:?}", filter);
        }
    }
}

fn sends_ipv6_address(filter: &DumpFilter) -> bool {
    let mut bytes = Vec::new();
    let query = crate::Query::DumpFilter(filter);
    query.encode(1, &mut bytes).unwrap();
    let message = Message::parse(&bytes).unwrap();
    let (_, attributes) = Nfgenmsg::split(&message).unwrap();
    Attrs::new(attributes).map(Result::unwrap).any(|attr| {
        let is_tuple = [cta::TUPLE_ORIG, cta::TUPLE_REPLY].contains(&attr.kind());
        let ip = attr.nested().find(cta_tuple::IP);
        is_tuple
            && ip.unwrap().is_some_and(|ip| {
                let is_v6 = |kind| [cta_ip::V6_SRC, cta_ip::V6_DST].contains(&kind);
                ip.nested().any(|address| is_v6(address.unwrap().kind()))
            })
    })
}

fn flow(source: &str, destination: &str) -> Conntrack {
    let tuple = Tuple::udp(source.parse().unwrap(), destination.parse().unwrap());
    Conntrack::flow(tuple.unwrap())
}

#[test]
fn what_is_absent_counts_as_zero_or_fails() {
    let bare = flow("192.0.2.1:1", "192.0.2.2:2");
    let mut labels = Bitmask::new(127).unwrap();
    let holds = |predicate: Predicate| predicate.compile().matches(&bare);
    assert!(holds(Predicate::mark(0)) && holds(Predicate::zone(0)));
    assert!(holds(Predicate::status_clear(Status::ASSURED)));
    assert!(!holds(Predicate::nat(NatKind::Any)));
    assert!(holds(Predicate::labels_all(&labels)) && !holds(Predicate::labels_any(&labels)));
    labels.set(100);
    assert!(!holds(Predicate::labels_all(&labels)));
    assert!(!holds(Predicate::timeout(..)) && !holds(Predicate::packets(Reply, ..)));
    assert!(holds(!Predicate::helper("ftp")));
}

#[test]
fn constants_are_folded() {
    let always = [
        Predicate::all_of([]),
        Predicate::mark_masked(0, 0),
        !Predicate::labels_any(&Bitmask::default()),
        Predicate::family(L3Proto::IPV4) | Predicate::always(),
        !(Predicate::l4proto(L4Proto::TCP) & Predicate::l4proto(L4Proto::UDP)),
    ];
    for predicate in always {
        assert_eq!(predicate.0.folded(), Predicate::always().0);
    }
    let net = |text: &str| text.parse::<IpPrefix>().unwrap();
    let never = [
        Predicate::any_of([]),
        Predicate::mark_masked(3, 2),
        Predicate::bytes(Original, 9..9),
        Predicate::bytes(Original, u64::MAX..u64::MAX),
        Predicate::source(Reply, net("10.0.0.0/8")) & Predicate::source(Reply, net("::/0")),
        Predicate::source_port(Reply, RangeInclusive::new(5, 4)),
        Predicate::source_endpoint(Reply, []),
    ];
    for predicate in never {
        assert_eq!(predicate.0.clone().folded(), Predicate::never().0);
        assert!(DumpFilter::covering(&predicate).is_none());
    }
}

#[test]
fn tests_of_one_thing_become_one() {
    let ports = (1..=100).map(|port| Predicate::source_port(Original, port));
    let range = Predicate::source_port(Original, 1..=100);
    assert_eq!(Predicate::any_of(ports).0.folded(), range.0);
    let halves = ["10.0.0.0/9", "10.128.0.0/9"].map(|text| text.parse::<IpPrefix>().unwrap());
    let either = halves.map(|half| Predicate::destination(Reply, half));
    let whole = Predicate::destination(Reply, "10.0.0.0/8".parse::<IpPrefix>().unwrap());
    assert_eq!(Predicate::any_of(either).0.folded(), whole.0);

    let ends = |ports: &[u16]| {
        let ends = ports.iter().map(|port| ([10, 0, 0, 1], *port).into());
        Predicate::source_endpoint(Original, ends.collect::<Vec<_>>())
    };
    let joined = ends(&[3, 1]) | ends(&[2, 3]);
    assert_eq!(joined.0.folded(), ends(&[1, 2, 3]).0);
    let common = ends(&[1, 2, 3]) & ends(&[4, 3, 2]);
    assert_eq!(common.0.folded(), ends(&[2, 3]).0);
    let common = Predicate::source_port(Reply, 5..=9) & Predicate::source_port(Reply, 8..=20);
    assert_eq!(common.0.folded(), Predicate::source_port(Reply, 8..=9).0);
}

#[test]
fn backends_are_found_in_both_directions() {
    let mut translated = flow("192.0.2.1:40000", "198.51.100.53:53");
    let from_backend = Tuple::udp(
        "10.0.0.7:5353".parse().unwrap(),
        "192.0.2.1:40000".parse().unwrap(),
    );
    translated.set_reply(from_backend.unwrap());
    let direct = flow("192.0.2.1:40000", "10.0.0.7:5353");
    let other_port = flow("192.0.2.1:40000", "10.0.0.7:53");
    let from_there = flow("10.0.0.7:5353", "192.0.2.1:40000");
    let v6 = flow("[2001:db8::1]:9", "[2001:db8::2]:5353");

    let held = |backend: &str, port| {
        let predicate = Predicate::udp_backend(backend.parse().unwrap(), port);
        let matcher = predicate.compile();
        [&translated, &direct, &other_port, &from_there, &v6].map(|entry| matcher.matches(entry))
    };
    assert_eq!(held("10.0.0.7", 5353), [true, true, false, false, false]);
    assert_eq!(
        held("198.51.100.53", 53),
        [true, false, false, false, false]
    );
    assert_eq!(held("0.0.0.0", 5353), [true, true, false, false, false]);
    assert_eq!(held("0.0.0.0", 53), [true, false, true, false, false]);
    assert_eq!(
        held("2001:db8::2", 5353),
        [false, false, false, false, true]
    );
    assert_eq!(held("::", 5353), [false, false, false, false, true]);
}

#[test]
fn covers_say_what_the_kernel_can_be_trusted_with() {
    let exact = |predicate: Predicate| predicate.cover().unwrap().exact;
    let ip = |text: &str| text.parse::<std::net::IpAddr>().unwrap();
    let https = Predicate::destination_port(Original, 443);
    assert!(exact(Predicate::always()));
    assert!(exact(Predicate::mark(5) & Predicate::family(L3Proto::IPV6)));
    assert!(exact(Predicate::l4proto(L4Proto::TCP) & https.clone()));
    assert!(exact(Predicate::source(Reply, ip("192.0.2.1"))));
    assert!(exact(!Predicate::status_set(Status::ASSURED)));
    assert!(exact(Predicate::nat(NatKind::Source)));
    assert!(exact(!Predicate::nat(NatKind::Any)));

    assert!(!exact(Predicate::source(Reply, ip("2001:db8::1"))));
    assert!(!exact(Predicate::l4proto(L4Proto::SCTP) & https.clone()));
    assert!(!exact(https));
    assert!(!exact(Predicate::nat(NatKind::Any)));
    assert!(!exact(Predicate::zone(7)) && exact(Predicate::zone_of_either(7)));
    assert!(!exact(Predicate::mark(5) & Predicate::helper("ftp")));
    assert!(!exact(Predicate::mark(5) | Predicate::mark(6)));
}
