//! Listings: sets and their entries, streamed from the kernel.

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

use std::fmt;
use std::ops::Range;

use super::command::Command;
use super::commands::put_set;
use super::decode::Part;
use super::encode::put_u32;
use super::entry::Entry;
use super::error::{Error, Result};
use super::name::{Name, checked};
use super::session::Session;
use super::set::SetInfo;
use super::uapi::{command_attr, list_flag};
use crate::error::{DecodeError, KernelError};
use crate::netlink::{Attrs, Control, Flags, Messages};
use crate::nfnetlink::L3Proto;

/// A running listing. What it lists is in the kernel's order: a set, its
/// entries, the next set.
///
/// It holds one datagram and one entry at a time, whatever the size of the
/// sets. A listing that is dropped before its end reads the rest, since until
/// then the kernel counts the sets as in use.
///
/// The kernel lists a set in several steps, between which it may change: an
/// entry that comes or goes meanwhile may or may not be listed, and all entries
/// of a hash that grows meanwhile are still listed once.
#[must_use = "a listing must be read"]
#[derive(Debug)]
pub struct List<'s> {
    session: &'s mut Session,
    command: Command,
    seq: u32,
    /// The messages of the datagram not read yet, as a place in it.
    messages: Range<usize>,
    /// The entries of the message not read yet, as a place in the datagram.
    entries: Range<usize>,
    /// The set the message is about.
    name: Option<Name>,
    /// What the message tells about it.
    info: Option<SetInfo>,
    entry: Entry,
    /// The kernel has sent all.
    ended: bool,
}

/// What a listing consists of.
///
/// [`Display`](fmt::Display) gives it as a command of ipset(8), without line
/// end: all items, each on a line of its own, are what `ipset restore` reads.
/// Names and comments are printed as they are; that form has no way to quote
/// white space in a name, or a quotation mark or line break in a comment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Item<'l> {
    /// A set; its entries follow, if they were asked for.
    Set(&'l SetInfo),
    /// An entry of the set with this name.
    Entry(&'l Name, &'l Entry),
}

impl Session {
    /// Lists a set and its entries.
    ///
    /// ```no_run
    /// use netfilter_conntrack::ipset::{Item, Session};
    ///
    /// let mut ipset = Session::open()?;
    /// let mut list = ipset.list("banned")?;
    /// while let Some(item) = list.next_item()? {
    ///     if let Item::Entry(_, entry) = item {
    ///         println!("{:?} for {:?} seconds", entry.address, entry.timeout);
    ///     }
    /// }
    /// # Ok::<(), netfilter_conntrack::ipset::Error>(())
    /// ```
    ///
    /// # Errors
    /// Those of sending; what the kernel answers comes with the first item.
    #[doc(alias = "IPSET_CMD_LIST")]
    pub fn list(&mut self, set: impl AsRef<[u8]>) -> Result<List<'_>> {
        List::start(self, Command::List, Some(checked(set)?), 0)
    }

    /// Lists all sets and their entries.
    ///
    /// # Errors
    /// As [`list`](Self::list).
    pub fn list_all(&mut self) -> Result<List<'_>> {
        List::start(self, Command::List, None, 0)
    }

    /// Lists a set and its entries in order to restore them.
    ///
    /// # Errors
    /// As [`list`](Self::list).
    #[doc(alias = "IPSET_CMD_SAVE")]
    pub fn save(&mut self, set: impl AsRef<[u8]>) -> Result<List<'_>> {
        List::start(self, Command::Save, Some(checked(set)?), 0)
    }

    /// Lists all sets and their entries in the order in which they can be
    /// restored: sets of sets come last.
    ///
    /// ```no_run
    /// use netfilter_conntrack::ipset::Session;
    ///
    /// let mut ipset = Session::open()?;
    /// let mut list = ipset.save_all()?;
    /// while let Some(command) = list.next_item()? {
    ///     println!("{command}");
    /// }
    /// # Ok::<(), netfilter_conntrack::ipset::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`list`](Self::list).
    pub fn save_all(&mut self) -> Result<List<'_>> {
        List::start(self, Command::Save, None, 0)
    }

    /// All sets, without their entries.
    ///
    /// # Errors
    /// Only the general ones of [`Session`].
    #[doc(alias = "IPSET_FLAG_LIST_HEADER")]
    pub fn sets(&mut self) -> Result<Vec<SetInfo>> {
        let mut list = List::start(self, Command::List, None, list_flag::HEADER)?;
        let mut sets = Vec::new();
        while let Some(item) = list.next_item()? {
            if let Item::Set(info) = item {
                sets.push(info.clone());
            }
        }
        Ok(sets)
    }

    /// A set, without its entries.
    ///
    /// # Errors
    /// [`Reason::NoSuchSet`](super::Reason::NoSuchSet).
    pub fn info(&mut self, set: impl AsRef<[u8]>) -> Result<SetInfo> {
        let set = Some(checked(set)?);
        let mut list = List::start(self, Command::List, set, list_flag::HEADER)?;
        match list.next_item()? {
            Some(Item::Set(info)) => Ok(info.clone()),
            _ => Err(crate::Error::ReplyLost.into()),
        }
    }

    /// The names of all sets.
    ///
    /// # Errors
    /// Only the general ones of [`Session`].
    #[doc(alias = "IPSET_FLAG_LIST_SETNAME")]
    pub fn names(&mut self) -> Result<Vec<Name>> {
        let mut list = List::start(self, Command::List, None, list_flag::SETNAME)?;
        let mut names = Vec::new();
        while list.next_message()? {
            names.extend(list.name);
        }
        Ok(names)
    }

    /// The entries of a set.
    ///
    /// # Errors
    /// [`Reason::NoSuchSet`](super::Reason::NoSuchSet).
    pub fn entries(&mut self, set: impl AsRef<[u8]>) -> Result<Vec<Entry>> {
        let mut list = self.list(set)?;
        let mut entries = Vec::new();
        while let Some(item) = list.next_item()? {
            if let Item::Entry(_, entry) = item {
                entries.push(entry.clone());
            }
        }
        Ok(entries)
    }
}

impl<'s> List<'s> {
    fn start(
        session: &'s mut Session,
        command: Command,
        set: Option<Name>,
        flags: u32,
    ) -> Result<Self> {
        let seq = session.send(command, Flags::DUMP, L3Proto::IPV4, |message| {
            if let Some(set) = &set {
                put_set(message, set);
            }
            if flags != 0 {
                put_u32(message, command_attr::FLAGS, flags);
            }
        })?;
        Ok(Self {
            session,
            command,
            seq,
            messages: 0..0,
            entries: 0..0,
            name: None,
            info: None,
            entry: Entry::default(),
            ended: false,
        })
    }

    /// The next set or entry; `None` at the end.
    ///
    /// # Errors
    /// [`Reason::NoSuchSet`](super::Reason::NoSuchSet), and the general ones of
    /// [`Session`]. After an error the listing has ended.
    pub fn next_item(&mut self) -> Result<Option<Item<'_>>> {
        loop {
            if self.ending_on_error(Self::next_entry)? {
                let name = self.name.as_ref();
                return Ok(name.map(|name| Item::Entry(name, &self.entry)));
            }
            if !self.next_message()? {
                return Ok(None);
            }
            if self.info.is_some() {
                return Ok(self.info.as_ref().map(Item::Set));
            }
        }
    }

    /// Goes to the next message of the listing; `false` at the end.
    fn next_message(&mut self) -> Result<bool> {
        self.ending_on_error(Self::read_message)
    }

    fn ending_on_error(&mut self, read: fn(&mut Self) -> Result<bool>) -> Result<bool> {
        let result = read(self);
        if result.is_err() {
            self.drain();
        }
        result
    }

    /// Decodes the next entry of the message; `false` where there is none.
    fn next_entry(&mut self) -> Result<bool> {
        let bytes = self.session.datagram(self.entries.clone());
        let mut attrs = Attrs::new(bytes);
        let Some(data) = attrs.next() else {
            return Ok(false);
        };
        let data = data.map_err(|error| DecodeError::Attribute("IPSET_ATTR_ADT", error))?;
        self.entries.start = self.entries.end.saturating_sub(attrs.rest().len());
        self.entry.decode(data.payload())?;
        Ok(true)
    }

    fn read_message(&mut self) -> Result<bool> {
        while !self.ended {
            if self.messages.is_empty() {
                self.messages = 0..self.session.receive()?;
            }
            let datagram = self.session.datagram(self.messages.clone());
            let mut messages = Messages::new(datagram);
            let Some(message) = messages.next() else {
                self.messages = 0..0;
                continue;
            };
            let message = message.map_err(crate::Error::from)?;
            let start = self.messages.start;
            self.messages.start = self.messages.end.saturating_sub(messages.rest().len());
            if message.seq() != self.seq {
                continue;
            }
            match message.control() {
                None => {
                    let part = Part::decode(&message)?;
                    let before = place(datagram, part.entries());
                    self.entries =
                        start.saturating_add(before.start)..start.saturating_add(before.end);
                    self.name = Some(part.name);
                    self.info = part.info;
                    return Ok(true);
                }
                Some(Control::Done(0, _)) => {
                    self.ended = true;
                    if message.flags().contains(Flags::DUMP_INTR) {
                        return Err(crate::Error::DumpInterrupted.into());
                    }
                }
                Some(Control::Done(errno, extended) | Control::Error(errno, extended)) => {
                    self.ended = true;
                    let kernel = KernelError::new(message.seq(), errno, extended);
                    return Err(Error::refused(self.command, None, kernel));
                }
                Some(Control::Ack(_) | Control::Noop) => {}
                Some(_) => {
                    self.ended = true;
                    return Err(crate::Error::ReplyLost.into());
                }
            }
        }
        Ok(false)
    }

    /// Reads the rest, to be rid of it.
    fn drain(&mut self) {
        self.entries = 0..0;
        while let Ok(true) = self.read_message() {}
        self.ended = true;
    }
}

impl Drop for List<'_> {
    fn drop(&mut self) {
        self.drain();
    }
}

/// Where `part`, a part of `whole`, begins and ends in it.
fn place(whole: &[u8], part: &[u8]) -> Range<usize> {
    let start = (part.as_ptr() as usize).saturating_sub(whole.as_ptr() as usize);
    start..start.saturating_add(part.len())
}

impl fmt::Display for Item<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Set(info) => write!(f, "create {}", info.set),
            Self::Entry(set, entry) => write!(f, "add {set} {entry}"),
        }
    }
}
