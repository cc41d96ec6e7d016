//! How a mirror is to be.

use std::os::fd::AsFd;
use std::time::Duration;

use super::Mirror;
use super::flow::Flow;
use super::replica::{Replica, ReplicaOptions};
use crate::error::Result;
use crate::filter::Predicate;
use crate::handle::Handle;
use crate::nfnetlink::Groups;

/// Options of a [`Mirror`].
///
/// ```no_run
/// use std::time::Duration;
/// use netfilter_conntrack::filter::Predicate;
/// use netfilter_conntrack::{L4Proto, Mirror};
///
/// let mirror = Mirror::options()
///     .keep(&Predicate::l4proto(L4Proto::UDP))
///     .resync_every(Some(Duration::from_secs(60)))
///     .open()?;
/// # Ok::<(), netfilter_conntrack::Error>(())
/// ```
#[must_use]
pub struct MirrorOptions {
    replica: ReplicaOptions,
    receive_buffer: usize,
    receive_buffer_max: usize,
}

impl MirrorOptions {
    pub(super) fn new() -> Self {
        Self {
            replica: ReplicaOptions {
                keep: None,
                limit: usize::MAX,
                every: Some(Duration::from_secs(300)),
                pause_min: Duration::from_millis(100),
                pause_max: Duration::from_secs(10),
            },
            receive_buffer: 4 << 20,
            receive_buffer_max: 64 << 20,
        }
    }

    /// Keeps only flows that match; at first all. Flows are checked at each
    /// change: one that begins to match is [`Inserted`](super::Change::Inserted)
    /// then, one that ceases to is [`Removed`](super::Change::Removed).
    ///
    /// A flow of a mirror has no helper, so a test of the helper does not hold. It
    /// has the counters of the last resync.
    pub fn keep(self, flows: &Predicate) -> Self {
        let flows = flows.compile();
        self.keep_if(move |flow| flows.matches(flow))
    }

    /// The same by a function in the place of a predicate.
    pub fn keep_if(mut self, keep: impl Fn(&Flow) -> bool + Send + 'static) -> Self {
        self.replica.keep = Some(Box::new(keep));
        self
    }

    /// Keeps no more than this many flows; at first as many as there are. Further
    /// ones are counted as [`rejected`](super::MirrorStatistics::rejected).
    pub fn limit(mut self, flows: usize) -> Self {
        self.replica.limit = flows;
        self
    }

    /// The time between regular resyncs; at first 5 minutes. `None`: resyncs are
    /// made only where events were lost or [`Mirror::resync`] asks for one.
    pub fn resync_every(mut self, every: Option<Duration>) -> Self {
        self.replica.every = every;
        self
    }

    /// The shortest and longest pause after a resync before lost events lead to
    /// the next; at first 100 ms and 10 s. The pause doubles each time that a
    /// resync is spoiled because events are lost meanwhile, and is never shorter
    /// than the resync before it took.
    pub fn resync_pause(mut self, shortest: Duration, longest: Duration) -> Self {
        self.replica.pause_min = shortest;
        self.replica.pause_max = longest;
        self
    }

    /// Bytes of the receive buffer to ask for; at first 4 MiB. See
    /// [`Handle::set_receive_buffer`].
    pub fn receive_buffer(mut self, bytes: usize) -> Self {
        self.receive_buffer = bytes;
        self
    }

    /// Bytes that the receive buffer may grow to where events are lost, as the
    /// kernel counts them; at first 64 MiB. See [`Handle::set_buffer_growth`].
    pub fn receive_buffer_max(mut self, bytes: usize) -> Self {
        self.receive_buffer_max = bytes;
        self
    }

    /// Opens the mirror.
    ///
    /// # Errors
    /// [`Error::Io`](crate::Error::Io): EPERM without CAP_NET_ADMIN in the user
    /// namespace that owns the network namespace, EMFILE….
    pub fn open(self) -> Result<Mirror> {
        let events = Handle::open(Groups::CONNTRACK)?;
        let lists = Handle::open(Groups::empty())?;
        self.over(events, lists)
    }

    /// Opens the mirror of another network namespace; see [`Handle::open_in`].
    ///
    /// # Errors
    /// As [`open`](Self::open) and [`Handle::open_in`].
    pub fn open_in(self, netns: impl AsFd) -> Result<Mirror> {
        let events = Handle::open_in(&netns, Groups::CONNTRACK)?;
        let lists = Handle::open_in(&netns, Groups::empty())?;
        self.over(events, lists)
    }

    /// A replica, which does no input and output, with these options.
    #[must_use]
    pub fn replica(self) -> Replica {
        Replica::new(self.replica)
    }

    fn over(self, mut events: Handle, lists: Handle) -> Result<Mirror> {
        events.set_receive_buffer(self.receive_buffer)?;
        events.set_buffer_growth(Some(self.receive_buffer_max));
        Mirror::over(events, lists, self.replica())
    }
}
