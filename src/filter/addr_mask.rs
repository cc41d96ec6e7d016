//! Addresses under a mask.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use crate::error::Error;

/// A set of IP addresses of one family: those that agree with an address in
/// the bits of a mask.
///
/// Any mask will do; that of a prefix (CIDR) comes from
/// [`prefix`](Self::prefix) or from text:
///
/// ```
/// use netfilter_conntrack::filter::AddrMask;
///
/// let net: AddrMask = "192.0.2.0/24".parse()?;
/// assert!(net.contains("192.0.2.9".parse().unwrap()));
/// assert_eq!(net, "192.0.2.0/255.255.255.0".parse()?);
/// let host: AddrMask = "2001:db8::1".parse()?;
/// assert_eq!(host.to_string(), "2001:db8::1");
/// # Ok::<(), netfilter_conntrack::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AddrMask {
    /// IPv4 addresses.
    V4 {
        /// The address; its bits outside of the mask do not count.
        addr: Ipv4Addr,
        /// The bits that count.
        mask: Ipv4Addr,
    },
    /// IPv6 addresses.
    V6 {
        /// The address; its bits outside of the mask do not count.
        addr: Ipv6Addr,
        /// The bits that count.
        mask: Ipv6Addr,
    },
}

impl AddrMask {
    /// The addresses that share the first `len` bits with `addr`.
    ///
    /// # Errors
    /// [`Error::Invalid`] where `len` exceeds the family's 32 or 128 bits.
    pub fn prefix(addr: IpAddr, len: u8) -> Result<Self, Error> {
        let too_long = Error::Invalid("a prefix longer than an address of its family");
        let len = u32::from(len);
        match addr {
            IpAddr::V4(addr) if len <= Ipv4Addr::BITS => {
                // A shift by all 32 bits is what remains for the length 0.
                let mask = u32::MAX.checked_shl(Ipv4Addr::BITS - len).unwrap_or(0);
                let mask = Ipv4Addr::from_bits(mask);
                Ok(Self::V4 { addr, mask })
            }
            IpAddr::V6(addr) if len <= Ipv6Addr::BITS => {
                let mask = u128::MAX.checked_shl(Ipv6Addr::BITS - len).unwrap_or(0);
                let mask = Ipv6Addr::from_bits(mask);
                Ok(Self::V6 { addr, mask })
            }
            _ => Err(too_long),
        }
    }

    /// Tells whether the address is one of these; never for one of the other family.
    #[must_use]
    pub fn contains(self, address: IpAddr) -> bool {
        match (self, address) {
            (Self::V4 { addr, mask }, IpAddr::V4(address)) => {
                (addr.to_bits() ^ address.to_bits()) & mask.to_bits() == 0
            }
            (Self::V6 { addr, mask }, IpAddr::V6(address)) => {
                (addr.to_bits() ^ address.to_bits()) & mask.to_bits() == 0
            }
            _ => false,
        }
    }

    /// Length of the prefix, where the mask is that of one.
    #[must_use]
    pub fn prefix_len(self) -> Option<u8> {
        let (ones, contiguous) = match self {
            Self::V4 { mask, .. } => {
                let mask = mask.to_bits();
                (mask.count_ones(), mask.leading_ones() == mask.count_ones())
            }
            Self::V6 { mask, .. } => {
                let mask = mask.to_bits();
                (mask.count_ones(), mask.leading_ones() == mask.count_ones())
            }
        };
        u8::try_from(ones).ok().filter(|_| contiguous)
    }

    fn parts(self) -> (IpAddr, IpAddr) {
        match self {
            Self::V4 { addr, mask } => (addr.into(), mask.into()),
            Self::V6 { addr, mask } => (addr.into(), mask.into()),
        }
    }
}

impl From<Ipv4Addr> for AddrMask {
    /// Just this address.
    fn from(addr: Ipv4Addr) -> Self {
        let mask = Ipv4Addr::BROADCAST;
        Self::V4 { addr, mask }
    }
}

impl From<Ipv6Addr> for AddrMask {
    /// Just this address.
    fn from(addr: Ipv6Addr) -> Self {
        let mask = Ipv6Addr::from_bits(u128::MAX);
        Self::V6 { addr, mask }
    }
}

impl From<IpAddr> for AddrMask {
    /// Just this address.
    fn from(addr: IpAddr) -> Self {
        match addr {
            IpAddr::V4(addr) => addr.into(),
            IpAddr::V6(addr) => addr.into(),
        }
    }
}

impl FromStr for AddrMask {
    type Err = Error;

    /// Reads `address`, `address/prefix length` or `address/mask`.
    fn from_str(text: &str) -> Result<Self, Error> {
        let address = |text: &str| -> Result<IpAddr, Error> {
            text.parse()
                .map_err(|_| Error::Invalid("not an IP address"))
        };
        let Some((addr, mask)) = text.split_once('/') else {
            return address(text).map(Self::from);
        };
        let addr = address(addr)?;
        if let Ok(len) = mask.parse() {
            return Self::prefix(addr, len);
        }
        match (addr, address(mask)?) {
            (IpAddr::V4(addr), IpAddr::V4(mask)) => Ok(Self::V4 { addr, mask }),
            (IpAddr::V6(addr), IpAddr::V6(mask)) => Ok(Self::V6 { addr, mask }),
            _ => Err(Error::Invalid(
                "an address and a mask of different families",
            )),
        }
    }
}

impl fmt::Display for AddrMask {
    /// The shortest of the three forms that can be read back.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (addr, mask) = self.parts();
        let whole = *self == Self::from(addr);
        match self.prefix_len() {
            Some(_) if whole => write!(f, "{addr}"),
            Some(len) => write!(f, "{addr}/{len}"),
            None => write!(f, "{addr}/{mask}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> AddrMask {
        text.parse().unwrap()
    }

    #[test]
    fn texts() {
        for text in [
            "192.0.2.1",
            "192.0.2.1/24",
            "0.0.0.0/0",
            "192.0.2.1/255.0.255.0",
            "2001:db8::/32",
            "::/0",
            "::1",
            "2001:db8::1/ffff::ffff",
        ] {
            assert_eq!(of(text).to_string(), text);
        }
        assert_eq!(of("10.0.0.0/255.0.0.0").to_string(), "10.0.0.0/8");
        for text in [
            "",
            "/",
            "1.2.3",
            "1.2.3.4/33",
            "::/129",
            "::/-1",
            "1.2.3.4/::",
            "::/1.2.3.4",
        ] {
            assert!(text.parse::<AddrMask>().is_err(), "{text}");
        }
    }

    #[test]
    fn membership() {
        for (set, inside, outside) in [
            ("192.0.2.77/24", "192.0.2.1", "192.0.3.1"),
            ("0.0.0.0/0", "255.1.2.3", "::"),
            ("192.0.2.1", "192.0.2.1", "192.0.2.0"),
            ("10.0.0.5/255.0.0.255", "10.9.9.5", "10.9.9.6"),
            ("2001:db8::/33", "2001:db8:7fff::", "2001:db8:8000::"),
            ("::/0", "::1", "0.0.0.0"),
        ] {
            assert!(of(set).contains(inside.parse().unwrap()), "{set}");
            assert!(!of(set).contains(outside.parse().unwrap()), "{set}");
        }
    }
}
