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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conntrack::Conntrack;
    use crate::conntrack::Tuple;
    use crate::filter::DumpFilter;
    use crate::netlink::{Attr, Attrs, Message};
    use crate::nfnetlink::Nfgenmsg;

    /// The attributes of a tuple's nests, in the order sent, and its flags.
    type Sent = (Vec<(u16, Vec<u8>)>, u32);

    /// Family, original and reply tuple of a request with the filter.
    fn sent(filter: &DumpFilter) -> Result<(L3Proto, Sent, Sent)> {
        let mut bytes = Vec::new();
        crate::Query::DumpFilter(filter).encode(1, &mut bytes)?;
        let message = Message::parse(&bytes)?;
        let (header, attributes) = Nfgenmsg::split(&message)?;
        let find = |kind| Attrs::new(attributes).find(kind).unwrap();
        let flags = |kind| {
            let flags = find(cta::FILTER).map(|nest: Attr<'_>| nest.nested().find(kind));
            flags.map_or(0, |flags| flags.unwrap().unwrap().u32().unwrap())
        };
        let tuple = |kind| {
            let nests = find(kind).into_iter().flat_map(|tuple| tuple.nested());
            let parts = nests.flat_map(|nest| nest.unwrap().nested());
            parts
                .map(|part| {
                    part.map(|part| (part.kind(), part.payload().to_vec()))
                        .unwrap()
                })
                .collect()
        };
        let original = (tuple(cta::TUPLE_ORIG), flags(cta_filter::ORIG_FLAGS));
        let reply = (tuple(cta::TUPLE_REPLY), flags(cta_filter::REPLY_FLAGS));
        Ok((header.family, original, reply))
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn only_what_is_compared_is_sent() {
        let filter = DumpFilter::new()
            .l4proto(L4Proto::UDP)
            .destination(Direction::Original, ip("192.0.2.1"))
            .source_port(Direction::Reply, 53);
        let original = vec![
            (cta_ip::V4_DST, vec![192, 0, 2, 1]),
            (cta_proto::NUM, vec![17]),
        ];
        let reply = vec![
            (cta_proto::NUM, vec![17]),
            (cta_proto::SRC_PORT, vec![0, 53]),
        ];
        let expected = (
            L3Proto::IPV4,
            (original, flag::IP_DST | flag::PROTO_NUM),
            (reply, flag::PROTO_SRC_PORT | flag::PROTO_NUM),
        );
        assert_eq!(sent(&filter).unwrap(), expected);
    }

    #[test]
    fn what_kernels_get_wrong_is_left_out() {
        let none = (Vec::new(), 0);
        let v6 = DumpFilter::new().source(Direction::Reply, ip("2001:db8::1"));
        assert_eq!(
            sent(&v6).unwrap(),
            (L3Proto::IPV6, none.clone(), none.clone())
        );
        let sctp = DumpFilter::new()
            .family(L3Proto::IPV4)
            .l4proto(L4Proto::SCTP)
            .source_port(Direction::Reply, 80);
        let number = (vec![(cta_proto::NUM, vec![132])], flag::PROTO_NUM);
        assert_eq!(sent(&sctp).unwrap(), (L3Proto::IPV4, number, none.clone()));
        let no_protocol = DumpFilter::new()
            .family(L3Proto::IPV4)
            .source_port(Direction::Original, 80);
        assert_eq!(
            sent(&no_protocol).unwrap(),
            (L3Proto::IPV4, none.clone(), none)
        );
    }

    #[test]
    fn contradictions_are_refused() {
        let entry = Conntrack::flow(Tuple::new(ip("::1"), ip("::2"), L4Proto::TCP).unwrap());
        let (v4, v6) = (ip("192.0.2.1"), ip("2001:db8::1"));
        for filter in [
            DumpFilter::new().l4proto(L4Proto::TCP),
            DumpFilter::new()
                .family(L3Proto::IPV6)
                .source(Direction::Original, v4),
            DumpFilter::new()
                .source(Direction::Original, v4)
                .source(Direction::Reply, v6),
            DumpFilter::new().tuple(&entry).l4proto(L4Proto::TCP),
        ] {
            assert!(
                matches!(sent(&filter), Err(Error::Invalid(_))),
                "{filter:?}"
            );
        }
    }
}
