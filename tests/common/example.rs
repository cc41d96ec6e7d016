//! The examples' programs.

use std::env;
use std::path::PathBuf;
use std::process::{Command, Output};

/// An example's program, which `cargo test` builds next to the tests.
pub(crate) fn example(name: &str) -> Command {
    let test = env::current_exe().unwrap();
    let directory = test.ancestors().nth(2).unwrap();
    let program: PathBuf = directory.join("examples").join(name);
    assert!(
        program.exists(),
        "{} is missing; `cargo build --examples` makes it",
        program.display()
    );
    let mut command = Command::new("timeout");
    command.arg("60").arg(program);
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
