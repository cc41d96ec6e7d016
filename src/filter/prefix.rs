//! IP prefixes (CIDR).

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::ops::RangeInclusive;
use std::str::FromStr;

use super::addr_mask::AddrMask;
use crate::error::Error;

/// The addresses that share their first bits: a network, or a single host.
///
/// ```
/// use netfilter_conntrack::filter::IpPrefix;
///
/// let network: IpPrefix = "192.0.2.7/24".parse()?;
/// assert_eq!(network.to_string(), "192.0.2.0/24");
/// assert!(network.contains("192.0.2.255".parse().unwrap()));
/// let host: IpPrefix = "2001:db8::1".parse()?;
/// assert_eq!((host.len(), host.to_string().as_str()), (128, "2001:db8::1"));
/// # Ok::<(), netfilter_conntrack::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct IpPrefix {
    /// The bits behind the prefix are zero.
    address: IpAddr,
    len: u8,
}

impl IpPrefix {
    /// The addresses that share their first `len` bits with `address`, whose
    /// other bits do not matter.
    ///
    /// # Errors
    /// [`Error::Invalid`] where `len` exceeds the family's 32 or 128 bits.
    pub fn new(address: IpAddr, len: u8) -> Result<Self, Error> {
        if u32::from(len) > bits(address) {
            return Err(Error::Invalid("a prefix longer than an address"));
        }
        let address = match address {
            IpAddr::V4(v4) => Ipv4Addr::from_bits(v4.to_bits() & v4_mask(len)).into(),
            IpAddr::V6(v6) => Ipv6Addr::from_bits(v6.to_bits() & v6_mask(len)).into(),
        };
        Ok(Self { address, len })
    }

    /// The first address: that of the network.
    #[must_use]
    pub fn address(&self) -> IpAddr {
        self.address
    }

    /// Bits of the prefix: 0 to 32, for IPv6 to 128.
    #[allow(clippy::len_without_is_empty, reason = "a length in bits, not a count")]
    #[must_use]
    pub fn len(&self) -> u8 {
        self.len
    }

    /// Whether it is a single address.
    #[must_use]
    pub fn is_host(&self) -> bool {
        u32::from(self.len) == bits(self.address)
    }

    /// Whether the address is one of these; never for one of the other family.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        Self::new(address, self.len).is_ok_and(|prefix| prefix == *self)
    }

    /// The first and the last address.
    pub(super) fn range(&self) -> Range {
        match self.address {
            IpAddr::V4(first) => {
                let first = first.to_bits();
                Range::V4(first..=first | !v4_mask(self.len))
            }
            IpAddr::V6(first) => {
                let first = first.to_bits();
                Range::V6(first..=first | !v6_mask(self.len))
            }
        }
    }
}

/// Addresses of one family from the first to the last, as numbers.
pub(super) enum Range {
    V4(RangeInclusive<u32>),
    V6(RangeInclusive<u128>),
}

fn bits(address: IpAddr) -> u32 {
    match address {
        IpAddr::V4(_) => Ipv4Addr::BITS,
        IpAddr::V6(_) => Ipv6Addr::BITS,
    }
}

// A shift by all bits is what remains for the length 0.
fn v4_mask(len: u8) -> u32 {
    let shift = Ipv4Addr::BITS.saturating_sub(len.into());
    u32::MAX.checked_shl(shift).unwrap_or(0)
}

fn v6_mask(len: u8) -> u128 {
    let shift = Ipv6Addr::BITS.saturating_sub(len.into());
    u128::MAX.checked_shl(shift).unwrap_or(0)
}

impl From<IpAddr> for IpPrefix {
    /// Just this address.
    fn from(address: IpAddr) -> Self {
        let len = match address {
            IpAddr::V4(_) => 32,
            IpAddr::V6(_) => 128,
        };
        Self { address, len }
    }
}

impl From<Ipv4Addr> for IpPrefix {
    /// Just this address.
    fn from(address: Ipv4Addr) -> Self {
        IpAddr::from(address).into()
    }
}

impl From<Ipv6Addr> for IpPrefix {
    /// Just this address.
    fn from(address: Ipv6Addr) -> Self {
        IpAddr::from(address).into()
    }
}

impl From<IpPrefix> for AddrMask {
    fn from(prefix: IpPrefix) -> Self {
        match prefix.address {
            IpAddr::V4(addr) => {
                let mask = Ipv4Addr::from_bits(v4_mask(prefix.len));
                Self::V4 { addr, mask }
            }
            IpAddr::V6(addr) => {
                let mask = Ipv6Addr::from_bits(v6_mask(prefix.len));
                Self::V6 { addr, mask }
            }
        }
    }
}

impl FromStr for IpPrefix {
    type Err = Error;

    /// Reads `address` or `address/length`.
    fn from_str(text: &str) -> Result<Self, Error> {
        let address = |text: &str| {
            text.parse::<IpAddr>()
                .map_err(|_| Error::Invalid("not an IP address"))
        };
        match text.split_once('/') {
            None => Ok(address(text)?.into()),
            Some((front, len)) => {
                let digits = !len.is_empty() && len.bytes().all(|byte| byte.is_ascii_digit());
                let len = len.parse().ok().filter(|_| digits);
                Self::new(
                    address(front)?,
                    len.ok_or(Error::Invalid("not the length of a prefix"))?,
                )
            }
        }
    }
}

impl fmt::Display for IpPrefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.address.fmt(f)?;
        match self.is_host() {
            true => Ok(()),
            false => write!(f, "/{}", self.len),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prefix(text: &str) -> IpPrefix {
        text.parse().unwrap()
    }

    #[test]
    fn text_round_trip() {
        for (text, shown) in [
            ("10.1.2.3", "10.1.2.3"),
            ("10.1.2.3/32", "10.1.2.3"),
            ("10.1.2.3/8", "10.0.0.0/8"),
            ("255.255.255.255/0", "0.0.0.0/0"),
            ("2001:db8::ffff/33", "2001:db8::/33"),
            ("::1", "::1"),
            ("ffff::/0", "::/0"),
        ] {
            assert_eq!(prefix(text).to_string(), shown);
            assert_eq!(prefix(shown), prefix(text));
        }
        for wrong in [
            "",
            "/",
            "10.0.0.0/",
            "10.0.0.0/33",
            "10.0.0.0/+8",
            "10.0.0.0/-1",
            "::/129",
            "::/256",
            "10.0.0/8",
            "a",
            "10.0.0.0/8/8",
            "10.0.0.0/ 8",
        ] {
            assert!(wrong.parse::<IpPrefix>().is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn families_do_not_mix() {
        assert!(!prefix("0.0.0.0/0").contains("::1".parse().unwrap()));
        assert!(!prefix("::/0").contains("0.0.0.0".parse().unwrap()));
        assert!(!prefix("::/64").contains("0.0.0.0".parse().unwrap()));
    }

    #[test]
    fn bounds_are_inside_and_their_neighbours_are_not() {
        for len in 0..=32 {
            let prefix = IpPrefix::new("172.22.22.22".parse().unwrap(), len).unwrap();
            let Range::V4(range) = prefix.range() else {
                panic!("{prefix}");
            };
            let contains = |bits| prefix.contains(Ipv4Addr::from_bits(bits).into());
            assert!(
                contains(*range.start()) && contains(*range.end()),
                "{prefix}"
            );
            assert!(
                range.start().checked_sub(1).is_none_or(|n| !contains(n)),
                "{prefix}"
            );
            assert!(
                range.end().checked_add(1).is_none_or(|n| !contains(n)),
                "{prefix}"
            );
            let mask = AddrMask::from(prefix);
            assert!(mask.contains(prefix.address()) && mask.prefix_len() == Some(len));
        }
    }
}
