//! Deleting the entries that a predicate holds for.

use std::net::IpAddr;

use super::Handle;
use super::deletion::Deletion;
use super::exchange::{Caught, Incoming};
use super::inbox::Wait;
use super::matching::Plan;
use super::query::Query;
use super::sequence::Awaiting;
use crate::conntrack::ConntrackRef;
use crate::error::{Error, KernelError, Result};
use crate::filter::{Cover, Criteria, DumpFilter, Matcher, Predicate};

/// What became of the entries that were to be deleted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Deleted {
    /// Entries that the predicate held for: the sum of the three below.
    pub matched: u64,
    /// Those that this call deleted.
    pub deleted: u64,
    /// Those that had expired or been deleted by others before it came to them,
    /// and those listed a second time (see [`Dump`](super::Dump)).
    ///
    /// Linux names entries by their tuples and cannot be told to delete a flow
    /// that is hidden by two others: one that runs against it and has a zone in the
    /// original direction alone, and another that has one in the reply direction
    /// alone. Such a flow counts here too.
    pub already_gone: u64,
    /// Those that the kernel refused to delete, such as a flow that a flowtable
    /// has (EBUSY), and those whose result was lost in an overrun.
    pub failed: u64,
    /// The kernel's first refusal.
    pub first_failure: Option<KernelError>,
    /// The kernel noticed that the table changed in a way that entries may
    /// have been missed ([`Error::DumpInterrupted`]).
    pub interrupted: bool,
}

/// How a flush was carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Flushed {
    /// By the kernel in one request, which does not tell how many entries it deleted.
    AtOnce,
    /// One by one, because the kernel could not be trusted with the predicate.
    OneByOne(Deleted),
}

impl Handle {
    /// Deletes the entries that the predicate holds for, in one pass over the table.
    ///
    /// Entries are listed as by [`dump_matching`](Self::dump_matching), and
    /// those that match are deleted while the list goes on, many in one datagram;
    /// memory does not grow with their number. Each is deleted by its tuple, zone
    /// and id, so that nothing else can be: not an entry of another zone, not a
    /// later flow with the same tuple.
    ///
    /// ```no_run
    /// use netfilter_conntrack::{Direction, Groups, Handle, Predicate};
    ///
    /// let mut handle = Handle::open(Groups::empty())?;
    /// let banned = "203.0.113.9".parse().unwrap();
    /// let done = handle.delete_matching(&Predicate::source(Direction::Original, banned))?;
    /// println!("{} deleted, {} were gone already", done.deleted, done.already_gone);
    /// # let _: std::net::Ipv4Addr = banned;
    /// # Ok::<(), netfilter_conntrack::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`dump`](Self::dump), where the list cannot go on; entries listed
    /// before are deleted.
    pub fn delete_matching(&mut self, predicate: &Predicate) -> Result<Deleted> {
        let Plan { requests, matcher } = self.plan(predicate)?;
        let mut deletion = Deletion::default();
        let mut listed = Ok(());
        for filter in &requests {
            listed = self.delete_listed(filter, &matcher, &mut deletion);
            if listed.is_err() {
                break;
            }
        }
        let settled = self.settle(&mut deletion);
        listed.and(settled).map(|()| deletion.outcome)
    }

    /// Deletes the UDP flows to a backend that is going or has gone: those sent
    /// to its address and port, and those that a translation leads there
    /// ([`Predicate::udp_backend`]). Without that, such flows keep their old way
    /// for as long as their clients keep sending.
    ///
    /// The unspecified address stands for all of its family.
    ///
    /// # Errors
    /// As [`delete_matching`](Self::delete_matching).
    pub fn delete_stale_udp(&mut self, address: IpAddr, port: u16) -> Result<Deleted> {
        self.delete_matching(&Predicate::udp_backend(address, port))
    }

    /// Deletes the entries that the predicate holds for: by a flush where a
    /// filter of the kernel says just the same and the kernel has proven to honour
    /// it ([`probe`](Self::probe)), otherwise as
    /// [`delete_matching`](Self::delete_matching).
    ///
    /// # Errors
    /// As [`query`](Self::query) and [`delete_matching`](Self::delete_matching).
    pub fn flush_matching(&mut self, predicate: &Predicate) -> Result<Flushed> {
        if let Some(Cover {
            filter,
            exact: true,
        }) = predicate.cover()
        {
            let criteria = filter.criteria();
            let trusted = match criteria.is_empty() {
                true => Criteria::empty(),
                false => self.trusted_flush_criteria(criteria)?,
            };
            if trusted.contains(criteria) {
                for filter in filter.by_family() {
                    self.query(Query::FlushFilter(&filter))?;
                }
                return Ok(Flushed::AtOnce);
            }
        }
        self.delete_matching(predicate).map(Flushed::OneByOne)
    }

    /// Deletes the entries that the filter asks for, as
    /// [`flush_matching`](Self::flush_matching) does with what the filter means:
    /// where the kernel would take it for something else, entries are deleted one by
    /// one. [`Query::FlushFilter`] leaves all to the kernel.
    ///
    /// # Errors
    /// As [`flush_matching`](Self::flush_matching).
    #[doc(alias = "NFCT_Q_FLUSH_FILTER")]
    pub fn flush_filtered(&mut self, filter: &DumpFilter) -> Result<Flushed> {
        self.flush_matching(&filter.into())
    }

    /// Lists the entries that the filter passes and deletes those that match.
    fn delete_listed(
        &mut self,
        filter: &DumpFilter,
        matcher: &Matcher,
        deletion: &mut Deletion,
    ) -> Result<()> {
        let query = Query::DumpFilter(filter);
        let seq = self.ask(|seq, buffer| query.encode(seq, buffer), true)?;
        let mut outcome = Ok(());
        loop {
            match self.receive(Awaiting::Anything, Wait::No) {
                Ok(Incoming::Data { place, header, .. }) if header.seq == seq => {
                    let added = match ConntrackRef::parse(&self.inbox.message(place)?) {
                        Ok(entry) if matcher.matches(&entry) => {
                            deletion.add(&entry, &mut self.sequence)
                        }
                        Ok(_) => Ok(()),
                        Err(error) => Err(error.into()),
                    };
                    outcome = outcome.and(added);
                }
                // A malformed event is nothing the deletion could be blamed for.
                Ok(Incoming::Data { place, .. }) => drop(self.deliver(place)),
                Ok(Incoming::Last(caught, result)) => match number(caught) {
                    own if own == seq => {
                        deletion.outcome.interrupted |= result == Err(Error::DumpInterrupted);
                        return match result {
                            Ok(()) | Err(Error::DumpInterrupted) => outcome,
                            Err(error) => Err(error),
                        };
                    }
                    other => deletion.note(other, result, &mut self.sequence),
                },
                // The dump goes on, but results may have been lost.
                Err(Error::Overrun) => deletion.lose(),
                Err(error @ Error::Decode(_)) => outcome = outcome.and(Err(error)),
                Err(error) => {
                    self.sequence.abandon(seq);
                    return Err(match error {
                        Error::WouldBlock => Error::ReplyLost,
                        error => error,
                    });
                }
            }
            if let Some(datagram) = deletion.next_datagram(false) {
                if let Err(error) = self.socket.send(datagram) {
                    self.sequence.abandon(seq);
                    deletion.lose();
                    return Err(error);
                }
            }
        }
    }

    /// Sends what is waiting and receives all results.
    fn settle(&mut self, deletion: &mut Deletion) -> Result<()> {
        loop {
            if let Some(datagram) = deletion.next_datagram(true) {
                let sent = self.socket.send(datagram);
                if sent.is_err() {
                    deletion.lose();
                    return sent;
                }
            }
            if !deletion.is_in_flight() {
                return Ok(());
            }
            match self.receive(Awaiting::Anything, Wait::No) {
                Ok(Incoming::Last(caught, result)) => {
                    deletion.note(number(caught), result, &mut self.sequence);
                }
                Ok(Incoming::Data { place, .. }) => drop(self.deliver(place)),
                // After an overrun some results may still be there.
                Err(Error::Overrun | Error::Decode(_)) => {}
                Err(_) => deletion.lose(),
            }
        }
    }
}

/// The sequence number of the request that was answered.
fn number(caught: Caught) -> u32 {
    match caught {
        Caught::Acknowledged(seq) | Caught::Done(seq) => seq,
        // Only callbacks stop, and no request has this number.
        Caught::Stopped => 0,
    }
}

impl Deleted {
    /// Counts a failure.
    pub(super) fn fail(&mut self, error: Error) {
        self.failed += 1;
        if let (None, Error::Kernel(error)) = (&self.first_failure, error) {
            self.first_failure = Some(error);
        }
    }
}
