//! The attribute numbers of the three tuples of an entry, side by side.

use super::attr_number::Attr;
use super::attr_set::AttrSet;
use super::l4proto::L4Layout;
use super::tuple::Tuple;
use crate::nfnetlink::L3Proto;

/// The attributes that stand for the parts of one tuple.
#[derive(Debug)]
pub(crate) struct TupleAttrs {
    pub(crate) ipv4_src: Attr,
    pub(crate) ipv4_dst: Attr,
    pub(crate) ipv6_src: Attr,
    pub(crate) ipv6_dst: Attr,
    pub(crate) port_src: Attr,
    pub(crate) port_dst: Attr,
    pub(crate) l3proto: Attr,
    pub(crate) l4proto: Attr,
    pub(crate) zone: Option<Attr>,
    /// All of them but the zone.
    pub(crate) contents: AttrSet,
    /// Those that every protocol has: addresses and protocol numbers.
    pub(crate) common: AttrSet,
    /// Both ports.
    pub(crate) ports: AttrSet,
}

pub(crate) static ORIGINAL: TupleAttrs = TupleAttrs::new(
    [
        Attr::OrigIpv4Src,
        Attr::OrigIpv4Dst,
        Attr::OrigIpv6Src,
        Attr::OrigIpv6Dst,
    ],
    [Attr::OrigPortSrc, Attr::OrigPortDst],
    [Attr::OrigL3proto, Attr::OrigL4proto],
    Some(Attr::OrigZone),
);

pub(crate) static REPLY: TupleAttrs = TupleAttrs::new(
    [
        Attr::ReplIpv4Src,
        Attr::ReplIpv4Dst,
        Attr::ReplIpv6Src,
        Attr::ReplIpv6Dst,
    ],
    [Attr::ReplPortSrc, Attr::ReplPortDst],
    [Attr::ReplL3proto, Attr::ReplL4proto],
    Some(Attr::ReplZone),
);

pub(crate) static MASTER: TupleAttrs = TupleAttrs::new(
    [
        Attr::MasterIpv4Src,
        Attr::MasterIpv4Dst,
        Attr::MasterIpv6Src,
        Attr::MasterIpv6Dst,
    ],
    [Attr::MasterPortSrc, Attr::MasterPortDst],
    [Attr::MasterL3proto, Attr::MasterL4proto],
    None,
);

impl TupleAttrs {
    const fn new(
        addresses: [Attr; 4],
        ports: [Attr; 2],
        protocols: [Attr; 2],
        zone: Option<Attr>,
    ) -> Self {
        let common = AttrSet::of(&addresses).union(AttrSet::of(&protocols));
        let [ipv4_src, ipv4_dst, ipv6_src, ipv6_dst] = addresses;
        let [port_src, port_dst] = ports;
        let [l3proto, l4proto] = protocols;
        let ports = AttrSet::of(&ports);
        Self {
            ipv4_src,
            ipv4_dst,
            ipv6_src,
            ipv6_dst,
            port_src,
            port_dst,
            l3proto,
            l4proto,
            zone,
            contents: common.union(ports),
            common,
            ports,
        }
    }

    /// Puts the attributes that `tuple` has in the place of those that were there.
    pub(crate) fn replace(&self, set: &mut AttrSet, tuple: &Tuple) {
        *set = set.without(self.all());
        set.insert(self.l3proto);
        set.insert(self.l4proto);
        let (src, dst) = match tuple.l3proto() {
            L3Proto::IPV6 => (self.ipv6_src, self.ipv6_dst),
            _ => (self.ipv4_src, self.ipv4_dst),
        };
        set.insert(src);
        set.insert(dst);
        match tuple.l4proto().layout() {
            L4Layout::Ports | L4Layout::Keys => {
                set.insert(self.port_src);
                set.insert(self.port_dst);
            }
            // One set of ICMP attributes stands for all tuples.
            L4Layout::Icmp => *set = set.union(ICMP),
            L4Layout::Nothing => {}
        }
        if let (Some(zone), Some(_)) = (self.zone, tuple.zone()) {
            set.insert(zone);
        }
    }

    /// All attributes of the tuple, the zone included.
    pub(crate) fn all(&self) -> AttrSet {
        let mut all = self.contents;
        if let Some(zone) = self.zone {
            all.insert(zone);
        }
        all
    }
}

/// The ICMP attributes, which all tuples share.
pub(crate) const ICMP: AttrSet = AttrSet::of(&[Attr::IcmpType, Attr::IcmpCode, Attr::IcmpId]);
