//! What connection tracking has dropped, over all CPUs.

use crate::error::Result;
use crate::handle::{CpuStats, Handle};

/// Counters that tell of flows that are not seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Drops {
    pub(super) dropped: u64,
    pub(super) evicted: u64,
    pub(super) not_inserted: u64,
}

impl Drops {
    pub(super) fn read(handle: &mut Handle) -> Result<Self> {
        Ok(Self::sum(&handle.cpu_stats()?))
    }

    fn sum(cpus: &[CpuStats]) -> Self {
        let sum = |name| {
            let counters = cpus.iter().filter_map(|cpu| cpu.named(name));
            counters.map(u64::from).sum()
        };
        Self {
            dropped: sum("drop"),
            evicted: sum("early_drop"),
            not_inserted: sum("insert_failed"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cpus_are_summed() {
        let cpu = |drop| CpuStats::of(0, vec![(10, drop), (11, 2), (9, 3), (2, 100)]);
        let drops = Drops::sum(&[cpu(u32::MAX), cpu(1)]);
        let expected = Drops {
            dropped: 1 << 32,
            evicted: 4,
            not_inserted: 6,
        };
        assert_eq!(drops, expected);
        assert_eq!(Drops::sum(&[]), Drops::default());
    }
}
