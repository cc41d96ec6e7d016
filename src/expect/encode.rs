//! From an expectation to the attributes of a request.

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
use super::fields::until_nul;
use super::object::Expect;
use crate::conntrack::Head;
use crate::conntrack::encode::{encodable, tuple};
use crate::error::{Error, Result};
use crate::netlink::Builder;
use crate::nfnetlink::L3Proto;
use crate::uapi::{cta_expect, cta_expect_nat};

impl Expect {
    /// Puts the attributes of the expectation into a message whose headers are
    /// there, or into a nest of another subsystem's, such as the expectation that
    /// is made for a packet of NFQUEUE (`NFQA_EXP`).
    ///
    /// # Errors
    /// [`Error::Invalid`] where a tuple's family is neither IPv4 nor IPv6. Part of
    /// the attributes may be in the message then, which is to be dropped.
    #[doc(alias = "nfexp_nlmsg_build")]
    #[doc(alias = "nfexp_build_expect")]
    pub fn encode_into(&self, message: &mut Builder<'_>) -> Result<()> {
        encode(self, message)
    }
}

/// Puts all attributes that a request may carry; the id is not one of them,
/// since the kernel makes it.
///
/// # Errors
/// [`Error::Invalid`] where a tuple's family is neither IPv4 nor IPv6. The
/// message is then incomplete and must not be sent.
pub(crate) fn encode(expect: &Expect, message: &mut Builder<'_>) -> Result<()> {
    let has = |attr| expect.is_set(attr);
    let tuples = [
        (ExpectAttr::Expected, cta_expect::TUPLE, &expect.expected),
        (ExpectAttr::Master, cta_expect::MASTER, &expect.master),
        (ExpectAttr::Mask, cta_expect::MASK, &expect.mask),
    ];
    for (attr, kind, head) in tuples {
        if has(attr) {
            put_head(message, kind, head)?;
        }
    }
    if has(ExpectAttr::Timeout) {
        message.put_u32_be(cta_expect::TIMEOUT, expect.timeout);
    }
    if has(ExpectAttr::Flags) {
        message.put_u32_be(cta_expect::FLAGS, expect.flags);
    }
    zone(expect, message);
    helper_name(expect, message);
    if has(ExpectAttr::Class) {
        message.put_u32_be(cta_expect::CLASS, expect.class);
    }
    nat(expect, message)?;
    if has(ExpectAttr::Fn) {
        message.put_string(cta_expect::FN, until_nul(&expect.fn_name));
    }
    Ok(())
}

/// Puts what identifies an expectation to the kernel: its tuple, its zone and,
/// so that a later one with the same tuple is not taken for it, its id.
///
/// # Errors
/// [`Error::Invalid`] where there is no tuple, or one that is neither IPv4 nor
/// IPv6. To the kernel such a DELETE would be a flush.
pub(crate) fn encode_key(expect: &Expect, message: &mut Builder<'_>) -> Result<()> {
    if !expect.is_set(ExpectAttr::Expected) {
        return Err(Error::Invalid("an expectation without a tuple"));
    }
    put_head(message, cta_expect::TUPLE, &expect.expected)?;
    zone(expect, message);
    if let Some(id) = expect.id() {
        message.put_u32_be(cta_expect::ID, id);
    }
    Ok(())
}

/// Puts the key, or the name of the helper where there is no tuple: a DELETE
/// then takes all expectations of the helper.
///
/// # Errors
/// [`Error::Invalid`] where there is neither.
pub(crate) fn encode_doomed(expect: &Expect, message: &mut Builder<'_>) -> Result<()> {
    let named = !until_nul(&expect.helper_name).is_empty();
    if expect.is_set(ExpectAttr::Expected) || !expect.is_set(ExpectAttr::HelperName) || !named {
        return encode_key(expect, message);
    }
    helper_name(expect, message);
    Ok(())
}

/// The family of a request: that of the master's tuple, or of the expected one.
pub(crate) fn family(expect: &Expect) -> L3Proto {
    let heads = [
        (ExpectAttr::Master, &expect.master),
        (ExpectAttr::Expected, &expect.expected),
    ];
    let mut present = heads.into_iter().filter(|(attr, _)| expect.is_set(*attr));
    present
        .next()
        .map_or(L3Proto::UNSPEC, |(_, head)| L3Proto(head.tuple.l3))
}

fn put_head(message: &mut Builder<'_>, kind: u16, head: &Head) -> Result<()> {
    encodable(&head.tuple)?;
    // The zone is that of the expectation; in a tuple the kernel has no use for it.
    tuple(message, kind, &head.tuple, None);
    Ok(())
}

fn zone(expect: &Expect, message: &mut Builder<'_>) {
    if let Some(zone) = expect.zone() {
        message.put_u16_be(cta_expect::ZONE, zone);
    }
}

fn helper_name(expect: &Expect, message: &mut Builder<'_>) {
    if expect.is_set(ExpectAttr::HelperName) {
        message.put_string(cta_expect::HELP_NAME, until_nul(&expect.helper_name));
    }
}

/// The kernel takes direction and tuple together only.
fn nat(expect: &Expect, message: &mut Builder<'_>) -> Result<()> {
    if !expect.is_set(ExpectAttr::NatDir) || !expect.is_set(ExpectAttr::NatTuple) {
        return Ok(());
    }
    encodable(&expect.nat_tuple.tuple)?;
    message.nest(cta_expect::NAT, |nest| {
        nest.put_u32_be(cta_expect_nat::DIR, expect.nat_dir);
        tuple(nest, cta_expect_nat::TUPLE, &expect.nat_tuple.tuple, None);
    });
    Ok(())
}
