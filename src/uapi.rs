//! Numbers of the kernel's headers that libc lacks, in the order of those
//! headers (`linux/netfilter/nfnetlink_conntrack.h`, Linux 6.18).

/// Messages of the conntrack subsystem (`IPCTNL_MSG_CT_*`).
pub(crate) mod ct_message {
    pub(crate) const NEW: u8 = 0;
    pub(crate) const GET: u8 = 1;
    pub(crate) const DELETE: u8 = 2;
    pub(crate) const GET_CTRZERO: u8 = 3;
    pub(crate) const GET_STATS_CPU: u8 = 4;
    pub(crate) const GET_STATS: u8 = 5;
    pub(crate) const GET_DYING: u8 = 6;
    pub(crate) const GET_UNCONFIRMED: u8 = 7;
}

/// Messages of the expectation subsystem (`IPCTNL_MSG_EXP_*`).
pub(crate) mod exp_message {
    pub(crate) const NEW: u8 = 0;
    pub(crate) const GET: u8 = 1;
    pub(crate) const DELETE: u8 = 2;
    pub(crate) const GET_STATS_CPU: u8 = 3;
}

/// Attributes of an entry (`enum ctattr_type`).
pub(crate) mod cta {
    pub(crate) const TUPLE_ORIG: u16 = 1;
    pub(crate) const TUPLE_REPLY: u16 = 2;
    pub(crate) const STATUS: u16 = 3;
    pub(crate) const PROTOINFO: u16 = 4;
    pub(crate) const HELP: u16 = 5;
    pub(crate) const NAT_SRC: u16 = 6;
    pub(crate) const TIMEOUT: u16 = 7;
    pub(crate) const MARK: u16 = 8;
    pub(crate) const COUNTERS_ORIG: u16 = 9;
    pub(crate) const COUNTERS_REPLY: u16 = 10;
    pub(crate) const USE: u16 = 11;
    pub(crate) const ID: u16 = 12;
    pub(crate) const NAT_DST: u16 = 13;
    pub(crate) const TUPLE_MASTER: u16 = 14;
    pub(crate) const SEQ_ADJ_ORIG: u16 = 15;
    pub(crate) const SEQ_ADJ_REPLY: u16 = 16;
    pub(crate) const SECMARK: u16 = 17;
    pub(crate) const ZONE: u16 = 18;
    pub(crate) const SECCTX: u16 = 19;
    pub(crate) const TIMESTAMP: u16 = 20;
    pub(crate) const MARK_MASK: u16 = 21;
    pub(crate) const LABELS: u16 = 22;
    pub(crate) const LABELS_MASK: u16 = 23;
    pub(crate) const SYNPROXY: u16 = 24;
    pub(crate) const FILTER: u16 = 25;
    pub(crate) const STATUS_MASK: u16 = 26;
    pub(crate) const TIMESTAMP_EVENT: u16 = 27;
    /// One more than the highest.
    pub(crate) const COUNT: usize = 28;
}

/// In a tuple (`enum ctattr_tuple`).
pub(crate) mod cta_tuple {
    pub(crate) const IP: u16 = 1;
    pub(crate) const PROTO: u16 = 2;
    pub(crate) const ZONE: u16 = 3;
}

/// In a tuple's addresses (`enum ctattr_ip`).
pub(crate) mod cta_ip {
    pub(crate) const V4_SRC: u16 = 1;
    pub(crate) const V4_DST: u16 = 2;
    pub(crate) const V6_SRC: u16 = 3;
    pub(crate) const V6_DST: u16 = 4;
}

/// In a tuple's layer 4 part (`enum ctattr_l4proto`).
pub(crate) mod cta_proto {
    pub(crate) const NUM: u16 = 1;
    pub(crate) const SRC_PORT: u16 = 2;
    pub(crate) const DST_PORT: u16 = 3;
    pub(crate) const ICMP_ID: u16 = 4;
    pub(crate) const ICMP_TYPE: u16 = 5;
    pub(crate) const ICMP_CODE: u16 = 6;
    pub(crate) const ICMPV6_ID: u16 = 7;
    pub(crate) const ICMPV6_TYPE: u16 = 8;
    pub(crate) const ICMPV6_CODE: u16 = 9;
}

/// Trackers (`enum ctattr_protoinfo`) and what each of them tells.
pub(crate) mod cta_protoinfo {
    pub(crate) const TCP: u16 = 1;
    pub(crate) const DCCP: u16 = 2;
    pub(crate) const SCTP: u16 = 3;

    pub(crate) const TCP_STATE: u16 = 1;
    pub(crate) const TCP_WSCALE_ORIGINAL: u16 = 2;
    pub(crate) const TCP_WSCALE_REPLY: u16 = 3;
    pub(crate) const TCP_FLAGS_ORIGINAL: u16 = 4;
    pub(crate) const TCP_FLAGS_REPLY: u16 = 5;

    pub(crate) const DCCP_STATE: u16 = 1;
    pub(crate) const DCCP_ROLE: u16 = 2;
    pub(crate) const DCCP_HANDSHAKE_SEQ: u16 = 3;

    pub(crate) const SCTP_STATE: u16 = 1;
    pub(crate) const SCTP_VTAG_ORIGINAL: u16 = 2;
    pub(crate) const SCTP_VTAG_REPLY: u16 = 3;
}

/// In counters (`enum ctattr_counters`).
pub(crate) mod cta_counters {
    pub(crate) const PACKETS: u16 = 1;
    pub(crate) const BYTES: u16 = 2;
    pub(crate) const PACKETS32: u16 = 3;
    pub(crate) const BYTES32: u16 = 4;
}

/// In timestamps (`enum ctattr_tstamp`).
pub(crate) mod cta_timestamp {
    pub(crate) const START: u16 = 1;
    pub(crate) const STOP: u16 = 2;
}

/// In a translation (`enum ctattr_nat`) and its ports (`enum ctattr_protonat`).
pub(crate) mod cta_nat {
    pub(crate) const V4_MINIP: u16 = 1;
    pub(crate) const V4_MAXIP: u16 = 2;
    pub(crate) const PROTO: u16 = 3;
    pub(crate) const V6_MINIP: u16 = 4;
    pub(crate) const V6_MAXIP: u16 = 5;

    pub(crate) const PORT_MIN: u16 = 1;
    pub(crate) const PORT_MAX: u16 = 2;
}

/// In a sequence adjustment (`enum ctattr_seqadj`).
pub(crate) mod cta_seqadj {
    pub(crate) const CORRECTION_POS: u16 = 1;
    pub(crate) const OFFSET_BEFORE: u16 = 2;
    pub(crate) const OFFSET_AFTER: u16 = 3;
}

/// In SYNPROXY's part (`enum ctattr_synproxy`).
pub(crate) mod cta_synproxy {
    pub(crate) const ISN: u16 = 1;
    pub(crate) const ITS: u16 = 2;
    pub(crate) const TSOFF: u16 = 3;
}

/// In a helper's part (`enum ctattr_help`).
pub(crate) mod cta_help {
    pub(crate) const NAME: u16 = 1;
    pub(crate) const INFO: u16 = 2;
}

/// In a security context (`enum ctattr_secctx`).
pub(crate) mod cta_secctx {
    pub(crate) const NAME: u16 = 1;
}

/// In a dump filter (`enum ctattr_filter`); both in host byte order.
pub(crate) mod cta_filter {
    pub(crate) const ORIG_FLAGS: u16 = 1;
    pub(crate) const REPLY_FLAGS: u16 = 2;
}

/// Attributes of an expectation (`enum ctattr_expect`).
pub(crate) mod cta_expect {
    pub(crate) const MASTER: u16 = 1;
    pub(crate) const TUPLE: u16 = 2;
    pub(crate) const MASK: u16 = 3;
    pub(crate) const TIMEOUT: u16 = 4;
    pub(crate) const ID: u16 = 5;
    pub(crate) const HELP_NAME: u16 = 6;
    pub(crate) const ZONE: u16 = 7;
    pub(crate) const FLAGS: u16 = 8;
    pub(crate) const CLASS: u16 = 9;
    pub(crate) const NAT: u16 = 10;
    pub(crate) const FN: u16 = 11;
    /// One more than the highest.
    pub(crate) const COUNT: usize = 12;
}

/// In an expectation's translation (`enum ctattr_expect_nat`).
pub(crate) mod cta_expect_nat {
    pub(crate) const DIR: u16 = 1;
    pub(crate) const TUPLE: u16 = 2;
}

/// What of a tuple a dump filter compares (`CTA_FILTER_FLAG(CTA_*)`). The kernel
/// keeps the order of these bits to itself, in `net/netfilter/nf_internals.h`.
pub(crate) mod cta_filter_flag {
    pub(crate) const IP_SRC: u32 = 1 << 0;
    pub(crate) const IP_DST: u32 = 1 << 1;
    pub(crate) const ZONE: u32 = 1 << 2;
    pub(crate) const PROTO_NUM: u32 = 1 << 3;
    pub(crate) const PROTO_SRC_PORT: u32 = 1 << 4;
    pub(crate) const PROTO_DST_PORT: u32 = 1 << 5;
    pub(crate) const ICMP_TYPE: u32 = 1 << 6;
    pub(crate) const ICMP_CODE: u32 = 1 << 7;
    pub(crate) const ICMP_ID: u32 = 1 << 8;
    pub(crate) const ICMPV6_TYPE: u32 = 1 << 9;
    pub(crate) const ICMPV6_CODE: u32 = 1 << 10;
    pub(crate) const ICMPV6_ID: u32 = 1 << 11;
}
