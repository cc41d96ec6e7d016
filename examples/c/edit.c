/*
 * Makes a flow, changes its mark, reads it back and deletes it.
 *
 *     cc edit.c $(pkg-config --cflags --libs libnetfilter_conntrack) -o edit
 */

#include <arpa/inet.h>
#include <stdio.h>

#include <libnetfilter_conntrack/libnetfilter_conntrack.h>
#include <libnetfilter_conntrack/libnetfilter_conntrack_tcp.h>

static int print(enum nf_conntrack_msg_type type, struct nf_conntrack *ct, void *data)
{
    char line[1024];

    (void) type, (void) data;
    nfct_snprintf(line, sizeof(line), ct, 0, NFCT_O_PLAIN, 0);
    puts(line);
    return NFCT_CB_CONTINUE;
}

static int ask(struct nfct_handle *h, enum nf_conntrack_query query, struct nf_conntrack *ct,
               const char *what)
{
    if (nfct_query(h, query, ct) == 0)
        return 0;
    perror(what);
    return -1;
}

int main(void)
{
    struct nfct_handle *h = nfct_open(CONNTRACK, 0);
    struct nf_conntrack *ct = nfct_new();
    int result;

    if (!h || !ct) {
        perror("nfct_open");
        return 1;
    }
    nfct_callback_register(h, NFCT_T_ALL, print, NULL);

    /* The original tuple: addresses and ports are in network byte order. */
    nfct_set_attr_u8(ct, ATTR_L3PROTO, AF_INET);
    nfct_set_attr_u32(ct, ATTR_IPV4_SRC, inet_addr("192.0.2.1"));
    nfct_set_attr_u32(ct, ATTR_IPV4_DST, inet_addr("198.51.100.2"));
    nfct_set_attr_u8(ct, ATTR_L4PROTO, IPPROTO_TCP);
    nfct_set_attr_u16(ct, ATTR_PORT_SRC, htons(40000));
    nfct_set_attr_u16(ct, ATTR_PORT_DST, htons(443));
    /* Without translation the reply tuple is the same one inverted. */
    nfct_setobjopt(ct, NFCT_SOPT_SETUP_REPLY);
    nfct_set_attr_u8(ct, ATTR_TCP_STATE, TCP_CONNTRACK_ESTABLISHED);
    nfct_set_attr_u32(ct, ATTR_TIMEOUT, 600);

    result = ask(h, NFCT_Q_CREATE, ct, "create");
    if (result == 0) {
        nfct_set_attr_u32(ct, ATTR_MARK, 42);
        result |= ask(h, NFCT_Q_UPDATE, ct, "update");
        result |= ask(h, NFCT_Q_GET, ct, "get");
        result |= ask(h, NFCT_Q_DESTROY, ct, "delete");
    }
    nfct_destroy(ct);
    nfct_close(h);
    return result != 0;
}
