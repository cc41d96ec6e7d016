//! The attributes of an entry on the wire: their names, the lengths that are
//! fixed, and the index of a message.

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

use crate::error::DecodeError;
use crate::netlink::{Attr, AttrError, AttrIndex};
use crate::uapi::cta;

/// The places of a message's attributes.
pub(crate) type Index<'a> = AttrIndex<'a, { cta::COUNT }>;

/// Name of each attribute, and the length of its payload where it is fixed.
static WIRE: [(&str, Option<usize>); cta::COUNT] = [
    ("CTA_UNSPEC", None),
    ("CTA_TUPLE_ORIG", None),
    ("CTA_TUPLE_REPLY", None),
    ("CTA_STATUS", Some(4)),
    ("CTA_PROTOINFO", None),
    ("CTA_HELP", None),
    ("CTA_NAT_SRC", None),
    ("CTA_TIMEOUT", Some(4)),
    ("CTA_MARK", Some(4)),
    ("CTA_COUNTERS_ORIG", None),
    ("CTA_COUNTERS_REPLY", None),
    ("CTA_USE", Some(4)),
    ("CTA_ID", Some(4)),
    ("CTA_NAT_DST", None),
    ("CTA_TUPLE_MASTER", None),
    ("CTA_SEQ_ADJ_ORIG", None),
    ("CTA_SEQ_ADJ_REPLY", None),
    ("CTA_SECMARK", Some(4)),
    ("CTA_ZONE", Some(2)),
    ("CTA_SECCTX", None),
    ("CTA_TIMESTAMP", None),
    ("CTA_MARK_MASK", None),
    ("CTA_LABELS", None),
    ("CTA_LABELS_MASK", None),
    ("CTA_SYNPROXY", None),
    ("CTA_FILTER", None),
    ("CTA_STATUS_MASK", None),
    ("CTA_TIMESTAMP_EVENT", Some(8)),
];

/// Indexes the attributes of an entry and checks those of fixed length.
#[inline]
pub(crate) fn index(attributes: &[u8]) -> Result<Index<'_>, DecodeError> {
    Index::new_if(attributes, |attr| {
        let len = attr.payload().len();
        let Some((attribute, Some(fixed))) = WIRE.get(usize::from(attr.kind())) else {
            return Ok(true);
        };
        if len == *fixed {
            return Ok(true);
        }
        // Where 64-bit numbers must be aligned, the kernel pads in front of
        // CTA_TIMESTAMP_EVENT with an empty attribute that has this number too.
        if attr.kind() == cta::STATUS && len == 0 {
            return Ok(false);
        }
        Err(DecodeError::Length { attribute, len })
    })
}

/// The payload of an attribute as `N` bytes.
#[inline]
pub(crate) fn exact<const N: usize>(
    attr: &Attr<'_>,
    attribute: &'static str,
) -> Result<[u8; N], DecodeError> {
    let len = attr.payload().len();
    attr.array().ok_or(DecodeError::Length { attribute, len })
}

impl From<AttrError> for DecodeError {
    fn from(error: AttrError) -> Self {
        Self::Attribute("the message", error)
    }
}

/// Says in which nest a bad length stands.
pub(crate) fn inside(nest: &'static str) -> impl Fn(AttrError) -> DecodeError + Copy {
    move |error| DecodeError::Attribute(nest, error)
}
