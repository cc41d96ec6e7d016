//! Comparing expectations.

use super::attr::{ExpectAttr, Kind};
use super::fields::until_nul;
use super::object::Expect;
use crate::conntrack::CompareFlags;

impl Expect {
    /// Whether all that both expectations have is equal; see
    /// [`compare_with`](Self::compare_with) without flags.
    #[must_use]
    pub fn compare(&self, other: &Self) -> bool {
        self.compare_with(other, CompareFlags::empty())
    }

    /// Whether two expectations are equal in all but their timeouts and ids.
    ///
    /// Tuples are compared as [`CompareFlags::ORIG`] compares those of entries.
    /// An attribute that one expectation lacks is no difference, unless
    /// [`CompareFlags::MASK`] or [`CompareFlags::STRICT`] says so. Other flags
    /// have no effect.
    #[doc(alias = "nfexp_cmp")]
    #[must_use]
    pub fn compare_with(&self, other: &Self, flags: CompareFlags) -> bool {
        let mut compared = ExpectAttr::all().filter(|attr| *attr != ExpectAttr::Timeout);
        compared.all(|attr| match (self.is_set(attr), other.is_set(attr)) {
            (true, true) => self.value_matches(other, attr, flags),
            (true, false) => !flags.intersects(CompareFlags::MASK | CompareFlags::STRICT),
            (false, true) => !flags.contains(CompareFlags::STRICT),
            (false, false) => true,
        })
    }

    fn value_matches(&self, other: &Self, attr: ExpectAttr, flags: CompareFlags) -> bool {
        if let (Some(first), Some(second)) = (self.head(attr), other.head(attr)) {
            return first.compare(second, flags);
        }
        let (first, second) = (self.field(attr), other.field(attr));
        match attr.row().kind {
            Kind::Name(_) => until_nul(first) == until_nul(second),
            _ => first == second,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conntrack::{Conntrack, Tuple};

    fn tuple(port: u16) -> Tuple {
        let source = ([192, 0, 2, 1], port).into();
        Tuple::tcp(source, ([198, 51, 100, 2], 21).into()).unwrap()
    }

    /// An expectation with this attribute alone, `which` giving its value.
    fn only(attr: ExpectAttr, which: u8) -> Expect {
        let mut expect = Expect::new();
        expect.store_head(attr, &tuple(which.into()).into());
        expect.store(attr, &[which]);
        expect
    }

    #[test]
    fn all_attributes_count_but_the_timeout() {
        let (mask, strict) = (CompareFlags::MASK, CompareFlags::STRICT);
        for attr in ExpectAttr::all() {
            let (a, b, none) = (only(attr, 1), only(attr, 2), Expect::new());
            let counts = attr != ExpectAttr::Timeout;
            let other_flags = CompareFlags::REPL | CompareFlags::TIMEOUT_EQ;
            assert!(a.compare(&a) && a.compare_with(&a, mask | strict));
            assert_eq!(a.compare(&b), !counts, "{attr:?}");
            assert_eq!(a.compare_with(&b, other_flags), !counts);
            assert!(a.compare(&none) && none.compare(&a));
            assert_eq!(a.compare_with(&none, mask), !counts);
            assert_eq!(none.compare_with(&a, strict), !counts);
            assert_eq!(a.compare_with(&none, strict), !counts);
            assert!(none.compare_with(&a, mask));
        }
        let (mut a, mut b) = (Expect::new(), Expect::new());
        a.set_id(1);
        b.set_id(2);
        assert!(a.compare_with(&b, mask | strict));
    }

    #[test]
    fn zones_of_tuples_count_as_0_where_they_are_missing() {
        let with = |tuple: Tuple| {
            let mut expect = Expect::new();
            expect.set_master(tuple);
            expect
        };
        let none = with(tuple(1));
        assert!(with(tuple(1).with_zone(0)).compare_with(&none, CompareFlags::MASK));
        assert!(!with(tuple(1).with_zone(7)).compare_with(&none, CompareFlags::MASK));
    }

    #[test]
    fn masters_are_compared_with_entries() {
        let entry = Conntrack::flow(tuple(1));
        let mut expect = Expect::new();
        expect.set_master(tuple(1));
        assert!(entry.head.compare(&expect.master, CompareFlags::empty()));
        expect.set_master(tuple(2));
        assert!(!entry.head.compare(&expect.master, CompareFlags::empty()));
    }
}
