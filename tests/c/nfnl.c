/* Together with libnfnetlink itself. */

#include <arpa/inet.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/socket.h>

#include <libnetfilter_conntrack/libnetfilter_conntrack.h>

#include "check.h"

static const uint32_t family = AF_INET;

static int look(enum nf_conntrack_msg_type type, struct nf_conntrack *ct, void *data)
{
    int *calls = data;

    CHECK(type == NFCT_T_UPDATE || type == NFCT_T_NEW);
    CHECK(nfct_get_attr_u32(ct, ATTR_IPV4_SRC) == inet_addr("192.0.2.1"));
    ++*calls;
    return NFCT_CB_CONTINUE;
}

static int take(enum nf_conntrack_msg_type type, struct nf_conntrack *ct, void *data)
{
    look(type, ct, data);
    nfct_destroy(ct);
    return NFCT_CB_STOLEN;
}

static void create(struct nfct_handle *h, uint16_t port)
{
    struct nf_conntrack *ct = nfct_new();

    nfct_set_attr_u8(ct, ATTR_L3PROTO, AF_INET);
    nfct_set_attr_u32(ct, ATTR_IPV4_SRC, inet_addr("192.0.2.1"));
    nfct_set_attr_u32(ct, ATTR_IPV4_DST, inet_addr("198.51.100.2"));
    nfct_set_attr_u8(ct, ATTR_L4PROTO, IPPROTO_UDP);
    nfct_set_attr_u16(ct, ATTR_PORT_SRC, htons(port));
    nfct_set_attr_u16(ct, ATTR_PORT_DST, htons(53));
    nfct_setobjopt(ct, NFCT_SOPT_SETUP_REPLY);
    nfct_set_attr_u32(ct, ATTR_TIMEOUT, 600);
    CHECK(nfct_query(h, NFCT_Q_CREATE, ct) == 0);
    nfct_destroy(ct);
}

/* What conntrackd and ulogd2 do with the pointer. */
static void pointer_to_a_handle(void)
{
    struct nfct_handle *h = nfct_open(CONNTRACK, 0);
    const struct nfnl_handle *nfnlh = nfct_nfnlh(h);
    struct sockaddr_nl address;
    socklen_t len = sizeof(address);

    CHECK(getsockname(nfct_fd(h), (struct sockaddr *) &address, &len) == 0);
    CHECK(nfnl_portid(nfnlh) == address.nl_pid && address.nl_pid != 0);
    CHECK(nfnl_fd((struct nfnl_handle *) nfnlh) == nfct_fd(h));
    CHECK(nfnl_rcvbufsiz(nfnlh, 100000) == 200000);
    CHECK(nfct_close(h) == 0);
}

/* Receiving with the functions of libnfnetlink instead of nfct_catch(). */
static void catching(void)
{
    struct nfct_handle *h = nfct_open(CONNTRACK, 0);
    int calls = 0;

    create(h, 1);
    create(h, 2);
    CHECK(nfct_callback_register(h, NFCT_T_ALL, look, &calls) == 0);
    CHECK(nfct_send(h, NFCT_Q_DUMP, &family) == 20);
    CHECK(nfnl_catch((struct nfnl_handle *) nfct_nfnlh(h)) == 0 && calls == 2);
    CHECK(nfct_callback_register(h, NFCT_T_ALL, take, &calls) == 0);
    CHECK(nfct_send(h, NFCT_Q_DUMP, &family) == 20);
    CHECK(nfnl_catch((struct nfnl_handle *) nfct_nfnlh(h)) == 0 && calls == 4);
    nfct_callback_unregister(h);
    CHECK(nfct_send(h, NFCT_Q_DUMP, &family) == 20);
    CHECK(nfnl_catch((struct nfnl_handle *) nfct_nfnlh(h)) == 0 && calls == 4);
    CHECK(nfct_query(h, NFCT_Q_FLUSH, &family) == 0);
    CHECK(nfct_close(h) == 0);
}

static void handles_of_libnfnetlink(void)
{
    struct nfnl_handle *nfnlh = nfnl_open();
    struct nfnl_subsys_handle *foreign;
    struct nfct_handle *h;
    int calls = 0;

    CHECK(nfnlh != NULL);
    /* Somebody else has the subsystem: the handle stays the caller's. */
    foreign = nfnl_subsys_open(nfnlh, EXPECT, 4, 0);
    CHECK(foreign != NULL);
    FAILS(nfct_open_nfnl(nfnlh, EXPECT, 0), NULL, EBUSY);
    FAILS(nfct_open_nfnl(nfnlh, 0, 0), NULL, EBUSY);
    nfnl_subsys_close(foreign);

    h = nfct_open_nfnl(nfnlh, CONNTRACK, NF_NETLINK_CONNTRACK_NEW);
    CHECK(h != NULL && nfct_nfnlh(h) == nfnlh && nfct_fd(h) == nfnl_fd(nfnlh));
    CHECK(nfnl_subsys_open(nfnlh, CONNTRACK, 8, 0) == NULL);
    FAILS(nfct_open_nfnl(nfnlh, CONNTRACK, 0), NULL, EBUSY);
    CHECK(nfct_callback_register(h, NFCT_T_ALL, look, &calls) == 0);
    /* The event that it causes comes with the answer. */
    create(h, 3);
    CHECK(calls == 1);
    CHECK(nfct_query(h, NFCT_Q_DUMP, &family) == 0 && calls == 2);
    nfct_callback_unregister(h);
    CHECK(nfct_query(h, NFCT_Q_FLUSH, &family) == 0);
    /* Closes and frees both. */
    CHECK(nfct_close(h) == 0);
}

int main(void)
{
    pointer_to_a_handle();
    catching();
    handles_of_libnfnetlink();
    puts("all well");
    return 0;
}
