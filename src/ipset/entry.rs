//! Entries of a set.

use super::address::Addresses;
use super::mac::MacAddr;
use super::name::Name;
use super::ports::Ports;

/// An entry of a set: its parts in the order of the set type's data types, and
/// what the set's extensions keep about it.
///
/// Start with the first part, then add the others and the options:
///
/// ```
/// use std::net::Ipv4Addr;
/// use netfilter_conntrack::ipset::{Entry, Ports};
///
/// let server = Ipv4Addr::new(192, 0, 2, 1);
/// let entry = Entry::address(server)
///     .with_ports(Ports::tcp(443))
///     .with_address2((Ipv4Addr::new(10, 0, 0, 0), 8))
///     .with_timeout(60);
/// assert_eq!(entry.to_string(), "192.0.2.1,tcp:443,10.0.0.0/8 timeout 60");
/// ```
///
/// [`Display`](std::fmt::Display) gives the entry in the form of ipset(8), as it
/// stands behind `add SETNAME`. Names and comments are printed as they are; that
/// form has no way to quote white space in a name, or a quotation mark or line
/// break in a comment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Entry {
    /// The first address (data type `ip` or `net`).
    pub address: Option<Addresses>,
    /// MAC address (`mac`).
    pub mac: Option<MacAddr>,
    /// Packet mark (`mark`).
    pub mark: Option<u32>,
    /// Port with protocol (`port`).
    pub ports: Option<Ports>,
    /// The second address (`ip` or `net`).
    pub address2: Option<Addresses>,
    /// Interface (`iface`).
    pub interface: Option<Interface>,
    /// A set, in list:set.
    pub set: Option<Name>,
    /// Where in a list:set it is to be, or is asked to be; not in listings.
    pub place: Option<Place>,
    /// Seconds until the entry goes; 0 is never. To add: `None` takes the
    /// set's default. At the most 2,147,483.
    pub timeout: Option<u32>,
    /// An exception: packets that match it do not match the set. Only in types
    /// with `net`.
    pub nomatch: bool,
    /// Packets counted so far; the kernel takes the highest number for none.
    pub packets: Option<u64>,
    /// Bytes counted so far; the kernel takes the highest number for none.
    pub bytes: Option<u64>,
    /// Comment, at the most 255 bytes without NUL.
    pub comment: Option<Vec<u8>>,
    /// Mark to give to packets.
    pub skbmark: Option<SkbMark>,
    /// Traffic control class to give to packets: major number in the upper 16
    /// bits, minor in the lower.
    pub skbprio: Option<u32>,
    /// Hardware queue to give to packets.
    pub skbqueue: Option<u16>,
}

/// The interface part of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Interface {
    /// Its name, at the most 15 bytes.
    pub name: Name,
    /// It is the port of a bridge.
    pub physdev: bool,
    /// The name is the start of names (Linux 5.5 and later).
    pub wildcard: bool,
}

/// A place in a list:set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Place {
    /// Just before this set.
    Before(Name),
    /// Just behind this set.
    After(Name),
}

/// A mark to give to packets: the bits of `mask` become those of `mark`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SkbMark {
    /// The mark.
    pub mark: u32,
    /// The bits to set.
    pub mask: u32,
}

impl Entry {
    /// An entry that starts with an address, a network or a range.
    #[must_use]
    pub fn address(address: impl Into<Addresses>) -> Self {
        Self {
            address: Some(address.into()),
            ..Self::default()
        }
    }

    /// An entry of bitmap:port.
    #[must_use]
    pub fn ports(ports: impl Into<Ports>) -> Self {
        Self::default().with_ports(ports)
    }

    /// An entry of hash:mac.
    #[must_use]
    pub fn mac(mac: MacAddr) -> Self {
        Self::default().with_mac(mac)
    }

    /// An entry of list:set.
    #[must_use]
    pub fn set(name: Name) -> Self {
        Self {
            set: Some(name),
            ..Self::default()
        }
    }

    /// Adds a MAC address.
    #[must_use]
    pub fn with_mac(mut self, mac: MacAddr) -> Self {
        self.mac = Some(mac);
        self
    }

    /// Adds a packet mark.
    #[must_use]
    pub fn with_mark(mut self, mark: u32) -> Self {
        self.mark = Some(mark);
        self
    }

    /// Adds a port or a range of ports.
    #[must_use]
    pub fn with_ports(mut self, ports: impl Into<Ports>) -> Self {
        self.ports = Some(ports.into());
        self
    }

    /// Adds the second address, network or range.
    #[must_use]
    pub fn with_address2(mut self, address: impl Into<Addresses>) -> Self {
        self.address2 = Some(address.into());
        self
    }

    /// Adds an interface by its name or with its flags.
    #[must_use]
    pub fn with_interface(mut self, interface: impl Into<Interface>) -> Self {
        self.interface = Some(interface.into());
        self
    }

    /// Says where in a list:set the set is to be.
    #[must_use]
    pub fn with_place(mut self, place: Place) -> Self {
        self.place = Some(place);
        self
    }

    /// Lets the entry go after this many seconds, 0: never.
    #[must_use]
    pub fn with_timeout(mut self, seconds: u32) -> Self {
        self.timeout = Some(seconds);
        self
    }

    /// Makes it an exception.
    #[must_use]
    pub fn with_nomatch(mut self) -> Self {
        self.nomatch = true;
        self
    }

    /// Starts its counters here.
    #[must_use]
    pub fn with_counters(mut self, packets: u64, bytes: u64) -> Self {
        self.packets = Some(packets);
        self.bytes = Some(bytes);
        self
    }

    /// Adds a comment.
    #[must_use]
    pub fn with_comment(mut self, comment: impl Into<Vec<u8>>) -> Self {
        self.comment = Some(comment.into());
        self
    }

    /// Adds a mark to give to packets.
    #[must_use]
    pub fn with_skbmark(mut self, mark: u32, mask: u32) -> Self {
        self.skbmark = Some(SkbMark { mark, mask });
        self
    }

    /// Adds a traffic control class to give to packets.
    #[must_use]
    pub fn with_skbprio(mut self, major: u16, minor: u16) -> Self {
        self.skbprio = Some(u32::from(major) << 16 | u32::from(minor));
        self
    }

    /// Adds a hardware queue to give to packets.
    #[must_use]
    pub fn with_skbqueue(mut self, queue: u16) -> Self {
        self.skbqueue = Some(queue);
        self
    }
}

impl From<Name> for Interface {
    fn from(name: Name) -> Self {
        Self {
            name,
            physdev: false,
            wildcard: false,
        }
    }
}
