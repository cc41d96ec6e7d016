//! The kinds of criteria that kernels know of.

use bitflags::bitflags;

use super::dump::DumpFilter;
use crate::nfnetlink::L3Proto;

bitflags! {
    /// Kinds of criteria of a [`DumpFilter`].
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
    pub struct Criteria: u8 {
        /// The address family.
        const FAMILY = 1 << 0;
        /// The mark.
        const MARK = 1 << 1;
        /// Status bits.
        const STATUS = 1 << 2;
        /// The zone.
        const ZONE = 1 << 3;
        /// Addresses, protocol and ports.
        const TUPLE = 1 << 4;
    }
}

impl DumpFilter {
    /// The kinds of criteria in the filter.
    pub(crate) fn criteria(&self) -> Criteria {
        let kinds = [
            (self.l3proto() != L3Proto::UNSPEC, Criteria::FAMILY),
            (self.mark.is_some(), Criteria::MARK),
            (self.status.is_some(), Criteria::STATUS),
            (self.zone.is_some(), Criteria::ZONE),
            (
                !self.tuples.is_empty() || self.tuple.is_some(),
                Criteria::TUPLE,
            ),
        ];
        let there = kinds.iter().filter(|(there, _)| *there);
        there.map(|(_, kind)| *kind).collect()
    }

    /// The filter with only these kinds of criteria; the others are left out.
    pub(crate) fn restricted(&self, kinds: Criteria) -> Self {
        let has = |kind| kinds.contains(kind);
        let family = Some(self.l3proto()).filter(|family| *family != L3Proto::UNSPEC);
        Self {
            mark: self.mark.filter(|_| has(Criteria::MARK)),
            family: family.filter(|_| has(Criteria::FAMILY)),
            status: self.status.filter(|_| has(Criteria::STATUS)),
            zone: self.zone.filter(|_| has(Criteria::ZONE)),
            tuples: match has(Criteria::TUPLE) {
                true => self.tuples,
                false => Default::default(),
            },
            tuple: self.tuple.clone().filter(|_| has(Criteria::TUPLE)),
        }
    }

    /// The filters that say the same as this one together, of which no two pass
    /// the same entry: the kernel takes criteria of tuples only for one family.
    pub(crate) fn by_family(self) -> Vec<Self> {
        if self.tuples.is_empty() || self.l3proto() != L3Proto::UNSPEC {
            return vec![self];
        }
        vec![
            self.clone().family(L3Proto::IPV4),
            self.family(L3Proto::IPV6),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conntrack::{Direction, L4Proto, Status};

    #[test]
    fn a_restricted_filter_has_no_other_criteria() {
        let filter = DumpFilter::new()
            .mark(1, 1)
            .status(Status::ASSURED, Status::ASSURED)
            .zone(3)
            .l4proto(L4Proto::TCP)
            .source(Direction::Reply, "192.0.2.1".parse().unwrap());
        assert_eq!(filter.criteria(), Criteria::all());
        for bits in 0..=Criteria::all().bits() {
            let kinds = Criteria::from_bits_truncate(bits);
            let left = filter.restricted(kinds).criteria();
            // Addresses say the family too.
            let expected = match kinds.contains(Criteria::TUPLE) {
                true => kinds | Criteria::FAMILY,
                false => kinds,
            };
            assert_eq!(left, expected);
        }
    }

    #[test]
    fn tuples_without_a_family_make_two_requests() {
        let families = |filter: DumpFilter| {
            let filters = filter.by_family();
            filters.iter().map(DumpFilter::l3proto).collect::<Vec<_>>()
        };
        let tcp = DumpFilter::new().l4proto(L4Proto::TCP);
        let both = [L3Proto::IPV4, L3Proto::IPV6];
        assert_eq!(families(tcp.clone()), both);
        assert_eq!(families(tcp.family(L3Proto::IPV6)), [L3Proto::IPV6]);
        assert_eq!(families(DumpFilter::new().mark(1, 1)), [L3Proto::UNSPEC]);
    }
}
