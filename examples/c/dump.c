/*
 * Lists all flows, and what they have carried where nf_conntrack_acct is on.
 *
 *     cc dump.c $(pkg-config --cflags --libs libnetfilter_conntrack) -o dump
 */

#include <inttypes.h>
#include <stdio.h>
#include <sys/socket.h>

#include <libnetfilter_conntrack/libnetfilter_conntrack.h>

struct totals {
    unsigned flows;
    uint64_t bytes;
};

static int print(enum nf_conntrack_msg_type type, struct nf_conntrack *ct, void *data)
{
    struct totals *totals = data;
    char line[1024];

    (void) type;
    /* The length is that of the whole line, also where it was cut. */
    if (nfct_snprintf(line, sizeof(line), ct, 0, NFCT_O_PLAIN, NFCT_OF_SHOW_LAYER3) < 0)
        return NFCT_CB_FAILURE;
    puts(line);
    totals->flows++;
    totals->bytes += nfct_get_attr_u64(ct, ATTR_ORIG_COUNTER_BYTES)
        + nfct_get_attr_u64(ct, ATTR_REPL_COUNTER_BYTES);
    return NFCT_CB_CONTINUE;
}

int main(void)
{
    struct nfct_handle *h = nfct_open(CONNTRACK, 0);
    struct totals totals = { 0, 0 };
    uint32_t family = AF_UNSPEC;
    int result;

    if (!h) {
        perror("nfct_open");
        return 1;
    }
    nfct_callback_register(h, NFCT_T_ALL, print, &totals);
    result = nfct_query(h, NFCT_Q_DUMP, &family);
    if (result < 0)
        perror("nfct_query");
    else
        fprintf(stderr, "%u flows, %" PRIu64 " bytes\n", totals.flows, totals.bytes);
    nfct_close(h);
    return result < 0;
}
