//! A table of all sorts of entries.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use netfilter_conntrack::conntrack::{Icmp, ProtoInfo, TcpInfo, TcpState};
use netfilter_conntrack::{
    Bitmask, Conntrack, Error, Handle, L3Proto, L4Proto, Nat, Query, Status, Tuple,
};

use super::common::{flows, netns, peer};

/// Entries to be made. Fewer come to be, since some clash.
const ENTRIES: usize = 1800;

/// Runs `test` in a network namespace of its own that keeps labels.
pub(crate) fn run(test: impl FnOnce(&mut Handle) + Send) {
    netns::run(|| {
        // They are kept only where a rule uses them.
        peer::nft("table inet labels { chain unused { ct label set 1; }; }");
        test(&mut flows::handle());
    });
}

/// Fills the table with entries of both families, six protocols, few addresses
/// and ports, with and without marks, zones of both or one direction, labels,
/// helpers and translations; gives them as the kernel shows them.
pub(crate) fn fill(handle: &mut Handle) -> Vec<Conntrack> {
    let mut random = fastrand::Rng::with_seed(1);
    let entries: Vec<Conntrack> = (0..ENTRIES).map(|_| entry(&mut random)).collect();
    let each = |position, result: Result<(), Error>| match result {
        Err(Error::Kernel(error)) if error.errno == libc::EEXIST => {}
        result => result
            .unwrap_or_else(|error| panic!("entry {position}: {error}: {:?}", entries[position])),
    };
    handle
        .batch(entries.iter().map(Query::Create), each)
        .unwrap();
    let all = all(handle);
    assert!(all.len() > ENTRIES / 2, "only {} entries", all.len());
    all
}

/// All entries of the table.
pub(crate) fn all(handle: &mut Handle) -> Vec<Conntrack> {
    let dump = handle.dump(L3Proto::UNSPEC).unwrap();
    dump.owned().map(Result::unwrap).collect()
}

/// What tells the entries apart.
pub(crate) fn ids<'e>(entries: impl IntoIterator<Item = &'e Conntrack>) -> BTreeSet<u32> {
    let ids: Vec<u32> = entries
        .into_iter()
        .map(|entry| entry.id().unwrap())
        .collect();
    let set: BTreeSet<u32> = ids.iter().copied().collect();
    assert_eq!(set.len(), ids.len(), "an entry twice");
    set
}

/// Makes sure that both are the same entries.
pub(crate) fn assert_same(left: &BTreeSet<u32>, right: &BTreeSet<u32>, about: &str) {
    let only_left = left.difference(right).count();
    let only_right = right.difference(left).count();
    assert_eq!((only_left, only_right), (0, 0), "{about}");
}

/// An address of the table: `last` is below 8.
pub(crate) fn host(v6: bool, last: u8) -> IpAddr {
    match v6 {
        false => Ipv4Addr::new(10, 0, last / 4, last).into(),
        true => Ipv6Addr::new(0x2001, 0xdb8, 0, u16::from(last / 4), 0, 0, 0, last.into()).into(),
    }
}

fn entry(random: &mut fastrand::Rng) -> Conntrack {
    let v6 = random.bool();
    let (source, destination) = (host(v6, random.u8(..8)), host(v6, random.u8(..8)));
    let icmp = if v6 { L4Proto::ICMPV6 } else { L4Proto::ICMP };
    let l4proto = random
        .choice([
            L4Proto::TCP,
            L4Proto::UDP,
            L4Proto::SCTP,
            L4Proto::GRE,
            L4Proto::UDPLITE,
            icmp,
        ])
        .unwrap();
    let tuple = Tuple::new(source, destination, l4proto).unwrap();
    let side = random.u8(..8);
    // Flows that have a zone in the reply direction alone do not run against
    // those that have one in the original direction alone: a third flow, the same
    // way round as the one and without a zone, could not be named to the kernel.
    let port = if side == 2 { 6 } else { 1 };
    let mut original = match l4proto == icmp {
        false => tuple.with_ports(random.u16(port..port + 5), random.u16(port..port + 5)),
        true => tuple.with_icmp(Icmp {
            kind: if v6 { 128 } else { 8 },
            code: 0,
            id: random.u16(..20) + 20 * port,
        }),
    };
    let mut reply = original.inverted();
    let mut entry = Conntrack::new();
    let zone = random.u16(1..4);
    match side {
        0 => drop(entry.set_zone(zone)),
        1 => original = original.with_zone(zone),
        2 => reply = reply.with_zone(zone),
        _ => {}
    }
    entry
        .set_original(original)
        .set_reply(reply)
        .set_timeout(flows::TIMEOUT + random.u32(..3) * 1000);
    if random.bool() {
        entry.set_mark(random.u32(1..8));
    }
    if random.bool() {
        let bits = [Status::SEEN_REPLY, Status::ASSURED | Status::SEEN_REPLY];
        entry.set_status(random.choice(bits).unwrap());
    }
    if l4proto == L4Proto::TCP {
        entry.set_protoinfo(ProtoInfo::Tcp(TcpInfo {
            state: Some(TcpState(random.u8(1..=8))),
            ..TcpInfo::default()
        }));
        if random.u8(..4) == 0 {
            entry.set_helper("ftp").unwrap();
        }
    }
    if random.u8(..4) == 0 {
        let mut labels = Bitmask::new(127).unwrap();
        labels.set(random.u32(..3) * 40);
        entry.set_labels(labels);
    }
    match random.u8(..6) {
        0 => drop(entry.set_snat(Nat::to_address(host(v6, random.u8(..8))))),
        1 => drop(entry.set_dnat(Nat::to_address(host(v6, random.u8(..8))))),
        _ => {}
    }
    entry
}
