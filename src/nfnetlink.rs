//! nfnetlink: what all netfilter subsystems put between the netlink header and
//! their attributes, and how they number their messages and groups.

#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects
    )
)]

use bitflags::bitflags;

use crate::error::DecodeError;
use crate::netlink::{Builder, Header, Message};

/// A subsystem of nfnetlink: the high byte of a message type
/// (`NFNL_SUBSYS_*` of `linux/netfilter/nfnetlink.h`). An open set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Subsystem(pub u8);

impl Subsystem {
    /// Connection tracking.
    #[doc(alias = "NFNL_SUBSYS_CTNETLINK")]
    pub const CONNTRACK: Self = Self(1);
    /// Expectations.
    #[doc(alias = "NFNL_SUBSYS_CTNETLINK_EXP")]
    pub const EXPECT: Self = Self(2);
    /// IP sets.
    #[doc(alias = "NFNL_SUBSYS_IPSET")]
    pub const IPSET: Self = Self(6);

    /// The message type of this subsystem's message number `message`.
    #[must_use]
    pub const fn message_type(self, message: u8) -> u16 {
        u16::from_be_bytes([self.0, message])
    }

    /// The subsystem and message number in a message type.
    #[must_use]
    pub const fn split(message_type: u16) -> (Self, u8) {
        let [subsystem, message] = message_type.to_be_bytes();
        (Self(subsystem), message)
    }
}

/// A layer 3 protocol by its address family (`AF_*`). An open set.
#[doc(alias = "ATTR_L3PROTO")]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct L3Proto(pub u8);

impl L3Proto {
    /// No family, or all of them (`AF_UNSPEC`).
    pub const UNSPEC: Self = Self(libc::AF_UNSPEC as u8);
    /// IPv4 (`AF_INET`).
    pub const IPV4: Self = Self(libc::AF_INET as u8);
    /// IPv6 (`AF_INET6`).
    pub const IPV6: Self = Self(libc::AF_INET6 as u8);
}

/// The header behind the netlink header in all nfnetlink messages.
#[doc(alias = "nfgenmsg")]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Nfgenmsg {
    /// Address family the message is about; 0 for all or none.
    pub family: L3Proto,
    /// Version, 0 in nearly all messages (`NFNETLINK_V0`).
    pub version: u8,
    /// A number the subsystem gives a meaning, such as the CPU of a statistic.
    pub res_id: u16,
}

impl Nfgenmsg {
    /// Bytes of the header.
    pub const LEN: usize = 4;

    /// The header for requests about this family.
    #[must_use]
    pub const fn family(family: L3Proto) -> Self {
        Self {
            family,
            version: 0,
            res_id: 0,
        }
    }

    /// Splits a message's payload into this header and the attributes.
    ///
    /// # Errors
    /// [`DecodeError::Short`] where the payload has fewer than 4 bytes.
    #[inline]
    pub fn split<'a>(message: &Message<'a>) -> Result<(Self, &'a [u8]), DecodeError> {
        let (&[family, version, id0, id1], attributes) = message
            .payload()
            .split_first_chunk()
            .ok_or(DecodeError::Short { header: "nfgenmsg" })?;
        let header = Self {
            family: L3Proto(family),
            version,
            res_id: u16::from_be_bytes([id0, id1]),
        };
        Ok((header, attributes))
    }

    /// The header as it stands in a message.
    #[must_use]
    pub const fn to_bytes(self) -> [u8; Self::LEN] {
        let [id0, id1] = self.res_id.to_be_bytes();
        [self.family.0, self.version, id0, id1]
    }

    /// Starts a message with `header` and this header at the end of `buffer`.
    #[must_use]
    pub fn start(self, buffer: &mut Vec<u8>, header: Header) -> Builder<'_> {
        let mut message = Builder::new(buffer, header);
        message.put_bytes(&self.to_bytes());
        message
    }
}

bitflags! {
    /// Multicast groups of NETLINK_NETFILTER as the mask that binding takes.
    ///
    /// A listener needs CAP_NET_ADMIN. Unknown bits are passed on.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
    pub struct Groups: u32 {
        /// Conntrack entries made.
        #[doc(alias = "NF_NETLINK_CONNTRACK_NEW")]
        const NEW = 1 << 0;
        /// Conntrack entries changed.
        #[doc(alias = "NF_NETLINK_CONNTRACK_UPDATE")]
        const UPDATE = 1 << 1;
        /// Conntrack entries gone.
        #[doc(alias = "NF_NETLINK_CONNTRACK_DESTROY")]
        const DESTROY = 1 << 2;
        /// Expectations made.
        #[doc(alias = "NF_NETLINK_CONNTRACK_EXP_NEW")]
        const EXPECT_NEW = 1 << 3;
        /// Expectations changed; Linux 6.18 has the group but never sends to it.
        #[doc(alias = "NF_NETLINK_CONNTRACK_EXP_UPDATE")]
        const EXPECT_UPDATE = 1 << 4;
        /// Expectations gone.
        #[doc(alias = "NF_NETLINK_CONNTRACK_EXP_DESTROY")]
        const EXPECT_DESTROY = 1 << 5;
        /// All three of conntrack.
        #[doc(alias = "NFCT_ALL_CT_GROUPS")]
        const CONNTRACK = Self::NEW.bits() | Self::UPDATE.bits() | Self::DESTROY.bits();
        /// All three of expectations.
        const EXPECT = Self::EXPECT_NEW.bits()
            | Self::EXPECT_UPDATE.bits()
            | Self::EXPECT_DESTROY.bits();

        const _ = !0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::netlink::Flags;

    #[test]
    fn message_types() {
        assert_eq!(Subsystem::EXPECT.message_type(2), 0x202);
        assert_eq!(Subsystem::split(0x605), (Subsystem::IPSET, 5));
    }

    #[test]
    fn header_round_trip() {
        let header = Nfgenmsg {
            family: L3Proto::IPV6,
            version: 1,
            res_id: 0x0102,
        };
        let mut buffer = Vec::new();
        let mut message = header.start(&mut buffer, Header::request(0x100, Flags::ACK));
        message.put_u8(1, 6);
        message.finish().unwrap();
        assert_eq!(buffer[16..20], [10, 1, 1, 2]);
        let message = Message::parse(&buffer).unwrap();
        let (back, attributes) = Nfgenmsg::split(&message).unwrap();
        assert_eq!((back, attributes.len()), (header, 8));
        let short = Message::parse(&buffer[..16]);
        assert!(short.is_err());
    }
}
