//! The mirror without its sockets: messages in, changes out.

use std::collections::VecDeque;
use std::fmt;
use std::time::{Duration, Instant};

use super::change::{Change, Reason, Removal, Resync};
use super::flow::{Flow, FlowParts, Report};
use super::keep::Keep;
use super::list::List;
use super::schedule::Schedule;
use super::slab::Place;
use super::statistics::MirrorStatistics;
use super::table::{FLOWS_MAX, Seen, Table};
use crate::conntrack::{ConntrackRef, Direction, Status, Tuple};
use crate::handle::EventKind;
use crate::netlink::Message;
use crate::nfnetlink::Subsystem;

/// A [`Mirror`](super::Mirror) without its sockets, for programs that do their
/// input and output themselves, and for tests.
///
/// It says what to do next, and is told what came of it:
///
/// | [`Task`] | answered by |
/// |---|---|
/// | [`TakeChange`](Task::TakeChange) | [`change`](Self::change) |
/// | [`ReadEvent`](Task::ReadEvent) | [`event`](Self::event) for each message of the datagram, [`overrun`](Self::overrun) or [`drained`](Self::drained) |
/// | [`RequestList`](Task::RequestList) | [`list_begun`](Self::list_begun) or [`list_failed`](Self::list_failed) |
/// | [`ReadEntry`](Task::ReadEntry) | [`entry`](Self::entry), [`list_ended`](Self::list_ended) or [`list_failed`](Self::list_failed) |
/// | [`Wait`](Task::Wait) | waiting, then [`readable`](Self::readable) |
///
/// Events and lists must come over different sockets: while a list runs, the
/// kernel always has its next part in the receive buffer, and after an overrun
/// it gives a socket no events until that buffer has been empty.
pub struct Replica {
    pub(super) table: Table,
    keep: Option<Keep>,
    limit: usize,
    pub(super) schedule: Schedule,
    /// The list that is being compared with the table.
    pub(super) list: Option<List>,
    /// Lists begun.
    pub(super) lists: u32,
    pub(super) pending: VecDeque<Pending>,
    /// The flow of the last `Removed`, for as long as the change is looked at.
    removed: Option<Flow>,
    pub(super) counts: MirrorStatistics,
    /// Nothing to be read of events, as far as is known.
    drained: bool,
    /// Events were lost, and the kernel loses more until it finds the receive
    /// buffer empty. A list would be out of date before it began.
    lossy: bool,
    pub(super) synchronised: bool,
}

/// What is to be done next for a [`Replica`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Task {
    /// Give a change to the user.
    TakeChange,
    /// Receive a datagram of events, without waiting.
    ReadEvent,
    /// Ask the kernel for a list of all entries.
    RequestList,
    /// Receive the next message of the list.
    ReadEntry,
    /// Nothing, until there are events to be read or this time has come.
    Wait(Option<Instant>),
}

/// A change that has not been taken yet.
#[derive(Debug)]
pub(super) enum Pending {
    Inserted(Place),
    Updated(Place, FlowParts),
    Removed(Flow, Removal),
    Resynced(Resync),
}

/// How a [`Replica`] is to work.
pub(super) struct ReplicaOptions {
    pub(super) keep: Option<Keep>,
    pub(super) limit: usize,
    pub(super) every: Option<Duration>,
    pub(super) pause_min: Duration,
    pub(super) pause_max: Duration,
}

impl Replica {
    pub(super) fn new(options: ReplicaOptions) -> Self {
        Self {
            table: Table::new(),
            keep: options.keep,
            limit: options.limit.min(FLOWS_MAX),
            schedule: Schedule::new(options.every, options.pause_min, options.pause_max),
            list: None,
            lists: 0,
            pending: VecDeque::new(),
            removed: None,
            counts: MirrorStatistics::default(),
            drained: false,
            lossy: false,
            synchronised: false,
        }
    }

    /// What to do next, given the time. To be called again after each task.
    pub fn next_task(&mut self, now: Instant) -> Task {
        loop {
            if !self.pending.is_empty() {
                return Task::TakeChange;
            }
            let Some(list) = &mut self.list else {
                if !self.lossy && self.schedule.due(now).is_some() {
                    return Task::RequestList;
                }
                if !self.drained {
                    return Task::ReadEvent;
                }
                return Task::Wait(self.schedule.next().and_then(|(at, _)| at));
            };
            if !self.drained && list.turn.events() {
                return Task::ReadEvent;
            }
            if !list.turn.entries() {
                // Both have had their share. Others may have come meanwhile.
                list.turn.begin();
                self.drained = false;
                continue;
            }
            match list.unswept {
                None => return Task::ReadEntry,
                Some(from) => self.sweep(from, now),
            }
        }
    }

    /// Notes that there may be events to be read.
    pub fn readable(&mut self) {
        self.drained = false;
    }

    /// Takes in a message from the socket of events. What is malformed, or about
    /// something else than an entry, is skipped.
    pub fn event(&mut self, message: &Message<'_>) {
        let about_entries = Subsystem::split(message.kind()).0 == Subsystem::CONNTRACK;
        let kind = EventKind::of(message.header()).filter(|_| about_entries);
        let Some(kind) = kind else {
            return;
        };
        self.counts.events += 1;
        let view = ConntrackRef::parse(message).ok();
        let Some(report) = view.as_ref().and_then(Report::of_event) else {
            self.counts.malformed += 1;
            return;
        };
        if !is_in_table(&report.flow) {
            return;
        }
        match kind {
            EventKind::New | EventKind::Update => self.told_of(report),
            EventKind::Destroy => self.told_end_of(report),
        }
    }

    /// Notes that the kernel has lost events.
    pub fn overrun(&mut self) {
        self.counts.overruns += 1;
        self.lossy = true;
        self.synchronised = false;
        self.schedule.want(Reason::Overrun);
        if let Some(list) = &mut self.list {
            list.spoiled = true;
        }
    }

    /// Notes that there are no events to be read.
    pub fn drained(&mut self) {
        self.drained = true;
        self.lossy = false;
    }

    /// The next change to give to the user.
    pub fn change(&mut self) -> Option<Change<'_>> {
        Some(match self.pending.pop_front()? {
            Pending::Inserted(place) => Change::Inserted(self.table.get(place)?),
            Pending::Updated(place, parts) => Change::Updated(self.table.get(place)?, parts),
            Pending::Removed(flow, why) => Change::Removed(self.removed.insert(flow), why),
            Pending::Resynced(resync) => Change::Resynced(resync),
        })
    }

    /// An event has told that there is such a flow.
    fn told_of(&mut self, report: Report) {
        let key = report.flow.key(Direction::Original);
        if let Some(place) = self.table.find_same(report.flow.id(), &key) {
            let mut seen = self.table.seen(place).unwrap_or_default();
            if !(seen.by_event && seen.list == self.lists) {
                seen.parts = FlowParts::empty();
            }
            seen = Seen {
                list: self.lists,
                by_event: true,
                parts: seen.parts | report.parts,
            };
            self.update(place, &report, FlowParts::empty(), seen);
            return;
        }
        let hash = self.table.hash(&key);
        if let Some(other) = self.table.find_original(&key, hash) {
            self.take_out(other, Removal::Replaced);
        }
        let seen = Seen {
            list: self.lists,
            by_event: true,
            parts: report.parts,
        };
        if self.wants(&report.flow) {
            self.insert(report.flow, hash, seen);
        } else {
            self.note_gone(hash, report.flow.id());
        }
    }

    /// An event has told that there is no such flow any more.
    fn told_end_of(&mut self, report: Report) {
        let id = report.flow.id();
        let key = report.flow.key(Direction::Original);
        // A flow with the same tuple and another id is a later one.
        match self.table.find_same(id, &key) {
            Some(place) => {
                self.table.update(place, &report, FlowParts::empty());
                self.take_out(place, Removal::Destroyed);
            }
            None => self.counts.unknown += 1,
        }
        if self.list.is_some() {
            self.note_gone(self.table.hash(&key), id);
        }
    }

    /// Takes in what was told of a flow there is. Returns whether that changed
    /// anything the user is told.
    pub(super) fn update(
        &mut self,
        place: Place,
        report: &Report,
        but: FlowParts,
        seen: Seen,
    ) -> bool {
        let changed = self.table.update(place, report, but);
        self.table.set_seen(place, seen);
        let Some(flow) = self.table.get(place) else {
            return false;
        };
        if !self.wants(flow) {
            let hash = self.table.hash(&flow.key(Direction::Original));
            let id = flow.id();
            self.note_gone(hash, id);
            self.take_out(place, Removal::Unwanted);
            return true;
        }
        if !changed.is_empty() {
            self.pending.push_back(Pending::Updated(place, changed));
        }
        !changed.is_empty()
    }

    /// Puts a flow in that the mirror does not have; tells whether there was room.
    pub(super) fn insert(&mut self, flow: Flow, key_hash: u64, seen: Seen) -> bool {
        if self.table.len() >= self.limit {
            self.counts.rejected += 1;
            return false;
        }
        let place = self.table.insert(flow, key_hash, seen);
        self.pending.push_back(Pending::Inserted(place));
        true
    }

    pub(super) fn take_out(&mut self, place: Place, why: Removal) {
        if let Some(flow) = self.table.remove(place) {
            self.pending.push_back(Pending::Removed(flow, why));
        }
    }

    pub(super) fn wants(&self, flow: &Flow) -> bool {
        self.keep.as_ref().is_none_or(|keep| keep(flow))
    }

    /// Notes that the list which is under way must not bring this flow back.
    pub(super) fn note_gone(&mut self, key_hash: u64, id: u32) {
        let Some(list) = &mut self.list else { return };
        if !list.gone.insert(key_hash, id) {
            list.spoiled = true;
            self.schedule.want(Reason::Overrun);
        }
    }
}

/// Looking at the flows.
impl Replica {
    /// See [`Mirror::get`](super::Mirror::get).
    #[must_use]
    pub fn get(&self, tuple: &Tuple, zone: u16) -> Option<(&Flow, Direction)> {
        let (place, direction) = self.table.find(&tuple.with_zone(zone))?;
        Some((self.table.get(place)?, direction))
    }

    /// See [`Mirror::with_id`](super::Mirror::with_id).
    pub fn with_id(&self, id: u32) -> impl Iterator<Item = &Flow> {
        let places = self.table.with_id(id);
        places.filter_map(|place| self.table.get(place))
    }

    /// See [`Mirror::iter`](super::Mirror::iter).
    pub fn iter(&self) -> impl Iterator<Item = &Flow> {
        self.table.iter()
    }

    /// See [`Mirror::is_synchronised`](super::Mirror::is_synchronised).
    #[must_use]
    pub fn is_synchronised(&self) -> bool {
        self.synchronised
    }

    /// What was counted. The receive buffer is for whoever has the socket.
    #[must_use]
    pub fn statistics(&self) -> MirrorStatistics {
        MirrorStatistics {
            flows: self.table.len(),
            memory: self.table.memory(),
            ..self.counts
        }
    }

    /// See [`Mirror::resync`](super::Mirror::resync).
    pub fn resync(&mut self) {
        self.schedule.ask();
    }

    /// See [`Mirror::set_resync_interval`](super::Mirror::set_resync_interval).
    pub fn set_resync_interval(&mut self, every: Option<Duration>, now: Instant) {
        self.schedule.set_interval(every, now);
    }

    /// Whether there is something to do that no descriptor tells of.
    pub(super) fn is_busy(&self) -> bool {
        !self.pending.is_empty() || self.list.is_some()
    }
}

impl fmt::Debug for Replica {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Replica")
            .field("statistics", &self.statistics())
            .field("list", &self.list)
            .finish_non_exhaustive()
    }
}

/// Whether the flow is found by its own tuple. One of two entries that the kernel
/// has made at once for the same flow is not, and no list shows it.
pub(super) fn is_in_table(flow: &Flow) -> bool {
    !flow.status().contains(Status::NAT_CLASH)
}
