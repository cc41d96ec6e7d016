//! Random filters, and messages that come close to what they ask for.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use netfilter_conntrack::conntrack::{DccpState, SctpState, TcpState};
use netfilter_conntrack::filter::{AddrMask, Criterion, EventFilter, FilterAttr, L4State, Logic};
use netfilter_conntrack::{EventKind, L4Proto};

use crate::message::{Flow, Kind, Order, Tuple, attribute, message};

/// A generator of numbers (splitmix64) that gives the same ones for a seed.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// From 0 to below `end`.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }

    /// True in one of `n` cases.
    pub(crate) fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    pub(crate) fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }

    pub(crate) fn shuffle<T>(&mut self, list: &mut [T]) {
        for n in (1..list.len()).rev() {
            list.swap(n, self.below(n + 1));
        }
    }

    fn u128(&mut self) -> u128 {
        u128::from(self.next()) << 64 | u128::from(self.next())
    }
}

const PROTOS: [u8; 8] = [1, 6, 17, 33, 47, 58, 132, 136];
const KINDS: [EventKind; 3] = [EventKind::New, EventKind::Update, EventKind::Destroy];

/// What filters are made like.
pub(crate) struct Shape {
    /// One in how many filters has a section, by [`FilterAttr`].
    pub(crate) one_in: [usize; 9],
    /// The most criteria in one section, by [`FilterAttr`].
    pub(crate) most: [usize; 9],
    pub(crate) ipv4_masks: fn(&mut Random) -> u32,
    pub(crate) ipv6_masks: fn(&mut Random) -> u128,
}

/// A filter of that shape, with both logics.
pub(crate) fn filter(random: &mut Random, shape: &Shape) -> EventFilter {
    let mut filter = EventFilter::new();
    for attr in FilterAttr::ALL {
        if random.one_in(2) {
            filter.set_logic(attr, Logic::Negative);
        }
        if !random.one_in(shape.one_in[attr as usize]) {
            continue;
        }
        // Many sections are small, some are not.
        let limit = 1 + random.below(shape.most[attr as usize]);
        let count = 1 + random.below(limit);
        for _ in 0..count {
            filter.add(criterion(random, attr, shape));
        }
    }
    filter
}

fn criterion(random: &mut Random, attr: FilterAttr, shape: &Shape) -> Criterion {
    let v4 = |random: &mut Random| AddrMask::V4 {
        addr: ipv4(random),
        mask: (shape.ipv4_masks)(random).into(),
    };
    let v6 = |random: &mut Random| AddrMask::V6 {
        addr: ipv6(random),
        mask: (shape.ipv6_masks)(random).into(),
    };
    match attr {
        FilterAttr::L4Proto if random.one_in(4) => Criterion::L4Proto(L4Proto(random.next() as u8)),
        FilterAttr::L4Proto => Criterion::L4Proto(L4Proto(random.pick(&PROTOS))),
        FilterAttr::L4State => {
            let state = random.below(10) as u8;
            Criterion::L4State(match random.below(3) {
                0 => L4State::Tcp(TcpState(state)),
                1 => L4State::Sctp(SctpState(state)),
                _ => L4State::Dccp(DccpState(state)),
            })
        }
        FilterAttr::SourceIpv4 => Criterion::Source(v4(random)),
        FilterAttr::DestinationIpv4 => Criterion::Destination(v4(random)),
        FilterAttr::SourceIpv6 => Criterion::Source(v6(random)),
        FilterAttr::DestinationIpv6 => Criterion::Destination(v6(random)),
        FilterAttr::Mark => Criterion::Mark {
            value: mark(random),
            mask: match random.below(3) {
                0 => random.next() as u32,
                1 => 0xff << (8 * random.below(4)),
                _ => u32::MAX,
            },
        },
        FilterAttr::Zone => Criterion::Zone(zone(random)),
        FilterAttr::Kind => Criterion::Kind(random.pick(&KINDS)),
        other => panic!("{other:?}"),
    }
}

/// Addresses that often share some of their bits.
fn ipv4(random: &mut Random) -> Ipv4Addr {
    let bits = random.next() as u32;
    let base = 0xc0a8_0100;
    Ipv4Addr::from_bits(match random.below(4) {
        0 => bits,
        1 => base | bits & 0xff,
        2 => base ^ bits & 0xffff,
        _ => base ^ (1 << random.below(32)),
    })
}

fn ipv6(random: &mut Random) -> Ipv6Addr {
    let bits = random.u128();
    let base = 0x2001_0db8_0000_0000_0000_0000_0000_0001;
    Ipv6Addr::from_bits(match random.below(5) {
        0 => bits,
        1 => base ^ bits & 0xff,
        2 => base ^ (bits & 0xff) << 64,
        3 => base ^ (bits & 0x3) ^ (bits & 0x3) << 40 ^ (bits & 0x3) << 70 ^ (bits & 3) << 100,
        _ => base ^ (1 << random.below(128)),
    })
}

fn mark(random: &mut Random) -> u32 {
    match random.below(3) {
        0 => random.next() as u32,
        1 => random.below(4) as u32,
        _ => 1 << random.below(32),
    }
}

fn zone(random: &mut Random) -> u16 {
    match random.below(3) {
        0 => random.next() as u16,
        _ => random.below(6) as u16,
    }
}

pub(crate) fn prefix_or_any_ipv4(random: &mut Random) -> u32 {
    match random.below(4) {
        0 => random.next() as u32,
        1 => u32::MAX.checked_shl(random.below(33) as u32).unwrap_or(0),
        _ => u32::MAX,
    }
}

pub(crate) fn prefix_or_any_ipv6(random: &mut Random) -> u128 {
    match random.below(4) {
        0 => random.u128(),
        1 => u128::MAX.checked_shl(random.below(129) as u32).unwrap_or(0),
        2 => u128::MAX << 64,
        _ => u128::MAX,
    }
}

/// A flow, of which some parts are as the filter asks, or nearly so.
pub(crate) fn flow(random: &mut Random, filter: &EventFilter) -> Flow {
    let proto = random.pick(&PROTOS);
    let v6 = random.one_in(2);
    let tuple = |random: &mut Random| Tuple {
        source: if v6 {
            ipv6(random).into()
        } else {
            ipv4(random).into()
        },
        destination: if v6 {
            ipv6(random).into()
        } else {
            ipv4(random).into()
        },
        proto,
        ports: (random.next() as u16, random.next() as u16),
        zone: random.one_in(4).then(|| zone(random)),
    };
    let mut flow = Flow {
        original: tuple(random),
        reply: tuple(random),
        status: random.next() as u32,
        state: None,
        mark: None,
        zone: None,
    };
    if random.one_in(2) {
        flow.mark = Some(mark(random));
    }
    if random.one_in(2) {
        flow.zone = Some(zone(random));
    }
    if random.one_in(2) {
        flow.state = Some((random.below(3) as u16 + 1, random.below(10) as u8));
    }
    if filter.criteria().is_empty() {
        return flow;
    }
    for _ in 0..random.below(10) {
        let criterion = random.pick(filter.criteria());
        approach(random, &mut flow, criterion);
    }
    flow
}

/// Gives the flow what the criterion asks for; sometimes one bit is wrong.
fn approach(random: &mut Random, flow: &mut Flow, criterion: Criterion) {
    let slip = random.one_in(4);
    let v4 = |random: &mut Random, addr: Ipv4Addr, mask: Ipv4Addr| -> IpAddr {
        let mut bits = addr.to_bits() ^ random.next() as u32 & !mask.to_bits();
        if slip {
            bits ^= 1 << random.below(32);
        }
        Ipv4Addr::from_bits(bits).into()
    };
    let v6 = |random: &mut Random, addr: Ipv6Addr, mask: Ipv6Addr| -> IpAddr {
        let mut bits = addr.to_bits() ^ random.u128() & !mask.to_bits();
        if slip {
            bits ^= 1 << random.below(128);
        }
        Ipv6Addr::from_bits(bits).into()
    };
    let family = flow.original.source.is_ipv4();
    match criterion {
        Criterion::L4Proto(proto) => flow.original.proto = proto.0,
        Criterion::L4State(L4State::Tcp(state)) => flow.state = Some((1, state.0)),
        Criterion::L4State(L4State::Dccp(state)) => flow.state = Some((2, state.0)),
        Criterion::L4State(L4State::Sctp(state)) => flow.state = Some((3, state.0)),
        Criterion::Source(AddrMask::V4 { addr, mask }) if family => {
            flow.original.source = v4(random, addr, mask);
        }
        Criterion::Source(AddrMask::V6 { addr, mask }) if !family => {
            flow.original.source = v6(random, addr, mask);
        }
        Criterion::Destination(AddrMask::V4 { addr, mask }) if family => {
            flow.original.destination = v4(random, addr, mask);
        }
        Criterion::Destination(AddrMask::V6 { addr, mask }) if !family => {
            flow.original.destination = v6(random, addr, mask);
        }
        Criterion::Mark { value, mask } => {
            let mark = value ^ random.next() as u32 & !mask;
            flow.mark = Some(mark ^ u32::from(slip));
        }
        Criterion::Zone(zone) => flow.zone = Some(zone ^ u16::from(slip)),
        _ => {}
    }
}

/// A message about an entry, as the kernel writes it.
pub(crate) fn event(random: &mut Random, filter: &EventFilter, order: Order) -> Vec<u8> {
    let kind = random.pick(&[Kind::NEW, Kind::UPDATE, Kind::DESTROY]);
    flow(random, filter).message(order, kind)
}

/// A well-formed message of any sort: attributes in any order, unknown ones
/// among them, some missing, other types and subsystems, several in a datagram.
pub(crate) fn datagram(random: &mut Random, filter: &EventFilter, order: Order) -> Vec<u8> {
    let kind = match random.below(8) {
        0 => Kind {
            subsystem: random.below(4) as u8,
            message: random.below(10) as u8,
            flags: random.next() as u16,
        },
        1 => Kind::conntrack(random.below(10) as u8, random.next() as u16),
        2 => Kind::conntrack(0, random.pick(&[0x2, 0x22, 0x200, 0x400])),
        n => [Kind::NEW, Kind::UPDATE, Kind::DESTROY][n % 3],
    };
    let flow = flow(random, filter);
    let mut attributes = flow.attributes(order);
    if random.one_in(2) {
        attributes.push(attribute(order, 19 + random.below(200) as u16, &[0xff; 5]));
        random.shuffle(&mut attributes);
    }
    if random.one_in(6) {
        attributes.remove(random.below(attributes.len()));
    }
    let mut datagram = message(order, kind, flow.family(), &attributes.concat());
    if random.one_in(4) {
        datagram.extend(event(random, filter, order));
    }
    datagram
}

/// Cuts a message or flips some of its bits; its message type stays.
pub(crate) fn damage(random: &mut Random, message: &mut Vec<u8>) {
    if random.one_in(2) {
        message.truncate(16 + random.below(message.len() - 15));
    }
    if message.len() > 20 {
        for _ in 0..random.below(6) {
            let at = 20 + random.below(message.len() - 20);
            message[at] ^= 1 << random.below(8);
        }
    }
}
