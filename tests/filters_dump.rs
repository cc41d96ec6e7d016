//! The kernel's filter of dumps and flushes.

mod common;

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};

use common::{flows, netns, ordinary_user};
use netfilter_conntrack::{
    Attr, Conntrack, DumpFilter, Handle, L3Proto, L4Proto, Query, Status, Tuple,
};

fn tuple(source: &str, destination: &str, l4proto: L4Proto) -> Tuple {
    let [source, destination] = [source, destination].map(|end| end.parse().unwrap());
    Tuple::between(source, destination, l4proto).unwrap()
}

/// A table of entries, known by their marks.
fn table(handle: &mut Handle) {
    let entries = [
        (1, tuple("192.0.2.1:10", "198.51.100.1:53", L4Proto::UDP)),
        (2, tuple("192.0.2.1:11", "198.51.100.2:53", L4Proto::UDP)),
        (3, tuple("192.0.2.2:10", "198.51.100.1:80", L4Proto::TCP)),
        (
            4,
            tuple("[2001:db8::1]:10", "[2001:db8::2]:53", L4Proto::UDP),
        ),
        (
            5,
            tuple("[2001:db8::1]:10", "[2001:db8::2]:80", L4Proto::TCP),
        ),
    ];
    for (mark, tuple) in entries {
        let mut entry = flows::flow(tuple);
        entry.set_mark(mark);
        if mark % 2 == 0 {
            entry.set_status(Status::SEEN_REPLY);
        }
        if mark == 2 {
            entry.set_zone(7);
        }
        if mark == 3 {
            entry.set_original(tuple.with_zone(8));
        }
        handle.create(&entry).unwrap();
    }
}

/// The marks of the entries that the filter lets pass.
fn passing(handle: &mut Handle, filter: &DumpFilter) -> BTreeSet<u32> {
    let dump = handle.dump_filtered(filter).unwrap().owned();
    dump.map(|entry| entry.unwrap().mark().unwrap()).collect()
}

/// Asserts that the filter lets these pass, in a dump and, as the kernel takes
/// the same for a flush, that it deletes just these.
fn assert_passes(filter: &DumpFilter, marks: impl IntoIterator<Item = u32>) {
    let marks: BTreeSet<_> = marks.into_iter().collect();
    let mut handle = flows::handle();
    handle.flush(L3Proto::UNSPEC).unwrap();
    table(&mut handle);
    assert_eq!(passing(&mut handle, filter), marks, "{filter:?}");
    handle.query(Query::FlushFilter(filter)).unwrap();
    let left: BTreeSet<_> = (1..=5).filter(|mark| !marks.contains(mark)).collect();
    assert_eq!(passing(&mut handle, &DumpFilter::new()), left, "{filter:?}");
}

#[test]
fn by_nothing() {
    netns::run(|| assert_passes(&DumpFilter::new(), 1..=5));
}

#[test]
fn by_mark() {
    netns::run(|| {
        let mark = |value, mask| DumpFilter::new().mark(value, mask);
        assert_passes(&mark(3, u32::MAX), [3]);
        assert_passes(&mark(1, 1), [1, 3, 5]);
        assert_passes(&mark(4, 6), [4, 5]);
        assert_passes(&mark(0, 0), 1..=5);
        assert_passes(&mark(0, u32::MAX), []);
        // Bits of the value outside of the mask match nothing.
        assert_passes(&mark(3, 1), []);
    });
}

#[test]
fn by_family() {
    netns::run(|| {
        let family = |family| DumpFilter::new().family(family);
        assert_passes(&family(L3Proto::IPV4), [1, 2, 3]);
        assert_passes(&family(L3Proto::IPV6), [4, 5]);
        assert_passes(&family(L3Proto::UNSPEC), 1..=5);
    });
}

#[test]
fn by_status() {
    netns::run(|| {
        let status = |value, mask| DumpFilter::new().status(value, mask);
        assert_passes(&status(Status::SEEN_REPLY, Status::SEEN_REPLY), [2, 4]);
        assert_passes(&status(Status::empty(), Status::SEEN_REPLY), [1, 3, 5]);
        assert_passes(&status(Status::CONFIRMED, Status::CONFIRMED), 1..=5);
        let both = Status::CONFIRMED | Status::SEEN_REPLY;
        assert_passes(&status(both, both | Status::ASSURED), [2, 4]);
        assert_passes(&status(Status::ASSURED, Status::ASSURED), []);
    });
}

#[test]
fn by_zone() {
    netns::run(|| {
        let zone = |zone| DumpFilter::new().zone(zone);
        assert_passes(&zone(7), [2]);
        assert_passes(&zone(9), []);
        // An entry has one zone, be it for one direction.
        assert_passes(&zone(8), [3]);
        assert_passes(&zone(0), [1, 4, 5]);
    });
}

#[test]
fn by_several_at_once() {
    netns::run(|| {
        let seen = DumpFilter::new().status(Status::SEEN_REPLY, Status::SEEN_REPLY);
        assert_passes(&seen.clone().family(L3Proto::IPV4), [2]);
        assert_passes(&seen.clone().mark(4, 4), [4]);
        assert_passes(&seen.clone().zone(7), [2]);
        assert_passes(&seen.zone(7).mark(3, u32::MAX).family(L3Proto::IPV4), []);
    });
}

/// An entry with these parts of an IPv4 tuple.
fn parts(
    source: Option<&str>,
    destination: Option<&str>,
    l4proto: Option<L4Proto>,
    port: Option<u16>,
) -> Conntrack {
    let unspecified = SocketAddr::new(IpAddr::from([0, 0, 0, 0]), 0);
    let address = |text: Option<&str>| text.map_or(unspecified.ip(), |text| text.parse().unwrap());
    let ends = [source, destination].map(address);
    let tuple = Tuple::new(ends[0], ends[1], l4proto.unwrap_or_default()).unwrap();
    let mut entry = Conntrack::new();
    entry.set_original(tuple.with_ports(0, port.unwrap_or(0)));
    for (attr, is_there) in [
        (Attr::OrigIpv4Src, source.is_some()),
        (Attr::OrigIpv4Dst, destination.is_some()),
        (Attr::OrigL4proto, l4proto.is_some()),
        (Attr::OrigPortSrc, false),
        (Attr::OrigPortDst, port.is_some()),
    ] {
        if !is_there {
            entry.unset(attr);
        }
    }
    entry
}

#[test]
fn by_parts_of_an_ipv4_tuple() {
    netns::run(|| {
        let like = |entry: Conntrack| DumpFilter::new().tuple(&entry);
        let (udp, tcp) = (Some(L4Proto::UDP), Some(L4Proto::TCP));
        assert_passes(&like(parts(Some("192.0.2.1"), None, None, None)), [1, 2]);
        assert_passes(&like(parts(None, Some("198.51.100.1"), None, None)), [1, 3]);
        assert_passes(&like(parts(None, Some("198.51.100.1"), udp, None)), [1]);
        assert_passes(&like(parts(None, None, udp, Some(53))), [1, 2]);
        assert_passes(&like(parts(None, None, tcp, Some(53))), []);
        assert_passes(&like(parts(None, None, tcp, Some(80))), [3]);
        assert_passes(&like(parts(Some("192.0.2.9"), None, None, None)), []);
        let whole = tuple("192.0.2.1:10", "198.51.100.1:53", L4Proto::UDP);
        assert_passes(&like(Conntrack::flow(whole)), [1]);

        // A mark of the entry counts too.
        let mut marked = parts(Some("192.0.2.1"), None, None, None);
        marked.set_mark(2);
        assert_passes(&like(marked), [2]);
        let first = parts(Some("192.0.2.1"), None, None, None);
        assert_passes(&like(first.clone()).mark(1, 1), [1]);
        assert_passes(&like(first).family(L3Proto::IPV4).zone(0), [1]);
    });
}

/// The protocol and ports of an IPv6 tuple; its addresses are what Linux 6.18
/// compares the wrong way round.
#[test]
fn by_parts_of_an_ipv6_tuple() {
    netns::run(|| {
        let whole = tuple("[2001:db8::1]:10", "[2001:db8::2]:80", L4Proto::TCP);
        let mut ports = Conntrack::new();
        ports.set_original(whole);
        ports.unset(Attr::OrigIpv6Src);
        ports.unset(Attr::OrigIpv6Dst);
        assert_passes(&DumpFilter::new().tuple(&ports), [5]);
    });
}

#[test]
fn passes_for_an_ordinary_user() {
    ordinary_user::rerun_these_tests();
}
