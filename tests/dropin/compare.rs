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
/// C library twice, before and after: what is the same in both must be so with the
/// other library, and numbers that change must be in between.
pub(crate) fn on_one_table(line: &str) -> String {
    let ask = |library: Library| transcript(&library.attempt(line, ""));
    let (original, replacement) = wait::until(&format!("`{line}` to say the same"), || {
        let before = ask(Library::Original);
        let replacement = ask(Library::Replacement);
        let after = ask(Library::Original);
        if is_between(&before, &replacement, &after) {
            return Some((before.clone(), before));
        }
        (before == after).then_some((before, replacement))
    });
    assert_same(line, &original, &replacement);
    original
}

/// Whether a text is what others are that were written before and after it, but for
/// numbers which time changes in those.
fn is_between(before: &str, text: &str, after: &str) -> bool {
    let [before, text, after] = [before, text, after].map(parts);
    if before.len() != text.len() || after.len() != text.len() {
        return false;
    }
    let mut places = before.iter().zip(&text).zip(&after);
    places.all(|((before, now), after)| {
        if before == after {
            return now == before;
        }
        let numbers = [before, now, after].map(|part| part.parse::<u64>().ok());
        let [Some(before), Some(now), Some(after)] = numbers else {
            return false;
        };
        let passed = before.abs_diff(after);
        (before.min(after)..=before.max(after)).contains(&now) && passed <= wait::DEADLINE.as_secs()
    })
}

/// A text cut where numbers begin and end.
fn parts(text: &str) -> Vec<&str> {
    text.as_bytes()
        .chunk_by(|a, b| a.is_ascii_digit() == b.is_ascii_digit())
        .map(|part| std::str::from_utf8(part).expect("cut at ASCII characters"))
        .collect()
}

#[test]
fn only_what_time_changes_may_differ() {
    let before = "udp 17 599 src=192.0.2.1 delta-time=9";
    let after = "udp 17 598 src=192.0.2.1 delta-time=10";
    for (now, is_it) in [
        (before, true),
        (after, true),
        ("udp 17 599 src=192.0.2.1 delta-time=10", true),
        ("udp 17 597 src=192.0.2.1 delta-time=9", false),
        ("udp 17 599 src=192.0.2.2 delta-time=9", false),
        ("udp 17 599 src=192.0.2.1 delta-time=11", false),
        ("udp 17 599 dst=192.0.2.1 delta-time=9", false),
        ("udp 17 599 src=192.0.2.1", false),
    ] {
        assert_eq!(is_between(before, now, after), is_it, "{now}");
    }
    assert!(!is_between(before, after, before));
    assert!(!is_between("1", "1000", "2000"));
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
