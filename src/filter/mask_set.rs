//! Sets of "value under a mask", brought into the form that needs the fewest
//! comparisons.

use std::collections::{BTreeMap, BTreeSet};

/// A value and the mask of its bits that count: a number `n` matches if
/// `n & mask == value & mask`. Numbers of fewer than 128 bits stand in the low bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Masked {
    pub(super) value: u128,
    pub(super) mask: u128,
}

/// A set of [`Masked`] values, by mask: one mask operation serves all the
/// values of a group.
///
/// No value is there twice, and none is left that a wider one covers (the
/// address 10.1.2.3 beside the network 10.0.0.0/8).
#[derive(Debug, Default)]
pub(super) struct MaskSet {
    groups: BTreeMap<u128, BTreeSet<u128>>,
}

impl MaskSet {
    /// Tells whether one of the set matches this number.
    pub(super) fn matches(&self, number: u128) -> bool {
        covered(&self.groups, number, |_| true)
    }

    /// The masks, each with its values in ascending order.
    pub(super) fn groups(&self) -> impl Iterator<Item = (u128, Vec<u128>)> {
        let list = |values: &BTreeSet<u128>| values.iter().copied().collect();
        self.groups
            .iter()
            .map(move |(&mask, values)| (mask, list(values)))
    }

    /// Tells whether there is nothing in the set.
    pub(super) fn is_empty(&self) -> bool {
        self.groups.is_empty()
    }

    fn drop_covered(&mut self) {
        let all = self.groups.clone();
        for (&mask, values) in &mut self.groups {
            let wider = |other| other != mask && other & mask == other;
            values.retain(|&value| !covered(&all, value, wider));
        }
        self.groups.retain(|_, values| !values.is_empty());
    }
}

impl FromIterator<Masked> for MaskSet {
    fn from_iter<I: IntoIterator<Item = Masked>>(entries: I) -> Self {
        let mut set = Self::default();
        for Masked { value, mask } in entries {
            set.groups.entry(mask).or_default().insert(value & mask);
        }
        set.drop_covered();
        set
    }
}

/// Tells whether a value of the groups whose mask is asked for matches the number.
fn covered(
    groups: &BTreeMap<u128, BTreeSet<u128>>,
    number: u128,
    asked: impl Fn(u128) -> bool,
) -> bool {
    groups
        .iter()
        .any(|(&mask, values)| asked(mask) && values.contains(&(number & mask)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(entries: &[(u128, u128)]) -> MaskSet {
        let masked = |&(value, mask)| Masked { value, mask };
        entries.iter().map(masked).collect()
    }

    #[test]
    fn values_are_masked_and_kept_once() {
        let set = set(&[(0x1234, 0xff00), (0x12ff, 0xff00), (0x1100, 0xff00)]);
        let groups: Vec<_> = set.groups().collect();
        assert_eq!(groups, [(0xff00, vec![0x1100, 0x1200])]);
        assert!(set.matches(0x5_12aa) && !set.matches(0x13aa));
    }

    #[test]
    fn wider_entries_cover_narrower_ones() {
        let set = set(&[
            (0x1234, 0xffff),
            (0x1200, 0xff00),
            (0x1334, 0xffff),
            (0x34, 0xff),
        ]);
        let groups: Vec<_> = set.groups().collect();
        assert_eq!(groups, [(0xff, vec![0x34]), (0xff00, vec![0x1200])]);
    }

    #[test]
    fn an_empty_mask_covers_all() {
        let set = set(&[(0x1234, 0xffff), (7, 0)]);
        let groups: Vec<_> = set.groups().collect();
        assert_eq!(groups, [(0, vec![0])]);
        assert!(set.matches(99) && !set.is_empty());
    }
}
