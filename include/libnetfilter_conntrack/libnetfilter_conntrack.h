/* libnetfilter_conntrack: query and follow the Linux connection-tracking table. */
/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Made by cbindgen from src/capi; changes belong there. */

#ifndef _LIBNETFILTER_CONNTRACK_H_
#define _LIBNETFILTER_CONNTRACK_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <netinet/in.h>
#include <linux/netlink.h>

/* Programs expect what libnfnetlink declares, where it is installed. */
#if defined(__has_include)
#if __has_include(<libnfnetlink/libnfnetlink.h>)
#include <libnfnetlink/linux_nfnetlink.h>
#include <libnfnetlink/libnfnetlink.h>
#endif
#endif
#ifndef NF_NETLINK_CONNTRACK_NEW
#include <linux/netfilter/nfnetlink.h>
#endif

#include <libnetfilter_conntrack/linux_nfnetlink_conntrack.h>
#include <libnetfilter_conntrack/linux_nf_conntrack_common.h>

/* What nfct_open() opens a handle for. */
enum {
    CONNTRACK = 1, /* entries */
    EXPECT = 2, /* expectations */
};

/* All groups of events about entries, to be subscribed to with nfct_open(). */
#define NFCT_ALL_CT_GROUPS (NF_NETLINK_CONNTRACK_NEW | NF_NETLINK_CONNTRACK_UPDATE | NF_NETLINK_CONNTRACK_DESTROY)

/*
 * Attributes of entries, each with the type of its value. Addresses, ports and
 * ICMP identifiers are in network byte order (be), numbers else in host byte order.
 */
enum nf_conntrack_attr {
    ATTR_ORIG_IPV4_SRC = 0, /* be32: IPv4 source address of the original tuple */
    ATTR_IPV4_SRC = ATTR_ORIG_IPV4_SRC,
    ATTR_ORIG_IPV4_DST = 1, /* be32: IPv4 destination address of the original tuple */
    ATTR_IPV4_DST = ATTR_ORIG_IPV4_DST,
    ATTR_REPL_IPV4_SRC = 2, /* be32: IPv4 source address of the reply tuple */
    ATTR_REPL_IPV4_DST = 3, /* be32: IPv4 destination address of the reply tuple */
    ATTR_ORIG_IPV6_SRC = 4, /* 16 bytes: IPv6 source address of the original tuple */
    ATTR_IPV6_SRC = ATTR_ORIG_IPV6_SRC,
    ATTR_ORIG_IPV6_DST = 5, /* 16 bytes: IPv6 destination address of the original tuple */
    ATTR_IPV6_DST = ATTR_ORIG_IPV6_DST,
    ATTR_REPL_IPV6_SRC = 6, /* 16 bytes: IPv6 source address of the reply tuple */
    ATTR_REPL_IPV6_DST = 7, /* 16 bytes: IPv6 destination address of the reply tuple */
    ATTR_ORIG_PORT_SRC = 8, /* be16: source port of the original tuple */
    ATTR_PORT_SRC = ATTR_ORIG_PORT_SRC,
    ATTR_ORIG_PORT_DST = 9, /* be16: destination port of the original tuple */
    ATTR_PORT_DST = ATTR_ORIG_PORT_DST,
    ATTR_REPL_PORT_SRC = 10, /* be16: source port of the reply tuple */
    ATTR_REPL_PORT_DST = 11, /* be16: destination port of the reply tuple */
    ATTR_ICMP_TYPE = 12, /* u8: ICMP or ICMPv6 type */
    ATTR_ICMP_CODE = 13, /* u8: ICMP or ICMPv6 code */
    ATTR_ICMP_ID = 14, /* be16: ICMP or ICMPv6 echo identifier */
    ATTR_ORIG_L3PROTO = 15, /* u8: address family of the original tuple (AF_INET or AF_INET6) */
    ATTR_L3PROTO = ATTR_ORIG_L3PROTO,
    ATTR_REPL_L3PROTO = 16, /* u8: address family of the reply tuple (AF_INET or AF_INET6) */
    ATTR_ORIG_L4PROTO = 17, /* u8: layer 4 protocol number of the original tuple (IPPROTO_*) */
    ATTR_L4PROTO = ATTR_ORIG_L4PROTO,
    ATTR_REPL_L4PROTO = 18, /* u8: layer 4 protocol number of the reply tuple (IPPROTO_*) */
    ATTR_TCP_STATE = 19, /* u8: TCP state, TCP_CONNTRACK_* */
    ATTR_SNAT_IPV4 = 20, /* be32: IPv4 address to translate the source to */
    ATTR_DNAT_IPV4 = 21, /* be32: IPv4 address to translate the destination to */
    ATTR_SNAT_PORT = 22, /* be16: port to translate the source to */
    ATTR_DNAT_PORT = 23, /* be16: port to translate the destination to */
    ATTR_TIMEOUT = 24, /* u32: seconds until the entry expires */
    ATTR_MARK = 25, /* u32: mark */
    ATTR_ORIG_COUNTER_PACKETS = 26, /* u64: packets seen in the original direction (read-only) */
    ATTR_REPL_COUNTER_PACKETS = 27, /* u64: packets seen in the reply direction (read-only) */
    ATTR_ORIG_COUNTER_BYTES = 28, /* u64: bytes seen in the original direction (read-only) */
    ATTR_REPL_COUNTER_BYTES = 29, /* u64: bytes seen in the reply direction (read-only) */
    ATTR_USE = 30, /* u32: references to the entry (read-only) */
    ATTR_ID = 31, /* u32: id the kernel gave the entry */
    ATTR_STATUS = 32, /* u32: status bits, IPS_* */
    ATTR_TCP_FLAGS_ORIG = 33, /* u8: TCP tracking flags of the original direction */
    ATTR_TCP_FLAGS_REPL = 34, /* u8: TCP tracking flags of the reply direction */
    ATTR_TCP_MASK_ORIG = 35, /* u8: which TCP flags of the original direction to change */
    ATTR_TCP_MASK_REPL = 36, /* u8: which TCP flags of the reply direction to change */
    ATTR_MASTER_IPV4_SRC = 37, /* be32: IPv4 source address of the master's tuple */
    ATTR_MASTER_IPV4_DST = 38, /* be32: IPv4 destination address of the master's tuple */
    ATTR_MASTER_IPV6_SRC = 39, /* 16 bytes: IPv6 source address of the master's tuple */
    ATTR_MASTER_IPV6_DST = 40, /* 16 bytes: IPv6 destination address of the master's tuple */
    ATTR_MASTER_PORT_SRC = 41, /* be16: source port of the master's tuple */
    ATTR_MASTER_PORT_DST = 42, /* be16: destination port of the master's tuple */
    ATTR_MASTER_L3PROTO = 43, /* u8: address family of the master's tuple (AF_INET or AF_INET6) */
    ATTR_MASTER_L4PROTO = 44, /* u8: layer 4 protocol number of the master's tuple (IPPROTO_*) */
    ATTR_SECMARK = 45, /* u32: security mark; obsolete, the kernel ignores it */
    ATTR_ORIG_NAT_SEQ_CORRECTION_POS = 46, /* u32: where the offset changes, original direction */
    ATTR_ORIG_NAT_SEQ_OFFSET_BEFORE = 47, /* u32: offset before that, original direction */
    ATTR_ORIG_NAT_SEQ_OFFSET_AFTER = 48, /* u32: offset behind it, original direction */
    ATTR_REPL_NAT_SEQ_CORRECTION_POS = 49, /* u32: where the offset changes, reply direction */
    ATTR_REPL_NAT_SEQ_OFFSET_BEFORE = 50, /* u32: offset before that, reply direction */
    ATTR_REPL_NAT_SEQ_OFFSET_AFTER = 51, /* u32: offset behind it, reply direction */
    ATTR_SCTP_STATE = 52, /* u8: SCTP state */
    ATTR_SCTP_VTAG_ORIG = 53, /* u32: SCTP verification tag of the original direction */
    ATTR_SCTP_VTAG_REPL = 54, /* u32: SCTP verification tag of the reply direction */
    ATTR_HELPER_NAME = 55, /* string: name of the helper */
    ATTR_DCCP_STATE = 56, /* u8: DCCP state */
    ATTR_DCCP_ROLE = 57, /* u8: DCCP role: 0 client, 1 server */
    ATTR_DCCP_HANDSHAKE_SEQ = 58, /* u64: DCCP sequence number of the handshake */
    ATTR_TCP_WSCALE_ORIG = 59, /* u8: TCP window scale of the original direction */
    ATTR_TCP_WSCALE_REPL = 60, /* u8: TCP window scale of the reply direction */
    ATTR_ZONE = 61, /* u16: zone of both directions */
    ATTR_SECCTX = 62, /* string: security context (read-only) */
    ATTR_TIMESTAMP_START = 63, /* u64: start of the flow, nanoseconds since the epoch (read-only) */
    ATTR_TIMESTAMP_STOP = 64, /* u64: end of the flow, nanoseconds since the epoch (read-only) */
    ATTR_HELPER_INFO = 65, /* bytes: the helper's private data */
    ATTR_CONNLABELS = 66, /* struct nfct_bitmask: labels */
    ATTR_CONNLABELS_MASK = 67, /* struct nfct_bitmask: which labels to change */
    ATTR_ORIG_ZONE = 68, /* u16: zone that applies to the original direction only */
    ATTR_REPL_ZONE = 69, /* u16: zone that applies to the reply direction only */
    ATTR_SNAT_IPV6 = 70, /* 16 bytes: IPv6 address to translate the source to */
    ATTR_DNAT_IPV6 = 71, /* 16 bytes: IPv6 address to translate the destination to */
    ATTR_SYNPROXY_ISN = 72, /* u32: initial sequence number of synproxy */
    ATTR_SYNPROXY_ITS = 73, /* u32: initial timestamp of synproxy */
    ATTR_SYNPROXY_TSOFF = 74, /* u32: timestamp offset of synproxy */
    ATTR_TIMESTAMP_EVENT = 75, /* u64: time of the event (read-only, Linux 6.14) */
    ATTR_MAX = 76, /* how many there are */
};

/* Groups of attributes, each with the struct or union of its value. */
enum nf_conntrack_attr_grp {
    ATTR_GRP_ORIG_IPV4 = 0, /* nfct_attr_grp_ipv4: addresses and family of the original tuple */
    ATTR_GRP_REPL_IPV4 = 1, /* nfct_attr_grp_ipv4: addresses and family of the reply tuple */
    ATTR_GRP_ORIG_IPV6 = 2, /* nfct_attr_grp_ipv6: addresses and family of the original tuple */
    ATTR_GRP_REPL_IPV6 = 3, /* nfct_attr_grp_ipv6: addresses and family of the reply tuple */
    ATTR_GRP_ORIG_PORT = 4, /* nfct_attr_grp_port: ports and protocol of the original tuple */
    ATTR_GRP_REPL_PORT = 5, /* nfct_attr_grp_port: ports and protocol of the reply tuple */
    ATTR_GRP_ICMP = 6, /* nfct_attr_grp_icmp: ICMP fields */
    ATTR_GRP_MASTER_IPV4 = 7, /* nfct_attr_grp_ipv4: addresses and family of the master's tuple */
    ATTR_GRP_MASTER_IPV6 = 8, /* nfct_attr_grp_ipv6: addresses and family of the master's tuple */
    ATTR_GRP_MASTER_PORT = 9, /* nfct_attr_grp_port: ports and protocol of the master's tuple */
    ATTR_GRP_ORIG_COUNTERS = 10, /* nfct_attr_grp_ctrs: traffic of the original direction */
    ATTR_GRP_REPL_COUNTERS = 11, /* nfct_attr_grp_ctrs: traffic of the reply direction */
    ATTR_GRP_ORIG_ADDR_SRC = 12, /* nfct_attr_grp_addr: source address of the original tuple */
    ATTR_GRP_ORIG_ADDR_DST = 13, /* nfct_attr_grp_addr: destination address of the original tuple */
    ATTR_GRP_REPL_ADDR_SRC = 14, /* nfct_attr_grp_addr: source address of the reply tuple */
    ATTR_GRP_REPL_ADDR_DST = 15, /* nfct_attr_grp_addr: destination address of the reply tuple */
    ATTR_GRP_MAX = 16, /* how many there are */
};

/* Types of messages, as bits. */
enum nf_conntrack_msg_type {
    NFCT_T_UNKNOWN = 0,
    NFCT_T_NEW_BIT = 0,
    NFCT_T_NEW = (1 << NFCT_T_NEW_BIT), /* it was made */
    NFCT_T_UPDATE_BIT = 1,
    NFCT_T_UPDATE = (1 << NFCT_T_UPDATE_BIT), /* it changed, or is in a dump or reply */
    NFCT_T_DESTROY_BIT = 2,
    NFCT_T_DESTROY = (1 << NFCT_T_DESTROY_BIT), /* it is gone */
    NFCT_T_ALL = NFCT_T_NEW | NFCT_T_UPDATE | NFCT_T_DESTROY,
    NFCT_T_ERROR_BIT = 31,
    NFCT_T_ERROR = (-2147483647 - 1), /* the bit 31; no message has this type */
};

/* Options of nfct_setobjopt(). */
enum {
    NFCT_SOPT_UNDO_SNAT = 0, /* take a translated source address out of the reply tuple */
    NFCT_SOPT_UNDO_DNAT = 1, /* a destination address */
    NFCT_SOPT_UNDO_SPAT = 2, /* a source port */
    NFCT_SOPT_UNDO_DPAT = 3, /* a destination port */
    NFCT_SOPT_SETUP_ORIGINAL = 4, /* make the original tuple the reply tuple inverted */
    NFCT_SOPT_SETUP_REPLY = 5, /* make the reply tuple the original tuple inverted */
    __NFCT_SOPT_MAX,
};
#define NFCT_SOPT_MAX (__NFCT_SOPT_MAX - 1)

/* Options of nfct_getobjopt(): whether this is translated. */
enum {
    NFCT_GOPT_IS_SNAT = 0, /* the source address */
    NFCT_GOPT_IS_DNAT = 1, /* the destination address */
    NFCT_GOPT_IS_SPAT = 2, /* the source port */
    NFCT_GOPT_IS_DPAT = 3, /* the destination port */
    __NFCT_GOPT_MAX,
};
#define NFCT_GOPT_MAX (__NFCT_GOPT_MAX - 1)

/* What callbacks return; see nfct_callback_register(). */
enum {
    NFCT_CB_FAILURE = -1, /* stop, and fail */
    NFCT_CB_STOP = 0, /* stop */
    NFCT_CB_CONTINUE = 1, /* go on */
    NFCT_CB_STOLEN = 2, /* go on; the object is the callback's */
};

/* In which form nfct_snprintf() writes. */
enum {
    NFCT_O_PLAIN = 0, /* a line of text */
    NFCT_O_DEFAULT = NFCT_O_PLAIN,
    NFCT_O_XML = 1, /* an XML element */
    NFCT_O_MAX,
};

/* What nfct_snprintf() writes besides, as bits. */
enum {
    NFCT_OF_SHOW_LAYER3_BIT = 0,
    NFCT_OF_SHOW_LAYER3 = (1 << NFCT_OF_SHOW_LAYER3_BIT), /* plain: the layer 3 protocol */
    NFCT_OF_TIME_BIT = 1,
    NFCT_OF_TIME = (1 << NFCT_OF_TIME_BIT), /* XML: the current time */
    NFCT_OF_ID_BIT = 2,
    NFCT_OF_ID = (1 << NFCT_OF_ID_BIT), /* plain: the id */
    NFCT_OF_TIMESTAMP_BIT = 3,
    NFCT_OF_TIMESTAMP = (1 << NFCT_OF_TIMESTAMP_BIT), /* start and end of the flow */
};

/* What nfct_cmp() compares; see there. */
enum {
    NFCT_CMP_ALL = 0,
    NFCT_CMP_ORIG = (1 << 0), /* the original tuples */
    NFCT_CMP_REPL = (1 << 1), /* the reply tuples */
    NFCT_CMP_TIMEOUT_EQ = (1 << 2), /* nothing, and so the others */
    NFCT_CMP_TIMEOUT_GT = (1 << 3),
    NFCT_CMP_TIMEOUT_GE = (NFCT_CMP_TIMEOUT_EQ | NFCT_CMP_TIMEOUT_GT),
    NFCT_CMP_TIMEOUT_LT = (1 << 4),
    NFCT_CMP_TIMEOUT_LE = (NFCT_CMP_TIMEOUT_EQ | NFCT_CMP_TIMEOUT_LT),
    NFCT_CMP_MASK = (1 << 5), /* the second object must have what the first one has */
    NFCT_CMP_STRICT = (1 << 6), /* both objects must have the same */
};

/* Queries; nfct_query() and nfexp_query() tell what each takes. */
enum nf_conntrack_query {
    NFCT_Q_CREATE = 0,
    NFCT_Q_UPDATE = 1,
    NFCT_Q_DESTROY = 2,
    NFCT_Q_GET = 3,
    NFCT_Q_FLUSH = 4,
    NFCT_Q_DUMP = 5,
    NFCT_Q_DUMP_RESET = 6,
    NFCT_Q_CREATE_UPDATE = 7,
    NFCT_Q_DUMP_FILTER = 8,
    NFCT_Q_DUMP_FILTER_RESET = 9,
    NFCT_Q_FLUSH_FILTER = 10,
};

/* What nfct_copy() copies. */
enum {
    NFCT_CP_ALL = 0,
    NFCT_CP_ORIG = (1 << 0), /* the original tuple */
    NFCT_CP_REPL = (1 << 1), /* the reply tuple */
    NFCT_CP_META = (1 << 2), /* all others */
    NFCT_CP_OVERRIDE = (1 << 3), /* everything, in the place of what was there */
};

/* Criteria of a filter on a socket; nfct_filter_add_attr() tells what each takes. */
enum nfct_filter_attr {
    NFCT_FILTER_L4PROTO = 0,
    NFCT_FILTER_L4PROTO_STATE = 1,
    NFCT_FILTER_SRC_IPV4 = 2,
    NFCT_FILTER_DST_IPV4 = 3,
    NFCT_FILTER_SRC_IPV6 = 4,
    NFCT_FILTER_DST_IPV6 = 5,
    NFCT_FILTER_MARK = 6,
    NFCT_FILTER_ZONE = 7,
    NFCT_FILTER_MAX,
};

/* Whether one criterion of a kind must be met, or none. */
enum nfct_filter_logic {
    NFCT_FILTER_LOGIC_POSITIVE = 0,
    NFCT_FILTER_LOGIC_NEGATIVE = 1,
    NFCT_FILTER_LOGIC_MAX,
};

/* Criteria of a filter of dumps; nfct_filter_dump_set_attr() tells what each takes. */
enum nfct_filter_dump_attr {
    NFCT_FILTER_DUMP_MARK = 0,
    NFCT_FILTER_DUMP_L3NUM = 1,
    NFCT_FILTER_DUMP_STATUS = 2,
    NFCT_FILTER_DUMP_ZONE = 3,
    NFCT_FILTER_DUMP_TUPLE = 4,
    NFCT_FILTER_DUMP_MAX,
};

/* Attributes of expectations, each with the type of its value. */
enum nf_expect_attr {
    ATTR_EXP_MASTER = 0, /* struct nf_conntrack: original tuple of the flow that expects */
    ATTR_EXP_EXPECTED = 1, /* struct nf_conntrack: tuple of the expected flow */
    ATTR_EXP_MASK = 2, /* struct nf_conntrack: which bits of that tuple count */
    ATTR_EXP_TIMEOUT = 3, /* u32: seconds until it expires */
    ATTR_EXP_ZONE = 4, /* u16: zone */
    ATTR_EXP_FLAGS = 5, /* u32: NF_CT_EXPECT_* */
    ATTR_EXP_HELPER_NAME = 6, /* string: name of the helper, up to 15 bytes */
    ATTR_EXP_CLASS = 7, /* u32: the helper's number for the kind of flow */
    ATTR_EXP_NAT_TUPLE = 8, /* struct nf_conntrack: tuple before translation */
    ATTR_EXP_NAT_DIR = 9, /* u32: direction of the master that is followed, NFCT_DIR_* */
    ATTR_EXP_FN = 10, /* string: the kernel's function for the flow, up to 23 bytes */
    ATTR_EXP_MAX,
};

/* Directions of a flow. */
#define NFCT_DIR_ORIGINAL 0
#define NFCT_DIR_REPLY 1
#define NFCT_DIR_MAX (NFCT_DIR_REPLY + 1)

/* Bytes of the name of a helper, with its NUL. */
#define NFCT_HELPER_NAME_MAX 16

/* Flags of TCP tracking, for ATTR_TCP_FLAGS_ORIG and the like. */
#define IP_CT_TCP_FLAG_WINDOW_SCALE 0x01 /* both sides agreed on window scaling */
#define IP_CT_TCP_FLAG_SACK_PERM 0x02 /* selective acknowledgements are allowed */
#define IP_CT_TCP_FLAG_CLOSE_INIT 0x04 /* this side sent the first FIN */
#define IP_CT_TCP_FLAG_BE_LIBERAL 0x08 /* packets out of the window pass */


/**
 * A conntrack entry; see nfct_new().
 */
struct nf_conntrack;

/**
 * An expectation; see nfexp_new().
 */
struct nf_expect;

/**
 * A set of bits, such as the labels of an entry; see nfct_bitmask_new().
 */
struct nfct_bitmask;

/**
 * A filter on a socket for events; see nfct_filter_create().
 */
struct nfct_filter;

/**
 * A filter of dumps in the kernel; see nfct_filter_dump_create().
 */
struct nfct_filter_dump;

/**
 * A connection to the kernel; see nfct_open().
 */
struct nfct_handle;

/**
 * The names of labels; see nfct_labelmap_new().
 */
struct nfct_labelmap;

/**
 * A handle of libnfnetlink.
 */
struct nfnl_handle;

/**
 * A subsystem of a handle of libnfnetlink.
 */
struct nfnl_subsys_handle;

/**
 * Value of ATTR_GRP_ORIG_IPV4, ATTR_GRP_REPL_IPV4 and ATTR_GRP_MASTER_IPV4; in
 * network byte order.
 */
struct nfct_attr_grp_ipv4 {
    /**
     * Source address.
     */
    uint32_t src;
    /**
     * Destination address.
     */
    uint32_t dst;
};

/**
 * Value of ATTR_GRP_ORIG_IPV6, ATTR_GRP_REPL_IPV6 and ATTR_GRP_MASTER_IPV6; in
 * network byte order.
 */
struct nfct_attr_grp_ipv6 {
    /**
     * Source address.
     */
    uint32_t src[4];
    /**
     * Destination address.
     */
    uint32_t dst[4];
};

/**
 * Value of ATTR_GRP_ORIG_PORT, ATTR_GRP_REPL_PORT and ATTR_GRP_MASTER_PORT; in
 * network byte order.
 */
struct nfct_attr_grp_port {
    /**
     * Source port.
     */
    uint16_t sport;
    /**
     * Destination port.
     */
    uint16_t dport;
};

/**
 * Value of ATTR_GRP_ICMP.
 */
struct nfct_attr_grp_icmp {
    /**
     * Identifier, in network byte order.
     */
    uint16_t id;
    /**
     * Code.
     */
    uint8_t code;
    /**
     * Type.
     */
    uint8_t type;
};

/**
 * Value of ATTR_GRP_ORIG_COUNTERS and ATTR_GRP_REPL_COUNTERS; in host byte order.
 */
struct nfct_attr_grp_ctrs {
    /**
     * Packets.
     */
    uint64_t packets;
    /**
     * Bytes.
     */
    uint64_t bytes;
};

/**
 * Value of ATTR_GRP_ORIG_ADDR_SRC, ATTR_GRP_ORIG_ADDR_DST,
 * ATTR_GRP_REPL_ADDR_SRC and ATTR_GRP_REPL_ADDR_DST; in network byte order. The
 * 12 bytes behind an IPv4 address are 0.
 */
union nfct_attr_grp_addr {
    /**
     * IPv4 address.
     */
    uint32_t ip;
    /**
     * IPv6 address.
     */
    uint32_t ip6[4];
    /**
     * Either of them.
     */
    uint32_t addr[4];
};

/**
 * Value of NFCT_FILTER_L4PROTO_STATE; in host byte order.
 */
struct nfct_filter_proto {
    /**
     * Protocol: IPPROTO_TCP, IPPROTO_SCTP or IPPROTO_DCCP.
     */
    uint16_t proto;
    /**
     * State, such as TCP_CONNTRACK_ESTABLISHED.
     */
    uint16_t state;
};

/**
 * Value of NFCT_FILTER_SRC_IPV4 and NFCT_FILTER_DST_IPV4; in host byte order.
 */
struct nfct_filter_ipv4 {
    /**
     * Address.
     */
    uint32_t addr;
    /**
     * The bits of it that count.
     */
    uint32_t mask;
};

/**
 * Value of NFCT_FILTER_SRC_IPV6 and NFCT_FILTER_DST_IPV6; each word in host
 * byte order, the first one with the leading bits.
 */
struct nfct_filter_ipv6 {
    /**
     * Address.
     */
    uint32_t addr[4];
    /**
     * The bits of it that count.
     */
    uint32_t mask[4];
};

/**
 * Value of NFCT_FILTER_MARK, NFCT_FILTER_DUMP_MARK and NFCT_FILTER_DUMP_STATUS;
 * in host byte order.
 */
struct nfct_filter_dump_mark {
    /**
     * Value.
     */
    uint32_t val;
    /**
     * The bits of it that count.
     */
    uint32_t mask;
};

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * Opens a connection to the kernel.
 *
 * Opening needs no privilege unless groups are subscribed to; requests and
 * events need CAP_NET_ADMIN in the network namespace.
 *
 * @param subsys_id CONNTRACK for entries, EXPECT for expectations, 0 for both
 * @param subscriptions the groups to listen to: NFCT_ALL_CT_GROUPS, or some of
 * NF_NETLINK_CONNTRACK_NEW, _UPDATE, _DESTROY, NF_NETLINK_CONNTRACK_EXP_NEW,
 * _EXP_UPDATE, _EXP_DESTROY; 0 for none
 * @return the handle, to be closed with nfct_close(); NULL with errno EPERM
 * (groups without CAP_NET_ADMIN), EMFILE, ENOMEM...
 */
struct nfct_handle *nfct_open(uint8_t subsys_id, unsigned int subscriptions);

/**
 * Opens a connection to the kernel over a handle of libnfnetlink.
 *
 * @param nfnlh a handle from nfnl_open(). On success it belongs to the new
 * handle, and nfct_close() closes and frees it; on failure it stays the caller's.
 * @param subsys_id as in nfct_open()
 * @param subscriptions as in nfct_open()
 * @return the handle, to be closed with nfct_close(); NULL with errno EBUSY
 * (the subsystem is open already), EINVAL (nfnlh is NULL), EPERM, ENOMEM...
 */
struct nfct_handle *nfct_open_nfnl(struct nfnl_handle *nfnlh,
                                   uint8_t subsys_id,
                                   unsigned int subscriptions);

/**
 * Closes a handle and frees it.
 *
 * A callback may close the handle that calls it; nfct_catch() or nfct_query()
 * then returns as soon as the callback has.
 *
 * @param cth the handle
 * @return 0; -1 with errno from close(2), or EINVAL where cth is NULL. The handle
 * is freed in any case.
 */
int nfct_close(struct nfct_handle *cth);

/**
 * The file descriptor of a handle's socket: to wait for it, or to set options.
 * Reading from it takes away what the handle waits for.
 *
 * @param cth the handle
 * @return the descriptor; -1 with errno EINVAL where cth is NULL
 */
int nfct_fd(struct nfct_handle *cth);

/**
 * The handle of libnfnetlink below a handle, such as nfnl_rcvbufsiz() and
 * nfnl_portid() take.
 *
 * @param cth the handle
 * @return the handle, which lives as long as cth; NULL with errno EINVAL where
 * cth is NULL
 */
const struct nfnl_handle *nfct_nfnlh(struct nfct_handle *cth);

/**
 * Registers the callback for messages about entries, in the place of the one
 * that was registered before with this function or nfct_callback_register2().
 *
 * The callback gets the type of the message, the entry, and data. It returns
 * - NFCT_CB_CONTINUE: go on; the entry is freed,
 * - NFCT_CB_STOLEN: go on; the entry is the callback's, to be freed with
 *   nfct_destroy(),
 * - NFCT_CB_STOP: nfct_catch() or nfct_query() returns 0; the entry is freed,
 * - NFCT_CB_FAILURE or another negative value: it returns that value; the
 *   entry is freed.
 *
 * Entries of a dump and the reply to NFCT_Q_GET have the type NFCT_T_UPDATE.
 *
 * @param h the handle
 * @param type the types of messages to call it for: NFCT_T_ALL, or some of
 * NFCT_T_NEW, NFCT_T_UPDATE, NFCT_T_DESTROY
 * @param cb the callback; NULL acts as one that returns NFCT_CB_STOP
 * @param data passed on to the callback
 * @return 0; -1 with errno EINVAL where h is NULL or was not opened for CONNTRACK
 */
int nfct_callback_register(struct nfct_handle *h,
                           enum nf_conntrack_msg_type type,
                           int (*cb)(enum nf_conntrack_msg_type type,
                                     struct nf_conntrack *ct,
                                     void *data),
                           void *data);

/**
 * Takes the callback for messages about entries away: they are skipped then.
 *
 * @param h the handle. Sets errno to EINVAL where it is NULL.
 */
void nfct_callback_unregister(struct nfct_handle *h);

/**
 * As nfct_callback_register(), with a callback that also gets the message. The
 * message is valid until the callback returns.
 *
 * @param h the handle
 * @param type the types of messages to call it for
 * @param cb the callback; NULL acts as one that returns NFCT_CB_STOP
 * @param data passed on to the callback
 * @return 0; -1 with errno EINVAL where h is NULL or was not opened for CONNTRACK
 */
int nfct_callback_register2(struct nfct_handle *h,
                            enum nf_conntrack_msg_type type,
                            int (*cb)(const struct nlmsghdr *nlh,
                                      enum nf_conntrack_msg_type type,
                                      struct nf_conntrack *ct,
                                      void *data),
                            void *data);

/**
 * The same as nfct_callback_unregister().
 *
 * @param h the handle. Sets errno to EINVAL where it is NULL.
 */
void nfct_callback_unregister2(struct nfct_handle *h);

/**
 * Registers the callback for messages about expectations, in the place of the
 * one that was registered before. It is called, and what it returns is used, as
 * nfct_callback_register() says; an expectation it keeps is to be freed with
 * nfexp_destroy().
 *
 * @param h the handle
 * @param type the types of messages to call it for; those of a dump have the
 * type NFCT_T_UPDATE
 * @param cb the callback; NULL acts as one that returns NFCT_CB_STOP
 * @param data passed on to the callback
 * @return 0; -1 with errno EINVAL where h is NULL or was not opened for EXPECT
 */
int nfexp_callback_register(struct nfct_handle *h,
                            enum nf_conntrack_msg_type type,
                            int (*cb)(enum nf_conntrack_msg_type type,
                                      struct nf_expect *exp,
                                      void *data),
                            void *data);

/**
 * Takes the callback for messages about expectations away: they are skipped then.
 *
 * @param h the handle. Sets errno to EINVAL where it is NULL.
 */
void nfexp_callback_unregister(struct nfct_handle *h);

/**
 * As nfexp_callback_register(), with a callback that also gets the message. The
 * message is valid until the callback returns.
 *
 * @param h the handle
 * @param type the types of messages to call it for
 * @param cb the callback; NULL acts as one that returns NFCT_CB_STOP
 * @param data passed on to the callback
 * @return 0; -1 with errno EINVAL where h is NULL or was not opened for EXPECT
 */
int nfexp_callback_register2(struct nfct_handle *h,
                             enum nf_conntrack_msg_type type,
                             int (*cb)(const struct nlmsghdr *nlh,
                                       enum nf_conntrack_msg_type type,
                                       struct nf_expect *exp,
                                       void *data),
                             void *data);

/**
 * The same as nfexp_callback_unregister().
 *
 * @param h the handle. Sets errno to EINVAL where it is NULL.
 */
void nfexp_callback_unregister2(struct nfct_handle *h);

/**
 * Asks the kernel about entries and waits for the answer. Entries in it, and
 * events that come meanwhile, go to the registered callback.
 *
 * | query | data | errno from the kernel |
 * |---|---|---|
 * | NFCT_Q_CREATE | struct nf_conntrack | EEXIST, EINVAL (no timeout or reply tuple) |
 * | NFCT_Q_UPDATE | struct nf_conntrack | ENOENT, EBUSY, EOPNOTSUPP |
 * | NFCT_Q_DESTROY | struct nf_conntrack | ENOENT |
 * | NFCT_Q_GET | struct nf_conntrack | ENOENT |
 * | NFCT_Q_FLUSH | uint32_t family: the kernel flushes all families | |
 * | NFCT_Q_DUMP | uint32_t family, AF_UNSPEC for all | |
 * | NFCT_Q_DUMP_RESET | the same; counters go to 0 | |
 * | NFCT_Q_CREATE_UPDATE | struct nf_conntrack | as for UPDATE |
 * | NFCT_Q_DUMP_FILTER | struct nfct_filter_dump | EINVAL |
 * | NFCT_Q_DUMP_FILTER_RESET | the same; counters go to 0 | EINVAL |
 * | NFCT_Q_FLUSH_FILTER | struct nfct_filter_dump without a tuple | EINVAL |
 *
 * @param h the handle
 * @param query what to ask
 * @param data what the table says
 * @return 0; a negative value that a callback returned; -1 with the errno of the
 * kernel, or EPERM (no CAP_NET_ADMIN), EINVAL (a pointer is NULL, or the entry
 * lacks its tuple; nothing was sent), ENOTSUP (no such query), ENOBUFS (the
 * receive buffer was full; the request may have been carried out), EAGAIN (the
 * same on a non-blocking socket that is empty by now), EBADMSG
 */
int nfct_query(struct nfct_handle *h, enum nf_conntrack_query query, const void *data);

/**
 * Asks the kernel about entries and does not wait; nfct_catch() gets the answer.
 *
 * @param h the handle
 * @param query what to ask, as for nfct_query()
 * @param data what its table says
 * @return how many bytes were sent; -1 with errno EINVAL, ENOTSUP, or of sendto(2)
 */
int nfct_send(struct nfct_handle *h, enum nf_conntrack_query query, const void *data);

/**
 * Receives messages, about entries and expectations both, and calls the
 * registered callbacks, until a callback says NFCT_CB_STOP or the last part of
 * an answer to nfct_send() comes.
 *
 * After NFCT_CB_STOP the rest of the datagram, which can only be of the same
 * dump, is dropped; whatever is left in the socket wakes up poll(2).
 *
 * @param h the handle
 * @return 0; a negative value that a callback returned; -1 with errno ENOBUFS
 * (messages were lost; the next call goes on with those that were not), EAGAIN
 * (a non-blocking socket is empty), EINVAL (h is NULL), EBADMSG (a malformed
 * message was skipped), or that of the kernel's answer
 */
int nfct_catch(struct nfct_handle *h);

/**
 * Asks the kernel about expectations and waits for the answer, as nfct_query()
 * does.
 *
 * | query | data | errno from the kernel |
 * |---|---|---|
 * | NFCT_Q_CREATE | struct nf_expect | EEXIST, EINVAL (a tuple or the mask is missing), ENOENT (no such master) |
 * | NFCT_Q_DESTROY | struct nf_expect | ENOENT |
 * | NFCT_Q_GET | struct nf_expect | ENOENT |
 * | NFCT_Q_FLUSH | uint8_t family, which the kernel does not look at | |
 * | NFCT_Q_DUMP | uint8_t family, AF_UNSPEC for all | |
 * | NFCT_Q_CREATE_UPDATE | struct nf_expect | as for CREATE |
 *
 * Not sent are ATTR_EXP_CLASS, ATTR_EXP_NAT_TUPLE, ATTR_EXP_NAT_DIR and
 * ATTR_EXP_FN. NFCT_Q_DESTROY needs ATTR_EXP_EXPECTED, or ATTR_EXP_HELPER_NAME
 * to delete all of a helper.
 *
 * @param h the handle
 * @param qt what to ask
 * @param data what the table says
 * @return as nfct_query()
 */
int nfexp_query(struct nfct_handle *h,
                enum nf_conntrack_query qt,
                const void *data);

/**
 * Asks the kernel about expectations and does not wait; nfexp_catch() gets the
 * answer.
 *
 * @param h the handle
 * @param qt what to ask, as for nfexp_query()
 * @param data what its table says
 * @return how many bytes were sent; -1 with errno EINVAL, ENOTSUP, or of sendto(2)
 */
int nfexp_send(struct nfct_handle *h, enum nf_conntrack_query qt, const void *data);

/**
 * The same as nfct_catch().
 *
 * @param h the handle
 * @return as nfct_catch(); -1 with the same errno
 */
int nfexp_catch(struct nfct_handle *h);

/**
 * Makes an entry without any attribute.
 *
 * @return the entry, to be freed with nfct_destroy(); NULL with errno ENOMEM
 */
struct nf_conntrack *nfct_new(void);

/**
 * Frees an entry and what it owns: labels, helper data, security context.
 *
 * @param ct the entry; NULL is ignored
 */
void nfct_destroy(struct nf_conntrack *ct);

/**
 * Makes a copy of an entry, labels and all.
 *
 * @param ct the entry
 * @return the copy, to be freed with nfct_destroy(); NULL with errno ENOMEM, or
 * EINVAL where ct is NULL
 */
struct nf_conntrack *nfct_clone(const struct nf_conntrack *ct);

/**
 * Copies attributes from one entry to another. What dest has and src lacks
 * stays, except with NFCT_CP_OVERRIDE.
 *
 * @param dest the entry to change
 * @param source the entry to copy from
 * @param flags NFCT_CP_ALL for all attributes; or one or more of NFCT_CP_ORIG (the
 * original tuple), NFCT_CP_REPL (the reply tuple), NFCT_CP_META (all others); or
 * NFCT_CP_OVERRIDE to make dest a clone of source. dest must be a valid entry
 * then too, since what it owns is freed.
 *
 * Sets errno to EINVAL where a pointer is NULL.
 */
void nfct_copy(struct nf_conntrack *dest,
               const struct nf_conntrack *source,
               unsigned int flags);

/**
 * Copies one attribute from one entry to another, if ct2 has it.
 *
 * @param ct1 the entry to change
 * @param ct2 the entry to copy from
 * @param type the attribute
 *
 * Sets errno to EINVAL where a pointer is NULL or there is no such attribute.
 */
void nfct_copy_attr(struct nf_conntrack *ct1,
                    const struct nf_conntrack *ct2,
                    enum nf_conntrack_attr type);

/**
 * Sets an attribute. Addresses, ports and ICMP identifiers are in network byte
 * order, all other numbers in host byte order.
 *
 * Setting also does this:
 * - ATTR_ICMP_TYPE sets the answering type, ATTR_ICMP_CODE and ATTR_ICMP_ID the
 *   same value, in the reply tuple. ATTR_L3PROTO is to be set before the type.
 * - ATTR_CONNLABELS and ATTR_CONNLABELS_MASK take the bitmask itself, not a
 *   pointer to it; from then on it belongs to the entry.
 * - ATTR_HELPER_NAME takes a string, of which 15 bytes are kept.
 * - Counters, timestamps, ATTR_USE and ATTR_SECCTX come from the kernel only:
 *   the attribute becomes set but gets no value; ATTR_TIMESTAMP_EVENT does not
 *   become set either.
 *
 * @param ct the entry
 * @param type the attribute
 * @param value pointer to the value
 *
 * Sets errno to EINVAL where a pointer is NULL or there is no such attribute.
 */
void nfct_set_attr(struct nf_conntrack *ct,
                   enum nf_conntrack_attr type,
                   const void *value);

/**
 * Sets an 8-bit attribute. Attributes of another width get the number
 * converted. Otherwise as nfct_set_attr().
 *
 * @param ct the entry
 * @param type the attribute
 * @param value the value
 *
 * Sets errno to EINVAL where ct is NULL, there is no such attribute, or it takes a
 * bitmask.
 */
void nfct_set_attr_u8(struct nf_conntrack *ct,
                      enum nf_conntrack_attr type,
                      uint8_t value);

/**
 * Sets a 16-bit attribute; see nfct_set_attr_u8().
 *
 * @param ct the entry
 * @param type the attribute
 * @param value the value
 *
 * Sets errno to EINVAL where ct is NULL, there is no such attribute, or it takes a
 * bitmask.
 */
void nfct_set_attr_u16(struct nf_conntrack *ct,
                       enum nf_conntrack_attr type,
                       uint16_t value);

/**
 * Sets a 32-bit attribute; see nfct_set_attr_u8().
 *
 * @param ct the entry
 * @param type the attribute
 * @param value the value
 *
 * Sets errno to EINVAL where ct is NULL, there is no such attribute, or it takes a
 * bitmask.
 */
void nfct_set_attr_u32(struct nf_conntrack *ct,
                       enum nf_conntrack_attr type,
                       uint32_t value);

/**
 * Sets a 64-bit attribute; see nfct_set_attr_u8().
 *
 * @param ct the entry
 * @param type the attribute
 * @param value the value
 *
 * Sets errno to EINVAL where ct is NULL, there is no such attribute, or it takes a
 * bitmask.
 */
void nfct_set_attr_u64(struct nf_conntrack *ct,
                       enum nf_conntrack_attr type,
                       uint64_t value);

/**
 * Sets an attribute of variable length, which ATTR_HELPER_INFO alone is; for
 * all others len is ignored. Otherwise as nfct_set_attr().
 *
 * @param ct the entry
 * @param type the attribute
 * @param value pointer to the value
 * @param len bytes of the value
 *
 * Sets errno to EINVAL where a pointer is NULL, there is no such attribute, or no
 * value has len bytes.
 */
void nfct_set_attr_l(struct nf_conntrack *ct,
                     enum nf_conntrack_attr type,
                     const void *value,
                     size_t len);

/**
 * Makes an attribute not set.
 *
 * @param ct the entry
 * @param type the attribute
 * @return 0; -1 with errno EINVAL where ct is NULL or there is no such attribute
 */
int nfct_attr_unset(struct nf_conntrack *ct, enum nf_conntrack_attr type);

/**
 * Gets an attribute. Byte order as in nfct_set_attr().
 *
 * @param ct the entry, or a tuple that nfexp_get_attr() gave
 * @param type the attribute
 * @return pointer to the value in the entry, valid until it is freed or the
 * attribute is set again: a number or address, a string (ATTR_HELPER_NAME,
 * ATTR_SECCTX), bytes (ATTR_HELPER_INFO), or the bitmask (ATTR_CONNLABELS,
 * ATTR_CONNLABELS_MASK); NULL with errno ENODATA (not set) or EINVAL (ct is NULL,
 * or there is no such attribute)
 */
const void *nfct_get_attr(const struct nf_conntrack *ct, enum nf_conntrack_attr type);

/**
 * Gets an 8-bit attribute. The number of an attribute of another width is
 * converted. Byte order as in nfct_set_attr().
 *
 * @param ct the entry, or a tuple that nfexp_get_attr() gave
 * @param type the attribute
 * @return the value; 0 with errno ENODATA (not set) or EINVAL (ct is NULL, or
 * there is no such attribute)
 */
uint8_t nfct_get_attr_u8(const struct nf_conntrack *ct, enum nf_conntrack_attr type);

/**
 * Gets a 16-bit attribute; see nfct_get_attr_u8().
 *
 * @param ct the entry, or a tuple that nfexp_get_attr() gave
 * @param type the attribute
 * @return the value; 0 with errno as nfct_get_attr_u8()
 */
uint16_t nfct_get_attr_u16(const struct nf_conntrack *ct, enum nf_conntrack_attr type);

/**
 * Gets a 32-bit attribute; see nfct_get_attr_u8().
 *
 * @param ct the entry, or a tuple that nfexp_get_attr() gave
 * @param type the attribute
 * @return the value; 0 with errno as nfct_get_attr_u8()
 */
uint32_t nfct_get_attr_u32(const struct nf_conntrack *ct, enum nf_conntrack_attr type);

/**
 * Gets a 64-bit attribute; see nfct_get_attr_u8().
 *
 * @param ct the entry, or a tuple that nfexp_get_attr() gave
 * @param type the attribute
 * @return the value; 0 with errno as nfct_get_attr_u8()
 */
uint64_t nfct_get_attr_u64(const struct nf_conntrack *ct, enum nf_conntrack_attr type);

/**
 * Tells whether an attribute is set.
 *
 * @param ct the entry, or a tuple that nfexp_get_attr() gave
 * @param type the attribute
 * @return 1 or 0; -1 with errno EINVAL where ct is NULL or there is no such attribute
 */
int nfct_attr_is_set(const struct nf_conntrack *ct, enum nf_conntrack_attr type);

/**
 * Tells whether all of these attributes are set. It stops at the first one
 * that is not, or does not exist.
 *
 * @param ct the entry, or a tuple that nfexp_get_attr() gave
 * @param type_array the attributes
 * @param size how many there are
 * @return 1 or 0; -1 with errno EINVAL where a pointer is NULL or there is no
 * such attribute
 */
int nfct_attr_is_set_array(const struct nf_conntrack *ct,
                           const enum nf_conntrack_attr *type_array,
                           int size);

/**
 * Sets the attributes of a group. Addresses also set the family; ports make
 * the protocol set but leave its value; ICMP fields also set those of the reply
 * tuple. Counters and addresses of either family become set but get no value.
 *
 * @param ct the entry
 * @param type the group
 * @param value pointer to the group's struct
 *
 * Sets errno to EINVAL where a pointer is NULL or there is no such group.
 */
void nfct_set_attr_grp(struct nf_conntrack *ct,
                       enum nf_conntrack_attr_grp type,
                       const void *value);

/**
 * Gets the attributes of a group.
 *
 * @param ct the entry, or a tuple that nfexp_get_attr() gave
 * @param type the group
 * @param data the group's struct, to be filled
 * @return 0; -1 with errno ENODATA (an attribute of it is not set; of a group for
 * both families, none is) or EINVAL (a pointer is NULL, or there is no such group)
 */
int nfct_get_attr_grp(const struct nf_conntrack *ct,
                      enum nf_conntrack_attr_grp type,
                      void *data);

/**
 * Tells whether all attributes of a group are set; of a group for both
 * families, whether one is.
 *
 * @param ct the entry, or a tuple that nfexp_get_attr() gave
 * @param type the group
 * @return 1 or 0; -1 with errno EINVAL where ct is NULL or there is no such group
 */
int nfct_attr_grp_is_set(const struct nf_conntrack *ct, enum nf_conntrack_attr_grp type);

/**
 * Makes all attributes of a group not set: with the addresses also the family,
 * with the ports also the protocol.
 *
 * @param ct the entry
 * @param type the group
 * @return 0; -1 with errno EINVAL where ct is NULL or there is no such group
 */
int nfct_attr_grp_unset(struct nf_conntrack *ct, enum nf_conntrack_attr_grp type);

/**
 * Does something to an entry as a whole.
 *
 * - NFCT_SOPT_UNDO_SNAT, NFCT_SOPT_UNDO_DNAT, NFCT_SOPT_UNDO_SPAT,
 *   NFCT_SOPT_UNDO_DPAT: moves the translated address or port from the reply
 *   tuple to ATTR_SNAT_IPV4 and the like, and puts the original one in its place.
 * - NFCT_SOPT_SETUP_ORIGINAL, NFCT_SOPT_SETUP_REPLY: makes one tuple the other
 *   one inverted. All attributes of both tuples become set.
 *
 * @param ct the entry
 * @param option which of these
 * @return 0; -1 with errno EOPNOTSUPP (no such option) or EINVAL (ct is NULL)
 */
int nfct_setobjopt(struct nf_conntrack *ct, unsigned int option);

/**
 * Tells something of an entry as a whole: with NFCT_GOPT_IS_SNAT,
 * NFCT_GOPT_IS_DNAT, NFCT_GOPT_IS_SPAT and NFCT_GOPT_IS_DPAT, whether the source
 * or destination address or port is translated. Tuples are compared, set or
 * not; a status without the bit of the translation denies it.
 *
 * @param ct the entry
 * @param option which of these
 * @return 1 or 0; -1 with errno EOPNOTSUPP (no such option) or EINVAL (ct is NULL)
 */
int nfct_getobjopt(const struct nf_conntrack *ct, unsigned int option);

/**
 * Compares two entries in all that both have set; the same as nfct_cmp() with
 * NFCT_CMP_ALL.
 *
 * @param ct1 an entry
 * @param ct2 an entry
 * @return 1 where they are equal, 0 where not; -1 with errno EINVAL where a
 * pointer is NULL
 */
int nfct_compare(const struct nf_conntrack *ct1, const struct nf_conntrack *ct2);

/**
 * Compares two entries.
 *
 * With NFCT_CMP_ALL: both tuples, zones, id, mark, timeout, status (each bit of
 * ct1 must be in ct2), protocol state, security context and labels. With
 * NFCT_CMP_ORIG, NFCT_CMP_REPL or both: only these tuples and their zones. The
 * NFCT_CMP_TIMEOUT_ flags compare nothing, and take out all that is not named.
 *
 * What one entry lacks is no difference, unless NFCT_CMP_MASK is given and ct2
 * lacks it, or NFCT_CMP_STRICT, whichever lacks it; a mark or zone then counts as 0.
 *
 * @param ct1 an entry; with NFCT_CMP_ORIG also a tuple that nfexp_get_attr() gave
 * @param ct2 the same
 * @param flags NFCT_CMP_ALL, or some of the flags
 * @return 1 where they are equal, 0 where not; -1 with errno EINVAL where a
 * pointer is NULL
 */
int nfct_cmp(const struct nf_conntrack *ct1,
             const struct nf_conntrack *ct2,
             unsigned int flags);

/**
 * Writes an entry as text: one line, without its end.
 *
 * It is cut where buf ends, and always has a NUL behind it unless size is 0.
 *
 * @param buf the buffer; may be NULL where size is 0
 * @param size bytes of the buffer
 * @param ct the entry
 * @param msg_type NFCT_T_NEW, NFCT_T_UPDATE or NFCT_T_DESTROY to have that in
 * front; anything else for nothing
 * @param out_type NFCT_O_PLAIN or NFCT_O_XML
 * @param out_flags some of NFCT_OF_SHOW_LAYER3, NFCT_OF_TIME, NFCT_OF_ID,
 * NFCT_OF_TIMESTAMP
 * @return bytes of the whole text without NUL, also where it was cut; -1 with errno
 * ENOENT (no such out_type) or EINVAL (a pointer is NULL, or the entry has no layer
 * 4 protocol, or no layer 3 protocol where that is to be shown, in plain text)
 */
int nfct_snprintf(char *buf,
                  unsigned int size,
                  const struct nf_conntrack *ct,
                  unsigned int msg_type,
                  unsigned int out_type,
                  unsigned int out_flags);

/**
 * Writes an entry as text, with its labels; see nfct_snprintf().
 *
 * @param buf the buffer; may be NULL where size is 0
 * @param size bytes of the buffer
 * @param ct the entry
 * @param msg_type as for nfct_snprintf()
 * @param out_type as for nfct_snprintf()
 * @param out_flags as for nfct_snprintf()
 * @param map the names of labels; those without a name are left out. NULL for no labels.
 * @return as nfct_snprintf(); -1 with the same errno
 */
int nfct_snprintf_labels(char *buf,
                         unsigned int size,
                         const struct nf_conntrack *ct,
                         unsigned int msg_type,
                         unsigned int out_type,
                         unsigned int out_flags,
                         struct nfct_labelmap *map);

/**
 * Writes an expectation as text: one line, without its end; see nfct_snprintf().
 *
 * @param buf the buffer; may be NULL where size is 0
 * @param size bytes of the buffer
 * @param exp the expectation
 * @param msg_type as for nfct_snprintf()
 * @param out_type as for nfct_snprintf()
 * @param out_flags NFCT_OF_TIME, which has an effect on XML alone, or 0
 * @return bytes of the whole text without NUL, also where it was cut; -1 with errno
 * ENOENT (no such out_type) or EINVAL (a pointer is NULL)
 */
int nfexp_snprintf(char *buf,
                   unsigned int size,
                   const struct nf_expect *exp,
                   unsigned int msg_type,
                   unsigned int out_type,
                   unsigned int out_flags);

/**
 * Makes an empty bitmask, such as for the labels of an entry.
 *
 * @param maxbit the highest bit there is to be room for, up to 65535
 * @return the bitmask, to be freed with nfct_bitmask_destroy() unless an entry
 * becomes its owner; NULL with errno EINVAL where maxbit is too high, or ENOMEM
 */
struct nfct_bitmask *nfct_bitmask_new(unsigned int maxbit);

/**
 * Makes a copy of a bitmask.
 *
 * @param b the bitmask
 * @return the copy, to be freed with nfct_bitmask_destroy(); NULL with errno
 * EINVAL where b is NULL, or ENOMEM
 */
struct nfct_bitmask *nfct_bitmask_clone(const struct nfct_bitmask *b);

/**
 * The highest bit there is room for in a bitmask.
 *
 * @param b the bitmask
 * @return its number; 0 with errno EINVAL where b is NULL
 */
unsigned int nfct_bitmask_maxbit(const struct nfct_bitmask *b);

/**
 * Sets a bit. One that there is no room for is ignored.
 *
 * @param b the bitmask. Sets errno to EINVAL where it is NULL.
 * @param bit the bit
 */
void nfct_bitmask_set_bit(struct nfct_bitmask *b, unsigned int bit);

/**
 * Tells whether a bit is set.
 *
 * @param b the bitmask
 * @param bit the bit
 * @return 1 or 0; 0 with errno EINVAL where b is NULL
 */
int nfct_bitmask_test_bit(const struct nfct_bitmask *b, unsigned int bit);

/**
 * Clears a bit. One that there is no room for is ignored.
 *
 * @param b the bitmask. Sets errno to EINVAL where it is NULL.
 * @param bit the bit
 */
void nfct_bitmask_unset_bit(struct nfct_bitmask *b, unsigned int bit);

/**
 * Frees a bitmask that no entry owns.
 *
 * @param b the bitmask; NULL is ignored
 */
void nfct_bitmask_destroy(struct nfct_bitmask *b);

/**
 * Clears all bits.
 *
 * @param b the bitmask. Sets errno to EINVAL where it is NULL.
 */
void nfct_bitmask_clear(struct nfct_bitmask *b);

/**
 * Tells whether two bitmasks have the same size and the same bits set.
 *
 * @param b1 a bitmask
 * @param b2 a bitmask
 * @return whether they are equal; false with errno EINVAL where one is NULL
 */
bool nfct_bitmask_equal(const struct nfct_bitmask *b1, const struct nfct_bitmask *b2);

/**
 * Where the names of labels are looked for by default.
 *
 * @return the path of a file, /etc/xtables/connlabel.conf: a constant, not to be freed
 */
const char *nfct_labels_get_path(void);

/**
 * Reads the names of labels from a file. Each line has the number of a label, 0
 * to 1023, and its name: letters, digits, hyphens and blanks. Lines that begin
 * with # are comments; all others that do not look like this are ignored.
 *
 * @param mapfile path of the file; NULL for that of nfct_labels_get_path()
 * @return the names, to be freed with nfct_labelmap_destroy(); NULL with errno of
 * open(2) or read(2), or 0 where the file has no names
 */
struct nfct_labelmap *nfct_labelmap_new(const char *mapfile);

/**
 * Frees the names of labels, and the strings that nfct_labelmap_get_name() gave.
 *
 * @param map the names; NULL is ignored
 */
void nfct_labelmap_destroy(struct nfct_labelmap *map);

/**
 * The name of a label. Counting bit up until NULL lists all labels.
 *
 * @param m the names
 * @param bit the label
 * @return the name, which lives as long as m; "" where the label has none but a
 * higher one has; NULL above the highest with a name, or with errno EINVAL where
 * m is NULL
 */
const char *nfct_labelmap_get_name(struct nfct_labelmap *m, unsigned int bit);

/**
 * The label with this name.
 *
 * @param m the names
 * @param name the name, exactly
 * @return the label; -1 where none has the name, or with errno EINVAL where a
 * pointer is NULL
 */
int nfct_labelmap_get_bit(struct nfct_labelmap *m, const char *name);

/**
 * Makes a filter on a socket for events that lets all pass.
 *
 * @return the filter, to be freed with nfct_filter_destroy(); NULL with errno ENOMEM
 */
struct nfct_filter *nfct_filter_create(void);

/**
 * Frees a filter. Sockets that it was attached to keep it.
 *
 * @param filter the filter; NULL is ignored
 */
void nfct_filter_destroy(struct nfct_filter *filter);

/**
 * Adds a criterion to a filter. An event passes if it meets one criterion of
 * each kind that there are criteria of, or none where nfct_filter_set_logic()
 * says so. All values are in host byte order.
 *
 * - NFCT_FILTER_L4PROTO: int, protocol of the original tuple.
 * - NFCT_FILTER_L4PROTO_STATE: struct nfct_filter_proto. Events of other protocols,
 *   and those without a state, pass.
 * - NFCT_FILTER_SRC_IPV4, NFCT_FILTER_DST_IPV4: struct nfct_filter_ipv4, addresses
 *   of the original tuple. IPv6 flows pass.
 * - NFCT_FILTER_SRC_IPV6, NFCT_FILTER_DST_IPV6: struct nfct_filter_ipv6. IPv4 flows
 *   pass.
 * - NFCT_FILTER_MARK: struct nfct_filter_dump_mark. No mark counts as 0.
 * - NFCT_FILTER_ZONE: uint16_t. No zone counts as 0.
 *
 * @param filter the filter
 * @param attr which kind of criterion
 * @param value pointer to its value
 *
 * Sets errno to EINVAL, and adds nothing, where a pointer is NULL, there is no such
 * kind, or no such protocol or state.
 */
void nfct_filter_add_attr(struct nfct_filter *filter,
                          enum nfct_filter_attr attr,
                          const void *value);

/**
 * Adds NFCT_FILTER_L4PROTO or NFCT_FILTER_ZONE to a filter; see
 * nfct_filter_add_attr().
 *
 * @param filter the filter
 * @param attr which of them
 * @param value its value
 *
 * Sets errno to EINVAL, and adds nothing, where filter is NULL, attr is another one,
 * or there is no such protocol.
 */
void nfct_filter_add_attr_u32(struct nfct_filter *filter,
                              enum nfct_filter_attr attr,
                              uint32_t value);

/**
 * Says whether an event passes if it meets one criterion of this kind
 * (NFCT_FILTER_LOGIC_POSITIVE, as at first) or none (NFCT_FILTER_LOGIC_NEGATIVE).
 *
 * @param filter the filter
 * @param attr which kind of criteria
 * @param logic which logic
 * @return 0; -1 with errno EBUSY (it is negative already), ENOTSUP (no such kind)
 * or EINVAL (filter is NULL, or there is no such logic)
 */
int nfct_filter_set_logic(struct nfct_filter *filter,
                          enum nfct_filter_attr attr,
                          enum nfct_filter_logic logic);

/**
 * Attaches a filter to a socket, in the place of the one that was attached
 * before. It also sees the answers to queries: do not query on this socket.
 *
 * @param fd the socket, from nfct_fd()
 * @param filter the filter, which may be changed or freed afterwards
 * @return 0; -1 with errno EBADF, ENOTSOCK, ENOMEM (it exceeds
 * net.core.optmem_max), EPERM (the socket's filter is locked) or EINVAL (filter
 * is NULL, or has more criteria than the kernel takes)
 */
int nfct_filter_attach(int fd, struct nfct_filter *filter);

/**
 * Takes the filter of a socket away.
 *
 * @param fd the socket, from nfct_fd()
 * @return 0; -1 with errno ENOENT (it has none), EBADF, ENOTSOCK or EPERM
 */
int nfct_filter_detach(int fd);

/**
 * Makes a filter for NFCT_Q_DUMP_FILTER, NFCT_Q_DUMP_FILTER_RESET and
 * NFCT_Q_FLUSH_FILTER that lets all entries pass.
 *
 * @return the filter, to be freed with nfct_filter_dump_destroy(); NULL with errno
 * ENOMEM
 */
struct nfct_filter_dump *nfct_filter_dump_create(void);

/**
 * Frees a filter.
 *
 * @param filter the filter; NULL is ignored
 */
void nfct_filter_dump_destroy(struct nfct_filter_dump *filter);

/**
 * Adds a criterion to a filter, or replaces it. All must hold.
 *
 * - NFCT_FILTER_DUMP_MARK: struct nfct_filter_dump_mark. mark & mask == val.
 * - NFCT_FILTER_DUMP_L3NUM: uint8_t address family.
 * - NFCT_FILTER_DUMP_STATUS: struct nfct_filter_dump_mark, as the mark (Linux
 *   5.15). The mask must not be 0.
 * - NFCT_FILTER_DUMP_ZONE: uint16_t zone in host byte order (Linux 6.8).
 * - NFCT_FILTER_DUMP_TUPLE: struct nf_conntrack, of which a copy is made: what is
 *   set of its original tuple must be equal (Linux 5.8). Not for
 *   NFCT_Q_FLUSH_FILTER. Linux 6.18 compares IPv6 addresses the wrong way round,
 *   and ports with TCP and UDP only.
 *
 * Older kernels let pass what they do not know. NFCT_Q_FLUSH_FILTER then deletes it.
 *
 * @param filter_dump the filter
 * @param type which criterion
 * @param data pointer to its value
 *
 * Sets errno to EINVAL where a pointer is NULL or there is no such criterion.
 */
void nfct_filter_dump_set_attr(struct nfct_filter_dump *filter_dump,
                               enum nfct_filter_dump_attr type,
                               const void *data);

/**
 * Adds NFCT_FILTER_DUMP_L3NUM to a filter; see nfct_filter_dump_set_attr().
 *
 * @param filter_dump the filter
 * @param type which criterion
 * @param data its value
 *
 * Sets errno to EINVAL where filter_dump is NULL or type is of no number.
 */
void nfct_filter_dump_set_attr_u8(struct nfct_filter_dump *filter_dump,
                                  enum nfct_filter_dump_attr type,
                                  uint8_t data);

/**
 * Adds NFCT_FILTER_DUMP_ZONE to a filter; see nfct_filter_dump_set_attr().
 *
 * @param filter_dump the filter
 * @param type which criterion
 * @param data its value
 *
 * Sets errno to EINVAL where filter_dump is NULL or type is of no number.
 */
void nfct_filter_dump_set_attr_u16(struct nfct_filter_dump *filter_dump,
                                   enum nfct_filter_dump_attr type,
                                   uint16_t data);

/**
 * Appends an entry's attributes to a message, which has the netlink and
 * nfnetlink headers already.
 *
 * @param nlh the message. There must be room: 1024 bytes do for entries without
 * helper data and with up to 128 labels.
 * @param ct the entry
 * @return 0; -1 with errno EINVAL where a pointer is NULL or the entry cannot be
 * sent: it has no original tuple, or a tuple is neither IPv4 nor IPv6. The message
 * is then as it was. A mask of labels that differs from the labels in size is left
 * out; the kernel then replaces all labels.
 */
int nfct_nlmsg_build(struct nlmsghdr *nlh, const struct nf_conntrack *ct);

/**
 * Appends a filter's criteria to a message, which has the netlink and nfnetlink
 * headers already, and sets the address family in the latter.
 *
 * @param nlh the message. There must be room, as for nfct_nlmsg_build().
 * @param filter_dump the filter
 * @return 0; -1 with errno EINVAL where a pointer is NULL, or the tuple in the
 * filter cannot be sent or is of another family than the filter asks for
 */
int nfct_nlmsg_build_filter(struct nlmsghdr *nlh,
                            const struct nfct_filter_dump *filter_dump);

/**
 * Adds what a message says to an entry, whose other attributes stay.
 *
 * @param nlh the message, with netlink and nfnetlink headers
 * @param ct the entry
 * @return 0; -1 with errno EINVAL where a pointer is NULL, EBADMSG where the
 * message is malformed
 */
int nfct_nlmsg_parse(const struct nlmsghdr *nlh, struct nf_conntrack *ct);

/**
 * Adds what bare attributes say to an entry, such as stand in a packet from
 * NFQUEUE or NFLOG (NFQA_CT, NFULA_CT).
 *
 * @param payload the attributes
 * @param payload_len bytes of them
 * @param l3num the address family of the packet
 * @param ct the entry
 * @return 0; -1 with errno EINVAL where a pointer is NULL, EBADMSG where the
 * attributes are malformed
 */
int nfct_payload_parse(const void *payload,
                       size_t payload_len,
                       uint16_t l3num,
                       struct nf_conntrack *ct);

/**
 * Appends an expectation's attributes to a message, which has the netlink and
 * nfnetlink headers already. Not put are those that nfexp_query() does not send.
 *
 * @param nlh the message. There must be room: 512 bytes do.
 * @param exp the expectation
 * @return 0; -1 with errno EINVAL where a pointer is NULL or a tuple is neither
 * IPv4 nor IPv6. The message is then as it was.
 */
int nfexp_nlmsg_build(struct nlmsghdr *nlh, const struct nf_expect *exp);

/**
 * Adds what a message says to an expectation, whose other attributes stay.
 *
 * @param nlh the message, with netlink and nfnetlink headers
 * @param exp the expectation
 * @return 0; -1 with errno EINVAL where a pointer is NULL, EBADMSG where the
 * message is malformed
 */
int nfexp_nlmsg_parse(const struct nlmsghdr *nlh, struct nf_expect *exp);

/**
 * Makes an expectation without any attribute.
 *
 * @return the expectation, to be freed with nfexp_destroy(); NULL with errno ENOMEM
 */
struct nf_expect *nfexp_new(void);

/**
 * Frees an expectation.
 *
 * @param exp the expectation; NULL is ignored
 */
void nfexp_destroy(struct nf_expect *exp);

/**
 * Makes a copy of an expectation.
 *
 * @param exp the expectation
 * @return the copy, to be freed with nfexp_destroy(); NULL with errno ENOMEM, or
 * EINVAL where exp is NULL
 */
struct nf_expect *nfexp_clone(const struct nf_expect *exp);

/**
 * The size of an expectation, which is that of all of them.
 *
 * @param exp the expectation
 * @return bytes; 0 with errno EINVAL where exp is NULL
 */
size_t nfexp_sizeof(const struct nf_expect *exp);

/**
 * The size of an expectation. That many zeroed bytes, at any alignment, are an
 * expectation without any attribute, and expectations may be copied with memcpy(3).
 *
 * @return bytes
 */
size_t nfexp_maxsize(void);

/**
 * Compares two expectations in all but their timeouts: zone, flags, class,
 * names, direction, and tuples as nfct_cmp() does with NFCT_CMP_ORIG.
 *
 * @param exp1 an expectation
 * @param exp2 an expectation
 * @param flags 0, NFCT_CMP_MASK, NFCT_CMP_STRICT or both, as for nfct_cmp()
 * @return 1 where they are equal, 0 where not; -1 with errno EINVAL where a
 * pointer is NULL
 */
int nfexp_cmp(const struct nf_expect *exp1,
              const struct nf_expect *exp2,
              unsigned int flags);

/**
 * Sets an attribute. Numbers are in host byte order. ATTR_EXP_MASTER,
 * ATTR_EXP_EXPECTED, ATTR_EXP_MASK and ATTR_EXP_NAT_TUPLE take an entry, of which
 * the original tuple is copied; ATTR_EXP_HELPER_NAME and ATTR_EXP_FN a string, of
 * which 15 and 23 bytes are kept.
 *
 * @param exp the expectation
 * @param type the attribute
 * @param value pointer to the value
 *
 * Sets errno to EINVAL where a pointer is NULL or there is no such attribute.
 */
void nfexp_set_attr(struct nf_expect *exp, enum nf_expect_attr type, const void *value);

/**
 * Sets an attribute to an 8-bit number, which is converted to the attribute's
 * width. Otherwise as nfexp_set_attr().
 *
 * @param exp the expectation
 * @param type the attribute
 * @param value the value
 *
 * Sets errno to EINVAL where exp is NULL, there is no such attribute, or it takes an
 * entry.
 */
void nfexp_set_attr_u8(struct nf_expect *exp, enum nf_expect_attr type, uint8_t value);

/**
 * Sets an attribute to a 16-bit number; see nfexp_set_attr_u8().
 *
 * @param exp the expectation
 * @param type the attribute
 * @param value the value
 *
 * Sets errno to EINVAL where exp is NULL, there is no such attribute, or it takes an
 * entry.
 */
void nfexp_set_attr_u16(struct nf_expect *exp, enum nf_expect_attr type, uint16_t value);

/**
 * Sets an attribute to a 32-bit number; see nfexp_set_attr_u8().
 *
 * @param exp the expectation
 * @param type the attribute
 * @param value the value
 *
 * Sets errno to EINVAL where exp is NULL, there is no such attribute, or it takes an
 * entry.
 */
void nfexp_set_attr_u32(struct nf_expect *exp, enum nf_expect_attr type, uint32_t value);

/**
 * Gets an attribute.
 *
 * @param exp the expectation
 * @param type the attribute
 * @return pointer to the value in the expectation, valid as long as that is: a
 * number, a string, or a tuple as the front of a struct nf_conntrack, from which
 * the attributes of the original tuple can be read, and which nfct_cmp() takes
 * with NFCT_CMP_ORIG; NULL with errno ENODATA (not set) or EINVAL (exp is NULL, or
 * there is no such attribute)
 */
const void *nfexp_get_attr(const struct nf_expect *exp, enum nf_expect_attr type);

/**
 * Gets an attribute as an 8-bit number, converted from the attribute's width.
 *
 * @param exp the expectation
 * @param type the attribute
 * @return the value; 0 with errno as nfexp_get_attr()
 */
uint8_t nfexp_get_attr_u8(const struct nf_expect *exp, enum nf_expect_attr type);

/**
 * Gets an attribute as a 16-bit number; see nfexp_get_attr_u8().
 *
 * @param exp the expectation
 * @param type the attribute
 * @return the value; 0 with errno as nfexp_get_attr()
 */
uint16_t nfexp_get_attr_u16(const struct nf_expect *exp, enum nf_expect_attr type);

/**
 * Gets an attribute as a 32-bit number; see nfexp_get_attr_u8().
 *
 * @param exp the expectation
 * @param type the attribute
 * @return the value; 0 with errno as nfexp_get_attr()
 */
uint32_t nfexp_get_attr_u32(const struct nf_expect *exp, enum nf_expect_attr type);

/**
 * Tells whether an attribute is set.
 *
 * @param exp the expectation
 * @param type the attribute
 * @return 1 or 0; -1 with errno EINVAL where exp is NULL or there is no such attribute
 */
int nfexp_attr_is_set(const struct nf_expect *exp, enum nf_expect_attr type);

/**
 * Makes an attribute not set.
 *
 * @param exp the expectation
 * @param type the attribute
 * @return 0; -1 with errno EINVAL where exp is NULL or there is no such attribute
 */
int nfexp_attr_unset(struct nf_expect *exp, enum nf_expect_attr type);

/**
 * The size of an entry, which is that of all of them. Deprecated.
 *
 * @param ct the entry
 * @return bytes; 0 with errno EINVAL where ct is NULL
 */
size_t nfct_sizeof(const struct nf_conntrack *ct);

/**
 * The size of an entry. That many zeroed bytes, at any alignment, are an entry
 * without any attribute. Deprecated; use nfct_new().
 *
 * @return bytes
 */
size_t nfct_maxsize(void);

/**
 * Builds a message with an entry. Deprecated; use nfct_nlmsg_build().
 *
 * @param ssh not used
 * @param req the buffer, which is zeroed first
 * @param size bytes of the buffer
 * @param type message number
 * @param flags message flags
 * @param ct the entry
 * @return 0; -1 with errno ENOSPC (the buffer is too small) or EINVAL (req or ct
 * is NULL, or the entry cannot be sent)
 */
int nfct_build_conntrack(struct nfnl_subsys_handle *ssh,
                         void *req,
                         size_t size,
                         uint16_t type,
                         uint16_t flags,
                         const struct nf_conntrack *ct);

/**
 * Reads a message about an entry. Deprecated; use nfct_nlmsg_parse().
 *
 * @param msg the types of messages to read: NFCT_T_ALL, or some of them
 * @param nlh the message
 * @param ct the entry, to which what the message says is added
 * @return the type of the message; 0 where it is not one of msg; -1 with errno
 * EINVAL (a pointer is NULL) or EBADMSG (the message is malformed)
 */
int nfct_parse_conntrack(enum nf_conntrack_msg_type msg,
                         const struct nlmsghdr *nlh,
                         struct nf_conntrack *ct);

/**
 * Builds the request of a query. Deprecated.
 *
 * @param ssh not used
 * @param query what to ask, as for nfct_query()
 * @param data what its table says
 * @param req the buffer, which is zeroed first
 * @param size bytes of the buffer
 * @return 1; -1 with errno ENOSPC (the buffer is too small), ENOTSUP (no such
 * query) or EINVAL (a pointer is NULL, or the entry cannot be sent)
 */
int nfct_build_query(struct nfnl_subsys_handle *ssh,
                     enum nf_conntrack_query query,
                     const void *data,
                     void *req,
                     unsigned int size);

/**
 * Builds a message with an expectation. Deprecated; use nfexp_nlmsg_build().
 *
 * @param ssh not used
 * @param req the buffer, which is zeroed first
 * @param size bytes of the buffer
 * @param type message number
 * @param flags message flags
 * @param exp the expectation
 * @return 0; -1 with errno ENOSPC (the buffer is too small) or EINVAL (req or exp
 * is NULL, or the expectation cannot be sent)
 */
int nfexp_build_expect(struct nfnl_subsys_handle *ssh,
                       void *req,
                       size_t size,
                       uint16_t type,
                       uint16_t flags,
                       const struct nf_expect *exp);

/**
 * Reads a message about an expectation. Deprecated; use nfexp_nlmsg_parse().
 *
 * @param type the types of messages to read: NFCT_T_ALL, or some of them
 * @param nlh the message
 * @param exp the expectation, to which what the message says is added
 * @return the type of the message; 0 where it is not one of type; -1 with errno
 * EINVAL (a pointer is NULL) or EBADMSG (the message is malformed)
 */
int nfexp_parse_expect(enum nf_conntrack_msg_type type,
                       const struct nlmsghdr *nlh,
                       struct nf_expect *exp);

/**
 * Builds the request of a query about expectations. Deprecated.
 *
 * @param ssh not used
 * @param qt what to ask, as for nfexp_query()
 * @param data what its table says
 * @param buffer the buffer, which is zeroed first
 * @param size bytes of the buffer
 * @return 1; -1 with errno ENOSPC (the buffer is too small), ENOTSUP (no such
 * query) or EINVAL (a pointer is NULL, or the expectation cannot be sent)
 */
int nfexp_build_query(struct nfnl_subsys_handle *ssh,
                      enum nf_conntrack_query qt,
                      const void *data,
                      void *buffer,
                      unsigned int size);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* _LIBNETFILTER_CONNTRACK_H_ */
