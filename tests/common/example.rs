//! The programs of the examples.

use std::env;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Output};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::common::ordinary_user;

/// An example's program, which `cargo test` builds next to the tests.
pub(crate) fn program(name: &str) -> PathBuf {
    let test = env::current_exe().unwrap();
    let directory = test.ancestors().nth(2).unwrap();
    let program = directory.join("examples").join(name);
    assert!(
        program.exists(),
        "{} is missing; `cargo build --examples` makes it",
        program.display()
    );
    program
}

/// The program with a limit of time.
pub(crate) fn example(name: &str) -> Command {
    let mut command = Command::new("timeout");
    command.arg("60").arg(program(name));
    command
}

/// The same as an ordinary user, if the tests run as root.
pub(crate) fn as_ordinary_user(name: &str) -> Command {
    let mut command = example(name);
    if ordinary_user::can_change_user() {
        command.uid(65534).gid(65534);
    }
    command
}

/// What a program that must succeed has printed.
///
/// # Panics
/// If it did not, with its errors.
pub(crate) fn successful(output: Output) -> String {
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {errors}", output.status);
    String::from_utf8(output.stdout).unwrap()
}

/// A program that is ended with the test, if it goes on.
pub(crate) struct Running {
    pub(crate) child: Child,
}

impl Running {
    pub(crate) fn start(command: &mut Command) -> Self {
        let child = command.spawn().unwrap();
        Self { child }
    }

    pub(crate) fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(self.child.id().try_into().unwrap());
        kill(pid, signal).unwrap();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
