//! The kernel-side filter of dumps and flushes.

use crate::conntrack::encode::encode;
use crate::conntrack::{Attr, Conntrack, Status};
use crate::error::{Error, Result};
use crate::netlink::Builder;
use crate::nfnetlink::L3Proto;
use crate::uapi::{cta, cta_filter};

/// Which entries the kernel is to list or delete. All criteria must hold.
///
/// Older kernels ignore criteria they do not know, and so list (or delete!)
/// more: the mark is known since Linux 3.4, the family of a flush since 5.2, the
/// tuple since 5.8, the status since 5.15, the zone since 6.8.
#[doc(alias = "nfct_filter_dump")]
#[doc(alias = "nfct_filter_dump_create")]
#[derive(Clone, Debug, Default)]
pub struct DumpFilter {
    mark: Option<(u32, u32)>,
    family: Option<L3Proto>,
    status: Option<(u32, u32)>,
    zone: Option<u16>,
    tuple: Option<Box<Conntrack>>,
}

impl DumpFilter {
    /// A filter that lets all entries pass.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Only entries whose mark has these values in the bits of `mask`; bits of
    /// `value` outside `mask` would make the kernel find none.
    #[doc(alias = "NFCT_FILTER_DUMP_MARK")]
    #[must_use]
    pub fn mark(mut self, value: u32, mask: u32) -> Self {
        self.mark = Some((value, mask));
        self
    }

    /// Only entries of this family.
    #[doc(alias = "NFCT_FILTER_DUMP_L3NUM")]
    #[must_use]
    pub fn family(mut self, family: L3Proto) -> Self {
        self.family = Some(family);
        self
    }

    /// Only entries whose status has these values in the bits of `mask`, which
    /// must not be empty (EINVAL).
    #[doc(alias = "NFCT_FILTER_DUMP_STATUS")]
    #[must_use]
    pub fn status(mut self, value: Status, mask: Status) -> Self {
        self.status = Some((value.bits(), mask.bits()));
        self
    }

    /// Only entries that this zone applies to, in one direction or both; 0 finds
    /// those in the default zone both ways.
    #[doc(alias = "NFCT_FILTER_DUMP_ZONE")]
    #[must_use]
    pub fn zone(mut self, zone: u16) -> Self {
        self.zone = Some(zone);
        self
    }

    /// Only entries like this one in what is present of its original tuple; a
    /// mark, status or zone of it counts too.
    ///
    /// Linux 6.18 answers IPv6 addresses inverted, and looks at ports only for
    /// TCP and UDP: check the result.
    #[doc(alias = "NFCT_FILTER_DUMP_TUPLE")]
    #[must_use]
    pub fn tuple(mut self, entry: &Conntrack) -> Self {
        self.tuple = Some(Box::new(entry.clone()));
        self
    }

    /// Whether there is a tuple among the criteria.
    #[cfg(feature = "capi")]
    pub(crate) fn has_tuple(&self) -> bool {
        self.tuple.is_some()
    }

    /// Whether a criterion asks for a family.
    #[cfg(feature = "capi")]
    pub(crate) fn has_family(&self) -> bool {
        self.family.is_some() || self.tuple.is_some()
    }

    /// The family the request is for.
    pub(crate) fn l3proto(&self) -> L3Proto {
        let of_tuple = || Some(L3Proto(self.tuple.as_deref()?.head.tuple.l3));
        self.family.or_else(of_tuple).unwrap_or_default()
    }

    /// Puts the criteria into a request.
    ///
    /// # Errors
    /// [`Error::Invalid`] where the entry has no original tuple or one of
    /// another family than was asked for.
    pub(crate) fn encode(&self, message: &mut Builder<'_>) -> Result<()> {
        if let Some((value, mask)) = self.mark {
            message.put_u32_be(cta::MARK, value);
            message.put_u32_be(cta::MARK_MASK, mask);
        }
        if let Some((value, mask)) = self.status {
            message.put_u32_be(cta::STATUS, value);
            message.put_u32_be(cta::STATUS_MASK, mask);
        }
        if let Some(zone) = self.zone {
            message.put_u16_be(cta::ZONE, zone);
        }
        if let Some(entry) = &self.tuple {
            let family = L3Proto(entry.head.tuple.l3);
            if self.family.is_some_and(|asked| asked != family) {
                return Err(Error::Invalid(
                    "a tuple of another family than the filter's",
                ));
            }
            encode(entry, message)?;
            message.nest(cta::FILTER, |nest| {
                nest.put_u32(cta_filter::ORIG_FLAGS, tuple_flags(entry));
                nest.put_u32(cta_filter::REPLY_FLAGS, 0);
            });
        }
        Ok(())
    }
}

/// Attributes that count for both families, for IPv4, for IPv6, and the
/// kernel's flag for each (`CTA_FILTER_FLAG_*`).
const FLAGS: [(Option<L3Proto>, Attr, u32); 14] = [
    (Some(L3Proto::IPV4), Attr::OrigIpv4Src, 1 << 0),
    (Some(L3Proto::IPV6), Attr::OrigIpv6Src, 1 << 0),
    (Some(L3Proto::IPV4), Attr::OrigIpv4Dst, 1 << 1),
    (Some(L3Proto::IPV6), Attr::OrigIpv6Dst, 1 << 1),
    (None, Attr::OrigZone, 1 << 2),
    (None, Attr::OrigL4proto, 1 << 3),
    (None, Attr::OrigPortSrc, 1 << 4),
    (None, Attr::OrigPortDst, 1 << 5),
    (Some(L3Proto::IPV4), Attr::IcmpType, 1 << 6),
    (Some(L3Proto::IPV4), Attr::IcmpCode, 1 << 7),
    (Some(L3Proto::IPV4), Attr::IcmpId, 1 << 8),
    (Some(L3Proto::IPV6), Attr::IcmpType, 1 << 9),
    (Some(L3Proto::IPV6), Attr::IcmpCode, 1 << 10),
    (Some(L3Proto::IPV6), Attr::IcmpId, 1 << 11),
];

fn tuple_flags(entry: &Conntrack) -> u32 {
    let own = L3Proto(entry.head.tuple.l3);
    FLAGS
        .into_iter()
        .filter(|(family, attr, _)| family.is_none_or(|f| f == own) && entry.is_set(*attr))
        .fold(0, |flags, (_, _, flag)| flags | flag)
}
