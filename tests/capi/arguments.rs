//! Every argument of every function that can be wrong: pointers that are NULL,
//! and numbers that stand for nothing.
//!
//! The program is made from the table of functions, so that none is left out. It
//! also makes each call with nothing wrong, which must not fail: what is refused
//! is refused for the argument alone.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use crate::programs;
use crate::table;

/// What calls are made with, new for each of them.
const PRELUDE: &str = r#"
#include <arpa/inet.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <unistd.h>

#include <libnetfilter_conntrack/libnetfilter_conntrack.h>

static struct nfct_handle *h;
static struct nf_conntrack *ct, *other;
static struct nf_expect *exp, *other_exp;
static struct nfct_bitmask *bits, *other_bits;
static struct nfct_labelmap *map;
static struct nfct_filter *filter;
static struct nfct_filter_dump *dump;
static char text[1024], labels[] = "/tmp/argumentsXXXXXX";
static uint64_t zeros[512];
static struct { struct nlmsghdr nlh; char room[4096]; } message;

static int on_entry(enum nf_conntrack_msg_type type, struct nf_conntrack *it, void *data)
{
    (void) type, (void) it, (void) data;
    return NFCT_CB_CONTINUE;
}

static int on_entry2(const struct nlmsghdr *nlh, enum nf_conntrack_msg_type type,
                     struct nf_conntrack *it, void *data)
{
    (void) nlh;
    return on_entry(type, it, data);
}

static int on_expect(enum nf_conntrack_msg_type type, struct nf_expect *it, void *data)
{
    (void) type, (void) it, (void) data;
    return NFCT_CB_CONTINUE;
}

static int on_expect2(const struct nlmsghdr *nlh, enum nf_conntrack_msg_type type,
                      struct nf_expect *it, void *data)
{
    (void) nlh;
    return on_expect(type, it, data);
}

static struct nf_conntrack *flow(void)
{
    struct nf_conntrack *it = nfct_new();

    nfct_set_attr_u8(it, ATTR_L3PROTO, AF_INET);
    nfct_set_attr_u32(it, ATTR_IPV4_SRC, inet_addr("192.0.2.1"));
    nfct_set_attr_u32(it, ATTR_IPV4_DST, inet_addr("198.51.100.2"));
    nfct_set_attr_u8(it, ATTR_L4PROTO, IPPROTO_UDP);
    nfct_set_attr_u16(it, ATTR_PORT_SRC, htons(1));
    nfct_set_attr_u16(it, ATTR_PORT_DST, htons(2));
    nfct_set_attr_u32(it, ATTR_MARK, 1);
    return it;
}

static struct nf_expect *expectation(void)
{
    struct nf_expect *it = nfexp_new();

    nfexp_set_attr(it, ATTR_EXP_MASTER, ct);
    nfexp_set_attr(it, ATTR_EXP_EXPECTED, ct);
    nfexp_set_attr(it, ATTR_EXP_MASK, ct);
    nfexp_set_attr_u16(it, ATTR_EXP_ZONE, 1);
    return it;
}

static void set_up(void)
{
    h = nfct_open(0, 0);
    CHECK(h && fcntl(nfct_fd(h), F_SETFL, O_NONBLOCK) == 0);
    ct = flow();
    other = flow();
    exp = expectation();
    other_exp = expectation();
    bits = nfct_bitmask_new(7);
    other_bits = nfct_bitmask_new(7);
    map = nfct_labelmap_new(labels);
    filter = nfct_filter_create();
    dump = nfct_filter_dump_create();
    CHECK(map != NULL);
    memset(zeros, 0, sizeof(zeros));
    memset(&message, 0, sizeof(message));
    message.nlh.nlmsg_len = 20;
    message.nlh.nlmsg_type = 0x100;
    errno = 0;
}

/* Pointers that a call has freed are NULL by then. */
static void tear_down(void)
{
    if (h)
        nfct_close(h);
    nfct_destroy(ct);
    nfct_destroy(other);
    nfexp_destroy(exp);
    nfexp_destroy(other_exp);
    nfct_bitmask_destroy(bits);
    nfct_bitmask_destroy(other_bits);
    nfct_labelmap_destroy(map);
    nfct_filter_destroy(filter);
    nfct_filter_dump_destroy(dump);
}

static void make_labels(void)
{
    int fd = mkstemp(labels);

    CHECK(fd >= 0 && write(fd, "0 zero\n", 7) == 7);
    close(fd);
}
"#;

/// A parameter of a function.
struct Parameter {
    declared: String,
    /// What a call passes that is not to fail.
    right: &'static str,
}

impl Parameter {
    fn is_pointer(&self) -> bool {
        self.declared.contains('*')
    }

    fn name(&self) -> &str {
        table::name_of(&self.declared)
    }
}

fn parameters(function: &str, list: &str) -> Vec<Parameter> {
    let mut before: Vec<Parameter> = Vec::new();
    for declared in table::parameters(list) {
        let mut parameter = Parameter {
            declared,
            right: "",
        };
        parameter.right = right(function, &parameter, &before);
        before.push(parameter);
    }
    before
}

/// What to pass that is right; `before` are the parameters in front.
fn right(function: &str, parameter: &Parameter, before: &[Parameter]) -> &'static str {
    let is_second = |value| before.iter().any(|parameter| parameter.right == value);
    let one_of = |first, second| if is_second(first) { second } else { first };
    let is_of = |kind: &str| parameter.declared.contains(kind);
    let is_type = |kind: &str| is_of(kind) && !parameter.is_pointer();
    match parameter.name() {
        "cb" => match function {
            "nfct_callback_register" => "on_entry",
            "nfct_callback_register2" => "on_entry2",
            "nfexp_callback_register" => "on_expect",
            _ => "on_expect2",
        },
        "fd" => "nfct_fd(h)",
        "buf" => "text",
        "mapfile" => "labels",
        "name" => "\"zero\"",
        "type_array" => "(const enum nf_conntrack_attr[]) { ATTR_MARK }",
        "size" if function == "nfct_attr_is_set_array" => "1",
        "size" if before.iter().any(|p| p.name() == "buf") => "sizeof(text)",
        "size" => "sizeof(zeros)",
        "l3num" => "AF_INET",
        "payload_len" | "len" => "0",
        "out_type" => "NFCT_O_PLAIN",
        "maxbit" => "7",
        "value" | "data" | "req" | "buffer" | "payload" if parameter.is_pointer() => {
            // A family for a query, an empty mark for a filter, and so on.
            "zeros"
        }
        _ if is_of("struct nfct_handle *") => "h",
        _ if is_of("struct nf_conntrack *") => one_of("ct", "other"),
        _ if is_of("struct nf_expect *") => one_of("exp", "other_exp"),
        _ if is_of("struct nfct_bitmask *") => one_of("bits", "other_bits"),
        _ if is_of("struct nfct_labelmap *") => "map",
        _ if is_of("struct nfct_filter_dump *") => "dump",
        _ if is_of("struct nfct_filter *") => "filter",
        _ if is_of("struct nlmsghdr *") => "&message.nlh",
        _ if is_of("struct nfnl_subsys_handle *") => "NULL",
        _ if is_of("struct nfnl_handle *") => "NULL",
        _ if is_type("enum nf_conntrack_attr_grp") => "ATTR_GRP_ORIG_IPV4",
        _ if is_type("enum nf_conntrack_attr") => "ATTR_MARK",
        _ if is_type("enum nf_expect_attr") => "ATTR_EXP_ZONE",
        _ if is_type("enum nf_conntrack_query") => "NFCT_Q_DUMP",
        _ if is_type("enum nf_conntrack_msg_type") => "NFCT_T_ALL",
        _ if is_type("enum nfct_filter_logic") => "NFCT_FILTER_LOGIC_POSITIVE",
        _ if is_type("enum nfct_filter_attr") => match function {
            "nfct_filter_add_attr_u32" => "NFCT_FILTER_ZONE",
            _ => "NFCT_FILTER_MARK",
        },
        _ if is_type("enum nfct_filter_dump_attr") => match function {
            "nfct_filter_dump_set_attr_u8" => "NFCT_FILTER_DUMP_L3NUM",
            "nfct_filter_dump_set_attr_u16" => "NFCT_FILTER_DUMP_ZONE",
            _ => "NFCT_FILTER_DUMP_MARK",
        },
        name => {
            assert!(!parameter.is_pointer(), "{function}: {name}");
            "0"
        }
    }
}

/// Calls that have no use here with all arguments right.
const NOT_ALL_RIGHT: [&str; 5] = [
    // There is no handle of libnfnetlink.
    "nfct_open_nfnl",
    // Nothing has been sent.
    "nfct_catch",
    "nfexp_catch",
    // No filter has been attached.
    "nfct_filter_detach",
    // `tests/c/objects.c` has one.
    "nfct_labelmap_new",
];

/// Whether a function takes NULL for this parameter.
fn may_be_null(function: &str, parameter: &str) -> bool {
    match parameter {
        "cb" | "ssh" | "mapfile" | "map" => true,
        "data" => function.contains("callback_register"),
        _ => function.ends_with("_destroy"),
    }
}

/// Whether the call frees the argument.
fn frees(function: &str) -> bool {
    function.ends_with("_destroy") || function == "nfct_close"
}

/// A number that stands for nothing, with the `errno` of the function.
fn wrong_number(function: &str, parameter: &Parameter) -> Option<(&'static str, &'static str)> {
    let is = |kind: &str| parameter.declared.contains(kind) && !parameter.is_pointer();
    match parameter.name() {
        "option" => Some(("UINT_MAX", "EOPNOTSUPP")),
        "out_type" => Some(("UINT_MAX", "ENOENT")),
        "maxbit" => Some(("UINT_MAX", "EINVAL")),
        _ if is("enum nf_conntrack_msg_type") => None,
        _ if is("enum nf_conntrack_query") => Some(("UINT_MAX", "ENOTSUP")),
        _ if is("enum nfct_filter_attr") && function == "nfct_filter_set_logic" => {
            Some(("UINT_MAX", "ENOTSUP"))
        }
        _ if is("enum ") => Some(("UINT_MAX", "EINVAL")),
        _ => None,
    }
}

/// What a function of this type gives when it fails; nothing for `void`.
fn failure(name: &str, result: &str) -> Option<&'static str> {
    match result {
        "void" => None,
        // For the original, no bit is set in what is not there.
        "int" if name == "nfct_bitmask_test_bit" => Some("0"),
        "int" => Some("-1"),
        _ if result.contains('*') => Some("NULL"),
        _ => Some("0"),
    }
}

/// A call with the argument `wrong` in the place of the right one.
fn call(name: &str, parameters: &[Parameter], wrong: Option<(usize, &str)>) -> String {
    let arguments = parameters.iter().enumerate();
    let arguments: Vec<_> = arguments
        .map(|(place, parameter)| match wrong {
            Some((there, argument)) if there == place => argument,
            _ => parameter.right,
        })
        .collect();
    format!("{name}({})", arguments.join(", "))
}

/// What must be so after a call that is not to fail.
fn accepted(call: &str, name: &str, result: &str) -> String {
    match result {
        "void" => format!("{call}; CHECK(errno == 0);"),
        // It is the caller's; a name or a value is not.
        _ if name.ends_with("_clone") || name.ends_with("_new") || name.ends_with("_create") => {
            let (kind, _) = name.rsplit_once('_').expect("a kind");
            format!(
                "{result}made = {call}; CHECK(errno == 0 && made != NULL); {kind}_destroy(made);"
            )
        }
        "struct nfct_handle *" => {
            format!(
                "{result}made = {call}; CHECK(errno == 0 && made); CHECK(nfct_close(made) == 0);"
            )
        }
        _ if result.contains('*') => format!("CHECK({call} != NULL); CHECK(errno == 0);"),
        "int" => format!("CHECK({call} >= 0); CHECK(errno == 0);"),
        _ => format!("(void) {call}; CHECK(errno == 0);"),
    }
}

/// What must be so after a call that is to fail.
fn refused(call: &str, name: &str, result: &str, errno: &str) -> String {
    match failure(name, result) {
        Some(failure) => format!("CHECK({call} == {failure}); CHECK(errno == {errno});"),
        None => format!("{call}; CHECK(errno == {errno});"),
    }
}

/// The program, with how many calls it makes with NULL and with wrong numbers.
fn program() -> (String, usize, usize) {
    let check = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/c/check.h");
    let mut program = format!("#include \"{}\"\n{PRELUDE}", check.display());
    let mut main = "\nint main(void)\n{\n    make_labels();\n".to_owned();
    let (mut nulls, mut numbers) = (0, 0);
    for [name, result, list] in table::rows::<3>("functions.tsv") {
        let parameters = parameters(&name, &list);
        let mut steps = Vec::new();
        if !NOT_ALL_RIGHT.contains(&&*name) {
            let mut step = accepted(&call(&name, &parameters, None), &name, &result);
            if frees(&name) {
                write!(step, " {} = NULL;", parameters[0].right).expect("text");
            }
            steps.push(step);
        }
        for (place, parameter) in parameters.iter().enumerate() {
            if parameter.is_pointer() {
                nulls += 1;
                let call = call(&name, &parameters, Some((place, "NULL")));
                steps.push(match may_be_null(&name, parameter.name()) {
                    // The file of the system may be there, or not.
                    true if name == "nfct_labelmap_new" => {
                        format!("nfct_labelmap_destroy({call});")
                    }
                    true => accepted(&call, &name, &result),
                    false => refused(&call, &name, &result, "EINVAL"),
                });
            }
            if let Some((number, errno)) = wrong_number(&name, parameter) {
                numbers += 1;
                let call = call(&name, &parameters, Some((place, number)));
                steps.push(refused(&call, &name, &result, errno));
            }
        }
        // All pointers at once, whatever comes of it.
        if parameters.iter().filter(|p| p.is_pointer()).count() > 1 {
            let arguments = parameters.iter().map(|p| match p.is_pointer() {
                true => "NULL",
                false => p.right,
            });
            let arguments: Vec<_> = arguments.collect();
            let call = format!("{name}({})", arguments.join(", "));
            steps.push(refused(&call, &name, &result, "EINVAL"));
        }
        writeln!(program, "\nstatic void {name}_arguments(void)\n{{").expect("text");
        for step in steps {
            writeln!(program, "    {{ set_up(); {step} tear_down(); }}").expect("text");
        }
        writeln!(program, "}}").expect("text");
        writeln!(main, "    {name}_arguments();").expect("text");
    }
    main += "    unlink(labels);\n    puts(\"all well\");\n    return 0;\n}\n";
    (program + &main, nulls, numbers)
}

#[test]
fn arguments_that_are_wrong_are_refused_by_every_function() {
    let (text, nulls, numbers) = program();
    println!("{nulls} pointers, {numbers} numbers");
    let source = Path::new(env!("CARGO_TARGET_TMPDIR")).join("arguments.c");
    fs::write(&source, text).expect("a file");
    programs::run_checked(&source, &[]);
}
