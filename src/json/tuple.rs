//! Tuples, with all else that belongs to one direction of a flow.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use serde::{Deserialize, Serialize};

use super::put;
use super::values::{L3, L4, Named};
use crate::conntrack::attr_set::AttrSet;
use crate::conntrack::fields::{put_address, v4};
use crate::conntrack::tuple_attrs::TupleAttrs;
use crate::conntrack::{Attr, L4Layout, L4Proto, RawTuple, SeqAdjust};

/// A tuple as a JSON object.
#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct TupleObject {
    #[serde(skip_serializing_if = "Option::is_none")]
    l3proto: Option<Named<L3>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    l4proto: Option<Named<L4>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    src: Option<Address>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dst: Option<Address>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sport: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dport: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    srckey: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dstkey: Option<u16>,
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    icmp_type: Option<u8>,
    #[serde(rename = "code", skip_serializing_if = "Option::is_none")]
    icmp_code: Option<u8>,
    #[serde(rename = "id", skip_serializing_if = "Option::is_none")]
    icmp_id: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    zone: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) packets: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) bytes: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) seq_adjust: Option<SeqAdjustObject>,
}

/// An address; both kinds where an object has both, which share their memory.
#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(untagged)]
enum Address {
    One(IpAddr),
    Both(Ipv4Addr, Ipv6Addr),
}

impl TupleObject {
    /// The part of a tuple whose attributes are in `set`; `None` where none is.
    pub(super) fn new(raw: &RawTuple, set: AttrSet, attrs: &TupleAttrs) -> Option<Self> {
        let has = |attr| set.contains(attr);
        let l4proto = has(attrs.l4proto).then_some(raw.l4);
        let layout = L4Proto(l4proto.unwrap_or_default()).layout();
        let source = has(attrs.port_src).then(|| u16::from_be_bytes(raw.l4src));
        let destination = has(attrs.port_dst).then(|| u16::from_be_bytes(raw.l4dst));
        let has_keys = layout == L4Layout::Keys;
        // The attributes of ICMP are those of the original tuple. The others
        // have fields without attributes, where their protocol is ICMP.
        let original = attrs.l4proto == Attr::OrigL4proto;
        let has_icmp = |attr| has(attr) && (original || layout == L4Layout::Icmp);
        let [kind, code] = raw.l4dst;
        let tuple = Self {
            l3proto: has(attrs.l3proto).then(|| Named::new(raw.l3)),
            l4proto: l4proto.map(Named::new),
            src: Address::new(&raw.src, has(attrs.ipv4_src), has(attrs.ipv6_src)),
            dst: Address::new(&raw.dst, has(attrs.ipv4_dst), has(attrs.ipv6_dst)),
            sport: source.filter(|_| !has_keys),
            dport: destination.filter(|_| !has_keys),
            srckey: source.filter(|_| has_keys),
            dstkey: destination.filter(|_| has_keys),
            icmp_type: has_icmp(Attr::IcmpType).then_some(kind),
            icmp_code: has_icmp(Attr::IcmpCode).then_some(code),
            icmp_id: has_icmp(Attr::IcmpId).then(|| u16::from_be_bytes(raw.l4src)),
            zone: attrs.zone.filter(|zone| has(*zone)).map(|_| raw.zone),
            ..Self::default()
        };
        let icmp = [Attr::IcmpType, Attr::IcmpCode, Attr::IcmpId];
        let any = set.intersects(attrs.all()) || icmp.into_iter().any(has_icmp);
        any.then_some(tuple)
    }

    /// Puts what is there into a tuple and adds its attributes to `set`.
    pub(super) fn put(&self, raw: &mut RawTuple, set: &mut AttrSet, attrs: &TupleAttrs) {
        let number = |port: Option<u16>| port.map(u16::to_be_bytes);
        put(
            set,
            attrs.l3proto,
            &mut raw.l3,
            self.l3proto.as_ref().map(|l3| l3.0),
        );
        put(
            set,
            attrs.l4proto,
            &mut raw.l4,
            self.l4proto.as_ref().map(|l4| l4.0),
        );
        put(
            set,
            attrs.port_src,
            &mut raw.l4src,
            number(self.sport.or(self.srckey)),
        );
        put(
            set,
            attrs.port_dst,
            &mut raw.l4dst,
            number(self.dport.or(self.dstkey)),
        );
        put(set, Attr::IcmpId, &mut raw.l4src, number(self.icmp_id));
        let [kind, code] = &mut raw.l4dst;
        put(set, Attr::IcmpType, kind, self.icmp_type);
        put(set, Attr::IcmpCode, code, self.icmp_code);
        if let Some(zone) = attrs.zone {
            put(set, zone, &mut raw.zone, self.zone);
        }
        let addresses = [
            (&mut raw.src, self.src, attrs.ipv4_src, attrs.ipv6_src),
            (&mut raw.dst, self.dst, attrs.ipv4_dst, attrs.ipv6_dst),
        ];
        for (place, address, ipv4, ipv6) in addresses {
            if let Some(address) = address {
                address.put(place, set, ipv4, ipv6);
            }
        }
    }
}

impl Address {
    fn new(place: &[u8; 16], has_ipv4: bool, has_ipv6: bool) -> Option<Self> {
        let (ipv4, ipv6) = (v4(place), Ipv6Addr::from(*place));
        match (has_ipv4, has_ipv6) {
            (true, true) => Some(Self::Both(ipv4, ipv6)),
            (true, false) => Some(Self::One(ipv4.into())),
            (false, true) => Some(Self::One(ipv6.into())),
            (false, false) => None,
        }
    }

    fn put(self, place: &mut [u8; 16], set: &mut AttrSet, ipv4: Attr, ipv6: Attr) {
        let (first, second) = match self {
            Self::One(address) => (address, None),
            Self::Both(ipv4, ipv6) => (ipv6.into(), Some(ipv4.into())),
        };
        for address in [Some(first), second].into_iter().flatten() {
            put_address(place, address);
            set.insert(if address.is_ipv4() { ipv4 } else { ipv6 });
        }
    }
}

/// How sequence numbers of one direction are adjusted.
#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct SeqAdjustObject {
    #[serde(skip_serializing_if = "Option::is_none")]
    correction_pos: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    offset_before: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    offset_after: Option<i32>,
}

impl SeqAdjustObject {
    /// `attrs` are those of the position and the two offsets.
    pub(super) fn new(adjust: &SeqAdjust, set: AttrSet, attrs: [Attr; 3]) -> Option<Self> {
        let [position, before, after] = attrs.map(|attr| set.contains(attr));
        (position || before || after).then(|| Self {
            correction_pos: position.then_some(adjust.correction_pos),
            offset_before: before.then_some(adjust.offset_before),
            offset_after: after.then_some(adjust.offset_after),
        })
    }

    pub(super) fn put(&self, adjust: &mut SeqAdjust, set: &mut AttrSet, attrs: [Attr; 3]) {
        let [position, before, after] = attrs;
        put(
            set,
            position,
            &mut adjust.correction_pos,
            self.correction_pos,
        );
        put(set, before, &mut adjust.offset_before, self.offset_before);
        put(set, after, &mut adjust.offset_after, self.offset_after);
    }
}
