//! How much fits into a program, and that a full one is right.

use std::collections::HashSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use netfilter_conntrack::Error;
use netfilter_conntrack::filter::{
    AddrMask, ByteOrder, Criterion, EventFilter, FilterAttr, Logic, Program,
};

use crate::interpreter;
use crate::message::{Flow, Kind, Order, Tuple};
use crate::random::Random;

/// A filter for so many different sources, which a function gives.
fn sources(count: usize, mut source: impl FnMut() -> AddrMask) -> EventFilter {
    let mut filter = EventFilter::new();
    filter.extend((0..count).map(|_| Criterion::Source(source())));
    filter
}

fn random_ipv4(random: &mut Random) -> Ipv4Addr {
    Ipv4Addr::from_bits(random.next() as u32)
}

fn random_ipv6(random: &mut Random) -> Ipv6Addr {
    Ipv6Addr::from_bits(u128::from(random.next()) << 64 | u128::from(random.next()))
}

pub(crate) fn many_ipv4(seed: u64, count: usize) -> EventFilter {
    let mut random = Random(seed);
    sources(count, || random_ipv4(&mut random).into())
}

pub(crate) fn many_ipv6(seed: u64, count: usize) -> EventFilter {
    let mut random = Random(seed);
    sources(count, || random_ipv6(&mut random).into())
}

fn length(filter: &EventFilter) -> usize {
    let program = filter.compile().unwrap();
    interpreter::check(program.instructions()).unwrap();
    program.instructions().len()
}

/// A plain flow from this source.
pub(crate) fn from(source: IpAddr) -> Flow {
    let destination = match source {
        IpAddr::V4(_) => Ipv4Addr::new(198, 51, 100, 1).into(),
        IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
    };
    let original = Tuple {
        source,
        destination,
        proto: 17,
        ports: (1, 2),
        zone: None,
    };
    Flow {
        original,
        reply: Tuple {
            source: destination,
            destination: source,
            ports: (2, 1),
            ..original
        },
        status: 0,
        state: None,
        mark: None,
        zone: None,
    }
}

/// The addresses that a filter asks for one by one.
fn addresses(filter: &EventFilter) -> impl Iterator<Item = IpAddr> {
    filter.criteria().iter().map(|criterion| match *criterion {
        Criterion::Source(AddrMask::V4 { addr, .. }) => addr.into(),
        Criterion::Source(AddrMask::V6 { addr, .. }) => addr.into(),
        other => panic!("{other:?}"),
    })
}

/// One of each `step` addresses and two neighbours of each, for both byte orders
/// and both logics.
fn check_addresses(mut filter: EventFilter, attr: FilterAttr, step: usize) {
    let orders = [
        (Order::Little, ByteOrder::Little),
        (Order::Big, ByteOrder::Big),
    ];
    let all: HashSet<IpAddr> = addresses(&filter).collect();
    let nearby = |address: IpAddr| -> [IpAddr; 3] {
        match address {
            IpAddr::V4(v4) => {
                [0, 1, 1 << 31].map(|bit| Ipv4Addr::from_bits(v4.to_bits() ^ bit).into())
            }
            IpAddr::V6(v6) => {
                [0, 1, 1 << 127].map(|bit| Ipv6Addr::from_bits(v6.to_bits() ^ bit).into())
            }
        }
    };
    for logic in [Logic::Positive, Logic::Negative] {
        filter.set_logic(attr, logic);
        for (order, target) in orders {
            let program = filter.compile_for(target).unwrap();
            for source in addresses(&filter).step_by(step).flat_map(nearby) {
                let message = from(source).message(order, Kind::NEW);
                let kept = run(&program, &message, order);
                let expected = all.contains(&source) == (logic == Logic::Positive);
                assert_eq!(kept, expected, "{source}, {logic:?}, {order:?}");
            }
        }
    }
}

fn run(program: &Program, message: &[u8], order: Order) -> bool {
    interpreter::run(program.instructions(), message, order).unwrap() != 0
}

#[test]
fn thousands_of_ipv4_addresses() {
    // Little more than an instruction each.
    assert!(length(&many_ipv4(1, 1000)) < 1200);
    check_addresses(many_ipv4(1, 1000), FilterAttr::SourceIpv4, 1);
    check_addresses(many_ipv4(2, 4050), FilterAttr::SourceIpv4, 7);
}

#[test]
fn hundreds_of_ipv6_addresses() {
    check_addresses(many_ipv6(1, 560), FilterAttr::SourceIpv6, 1);
    let mut random = Random(2);
    let in_one_network = sources(1000, || {
        let network = 0x2001_0db8_0000_0001 << 64;
        Ipv6Addr::from_bits(network | u128::from(random.next())).into()
    });
    check_addresses(in_one_network, FilterAttr::SourceIpv6, 2);
}

#[test]
fn what_does_not_fit_is_refused() {
    for filter in [many_ipv4(3, 4100), many_ipv6(3, 700), many_ipv4(4, 100_000)] {
        let error = filter.compile().unwrap_err();
        assert!(matches!(error, Error::Invalid(_)), "{error}");
        assert_eq!(error.errno(), libc::EINVAL);
        assert!(error.to_string().contains("4096"), "{error}");
    }
}

#[test]
fn what_is_said_twice_or_in_a_row_takes_no_room() {
    let one = length(&many_ipv4(1, 1));
    let same = sources(500, || "192.0.2.1".parse().unwrap());
    assert_eq!(length(&same), one);
    let mut next = Ipv4Addr::new(10, 0, 0, 5).to_bits();
    let row = sources(5000, || {
        next += 1;
        Ipv4Addr::from_bits(next).into()
    });
    assert_eq!(length(&row), one + 1);
    let mut next = Ipv4Addr::new(10, 0, 0, 0).to_bits();
    let networks = sources(5000, || {
        next += 256;
        AddrMask::prefix(Ipv4Addr::from_bits(next).into(), 24).unwrap()
    });
    // Beside the range, the mask.
    assert_eq!(length(&networks), one + 2);
    let covered = many_ipv4(5, 5000).source("0.0.0.0/0".parse::<AddrMask>().unwrap());
    assert!(length(&covered) < one);
}

/// A thousand addresses cost an event little more time than a few.
#[test]
fn searches_are_short() {
    let filter = many_ipv4(6, 1000);
    let program = filter.compile().unwrap();
    for source in addresses(&filter) {
        let message = from(source).message(Order::HOST, Kind::NEW);
        let outcome = interpreter::run_counting(program.instructions(), &message, Order::HOST);
        let (_, steps) = outcome.unwrap();
        assert!(steps < 45, "{steps} instructions for {source}");
    }
}
