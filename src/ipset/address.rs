//! The address part of an entry: one address, a network or a range.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::ops::RangeInclusive;

/// One or more IP addresses, as ipset(8) writes them: `ip`, `ip/cidr` or
/// `from-to`.
///
/// Listings never hold ranges: the kernel stores what they stand for. It takes
/// ranges of IPv4 only, in types where ipset(8) allows them.
///
/// ```
/// use std::net::Ipv4Addr;
/// use netfilter_conntrack::ipset::Addresses;
///
/// let [a, b] = [Ipv4Addr::new(10, 0, 0, 0), Ipv4Addr::new(10, 0, 0, 9)];
/// assert_eq!(Addresses::from((a, 24)).to_string(), "10.0.0.0/24");
/// assert_eq!(Addresses::from(a..=b).to_string(), "10.0.0.0-10.0.0.9");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Addresses {
    /// One address.
    Host(IpAddr),
    /// The network with this prefix length: up to 32 for IPv4, 128 for IPv6.
    Net(IpAddr, u8),
    /// All addresses from the first to the last.
    Range(IpAddr, IpAddr),
}

impl Addresses {
    /// The address, or the first of them.
    #[must_use]
    pub fn first(&self) -> IpAddr {
        match *self {
            Self::Host(ip) | Self::Net(ip, _) | Self::Range(ip, _) => ip,
        }
    }

    /// A network, or a host where the prefix covers the whole address.
    pub(super) fn from_prefix(ip: IpAddr, prefix: Option<u8>) -> Self {
        let whole = if ip.is_ipv4() { 32 } else { 128 };
        match prefix {
            Some(prefix) if prefix != whole => Self::Net(ip, prefix),
            _ => Self::Host(ip),
        }
    }
}

impl From<IpAddr> for Addresses {
    fn from(ip: IpAddr) -> Self {
        Self::Host(ip)
    }
}

impl From<Ipv4Addr> for Addresses {
    fn from(ip: Ipv4Addr) -> Self {
        Self::Host(ip.into())
    }
}

impl From<Ipv6Addr> for Addresses {
    fn from(ip: Ipv6Addr) -> Self {
        Self::Host(ip.into())
    }
}

/// A network: an address and a prefix length.
impl<A: Into<IpAddr>> From<(A, u8)> for Addresses {
    fn from((ip, prefix): (A, u8)) -> Self {
        Self::Net(ip.into(), prefix)
    }
}

impl From<RangeInclusive<Ipv4Addr>> for Addresses {
    fn from(range: RangeInclusive<Ipv4Addr>) -> Self {
        let (from, to) = range.into_inner();
        Self::Range(from.into(), to.into())
    }
}

impl fmt::Display for Addresses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Host(ip) => ip.fmt(f),
            Self::Net(ip, prefix) => write!(f, "{ip}/{prefix}"),
            Self::Range(from, to) => write!(f, "{from}-{to}"),
        }
    }
}
