//! `flowlog` logs each flow that ends, once.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::process::{ChildStderr, Command, Stdio};
use std::sync::mpsc;
use std::{slice, thread};

use netfilter_conntrack::{L3Proto, Query};
use nix::sys::signal::Signal;

use crate::common::example::{Running, as_ordinary_user, example, program};
use crate::common::{flows, netns, sysctl, traffic, wait};

/// The value of `name=…` in a line.
fn value<'l>(line: &'l str, name: &str) -> &'l str {
    let values = line.split(' ').filter_map(|word| word.split_once('='));
    let mut values = values.filter(|(found, _)| *found == name);
    values
        .next()
        .unwrap_or_else(|| panic!("no {name} in {line}"))
        .1
}

fn number(line: &str, name: &str) -> u64 {
    value(line, name).parse().unwrap()
}

/// What the demonstration must log.
fn check(mut command: Command) {
    let output = command.arg("--demo").output().unwrap();
    let log = String::from_utf8(output.stdout).unwrap();
    let messages = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{messages}");
    let lines: Vec<_> = log.lines().collect();
    for (protocol, address, least) in [
        ("tcp", "127.0.0.1", 100_000),
        ("tcp", "::1", 1_000),
        ("udp", "127.0.0.1", 1),
        ("udp", "::1", 1),
    ] {
        let of_it = |line: &&&str| line.starts_with(protocol) && value(line, "src") == address;
        let found: Vec<_> = lines.iter().filter(of_it).collect();
        assert_eq!(found.len(), 1, "{log}");
        let bytes = number(found[0], "reply_bytes");
        assert!((least..2 * least + 1_000).contains(&bytes), "{log}");
        assert!(!value(found[0], "duration").starts_with('>'), "{log}");
    }
    assert_eq!(lines.len(), 4, "{log}");
    let bytes: u64 = lines
        .iter()
        .map(|line| number(line, "bytes") + number(line, "reply_bytes"))
        .sum();
    assert!(messages.contains("4 flows ended, "), "{messages}");
    assert!(
        messages.contains(&format!(" {bytes} bytes\n")),
        "{messages}"
    );
}

#[test]
fn flowlog_logs_its_demonstration() {
    check(example("flowlog"));
}

#[test]
fn flowlog_logs_its_demonstration_to_an_ordinary_user() {
    check(as_ordinary_user("flowlog"));
}

/// The daemon in the namespace of the calling thread.
struct Daemon {
    program: Running,
    messages: BufReader<ChildStderr>,
}

impl Daemon {
    /// Starts it and waits until it follows the events.
    fn start(arguments: &[&str]) -> Self {
        let mut command = Command::new(program("flowlog"));
        command.args(arguments);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut program = Running::start(&mut command);
        let mut messages = BufReader::new(program.child.stderr.take().unwrap());
        let mut line = String::new();
        while !line.ends_with("following\n") {
            assert!(messages.read_line(&mut line).unwrap() > 0, "{line}");
        }
        Self { program, messages }
    }

    /// The lines of the log as they are written.
    fn lines(&mut self) -> (mpsc::Receiver<String>, thread::JoinHandle<()>) {
        let log = BufReader::new(self.program.child.stdout.take().unwrap());
        let (sender, lines) = mpsc::channel();
        let reader = thread::spawn(move || {
            let mut lines = log.lines().map(Result::unwrap);
            lines.try_for_each(|line| sender.send(line)).unwrap();
        });
        (lines, reader)
    }

    fn signal(&self, signal: Signal) {
        self.program.signal(signal);
    }

    /// The log and the messages of a daemon that ends without error.
    fn end(mut self) -> (String, String) {
        let (mut log, mut messages) = (String::new(), String::new());
        let stdout = self.program.child.stdout.as_mut().unwrap();
        stdout.read_to_string(&mut log).unwrap();
        self.messages.read_to_string(&mut messages).unwrap();
        let status = self.program.child.wait().unwrap();
        assert!(status.success(), "{status}: {messages}");
        (log, messages)
    }
}

#[test]
fn flowlog_logs_each_flow_of_some_traffic_once() {
    netns::run(|| {
        traffic::start_tracking();
        sysctl::write("net.netfilter.nf_conntrack_acct", 1);
        let daemon = Daemon::start(&[]);
        let mut ports = Vec::new();
        for address in [
            IpAddr::V4(Ipv4Addr::LOCALHOST),
            IpAddr::V6(Ipv6Addr::LOCALHOST),
        ] {
            let (client, _) = traffic::tcp(address);
            ports.push(("tcp", client.local_addr().unwrap()));
            let (client, _) = traffic::udp(address);
            ports.push(("udp", client.local_addr().unwrap()));
        }
        flows::handle().flush(L3Proto::UNSPEC).unwrap();
        daemon.signal(Signal::SIGTERM);
        let (log, messages) = daemon.end();
        for (protocol, client) in &ports {
            let begin = format!("{protocol} src={} ", client.ip());
            let port = format!(" sport={} ", client.port());
            let lines = log.lines().filter(|line| line.starts_with(&begin));
            let lines: Vec<_> = lines.filter(|line| line.contains(&port)).collect();
            assert_eq!(lines.len(), 1, "{log}");
            if *protocol == "udp" {
                assert_eq!(number(lines[0], "packets"), 1, "{log}");
                assert_eq!(number(lines[0], "reply_packets"), 1, "{log}");
            }
        }
        assert_eq!(log.lines().count(), ports.len(), "{log}");
        assert!(messages.contains("4 flows ended, "), "{messages}");
    });
}

#[test]
fn flowlog_says_its_totals_at_each_signal_that_ends_it() {
    netns::run(|| {
        for signal in [Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP] {
            let daemon = Daemon::start(&[]);
            let mut handle = flows::handle();
            flows::create_all(&mut handle, &[flows::udp4(1), flows::udp4(2)]);
            handle.delete(&flows::udp4(1)).unwrap();
            daemon.signal(signal);
            let (log, messages) = daemon.end();
            assert_eq!(log.lines().count(), 1, "{log}");
            assert!(messages.contains("flowlog: 1 flows ended, "), "{messages}");
            assert!(messages.contains("1 flows go on; "), "{messages}");
            handle.flush(L3Proto::UNSPEC).unwrap();
        }
    });
}

#[test]
fn flowlog_leaves_nothing_unread() {
    netns::run(|| {
        let mut daemon = Daemon::start(&[]);
        let (lines, reader) = daemon.lines();
        // More than it reads in one turn, and nothing afterwards that wakes it up.
        let entries: Vec<_> = (1..=200).map(flows::udp4).collect();
        daemon.signal(Signal::SIGSTOP);
        let mut handle = flows::handle();
        flows::create_all(&mut handle, &entries);
        handle.flush(L3Proto::UNSPEC).unwrap();
        daemon.signal(Signal::SIGCONT);
        for number in 0..entries.len() {
            let line = lines.recv_timeout(wait::DEADLINE);
            assert!(line.is_ok(), "{number} lines only");
        }
        daemon.signal(Signal::SIGTERM);
        reader.join().unwrap();
        assert_eq!(lines.iter().count(), 0);
        let status = daemon.program.child.wait().unwrap();
        assert!(status.success(), "{status}");
    });
}

#[test]
fn flowlog_logs_what_has_come_before_it_was_to_end() {
    netns::run(|| {
        let daemon = Daemon::start(&[]);
        let entries: Vec<_> = (1..=200).map(flows::udp4).collect();
        daemon.signal(Signal::SIGSTOP);
        let mut handle = flows::handle();
        flows::create_all(&mut handle, &entries);
        handle.flush(L3Proto::UNSPEC).unwrap();
        daemon.signal(Signal::SIGTERM);
        daemon.signal(Signal::SIGCONT);
        let (log, messages) = daemon.end();
        assert_eq!(log.lines().count(), entries.len(), "{messages}");
        assert!(messages.contains("200 flows ended, "), "{messages}");
    });
}

/// More than the smallest buffers take.
const MANY: u32 = 5_000;

#[test]
fn flowlog_logs_flows_once_whose_end_was_lost() {
    netns::run(|| {
        let mut handle = flows::handle();
        let entries: Vec<_> = (1..=MANY).map(flows::udp4).collect();
        // Half of them are there before it listens, and so are listed.
        let (early, late) = entries.split_at(entries.len() / 2);
        let before: Vec<_> = late.iter().map(Query::Create).collect();
        sysctl::write("net.netfilter.nf_conntrack_events", 1);
        flows::create_all(&mut handle, early);
        let daemon = Daemon::start(&["--buffer", "16384"]);
        daemon.signal(Signal::SIGSTOP);
        // All but the last few begin and end unheard.
        handle.batch(before, |_, result| result.unwrap()).unwrap();
        let all_but_one = entries[..entries.len() - 1].iter().map(Query::Destroy);
        handle
            .batch(all_but_one, |_, result| result.unwrap())
            .unwrap();
        daemon.signal(Signal::SIGCONT);
        daemon.signal(Signal::SIGTERM);
        let (log, messages) = daemon.end();

        let logged: Vec<_> = log.lines().map(|line| value(line, "src")).collect();
        let once: BTreeSet<_> = logged.iter().collect();
        assert_eq!(logged.len(), once.len(), "some were logged twice");
        for number in 1..=MANY / 2 {
            let source = Ipv4Addr::from(0x0a00_0000 + number).to_string();
            assert!(once.contains(&source.as_str()), "{source} is missing");
        }
        let unheard = log.lines().filter(|line| line.ends_with(" end=unheard"));
        let unheard = unheard.count();
        assert!(unheard > 0);
        assert!(
            messages.contains(&format!("of {unheard} the end was not heard")),
            "{messages}"
        );
        assert!(
            messages.contains("1 flows go on; events were lost 1 times"),
            "{messages}"
        );
    });
}

#[test]
fn flowlog_learns_from_its_list_of_flows_whose_beginning_was_lost() {
    netns::run(|| {
        let mut handle = flows::handle();
        let mut daemon = Daemon::start(&["--buffer", "16384"]);
        let entries: Vec<_> = (1..=MANY).map(flows::udp4).collect();
        daemon.signal(Signal::SIGSTOP);
        flows::create_all(&mut handle, &entries);
        daemon.signal(Signal::SIGCONT);

        // It reads all events and makes its list before it writes anything.
        let (lines, reader) = daemon.lines();
        let probe = flows::udp6(1);
        wait::until("the end of a later flow", || {
            flows::create_all(&mut handle, slice::from_ref(&probe));
            handle.delete(&probe).unwrap();
            lines.try_recv().ok()
        });
        handle.flush(L3Proto::IPV4).unwrap();
        daemon.signal(Signal::SIGTERM);

        let found: Vec<_> = lines.iter().collect();
        reader.join().unwrap();
        let sources = found.iter().map(|line| value(line, "src"));
        let sources: Vec<_> = sources.filter(|source| source.starts_with("10.")).collect();
        let once: BTreeSet<_> = sources.iter().collect();
        assert_eq!((sources.len(), once.len()), (MANY as usize, MANY as usize));
        daemon.program.child.wait().unwrap();
    });
}
