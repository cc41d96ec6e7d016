//! The flows that have not ended yet, as far as is known.
//!
//! While no events are lost it would be enough to read DESTROY events. After a
//! loss the ledger tells which flows have ended unheard: those it has and a list
//! of the table has not.

use std::collections::HashMap;
use std::time::Instant;

use netfilter_conntrack::conntrack::Counters;
use netfilter_conntrack::{ConntrackRef, Direction, Status, Tuple};

/// What tells flows apart: an id of 32 bits alone does not.
pub(crate) type Key = (u32, Tuple);

/// What is known of a flow.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Known {
    /// When it was first heard of.
    pub(crate) since: Instant,
    /// Whether that was its beginning.
    pub(crate) from_start: bool,
    /// Nanoseconds since the epoch at which it began, if the kernel says so.
    pub(crate) start: Option<u64>,
    /// What it had carried when it was last listed.
    pub(crate) counters: Option<[Counters; 2]>,
    /// The last list or event that told of it, by number of the list.
    list: u64,
}

#[derive(Debug, Default)]
pub(crate) struct Ledger {
    flows: HashMap<Key, Known>,
    /// Lists begun.
    list: u64,
}

impl Ledger {
    pub(crate) fn len(&self) -> usize {
        self.flows.len()
    }

    /// A list begins: flows that are not heard of from now on have ended.
    pub(crate) fn begin_list(&mut self) {
        self.list += 1;
    }

    /// An event tells that a flow has begun.
    pub(crate) fn begin(&mut self, key: Key, entry: &ConntrackRef<'_>) {
        // One of two entries that were made at once for the same flow is in no
        // list.
        if !status(entry).contains(Status::NAT_CLASH) {
            self.note(key, entry, true);
        }
    }

    /// The list has a flow.
    pub(crate) fn listed(&mut self, key: Key, entry: &ConntrackRef<'_>) {
        // The end of one that is dying may have been read already.
        if !status(entry).contains(Status::DYING) || self.flows.contains_key(&key) {
            self.note(key, entry, false);
        }
    }

    fn note(&mut self, key: Key, entry: &ConntrackRef<'_>, begins: bool) {
        let known = self.flows.entry(key).or_insert(Known {
            since: Instant::now(),
            from_start: begins,
            start: None,
            counters: None,
            list: 0,
        });
        known.list = self.list;
        known.start = entry.timestamps().start.or(known.start);
        known.counters = counters(entry).or(known.counters);
    }

    /// A flow has ended.
    pub(crate) fn take(&mut self, key: &Key) -> Option<Known> {
        self.flows.remove(key)
    }

    /// Takes the flows that were not heard of since the list began. All events
    /// before its end must have been read.
    pub(crate) fn take_missing(&mut self) -> Vec<(Key, Known)> {
        let mut missing = Vec::new();
        self.flows.retain(|key, known| {
            let is_there = known.list == self.list;
            if !is_there {
                missing.push((*key, *known));
            }
            is_there
        });
        missing
    }
}

/// What tells the flow apart; `None` where the message lacks it.
pub(crate) fn key(entry: &ConntrackRef<'_>) -> Option<Key> {
    let (id, tuple) = (entry.id()?, entry.original()?);
    Some(match entry.zone() {
        Some(zone) => (id, tuple.with_zone(zone)),
        None => (id, tuple),
    })
}

pub(crate) fn counters(entry: &ConntrackRef<'_>) -> Option<[Counters; 2]> {
    Some([
        entry.counters(Direction::Original)?,
        entry.counters(Direction::Reply)?,
    ])
}

fn status(entry: &ConntrackRef<'_>) -> Status {
    entry.status().unwrap_or(Status::empty())
}
