//! Random expressions, and what they mean.

use std::net::IpAddr;

use proptest::prelude::*;
use proptest::sample::select;

use super::entries::{address, bitmask, helper, l4proto, label, port, status, zone};
use crate::conntrack::{Conntrack, Direction, L4Proto, ProtoInfo, Status, TcpState, Tuple};
use crate::filter::{AddressSet, IpPrefix, NatKind, Predicate};
use crate::nfnetlink::L3Proto;

use Direction::{Original, Reply};

/// An expression that can be turned into a predicate, and be evaluated plainly.
#[derive(Clone, Debug)]
pub(super) enum Expression {
    Always(bool),
    Term(Term),
    Not(Box<Self>),
    All(Vec<Self>),
    Any(Vec<Self>),
}

#[derive(Clone, Debug)]
pub(super) enum Term {
    Family(L3Proto),
    L4Proto(L4Proto),
    /// Of the source where true.
    Address(Direction, bool, Vec<IpPrefix>),
    Port(Direction, bool, u16, u16),
    Endpoint(Direction, bool, Vec<(IpAddr, u16)>),
    Icmp(u8, u16),
    Zone(u16),
    ZoneOf(Direction, u16),
    ZoneOfEither(u16),
    Mark(u32, u32),
    StatusSet(Status),
    StatusClear(Status),
    Nat(NatKind),
    TcpState(TcpState),
    Helper(&'static str),
    LabelsAll(Vec<u32>),
    LabelsAny(Vec<u32>),
    Packets(Direction, u64, u64),
    Bytes(Direction, u64),
    Timeout(u32),
}

impl Expression {
    pub(super) fn predicate(&self) -> Predicate {
        let all = |list: &[Self]| list.iter().map(Self::predicate).collect::<Vec<_>>();
        match self {
            Self::Always(true) => Predicate::always(),
            Self::Always(false) => Predicate::never(),
            Self::Term(term) => term.predicate(),
            Self::Not(inner) => !inner.predicate(),
            // Both ways of joining.
            Self::All(list) => match &all(list)[..] {
                [one, other] => one.clone() & other.clone(),
                _ => Predicate::all_of(all(list)),
            },
            Self::Any(list) => match &all(list)[..] {
                [one, other] => one.clone() | other.clone(),
                _ => Predicate::any_of(all(list)),
            },
        }
    }

    pub(super) fn holds(&self, entry: &Conntrack) -> bool {
        match self {
            Self::Always(outcome) => *outcome,
            Self::Term(term) => term.holds(entry).unwrap_or(false),
            Self::Not(inner) => !inner.holds(entry),
            Self::All(list) => list.iter().all(|inner| inner.holds(entry)),
            Self::Any(list) => list.iter().any(|inner| inner.holds(entry)),
        }
    }
}

impl Term {
    fn predicate(&self) -> Predicate {
        match self.clone() {
            Self::Family(family) => Predicate::family(family),
            Self::L4Proto(l4proto) => Predicate::l4proto(l4proto),
            Self::Address(of, source, list) => {
                let set = list.into_iter().collect::<AddressSet>();
                match source {
                    true => Predicate::source(of, set),
                    false => Predicate::destination(of, set),
                }
            }
            Self::Port(of, true, a, b) => Predicate::source_port(of, a..=b),
            Self::Port(of, false, a, _) => Predicate::destination_port(of, a),
            Self::Endpoint(of, source, list) => {
                let list = list.into_iter().map(|end| end.into());
                match source {
                    true => Predicate::source_endpoint(of, list),
                    false => Predicate::destination_endpoint(of, list),
                }
            }
            Self::Icmp(0, value) => Predicate::icmp_type(value as u8),
            Self::Icmp(1, value) => Predicate::icmp_code(value as u8),
            Self::Icmp(_, value) => Predicate::icmp_id(value),
            Self::Zone(zone) => Predicate::zone(zone),
            Self::ZoneOf(of, zone) => Predicate::zone_of(of, zone),
            Self::ZoneOfEither(zone) => Predicate::zone_of_either(zone),
            Self::Mark(value, u32::MAX) => Predicate::mark(value),
            Self::Mark(value, mask) => Predicate::mark_masked(value, mask),
            Self::StatusSet(bits) => Predicate::status_set(bits),
            Self::StatusClear(bits) => Predicate::status_clear(bits),
            Self::Nat(kind) => Predicate::nat(kind),
            Self::TcpState(state) => Predicate::tcp_state(state),
            Self::Helper(name) => Predicate::helper(name),
            Self::LabelsAll(bits) => Predicate::labels_all(&bitmask(&bits)),
            Self::LabelsAny(bits) => Predicate::labels_any(&bitmask(&bits)),
            Self::Packets(of, a, b) => Predicate::packets(of, a..b),
            Self::Bytes(of, a) => Predicate::bytes(of, a..),
            Self::Timeout(a) => Predicate::timeout(..=a),
        }
    }

    /// `None` where the entry lacks what is asked for.
    fn holds(&self, entry: &Conntrack) -> Option<bool> {
        let tuple = |direction| match direction {
            Original => entry.original(),
            Reply => entry.reply(),
        };
        let address = |of, source| {
            let tuple: Tuple = tuple(of)?;
            Some(if source {
                tuple.source()
            } else {
                tuple.destination()
            })
        };
        let port = |of, source: bool| {
            let (a, b) = tuple(of)?.ports()?;
            Some(if source { a } else { b })
        };
        let zone_of = |of| match entry.zone() {
            Some(zone) => zone,
            None => tuple(of).and_then(|tuple| tuple.zone()).unwrap_or(0),
        };
        let status = entry.status().unwrap_or_default();
        let label = |bit: &u32| entry.labels().is_some_and(|labels| labels.test(*bit));
        Some(match self {
            Self::Family(family) => entry.original()?.l3proto() == *family,
            Self::L4Proto(l4proto) => entry.original()?.l4proto() == *l4proto,
            Self::Address(of, source, list) => {
                let address = address(*of, *source)?;
                list.iter().any(|prefix| prefix.contains(address))
            }
            Self::Port(of, true, a, b) => (*a..=*b).contains(&port(*of, true)?),
            Self::Port(of, false, a, _) => port(*of, false)? == *a,
            Self::Endpoint(of, source, list) => {
                list.contains(&(address(*of, *source)?, port(*of, *source)?))
            }
            Self::Icmp(0, value) => u16::from(entry.original()?.icmp()?.kind) == *value,
            Self::Icmp(1, value) => u16::from(entry.original()?.icmp()?.code) == *value,
            Self::Icmp(_, value) => entry.original()?.icmp()?.id == *value,
            // Zones of one direction stand in its tuple.
            Self::Zone(0) => (zone_of(Original), zone_of(Reply)) == (0, 0),
            Self::Zone(zone) => entry.zone()? == *zone,
            Self::ZoneOf(of, zone) => zone_of(*of) == *zone,
            Self::ZoneOfEither(zone) => [zone_of(Original), zone_of(Reply)].contains(zone),
            Self::Mark(value, mask) => entry.mark().unwrap_or(0) & mask == *value,
            Self::StatusSet(bits) => status.contains(*bits),
            Self::StatusClear(bits) => !status.intersects(*bits),
            Self::Nat(NatKind::Any) => status.intersects(Status::SRC_NAT | Status::DST_NAT),
            Self::Nat(NatKind::Source) => status.contains(Status::SRC_NAT),
            Self::Nat(NatKind::Destination) => status.contains(Status::DST_NAT),
            Self::TcpState(state) => match entry.protoinfo()? {
                ProtoInfo::Tcp(tcp) => tcp.state? == *state,
                _ => false,
            },
            Self::Helper(name) => entry.helper()? == *name,
            Self::LabelsAll(bits) => bits.iter().all(label),
            Self::LabelsAny(bits) => bits.iter().any(label),
            Self::Packets(of, a, b) => (*a..*b).contains(&entry.counters(*of)?.packets),
            Self::Bytes(of, a) => entry.counters(*of)?.bytes >= *a,
            Self::Timeout(a) => entry.timeout()? <= *a,
        })
    }
}

pub(super) fn expression() -> impl Strategy<Value = Expression> {
    let leaf = prop_oneof![
        12 => term().prop_map(Expression::Term),
        1 => any::<bool>().prop_map(Expression::Always),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        let list = || prop::collection::vec(inner.clone(), 0..5);
        prop_oneof![
            inner
                .clone()
                .prop_map(|inner| Expression::Not(Box::new(inner))),
            list().prop_map(Expression::All),
            list().prop_map(Expression::Any),
        ]
    })
}

fn term() -> impl Strategy<Value = Term> {
    let prefix = || {
        let of_v4 = 0u8..=32;
        let len = prop_oneof![Just(32u8), Just(31), Just(30), of_v4];
        (address(), len).prop_map(|(address, len)| {
            let host = if address.is_ipv4() { 32 } else { 128 };
            IpPrefix::new(address, host - (32 - len)).unwrap()
        })
    };
    let bits = || prop::collection::vec(label(), 0..3);
    let side = (direction(), any::<bool>());
    prop_oneof![
        family().prop_map(Term::Family),
        l4proto().prop_map(Term::L4Proto),
        (side.clone(), prop::collection::vec(prefix(), 0..4))
            .prop_map(|((of, source), list)| Term::Address(of, source, list)),
        (side.clone(), port(), port()).prop_map(|((of, s), a, b)| Term::Port(of, s, a, b)),
        (side, prop::collection::vec((address(), port()), 0..4))
            .prop_map(|((of, source), list)| Term::Endpoint(of, source, list)),
        (0u8..3, 0u16..4).prop_map(|(field, value)| Term::Icmp(field, value)),
        zone().prop_map(Term::Zone),
        (direction(), zone()).prop_map(|(of, zone)| Term::ZoneOf(of, zone)),
        zone().prop_map(Term::ZoneOfEither),
        (0u32..4, select(vec![0, 1, 2, 3, u32::MAX])).prop_map(|(v, m)| Term::Mark(v, m)),
        status().prop_map(Term::StatusSet),
        status().prop_map(Term::StatusClear),
        select(vec![NatKind::Any, NatKind::Source, NatKind::Destination]).prop_map(Term::Nat),
        (0u8..4).prop_map(|state| Term::TcpState(TcpState(state))),
        helper().prop_map(Term::Helper),
        bits().prop_map(Term::LabelsAll),
        bits().prop_map(Term::LabelsAny),
        (direction(), 0u64..4, 0u64..4).prop_map(|(of, a, b)| Term::Packets(of, a, b)),
        (direction(), 0u64..4).prop_map(|(of, a)| Term::Bytes(of, a)),
        (0u32..4).prop_map(Term::Timeout),
    ]
}

fn direction() -> impl Strategy<Value = Direction> + Clone {
    select(vec![Original, Reply])
}

fn family() -> impl Strategy<Value = L3Proto> {
    select(vec![L3Proto::IPV4, L3Proto::IPV6, L3Proto(7)])
}
