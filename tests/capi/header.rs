//! The headers.

use std::env;
use std::ffi::OsStr;
use std::fmt::Write;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::common::c_library;
use crate::common::cc::{self, STRICT};
use crate::table;

/// Those that say so when they are included, and nothing else.
const OBSOLETE: [&str; 2] = [
    "libnetfilter_conntrack_ipv4.h",
    "libnetfilter_conntrack_ipv6.h",
];

const COMPILERS: [&[&str]; 2] = [
    &["gcc", "-x", "c", "-std=c99"],
    &["g++", "-x", "c++", "-std=c++11"],
];

fn directory() -> PathBuf {
    c_library::headers().join("libnetfilter_conntrack")
}

/// The names of all headers.
fn headers() -> Vec<String> {
    let files = fs::read_dir(directory()).expect("the headers");
    let mut names: Vec<_> = files
        .map(|file| {
            file.expect("a file")
                .file_name()
                .into_string()
                .expect("text")
        })
        .collect();
    names.sort();
    names
}

/// Lines that include all headers with content.
fn include_all() -> String {
    headers()
        .iter()
        .filter(|name| !OBSOLETE.contains(&name.as_str()))
        .fold(String::new(), |mut text, name| {
            writeln!(text, "#include <libnetfilter_conntrack/{name}>").expect("text");
            text
        })
}

/// `UPDATE_HEADER=1` writes the header instead.
#[test]
fn the_header_is_what_cbindgen_makes_of_the_source() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let config = cbindgen::Config::from_file(root.join("cbindgen.toml")).expect("cbindgen.toml");
    let modules = fs::read_to_string(root.join("src/capi/mod.rs")).expect("the modules");
    let public = modules
        .lines()
        .filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';'));
    let builder = public.fold(
        cbindgen::Builder::new().with_config(config),
        |builder, module| builder.with_src(root.join(format!("src/capi/{module}.rs"))),
    );
    let mut made = Vec::new();
    builder.generate().expect("a header").write(&mut made);
    let made = String::from_utf8(made).expect("text");

    let path = directory().join("libnetfilter_conntrack.h");
    if env::var_os("UPDATE_HEADER").is_some() {
        fs::write(&path, &made).expect("the header");
    }
    let there = fs::read_to_string(&path).expect("the header");
    assert!(
        made == there,
        "src/capi has changed: UPDATE_HEADER=1 cargo test --test capi header"
    );
}

#[test]
fn all_headers_compile_alone() {
    assert_eq!(headers().len(), 10);
    for header in headers() {
        let text = format!(
            "#include <libnetfilter_conntrack/{header}>\n\
             #include <libnetfilter_conntrack/{header}>\n\
             typedef int not_empty;\n"
        );
        for compiler in COMPILERS {
            let flags = STRICT.map(OsStr::new);
            let said = cc::check(&text, compiler, &flags);
            let obsolete = OBSOLETE.contains(&header.as_str());
            match said {
                Ok(()) => assert!(!obsolete, "{header} does not say that it is obsolete"),
                Err(said) => assert!(
                    obsolete && said.contains("obsolete"),
                    "{header} by {compiler:?}: {said}"
                ),
            }
            if obsolete {
                assert_eq!(cc::check(&text, compiler, &[]), Ok(()));
            }
        }
    }
}

#[test]
fn headers_of_the_kernel_may_stand_in_front_or_behind() {
    let kernel = "#include <linux/netfilter/nfnetlink_conntrack.h>\n\
                  #include <linux/netfilter/nf_conntrack_common.h>\n";
    let own = "#include <libnetfilter_conntrack/libnetfilter_conntrack.h>\n";
    for text in [format!("{kernel}{own}"), format!("{own}{kernel}")] {
        for compiler in COMPILERS {
            assert_eq!(cc::check(&text, compiler, &STRICT.map(OsStr::new)), Ok(()));
        }
    }
}

#[test]
fn constants_have_the_values_of_the_original() {
    let constants = table::rows::<5>("constants.tsv");
    let mut text = include_all();
    text += "#include <stdio.h>\nint main(void) {\n";
    for [_, _, name, ..] in &constants {
        writeln!(text, "printf(\"%lld\\n\", (long long)({name}));").expect("text");
    }
    // A macro that takes an argument has no value of its own.
    text += "return NF_CT_STATE_BIT(IP_CT_RELATED_REPLY) != 4;\n}\n";
    let output = cc::output_of(&text);
    let values: Vec<_> = output.lines().collect();
    assert_eq!(values.len(), constants.len());
    for ([header, _, name, value, _], own) in constants.iter().zip(values) {
        assert_eq!(own, value, "{name} of {header}");
    }
}

#[test]
fn constants_stand_in_their_headers_and_enums() {
    let constants = table::rows::<5>("constants.tsv");
    for header in headers() {
        let mut text = format!("#include <libnetfilter_conntrack/{header}>\n");
        let own = constants.iter().filter(|[of, ..]| *of == header);
        for (number, [_, tag, name, _, kind]) in own.enumerate() {
            match (kind.as_str(), tag.as_str()) {
                ("enumerator", "(anonymous)") => {
                    writeln!(text, "int v{number} = {name};").expect("text");
                }
                // In C++ a number of another enum would not do.
                ("enumerator", tag) => {
                    writeln!(text, "{tag} v{number} = {name};").expect("text");
                }
                _ => writeln!(text, "#ifndef {name}\n#error {name}\n#endif").expect("text"),
            }
        }
        if !OBSOLETE.contains(&header.as_str()) {
            let compiler = ["g++", "-x", "c++", "-std=c++11"];
            assert_eq!(cc::check(&text, &compiler, &STRICT.map(OsStr::new)), Ok(()));
        }
    }
}

#[test]
fn enums_have_the_types_of_the_original() {
    let mut text = include_all();
    text += "#define UNSIGNED(type) (((type) -1) > 0)\nint main(void) { return !(1\n";
    let mut tags: Vec<_> = table::rows::<5>("constants.tsv")
        .into_iter()
        .map(|[_, tag, ..]| tag)
        .filter(|tag| tag != "(anonymous)" && tag != "-")
        .collect();
    tags.dedup();
    for tag in &tags {
        // The one with a negative value.
        let sign = if tag == "enum nf_conntrack_msg_type" {
            "!"
        } else {
            ""
        };
        writeln!(text, "&& sizeof({tag}) == 4 && {sign}UNSIGNED({tag})").expect("text");
    }
    text += "); }\n";
    cc::output_of(&text);
}

#[test]
fn structs_are_laid_out_as_in_the_original() {
    let fields = table::rows::<7>("structs.tsv");
    let fields = fields.iter().filter(|[of, ..]| of != "type");
    let mut text = include_all();
    text += "#include <stddef.h>\n";
    for (number, [of, size, align, field, offset, kind, width]) in fields.enumerate() {
        writeln!(
            text,
            "struct a{number} {{ char c; {of} s; }};\n\
             int size{number}[sizeof({of}) == {size} ? 1 : -1];\n\
             int align{number}[offsetof(struct a{number}, s) == {align} ? 1 : -1];\n\
             int offset{number}[offsetof({of}, {field}) == {offset} ? 1 : -1];\n\
             int width{number}[sizeof((({of} *) 0)->{field}) == {width} ? 1 : -1];",
        )
        .expect("text");
        let (element, places) = kind.split_once('[').unwrap_or((kind, "]"));
        let places = places.trim_end_matches(']');
        let type_of = match places {
            "" => format!("{element} *p{number}"),
            places => format!("{element} (*p{number})[{places}]"),
        };
        writeln!(
            text,
            "void f{number}({of} *s) {{ {type_of} = &s->{field}; (void) p{number}; }}"
        )
        .expect("text");
    }
    let compiler = ["gcc", "-x", "c", "-std=c99"];
    assert_eq!(cc::check(&text, &compiler, &STRICT.map(OsStr::new)), Ok(()));
}

#[test]
fn functions_are_declared_as_in_the_original() {
    let mut text = "#include <libnetfilter_conntrack/libnetfilter_conntrack.h>\n".to_owned();
    for [name, result, parameters] in table::rows::<3>("functions.tsv") {
        writeln!(text, "{result} (*p_{name})({parameters}) = {name};").expect("text");
    }
    for compiler in COMPILERS {
        assert_eq!(cc::check(&text, compiler, &STRICT.map(OsStr::new)), Ok(()));
    }
}

/// Programs take what libnfnetlink declares from this header.
const WITH_LIBNFNETLINK: &str = "
#include <libnetfilter_conntrack/libnetfilter_conntrack.h>
unsigned use(struct nfct_handle *handle) {
    return nfnl_rcvbufsiz(nfct_nfnlh(handle), 1 << 20)
        + nfnl_portid(nfct_nfnlh(handle)) + NFCT_ALL_CT_GROUPS;
}
";

const WITHOUT_LIBNFNETLINK: &str = "
#include <libnetfilter_conntrack/libnetfilter_conntrack.h>
int use(struct nfct_handle *handle, struct nlmsghdr *header) {
    return nfct_nfnlh(handle) != 0 && header->nlmsg_len > NFCT_ALL_CT_GROUPS;
}
";

#[test]
fn libnfnetlink_may_be_there_or_not() {
    let strict = STRICT.map(OsStr::new);
    let farm = system_headers_without("libnfnetlink");
    let compiler_headers = cc::run(Command::new("gcc").arg("-print-file-name=include"));
    let farm = [
        OsStr::new("-nostdinc"),
        OsStr::new("-isystem"),
        OsStr::new(compiler_headers.trim_end()),
        OsStr::new("-isystem"),
        farm.path().as_os_str(),
    ];
    let compiler = ["gcc", "-x", "c", "-std=c99"];
    let without = [&strict[..], &farm].concat();
    assert_eq!(cc::check(WITH_LIBNFNETLINK, &compiler, &strict), Ok(()));
    assert_eq!(cc::check(WITHOUT_LIBNFNETLINK, &compiler, &without), Ok(()));
    let missing = cc::check(WITH_LIBNFNETLINK, &compiler, &without);
    assert!(missing.is_err_and(|said| said.contains("nfnl_rcvbufsiz")));
}

/// A directory that looks like that of the system's headers, less one of them.
fn system_headers_without(name: &str) -> tempfile::TempDir {
    let farm = tempfile::tempdir().expect("a directory");
    let multiarch = cc::run(Command::new("gcc").arg("-print-multiarch"));
    let roots = [
        PathBuf::from("/usr/include"),
        Path::new("/usr/include").join(multiarch.trim_end()),
    ];
    for root in roots {
        for entry in fs::read_dir(root).expect("the system's headers") {
            let entry = entry.expect("a file");
            if entry.file_name() != name {
                // Of two with the same name the first one counts, as for the compiler.
                let _there = symlink(entry.path(), farm.path().join(entry.file_name()));
            }
        }
    }
    farm
}
