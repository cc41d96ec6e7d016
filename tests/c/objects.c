/* Entries, expectations, bitmasks and label maps: every attribute set, read,
 * copied, cloned and compared; objects in memory of the caller's; ownership. */

#include <arpa/inet.h>
#include <stdint.h>
#include <unistd.h>

#include <libnetfilter_conntrack/libnetfilter_conntrack.h>

#include "check.h"

/* Those that only the kernel gives a value; setting them marks them. */
static int is_read_only(int attr)
{
    return (attr >= ATTR_ORIG_COUNTER_PACKETS && attr <= ATTR_USE) || attr == ATTR_SECCTX ||
           attr == ATTR_TIMESTAMP_START || attr == ATTR_TIMESTAMP_STOP;
}

static int is_labels(int attr)
{
    return attr == ATTR_CONNLABELS || attr == ATTR_CONNLABELS_MASK;
}

/* Sets an attribute to a value made of this byte. */
static void set(struct nf_conntrack *ct, int attr, uint8_t byte)
{
    uint8_t value[64];

    memset(value, byte, sizeof(value));
    value[sizeof(value) - 1] = 0;
    if (is_labels(attr)) {
        struct nfct_bitmask *labels = nfct_bitmask_new(127);
        CHECK(labels != NULL);
        nfct_bitmask_set_bit(labels, byte);
        nfct_set_attr(ct, attr, labels);
        CHECK(nfct_get_attr(ct, attr) == labels);
    } else if (attr == ATTR_HELPER_INFO) {
        nfct_set_attr_l(ct, attr, value, 24);
    } else {
        nfct_set_attr(ct, attr, value);
    }
}

/* Whether an attribute has the value that set() gives it. */
static int has(const struct nf_conntrack *ct, int attr, uint8_t byte)
{
    const uint8_t *value = nfct_get_attr(ct, attr);

    if (is_labels(attr))
        return value && nfct_bitmask_test_bit((const struct nfct_bitmask *) value, byte);
    return value && *value == byte;
}

static void every_attribute(struct nf_conntrack *ct)
{
    for (int attr = 0; attr < ATTR_MAX; attr++) {
        FAILS(nfct_get_attr(ct, attr), NULL, ENODATA);
        CHECK(nfct_attr_is_set(ct, attr) == 0);
        set(ct, attr, 100);
        CHECK(nfct_attr_is_set(ct, attr) == (attr != ATTR_TIMESTAMP_EVENT));
        if (attr == ATTR_TIMESTAMP_EVENT)
            continue;
        if (is_read_only(attr))
            CHECK(nfct_get_attr_u64(ct, attr) == 0);
        else
            CHECK(has(ct, attr, 100));
        CHECK(nfct_attr_unset(ct, attr) == 0);
        CHECK(nfct_attr_is_set(ct, attr) == 0);
    }
    /* Again, with all of them at once; labels are replaced. */
    for (int attr = 0; attr < ATTR_MAX; attr++)
        set(ct, attr, 101);
    for (int attr = 0; attr < ATTR_TIMESTAMP_EVENT; attr++)
        CHECK(nfct_attr_is_set(ct, attr) == 1);
}

static void copies(void)
{
    for (int attr = 0; attr < ATTR_TIMESTAMP_EVENT; attr++) {
        struct nf_conntrack *a = nfct_new(), *b = nfct_new();
        set(a, attr, 100);

        nfct_copy_attr(b, a, attr);
        CHECK(nfct_attr_is_set(b, attr) && nfct_cmp(a, b, NFCT_CMP_MASK | NFCT_CMP_STRICT) == 1);
        if (!is_read_only(attr))
            CHECK(has(b, attr, 100));
        nfct_destroy(b);

        b = nfct_clone(a);
        CHECK(nfct_attr_is_set(b, attr) && nfct_compare(a, b) == 1);
        if (!is_read_only(attr))
            CHECK(has(b, attr, 100));
        if (is_labels(attr))
            CHECK(nfct_get_attr(b, attr) != nfct_get_attr(a, attr));
        set(b, attr, 101);
        nfct_copy(b, a, NFCT_CP_ALL);
        if (!is_read_only(attr))
            CHECK(has(b, attr, 100));
        nfct_copy(b, b, NFCT_CP_ALL);
        nfct_copy(b, b, NFCT_CP_OVERRIDE);
        for (int i = 0; i < 3; i++)
            nfct_copy(b, a, NFCT_CP_OVERRIDE);
        nfct_destroy(a);
        if (!is_read_only(attr))
            CHECK(has(b, attr, 100));
        nfct_destroy(b);
    }
}

/* Which comparisons look at an attribute: with NFCT_CMP_ORIG, with NFCT_CMP_REPL,
 * and META of the whole entry. */
#define META 0x1000

static unsigned compared_with(int attr)
{
    switch (attr) {
    case ATTR_ORIG_IPV4_SRC: case ATTR_ORIG_IPV4_DST:
    case ATTR_ORIG_IPV6_SRC: case ATTR_ORIG_IPV6_DST:
    case ATTR_ORIG_PORT_SRC: case ATTR_ORIG_PORT_DST:
    case ATTR_ORIG_L3PROTO: case ATTR_ORIG_L4PROTO: case ATTR_ORIG_ZONE:
        return NFCT_CMP_ORIG;
    case ATTR_REPL_IPV4_SRC: case ATTR_REPL_IPV4_DST:
    case ATTR_REPL_IPV6_SRC: case ATTR_REPL_IPV6_DST:
    case ATTR_REPL_PORT_SRC: case ATTR_REPL_PORT_DST:
    case ATTR_REPL_L3PROTO: case ATTR_REPL_L4PROTO: case ATTR_REPL_ZONE:
        return NFCT_CMP_REPL;
    case ATTR_ICMP_TYPE: case ATTR_ICMP_CODE: case ATTR_ICMP_ID:
        return NFCT_CMP_ORIG | NFCT_CMP_REPL;
    case ATTR_ID: case ATTR_MARK: case ATTR_TIMEOUT: case ATTR_STATUS: case ATTR_ZONE:
    case ATTR_TCP_STATE: case ATTR_SCTP_STATE: case ATTR_DCCP_STATE:
    case ATTR_SECCTX: case ATTR_CONNLABELS: case ATTR_CONNLABELS_MASK:
        return META;
    default:
        return 0;
    }
}

/* An entry with this attribute, or without it where byte is negative, and with the
 * protocol without which ports and ICMP fields are not compared. */
static struct nf_conntrack *with(int attr, int byte)
{
    struct nf_conntrack *ct = nfct_new();

    if (attr >= ATTR_ORIG_PORT_SRC && attr <= ATTR_ICMP_ID) {
        int protocol = attr < ATTR_ICMP_TYPE ? IPPROTO_TCP : IPPROTO_ICMP;
        nfct_set_attr_u8(ct, ATTR_ORIG_L4PROTO, protocol);
        nfct_set_attr_u8(ct, ATTR_REPL_L4PROTO, protocol);
    }
    if (byte >= 0)
        set(ct, attr, byte);
    return ct;
}

static void comparisons(void)
{
    static const unsigned scopes[] = {
        NFCT_CMP_ALL, NFCT_CMP_ORIG, NFCT_CMP_REPL, NFCT_CMP_ORIG | NFCT_CMP_REPL,
        NFCT_CMP_TIMEOUT_EQ, NFCT_CMP_TIMEOUT_GE, NFCT_CMP_TIMEOUT_LE | NFCT_CMP_REPL,
    };
    static const unsigned strictness[] = {
        0, NFCT_CMP_MASK, NFCT_CMP_STRICT, NFCT_CMP_MASK | NFCT_CMP_STRICT,
    };

    for (int attr = 0; attr < ATTR_MAX; attr++) {
        struct nf_conntrack *a = with(attr, 100), *same = with(attr, 100);
        struct nf_conntrack *other = with(attr, 101), *none = with(attr, -1);
        /* 0 is what the marks and zones count as that are not there. */
        struct nf_conntrack *zero = with(attr, 0);
        int is_0 = attr == ATTR_MARK || attr == ATTR_ZONE || attr == ATTR_ORIG_ZONE ||
                   attr == ATTR_REPL_ZONE;

        for (unsigned i = 0; i < sizeof(scopes) / sizeof(*scopes); i++) {
            unsigned wanted = scopes[i] ? scopes[i] : NFCT_CMP_ORIG | NFCT_CMP_REPL | META;
            int looks = (compared_with(attr) & wanted) != 0;
            /* The kernel alone gives it a value: none is like none. */
            int tells = looks && attr != ATTR_SECCTX;

            for (unsigned k = 0; k < sizeof(strictness) / sizeof(*strictness); k++) {
                unsigned flags = scopes[i] | strictness[k];
                int mask = (flags & NFCT_CMP_MASK) != 0, strict = (flags & NFCT_CMP_STRICT) != 0;

                CHECK(nfct_cmp(a, same, flags) == 1 && nfct_cmp(none, none, flags) == 1);
                /* The bits of 100 are among those of 101. */
                CHECK(nfct_cmp(a, other, flags) == (!tells || attr == ATTR_STATUS));
                CHECK(nfct_cmp(other, a, flags) == !tells);
                CHECK(nfct_cmp(a, none, flags) == !(looks && (mask || strict)));
                CHECK(nfct_cmp(none, a, flags) == !(looks && strict));
                CHECK(nfct_cmp(zero, none, flags) == (is_0 || !(looks && (mask || strict))));
                CHECK(nfct_cmp(none, zero, flags) == (is_0 || !(looks && strict)));
            }
        }
        CHECK(nfct_compare(a, other) == nfct_cmp(a, other, NFCT_CMP_ALL));
        nfct_destroy(a);
        nfct_destroy(same);
        nfct_destroy(other);
        nfct_destroy(none);
        nfct_destroy(zero);
    }
}

/* Objects in zeroed memory of the caller's, at any alignment. */
static void callers_memory(void)
{
    char *memory = malloc(nfct_maxsize() + 8);

    CHECK(nfct_maxsize() == nfct_sizeof((struct nf_conntrack *) memory));
    for (int offset = 0; offset < 8; offset++) {
        struct nf_conntrack *ct = (struct nf_conntrack *) (memory + offset), *clone;
        memset(memory, 0, nfct_maxsize() + 8);
        for (int attr = 0; attr < ATTR_HELPER_INFO; attr++)
            set(ct, attr, 77);
        for (int attr = 0; attr < ATTR_SECCTX; attr++) {
            /* The type that answers an ICMP type stands in the place of the port. */
            if (is_read_only(attr) || attr == ATTR_REPL_PORT_DST)
                continue;
            const char *value = nfct_get_attr(ct, attr);
            CHECK(value >= memory + offset && value < memory + offset + nfct_maxsize());
            CHECK(*value == 77);
        }
        CHECK(nfct_get_attr_u32(ct, ATTR_MARK) == 0x4d4d4d4d);
        clone = nfct_clone(ct);
        CHECK(nfct_cmp(clone, ct, NFCT_CMP_ALL) == 1);
        nfct_copy(ct, clone, NFCT_CP_META);
        CHECK(nfct_setobjopt(ct, NFCT_SOPT_SETUP_REPLY) == 0);
        nfct_destroy(clone);
    }
    free(memory);
}

static void numbers_of_other_widths(void)
{
    struct nf_conntrack *ct = nfct_new();

    nfct_set_attr_u8(ct, ATTR_MARK, 0xab);
    CHECK(nfct_get_attr_u32(ct, ATTR_MARK) == 0xab && nfct_get_attr_u64(ct, ATTR_MARK) == 0xab);
    nfct_set_attr_u64(ct, ATTR_MARK, 0x1122334455667788);
    CHECK(nfct_get_attr_u32(ct, ATTR_MARK) == 0x55667788);
    CHECK(nfct_get_attr_u16(ct, ATTR_MARK) == 0x7788 && nfct_get_attr_u8(ct, ATTR_MARK) == 0x88);
    nfct_set_attr_u8(ct, ATTR_L3PROTO, AF_INET);
    nfct_set_attr_u8(ct, ATTR_L4PROTO, IPPROTO_TCP);
    nfct_set_attr_u16(ct, ATTR_ORIG_ZONE, 0x1234);
    CHECK(nfct_get_attr_u16(ct, ATTR_L3PROTO) == AF_INET);
    CHECK(nfct_get_attr_u64(ct, ATTR_L4PROTO) == IPPROTO_TCP);
    nfct_set_attr_u16(ct, ATTR_PORT_SRC, htons(80));
    CHECK(*(const uint16_t *) nfct_get_attr(ct, ATTR_PORT_SRC) == htons(80));
    nfct_set_attr_u32(ct, ATTR_HELPER_NAME, 0x00707466);
    CHECK(strcmp(nfct_get_attr(ct, ATTR_HELPER_NAME), "ftp") == 0);
    CHECK(nfct_get_attr_u16(ct, ATTR_HELPER_NAME) == 0x7466);
    REFUSES(nfct_set_attr_u64(ct, ATTR_CONNLABELS, 1), EINVAL);
    CHECK(!nfct_attr_is_set(ct, ATTR_CONNLABELS));
    nfct_destroy(ct);
}

/* A value may be part of the object itself. */
static void values_of_the_object_itself(void)
{
    struct nf_conntrack *ct = nfct_new();
    struct nfct_attr_grp_ipv4 addresses;

    nfct_set_attr_u32(ct, ATTR_IPV4_SRC, inet_addr("192.0.2.1"));
    nfct_set_attr(ct, ATTR_REPL_IPV4_DST, nfct_get_attr(ct, ATTR_IPV4_SRC));
    nfct_set_attr_grp(ct, ATTR_GRP_ORIG_IPV4, nfct_get_attr(ct, ATTR_IPV4_SRC));
    CHECK(nfct_get_attr_u32(ct, ATTR_REPL_IPV4_DST) == inet_addr("192.0.2.1"));
    CHECK(nfct_get_attr_grp(ct, ATTR_GRP_ORIG_IPV4, &addresses) == 0);
    CHECK(addresses.src == inet_addr("192.0.2.1"));
    nfct_set_attr_l(ct, ATTR_HELPER_INFO, "private data", 12);
    nfct_set_attr_l(ct, ATTR_HELPER_INFO, (const char *) nfct_get_attr(ct, ATTR_HELPER_INFO) + 8, 4);
    CHECK(memcmp(nfct_get_attr(ct, ATTR_HELPER_INFO), "data", 4) == 0);
    nfct_set_attr_l(ct, ATTR_HELPER_INFO, "", 0);
    CHECK(nfct_get_attr(ct, ATTR_HELPER_INFO) != NULL);
    nfct_destroy(ct);
}

static void labels(void)
{
    struct nf_conntrack *ct = nfct_new(), *copy;
    struct nfct_bitmask *labels = nfct_bitmask_new(40), *clone;

    CHECK(nfct_bitmask_maxbit(labels) == 63);
    nfct_set_attr(ct, ATTR_CONNLABELS, labels);
    nfct_set_attr(ct, ATTR_CONNLABELS, labels);
    /* Programs change the bitmask of an entry through the pointer they kept. */
    nfct_bitmask_set_bit(labels, 5);
    CHECK(nfct_bitmask_test_bit(nfct_get_attr(ct, ATTR_CONNLABELS), 5) == 1);
    copy = nfct_new();
    nfct_copy_attr(copy, ct, ATTR_CONNLABELS);
    nfct_bitmask_unset_bit((struct nfct_bitmask *) nfct_get_attr(copy, ATTR_CONNLABELS), 5);
    CHECK(nfct_bitmask_test_bit(labels, 5) == 1);
    CHECK(!nfct_bitmask_equal(labels, nfct_get_attr(copy, ATTR_CONNLABELS)));
    nfct_destroy(copy);

    clone = nfct_bitmask_clone(labels);
    CHECK(nfct_bitmask_equal(labels, clone));
    nfct_bitmask_clear(clone);
    CHECK(!nfct_bitmask_equal(labels, clone) && nfct_bitmask_maxbit(clone) == 63);
    nfct_bitmask_destroy(clone);

    /* One bitmask for both: it is freed once. */
    nfct_set_attr(ct, ATTR_CONNLABELS_MASK, labels);
    copy = nfct_clone(ct);
    nfct_destroy(ct);
    nfct_set_attr(copy, ATTR_CONNLABELS_MASK, nfct_get_attr(copy, ATTR_CONNLABELS));
    nfct_set_attr(copy, ATTR_CONNLABELS, nfct_bitmask_new(1));
    CHECK(nfct_bitmask_test_bit(nfct_get_attr(copy, ATTR_CONNLABELS_MASK), 5) == 1);
    nfct_attr_unset(copy, ATTR_CONNLABELS);
    nfct_destroy(copy);
}

static void label_names(void)
{
    char path[] = "/tmp/labelsXXXXXX";
    const char text[] = "# names\n0 zero\n3 three\n0x1f last of a word\n";
    int fd = mkstemp(path);
    struct nfct_labelmap *map;
    struct nf_conntrack *ct = nfct_new();
    char line[200];

    CHECK(fd >= 0 && write(fd, text, sizeof(text) - 1) == (ssize_t) sizeof(text) - 1);
    close(fd);
    map = nfct_labelmap_new(path);
    CHECK(map != NULL);
    CHECK(strcmp(nfct_labelmap_get_name(map, 31), "last of a word") == 0);
    CHECK(strcmp(nfct_labelmap_get_name(map, 1), "") == 0);
    CHECK(nfct_labelmap_get_name(map, 32) == NULL);
    CHECK(nfct_labelmap_get_bit(map, "three") == 3 && nfct_labelmap_get_bit(map, "four") == -1);
    CHECK(strcmp(nfct_labels_get_path(), "/etc/xtables/connlabel.conf") == 0);

    set(ct, ATTR_CONNLABELS, 31);
    nfct_set_attr_u8(ct, ATTR_L4PROTO, IPPROTO_UDP);
    CHECK(nfct_snprintf_labels(line, sizeof(line), ct, 0, NFCT_O_PLAIN, 0, map) > 0);
    CHECK(strstr(line, "labels=last of a word"));
    nfct_labelmap_destroy(map);
    nfct_destroy(ct);

    FAILS(nfct_labelmap_new("/nowhere"), NULL, ENOENT);
    CHECK(truncate(path, 2) == 0);
    errno = 7;
    CHECK(nfct_labelmap_new(path) == NULL && errno == 0);
    unlink(path);
}

static void groups(void)
{
    struct nf_conntrack *ct = nfct_new();
    struct nfct_attr_grp_ipv6 v6, v6_again;
    struct nfct_attr_grp_port ports = { .sport = htons(1), .dport = htons(2) };
    struct nfct_attr_grp_icmp icmp = { .id = htons(3), .code = 4, .type = 8 }, icmp_again;
    union nfct_attr_grp_addr address;

    memset(&v6, 0x20, sizeof(v6));
    nfct_set_attr_grp(ct, ATTR_GRP_ORIG_IPV6, &v6);
    CHECK(nfct_get_attr_u8(ct, ATTR_L3PROTO) == AF_INET6);
    CHECK(nfct_get_attr_grp(ct, ATTR_GRP_ORIG_IPV6, &v6_again) == 0);
    CHECK(memcmp(&v6, &v6_again, sizeof(v6)) == 0);
    FAILS(nfct_get_attr_grp(ct, ATTR_GRP_ORIG_PORT, &ports), -1, ENODATA);
    nfct_set_attr_grp(ct, ATTR_GRP_ORIG_PORT, &ports);
    CHECK(nfct_attr_grp_is_set(ct, ATTR_GRP_ORIG_PORT) == 1);
    nfct_set_attr_grp(ct, ATTR_GRP_ICMP, &icmp);
    CHECK(nfct_get_attr_grp(ct, ATTR_GRP_ICMP, &icmp_again) == 0);
    CHECK(memcmp(&icmp, &icmp_again, sizeof(icmp)) == 0);
    CHECK(nfct_attr_grp_unset(ct, ATTR_GRP_ICMP) == 0);
    CHECK(nfct_attr_grp_is_set(ct, ATTR_GRP_ICMP) == 0);
    nfct_set_attr_u32(ct, ATTR_REPL_IPV4_SRC, inet_addr("192.0.2.9"));
    memset(&address, 0xff, sizeof(address));
    CHECK(nfct_get_attr_grp(ct, ATTR_GRP_REPL_ADDR_SRC, &address) == 0);
    CHECK(address.ip == inet_addr("192.0.2.9"));
    CHECK(address.ip6[1] == 0 && address.ip6[2] == 0 && address.ip6[3] == 0);
    nfct_destroy(ct);
}

static struct nf_conntrack *tuple(const char *source, uint16_t port)
{
    struct nf_conntrack *ct = nfct_new();

    nfct_set_attr_u8(ct, ATTR_L3PROTO, AF_INET);
    nfct_set_attr_u32(ct, ATTR_IPV4_SRC, inet_addr(source));
    nfct_set_attr_u32(ct, ATTR_IPV4_DST, inet_addr("198.51.100.2"));
    nfct_set_attr_u8(ct, ATTR_L4PROTO, IPPROTO_TCP);
    nfct_set_attr_u16(ct, ATTR_PORT_SRC, htons(port));
    nfct_set_attr_u16(ct, ATTR_PORT_DST, htons(21));
    nfct_setobjopt(ct, NFCT_SOPT_SETUP_REPLY);
    nfct_set_attr_u32(ct, ATTR_MARK, 7);
    return ct;
}

/* Tuples of expectations are read as the front of an entry. */
static void heads(struct nf_expect *exp)
{
    static const int tuples[] = { ATTR_EXP_MASTER, ATTR_EXP_EXPECTED, ATTR_EXP_MASK,
                                  ATTR_EXP_NAT_TUPLE };

    for (unsigned i = 0; i < sizeof(tuples) / sizeof(*tuples); i++) {
        struct nf_conntrack *ct = tuple("192.0.2.1", 40000 + i), *other = tuple("192.0.2.2", 1);
        const struct nf_conntrack *head;
        struct nfct_attr_grp_ipv4 addresses;

        FAILS(nfexp_get_attr(exp, tuples[i]), NULL, ENODATA);
        nfexp_set_attr(exp, tuples[i], ct);
        head = nfexp_get_attr(exp, tuples[i]);
        CHECK(nfct_get_attr_u32(head, ATTR_IPV4_SRC) == inet_addr("192.0.2.1"));
        CHECK(nfct_get_attr_u16(head, ATTR_PORT_SRC) == htons(40000 + i));
        CHECK(nfct_get_attr_grp(head, ATTR_GRP_ORIG_IPV4, &addresses) == 0);
        CHECK(nfct_attr_is_set(head, ATTR_REPL_IPV4_SRC) == 0);
        FAILS(nfct_get_attr_u32(head, ATTR_MARK), 0, ENODATA);
        FAILS(nfct_get_attr_u16(head, ATTR_ZONE), 0, ENODATA);
        CHECK(nfct_cmp(ct, head, NFCT_CMP_ORIG) == 1 && nfct_cmp(head, ct, NFCT_CMP_ORIG) == 1);
        CHECK(nfct_cmp(other, head, NFCT_CMP_ORIG) == 0);
        nfct_destroy(ct);
        nfct_destroy(other);
        /* A head is a value too, also one of the same expectation. */
        nfexp_set_attr(exp, tuples[(i + 1) % 4], head);
        CHECK(nfexp_attr_unset(exp, tuples[(i + 1) % 4]) == 0);
    }
}

static void expectations(void)
{
    struct nf_expect *exp = nfexp_new(), *copy = nfexp_new(), *clone;
    char *memory = calloc(1, nfexp_maxsize() + 1);

    CHECK(nfexp_sizeof(exp) == nfexp_maxsize());
    heads(exp);
    heads((struct nf_expect *) (memory + 1));
    free(memory);

    nfexp_set_attr_u32(exp, ATTR_EXP_TIMEOUT, 300);
    nfexp_set_attr_u16(exp, ATTR_EXP_ZONE, 3);
    nfexp_set_attr_u32(exp, ATTR_EXP_FLAGS, NF_CT_EXPECT_PERMANENT);
    nfexp_set_attr(exp, ATTR_EXP_HELPER_NAME, "a name longer than 15 bytes");
    nfexp_set_attr_u8(exp, ATTR_EXP_CLASS, 2);
    nfexp_set_attr_u8(exp, ATTR_EXP_NAT_DIR, NFCT_DIR_REPLY);
    nfexp_set_attr(exp, ATTR_EXP_FN, "a name that is longer than 23 bytes");
    CHECK(strcmp(nfexp_get_attr(exp, ATTR_EXP_HELPER_NAME), "a name longer t") == 0);
    CHECK(strcmp(nfexp_get_attr(exp, ATTR_EXP_FN), "a name that is longer t") == 0);
    CHECK(nfexp_get_attr_u32(exp, ATTR_EXP_NAT_DIR) == 1 && nfexp_get_attr_u8(exp, ATTR_EXP_CLASS) == 2);
    CHECK(nfexp_get_attr_u32(exp, ATTR_EXP_ZONE) == 3 && nfexp_get_attr_u16(exp, ATTR_EXP_TIMEOUT) == 300);

    for (int attr = 0; attr < ATTR_EXP_MAX; attr++)
        CHECK(nfexp_attr_is_set(exp, attr) == (attr != ATTR_EXP_MASTER));
    /* conntrackd copies them so. */
    memcpy(copy, exp, nfexp_maxsize());
    clone = nfexp_clone(exp);
    nfexp_destroy(exp);
    CHECK(nfexp_cmp(copy, clone, NFCT_CMP_MASK | NFCT_CMP_STRICT) == 1);
    nfexp_set_attr_u32(clone, ATTR_EXP_TIMEOUT, 1);
    CHECK(nfexp_cmp(copy, clone, 0) == 1);
    nfexp_set_attr_u32(clone, ATTR_EXP_FLAGS, 0);
    CHECK(nfexp_cmp(copy, clone, 0) == 0);
    CHECK(nfexp_attr_unset(clone, ATTR_EXP_FLAGS) == 0);
    CHECK(nfexp_cmp(copy, clone, 0) == 1 && nfexp_cmp(copy, clone, NFCT_CMP_MASK) == 0);
    nfexp_destroy(copy);
    nfexp_destroy(clone);
}

static void translation(void)
{
    struct nf_conntrack *ct = tuple("192.0.2.1", 1);

    nfct_set_attr_u32(ct, ATTR_REPL_IPV4_DST, inet_addr("203.0.113.1"));
    CHECK(nfct_getobjopt(ct, NFCT_GOPT_IS_SNAT) == 1 && nfct_getobjopt(ct, NFCT_GOPT_IS_DNAT) == 0);
    CHECK(nfct_getobjopt(ct, NFCT_GOPT_IS_SPAT) == 0 && nfct_getobjopt(ct, NFCT_GOPT_IS_DPAT) == 0);
    for (int option = 0; option <= NFCT_SOPT_MAX; option++)
        CHECK(nfct_setobjopt(ct, option) == 0);
    CHECK(nfct_get_attr_u32(ct, ATTR_SNAT_IPV4) == inet_addr("203.0.113.1"));
    CHECK(nfct_getobjopt(ct, NFCT_GOPT_IS_SNAT) == 0);
    nfct_destroy(ct);
}

int main(void)
{
    struct nf_conntrack *ct = nfct_new();

    every_attribute(ct);
    nfct_destroy(ct);
    copies();
    comparisons();
    callers_memory();
    numbers_of_other_widths();
    values_of_the_object_itself();
    labels();
    label_names();
    groups();
    expectations();
    translation();
    puts("all well");
    return 0;
}
