//! The commands, one method each; listings and batches are in files of their own.

use std::ops::RangeInclusive;

use super::batch::Batch;
use super::command::Command;
use super::decode::{exact, name, required};
use super::encode::put_u16;
use super::entry::Entry;
use super::error::{Error, Result};
use super::name::{Name, checked};
use super::reason::Reason;
use super::session::{Answer, Session};
use super::set::Set;
use super::settype::SetType;
use super::uapi::command_attr;
use crate::netlink::{Builder, Flags};
use crate::nfnetlink::L3Proto;

/// The type of a set, as [`Session::header`] gives it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SetHeader {
    /// Its name.
    pub name: Name,
    /// Its type.
    pub set_type: SetType,
    /// Family of its addresses.
    pub family: L3Proto,
    /// Revision of the type.
    pub revision: u8,
}

impl Session {
    /// Creates a set.
    ///
    /// # Errors
    /// [`Reason::SetExists`], [`Reason::TypeNotSupported`],
    /// [`Reason::Malformed`] for options the type does not have,
    /// [`Reason::RangeTooLarge`], [`Reason::InvalidNetmask`]….
    #[doc(alias = "IPSET_CMD_CREATE")]
    pub fn create(&mut self, set: &Set) -> Result {
        self.create_with(set, Flags::CREATE | Flags::EXCL)
    }

    /// Creates a set unless there is one of this name, type and options.
    ///
    /// # Errors
    /// As [`create`](Self::create); [`Reason::SetExists`] where the set that
    /// exists is another one.
    pub fn create_if_missing(&mut self, set: &Set) -> Result {
        self.create_with(set, Flags::CREATE)
    }

    fn create_with(&mut self, set: &Set, flags: Flags) -> Result {
        let revision = match set.revision {
            Some(revision) => revision,
            None => self.latest_revision(&set.set_type, set.family)?,
        };
        let done = self.request(Command::Create, flags, |message| {
            message.put_string(command_attr::SETNAME, set.name.as_bytes());
            message.put_string(command_attr::TYPENAME, set.set_type.0.as_bytes());
            message.put_u8(command_attr::REVISION, revision);
            message.put_u8(command_attr::FAMILY, set.family.0);
            message.nest(command_attr::DATA, |data| set.encode(data));
        });
        match done {
            Err(Error::Refused {
                command, kernel, ..
            }) => Err(Error::refused(command, set.set_type.method(), kernel)),
            done => done,
        }
    }

    /// The latest revision of a type, asked for once.
    fn latest_revision(&mut self, set_type: &SetType, family: L3Proto) -> Result<u8> {
        let known = |row: &&(SetType, L3Proto, u8)| (row.0, row.1) == (*set_type, family);
        if let Some((_, _, latest)) = self.revisions.iter().find(known) {
            return Ok(*latest);
        }
        let latest = *self.revisions(set_type, family)?.end();
        self.revisions.push((*set_type, family, latest));
        Ok(latest)
    }

    /// Destroys a set.
    ///
    /// # Errors
    /// [`Reason::NoSuchSet`], [`Reason::InUse`].
    #[doc(alias = "IPSET_CMD_DESTROY")]
    pub fn destroy(&mut self, set: impl AsRef<[u8]>) -> Result {
        self.about_set(Command::Destroy, checked(set)?)
    }

    /// Destroys a set if there is one of this name.
    ///
    /// # Errors
    /// [`Reason::InUse`].
    pub fn destroy_if_present(&mut self, set: impl AsRef<[u8]>) -> Result {
        match self.destroy(set) {
            Err(error) if error.reason() == Some(Reason::NoSuchSet) => Ok(()),
            done => done,
        }
    }

    /// Destroys all sets, or none where a rule or a list:set refers to one.
    ///
    /// # Errors
    /// [`Reason::InUse`].
    pub fn destroy_all(&mut self) -> Result {
        self.request(Command::Destroy, Flags::EXCL, |_| {})
    }

    /// Removes all entries of a set.
    ///
    /// # Errors
    /// [`Reason::NoSuchSet`].
    #[doc(alias = "IPSET_CMD_FLUSH")]
    pub fn flush(&mut self, set: impl AsRef<[u8]>) -> Result {
        self.about_set(Command::Flush, checked(set)?)
    }

    /// Removes all entries of all sets.
    ///
    /// # Errors
    /// Only the general ones of [`Session`].
    pub fn flush_all(&mut self) -> Result {
        self.request(Command::Flush, Flags::empty(), |_| {})
    }

    fn about_set(&mut self, command: Command, set: Name) -> Result {
        self.request(command, Flags::EXCL, |message| put_set(message, &set))
    }

    /// Gives a set another name.
    ///
    /// # Errors
    /// [`Reason::NoSuchSet`], [`Reason::SetExists`] where the new name is
    /// taken, [`Reason::Referenced`].
    #[doc(alias = "IPSET_CMD_RENAME")]
    pub fn rename(&mut self, set: impl AsRef<[u8]>, new_name: impl AsRef<[u8]>) -> Result {
        self.about_two(Command::Rename, checked(set)?, checked(new_name)?)
    }

    /// Swaps the contents of two sets of the same type: each gets the name of
    /// the other, and rules keep to the name.
    ///
    /// # Errors
    /// [`Reason::NoSuchSet`], [`Reason::NoSecondSet`], [`Reason::TypeMismatch`].
    #[doc(alias = "IPSET_CMD_SWAP")]
    pub fn swap(&mut self, set: impl AsRef<[u8]>, other: impl AsRef<[u8]>) -> Result {
        self.about_two(Command::Swap, checked(set)?, checked(other)?)
    }

    fn about_two(&mut self, command: Command, set: Name, other: Name) -> Result {
        self.request(command, Flags::empty(), |message| {
            put_set(message, &set);
            message.put_string(command_attr::SETNAME2, other.as_bytes());
        })
    }

    /// Adds an entry.
    ///
    /// # Errors
    /// [`Reason::NoSuchSet`], [`Reason::EntryExists`], [`Reason::Malformed`]
    /// where the entry has other parts than the type of the set, and what the
    /// type and the set's options rule out ([`Reason::Full`],
    /// [`Reason::OutOfRange`], [`Reason::NoTimeouts`]…).
    #[doc(alias = "IPSET_CMD_ADD")]
    pub fn add(&mut self, set: impl AsRef<[u8]>, entry: &Entry) -> Result {
        self.about_entry(Command::Add, Flags::EXCL, checked(set)?, entry)
    }

    /// Adds an entry; one that is there already gets the new timeout, counters,
    /// comment and skbinfo.
    ///
    /// # Errors
    /// As [`add`](Self::add), without [`Reason::EntryExists`].
    pub fn add_or_update(&mut self, set: impl AsRef<[u8]>, entry: &Entry) -> Result {
        self.about_entry(Command::Add, Flags::empty(), checked(set)?, entry)
    }

    /// Deletes an entry.
    ///
    /// # Errors
    /// [`Reason::NoSuchSet`], [`Reason::NoSuchEntry`], [`Reason::Malformed`]….
    #[doc(alias = "IPSET_CMD_DEL")]
    pub fn delete(&mut self, set: impl AsRef<[u8]>, entry: &Entry) -> Result {
        self.about_entry(Command::Delete, Flags::EXCL, checked(set)?, entry)
    }

    /// Deletes an entry if it is there.
    ///
    /// # Errors
    /// As [`delete`](Self::delete), without [`Reason::NoSuchEntry`].
    pub fn delete_if_present(&mut self, set: impl AsRef<[u8]>, entry: &Entry) -> Result {
        self.about_entry(Command::Delete, Flags::empty(), checked(set)?, entry)
    }

    /// Tells whether a set has an entry. In sets of networks, an address is
    /// found in the network that holds it; an entry with `nomatch` is only
    /// found if that is asked for.
    ///
    /// # Errors
    /// [`Reason::NoSuchSet`], [`Reason::Malformed`]….
    #[doc(alias = "IPSET_CMD_TEST")]
    pub fn test(&mut self, set: impl AsRef<[u8]>, entry: &Entry) -> Result<bool> {
        match self.about_entry(Command::Test, Flags::empty(), checked(set)?, entry) {
            Ok(()) => Ok(true),
            Err(error) if error.reason() == Some(Reason::NoSuchEntry) => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn about_entry(&mut self, command: Command, flags: Flags, set: Name, entry: &Entry) -> Result {
        entry.check()?;
        let seq = self.send(command, flags | Flags::ACK, L3Proto::IPV4, |message| {
            put_set(message, &set);
            message.nest(command_attr::DATA, |data| entry.encode(data));
        })?;
        match self.answer(seq)? {
            Answer::Ack | Answer::Data(..) => Ok(()),
            Answer::Refused(refusal) => Err(self.explain(command, &set, refusal.kernel)),
        }
    }

    /// Starts a batch: thousands of entries to add and delete, a few requests.
    #[must_use = "a batch does nothing until it is committed"]
    pub fn batch(&mut self) -> Batch<'_> {
        Batch::new(self)
    }

    /// Asks for the type of a set.
    ///
    /// # Errors
    /// [`Reason::NoSuchSet`].
    #[doc(alias = "IPSET_CMD_HEADER")]
    pub fn header(&mut self, set: impl AsRef<[u8]>) -> Result<SetHeader> {
        let set = checked(set)?;
        let reply = self.ask(Command::Header, L3Proto::IPV4, |message| {
            put_set(message, &set);
        })?;
        let set = required(&reply, command_attr::SETNAME, "IPSET_ATTR_SETNAME")?;
        let set_type = required(&reply, command_attr::TYPENAME, "IPSET_ATTR_TYPENAME")?;
        let family = required(&reply, command_attr::FAMILY, "IPSET_ATTR_FAMILY")?;
        let revision = required(&reply, command_attr::REVISION, "IPSET_ATTR_REVISION")?;
        Ok(SetHeader {
            name: name(&set)?,
            set_type: SetType(name(&set_type)?),
            family: L3Proto(exact(family.u8(), &family, "IPSET_ATTR_FAMILY")?),
            revision: exact(revision.u8(), &revision, "IPSET_ATTR_REVISION")?,
        })
    }

    /// Asks for the revisions of a set type that the kernel has for a family,
    /// loading its module if need be. Later revisions have more options.
    ///
    /// # Errors
    /// [`Reason::TypeNotSupported`].
    #[doc(alias = "IPSET_CMD_TYPE")]
    pub fn revisions(&mut self, set_type: &SetType, family: L3Proto) -> Result<RangeInclusive<u8>> {
        let reply = self.ask(Command::Type, L3Proto::IPV4, |message| {
            message.put_string(command_attr::TYPENAME, set_type.0.as_bytes());
            message.put_u8(command_attr::FAMILY, family.0);
        })?;
        let latest = required(&reply, command_attr::REVISION, "IPSET_ATTR_REVISION")?;
        let oldest = required(&reply, command_attr::MIN, "IPSET_ATTR_REVISION_MIN")?;
        let oldest = exact(oldest.u8(), &oldest, "IPSET_ATTR_REVISION_MIN")?;
        Ok(oldest..=exact(latest.u8(), &latest, "IPSET_ATTR_REVISION")?)
    }

    /// Asks for the index of a set, by which the kernel knows it (protocol 7,
    /// Linux 4.20 and later).
    ///
    /// # Errors
    /// [`Reason::NoSuchSet`]; [`Reason::Malformed`] with protocol 6.
    #[doc(alias = "IPSET_CMD_GET_BYNAME")]
    pub fn index_of(&mut self, set: impl AsRef<[u8]>) -> Result<u16> {
        let set = checked(set)?;
        let reply = self.ask(Command::GetByName, L3Proto::IPV4, |message| {
            put_set(message, &set);
        })?;
        let index = required(&reply, command_attr::INDEX, "IPSET_ATTR_INDEX")?;
        Ok(exact(index.u16_be(), &index, "IPSET_ATTR_INDEX")?)
    }

    /// Asks for the name of the set with this index (protocol 7, Linux 4.20
    /// and later).
    ///
    /// # Errors
    /// [`Reason::NoSuchSet`]; [`Reason::Malformed`] with protocol 6.
    #[doc(alias = "IPSET_CMD_GET_BYINDEX")]
    pub fn name_of(&mut self, index: u16) -> Result<Name> {
        let reply = self.ask(Command::GetByIndex, L3Proto::IPV4, |message| {
            put_u16(message, command_attr::INDEX, index);
        })?;
        let set = required(&reply, command_attr::SETNAME, "IPSET_ATTR_SETNAME")?;
        Ok(name(&set)?)
    }

    /// Sends the command that does nothing, `IPSET_CMD_NONE`.
    ///
    /// # Errors
    /// Always: the kernel answers with [`Reason::Other`] of EOPNOTSUPP, which
    /// shows that it has the subsystem.
    #[doc(alias = "IPSET_CMD_NONE")]
    pub fn none(&mut self) -> Result {
        self.request(Command::None, Flags::empty(), |_| {})
    }
}

/// Names the set that a message is about.
pub(super) fn put_set(message: &mut Builder<'_>, set: &Name) {
    message.put_string(command_attr::SETNAME, set.as_bytes());
}
