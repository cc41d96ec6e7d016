//! Encoding: sets and entries to the attributes inside DATA.

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

use super::address::Addresses;
use super::entry::{Entry, Place};
use super::set::Set;
use super::uapi::{MAX_COMMENT, address_attr, create_attr, data_attr, entry_attr, entry_flag};
use crate::error::{Error, Result};
use crate::netlink::{Builder, NET_BYTEORDER};

/// Longest name of an interface, IFNAMSIZ without the NUL.
const MAX_INTERFACE: usize = 15;

impl Set {
    /// Puts the options, to stand inside DATA of a CREATE message.
    pub(super) fn encode(&self, message: &mut Builder<'_>) {
        if let Some(range) = &self.range {
            put_addresses(message, FIRST, range);
        }
        if let Some((first, last)) = self.ports {
            put_u16(message, data_attr::PORT, first);
            put_u16(message, data_attr::PORT_TO, last);
        }
        for (kind, value) in [
            (data_attr::TIMEOUT, self.timeout),
            (data_attr::MARKMASK, self.markmask),
            (create_attr::INITVAL, self.initval),
            (create_attr::HASHSIZE, self.hashsize),
            (create_attr::MAXELEM, self.maxelem),
            (create_attr::SIZE, self.size),
        ] {
            if let Some(value) = value {
                put_u32(message, kind, value);
            }
        }
        if !self.flags.is_empty() {
            put_u32(message, data_attr::FLAGS, self.flags.bits());
        }
        if let Some(prefix) = self.netmask {
            message.put_u8(create_attr::NETMASK, prefix);
        }
        if let Some(mask) = self.bitmask {
            put_ip(message, data_attr::BITMASK, mask);
        }
        if let Some(entries) = self.bucketsize {
            message.put_u8(create_attr::BUCKETSIZE, entries);
        }
    }
}

impl Entry {
    /// What the kernel would refuse without telling which entry it was.
    pub(super) fn check(&self) -> Result<()> {
        if let Some(comment) = &self.comment {
            if comment.len() > MAX_COMMENT || comment.contains(&0) {
                return Err(Error::Invalid(
                    "a comment must have at the most 255 bytes and no NUL",
                ));
            }
        }
        if let Some(interface) = &self.interface {
            if interface.name.as_bytes().len() > MAX_INTERFACE {
                return Err(Error::Invalid(
                    "the name of an interface must have at the most 15 bytes",
                ));
            }
        }
        Ok(())
    }

    /// Puts the parts and options, to stand inside DATA of an ADD, DEL or TEST message.
    pub(super) fn encode(&self, message: &mut Builder<'_>) {
        let mut flags = 0;
        if let Some(addresses) = &self.address {
            put_addresses(message, FIRST, addresses);
        }
        if let Some(ports) = self.ports {
            put_u16(message, data_attr::PORT, ports.first);
            if ports.last != ports.first {
                put_u16(message, data_attr::PORT_TO, ports.last);
            }
            if let Some(proto) = ports.proto {
                message.put_u8(data_attr::PROTO, proto.0);
            }
        }
        if let Some(mark) = self.mark {
            put_u32(message, data_attr::MARK, mark);
        }
        if let Some(mac) = self.mac {
            message.put(entry_attr::ETHER, &mac.0);
        }
        if let Some(addresses) = &self.address2 {
            put_addresses(message, SECOND, addresses);
        }
        if let Some(interface) = &self.interface {
            message.put_string(entry_attr::IFACE, interface.name.as_bytes());
            if interface.physdev {
                flags |= entry_flag::PHYSDEV;
            }
            if interface.wildcard {
                flags |= entry_flag::WILDCARD;
            }
        }
        if let Some(set) = &self.set {
            message.put_string(entry_attr::NAME, set.as_bytes());
        }
        if let Some(place) = &self.place {
            let other = match place {
                Place::Before(other) => {
                    flags |= entry_flag::BEFORE;
                    other
                }
                Place::After(other) => other,
            };
            message.put_string(entry_attr::NAMEREF, other.as_bytes());
        }
        if self.nomatch {
            flags |= entry_flag::NOMATCH;
        }
        if flags != 0 {
            put_u32(message, data_attr::FLAGS, flags);
        }
        self.encode_extensions(message);
    }

    fn encode_extensions(&self, message: &mut Builder<'_>) {
        if let Some(seconds) = self.timeout {
            put_u32(message, data_attr::TIMEOUT, seconds);
        }
        if let Some(bytes) = self.bytes {
            message.put_u64_be(entry_attr::BYTES | NET_BYTEORDER, bytes);
        }
        if let Some(packets) = self.packets {
            message.put_u64_be(entry_attr::PACKETS | NET_BYTEORDER, packets);
        }
        if let Some(comment) = &self.comment {
            message.put_string(entry_attr::COMMENT, comment);
        }
        if let Some(skbmark) = self.skbmark {
            let both = u64::from(skbmark.mark) << 32 | u64::from(skbmark.mask);
            message.put_u64_be(entry_attr::SKBMARK | NET_BYTEORDER, both);
        }
        if let Some(class) = self.skbprio {
            put_u32(message, entry_attr::SKBPRIO, class);
        }
        if let Some(queue) = self.skbqueue {
            put_u16(message, entry_attr::SKBQUEUE, queue);
        }
    }
}

/// The attributes that hold one of the two addresses of an entry: the address,
/// the last of a range, the prefix length.
const FIRST: [u16; 3] = [data_attr::IP, data_attr::IP_TO, data_attr::CIDR];
const SECOND: [u16; 3] = [entry_attr::IP2, entry_attr::IP2_TO, entry_attr::CIDR2];

fn put_addresses(message: &mut Builder<'_>, kinds: [u16; 3], addresses: &Addresses) {
    let [ip, last, cidr] = kinds;
    put_ip(message, ip, addresses.first());
    match *addresses {
        Addresses::Host(_) => {}
        Addresses::Net(_, prefix) => message.put_u8(cidr, prefix),
        Addresses::Range(_, to) => put_ip(message, last, to),
    }
}

fn put_ip(message: &mut Builder<'_>, kind: u16, ip: IpAddr) {
    message.nest(kind, |nest| match ip {
        IpAddr::V4(ip) => nest.put(address_attr::IPV4 | NET_BYTEORDER, &ip.octets()),
        IpAddr::V6(ip) => nest.put(address_attr::IPV6 | NET_BYTEORDER, &ip.octets()),
    });
}

/// Numbers must be in network byte order and marked so.
pub(super) fn put_u32(message: &mut Builder<'_>, kind: u16, value: u32) {
    message.put_u32_be(kind | NET_BYTEORDER, value);
}

/// As [`put_u32`].
pub(super) fn put_u16(message: &mut Builder<'_>, kind: u16, value: u16) {
    message.put_u16_be(kind | NET_BYTEORDER, value);
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, Ipv6Addr};

    use super::*;
    use crate::ipset::{Interface, MacAddr, Name, Ports};
    use crate::netlink::Attrs;

    fn name(name: &str) -> Name {
        name.parse().unwrap()
    }

    /// Entries of all types, also of those that not every kernel has.
    fn entries() -> Vec<Entry> {
        let v4 = |last| Ipv4Addr::new(10, 0, 0, last);
        let v6 = |last| Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, last);
        let mac = MacAddr([2, 0, 0, 0, 0, 1]);
        let eth = |physdev, wildcard| Interface {
            name: name("eth"),
            physdev,
            wildcard,
        };
        vec![
            Entry::default(),
            Entry::address(v4(1)),
            Entry::address((v6(0), 64)).with_nomatch(),
            Entry::address(v4(1)..=v4(9)).with_timeout(0),
            Entry::mac(mac),
            Entry::address(v6(1)).with_mac(mac),
            Entry::address(v4(1)).with_mark(0xffff_ffff),
            Entry::ports(0),
            Entry::address(v4(1)).with_ports(Ports::udp(1).up_to(65_535)),
            Entry::address((v4(0), 8)).with_address2((v4(0), 0)),
            Entry::address((v6(0), 8))
                .with_ports(Ports::icmpv6(128, 0))
                .with_address2((v6(0), 9)),
            Entry::address((v4(0), 24)).with_interface(eth(true, false)),
            Entry::address((v4(0), 24)).with_interface(eth(false, true)),
            Entry::set(name("a")).with_place(Place::Before(name("b"))),
            Entry::set(name("a")).with_place(Place::After(name("b"))),
            Entry::address(v4(1))
                .with_timeout(u32::MAX)
                .with_counters(1, u64::MAX)
                .with_comment("")
                .with_skbmark(0x0102_0304, 0xff00_00ff)
                .with_skbprio(0x1234, 0x5678)
                .with_skbqueue(0x9abc),
        ]
    }

    #[test]
    fn entries_are_decoded_as_they_were_encoded() {
        let mut decoded = Entry::default();
        for entry in entries() {
            let mut bytes = Vec::new();
            Builder::fragment(&mut bytes, |data| entry.encode(data)).unwrap();
            decoded.decode(&bytes).unwrap();
            assert_eq!(decoded, entry);
        }
    }

    #[test]
    fn numbers_are_marked_as_of_network_byte_order() {
        // The kernel takes no others.
        let mut bytes = Vec::new();
        Builder::fragment(&mut bytes, |data| Entry::ports(80).encode(data)).unwrap();
        let kind = u16::from_ne_bytes([bytes[2], bytes[3]]);
        assert_eq!((kind, &bytes[4..6]), (4 | NET_BYTEORDER, &[0, 80][..]));
    }

    #[test]
    fn comments_reuse_their_memory() {
        let mut bytes = Vec::new();
        let entry = Entry::default().with_comment("some words");
        Builder::fragment(&mut bytes, |data| entry.encode(data)).unwrap();
        let mut decoded = Entry::default().with_comment(Vec::with_capacity(500));
        decoded.decode(&bytes).unwrap();
        assert_eq!(decoded, entry);
        assert_eq!(decoded.comment.map(|comment| comment.capacity()), Some(500));
    }

    #[test]
    fn addresses_are_nests_of_their_family() {
        let mut bytes = Vec::new();
        let entry = Entry::address(Ipv6Addr::LOCALHOST);
        Builder::fragment(&mut bytes, |data| entry.encode(data)).unwrap();
        let ip = Attrs::new(&bytes).next().unwrap().unwrap();
        assert!(ip.is_nested() && ip.kind() == data_attr::IP);
        let inner = ip.nested().next().unwrap().unwrap();
        assert_eq!(
            (inner.kind(), inner.payload().len()),
            (address_attr::IPV6, 16)
        );
    }
}
