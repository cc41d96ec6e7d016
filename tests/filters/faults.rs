//! What Linux answers wrongly, and that it does not matter.
//!
//! Each test first shows the fault by a filter as the C library sends it. A
//! kernel that mends the fault will fail that part; the rest must hold on all.

use netfilter_conntrack::filter::Predicate;
use netfilter_conntrack::handle::Flushed;
use netfilter_conntrack::netlink::{Control, Family, Flags, Header, Message, Socket};
use netfilter_conntrack::{
    Attr, Conntrack, Direction, DumpFilter, Error, Handle, L3Proto, L4Proto, Query, Tuple,
};

use super::common::{flows, netns};
use super::mixed;

/// Numbers of the entries that the kernel lists for a filter.
fn listed(handle: &mut Handle, filter: &DumpFilter) -> Vec<u32> {
    let dump = handle.dump_filtered(filter).unwrap();
    numbers(dump.owned().map(Result::unwrap))
}

fn numbers(entries: impl Iterator<Item = Conntrack>) -> Vec<u32> {
    let mut numbers: Vec<u32> = entries
        .map(|entry| flows::number(entry.original().unwrap()))
        .collect();
    numbers.sort_unstable();
    numbers
}

fn five_of_each_family(handle: &mut Handle) {
    let entries: Vec<_> = (1..=5)
        .flat_map(|n| [flows::udp4(n), flows::udp6(n)])
        .collect();
    flows::create_all(handle, &entries);
}

/// The filter for the source of an entry, as the C library makes it.
fn raw_source(entry: &Conntrack) -> DumpFilter {
    let mut source = entry.clone();
    for attr in [
        Attr::OrigIpv4Dst,
        Attr::OrigIpv6Dst,
        Attr::OrigL4proto,
        Attr::OrigPortSrc,
        Attr::OrigPortDst,
        Attr::Timeout,
    ] {
        source.unset(attr);
    }
    DumpFilter::new().tuple(&source)
}

fn source(entry: &Conntrack) -> Predicate {
    Predicate::source(Direction::Original, entry.original().unwrap().source())
}

#[test]
fn ipv6_addresses_are_not_inverted() {
    netns::run(|| {
        let mut handle = flows::handle();
        five_of_each_family(&mut handle);
        let (v4, v6) = (flows::udp4(3), flows::udp6(3));
        // Linux passes the IPv6 entries that differ. Of IPv4 it is right.
        assert_eq!(listed(&mut handle, &raw_source(&v6)), [1, 2, 4, 5]);
        assert_eq!(listed(&mut handle, &raw_source(&v4)), [3]);

        for entry in [v4, v6] {
            let list = handle.dump_matching(&source(&entry)).unwrap();
            let found: Vec<_> = list.owned().map(Result::unwrap).collect();
            let tuples: Vec<_> = found.iter().map(|entry| entry.original()).collect();
            assert_eq!(tuples, [entry.original()]);
        }
        // The same as a criterion of a filter: the kernel is told the family only.
        let address = flows::udp6(3).original().unwrap().source();
        let filter = DumpFilter::new().source(Direction::Original, address);
        assert_eq!(listed(&mut handle, &filter), [1, 2, 3, 4, 5]);
        let list = handle.dump_matching(&Predicate::from(&filter)).unwrap();
        assert_eq!(numbers(list.owned().map(Result::unwrap)), [3]);
    });
}

/// Sends a filter to the kernel as a flush, whatever it makes of it.
fn flush_unchecked(filter: &DumpFilter) {
    let mut request = Vec::new();
    Query::DumpFilter(filter).encode(1, &mut request).unwrap();
    let header = Header {
        kind: 0x102, // IPCTNL_MSG_CT_DELETE
        flags: Flags::REQUEST | Flags::ACK,
        ..Header::read(&request).unwrap()
    };
    request[..16].copy_from_slice(&header.to_bytes());
    request[17] = 1; // the version, without which the family would not count
    let socket = Socket::open(Family::NETFILTER).unwrap();
    socket.send(&request).unwrap();
    let mut buffer = [0; 1024];
    let len = socket.recv(&mut buffer).unwrap().len;
    let control = Message::parse(&buffer[..len]).unwrap().control();
    assert!(matches!(control, Some(Control::Ack(_))), "{control:?}");
}

#[test]
fn deleting_one_ipv6_address_deletes_just_that() {
    netns::run(|| {
        let mut handle = flows::handle();
        five_of_each_family(&mut handle);
        let deleted = handle.delete_matching(&source(&flows::udp6(3))).unwrap();
        assert_eq!((deleted.matched, deleted.deleted), (1, 1));
        let left = |handle: &mut Handle, family| {
            numbers(handle.dump(family).unwrap().owned().map(Result::unwrap))
        };
        assert_eq!(left(&mut handle, L3Proto::IPV6), [1, 2, 4, 5]);
        assert_eq!(left(&mut handle, L3Proto::IPV4), [1, 2, 3, 4, 5]);

        // So does a flush with the filter of the C library, which a query refuses.
        let filter = raw_source(&flows::udp6(2));
        let flushed = handle.flush_filtered(&filter).unwrap();
        assert!(matches!(flushed, Flushed::OneByOne(done) if done.deleted == 1));
        assert_eq!(left(&mut handle, L3Proto::IPV6), [1, 4, 5]);
        let filter = raw_source(&flows::udp6(1));
        let refused = handle.query(Query::FlushFilter(&filter)).unwrap_err();
        assert!(matches!(refused, Error::Invalid(_)), "{refused}");
        assert_eq!(left(&mut handle, L3Proto::IPV6), [1, 4, 5]);
        // As it is, the kernel takes it for all the others.
        flush_unchecked(&filter);
        assert_eq!(left(&mut handle, L3Proto::IPV6), [1]);
        assert_eq!(left(&mut handle, L3Proto::IPV4), [1, 2, 3, 4, 5]);
    });
}

#[test]
fn ports_of_sctp_are_looked_at() {
    netns::run(|| {
        let mut handle = flows::handle();
        let sctp = |port| {
            let (client, server) = (mixed::host(false, 1), mixed::host(false, 2));
            let tuple = Tuple::between((client, port).into(), (server, 80).into(), L4Proto::SCTP);
            flows::flow(tuple.unwrap())
        };
        let entries = [sctp(1), sctp(2), sctp(3)];
        flows::create_all(&mut handle, &entries);
        let mut wanted = sctp(2);
        wanted.unset(Attr::Timeout);
        let filter = DumpFilter::new().tuple(&wanted);
        // Linux compares ports of TCP and UDP only.
        let dump = handle.dump_filtered(&filter).unwrap();
        assert_eq!(dump.owned().count(), 3);

        let from_two =
            Predicate::l4proto(L4Proto::SCTP) & Predicate::source_port(Direction::Original, 2);
        let ports = |handle: &mut Handle, predicate: &Predicate| {
            let list = handle.dump_matching(predicate).unwrap().owned();
            let ports = list.map(|entry| entry.unwrap().original().unwrap().ports().unwrap().0);
            let mut ports: Vec<u16> = ports.collect();
            ports.sort_unstable();
            ports
        };
        assert_eq!(ports(&mut handle, &from_two), [2]);
        assert_eq!(ports(&mut handle, &Predicate::from(&filter)), [2]);
        let flushed = handle.flush_matching(&from_two).unwrap();
        assert!(matches!(flushed, Flushed::OneByOne(done) if done.deleted == 1));
        assert_eq!(ports(&mut handle, &Predicate::always()), [1, 3]);
    });
}
