/*
 * Follows new UDP and TCP flows, except those from 127.0.0.0/8: the kernel drops
 * all others before they take room in the socket.
 *
 *     cc filter.c $(pkg-config --cflags --libs libnetfilter_conntrack) -o filter
 *     ./filter [FLOWS]
 */

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>

#include <libnetfilter_conntrack/libnetfilter_conntrack.h>

static int print(enum nf_conntrack_msg_type type, struct nf_conntrack *ct, void *data)
{
    int *left = data;
    char line[1024];

    nfct_snprintf(line, sizeof(line), ct, type, NFCT_O_PLAIN, 0);
    puts(line);
    fflush(stdout);
    return *left > 0 && --*left == 0 ? NFCT_CB_STOP : NFCT_CB_CONTINUE;
}

int main(int argc, char **argv)
{
    int left = argc > 1 ? atoi(argv[1]) : -1, result;
    struct nfct_handle *h = nfct_open(CONNTRACK, NF_NETLINK_CONNTRACK_NEW);
    struct nfct_filter *filter = nfct_filter_create();
    /* Values of filters are in host byte order. */
    struct nfct_filter_ipv4 loopback = { .addr = 0x7f000000, .mask = 0xff000000 };

    if (!h) {
        perror("nfct_open");
        return 1;
    }
    nfct_filter_add_attr_u32(filter, NFCT_FILTER_L4PROTO, IPPROTO_UDP);
    nfct_filter_add_attr_u32(filter, NFCT_FILTER_L4PROTO, IPPROTO_TCP);
    nfct_filter_add_attr(filter, NFCT_FILTER_SRC_IPV4, &loopback);
    nfct_filter_set_logic(filter, NFCT_FILTER_SRC_IPV4, NFCT_FILTER_LOGIC_NEGATIVE);
    if (nfct_filter_attach(nfct_fd(h), filter) < 0) {
        perror("nfct_filter_attach");
        return 1;
    }
    /* The kernel has its copy. */
    nfct_filter_destroy(filter);

    nfct_callback_register(h, NFCT_T_NEW, print, &left);
    puts("listening");
    fflush(stdout);
    result = nfct_catch(h);
    if (result < 0)
        perror("nfct_catch");
    nfct_close(h);
    return result < 0;
}
