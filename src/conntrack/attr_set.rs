//! Which attributes an entry has.

use super::attr_number::Attr;

const WORDS: usize = 3;

/// A set of attributes.
///
/// Three words of 32 bits, so that an expectation's tuple, which carries its
/// own set, needs no more than 4-byte alignment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub(crate) struct AttrSet([u32; WORDS]);

impl AttrSet {
    pub(crate) const EMPTY: Self = Self([0; WORDS]);

    /// The set of these attributes.
    pub(crate) const fn of(attrs: &[Attr]) -> Self {
        let mut set = Self::EMPTY;
        let mut index = 0;
        while index < attrs.len() {
            let (word, bit) = Self::place(attrs[index]);
            set.0[word] |= bit;
            index += 1;
        }
        set
    }

    /// The set of the attributes `first` to `last`, both included.
    pub(crate) const fn range(first: Attr, last: Attr) -> Self {
        let mut set = Self::EMPTY;
        let mut number = first as usize;
        while number <= last as usize {
            let (word, bit) = Self::place(Attr::ALL[number]);
            set.0[word] |= bit;
            number += 1;
        }
        set
    }

    /// The word and the bit in it that tell of an attribute.
    #[inline]
    pub(crate) const fn place(attr: Attr) -> (usize, u32) {
        let number = attr as usize;
        (number / 32, 1 << (number % 32))
    }

    #[inline]
    pub(crate) const fn contains(&self, attr: Attr) -> bool {
        let (word, bit) = Self::place(attr);
        self.0[word] & bit != 0
    }

    #[inline]
    pub(crate) const fn insert(&mut self, attr: Attr) {
        let (word, bit) = Self::place(attr);
        self.0[word] |= bit;
    }

    #[inline]
    pub(crate) const fn remove(&mut self, attr: Attr) {
        let (word, bit) = Self::place(attr);
        self.0[word] &= !bit;
    }

    #[inline]
    pub(crate) const fn union(self, other: Self) -> Self {
        let ([a, b, c], [d, e, f]) = (self.0, other.0);
        Self([a | d, b | e, c | f])
    }

    #[inline]
    pub(crate) const fn intersection(self, other: Self) -> Self {
        let ([a, b, c], [d, e, f]) = (self.0, other.0);
        Self([a & d, b & e, c & f])
    }

    #[inline]
    pub(crate) const fn without(self, other: Self) -> Self {
        let ([a, b, c], [d, e, f]) = (self.0, other.0);
        Self([a & !d, b & !e, c & !f])
    }

    /// The set, or the empty one; without a branch.
    #[inline]
    pub(crate) const fn only_if(self, condition: bool) -> Self {
        let all = (condition as u32).wrapping_neg();
        let [a, b, c] = self.0;
        Self([a & all, b & all, c & all])
    }

    #[inline]
    pub(crate) const fn contains_all(&self, other: Self) -> bool {
        other.without(*self).is_empty()
    }

    #[inline]
    pub(crate) const fn intersects(&self, other: Self) -> bool {
        !self.intersection(other).is_empty()
    }

    #[inline]
    pub(crate) const fn is_empty(&self) -> bool {
        matches!(self.0, [0, 0, 0])
    }

    /// The attributes in the set, in the order of their numbers.
    pub(crate) fn iter(self) -> impl Iterator<Item = Attr> {
        Attr::ALL
            .into_iter()
            .filter(move |attr| self.contains(*attr))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn set_algebra() {
        let set = AttrSet::of(&[Attr::OrigIpv4Src, Attr::Status, Attr::TimestampEvent]);
        assert_eq!(
            set.iter().collect::<Vec<_>>(),
            [Attr::OrigIpv4Src, Attr::Status, Attr::TimestampEvent]
        );
        let tuple = AttrSet::range(Attr::OrigIpv4Src, Attr::ReplL4proto);
        assert_eq!(tuple.iter().count(), 19);
        assert!(set.intersects(tuple) && !set.contains_all(tuple));
        let rest = set.without(tuple);
        assert!(!rest.contains(Attr::OrigIpv4Src) && rest.contains(Attr::Status));
        assert!(rest.union(tuple).contains_all(set));
        let mut one = AttrSet::EMPTY;
        one.insert(Attr::Mark);
        one.remove(Attr::Mark);
        assert!(one.is_empty());
    }
}
