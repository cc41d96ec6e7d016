//! The terms of predicates, one by one.

use std::net::{IpAddr, SocketAddr};
use std::ops::{Bound, RangeBounds, RangeInclusive};

use super::Predicate;
use super::byte_set::ByteSet;
use super::test::{Amount, IcmpField, Place, Side, Test, ZoneSide};
use crate::conntrack::{Bitmask, Direction, L4Proto, Status, TcpState};
use crate::filter::address_set::AddressSet;
use crate::nfnetlink::L3Proto;

/// What the tuples of an entry say.
impl Predicate {
    /// The address family.
    pub fn family(family: L3Proto) -> Self {
        Self::test(Test::Family(family))
    }

    /// The layer 4 protocol.
    pub fn l4proto(l4proto: L4Proto) -> Self {
        Self::test(Test::L4Proto(ByteSet::of(l4proto.0)))
    }

    /// The source address of a direction: an address, a prefix, or a set of many.
    pub fn source(direction: Direction, addresses: impl Into<AddressSet>) -> Self {
        let place = Place(direction, Side::Source);
        Self::test(Test::Address(place, addresses.into()))
    }

    /// The destination address of a direction.
    pub fn destination(direction: Direction, addresses: impl Into<AddressSet>) -> Self {
        let place = Place(direction, Side::Destination);
        Self::test(Test::Address(place, addresses.into()))
    }

    /// The source port of a direction, where the protocol has ports: one port
    /// or a range, in host byte order.
    pub fn source_port(direction: Direction, ports: impl Into<Ports>) -> Self {
        Self::ports(Place(direction, Side::Source), ports.into())
    }

    /// The destination port of a direction, where the protocol has ports.
    pub fn destination_port(direction: Direction, ports: impl Into<Ports>) -> Self {
        Self::ports(Place(direction, Side::Destination), ports.into())
    }

    /// Address and port of the source of a direction: one of these. Looking
    /// among many takes time by the logarithm of their number.
    pub fn source_endpoint(
        direction: Direction,
        endpoints: impl IntoIterator<Item = SocketAddr>,
    ) -> Self {
        Self::endpoints(Place(direction, Side::Source), endpoints)
    }

    /// Address and port of the destination of a direction: one of these.
    pub fn destination_endpoint(
        direction: Direction,
        endpoints: impl IntoIterator<Item = SocketAddr>,
    ) -> Self {
        Self::endpoints(Place(direction, Side::Destination), endpoints)
    }

    /// The ICMP or ICMPv6 type of the original direction.
    pub fn icmp_type(kind: u8) -> Self {
        Self::test(Test::Icmp(IcmpField::Kind, kind.into()))
    }

    /// The ICMP or ICMPv6 code of the original direction.
    pub fn icmp_code(code: u8) -> Self {
        Self::test(Test::Icmp(IcmpField::Code, code.into()))
    }

    /// The identifier of ICMP or ICMPv6 in the original direction, in host byte order.
    pub fn icmp_id(id: u16) -> Self {
        Self::test(Test::Icmp(IcmpField::Id, id))
    }

    /// The zone, where it applies to both directions; 0 is the default zone.
    pub fn zone(zone: u16) -> Self {
        Self::test(Test::Zone(ZoneSide::Both, zone))
    }

    /// The zone of a direction, whether or not it applies to the other one too.
    pub fn zone_of(direction: Direction, zone: u16) -> Self {
        Self::test(Test::Zone(ZoneSide::Of(direction), zone))
    }

    /// The zone of at least one direction.
    pub fn zone_of_either(zone: u16) -> Self {
        Self::test(Test::Zone(ZoneSide::Either, zone))
    }

    /// UDP flows to a backend: those sent to its address and port, and those
    /// that a translation leads there, whose replies come from it. When the
    /// backend goes, these are the flows whose packets would still be sent to it.
    ///
    /// The unspecified address (`0.0.0.0`, `::`) stands for all of its family.
    pub fn udp_backend(address: IpAddr, port: u16) -> Self {
        Self::udp_backends([SocketAddr::new(address, port)])
    }

    /// The same for many backends, which are found in one pass over the table.
    pub fn udp_backends(backends: impl IntoIterator<Item = SocketAddr>) -> Self {
        let (any, named): (Vec<SocketAddr>, Vec<SocketAddr>) = backends
            .into_iter()
            .partition(|backend| backend.ip().is_unspecified());
        let mut cases = vec![
            Self::destination_endpoint(Direction::Original, named.iter().copied()),
            Self::source_endpoint(Direction::Reply, named),
        ];
        for backend in any {
            let port = backend.port();
            let ports = Self::destination_port(Direction::Original, port)
                | Self::source_port(Direction::Reply, port);
            let family = match backend {
                SocketAddr::V4(_) => L3Proto::IPV4,
                SocketAddr::V6(_) => L3Proto::IPV6,
            };
            cases.push(Self::family(family) & ports);
        }
        Self::l4proto(L4Proto::UDP) & Self::any_of(cases)
    }

    fn ports(place: Place, ports: Ports) -> Self {
        Self::test(Test::Port(place, [ports.0].into_iter().collect()))
    }

    fn endpoints(place: Place, endpoints: impl IntoIterator<Item = SocketAddr>) -> Self {
        let endpoints = endpoints.into_iter().map(|end| (end.ip(), end.port()));
        Self::test(Test::endpoints(place, endpoints.collect()))
    }
}

/// What else an entry says.
impl Predicate {
    /// The mark.
    pub fn mark(mark: u32) -> Self {
        Self::mark_masked(mark, u32::MAX)
    }

    /// The bits of the mark in `mask`; no entry has bits of `value` outside of it.
    pub fn mark_masked(value: u32, mask: u32) -> Self {
        Self::test(Test::Mark { value, mask })
    }

    /// All these status bits are set.
    pub fn status_set(bits: Status) -> Self {
        Self::status_masked(bits.bits(), bits.bits())
    }

    /// None of these status bits is set.
    pub fn status_clear(bits: Status) -> Self {
        Self::status_masked(0, bits.bits())
    }

    pub(super) fn status_masked(value: u32, mask: u32) -> Self {
        Self::test(Test::Status { value, mask })
    }

    /// The state of TCP's tracker.
    pub fn tcp_state(state: TcpState) -> Self {
        Self::test(Test::TcpState(ByteSet::of(state.0)))
    }

    /// The name of the helper.
    pub fn helper(name: &str) -> Self {
        Self::test(Test::Helper(name.into()))
    }

    /// All these labels are set.
    pub fn labels_all(labels: &Bitmask) -> Self {
        Self::test(Test::LabelsAll(labels.clone()))
    }

    /// At least one of these labels is set.
    pub fn labels_any(labels: &Bitmask) -> Self {
        Self::test(Test::LabelsAny(labels.clone()))
    }

    /// The flow is translated, by its status bits.
    pub fn nat(kind: NatKind) -> Self {
        match kind {
            NatKind::Any => !Self::status_clear(Status::NAT),
            NatKind::Source => Self::status_set(Status::SRC_NAT),
            NatKind::Destination => Self::status_set(Status::DST_NAT),
        }
    }

    /// Packets counted in a direction.
    pub fn packets(direction: Direction, bounds: impl RangeBounds<u64>) -> Self {
        let packets = Amount::Packets(direction);
        Self::test(Test::Amount(packets, inclusive(bounds)))
    }

    /// Bytes counted in a direction, network headers included.
    pub fn bytes(direction: Direction, bounds: impl RangeBounds<u64>) -> Self {
        let bytes = Amount::Bytes(direction);
        Self::test(Test::Amount(bytes, inclusive(bounds)))
    }

    /// Seconds until the entry expires without traffic.
    pub fn timeout(bounds: impl RangeBounds<u32>) -> Self {
        let widened = (
            bounds.start_bound().map(|&start| u64::from(start)),
            bounds.end_bound().map(|&end| u64::from(end)),
        );
        Self::test(Test::Amount(Amount::Timeout, inclusive(widened)))
    }
}

/// How a flow is translated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NatKind {
    /// Source, destination or both.
    Any,
    /// Its source (SNAT, masquerading).
    Source,
    /// Its destination (DNAT, redirection).
    Destination,
}

/// A port or a range of ports, in host byte order.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Ports(RangeInclusive<u16>);

impl From<u16> for Ports {
    fn from(port: u16) -> Self {
        Self(port..=port)
    }
}

impl From<RangeInclusive<u16>> for Ports {
    fn from(ports: RangeInclusive<u16>) -> Self {
        Self(ports)
    }
}

/// The bounds with both ends included; an empty range where nothing is inside.
fn inclusive(bounds: impl RangeBounds<u64>) -> RangeInclusive<u64> {
    let first = match bounds.start_bound() {
        Bound::Included(first) => Some(*first),
        Bound::Excluded(before) => before.checked_add(1),
        Bound::Unbounded => Some(0),
    };
    let last = match bounds.end_bound() {
        Bound::Included(last) => Some(*last),
        Bound::Excluded(behind) => behind.checked_sub(1),
        Bound::Unbounded => Some(u64::MAX),
    };
    match (first, last) {
        (Some(first), Some(last)) => first..=last,
        _ => RangeInclusive::new(1, 0),
    }
}
