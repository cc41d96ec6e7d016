//! What a mirror tells its user.

use std::time::Duration;

use super::flow::{Flow, FlowParts};

/// A change of a mirror.
///
/// Whoever applies all of them in order to a table of his own has the mirror's
/// flows: an `Inserted` is always of a flow that was not there, an `Updated` or
/// `Removed` of one that was. It does not matter whether an event or a resync
/// brought the change.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Change<'a> {
    /// A flow is new to the mirror.
    Inserted(&'a Flow),
    /// These parts of a flow have changed.
    Updated(&'a Flow, FlowParts),
    /// A flow is no longer in the mirror; it is shown as last told of.
    Removed(&'a Flow, Removal),
    /// The mirror has been compared with a list of the whole table. The
    /// differences were reported before this.
    Resynced(Resync),
}

/// Why a flow is no longer in the mirror.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Removal {
    /// The kernel told of its end; its counters, if any, are final.
    Destroyed,
    /// A list of the table did not have it: the event of its end was lost, or
    /// never sent, as for flows older than the first listener.
    Missing,
    /// There is another flow with the same tuple.
    Replaced,
    /// It no longer is one of those to be kept.
    Unwanted,
}

/// What a resync found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Resync {
    /// Why it was made.
    pub reason: Reason,
    /// Entries in the list.
    pub listed: u64,
    /// Flows of the list that the mirror did not have.
    pub inserted: u64,
    /// Flows that the list showed changed.
    pub updated: u64,
    /// Flows of the mirror that are no longer there.
    pub removed: u64,
    /// Time from the request to the end of the comparison.
    pub took: Duration,
}

/// Why a resync is made, by rising weight: the weightiest is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Reason {
    /// It was time for the regular one.
    Interval,
    /// The program asked for it and nothing else called for it.
    Asked,
    /// Events were lost.
    Overrun,
    /// The mirror was empty still.
    Start,
}

impl Resync {
    pub(super) fn new(reason: Reason) -> Self {
        Self {
            reason,
            listed: 0,
            inserted: 0,
            updated: 0,
            removed: 0,
            took: Duration::ZERO,
        }
    }
}
