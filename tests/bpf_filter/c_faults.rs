//! Where the C library's filter gives wrong verdicts (version 1.0.9, as of
//! Debian 13) and ours does not.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::os::fd::AsRawFd;

use netfilter_conntrack::conntrack::{SctpState, TcpState};
use netfilter_conntrack::filter::{AddrMask, Criterion, EventFilter, FilterAttr};

use crate::common::netns;
use crate::message::{Flow, Kind, Order};
use crate::sockets::{Trial, drain, listener};
use crate::table::Table;
use crate::{c_library, capacity, reference};

/// Sources in no order and not in a row, so that nothing can be merged.
fn sources(count: u32) -> Vec<Ipv4Addr> {
    let scatter = |n: u32| Ipv4Addr::from_bits(0x0a00_0000 + n * 7919 % 65_536 * 3);
    (0..count).map(scatter).collect()
}

/// Of real events from each source a filter asks for, how many get the wrong
/// verdict: from the C library, from us.
fn wrong_verdicts(count: u32, negative: bool) -> (usize, usize) {
    netns::run(|| {
        let sources = sources(count);
        let mut filter = EventFilter::new();
        filter.extend(sources.iter().map(|&addr| Criterion::Source(addr.into())));
        if negative {
            filter = filter.negative(FilterAttr::SourceIpv4);
        }
        let (theirs, ours) = (listener(), listener());
        c_library::attach(&filter, theirs.as_raw_fd());
        filter.attach(&ours).unwrap();
        let mut table = Table::open();
        for &source in &sources {
            table.create(&capacity::from(source.into())).unwrap();
        }
        let right = if negative { 0 } else { sources.len() };
        let wrong = |received: Vec<Vec<u8>>| received.len().abs_diff(right);
        (wrong(drain(&theirs)), wrong(drain(&ours)))
    })
}

/// A jump over more than 255 instructions wraps: with more than 85 addresses
/// the first ones get the wrong verdict.
#[test]
fn more_than_85_addresses() {
    for (count, wrong) in [(85, 0), (86, 1), (100, 15), (127, 42)] {
        for negative in [false, true] {
            let counts = wrong_verdicts(count, negative);
            assert_eq!(
                counts,
                (wrong, 0),
                "{count} addresses, negative: {negative}"
            );
        }
    }
}

/// How many of the flows get the wrong verdict from the C library. Ours gives
/// none.
fn count_wrong(filter: &EventFilter, flows: &[Flow]) -> usize {
    let (theirs, ours) = (Trial::new(), Trial::new());
    c_library::attach(filter, theirs.receiver.as_raw_fd());
    filter.attach(&ours.receiver).unwrap();
    let wrong = |flow: &&Flow| {
        let message = flow.message(Order::HOST, Kind::NEW);
        let right = reference::passes(filter, &message, Order::HOST);
        assert_eq!(ours.passes(&message), right, "{filter:?}\n{flow:?}");
        theirs.passes(&message) != right
    };
    flows.iter().filter(wrong).count()
}

#[test]
fn more_than_85_marks() {
    for (count, wrong) in [(85, 0), (86, 1), (100, 15), (127, 42)] {
        let marks = (0..count).map(|n| n * 7919 % 65_536 + 1);
        let marked = |mark| Flow {
            mark: Some(mark),
            ..capacity::from(Ipv4Addr::LOCALHOST.into())
        };
        let flows: Vec<Flow> = marks.clone().map(marked).collect();
        let filter = marks.fold(EventFilter::new(), |filter, mark| {
            filter.mark(mark, u32::MAX)
        });
        assert_eq!(count_wrong(&filter, &flows), wrong, "{count}");
        let filter = filter.negative(FilterAttr::Mark);
        assert_eq!(count_wrong(&filter, &flows), wrong, "{count}, negative");
    }
}

/// With 85 addresses and more, flows of the other family are dropped.
#[test]
fn the_other_family_beside_many_addresses() {
    let six = [capacity::from(Ipv6Addr::LOCALHOST.into())];
    for (count, wrong) in [(84, 0), (85, 1), (127, 1)] {
        let mut filter = EventFilter::new();
        filter.extend(
            sources(count)
                .into_iter()
                .map(|addr| Criterion::Source(addr.into())),
        );
        assert_eq!(count_wrong(&filter, &six), wrong, "{count}");
    }
}

/// It takes the protocol part of an IPv6 tuple for an IPv4 destination.
#[test]
fn ipv4_destinations_and_ipv6_flows() {
    let six = [capacity::from(Ipv6Addr::LOCALHOST.into())];
    let filter = EventFilter::new().destination(Ipv4Addr::LOCALHOST);
    assert_eq!(count_wrong(&filter, &six), 1);
    let filter = EventFilter::new().source(Ipv4Addr::LOCALHOST);
    assert_eq!(count_wrong(&filter, &six), 0);
}

/// A second IPv6 network is never found unless it starts as the first.
#[test]
fn two_ipv6_networks() {
    let net = |text: &str| text.parse::<AddrMask>().unwrap();
    let flows = ["2001:db8::1", "2001:db9::1"].map(|text| capacity::from(text.parse().unwrap()));
    for (first, second, wrong) in [
        ("2001:db8::/64", "2001:db9::/64", 1),
        ("2001:db9::1", "2001:db8::1", 1),
        ("2001:db8::1", "2001:db8::2", 0),
    ] {
        let filter = EventFilter::new().source(net(first)).source(net(second));
        assert_eq!(count_wrong(&filter, &flows), wrong, "{first} {second}");
        let filter = filter.negative(FilterAttr::SourceIpv6);
        assert_eq!(count_wrong(&filter, &flows), wrong, "not {first} {second}");
    }
}

/// Of the states of two protocols, those of one are ignored.
#[test]
fn states_of_two_protocols() {
    let in_state = |protocol, state| Flow {
        state: Some((protocol, state)),
        ..capacity::from(Ipv4Addr::LOCALHOST.into())
    };
    let flows = [
        in_state(1, 3),
        in_state(1, 5),
        in_state(3, 3),
        in_state(3, 5),
    ];
    let tcp = EventFilter::new().l4state(TcpState(3));
    assert_eq!(count_wrong(&tcp, &flows), 0);
    let both = tcp.l4state(SctpState(3));
    assert_eq!(count_wrong(&both, &flows), 1);
    assert_eq!(count_wrong(&both.negative(FilterAttr::L4State), &flows), 1);
}
