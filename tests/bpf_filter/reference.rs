//! What a filter means, said once more and as plainly as possible.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use netfilter_conntrack::EventKind;
use netfilter_conntrack::filter::{AddrMask, Criterion, EventFilter, FilterAttr, L4State, Logic};

use crate::message::Order;

/// Tells whether a well-formed message passes.
///
/// # Panics
/// If it is not well-formed.
pub(crate) fn passes(filter: &EventFilter, message: &[u8], order: Order) -> bool {
    let message_type = order.u16_at(message, 4);
    let kind = match (message_type >> 8, message_type & 0xff) {
        (1, 0) if order.u16_at(message, 6) & 0x600 != 0 => EventKind::New,
        (1, 0) => EventKind::Update,
        (1, 2) => EventKind::Destroy,
        _ => return true,
    };
    let seen = Seen::of(message, order);
    // The answers for each section; none where the message lacks what it is about.
    let mut sections: HashMap<(FilterAttr, u8), Vec<bool>> = HashMap::new();
    for criterion in filter.criteria() {
        let (attr, part, answer) = ask(criterion, kind, &seen);
        sections.entry((attr, part)).or_default().extend(answer);
    }
    sections.iter().all(|((attr, _), answers)| {
        answers.is_empty()
            || match filter.logic(*attr) {
                Logic::Positive => answers.contains(&true),
                Logic::Negative => !answers.contains(&true),
            }
    })
}

/// The section, its part, and whether the criterion matches; none where the
/// message does not carry what it is about.
fn ask(criterion: &Criterion, kind: EventKind, seen: &Seen) -> (FilterAttr, u8, Option<bool>) {
    match *criterion {
        Criterion::Kind(asked) => (FilterAttr::Kind, 0, Some(asked == kind)),
        Criterion::L4Proto(proto) => {
            let answer = seen.proto.map(|seen| seen == proto.0);
            (FilterAttr::L4Proto, 0, answer)
        }
        Criterion::L4State(state) => {
            let (part, number) = match state {
                L4State::Tcp(state) => (1, state.0),
                L4State::Dccp(state) => (2, state.0),
                L4State::Sctp(state) => (3, state.0),
                other => panic!("{other:?}"),
            };
            let answer = seen.states.get(&part).map(|&seen| seen == number);
            (FilterAttr::L4State, part as u8, answer)
        }
        Criterion::Source(addresses) => {
            let (v4, v6) = (FilterAttr::SourceIpv4, FilterAttr::SourceIpv6);
            address(addresses, v4, v6, &seen.sources)
        }
        Criterion::Destination(addresses) => {
            let (v4, v6) = (FilterAttr::DestinationIpv4, FilterAttr::DestinationIpv6);
            address(addresses, v4, v6, &seen.destinations)
        }
        Criterion::Mark { value, mask } => {
            let mark = seen.mark.unwrap_or(0);
            (FilterAttr::Mark, 0, Some(mark & mask == value & mask))
        }
        Criterion::Zone(zone) => {
            let seen = seen.zone.unwrap_or(0);
            (FilterAttr::Zone, 0, Some(seen == zone))
        }
        other => panic!("{other:?}"),
    }
}

fn address(
    asked: AddrMask,
    v4: FilterAttr,
    v6: FilterAttr,
    seen: &[IpAddr],
) -> (FilterAttr, u8, Option<bool>) {
    // Octet by octet, unlike the crate.
    let agree =
        |a: &[u8], b: &[u8], mask: &[u8]| (0..a.len()).all(|n| a[n] & mask[n] == b[n] & mask[n]);
    match asked {
        AddrMask::V4 { addr, mask } => {
            let answer = seen.iter().find_map(|seen| match seen {
                IpAddr::V4(seen) => Some(agree(&addr.octets(), &seen.octets(), &mask.octets())),
                IpAddr::V6(_) => None,
            });
            (v4, 0, answer)
        }
        AddrMask::V6 { addr, mask } => {
            let answer = seen.iter().find_map(|seen| match seen {
                IpAddr::V6(seen) => Some(agree(&addr.octets(), &seen.octets(), &mask.octets())),
                IpAddr::V4(_) => None,
            });
            (v6, 0, answer)
        }
    }
}

/// What a message tells of the things a filter can ask for.
#[derive(Debug, Default)]
struct Seen {
    proto: Option<u8>,
    /// By type of the nest in `CTA_PROTOINFO`.
    states: HashMap<u16, u8>,
    sources: Vec<IpAddr>,
    destinations: Vec<IpAddr>,
    mark: Option<u32>,
    zone: Option<u16>,
}

impl Seen {
    fn of(message: &[u8], order: Order) -> Self {
        let mut seen = Self::default();
        let len = order.u32_at(message, 0);
        for (kind, payload) in attributes(&message[20..len], order) {
            match kind {
                1 => seen.tuple(payload, order),
                4 => {
                    for (proto, info) in attributes(payload, order) {
                        let state = attributes(info, order)
                            .into_iter()
                            .find(|(kind, _)| *kind == 1);
                        if let Some((_, state)) = state {
                            seen.states.insert(proto, state[0]);
                        }
                    }
                }
                8 => seen.mark = Some(u32::from_be_bytes(payload.try_into().unwrap())),
                18 => seen.zone = Some(u16::from_be_bytes(payload.try_into().unwrap())),
                _ => {}
            }
        }
        seen
    }

    fn tuple(&mut self, payload: &[u8], order: Order) {
        let v4 = |bytes: &[u8]| IpAddr::V4(Ipv4Addr::from(<[u8; 4]>::try_from(bytes).unwrap()));
        let v6 = |bytes: &[u8]| IpAddr::V6(Ipv6Addr::from(<[u8; 16]>::try_from(bytes).unwrap()));
        let nests = |(kind, _): &(u16, &[u8])| matches!(kind, 1 | 2);
        for (kind, part) in attributes(payload, order).into_iter().filter(nests) {
            for (inner, bytes) in attributes(part, order) {
                match (kind, inner) {
                    (1, 1) => self.sources.push(v4(bytes)),
                    (1, 2) => self.destinations.push(v4(bytes)),
                    (1, 3) => self.sources.push(v6(bytes)),
                    (1, 4) => self.destinations.push(v6(bytes)),
                    (2, 1) => self.proto = Some(bytes[0]),
                    _ => {}
                }
            }
        }
    }
}

/// Types, without their flags, and payloads.
fn attributes(mut bytes: &[u8], order: Order) -> Vec<(u16, &[u8])> {
    let mut all = Vec::new();
    while !bytes.is_empty() {
        let len = usize::from(order.u16_at(bytes, 0));
        all.push((order.u16_at(bytes, 2) & 0x3fff, &bytes[4..len]));
        bytes = &bytes[len.next_multiple_of(4).min(bytes.len())..];
    }
    all
}
