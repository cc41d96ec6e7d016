//! Listing entries, one view at a time.

use super::Handle;
use super::exchange::Incoming;
use super::inbox::Place;
use super::query::Query;
use crate::conntrack::{Conntrack, ConntrackRef};
use crate::error::{Error, Result};
use crate::netlink::Message;

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
    /// Whether there is more to come.
    running: bool,
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
            running: true,
        }
    }

    /// A list that is at its end.
    pub(super) fn finished(handle: &'h mut Handle) -> Self {
        Self {
            handle,
            seq: 0,
            running: false,
        }
    }

    /// Starts another list in the place of this one, which is at its end.
    pub(super) fn restart(&mut self, query: Query<'_>) -> Result<()> {
        let ask = |seq, buffer: &mut Vec<u8>| query.encode(seq, buffer);
        self.seq = self.handle.ask(ask, true)?;
        self.handle.sequence.abandon(self.seq);
        self.running = true;
        Ok(())
    }

    /// The next entry; `None` at the end.
    ///
    /// # Errors
    /// [`Error::Decode`] for a malformed entry (the next call goes on behind
    /// it); [`Error::DumpInterrupted`] at the end, once, where the kernel noticed
    /// that the table changed in a way that entries may be missing or doubled;
    /// [`Error::Overrun`] where events that the handle listens to were lost (the
    /// next call goes on, and no entry is missing: the kernel makes the parts of
    /// a list as they are read); [`Error::ReplyLost`] or [`Error::Kernel`] where
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
        while self.running {
            match self.handle.reply(self.seq) {
                Ok(Incoming::Data {
                    place,
                    awaited: true,
                    ..
                }) => return Ok(Some(place)),
                Ok(Incoming::Data { place, .. }) => {
                    self.handle.deliver(place)?;
                }
                Ok(Incoming::Last(_, result)) => {
                    self.running = false;
                    result?;
                }
                Err(error) => {
                    self.running = matches!(error, Error::Decode(_) | Error::Overrun);
                    return Err(error);
                }
            }
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::handle::inbox::Wait;
    use crate::handle::sequence::Awaiting;
    use crate::handle::{Caught, EventMask, Verdict};
    use crate::netlink::{Builder, Flags, Header};
    use crate::nfnetlink::{Groups, L3Proto, Nfgenmsg, Subsystem};

    /// A handle to which the kernel seems to have sent a dump: two entries and
    /// the end, with these flags.
    fn listed(seq: u32, flags: [Flags; 3]) -> Handle {
        let entry = Subsystem::CONNTRACK.message_type(0);
        let done = crate::netlink::kind::DONE;
        let mut datagram = Vec::new();
        for (kind, flags) in [entry, entry, done].into_iter().zip(flags) {
            let header = Header {
                kind,
                flags: flags | Flags::MULTI,
                seq,
                ..Header::default()
            };
            let message = Nfgenmsg::family(L3Proto::UNSPEC).start(&mut datagram, header);
            message.finish().unwrap();
        }
        received(seq, datagram)
    }

    /// A handle that has asked for a dump and got this datagram.
    fn received(seq: u32, datagram: Vec<u8>) -> Handle {
        let mut handle = Handle::open(Groups::empty()).unwrap();
        handle.inbox.put(datagram);
        handle.sequence.dump_started(seq);
        handle
    }

    /// Each kind of message can be the one that tells of it.
    fn interruptions() -> [[Flags; 3]; 3] {
        let (none, interrupted) = (Flags::empty(), Flags::DUMP_INTR);
        [
            [interrupted, none, none],
            [none, interrupted, interrupted],
            [none, none, interrupted],
        ]
    }

    #[test]
    fn an_interruption_is_told_at_the_end_and_once() {
        for flags in interruptions() {
            let mut handle = listed(7, flags);
            let mut dump = Dump::new(&mut handle, 7);
            assert!(dump.next().unwrap().is_some());
            assert!(dump.next().unwrap().is_some());
            assert_eq!(dump.next().unwrap_err(), Error::DumpInterrupted);
            assert!(dump.next().unwrap().is_none());
            // It is not told of the next one.
            assert!(!handle.sequence.finished(7));
        }
        let mut handle = listed(7, [Flags::empty(); 3]);
        assert!(Dump::new(&mut handle, 7).owned().all(|entry| entry.is_ok()));
    }

    #[test]
    fn callbacks_get_all_entries_of_an_interrupted_list() {
        for flags in interruptions() {
            for catch in [false, true] {
                let mut handle = listed(7, flags);
                let (sender, entries) = std::sync::mpsc::channel();
                handle.register(EventMask::ALL, move |event| {
                    sender.send(event.kind()).unwrap();
                    Verdict::Continue
                });
                let result = match catch {
                    false => handle.complete(7),
                    true => handle
                        .catch()
                        .map(|caught| assert_eq!(caught, Caught::Done(7))),
                };
                assert_eq!(result, Err(Error::DumpInterrupted));
                assert_eq!(entries.try_iter().count(), 2);
            }
        }
    }

    #[test]
    fn nobody_else_hears_of_the_interruption_of_a_list_that_was_dropped() {
        let mut handle = listed(7, [Flags::DUMP_INTR; 3]);
        handle.sequence.abandon(7);
        let nothing = handle.receive(Awaiting::Anything, Wait::No);
        assert_eq!(nothing.unwrap_err(), Error::WouldBlock);
        assert!(!handle.sequence.finished(7));
    }

    #[test]
    fn a_list_goes_on_though_there_was_no_room_for_its_first_part() {
        let mut datagram = Vec::new();
        let error = Header {
            kind: crate::netlink::kind::ERROR,
            seq: 7,
            ..Header::default()
        };
        let mut message = Builder::new(&mut datagram, error);
        message.put_bytes(&(-libc::ENOBUFS).to_ne_bytes());
        message.put_bytes(&Header::default().to_bytes());
        message.finish().unwrap();
        let entry = Header {
            kind: Subsystem::CONNTRACK.message_type(0),
            ..error
        };
        let message = Nfgenmsg::family(L3Proto::IPV4).start(&mut datagram, entry);
        message.finish().unwrap();
        let mut handle = received(7, datagram);
        assert!(Dump::new(&mut handle, 7).next().unwrap().is_some());
        // It still keeps the kernel from starting another.
        assert_eq!(handle.sequence.abandoned_dump(), Some(7));
    }
}
