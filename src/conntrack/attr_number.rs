//! The attribute numbers of a conntrack entry.

/// An attribute of a conntrack entry, numbered as in the C library
/// (`enum nf_conntrack_attr`).
///
/// Numbers in the entry are in host byte order by the Rust API; addresses and
/// ports are stored as on the wire, which only the C API shows.
#[doc(alias = "nf_conntrack_attr")]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Attr {
    /// IPv4 source address of the original tuple.
    #[doc(alias = "ATTR_ORIG_IPV4_SRC")]
    #[doc(alias = "ATTR_IPV4_SRC")]
    OrigIpv4Src = 0,
    /// IPv4 destination address of the original tuple.
    #[doc(alias = "ATTR_ORIG_IPV4_DST")]
    #[doc(alias = "ATTR_IPV4_DST")]
    OrigIpv4Dst = 1,
    /// IPv4 source address of the reply tuple.
    #[doc(alias = "ATTR_REPL_IPV4_SRC")]
    ReplIpv4Src = 2,
    /// IPv4 destination address of the reply tuple.
    #[doc(alias = "ATTR_REPL_IPV4_DST")]
    ReplIpv4Dst = 3,
    /// IPv6 source address of the original tuple.
    #[doc(alias = "ATTR_ORIG_IPV6_SRC")]
    #[doc(alias = "ATTR_IPV6_SRC")]
    OrigIpv6Src = 4,
    /// IPv6 destination address of the original tuple.
    #[doc(alias = "ATTR_ORIG_IPV6_DST")]
    #[doc(alias = "ATTR_IPV6_DST")]
    OrigIpv6Dst = 5,
    /// IPv6 source address of the reply tuple.
    #[doc(alias = "ATTR_REPL_IPV6_SRC")]
    ReplIpv6Src = 6,
    /// IPv6 destination address of the reply tuple.
    #[doc(alias = "ATTR_REPL_IPV6_DST")]
    ReplIpv6Dst = 7,
    /// Source port of the original tuple.
    #[doc(alias = "ATTR_ORIG_PORT_SRC")]
    #[doc(alias = "ATTR_PORT_SRC")]
    OrigPortSrc = 8,
    /// Destination port of the original tuple.
    #[doc(alias = "ATTR_ORIG_PORT_DST")]
    #[doc(alias = "ATTR_PORT_DST")]
    OrigPortDst = 9,
    /// Source port of the reply tuple.
    #[doc(alias = "ATTR_REPL_PORT_SRC")]
    ReplPortSrc = 10,
    /// Destination port of the reply tuple.
    #[doc(alias = "ATTR_REPL_PORT_DST")]
    ReplPortDst = 11,
    /// ICMP or ICMPv6 type.
    #[doc(alias = "ATTR_ICMP_TYPE")]
    IcmpType = 12,
    /// ICMP or ICMPv6 code.
    #[doc(alias = "ATTR_ICMP_CODE")]
    IcmpCode = 13,
    /// ICMP or ICMPv6 echo identifier.
    #[doc(alias = "ATTR_ICMP_ID")]
    IcmpId = 14,
    /// Address family of the original tuple (`AF_INET`, `AF_INET6`).
    #[doc(alias = "ATTR_ORIG_L3PROTO")]
    #[doc(alias = "ATTR_L3PROTO")]
    OrigL3proto = 15,
    /// Address family of the reply tuple (`AF_INET`, `AF_INET6`).
    #[doc(alias = "ATTR_REPL_L3PROTO")]
    ReplL3proto = 16,
    /// Layer 4 protocol number of the original tuple (`IPPROTO_*`).
    #[doc(alias = "ATTR_ORIG_L4PROTO")]
    #[doc(alias = "ATTR_L4PROTO")]
    OrigL4proto = 17,
    /// Layer 4 protocol number of the reply tuple (`IPPROTO_*`).
    #[doc(alias = "ATTR_REPL_L4PROTO")]
    ReplL4proto = 18,
    /// TCP state, `TCP_CONNTRACK_*`.
    #[doc(alias = "ATTR_TCP_STATE")]
    TcpState = 19,
    /// IPv4 address to translate the source to.
    #[doc(alias = "ATTR_SNAT_IPV4")]
    SnatIpv4 = 20,
    /// IPv4 address to translate the destination to.
    #[doc(alias = "ATTR_DNAT_IPV4")]
    DnatIpv4 = 21,
    /// Port to translate the source to.
    #[doc(alias = "ATTR_SNAT_PORT")]
    SnatPort = 22,
    /// Port to translate the destination to.
    #[doc(alias = "ATTR_DNAT_PORT")]
    DnatPort = 23,
    /// Seconds until the entry expires.
    #[doc(alias = "ATTR_TIMEOUT")]
    Timeout = 24,
    /// Mark.
    #[doc(alias = "ATTR_MARK")]
    Mark = 25,
    /// Packets seen in the original direction; only the kernel sets it.
    #[doc(alias = "ATTR_ORIG_COUNTER_PACKETS")]
    OrigCounterPackets = 26,
    /// Packets seen in the reply direction; only the kernel sets it.
    #[doc(alias = "ATTR_REPL_COUNTER_PACKETS")]
    ReplCounterPackets = 27,
    /// Bytes seen in the original direction; only the kernel sets it.
    #[doc(alias = "ATTR_ORIG_COUNTER_BYTES")]
    OrigCounterBytes = 28,
    /// Bytes seen in the reply direction; only the kernel sets it.
    #[doc(alias = "ATTR_REPL_COUNTER_BYTES")]
    ReplCounterBytes = 29,
    /// References to the entry; only the kernel sets it.
    #[doc(alias = "ATTR_USE")]
    Use = 30,
    /// Id the kernel gave the entry.
    #[doc(alias = "ATTR_ID")]
    Id = 31,
    /// Status bits, `IPS_*`.
    #[doc(alias = "ATTR_STATUS")]
    Status = 32,
    /// TCP tracking flags of the original direction.
    #[doc(alias = "ATTR_TCP_FLAGS_ORIG")]
    TcpFlagsOrig = 33,
    /// TCP tracking flags of the reply direction.
    #[doc(alias = "ATTR_TCP_FLAGS_REPL")]
    TcpFlagsRepl = 34,
    /// Which TCP flags of the original direction to change.
    #[doc(alias = "ATTR_TCP_MASK_ORIG")]
    TcpMaskOrig = 35,
    /// Which TCP flags of the reply direction to change.
    #[doc(alias = "ATTR_TCP_MASK_REPL")]
    TcpMaskRepl = 36,
    /// IPv4 source address of the master's tuple.
    #[doc(alias = "ATTR_MASTER_IPV4_SRC")]
    MasterIpv4Src = 37,
    /// IPv4 destination address of the master's tuple.
    #[doc(alias = "ATTR_MASTER_IPV4_DST")]
    MasterIpv4Dst = 38,
    /// IPv6 source address of the master's tuple.
    #[doc(alias = "ATTR_MASTER_IPV6_SRC")]
    MasterIpv6Src = 39,
    /// IPv6 destination address of the master's tuple.
    #[doc(alias = "ATTR_MASTER_IPV6_DST")]
    MasterIpv6Dst = 40,
    /// Source port of the master's tuple.
    #[doc(alias = "ATTR_MASTER_PORT_SRC")]
    MasterPortSrc = 41,
    /// Destination port of the master's tuple.
    #[doc(alias = "ATTR_MASTER_PORT_DST")]
    MasterPortDst = 42,
    /// Address family of the master's tuple (`AF_INET`, `AF_INET6`).
    #[doc(alias = "ATTR_MASTER_L3PROTO")]
    MasterL3proto = 43,
    /// Layer 4 protocol number of the master's tuple (`IPPROTO_*`).
    #[doc(alias = "ATTR_MASTER_L4PROTO")]
    MasterL4proto = 44,
    /// Security mark; obsolete, the kernel ignores it.
    #[doc(alias = "ATTR_SECMARK")]
    Secmark = 45,
    /// Sequence number up to which the first offset holds, original direction.
    #[doc(alias = "ATTR_ORIG_NAT_SEQ_CORRECTION_POS")]
    OrigNatSeqCorrectionPos = 46,
    /// Sequence offset before the correction, original direction.
    #[doc(alias = "ATTR_ORIG_NAT_SEQ_OFFSET_BEFORE")]
    OrigNatSeqOffsetBefore = 47,
    /// Sequence offset after the correction, original direction.
    #[doc(alias = "ATTR_ORIG_NAT_SEQ_OFFSET_AFTER")]
    OrigNatSeqOffsetAfter = 48,
    /// Sequence number up to which the first offset holds, reply direction.
    #[doc(alias = "ATTR_REPL_NAT_SEQ_CORRECTION_POS")]
    ReplNatSeqCorrectionPos = 49,
    /// Sequence offset before the correction, reply direction.
    #[doc(alias = "ATTR_REPL_NAT_SEQ_OFFSET_BEFORE")]
    ReplNatSeqOffsetBefore = 50,
    /// Sequence offset after the correction, reply direction.
    #[doc(alias = "ATTR_REPL_NAT_SEQ_OFFSET_AFTER")]
    ReplNatSeqOffsetAfter = 51,
    /// SCTP state.
    #[doc(alias = "ATTR_SCTP_STATE")]
    SctpState = 52,
    /// SCTP verification tag of the original direction.
    #[doc(alias = "ATTR_SCTP_VTAG_ORIG")]
    SctpVtagOrig = 53,
    /// SCTP verification tag of the reply direction.
    #[doc(alias = "ATTR_SCTP_VTAG_REPL")]
    SctpVtagRepl = 54,
    /// Name of the helper, at most 15 bytes.
    #[doc(alias = "ATTR_HELPER_NAME")]
    HelperName = 55,
    /// DCCP state.
    #[doc(alias = "ATTR_DCCP_STATE")]
    DccpState = 56,
    /// DCCP role: 0 client, 1 server.
    #[doc(alias = "ATTR_DCCP_ROLE")]
    DccpRole = 57,
    /// DCCP sequence number of the handshake.
    #[doc(alias = "ATTR_DCCP_HANDSHAKE_SEQ")]
    DccpHandshakeSeq = 58,
    /// TCP window scale of the original direction.
    #[doc(alias = "ATTR_TCP_WSCALE_ORIG")]
    TcpWscaleOrig = 59,
    /// TCP window scale of the reply direction.
    #[doc(alias = "ATTR_TCP_WSCALE_REPL")]
    TcpWscaleRepl = 60,
    /// Zone of both directions.
    #[doc(alias = "ATTR_ZONE")]
    Zone = 61,
    /// Security context; only the kernel sets it.
    #[doc(alias = "ATTR_SECCTX")]
    Secctx = 62,
    /// Start of the flow, nanoseconds since the epoch; only the kernel sets it.
    #[doc(alias = "ATTR_TIMESTAMP_START")]
    TimestampStart = 63,
    /// End of the flow, nanoseconds since the epoch; only the kernel sets it.
    #[doc(alias = "ATTR_TIMESTAMP_STOP")]
    TimestampStop = 64,
    /// The helper's private data.
    #[doc(alias = "ATTR_HELPER_INFO")]
    HelperInfo = 65,
    /// Labels.
    #[doc(alias = "ATTR_CONNLABELS")]
    Connlabels = 66,
    /// Which labels to change.
    #[doc(alias = "ATTR_CONNLABELS_MASK")]
    ConnlabelsMask = 67,
    /// Zone that applies to the original direction only.
    #[doc(alias = "ATTR_ORIG_ZONE")]
    OrigZone = 68,
    /// Zone that applies to the reply direction only.
    #[doc(alias = "ATTR_REPL_ZONE")]
    ReplZone = 69,
    /// IPv6 address to translate the source to.
    #[doc(alias = "ATTR_SNAT_IPV6")]
    SnatIpv6 = 70,
    /// IPv6 address to translate the destination to.
    #[doc(alias = "ATTR_DNAT_IPV6")]
    DnatIpv6 = 71,
    /// Initial sequence number of synproxy.
    #[doc(alias = "ATTR_SYNPROXY_ISN")]
    SynproxyIsn = 72,
    /// Initial timestamp of synproxy.
    #[doc(alias = "ATTR_SYNPROXY_ITS")]
    SynproxyIts = 73,
    /// Timestamp offset of synproxy.
    #[doc(alias = "ATTR_SYNPROXY_TSOFF")]
    SynproxyTsoff = 74,
    /// Time of the event, nanoseconds since the epoch; only the kernel sets it (Linux 6.14 and later).
    #[doc(alias = "ATTR_TIMESTAMP_EVENT")]
    TimestampEvent = 75,
}

impl Attr {
    /// How many attributes there are; their numbers are below it.
    #[doc(alias = "ATTR_MAX")]
    pub const COUNT: usize = 76;

    /// The attribute with this number; `None` for [`COUNT`](Self::COUNT) and above.
    #[must_use]
    pub fn from_number(number: u32) -> Option<Self> {
        let number = usize::try_from(number).ok()?;
        Self::ALL.get(number).copied()
    }

    /// The attribute's number.
    #[must_use]
    pub const fn number(self) -> u32 {
        self as u32
    }

    /// All attributes, in the order of their numbers.
    pub const ALL: [Self; Self::COUNT] = [
        Self::OrigIpv4Src,
        Self::OrigIpv4Dst,
        Self::ReplIpv4Src,
        Self::ReplIpv4Dst,
        Self::OrigIpv6Src,
        Self::OrigIpv6Dst,
        Self::ReplIpv6Src,
        Self::ReplIpv6Dst,
        Self::OrigPortSrc,
        Self::OrigPortDst,
        Self::ReplPortSrc,
        Self::ReplPortDst,
        Self::IcmpType,
        Self::IcmpCode,
        Self::IcmpId,
        Self::OrigL3proto,
        Self::ReplL3proto,
        Self::OrigL4proto,
        Self::ReplL4proto,
        Self::TcpState,
        Self::SnatIpv4,
        Self::DnatIpv4,
        Self::SnatPort,
        Self::DnatPort,
        Self::Timeout,
        Self::Mark,
        Self::OrigCounterPackets,
        Self::ReplCounterPackets,
        Self::OrigCounterBytes,
        Self::ReplCounterBytes,
        Self::Use,
        Self::Id,
        Self::Status,
        Self::TcpFlagsOrig,
        Self::TcpFlagsRepl,
        Self::TcpMaskOrig,
        Self::TcpMaskRepl,
        Self::MasterIpv4Src,
        Self::MasterIpv4Dst,
        Self::MasterIpv6Src,
        Self::MasterIpv6Dst,
        Self::MasterPortSrc,
        Self::MasterPortDst,
        Self::MasterL3proto,
        Self::MasterL4proto,
        Self::Secmark,
        Self::OrigNatSeqCorrectionPos,
        Self::OrigNatSeqOffsetBefore,
        Self::OrigNatSeqOffsetAfter,
        Self::ReplNatSeqCorrectionPos,
        Self::ReplNatSeqOffsetBefore,
        Self::ReplNatSeqOffsetAfter,
        Self::SctpState,
        Self::SctpVtagOrig,
        Self::SctpVtagRepl,
        Self::HelperName,
        Self::DccpState,
        Self::DccpRole,
        Self::DccpHandshakeSeq,
        Self::TcpWscaleOrig,
        Self::TcpWscaleRepl,
        Self::Zone,
        Self::Secctx,
        Self::TimestampStart,
        Self::TimestampStop,
        Self::HelperInfo,
        Self::Connlabels,
        Self::ConnlabelsMask,
        Self::OrigZone,
        Self::ReplZone,
        Self::SnatIpv6,
        Self::DnatIpv6,
        Self::SynproxyIsn,
        Self::SynproxyIts,
        Self::SynproxyTsoff,
        Self::TimestampEvent,
    ];
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_places_agree() {
        for (number, attr) in Attr::ALL.into_iter().enumerate() {
            assert_eq!(attr as usize, number);
            assert_eq!(Attr::from_number(attr.number()), Some(attr));
        }
        assert_eq!(Attr::from_number(76), None);
        assert_eq!(Attr::from_number(u32::MAX), None);
    }
}
