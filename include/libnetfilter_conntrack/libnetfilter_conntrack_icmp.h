/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Numbers of ICMP flows. */

#ifndef _LIBNETFILTER_CONNTRACK_ICMP_H_
#define _LIBNETFILTER_CONNTRACK_ICMP_H_

/* Not used by any function. */
enum icmp_flags {
    ICMP_TYPE_BIT = 0,
    ICMP_TYPE = (1 << ICMP_TYPE_BIT),
    ICMP_CODE_BIT = 1,
    ICMP_CODE = (1 << ICMP_CODE_BIT),
    ICMP_ID_BIT = 2,
    ICMP_ID = (1 << ICMP_ID_BIT),
};

#endif /* _LIBNETFILTER_CONNTRACK_ICMP_H_ */
