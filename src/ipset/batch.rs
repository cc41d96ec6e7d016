//! Batches: many entries to add and delete with few requests.

#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects
    )
)]

use std::mem;

use super::command::Command;
use super::commands::put_set;
use super::encode::put_u32;
use super::entry::Entry;
use super::error::{Error, Result};
use super::name::{Name, checked};
use super::reason::Reason;
use super::session::{Answer, Refusal, Session};
use super::uapi::{command_attr, data_attr};
use crate::netlink::{Attrs, Builder, Flags};
use crate::nfnetlink::L3Proto;

/// Entries to add and delete, in order, which are sent in messages of up to
/// 64 KiB: 2,700 addresses each.
///
/// An entry that the kernel refuses does not keep the others from being
/// handled; [`commit`](Self::commit) tells which were refused and why. Entries
/// are sent as messages fill up, and the last of them with `commit`; what a
/// batch that is dropped has not sent yet is not sent any more.
///
/// ```no_run
/// use std::net::Ipv4Addr;
/// use netfilter_conntrack::ipset::{Entry, Session};
///
/// let mut ipset = Session::open()?;
/// let mut batch = ipset.batch();
/// for host in 1..=254 {
///     batch.add("banned", &Entry::address(Ipv4Addr::new(192, 0, 2, host)))?;
/// }
/// for failure in batch.commit()? {
///     println!("entry {}: {}", failure.line, failure.error);
/// }
/// # Ok::<(), netfilter_conntrack::ipset::Error>(())
/// ```
#[derive(Debug)]
pub struct Batch<'s> {
    session: &'s mut Session,
    /// What the waiting entries are for.
    group: Option<Group>,
    /// The waiting entries: attributes that will stand in one ADT nest.
    waiting: Vec<u8>,
    /// The line of the first waiting entry.
    first_line: u32,
    /// The line of the next entry.
    next_line: u32,
    failures: Vec<Failure>,
}

/// An entry of a batch that the kernel refused.
#[derive(Debug)]
pub struct Failure {
    /// Which entry: the first one given to the batch is 1.
    pub line: u32,
    /// Why.
    pub error: Error,
}

/// The first refused entry of a message, by its place in it.
struct Refused {
    index: u32,
    error: Error,
}

/// Neighbours in a batch that differ in this need messages of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Group {
    command: Command,
    flags: Flags,
    set: Name,
}

/// Most bytes of entries in a message: what an attribute can hold.
const MOST: usize = 65_528;
/// Bytes of entries in a message behind one that was refused. The kernel stops
/// at a refused entry and repeats the whole message in its answer, so where
/// many are refused small messages waste less.
const FEW: usize = 1024;

impl<'s> Batch<'s> {
    pub(super) fn new(session: &'s mut Session) -> Self {
        Self {
            session,
            group: None,
            waiting: Vec::new(),
            first_line: 1,
            next_line: 1,
            failures: Vec::new(),
        }
    }

    /// Adds an entry, as [`Session::add`].
    ///
    /// # Errors
    /// Where this entry cannot be sent at all: invalid names or a comment that
    /// is too long, which leave the batch as it is. Where a message was sent:
    /// as [`commit`](Self::commit).
    pub fn add(&mut self, set: impl AsRef<[u8]>, entry: &Entry) -> Result {
        self.push(Command::Add, Flags::EXCL, checked(set)?, entry)
    }

    /// Adds or updates an entry, as [`Session::add_or_update`].
    ///
    /// # Errors
    /// As [`add`](Self::add).
    pub fn add_or_update(&mut self, set: impl AsRef<[u8]>, entry: &Entry) -> Result {
        self.push(Command::Add, Flags::empty(), checked(set)?, entry)
    }

    /// Deletes an entry, as [`Session::delete`].
    ///
    /// # Errors
    /// As [`add`](Self::add).
    pub fn delete(&mut self, set: impl AsRef<[u8]>, entry: &Entry) -> Result {
        self.push(Command::Delete, Flags::EXCL, checked(set)?, entry)
    }

    /// Deletes an entry if it is there, as [`Session::delete_if_present`].
    ///
    /// # Errors
    /// As [`add`](Self::add).
    pub fn delete_if_present(&mut self, set: impl AsRef<[u8]>, entry: &Entry) -> Result {
        self.push(Command::Delete, Flags::empty(), checked(set)?, entry)
    }

    /// Sends what is still waiting, and gives the entries that were refused,
    /// in order; none if all went well.
    ///
    /// # Errors
    /// Where a whole message fails: [`Reason::NoSuchSet`], EPERM, and the
    /// general errors of [`Session`]. What was sent before has been handled,
    /// the rest has not.
    pub fn commit(mut self) -> Result<Vec<Failure>> {
        self.flush()?;
        Ok(mem::take(&mut self.failures))
    }

    fn push(&mut self, command: Command, flags: Flags, set: Name, entry: &Entry) -> Result {
        entry.check()?;
        let group = Some(Group {
            command,
            flags,
            set,
        });
        if group != self.group {
            self.flush()?;
            self.group = group;
        }
        let before = self.waiting.len();
        self.encode(entry)?;
        if self.waiting.len() > MOST {
            self.waiting.truncate(before);
            self.flush()?;
            self.encode(entry)?;
        }
        self.next_line = self.next_line.wrapping_add(1);
        Ok(())
    }

    fn encode(&mut self, entry: &Entry) -> Result {
        let line = self.next_line;
        Builder::fragment(&mut self.waiting, |entries| {
            entries.nest(command_attr::DATA, |data| {
                entry.encode(data);
                put_u32(data, data_attr::LINENO, line);
            });
        })?;
        Ok(())
    }

    /// Sends the waiting entries.
    fn flush(&mut self) -> Result {
        let Some(group) = self.group else {
            return Ok(());
        };
        let waiting = mem::take(&mut self.waiting);
        let mut rest = waiting.as_slice();
        let mut line = mem::replace(&mut self.first_line, self.next_line);
        let mut limit = MOST;
        while !rest.is_empty() {
            let (chunk, behind) = split(rest, limit);
            match self.send(&group, chunk, line)? {
                None => {
                    line = line.wrapping_add(count(chunk));
                    rest = behind;
                    limit = limit.saturating_mul(2).min(MOST);
                }
                Some(Refused { index, error }) => {
                    line = line.wrapping_add(index);
                    self.failures.push(Failure { line, error });
                    line = line.wrapping_add(1);
                    rest = skip(rest, index);
                    limit = FEW;
                }
            }
        }
        // Its memory is used again.
        self.waiting = waiting;
        self.waiting.clear();
        Ok(())
    }

    /// Sends entries, of which the first has this line. Gives the first one
    /// that was refused; those before it have been handled, those behind not.
    fn send(&mut self, group: &Group, entries: &[u8], line: u32) -> Result<Option<Refused>> {
        let Group {
            command,
            flags,
            set,
        } = *group;
        let seq = self
            .session
            .send(command, flags | Flags::ACK, L3Proto::IPV4, |message| {
                put_set(message, &set);
                // The kernel replaces it by the line of the entry it refuses.
                put_u32(message, command_attr::LINENO, 0);
                message.nest(command_attr::ADT, |adt| adt.put_bytes(entries));
            })?;
        let Answer::Refused(refusal) = self.session.answer(seq)? else {
            return Ok(None);
        };
        let Refusal {
            kernel,
            line: refused,
        } = refusal;
        let error = self.session.explain(command, &set, kernel);
        let index = match (refused, error.reason()) {
            (0, Some(Reason::Malformed)) => self.find_malformed(&set, entries)?,
            (0, _) => None,
            (refused, _) => Some(refused.wrapping_sub(line)),
        };
        match index {
            Some(index) if index < count(entries) => Ok(Some(Refused { index, error })),
            _ => Err(error),
        }
    }

    /// Finds the entry that made the kernel refuse a message as malformed,
    /// which it does without telling the line: the first one that it refuses
    /// to test for the same reason.
    fn find_malformed(&mut self, set: &Name, entries: &[u8]) -> Result<Option<u32>> {
        for (index, entry) in (0..).zip(Attrs::new(entries).map_while(|entry| entry.ok())) {
            let flags = Flags::ACK;
            let seq = self
                .session
                .send(Command::Test, flags, L3Proto::IPV4, |message| {
                    put_set(message, set);
                    message.nest(command_attr::DATA, |data| data.put_bytes(entry.payload()));
                })?;
            if let Answer::Refused(Refusal { kernel, .. }) = self.session.answer(seq)? {
                let error = Error::refused(Command::Test, None, kernel);
                if error.reason() == Some(Reason::Malformed) {
                    return Ok(Some(index));
                }
            }
        }
        Ok(None)
    }
}

/// Splits entries behind the last one with which they stay within `limit`
/// bytes; the first one always belongs to the first part.
fn split(entries: &[u8], limit: usize) -> (&[u8], &[u8]) {
    if entries.len() <= limit {
        return (entries, &[]);
    }
    let mut walk = Attrs::new(entries);
    let mut end = 0;
    while let Some(Ok(_)) = walk.next() {
        let here = entries.len().saturating_sub(walk.rest().len());
        if end != 0 && here > limit {
            break;
        }
        end = here;
    }
    entries.split_at_checked(end).unwrap_or((entries, &[]))
}

/// How many entries these are.
fn count(entries: &[u8]) -> u32 {
    Attrs::new(entries).fold(0, |count: u32, _| count.saturating_add(1))
}

/// What is behind the entry with this index.
fn skip(entries: &[u8], index: u32) -> &[u8] {
    let mut walk = Attrs::new(entries);
    let _entry = walk.nth(index as usize);
    walk.rest()
}
