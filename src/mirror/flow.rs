//! A flow as the mirror keeps it: what tells it apart and what rules look at,
//! in a fixed and small number of bytes.

#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects
    )
)]

use std::fmt;

use bitflags::bitflags;

use crate::conntrack::{
    ConntrackRef, Counters, Direction, L4Proto, ProtoInfo, SctpState, Status, TcpState, Tuple,
};

/// An entry of a [`Mirror`](super::Mirror).
///
/// It has what the last event or list told. Timeout and counters are not part
/// of events (but for the counters of a DESTROY event), and a change in them
/// alone is no change the mirror reports: they are as fresh as the last
/// [resync](super::Mirror::resync) or event. What else an entry has, such as its
/// helper, [`Handle::get`](crate::Handle::get) tells.
#[derive(Clone)]
pub struct Flow {
    original: Tuple,
    reply: Tuple,
    counters: [Counters; 2],
    labels: [u32; LABEL_WORDS],
    start: u64,
    id: u32,
    status: u32,
    mark: u32,
    timeout: u32,
    zone: u16,
    /// Of the layer 4 protocol's tracker.
    state: u8,
    has: Has,
}

/// The kernel has 128 labels.
const LABEL_WORDS: usize = 4;

bitflags! {
    /// Parts of a flow whose change the mirror reports.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
    pub struct FlowParts: u8 {
        /// [`Flow::reply`].
        const REPLY = 1 << 0;
        /// [`Flow::status`].
        const STATUS = 1 << 1;
        /// [`Flow::mark`].
        const MARK = 1 << 2;
        /// [`Flow::tcp_state`] or [`Flow::sctp_state`].
        const STATE = 1 << 3;
        /// [`Flow::has_label`].
        const LABELS = 1 << 4;
    }
}

bitflags! {
    /// What a flow has besides what every flow has.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    struct Has: u8 {
        const ZONE = 1 << 0;
        const STATE = 1 << 1;
        const COUNTERS = 1 << 2;
        const START = 1 << 3;
        const TIMEOUT = 1 << 4;
    }
}

/// What one message tells of a flow.
#[derive(Debug)]
pub(super) struct Report {
    pub(super) flow: Flow,
    /// The parts that the message tells. Of the others `flow` has what a new
    /// flow would have.
    pub(super) parts: FlowParts,
}

impl Report {
    /// What a message of an event tells; `None` where it lacks what tells a
    /// flow apart.
    pub(super) fn of_event(view: &ConntrackRef<'_>) -> Option<Self> {
        let original = view.original()?;
        let reply = view.reply();
        let state = state_of(view, original.l4proto());
        let labels = view.labels();
        let counters = [
            view.counters(Direction::Original),
            view.counters(Direction::Reply),
        ];
        let start = view.timestamps().start;

        let mut parts = FlowParts::empty();
        parts.set(FlowParts::REPLY, reply.is_some());
        parts.set(FlowParts::STATUS, view.status().is_some());
        parts.set(FlowParts::MARK, view.mark().is_some());
        parts.set(FlowParts::STATE, state.is_some());
        parts.set(FlowParts::LABELS, labels.is_some());
        let mut has = Has::empty();
        has.set(Has::ZONE, view.zone().is_some());
        has.set(Has::STATE, state.is_some());
        has.set(Has::COUNTERS, counters.iter().any(Option::is_some));
        has.set(Has::START, start.is_some());
        has.set(Has::TIMEOUT, view.timeout().is_some());
        let flow = Flow {
            original,
            reply: reply.unwrap_or_else(|| original.inverted()),
            counters: counters.map(Option::unwrap_or_default),
            labels: labels.map_or([0; LABEL_WORDS], |labels| labels.words()),
            start: start.unwrap_or(0),
            id: view.id()?,
            status: view.status().unwrap_or_default().bits(),
            mark: view.mark().unwrap_or(0),
            timeout: view.timeout().unwrap_or(0),
            zone: view.zone().unwrap_or(0),
            state: state.unwrap_or(0),
            has,
        };
        Some(Self { flow, parts })
    }

    /// What an entry of a list tells: that is everything, and what is absent is
    /// not there.
    pub(super) fn of_entry(view: &ConntrackRef<'_>) -> Option<Self> {
        let report = Self::of_event(view)?;
        Some(Self {
            parts: FlowParts::all(),
            ..report
        })
    }
}

/// The state of the tracker of this protocol.
fn state_of(view: &ConntrackRef<'_>, l4proto: L4Proto) -> Option<u8> {
    match l4proto {
        L4Proto::TCP => view.tcp_state().map(|state| state.0),
        L4Proto::SCTP => match view.protoinfo()? {
            ProtoInfo::Sctp(sctp) => sctp.state.map(|state| state.0),
            _ => None,
        },
        _ => None,
    }
}

impl Flow {
    /// The tuple of the original direction.
    #[must_use]
    pub fn original(&self) -> &Tuple {
        &self.original
    }

    /// The tuple of the reply direction: after translation, what the answers carry.
    #[must_use]
    pub fn reply(&self) -> &Tuple {
        &self.reply
    }

    /// The tuple of a direction.
    #[must_use]
    pub fn tuple(&self, direction: Direction) -> &Tuple {
        match direction {
            Direction::Original => &self.original,
            Direction::Reply => &self.reply,
        }
    }

    /// The zone in which the kernel looks the flow up in this direction; 0 is
    /// the default zone.
    #[must_use]
    pub fn zone(&self, direction: Direction) -> u16 {
        let zone = self.common_zone().or_else(|| self.tuple(direction).zone());
        zone.unwrap_or(0)
    }

    /// The id the kernel derives for the entry. A flow and a later one with the
    /// same tuple have different ids unless the kernel reuses the memory.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.id
    }

    /// Status bits. The kernel sets some of them, such as
    /// [`OFFLOAD`](Status::OFFLOAD), without an event; these show after a resync.
    #[must_use]
    pub fn status(&self) -> Status {
        Status::from_bits_retain(self.status)
    }

    /// The mark.
    #[must_use]
    pub fn mark(&self) -> u32 {
        self.mark
    }

    /// Seconds until the entry expires without traffic, as last told.
    #[must_use]
    pub fn timeout(&self) -> Option<u32> {
        self.has.contains(Has::TIMEOUT).then_some(self.timeout)
    }

    /// The state of the TCP tracker.
    #[must_use]
    pub fn tcp_state(&self) -> Option<TcpState> {
        self.state(L4Proto::TCP).map(TcpState)
    }

    /// The state of the SCTP tracker.
    #[must_use]
    pub fn sctp_state(&self) -> Option<SctpState> {
        self.state(L4Proto::SCTP).map(SctpState)
    }

    /// Whether a label, 0 to 127, is set. An event that takes away the last
    /// label does not say so; that shows after a resync.
    #[must_use]
    pub fn has_label(&self, label: u32) -> bool {
        let word = usize::try_from(label / u32::BITS).ok();
        let word = word.and_then(|at| self.labels.get(at));
        word.is_some_and(|word| word >> (label % u32::BITS) & 1 != 0)
    }

    /// Traffic of a direction, where the sysctl `nf_conntrack_acct` is on: as of
    /// the last resync, or final in a flow that a DESTROY event removed.
    #[must_use]
    pub fn counters(&self, direction: Direction) -> Option<Counters> {
        let [original, reply] = self.counters;
        self.has.contains(Has::COUNTERS).then_some(match direction {
            Direction::Original => original,
            Direction::Reply => reply,
        })
    }

    /// When the flow began, in nanoseconds since the epoch, where the sysctl
    /// `nf_conntrack_timestamp` is on and a resync or DESTROY event told.
    #[must_use]
    pub fn start(&self) -> Option<u64> {
        self.has.contains(Has::START).then_some(self.start)
    }

    /// The zone, where it is that of both directions.
    pub(super) fn common_zone(&self) -> Option<u16> {
        self.has.contains(Has::ZONE).then_some(self.zone)
    }

    /// The labels, lowest first.
    pub(super) fn label_words(&self) -> &[u32; LABEL_WORDS] {
        &self.labels
    }

    /// What the kernel finds the flow by in a direction: its tuple in its zone.
    pub(super) fn key(&self, direction: Direction) -> Tuple {
        self.tuple(direction).with_zone(self.zone(direction))
    }

    /// Takes over what `report`, which is of the same flow, tells, but not the
    /// parts in `but`. Returns what has changed thereby.
    pub(super) fn update(&mut self, report: &Report, but: FlowParts) -> FlowParts {
        let told = report.parts.difference(but);
        let new = &report.flow;
        let mut changed = FlowParts::empty();
        let mut take = |part, differs: bool| {
            let taken = differs && told.contains(part);
            changed.set(part, taken);
            taken
        };
        if take(FlowParts::REPLY, self.reply != new.reply) {
            self.reply = new.reply;
        }
        if take(FlowParts::STATUS, self.status != new.status) {
            self.status = new.status;
        }
        if take(FlowParts::MARK, self.mark != new.mark) {
            self.mark = new.mark;
        }
        let state = |flow: &Self| flow.has.contains(Has::STATE).then_some(flow.state);
        if take(FlowParts::STATE, state(self) != state(new)) {
            self.state = new.state;
            self.has.set(Has::STATE, new.has.contains(Has::STATE));
        }
        if take(FlowParts::LABELS, self.labels != new.labels) {
            self.labels = new.labels;
        }
        self.refresh(new);
        changed
    }

    /// Takes over what changes all the time.
    fn refresh(&mut self, new: &Self) {
        if new.has.contains(Has::TIMEOUT) {
            self.timeout = new.timeout;
        }
        if new.has.contains(Has::COUNTERS) {
            self.counters = new.counters;
        }
        if new.has.contains(Has::START) {
            self.start = new.start;
        }
        self.has |= new.has & (Has::TIMEOUT | Has::COUNTERS | Has::START);
    }

    fn state(&self, l4proto: L4Proto) -> Option<u8> {
        let known = self.has.contains(Has::STATE) && self.original.l4proto() == l4proto;
        known.then_some(self.state)
    }
}

impl fmt::Display for Flow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} [{}]", self.original, self.reply)?;
        if self.mark != 0 {
            write!(f, " mark={}", self.mark)?;
        }
        if let Some(zone) = self.common_zone() {
            write!(f, " zone={zone}")?;
        }
        write!(f, " id={}", self.id)
    }
}

impl fmt::Debug for Flow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Flow({self}, {:?})", self.status())
    }
}
