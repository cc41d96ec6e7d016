//! A replica of the kernel's table in user space, kept up to date by events, that
//! survives the loss of some.

mod change;
mod flow;
mod gone;
mod index;
mod keep;
mod list;
mod options;
mod readiness;
mod replica;
mod schedule;
mod slab;
mod statistics;
mod table;

use std::fmt;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::time::{Duration, Instant};

pub use change::{Change, Reason, Removal, Resync};
pub use flow::{Flow, FlowParts};
pub use options::MirrorOptions;
pub use replica::{Replica, Task};
pub use statistics::MirrorStatistics;

use crate::conntrack::{Direction, Tuple};
use crate::error::{Error, Result};
use crate::handle::{Awaiting, Handle, Incoming, Query, ReceiveBuffer, Wait};
use crate::nfnetlink::L3Proto;
use readiness::Readiness;

/// A replica of the table in user space.
///
/// It listens to events, lists the table, and from then on follows the events.
/// Each difference to what it had is a [`Change`], which
/// [`next_change`](Self::next_change) gives. Where the kernel loses events since
/// the receive buffer is full, the mirror lists the table again by itself and
/// gives the differences as the same changes: whoever follows them misses nothing
/// and needs no code of his own for losses.
///
/// Flows that the kernel made before anybody listened end without an event
/// (`nf_conntrack_events` is 2, "auto", since Linux 5.19). Regular
/// [resyncs](MirrorOptions::resync_every) find these.
///
/// Nothing here waits but [`wait_readable`](Self::wait_readable). The mirror has
/// [one descriptor](AsFd) to wait for in an event loop, which also tells when it
/// is time for a resync. It starts no thread; its memory is that of the flows, at
/// most 300 bytes each. Events that are not read wait in the kernel, in a buffer
/// of bounded size.
///
/// ```no_run
/// use netfilter_conntrack::mirror::{Change, Mirror};
///
/// let mut mirror = Mirror::open()?;
/// loop {
///     while let Some(change) = mirror.next_change()? {
///         match change {
///             Change::Inserted(flow) => println!("new {flow}"),
///             Change::Removed(flow, why) => println!("gone {flow}: {why:?}"),
///             _ => {}
///         }
///     }
///     mirror.wait_readable(None)?;
/// }
/// # #[allow(unreachable_code)]
/// # Ok::<(), netfilter_conntrack::Error>(())
/// ```
///
/// Without CAP_NET_ADMIN, also where it is given up later, the kernel gives no
/// lists and [`next_change`](Self::next_change) says so each time one is due.
pub struct Mirror {
    replica: Replica,
    events: Handle,
    /// Apart from the events, whose buffer a list would fill; see [`Replica`].
    lists: Handle,
    /// The request for the list that is being read.
    list: Awaiting,
    readiness: Readiness,
}

/// How long reading goes on without finding a change before the user is given a
/// chance to do something else.
const PATIENCE: Duration = Duration::from_millis(5);

/// Steps after which the clock is read.
const STEPS: u32 = 64;

impl Mirror {
    /// Opens a mirror of the calling thread's network namespace.
    ///
    /// # Errors
    /// As [`MirrorOptions::open`].
    pub fn open() -> Result<Self> {
        Self::options().open()
    }

    /// Options to open a mirror with.
    pub fn options() -> MirrorOptions {
        MirrorOptions::new()
    }

    fn over(events: Handle, lists: Handle, replica: Replica) -> Result<Self> {
        let readiness = Readiness::of([events.as_fd(), lists.as_fd()])?;
        Ok(Self {
            replica,
            events,
            lists,
            list: Awaiting::Anything,
            readiness,
        })
    }

    /// The next change; `None` where there is none for now. It never waits.
    ///
    /// After `None` the descriptor becomes readable when there is more to do, so
    /// that it can be waited for, also edge-triggered. Before that there is no
    /// need to wait.
    ///
    /// # Errors
    /// [`Error::Io`], or [`Error::Kernel`] where the kernel refuses to list the
    /// table. The mirror stays usable and tries again later. Lost events are no
    /// error.
    pub fn next_change(&mut self) -> Result<Option<Change<'_>>> {
        self.advance()?;
        Ok(self.replica.change())
    }

    /// Goes on until there is a change, and tells whether there is: where there is
    /// none, the descriptor tells when to go on.
    pub(crate) fn advance(&mut self) -> Result<bool> {
        let begun = Instant::now();
        let mut now = begun;
        let mut steps = 0;
        self.replica.readable();
        loop {
            match self.replica.next_task(now) {
                Task::TakeChange => return Ok(true),
                Task::ReadEvent => self.read_event()?,
                Task::RequestList => self.request_list(now)?,
                Task::ReadEntry => self.read_entry(now)?,
                Task::Wait(until) => {
                    self.readiness.set_time(until, now)?;
                    return Ok(false);
                }
            }
            steps += 1;
            if steps % STEPS == 0 {
                now = Instant::now();
                if now.saturating_duration_since(begun) >= PATIENCE {
                    self.readiness.set_time(Some(now), now)?;
                    return Ok(false);
                }
            }
        }
    }

    /// The change that [`advance`](Self::advance) has come to.
    #[cfg(feature = "tokio")]
    pub(crate) fn change(&mut self) -> Option<Change<'_>> {
        self.replica.change()
    }

    /// Waits until [`next_change`](Self::next_change) has something to do, at the
    /// most this long (`None`: for ever); tells whether it has. Ends early, with
    /// `false`, at a signal.
    ///
    /// # Errors
    /// [`Error::Io`] from poll(2).
    pub fn wait_readable(&self, timeout: Option<Duration>) -> Result<bool> {
        if self.replica.is_busy() {
            return Ok(true);
        }
        self.readiness.wait(timeout)
    }

    /// Passes all changes to `each` until the mirror is
    /// [synchronised](Self::is_synchronised) and there are no more for now, but no
    /// longer than `timeout`; tells whether it has come to that.
    ///
    /// # Errors
    /// As [`next_change`](Self::next_change).
    pub fn settle(&mut self, timeout: Duration, mut each: impl FnMut(Change<'_>)) -> Result<bool> {
        let begun = Instant::now();
        loop {
            while let Some(change) = self.next_change()? {
                each(change);
                if begun.elapsed() >= timeout {
                    return Ok(false);
                }
            }
            if self.is_synchronised() && !self.wait_readable(Some(Duration::ZERO))? {
                return Ok(true);
            }
            let left = timeout.saturating_sub(begun.elapsed());
            if left.is_zero() {
                return Ok(false);
            }
            self.wait_readable(Some(left))?;
        }
    }

    /// The flow with this tuple, in this zone (0 is the default zone), in one of
    /// its directions, which is told.
    #[must_use]
    pub fn get(&self, tuple: &Tuple, zone: u16) -> Option<(&Flow, Direction)> {
        self.replica.get(tuple, zone)
    }

    /// The flows with this id: hardly ever more than one, but ids have 32 bits.
    pub fn with_id(&self, id: u32) -> impl Iterator<Item = &Flow> {
        self.replica.with_id(id)
    }

    /// The flows in this zone, in one of their directions at least. Looks at all
    /// flows.
    pub fn in_zone(&self, zone: u16) -> impl Iterator<Item = &Flow> {
        self.iter().filter(move |flow| {
            [Direction::Original, Direction::Reply]
                .iter()
                .any(|direction| flow.zone(*direction) == zone)
        })
    }

    /// All flows, in no order.
    pub fn iter(&self) -> impl Iterator<Item = &Flow> {
        self.replica.iter()
    }

    /// Number of flows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.replica.table.len()
    }

    /// Whether there are no flows.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether the mirror is like the table, but for events that were not read
    /// yet: it has been filled, and no events were lost since the last resync.
    #[must_use]
    pub fn is_synchronised(&self) -> bool {
        self.replica.is_synchronised()
    }

    /// Asks for a resync, which the next call of
    /// [`next_change`](Self::next_change) begins. It also gets the counters and
    /// timeouts, which events do not tell.
    pub fn resync(&mut self) {
        self.replica.resync();
    }

    /// Changes the time between regular resyncs, counted from now; `None` for no
    /// regular ones.
    pub fn set_resync_interval(&mut self, every: Option<Duration>) {
        self.replica.set_resync_interval(every, Instant::now());
    }

    /// What was counted so far.
    #[must_use]
    pub fn statistics(&self) -> MirrorStatistics {
        let buffer = self.receive_buffer().map(|buffer| buffer.granted);
        MirrorStatistics {
            receive_buffer: buffer.unwrap_or(0),
            ..self.replica.statistics()
        }
    }

    /// The size of the receive buffer, and whether it was to be larger.
    ///
    /// # Errors
    /// [`Error::Io`] from getsockopt(2).
    pub fn receive_buffer(&self) -> Result<ReceiveBuffer> {
        self.events.receive_buffer()
    }

    /// The handle that listens, to set options of its socket. Receiving from it
    /// would take away what the mirror waits for.
    #[must_use]
    pub fn listener(&self) -> &Handle {
        &self.events
    }

    fn read_event(&mut self) -> Result<()> {
        match self.events.receive(Awaiting::Anything, Wait::No) {
            Ok(Incoming::Data { place, .. }) => self.replica.event(&self.events.message(place)?),
            // Nothing was asked over this socket.
            Ok(Incoming::Last(..)) => {}
            Err(Error::WouldBlock) => self.replica.drained(),
            // What is cut or malformed is lost as well.
            Err(Error::Overrun | Error::Truncated { .. } | Error::Decode(_)) => {
                self.replica.overrun();
            }
            Err(error) => return Err(error),
        }
        Ok(())
    }

    fn request_list(&mut self, now: Instant) -> Result<()> {
        match self.lists.send(Query::Dump(L3Proto::UNSPEC)) {
            Ok(seq) => {
                self.list = Awaiting::Request(seq);
                self.replica.list_begun(now);
                Ok(())
            }
            Err(error) => {
                self.replica.list_failed(now);
                Err(error)
            }
        }
    }

    fn read_entry(&mut self, now: Instant) -> Result<()> {
        match self.lists.receive(self.list, Wait::No) {
            Ok(Incoming::Data { place, awaited, .. }) => {
                if awaited {
                    self.replica.entry(&self.lists.message(place)?);
                }
                Ok(())
            }
            Ok(Incoming::Last(_, Ok(()))) => {
                self.replica.list_ended(now);
                Ok(())
            }
            // Entries may be missing, or the kernel had no memory for the next
            // part: the next list may be a whole one.
            Ok(Incoming::Last(_, Err(Error::DumpInterrupted)))
            | Err(Error::WouldBlock | Error::Overrun) => {
                self.replica.list_failed(now);
                Ok(())
            }
            Ok(Incoming::Last(_, Err(error))) | Err(error) => {
                self.replica.list_failed(now);
                Err(error)
            }
        }
    }
}

impl AsFd for Mirror {
    /// A descriptor that is readable when [`next_change`](Mirror::next_change) has
    /// something to do.
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.readiness.as_fd()
    }
}

impl AsRawFd for Mirror {
    fn as_raw_fd(&self) -> RawFd {
        self.as_fd().as_raw_fd()
    }
}

impl fmt::Debug for Mirror {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mirror")
            .field("statistics", &self.statistics())
            .field("synchronised", &self.is_synchronised())
            .finish_non_exhaustive()
    }
}
