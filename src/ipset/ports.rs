//! The port part of an entry, with its protocol.

use std::fmt;

use crate::L4Proto;

/// A port, or a range of ports, of a protocol: `[proto:]port[-port]` in the
/// words of ipset(8).
///
/// The protocol must be given in sets of the hash types, and has no meaning in
/// bitmap:port. ICMP has a type and a code in place of a port; protocols
/// without ports have port 0.
///
/// ```
/// use netfilter_conntrack::L4Proto;
/// use netfilter_conntrack::ipset::Ports;
///
/// assert_eq!(Ports::tcp(80).to_string(), "tcp:80");
/// assert_eq!(Ports::udp(5000).up_to(5010).to_string(), "udp:5000-5010");
/// assert_eq!(Ports::icmp(8, 0).to_string(), "icmp:8/0");
/// assert_eq!(Ports::of(L4Proto::GRE, 0).to_string(), "47:0");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Ports {
    /// Protocol; `None` in bitmap:port.
    pub proto: Option<L4Proto>,
    /// The port, or the first of them.
    pub first: u16,
    /// The last of them, equal to `first` where it is only one.
    pub last: u16,
}

impl Ports {
    /// A port of this protocol.
    #[must_use]
    pub fn of(proto: L4Proto, port: u16) -> Self {
        Self {
            proto: Some(proto),
            first: port,
            last: port,
        }
    }

    /// A TCP port.
    #[must_use]
    pub fn tcp(port: u16) -> Self {
        Self::of(L4Proto::TCP, port)
    }

    /// A UDP port.
    #[must_use]
    pub fn udp(port: u16) -> Self {
        Self::of(L4Proto::UDP, port)
    }

    /// An ICMP message of this type and code.
    #[must_use]
    pub fn icmp(message_type: u8, code: u8) -> Self {
        Self::of(L4Proto::ICMP, u16::from_be_bytes([message_type, code]))
    }

    /// An ICMPv6 message of this type and code.
    #[must_use]
    pub fn icmpv6(message_type: u8, code: u8) -> Self {
        Self::of(L4Proto::ICMPV6, u16::from_be_bytes([message_type, code]))
    }

    /// All ports from this one to `last`; the kernel takes ranges to add and
    /// delete, not to test.
    #[must_use]
    pub fn up_to(self, last: u16) -> Self {
        Self { last, ..self }
    }
}

impl From<u16> for Ports {
    /// A port without protocol, for bitmap:port.
    fn from(port: u16) -> Self {
        Self {
            proto: None,
            first: port,
            last: port,
        }
    }
}

impl fmt::Display for Ports {
    /// Protocols that ipset(8) does not name are printed as numbers, since
    /// names of others depend on the reader's /etc/protocols.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.proto {
            None => {}
            Some(L4Proto::TCP) => f.write_str("tcp:")?,
            Some(L4Proto::UDP) => f.write_str("udp:")?,
            Some(L4Proto::SCTP) => f.write_str("sctp:")?,
            Some(L4Proto::UDPLITE) => f.write_str("udplite:")?,
            Some(L4Proto::ICMP) => return self.fmt_icmp("icmp", f),
            Some(L4Proto::ICMPV6) => return self.fmt_icmp("icmpv6", f),
            Some(L4Proto(number)) => write!(f, "{number}:")?,
        }
        self.first.fmt(f)?;
        if self.last != self.first {
            write!(f, "-{}", self.last)?;
        }
        Ok(())
    }
}

impl Ports {
    fn fmt_icmp(&self, proto: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [message_type, code] = self.first.to_be_bytes();
        write!(f, "{proto}:{message_type}/{code}")
    }
}
