//! From the kernel's filter to the predicate that says the same.

use super::Predicate;
use crate::conntrack::{Attr, Conntrack, Direction, Status};
use crate::filter::dump::DumpFilter;
use crate::nfnetlink::L3Proto;

impl From<&DumpFilter> for Predicate {
    /// What the filter asks for, which is not always what a kernel answers.
    fn from(filter: &DumpFilter) -> Self {
        let mut terms = Vec::new();
        terms.extend(filter.family.map(Self::family));
        if let Some((value, mask)) = filter.mark {
            terms.push(Self::mark_masked(value, mask));
        }
        if let Some((value, mask)) = filter.status {
            terms.push(Self::status_masked(value, mask));
        }
        terms.extend(filter.zone.map(zone));
        terms.extend(filter.tuples.l4proto.map(Self::l4proto));
        for direction in [Direction::Original, Direction::Reply] {
            let ends = filter.tuples.ends(direction);
            let (source, destination) = (ends.source, ends.destination);
            terms.extend(source.map(|ip| Self::source(direction, ip)));
            terms.extend(destination.map(|ip| Self::destination(direction, ip)));
            let (source, destination) = (ends.source_port, ends.destination_port);
            terms.extend(source.map(|port| Self::source_port(direction, port)));
            terms.extend(destination.map(|port| Self::destination_port(direction, port)));
        }
        if let Some(entry) = &filter.tuple {
            terms.extend(like(entry));
        }
        Self::all_of(terms)
    }
}

/// Entries like this one, in what the kernel compares of it.
fn like(entry: &Conntrack) -> Vec<Predicate> {
    let Some(tuple) = entry.original() else {
        // No request can be made of such a filter.
        return vec![Predicate::never()];
    };
    let original = Direction::Original;
    let (source, destination) = match tuple.l3proto() {
        L3Proto::IPV6 => (Attr::OrigIpv6Src, Attr::OrigIpv6Dst),
        _ => (Attr::OrigIpv4Src, Attr::OrigIpv4Dst),
    };
    let (source_port, destination_port) = tuple.ports().unwrap_or_default();
    let icmp = tuple.icmp();
    let has = |attr| entry.is_set(attr);
    let terms = [
        Some(Predicate::family(tuple.l3proto())),
        has(source).then(|| Predicate::source(original, tuple.source())),
        has(destination).then(|| Predicate::destination(original, tuple.destination())),
        has(Attr::OrigL4proto).then(|| Predicate::l4proto(tuple.l4proto())),
        has(Attr::OrigPortSrc).then(|| Predicate::source_port(original, source_port)),
        has(Attr::OrigPortDst).then(|| Predicate::destination_port(original, destination_port)),
        icmp.filter(|_| has(Attr::IcmpType))
            .map(|icmp| Predicate::icmp_type(icmp.kind)),
        icmp.filter(|_| has(Attr::IcmpCode))
            .map(|icmp| Predicate::icmp_code(icmp.code)),
        icmp.filter(|_| has(Attr::IcmpId))
            .map(|icmp| Predicate::icmp_id(icmp.id)),
        tuple.zone().map(|zone| Predicate::zone_of(original, zone)),
        entry.mark().map(Predicate::mark),
        entry
            .status()
            .map(|status| Predicate::status_set(status | Status::CONFIRMED)),
        entry.zone().map(zone),
    ];
    terms.into_iter().flatten().collect()
}

/// The kernel compares a zone's number, whatever direction the zone is for.
fn zone(zone: u16) -> Predicate {
    match zone {
        0 => Predicate::zone(0),
        zone => Predicate::zone_of_either(zone),
    }
}
