//! `conntrack -E`: programs with the one library and with the other listen to
//! the same events.

use std::fs;
use std::net::Ipv4Addr;

use nix::sys::signal::Signal;

use super::common::peer::{self, Finished, Peer};
use super::common::{netns, traffic, wait};
use super::compare::assert_same;
use super::ftp::{self, Session};
use super::library::Library;
use super::table;

/// Runs `conntrack -E` with these arguments, with both libraries, asserts that
/// both print the same `count` events of what `cause` does, and returns them.
fn assert_same_events(arguments: &str, count: usize, cause: impl FnOnce()) -> String {
    let line = format!("conntrack -E {arguments}");
    let listeners = [Library::Original, Library::Replacement].map(|library| library.start(&line));
    listeners.iter().for_each(wait_until_it_listens);
    cause();
    for listener in &listeners {
        wait::until(&format!("`{line}` to print {count} events"), || {
            let lines = listener.printed().lines().filter(|l| is_event(l)).count();
            // It prints an event before it counts it, and then waits for the next.
            (lines >= count && is_asleep(listener)).then_some(())
        });
    }
    let [original, replacement] = listeners.map(|listener| {
        let Finished {
            status,
            stdout,
            stderr,
            ..
        } = listener.stop(Signal::SIGINT);
        stdout + &stderr + &status.to_string()
    });
    let [old, new] = [&original, &replacement].map(|text| steady(text));
    assert_same(&line, &old, &new);
    let events = original.lines().filter(|l| is_event(l)).count();
    assert_eq!(events, count, "{original}");
    old
}

fn is_asleep(listener: &Peer) -> bool {
    let status = format!("/proc/{}/status", listener.id());
    let status = fs::read_to_string(status).expect("a status");
    status.contains("\nState:\tS")
}

fn is_event(line: &str) -> bool {
    line.contains("src=") || line.contains("<flow")
}

fn wait_until_it_listens(listener: &Peer) {
    /// Of `linux/netlink.h`.
    const NETLINK_NETFILTER: &str = "12";
    const NO_GROUPS: &str = "00000000";
    let descriptors = format!("/proc/{}/fd", listener.id());
    wait::until("a listener", || {
        // Links such as `socket:[4026]`, with the number of an inode.
        let links = fs::read_dir(&descriptors).expect("descriptors").flatten();
        let links: Vec<_> = links.flat_map(|link| fs::read_link(link.path())).collect();
        let sockets = netns::proc_net("netlink");
        let mut rows = sockets
            .lines()
            .map(|row| row.split_whitespace().collect::<Vec<_>>());
        rows.any(|row| match row[..] {
            [_, NETLINK_NETFILTER, _, groups, .., inode] => {
                let link = format!("socket:[{inode}]");
                groups != NO_GROUPS && links.iter().any(|l| l.as_os_str() == &*link)
            }
            _ => false,
        })
        .then_some(())
    });
}

/// Without what the program finds out when it reads an event: the time, in
/// brackets or in XML, and the name of the program that caused it, if that is
/// still running.
fn steady(text: &str) -> String {
    let line = |line: &str| match line.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((time, rest)) if time.trim().parse::<f64>().is_ok() => format!("[TIME]{rest}\n"),
        _ => format!("{line}\n"),
    };
    let text: String = text.lines().map(line).collect();
    let text = text.replace(" progname=conntrack", "");
    let mut parts = text.split("<when>");
    let head = parts.next().unwrap_or_default().to_owned();
    parts.fold(head, |text, part| {
        text + "<when/>" + part.split_once("</when>").expect("an end").1
    })
}

/// Three entries come, one changes, all go: 3, 1 and 3 events.
fn come_change_and_go() {
    for arguments in [
        "-I -s 192.0.2.1 -d 198.51.100.1 -p tcp --sport 1 --dport 80 --state SYN_SENT -t 600",
        "-I -s 192.0.2.2 -d 198.51.100.1 -p udp --sport 2 --dport 53 -t 600 -m 5 -n 203.0.113.9",
        "-I -s 2001:db8::1 -d 2001:db8::2 -p udp --sport 3 --dport 53 -t 600 -w 7",
        "-U -s 192.0.2.1 -m 6",
        "-D -s 192.0.2.1",
        "-D -s 192.0.2.2",
        "-D -f ipv6",
    ] {
        peer::run(&format!("conntrack {arguments}"));
    }
}

#[test]
fn all_output_formats() {
    netns::run(|| {
        let _labels = table::prepare();
        for format in [
            "",
            "-o extended",
            "-o id",
            "-o timestamp",
            "-o ktimestamp",
            "-o labels",
            "-o xml",
            "-o save",
            "-o userspace",
            "-o xml,id,timestamp,ktimestamp,extended,labels",
            "-o id,timestamp,ktimestamp,extended,labels,userspace",
        ] {
            let count = if format == "-o save" { 0 } else { 7 };
            let _text = assert_same_events(format, count, come_change_and_go);
        }
    });
}

#[test]
fn some_of_the_events() {
    netns::run(|| {
        let _labels = table::prepare();
        for (filter, count) in [
            ("-e NEW", 3),
            ("-e UPDATES,DESTROY -o id", 4),
            ("-e ALL", 7),
            ("-f ipv6", 2),
            ("-p tcp", 3),
            ("-p udp --dport 53 -o extended", 4),
            ("-s 192.0.2.1", 3),
            ("-s 192.0.2.0/30 -e NEW", 2),
            ("-d 198.51.100.0/24 -o xml", 5),
            ("-m 6", 2),
            ("-m 5/7", 2),
            ("-w 7", 2),
            ("-n", 2),
            ("-n 203.0.113.9 -e DESTROY", 1),
            ("-g", 0),
            ("-b 1000000 -e DESTROY", 3),
        ] {
            let _text = assert_same_events(filter, count, come_change_and_go);
        }
    });
}

#[test]
fn events_of_traffic() {
    netns::run(|| {
        let _labels = table::prepare();
        traffic::start_tracking();
        let text = assert_same_events("-p tcp -o id,ktimestamp", 7, || {
            drop(traffic::tcp(Ipv4Addr::LOCALHOST.into()));
            // It goes before its time.
            let gone = || !peer::run("conntrack -L -p tcp --state TIME_WAIT").is_empty();
            wait::until("TIME_WAIT", || gone().then_some(()));
            peer::run("conntrack -D -p tcp");
        });
        assert!(text.contains("[ASSURED]"), "{text}");
    });
}

#[test]
fn events_of_expectations() {
    netns::run(|| {
        ftp::start_helper();
        for arguments in ["expect", "expect -o timestamp", "expect -o xml,timestamp"] {
            // The helper sees a packet that leaves over loopback come in again.
            let _text = assert_same_events(arguments, 4, || {
                let session = Session::open();
                session.expect_data_at(50_000);
                peer::run("conntrack -F expect");
            });
        }
    });
}
