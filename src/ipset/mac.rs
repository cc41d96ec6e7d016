//! MAC addresses.

use std::fmt;

/// An Ethernet MAC address, printed as ipset(8) does.
///
/// ```
/// use netfilter_conntrack::ipset::MacAddr;
/// assert_eq!(MacAddr([2, 0, 0, 0, 0xab, 1]).to_string(), "02:00:00:00:AB:01");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MacAddr(pub [u8; 6]);

impl fmt::Display for MacAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self([a, b, c, d, e, g]) = self;
        write!(f, "{a:02X}:{b:02X}:{c:02X}:{d:02X}:{e:02X}:{g:02X}")
    }
}
