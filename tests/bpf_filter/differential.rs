//! The C library's filter beside ours: where it is right they agree, and how
//! often it is wrong is on record.

use std::mem;
use std::net::Ipv6Addr;
use std::os::fd::AsRawFd;

use netfilter_conntrack::filter::{AddrMask, Criterion, EventFilter, FilterAttr};

use crate::common::netns;
use crate::message::{Flow, Kind, Order};
use crate::random::{self, Random, Shape, prefix_or_any_ipv4, prefix_or_any_ipv6};
use crate::sockets::{Trial, drain, listener};
use crate::table::{Table, adapt};
use crate::{c_library, reference};

/// Filters within what the C library can do: its program has room for 2048
/// instructions, its jumps reach over some 85 addresses, and before 1.1.0 it
/// has no zones.
const MODEST: Shape = Shape {
    one_in: [3, 3, 3, 3, 3, 3, 3, usize::MAX, usize::MAX],
    most: [60, 30, 80, 80, 20, 20, 80, 1, 1],
    ipv4_masks: prefix_or_any_ipv4,
    ipv6_masks: prefix_or_any_ipv6,
};

/// A random filter that the C library gets right.
fn filter(random: &mut Random) -> EventFilter {
    loop {
        let filter = tame(&random::filter(random, &MODEST));
        if filter.criteria().len() < 300 {
            return filter;
        }
    }
}

/// Whether the C library gets it wrong nonetheless: where a filter asks for IPv4
/// destinations, it takes something else in IPv6 flows for one.
fn is_hopeless(filter: &EventFilter, flow: &Flow) -> bool {
    let asks = |c: &Criterion| c.attr() == FilterAttr::DestinationIpv4;
    flow.original.source.is_ipv6() && filter.criteria().iter().any(asks)
}

/// Leaves out what the C library gets wrong: states of more than one
/// protocol, and IPv6 networks that differ in more than the last 32 bits.
fn tame(filter: &EventFilter) -> EventFilter {
    let mut tamed = EventFilter::new();
    for attr in FilterAttr::ALL {
        tamed.set_logic(attr, filter.logic(attr));
        let mut section = filter.criteria().iter().filter(|c| c.attr() == attr);
        let Some(&first) = section.next() else {
            continue;
        };
        tamed.add(first);
        for &next in section {
            match (first, next) {
                (Criterion::L4State(a), Criterion::L4State(b)) => {
                    if mem::discriminant(&a) == mem::discriminant(&b) {
                        tamed.add(next);
                    }
                }
                (Criterion::Source(a), Criterion::Source(b)) => {
                    tamed.add(Criterion::Source(in_network_of(a, b)));
                }
                (Criterion::Destination(a), Criterion::Destination(b)) => {
                    tamed.add(Criterion::Destination(in_network_of(a, b)));
                }
                _ => tamed.add(next),
            }
        }
    }
    tamed
}

/// The addresses `b`, with the first 96 bits of `a` if they are of IPv6.
fn in_network_of(a: AddrMask, b: AddrMask) -> AddrMask {
    let join = |a: Ipv6Addr, b: Ipv6Addr| {
        let last = u128::from(u32::MAX);
        Ipv6Addr::from_bits(a.to_bits() & !last | b.to_bits() & last)
    };
    match (a, b) {
        (
            AddrMask::V6 { addr, mask },
            AddrMask::V6 {
                addr: other,
                mask: other_mask,
            },
        ) => AddrMask::V6 {
            addr: join(addr, other),
            mask: join(mask, other_mask),
        },
        _ => b,
    }
}

#[test]
fn both_agree_on_made_up_events() {
    let mut random = Random(20);
    let (ours, theirs) = (Trial::new(), Trial::new());
    let mut passed = [0; 2];
    for _ in 0..1000 {
        let filter = filter(&mut random);
        filter.attach(&ours.receiver).unwrap();
        c_library::attach(&filter, theirs.receiver.as_raw_fd());
        for _ in 0..20 {
            let flow = random::flow(&mut random, &filter);
            if is_hopeless(&filter, &flow) {
                continue;
            }
            let message = flow.message(Order::HOST, Kind::NEW);
            let expected = reference::passes(&filter, &message, Order::HOST);
            let verdicts = [ours.passes(&message), theirs.passes(&message)];
            assert_eq!(verdicts, [expected; 2], "{filter:?}\n{message:02x?}");
            passed[usize::from(expected)] += 1;
        }
    }
    assert!(passed.iter().all(|&count| count > 5000), "{passed:?}");
}

#[test]
fn both_agree_on_real_events() {
    netns::run(|| {
        let mut random = Random(21);
        let sockets: Vec<_> = (0..40)
            .map(|_| {
                let filter = filter(&mut random);
                let (ours, theirs) = (listener(), listener());
                filter.attach(&ours).unwrap();
                c_library::attach(&filter, theirs.as_raw_fd());
                (filter, ours, theirs)
            })
            .collect();
        let mut table = Table::open();
        let mut passed = 0;
        for n in 0..400 {
            let aim = &sockets[n % sockets.len()].0;
            let flow = random::flow(&mut random, aim);
            let flow = adapt(&mut random, flow);
            table.create(&flow).unwrap();
            table.update(&adapt(&mut random, flow.clone())).unwrap();
            table.delete(&flow).unwrap();
            for (filter, ours, theirs) in &sockets {
                let (ours, theirs) = (drain(ours), drain(theirs));
                if !is_hopeless(filter, &flow) {
                    assert_eq!(ours, theirs, "{filter:?}");
                    passed += ours.len();
                }
            }
        }
        assert!(passed > 3_000, "{passed}");
    });
}
