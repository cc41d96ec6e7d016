/* What crashes the original, or makes it end the process: NULL, numbers out of
 * range, malformed messages, bitmasks and names of any size. */

#include <arpa/inet.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>

#include <libnetfilter_conntrack/libnetfilter_conntrack.h>

#include "check.h"

#define BAD ((unsigned) -1)

static int stop(enum nf_conntrack_msg_type type, struct nf_conntrack *ct, void *data)
{
    (void) type, (void) ct, (void) data;
    return NFCT_CB_STOP;
}

static int stop2(const struct nlmsghdr *nlh, enum nf_conntrack_msg_type type,
                 struct nf_conntrack *ct, void *data)
{
    (void) nlh;
    return stop(type, ct, data);
}

static int exp_stop(enum nf_conntrack_msg_type type, struct nf_expect *exp, void *data)
{
    (void) type, (void) exp, (void) data;
    return NFCT_CB_STOP;
}

static void null_handles(void)
{
    uint32_t family = AF_INET;

    FAILS(nfct_close(NULL), -1, EINVAL);
    FAILS(nfct_fd(NULL), -1, EINVAL);
    FAILS(nfct_nfnlh(NULL), NULL, EINVAL);
    FAILS(nfct_open_nfnl(NULL, CONNTRACK, 0), NULL, EINVAL);
    FAILS(nfct_callback_register(NULL, NFCT_T_ALL, stop, NULL), -1, EINVAL);
    FAILS(nfct_callback_register2(NULL, NFCT_T_ALL, stop2, NULL), -1, EINVAL);
    FAILS(nfexp_callback_register(NULL, NFCT_T_ALL, exp_stop, NULL), -1, EINVAL);
    FAILS(nfexp_callback_register2(NULL, NFCT_T_ALL, NULL, NULL), -1, EINVAL);
    REFUSES(nfct_callback_unregister(NULL), EINVAL);
    REFUSES(nfct_callback_unregister2(NULL), EINVAL);
    REFUSES(nfexp_callback_unregister(NULL), EINVAL);
    REFUSES(nfexp_callback_unregister2(NULL), EINVAL);
    FAILS(nfct_query(NULL, NFCT_Q_DUMP, &family), -1, EINVAL);
    FAILS(nfct_send(NULL, NFCT_Q_DUMP, &family), -1, EINVAL);
    FAILS(nfct_catch(NULL), -1, EINVAL);
    FAILS(nfexp_query(NULL, NFCT_Q_DUMP, &family), -1, EINVAL);
    FAILS(nfexp_send(NULL, NFCT_Q_DUMP, &family), -1, EINVAL);
    FAILS(nfexp_catch(NULL), -1, EINVAL);
}

static void handles(void)
{
    struct nfct_handle *h = nfct_open(CONNTRACK, 0), *odd;
    struct nf_conntrack *ct = nfct_new();
    struct nf_expect *exp = nfexp_new();
    struct nfct_filter_dump *filter = nfct_filter_dump_create();
    uint32_t family = AF_INET;

    CHECK(h != NULL && nfct_fd(h) >= 0);
    FAILS(nfct_query(h, NFCT_Q_DUMP, NULL), -1, EINVAL);
    FAILS(nfct_query(h, NFCT_Q_CREATE, NULL), -1, EINVAL);
    FAILS(nfct_query(h, 11, &family), -1, ENOTSUP);
    FAILS(nfct_query(h, BAD, &family), -1, ENOTSUP);
    FAILS(nfct_send(h, BAD, &family), -1, ENOTSUP);
    FAILS(nfexp_query(h, NFCT_Q_UPDATE, exp), -1, ENOTSUP);
    FAILS(nfexp_query(h, NFCT_Q_DUMP_RESET, &family), -1, ENOTSUP);
    FAILS(nfexp_query(h, NFCT_Q_FLUSH_FILTER, filter), -1, ENOTSUP);
    FAILS(nfexp_query(h, NFCT_Q_CREATE, NULL), -1, EINVAL);
    /* Not opened for expectations. */
    FAILS(nfexp_callback_register(h, NFCT_T_ALL, exp_stop, NULL), -1, EINVAL);
    REFUSES(nfexp_callback_unregister(h), EINVAL);

    /* To the kernel a delete request without a tuple would be a flush. */
    FAILS(nfct_query(h, NFCT_Q_DESTROY, ct), -1, EINVAL);
    nfct_set_attr_u8(ct, ATTR_L3PROTO, 7);
    FAILS(nfct_query(h, NFCT_Q_DESTROY, ct), -1, EINVAL);
    FAILS(nfct_query(h, NFCT_Q_CREATE, ct), -1, EINVAL);
    FAILS(nfct_send(h, NFCT_Q_GET, ct), -1, EINVAL);
    FAILS(nfexp_query(h, NFCT_Q_DESTROY, exp), -1, EINVAL);
    nfexp_set_attr(exp, ATTR_EXP_MASTER, ct);
    FAILS(nfexp_query(h, NFCT_Q_DESTROY, exp), -1, EINVAL);
    nfexp_set_attr(exp, ATTR_EXP_EXPECTED, ct);
    FAILS(nfexp_query(h, NFCT_Q_DESTROY, exp), -1, EINVAL);

    /* A flush by tuple is not supported; a tuple of no family cannot be sent. */
    nfct_filter_dump_set_attr(filter, NFCT_FILTER_DUMP_TUPLE, ct);
    FAILS(nfct_query(h, NFCT_Q_FLUSH_FILTER, filter), -1, ENOTSUP);
    FAILS(nfct_query(h, NFCT_Q_DUMP_FILTER, filter), -1, EINVAL);
    CHECK(nfct_close(h) == 0);

    /* No subsystem has this number. */
    odd = nfct_open(77, 7);
    CHECK(odd != NULL);
    FAILS(nfct_callback_register(odd, NFCT_T_ALL, stop, NULL), -1, EINVAL);
    CHECK(nfct_close(odd) == 0);
    nfct_filter_dump_destroy(filter);
    nfct_destroy(ct);
    nfexp_destroy(exp);
}

static void null_objects(void)
{
    struct nf_conntrack *ct = nfct_new();
    struct nf_expect *exp = nfexp_new();
    enum nf_conntrack_attr attrs[] = { ATTR_MARK, (enum nf_conntrack_attr) BAD };
    char line[8];
    uint64_t value = 0;

    nfct_destroy(NULL);
    nfexp_destroy(NULL);
    nfct_bitmask_destroy(NULL);
    nfct_labelmap_destroy(NULL);
    nfct_filter_destroy(NULL);
    nfct_filter_dump_destroy(NULL);
    FAILS(nfct_clone(NULL), NULL, EINVAL);
    FAILS(nfexp_clone(NULL), NULL, EINVAL);
    FAILS(nfct_sizeof(NULL), 0, EINVAL);
    FAILS(nfexp_sizeof(NULL), 0, EINVAL);
    FAILS(nfct_setobjopt(NULL, NFCT_SOPT_UNDO_SNAT), -1, EINVAL);
    FAILS(nfct_getobjopt(NULL, NFCT_GOPT_IS_SNAT), -1, EINVAL);
    FAILS(nfct_setobjopt(ct, __NFCT_SOPT_MAX), -1, EOPNOTSUPP);
    FAILS(nfct_getobjopt(ct, __NFCT_GOPT_MAX), -1, EOPNOTSUPP);

    REFUSES(nfct_set_attr(NULL, ATTR_MARK, &value), EINVAL);
    REFUSES(nfct_set_attr(ct, ATTR_MARK, NULL), EINVAL);
    REFUSES(nfct_set_attr(ct, BAD, &value), EINVAL);
    REFUSES(nfct_set_attr_l(ct, ATTR_HELPER_INFO, &value, (size_t) -1), EINVAL);
    REFUSES(nfct_set_attr_u32(ct, ATTR_MAX, 1), EINVAL);
    REFUSES(nfct_set_attr_u32(NULL, ATTR_MARK, 1), EINVAL);
    FAILS(nfct_get_attr(ct, ATTR_MAX), NULL, EINVAL);
    FAILS(nfct_get_attr(NULL, ATTR_MARK), NULL, EINVAL);
    FAILS(nfct_get_attr_u64(ct, BAD), 0, EINVAL);
    FAILS(nfct_attr_is_set(ct, BAD), -1, EINVAL);
    FAILS(nfct_attr_is_set(NULL, ATTR_MARK), -1, EINVAL);
    FAILS(nfct_attr_unset(ct, BAD), -1, EINVAL);
    FAILS(nfct_attr_unset(NULL, ATTR_MARK), -1, EINVAL);
    FAILS(nfct_attr_is_set_array(ct, NULL, 1), -1, EINVAL);
    CHECK(nfct_attr_is_set_array(ct, NULL, 0) == 1 && nfct_attr_is_set_array(ct, NULL, -1) == 1);
    CHECK(nfct_attr_is_set_array(ct, attrs, 2) == 0);
    nfct_set_attr_u32(ct, ATTR_MARK, 1);
    FAILS(nfct_attr_is_set_array(ct, attrs, 2), -1, EINVAL);
    CHECK(nfct_attr_is_set_array(ct, attrs, 1) == 1);

    REFUSES(nfct_set_attr_grp(ct, ATTR_GRP_MAX, &value), EINVAL);
    REFUSES(nfct_set_attr_grp(ct, ATTR_GRP_ORIG_IPV4, NULL), EINVAL);
    FAILS(nfct_get_attr_grp(ct, ATTR_GRP_MAX, &value), -1, EINVAL);
    FAILS(nfct_get_attr_grp(ct, ATTR_GRP_ORIG_IPV4, NULL), -1, EINVAL);
    FAILS(nfct_attr_grp_is_set(ct, ATTR_GRP_MAX), -1, EINVAL);
    FAILS(nfct_attr_grp_unset(ct, ATTR_GRP_MAX), -1, EINVAL);
    nfct_set_attr_grp(ct, ATTR_GRP_ORIG_COUNTERS, NULL);
    CHECK(nfct_attr_grp_is_set(ct, ATTR_GRP_ORIG_COUNTERS) == 1);

    FAILS(nfct_cmp(NULL, ct, 0), -1, EINVAL);
    FAILS(nfct_compare(ct, NULL), -1, EINVAL);
    FAILS(nfexp_cmp(exp, NULL, 0), -1, EINVAL);
    REFUSES(nfct_copy(NULL, ct, 0), EINVAL);
    REFUSES(nfct_copy(ct, NULL, NFCT_CP_OVERRIDE), EINVAL);
    REFUSES(nfct_copy_attr(ct, ct, BAD), EINVAL);

    FAILS(nfct_snprintf(line, sizeof(line), ct, 0, NFCT_O_MAX, 0), -1, ENOENT);
    FAILS(nfct_snprintf(NULL, sizeof(line), ct, 0, NFCT_O_XML, 0), -1, EINVAL);
    FAILS(nfct_snprintf(line, sizeof(line), NULL, 0, NFCT_O_XML, 0), -1, EINVAL);
    FAILS(nfct_snprintf(line, sizeof(line), ct, 0, NFCT_O_PLAIN, 0), -1, EINVAL);
    CHECK(nfct_snprintf(NULL, 0, ct, 0, NFCT_O_XML, 0) > 100);
    FAILS(nfexp_snprintf(line, sizeof(line), NULL, 0, NFCT_O_XML, 0), -1, EINVAL);

    REFUSES(nfexp_set_attr(exp, ATTR_EXP_MAX, &value), EINVAL);
    REFUSES(nfexp_set_attr(exp, ATTR_EXP_ZONE, NULL), EINVAL);
    REFUSES(nfexp_set_attr_u32(exp, ATTR_EXP_MASTER, 1), EINVAL);
    FAILS(nfexp_get_attr(exp, ATTR_EXP_MAX), NULL, EINVAL);
    FAILS(nfexp_get_attr_u32(NULL, ATTR_EXP_ZONE), 0, EINVAL);
    FAILS(nfexp_attr_is_set(exp, BAD), -1, EINVAL);
    FAILS(nfexp_attr_unset(exp, BAD), -1, EINVAL);

    FAILS(nfct_bitmask_new(65536), NULL, EINVAL);
    FAILS(nfct_bitmask_clone(NULL), NULL, EINVAL);
    FAILS(nfct_bitmask_maxbit(NULL), 0, EINVAL);
    FAILS(nfct_bitmask_test_bit(NULL, 0), 0, EINVAL);
    FAILS(nfct_bitmask_equal(NULL, NULL), false, EINVAL);
    REFUSES(nfct_bitmask_set_bit(NULL, 0), EINVAL);
    FAILS(nfct_labelmap_get_bit(NULL, "name"), -1, EINVAL);
    FAILS(nfct_labelmap_get_name(NULL, 0), NULL, EINVAL);
    nfct_destroy(ct);
    nfexp_destroy(exp);
}

static void filters(void)
{
    struct nfct_filter *filter = nfct_filter_create();
    struct nfct_filter_proto odd = { .proto = 60000, .state = 60000 };
    struct nfct_filter_proto state = { .proto = IPPROTO_TCP, .state = 16 };
    int negative = -1, pair[2], file = open("/dev/null", O_RDONLY);

    REFUSES(nfct_filter_add_attr(filter, NFCT_FILTER_MAX, &odd), EINVAL);
    REFUSES(nfct_filter_add_attr(filter, NFCT_FILTER_L4PROTO_STATE, &odd), EINVAL);
    REFUSES(nfct_filter_add_attr(filter, NFCT_FILTER_L4PROTO_STATE, &state), EINVAL);
    REFUSES(nfct_filter_add_attr(filter, NFCT_FILTER_L4PROTO, &negative), EINVAL);
    REFUSES(nfct_filter_add_attr(filter, NFCT_FILTER_L4PROTO, NULL), EINVAL);
    REFUSES(nfct_filter_add_attr(NULL, NFCT_FILTER_L4PROTO, &negative), EINVAL);
    REFUSES(nfct_filter_add_attr_u32(filter, NFCT_FILTER_SRC_IPV4, 1), EINVAL);
    FAILS(nfct_filter_set_logic(filter, NFCT_FILTER_MAX, 0), -1, ENOTSUP);
    FAILS(nfct_filter_set_logic(filter, NFCT_FILTER_MARK, NFCT_FILTER_LOGIC_MAX), -1, EINVAL);
    FAILS(nfct_filter_set_logic(NULL, NFCT_FILTER_MARK, 0), -1, EINVAL);
    CHECK(nfct_filter_set_logic(filter, NFCT_FILTER_MARK, NFCT_FILTER_LOGIC_POSITIVE) == 0);
    CHECK(nfct_filter_set_logic(filter, NFCT_FILTER_MARK, NFCT_FILTER_LOGIC_NEGATIVE) == 0);
    FAILS(nfct_filter_set_logic(filter, NFCT_FILTER_MARK, NFCT_FILTER_LOGIC_POSITIVE), -1, EBUSY);

    CHECK(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair) == 0);
    FAILS(nfct_filter_attach(-1, filter), -1, EBADF);
    FAILS(nfct_filter_attach(pair[0], NULL), -1, EINVAL);
    FAILS(nfct_filter_detach(pair[0]), -1, ENOENT);
    CHECK(nfct_filter_attach(pair[0], filter) == 0);
    CHECK(nfct_filter_detach(pair[0]) == 0);
    FAILS(nfct_filter_attach(file, filter), -1, ENOTSOCK);
    close(file);
    close(pair[0]);
    close(pair[1]);
    nfct_filter_destroy(filter);
}

/* Parses a message of these attributes. */
static int parse(const void *attributes, size_t len, struct nf_conntrack *ct, struct nf_expect *exp)
{
    /* Exactly as much as there is, so that reading beyond is noticed. */
    char *bytes = malloc(20 + len);
    struct nlmsghdr *nlh = (struct nlmsghdr *) bytes;
    int result;

    memset(bytes, 0, 20);
    nlh->nlmsg_len = 20 + len;
    bytes[16] = AF_INET;
    if (len)
        memcpy(bytes + 20, attributes, len);
    result = exp ? nfexp_nlmsg_parse(nlh, exp) : nfct_nlmsg_parse(nlh, ct);
    free(bytes);
    return result;
}

static void messages(void)
{
    static const struct {
        uint16_t len, type;
        uint8_t payload[48];
        unsigned size;
    } malformed[] = {
        { 5, CTA_MARK, { 1 }, 5 },                          /* too short for a number */
        { 12, CTA_ZONE, { 1 }, 12 },                        /* too long for one */
        { 40, CTA_MARK, { 1 }, 8 },                         /* beyond the message */
        { 2, CTA_MARK, { 1 }, 8 },                          /* shorter than its header */
        { 12, CTA_PROTOINFO, { 9, 0, 1, 0, 1 }, 12 },       /* a nest beyond its nest */
        { 8, CTA_HELP, { 4, 0, CTA_HELP_NAME, 0 }, 8 },     /* a name without its NUL */
    };
    struct nf_conntrack *ct = nfct_new();
    struct nf_expect *exp = nfexp_new();
    struct {
        struct nlmsghdr nlh;
        char room[20 + 24];
    } message;
    uint8_t unterminated[] = { 16, 0, CTA_HELP, 0x80, 12, 0, CTA_HELP_NAME, 0,
                               'e', 'i', 'g', 'h', 't', 'b', 'y', 't' };
    /* A kind of state that there is not, and twice the same attribute. */
    uint8_t unknown[] = { 12, 0, CTA_PROTOINFO, 0x80, 8, 0, 5, 0x80, 1, 2, 3, 4,
                          8, 0, CTA_MARK, 0, 0, 0, 0, 5, 8, 0, CTA_MARK, 0, 0, 0, 0, 6 };
    uint8_t name[4 + 40] = { 44, 0, CTA_EXPECT_FN, 0 };

    for (unsigned i = 0; i < sizeof(malformed) / sizeof(*malformed); i++)
        FAILS(parse(&malformed[i], malformed[i].size, ct, NULL), -1, EBADMSG);
    for (unsigned i = 0; i < sizeof(malformed) / sizeof(*malformed); i++)
        FAILS(nfct_payload_parse(&malformed[i], malformed[i].size, AF_INET, ct), -1, EBADMSG);
    CHECK(parse(unterminated, sizeof(unterminated), ct, NULL) == 0);
    CHECK(strcmp(nfct_get_attr(ct, ATTR_HELPER_NAME), "eightbyt") == 0);
    CHECK(parse(unknown, sizeof(unknown), ct, NULL) == 0);
    CHECK(nfct_get_attr_u32(ct, ATTR_MARK) == 6);
    CHECK(parse(NULL, 0, ct, NULL) == 0);

    memset(name + 4, 'n', 40);
    CHECK(parse(name, sizeof(name), NULL, exp) == 0);
    CHECK(strlen(nfexp_get_attr(exp, ATTR_EXP_FN)) == 23);
    FAILS(parse(&malformed[2], malformed[2].size, NULL, exp), -1, EBADMSG);

    /* A header that says less than a header has. */
    memset(&message, 0, sizeof(message));
    message.nlh.nlmsg_len = 3;
    CHECK(nfct_nlmsg_parse(&message.nlh, ct) == 0 && nfexp_nlmsg_parse(&message.nlh, exp) == 0);
    CHECK(nfct_parse_conntrack(NFCT_T_ALL, &message.nlh, ct) == 0);

    FAILS(nfct_nlmsg_parse(NULL, ct), -1, EINVAL);
    FAILS(nfct_nlmsg_parse(&message.nlh, NULL), -1, EINVAL);
    FAILS(nfexp_nlmsg_parse(NULL, exp), -1, EINVAL);
    FAILS(nfexp_nlmsg_parse(&message.nlh, NULL), -1, EINVAL);
    FAILS(nfct_payload_parse(NULL, 4, AF_INET, ct), -1, EINVAL);
    FAILS(nfct_payload_parse("", (size_t) -1, AF_INET, ct), -1, EINVAL);
    FAILS(nfct_nlmsg_build(NULL, ct), -1, EINVAL);
    FAILS(nfct_nlmsg_build(&message.nlh, NULL), -1, EINVAL);
    FAILS(nfct_nlmsg_build_filter(&message.nlh, NULL), -1, EINVAL);
    FAILS(nfexp_nlmsg_build(&message.nlh, NULL), -1, EINVAL);
    message.nlh.nlmsg_len = 20;
    FAILS(nfct_nlmsg_build(&message.nlh, ct), -1, EINVAL);
    CHECK(message.nlh.nlmsg_len == 20);
    nfct_destroy(ct);
    nfexp_destroy(exp);
}

/* Builders that know the size of their buffer stay inside. */
static void small_buffers(void)
{
    struct nf_conntrack *ct = nfct_new();
    struct nf_expect *exp = nfexp_new();
    uint32_t family = AF_INET6;
    char buffer[512];
    struct nlmsghdr *nlh = (struct nlmsghdr *) buffer;

    nfct_set_attr_u8(ct, ATTR_L3PROTO, AF_INET);
    nfct_set_attr_u8(ct, ATTR_L4PROTO, IPPROTO_UDP);
    nfexp_set_attr(exp, ATTR_EXP_EXPECTED, ct);
    CHECK(nfct_build_query(NULL, NFCT_Q_DUMP, &family, buffer, sizeof(buffer)) == 1);
    CHECK(nlh->nlmsg_len == 20 && nlh->nlmsg_type == 0x101 && nlh->nlmsg_flags == 0x301);
    CHECK(nlh->nlmsg_seq == 0 && buffer[16] == AF_INET6);
    FAILS(nfct_build_query(NULL, NFCT_Q_DUMP, &family, buffer, 19), -1, ENOSPC);
    CHECK(nfct_build_query(NULL, NFCT_Q_CREATE, ct, buffer, sizeof(buffer)) == 1);
    CHECK(nlh->nlmsg_type == 0x100 && nlh->nlmsg_flags == 0x605);
    FAILS(nfct_build_query(NULL, NFCT_Q_CREATE, ct, buffer, nlh->nlmsg_len - 1), -1, ENOSPC);
    FAILS(nfct_build_query(NULL, NFCT_Q_CREATE, ct, NULL, sizeof(buffer)), -1, EINVAL);
    FAILS(nfct_build_query(NULL, NFCT_Q_CREATE, NULL, buffer, sizeof(buffer)), -1, EINVAL);
    FAILS(nfct_build_query(NULL, BAD, ct, buffer, sizeof(buffer)), -1, ENOTSUP);
    CHECK(nfct_build_conntrack(NULL, buffer, sizeof(buffer), 0x305, 0x1234, ct) == 0);
    CHECK(nlh->nlmsg_type == 0x305 && nlh->nlmsg_flags == 0x1234);
    FAILS(nfct_build_conntrack(NULL, buffer, 60, 0, 0, ct), -1, ENOSPC);
    CHECK(nfexp_build_expect(NULL, buffer, sizeof(buffer), 2, 5, exp) == 0);
    CHECK(nlh->nlmsg_type == 0x202 && buffer[16] == AF_INET);
    FAILS(nfexp_build_expect(NULL, buffer, 40, 2, 5, exp), -1, ENOSPC);
    CHECK(nfexp_build_query(NULL, NFCT_Q_DESTROY, exp, buffer, sizeof(buffer)) == 1);
    CHECK(nfexp_parse_expect(NFCT_T_DESTROY, nlh, exp) == NFCT_T_DESTROY);
    CHECK(nfexp_parse_expect(NFCT_T_NEW, nlh, exp) == 0);
    FAILS(nfct_parse_conntrack(NFCT_T_ALL, NULL, ct), -1, EINVAL);
    nfct_destroy(ct);
    nfexp_destroy(exp);
}

/* Texts never leave their buffer, and end with NUL in it. */
static void small_texts(void)
{
    struct nf_conntrack *ct = nfct_new();
    int full;

    nfct_set_attr_u8(ct, ATTR_L3PROTO, AF_INET6);
    nfct_set_attr_u8(ct, ATTR_L4PROTO, IPPROTO_TCP);
    nfct_set_attr(ct, ATTR_HELPER_NAME, "ftp");
    for (int type = NFCT_O_PLAIN; type < NFCT_O_MAX; type++) {
        full = nfct_snprintf(NULL, 0, ct, NFCT_T_NEW, type, 0xff);
        for (int size = 1; size <= full + 1; size++) {
            char *text = malloc(size);
            CHECK(nfct_snprintf(text, size, ct, NFCT_T_NEW, type, 0xff & ~NFCT_OF_TIME) > 0);
            CHECK(memchr(text, 0, size));
            free(text);
        }
    }
    nfct_destroy(ct);
}

int main(void)
{
    null_handles();
    handles();
    null_objects();
    filters();
    messages();
    small_buffers();
    small_texts();
    puts("all well");
    return 0;
}
