//! Layer 4 protocol numbers.

use std::fmt;

/// A layer 4 protocol by its IP protocol number. An open set.
///
/// ```
/// use netfilter_conntrack::L4Proto;
/// assert_eq!(L4Proto::TCP.to_string(), "tcp");
/// assert_eq!(L4Proto(50).to_string(), "unknown");
/// ```
#[doc(alias = "ATTR_L4PROTO")]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct L4Proto(pub u8);

impl L4Proto {
    /// ICMP for IPv4.
    pub const ICMP: Self = Self(1);
    /// TCP.
    pub const TCP: Self = Self(6);
    /// UDP.
    pub const UDP: Self = Self(17);
    /// DCCP, which Linux 6.18 does not track any more.
    pub const DCCP: Self = Self(33);
    /// GRE, tracked by its keys.
    pub const GRE: Self = Self(47);
    /// ICMP for IPv6.
    pub const ICMPV6: Self = Self(58);
    /// SCTP.
    pub const SCTP: Self = Self(132);
    /// UDP-Lite.
    pub const UDPLITE: Self = Self(136);

    /// What the protocol puts into the two 16-bit words of a tuple.
    #[must_use]
    #[inline]
    pub const fn layout(self) -> L4Layout {
        LAYOUTS[self.0 as usize]
    }

    /// The name conntrack(8) prints; `"unknown"` for protocols it does not name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ICMP => "icmp",
            Self::TCP => "tcp",
            Self::UDP => "udp",
            Self::DCCP => "dccp",
            Self::GRE => "gre",
            Self::ICMPV6 => "icmpv6",
            Self::SCTP => "sctp",
            Self::UDPLITE => "udplite",
            _ => "unknown",
        }
    }
}

/// The layout of each protocol. Every message and comparison asks for it, and a
/// table is quicker than a choice among nine numbers.
static LAYOUTS: [L4Layout; 256] = {
    let mut layouts = [L4Layout::Nothing; 256];
    let ports = [
        L4Proto::TCP,
        L4Proto::UDP,
        L4Proto::DCCP,
        L4Proto::SCTP,
        L4Proto::UDPLITE,
    ];
    let mut index = 0;
    while index < ports.len() {
        layouts[ports[index].0 as usize] = L4Layout::Ports;
        index += 1;
    }
    layouts[L4Proto::GRE.0 as usize] = L4Layout::Keys;
    layouts[L4Proto::ICMP.0 as usize] = L4Layout::Icmp;
    layouts[L4Proto::ICMPV6.0 as usize] = L4Layout::Icmp;
    layouts
};

impl fmt::Display for L4Proto {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// What tells the flows of a protocol apart, besides their addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum L4Layout {
    /// Source and destination port.
    Ports,
    /// Source and destination key.
    Keys,
    /// Type, code and identifier.
    Icmp,
    /// Nothing: one flow between two addresses.
    Nothing,
}
