//! Entries made up for tests, many of them if need be.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use netfilter_conntrack::{Conntrack, Error, Groups, Handle, L4Proto, Query, Tuple};

use super::netns;

/// Timeout of the entries, in seconds: longer than any test.
pub(crate) const TIMEOUT: u32 = 600;

/// A handle to ask with.
pub(crate) fn handle() -> Handle {
    listener(Groups::empty())
}

/// A handle that listens to these groups.
pub(crate) fn listener(groups: Groups) -> Handle {
    netns::require();
    Handle::open(groups).expect("a handle")
}

/// A UDP flow over IPv4; each number is another one.
pub(crate) fn udp4(number: u32) -> Conntrack {
    udp(
        Ipv4Addr::from(0x0a00_0000 + number).into(),
        Ipv4Addr::new(192, 0, 2, 53).into(),
    )
}

/// A UDP flow over IPv6; each number is another one.
pub(crate) fn udp6(number: u32) -> Conntrack {
    let [high, low] = [(number >> 16) as u16, number as u16];
    let source = Ipv6Addr::new(0x2001, 0xdb8, 1, 0, 0, 0, high, low);
    udp(
        source.into(),
        Ipv6Addr::new(0x2001, 0xdb8, 2, 0, 0, 0, 0, 53).into(),
    )
}

fn udp(source: IpAddr, destination: IpAddr) -> Conntrack {
    let ends = [(source, 40_000), (destination, 53)].map(SocketAddr::from);
    flow(Tuple::between(ends[0], ends[1], L4Proto::UDP).expect("one family"))
}

/// An entry that the kernel takes for a flow with this tuple.
pub(crate) fn flow(tuple: Tuple) -> Conntrack {
    let mut entry = Conntrack::flow(tuple);
    entry.set_timeout(TIMEOUT);
    entry
}

/// The number of an entry from [`udp4`] or [`udp6`], by its original tuple.
pub(crate) fn number(tuple: Tuple) -> u32 {
    match tuple.source() {
        IpAddr::V4(address) => u32::from(address) - 0x0a00_0000,
        IpAddr::V6(address) => u128::from(address) as u32,
    }
}

/// Makes all these entries.
pub(crate) fn create_all(handle: &mut Handle, entries: &[Conntrack]) {
    let each = |position, result: Result<(), Error>| {
        result.unwrap_or_else(|error| panic!("entry {position}: {error}"));
    };
    let queries = entries.iter().map(Query::Create);
    handle.batch(queries, each).expect("a batch");
}

/// The errno of what must have failed.
pub(crate) fn errno<T>(result: Result<T, Error>) -> i32 {
    match result {
        Ok(_) => panic!("it succeeded"),
        Err(error) => error.errno(),
    }
}
