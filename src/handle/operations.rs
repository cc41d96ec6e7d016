//! What programs do every day.

use super::Handle;
use super::dump::Dump;
use super::query::Query;
use crate::conntrack::{Conntrack, ConntrackRef};
use crate::error::{DecodeError, Error, Result};
use crate::filter::DumpFilter;
use crate::netlink::{Flags, Header, Message};
use crate::nfnetlink::{L3Proto, Nfgenmsg, Subsystem};
use crate::uapi::ct_message;

impl Handle {
    /// Lists the entries of a family, of all with [`L3Proto::UNSPEC`].
    ///
    /// # Errors
    /// As [`query`](Self::query); the kernel's refusals come with the first entry.
    pub fn dump(&mut self, family: L3Proto) -> Result<Dump<'_>> {
        self.list(Query::Dump(family))
    }

    /// Lists the entries of a family and sets their counters to zero: what is
    /// listed is the traffic since the last time.
    ///
    /// # Errors
    /// As [`dump`](Self::dump).
    pub fn dump_reset(&mut self, family: L3Proto) -> Result<Dump<'_>> {
        self.list(Query::DumpReset(family))
    }

    /// Lists the entries that the kernel's filter lets pass.
    ///
    /// # Errors
    /// As [`dump`](Self::dump).
    pub fn dump_filtered(&mut self, filter: &DumpFilter) -> Result<Dump<'_>> {
        self.list(Query::DumpFilter(filter))
    }

    /// Lists entries that are deleted but whose DESTROY event is not delivered yet.
    ///
    /// # Errors
    /// As [`dump`](Self::dump).
    pub fn dump_dying(&mut self, family: L3Proto) -> Result<Dump<'_>> {
        self.list_special(ct_message::GET_DYING, family)
    }

    /// Lists entries whose first packet has not left yet. Linux 5.19
    /// and later keep no such list and always answer with an empty one.
    ///
    /// # Errors
    /// As [`dump`](Self::dump).
    pub fn dump_unconfirmed(&mut self, family: L3Proto) -> Result<Dump<'_>> {
        self.list_special(ct_message::GET_UNCONFIRMED, family)
    }

    /// Gets the entry with the tuple (the original one, or the reply one where
    /// that is absent) and zone of `key`.
    ///
    /// # Errors
    /// [`Error::Kernel`]: ENOENT where there is none; else as [`query`](Self::query).
    pub fn get(&mut self, key: &Conntrack) -> Result<Conntrack> {
        let query = Query::Get(key);
        let seq = self.ask(|seq, buffer| query.encode(seq, buffer), false)?;
        self.single(seq, |message| ConntrackRef::parse(message)?.to_owned())
    }

    /// Makes an entry. It needs both tuples and a timeout.
    ///
    /// # Errors
    /// [`Error::Kernel`]: EEXIST where there is one, EINVAL where something is
    /// missing; else as [`query`](Self::query).
    pub fn create(&mut self, entry: &Conntrack) -> Result<()> {
        self.query(Query::Create(entry))
    }

    /// Changes the entry with the tuple of `entry`: what is present in it.
    ///
    /// # Errors
    /// [`Error::Kernel`]: ENOENT where there is none, EBUSY for a status bit
    /// or helper that cannot be changed, EOPNOTSUPP for a translation; else as
    /// [`query`](Self::query).
    pub fn update(&mut self, entry: &Conntrack) -> Result<()> {
        self.query(Query::Update(entry))
    }

    /// Makes an entry, or changes the one there is.
    ///
    /// # Errors
    /// As [`create`](Self::create) and [`update`](Self::update).
    pub fn create_or_update(&mut self, entry: &Conntrack) -> Result<()> {
        self.query(Query::CreateUpdate(entry))
    }

    /// Deletes the entry with the tuple and zone of `entry`, and with its id
    /// where that is present: then a later flow with the same tuple is spared.
    ///
    /// # Errors
    /// [`Error::Invalid`] where `entry` has no tuple, which the kernel would
    /// take for "delete everything"; nothing is sent. [`Error::Kernel`]: ENOENT
    /// where there is none (any more), EBUSY where a flowtable has it; else as
    /// [`query`](Self::query).
    pub fn delete(&mut self, entry: &Conntrack) -> Result<()> {
        self.query(Query::Destroy(entry))
    }

    /// Deletes all entries of a family, of all with [`L3Proto::UNSPEC`], and
    /// leaves those of other families (Linux 5.2 and later).
    ///
    /// # Errors
    /// As [`query`](Self::query).
    pub fn flush(&mut self, family: L3Proto) -> Result<()> {
        self.query(Query::Flush(family))
    }

    /// Receives the reply to a GET.
    pub(super) fn single<T>(
        &mut self,
        seq: u32,
        decode: impl Fn(&Message<'_>) -> Result<T, DecodeError>,
    ) -> Result<T> {
        let mut found = None;
        self.answers(seq, |message| {
            found = Some(decode(message)?);
            Ok(())
        })?;
        found.ok_or(Error::ReplyLost)
    }

    fn list(&mut self, query: Query<'_>) -> Result<Dump<'_>> {
        let seq = self.ask(|seq, buffer| query.encode(seq, buffer), true)?;
        Ok(Dump::new(self, seq))
    }

    fn list_special(&mut self, message: u8, family: L3Proto) -> Result<Dump<'_>> {
        let kind = Subsystem::CONNTRACK.message_type(message);
        let seq = self.ask(
            |seq, buffer| {
                let header = Header::request(kind, Flags::DUMP).with_seq(seq);
                Nfgenmsg::family(family).start(buffer, header).finish()
            },
            true,
        )?;
        Ok(Dump::new(self, seq))
    }
}
