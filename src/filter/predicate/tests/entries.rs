//! Random entries, and the messages they come in.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use proptest::prelude::*;
use proptest::sample::select;

use crate::conntrack::encode::encode;
use crate::conntrack::{
    Attr, Bitmask, Conntrack, Counters, Direction, Icmp, L4Proto, ProtoInfo, Status, TcpInfo,
    TcpState, Tuple,
};
use crate::netlink::{Flags, Header};
use crate::nfnetlink::{Nfgenmsg, Subsystem};
use crate::uapi::{cta, cta_counters};

/// Entries such as the kernel has, of few values each, so that tests hold often.
pub(super) fn entry() -> impl Strategy<Value = Conntrack> {
    let counters = || {
        let numbers = (0u64..4, 0u64..4);
        prop::option::of(numbers.prop_map(|(packets, bytes)| Counters { packets, bytes }))
    };
    let zone = (0u8..4, zone());
    let labels = prop::option::of(prop::collection::vec(label(), 0..4));
    let rest = (
        prop::option::of(0u32..4),
        prop::option::of(status()),
        prop::option::of(0u32..4),
        prop::option::of(0u8..4),
        prop::option::of(helper()),
        labels,
        (counters(), counters()),
    );
    let l4 = (l4proto(), port(), port());
    (tuple(), prop::option::of(tuple()), l4, zone, rest).prop_map(
        |(original, reply, (l4proto, a, b), (side, zone), rest)| {
            let (mark, status, timeout, tcp_state, helper, labels, counters) = rest;
            let complete = |(source, destination): (IpAddr, IpAddr)| {
                let tuple = Tuple::new(source, destination, l4proto).unwrap();
                match l4proto {
                    L4Proto::ICMP | L4Proto::ICMPV6 => tuple.with_icmp(Icmp {
                        kind: a as u8,
                        code: b as u8,
                        id: a,
                    }),
                    _ => tuple.with_ports(a, b),
                }
            };
            let original = complete(original);
            // Perhaps translated, within the family.
            let reply = reply.filter(|(ip, _)| ip.is_ipv4() == original.source().is_ipv4());
            let mut reply = reply.map_or_else(|| original.inverted(), complete);
            let mut entry = Conntrack::new();
            // A flow has one zone at the most: of both directions or of one.
            match (side, zone) {
                (_, 0) => entry.set_original(original),
                (0, zone) => entry.set_original(original.with_zone(zone)),
                (1, zone) => {
                    reply = reply.with_zone(zone);
                    entry.set_original(original)
                }
                (_, zone) => entry.set_original(original).set_zone(zone),
            };
            entry.set_reply(reply);
            mark.map(|mark| entry.set_mark(mark));
            status.map(|status| entry.set_status(status));
            timeout.map(|timeout| entry.set_timeout(timeout));
            if let Some(name) = helper {
                entry.set_helper(name).unwrap();
            }
            labels.map(|bits| entry.set_labels(bitmask(&bits)));
            if let (Some(state), L4Proto::TCP) = (tcp_state, l4proto) {
                entry.set_protoinfo(ProtoInfo::Tcp(TcpInfo {
                    state: Some(TcpState(state)),
                    ..TcpInfo::default()
                }));
            }
            put_counters(&mut entry, counters);
            entry
        },
    )
}

/// The message in which the kernel would send the entry.
pub(super) fn message(entry: &Conntrack) -> Vec<u8> {
    let mut bytes = Vec::new();
    let header = Header::request(Subsystem::CONNTRACK.message_type(0), Flags::empty());
    let family = entry.original().unwrap().l3proto();
    let mut message = Nfgenmsg::family(family).start(&mut bytes, header);
    encode(entry, &mut message).unwrap();
    for (direction, kind) in [
        (Direction::Original, cta::COUNTERS_ORIG),
        (Direction::Reply, cta::COUNTERS_REPLY),
    ] {
        if let Some(counters) = entry.counters(direction) {
            message.nest(kind, |nest| {
                nest.put_u64_be(cta_counters::PACKETS, counters.packets);
                nest.put_u64_be(cta_counters::BYTES, counters.bytes);
            });
        }
    }
    message.finish().unwrap();
    bytes
}

fn put_counters(entry: &mut Conntrack, (original, reply): (Option<Counters>, Option<Counters>)) {
    let set = &mut entry.head.set;
    if let Some(counters) = original {
        entry.counters.original = counters;
        set.insert(Attr::OrigCounterPackets);
        set.insert(Attr::OrigCounterBytes);
    }
    if let Some(counters) = reply {
        entry.counters.reply = counters;
        set.insert(Attr::ReplCounterPackets);
        set.insert(Attr::ReplCounterBytes);
    }
}

pub(super) fn bitmask(bits: &[u32]) -> Bitmask {
    let mut mask = Bitmask::new(bits.iter().copied().max().unwrap_or(0)).unwrap();
    bits.iter().for_each(|bit| mask.set(*bit));
    mask
}

fn tuple() -> impl Strategy<Value = (IpAddr, IpAddr)> {
    (any::<bool>(), 0u8..6, 0u8..6).prop_map(|(v6, a, b)| (host(v6, a), host(v6, b)))
}

pub(super) fn address() -> impl Strategy<Value = IpAddr> {
    (any::<bool>(), 0u8..6).prop_map(|(v6, last)| host(v6, last))
}

fn host(v6: bool, last: u8) -> IpAddr {
    match v6 {
        false => Ipv4Addr::new(10, 0, 0, last).into(),
        true => Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, last.into()).into(),
    }
}

pub(super) fn l4proto() -> impl Strategy<Value = L4Proto> {
    use L4Proto as P;
    select(vec![
        P::TCP,
        P::TCP,
        P::UDP,
        P::UDP,
        P::SCTP,
        P::GRE,
        P::ICMP,
        P::ICMPV6,
        P(50),
    ])
}

pub(super) fn port() -> impl Strategy<Value = u16> {
    0u16..4
}

pub(super) fn zone() -> impl Strategy<Value = u16> {
    0u16..4
}

pub(super) fn status() -> impl Strategy<Value = Status> {
    let bits = [
        Status::SEEN_REPLY,
        Status::ASSURED,
        Status::CONFIRMED,
        Status::SRC_NAT,
        Status::DST_NAT,
    ];
    prop::sample::subsequence(bits.to_vec(), 0..=3).prop_map(|bits| bits.into_iter().collect())
}

pub(super) fn helper() -> impl Strategy<Value = &'static str> {
    select(vec!["ftp", "sip", "tftp"])
}

pub(super) fn label() -> impl Strategy<Value = u32> {
    select(vec![0u32, 3, 31, 32, 64, 127])
}
