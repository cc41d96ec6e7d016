//! Two ways to compare what programs do with the one library and the other.

use std::fmt::Write;
use std::panic;
use std::thread;

use super::common::peer::Finished;
use super::common::{netns, wait};
use super::library::Library;

/// Runs a scenario with both libraries, each time in a new namespace, asserts
/// that both give the same text, and returns it.
pub(crate) fn in_own_namespaces(scenario: impl Fn(Library) -> String + Sync) -> String {
    let run = |library| netns::run(|| scenario(library));
    let (original, replacement) = thread::scope(|scope| {
        let original = scope.spawn(|| run(Library::Original));
        let replacement = run(Library::Replacement);
        (original.join(), replacement)
    });
    let original = original.unwrap_or_else(|panic| panic::resume_unwind(panic));
    assert_same("the scenario", &original, &replacement);
    original
}

/// Runs a program that changes nothing with both libraries in the caller's
/// namespace, asserts that both say the same, byte for byte, and returns it.
///
/// Seconds that pass show in what such programs say. So it is asked for with the
/// C library twice, and counts only when it is the same before and after.
pub(crate) fn on_one_table(line: &str) -> String {
    let ask = |library: Library| transcript(&library.attempt(line, ""));
    let (original, replacement) = wait::until(&format!("`{line}` to say it twice"), || {
        let before = ask(Library::Original);
        let replacement = ask(Library::Replacement);
        let after = ask(Library::Original);
        (before == after).then_some((before, replacement))
    });
    assert_same(line, &original, &replacement);
    original
}

/// All that a program told.
pub(crate) fn transcript(finished: &Finished) -> String {
    finished.to_string()
}

/// Asserts that two texts are the same, showing where they are not.
pub(crate) fn assert_same(about: &str, original: &str, replacement: &str) {
    if original == replacement {
        return;
    }
    let mut text = format!("{about}: -with the C library, +with this crate's library\n");
    let (old, new): (Vec<_>, Vec<_>) = (original.lines().collect(), replacement.lines().collect());
    for line in old.iter().filter(|line| !new.contains(line)) {
        writeln!(text, "-{line}").expect("memory");
    }
    for line in new.iter().filter(|line| !old.contains(line)) {
        writeln!(text, "+{line}").expect("memory");
    }
    panic!("{text}all of it with the C library:\n{original}\nwith this crate's:\n{replacement}");
}
