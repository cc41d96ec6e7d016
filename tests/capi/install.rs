//! The library as it is installed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::common::c_library::{self, SONAME};
use crate::common::{cc, netns, peer};

/// Installs into a directory.
fn install(prefix: &Path) {
    let built = &c_library::get().shared;
    let target = built.ancestors().nth(2).expect("the target directory");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("packaging/install");
    cc::run(
        Command::new(script)
            .arg(prefix)
            .env("CARGO_TARGET_DIR", target)
            .env_remove("DESTDIR"),
    );
}

/// Builds an example with what pkg-config(1) says and gives what it prints in a
/// namespace of its own.
fn build_and_run(prefix: &Path, flags: &[&str]) -> String {
    let library = prefix.join("lib");
    let said = cc::run(
        Command::new("pkg-config")
            .args(flags)
            .args(["--cflags", "--libs", "libnetfilter_conntrack"])
            .env("PKG_CONFIG_PATH", library.join("pkgconfig")),
    );
    let program = prefix.join("edit");
    cc::run(
        Command::new("gcc")
            .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/c/edit.c"))
            .args(said.split_whitespace())
            .arg("-o")
            .arg(&program),
    );
    let (library, program) = (library.display(), program.display());
    netns::run(|| peer::run(&format!("env LD_LIBRARY_PATH={library} {program}")))
}

#[test]
fn programs_are_built_with_the_installed_library() {
    let prefix = tempfile::tempdir().expect("a directory");
    install(prefix.path());
    let printed = build_and_run(prefix.path(), &[]);
    assert!(printed.contains("mark=42"), "{printed}");
    let library = fs::read_link(prefix.path().join("lib").join(SONAME)).expect("a link");
    assert_eq!(library, Path::new("libnetfilter_conntrack.so.3.8.0"));
}

#[test]
fn programs_are_built_with_the_static_library_alone() {
    let prefix = tempfile::tempdir().expect("a directory");
    install(prefix.path());
    let files = fs::read_dir(prefix.path().join("lib")).expect("files");
    let shared: Vec<PathBuf> = files
        .map(|file| file.expect("a file").path())
        .filter(|path| path.to_string_lossy().contains(".so"))
        .collect();
    assert_eq!(shared.len(), 3, "{shared:?}");
    for path in shared {
        fs::remove_file(path).expect("a file");
    }
    let printed = build_and_run(prefix.path(), &["--static"]);
    assert!(printed.contains("mark=42"), "{printed}");
}
