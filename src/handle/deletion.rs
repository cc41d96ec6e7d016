//! Deletions on their way to the kernel, while a dump is read.
//!
//! They go through the socket of the dump, so that they reach the network
//! namespace it comes from, and their results come in between its datagrams.

use std::collections::VecDeque;

use super::batch::set_ack;
use super::delete::Deleted;
use super::sequence::Sequence;
use crate::conntrack::ConntrackRef;
use crate::error::{Error, Result};
use crate::netlink::{Flags, Header, Messages, NESTED};
use crate::nfnetlink::{Nfgenmsg, Subsystem};
use crate::uapi::{ct_message, cta};

/// Requests sent in one datagram. Each may be answered by an error, for which
/// the kernel takes up to 1 KiB of the receive buffer. All of these must fit into
/// one of the default size, of which the dump fills half and a datagram more.
const CHUNK: u64 = 64;

/// The deletions of one pass over the table.
#[derive(Debug, Default)]
pub(super) struct Deletion {
    /// Not sent yet. A chunk waits for the results of the one before it, which
    /// stand behind a few datagrams of the dump: the queue stays short.
    waiting: VecDeque<Chunk>,
    in_flight: Option<Chunk>,
    pub(super) outcome: Deleted,
}

/// Requests for one datagram, and what is known of their results.
#[derive(Debug)]
struct Chunk {
    requests: Vec<u8>,
    first: u32,
    last: u32,
    /// Where in the datagram the last request starts.
    last_start: usize,
    /// Of the requests, how many have been put and not been answered.
    open: u64,
}

impl Deletion {
    /// Adds the request to delete an entry: the one with this tuple, zone and id.
    pub(super) fn add(&mut self, entry: &ConntrackRef<'_>, sequence: &mut Sequence) -> Result<()> {
        // The reply tuple is for the second attempt. The kernel skips it here.
        self.request(entry, &[cta::TUPLE_ORIG, cta::TUPLE_REPLY], sequence)?;
        self.outcome.matched += 1;
        Ok(())
    }

    /// The next datagram to send, where it is time; `all` also where it is not full.
    pub(super) fn next_datagram(&mut self, all: bool) -> Option<&[u8]> {
        let full = self.waiting.front().is_some_and(Chunk::is_full);
        if self.in_flight.is_some() || !(all || full) {
            return None;
        }
        self.in_flight = self.waiting.pop_front();
        self.in_flight.as_mut().map(Chunk::finish)
    }

    /// Whether results are still to come.
    pub(super) fn is_in_flight(&self) -> bool {
        self.in_flight.is_some()
    }

    /// Takes the result of a request.
    pub(super) fn note(&mut self, seq: u32, result: Result<()>, sequence: &mut Sequence) {
        let Some(mut chunk) = self.in_flight.take() else {
            return;
        };
        if !chunk.contains(seq) {
            self.in_flight = Some(chunk);
            return;
        }
        if let Err(error) = result {
            chunk.open = chunk.open.saturating_sub(1);
            match error {
                Error::Kernel(error) if error.errno == libc::ENOENT => {
                    if !self.retry(&chunk, seq, sequence) {
                        self.outcome.already_gone += 1;
                    }
                }
                error => self.outcome.fail(error),
            }
        }
        if seq == chunk.last {
            // Only the last request asked for an acknowledgement: all that were
            // not answered by an error have succeeded.
            self.outcome.deleted += chunk.open;
        } else {
            self.in_flight = Some(chunk);
        }
    }

    /// Gives up waiting: the results that are not there were lost.
    pub(super) fn lose(&mut self) {
        if let Some(chunk) = self.in_flight.take() {
            self.outcome.failed += chunk.open;
        }
    }

    /// Asks a second time for what was not found, by its reply tuple. Where zones
    /// are of one direction, a flow can have the original tuple of another for its
    /// reply tuple, and the kernel may come upon the wrong one (and spare it, by the
    /// id). Tells whether this was the first attempt.
    fn retry(&mut self, chunk: &Chunk, seq: u32, sequence: &mut Sequence) -> bool {
        let requests = Messages::new(&chunk.requests).map_while(|request| request.ok());
        let Some(request) = { requests }.find(|request| request.seq() == seq) else {
            return false;
        };
        let Ok(entry) = ConntrackRef::parse(&request) else {
            return false;
        };
        entry.wire(cta::TUPLE_ORIG).is_some()
            && self.request(&entry, &[cta::TUPLE_REPLY], sequence).is_ok()
    }

    fn request(
        &mut self,
        entry: &ConntrackRef<'_>,
        tuples: &[u16],
        sequence: &mut Sequence,
    ) -> Result<()> {
        let seq = sequence.next();
        if self.waiting.back().is_none_or(Chunk::is_full) {
            self.waiting.push_back(Chunk::starting_with(seq));
        }
        match self.waiting.back_mut() {
            Some(chunk) => chunk.add(entry, tuples, seq),
            None => Ok(()),
        }
    }
}

impl Chunk {
    fn starting_with(first: u32) -> Self {
        Self {
            requests: Vec::new(),
            first,
            last: first,
            last_start: 0,
            open: 0,
        }
    }

    fn is_full(&self) -> bool {
        self.open >= CHUNK
    }

    /// Whether the number is one of this chunk, or of a dump that was started
    /// in between.
    fn contains(&self, seq: u32) -> bool {
        seq.wrapping_sub(self.first) <= self.last.wrapping_sub(self.first)
    }

    /// Adds the request to delete what has these tuples of the entry, and its
    /// zone and id.
    fn add(&mut self, entry: &ConntrackRef<'_>, tuples: &[u16], seq: u32) -> Result<()> {
        if tuples.iter().all(|tuple| entry.wire(*tuple).is_none()) {
            // The kernel would take the request for "delete everything".
            return Err(Error::Invalid("an entry without a tuple"));
        }
        let kind = Subsystem::CONNTRACK.message_type(ct_message::DELETE);
        let header = Header::request(kind, Flags::empty()).with_seq(seq);
        let start = self.requests.len();
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
        (self.last, self.last_start) = (seq, start);
        self.open += 1;
        Ok(())
    }

    /// Asks for an acknowledgement of the last request; the datagram is complete.
    fn finish(&mut self) -> &[u8] {
        set_ack(&mut self.requests, self.last_start, true);
        &self.requests
    }
}
