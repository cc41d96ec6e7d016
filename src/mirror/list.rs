//! Comparing a mirror with a list of the table, while events go on.
//!
//! The kernel lists the table bucket by bucket, so an entry of the list is as old
//! as the reading of its bucket, while events may tell what was before or after.
//! Since every change is told by an event (or, where that is lost, by an
//! overrun, which spoils the list), it is safe to follow the events: what one has
//! told since the request the list cannot change, and what one has taken away the
//! list cannot bring back. All else is as the list says; flows that neither has
//! shown when the list ends are gone.

use std::time::Instant;

use super::change::{Reason, Removal, Resync};
use super::flow::{FlowParts, Report};
use super::gone::Gone;
use super::replica::{Pending, Replica, is_in_table};
use super::slab::Place;
use super::table::Seen;
use crate::conntrack::{ConntrackRef, Direction, Status};
use crate::netlink::{Flags, Message};

/// A list under way.
#[derive(Debug)]
pub(super) struct List {
    begun: Instant,
    found: Resync,
    /// Whether another list is needed anyway.
    pub(super) spoiled: bool,
    /// Whether entries may be missing in the list.
    incomplete: bool,
    pub(super) gone: Gone,
    /// From where flows are still to be looked through for those that are not
    /// in the list; `None` while it is read.
    pub(super) unswept: Option<Place>,
    pub(super) turn: Turn,
}

/// Whose turn it is: without a limit a storm of events would hold up the list,
/// and a long list the events.
#[derive(Debug)]
pub(super) struct Turn {
    events: u32,
    entries: u32,
}

impl Turn {
    /// Many, since what does not fit into the receive buffer spoils the list.
    const EVENTS: u32 = 512;
    /// About as many as the kernel puts into one datagram.
    const ENTRIES: u32 = 128;

    const NEW: Self = Self {
        events: Self::EVENTS,
        entries: Self::ENTRIES,
    };

    pub(super) fn begin(&mut self) {
        *self = Self::NEW;
    }

    /// Whether another event may be read.
    pub(super) fn events(&mut self) -> bool {
        take(&mut self.events)
    }

    /// Whether another step of the list may be made.
    pub(super) fn entries(&mut self) -> bool {
        take(&mut self.entries)
    }
}

fn take(left: &mut u32) -> bool {
    let any = *left > 0;
    *left = left.saturating_sub(1);
    any
}

/// Flows that one step looks at.
const SWEEP: Place = 256;

impl Replica {
    /// Notes that a list of the table was asked for.
    pub fn list_begun(&mut self, now: Instant) {
        let reason = self.schedule.due(now).unwrap_or(Reason::Asked);
        self.schedule.begun();
        self.lists = self.lists.wrapping_add(1);
        self.list = Some(List {
            begun: now,
            found: Resync::new(reason),
            spoiled: false,
            incomplete: false,
            gone: Gone::default(),
            unswept: None,
            turn: Turn::NEW,
        });
    }

    /// Takes in an entry of the list. What is malformed is skipped.
    pub fn entry(&mut self, message: &Message<'_>) {
        let Some(list) = &mut self.list else { return };
        list.found.listed += 1;
        list.incomplete |= message.flags().contains(Flags::DUMP_INTR);
        let view = ConntrackRef::parse(message).ok();
        let Some(report) = view.as_ref().and_then(Report::of_entry) else {
            self.counts.malformed += 1;
            return;
        };
        // Of one that is dying the end may have been told before the list began.
        if is_in_table(&report.flow) && !report.flow.status().contains(Status::DYING) {
            self.listed(report);
        }
    }

    /// Notes that the list has come to its end.
    pub fn list_ended(&mut self, now: Instant) {
        let Some(list) = &mut self.list else { return };
        match list.incomplete {
            false => list.unswept = Some(0),
            true => self.list_failed(now),
        }
    }

    /// Notes that there will be no (more of the) list.
    pub fn list_failed(&mut self, now: Instant) {
        let (reason, begun) = match self.list.take() {
            Some(list) => (list.found.reason, list.begun),
            None => (self.schedule.due(now).unwrap_or(Reason::Asked), now),
        };
        self.counts.spoiled_resyncs += 1;
        self.schedule.begun();
        self.schedule.want(reason);
        self.schedule
            .ended(now, now.saturating_duration_since(begun), false);
    }

    fn listed(&mut self, report: Report) {
        let id = report.flow.id();
        let key = report.flow.key(Direction::Original);
        if let Some(place) = self.table.find_same(id, &key) {
            let seen = self.seen_now(place);
            let flows = self.table.len();
            let changed = self.update(place, &report, seen.parts, seen);
            let removed = self.table.len() < flows;
            self.count(|found| match (changed, removed) {
                (_, true) => found.removed += 1,
                (true, false) => found.updated += 1,
                (false, false) => {}
            });
            return;
        }
        let hash = self.table.hash(&key);
        if self
            .list
            .as_ref()
            .is_some_and(|list| list.gone.contains(hash, id))
        {
            return;
        }
        if let Some(other) = self.table.find_original(&key, hash) {
            if self.seen_now(other).by_event {
                // Either the list is older, or an event will tell of this one.
                return;
            }
            self.take_out(other, Removal::Replaced);
            self.count(|found| found.removed += 1);
        }
        if self.wants(&report.flow) {
            let seen = Seen {
                list: self.lists,
                ..Seen::default()
            };
            if self.insert(report.flow, hash, seen) {
                self.count(|found| found.inserted += 1);
            }
        }
    }

    /// Looks for flows that neither the list nor an event has shown.
    pub(super) fn sweep(&mut self, from: Place, now: Instant) {
        let end = self.table.end();
        let until = from.saturating_add(SWEEP).min(end);
        for place in from..until {
            let seen = self.table.seen(place);
            if seen.is_some_and(|seen| seen.list != self.lists) {
                self.take_out(place, Removal::Missing);
                self.count(|found| found.removed += 1);
            }
        }
        match &mut self.list {
            Some(list) if until < end => list.unswept = Some(until),
            _ => self.resynced(now),
        }
    }

    fn resynced(&mut self, now: Instant) {
        let Some(list) = self.list.take() else { return };
        let took = now.saturating_duration_since(list.begun);
        self.schedule.ended(now, took, !list.spoiled);
        if list.spoiled {
            self.counts.spoiled_resyncs += 1;
            return;
        }
        self.counts.resyncs += 1;
        self.synchronised = true;
        self.pending
            .push_back(Pending::Resynced(Resync { took, ..list.found }));
    }

    /// What has been seen of a flow since the list began, the list included.
    fn seen_now(&self, place: Place) -> Seen {
        match self.table.seen(place) {
            Some(seen) if seen.list == self.lists => seen,
            _ => Seen {
                list: self.lists,
                by_event: false,
                parts: FlowParts::empty(),
            },
        }
    }

    fn count(&mut self, add: impl FnOnce(&mut Resync)) {
        if let Some(list) = &mut self.list {
            add(&mut list.found);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mirror::{Mirror, Task};
    use std::time::Duration;

    #[test]
    fn a_list_that_could_bring_flows_back_is_not_the_last() {
        let pause = Duration::from_secs(1);
        let options = Mirror::options().resync_pause(pause, pause);
        let mut replica = options.resync_every(None).replica();
        let now = Instant::now();
        assert_eq!(replica.next_task(now), Task::RequestList);
        replica.list_begun(now);
        replica.drained();
        // As many flows end as there is room to note, and one more.
        let mut id = 0;
        while replica.list.as_mut().unwrap().gone.insert(7, id) {
            id += 1;
        }
        assert!(!replica.list.as_ref().unwrap().spoiled);
        replica.note_gone(7, id);
        assert_eq!(replica.next_task(now), Task::ReadEntry);
        replica.list_ended(now);
        assert_eq!(replica.next_task(now), Task::Wait(Some(now + pause)));
        assert!(!replica.is_synchronised());
        assert_eq!(replica.next_task(now + pause), Task::RequestList);
    }

    #[test]
    fn pauses_grow_while_lists_are_spoiled() {
        let millis = Duration::from_millis;
        let options = Mirror::options().resync_pause(millis(10), millis(1000));
        let mut replica = options.resync_every(None).replica();
        let mut now = Instant::now();
        let mut pauses = Vec::new();
        for _ in 0..4 {
            assert_eq!(replica.next_task(now), Task::RequestList);
            replica.list_begun(now);
            replica.overrun();
            replica.drained();
            replica.list_ended(now);
            let Task::Wait(Some(until)) = replica.next_task(now) else {
                panic!("no pause");
            };
            pauses.push(until - now);
            now = until;
        }
        assert_eq!(pauses, [10, 20, 40, 80].map(millis));
    }
}
