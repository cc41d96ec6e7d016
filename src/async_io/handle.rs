//! A handle for Tokio.

use std::net::IpAddr;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::pin::Pin;

use futures_util::stream::{Stream, unfold};
use tokio::task::consume_budget;

use super::descriptor::Descriptor;
use super::dump::{AsyncDump, AsyncExpectDump, AsyncMatching};
use crate::conntrack::Conntrack;
use crate::error::{Error, Result};
use crate::expect::Expect;
use crate::filter::{DumpFilter, Predicate};
use crate::handle::{
    Caught, Deleted, DeletionPass, Event, ExpectQuery, Handle, OwnedEvent, Query, TableStats, Wait,
};
use crate::nfnetlink::{Groups, L3Proto};

/// A [`Handle`] for Tokio: events, lists and queries by `await`.
///
/// It has two sockets: events come over the one, all else goes over the other. So
/// queries and lists neither take events away nor the room for them.
///
/// ```no_run
/// use netfilter_conntrack::async_io::AsyncHandle;
/// use netfilter_conntrack::{Error, Groups, L3Proto};
///
/// # async fn follow() -> Result<(), Error> {
/// let mut handle = AsyncHandle::open(Groups::CONNTRACK)?;
/// handle.listener_mut().set_receive_buffer(8 << 20)?;
/// loop {
///     match handle.next_event().await {
///         Ok(event) => println!("{:?} {:?}", event.kind(), event.conntrack()),
///         // The kernel has dropped events: the table tells what they were about.
///         Err(Error::Overrun) => {
///             let mut list = handle.dump(L3Proto::UNSPEC).await?;
///             while let Some(entry) = list.next().await? {
///                 println!("still there: {:?}", entry.original());
///             }
///         }
///         // One malformed message is no reason to stop.
///         Err(Error::Decode(error)) => eprintln!("{error}"),
///         Err(error) => return Err(error),
///     }
/// }
/// # }
/// ```
///
/// A task that follows events while another asks uses two of them.
#[derive(Debug)]
pub struct AsyncHandle {
    listener: Handle,
    readable: Descriptor,
    requests: Handle,
}

impl AsyncHandle {
    /// Opens a handle that listens to these groups, to none with
    /// [`Groups::empty`].
    ///
    /// # Errors
    /// As [`Handle::open`]; [`Error::Invalid`] outside of a Tokio runtime.
    ///
    /// # Panics
    /// Where the runtime was built without `enable_io` or `enable_all`.
    pub fn open(groups: Groups) -> Result<Self> {
        Self::over(Handle::open(groups)?, Handle::open(Groups::empty())?)
    }

    /// Opens a handle in another network namespace; see [`Handle::open_in`].
    ///
    /// # Errors
    /// As [`open`](Self::open) and [`Handle::open_in`].
    ///
    /// # Panics
    /// As [`open`](Self::open).
    pub fn open_in(netns: impl AsFd, groups: Groups) -> Result<Self> {
        let listener = Handle::open_in(&netns, groups)?;
        Self::over(listener, Handle::open_in(&netns, Groups::empty())?)
    }

    /// A handle over two that are open already: the one listens, the other asks.
    ///
    /// # Errors
    /// [`Error::Invalid`] outside of a Tokio runtime, [`Error::Io`].
    ///
    /// # Panics
    /// As [`open`](Self::open).
    pub fn over(listener: Handle, requests: Handle) -> Result<Self> {
        listener.set_nonblocking(true)?;
        Ok(Self {
            readable: Descriptor::of(&listener)?,
            listener,
            requests,
        })
    }

    /// The handle that listens: its buffer, its losses.
    #[must_use]
    pub fn listener(&self) -> &Handle {
        &self.listener
    }

    /// The handle that listens, to register callbacks for [`catch`](Self::catch),
    /// attach filters or let the buffer grow. It must not be exchanged for another.
    #[must_use]
    pub fn listener_mut(&mut self) -> &mut Handle {
        &mut self.listener
    }

    /// The handle that asks, with all its methods. They do not wait, since the
    /// kernel answers a request while it is being sent, but what goes through the
    /// whole table keeps the thread for that long.
    #[must_use]
    pub fn requests_mut(&mut self) -> &mut Handle {
        &mut self.requests
    }

    /// The next event.
    ///
    /// # Errors
    /// As [`Handle::next_event`], but never [`Error::WouldBlock`]. Lost events are
    /// told of by [`Error::Overrun`], in order; the next call goes on.
    pub async fn next_event(&mut self) -> Result<Event<'_>> {
        consume_budget().await;
        let found = self.received(|handle| handle.find_event(Wait::No)).await?;
        self.listener.event(found)
    }

    /// The events as a stream, which does not end.
    ///
    /// Each owns what it tells of. An error is an item like others, and the stream
    /// goes on behind it: whoever wants to end at some of them does.
    ///
    /// ```no_run
    /// use futures_util::StreamExt;
    /// use netfilter_conntrack::async_io::AsyncHandle;
    /// use netfilter_conntrack::{Error, Groups};
    ///
    /// # async fn ten() -> Result<(), Error> {
    /// let mut handle = AsyncHandle::open(Groups::NEW)?;
    /// let mut events = handle.events().take(10);
    /// while let Some(event) = events.next().await {
    ///     println!("{:?}", event?.conntrack());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn events(&mut self) -> Pin<Box<dyn Stream<Item = Result<OwnedEvent>> + Send + '_>> {
        Box::pin(unfold(self, |handle| async move {
            let event = handle.next_event().await;
            let event = event.and_then(|event| Ok(event.to_owned()?));
            Some((event, handle))
        }))
    }

    /// Passes events to the callback that is registered with the
    /// [listener](Self::listener_mut) until it says
    /// [`Verdict::Stop`](crate::Verdict::Stop), or to the last reply to what was sent
    /// over the listener.
    ///
    /// # Errors
    /// As [`Handle::catch`], but never [`Error::WouldBlock`].
    pub async fn catch(&mut self) -> Result<Caught> {
        loop {
            consume_budget().await;
            let caught = self.received(|handle| handle.catch_one(Wait::No)).await?;
            if let Some(caught) = caught {
                return Ok(caught);
            }
        }
    }

    /// Asks, and gives the answer; see [`Handle::query`]. Entries in it go to the
    /// callback of the [handle that asks](Self::requests_mut). Lists are better
    /// read with [`dump`](Self::dump).
    ///
    /// # Errors
    /// As [`Handle::query`].
    pub async fn query(&mut self, query: Query<'_>) -> Result<()> {
        self.ask(|handle| handle.query(query)).await
    }

    /// Asks about expectations; see [`Handle::query_expect`].
    ///
    /// # Errors
    /// As [`Handle::query_expect`].
    pub async fn query_expect(&mut self, query: ExpectQuery<'_>) -> Result<()> {
        self.ask(|handle| handle.query_expect(query)).await
    }

    /// See [`Handle::get`].
    ///
    /// # Errors
    /// As [`Handle::get`].
    pub async fn get(&mut self, key: &Conntrack) -> Result<Conntrack> {
        self.ask(|handle| handle.get(key)).await
    }

    /// See [`Handle::create`].
    ///
    /// # Errors
    /// As [`Handle::create`].
    pub async fn create(&mut self, entry: &Conntrack) -> Result<()> {
        self.ask(|handle| handle.create(entry)).await
    }

    /// See [`Handle::update`].
    ///
    /// # Errors
    /// As [`Handle::update`].
    pub async fn update(&mut self, entry: &Conntrack) -> Result<()> {
        self.ask(|handle| handle.update(entry)).await
    }

    /// See [`Handle::create_or_update`].
    ///
    /// # Errors
    /// As [`Handle::create_or_update`].
    pub async fn create_or_update(&mut self, entry: &Conntrack) -> Result<()> {
        self.ask(|handle| handle.create_or_update(entry)).await
    }

    /// See [`Handle::delete`].
    ///
    /// # Errors
    /// As [`Handle::delete`].
    pub async fn delete(&mut self, entry: &Conntrack) -> Result<()> {
        self.ask(|handle| handle.delete(entry)).await
    }

    /// See [`Handle::flush`]. The kernel deletes all entries before it answers, and
    /// the thread waits for that.
    ///
    /// # Errors
    /// As [`Handle::flush`].
    pub async fn flush(&mut self, family: L3Proto) -> Result<()> {
        self.ask(|handle| handle.flush(family)).await
    }

    /// See [`Handle::stats`].
    ///
    /// # Errors
    /// As [`Handle::stats`].
    pub async fn stats(&mut self) -> Result<TableStats> {
        self.ask(Handle::stats).await
    }

    /// See [`Handle::get_expect`].
    ///
    /// # Errors
    /// As [`Handle::get_expect`].
    pub async fn get_expect(&mut self, key: &Expect) -> Result<Expect> {
        self.ask(|handle| handle.get_expect(key)).await
    }

    /// Lists the entries of a family, of all with [`L3Proto::UNSPEC`].
    ///
    /// # Errors
    /// As [`Handle::dump`].
    pub async fn dump(&mut self, family: L3Proto) -> Result<AsyncDump<'_>> {
        let handle = self.free_to_list().await?;
        handle.dump(family).map(AsyncDump)
    }

    /// Lists the entries that the kernel's filter lets pass.
    ///
    /// # Errors
    /// As [`Handle::dump_filtered`].
    pub async fn dump_filtered(&mut self, filter: &DumpFilter) -> Result<AsyncDump<'_>> {
        let handle = self.free_to_list().await?;
        handle.dump_filtered(filter).map(AsyncDump)
    }

    /// Lists the entries that the predicate holds for.
    ///
    /// # Errors
    /// As [`Handle::dump_matching`].
    pub async fn dump_matching(&mut self, predicate: &Predicate) -> Result<AsyncMatching<'_>> {
        let handle = self.free_to_list().await?;
        handle.dump_matching(predicate).map(AsyncMatching)
    }

    /// Lists the expectations of a family, of all with [`L3Proto::UNSPEC`].
    ///
    /// # Errors
    /// As [`Handle::dump_expects`].
    pub async fn dump_expects(&mut self, family: L3Proto) -> Result<AsyncExpectDump<'_>> {
        let handle = self.free_to_list().await?;
        handle.dump_expects(family).map(AsyncExpectDump)
    }

    /// Deletes the entries that the predicate holds for, in one pass over the
    /// table; see [`Handle::delete_matching`]. Where the future is dropped half
    /// way, up to a hundred entries that were found have not been deleted yet, or
    /// none, where there is no second socket.
    ///
    /// # Errors
    /// As [`Handle::delete_matching`].
    pub async fn delete_matching(&mut self, predicate: &Predicate) -> Result<Deleted> {
        let mut pass = DeletionPass::over(self.free_to_list().await?);
        let mut list = self.dump_matching(predicate).await?;
        while pass.take(list.next().await).is_continue() {}
        pass.finish(&mut self.requests)
    }

    /// Deletes the UDP flows to a backend that is going or has gone; see
    /// [`Handle::delete_stale_udp`].
    ///
    /// # Errors
    /// As [`Handle::delete_stale_udp`].
    pub async fn delete_stale_udp(&mut self, address: IpAddr, port: u16) -> Result<Deleted> {
        self.delete_matching(&Predicate::udp_backend(address, port))
            .await
    }

    /// What `receive` gives, which is called when there is something to receive.
    async fn received<T>(
        &mut self,
        mut receive: impl FnMut(&mut Handle) -> Result<T>,
    ) -> Result<T> {
        // Of what was asked for over the listener the descriptor does not tell when
        // it has been received.
        if self.listener.has_unread() {
            match receive(&mut self.listener) {
                Err(Error::WouldBlock) => {}
                received => return received,
            }
        }
        let listener = &mut self.listener;
        self.readable.when_readable(|| receive(listener)).await
    }

    async fn ask<T>(&mut self, ask: impl FnOnce(&mut Handle) -> Result<T>) -> Result<T> {
        consume_budget().await;
        ask(&mut self.requests)
    }

    /// The handle that asks, after an earlier list that was dropped half read has
    /// been read to its end.
    async fn free_to_list(&mut self) -> Result<&mut Handle> {
        while self.requests.drain_some()? {
            consume_budget().await;
        }
        consume_budget().await;
        Ok(&mut self.requests)
    }
}

impl AsFd for AsyncHandle {
    /// The socket of the events.
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.listener.as_fd()
    }
}

impl AsRawFd for AsyncHandle {
    fn as_raw_fd(&self) -> RawFd {
        self.as_fd().as_raw_fd()
    }
}
