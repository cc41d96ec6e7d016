//! Joining the criteria of two filters.

use super::dump::DumpFilter;
use super::tuple_criteria::{Ends, TupleCriteria};
use crate::conntrack::Direction;

impl DumpFilter {
    /// Adds the criteria of `other`, which has no entry as a criterion, to
    /// these. Tells whether all found room; where both have different values for
    /// the same thing, the own one stays.
    pub(super) fn narrow(&mut self, other: &Self) -> bool {
        let families = [self.family, other.family];
        if let [Some(own), Some(others)] = families {
            if own != others {
                // Addresses of two families cannot stand in one filter.
                return false;
            }
        }
        let both = [
            narrow(&mut self.family, other.family),
            narrow_masked(&mut self.mark, other.mark),
            narrow_masked(&mut self.status, other.status),
            narrow(&mut self.zone, other.zone),
            self.tuples.narrow(&other.tuples),
        ];
        !both.contains(&false)
    }

    /// Whether both have the same criteria, entries as a criterion aside.
    pub(super) fn agrees(&self, other: &Self) -> bool {
        (self.mark, self.family, self.status) == (other.mark, other.family, other.status)
            && (self.zone, self.tuples) == (other.zone, other.tuples)
    }

    /// The criteria that are in both filters.
    pub(super) fn shared(&self, other: &Self) -> Self {
        Self {
            mark: shared(self.mark, other.mark),
            family: shared(self.family, other.family),
            status: shared(self.status, other.status),
            zone: shared(self.zone, other.zone),
            tuples: self.tuples.shared(&other.tuples),
            tuple: None,
        }
    }
}

impl TupleCriteria {
    fn narrow(&mut self, other: &Self) -> bool {
        let mut all = narrow(&mut self.l4proto, other.l4proto);
        for direction in [Direction::Original, Direction::Reply] {
            let (own, other) = (self.ends_mut(direction), other.ends(direction));
            all &= narrow(&mut own.source, other.source);
            all &= narrow(&mut own.destination, other.destination);
            all &= narrow(&mut own.source_port, other.source_port);
            all &= narrow(&mut own.destination_port, other.destination_port);
        }
        all
    }

    fn shared(&self, other: &Self) -> Self {
        let mut both = Self {
            l4proto: shared(self.l4proto, other.l4proto),
            ..Self::default()
        };
        for direction in [Direction::Original, Direction::Reply] {
            let (own, other) = (self.ends(direction), other.ends(direction));
            *both.ends_mut(direction) = Ends {
                source: shared(own.source, other.source),
                destination: shared(own.destination, other.destination),
                source_port: shared(own.source_port, other.source_port),
                destination_port: shared(own.destination_port, other.destination_port),
            };
        }
        both
    }
}

fn narrow<T: PartialEq>(own: &mut Option<T>, other: Option<T>) -> bool {
    if own.is_none() {
        *own = other;
        return true;
    }
    other.is_none() || *own == other
}

/// The same for values under masks, which fit into one unless they contradict
/// each other.
fn narrow_masked(own: &mut Option<(u32, u32)>, other: Option<(u32, u32)>) -> bool {
    if let (Some((value, mask)), Some((other_value, other_mask))) = (&mut *own, other) {
        if (*value ^ other_value) & *mask & other_mask != 0 {
            return false;
        }
        *value |= other_value;
        *mask |= other_mask;
        return true;
    }
    narrow(own, other)
}

fn shared<T: PartialEq>(one: Option<T>, other: Option<T>) -> Option<T> {
    if one == other { one } else { None }
}
