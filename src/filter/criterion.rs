//! What an event filter can ask.

use super::addr_mask::AddrMask;
use crate::conntrack::EventKind;
use crate::conntrack::{DccpState, L4Proto, SctpState, TcpState};

/// Something that an [`EventFilter`](super::EventFilter) asks of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Criterion {
    /// See [`EventFilter::l4proto`](super::EventFilter::l4proto).
    L4Proto(L4Proto),
    /// See [`EventFilter::l4state`](super::EventFilter::l4state).
    L4State(L4State),
    /// See [`EventFilter::source`](super::EventFilter::source).
    Source(AddrMask),
    /// See [`EventFilter::destination`](super::EventFilter::destination).
    Destination(AddrMask),
    /// See [`EventFilter::mark`](super::EventFilter::mark).
    #[doc(alias = "nfct_filter_dump_mark")]
    Mark {
        /// The mark in host byte order; its bits outside of the mask do not count.
        value: u32,
        /// The bits that count.
        mask: u32,
    },
    /// See [`EventFilter::zone`](super::EventFilter::zone).
    Zone(u16),
    /// See [`EventFilter::kind`](super::EventFilter::kind).
    Kind(EventKind),
}

impl Criterion {
    /// The section of the filter that the criterion falls into.
    #[must_use]
    pub fn attr(&self) -> FilterAttr {
        match self {
            Self::L4Proto(_) => FilterAttr::L4Proto,
            Self::L4State(_) => FilterAttr::L4State,
            Self::Source(AddrMask::V4 { .. }) => FilterAttr::SourceIpv4,
            Self::Destination(AddrMask::V4 { .. }) => FilterAttr::DestinationIpv4,
            Self::Source(AddrMask::V6 { .. }) => FilterAttr::SourceIpv6,
            Self::Destination(AddrMask::V6 { .. }) => FilterAttr::DestinationIpv6,
            Self::Mark { .. } => FilterAttr::Mark,
            Self::Zone(_) => FilterAttr::Zone,
            Self::Kind(_) => FilterAttr::Kind,
        }
    }
}

/// The sections of an [`EventFilter`](super::EventFilter), each with a
/// [`Logic`] of its own.
#[doc(alias = "nfct_filter_attr")]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FilterAttr {
    /// Layer 4 protocols.
    #[doc(alias = "NFCT_FILTER_L4PROTO")]
    L4Proto,
    /// States of protocols.
    #[doc(alias = "NFCT_FILTER_L4PROTO_STATE")]
    L4State,
    /// Original IPv4 sources.
    #[doc(alias = "NFCT_FILTER_SRC_IPV4")]
    SourceIpv4,
    /// Original IPv4 destinations.
    #[doc(alias = "NFCT_FILTER_DST_IPV4")]
    DestinationIpv4,
    /// Original IPv6 sources.
    #[doc(alias = "NFCT_FILTER_SRC_IPV6")]
    SourceIpv6,
    /// Original IPv6 destinations.
    #[doc(alias = "NFCT_FILTER_DST_IPV6")]
    DestinationIpv6,
    /// Marks.
    #[doc(alias = "NFCT_FILTER_MARK")]
    Mark,
    /// Zones.
    #[doc(alias = "NFCT_FILTER_ZONE")]
    Zone,
    /// Kinds of event; libnetfilter_conntrack has no such section.
    Kind,
}

impl FilterAttr {
    /// All of them; the first eight in the order of the C numbers `NFCT_FILTER_*`.
    pub const ALL: [Self; 9] = [
        Self::L4Proto,
        Self::L4State,
        Self::SourceIpv4,
        Self::DestinationIpv4,
        Self::SourceIpv6,
        Self::DestinationIpv6,
        Self::Mark,
        Self::Zone,
        Self::Kind,
    ];
}

/// How a section of an [`EventFilter`](super::EventFilter) judges.
#[doc(alias = "nfct_filter_logic")]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Logic {
    /// It passes if at least one criterion matches.
    #[doc(alias = "NFCT_FILTER_LOGIC_POSITIVE")]
    #[default]
    Positive,
    /// It passes if no criterion matches.
    #[doc(alias = "NFCT_FILTER_LOGIC_NEGATIVE")]
    Negative,
}

/// A protocol and one of its states.
#[doc(alias = "nfct_filter_proto")]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[allow(missing_docs, reason = "the names are the documentation")]
pub enum L4State {
    Tcp(TcpState),
    Sctp(SctpState),
    Dccp(DccpState),
}

impl From<TcpState> for L4State {
    fn from(state: TcpState) -> Self {
        Self::Tcp(state)
    }
}

impl From<SctpState> for L4State {
    fn from(state: SctpState) -> Self {
        Self::Sctp(state)
    }
}

impl From<DccpState> for L4State {
    fn from(state: DccpState) -> Self {
        Self::Dccp(state)
    }
}
