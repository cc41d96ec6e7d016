//! Reads events, and makes up for those that were lost.

use std::io::{self, BufWriter, Stdout};
use std::os::fd::{AsRawFd, RawFd};

use netfilter_conntrack::{Error, EventKind, Groups, Handle, L3Proto};

use super::ledger::{Ledger, key};
use super::log::{Ended, Log};

pub(crate) struct Daemon {
    events: Handle,
    /// Lists come over another socket: they would fill the buffer of the events,
    /// and their entries would be mixed with these.
    lists: Handle,
    ledger: Ledger,
    log: Log<BufWriter<Stdout>>,
    /// Whether events were lost since the last list was asked for.
    lost: bool,
    /// Whether the flows that the last list has not are still to be looked for.
    unswept: bool,
}

/// When to have the next turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// When there are events.
    AtEvents,
    /// At once, after a look at the signals: there may be more to read.
    AtOnce,
    /// After a pause: events are being lost.
    Later,
}

/// The buffer that events may take when they come faster than they are read.
const BUFFER_MAX: usize = 64 << 20;

/// Events of one turn, so that no storm of them keeps signals waiting.
const PART: u32 = 256;

/// Lists in a row. If events are lost during all of them, others are to have
/// their turn before the next.
const ATTEMPTS: u32 = 3;

impl Daemon {
    /// Listens first and lists then, and so misses no flow in between.
    pub(crate) fn start(buffer: usize) -> Result<Self, Error> {
        let mut events = Handle::open(Groups::NEW | Groups::DESTROY)?;
        events.set_nonblocking(true)?;
        events.set_receive_buffer(buffer)?;
        events.set_buffer_growth(Some(BUFFER_MAX));
        Ok(Self {
            events,
            lists: Handle::open(Groups::empty())?,
            ledger: Ledger::default(),
            log: Log::new(BufWriter::new(io::stdout())),
            // The first list is like that after a loss of all events so far.
            lost: true,
            unswept: false,
        })
    }

    /// What to wait for, also edge-triggered: as long as something may be left
    /// unread, [`turn`](Self::turn) says that it is to be called again.
    pub(crate) fn descriptor(&self) -> RawFd {
        self.events.as_raw_fd()
    }

    /// Does what there is to do, but not for long.
    pub(crate) fn turn(&mut self) -> io::Result<Next> {
        let next = self.catch_up()?;
        self.log.flush()?;
        Ok(next)
    }

    /// Reads events. Where some were lost it lists the table, and logs the flows
    /// that are no longer in it.
    fn catch_up(&mut self) -> io::Result<Next> {
        for _ in 0..=ATTEMPTS {
            // To the end before the list, since the kernel loses events until it
            // finds the buffer empty; and after it, since the end of a flow that
            // the list has not may wait to be read.
            if !self.read()? {
                return Ok(Next::AtOnce);
            }
            if !self.lost {
                if std::mem::take(&mut self.unswept) {
                    for (key, known) in self.ledger.take_missing() {
                        self.log.write(&Ended::missing(key, known))?;
                    }
                }
                return Ok(Next::AtEvents);
            }
            self.ledger.begin_list();
            self.lost = !self.list()?;
            self.unswept = true;
        }
        Ok(Next::Later)
    }

    /// Reads a part of the events; tells whether that was all.
    fn read(&mut self) -> io::Result<bool> {
        for _ in 0..PART {
            let event = match self.events.next_event() {
                Ok(event) => event,
                Err(Error::WouldBlock) => return Ok(true),
                Err(Error::Overrun) => {
                    self.lost = true;
                    continue;
                }
                // One bad message is no reason to stop.
                Err(Error::Decode(error)) => {
                    eprintln!("flowlog: {error}");
                    continue;
                }
                Err(error) => return Err(error.into()),
            };
            let Some(entry) = event.conntrack() else {
                continue;
            };
            let Some(key) = key(&entry) else { continue };
            match event.kind() {
                EventKind::Destroy => {
                    let known = self.ledger.take(&key);
                    self.log.write(&Ended::told(key, &entry, known))?;
                }
                EventKind::New | EventKind::Update => self.ledger.begin(key, &entry),
            }
        }
        Ok(false)
    }

    /// Notes the flows of the table; tells whether that was all of them.
    fn list(&mut self) -> io::Result<bool> {
        let mut entries = self.lists.dump(L3Proto::UNSPEC)?;
        loop {
            match entries.next() {
                Ok(Some(entry)) => {
                    if let Some(key) = key(&entry) {
                        self.ledger.listed(key, &entry);
                    }
                }
                Ok(None) => return Ok(true),
                Err(Error::DumpInterrupted | Error::Overrun) => return Ok(false),
                // One bad entry is no reason to stop.
                Err(Error::Decode(error)) => eprintln!("flowlog: {error}"),
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Says on standard error what there was.
    pub(crate) fn report(&self) {
        let Self {
            events,
            ledger,
            log,
            ..
        } = self;
        eprintln!("flowlog: {}", log.totals);
        eprintln!(
            "flowlog: {} flows go on; events were lost {} times",
            ledger.len(),
            events.overruns()
        );
    }
}
