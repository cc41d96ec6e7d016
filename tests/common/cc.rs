//! The C compiler.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::c_library;

/// What `-Wall` and the like leave to be said of a good program: nothing.
pub(crate) const STRICT: [&str; 4] = ["-Wall", "-Wextra", "-Werror", "-pedantic"];

/// How a program gets at the library.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Link {
    Shared,
    Static,
}

/// Compiles and links a C program with the library, into the directory of the
/// target for temporary files, and gives its path.
///
/// # Panics
/// If that fails, showing what the compiler says; warnings are errors.
pub(crate) fn program(source: &Path, link: Link, flags: &[&str]) -> PathBuf {
    let name = source.file_stem().expect("a file").to_string_lossy();
    let kind = format!("{name}-{link:?}{}", flags.concat()).replace(['=', ','], "-");
    let program = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(kind);
    let library = c_library::get();
    let mut gcc = Command::new("gcc");
    // With the feature macros of POSIX; the headers themselves ask for C99 alone.
    gcc.args(["-std=gnu99", "-g", "-O1"])
        .args(STRICT)
        .arg("-I")
        .arg(c_library::headers())
        .arg(source)
        .arg("-o")
        .arg(&program);
    match link {
        Link::Shared => gcc
            .arg("-L")
            .arg(&library.directory)
            .arg("-lnetfilter_conntrack"),
        Link::Static => gcc.arg(&library.archive).args(["-lpthread", "-ldl", "-lm"]),
    };
    // Last, since libraries among them are for the program.
    run(gcc.args(flags));
    program
}

/// Checks the syntax of a source text; gives what the compiler says where it
/// refuses it.
pub(crate) fn check(text: &str, compiler: &[&str], flags: &[&OsStr]) -> Result<(), String> {
    let directory = tempfile::tempdir().expect("a directory");
    let source = directory.path().join("source");
    fs::write(&source, text).expect("a file");
    let (program, arguments) = compiler.split_first().expect("a compiler");
    let output = Command::new(program)
        .args(arguments)
        .args(["-fsyntax-only", "-I"])
        .arg(c_library::headers())
        .args(flags)
        .arg(&source)
        .output()
        .unwrap_or_else(|error| panic!("{program}: {error} (tests/setup installs it)"));
    match output.status.success() {
        true => Ok(()),
        false => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
    }
}

/// Compiles a source text into a program of its own and gives what it prints.
pub(crate) fn output_of(text: &str) -> String {
    let directory = tempfile::tempdir().expect("a directory");
    let source = directory.path().join("source.c");
    let program = directory.path().join("program");
    fs::write(&source, text).expect("a file");
    run(Command::new("gcc")
        .arg("-std=gnu99")
        .args(STRICT)
        .arg("-I")
        .arg(c_library::headers())
        .arg(&source)
        .arg("-o")
        .arg(&program));
    let output = Command::new(&program).output().expect("a program");
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).expect("text")
}

/// Runs a tool and gives what it prints.
///
/// # Panics
/// If it is missing or fails.
pub(crate) fn run(command: &mut Command) -> String {
    let output = command
        .output()
        .unwrap_or_else(|error| panic!("{command:?}: {error} (tests/setup installs it)"));
    assert!(
        output.status.success(),
        "{command:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8_lossy(&output.stdout).into_owned()
}
