//! From the kernel's attributes to a tuple.

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

use super::Result;
use crate::conntrack::attr_number::Attr;
use crate::conntrack::attr_set::AttrSet;
use crate::conntrack::tuple::RawTuple;
use crate::conntrack::tuple_attrs::TupleAttrs;
use crate::conntrack::wire::{exact, inside};
use crate::netlink::Attr as WireAttr;
use crate::nfnetlink::L3Proto;
use crate::uapi::{cta_ip, cta_proto, cta_tuple};

/// Reads a tuple. The family is that of the message, as the kernel sends it.
#[inline]
pub(crate) fn tuple(
    nest: &WireAttr<'_>,
    family: L3Proto,
    attrs: &TupleAttrs,
    tuple: &mut RawTuple,
    set: &mut AttrSet,
) -> Result {
    tuple.l3 = family.0;
    set.insert(attrs.l3proto);
    for attr in nest.nested() {
        let attr = attr.map_err(inside("a tuple"))?;
        match attr.kind() {
            cta_tuple::IP => addresses(&attr, attrs, tuple, set)?,
            cta_tuple::PROTO => l4_part(&attr, attrs, tuple, set)?,
            cta_tuple::ZONE => {
                let zone = u16::from_be_bytes(exact(&attr, "CTA_TUPLE_ZONE")?);
                if let Some(zone_attr) = attrs.zone {
                    tuple.zone = zone;
                    set.insert(zone_attr);
                }
            }
            _ => {}
        }
    }
    Ok(())
}

#[inline]
fn addresses(
    nest: &WireAttr<'_>,
    attrs: &TupleAttrs,
    tuple: &mut RawTuple,
    set: &mut AttrSet,
) -> Result {
    // The two families share their places; should a message carry both, the
    // IPv6 address stays, whatever the order.
    let (mut v6_src, mut v6_dst) = (false, false);
    for attr in nest.nested() {
        let attr = attr.map_err(inside("CTA_TUPLE_IP"))?;
        match attr.kind() {
            cta_ip::V4_SRC => {
                put_v4(&mut tuple.src, exact(&attr, "CTA_IP_V4_SRC")?, v6_src);
                set.insert(attrs.ipv4_src);
            }
            cta_ip::V4_DST => {
                put_v4(&mut tuple.dst, exact(&attr, "CTA_IP_V4_DST")?, v6_dst);
                set.insert(attrs.ipv4_dst);
            }
            cta_ip::V6_SRC => {
                tuple.src = exact(&attr, "CTA_IP_V6_SRC")?;
                v6_src = true;
                set.insert(attrs.ipv6_src);
            }
            cta_ip::V6_DST => {
                tuple.dst = exact(&attr, "CTA_IP_V6_DST")?;
                v6_dst = true;
                set.insert(attrs.ipv6_dst);
            }
            _ => {}
        }
    }
    Ok(())
}

fn put_v4(place: &mut [u8; 16], address: [u8; 4], taken: bool) {
    if let (false, Some(front)) = (taken, place.first_chunk_mut()) {
        *front = address;
    }
}

#[inline]
fn l4_part(
    nest: &WireAttr<'_>,
    attrs: &TupleAttrs,
    tuple: &mut RawTuple,
    set: &mut AttrSet,
) -> Result {
    for attr in nest.nested() {
        let attr = attr.map_err(inside("CTA_TUPLE_PROTO"))?;
        let named = |v4, v6| match attr.kind() {
            ..cta_proto::ICMPV6_ID => v4,
            _ => v6,
        };
        match attr.kind() {
            cta_proto::NUM => {
                [tuple.l4] = exact(&attr, "CTA_PROTO_NUM")?;
                set.insert(attrs.l4proto);
            }
            cta_proto::SRC_PORT => {
                tuple.l4src = exact(&attr, "CTA_PROTO_SRC_PORT")?;
                set.insert(attrs.port_src);
            }
            cta_proto::DST_PORT => {
                tuple.l4dst = exact(&attr, "CTA_PROTO_DST_PORT")?;
                set.insert(attrs.port_dst);
            }
            cta_proto::ICMP_ID | cta_proto::ICMPV6_ID => {
                tuple.l4src = exact(&attr, named("CTA_PROTO_ICMP_ID", "CTA_PROTO_ICMPV6_ID"))?;
                set.insert(Attr::IcmpId);
            }
            cta_proto::ICMP_TYPE | cta_proto::ICMPV6_TYPE => {
                let [_, code] = tuple.l4dst;
                let [kind] = exact(&attr, named("CTA_PROTO_ICMP_TYPE", "CTA_PROTO_ICMPV6_TYPE"))?;
                tuple.l4dst = [kind, code];
                set.insert(Attr::IcmpType);
            }
            cta_proto::ICMP_CODE | cta_proto::ICMPV6_CODE => {
                let [kind, _] = tuple.l4dst;
                let [code] = exact(&attr, named("CTA_PROTO_ICMP_CODE", "CTA_PROTO_ICMPV6_CODE"))?;
                tuple.l4dst = [kind, code];
                set.insert(Attr::IcmpCode);
            }
            _ => {}
        }
    }
    Ok(())
}
