//! The numbers of `linux/netfilter/ipset/ip_set.h` (Linux 6.18), in its order.

/// The protocol version this module speaks.
pub(super) const PROTOCOL: u8 = 7;
/// The oldest protocol version this module speaks; it lacks the look-ups by
/// name and by index.
pub(super) const PROTOCOL_MIN: u8 = 6;

/// Attributes of a message, behind the nfgenmsg.
pub(super) mod command_attr {
    pub(crate) const PROTOCOL: u16 = 1;
    pub(crate) const SETNAME: u16 = 2;
    pub(crate) const TYPENAME: u16 = 3;
    /// The other set of a rename or swap shares its number with TYPENAME.
    pub(crate) const SETNAME2: u16 = TYPENAME;
    pub(crate) const REVISION: u16 = 4;
    pub(crate) const FAMILY: u16 = 5;
    pub(crate) const FLAGS: u16 = 6;
    pub(crate) const DATA: u16 = 7;
    pub(crate) const ADT: u16 = 8;
    pub(crate) const LINENO: u16 = 9;
    /// Oldest protocol version, or oldest revision of a set type.
    pub(crate) const MIN: u16 = 10;
    pub(crate) const INDEX: u16 = 11;
    /// One more than the last of them.
    pub(crate) const COUNT: usize = 12;
}

/// Attributes inside DATA that sets and entries share.
pub(super) mod data_attr {
    pub(crate) const IP: u16 = 1;
    pub(crate) const IP_TO: u16 = 2;
    pub(crate) const CIDR: u16 = 3;
    pub(crate) const PORT: u16 = 4;
    pub(crate) const PORT_TO: u16 = 5;
    pub(crate) const TIMEOUT: u16 = 6;
    pub(crate) const PROTO: u16 = 7;
    pub(crate) const FLAGS: u16 = 8;
    pub(crate) const LINENO: u16 = 9;
    pub(crate) const MARK: u16 = 10;
    pub(crate) const MARKMASK: u16 = 11;
    /// Linux 6.2 and later.
    pub(crate) const BITMASK: u16 = 12;
}

/// Attributes inside DATA of a set.
pub(super) mod create_attr {
    pub(crate) const INITVAL: u16 = 17;
    pub(crate) const HASHSIZE: u16 = 18;
    pub(crate) const MAXELEM: u16 = 19;
    pub(crate) const NETMASK: u16 = 20;
    pub(crate) const BUCKETSIZE: u16 = 21;
    pub(crate) const SIZE: u16 = 23;
    pub(crate) const ELEMENTS: u16 = 24;
    pub(crate) const REFERENCES: u16 = 25;
    pub(crate) const MEMSIZE: u16 = 26;
}

/// Attributes inside DATA of an entry.
pub(super) mod entry_attr {
    pub(crate) const ETHER: u16 = 17;
    pub(crate) const NAME: u16 = 18;
    pub(crate) const NAMEREF: u16 = 19;
    pub(crate) const IP2: u16 = 20;
    pub(crate) const CIDR2: u16 = 21;
    pub(crate) const IP2_TO: u16 = 22;
    pub(crate) const IFACE: u16 = 23;
    pub(crate) const BYTES: u16 = 24;
    pub(crate) const PACKETS: u16 = 25;
    pub(crate) const COMMENT: u16 = 26;
    pub(crate) const SKBMARK: u16 = 27;
    pub(crate) const SKBPRIO: u16 = 28;
    pub(crate) const SKBQUEUE: u16 = 29;
}

/// Attributes inside an address.
pub(super) mod address_attr {
    pub(crate) const IPV4: u16 = 1;
    pub(crate) const IPV6: u16 = 2;
}

/// Flags of a listing, in the FLAGS attribute of the message.
pub(super) mod list_flag {
    pub(crate) const SETNAME: u32 = 1 << 1;
    pub(crate) const HEADER: u32 = 1 << 2;
}

/// Flags of an entry, in the FLAGS attribute inside DATA.
pub(super) mod entry_flag {
    pub(crate) const BEFORE: u32 = 1 << 0;
    pub(crate) const PHYSDEV: u32 = 1 << 1;
    pub(crate) const NOMATCH: u32 = 1 << 2;
    pub(crate) const WILDCARD: u32 = 1 << 7;
}

/// Longest comment of an entry.
pub(super) const MAX_COMMENT: usize = 255;
