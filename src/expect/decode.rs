//! From the kernel's attributes to an expectation.

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

use super::attr::ExpectAttr;
use super::object::Expect;
use super::wire::Index;
use crate::conntrack::Head;
use crate::conntrack::decode::{string, tuple};
use crate::conntrack::tuple_attrs::ORIGINAL;
use crate::conntrack::wire::{exact, inside};
use crate::error::DecodeError;
use crate::netlink::Attr as WireAttr;
use crate::nfnetlink::L3Proto;
use crate::uapi::{cta_expect, cta_expect_nat};

type Result<T = ()> = std::result::Result<T, DecodeError>;

/// Adds the attributes that are indexed to `expect`; what it had before stays
/// where the message does not replace it.
pub(super) fn decode(index: &Index<'_>, family: L3Proto, expect: &mut Expect) -> Result {
    let tuples = [
        (cta_expect::MASTER, ExpectAttr::Master, &mut expect.master),
        (
            cta_expect::TUPLE,
            ExpectAttr::Expected,
            &mut expect.expected,
        ),
        (cta_expect::MASK, ExpectAttr::Mask, &mut expect.mask),
    ];
    for (kind, attr, head) in tuples {
        if let Some(nest) = index.get(kind) {
            expect.set.insert(attr);
            decode_head(&nest, family, head)?;
        }
    }
    let numbers = [
        (
            cta_expect::TIMEOUT,
            ExpectAttr::Timeout,
            &mut expect.timeout,
        ),
        (cta_expect::FLAGS, ExpectAttr::Flags, &mut expect.flags),
        (cta_expect::CLASS, ExpectAttr::Class, &mut expect.class),
    ];
    for (kind, attr, field) in numbers {
        if let Some(value) = index.get(kind).and_then(|attr| attr.u32_be()) {
            *field = value;
            expect.set.insert(attr);
        }
    }
    if let Some(id) = index.get(cta_expect::ID).and_then(|attr| attr.u32_be()) {
        expect.set_id(id);
    }
    if let Some(zone) = index.get(cta_expect::ZONE).and_then(|attr| attr.u16_be()) {
        expect.set_zone(zone);
    }
    if let Some(name) = index.get(cta_expect::HELP_NAME) {
        let name = string(&name, "CTA_EXPECT_HELP_NAME")?;
        expect.store(ExpectAttr::HelperName, name);
    }
    if let Some(nest) = index.get(cta_expect::NAT) {
        nat(&nest, family, expect)?;
    }
    if let Some(name) = index.get(cta_expect::FN) {
        expect.store(ExpectAttr::Fn, string(&name, "CTA_EXPECT_FN")?);
    }
    Ok(())
}

/// Reads one of the tuples, each of which is kept as an original tuple.
pub(super) fn decode_head(nest: &WireAttr<'_>, family: L3Proto, head: &mut Head) -> Result {
    tuple(nest, family, &ORIGINAL, &mut head.tuple, &mut head.set)
}

/// Reads how the expected flow will be translated.
pub(super) fn nat(nest: &WireAttr<'_>, family: L3Proto, expect: &mut Expect) -> Result {
    for attr in nest.nested() {
        let attr = attr.map_err(inside("CTA_EXPECT_NAT"))?;
        match attr.kind() {
            cta_expect_nat::DIR => {
                expect.nat_dir = u32::from_be_bytes(exact(&attr, "CTA_EXPECT_NAT_DIR")?);
                expect.set.insert(ExpectAttr::NatDir);
            }
            cta_expect_nat::TUPLE => {
                expect.set.insert(ExpectAttr::NatTuple);
                decode_head(&attr, family, &mut expect.nat_tuple)?;
            }
            _ => {}
        }
    }
    Ok(())
}
