//! The handle: queries, events, and the socket under them.

mod batch;
mod buffer;
mod delete;
mod deletion;
mod dump;
mod event;
mod exchange;
mod expect;
mod inbox;
#[cfg(feature = "capi")]
mod lend;
mod matching;
mod namespace;
mod operations;
mod owned_event;
mod probe;
mod query;
mod sequence;
mod stats;

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::time::Duration;

pub use buffer::ReceiveBuffer;
pub use delete::{Deleted, Flushed};
pub use dump::Dump;
pub use event::{Event, EventKind, EventMask, Verdict};
pub use exchange::Caught;
pub use expect::{ExpectDump, ExpectQuery};
pub use matching::Matching;
pub use owned_event::OwnedEvent;
pub use probe::Capabilities;
pub use query::Query;
pub use stats::{CpuStats, ExpectCpuStats, TableStats};

#[cfg(feature = "capi")]
pub(crate) use inbox::Place;
#[cfg(feature = "tokio")]
pub(crate) use {delete::DeletionPass, matching::Step};
pub(crate) use {exchange::Incoming, inbox::Wait, sequence::Awaiting};

use crate::error::Result;
use crate::filter::EventFilter;
use crate::netlink::{Family, Socket, SocketOption};
use crate::nfnetlink::{Groups, Subsystem};
use buffer::Growth;
use event::Registry;
use inbox::Inbox;
use probe::Probed;
use sequence::Sequence;

/// A connection to the kernel's table: queries, events, or both.
///
/// Three calls mirror the C library: [`query`](Self::query) asks and waits for
/// the answer, [`send`](Self::send) only asks, [`catch`](Self::catch) receives;
/// the latter two pass messages to the callback that is
/// [registered](Self::register). On top of them stand [`dump`](Self::dump),
/// [`get`](Self::get), [`create`](Self::create), [`delete`](Self::delete) and
/// the like. Events can also be pulled, with [`next_event`](Self::next_event).
///
/// Any request, a dump too, needs CAP_NET_ADMIN in the user namespace that owns
/// the network namespace, and so does listening; opening a handle does not.
///
/// A handle that listens and asks shares one receive buffer between both:
/// where events are many, use one handle to listen and another to ask. Events
/// that come while a query is answered or a list is read go to the registered
/// callback; without one they are dropped.
///
/// ```no_run
/// use netfilter_conntrack::{Groups, Handle, L3Proto};
///
/// let mut handle = Handle::open(Groups::empty())?;
/// let mut dump = handle.dump(L3Proto::UNSPEC)?;
/// while let Some(entry) = dump.next()? {
///     println!("{:?} {:?}", entry.original(), entry.status());
/// }
/// # Ok::<(), netfilter_conntrack::Error>(())
/// ```
#[doc(alias = "nfct_handle")]
#[doc(alias = "nfct_close")]
#[derive(Debug)]
pub struct Handle {
    socket: Socket,
    inbox: Inbox,
    registry: Registry,
    sequence: Sequence,
    /// The request being built; its memory is used again.
    request: Vec<u8>,
    overruns: u64,
    growth: Growth,
    probed: Probed,
}

impl Handle {
    /// Opens a handle that listens to these groups, to none with
    /// [`Groups::empty`].
    ///
    /// # Errors
    /// [`Error::Io`](crate::Error::Io): EPERM where groups are given and
    /// CAP_NET_ADMIN is missing, EMFILE….
    #[doc(alias = "nfct_open")]
    pub fn open(groups: Groups) -> Result<Self> {
        let socket = Socket::bind(Family::NETFILTER, 0, groups.bits())?;
        // Both explain or shorten errors and are no loss on kernels without them.
        for option in [SocketOption::ExtAck, SocketOption::CapAck] {
            let _unknown_to_the_kernel = socket.set_option(option, true);
        }
        Ok(Self::from_socket(socket))
    }

    /// A handle over a socket of the family [`Family::NETFILTER`]. What was sent
    /// over it before must have been answered.
    #[doc(alias = "nfct_open_nfnl")]
    #[must_use]
    pub fn from_socket(socket: Socket) -> Self {
        Self {
            socket,
            inbox: Inbox::new(),
            registry: Registry::default(),
            sequence: Sequence::new(),
            request: Vec::new(),
            overruns: 0,
            growth: Growth::default(),
            probed: Probed::default(),
        }
    }

    /// Gets the memory for requests and answers before there are any: where there
    /// is none, this fails, and they end the process.
    #[cfg(feature = "capi")]
    pub(crate) fn reserve(&mut self) -> std::result::Result<(), std::collections::TryReserveError> {
        /// As much as the C library has for a request.
        const REQUEST: usize = 4096;
        self.request.try_reserve_exact(REQUEST)?;
        self.inbox.reserve()?;
        self.sequence.reserve()
    }

    /// Calls `callback` for each message about an entry whose kind is in
    /// `mask`, in the place of the callback registered before.
    ///
    /// ```no_run
    /// use netfilter_conntrack::{EventMask, Groups, Handle, Verdict};
    ///
    /// let mut handle = Handle::open(Groups::CONNTRACK)?;
    /// let mut left = 10;
    /// handle.register(EventMask::NEW, move |event| {
    ///     println!("{:?}", event.conntrack());
    ///     left -= 1;
    ///     if left == 0 { Verdict::Stop } else { Verdict::Continue }
    /// });
    /// handle.catch()?;
    /// # Ok::<(), netfilter_conntrack::Error>(())
    /// ```
    #[doc(alias = "nfct_callback_register")]
    #[doc(alias = "nfct_callback_register2")]
    pub fn register(
        &mut self,
        mask: EventMask,
        callback: impl FnMut(&mut Event<'_>) -> Verdict + Send + 'static,
    ) {
        self.registry
            .register(Subsystem::CONNTRACK, mask, Box::new(callback));
    }

    /// Takes the callback away: messages about entries are skipped then.
    #[doc(alias = "nfct_callback_unregister")]
    #[doc(alias = "nfct_callback_unregister2")]
    pub fn unregister(&mut self) {
        self.registry.unregister(Subsystem::CONNTRACK);
    }

    /// Makes [`catch`](Self::catch), [`send`](Self::send) and
    /// [`next_event`](Self::next_event) return
    /// [`Error::WouldBlock`](crate::Error::WouldBlock) instead of waiting.
    /// Queries are not affected: the kernel answers them at once.
    ///
    /// # Errors
    /// [`Error::Io`](crate::Error::Io).
    pub fn set_nonblocking(&self, nonblocking: bool) -> Result<()> {
        self.socket.set_nonblocking(nonblocking)
    }

    /// Datagrams that were ignored because not the kernel had sent them.
    #[must_use]
    pub fn foreign_datagrams(&self) -> u64 {
        self.inbox.foreign()
    }

    /// Whether messages have been received that were not handed out yet: of a
    /// list, since an event has a datagram of its own. The descriptor does not
    /// tell of these. There are none where all was read to
    /// [`Error::WouldBlock`](crate::Error::WouldBlock).
    #[must_use]
    pub fn has_unread(&self) -> bool {
        self.inbox.has_unread()
    }

    /// Waits until there is something to catch, at the most this long (`None`:
    /// for ever); tells whether there is. Ends early, with `false`, at a signal.
    ///
    /// # Errors
    /// [`Error::Io`](crate::Error::Io).
    pub fn wait_readable(&self, timeout: Option<Duration>) -> Result<bool> {
        if self.inbox.has_unread() {
            return Ok(true);
        }
        self.socket.wait_readable(timeout)
    }

    /// Puts a filter in front of the receive buffer, in place of an earlier
    /// one; see [`EventFilter`] for what this means for queries.
    ///
    /// # Errors
    /// As [`EventFilter::attach`].
    #[doc(alias = "nfct_filter_attach")]
    pub fn attach(&self, filter: &EventFilter) -> Result<()> {
        filter.attach(&self.socket)
    }

    /// Takes the filter away.
    ///
    /// # Errors
    /// [`Error::Io`](crate::Error::Io): ENOENT where there is none.
    #[doc(alias = "nfct_filter_detach")]
    pub fn detach(&self) -> Result<()> {
        self.socket.detach_filter()
    }

    /// The port id, which the kernel puts into the messages about what this
    /// handle changed; see [`Event::header`].
    #[doc(alias = "nfnl_portid")]
    #[must_use]
    pub fn port(&self) -> u32 {
        self.socket.port()
    }

    /// The socket, to set options or to look at it. Receiving from it would
    /// take away what the handle waits for.
    #[doc(alias = "nfct_nfnlh")]
    #[must_use]
    pub fn socket(&self) -> &Socket {
        &self.socket
    }
}

impl AsFd for Handle {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

impl AsRawFd for Handle {
    #[doc(alias = "nfct_fd")]
    fn as_raw_fd(&self) -> RawFd {
        self.socket.as_raw_fd()
    }
}
