//! Deletions on their way to the kernel, while a dump is read.
//!
//! A dump and the results of deletions would stand in each other's way in one
//! receive buffer: the kernel fills half of it with what it lists. So deletions go
//! through a socket of their own, if it can be opened in the network namespace that
//! the dump comes from.

use super::Handle;
use super::batch::set_ack;
use super::delete::Deleted;
use super::exchange::{Caught, Incoming};
use super::inbox::Wait;
use super::sequence::{Awaiting, Sequence};
use crate::conntrack::ConntrackRef;
use crate::error::{Error, Result};
use crate::netlink::{Flags, Header, Messages, NESTED, align};
use crate::nfnetlink::{Groups, Nfgenmsg, Subsystem};
use crate::uapi::{ct_message, cta};

/// Requests sent in one datagram. Each may be answered by an error, and all of
/// these must fit into a receive buffer of the default size at once.
const CHUNK: u64 = 100;

/// The deletions of one pass over the table.
#[derive(Debug)]
pub(super) struct Deletion {
    /// In the namespace of the dump; `None` where the deletions have to wait for
    /// the end of the dump, whose socket they share then.
    through: Option<Handle>,
    /// Not sent yet.
    waiting: Chunk,
    outcome: Deleted,
}

/// Requests, one behind the other.
#[derive(Debug, Default)]
struct Chunk {
    requests: Vec<u8>,
    count: u64,
}

impl Deletion {
    /// Deletions from the table that `handle` lists.
    pub(super) fn beside(handle: &Handle) -> Self {
        Self {
            through: companion(handle),
            waiting: Chunk::default(),
            outcome: Deleted::default(),
        }
    }

    /// Deletes an entry, the one with this tuple, zone and id: with others, when
    /// they are enough.
    ///
    /// # Errors
    /// [`Error::Io`] where sending fails.
    pub(super) fn add(&mut self, entry: &ConntrackRef<'_>) -> Result<()> {
        // The reply tuple is for the second attempt. The kernel skips it here.
        self.waiting
            .add(entry, &[cta::TUPLE_ORIG, cta::TUPLE_REPLY])?;
        self.outcome.matched += 1;
        match &mut self.through {
            Some(handle) if self.waiting.count >= CHUNK => {
                handle.carry_out(&mut self.waiting, &mut self.outcome)
            }
            _ => Ok(()),
        }
    }

    /// Deletes the rest, through `handle` where there was no other way, and tells
    /// what became of all.
    ///
    /// # Errors
    /// [`Error::Io`] where sending fails.
    pub(super) fn finish(mut self, handle: &mut Handle) -> Result<Deleted> {
        let through = self.through.as_mut().unwrap_or(handle);
        through.carry_out(&mut self.waiting, &mut self.outcome)?;
        Ok(self.outcome)
    }
}

/// Another handle in the same network namespace, where that is sure. (The thread
/// may be in another one than the handle.)
fn companion(handle: &Handle) -> Option<Handle> {
    let namespace = handle.socket.namespace_cookie().ok()?;
    let companion = Handle::open(Groups::empty()).ok()?;
    if companion.socket.namespace_cookie().ok()? == namespace {
        return Some(companion);
    }
    let there = handle.socket.namespace().ok()?;
    Handle::open_in(there, Groups::empty()).ok()
}

impl Handle {
    /// Sends the requests, a hundred in one datagram, counts what became of them
    /// and empties the chunk.
    fn carry_out(&mut self, chunk: &mut Chunk, outcome: &mut Deleted) -> Result<()> {
        let mut again = Chunk::default();
        let mut rest = &mut chunk.requests[..];
        while let Some(sent) = Datagram::cut(&mut rest, &mut self.sequence) {
            self.socket.send(sent.requests)?;
            self.count_results(sent, outcome, &mut again);
        }
        chunk.requests.clear();
        chunk.count = 0;
        match again.count {
            0 => Ok(()),
            _ => self.carry_out(&mut again, outcome),
        }
    }

    /// Receives the results of what was sent. What was not found and is to be
    /// asked for once more goes to `again`.
    fn count_results(&mut self, mut sent: Datagram<'_>, outcome: &mut Deleted, again: &mut Chunk) {
        let mut lost = false;
        loop {
            match self.receive(Awaiting::Anything, Wait::No) {
                Ok(Incoming::Last(caught, result)) => {
                    let seq = number(caught);
                    if !sent.contains(seq) {
                        continue;
                    }
                    if let Err(error) = result {
                        sent.open = sent.open.saturating_sub(1);
                        match error.errno() {
                            libc::ENOENT if again.retry(sent.requests, seq) => {}
                            libc::ENOENT => outcome.already_gone += 1,
                            _ => outcome.fail(error),
                        }
                    }
                    if seq != sent.last {
                        continue;
                    }
                    // Only the last request asked for an acknowledgement: all that
                    // were not answered by an error have succeeded.
                    match lost {
                        false => outcome.deleted += sent.open,
                        true => outcome.failed += sent.open,
                    }
                    return;
                }
                // A malformed event is nothing the deletions could be blamed for.
                Ok(Incoming::Data { place, .. }) => drop(self.deliver(place)),
                Err(Error::Overrun) => lost = true,
                Err(Error::Decode(_)) => {}
                Err(_) => {
                    outcome.failed += sent.open;
                    return;
                }
            }
        }
    }
}

impl Chunk {
    /// Adds the request to delete what has these tuples of the entry, and its
    /// zone and id. Its number is given when it is sent.
    fn add(&mut self, entry: &ConntrackRef<'_>, tuples: &[u16]) -> Result<()> {
        if tuples.iter().all(|tuple| entry.wire(*tuple).is_none()) {
            // The kernel would take the request for "delete everything".
            return Err(Error::Invalid("an entry without a tuple"));
        }
        let kind = Subsystem::CONNTRACK.message_type(ct_message::DELETE);
        let header = Header::request(kind, Flags::empty());
        let mut request = Nfgenmsg::family(entry.l3proto()).start(&mut self.requests, header);
        for kind in tuples {
            if let Some(tuple) = entry.wire(*kind) {
                request.put(kind | NESTED, tuple.payload());
            }
        }
        for kind in [cta::ZONE, cta::ID] {
            if let Some(attr) = entry.wire(kind) {
                request.put(kind, attr.payload());
            }
        }
        request.finish()?;
        self.count += 1;
        Ok(())
    }

    /// Adds the second attempt for what was not found: by its reply tuple. Where
    /// zones are of one direction, a flow can have the original tuple of another
    /// for its reply tuple, and the kernel may come upon the wrong one (and spare it,
    /// by the id). Tells whether that was the first attempt.
    fn retry(&mut self, sent: &[u8], seq: u32) -> bool {
        let mut requests = Messages::new(sent).map_while(|request| request.ok());
        let Some(request) = requests.find(|request| request.seq() == seq) else {
            return false;
        };
        let Ok(entry) = ConntrackRef::parse(&request) else {
            return false;
        };
        entry.wire(cta::TUPLE_ORIG).is_some() && self.add(&entry, &[cta::TUPLE_REPLY]).is_ok()
    }
}

/// Requests that are sent at once, and what is known of their results.
struct Datagram<'r> {
    requests: &'r [u8],
    first: u32,
    last: u32,
    /// How many have not been answered.
    open: u64,
}

impl<'r> Datagram<'r> {
    /// Takes the next requests off the front of `rest`, numbers them, and asks
    /// for an acknowledgement of the last one; `None` where there are none.
    fn cut(rest: &mut &'r mut [u8], sequence: &mut Sequence) -> Option<Self> {
        let (mut first, mut last, mut last_start) = (None, 0, 0);
        let (mut end, mut open) = (0, 0);
        while open < CHUNK {
            let Some(place) = rest.get_mut(end..).and_then(|left| left.first_chunk_mut()) else {
                break;
            };
            let header = Header::read(place)?;
            last = sequence.next();
            first = first.or(Some(last));
            *place = header.with_seq(last).to_bytes();
            last_start = end;
            end += align(header.len as usize);
            open += 1;
        }
        let (requests, left) = std::mem::take(rest).split_at_mut_checked(end)?;
        *rest = left;
        set_ack(requests, last_start, true);
        Some(Self {
            requests,
            first: first?,
            last,
            open,
        })
    }

    fn contains(&self, seq: u32) -> bool {
        seq.wrapping_sub(self.first) <= self.last.wrapping_sub(self.first)
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
