//! Listing entries, one view at a time.

use super::Handle;
use super::exchange::Incoming;
use super::inbox::Place;
use super::query::Query;
use crate::conntrack::{Conntrack, ConntrackRef};
use crate::error::{Error, Result};
use crate::netlink::{Flags, Message};

/// A list of entries as it comes from the kernel.
///
/// Entries are views into one reused buffer; whoever wants to keep one takes
/// [`ConntrackRef::to_owned`]. The kernel lists the table bucket by bucket while
/// it changes: an entry that is there all the time is listed, one that comes or
/// goes meanwhile may be listed or not. An entry may be listed twice where the
/// kernel was to go on with an older one of the same bucket and that is gone
/// (Linux 6.18); the id tells.
///
/// Events that the handle has subscribed to and that come in between go to the
/// registered callback; its verdict Stop has no effect here.
///
/// A list dropped half read costs nothing but that the next dump of the handle
/// first reads it to its end.
#[derive(Debug)]
pub struct Dump<'h> {
    handle: &'h mut Handle,
    seq: u32,
    state: State,
    interrupted: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Running,
    Complete,
    /// Its interruption has still to be told.
    Interrupted,
}

impl<'h> Dump<'h> {
    pub(super) fn new(handle: &'h mut Handle, seq: u32) -> Self {
        // Nobody may read it to its end. Until then its messages count as left
        // over for all but this list. (Doing that on drop instead would make the
        // list borrow the handle to the end of the scope.)
        handle.sequence.abandon(seq);
        Self {
            handle,
            seq,
            state: State::Running,
            interrupted: false,
        }
    }

    /// A list that is at its end.
    pub(super) fn finished(handle: &'h mut Handle) -> Self {
        Self {
            handle,
            seq: 0,
            state: State::Complete,
            interrupted: false,
        }
    }

    /// Starts another list in the place of this one, which is at its end.
    pub(super) fn restart(&mut self, query: Query<'_>) -> Result<()> {
        let ask = |seq, buffer: &mut Vec<u8>| query.encode(seq, buffer);
        self.seq = self.handle.ask(ask, true)?;
        self.handle.sequence.abandon(self.seq);
        self.state = State::Running;
        self.interrupted = false;
        Ok(())
    }

    /// The next entry; `None` at the end.
    ///
    /// # Errors
    /// [`Error::Decode`] for a malformed entry (the next call goes on behind
    /// it); [`Error::DumpInterrupted`] at the end, once, where the kernel noticed
    /// that the table changed in a way that entries may be missing or doubled;
    /// [`Error::Overrun`], [`Error::ReplyLost`] or [`Error::Kernel`] where
    /// the list cannot go on.
    #[allow(clippy::should_implement_trait, reason = "an iterator cannot lend")]
    #[inline]
    pub fn next(&mut self) -> Result<Option<ConntrackRef<'_>>> {
        let message = self.next_message()?;
        Ok(message.as_ref().map(ConntrackRef::parse).transpose()?)
    }

    /// Decodes the next entry into `entry`, in the place of what it had; `false`
    /// at the end. Reusing one entry allocates nothing per entry of the list.
    ///
    /// # Errors
    /// As [`next`](Self::next).
    #[inline]
    pub fn next_into(&mut self, entry: &mut Conntrack) -> Result<bool> {
        match self.next()? {
            Some(view) => {
                view.decode_into(entry)?;
                Ok(true)
            }
            None => Ok(false),
        }
    }

    /// The entries as objects of their own.
    pub fn owned(mut self) -> impl Iterator<Item = Result<Conntrack>> + use<'h> {
        std::iter::from_fn(move || match self.next() {
            Ok(Some(view)) => Some(view.to_owned().map_err(Error::from)),
            Ok(None) => None,
            Err(error) => Some(Err(error)),
        })
    }

    /// The message of the next entry.
    #[inline]
    pub(super) fn next_message(&mut self) -> Result<Option<Message<'_>>> {
        let place = self.advance()?;
        let message = place.map(|place| self.handle.inbox.message(place));
        Ok(message.transpose()?)
    }

    /// The entry at a place that [`advance`](Self::advance) gave last.
    #[inline]
    pub(super) fn view(&self, place: Place) -> Result<ConntrackRef<'_>> {
        let message = self.handle.inbox.message(place)?;
        Ok(ConntrackRef::parse(&message)?)
    }

    #[inline]
    pub(super) fn advance(&mut self) -> Result<Option<Place>> {
        while self.state == State::Running {
            match self.handle.reply(self.seq) {
                Ok(Incoming::Data {
                    place,
                    header,
                    awaited: true,
                }) => {
                    self.interrupted |= header.flags.contains(Flags::DUMP_INTR);
                    return Ok(Some(place));
                }
                Ok(Incoming::Data { place, .. }) => {
                    self.handle.deliver(place)?;
                }
                Ok(Incoming::Last(_, result)) => {
                    self.state = match self.interrupted {
                        true => State::Interrupted,
                        false => State::Complete,
                    };
                    result?;
                }
                Err(error @ Error::Decode(_)) => return Err(error),
                Err(error) => {
                    self.state = State::Complete;
                    return Err(error);
                }
            }
        }
        if self.state == State::Interrupted {
            self.state = State::Complete;
            return Err(Error::DumpInterrupted);
        }
        Ok(None)
    }
}
