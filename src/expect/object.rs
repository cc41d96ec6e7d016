//! The expectation: plain fields and the set of those that are present.

use std::fmt;

use super::attr::ExpectAttr;
use super::fields::{ExpectFlags, ExpectNat, until_nul};
use crate::conntrack::{Direction, Head, Tuple};
use crate::error::Result;

/// An expectation: a flow that a helper foresees because of another one, its
/// master, such as the data connection of an FTP control connection.
///
/// Each attribute is present or absent, as in [`Conntrack`](crate::Conntrack).
///
/// ```
/// use netfilter_conntrack::{Expect, Tuple};
///
/// let master = Tuple::tcp("192.0.2.1:40021".parse()?, "198.51.100.2:21".parse()?)?;
/// // The server may connect from any of its ports.
/// let expected = Tuple::tcp("198.51.100.2:0".parse()?, "192.0.2.1:50000".parse()?)?;
/// let mask = Tuple::tcp("255.255.255.255:0".parse()?, "255.255.255.255:65535".parse()?)?;
///
/// let mut expect = Expect::new();
/// expect.set_master(master).set_expected(expected).set_mask(mask).set_timeout(60);
/// expect.set_helper("ftp")?;
/// assert_eq!(expect.expected(), Some(expected));
/// assert_eq!(expect.helper(), Some("ftp"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
// Flat and without pointers, since C programs copy expectations with memcpy;
// all-zero memory is an empty one, and fields hold their last value also while
// they are absent.
#[doc(alias = "nf_expect")]
#[doc(alias = "nfexp_new")]
#[doc(alias = "nfexp_clone")]
#[doc(alias = "nfexp_destroy")]
#[derive(Clone, Copy, Default)]
#[repr(C)]
pub struct Expect {
    pub(crate) master: Head,
    pub(crate) expected: Head,
    pub(crate) mask: Head,
    pub(crate) nat_tuple: Head,
    pub(crate) timeout: u32,
    pub(crate) flags: u32,
    pub(crate) class: u32,
    pub(crate) nat_dir: u32,
    pub(crate) id: u32,
    pub(crate) helper_name: [u8; Self::HELPER_LEN],
    pub(crate) fn_name: [u8; Self::FN_LEN],
    pub(crate) zone: u16,
    pub(crate) set: ExpectSet,
}

/// Which attributes an expectation has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub(crate) struct ExpectSet(u16);

impl ExpectSet {
    /// The bit of the id, which is no attribute of the C library.
    const ID: u16 = 1 << ExpectAttr::COUNT;

    pub(crate) fn contains(self, attr: ExpectAttr) -> bool {
        self.0 >> attr.number() & 1 != 0
    }

    pub(crate) fn insert(&mut self, attr: ExpectAttr) {
        self.0 |= 1 << attr.number();
    }

    pub(crate) fn remove(&mut self, attr: ExpectAttr) {
        self.0 &= !(1 << attr.number());
    }
}

impl Expect {
    /// The room for the name of a helper: 15 bytes and a NUL.
    pub(crate) const HELPER_LEN: usize = 16;
    /// The room for the name of a function: 23 bytes and a NUL.
    pub(crate) const FN_LEN: usize = 24;

    /// An expectation without any attribute.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether the attribute is present.
    #[doc(alias = "nfexp_attr_is_set")]
    #[must_use]
    pub fn is_set(&self, attr: ExpectAttr) -> bool {
        self.set.contains(attr)
    }

    /// Makes the attribute absent. Its value stays where it was, unseen by the
    /// getters, as in the C library.
    #[doc(alias = "nfexp_attr_unset")]
    pub fn unset(&mut self, attr: ExpectAttr) {
        self.set.remove(attr);
    }

    /// The attributes that are present, in the order of their numbers.
    pub fn attrs(&self) -> impl Iterator<Item = ExpectAttr> + use<> {
        let set = self.set;
        ExpectAttr::all().filter(move |attr| set.contains(*attr))
    }

    /// The original tuple of the flow because of which this one is expected.
    #[must_use]
    pub fn master(&self) -> Option<Tuple> {
        self.when(ExpectAttr::Master, self.master.tuple())
    }

    /// The original tuple of the expected flow. What the mask leaves out is 0.
    #[must_use]
    pub fn expected(&self) -> Option<Tuple> {
        self.when(ExpectAttr::Expected, self.expected.tuple())
    }

    /// Which bits of the tuple a flow must have to be the expected one.
    #[must_use]
    pub fn mask(&self) -> Option<Tuple> {
        self.when(ExpectAttr::Mask, self.mask.tuple())
    }

    /// Seconds until the expectation expires.
    #[must_use]
    pub fn timeout(&self) -> Option<u32> {
        self.when(ExpectAttr::Timeout, Some(self.timeout))
    }

    /// The zone. The kernel takes it but never sends it.
    #[must_use]
    pub fn zone(&self) -> Option<u16> {
        self.when(ExpectAttr::Zone, Some(self.zone))
    }

    /// Flags.
    #[must_use]
    pub fn flags(&self) -> Option<ExpectFlags> {
        let flags = ExpectFlags::from_bits_retain(self.flags);
        self.when(ExpectAttr::Flags, Some(flags))
    }

    /// Name of the helper; `None` also for a name that is not UTF-8, which
    /// [`attr`](Self::attr) gives.
    #[must_use]
    pub fn helper(&self) -> Option<&str> {
        let name = std::str::from_utf8(until_nul(&self.helper_name));
        self.when(ExpectAttr::HelperName, name.ok())
    }

    /// The helper's number for the kind of flow, such as RTP or RTCP; 0 for
    /// helpers with only one.
    #[must_use]
    pub fn class(&self) -> Option<u32> {
        self.when(ExpectAttr::Class, Some(self.class))
    }

    /// How the expected flow will be translated. `None` also for a direction
    /// that is neither 0 nor 1, which the kernel never sends.
    #[must_use]
    pub fn nat(&self) -> Option<ExpectNat> {
        let tuple = self.when(ExpectAttr::NatTuple, self.nat_tuple.tuple())?;
        let direction = match self.when(ExpectAttr::NatDir, Some(self.nat_dir))? {
            0 => Direction::Original,
            1 => Direction::Reply,
            _ => return None,
        };
        Some(ExpectNat { direction, tuple })
    }

    /// Name of the kernel's function that is run on the expected flow, such as
    /// `nat-follow-master`; `None` also for a name that is not UTF-8.
    #[must_use]
    pub fn fn_name(&self) -> Option<&str> {
        let name = std::str::from_utf8(until_nul(&self.fn_name));
        self.when(ExpectAttr::Fn, name.ok())
    }

    /// The id the kernel derives for the expectation. The C library has no
    /// attribute for it.
    #[must_use]
    pub fn id(&self) -> Option<u32> {
        (self.set.0 & ExpectSet::ID != 0).then_some(self.id)
    }

    /// Sets the original tuple of the master flow, which must exist and have a
    /// helper when the expectation is created.
    pub fn set_master(&mut self, tuple: Tuple) -> &mut Self {
        self.store_head(ExpectAttr::Master, &tuple.into());
        self
    }

    /// Sets the original tuple of the expected flow.
    pub fn set_expected(&mut self, tuple: Tuple) -> &mut Self {
        self.store_head(ExpectAttr::Expected, &tuple.into());
        self
    }

    /// Sets which bits of the tuple count: all ones for what must be equal, 0
    /// for what may be anything, and the protocol as in the tuple. The kernel
    /// looks at source address and port; of the destination all bits count.
    pub fn set_mask(&mut self, tuple: Tuple) -> &mut Self {
        self.store_head(ExpectAttr::Mask, &tuple.into());
        self
    }

    /// Sets the seconds until the expectation expires. A helper with a timeout
    /// of its own overrides it.
    pub fn set_timeout(&mut self, seconds: u32) -> &mut Self {
        self.timeout = seconds;
        self.mark_set(ExpectAttr::Timeout)
    }

    /// Sets the zone.
    pub fn set_zone(&mut self, zone: u16) -> &mut Self {
        self.zone = zone;
        self.mark_set(ExpectAttr::Zone)
    }

    /// Sets the flags; the kernel refuses unknown ones (EINVAL).
    pub fn set_flags(&mut self, flags: ExpectFlags) -> &mut Self {
        self.flags = flags.bits();
        self.mark_set(ExpectAttr::Flags)
    }

    /// Sets the name of the helper.
    ///
    /// # Errors
    /// [`Error::Invalid`](crate::Error::Invalid) for a name of more than 15 bytes or with a NUL.
    pub fn set_helper(&mut self, name: &str) -> Result<&mut Self> {
        self.set_name(ExpectAttr::HelperName, name)
    }

    /// Sets the helper's number for the kind of flow.
    pub fn set_class(&mut self, class: u32) -> &mut Self {
        self.class = class;
        self.mark_set(ExpectAttr::Class)
    }

    /// Sets how the expected flow is to be translated.
    pub fn set_nat(&mut self, nat: ExpectNat) -> &mut Self {
        self.nat_dir = match nat.direction {
            Direction::Original => 0,
            Direction::Reply => 1,
        };
        self.store_head(ExpectAttr::NatTuple, &nat.tuple.into());
        self.mark_set(ExpectAttr::NatDir)
    }

    /// Sets the name of the kernel's function to run on the expected flow.
    ///
    /// # Errors
    /// [`Error::Invalid`](crate::Error::Invalid) for a name of more than 23 bytes or with a NUL.
    pub fn set_fn_name(&mut self, name: &str) -> Result<&mut Self> {
        self.set_name(ExpectAttr::Fn, name)
    }

    /// Sets the id.
    pub fn set_id(&mut self, id: u32) -> &mut Self {
        self.id = id;
        self.set.0 |= ExpectSet::ID;
        self
    }

    fn when<T>(&self, attr: ExpectAttr, value: Option<T>) -> Option<T> {
        value.filter(|_| self.is_set(attr))
    }

    fn mark_set(&mut self, attr: ExpectAttr) -> &mut Self {
        self.set.insert(attr);
        self
    }

    fn set_name(&mut self, attr: ExpectAttr, name: &str) -> Result<&mut Self> {
        self.set_attr(attr, super::ExpectValue::Text(name.as_bytes()))?;
        Ok(self)
    }
}

impl fmt::Debug for Expect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut map = f.debug_map();
        for attr in self.attrs() {
            map.entry(&format_args!("{}", attr.name()), &self.attr(attr));
        }
        if let Some(id) = self.id() {
            map.entry(&format_args!("ID"), &id);
        }
        map.finish()
    }
}
