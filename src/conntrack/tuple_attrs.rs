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
}

pub(crate) static ORIGINAL: TupleAttrs = TupleAttrs {
    ipv4_src: Attr::OrigIpv4Src,
    ipv4_dst: Attr::OrigIpv4Dst,
    ipv6_src: Attr::OrigIpv6Src,
    ipv6_dst: Attr::OrigIpv6Dst,
    port_src: Attr::OrigPortSrc,
    port_dst: Attr::OrigPortDst,
    l3proto: Attr::OrigL3proto,
    l4proto: Attr::OrigL4proto,
    zone: Some(Attr::OrigZone),
};

pub(crate) static REPLY: TupleAttrs = TupleAttrs {
    ipv4_src: Attr::ReplIpv4Src,
    ipv4_dst: Attr::ReplIpv4Dst,
    ipv6_src: Attr::ReplIpv6Src,
    ipv6_dst: Attr::ReplIpv6Dst,
    port_src: Attr::ReplPortSrc,
    port_dst: Attr::ReplPortDst,
    l3proto: Attr::ReplL3proto,
    l4proto: Attr::ReplL4proto,
    zone: Some(Attr::ReplZone),
};

pub(crate) static MASTER: TupleAttrs = TupleAttrs {
    ipv4_src: Attr::MasterIpv4Src,
    ipv4_dst: Attr::MasterIpv4Dst,
    ipv6_src: Attr::MasterIpv6Src,
    ipv6_dst: Attr::MasterIpv6Dst,
    port_src: Attr::MasterPortSrc,
    port_dst: Attr::MasterPortDst,
    l3proto: Attr::MasterL3proto,
    l4proto: Attr::MasterL4proto,
    zone: None,
};

impl TupleAttrs {
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
        let mut all = self.contents();
        if let Some(zone) = self.zone {
            all.insert(zone);
        }
        all
    }

    /// All attributes of the tuple but the zone.
    pub(crate) fn contents(&self) -> AttrSet {
        AttrSet::of(&[
            self.ipv4_src,
            self.ipv4_dst,
            self.ipv6_src,
            self.ipv6_dst,
            self.port_src,
            self.port_dst,
            self.l3proto,
            self.l4proto,
        ])
    }
}

/// The ICMP attributes, which all tuples share.
pub(crate) const ICMP: AttrSet = AttrSet::of(&[Attr::IcmpType, Attr::IcmpCode, Attr::IcmpId]);
