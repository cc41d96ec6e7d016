/* Queries, events and callbacks on the table of a private network namespace. */

#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <libnetfilter_conntrack/libnetfilter_conntrack.h>
#include <libnetfilter_conntrack/libnetfilter_conntrack_tcp.h>

#include "check.h"

static const uint32_t family = AF_INET;

/* What a callback does and has seen. */
struct seen {
    struct nfct_handle *h;
    int verdict;
    int calls;
    enum nf_conntrack_msg_type type;
    struct nf_conntrack *stolen[64];
};

static int look(enum nf_conntrack_msg_type type, struct nf_conntrack *ct, void *data)
{
    struct seen *seen = data;

    CHECK(nfct_attr_is_set(ct, ATTR_IPV4_SRC) == 1);
    if (seen->verdict == NFCT_CB_STOLEN)
        seen->stolen[seen->calls] = ct;
    seen->calls++;
    seen->type = type;
    return seen->verdict;
}

static int look2(const struct nlmsghdr *nlh, enum nf_conntrack_msg_type type,
                 struct nf_conntrack *ct, void *data)
{
    CHECK(nlh->nlmsg_len > 20 && nlh->nlmsg_type >> 8 == 1);
    return look(type, ct, data);
}

static struct nf_conntrack *flow(uint16_t port)
{
    struct nf_conntrack *ct = nfct_new();

    nfct_set_attr_u8(ct, ATTR_L3PROTO, AF_INET);
    nfct_set_attr_u32(ct, ATTR_IPV4_SRC, inet_addr("192.0.2.1"));
    nfct_set_attr_u32(ct, ATTR_IPV4_DST, inet_addr("198.51.100.2"));
    nfct_set_attr_u8(ct, ATTR_L4PROTO, IPPROTO_TCP);
    nfct_set_attr_u16(ct, ATTR_PORT_SRC, htons(port));
    nfct_set_attr_u16(ct, ATTR_PORT_DST, htons(80));
    nfct_setobjopt(ct, NFCT_SOPT_SETUP_REPLY);
    nfct_set_attr_u8(ct, ATTR_TCP_STATE, TCP_CONNTRACK_ESTABLISHED);
    nfct_set_attr_u32(ct, ATTR_TIMEOUT, 600);
    nfct_set_attr_u32(ct, ATTR_MARK, port);
    return ct;
}

static void create(struct nfct_handle *h, int count)
{
    for (int port = 1; port <= count; port++) {
        struct nf_conntrack *ct = flow(port);
        CHECK(nfct_query(h, NFCT_Q_CREATE, ct) == 0);
        nfct_destroy(ct);
    }
}

/* How many entries a dump shows. */
static int count(struct nfct_handle *h)
{
    struct seen seen = { .h = h, .verdict = NFCT_CB_CONTINUE };

    CHECK(nfct_callback_register(h, NFCT_T_ALL, look, &seen) == 0);
    CHECK(nfct_query(h, NFCT_Q_DUMP, &family) == 0);
    CHECK(seen.calls == 0 || seen.type == NFCT_T_UPDATE);
    nfct_callback_unregister(h);
    return seen.calls;
}

static void queries(void)
{
    struct nfct_handle *h = nfct_open(CONNTRACK, 0);
    struct seen seen = { .h = h, .verdict = NFCT_CB_CONTINUE };
    struct nf_conntrack *ct = flow(1);
    struct nfct_filter_dump *filter = nfct_filter_dump_create();
    struct nfct_filter_dump_mark mark = { .val = 3, .mask = 0xffffffff };
    struct nfct_bitmask *huge;
    uint32_t both = 0x10000 | AF_INET;

    CHECK(nfct_query(h, NFCT_Q_CREATE, ct) == 0);
    FAILS(nfct_query(h, NFCT_Q_CREATE, ct), -1, EEXIST);
    CHECK(nfct_query(h, NFCT_Q_CREATE_UPDATE, ct) == 0);
    nfct_set_attr_u32(ct, ATTR_MARK, 9);
    CHECK(nfct_query(h, NFCT_Q_UPDATE, ct) == 0);
    nfct_callback_register(h, NFCT_T_ALL, look, &seen);
    errno = 77;
    CHECK(nfct_query(h, NFCT_Q_GET, ct) == 0);
    CHECK(errno == 77 && seen.calls == 1 && seen.type == NFCT_T_UPDATE);
    nfct_callback_register(h, NFCT_T_NEW, look, &seen);
    CHECK(nfct_query(h, NFCT_Q_GET, ct) == 0 && seen.calls == 1);
    CHECK(nfct_query(h, NFCT_Q_DESTROY, ct) == 0);
    FAILS(nfct_query(h, NFCT_Q_DESTROY, ct), -1, ENOENT);
    FAILS(nfct_query(h, NFCT_Q_UPDATE, ct), -1, ENOENT);
    FAILS(nfct_query(h, NFCT_Q_GET, ct), -1, ENOENT);

    create(h, 5);
    CHECK(count(h) == 5);
    nfct_filter_dump_set_attr(filter, NFCT_FILTER_DUMP_MARK, &mark);
    nfct_filter_dump_set_attr_u8(filter, NFCT_FILTER_DUMP_L3NUM, AF_INET);
    nfct_callback_register2(h, NFCT_T_ALL, look2, &seen);
    seen.calls = 0;
    CHECK(nfct_query(h, NFCT_Q_DUMP_FILTER, filter) == 0 && seen.calls == 1);
    CHECK(nfct_query(h, NFCT_Q_DUMP_FILTER_RESET, filter) == 0 && seen.calls == 2);
    CHECK(nfct_query(h, NFCT_Q_FLUSH_FILTER, filter) == 0);
    CHECK(count(h) == 4);
    CHECK(nfct_query(h, NFCT_Q_DUMP_RESET, &both) == 0);

    /* More than fits into the 4096 bytes the original has for a request. */
    huge = nfct_bitmask_new(65535);
    nfct_set_attr(ct, ATTR_CONNLABELS, huge);
    nfct_set_attr(ct, ATTR_CONNLABELS_MASK, nfct_bitmask_clone(huge));
    FAILS(nfct_query(h, NFCT_Q_CREATE, ct), -1, ERANGE);

    CHECK(nfct_query(h, NFCT_Q_FLUSH, &family) == 0 && count(h) == 0);
    nfct_filter_dump_destroy(filter);
    nfct_destroy(ct);
    CHECK(nfct_close(h) == 0);
}

static void verdicts(void)
{
    struct nfct_handle *h = nfct_open(CONNTRACK, 0);
    struct seen seen = { .h = h };
    struct nf_conntrack *there = flow(1), *missing = flow(999);

    create(h, 40);
    nfct_callback_register(h, NFCT_T_ALL, look, &seen);
    /* What is left of an answer is never taken for the next one. */
    for (int i = 0; i < 3; i++) {
        seen.verdict = NFCT_CB_STOP;
        seen.calls = 0;
        CHECK(nfct_query(h, NFCT_Q_DUMP, &family) == 0 && seen.calls == 1);
        CHECK(nfct_query(h, NFCT_Q_GET, there) == 0 && seen.calls == 2);
        FAILS(nfct_query(h, NFCT_Q_GET, missing), -1, ENOENT);
        CHECK(nfct_query(h, NFCT_Q_GET, there) == 0 && seen.calls == 3);
        seen.verdict = -5;
        CHECK(nfct_query(h, NFCT_Q_DUMP, &family) == -5 && seen.calls == 4);
        seen.verdict = NFCT_CB_FAILURE;
        CHECK(nfct_query(h, NFCT_Q_GET, there) == -1 && seen.calls == 5);
        seen.verdict = 3;
        CHECK(nfct_query(h, NFCT_Q_DUMP, &family) == 0 && seen.calls == 45);
    }
    seen.verdict = NFCT_CB_STOLEN;
    seen.calls = 0;
    CHECK(nfct_query(h, NFCT_Q_DUMP, &family) == 0 && seen.calls == 40);
    CHECK(nfct_close(h) == 0);
    for (int i = 0; i < 40; i++) {
        uint16_t port = nfct_get_attr_u16(seen.stolen[i], ATTR_PORT_SRC);
        CHECK(nfct_get_attr_u32(seen.stolen[i], ATTR_MARK) == ntohs(port));
        nfct_destroy(seen.stolen[i]);
    }
    nfct_destroy(there);
    nfct_destroy(missing);
}

static void registrations(void)
{
    struct nfct_handle *h = nfct_open(CONNTRACK, 0);
    struct seen one = { .verdict = NFCT_CB_CONTINUE }, two = one;
    struct nf_conntrack *ct = flow(1);

    CHECK(nfct_callback_register(h, NFCT_T_ALL, look, &one) == 0);
    CHECK(nfct_callback_register2(h, NFCT_T_ALL, look2, &two) == 0);
    CHECK(nfct_query(h, NFCT_Q_GET, ct) == 0 && one.calls == 0 && two.calls == 1);
    nfct_callback_unregister(h);
    nfct_callback_unregister2(h);
    CHECK(nfct_query(h, NFCT_Q_GET, ct) == 0 && two.calls == 1);
    /* No callback stops. */
    CHECK(nfct_callback_register(h, NFCT_T_ALL, NULL, NULL) == 0);
    CHECK(nfct_query(h, NFCT_Q_DUMP, &family) == 0);
    CHECK(nfct_query(h, NFCT_Q_GET, ct) == 0);
    CHECK(count(h) == 40);
    nfct_destroy(ct);
    CHECK(nfct_close(h) == 0);
}

static int readable(struct nfct_handle *h)
{
    struct pollfd fd = { .fd = nfct_fd(h), .events = POLLIN };

    return poll(&fd, 1, 0) == 1;
}

static void sending(void)
{
    struct nfct_handle *h = nfct_open(CONNTRACK, 0);
    struct seen seen = { .h = h, .verdict = NFCT_CB_CONTINUE };
    struct nf_conntrack *ct = flow(1);
    int datagrams = 0;

    CHECK(fcntl(nfct_fd(h), F_SETFL, O_NONBLOCK) == 0);
    FAILS(nfct_catch(h), -1, EAGAIN);
    nfct_callback_register(h, NFCT_T_ALL, look, &seen);
    CHECK(nfct_send(h, NFCT_Q_DUMP, &family) == 20);
    CHECK(readable(h) && nfct_catch(h) == 0 && seen.calls == 40);
    FAILS(nfct_catch(h), -1, EAGAIN);
    CHECK(nfct_send(h, NFCT_Q_GET, ct) > 100);
    CHECK(nfct_catch(h) == 0 && seen.calls == 41);
    nfct_set_attr_u16(ct, ATTR_PORT_SRC, htons(999));
    CHECK(nfct_send(h, NFCT_Q_GET, ct) > 100);
    FAILS(nfct_catch(h), -1, ENOENT);
    /* Not the answer to the query. */
    CHECK(nfct_send(h, NFCT_Q_GET, ct) > 100);
    CHECK(nfct_query(h, NFCT_Q_FLUSH, &family) == 0);
    FAILS(nfct_catch(h), -1, EAGAIN);

    /* Stop drops no more than the rest of its datagram. */
    create(h, 1000);
    seen.verdict = NFCT_CB_STOP;
    seen.calls = 0;
    CHECK(nfct_send(h, NFCT_Q_DUMP, &family) == 20);
    while (readable(h)) {
        CHECK(nfct_catch(h) == 0);
        datagrams++;
    }
    CHECK(datagrams > 3 && seen.calls == datagrams - 1);
    nfct_destroy(ct);
    CHECK(nfct_close(h) == 0);
}

static void events(void)
{
    struct nfct_handle *h = nfct_open(CONNTRACK, 0);
    struct nfct_handle *listener = nfct_open(CONNTRACK, NFCT_ALL_CT_GROUPS);
    struct seen seen = { .verdict = NFCT_CB_STOP };
    struct nf_conntrack *ct = flow(5000);

    CHECK(listener != NULL);
    nfct_callback_register(listener, NFCT_T_ALL, look, &seen);
    CHECK(nfct_query(h, NFCT_Q_CREATE, ct) == 0);
    nfct_set_attr_u32(ct, ATTR_MARK, 2);
    CHECK(nfct_query(h, NFCT_Q_UPDATE, ct) == 0);
    CHECK(nfct_query(h, NFCT_Q_DESTROY, ct) == 0);
    /* One at a time; the others wait in the socket. */
    CHECK(nfct_catch(listener) == 0 && seen.type == NFCT_T_NEW && readable(listener));
    CHECK(nfct_catch(listener) == 0 && seen.type == NFCT_T_UPDATE && readable(listener));
    CHECK(nfct_catch(listener) == 0 && seen.type == NFCT_T_DESTROY && !readable(listener));

    /* Those that its own requests cause come to the callback, too. */
    seen.verdict = NFCT_CB_CONTINUE;
    seen.calls = 0;
    CHECK(nfct_query(listener, NFCT_Q_CREATE, ct) == 0 && seen.calls == 1);
    CHECK(nfct_query(listener, NFCT_Q_DESTROY, ct) == 0 && seen.calls == 2);
    nfct_destroy(ct);
    CHECK(nfct_close(h) == 0 && nfct_close(listener) == 0);
}

/* Whether the kernel puts the time of an event into a message: Linux 6.14 does. */
static int has_time(const struct nlmsghdr *nlh)
{
    const char *attr = (const char *) nlh + 20;
    const char *end = (const char *) nlh + nlh->nlmsg_len;

    while (attr < end) {
        struct nlattr head;
        memcpy(&head, attr, sizeof(head));
        if ((head.nla_type & NLA_TYPE_MASK) == CTA_TIMESTAMP_EVENT)
            return 1;
        attr += NLA_ALIGN(head.nla_len);
    }
    return 0;
}

/* The original ends the process where such an entry is copied. */
static int copy(const struct nlmsghdr *nlh, enum nf_conntrack_msg_type type,
                struct nf_conntrack *ct, void *data)
{
    struct nf_conntrack *clone = nfct_clone(ct), *other = nfct_new();
    uint64_t time = nfct_get_attr_u64(ct, ATTR_TIMESTAMP_EVENT);
    struct utsname system;
    int major, minor;

    CHECK(uname(&system) == 0 && sscanf(system.release, "%d.%d", &major, &minor) == 2);
    CHECK(has_time(nlh) == (major > 6 || (major == 6 && minor >= 14)));
    CHECK(nfct_attr_is_set(ct, ATTR_TIMESTAMP_EVENT) == has_time(nlh));
    CHECK((time != 0) == has_time(nlh));
    CHECK(nfct_get_attr_u64(clone, ATTR_TIMESTAMP_EVENT) == time);
    nfct_copy(other, ct, NFCT_CP_ALL);
    CHECK(nfct_get_attr_u64(other, ATTR_TIMESTAMP_EVENT) == time);
    nfct_copy(other, clone, NFCT_CP_OVERRIDE);
    nfct_copy_attr(other, clone, ATTR_TIMESTAMP_EVENT);
    CHECK(nfct_cmp(other, ct, NFCT_CMP_MASK | NFCT_CMP_STRICT) == 1);
    nfct_destroy(clone);
    nfct_destroy(other);
    return look2(nlh, type, ct, data);
}

static void times_of_events(void)
{
    struct nfct_handle *h = nfct_open(CONNTRACK, 0);
    struct nfct_handle *listener = nfct_open(CONNTRACK, NFCT_ALL_CT_GROUPS);
    struct seen seen = { .verdict = NFCT_CB_CONTINUE };
    struct nf_conntrack *ct = flow(5001);
    int fd = open("/proc/sys/net/netfilter/nf_conntrack_timestamp", O_WRONLY);

    CHECK(fd >= 0 && write(fd, "1", 1) == 1);
    close(fd);
    CHECK(fcntl(nfct_fd(listener), F_SETFL, O_NONBLOCK) == 0);
    nfct_callback_register2(listener, NFCT_T_ALL, copy, &seen);
    CHECK(nfct_query(h, NFCT_Q_CREATE, ct) == 0 && nfct_query(h, NFCT_Q_DESTROY, ct) == 0);
    FAILS(nfct_catch(listener), -1, EAGAIN);
    CHECK(seen.calls == 2 && seen.type == NFCT_T_DESTROY);
    nfct_destroy(ct);
    CHECK(nfct_close(h) == 0 && nfct_close(listener) == 0);
}

/* A callback that asks with the handle that calls it. */
static int ask(enum nf_conntrack_msg_type type, struct nf_conntrack *ct, void *data)
{
    struct seen *seen = data;
    struct nf_conntrack *key;

    (void) type;
    if (seen->calls++ % 2)
        return NFCT_CB_CONTINUE;
    key = flow(ntohs(nfct_get_attr_u16(ct, ATTR_PORT_SRC)));
    CHECK(nfct_query(seen->h, NFCT_Q_GET, key) == 0);
    CHECK(nfct_get_attr_u16(ct, ATTR_PORT_SRC) == nfct_get_attr_u16(key, ATTR_PORT_SRC));
    nfct_destroy(key);
    return NFCT_CB_CONTINUE;
}

/* A callback that closes the handle that calls it. */
static int close_it(enum nf_conntrack_msg_type type, struct nf_conntrack *ct, void *data)
{
    struct seen *seen = data;

    (void) type, (void) ct;
    CHECK(nfct_close(seen->h) == 0);
    seen->calls++;
    return seen->verdict;
}

static void callbacks_that_use_the_handle(void)
{
    struct nfct_handle *h = nfct_open(CONNTRACK, 0);
    struct seen seen = { .h = h };

    CHECK(nfct_query(h, NFCT_Q_FLUSH, &family) == 0);
    create(h, 3);
    nfct_callback_register(h, NFCT_T_ALL, ask, &seen);
    CHECK(nfct_query(h, NFCT_Q_DUMP, &family) == 0);
    CHECK(seen.calls == 6);

    seen.calls = 0;
    seen.verdict = NFCT_CB_CONTINUE;
    nfct_callback_register(h, NFCT_T_ALL, close_it, &seen);
    FAILS(nfct_query(h, NFCT_Q_DUMP, &family), -1, EBADF);
    CHECK(seen.calls == 1);

    seen.h = h = nfct_open(CONNTRACK, 0);
    seen.verdict = NFCT_CB_STOP;
    nfct_callback_register(h, NFCT_T_ALL, close_it, &seen);
    CHECK(nfct_send(h, NFCT_Q_DUMP, &family) == 20 && nfct_catch(h) == 0 && seen.calls == 2);
}

static void filters(void)
{
    struct nfct_handle *h = nfct_open(CONNTRACK, 0);
    struct nfct_handle *listener = nfct_open(CONNTRACK, NF_NETLINK_CONNTRACK_NEW);
    struct nfct_filter *filter = nfct_filter_create();
    struct nfct_filter_ipv4 source = { .addr = 0xc0000201, .mask = 0xffffffff };
    struct seen seen = { .verdict = NFCT_CB_CONTINUE };

    CHECK(fcntl(nfct_fd(listener), F_SETFL, O_NONBLOCK) == 0);
    nfct_callback_register(listener, NFCT_T_ALL, look, &seen);
    nfct_filter_add_attr_u32(filter, NFCT_FILTER_L4PROTO, IPPROTO_TCP);
    nfct_filter_add_attr(filter, NFCT_FILTER_SRC_IPV4, &source);
    CHECK(nfct_filter_attach(nfct_fd(listener), filter) == 0);
    CHECK(nfct_query(h, NFCT_Q_FLUSH, &family) == 0);
    create(h, 3);
    FAILS(nfct_catch(listener), -1, EAGAIN);
    CHECK(seen.calls == 3);
    CHECK(nfct_filter_set_logic(filter, NFCT_FILTER_SRC_IPV4, NFCT_FILTER_LOGIC_NEGATIVE) == 0);
    CHECK(nfct_filter_attach(nfct_fd(listener), filter) == 0);
    nfct_filter_destroy(filter);
    CHECK(nfct_query(h, NFCT_Q_FLUSH, &family) == 0);
    create(h, 3);
    FAILS(nfct_catch(listener), -1, EAGAIN);
    CHECK(seen.calls == 3);
    CHECK(nfct_filter_detach(nfct_fd(listener)) == 0);
    CHECK(nfct_close(h) == 0 && nfct_close(listener) == 0);
}

static int look_exp(enum nf_conntrack_msg_type type, struct nf_expect *exp, void *data)
{
    struct seen *seen = data;

    CHECK(nfexp_attr_is_set(exp, ATTR_EXP_EXPECTED) == 1);
    seen->calls++;
    seen->type = type;
    return seen->verdict;
}

static void expectations(void)
{
    struct nfct_handle *h = nfct_open(0, 0);
    struct seen seen = { .verdict = NFCT_CB_CONTINUE };
    struct nf_conntrack *master = flow(4000), *expected = flow(0), *mask = flow(0xffff);
    struct nf_expect *exp = nfexp_new();
    uint8_t small_family = AF_INET;
    char line[300];

    nfct_set_attr(master, ATTR_HELPER_NAME, "ftp");
    CHECK(nfct_query(h, NFCT_Q_CREATE, master) == 0);
    nfct_set_attr_u32(mask, ATTR_IPV4_SRC, 0xffffffff);
    nfct_set_attr_u32(mask, ATTR_IPV4_DST, 0xffffffff);
    nfexp_set_attr(exp, ATTR_EXP_MASTER, master);
    nfexp_set_attr(exp, ATTR_EXP_EXPECTED, expected);
    nfexp_set_attr(exp, ATTR_EXP_MASK, mask);
    nfexp_set_attr_u32(exp, ATTR_EXP_TIMEOUT, 60);
    CHECK(nfexp_query(h, NFCT_Q_CREATE, exp) == 0);
    FAILS(nfexp_query(h, NFCT_Q_CREATE, exp), -1, EEXIST);
    CHECK(nfexp_query(h, NFCT_Q_CREATE_UPDATE, exp) == 0);

    CHECK(nfexp_callback_register(h, NFCT_T_ALL, look_exp, &seen) == 0);
    CHECK(nfexp_query(h, NFCT_Q_DUMP, &small_family) == 0);
    CHECK(seen.calls == 1 && seen.type == NFCT_T_UPDATE);
    CHECK(nfexp_query(h, NFCT_Q_GET, exp) == 0 && seen.calls == 2);
    CHECK(nfexp_send(h, NFCT_Q_DUMP, &small_family) == 20);
    CHECK(nfexp_catch(h) == 0 && seen.calls == 3);
    CHECK(nfexp_snprintf(line, sizeof(line), exp, NFCT_T_NEW, NFCT_O_PLAIN, 0) > 0);
    CHECK(strstr(line, "[NEW] 60 proto=6 src=192.0.2.1 dst=198.51.100.2"));
    CHECK(nfexp_query(h, NFCT_Q_DESTROY, exp) == 0);
    FAILS(nfexp_query(h, NFCT_Q_DESTROY, exp), -1, ENOENT);
    CHECK(nfexp_query(h, NFCT_Q_FLUSH, &small_family) == 0);
    nfexp_destroy(exp);
    nfct_destroy(master);
    nfct_destroy(expected);
    nfct_destroy(mask);
    CHECK(nfct_close(h) == 0);
}

/* The program may close the socket behind the back of the library. */
static void closed_sockets(void)
{
    struct nfct_handle *h = nfct_open(CONNTRACK, 0);

    close(nfct_fd(h));
    FAILS(nfct_query(h, NFCT_Q_DUMP, &family), -1, EBADF);
    FAILS(nfct_catch(h), -1, EBADF);
    FAILS(nfct_close(h), -1, EBADF);
}

int main(void)
{
    queries();
    verdicts();
    registrations();
    sending();
    events();
    times_of_events();
    callbacks_that_use_the_handle();
    filters();
    expectations();
    closed_sockets();
    puts("all well");
    return 0;
}
