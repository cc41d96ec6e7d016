/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Numbers of the kernel for conntrack, linux/netfilter/nf_conntrack_common.h of
 * Linux 6.14. Programs may include either; the first one counts.
 */

#ifndef _NF_CONNTRACK_COMMON_H
#define _NF_CONNTRACK_COMMON_H

/* How a packet belongs to its flow. */
enum ip_conntrack_info {
    IP_CT_ESTABLISHED = 0,
    IP_CT_RELATED = 1,
    IP_CT_NEW = 2,
    IP_CT_IS_REPLY = 3,
    IP_CT_ESTABLISHED_REPLY = 3,
    IP_CT_RELATED_REPLY = 4,
    IP_CT_NUMBER = 5,
    IP_CT_NEW_REPLY = 5,
};
#define NF_CT_STATE_INVALID_BIT (1 << 0)
#define NF_CT_STATE_BIT(ctinfo) (1 << ((ctinfo) % IP_CT_IS_REPLY + 1))
#define NF_CT_STATE_UNTRACKED_BIT (1 << 6)

/* Status bits of an entry, ATTR_STATUS. */
enum ip_conntrack_status {
    IPS_EXPECTED_BIT = 0,
    IPS_EXPECTED = (1 << IPS_EXPECTED_BIT),
    IPS_SEEN_REPLY_BIT = 1,
    IPS_SEEN_REPLY = (1 << IPS_SEEN_REPLY_BIT),
    IPS_ASSURED_BIT = 2,
    IPS_ASSURED = (1 << IPS_ASSURED_BIT),
    IPS_CONFIRMED_BIT = 3,
    IPS_CONFIRMED = (1 << IPS_CONFIRMED_BIT),
    IPS_SRC_NAT_BIT = 4,
    IPS_SRC_NAT = (1 << IPS_SRC_NAT_BIT),
    IPS_DST_NAT_BIT = 5,
    IPS_DST_NAT = (1 << IPS_DST_NAT_BIT),
    IPS_NAT_MASK = (IPS_DST_NAT | IPS_SRC_NAT),
    IPS_SEQ_ADJUST_BIT = 6,
    IPS_SEQ_ADJUST = (1 << IPS_SEQ_ADJUST_BIT),
    IPS_SRC_NAT_DONE_BIT = 7,
    IPS_SRC_NAT_DONE = (1 << IPS_SRC_NAT_DONE_BIT),
    IPS_DST_NAT_DONE_BIT = 8,
    IPS_DST_NAT_DONE = (1 << IPS_DST_NAT_DONE_BIT),
    IPS_NAT_DONE_MASK = (IPS_DST_NAT_DONE | IPS_SRC_NAT_DONE),
    IPS_DYING_BIT = 9,
    IPS_DYING = (1 << IPS_DYING_BIT),
    IPS_FIXED_TIMEOUT_BIT = 10,
    IPS_FIXED_TIMEOUT = (1 << IPS_FIXED_TIMEOUT_BIT),
    IPS_TEMPLATE_BIT = 11,
    IPS_TEMPLATE = (1 << IPS_TEMPLATE_BIT),
    IPS_UNTRACKED_BIT = 12,
    IPS_UNTRACKED = (1 << IPS_UNTRACKED_BIT),
    IPS_HELPER_BIT = 13,
    IPS_HELPER = (1 << IPS_HELPER_BIT),
    IPS_OFFLOAD_BIT = 14,
    IPS_OFFLOAD = (1 << IPS_OFFLOAD_BIT),
    IPS_HW_OFFLOAD_BIT = 15,
    IPS_HW_OFFLOAD = (1 << IPS_HW_OFFLOAD_BIT),
    IPS_UNCHANGEABLE_MASK = 0xdbf9,
    __IPS_MAX_BIT = 16,
};

/* Events of an entry. */
enum ip_conntrack_events {
    IPCT_NEW = 0,
    IPCT_RELATED = 1,
    IPCT_DESTROY = 2,
    IPCT_REPLY = 3,
    IPCT_ASSURED = 4,
    IPCT_PROTOINFO = 5,
    IPCT_HELPER = 6,
    IPCT_MARK = 7,
    IPCT_SEQADJ = 8,
    IPCT_NATSEQADJ = 8,
    IPCT_SECMARK = 9,
    IPCT_LABEL = 10,
    IPCT_SYNPROXY = 11,
};

/* Events of an expectation. */
enum ip_conntrack_expect_events {
    IPEXP_NEW = 0,
    IPEXP_DESTROY = 1,
};

/* Flags of an expectation, ATTR_EXP_FLAGS. */
#define NF_CT_EXPECT_PERMANENT 0x1
#define NF_CT_EXPECT_INACTIVE 0x2
#define NF_CT_EXPECT_USERSPACE 0x4

#endif /* _NF_CONNTRACK_COMMON_H */
