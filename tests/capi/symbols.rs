//! What the linker and the loader see of the library.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use crate::common::c_library::{self, SONAME};
use crate::common::cc;
use crate::table;

/// The names of the functions that the library is to have.
fn documented() -> BTreeSet<String> {
    let functions = table::rows::<3>("functions.tsv");
    functions.into_iter().map(|[name, ..]| name).collect()
}

/// The functions that a file defines, of those that `readelf` lists.
// Not nm(1), which leaves objects of other compilers to plugins for them.
fn defined(file: &Path, symbols: &str) -> BTreeSet<String> {
    let mut readelf = Command::new("readelf");
    let listed = cc::run(readelf.args(["--wide", symbols]).arg(file));
    let rows = listed.lines().map(|line| line.split_whitespace());
    let names = rows.filter_map(|row| match row.collect::<Vec<_>>()[..] {
        [_, _, _, _, "GLOBAL", "DEFAULT", section, name] if section != "UND" => Some(name),
        _ => None,
    });
    names.map(str::to_owned).collect()
}

#[test]
fn exactly_the_documented_functions_are_exported() {
    let exported = defined(&c_library::get().shared, "--dyn-syms");
    assert_eq!(exported, documented());
    assert_eq!(exported.len(), 105);
}

#[test]
fn the_static_library_has_them_too() {
    let archive = defined(&c_library::get().archive, "--symbols");
    let missing: Vec<_> = documented().difference(&archive).cloned().collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn the_library_has_the_name_of_the_original_and_no_versions() {
    let shared = &c_library::get().shared;
    let dynamic = cc::run(
        Command::new("readelf")
            .args(["--dynamic", "--wide"])
            .arg(shared),
    );
    let soname = format!("Library soname: [{SONAME}]");
    assert!(dynamic.contains(&soname), "{dynamic}");
    let versions = cc::run(
        Command::new("readelf")
            .args(["--version-info", "--wide"])
            .arg(shared),
    );
    assert!(!versions.contains("Version definition"), "{versions}");
    // Nothing but what is on every system.
    for line in dynamic.lines().filter(|line| line.contains("(NEEDED)")) {
        let needed = ["libc.so.6", "libgcc_s.so.1", "ld-linux"];
        assert!(needed.iter().any(|name| line.contains(name)), "{line}");
    }
}

/// What ends the process, or writes to where the program does.
///
/// Not among them are `abort`, `write` and `writev`, which the standard library
/// brings along for panics: that there are none is for the tests to show that pass
/// wrong arguments and malformed messages.
const NOT_IMPORTED: [&str; 29] = [
    "_Exit",
    "__assert",
    "__assert_fail",
    "__assert_perror_fail",
    "__fprintf_chk",
    "__printf_chk",
    "__stack_chk_fail",
    "__syslog_chk",
    "__vfprintf_chk",
    "_exit",
    "err",
    "errx",
    "error",
    "exit",
    "fprintf",
    "fputs",
    "fwrite",
    "kill",
    "perror",
    "printf",
    "pthread_exit",
    "putchar",
    "puts",
    "quick_exit",
    "raise",
    "stderr",
    "stdout",
    "syslog",
    "vfprintf",
];

#[test]
fn the_library_does_not_exit_print_or_assert() {
    let mut readelf = Command::new("readelf");
    let listed = cc::run(
        readelf
            .args(["--wide", "--dyn-syms"])
            .arg(&c_library::get().shared),
    );
    // Rows such as `7: 0000000000000000 0 FUNC GLOBAL DEFAULT UND free@GLIBC_2.2.5 (3)`.
    let rows = listed.lines().map(|line| line.split_whitespace());
    let imported: BTreeSet<_> = rows
        .filter_map(|row| match row.collect::<Vec<_>>()[..] {
            [_, _, _, _, _, _, "UND", name, ..] => name.split('@').next(),
            _ => None,
        })
        .collect();
    assert!(imported.contains("free"), "{imported:?}");
    let wrong = imported.intersection(&BTreeSet::from(NOT_IMPORTED)).count();
    assert_eq!(wrong, 0, "{imported:?}");
}

#[test]
fn the_library_stays_small() {
    const LIMIT: u64 = 512 * 1024;
    let directory = tempfile::tempdir().expect("a directory");
    let stripped = directory.path().join("stripped.so");
    let shared = &c_library::get().shared;
    cc::run(Command::new("strip").arg("-o").arg(&stripped).arg(shared));
    let size = fs::metadata(&stripped).expect("a file").len();
    println!("stripped: {size} bytes");
    assert!(size <= LIMIT, "{size} bytes");
}
