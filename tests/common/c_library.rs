//! The C library of this crate, built as packagers build it.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use serde_json::Value as Json;

/// The name by which programs find the shared library.
pub(crate) const SONAME: &str = "libnetfilter_conntrack.so.3";

/// What `cargo build --release` makes.
pub(crate) struct CLibrary {
    /// The shared library.
    pub(crate) shared: PathBuf,
    /// The static library.
    pub(crate) archive: PathBuf,
    /// A directory with the shared library under [`SONAME`] and under the name
    /// that `-lnetfilter_conntrack` asks for.
    pub(crate) directory: PathBuf,
}

/// Builds the library, once.
///
/// # Panics
/// If that fails, showing why.
pub(crate) fn get() -> &'static CLibrary {
    static LIBRARY: OnceLock<CLibrary> = OnceLock::new();
    LIBRARY.get_or_init(build)
}

/// The directory to be given to compilers with `-I`.
pub(crate) fn headers() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("include")
}

fn build() -> CLibrary {
    let output = Command::new(env!("CARGO"))
        .args(["build", "--release", "--lib", "--message-format=json"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo");
    let messages = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "cargo build --release: {messages}");
    let stdout = String::from_utf8(output.stdout).expect("JSON");
    let artifacts: Vec<PathBuf> = stdout
        .lines()
        .map(|line| serde_json::from_str::<Json>(line).expect("JSON"))
        .filter(|message| message["target"]["name"] == "netfilter_conntrack")
        .flat_map(|message| {
            let files = message["filenames"].as_array().cloned();
            files.unwrap_or_default()
        })
        .map(|file| PathBuf::from(file.as_str().expect("a path")))
        .collect();
    let with_extension = |extension: &str| {
        let found = artifacts
            .iter()
            .find(|file| file.extension().is_some_and(|e| e == extension));
        found
            .unwrap_or_else(|| panic!("no .{extension} in {artifacts:?}"))
            .clone()
    };
    let shared = with_extension("so");
    CLibrary {
        directory: directory(&shared),
        archive: with_extension("a"),
        shared,
    }
}

/// Makes the directory. Test programs that run at the same time may all do so.
fn directory(shared: &Path) -> PathBuf {
    let directory = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("lib");
    fs::create_dir_all(&directory).expect("a directory");
    for name in [SONAME, "libnetfilter_conntrack.so"] {
        let link = directory.join(name);
        if fs::read_link(&link).is_ok_and(|target| target == shared) {
            continue;
        }
        // Under another name first, so that the link is there at any time.
        let temporary = directory.join(format!("{name}.{}", std::process::id()));
        symlink(shared, &temporary).expect("a link");
        fs::rename(&temporary, &link).expect("a name");
    }
    directory
}
