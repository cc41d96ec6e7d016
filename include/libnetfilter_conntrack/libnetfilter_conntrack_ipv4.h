/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Empty; kept for programs that include it. */

#ifndef _LIBNETFILTER_CONNTRACK_IPV4_H_
#define _LIBNETFILTER_CONNTRACK_IPV4_H_

#warning "libnetfilter_conntrack_ipv4.h is obsolete and empty: include libnetfilter_conntrack.h instead"

#endif /* _LIBNETFILTER_CONNTRACK_IPV4_H_ */
