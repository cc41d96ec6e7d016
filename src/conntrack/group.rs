//! Attribute groups: attributes that are set, read and tested together.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::attr_number::Attr;
use super::attr_set::AttrSet;
use super::fields::{Counters, v4};
use super::object::Conntrack;
use super::tuple::Icmp;
use crate::error::{Error, Result};
use crate::nfnetlink::L3Proto;

/// A group of attributes, numbered as in the C library
/// (`enum nf_conntrack_attr_grp`).
#[doc(alias = "nf_conntrack_attr_grp")]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum AttrGroup {
    /// Addresses and family of the original tuple, IPv4.
    #[doc(alias = "ATTR_GRP_ORIG_IPV4")]
    OrigIpv4 = 0,
    /// Addresses and family of the reply tuple, IPv4.
    #[doc(alias = "ATTR_GRP_REPL_IPV4")]
    ReplIpv4 = 1,
    /// Addresses and family of the original tuple, IPv6.
    #[doc(alias = "ATTR_GRP_ORIG_IPV6")]
    OrigIpv6 = 2,
    /// Addresses and family of the reply tuple, IPv6.
    #[doc(alias = "ATTR_GRP_REPL_IPV6")]
    ReplIpv6 = 3,
    /// Ports and layer 4 protocol of the original tuple.
    #[doc(alias = "ATTR_GRP_ORIG_PORT")]
    OrigPort = 4,
    /// Ports and layer 4 protocol of the reply tuple.
    #[doc(alias = "ATTR_GRP_REPL_PORT")]
    ReplPort = 5,
    /// ICMP type, code and identifier.
    #[doc(alias = "ATTR_GRP_ICMP")]
    Icmp = 6,
    /// Addresses and family of the master tuple, IPv4.
    #[doc(alias = "ATTR_GRP_MASTER_IPV4")]
    MasterIpv4 = 7,
    /// Addresses and family of the master tuple, IPv6.
    #[doc(alias = "ATTR_GRP_MASTER_IPV6")]
    MasterIpv6 = 8,
    /// Ports and layer 4 protocol of the master tuple.
    #[doc(alias = "ATTR_GRP_MASTER_PORT")]
    MasterPort = 9,
    /// Traffic of the original direction; only the kernel sets it.
    #[doc(alias = "ATTR_GRP_ORIG_COUNTERS")]
    OrigCounters = 10,
    /// Traffic of the reply direction; only the kernel sets it.
    #[doc(alias = "ATTR_GRP_REPL_COUNTERS")]
    ReplCounters = 11,
    /// Source address of the original tuple, of either family; to be read only.
    #[doc(alias = "ATTR_GRP_ORIG_ADDR_SRC")]
    OrigAddrSrc = 12,
    /// Destination address of the original tuple, of either family; to be read only.
    #[doc(alias = "ATTR_GRP_ORIG_ADDR_DST")]
    OrigAddrDst = 13,
    /// Source address of the reply tuple, of either family; to be read only.
    #[doc(alias = "ATTR_GRP_REPL_ADDR_SRC")]
    ReplAddrSrc = 14,
    /// Destination address of the reply tuple, of either family; to be read only.
    #[doc(alias = "ATTR_GRP_REPL_ADDR_DST")]
    ReplAddrDst = 15,
}

/// The values of a group, as [`Conntrack::group`] gives them and
/// [`Conntrack::set_group`] takes them. Numbers are in host byte order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum GroupValue {
    /// Two IPv4 addresses.
    #[doc(alias = "nfct_attr_grp_ipv4")]
    Ipv4 {
        /// Source.
        src: Ipv4Addr,
        /// Destination.
        dst: Ipv4Addr,
    },
    /// Two IPv6 addresses.
    #[doc(alias = "nfct_attr_grp_ipv6")]
    Ipv6 {
        /// Source.
        src: Ipv6Addr,
        /// Destination.
        dst: Ipv6Addr,
    },
    /// Two ports.
    #[doc(alias = "nfct_attr_grp_port")]
    Ports {
        /// Source.
        src: u16,
        /// Destination.
        dst: u16,
    },
    /// ICMP fields.
    #[doc(alias = "nfct_attr_grp_icmp")]
    Icmp(Icmp),
    /// Packets and bytes.
    #[doc(alias = "nfct_attr_grp_ctrs")]
    Counters(Counters),
    /// An address of either family.
    #[doc(alias = "nfct_attr_grp_addr")]
    Address(IpAddr),
}

/// What the value of a group is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    Ipv4,
    Ipv6,
    Ports,
    Icmp,
    /// Setting such a group stores nothing.
    Counters,
    /// An address of either family. Setting such a group stores nothing.
    Address,
}

/// A row of the table.
#[derive(Debug)]
struct Row {
    group: AttrGroup,
    shape: Shape,
    /// The attributes that make up the value, in the order of the C library's structs.
    parts: &'static [Attr],
    /// A member whose value is not part of the group's: the family, which setting
    /// addresses sets; the protocol, which keeps its value; the IPv4 form of an
    /// address of either family.
    beside: Option<Attr>,
}

const fn row(group: AttrGroup, shape: Shape, parts: &'static [Attr], beside: Option<Attr>) -> Row {
    Row {
        group,
        shape,
        parts,
        beside,
    }
}

#[rustfmt::skip]
static ROWS: [Row; AttrGroup::COUNT] = [
    row(AttrGroup::OrigIpv4, Shape::Ipv4, &[Attr::OrigIpv4Src, Attr::OrigIpv4Dst], Some(Attr::OrigL3proto)),
    row(AttrGroup::ReplIpv4, Shape::Ipv4, &[Attr::ReplIpv4Src, Attr::ReplIpv4Dst], Some(Attr::ReplL3proto)),
    row(AttrGroup::OrigIpv6, Shape::Ipv6, &[Attr::OrigIpv6Src, Attr::OrigIpv6Dst], Some(Attr::OrigL3proto)),
    row(AttrGroup::ReplIpv6, Shape::Ipv6, &[Attr::ReplIpv6Src, Attr::ReplIpv6Dst], Some(Attr::ReplL3proto)),
    row(AttrGroup::OrigPort, Shape::Ports, &[Attr::OrigPortSrc, Attr::OrigPortDst], Some(Attr::OrigL4proto)),
    row(AttrGroup::ReplPort, Shape::Ports, &[Attr::ReplPortSrc, Attr::ReplPortDst], Some(Attr::ReplL4proto)),
    row(AttrGroup::Icmp, Shape::Icmp, &[Attr::IcmpId, Attr::IcmpCode, Attr::IcmpType], None),
    row(AttrGroup::MasterIpv4, Shape::Ipv4, &[Attr::MasterIpv4Src, Attr::MasterIpv4Dst], Some(Attr::MasterL3proto)),
    row(AttrGroup::MasterIpv6, Shape::Ipv6, &[Attr::MasterIpv6Src, Attr::MasterIpv6Dst], Some(Attr::MasterL3proto)),
    row(AttrGroup::MasterPort, Shape::Ports, &[Attr::MasterPortSrc, Attr::MasterPortDst], Some(Attr::MasterL4proto)),
    row(AttrGroup::OrigCounters, Shape::Counters, &[Attr::OrigCounterPackets, Attr::OrigCounterBytes], None),
    row(AttrGroup::ReplCounters, Shape::Counters, &[Attr::ReplCounterPackets, Attr::ReplCounterBytes], None),
    row(AttrGroup::OrigAddrSrc, Shape::Address, &[Attr::OrigIpv6Src], Some(Attr::OrigIpv4Src)),
    row(AttrGroup::OrigAddrDst, Shape::Address, &[Attr::OrigIpv6Dst], Some(Attr::OrigIpv4Dst)),
    row(AttrGroup::ReplAddrSrc, Shape::Address, &[Attr::ReplIpv6Src], Some(Attr::ReplIpv4Src)),
    row(AttrGroup::ReplAddrDst, Shape::Address, &[Attr::ReplIpv6Dst], Some(Attr::ReplIpv4Dst)),
];

impl Row {
    fn members(&self) -> AttrSet {
        let mut members = AttrSet::of(self.parts);
        if let Some(attr) = self.beside {
            members.insert(attr);
        }
        members
    }
}

impl AttrGroup {
    /// How many groups there are; their numbers are below it.
    #[doc(alias = "ATTR_GRP_MAX")]
    pub const COUNT: usize = 16;

    /// The group with this number; `None` for [`COUNT`](Self::COUNT) and above.
    #[must_use]
    pub fn from_number(number: u32) -> Option<Self> {
        let row = ROWS.get(usize::try_from(number).ok()?)?;
        Some(row.group)
    }

    /// The group's number.
    #[must_use]
    pub const fn number(self) -> u32 {
        self as u32
    }

    /// All groups, in the order of their numbers.
    pub fn all() -> impl Iterator<Item = Self> {
        ROWS.iter().map(|row| row.group)
    }

    /// The attributes of the group, in the order of their numbers.
    pub fn members(self) -> impl Iterator<Item = Attr> {
        self.row().members().iter()
    }

    /// Whether a set of attributes has the group: all of its members; of a group
    /// for both families, one.
    pub(crate) fn is_set_in(self, set: AttrSet) -> bool {
        let row = self.row();
        match row.shape {
            Shape::Address => set.intersects(row.members()),
            _ => set.contains_all(row.members()),
        }
    }

    /// The attributes that make up the value, in the order of the C library's structs.
    pub(crate) fn parts(self) -> &'static [Attr] {
        self.row().parts
    }

    /// Bytes that setting the group reads of the C library's struct; none where
    /// only the kernel sets it.
    #[cfg(feature = "capi")]
    pub(crate) fn settable_width(self) -> usize {
        let row = self.row();
        match row.shape {
            Shape::Counters | Shape::Address => 0,
            _ => {
                let widths = row.parts.iter().map(|attr| attr.row().kind.width());
                widths.flatten().sum()
            }
        }
    }

    fn row(self) -> &'static Row {
        &ROWS[self as usize]
    }
}

impl Conntrack {
    /// Whether all attributes of the group are present; of a group for both
    /// families, whether one is.
    #[doc(alias = "nfct_attr_grp_is_set")]
    #[must_use]
    pub fn is_group_set(&self, group: AttrGroup) -> bool {
        group.is_set_in(self.head.set)
    }

    /// Makes all attributes of the group absent: with the addresses also the
    /// family, with the ports also the protocol.
    #[doc(alias = "nfct_attr_grp_unset")]
    pub fn unset_group(&mut self, group: AttrGroup) {
        self.head.set = self.head.set.without(group.row().members());
    }

    /// The values of a group, `None` where [`is_group_set`](Self::is_group_set)
    /// denies it. ICMP fields are those of the original tuple.
    ///
    /// ```
    /// use netfilter_conntrack::{AttrGroup, Conntrack, GroupValue, Tuple};
    ///
    /// let tuple = Tuple::tcp("192.0.2.1:40000".parse().unwrap(), "192.0.2.2:443".parse().unwrap())?;
    /// let entry = Conntrack::flow(tuple);
    /// let ports = GroupValue::Ports { src: 443, dst: 40000 };
    /// assert_eq!(entry.group(AttrGroup::ReplPort), Some(ports));
    /// assert_eq!(entry.group(AttrGroup::OrigIpv6), None);
    /// # Ok::<(), netfilter_conntrack::Error>(())
    /// ```
    #[doc(alias = "nfct_get_attr_grp")]
    #[must_use]
    pub fn group(&self, group: AttrGroup) -> Option<GroupValue> {
        let bytes = &mut self.group_bytes(group)?;
        Some(match group.row().shape {
            Shape::Ipv4 => GroupValue::Ipv4 {
                src: take::<4>(bytes).into(),
                dst: take::<4>(bytes).into(),
            },
            Shape::Ipv6 => GroupValue::Ipv6 {
                src: take::<16>(bytes).into(),
                dst: take::<16>(bytes).into(),
            },
            Shape::Ports => GroupValue::Ports {
                src: u16::from_be_bytes(take(bytes)),
                dst: u16::from_be_bytes(take(bytes)),
            },
            Shape::Icmp => {
                let id = u16::from_be_bytes(take(bytes));
                let [code, kind] = take(bytes);
                GroupValue::Icmp(Icmp { kind, code, id })
            }
            Shape::Counters => GroupValue::Counters(Counters {
                packets: u64::from_ne_bytes(take(bytes)),
                bytes: u64::from_ne_bytes(take(bytes)),
            }),
            Shape::Address => {
                let address = take(bytes);
                GroupValue::Address(if self.is_ipv4(group) {
                    v4(&address).into()
                } else {
                    Ipv6Addr::from(address).into()
                })
            }
        })
    }

    /// Sets the attributes of a group. Addresses also set the family; ports
    /// make the protocol present but leave its value, which is to be set too.
    /// ICMP fields also set those of the reply tuple, see
    /// [`set_attr`](Self::set_attr).
    ///
    /// # Errors
    /// [`Error::Invalid`] where the value is not of the group's kind or the
    /// group cannot be set.
    #[doc(alias = "nfct_set_attr_grp")]
    pub fn set_group(&mut self, group: AttrGroup, value: GroupValue) -> Result<()> {
        match (group.row().shape, value) {
            (Shape::Ipv4, GroupValue::Ipv4 { src, dst }) => {
                self.store_group(group, [src.octets(), dst.octets()].as_flattened());
            }
            (Shape::Ipv6, GroupValue::Ipv6 { src, dst }) => {
                self.store_group(group, [src.octets(), dst.octets()].as_flattened());
            }
            (Shape::Ports, GroupValue::Ports { src, dst }) => {
                self.store_group(group, [src.to_be_bytes(), dst.to_be_bytes()].as_flattened());
            }
            (Shape::Icmp, GroupValue::Icmp(Icmp { kind, code, id })) => {
                let [high, low] = id.to_be_bytes();
                self.store_group(group, &[high, low, code, kind]);
            }
            (Shape::Counters | Shape::Address, _) => {
                return Err(Error::Invalid("a group that cannot be set"));
            }
            _ => return Err(Error::Invalid("a value of another kind than the group")),
        }
        Ok(())
    }

    /// The value of a group as the C library's struct has it, `None` where the
    /// group is absent.
    pub(crate) fn group_bytes(&self, group: AttrGroup) -> Option<impl Iterator<Item = u8> + '_> {
        let parts = group.parts().iter();
        let bytes = parts.flat_map(|attr| self.field(*attr)).copied();
        self.is_group_set(group).then_some(bytes)
    }

    /// Stores a value in the form of the C library's struct and makes the group
    /// present, which is all that happens to counters and addresses of either family.
    pub(crate) fn store_group(&mut self, group: AttrGroup, mut bytes: &[u8]) {
        let row = group.row();
        let family = match row.shape {
            Shape::Ipv4 => Some(L3Proto::IPV4),
            Shape::Ipv6 => Some(L3Proto::IPV6),
            Shape::Ports | Shape::Icmp => None,
            Shape::Counters | Shape::Address => {
                self.head.set = self.head.set.union(row.members());
                return;
            }
        };
        for attr in row.parts {
            let width = attr.row().kind.width().unwrap_or(0).min(bytes.len());
            let (value, rest) = bytes.split_at(width);
            self.store(*attr, value);
            bytes = rest;
        }
        if let (Some(attr), Some(family)) = (row.beside, family) {
            self.store(attr, &[family.0]);
        }
        self.head.set = self.head.set.union(row.members());
    }

    /// Whether a present address of either family is an IPv4 one; where both
    /// forms are present, the tuple's family tells.
    fn is_ipv4(&self, group: AttrGroup) -> bool {
        let row = group.row();
        let family = match group {
            AttrGroup::OrigAddrSrc | AttrGroup::OrigAddrDst => self.head.tuple.l3,
            _ => self.reply.l3,
        };
        let has_ipv4 = row.beside.is_some_and(|attr| self.is_set(attr));
        let has_ipv6 = row.parts.iter().any(|attr| self.is_set(*attr));
        has_ipv4 && (!has_ipv6 || L3Proto(family) == L3Proto::IPV4)
    }
}

/// The next `N` bytes.
fn take<const N: usize>(bytes: &mut impl Iterator<Item = u8>) -> [u8; N] {
    std::array::from_fn(|_| bytes.next().unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_stand_at_their_numbers() {
        assert_eq!(AttrGroup::all().count(), AttrGroup::COUNT);
        for (number, group) in (0..).zip(AttrGroup::all()) {
            assert_eq!(group.number(), number);
            assert_eq!(AttrGroup::from_number(number), Some(group));
        }
        assert_eq!(AttrGroup::from_number(16), None);
        assert_eq!(AttrGroup::from_number(u32::MAX), None);
    }

    /// A value for each group that can be set.
    fn value(group: AttrGroup) -> Option<GroupValue> {
        Some(match group.row().shape {
            Shape::Ipv4 => GroupValue::Ipv4 {
                src: [192, 0, 2, 1].into(),
                dst: [192, 0, 2, 2].into(),
            },
            Shape::Ipv6 => GroupValue::Ipv6 {
                src: "2001:db8::1".parse().unwrap(),
                dst: "2001:db8::2".parse().unwrap(),
            },
            Shape::Ports => GroupValue::Ports { src: 258, dst: 772 },
            Shape::Icmp => GroupValue::Icmp(Icmp {
                kind: 8,
                code: 1,
                id: 258,
            }),
            Shape::Counters | Shape::Address => return None,
        })
    }

    #[test]
    fn groups_give_back_what_was_set() {
        let mut settable = 0;
        for group in AttrGroup::all() {
            let mut entry = Conntrack::new();
            let Some(value) = value(group) else { continue };
            settable += 1;
            entry.set_group(group, value).unwrap();
            assert_eq!(entry.group(group), Some(value));
            assert!(entry.attrs().eq(group.members()), "{group:?}");
            for attr in group.members() {
                let mut part = entry.clone();
                part.unset(attr);
                assert_eq!(part.group(group), None);
                assert!(!part.is_group_set(group));
            }
            entry.unset_group(group);
            assert_eq!(entry.attrs().count(), 0);
        }
        assert_eq!(settable, 10);
    }

    #[test]
    fn addresses_set_the_family_and_ports_leave_the_protocol() {
        let mut entry = Conntrack::new();
        let group = AttrGroup::MasterIpv6;
        entry.set_group(group, value(group).unwrap()).unwrap();
        assert_eq!(entry.master.l3, L3Proto::IPV6.0);
        entry.master.l4 = 17;
        let group = AttrGroup::MasterPort;
        entry.set_group(group, value(group).unwrap()).unwrap();
        assert!(entry.is_set(Attr::MasterL4proto));
        assert_eq!(entry.master.l4, 17);
    }

    #[test]
    fn read_only_groups_are_refused_but_can_be_marked() {
        for group in AttrGroup::all().filter(|group| value(*group).is_none()) {
            let mut entry = Conntrack::new();
            let counters = GroupValue::Counters(Counters::default());
            assert!(entry.set_group(group, counters).is_err());
            assert!(!entry.is_group_set(group));
            entry.store_group(group, &[1; 16]);
            assert!(entry.attrs().eq(group.members()), "{group:?}");
            assert!(entry.group_bytes(group).unwrap().eq([0; 16]));
        }
        let mut entry = Conntrack::new();
        let ports = value(AttrGroup::OrigPort).unwrap();
        assert!(entry.set_group(AttrGroup::Icmp, ports).is_err());
    }

    #[test]
    fn one_form_of_an_address_is_enough() {
        let mut entry = Conntrack::new();
        entry.store(Attr::ReplIpv4Dst, &[192, 0, 2, 7]);
        let address = GroupValue::Address([192, 0, 2, 7].into());
        assert_eq!(entry.group(AttrGroup::ReplAddrDst), Some(address));
        assert_eq!(entry.group(AttrGroup::ReplAddrSrc), None);
        let bytes: Vec<u8> = entry.group_bytes(AttrGroup::ReplAddrDst).unwrap().collect();
        assert_eq!(
            bytes,
            [[192, 0, 2, 7], [0; 4], [0; 4], [0; 4]].as_flattened()
        );
        entry.store(Attr::ReplIpv6Dst, &[0x20; 16]);
        let address = GroupValue::Address([0x2020; 8].into());
        assert_eq!(entry.group(AttrGroup::ReplAddrDst), Some(address));
        entry.store(Attr::ReplL3proto, &[L3Proto::IPV4.0]);
        let address = GroupValue::Address([0x20; 4].into());
        assert_eq!(entry.group(AttrGroup::ReplAddrDst), Some(address));
    }

    #[test]
    fn icmp_is_answered_in_the_reply() {
        let mut entry = Conntrack::new();
        entry.store(Attr::OrigL3proto, &[L3Proto::IPV4.0]);
        entry.store_group(AttrGroup::Icmp, &[1, 2, 3, 8]);
        assert_eq!((entry.reply.l4src, entry.reply.l4dst), ([1, 2], [0, 3]));
    }
}
