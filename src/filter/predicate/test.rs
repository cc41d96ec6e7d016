//! The tests that predicates are made of.

use std::iter::repeat;
use std::net::IpAddr;
use std::ops::RangeInclusive;

use super::byte_set::ByteSet;
use super::entry::Entry;
use crate::conntrack::{Bitmask, Direction, Tuple};
use crate::filter::address_set::AddressSet;
use crate::filter::range_set::RangeSet;
use crate::nfnetlink::L3Proto;

/// One question about an entry.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Test {
    Family(L3Proto),
    L4Proto(ByteSet),
    Address(Place, AddressSet),
    Port(Place, RangeSet<u16>),
    /// In ascending order, each once.
    Endpoint(Place, Vec<(IpAddr, u16)>),
    Icmp(IcmpField, u16),
    Zone(ZoneSide, u16),
    Mark {
        value: u32,
        mask: u32,
    },
    Status {
        value: u32,
        mask: u32,
    },
    TcpState(ByteSet),
    Helper(Box<str>),
    LabelsAll(Bitmask),
    LabelsAny(Bitmask),
    Amount(Amount, RangeInclusive<u64>),
}

/// Where in the two tuples an address and a port stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place(pub(super) Direction, pub(super) Side);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Source,
    Destination,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum IcmpField {
    Kind,
    Code,
    Id,
}

/// To which direction a zone applies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ZoneSide {
    Both,
    Of(Direction),
    Either,
}

/// A number that has bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Amount {
    Packets(Direction),
    Bytes(Direction),
    Timeout,
}

impl Test {
    /// The test for one of these addresses with their ports.
    pub(super) fn endpoints(place: Place, mut endpoints: Vec<(IpAddr, u16)>) -> Self {
        endpoints.sort_unstable();
        endpoints.dedup();
        Self::Endpoint(place, endpoints)
    }

    /// The outcome, where it is the same for all entries.
    pub(super) fn constant(&self) -> Option<bool> {
        let never = match self {
            Self::L4Proto(set) | Self::TcpState(set) => set.is_empty(),
            Self::Address(_, set) => set.is_empty(),
            Self::Port(_, set) => set.is_empty(),
            Self::Endpoint(_, endpoints) => endpoints.is_empty(),
            Self::Mark { value, mask } | Self::Status { value, mask } => {
                if *mask == 0 {
                    return Some(*value == 0);
                }
                value & !mask != 0
            }
            Self::LabelsAll(labels) => {
                return labels.iter().next().is_none().then_some(true);
            }
            Self::LabelsAny(labels) => labels.iter().next().is_none(),
            Self::Amount(_, bounds) => bounds.is_empty(),
            Self::Family(_) | Self::Icmp(..) | Self::Zone(..) | Self::Helper(_) => false,
        };
        never.then_some(false)
    }

    /// How long it takes, roughly: what stands at a fixed place in the message
    /// first, then the original tuple, the reply tuple, what lies deeper.
    pub(super) fn cost(&self) -> usize {
        let of = |direction| match direction {
            Direction::Original => 10,
            Direction::Reply => 20,
        };
        let search = |count: usize| count.checked_ilog2().unwrap_or(0) as usize;
        match self {
            Self::Family(_) => 0,
            Self::Mark { .. } | Self::Status { .. } | Self::Amount(Amount::Timeout, _) => 1,
            Self::Zone(ZoneSide::Both, 1..) => 1,
            Self::L4Proto(_) | Self::Icmp(..) => of(Direction::Original),
            Self::Port(Place(direction, _), _) => of(*direction) + 1,
            Self::Address(Place(direction, _), _) => of(*direction) + 2,
            Self::Endpoint(Place(direction, _), all) => of(*direction) + 2 + search(all.len()),
            Self::Zone(ZoneSide::Of(direction), _) => of(*direction),
            Self::Zone(ZoneSide::Both | ZoneSide::Either, _) => of(Direction::Reply),
            Self::TcpState(_) => 30,
            Self::Helper(_) => 40,
            Self::LabelsAll(_) | Self::LabelsAny(_) => 40,
            Self::Amount(Amount::Packets(_) | Amount::Bytes(_), _) => 50,
        }
    }
}

/// An entry under examination: its tuples are decoded once, when the first
/// test asks for them.
pub(super) struct Probe<'e, E> {
    entry: &'e E,
    original: Option<Option<Tuple>>,
    reply: Option<Option<Tuple>>,
}

impl<'e, E: Entry> Probe<'e, E> {
    #[inline]
    pub(super) fn new(entry: &'e E) -> Self {
        Self {
            entry,
            original: None,
            reply: None,
        }
    }

    /// Whether the test holds for the entry.
    #[inline]
    pub(super) fn holds(&mut self, test: &Test) -> bool {
        let entry = self.entry;
        match test {
            Test::Family(family) => entry.family() == Some(*family),
            Test::L4Proto(set) => {
                let tuple = self.tuple(Direction::Original);
                tuple.is_some_and(|tuple| set.contains(tuple.l4proto().0))
            }
            Test::Address(place, set) => {
                let tuple = self.tuple(place.0);
                tuple.is_some_and(|tuple| set.contains(place.address(tuple)))
            }
            Test::Port(place, set) => {
                let port = self.tuple(place.0).and_then(|tuple| place.port(tuple));
                port.is_some_and(|port| set.contains(port))
            }
            Test::Endpoint(place, endpoints) => {
                let Some(tuple) = self.tuple(place.0) else {
                    return false;
                };
                let port = place.port(tuple);
                port.is_some_and(|port| {
                    let endpoint = (place.address(tuple), port);
                    endpoints.binary_search(&endpoint).is_ok()
                })
            }
            Test::Icmp(field, wanted) => {
                let icmp = self.tuple(Direction::Original).and_then(Tuple::icmp);
                icmp.is_some_and(|icmp| {
                    *wanted
                        == match field {
                            IcmpField::Kind => icmp.kind.into(),
                            IcmpField::Code => icmp.code.into(),
                            IcmpField::Id => icmp.id,
                        }
                })
            }
            Test::Zone(side, zone) => self.in_zone(*side, *zone),
            Test::Mark { value, mask } => entry.mark() & mask == *value,
            Test::Status { value, mask } => entry.status() & mask == *value,
            Test::TcpState(set) => entry.tcp_state().is_some_and(|state| set.contains(state)),
            Test::Helper(name) => entry.helper() == Some(name),
            Test::LabelsAll(labels) => {
                let words = entry.labels().chain(repeat(0)).zip(labels.words());
                words
                    .into_iter()
                    .all(|(own, wanted)| own & wanted == *wanted)
            }
            Test::LabelsAny(labels) => {
                let mut words = entry.labels().zip(labels.words());
                words.any(|(own, wanted)| own & wanted != 0)
            }
            Test::Amount(amount, bounds) => {
                let number = match amount {
                    Amount::Packets(direction) => entry.counters(*direction).map(|c| c.packets),
                    Amount::Bytes(direction) => entry.counters(*direction).map(|c| c.bytes),
                    Amount::Timeout => entry.timeout().map(u64::from),
                };
                number.is_some_and(|number| bounds.contains(&number))
            }
        }
    }

    fn in_zone(&mut self, side: ZoneSide, zone: u16) -> bool {
        let both = self.entry.zone();
        if both != 0 {
            return both == zone;
        }
        // Either the zone of a direction or the default zone.
        let mut of = |direction| self.tuple(direction).and_then(Tuple::zone).unwrap_or(0);
        match side {
            ZoneSide::Of(direction) => of(direction) == zone,
            ZoneSide::Either => of(Direction::Original) == zone || of(Direction::Reply) == zone,
            ZoneSide::Both => {
                zone == 0 && of(Direction::Original) == 0 && of(Direction::Reply) == 0
            }
        }
    }

    #[inline]
    fn tuple(&mut self, direction: Direction) -> Option<&Tuple> {
        let place = match direction {
            Direction::Original => &mut self.original,
            Direction::Reply => &mut self.reply,
        };
        place
            .get_or_insert_with(|| self.entry.tuple(direction))
            .as_ref()
    }
}

impl Place {
    #[inline]
    fn address(self, tuple: &Tuple) -> IpAddr {
        match self.1 {
            Side::Source => tuple.source(),
            Side::Destination => tuple.destination(),
        }
    }

    #[inline]
    fn port(self, tuple: &Tuple) -> Option<u16> {
        let (source, destination) = tuple.ports()?;
        Some(match self.1 {
            Side::Source => source,
            Side::Destination => destination,
        })
    }
}
