//! The view: an expectation as it stands in the kernel's message.

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

use super::decode;
use super::fields::{ExpectFlags, ExpectNat};
use super::object::Expect;
use super::wire::{Index, index};
use crate::conntrack::{Head, Tuple};
use crate::error::DecodeError;
use crate::netlink::Message;
use crate::nfnetlink::{L3Proto, Nfgenmsg};
use crate::uapi::cta_expect;

/// An expectation in the kernel's message: a view that copies nothing and
/// decodes what is asked for, when it is asked.
///
/// Making a view finds all attributes in one pass and checks those of fixed
/// length. What stands inside the others is checked when it is decoded: a getter
/// gives `None` for what is malformed, [`decode_into`](Self::decode_into) and
/// [`check`](Self::check) say what is wrong. (Linux never sends such.)
///
/// ```
/// use netfilter_conntrack::netlink::Message;
/// use netfilter_conntrack::{Expect, ExpectQuery, ExpectRef, Tuple};
///
/// # let mut expect = Expect::new();
/// # expect.set_expected(Tuple::udp("192.0.2.1:0".parse()?, "192.0.2.2:69".parse()?)?).set_timeout(60);
/// # let mut bytes = Vec::new();
/// # ExpectQuery::Create(&expect).encode(1, &mut bytes)?;
/// let message = Message::parse(&bytes).unwrap();
/// let view = ExpectRef::parse(&message)?;
/// assert_eq!(view.timeout(), Some(60));
/// assert_eq!(view.expected().unwrap().ports(), Some((0, 69)));
/// let owned: Expect = view.to_owned()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy)]
pub struct ExpectRef<'a> {
    family: L3Proto,
    index: Index<'a>,
}

impl<'a> ExpectRef<'a> {
    /// A view of the expectation in a message of the expectation subsystem.
    ///
    /// # Errors
    /// [`DecodeError`] where the message is too short, an attribute's length is
    /// wrong, or an attribute of fixed length has another one.
    #[inline]
    pub fn parse(message: &Message<'a>) -> Result<Self, DecodeError> {
        let (header, attributes) = Nfgenmsg::split(message)?;
        Self::from_attributes(attributes, header.family)
    }

    /// A view of the expectation in bare attributes, such as follow a packet
    /// of NFQUEUE to its verdict (`NFQA_EXP`).
    ///
    /// # Errors
    /// As [`parse`](Self::parse).
    #[inline]
    pub fn from_attributes(attributes: &'a [u8], family: L3Proto) -> Result<Self, DecodeError> {
        let index = index(attributes)?;
        Ok(Self { family, index })
    }

    /// The address family of the message.
    #[must_use]
    pub fn l3proto(&self) -> L3Proto {
        self.family
    }

    /// The original tuple of the flow because of which this one is expected.
    #[must_use]
    pub fn master(&self) -> Option<Tuple> {
        self.tuple(cta_expect::MASTER)
    }

    /// The original tuple of the expected flow. What the mask leaves out is 0.
    #[must_use]
    pub fn expected(&self) -> Option<Tuple> {
        self.tuple(cta_expect::TUPLE)
    }

    /// Which bits of the tuple a flow must have to be the expected one.
    #[must_use]
    pub fn mask(&self) -> Option<Tuple> {
        self.tuple(cta_expect::MASK)
    }

    /// Seconds until the expectation expires.
    #[must_use]
    pub fn timeout(&self) -> Option<u32> {
        self.number(cta_expect::TIMEOUT)
    }

    /// The zone. The kernel takes it but never sends it.
    #[must_use]
    pub fn zone(&self) -> Option<u16> {
        self.index.get(cta_expect::ZONE)?.u16_be()
    }

    /// Flags.
    #[must_use]
    pub fn flags(&self) -> Option<ExpectFlags> {
        self.number(cta_expect::FLAGS)
            .map(ExpectFlags::from_bits_retain)
    }

    /// Name of the helper; `None` also for a name that is not UTF-8.
    #[must_use]
    pub fn helper(&self) -> Option<&'a str> {
        self.name(cta_expect::HELP_NAME, Expect::HELPER_LEN)
    }

    /// The helper's number for the kind of flow, such as RTP or RTCP; 0 for
    /// helpers with only one.
    #[must_use]
    pub fn class(&self) -> Option<u32> {
        self.number(cta_expect::CLASS)
    }

    /// How the expected flow will be translated.
    #[must_use]
    pub fn nat(&self) -> Option<ExpectNat> {
        let nest = self.index.get(cta_expect::NAT)?;
        let mut expect = Expect::new();
        decode::nat(&nest, self.family, &mut expect).ok()?;
        expect.nat()
    }

    /// Name of the kernel's function that is run on the expected flow; `None`
    /// also for a name that is not UTF-8.
    #[must_use]
    pub fn fn_name(&self) -> Option<&'a str> {
        self.name(cta_expect::FN, Expect::FN_LEN)
    }

    /// The id the kernel derives for the expectation.
    #[must_use]
    pub fn id(&self) -> Option<u32> {
        self.number(cta_expect::ID)
    }

    /// Decodes the whole expectation into one of its own.
    ///
    /// # Errors
    /// [`DecodeError`] names the attribute that is malformed.
    #[doc(alias = "nfexp_nlmsg_parse")]
    pub fn to_owned(&self) -> Result<Expect, DecodeError> {
        let mut expect = Expect::new();
        self.merge_into(&mut expect)?;
        Ok(expect)
    }

    /// Decodes the whole expectation into `expect`, in the place of what it had.
    ///
    /// # Errors
    /// [`DecodeError`] names the attribute that is malformed; `expect` then has
    /// the attributes decoded before it.
    pub fn decode_into(&self, expect: &mut Expect) -> Result<(), DecodeError> {
        *expect = Expect::new();
        self.merge_into(expect)
    }

    /// Decodes what the message has and adds it to `expect`, whose other
    /// attributes stay.
    ///
    /// # Errors
    /// As [`decode_into`](Self::decode_into).
    pub fn merge_into(&self, expect: &mut Expect) -> Result<(), DecodeError> {
        decode::decode(&self.index, self.family, expect)
    }

    /// Whether the whole message is well formed.
    ///
    /// # Errors
    /// [`DecodeError`] names the attribute that is malformed.
    pub fn check(&self) -> Result<(), DecodeError> {
        self.to_owned().map(drop)
    }

    fn number(&self, kind: u16) -> Option<u32> {
        self.index.get(kind)?.u32_be()
    }

    /// A name, cut to what an [`Expect`] holds of it.
    fn name(&self, kind: u16, room: usize) -> Option<&'a str> {
        let name = self.index.get(kind)?.string();
        let kept = name.get(..room.wrapping_sub(1)).unwrap_or(name);
        std::str::from_utf8(kept).ok()
    }

    fn tuple(&self, kind: u16) -> Option<Tuple> {
        let nest = self.index.get(kind)?;
        let mut head = Head::default();
        decode::decode_head(&nest, self.family, &mut head).ok()?;
        head.tuple()
    }
}

impl fmt::Debug for ExpectRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.to_owned() {
            Ok(expect) => expect.fmt(f),
            Err(error) => write!(f, "ExpectRef({error})"),
        }
    }
}
