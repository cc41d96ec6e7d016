/*
 * Makes an FTP control connection known and an expectation of its data
 * connection, lists expectations, and deletes both.
 *
 *     cc expect.c $(pkg-config --cflags --libs libnetfilter_conntrack) -o expect
 */

#include <arpa/inet.h>
#include <stdio.h>

#include <libnetfilter_conntrack/libnetfilter_conntrack.h>
#include <libnetfilter_conntrack/libnetfilter_conntrack_tcp.h>

static struct nf_conntrack *tuple(in_addr_t source, in_addr_t destination, uint16_t sport,
                                  uint16_t dport)
{
    struct nf_conntrack *ct = nfct_new();

    nfct_set_attr_u8(ct, ATTR_L3PROTO, AF_INET);
    nfct_set_attr_u32(ct, ATTR_IPV4_SRC, source);
    nfct_set_attr_u32(ct, ATTR_IPV4_DST, destination);
    nfct_set_attr_u8(ct, ATTR_L4PROTO, IPPROTO_TCP);
    nfct_set_attr_u16(ct, ATTR_PORT_SRC, htons(sport));
    nfct_set_attr_u16(ct, ATTR_PORT_DST, htons(dport));
    return ct;
}

static int print(enum nf_conntrack_msg_type type, struct nf_expect *exp, void *data)
{
    /* A tuple is read as the front of an entry. */
    const struct nf_conntrack *expected = nfexp_get_attr(exp, ATTR_EXP_EXPECTED);
    char line[1024];

    (void) type, (void) data;
    nfexp_snprintf(line, sizeof(line), exp, 0, NFCT_O_PLAIN, 0);
    puts(line);
    printf("to port %u\n", ntohs(nfct_get_attr_u16(expected, ATTR_PORT_DST)));
    return NFCT_CB_CONTINUE;
}

int main(void)
{
    const in_addr_t client = inet_addr("192.0.2.1"), server = inet_addr("198.51.100.2");
    const in_addr_t all = 0xffffffff;
    struct nfct_handle *h = nfct_open(0, 0);
    struct nf_conntrack *master = tuple(client, server, 40000, 21);
    struct nf_conntrack *expected = tuple(server, client, 0, 50000);
    struct nf_conntrack *mask = tuple(all, all, 0, 0xffff);
    struct nf_expect *exp = nfexp_new();
    uint8_t family = AF_INET;
    int result;

    if (!h) {
        perror("nfct_open");
        return 1;
    }
    nfexp_callback_register(h, NFCT_T_ALL, print, NULL);

    nfct_setobjopt(master, NFCT_SOPT_SETUP_REPLY);
    nfct_set_attr_u8(master, ATTR_TCP_STATE, TCP_CONNTRACK_ESTABLISHED);
    nfct_set_attr_u32(master, ATTR_TIMEOUT, 600);
    nfct_set_attr(master, ATTR_HELPER_NAME, "ftp");

    nfexp_set_attr(exp, ATTR_EXP_MASTER, master);
    nfexp_set_attr(exp, ATTR_EXP_EXPECTED, expected);
    nfexp_set_attr(exp, ATTR_EXP_MASK, mask);
    nfexp_set_attr_u32(exp, ATTR_EXP_TIMEOUT, 60);

    result = nfct_query(h, NFCT_Q_CREATE, master);
    if (result == 0)
        result = nfexp_query(h, NFCT_Q_CREATE, exp);
    if (result == 0)
        result = nfexp_query(h, NFCT_Q_DUMP, &family);
    if (result == 0)
        result = nfexp_query(h, NFCT_Q_DESTROY, exp);
    if (result < 0)
        perror("asking");
    nfct_query(h, NFCT_Q_DESTROY, master);

    nfexp_destroy(exp);
    nfct_destroy(mask);
    nfct_destroy(expected);
    nfct_destroy(master);
    nfct_close(h);
    return result < 0;
}
