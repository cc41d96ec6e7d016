//! Sequence numbers: which request a message answers.

/// Gives requests their numbers, and remembers those whose replies nobody
/// waits for any more.
///
/// Events carry the number 0, so requests never do.
#[derive(Debug)]
pub(crate) struct Sequence {
    last: u32,
    /// Requests whose last reply has not come yet though their caller has gone:
    /// stopped by a callback, failed, or dropped half read.
    abandoned: Vec<u32>,
    /// Dumps without their end so far. A socket can have one at a time: it is
    /// the first of them that runs, the kernel's refusal of the others is to come.
    dumps: Vec<u32>,
    /// The dump that the kernel has said to be inconsistent.
    interrupted: Option<u32>,
}

/// Whose reply is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Awaiting {
    /// Anybody's: what `catch` takes.
    Anything,
    /// This request's.
    Request(u32),
}

/// What a message is to the one who waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Relation {
    /// The reply waited for.
    Awaited,
    /// An event, or the reply to a request that was sent without waiting.
    Other,
    /// Left over from a request whose caller has gone.
    Stale,
}

impl Sequence {
    /// Replies that were lost in an overrun would stay in the list for ever;
    /// with this many the oldest ones go.
    const ABANDONED_MAX: usize = 256;

    pub(crate) fn new() -> Self {
        Self {
            last: 0,
            abandoned: Vec::new(),
            dumps: Vec::new(),
            interrupted: None,
        }
    }

    /// Makes room for all that it may have to remember at a time, but for more
    /// dumps than that which are sent and not read.
    #[cfg(feature = "capi")]
    pub(crate) fn reserve(&mut self) -> Result<(), std::collections::TryReserveError> {
        self.abandoned.try_reserve_exact(Self::ABANDONED_MAX)?;
        self.dumps.try_reserve_exact(Self::ABANDONED_MAX)
    }

    /// The number of the next request.
    pub(crate) fn next(&mut self) -> u32 {
        self.last = match self.last.wrapping_add(1) {
            0 => 1,
            next => next,
        };
        self.last
    }

    #[inline]
    pub(crate) fn relation(&self, seq: u32, awaiting: Awaiting) -> Relation {
        if awaiting == Awaiting::Request(seq) {
            Relation::Awaited
        } else if self.abandoned.contains(&seq) {
            Relation::Stale
        } else {
            Relation::Other
        }
    }

    /// Notes that a dump was asked for.
    pub(crate) fn dump_started(&mut self, seq: u32) {
        self.dumps.push(seq);
    }

    /// Whether a request is a dump whose end has not come.
    pub(crate) fn is_dump(&self, seq: u32) -> bool {
        self.dumps.contains(&seq)
    }

    /// Notes that the table changed under a dump (`NLM_F_DUMP_INTR`).
    #[cold]
    pub(crate) fn interrupted(&mut self, seq: u32) {
        self.interrupted = Some(seq);
    }

    /// Notes that the last reply to a request has come, and tells whether it
    /// ends a dump under which the table changed.
    pub(crate) fn finished(&mut self, seq: u32) -> bool {
        self.abandoned.retain(|abandoned| *abandoned != seq);
        self.dumps.retain(|dump| *dump != seq);
        self.interrupted.take_if(|dump| *dump == seq).is_some()
    }

    /// Notes that nobody waits for the rest of the replies to a request.
    pub(crate) fn abandon(&mut self, seq: u32) {
        if self.abandoned.contains(&seq) {
            return;
        }
        if self.abandoned.len() >= Self::ABANDONED_MAX {
            // The rest of a dump is still to come, whenever it is read.
            let is_lost = |abandoned: &u32| !self.dumps.contains(abandoned);
            let oldest = self.abandoned.iter().position(is_lost);
            self.abandoned.remove(oldest.unwrap_or(0));
        }
        self.abandoned.push(seq);
    }

    /// The dump that nobody reads and that keeps the kernel from starting another.
    pub(crate) fn abandoned_dump(&self) -> Option<u32> {
        let is_abandoned = |seq: &&u32| self.abandoned.contains(seq);
        self.dumps.iter().find(is_abandoned).copied()
    }

    /// Notes that an abandoned dump will not go on.
    pub(crate) fn forget_dump(&mut self, seq: u32) {
        self.dumps.retain(|dump| *dump != seq);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zero_is_left_to_events() {
        let mut sequence = Sequence::new();
        sequence.last = u32::MAX - 1;
        assert_eq!([sequence.next(), sequence.next()], [u32::MAX, 1]);
    }

    #[test]
    fn leftovers_are_told_from_replies_and_events() {
        let mut sequence = Sequence::new();
        let stopped = sequence.next();
        sequence.dump_started(stopped);
        assert_eq!(sequence.abandoned_dump(), None);
        sequence.abandon(stopped);
        let asked = sequence.next();
        let relation = |sequence: &Sequence, seq| sequence.relation(seq, Awaiting::Request(asked));
        assert_eq!(relation(&sequence, stopped), Relation::Stale);
        assert_eq!(relation(&sequence, asked), Relation::Awaited);
        assert_eq!(relation(&sequence, 0), Relation::Other);
        assert_eq!(
            sequence.relation(stopped, Awaiting::Anything),
            Relation::Stale
        );
        assert_eq!(
            sequence.relation(asked, Awaiting::Anything),
            Relation::Other
        );
        assert_eq!(sequence.abandoned_dump(), Some(stopped));
        assert!(!sequence.finished(stopped));
        assert_eq!(relation(&sequence, stopped), Relation::Other);
        assert_eq!(sequence.abandoned_dump(), None);
    }

    #[test]
    fn a_refused_dump_does_not_hide_the_one_that_runs() {
        let mut sequence = Sequence::new();
        let [running, refused] = [sequence.next(), sequence.next()];
        sequence.dump_started(running);
        sequence.dump_started(refused);
        sequence.finished(refused);
        sequence.abandon(running);
        assert_eq!(sequence.abandoned_dump(), Some(running));
        sequence.forget_dump(running);
        assert_eq!(sequence.abandoned_dump(), None);
    }

    #[test]
    fn the_list_of_leftovers_is_bounded() {
        let mut sequence = Sequence::new();
        sequence.dump_started(1);
        for seq in 1..=1000 {
            sequence.abandon(seq);
        }
        assert_eq!(sequence.abandoned.len(), Sequence::ABANDONED_MAX);
        assert!(sequence.abandoned.contains(&1000));
        assert_eq!(sequence.abandoned_dump(), Some(1));
    }
}
