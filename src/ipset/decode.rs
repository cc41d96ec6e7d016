//! Decoding: sets and entries from a listing of the kernel.

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

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::address::Addresses;
use super::entry::{Entry, Interface, Place, SkbMark};
use super::mac::MacAddr;
use super::name::Name;
use super::ports::Ports;
use super::set::{Set, SetFlags, SetInfo};
use super::settype::SetType;
use super::uapi::{address_attr, command_attr, create_attr, data_attr, entry_attr, entry_flag};
use crate::L4Proto;
use crate::error::DecodeError;
use crate::netlink::{Attr, AttrIndex, Attrs, Message};
use crate::nfnetlink::{L3Proto, Nfgenmsg};

type Result<T = ()> = std::result::Result<T, DecodeError>;

/// The attributes of a message by their numbers.
pub(super) type Index<'a> = AttrIndex<'a, { command_attr::COUNT }>;

/// Indexes the attributes of an ipset message.
pub(super) fn index<'a>(message: &Message<'a>) -> Result<Index<'a>> {
    let (_, attributes) = Nfgenmsg::split(message)?;
    Index::new(attributes).map_err(|error| DecodeError::Attribute("an ipset message", error))
}

/// One message of a listing: a set, some of its entries, or both.
///
/// The kernel spreads a set with many entries over several messages; only the
/// first of them tells about the set itself.
#[derive(Clone, Debug)]
pub struct Part<'a> {
    /// The set the message is about.
    pub name: Name,
    /// What the set is, in its first message; never in a listing of names.
    pub info: Option<SetInfo>,
    entries: Attrs<'a>,
}

impl<'a> Part<'a> {
    /// Reads a message that answers a LIST or SAVE request.
    ///
    /// # Errors
    /// [`DecodeError`] where the message does not hold what it should.
    pub fn decode(message: &Message<'a>) -> Result<Self> {
        let index = index(message)?;
        let name = name(&required(
            &index,
            command_attr::SETNAME,
            "IPSET_ATTR_SETNAME",
        )?)?;
        let info = match index.get(command_attr::TYPENAME) {
            Some(type_name) => Some(set_info(name, &type_name, &index)?),
            None => None,
        };
        let entries = index.get(command_attr::ADT);
        Ok(Self {
            name,
            info,
            entries: Attrs::new(entries.map(|attr| attr.payload()).unwrap_or_default()),
        })
    }

    /// The next entry of the message, decoded into `entry` in place of what
    /// was there; `false` where there is none.
    ///
    /// # Errors
    /// [`DecodeError`] where the entry does not hold what it should.
    pub fn next_entry(&mut self, entry: &mut Entry) -> Result<bool> {
        let Some(data) = self.entries.next() else {
            return Ok(false);
        };
        let data = data.map_err(|error| DecodeError::Attribute("IPSET_ATTR_ADT", error))?;
        entry.decode(data.payload())?;
        Ok(true)
    }

    /// The entries not read yet, as attributes.
    pub(super) fn entries(&self) -> &'a [u8] {
        self.entries.rest()
    }
}

fn set_info(name: Name, type_name: &Attr<'_>, index: &Index<'_>) -> Result<SetInfo> {
    let mut info = SetInfo {
        set: Set::plain(name, SetType(self::name(type_name)?)),
        index: None,
        references: 0,
        memory: 0,
        elements: None,
    };
    if let Some(family) = index.get(command_attr::FAMILY) {
        info.set.family = L3Proto(exact(family.u8(), &family, "IPSET_ATTR_FAMILY")?);
    }
    if let Some(revision) = index.get(command_attr::REVISION) {
        let number = exact(revision.u8(), &revision, "IPSET_ATTR_REVISION")?;
        info.set.revision = Some(number);
    }
    if let Some(number) = index.get(command_attr::INDEX) {
        info.index = Some(exact(number.u16_be(), &number, "IPSET_ATTR_INDEX")?);
    }
    if let Some(data) = index.get(command_attr::DATA) {
        options(&data, &mut info)?;
    }
    Ok(info)
}

/// Reads the options of a set and its statistics.
fn options(data: &Attr<'_>, info: &mut SetInfo) -> Result {
    let set = &mut info.set;
    let (mut first, mut last) = (None, None);
    let (mut port, mut last_port) = (None, None);
    for attr in data.nested() {
        let attr = attr.map_err(|error| DecodeError::Attribute("IPSET_ATTR_DATA", error))?;
        match attr.kind() {
            data_attr::IP => first = Some(ip(&attr, "IPSET_ATTR_IP")?),
            data_attr::IP_TO => last = Some(ip(&attr, "IPSET_ATTR_IP_TO")?),
            data_attr::PORT => port = Some(u16_be(&attr, "IPSET_ATTR_PORT")?),
            data_attr::PORT_TO => last_port = Some(u16_be(&attr, "IPSET_ATTR_PORT_TO")?),
            data_attr::TIMEOUT => set.timeout = Some(u32_be(&attr, "IPSET_ATTR_TIMEOUT")?),
            data_attr::FLAGS => {
                let bits = u32_be(&attr, "IPSET_ATTR_CADT_FLAGS")?;
                set.flags = SetFlags::from_bits_retain(bits);
            }
            data_attr::MARKMASK => set.markmask = Some(u32_be(&attr, "IPSET_ATTR_MARKMASK")?),
            data_attr::BITMASK => set.bitmask = Some(ip(&attr, "IPSET_ATTR_BITMASK")?),
            create_attr::INITVAL => set.initval = Some(u32_be(&attr, "IPSET_ATTR_INITVAL")?),
            create_attr::HASHSIZE => set.hashsize = Some(u32_be(&attr, "IPSET_ATTR_HASHSIZE")?),
            create_attr::MAXELEM => set.maxelem = Some(u32_be(&attr, "IPSET_ATTR_MAXELEM")?),
            create_attr::NETMASK => {
                set.netmask = Some(exact(attr.u8(), &attr, "IPSET_ATTR_NETMASK")?);
            }
            create_attr::BUCKETSIZE => {
                set.bucketsize = Some(exact(attr.u8(), &attr, "IPSET_ATTR_BUCKETSIZE")?);
            }
            create_attr::SIZE => set.size = Some(u32_be(&attr, "IPSET_ATTR_SIZE")?),
            create_attr::ELEMENTS => info.elements = Some(u32_be(&attr, "IPSET_ATTR_ELEMENTS")?),
            create_attr::REFERENCES => info.references = u32_be(&attr, "IPSET_ATTR_REFERENCES")?,
            create_attr::MEMSIZE => info.memory = u32_be(&attr, "IPSET_ATTR_MEMSIZE")?,
            _ => {}
        }
    }
    set.range = first.map(|first| match last {
        Some(last) => Addresses::Range(first, last),
        None => Addresses::Host(first),
    });
    set.ports = port.map(|port| (port, last_port.unwrap_or(port)));
    Ok(())
}

impl Entry {
    /// Decodes the attributes inside DATA into this entry, in place of what
    /// was there. Only comments need memory, and they reuse that of the one
    /// before.
    pub(super) fn decode(&mut self, data: &[u8]) -> Result {
        let mut spare = self.comment.take();
        *self = Self::default();
        let (mut address, mut address2) = (Parts::default(), Parts::default());
        let (mut port, mut last_port, mut proto) = (None, None, None);
        let (mut interface, mut reference, mut flags) = (None, None, 0);
        for attr in Attrs::new(data) {
            let attr = attr.map_err(|error| DecodeError::Attribute("IPSET_ATTR_DATA", error))?;
            match attr.kind() {
                data_attr::IP => address.ip = Some(ip(&attr, "IPSET_ATTR_IP")?),
                data_attr::IP_TO => address.last = Some(ip(&attr, "IPSET_ATTR_IP_TO")?),
                data_attr::CIDR => {
                    address.prefix = Some(exact(attr.u8(), &attr, "IPSET_ATTR_CIDR")?);
                }
                data_attr::PORT => port = Some(u16_be(&attr, "IPSET_ATTR_PORT")?),
                data_attr::PORT_TO => last_port = Some(u16_be(&attr, "IPSET_ATTR_PORT_TO")?),
                data_attr::TIMEOUT => self.timeout = Some(u32_be(&attr, "IPSET_ATTR_TIMEOUT")?),
                data_attr::PROTO => {
                    proto = Some(L4Proto(exact(attr.u8(), &attr, "IPSET_ATTR_PROTO")?));
                }
                data_attr::FLAGS => flags = u32_be(&attr, "IPSET_ATTR_CADT_FLAGS")?,
                data_attr::MARK => self.mark = Some(u32_be(&attr, "IPSET_ATTR_MARK")?),
                entry_attr::ETHER => {
                    self.mac = Some(MacAddr(exact(attr.array(), &attr, "IPSET_ATTR_ETHER")?));
                }
                entry_attr::NAME => self.set = Some(name(&attr)?),
                entry_attr::NAMEREF => reference = Some(name(&attr)?),
                entry_attr::IP2 => address2.ip = Some(ip(&attr, "IPSET_ATTR_IP2")?),
                entry_attr::IP2_TO => address2.last = Some(ip(&attr, "IPSET_ATTR_IP2_TO")?),
                entry_attr::CIDR2 => {
                    address2.prefix = Some(exact(attr.u8(), &attr, "IPSET_ATTR_CIDR2")?);
                }
                entry_attr::IFACE => interface = Some(name(&attr)?),
                entry_attr::BYTES => self.bytes = Some(u64_be(&attr, "IPSET_ATTR_BYTES")?),
                entry_attr::PACKETS => self.packets = Some(u64_be(&attr, "IPSET_ATTR_PACKETS")?),
                entry_attr::COMMENT => {
                    let mut comment = spare.take().unwrap_or_default();
                    comment.clear();
                    comment.extend_from_slice(attr.string());
                    self.comment = Some(comment);
                }
                entry_attr::SKBMARK => {
                    let both = u64_be(&attr, "IPSET_ATTR_SKBMARK")?.to_be_bytes();
                    let [m0, m1, m2, m3, k0, k1, k2, k3] = both;
                    self.skbmark = Some(SkbMark {
                        mark: u32::from_be_bytes([m0, m1, m2, m3]),
                        mask: u32::from_be_bytes([k0, k1, k2, k3]),
                    });
                }
                entry_attr::SKBPRIO => self.skbprio = Some(u32_be(&attr, "IPSET_ATTR_SKBPRIO")?),
                entry_attr::SKBQUEUE => {
                    self.skbqueue = Some(u16_be(&attr, "IPSET_ATTR_SKBQUEUE")?);
                }
                _ => {}
            }
        }
        self.address = address.join();
        self.address2 = address2.join();
        self.ports = port.map(|first| Ports {
            proto,
            first,
            last: last_port.unwrap_or(first),
        });
        self.interface = interface.map(|name| Interface {
            name,
            physdev: flags & entry_flag::PHYSDEV != 0,
            wildcard: flags & entry_flag::WILDCARD != 0,
        });
        self.place = reference.map(|other| match flags & entry_flag::BEFORE {
            0 => Place::After(other),
            _ => Place::Before(other),
        });
        self.nomatch = flags & entry_flag::NOMATCH != 0;
        Ok(())
    }
}

/// The attributes that make up one of the addresses of an entry.
#[derive(Default)]
struct Parts {
    ip: Option<IpAddr>,
    last: Option<IpAddr>,
    prefix: Option<u8>,
}

impl Parts {
    fn join(self) -> Option<Addresses> {
        let first = self.ip?;
        Some(match self.last {
            Some(last) => Addresses::Range(first, last),
            None => Addresses::from_prefix(first, self.prefix),
        })
    }
}

fn ip(attr: &Attr<'_>, attribute: &'static str) -> Result<IpAddr> {
    for inner in attr.nested() {
        let inner = inner.map_err(|error| DecodeError::Attribute(attribute, error))?;
        match inner.kind() {
            address_attr::IPV4 => {
                let octets: [u8; 4] = exact(inner.array(), &inner, "IPSET_ATTR_IPADDR_IPV4")?;
                return Ok(Ipv4Addr::from(octets).into());
            }
            address_attr::IPV6 => {
                let octets: [u8; 16] = exact(inner.array(), &inner, "IPSET_ATTR_IPADDR_IPV6")?;
                return Ok(Ipv6Addr::from(octets).into());
            }
            _ => {}
        }
    }
    Err(DecodeError::Missing {
        attribute: "IPSET_ATTR_IPADDR_IPV4 or IPSET_ATTR_IPADDR_IPV6",
    })
}

/// A name of 1 to 31 bytes.
pub(super) fn name(attr: &Attr<'_>) -> Result<Name> {
    exact(
        Name::from_bytes(attr.string()),
        attr,
        "the name of a set, a type or an interface",
    )
}

/// An attribute that must be there.
pub(super) fn required<'a>(
    index: &Index<'a>,
    kind: u16,
    attribute: &'static str,
) -> Result<Attr<'a>> {
    index.get(kind).ok_or(DecodeError::Missing { attribute })
}

/// What a getter found in an attribute, which is nothing where the length is wrong.
pub(super) fn exact<T>(value: Option<T>, attr: &Attr<'_>, attribute: &'static str) -> Result<T> {
    value.ok_or_else(|| DecodeError::Length {
        attribute,
        len: attr.payload().len(),
    })
}

fn u16_be(attr: &Attr<'_>, attribute: &'static str) -> Result<u16> {
    exact(attr.u16_be(), attr, attribute)
}

fn u32_be(attr: &Attr<'_>, attribute: &'static str) -> Result<u32> {
    exact(attr.u32_be(), attr, attribute)
}

fn u64_be(attr: &Attr<'_>, attribute: &'static str) -> Result<u64> {
    exact(attr.u64_be(), attr, attribute)
}
