//! Programs in C: the tests in `tests/c`, and the examples.

use std::path::{Path, PathBuf};

use nix::sys::signal::Signal;

use crate::common::c_library;
use crate::common::cc::{self, Link};
use crate::common::peer::{self, Peer};
use crate::common::{netns, wait};

fn source(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// The line that runs a program with the shared library, wherever that is.
fn line(program: &Path, runner: &str) -> String {
    let directory = c_library::get().directory.display();
    let program = program.display();
    format!("env LD_LIBRARY_PATH={directory} {runner} {program}")
}

/// Finds what is read before it is written, beyond its end or after its end,
/// and what is not freed.
const MEMCHECK: &str = "valgrind --quiet --leak-check=full --show-leak-kinds=all \
    --errors-for-leak-kinds=all --error-exitcode=99";

fn run_test(source: &Path, link: Link, flags: &[&str], runner: &str) {
    let program = cc::program(source, link, flags);
    let finished = netns::run(|| peer::attempt(&line(&program, runner)));
    assert!(finished.status.success(), "{finished}");
    // Nor does the library print anything.
    assert_eq!(finished.stdout, "all well\n", "{finished}");
    assert_eq!(finished.stderr, "", "{finished}");
}

/// Runs a test with both libraries under valgrind, and once with the compiler's
/// own checks.
pub(crate) fn run_checked(source: &Path, flags: &[&str]) {
    for link in [Link::Shared, Link::Static] {
        run_test(source, link, flags, MEMCHECK);
    }
    let sanitizer = [&["-fsanitize=address,undefined"], flags].concat();
    run_test(source, Link::Shared, &sanitizer, "");
}

#[test]
fn objects() {
    run_checked(&source("tests/c/objects.c"), &[]);
}

#[test]
fn refused() {
    run_checked(&source("tests/c/refused.c"), &[]);
}

/// It brings allocation functions of its own, as valgrind and sanitizers do.
#[test]
fn memory() {
    let source = source("tests/c/memory.c");
    for link in [Link::Shared, Link::Static] {
        run_test(&source, link, &["-lnfnetlink"], "");
    }
}

#[test]
fn kernel() {
    run_checked(&source("tests/c/kernel.c"), &[]);
}

#[test]
fn with_libnfnetlink() {
    run_checked(&source("tests/c/nfnl.c"), &["-lnfnetlink"]);
}

fn example(name: &str) -> String {
    let path = format!("examples/c/{name}.c");
    line(&cc::program(&source(&path), Link::Shared, &[]), MEMCHECK)
}

#[test]
fn example_dump() {
    netns::run(|| {
        peer::run("conntrack -I -s 192.0.2.1 -d 198.51.100.1 -p udp --sport 1 --dport 2 -t 60");
        let output = peer::attempt(&example("dump"));
        assert!(output.status.success(), "{output}");
        assert!(
            output.stdout.starts_with("ipv4     2 udp      17 "),
            "{output}"
        );
        assert_eq!(output.stderr, "1 flows, 0 bytes\n");
    });
}

#[test]
fn example_edit() {
    netns::run(|| {
        let output = peer::run(&example("edit"));
        assert!(output.contains("ESTABLISHED src=192.0.2.1"), "{output}");
        assert!(output.contains("mark=42"), "{output}");
        assert_eq!(peer::run("conntrack -C"), "0\n");
    });
}

#[test]
fn example_expect() {
    netns::run(|| {
        let output = peer::run(&example("expect"));
        assert!(
            output.contains("proto=6 src=198.51.100.2 dst=192.0.2.1"),
            "{output}"
        );
        assert!(output.ends_with("to port 50000\n"), "{output}");
    });
}

#[test]
fn example_events() {
    netns::run(|| {
        let udp =
            |port: u16| format!("-s 192.0.2.1 -d 198.51.100.1 -p udp --sport {port} --dport 2");
        peer::run(&format!("conntrack -I {} -t 60", udp(1)));
        let mut events = Peer::start(&example("events"), "");
        events.wait_for_line("sport=1 ");
        peer::run(&format!("conntrack -I {} -t 60", udp(7)));
        let line = events.wait_for_line("sport=7 ");
        assert!(line.contains("[NEW]"), "{line}");
        peer::run(&format!("conntrack -D {}", udp(7)));
        events.wait_for_line("[DESTROY]");
        let ended = events.stop(Signal::SIGINT);
        assert!(ended.status.success(), "{ended}");
    });
}

#[test]
fn example_filter() {
    netns::run(|| {
        let mut filter = Peer::start(&format!("{} 2", example("filter")), "");
        filter.wait_for_line("listening");
        for flow in [
            "-s 127.0.0.9 -d 198.51.100.1 -p udp --sport 1 --dport 2",
            "-s 192.0.2.1 -d 198.51.100.1 -p udp --sport 3 --dport 4",
            "-s 192.0.2.1 -d 198.51.100.1 -p sctp --sport 5 --dport 6 --state ESTABLISHED --orig-vtag 1 --reply-vtag 2",
            "-s 192.0.2.1 -d 198.51.100.1 -p tcp --sport 7 --dport 8 --state ESTABLISHED",
        ] {
            peer::run(&format!("conntrack -I {flow} -t 60"));
        }
        let output = filter.finish_within(wait::DEADLINE);
        assert!(output.status.success(), "{output}");
        let ports: Vec<_> = output.stdout.lines().skip(1).collect();
        assert_eq!(ports.len(), 2, "{output}");
        assert!(
            ports[0].contains("sport=3 ") && ports[1].contains("sport=7 "),
            "{output}"
        );
    });
}
