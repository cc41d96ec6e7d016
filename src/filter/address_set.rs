//! Sets of addresses.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::ops::RangeInclusive;

use super::prefix::{IpPrefix, Range};
use super::range_set::RangeSet;
use crate::error::{Error, Result};
use crate::nfnetlink::L3Proto;

/// A set of IPv4 and IPv6 addresses, made of any number of addresses and
/// prefixes. Looking an address up takes time by the logarithm of their number.
///
/// ```
/// use netfilter_conntrack::filter::{AddressSet, IpPrefix};
///
/// let prefixes: [IpPrefix; 3] =
///     ["10.0.0.0/8".parse()?, "10.1.0.0/16".parse()?, "2001:db8::/32".parse()?];
/// let set: AddressSet = prefixes.into_iter().collect();
/// assert!(set.contains("10.9.9.9".parse().unwrap()));
/// assert!(!set.contains("11.0.0.0".parse().unwrap()));
/// # Ok::<(), netfilter_conntrack::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct AddressSet {
    v4: RangeSet<u32>,
    v6: RangeSet<u128>,
}

impl AddressSet {
    /// The addresses from the first to the last one, both included.
    ///
    /// # Errors
    /// [`Error::Invalid`] where they are of different families, or the last one
    /// comes before the first.
    pub fn range(addresses: RangeInclusive<IpAddr>) -> Result<Self> {
        if addresses.is_empty() {
            return Err(Error::Invalid(
                "an address range that ends before it begins",
            ));
        }
        match addresses.into_inner() {
            (IpAddr::V4(first), IpAddr::V4(last)) => {
                Ok(Self::of([Range::V4(first.to_bits()..=last.to_bits())]))
            }
            (IpAddr::V6(first), IpAddr::V6(last)) => {
                Ok(Self::of([Range::V6(first.to_bits()..=last.to_bits())]))
            }
            _ => Err(Error::Invalid("an address range of two families")),
        }
    }

    /// Whether the address is in the set. An IPv4 address is not the same as
    /// the IPv6 address that it can be mapped to.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        match address {
            IpAddr::V4(address) => self.v4.contains(address.to_bits()),
            IpAddr::V6(address) => self.v6.contains(address.to_bits()),
        }
    }

    /// Whether no address is in the set.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.v4.is_empty() && self.v6.is_empty()
    }

    /// The addresses that are in one of the sets.
    #[must_use]
    pub fn union<'s>(sets: impl IntoIterator<Item = &'s Self>) -> Self {
        let ranges = sets.into_iter().flat_map(|set| {
            let v4 = set.v4.iter().map(Range::V4);
            v4.chain(set.v6.iter().map(Range::V6))
        });
        Self::of(ranges)
    }

    /// The addresses that are in both sets.
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Self {
        Self {
            v4: self.v4.intersection(&other.v4),
            v6: self.v6.intersection(&other.v6),
        }
    }

    fn of(ranges: impl IntoIterator<Item = Range>) -> Self {
        let (mut v4, mut v6) = (Vec::new(), Vec::new());
        for range in ranges {
            match range {
                Range::V4(range) => v4.push(range),
                Range::V6(range) => v6.push(range),
            }
        }
        Self {
            v4: v4.into_iter().collect(),
            v6: v6.into_iter().collect(),
        }
    }

    /// The family, where all addresses are of one.
    pub(super) fn family(&self) -> Option<L3Proto> {
        match (self.v4.is_empty(), self.v6.is_empty()) {
            (false, true) => Some(L3Proto::IPV4),
            (true, false) => Some(L3Proto::IPV6),
            _ => None,
        }
    }

    /// The address, where there is just one in the set.
    pub(super) fn single(&self) -> Option<IpAddr> {
        match self.family()? {
            L3Proto::IPV4 => Some(Ipv4Addr::from_bits(self.v4.single()?).into()),
            _ => Some(Ipv6Addr::from_bits(self.v6.single()?).into()),
        }
    }
}

impl<P: Into<IpPrefix>> FromIterator<P> for AddressSet {
    fn from_iter<I: IntoIterator<Item = P>>(prefixes: I) -> Self {
        Self::of(prefixes.into_iter().map(|prefix| prefix.into().range()))
    }
}

impl From<IpPrefix> for AddressSet {
    fn from(prefix: IpPrefix) -> Self {
        Self::of([prefix.range()])
    }
}

impl From<IpAddr> for AddressSet {
    fn from(address: IpAddr) -> Self {
        IpPrefix::from(address).into()
    }
}

impl From<Ipv4Addr> for AddressSet {
    fn from(address: Ipv4Addr) -> Self {
        IpPrefix::from(address).into()
    }
}

impl From<Ipv6Addr> for AddressSet {
    fn from(address: Ipv6Addr) -> Self {
        IpPrefix::from(address).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(prefixes: &[&str]) -> AddressSet {
        let prefixes = prefixes
            .iter()
            .map(|text| text.parse::<IpPrefix>().unwrap());
        prefixes.collect()
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn many_prefixes_are_found_again() {
        let hosts = (0..100_000u32).map(|n| Ipv4Addr::from_bits(n * 3));
        let set: AddressSet = hosts.collect();
        for n in 0..300_000u32 {
            assert_eq!(set.contains(Ipv4Addr::from_bits(n).into()), n % 3 == 0);
        }
        assert_eq!(set.family(), Some(L3Proto::IPV4));
    }

    #[test]
    fn families_stay_apart() {
        let both = set(&["10.0.0.0/8", "2001:db8::/32"]);
        assert_eq!(both.family(), None);
        assert!(both.contains(ip("2001:db8::9")) && !both.contains(ip("::ffff:10.0.0.1")));
        let v6 = both.intersection(&set(&["::/0"]));
        assert_eq!(v6, set(&["2001:db8::/32"]));
        assert!(both.intersection(&set(&["11.0.0.0/8"])).is_empty());
        let joined = AddressSet::union([&v6, &set(&["10.0.0.0/9", "10.128.0.0/9"])]);
        assert_eq!(joined, both);
        assert_eq!(set(&["::7"]).single(), Some(ip("::7")));
        assert_eq!(set(&["10.0.0.1", "::7"]).single(), None);
    }

    #[test]
    fn ranges_need_two_addresses_in_order() {
        let range = AddressSet::range(ip("10.0.0.250")..=ip("10.0.1.5")).unwrap();
        assert!(range.contains(ip("10.0.1.0")) && !range.contains(ip("10.0.1.6")));
        let sixteen = AddressSet::range(ip("::10")..=ip("::1f")).unwrap();
        assert_eq!(sixteen, set(&["::10/124"]));
        for (first, last) in [("10.0.0.2", "10.0.0.1"), ("10.0.0.1", "::1")] {
            assert!(AddressSet::range(ip(first)..=ip(last)).is_err());
        }
    }
}
