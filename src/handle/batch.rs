//! Many requests at once.

use super::Handle;
use super::exchange::{Caught, Incoming};
use super::inbox::Wait;
use super::query::Query;
use super::sequence::Awaiting;
use crate::error::{Error, Result};
use crate::netlink::{Flags, HEADER_LEN, Header};

/// Requests sent in one datagram. Each may be answered by an error, and all of
/// these must fit into a receive buffer of the default size at once.
const CHUNK: usize = 100;

/// Bytes of one datagram, well below the default send buffer.
const CHUNK_BYTES: usize = 64 * 1024;

impl Handle {
    /// Sends many requests, a hundred in one datagram, and tells the result of
    /// each: `done` gets its position, counted from 0, and how it went. Results
    /// come in order of position; memory does not grow with their number.
    ///
    /// Takes requests that are answered by an acknowledgement alone: create,
    /// update, delete. Events that come meanwhile go to the registered callback,
    /// whose verdict Stop has no effect here.
    ///
    /// # Errors
    /// Where sending fails, [`Error::Io`]; requests not reported to `done` by
    /// then were not sent. All else goes to `done`: the kernel's refusals,
    /// [`Error::Invalid`] for a request that cannot be built or is of another
    /// kind, [`Error::Overrun`] for those whose result was lost in one.
    ///
    /// ```no_run
    /// use netfilter_conntrack::{Conntrack, Groups, Handle, Query};
    ///
    /// # fn stale() -> Vec<Conntrack> { Vec::new() }
    /// let mut handle = Handle::open(Groups::empty())?;
    /// let stale: Vec<Conntrack> = stale();
    /// let mut gone = 0;
    /// handle.batch(stale.iter().map(Query::Destroy), |_, result| gone += usize::from(result.is_ok()))?;
    /// # Ok::<(), netfilter_conntrack::Error>(())
    /// ```
    pub fn batch<'q>(
        &mut self,
        requests: impl IntoIterator<Item = Query<'q>>,
        mut done: impl FnMut(usize, Result<()>),
    ) -> Result<()> {
        let mut requests = requests.into_iter().peekable();
        let mut position = 0;
        let mut results = Vec::with_capacity(CHUNK);
        while requests.peek().is_some() {
            self.request.clear();
            results.clear();
            let mut last = None;
            let mut first_seq = None;
            while results.len() < CHUNK && self.request.len() < CHUNK_BYTES {
                let Some(query) = requests.next() else { break };
                let seq = self.sequence.next();
                first_seq = first_seq.or(Some(seq));
                let start = self.request.len();
                let built = match query {
                    Query::Create(_)
                    | Query::Update(_)
                    | Query::CreateUpdate(_)
                    | Query::Destroy(_) => query.encode(seq, &mut self.request),
                    _ => Err(Error::Invalid("a query that a batch does not take")),
                };
                if built.is_ok() {
                    set_ack(&mut self.request, start, false);
                    last = Some((start, seq));
                }
                results.push((seq, built));
            }
            if let Some((start, seq)) = last {
                // Without the flag the kernel answers failures only, so that one
                // acknowledgement, the last one, stands for all that succeeded.
                set_ack(&mut self.request, start, true);
                self.socket.send(&self.request)?;
                self.collect(seq, &mut results);
            }
            for (_, result) in results.drain(..) {
                done(position, result);
                position += 1;
            }
        }
        Ok(())
    }

    /// Receives the answers to a chunk, up to that to its last request.
    fn collect(&mut self, last: u32, results: &mut [(u32, Result<()>)]) {
        let mut note = |seq: u32, result: Result<()>| {
            if let Some((_, place)) = results.iter_mut().find(|(own, _)| *own == seq) {
                *place = result;
            }
        };
        let mut lost = false;
        loop {
            match self.receive(Awaiting::Anything, Wait::No) {
                Ok(Incoming::Data { place, .. }) => {
                    // A malformed event is nothing the requests could be blamed for.
                    let _event = self.deliver(place);
                }
                Ok(Incoming::Last(caught, result)) => {
                    let (Caught::Acknowledged(seq) | Caught::Done(seq)) = caught else {
                        continue;
                    };
                    note(seq, result);
                    if seq == last && lost {
                        break;
                    } else if seq == last {
                        return;
                    }
                }
                // After an overrun some answers may still be there.
                Err(Error::Overrun) => lost = true,
                Err(Error::Decode(_)) => {}
                Err(_) => break,
            }
        }
        // Without the capability the kernel refuses a datagram as a whole, with
        // one answer to its first request.
        let refusal = results.iter().find_map(|(_, result)| match result {
            Err(Error::Kernel(error)) if error.errno == libc::EPERM => Some(error.clone()),
            _ => None,
        });
        for (seq, result) in results.iter_mut().filter(|(_, result)| result.is_ok()) {
            *result = Err(match &refusal {
                Some(error) => Error::Kernel(error.clone()),
                None => {
                    // Which of them failed is not known any more.
                    self.sequence.abandon(*seq);
                    Error::Overrun
                }
            });
        }
    }
}

/// Sets or clears the ACK flag of the message at `start`.
pub(super) fn set_ack(buffer: &mut [u8], start: usize, ack: bool) {
    let Some(place) = buffer
        .get_mut(start..)
        .and_then(|message| message.first_chunk_mut::<HEADER_LEN>())
    else {
        return;
    };
    if let Some(mut header) = Header::read(place) {
        header.flags.set(Flags::ACK, ack);
        *place = header.to_bytes();
    }
}
