//! From the kernel's attributes to the state of a tracker.

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
use crate::conntrack::protoinfo::{ProtoBytes, place};
use crate::conntrack::wire::{exact, inside};
use crate::netlink::{Attr as WireAttr, AttrIndex};
use crate::uapi::cta_protoinfo;

/// Reads the state of a tracker. Should a message carry several, they are
/// stored in the order TCP, SCTP, DCCP.
pub(crate) fn protoinfo(nest: &WireAttr<'_>, info: &mut ProtoBytes, set: &mut AttrSet) -> Result {
    let index = AttrIndex::<4>::new(nest.payload()).map_err(inside("CTA_PROTOINFO"))?;
    if let Some(nest) = index.get(cta_protoinfo::TCP) {
        tcp(&nest, info, set)?;
    }
    if let Some(nest) = index.get(cta_protoinfo::SCTP) {
        sctp(&nest, info, set)?;
    }
    if let Some(nest) = index.get(cta_protoinfo::DCCP) {
        dccp(&nest, info, set)?;
    }
    Ok(())
}

fn tcp(nest: &WireAttr<'_>, info: &mut ProtoBytes, set: &mut AttrSet) -> Result {
    for attr in nest.nested() {
        let attr = attr.map_err(inside("CTA_PROTOINFO_TCP"))?;
        match attr.kind() {
            cta_protoinfo::TCP_STATE => {
                let state: [u8; 1] = exact(&attr, "CTA_PROTOINFO_TCP_STATE")?;
                info.put(place::STATE, &state);
                set.insert(Attr::TcpState);
            }
            cta_protoinfo::TCP_WSCALE_ORIGINAL => {
                let scale: [u8; 1] = exact(&attr, "CTA_PROTOINFO_TCP_WSCALE_ORIGINAL")?;
                info.put(place::TCP_WSCALE_ORIGINAL, &scale);
                set.insert(Attr::TcpWscaleOrig);
            }
            cta_protoinfo::TCP_WSCALE_REPLY => {
                let scale: [u8; 1] = exact(&attr, "CTA_PROTOINFO_TCP_WSCALE_REPLY")?;
                info.put(place::TCP_WSCALE_REPLY, &scale);
                set.insert(Attr::TcpWscaleRepl);
            }
            cta_protoinfo::TCP_FLAGS_ORIGINAL => {
                let flags: [u8; 2] = exact(&attr, "CTA_PROTOINFO_TCP_FLAGS_ORIGINAL")?;
                info.put(place::TCP_FLAGS_ORIGINAL, &flags);
                set.insert(Attr::TcpFlagsOrig);
                set.insert(Attr::TcpMaskOrig);
            }
            cta_protoinfo::TCP_FLAGS_REPLY => {
                let flags: [u8; 2] = exact(&attr, "CTA_PROTOINFO_TCP_FLAGS_REPLY")?;
                info.put(place::TCP_FLAGS_REPLY, &flags);
                set.insert(Attr::TcpFlagsRepl);
                set.insert(Attr::TcpMaskRepl);
            }
            _ => {}
        }
    }
    Ok(())
}

fn sctp(nest: &WireAttr<'_>, info: &mut ProtoBytes, set: &mut AttrSet) -> Result {
    for attr in nest.nested() {
        let attr = attr.map_err(inside("CTA_PROTOINFO_SCTP"))?;
        match attr.kind() {
            cta_protoinfo::SCTP_STATE => {
                let state: [u8; 1] = exact(&attr, "CTA_PROTOINFO_SCTP_STATE")?;
                info.put(place::STATE, &state);
                set.insert(Attr::SctpState);
            }
            cta_protoinfo::SCTP_VTAG_ORIGINAL => {
                let tag = exact(&attr, "CTA_PROTOINFO_SCTP_VTAG_ORIGINAL")?;
                info.put(
                    place::SCTP_VTAG_ORIGINAL,
                    &u32::from_be_bytes(tag).to_ne_bytes(),
                );
                set.insert(Attr::SctpVtagOrig);
            }
            cta_protoinfo::SCTP_VTAG_REPLY => {
                let tag = exact(&attr, "CTA_PROTOINFO_SCTP_VTAG_REPLY")?;
                info.put(
                    place::SCTP_VTAG_REPLY,
                    &u32::from_be_bytes(tag).to_ne_bytes(),
                );
                set.insert(Attr::SctpVtagRepl);
            }
            _ => {}
        }
    }
    Ok(())
}

fn dccp(nest: &WireAttr<'_>, info: &mut ProtoBytes, set: &mut AttrSet) -> Result {
    for attr in nest.nested() {
        let attr = attr.map_err(inside("CTA_PROTOINFO_DCCP"))?;
        match attr.kind() {
            cta_protoinfo::DCCP_STATE => {
                let state: [u8; 1] = exact(&attr, "CTA_PROTOINFO_DCCP_STATE")?;
                info.put(place::STATE, &state);
                set.insert(Attr::DccpState);
            }
            cta_protoinfo::DCCP_ROLE => {
                let role: [u8; 1] = exact(&attr, "CTA_PROTOINFO_DCCP_ROLE")?;
                info.put(place::DCCP_ROLE, &role);
                set.insert(Attr::DccpRole);
            }
            cta_protoinfo::DCCP_HANDSHAKE_SEQ => {
                let seq = exact(&attr, "CTA_PROTOINFO_DCCP_HANDSHAKE_SEQ")?;
                info.put(
                    place::DCCP_HANDSHAKE_SEQ,
                    &u64::from_be_bytes(seq).to_ne_bytes(),
                );
                set.insert(Attr::DccpHandshakeSeq);
            }
            _ => {}
        }
    }
    Ok(())
}
