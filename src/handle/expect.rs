//! Queries and everyday methods for expectations.

use super::Handle;
use super::dump::Dump;
use super::event::{Event, EventMask, Verdict};
use crate::error::{Error, Result};
use crate::expect::encode::{encode, encode_doomed, encode_key, family};
use crate::expect::{Expect, ExpectRef};
use crate::netlink::{Flags, Header};
use crate::nfnetlink::{L3Proto, Nfgenmsg, Subsystem};
use crate::uapi::exp_message;

/// A request about expectations.
#[doc(alias = "nf_conntrack_query")]
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum ExpectQuery<'a> {
    /// Make an expectation; EEXIST where there is one. Master, expected tuple
    /// and mask are needed (EINVAL); the master must be in the table (ENOENT)
    /// and have a helper, or `expect` must name one (EOPNOTSUPP).
    Create(&'a Expect),
    /// Make an expectation, or set the timeout of the one there is.
    CreateUpdate(&'a Expect),
    /// Set the timeout of an expectation; ENOENT where there is none.
    Update(&'a Expect),
    /// Get the expectation with this tuple, zone and (if present) id; ENOENT
    /// where there is none.
    Get(&'a Expect),
    /// Delete the expectation with this tuple, zone and (if present) id; ENOENT
    /// where there is none. Without a tuple, delete all of the named helper.
    Destroy(&'a Expect),
    /// Delete all expectations; the kernel does not look at the family.
    Flush(L3Proto),
    /// List the expectations of a family, of all with [`L3Proto::UNSPEC`].
    Dump(L3Proto),
}

impl ExpectQuery<'_> {
    /// Builds the request at the end of `buffer`, which
    /// [`Socket::send`](crate::netlink::Socket::send) takes.
    ///
    /// # Errors
    /// [`Error::Invalid`] where the expectation lacks its tuple or cannot be
    /// sent; `buffer` is then as it was.
    #[doc(alias = "nfexp_build_query")]
    pub fn encode(&self, seq: u32, buffer: &mut Vec<u8>) -> Result<()> {
        let (message, flags) = match self {
            Self::Create(_) => (exp_message::NEW, Flags::ACK | Flags::CREATE | Flags::EXCL),
            Self::CreateUpdate(_) => (exp_message::NEW, Flags::ACK | Flags::CREATE),
            Self::Update(_) => (exp_message::NEW, Flags::ACK),
            Self::Get(_) => (exp_message::GET, Flags::ACK),
            Self::Destroy(_) | Self::Flush(_) => (exp_message::DELETE, Flags::ACK),
            Self::Dump(_) => (exp_message::GET, Flags::DUMP),
        };
        let family = match *self {
            Self::Create(expect)
            | Self::CreateUpdate(expect)
            | Self::Update(expect)
            | Self::Get(expect)
            | Self::Destroy(expect) => family(expect),
            Self::Flush(family) | Self::Dump(family) => family,
        };
        let kind = Subsystem::EXPECT.message_type(message);
        let header = Header::request(kind, flags).with_seq(seq);
        let mut message = Nfgenmsg::family(family).start(buffer, header);
        match self {
            Self::Create(expect) | Self::CreateUpdate(expect) | Self::Update(expect) => {
                encode(expect, &mut message)?;
            }
            Self::Get(expect) => encode_key(expect, &mut message)?,
            Self::Destroy(expect) => encode_doomed(expect, &mut message)?,
            Self::Flush(_) | Self::Dump(_) => {}
        }
        message.finish()
    }

    fn is_dump(&self) -> bool {
        matches!(self, Self::Dump(_))
    }
}

impl Handle {
    /// Calls `callback` for each message about an expectation whose kind is in
    /// `mask`, in the place of the callback registered before. The kernel sends
    /// no updates; what comes as [`EventKind::Update`](super::EventKind::Update)
    /// is of a dump or the reply to a GET.
    ///
    /// ```no_run
    /// use netfilter_conntrack::{EventMask, Groups, Handle, Verdict};
    ///
    /// let mut handle = Handle::open(Groups::EXPECT_NEW)?;
    /// handle.register_expect(EventMask::NEW, |event| {
    ///     println!("{:?}", event.expect());
    ///     Verdict::Continue
    /// });
    /// handle.catch()?;
    /// # Ok::<(), netfilter_conntrack::Error>(())
    /// ```
    #[doc(alias = "nfexp_callback_register")]
    #[doc(alias = "nfexp_callback_register2")]
    pub fn register_expect(
        &mut self,
        mask: EventMask,
        callback: impl FnMut(&mut Event<'_>) -> Verdict + Send + 'static,
    ) {
        self.registry
            .register(Subsystem::EXPECT, mask, Box::new(callback));
    }

    /// Takes the callback away: messages about expectations are skipped then.
    #[doc(alias = "nfexp_callback_unregister")]
    #[doc(alias = "nfexp_callback_unregister2")]
    pub fn unregister_expect(&mut self) {
        self.registry.unregister(Subsystem::EXPECT);
    }

    /// Asks about expectations, and waits for the answer; see
    /// [`query`](Self::query). Those in the answer go to the callback of
    /// [`register_expect`](Self::register_expect).
    ///
    /// # Errors
    /// As [`query`](Self::query).
    #[doc(alias = "nfexp_query")]
    pub fn query_expect(&mut self, query: ExpectQuery<'_>) -> Result<()> {
        let seq = self.send_expect(query)?;
        self.complete(seq)
    }

    /// Asks about expectations and returns the sequence number of the request;
    /// [`catch`](Self::catch) gets the answer.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    #[doc(alias = "nfexp_send")]
    pub fn send_expect(&mut self, query: ExpectQuery<'_>) -> Result<u32> {
        self.ask(|seq, buffer| query.encode(seq, buffer), query.is_dump())
    }

    /// Lists the expectations of a family, of all with [`L3Proto::UNSPEC`].
    ///
    /// # Errors
    /// As [`dump`](Self::dump).
    pub fn dump_expects(&mut self, family: L3Proto) -> Result<ExpectDump<'_>> {
        let seq = self.send_expect(ExpectQuery::Dump(family))?;
        Ok(ExpectDump(Dump::new(self, seq)))
    }

    /// Gets the expectation with the tuple, zone and (if present) id of `key`.
    ///
    /// # Errors
    /// [`Error::Kernel`]: ENOENT where there is none; else as [`query`](Self::query).
    pub fn get_expect(&mut self, key: &Expect) -> Result<Expect> {
        let seq = self.send_expect(ExpectQuery::Get(key))?;
        self.single(seq, |message| ExpectRef::parse(message)?.to_owned())
    }

    /// Makes an expectation; see [`ExpectQuery::Create`] for what it needs.
    ///
    /// ```no_run
    /// use netfilter_conntrack::{Expect, Groups, Handle, Tuple};
    ///
    /// // An FTP server will connect to the client's port 50000.
    /// let master = Tuple::tcp("192.0.2.1:40021".parse()?, "198.51.100.2:21".parse()?)?;
    /// let expected = Tuple::tcp("198.51.100.2:0".parse()?, "192.0.2.1:50000".parse()?)?;
    /// let mask = Tuple::tcp("255.255.255.255:0".parse()?, "255.255.255.255:65535".parse()?)?;
    /// let mut expect = Expect::new();
    /// expect.set_master(master).set_expected(expected).set_mask(mask).set_timeout(60);
    ///
    /// let mut handle = Handle::open(Groups::empty())?;
    /// handle.create_expect(&expect)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Kernel`]: EEXIST where there is one, EINVAL where something is
    /// missing, ENOENT without the master; else as [`query`](Self::query).
    pub fn create_expect(&mut self, expect: &Expect) -> Result<()> {
        self.query_expect(ExpectQuery::Create(expect))
    }

    /// Sets the timeout of an expectation to that of `expect`, which must have
    /// all that [`create_expect`](Self::create_expect) needs.
    ///
    /// # Errors
    /// [`Error::Kernel`]: ENOENT where there is none; else as [`query`](Self::query).
    pub fn update_expect(&mut self, expect: &Expect) -> Result<()> {
        self.query_expect(ExpectQuery::Update(expect))
    }

    /// Makes an expectation, or sets the timeout of the one there is.
    ///
    /// # Errors
    /// As [`create_expect`](Self::create_expect).
    pub fn create_or_update_expect(&mut self, expect: &Expect) -> Result<()> {
        self.query_expect(ExpectQuery::CreateUpdate(expect))
    }

    /// Deletes the expectation with the tuple and zone of `expect`, and with its
    /// id where that is present; where `expect` has no tuple but the name of a
    /// helper, all expectations of that helper.
    ///
    /// # Errors
    /// [`Error::Invalid`] where it has neither, which the kernel would take for
    /// "delete everything"; nothing is sent. [`Error::Kernel`]: ENOENT where
    /// there is none; else as [`query`](Self::query).
    pub fn delete_expect(&mut self, expect: &Expect) -> Result<()> {
        self.query_expect(ExpectQuery::Destroy(expect))
    }

    /// Deletes all expectations.
    ///
    /// # Errors
    /// As [`query`](Self::query).
    pub fn flush_expects(&mut self) -> Result<()> {
        self.query_expect(ExpectQuery::Flush(L3Proto::UNSPEC))
    }
}

/// A list of expectations as it comes from the kernel; see [`Dump`].
#[derive(Debug)]
pub struct ExpectDump<'h>(Dump<'h>);

impl<'h> ExpectDump<'h> {
    /// The next expectation; `None` at the end.
    ///
    /// # Errors
    /// As [`Dump::next`].
    #[allow(clippy::should_implement_trait, reason = "an iterator cannot lend")]
    pub fn next(&mut self) -> Result<Option<ExpectRef<'_>>> {
        let message = self.0.next_message()?;
        Ok(message.as_ref().map(ExpectRef::parse).transpose()?)
    }

    /// The expectations as objects of their own.
    pub fn owned(mut self) -> impl Iterator<Item = Result<Expect>> + use<'h> {
        std::iter::from_fn(move || match self.next() {
            Ok(Some(view)) => Some(view.to_owned().map_err(Error::from)),
            Ok(None) => None,
            Err(error) => Some(Err(error)),
        })
    }
}
