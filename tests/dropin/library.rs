//! The two libraries, and the proof of which one a program has loaded.

use std::collections::BTreeSet;
use std::env;
use std::ffi::OsString;
use std::fmt;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::panic;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use tempfile::TempDir;

use super::common::c_library::{self, SONAME};
use super::common::ordinary_user;
use super::common::peer::{Finished, Peer};
use super::common::wait;

/// Names a directory with this crate's library to a program that cannot find it.
const DIRECTORY: &str = "DROPIN_DIRECTORY";

/// What a program works with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Library {
    /// The C library, where the system has it.
    Original,
    /// The shared library of this crate.
    Replacement,
}

impl Library {
    /// Runs a program to its end, which must be a successful one, and returns
    /// what it printed.
    pub(crate) fn run(self, line: &str) -> String {
        let finished = self.attempt(line, "");
        assert!(finished.status.success(), "{self}: {finished}");
        finished.stdout
    }

    /// Runs a program that may fail, with `input` to read.
    ///
    /// # Panics
    /// If it does not end in time, or if it and the programs that it started have
    /// not all loaded this library, or none has.
    pub(crate) fn attempt(self, line: &str, input: &str) -> Finished {
        let log = tempfile::tempdir().expect("a directory");
        let peer = Peer::start_with(line, input, |command| {
            self.select(command);
            // See ld.so(8): this makes a file for each process.
            command.env("LD_DEBUG", "libs");
            command.env("LD_DEBUG_OUTPUT", log.path().join("ld"));
        });
        let finished = peer.finish();
        let messages: String = fs::read_dir(log.path())
            .expect("the directory")
            .map(|file| fs::read_to_string(file.expect("a file").path()).expect("a text"))
            .collect();
        let loaded = messages
            .lines()
            .filter_map(|line| line.split_once("calling init: "))
            .map(|(_, path)| path.into());
        self.assert_is_the_one(loaded, &finished);
        finished
    }

    /// Starts a program that runs beside the test.
    ///
    /// # Panics
    /// If it loads another library, or none.
    pub(crate) fn start(self, line: &str) -> Peer {
        self.start_with(line, |_| ())
    }

    /// The same for a program that needs more than arguments.
    pub(crate) fn start_with(self, line: &str, prepare: impl FnOnce(&mut Command)) -> Peer {
        let mut peer = Peer::start_with(line, "", |command| {
            self.select(command);
            prepare(command);
        });
        let maps = format!("/proc/{}/maps", peer.id());
        wait::until(&format!("`{line}` to load {SONAME}"), || {
            let running = peer.is_running();
            let maps = fs::read_to_string(&maps).unwrap_or_default();
            assert!(running, "`{line}` has ended: {}", peer.said());
            let mut files = maps.lines().filter_map(|line| line.split_once('/'));
            files
                .any(|(_, path)| is_the_library(Path::new(path)))
                .then_some(())
        });
        let maps = fs::read_to_string(&maps).expect("it was there");
        let files = maps
            .lines()
            .filter_map(|line| line.find('/').map(|at| &line[at..]));
        self.assert_is_the_one(files.map(PathBuf::from), &line);
        peer
    }

    fn select(self, command: &mut Command) {
        match self {
            // Cargo sets it for the tests.
            Self::Original => command.env_remove("LD_LIBRARY_PATH"),
            Self::Replacement => command.env("LD_LIBRARY_PATH", directory()),
        };
        // A function that is missing is noticed at once, not when it is called.
        command.env("LD_BIND_NOW", "1");
    }

    fn assert_is_the_one(self, files: impl Iterator<Item = PathBuf>, about: &dyn fmt::Display) {
        let ours = directory().join(SONAME);
        let ours = ours.canonicalize().expect("the library is there");
        let loaded: BTreeSet<_> = files
            .filter(|path| is_the_library(path))
            .map(|path| path.canonicalize().expect("a path"))
            .collect();
        assert_eq!(loaded.len(), 1, "libraries loaded: {loaded:?}: {about}");
        let is_ours = loaded.contains(&ours);
        assert_eq!(
            is_ours,
            self == Self::Replacement,
            "loaded {loaded:?}: {about}"
        );
    }
}

impl fmt::Display for Library {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Original => "with the C library",
            Self::Replacement => "with this crate's library",
        })
    }
}

/// Whether this is some form of the library: its name may have a version after
/// that of the interface, and the one Cargo gives has none.
fn is_the_library(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default();
    name.to_string_lossy()
        .starts_with("libnetfilter_conntrack.so")
}

/// A directory that has this crate's library under [`SONAME`].
pub(crate) fn directory() -> &'static Path {
    static FOUND: OnceLock<PathBuf> = OnceLock::new();
    FOUND.get_or_init(|| match env::var_os(DIRECTORY) {
        Some(directory) => directory.into(),
        None => c_library::get().directory.clone(),
    })
}

/// Runs all tests once more as an ordinary user, who may not be able to reach
/// the library where it was built.
pub(crate) fn rerun_as_ordinary_user() {
    let reachable: TempDir = tempfile::tempdir().expect("a directory");
    let for_all = fs::Permissions::from_mode(0o755);
    fs::set_permissions(reachable.path(), for_all).expect("chmod");
    fs::copy(directory().join(SONAME), reachable.path().join(SONAME)).expect("a copy");
    let value: OsString = reachable.path().into();
    ordinary_user::rerun_these_tests_with(|command| {
        command.env(DIRECTORY, value);
    });
}

#[test]
fn the_wrong_library_is_noticed() {
    let ours = directory().join(SONAME);
    let passes = |library: Library, files: &[&PathBuf]| {
        let files = files.iter().map(|file| (*file).clone());
        panic::catch_unwind(|| library.assert_is_the_one(files, &"a program")).is_ok()
    };
    assert!(passes(Library::Replacement, &[&ours, &"/bin/sh".into()]));
    assert!(!passes(Library::Original, &[&ours]));
    assert!(!passes(Library::Replacement, &[&"/bin/sh".into()]));
}
