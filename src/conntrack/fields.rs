//! The parts of an entry that are more than a number.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::tuple::Direction;

/// One value for each direction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub(crate) struct PerDirection<T> {
    pub(crate) original: T,
    pub(crate) reply: T,
}

impl<T> PerDirection<T> {
    pub(crate) fn get(&self, direction: Direction) -> &T {
        match direction {
            Direction::Original => &self.original,
            Direction::Reply => &self.reply,
        }
    }
}

/// Traffic of one direction, counted where the sysctl `nf_conntrack_acct` is on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[repr(C)]
pub struct Counters {
    /// Packets.
    pub packets: u64,
    /// Bytes, network headers included.
    pub bytes: u64,
}

/// How TCP sequence numbers of one direction are adjusted because a helper
/// changed the length of the data.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[repr(C)]
pub struct SeqAdjust {
    /// The sequence number up to which `offset_before` holds.
    pub correction_pos: u32,
    /// Offset before that number.
    pub offset_before: i32,
    /// Offset behind it.
    pub offset_after: i32,
}

/// What the SYNPROXY target keeps of a flow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[repr(C)]
pub struct Synproxy {
    /// Initial sequence number.
    pub isn: u32,
    /// Initial timestamp.
    pub its: u32,
    /// Timestamp offset.
    pub tsoff: u32,
}

/// When a flow began and ended, in nanoseconds since the epoch; kept where the
/// sysctl `nf_conntrack_timestamp` is on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Timestamps {
    /// When it began.
    pub start: Option<u64>,
    /// When it ended; in DESTROY events.
    pub stop: Option<u64>,
    /// When the event happened (Linux 6.14 and later, in events only).
    pub event: Option<u64>,
}

/// A translation asked of the kernel when an entry is created: to which
/// addresses, to which ports.
///
/// ```
/// use netfilter_conntrack::Nat;
/// let to = Nat::to_address("198.51.100.7".parse().unwrap()).with_ports(1024, 65535);
/// assert_eq!(to.ports, Some((1024, 65535)));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Nat {
    /// Lowest and highest address, of one family.
    pub addresses: Option<(IpAddr, IpAddr)>,
    /// Lowest and highest port, in host byte order.
    pub ports: Option<(u16, u16)>,
}

impl Nat {
    /// A translation to one address.
    #[must_use]
    pub fn to_address(address: IpAddr) -> Self {
        Self {
            addresses: Some((address, address)),
            ports: None,
        }
    }

    /// The same translation, also to a port of this range (both ends included).
    #[must_use]
    pub fn with_ports(self, lowest: u16, highest: u16) -> Self {
        Self {
            ports: Some((lowest, highest)),
            ..self
        }
    }
}

/// A translation as it is stored; addresses and ports in network byte order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C, align(4))]
pub(crate) struct RawNat {
    pub(crate) min: [u8; 16],
    pub(crate) max: [u8; 16],
    pub(crate) port_min: [u8; 2],
    pub(crate) port_max: [u8; 2],
}

impl RawNat {
    pub(crate) fn v4_range(&self) -> (IpAddr, IpAddr) {
        (v4(&self.min).into(), v4(&self.max).into())
    }

    pub(crate) fn v6_range(&self) -> (IpAddr, IpAddr) {
        (
            Ipv6Addr::from(self.min).into(),
            Ipv6Addr::from(self.max).into(),
        )
    }

    pub(crate) fn port_range(&self) -> (u16, u16) {
        (
            u16::from_be_bytes(self.port_min),
            u16::from_be_bytes(self.port_max),
        )
    }
}

/// The IPv4 address in the first four bytes.
pub(crate) fn v4(place: &[u8; 16]) -> Ipv4Addr {
    let [a, b, c, d, ..] = *place;
    Ipv4Addr::new(a, b, c, d)
}

/// Writes an address to the front of its place; IPv4 leaves the rest as it is.
pub(crate) fn put_address(place: &mut [u8; 16], address: IpAddr) {
    match address {
        IpAddr::V4(address) => place[..4].copy_from_slice(&address.octets()),
        IpAddr::V6(address) => *place = address.octets(),
    }
}

/// Bytes of variable length that an entry owns.
///
/// Kept behind a thin pointer, whose null pattern is "none". An empty blob of
/// a reused entry keeps its memory for the next message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Blob(pub(crate) Vec<u8>);

impl Blob {
    /// Puts `parts` one behind the other into the blob in `place`, reusing it.
    pub(crate) fn store(place: &mut Option<Box<Self>>, parts: &[&[u8]]) {
        let blob = place.get_or_insert_default();
        blob.0.clear();
        for part in parts {
            blob.0.extend_from_slice(part);
        }
    }
}
