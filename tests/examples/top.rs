//! `top` shows the busiest flows.

use std::io::{BufRead, BufReader};
use std::net::{IpAddr, Ipv4Addr};
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use nix::sys::signal::Signal;

use crate::common::example::{Running, as_ordinary_user, example, program, successful};
use crate::common::{flows, netns, sysctl, traffic, wait};
use crate::terminal::Terminal;

/// The rows of a table, in words.
fn rows(text: &str) -> Vec<Vec<&str>> {
    let lines = text.lines().skip_while(|line| !line.starts_with("PROTO"));
    let rows = lines.skip(1).take_while(|line| !line.starts_with('#'));
    rows.map(|line| line.split_whitespace().collect()).collect()
}

fn number(word: &str) -> u64 {
    word.parse().unwrap_or_else(|_| panic!("{word}"))
}

/// What the demonstration must show once.
fn check(text: &str) {
    let rows = rows(text);
    let rate = |row: &[&str]| match (row[4], row[5]) {
        ("-", "-") => 0,
        (there, back) => number(there) + number(back),
    };
    // A download, an upload, and datagrams, by falling rate.
    let busiest: Vec<_> = rows.iter().take(4).collect();
    let what = busiest.iter().map(|row| (row[0], row[1].starts_with('[')));
    let expected = [("tcp", false), ("tcp", true), ("udp", false), ("udp", true)];
    assert_eq!(what.collect::<Vec<_>>(), expected, "{text}");
    assert!(busiest.iter().all(|row| rate(row) > 0), "{text}");
    assert!(
        rows.is_sorted_by_key(|row| std::cmp::Reverse(rate(row))),
        "{text}"
    );
    // The download comes back.
    assert!(number(busiest[0][5]) > 10 * number(busiest[0][4]), "{text}");
    assert!(number(busiest[1][4]) > 10 * number(busiest[1][5]), "{text}");
    // Each has carried more than it does in a second, in more than a second.
    for row in &busiest {
        assert!(number(row[6]) >= rate(row) && number(row[7]) >= 1, "{text}");
    }
    assert!(text.contains(" 198.51.100.1:443>10.0.0.7:8443 "), "{text}");
    assert!(!text.contains("nothing is counted"), "{text}");
}

#[test]
fn top_shows_its_demonstration_once() {
    let output = example("top").args(["--demo", "--once"]).output();
    check(&successful(output.unwrap()));
}

#[test]
fn top_shows_its_demonstration_to_an_ordinary_user() {
    let output = as_ordinary_user("top").args(["--demo", "-1"]).output();
    check(&successful(output.unwrap()));
}

#[test]
fn top_prints_tables_until_its_time_is_over() {
    let arguments = [
        "--demo",
        "--interval",
        "0.2",
        "--seconds",
        "3",
        "--filter",
        "UDP",
    ];
    let text = successful(example("top").args(arguments).output().unwrap());
    let tables = text.lines().filter(|line| line.starts_with("PROTO"));
    assert!((2..=15).contains(&tables.count()), "{text}");
    let mut rows = text.lines().filter(|line| line.starts_with("udp "));
    assert!(rows.next().is_some() && !text.contains("tcp "), "{text}");
}

#[test]
fn top_takes_options() {
    for wrong in [["--sort", "colour"], ["--interval", "soon"]] {
        let output = example("top").args(wrong).output().unwrap();
        assert_eq!(output.status.code(), Some(2));
    }
    let help = example("top").arg("--help").output().unwrap();
    assert!(successful(help).contains("--seconds"));
}

#[test]
fn top_orders_by_what_was_asked_for() {
    for (order, column) in [("total", 6), ("age", 7)] {
        let arguments = ["--demo", "--once", "--sort", order];
        let text = successful(example("top").args(arguments).output().unwrap());
        let values = rows(&text).into_iter().map(|row| match row[column] {
            "-" => 0,
            value => number(value),
        });
        let values: Vec<_> = values.collect();
        assert!(
            values.len() > 5 && values.is_sorted_by(|one, other| one >= other),
            "{text}"
        );
        assert!(values.first() > values.last(), "{text}");
    }
}

/// One table of the namespace the calling thread is in.
fn once(arguments: &[&str]) -> String {
    let mut command = example("top");
    command
        .args(["--once", "--interval", "0.2"])
        .args(arguments);
    successful(command.output().unwrap())
}

#[test]
fn top_shows_an_empty_table() {
    netns::run(|| {
        let text = once(&[]);
        assert!(text.starts_with("# 0 flows "), "{text}");
        assert!(rows(&text).is_empty());
    });
}

#[test]
fn top_says_that_nothing_is_counted_and_shows_flows_all_the_same() {
    netns::run(|| {
        traffic::start_tracking();
        sysctl::write("net.netfilter.nf_conntrack_acct", 0);
        let _ends = traffic::tcp(IpAddr::V4(Ipv4Addr::LOCALHOST));
        let text = once(&[]);
        assert!(text.contains("# nothing is counted: the sysctl"), "{text}");
        let rows = rows(&text);
        assert_eq!(rows.len(), 1, "{text}");
        assert_eq!(rows[0][3..7], ["ESTABLISHED", "-", "-", "-"]);
        // When it began is not known either.
        assert!(rows[0][7].starts_with('>'), "{text}");
    });
}

#[test]
fn top_shows_the_first_rows_of_many() {
    netns::run(|| {
        sysctl::write("net.netfilter.nf_conntrack_acct", 1);
        let entries: Vec<_> = (1..=100_000).map(flows::udp4).collect();
        flows::create_all(&mut flows::handle(), &entries);
        let text = once(&["--rows", "7"]);
        assert!(text.starts_with("# 100000 flows "), "{text}");
        assert_eq!(rows(&text).len(), 7, "{text}");
        // 10.0.1.44 and nothing else.
        let text = once(&["--filter", "10.0.1.44:"]);
        assert_eq!(rows(&text).len(), 1, "{text}");
    });
}

#[test]
fn top_tells_of_lost_events_and_has_all_flows_then() {
    netns::run(|| {
        let mut command = Command::new(program("top"));
        command.args(["--interval", "0.2", "--seconds", "60", "--rows", "1"]);
        let mut top = Running::start(command.stdout(Stdio::piped()));
        let mut lines = BufReader::new(top.child.stdout.take().unwrap()).lines();
        let mut next = |what: &str| {
            let found = lines.by_ref().map(Result::unwrap);
            let mut found = found.filter(|line| line.contains(what));
            found.next().unwrap_or_else(|| panic!("no {what:?}"))
        };
        next("# 0 flows ");
        top.signal(Signal::SIGSTOP);
        let entries: Vec<_> = (1..=40_000).map(flows::udp6).collect();
        flows::create_all(&mut flows::handle(), &entries);
        top.signal(Signal::SIGCONT);
        next("# 40000 flows ");
        next("# events were lost once, and made up for");
        top.signal(Signal::SIGTERM);
        assert!(top.child.wait().unwrap().success());
    });
}

/// Starts the demonstration on a terminal and waits for its rows.
fn on_terminal() -> Terminal {
    // It goes on for longer than the test waits for its end.
    let arguments = ["--demo", "--interval", "0.2", "--seconds", "90"];
    let top = Terminal::start(&program("top"), &arguments);
    for text in [
        "\x1b[?1049h",
        "\x1b[?25l",
        "PROTO",
        "tcp    127.0.0.1:",
        "udp    [::1]:",
    ] {
        top.wait_for(text, 0);
    }
    assert!(!top.is_as_before());
    top
}

/// Checks that a program has ended well and left the terminal as it was.
fn has_given_back(top: Terminal) {
    let (status, is_as_before, written) = top.end();
    assert!(status.success(), "{status}: {written:?}");
    assert!(is_as_before);
    assert!(written.ends_with("\x1b[?25h\x1b[?1049l"), "{written:?}");
    assert_eq!(written.matches("\x1b[?1049l").count(), 1, "{written:?}");
}

#[test]
fn top_gives_the_terminal_back_when_asked_to_quit() {
    for key in ["q", "\x1b", "\x03"] {
        let mut top = on_terminal();
        top.press(key);
        has_given_back(top);
    }
}

#[test]
fn top_gives_the_terminal_back_at_signals() {
    for signal in [Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP] {
        let top = on_terminal();
        top.signal(signal);
        has_given_back(top);
    }
}

#[test]
fn top_gives_the_terminal_back_when_its_time_is_over() {
    let top = Terminal::start(&program("top"), &["--demo", "--seconds", "0.5"]);
    has_given_back(top);
}

#[test]
fn top_does_what_keys_ask_for() {
    let mut top = on_terminal();
    for (keys, shown) in [
        ("s", "total, every"),
        ("s", "age, every"),
        ("p", "PAUSED"),
        ("p", " flows "),
        ("/", "filter: _"),
        ("sctp", "no flow has that text"),
        ("\x7f\x7f\x7f\x7f", "[::1]"),
        ("\r", "q quit"),
    ] {
        let from = top.written().len();
        top.press(keys);
        top.wait_for(shown, from);
    }
    top.press("q");
    has_given_back(top);
}

#[test]
fn top_fits_the_terminal_it_is_on() {
    let mut top = on_terminal();
    assert!(!top.written().contains("ESTABLISHED"));
    top.resize(120, 10);
    // On a screen that was cleared last: stty changes one size after the other.
    wait::until("a view that fits", || {
        let written = top.written();
        let (_, view) = written.rsplit_once("\x1b[2J")?;
        let is_wide = view.contains(" ESTABLISHED ");
        let is_low = view.contains("\x1b[10;1H") && !view.contains("\x1b[11;1H");
        (is_wide && is_low).then_some(())
    });
    top.press("q");
    has_given_back(top);
}

#[test]
fn top_sends_only_what_has_changed() {
    let mut top = on_terminal();
    // On a screen that stands still there is nothing to send.
    let from = top.written().len();
    top.press("p");
    top.wait_for("PAUSED", from);
    thread::sleep(Duration::from_millis(500));
    let from = top.written().len();
    top.press("x\x1b[B");
    thread::sleep(Duration::from_secs(1));
    assert_eq!(top.written().len(), from);
    top.press("q");
    has_given_back(top);
}
