//! Sets of numbers as ranges.

use std::fmt;
use std::ops::RangeInclusive;

/// A number that ranges are made of.
pub(super) trait Number: Copy + Ord + fmt::Debug {
    /// The next higher one; `None` behind the highest.
    fn successor(self) -> Option<Self>;
}

impl Number for u16 {
    fn successor(self) -> Option<Self> {
        self.checked_add(1)
    }
}

impl Number for u32 {
    fn successor(self) -> Option<Self> {
        self.checked_add(1)
    }
}

impl Number for u128 {
    fn successor(self) -> Option<Self> {
        self.checked_add(1)
    }
}

/// A set of numbers: ranges in ascending order, no two of which overlap or touch.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct RangeSet<T> {
    /// First and last number of each.
    ranges: Vec<(T, T)>,
}

impl<T> Default for RangeSet<T> {
    fn default() -> Self {
        Self { ranges: Vec::new() }
    }
}

impl<T: Number> RangeSet<T> {
    /// Whether the number is in the set.
    #[inline]
    pub(super) fn contains(&self, number: T) -> bool {
        let at = self.ranges.partition_point(|(_, last)| *last < number);
        self.ranges
            .get(at)
            .is_some_and(|(first, _)| *first <= number)
    }

    /// Whether nothing is in the set.
    pub(super) fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }

    /// The number, where there is just one in the set.
    pub(super) fn single(&self) -> Option<T> {
        match self.ranges[..] {
            [(first, last)] if first == last => Some(first),
            _ => None,
        }
    }

    /// The ranges, in ascending order.
    pub(super) fn iter(&self) -> impl Iterator<Item = RangeInclusive<T>> + '_ {
        self.ranges.iter().map(|(first, last)| *first..=*last)
    }

    /// The numbers that are in both sets.
    pub(super) fn intersection(&self, other: &Self) -> Self {
        let mut ranges = Vec::new();
        let (mut own, mut others) = (self.ranges.iter(), other.ranges.iter());
        let (mut left, mut right) = (own.next(), others.next());
        while let (Some(a), Some(b)) = (left, right) {
            let (first, last) = (a.0.max(b.0), a.1.min(b.1));
            if first <= last {
                ranges.push((first, last));
            }
            // The one that ends first cannot meet anything that follows.
            if a.1 <= b.1 {
                left = own.next();
            } else {
                right = others.next();
            }
        }
        Self { ranges }
    }
}

impl<T: Number> FromIterator<RangeInclusive<T>> for RangeSet<T> {
    /// Ranges may come in any order, overlap, and be empty.
    fn from_iter<I: IntoIterator<Item = RangeInclusive<T>>>(ranges: I) -> Self {
        let mut ranges: Vec<(T, T)> = ranges
            .into_iter()
            .filter(|range| !range.is_empty())
            .map(RangeInclusive::into_inner)
            .collect();
        ranges.sort_unstable();
        ranges.dedup_by(|next, kept| {
            let joined = kept.1.successor().is_none_or(|behind| next.0 <= behind);
            if joined {
                kept.1 = kept.1.max(next.1);
            }
            joined
        });
        ranges.shrink_to_fit();
        Self { ranges }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn set(ranges: &[(u16, u16)]) -> RangeSet<u16> {
        ranges.iter().map(|(first, last)| *first..=*last).collect()
    }

    #[test]
    fn ranges_are_joined_and_sorted() {
        let joined = set(&[(9, 12), (1, 3), (4, 4), (11, 20), (7, 6), (22, 22)]);
        assert_eq!(joined.ranges, [(1, 4), (9, 20), (22, 22)]);
        let all = set(&[(5, u16::MAX), (0, 4), (70, 80)]);
        assert_eq!(all.ranges, [(0, u16::MAX)]);
        assert_eq!(set(&[(7, 7), (7, 7)]).single(), Some(7));
        assert_eq!(set(&[(7, 8)]).single(), None);
        assert!(set(&[(2, 1)]).is_empty());
    }

    proptest! {
        #[test]
        fn membership_is_that_of_the_ranges(
            left in prop::collection::vec((0u16..40, 0u16..40), 0..6),
            right in prop::collection::vec((0u16..40, 0u16..40), 0..6),
        ) {
            let inside = |ranges: &[(u16, u16)], n| ranges.iter().any(|(a, b)| (*a..=*b).contains(&n));
            let (a, b) = (set(&left), set(&right));
            let union: RangeSet<_> = a.iter().chain(b.iter()).collect();
            let intersection = a.intersection(&b);
            for n in 0..42 {
                let (in_left, in_right) = (inside(&left, n), inside(&right, n));
                prop_assert_eq!(a.contains(n), in_left);
                prop_assert_eq!(union.contains(n), in_left || in_right);
                prop_assert_eq!(intersection.contains(n), in_left && in_right);
            }
            // The form is unique: what is equal compares equal.
            prop_assert_eq!(intersection.iter().collect::<RangeSet<_>>(), intersection);
        }
    }
}
