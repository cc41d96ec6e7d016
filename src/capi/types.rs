//! The types of the header.

#![allow(
    dead_code,
    reason = "programs make and read these, this library hardly does"
)]

use std::ffi::{c_int, c_void};

use libc::nlmsghdr;

/// A connection to the kernel; see nfct_open().
pub struct nfct_handle {
    _opaque: [u8; 0],
}

/// A conntrack entry; see nfct_new().
pub struct nf_conntrack {
    _opaque: [u8; 0],
}

/// An expectation; see nfexp_new().
pub struct nf_expect {
    _opaque: [u8; 0],
}

/// A set of bits, such as the labels of an entry; see nfct_bitmask_new().
pub struct nfct_bitmask {
    _opaque: [u8; 0],
}

/// The names of labels; see nfct_labelmap_new().
pub struct nfct_labelmap {
    _opaque: [u8; 0],
}

/// A filter on a socket for events; see nfct_filter_create().
pub struct nfct_filter {
    _opaque: [u8; 0],
}

/// A filter of dumps in the kernel; see nfct_filter_dump_create().
pub struct nfct_filter_dump {
    _opaque: [u8; 0],
}

/// A handle of libnfnetlink.
pub struct nfnl_handle {
    _opaque: [u8; 0],
}

/// A subsystem of a handle of libnfnetlink.
pub struct nfnl_subsys_handle {
    _opaque: [u8; 0],
}

/// Value of ATTR_GRP_ORIG_IPV4, ATTR_GRP_REPL_IPV4 and ATTR_GRP_MASTER_IPV4; in
/// network byte order.
#[repr(C)]
pub struct nfct_attr_grp_ipv4 {
    /// Source address.
    pub src: u32,
    /// Destination address.
    pub dst: u32,
}

/// Value of ATTR_GRP_ORIG_IPV6, ATTR_GRP_REPL_IPV6 and ATTR_GRP_MASTER_IPV6; in
/// network byte order.
#[repr(C)]
pub struct nfct_attr_grp_ipv6 {
    /// Source address.
    pub src: [u32; 4],
    /// Destination address.
    pub dst: [u32; 4],
}

/// Value of ATTR_GRP_ORIG_PORT, ATTR_GRP_REPL_PORT and ATTR_GRP_MASTER_PORT; in
/// network byte order.
#[repr(C)]
pub struct nfct_attr_grp_port {
    /// Source port.
    pub sport: u16,
    /// Destination port.
    pub dport: u16,
}

/// Value of ATTR_GRP_ICMP.
#[repr(C)]
pub struct nfct_attr_grp_icmp {
    /// Identifier, in network byte order.
    pub id: u16,
    /// Code.
    pub code: u8,
    /// Type.
    pub r#type: u8,
}

/// Value of ATTR_GRP_ORIG_COUNTERS and ATTR_GRP_REPL_COUNTERS; in host byte order.
#[repr(C)]
pub struct nfct_attr_grp_ctrs {
    /// Packets.
    pub packets: u64,
    /// Bytes.
    pub bytes: u64,
}

/// Value of ATTR_GRP_ORIG_ADDR_SRC, ATTR_GRP_ORIG_ADDR_DST,
/// ATTR_GRP_REPL_ADDR_SRC and ATTR_GRP_REPL_ADDR_DST; in network byte order. The
/// 12 bytes behind an IPv4 address are 0.
#[repr(C)]
pub union nfct_attr_grp_addr {
    /// IPv4 address.
    pub ip: u32,
    /// IPv6 address.
    pub ip6: [u32; 4],
    /// Either of them.
    pub addr: [u32; 4],
}

/// Value of NFCT_FILTER_L4PROTO_STATE; in host byte order.
#[repr(C)]
pub struct nfct_filter_proto {
    /// Protocol: IPPROTO_TCP, IPPROTO_SCTP or IPPROTO_DCCP.
    pub proto: u16,
    /// State, such as TCP_CONNTRACK_ESTABLISHED.
    pub state: u16,
}

/// Value of NFCT_FILTER_SRC_IPV4 and NFCT_FILTER_DST_IPV4; in host byte order.
#[repr(C)]
pub struct nfct_filter_ipv4 {
    /// Address.
    pub addr: u32,
    /// The bits of it that count.
    pub mask: u32,
}

/// Value of NFCT_FILTER_SRC_IPV6 and NFCT_FILTER_DST_IPV6; each word in host
/// byte order, the first one with the leading bits.
#[repr(C)]
pub struct nfct_filter_ipv6 {
    /// Address.
    pub addr: [u32; 4],
    /// The bits of it that count.
    pub mask: [u32; 4],
}

/// Value of NFCT_FILTER_MARK, NFCT_FILTER_DUMP_MARK and NFCT_FILTER_DUMP_STATUS;
/// in host byte order.
#[repr(C)]
pub struct nfct_filter_dump_mark {
    /// Value.
    pub val: u32,
    /// The bits of it that count.
    pub mask: u32,
}

// Numbers that C passes as enums. They come in as integers, since anything may.

/// A number of `enum nf_conntrack_attr`.
pub(super) type AttrNumber = u32;
/// A number of `enum nf_conntrack_attr_grp`.
pub(super) type GroupNumber = u32;
/// A number of `enum nf_expect_attr`.
pub(super) type ExpectAttrNumber = u32;
/// A number of `enum nf_conntrack_msg_type`, or a mask of them.
pub(super) type MessageType = c_int;
/// A number of `enum nf_conntrack_query`.
pub(super) type QueryNumber = u32;
/// A number of `enum nfct_filter_attr`.
pub(super) type FilterAttrNumber = u32;
/// A number of `enum nfct_filter_logic`.
pub(super) type FilterLogicNumber = u32;
/// A number of `enum nfct_filter_dump_attr`.
pub(super) type FilterDumpAttrNumber = u32;

/// A callback that gets a message's type, what it is about, and the caller's data.
pub(super) type Callback<T> =
    Option<unsafe extern "C" fn(r#type: MessageType, object: *mut T, data: *mut c_void) -> c_int>;

/// The same with the message itself in front.
pub(super) type Callback2<T> = Option<
    unsafe extern "C" fn(
        nlh: *const nlmsghdr,
        r#type: MessageType,
        object: *mut T,
        data: *mut c_void,
    ) -> c_int,
>;
