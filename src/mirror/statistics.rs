//! What a mirror counts.

/// Counters of a mirror since it was opened, and its size.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct MirrorStatistics {
    /// Flows there are now.
    pub flows: usize,
    /// Bytes of memory that the flows and their indexes take.
    pub memory: usize,
    /// Events received.
    pub events: u64,
    /// Events of flows that the mirror did not have and that were ending.
    pub unknown: u64,
    /// Messages that were malformed and skipped. The kernel sends none.
    pub malformed: u64,
    /// Flows that were not taken up since there were as many as allowed.
    pub rejected: u64,
    /// Times that the kernel lost events for want of room in the receive buffer.
    pub overruns: u64,
    /// Resyncs that ended with a mirror like the table.
    pub resyncs: u64,
    /// Resyncs that did not: events were lost meanwhile, or the kernel did not
    /// list all.
    pub spoiled_resyncs: u64,
    /// Bytes of the receive buffer, as the kernel counts them.
    pub receive_buffer: usize,
}
