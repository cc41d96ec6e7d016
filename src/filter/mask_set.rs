//! Sets of "value under a mask", brought into the form that needs the fewest
//! comparisons.

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
    groups: Vec<Group>,
}

/// The values under one mask, in ascending order.
#[derive(Clone, Debug)]
struct Group {
    mask: u128,
    values: Vec<u128>,
}

impl MaskSet {
    /// Tells whether one of the set matches this number.
    pub(super) fn matches(&self, number: u128) -> bool {
        self.groups.iter().any(|group| group.matches(number))
    }

    /// The masks, each with its values in ascending order.
    pub(super) fn groups(&self) -> impl Iterator<Item = (u128, Vec<u128>)> {
        self.groups
            .iter()
            .map(|group| (group.mask, group.values.clone()))
    }

    /// Tells whether there is nothing in the set.
    pub(super) fn is_empty(&self) -> bool {
        self.groups.is_empty()
    }

    fn drop_covered(&mut self) {
        let all = self.groups.clone();
        for Group { mask, values } in &mut self.groups {
            let wider = |other: &&Group| other.mask != *mask && other.mask & *mask == other.mask;
            let covers: Vec<&Group> = all.iter().filter(wider).collect();
            values.retain(|value| !covers.iter().any(|group| group.matches(*value)));
        }
        self.groups.retain(|group| !group.values.is_empty());
    }
}

impl Group {
    fn matches(&self, number: u128) -> bool {
        self.values.binary_search(&(number & self.mask)).is_ok()
    }
}

impl FromIterator<Masked> for MaskSet {
    fn from_iter<I: IntoIterator<Item = Masked>>(entries: I) -> Self {
        let pair = |Masked { value, mask }| (mask, value & mask);
        let mut pairs: Vec<(u128, u128)> = entries.into_iter().map(pair).collect();
        pairs.sort_unstable();
        pairs.dedup();
        let mut set = Self::default();
        for group in pairs.chunk_by(|a, b| a.0 == b.0) {
            set.groups.push(Group {
                mask: group[0].0,
                values: group.iter().map(|(_, value)| *value).collect(),
            });
        }
        set.drop_covered();
        set
    }
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
