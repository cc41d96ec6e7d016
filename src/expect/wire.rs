//! The attributes of an expectation on the wire: their names, the lengths that
//! are fixed, and the index of a message.

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
use crate::netlink::AttrIndex;
use crate::uapi::cta_expect;

/// The places of a message's attributes.
pub(super) type Index<'a> = AttrIndex<'a, { cta_expect::COUNT }>;

/// Name of each attribute, and the length of its payload where it is fixed.
static WIRE: [(&str, Option<usize>); cta_expect::COUNT] = [
    ("CTA_EXPECT_UNSPEC", None),
    ("CTA_EXPECT_MASTER", None),
    ("CTA_EXPECT_TUPLE", None),
    ("CTA_EXPECT_MASK", None),
    ("CTA_EXPECT_TIMEOUT", Some(4)),
    ("CTA_EXPECT_ID", Some(4)),
    ("CTA_EXPECT_HELP_NAME", None),
    ("CTA_EXPECT_ZONE", Some(2)),
    ("CTA_EXPECT_FLAGS", Some(4)),
    ("CTA_EXPECT_CLASS", Some(4)),
    ("CTA_EXPECT_NAT", None),
    ("CTA_EXPECT_FN", None),
];

/// Indexes the attributes of an expectation and checks those of fixed length.
#[inline]
pub(super) fn index(attributes: &[u8]) -> Result<Index<'_>, DecodeError> {
    Index::new_if(attributes, |attr| {
        let len = attr.payload().len();
        match WIRE.get(usize::from(attr.kind())) {
            Some((attribute, Some(fixed))) if len != *fixed => {
                Err(DecodeError::Length { attribute, len })
            }
            _ => Ok(true),
        }
    })
}
