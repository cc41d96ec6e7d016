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
