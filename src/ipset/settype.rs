//! Set types: how a set stores its entries, and what they are made of.

use std::fmt;
use std::str::FromStr;

use super::name::{Name, checked};
use crate::error::Error;
use crate::nfnetlink::L3Proto;

/// A set type by its name, `method:datatype[,datatype[,datatype]]`. An open
/// set: the kernel decides whether it knows the type.
///
/// The constants are the types of ipset(8). Which of them a kernel has is a
/// matter of its modules.
///
/// ```
/// use netfilter_conntrack::ipset::{Method, SetType};
///
/// assert_eq!(SetType::HASH_NET_PORT.to_string(), "hash:net,port");
/// assert_eq!("list:set".parse::<SetType>()?.method(), Some(Method::List));
/// # Ok::<(), netfilter_conntrack::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SetType(pub Name);

impl SetType {
    /// IPv4 addresses, or networks of one size, of a range of at the most 65,536.
    pub const BITMAP_IP: Self = Self(Name::constant("bitmap:ip"));
    /// IPv4 addresses of a range, each with the MAC address it must have.
    pub const BITMAP_IP_MAC: Self = Self(Name::constant("bitmap:ip,mac"));
    /// Ports of a range, whatever their protocol.
    pub const BITMAP_PORT: Self = Self(Name::constant("bitmap:port"));
    /// Addresses, or networks of one size.
    pub const HASH_IP: Self = Self(Name::constant("hash:ip"));
    /// Addresses with their MAC addresses.
    pub const HASH_IP_MAC: Self = Self(Name::constant("hash:ip,mac"));
    /// Addresses with packet marks.
    pub const HASH_IP_MARK: Self = Self(Name::constant("hash:ip,mark"));
    /// Addresses with ports.
    pub const HASH_IP_PORT: Self = Self(Name::constant("hash:ip,port"));
    /// Addresses with ports and second addresses.
    pub const HASH_IP_PORT_IP: Self = Self(Name::constant("hash:ip,port,ip"));
    /// Addresses with ports and networks.
    pub const HASH_IP_PORT_NET: Self = Self(Name::constant("hash:ip,port,net"));
    /// MAC addresses.
    pub const HASH_MAC: Self = Self(Name::constant("hash:mac"));
    /// Networks of different sizes.
    pub const HASH_NET: Self = Self(Name::constant("hash:net"));
    /// Networks with interfaces.
    pub const HASH_NET_IFACE: Self = Self(Name::constant("hash:net,iface"));
    /// Pairs of networks.
    pub const HASH_NET_NET: Self = Self(Name::constant("hash:net,net"));
    /// Networks with ports.
    pub const HASH_NET_PORT: Self = Self(Name::constant("hash:net,port"));
    /// Networks with ports and second networks.
    pub const HASH_NET_PORT_NET: Self = Self(Name::constant("hash:net,port,net"));
    /// Other sets, in order.
    pub const LIST_SET: Self = Self(Name::constant("list:set"));

    /// How sets of the type store their entries; `None` for a method that
    /// ipset(8) does not name.
    #[must_use]
    pub fn method(&self) -> Option<Method> {
        match self.split().0 {
            b"bitmap" => Some(Method::Bitmap),
            b"hash" => Some(Method::Hash),
            b"list" => Some(Method::List),
            _ => None,
        }
    }

    /// The family a set of this type has unless told otherwise: IPv4 where
    /// its entries hold addresses, none where they do not.
    #[must_use]
    pub fn default_family(&self) -> L3Proto {
        let mut data = self.split().1.split(|byte| *byte == b',');
        if data.any(|part| part == b"ip" || part == b"net") {
            L3Proto::IPV4
        } else {
            L3Proto::UNSPEC
        }
    }

    /// Method and data types.
    fn split(&self) -> (&[u8], &[u8]) {
        let mut halves = self.0.as_bytes().splitn(2, |byte| *byte == b':');
        let mut half = || halves.next().unwrap_or_default();
        (half(), half())
    }
}

/// How a set stores its entries: the first part of its type's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Method {
    /// A bit for each possible entry.
    Bitmap,
    /// A hash table that grows.
    Hash,
    /// A list, searched from its start.
    List,
}

impl FromStr for SetType {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
        Ok(Self(checked(name)?))
    }
}

impl fmt::Display for SetType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_follow_the_data() {
        for (set_type, family) in [
            (SetType::BITMAP_IP_MAC, L3Proto::IPV4),
            (SetType::BITMAP_PORT, L3Proto::UNSPEC),
            (SetType::HASH_NET_IFACE, L3Proto::IPV4),
            (SetType::HASH_MAC, L3Proto::UNSPEC),
            (SetType::LIST_SET, L3Proto::UNSPEC),
        ] {
            assert_eq!(set_type.default_family(), family, "{set_type}");
        }
    }

    #[test]
    fn unknown_types_pass() {
        let future: SetType = "tree:ip".parse().unwrap();
        assert_eq!(future.method(), None);
        assert_eq!(future.default_family(), L3Proto::IPV4);
        assert_eq!("odd".parse::<SetType>().unwrap().method(), None);
    }
}
