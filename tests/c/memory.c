/* Each allocation fails once, in turn: the call fails with ENOMEM, and neither the
 * process ends nor is anything left behind. */

#include <arpa/inet.h>
#include <fcntl.h>
#include <stdint.h>
#include <unistd.h>

#include <libnetfilter_conntrack/libnetfilter_conntrack.h>

#include "check.h"

/* What glibc's own functions are called besides. */
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *memory, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);
extern void __libc_free(void *memory);

/* How many allocations succeed before one fails; none does where it is negative. */
static long left = -1;
static int failed;
/* How many are there. */
static long live;

static int fails(void)
{
    if (left < 0 || left-- > 0)
        return 0;
    failed = 1;
    errno = ENOMEM;
    return 1;
}

static void *counted(void *memory)
{
    live += memory != NULL;
    return memory;
}

void *malloc(size_t size)
{
    return fails() ? NULL : counted(__libc_malloc(size));
}

void *calloc(size_t count, size_t size)
{
    return fails() ? NULL : counted(__libc_calloc(count, size));
}

void *realloc(void *memory, size_t size)
{
    void *moved = fails() ? NULL : __libc_realloc(memory, size);

    return memory ? moved : counted(moved);
}

int posix_memalign(void **place, size_t alignment, size_t size)
{
    if (fails())
        return ENOMEM;
    *place = counted(__libc_memalign(alignment, size));
    return *place ? 0 : ENOMEM;
}

void free(void *memory)
{
    live -= memory != NULL;
    __libc_free(memory);
}

static struct nf_conntrack *ct;
static struct nf_expect *exp;
static struct nfct_bitmask *labels, *large_labels;
static struct nfct_handle *h;
static uint32_t family = AF_INET;
static union {
    struct nlmsghdr nlh;
    char room[4096];
} message;

static int entries(void)
{
    struct nf_conntrack *made = nfct_new();

    nfct_destroy(made);
    return made != NULL;
}

static int clones(void)
{
    struct nf_conntrack *made = nfct_clone(ct);

    nfct_destroy(made);
    return made != NULL;
}

static int expectations(void)
{
    struct nf_expect *made = nfexp_new();

    nfexp_destroy(made);
    return made != NULL;
}

static int clones_of_expectations(void)
{
    struct nf_expect *made = nfexp_clone(exp);

    nfexp_destroy(made);
    return made != NULL;
}

static int bitmasks(void)
{
    struct nfct_bitmask *made = nfct_bitmask_new(127);

    nfct_bitmask_destroy(made);
    return made != NULL;
}

static int large_bitmasks(void)
{
    struct nfct_bitmask *made = nfct_bitmask_new(65535);

    nfct_bitmask_destroy(made);
    return made != NULL;
}

static int clones_of_large_bitmasks(void)
{
    struct nfct_bitmask *made = nfct_bitmask_clone(large_labels);

    nfct_bitmask_destroy(made);
    return made != NULL;
}

static int clones_of_bitmasks(void)
{
    struct nfct_bitmask *made = nfct_bitmask_clone(labels);

    nfct_bitmask_destroy(made);
    return made != NULL;
}

static int filters(void)
{
    struct nfct_filter *made = nfct_filter_create();

    nfct_filter_destroy(made);
    return made != NULL;
}

static int filters_of_dumps(void)
{
    struct nfct_filter_dump *made = nfct_filter_dump_create();

    nfct_filter_dump_destroy(made);
    return made != NULL;
}

static int handles(void)
{
    struct nfct_handle *made = nfct_open(0, NFCT_ALL_CT_GROUPS);

    if (made)
        CHECK(nfct_close(made) == 0);
    return made != NULL;
}

/* On failure the handle of libnfnetlink is still the program's, and still open. */
static int handles_over_libnfnetlink(void)
{
    long count = left;
    struct nfnl_handle *nfnl;
    struct nfct_handle *made;

    left = -1;
    nfnl = nfnl_open();
    CHECK(nfnl != NULL);
    left = count;
    made = nfct_open_nfnl(nfnl, 0, 0);
    left = -1;
    if (made) {
        CHECK(nfct_close(made) == 0);
        return 1;
    }
    CHECK(errno == ENOMEM);
    made = nfct_open_nfnl(nfnl, 0, 0);
    CHECK(made != NULL && nfct_fd(made) == nfnl_fd(nfnl));
    CHECK(nfct_close(made) == 0);
    return 0;
}

static int messages(void)
{
    message.nlh.nlmsg_len = 20;
    return nfct_nlmsg_build(&message.nlh, ct) == 0;
}

static int messages_of_expectations(void)
{
    message.nlh.nlmsg_len = 20;
    return nfexp_nlmsg_build(&message.nlh, exp) == 0;
}

static int requests(void)
{
    return nfct_build_query(NULL, NFCT_Q_CREATE, ct, &message, sizeof(message)) == 1;
}

static int query(enum nf_conntrack_query query)
{
    return nfct_query(h, query, query == NFCT_Q_DUMP ? (void *) &family : ct) == 0;
}

/* There is a message in two of the answers. */
static int queries(void)
{
    return query(NFCT_Q_CREATE_UPDATE) && query(NFCT_Q_GET) && query(NFCT_Q_DUMP)
        && query(NFCT_Q_UPDATE);
}

/* It takes the object, so that the next message needs another one. */
static int take(enum nf_conntrack_msg_type type, struct nf_conntrack *it, void *data)
{
    (void) type;
    nfct_destroy(it);
    ++*(int *) data;
    return NFCT_CB_STOLEN;
}

/* The descriptor that is given next. */
static int next_fd(void)
{
    int fd = open("/dev/null", O_RDONLY);

    close(fd);
    return fd;
}

/* How many of its allocations failed. */
static long each_fails(int (*work)(void))
{
    for (long count = 0;; count++) {
        int fd = next_fd(), done;
        long before = live;

        errno = 0;
        failed = 0;
        left = count;
        done = work();
        left = -1;
        CHECK(done != failed);
        CHECK(errno == (failed ? ENOMEM : 0));
        CHECK(live == before);
        CHECK(next_fd() == fd);
        if (!failed)
            return count;
    }
}

int main(void)
{
    int calls = 0;

    ct = nfct_new();
    nfct_set_attr_u8(ct, ATTR_L3PROTO, AF_INET);
    nfct_set_attr_u32(ct, ATTR_IPV4_SRC, inet_addr("192.0.2.1"));
    nfct_set_attr_u32(ct, ATTR_IPV4_DST, inet_addr("198.51.100.2"));
    nfct_set_attr_u8(ct, ATTR_L4PROTO, IPPROTO_UDP);
    nfct_set_attr_u16(ct, ATTR_PORT_SRC, htons(1));
    nfct_set_attr_u16(ct, ATTR_PORT_DST, htons(2));
    nfct_setobjopt(ct, NFCT_SOPT_SETUP_REPLY);
    nfct_set_attr_u32(ct, ATTR_TIMEOUT, 600);
    exp = nfexp_new();
    nfexp_set_attr(exp, ATTR_EXP_MASTER, ct);
    nfexp_set_attr(exp, ATTR_EXP_EXPECTED, ct);
    nfexp_set_attr(exp, ATTR_EXP_MASK, ct);
    labels = nfct_bitmask_new(127);
    large_labels = nfct_bitmask_new(65535);
    h = nfct_open(CONNTRACK, 0);
    CHECK(h && nfct_callback_register(h, NFCT_T_ALL, take, &calls) == 0);

    CHECK(each_fails(entries) == 1);
    CHECK(each_fails(clones) == 1);
    CHECK(each_fails(expectations) == 1);
    CHECK(each_fails(clones_of_expectations) == 1);
    CHECK(each_fails(bitmasks) == 1);
    CHECK(each_fails(clones_of_bitmasks) == 1);
    CHECK(each_fails(large_bitmasks) == 2);
    CHECK(each_fails(clones_of_large_bitmasks) == 2);
    CHECK(each_fails(filters) == 1);
    CHECK(each_fails(filters_of_dumps) == 1);
    CHECK(each_fails(handles) > 3);
    CHECK(each_fails(handles_over_libnfnetlink) > 2);
    CHECK(each_fails(messages) == 1);
    CHECK(each_fails(messages_of_expectations) == 1);
    CHECK(each_fails(requests) == 1);
    CHECK(each_fails(queries) == 2 && calls > 2);

    nfct_close(h);
    nfct_bitmask_destroy(labels);
    nfct_bitmask_destroy(large_labels);
    nfct_destroy(ct);
    nfexp_destroy(exp);
    puts("all well");
    return 0;
}
