//! Flows that must not come back.

use std::collections::HashSet;

/// What events have taken away since a list of the table began.
///
/// The list may still bring a flow that was read into it before its end. Only a
/// keyed hash of 64 bits and the id are kept of each: that another flow has both
/// in common is not to be expected.
#[derive(Debug, Default)]
pub(super) struct Gone {
    flows: HashSet<(u64, u32)>,
}

/// 24 MiB of memory at the most. A program that wants to hear of more flows in
/// the time of one list is told of them by the next.
const FLOWS_MAX: usize = 1 << 19;

impl Gone {
    /// Notes the end of a flow; `false` where there is no room for more.
    #[must_use]
    pub(super) fn insert(&mut self, key_hash: u64, id: u32) -> bool {
        if self.flows.len() >= FLOWS_MAX {
            return false;
        }
        self.flows.insert((key_hash, id));
        true
    }

    pub(super) fn contains(&self, key_hash: u64, id: u32) -> bool {
        !self.flows.is_empty() && self.flows.contains(&(key_hash, id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_is_bounded() {
        let mut gone = Gone::default();
        let all = u32::try_from(FLOWS_MAX).unwrap();
        assert!((0..all).all(|id| gone.insert(7, id)));
        assert!(!gone.insert(7, all) && !gone.contains(7, all));
        assert!(gone.contains(7, 5) && !gone.contains(8, 5));
    }
}
