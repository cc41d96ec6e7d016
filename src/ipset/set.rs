//! Sets: what is given to create one, and what the kernel tells of one.

use std::net::IpAddr;

use bitflags::bitflags;

use super::address::Addresses;
use super::name::{Name, checked};
use super::settype::{Method, SetType};
use crate::error::Error;
use crate::nfnetlink::L3Proto;

/// A set: its name, its type and the options of its creation.
///
/// What is left out takes the kernel's default. Which options a type knows is
/// in ipset(8); the kernel refuses others.
///
/// ```
/// use std::net::Ipv4Addr;
/// use netfilter_conntrack::ipset::{Set, SetType};
///
/// let banned = Set::new("banned", SetType::HASH_IP)?
///     .with_timeout(600)
///     .with_counters()
///     .with_maxelem(200_000);
/// assert_eq!(
///     banned.to_string(),
///     "banned hash:ip family inet maxelem 200000 timeout 600 counters"
/// );
///
/// let block = (Ipv4Addr::new(10, 0, 0, 0), 16);
/// let hosts = Set::new("hosts", SetType::BITMAP_IP)?.with_range(block);
/// # assert_eq!(hosts.to_string(), "hosts bitmap:ip range 10.0.0.0/16");
/// # Ok::<(), netfilter_conntrack::Error>(())
/// ```
///
/// [`Display`](std::fmt::Display) gives the set in the form of ipset(8), as it
/// stands behind `create`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Set {
    /// Its name.
    pub name: Name,
    /// Its type.
    pub set_type: SetType,
    /// Family of its addresses; [`SetType::default_family`] unless changed.
    pub family: L3Proto,
    /// Revision of the type; to create, `None` takes the kernel's latest.
    pub revision: Option<u8>,
    /// The addresses it can hold (bitmap:ip and bitmap:ip,mac, which need it).
    pub range: Option<Addresses>,
    /// The first and last port it can hold (bitmap:port, which needs it).
    pub ports: Option<(u16, u16)>,
    /// It holds the networks with this prefix length instead of addresses.
    pub netmask: Option<u8>,
    /// Only these bits of addresses count (Linux 6.2 and later).
    pub bitmask: Option<IpAddr>,
    /// Only these bits of marks count (hash:ip,mark).
    pub markmask: Option<u32>,
    /// Buckets of the hash at first; the kernel rounds up to a power of two.
    pub hashsize: Option<u32>,
    /// Most entries it can hold.
    pub maxelem: Option<u32>,
    /// Most entries in one bucket, an even number of 2 to 14 (Linux 5.11 and later).
    pub bucketsize: Option<u8>,
    /// Start value of the hash function (Linux 5.11 and later).
    pub initval: Option<u32>,
    /// Most entries of a list:set; the kernel takes it and ignores it.
    pub size: Option<u32>,
    /// Entries can have a timeout, and have this one in seconds unless they
    /// are given another; 0 is none. At the most 2,147,483.
    pub timeout: Option<u32>,
    /// Extensions.
    pub flags: SetFlags,
}

bitflags! {
    /// What a set keeps about each entry, and what it does when it is full.
    /// Unknown bits are passed on.
    #[doc(alias = "ipset_cadt_flags")]
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
    pub struct SetFlags: u32 {
        /// Counters of packets and bytes.
        const COUNTERS = 1 << 3;
        /// Comments.
        const COMMENT = 1 << 4;
        /// A full hash lets go of some entry for a new one.
        const FORCEADD = 1 << 5;
        /// Marks, classes and queues to give to packets.
        const SKBINFO = 1 << 6;

        const _ = !0;
    }
}

impl Set {
    /// A set with the defaults of its type.
    ///
    /// # Errors
    /// [`Error::Invalid`] where the name is empty, longer than
    /// [`Name::MAX`] bytes or holds a NUL.
    pub fn new(name: impl AsRef<[u8]>, set_type: SetType) -> Result<Self, Error> {
        Ok(Self::plain(checked(name)?, set_type))
    }

    pub(super) fn plain(name: Name, set_type: SetType) -> Self {
        Self {
            name,
            set_type,
            family: set_type.default_family(),
            revision: None,
            range: None,
            ports: None,
            netmask: None,
            bitmask: None,
            markmask: None,
            hashsize: None,
            maxelem: None,
            bucketsize: None,
            initval: None,
            size: None,
            timeout: None,
            flags: SetFlags::empty(),
        }
    }

    /// Whether it is a hash with addresses, the sets that have a choice of family.
    pub(super) fn has_family(&self) -> bool {
        self.set_type.method() == Some(Method::Hash) && self.family != L3Proto::UNSPEC
    }

    /// Holds addresses of this family.
    #[must_use]
    pub fn with_family(mut self, family: L3Proto) -> Self {
        self.family = family;
        self
    }

    /// Asks for this revision of the type instead of the latest.
    #[must_use]
    pub fn with_revision(mut self, revision: u8) -> Self {
        self.revision = Some(revision);
        self
    }

    /// The IPv4 network or range it can hold.
    #[must_use]
    pub fn with_range(mut self, range: impl Into<Addresses>) -> Self {
        self.range = Some(range.into());
        self
    }

    /// The ports it can hold.
    #[must_use]
    pub fn with_ports(mut self, first: u16, last: u16) -> Self {
        self.ports = Some((first, last));
        self
    }

    /// Holds networks with this prefix length.
    #[must_use]
    pub fn with_netmask(mut self, prefix: u8) -> Self {
        self.netmask = Some(prefix);
        self
    }

    /// Looks only at these bits of addresses.
    #[must_use]
    pub fn with_bitmask(mut self, mask: impl Into<IpAddr>) -> Self {
        self.bitmask = Some(mask.into());
        self
    }

    /// Looks only at these bits of marks.
    #[must_use]
    pub fn with_markmask(mut self, mask: u32) -> Self {
        self.markmask = Some(mask);
        self
    }

    /// Starts with this many buckets.
    #[must_use]
    pub fn with_hashsize(mut self, buckets: u32) -> Self {
        self.hashsize = Some(buckets);
        self
    }

    /// Holds at the most this many entries.
    #[must_use]
    pub fn with_maxelem(mut self, entries: u32) -> Self {
        self.maxelem = Some(entries);
        self
    }

    /// Puts at the most this many entries into a bucket.
    #[must_use]
    pub fn with_bucketsize(mut self, entries: u8) -> Self {
        self.bucketsize = Some(entries);
        self
    }

    /// Hashes with this start value.
    #[must_use]
    pub fn with_initval(mut self, value: u32) -> Self {
        self.initval = Some(value);
        self
    }

    /// The size of a list:set.
    #[must_use]
    pub fn with_size(mut self, entries: u32) -> Self {
        self.size = Some(entries);
        self
    }

    /// Lets entries have timeouts, this one unless they are given another.
    #[must_use]
    pub fn with_timeout(mut self, seconds: u32) -> Self {
        self.timeout = Some(seconds);
        self
    }

    /// Counts packets and bytes of each entry.
    #[must_use]
    pub fn with_counters(mut self) -> Self {
        self.flags |= SetFlags::COUNTERS;
        self
    }

    /// Lets entries have comments.
    #[must_use]
    pub fn with_comment(mut self) -> Self {
        self.flags |= SetFlags::COMMENT;
        self
    }

    /// Lets entries have marks, classes and queues for packets.
    #[must_use]
    pub fn with_skbinfo(mut self) -> Self {
        self.flags |= SetFlags::SKBINFO;
        self
    }

    /// Makes room for a new entry when full.
    #[must_use]
    pub fn with_forceadd(mut self) -> Self {
        self.flags |= SetFlags::FORCEADD;
        self
    }
}

/// A set as the kernel lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetInfo {
    /// Name, type and options, with the kernel's choices filled in.
    pub set: Set,
    /// The kernel's number of it (Linux 4.20 and later).
    pub index: Option<u16>,
    /// How many rules and sets refer to it.
    pub references: u32,
    /// Memory in bytes.
    pub memory: u32,
    /// Entries; may still count some whose time is over. Old kernels do not tell.
    pub elements: Option<u32>,
}
