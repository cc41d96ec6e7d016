//! Asking and receiving: the triple `query`, `send` and `catch`.

use log::debug;

use super::Handle;
use super::event::{Event, Topic, Verdict};
use super::inbox::{Place, Wait};
use super::query::Query;
use super::sequence::{Awaiting, Relation};
use crate::error::{DecodeError, Error, KernelError, Result};
use crate::netlink::{Control, Flags, Header, Message};

/// Why [`Handle::catch`] returned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Caught {
    /// A callback said [`Verdict::Stop`].
    Stopped,
    /// The request with this sequence number has succeeded.
    Acknowledged(u32),
    /// The dump with this sequence number is complete.
    Done(u32),
}

/// A message that concerns whoever receives.
#[derive(Debug)]
pub(crate) enum Incoming {
    /// About an entry, or whatever else the subsystem sends.
    Data {
        place: Place,
        header: Header,
        /// Whether it belongs to the reply that is waited for.
        awaited: bool,
    },
    /// The last reply to a request: of which, and how it went.
    Last(Caught, Result<()>),
}

impl Handle {
    /// Asks, and waits for the answer. Entries in it, and events that come
    /// before its end, go to the registered callback.
    ///
    /// After [`Verdict::Stop`] to an entry of the answer its rest is dropped when
    /// it comes; later queries never take it for theirs. Stop to an event has no
    /// effect here, since the answer is still to come. A dump in which the kernel
    /// noticed a change of the table ends, with all its entries delivered, in
    /// [`Error::DumpInterrupted`].
    ///
    /// # Errors
    /// [`Error::Invalid`] where the request cannot be built; nothing is sent.
    /// [`Error::Kernel`] with what the kernel answers. [`Error::Overrun`] where
    /// messages were lost before the answer came or with it, [`Error::ReplyLost`]
    /// where the answer is not there: the request may have been carried out or
    /// not. A dump loses none of its entries in an overrun: they were all
    /// delivered when this is told.
    /// [`Error::Decode`] where a message was malformed; the others were delivered.
    #[doc(alias = "nfct_query")]
    pub fn query(&mut self, query: Query<'_>) -> Result<()> {
        let seq = self.ask(|seq, buffer| query.encode(seq, buffer), query.is_dump())?;
        self.complete(seq)
    }

    /// Asks and returns the sequence number of the request; [`catch`](Self::catch)
    /// gets the answer. (A query made before that passes the entries of the answer
    /// to the callback, but not its end.)
    ///
    /// # Errors
    /// [`Error::Invalid`] where the request cannot be built,
    /// [`Error::WouldBlock`] where the handle is non-blocking and the kernel is
    /// short of memory, [`Error::Io`].
    #[doc(alias = "nfct_send")]
    pub fn send(&mut self, query: Query<'_>) -> Result<u32> {
        self.ask(|seq, buffer| query.encode(seq, buffer), query.is_dump())
    }

    /// Receives, and passes messages to the registered callback until it says
    /// [`Verdict::Stop`] or the last reply to a request comes.
    ///
    /// On a non-blocking handle it ends in [`Error::WouldBlock`] when all has
    /// been read. Nothing that was read is left undelivered when it returns, so
    /// that waiting for the descriptor misses nothing: after a Stop what is
    /// left of the same datagram, which can only be of the same dump, is dropped
    /// with the rest of that dump.
    ///
    /// # Errors
    /// [`Error::Kernel`] where the kernel refused a request sent before, with the
    /// sequence number of that; [`Error::DumpInterrupted`] at the end of a dump
    /// sent before under which the table changed, in the place of
    /// [`Caught::Done`]; [`Error::Overrun`] once each time that messages were lost (the next call
    /// goes on with those that were not), [`Error::Decode`] for a malformed
    /// message (the next call goes on behind it), [`Error::Truncated`].
    #[doc(alias = "nfct_catch")]
    #[doc(alias = "nfexp_catch")]
    pub fn catch(&mut self) -> Result<Caught> {
        loop {
            if let Some(caught) = self.catch_one(Wait::BySocket)? {
                return Ok(caught);
            }
        }
    }

    /// Receives one message and passes it to the callback; `None` where there is
    /// no reason to stop.
    #[inline]
    pub(crate) fn catch_one(&mut self, wait: Wait) -> Result<Option<Caught>> {
        match self.receive(Awaiting::Anything, wait)? {
            Incoming::Last(caught, result) => result.map(|()| Some(caught)),
            Incoming::Data { place, header, .. } => {
                if self.deliver(place)? == Verdict::Stop {
                    self.stop(header.seq);
                    return Ok(Some(Caught::Stopped));
                }
                Ok(None)
            }
        }
    }

    /// Receives the next message about an entry, without a callback.
    ///
    /// A program that waits for many things makes the handle non-blocking, waits
    /// for its descriptor, and then takes all there is. Where events were lost it
    /// lists the table again, best with another handle: events that come during a
    /// query or a list of this one go to the registered callback alone, and are
    /// lost where there is none.
    ///
    /// ```no_run
    /// use netfilter_conntrack::{Error, Groups, Handle, L3Proto};
    ///
    /// let mut events = Handle::open(Groups::CONNTRACK)?;
    /// events.set_nonblocking(true)?;
    /// let mut table = Handle::open(Groups::empty())?;
    /// loop {
    ///     events.wait_readable(None)?; // or epoll(7) with other descriptors
    ///     loop {
    ///         match events.next_event() {
    ///             Ok(event) => println!("{:?} {:?}", event.kind(), event.conntrack()),
    ///             Err(Error::WouldBlock) => break,
    ///             Err(Error::Overrun) => {
    ///                 let mut list = table.dump(L3Proto::UNSPEC)?;
    ///                 while let Some(entry) = list.next()? {
    ///                     println!("still there: {entry:?}");
    ///                 }
    ///             }
    ///             // One malformed message is no reason to stop.
    ///             Err(Error::Decode(error)) => eprintln!("{error}"),
    ///             Err(error) => return Err(error),
    ///         }
    ///     }
    /// }
    /// # #[allow(unreachable_code)]
    /// # Ok::<(), Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`catch`](Self::catch). Acknowledgements of requests sent before are
    /// passed over, their errors are given.
    pub fn next_event(&mut self) -> Result<Event<'_>> {
        let found = self.find_event(Wait::BySocket)?;
        self.event(found)
    }

    /// Receives up to the next message about an entry and tells where it is.
    #[inline]
    pub(crate) fn find_event(&mut self, wait: Wait) -> Result<(Place, Topic)> {
        loop {
            match self.receive(Awaiting::Anything, wait)? {
                Incoming::Data { place, header, .. } => {
                    if let Some(topic) = Topic::of(header) {
                        return Ok((place, topic));
                    }
                }
                Incoming::Last(_, result) => result?,
            }
        }
    }

    /// The event that [`find_event`](Self::find_event) has just found.
    #[inline]
    pub(crate) fn event(&self, (place, topic): (Place, Topic)) -> Result<Event<'_>> {
        let message = self.inbox.message(place)?;
        Ok(Event::new(message, topic, self.inbox.nsid())?)
    }

    /// Builds a request with a fresh sequence number, sends it and returns the number.
    pub(crate) fn ask(
        &mut self,
        build: impl FnOnce(u32, &mut Vec<u8>) -> Result<()>,
        is_dump: bool,
    ) -> Result<u32> {
        let seq = self.sequence.next();
        self.request.clear();
        build(seq, &mut self.request)?;
        if is_dump {
            self.drain_abandoned_dump()?;
        }
        self.socket.send(&self.request)?;
        if is_dump {
            self.sequence.dump_started(seq);
        }
        Ok(seq)
    }

    /// Receives up to the last reply to a request, with the callback called on
    /// the way.
    pub(crate) fn complete(&mut self, seq: u32) -> Result<()> {
        let mut fault = None;
        loop {
            let failed = match self.reply(seq) {
                Ok(Incoming::Last(_, result)) => return result.and(fault.map_or(Ok(()), Err)),
                Ok(Incoming::Data { place, awaited, .. }) => match self.deliver(place) {
                    Ok(Verdict::Stop) if awaited => {
                        self.stop(seq);
                        return Ok(());
                    }
                    delivered => delivered.map(drop),
                },
                Err(error @ Error::Decode(_)) => Err(error),
                // No part of a dump is lost in an overrun; see `Dump::next`.
                Err(Error::Overrun) if self.sequence.is_dump(seq) => Err(Error::Overrun),
                Err(error) => return Err(error),
            };
            fault = fault.or(failed.err());
        }
    }

    /// Receives up to the last reply to a request and passes each message of the
    /// answer to `each`, which may refuse it; the rest is received all the same.
    pub(crate) fn answers(
        &mut self,
        seq: u32,
        mut each: impl FnMut(&Message<'_>) -> Result<()>,
    ) -> Result<()> {
        let mut outcome = Ok(());
        loop {
            let received = match self.reply(seq) {
                Ok(Incoming::Last(_, result)) => return result.and(outcome),
                Ok(Incoming::Data {
                    place,
                    awaited: true,
                    ..
                }) => each(&self.inbox.message(place)?),
                Ok(Incoming::Data { place, .. }) => self.deliver(place).map(drop),
                Err(error @ Error::Decode(_)) => Err(error),
                Err(error) => return Err(error),
            };
            outcome = outcome.and(received);
        }
    }

    /// Receives the next message while a request is being answered.
    ///
    /// The kernel handles a request while it is being sent, so its answer is
    /// there already: this never waits. An error other than a malformed message
    /// ends the answer.
    #[inline]
    pub(super) fn reply(&mut self, seq: u32) -> Result<Incoming> {
        match self.receive(Awaiting::Request(seq), Wait::No) {
            Err(Error::WouldBlock) => {
                self.sequence.abandon(seq);
                Err(Error::ReplyLost)
            }
            Err(error) if !matches!(error, Error::Decode(_)) => {
                self.sequence.abandon(seq);
                Err(error)
            }
            received => received,
        }
    }

    /// Receives the next message that concerns `awaiting`, events included.
    #[inline]
    pub(crate) fn receive(&mut self, awaiting: Awaiting, wait: Wait) -> Result<Incoming> {
        loop {
            if let Some(incoming) = self.receive_one(awaiting, wait)? {
                return Ok(incoming);
            }
        }
    }

    /// Receives one message; `None` where it does not concern `awaiting`.
    #[inline]
    fn receive_one(&mut self, awaiting: Awaiting, wait: Wait) -> Result<Option<Incoming>> {
        let (place, header) = match self.inbox.next(&self.socket, wait) {
            Err(Error::Overrun) => {
                self.overruns += 1;
                debug!("overrun {} of port {}", self.overruns, self.socket.port());
                self.growth.overrun(&self.socket);
                return Err(Error::Overrun);
            }
            next => next?,
        };
        let relation = self.sequence.relation(header.seq, awaiting);
        let message = self.inbox.message(place)?;
        if header.flags.contains(Flags::DUMP_INTR) {
            self.sequence.interrupted(header.seq);
        }
        let Some(control) = message.control() else {
            return Ok((relation != Relation::Stale).then_some(Incoming::Data {
                place,
                header,
                awaited: relation == Relation::Awaited,
            }));
        };
        let (caught, result) = match control {
            Control::Noop => return Ok(None),
            Control::Overrun => {
                self.overruns += 1;
                return Err(Error::Overrun);
            }
            Control::Malformed => {
                return Err(DecodeError::Short { header: "nlmsgerr" }.into());
            }
            Control::Ack(_) => (Caught::Acknowledged(header.seq), Ok(())),
            Control::Done(0, _) => (Caught::Done(header.seq), Ok(())),
            // There was no room for the first part of a dump. The kernel has
            // begun it all the same, and makes that part when there is room.
            Control::Error(libc::ENOBUFS, _) if self.sequence.is_dump(header.seq) => {
                return Ok(None);
            }
            Control::Error(errno, text) | Control::Done(errno, text) => {
                let error = KernelError::new(header.seq, errno, text);
                (Caught::Acknowledged(header.seq), Err(Error::Kernel(error)))
            }
        };
        let result = match self.sequence.finished(header.seq) {
            true => result.and(Err(Error::DumpInterrupted)),
            false => result,
        };
        // A query does not end with the last reply to something sent before it.
        let concerned = match awaiting {
            Awaiting::Anything => relation != Relation::Stale,
            Awaiting::Request(_) => relation == Relation::Awaited,
        };
        Ok(concerned.then_some(Incoming::Last(caught, result)))
    }

    /// The message that [`receive`](Self::receive) has just given the place of.
    #[inline]
    pub(crate) fn message(&self, place: Place) -> Result<Message<'_>> {
        Ok(self.inbox.message(place)?)
    }

    /// Passes the message at `place` to the callback.
    #[inline]
    pub(super) fn deliver(&mut self, place: Place) -> Result<Verdict> {
        let message = self.inbox.message(place)?;
        let nsid = self.inbox.nsid();
        Ok(self.registry.dispatch(message, nsid)?)
    }

    /// Drops the rest of what a callback said Stop to. An event stands alone in
    /// its datagram; a dump goes on in this one and in others.
    fn stop(&mut self, seq: u32) {
        self.inbox.discard();
        if seq != 0 {
            self.sequence.abandon(seq);
        }
    }

    /// Reads a dump that nobody wants any more to its end, since the kernel
    /// refuses a second one beside it (EBUSY). Events on the way are delivered.
    fn drain_abandoned_dump(&mut self) -> Result<()> {
        while self.drain_some()? {}
        Ok(())
    }

    /// Reads a message of such a dump; `false` where there is none any more.
    pub(crate) fn drain_some(&mut self) -> Result<bool> {
        let Some(dump) = self.sequence.abandoned_dump() else {
            return Ok(false);
        };
        match self.receive_one(Awaiting::Anything, Wait::No) {
            Ok(Some(Incoming::Data { place, .. })) => {
                self.deliver(place)?;
            }
            Ok(Some(Incoming::Last(..)) | None) | Err(Error::Decode(_)) => {}
            // Its end was lost; the kernel will say whether it is still there.
            Err(Error::WouldBlock) => self.sequence.forget_dump(dump),
            Err(error) => return Err(error),
        }
        Ok(true)
    }
}
