//! Proves that tests pass without root.

use std::fs::{self, File};
use std::os::fd::AsRawFd;
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::thread;

/// `nobody` and `nogroup`, or what else has these numbers.
const ORDINARY: u32 = 65534;

/// Runs all other tests of this program once more, as an ordinary user.
///
/// To be called by a test, which is left out there. Tests that are run by an
/// ordinary user anyway stay with that user.
///
/// # Panics
/// If one of the tests fails, showing all they printed.
pub(crate) fn rerun_these_tests() {
    rerun_these_tests_with(|_| ());
}

/// The same for a program that must be told more, such as by variables in its
/// environment.
pub(crate) fn rerun_these_tests_with(prepare: impl FnOnce(&mut Command)) {
    let this = thread::current();
    let this = this.name().expect("test threads bear the test's name");
    // By descriptor, since the path may lead through directories of root alone.
    let program = File::open("/proc/self/exe").expect("/proc/self/exe");
    let mut command = Command::new(format!("/proc/self/fd/{}", program.as_raw_fd()));
    command.args(["--exact", "--skip", this]).current_dir("/");
    if can_change_user() {
        command.uid(ORDINARY).gid(ORDINARY);
    }
    prepare(&mut command);
    let output = command.output().expect("exec");
    let text = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success() && text.contains("test result: ok.") && !text.contains(" 0 passed"),
        "as an ordinary user:\n{}",
        // Not to be taken for what this program itself prints.
        text.replace('\n', "\n    ")
    );
}

/// Whether the program can become the ordinary user. Where an ordinary user
/// started it, it is in a user namespace that has no other users.
pub(crate) fn can_change_user() -> bool {
    let map = fs::read_to_string("/proc/self/uid_map").expect("/proc/self/uid_map");
    // Lines of: first id inside, first id outside, count.
    map.lines().any(|line| {
        let mut numbers = line.split_whitespace().map_while(|word| word.parse().ok());
        match (numbers.next(), numbers.nth(1)) {
            (Some(first), Some(count)) => (first..first + count).contains(&u64::from(ORDINARY)),
            _ => false,
        }
    })
}
