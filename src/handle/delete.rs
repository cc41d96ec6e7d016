//! Deleting the entries that a predicate holds for.

use std::net::IpAddr;
use std::ops::ControlFlow;

use super::Handle;
use super::deletion::Deletion;
use super::query::Query;
use crate::conntrack::ConntrackRef;
use crate::error::{Error, KernelError, Result};
use crate::filter::{Cover, Criteria, DumpFilter, Predicate};

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
    /// The deletions go through a second socket, whose port the events bear. Where
    /// none can be opened in the network namespace of the handle (because the thread
    /// is in another one and lacks CAP_SYS_ADMIN, or on Linux before 5.14, which does
    /// not tell) they wait until the list is complete, and memory grows with their
    /// number, by some 200 bytes each.
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
    /// before are deleted. That events were lost meanwhile is no error here: only
    /// [`overruns`](Self::overruns) tells.
    pub fn delete_matching(&mut self, predicate: &Predicate) -> Result<Deleted> {
        let mut pass = DeletionPass::over(self);
        let mut list = self.dump_matching(predicate)?;
        while pass.take(list.next()).is_continue() {}
        pass.finish(self)
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
}

/// One pass over the table that deletes what is listed.
#[derive(Debug)]
pub(crate) struct DeletionPass {
    deletion: Deletion,
    interrupted: bool,
    outcome: Result<()>,
}

impl DeletionPass {
    /// A pass over the table that `handle` will list.
    pub(crate) fn over(handle: &Handle) -> Self {
        Self {
            deletion: Deletion::beside(handle),
            interrupted: false,
            outcome: Ok(()),
        }
    }

    /// Takes what the list gave next, and tells whether to go on with it.
    pub(crate) fn take(&mut self, next: Result<Option<ConntrackRef<'_>>>) -> ControlFlow<()> {
        let added = match next {
            Ok(Some(entry)) => self.deletion.add(&entry),
            Ok(None) => return ControlFlow::Break(()),
            Err(error @ Error::Decode(_)) => {
                if self.outcome.is_ok() {
                    self.outcome = Err(error);
                }
                return ControlFlow::Continue(());
            }
            Err(Error::DumpInterrupted) => {
                self.interrupted = true;
                return ControlFlow::Continue(());
            }
            // The list loses nothing.
            Err(Error::Overrun) => return ControlFlow::Continue(()),
            Err(error) => Err(error),
        };
        if added.is_err() {
            self.outcome = added;
            return ControlFlow::Break(());
        }
        ControlFlow::Continue(())
    }

    /// Deletes the rest, through `handle` where there was no other way, and tells
    /// what became of all.
    ///
    /// # Errors
    /// [`Error::Io`] where sending fails, and the first error of the list.
    pub(crate) fn finish(self, handle: &mut Handle) -> Result<Deleted> {
        let deleted = self.deletion.finish(handle)?;
        self.outcome.map(|()| Deleted {
            interrupted: self.interrupted,
            ..deleted
        })
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
