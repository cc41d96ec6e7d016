//! What the kernel's filter is to compare in the tuples of an entry.

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

use std::net::IpAddr;

use crate::conntrack::{Direction, L4Proto};
use crate::error::{Error, Result};
use crate::netlink::Builder;
use crate::nfnetlink::L3Proto;
use crate::uapi::{cta, cta_filter, cta_filter_flag as flag, cta_ip, cta_proto, cta_tuple};

/// Criteria of both tuples. The protocol is the same in both.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct TupleCriteria {
    pub(super) l4proto: Option<L4Proto>,
    pub(super) original: Ends,
    pub(super) reply: Ends,
}

/// Criteria of one tuple; ports in host byte order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Ends {
    pub(super) source: Option<IpAddr>,
    pub(super) destination: Option<IpAddr>,
    pub(super) source_port: Option<u16>,
    pub(super) destination_port: Option<u16>,
}

impl TupleCriteria {
    pub(super) fn ends(&self, direction: Direction) -> &Ends {
        match direction {
            Direction::Original => &self.original,
            Direction::Reply => &self.reply,
        }
    }

    pub(super) fn ends_mut(&mut self, direction: Direction) -> &mut Ends {
        match direction {
            Direction::Original => &mut self.original,
            Direction::Reply => &mut self.reply,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The family of the addresses; that of the first one, should they differ.
    pub(super) fn family(&self) -> Option<L3Proto> {
        self.addresses().next().map(family_of)
    }

    /// Whether the kernel compares all of it, and rightly.
    pub(super) fn is_exact(&self) -> bool {
        let has_ports = [self.original, self.reply]
            .iter()
            .any(|ends| ends.source_port.or(ends.destination_port).is_some());
        (!has_ports || self.kernel_knows_ports())
            && self.addresses().all(|address| address.is_ipv4())
    }

    /// Puts the tuples and the flags that tell what of them to compare.
    ///
    /// # Errors
    /// [`Error::Invalid`] where an address is of another family.
    pub(super) fn encode(&self, family: L3Proto, message: &mut Builder<'_>) -> Result<()> {
        if self.addresses().any(|address| family_of(address) != family) {
            return Err(Error::Invalid(
                "an address of another family than the filter's",
            ));
        }
        let of_protocol = match self.l4proto {
            Some(_) => flag::PROTO_NUM,
            None => 0,
        };
        let original = self.flags(&self.original) | of_protocol;
        let reply = self.flags(&self.reply);
        if (original, reply) == (0, 0) {
            return Ok(());
        }
        self.put(message, cta::TUPLE_ORIG, &self.original, original);
        self.put(message, cta::TUPLE_REPLY, &self.reply, reply);
        message.nest(cta::FILTER, |nest| {
            nest.put_u32(cta_filter::ORIG_FLAGS, original);
            nest.put_u32(cta_filter::REPLY_FLAGS, reply);
        });
        Ok(())
    }

    /// Which parts of a tuple the kernel is to compare. IPv6 addresses are left
    /// out: all kernels up to 6.18 pass the entries that differ, and no others.
    /// Ports are left out where the kernel does not look at them.
    fn flags(&self, ends: &Ends) -> u32 {
        let v4 = |address: Option<IpAddr>| address.is_some_and(|address| address.is_ipv4());
        let port = |port: Option<u16>| port.is_some() && self.kernel_knows_ports();
        let parts = [
            (v4(ends.source), flag::IP_SRC),
            (v4(ends.destination), flag::IP_DST),
            // Ports are taken only beside a protocol.
            (
                port(ends.source_port),
                flag::PROTO_SRC_PORT | flag::PROTO_NUM,
            ),
            (
                port(ends.destination_port),
                flag::PROTO_DST_PORT | flag::PROTO_NUM,
            ),
        ];
        let wanted = parts.iter().filter(|(wanted, _)| *wanted);
        wanted.fold(0, |flags, (_, flag)| flags | flag)
    }

    fn put(&self, message: &mut Builder<'_>, kind: u16, ends: &Ends, flags: u32) {
        if flags == 0 {
            return;
        }
        message.nest(kind, |tuple| {
            if flags & (flag::IP_SRC | flag::IP_DST) != 0 {
                tuple.nest(cta_tuple::IP, |ip| {
                    put_v4(ip, cta_ip::V4_SRC, ends.source);
                    put_v4(ip, cta_ip::V4_DST, ends.destination);
                });
            }
            if let (Some(l4proto), true) = (self.l4proto, flags & flag::PROTO_NUM != 0) {
                tuple.nest(cta_tuple::PROTO, |proto| {
                    proto.put_u8(cta_proto::NUM, l4proto.0);
                    if flags & flag::PROTO_SRC_PORT != 0 {
                        proto.put_u16_be(cta_proto::SRC_PORT, ends.source_port.unwrap_or(0));
                    }
                    if flags & flag::PROTO_DST_PORT != 0 {
                        let port = ends.destination_port.unwrap_or(0);
                        proto.put_u16_be(cta_proto::DST_PORT, port);
                    }
                });
            }
        });
    }

    fn kernel_knows_ports(&self) -> bool {
        matches!(self.l4proto, Some(L4Proto::TCP | L4Proto::UDP))
    }

    fn addresses(&self) -> impl Iterator<Item = IpAddr> + use<> {
        let ends = [self.original, self.reply];
        ends.into_iter()
            .flat_map(|ends| [ends.source, ends.destination])
            .flatten()
    }
}

fn put_v4(ip: &mut Builder<'_>, kind: u16, address: Option<IpAddr>) {
    if let Some(IpAddr::V4(address)) = address {
        ip.put(kind, &address.octets());
    }
}

pub(super) fn family_of(address: IpAddr) -> L3Proto {
    match address {
        IpAddr::V4(_) => L3Proto::IPV4,
        IpAddr::V6(_) => L3Proto::IPV6,
    }
}
