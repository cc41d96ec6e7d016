//! Random sequences of operations, done by this crate and by the C library that
//! it replaces, and all that can be seen of the objects compared after each.
//!
//! `DIFFERENTIAL_SEQUENCES` sets how many sequences there are, and
//! `DIFFERENTIAL_SEED` another start of the random numbers.

mod c_api;
mod c_ops;
mod c_side;
mod class;
#[path = "../common/mod.rs"]
mod common;
mod explained;
mod known;
mod message;
mod native_side;
mod op;
mod side;

use std::cell::RefCell;
use std::env;
use std::path::Path;
use std::thread;
use std::time::Duration;

use c_api::CApi;
use c_side::CSide;
use explained::Tally;
use native_side::NativeSide;
use op::Op;
use proptest::test_runner::{
    Config, RngAlgorithm, TestCaseError, TestCaseResult, TestError, TestRng, TestRunner,
};
use side::{Detail, Outcome, Side, State};

/// The C library, of the system.
const ORIGINAL: &str = "libnetfilter_conntrack.so.3";

/// Sequences where the environment does not say: few enough for every run.
const SEQUENCES: u32 = 2000;

fn number(variable: &str, default: u32) -> u32 {
    match env::var(variable) {
        Ok(text) => text
            .parse()
            .unwrap_or_else(|_| panic!("{variable} is no number: {text}")),
        Err(_) => default,
    }
}

/// Runs random sequences on both sides.
fn compare(ours: impl Side, theirs: CSide<'_>) {
    let sequences = number("DIFFERENTIAL_SEQUENCES", SEQUENCES);
    let seed = number("DIFFERENTIAL_SEED", 1);
    let mut bytes = [0; 32];
    bytes[..4].copy_from_slice(&seed.to_le_bytes());
    let config = Config {
        cases: sequences,
        failure_persistence: None,
        max_shrink_iters: 10_000,
        ..Config::default()
    };
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let detail = theirs.detail;
    let sides = RefCell::new((ours, theirs));
    let run = |ops: Vec<Op>| {
        let (ours, theirs) = &mut *sides.borrow_mut();
        ours.reset();
        theirs.reset();
        ops.iter().try_for_each(|op| step(ours, theirs, op))
    };
    for ops in known::sequences() {
        run(ops).unwrap_or_else(|error| panic!("{error}"));
    }
    let result = TestRunner::new_with_rng(config, rng).run(&op::sequences(detail), run);
    match result {
        Ok(()) => {}
        Err(TestError::Fail(reason, ops)) => {
            let ops: Vec<_> = ops.iter().map(|op| format!("{op:?}\n")).collect();
            panic!("{reason}\nafter:\n{}(seed {seed})", ops.concat());
        }
        Err(error) => panic!("{error}"),
    }
    let (_, theirs) = sides.into_inner();
    for (what, met) in theirs.tally.iter().flat_map(Tally::counts) {
        println!("{met} times: {what}");
        assert!(met > 0, "not met, is it still a difference? {what}");
    }
}

/// Does one operation on both sides and compares what comes of it.
fn step(ours: &mut impl Side, theirs: &mut CSide<'_>, op: &Op) -> TestCaseResult {
    let built = |outcome| match outcome {
        Outcome::Built(attributes) => attributes,
        other => panic!("{other:?}"),
    };
    match *op {
        Op::Transfer { to, from } => {
            let Some(attributes) = built(ours.apply(&Op::Build { entry: from })) else {
                return Ok(());
            };
            let message = message::of(1, &attributes);
            return step(ours, theirs, &Op::Parse { entry: to, message });
        }
        Op::TransferExpect { to, from } => {
            let Some(attributes) = built(ours.apply(&Op::BuildExpect { expect: from })) else {
                return Ok(());
            };
            // The original takes the family of each tuple from the presence of
            // another one, which shows where some are missing.
            if ![0, 3].contains(&message::expect_tuples(&attributes)) {
                return Ok(());
            }
            let message = message::of(2, &attributes);
            return step(
                ours,
                theirs,
                &Op::ParseExpect {
                    expect: to,
                    message,
                },
            );
        }
        _ => {}
    }
    let mut alike = outcomes_alike(ours, theirs, op);
    if alike.is_err() && matches!(op, Op::Print { .. } | Op::PrintExpect { .. }) {
        // Texts can tell the time, which may just have gone on by a second; the
        // clock of C is a few milliseconds late.
        thread::sleep(Duration::from_millis(20));
        alike = outcomes_alike(ours, theirs, op);
    }
    alike?;
    if let Some(entry) = op.entry() {
        check_states(op, ours.entry(entry), theirs.entry(entry))?;
    }
    if let Some(expect) = op.expect() {
        check_states(op, ours.expect(expect), theirs.expect(expect))?;
    }
    Ok(())
}

/// Does an operation on both sides and compares what it returns.
fn outcomes_alike(ours: &mut impl Side, theirs: &mut CSide<'_>, op: &Op) -> TestCaseResult {
    let (our, their) = (ours.apply(op), theirs.apply(op));
    check(our == their || theirs.explains(op, &their, &our), || {
        format!("{op:?}\nours: {our:?}\ntheirs: {their:?}")
    })
}

fn check_states(op: &Op, ours: State, theirs: State) -> TestCaseResult {
    check(ours == theirs, || {
        let differing = ours
            .iter()
            .zip(&theirs)
            .filter(|(ours, theirs)| ours != theirs);
        let lines = differing.map(|(ours, theirs)| format!("\nours {ours:?}\ntheirs {theirs:?}"));
        format!("{op:?}{}", lines.collect::<String>())
    })
}

fn check(equal: bool, text: impl FnOnce() -> String) -> TestCaseResult {
    if equal {
        Ok(())
    } else {
        Err(TestCaseError::fail(text()))
    }
}

#[test]
fn the_rust_api_does_what_the_c_library_does() {
    let original = CApi::load(Path::new(ORIGINAL));
    let theirs = CSide::new(&original, Detail::Native, Some(Tally::new()));
    compare(NativeSide::new(), theirs);
}

#[test]
fn the_c_api_does_what_the_c_library_does() {
    let original = CApi::load(Path::new(ORIGINAL));
    let own = CApi::load(&common::c_library::get().shared);
    assert_ne!(own.file(), original.file());
    let theirs = CSide::new(&original, Detail::Full, Some(Tally::of_the_c_api()));
    compare(CSide::new(&own, Detail::Full, None), theirs);
}

#[test]
fn two_different_libraries_are_compared() {
    let original = CApi::load(Path::new(ORIGINAL)).file();
    let this_crate: fn(&_, &_) -> bool = netfilter_conntrack::Conntrack::compare;
    let ours = c_api::file_of(this_crate as *const _);
    let program = env::current_exe()
        .expect("a path")
        .canonicalize()
        .expect("a path");
    assert_eq!(ours, program);
    assert_ne!(original, program);
    let name = original
        .file_name()
        .expect("a name")
        .to_string_lossy()
        .into_owned();
    assert!(name.starts_with(ORIGINAL), "{name}");
    // Not one that was built here and found through LD_LIBRARY_PATH.
    let target = program.ancestors().nth(3).expect("the target directory");
    assert!(!original.starts_with(target), "{}", original.display());
}
