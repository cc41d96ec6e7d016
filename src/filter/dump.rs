//! The kernel-side filter of dumps and flushes.

use std::net::IpAddr;

use super::tuple_criteria::TupleCriteria;
use crate::conntrack::encode::encode;
use crate::conntrack::{Attr, Conntrack, Direction, L4Proto, Status};
use crate::error::{Error, Result};
use crate::netlink::Builder;
use crate::nfnetlink::L3Proto;
use crate::uapi::{cta, cta_filter, cta_filter_flag as flag};

/// Which entries the kernel is to list or delete. All criteria must hold.
///
/// Older kernels ignore criteria they do not know, and so list (or delete!)
/// more: the mark is known since Linux 3.4, the family of a flush since 5.2, the
/// tuple since 5.8, the status since 5.15, the zone since 6.8.
/// [`Handle::probe`](crate::Handle::probe) tells what the running kernel knows.
///
/// The criteria of tuples that are set one by one ([`source`](Self::source) and
/// the like) reach the kernel only as far as it answers them rightly; it may
/// list more than asked for. What an entry must be like is said by a
/// [`Predicate`](super::Predicate), into which any filter can be turned;
/// [`Handle::dump_matching`](crate::Handle::dump_matching) finds the filter for a
/// predicate and checks what the kernel lists.
///
/// ```
/// use netfilter_conntrack::{Direction, DumpFilter, L4Proto};
///
/// let filter = DumpFilter::new()
///     .l4proto(L4Proto::TCP)
///     .source(Direction::Reply, "192.0.2.1".parse().unwrap())
///     .source_port(Direction::Reply, 443);
/// ```
#[doc(alias = "nfct_filter_dump")]
#[doc(alias = "nfct_filter_dump_create")]
#[doc(alias = "nfct_filter_dump_destroy")]
#[doc(alias = "nfct_filter_dump_set_attr")]
#[doc(alias = "nfct_filter_dump_set_attr_u8")]
#[doc(alias = "nfct_filter_dump_set_attr_u16")]
#[doc(alias = "nfct_nlmsg_build_filter")]
#[derive(Clone, Debug, Default)]
pub struct DumpFilter {
    /// Value and mask.
    pub(super) mark: Option<(u32, u32)>,
    pub(super) family: Option<L3Proto>,
    /// Value and mask.
    pub(super) status: Option<(u32, u32)>,
    pub(super) zone: Option<u16>,
    pub(super) tuples: TupleCriteria,
    /// As the C library's filter takes it, sent whatever the kernel makes of it.
    pub(super) tuple: Option<Box<Conntrack>>,
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
    /// The entry is sent as it is, unlike the criteria that are set one by one.
    /// Linux 6.18 answers IPv6 addresses inverted, and looks at ports only for
    /// TCP and UDP: check the result.
    #[doc(alias = "NFCT_FILTER_DUMP_TUPLE")]
    #[must_use]
    pub fn tuple(mut self, entry: &Conntrack) -> Self {
        self.tuple = Some(Box::new(entry.clone()));
        self
    }

    /// Only entries of this layer 4 protocol.
    #[must_use]
    pub fn l4proto(mut self, l4proto: L4Proto) -> Self {
        self.tuples.l4proto = Some(l4proto);
        self
    }

    /// Only entries with this source address in a direction. Of an IPv6 address
    /// the kernel is told the family alone: it would list all entries but those
    /// asked for.
    #[must_use]
    pub fn source(mut self, direction: Direction, address: IpAddr) -> Self {
        self.tuples.ends_mut(direction).source = Some(address);
        self
    }

    /// Only entries with this destination address in a direction; see
    /// [`source`](Self::source).
    #[must_use]
    pub fn destination(mut self, direction: Direction, address: IpAddr) -> Self {
        self.tuples.ends_mut(direction).destination = Some(address);
        self
    }

    /// Only entries with this source port in a direction, in host byte order.
    /// The kernel is told only together with the protocol TCP or UDP: of others it
    /// does not look at the ports.
    #[must_use]
    pub fn source_port(mut self, direction: Direction, port: u16) -> Self {
        self.tuples.ends_mut(direction).source_port = Some(port);
        self
    }

    /// Only entries with this destination port in a direction; see
    /// [`source_port`](Self::source_port).
    #[must_use]
    pub fn destination_port(mut self, direction: Direction, port: u16) -> Self {
        self.tuples.ends_mut(direction).destination_port = Some(port);
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
        let family = self.family.or_else(|| self.tuples.family());
        family.or_else(of_tuple).unwrap_or_default()
    }

    /// Puts the criteria into a request.
    ///
    /// # Errors
    /// [`Error::Invalid`] where the entry has no original tuple; where a tuple
    /// or an address is of another family than was asked for; where there are
    /// both an entry and criteria of tuples, or the latter without a family.
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
        match &self.tuple {
            None if self.tuples.is_empty() => Ok(()),
            None => match self.l3proto() {
                L3Proto::UNSPEC => Err(Error::Invalid("criteria of tuples without a family")),
                family => self.tuples.encode(family, message),
            },
            Some(_) if !self.tuples.is_empty() => Err(Error::Invalid(
                "a filter with a tuple and criteria of tuples",
            )),
            Some(entry) => self.encode_tuple(entry, message),
        }
    }

    /// Puts the criteria into a flush, in which a mistake of the kernel would
    /// delete what nobody asked to delete.
    ///
    /// # Errors
    /// As [`encode`](Self::encode); [`Error::Invalid`] also for what of a tuple the
    /// kernel does not compare, or not rightly.
    pub(crate) fn encode_flush(&self, message: &mut Builder<'_>) -> Result<()> {
        if !self.tuples.is_exact() || !self.tuple.as_deref().is_none_or(is_exact) {
            return Err(Error::Invalid(
                "a flush by what the kernel does not compare rightly; use flush_filtered",
            ));
        }
        self.encode(message)
    }

    fn encode_tuple(&self, entry: &Conntrack, message: &mut Builder<'_>) -> Result<()> {
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
        Ok(())
    }
}

/// Attributes that count for both families, for IPv4, for IPv6, and the
/// kernel's flag for each.
const FLAGS: [(Option<L3Proto>, Attr, u32); 14] = [
    (Some(L3Proto::IPV4), Attr::OrigIpv4Src, flag::IP_SRC),
    (Some(L3Proto::IPV6), Attr::OrigIpv6Src, flag::IP_SRC),
    (Some(L3Proto::IPV4), Attr::OrigIpv4Dst, flag::IP_DST),
    (Some(L3Proto::IPV6), Attr::OrigIpv6Dst, flag::IP_DST),
    (None, Attr::OrigZone, flag::ZONE),
    (None, Attr::OrigL4proto, flag::PROTO_NUM),
    (None, Attr::OrigPortSrc, flag::PROTO_SRC_PORT),
    (None, Attr::OrigPortDst, flag::PROTO_DST_PORT),
    (Some(L3Proto::IPV4), Attr::IcmpType, flag::ICMP_TYPE),
    (Some(L3Proto::IPV4), Attr::IcmpCode, flag::ICMP_CODE),
    (Some(L3Proto::IPV4), Attr::IcmpId, flag::ICMP_ID),
    (Some(L3Proto::IPV6), Attr::IcmpType, flag::ICMPV6_TYPE),
    (Some(L3Proto::IPV6), Attr::IcmpCode, flag::ICMPV6_CODE),
    (Some(L3Proto::IPV6), Attr::IcmpId, flag::ICMPV6_ID),
];

/// Whether the kernel compares all that is present of an entry's original tuple,
/// and rightly: not IPv6 addresses, which all kernels up to 6.18 take the other way
/// round, not a zone, and ports of TCP and UDP only.
fn is_exact(entry: &Conntrack) -> bool {
    let flags = tuple_flags(entry);
    let ports = flag::PROTO_SRC_PORT | flag::PROTO_DST_PORT;
    let wrong = match L3Proto(entry.head.tuple.l3) {
        L3Proto::IPV6 => flag::IP_SRC | flag::IP_DST | flag::ZONE,
        _ => flag::ZONE,
    };
    let knows_ports = matches!(L4Proto(entry.head.tuple.l4), L4Proto::TCP | L4Proto::UDP);
    flags & wrong == 0 && (knows_ports || flags & ports == 0)
}

fn tuple_flags(entry: &Conntrack) -> u32 {
    let own = L3Proto(entry.head.tuple.l3);
    FLAGS
        .into_iter()
        .filter(|(family, attr, _)| family.is_none_or(|f| f == own) && entry.is_set(*attr))
        .fold(0, |flags, (_, _, flag)| flags | flag)
}
