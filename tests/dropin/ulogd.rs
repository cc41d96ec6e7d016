//! ulogd(8) with its NFCT input, which writes flows to files.

use std::fs;
use std::net::Ipv4Addr;

use nix::sys::signal::Signal;
use tempfile::TempDir;

use super::common::peer::{self, Peer};
use super::common::{netns, sysctl, traffic, wait};
use super::compare::assert_same;
use super::library::Library;
use super::steady;

/// A daemon, and the directory it writes to.
struct Logger {
    library: Library,
    daemon: Peer,
    directory: TempDir,
}

impl Logger {
    /// Starts the daemon with these settings of its input, and three outputs:
    /// for each flow, a line of a log, a list of all values, and what
    /// `nfct_snprintf` makes of it.
    fn start(library: Library, input: &str) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let path = |name: &str| directory.path().join(name).display().to_string();
        let [log, lines, values, xml, configuration] =
            ["log", "lines", "values", "xml", "configuration"].map(path);
        let text = format!(
            "[global]\n\
             logfile=\"{log}\"\n\
             loglevel=3\n\
             stack=flows:NFCT,ip2str:IP2STR,print:PRINTFLOW,lines:LOGEMU\n\
             stack=flows:NFCT,values:OPRINT\n\
             stack=flows:NFCT,xml:XML\n\
             [flows]\n\
             {input}\n\
             [lines]\n\
             file=\"{lines}\"\n\
             sync=1\n\
             [values]\n\
             file=\"{values}\"\n\
             sync=1\n\
             [xml]\n\
             directory=\"{xml}\"\n\
             sync=1\n"
        );
        fs::create_dir(&xml).expect("a directory");
        fs::write(&configuration, text).expect("a file");
        let mut daemon = library.start(&format!("ulogd --configfile {configuration}"));
        wait::until("ulogd to be ready", || {
            assert!(daemon.is_running(), "ulogd has ended: {}", daemon.said());
            let log = fs::read_to_string(&log).unwrap_or_default();
            log.contains("entering main loop").then_some(())
        });
        Self {
            library,
            daemon,
            directory,
        }
    }

    /// Waits until this many flows have been written.
    fn wait_for(&self, count: usize) {
        let written = || self.read("values").matches("PACKET BOUNDARY").count();
        let enough = wait::within(wait::DEADLINE, || (written() >= count).then_some(()));
        assert!(
            enough.is_some(),
            "not {count} flows {}: {}",
            self.library,
            self.read("lines")
        );
    }

    /// Waits until the daemon has slept twice: what it does when it wakes up is
    /// done by then.
    fn wait_until_it_has_asked(&self) {
        let status = format!("/proc/{}/status", self.daemon.id());
        let sleeps = || {
            let status = fs::read_to_string(&status).expect("a status");
            let mut lines = status.lines();
            let count = lines.find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
            count
                .expect("a count")
                .trim()
                .parse::<u64>()
                .expect("a number")
        };
        let before = sleeps();
        wait::until("ulogd to wake up", || {
            (sleeps() >= before + 2).then_some(())
        });
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.directory.path().join(name)).unwrap_or_default()
    }

    /// Ends the daemon and returns all it has written, but for the times at which
    /// it did so.
    fn stop(self) -> String {
        let Self {
            daemon, directory, ..
        } = self;
        let finished = daemon.stop(Signal::SIGTERM);
        assert!(finished.status.success(), "{finished}");
        let read = |path| fs::read_to_string(path).expect("a file");
        let [lines, values] = ["lines", "values"].map(|name| read(directory.path().join(name)));
        // Lines such as `Nov 22 01:35:54 host [NEW] ORIG: SRC=…`.
        let mut text: String = lines
            .lines()
            .map(|line| format!("{}\n", line.split_once(" ORIG").expect("a flow").1))
            .collect();
        text += &values;
        for file in fs::read_dir(directory.path().join("xml")).expect("a directory") {
            let flows = read(file.expect("a file").path());
            for flow in flows.lines() {
                text += flow.split("<when>").next().unwrap_or_default();
                text += "\n";
            }
        }
        text
    }
}

/// Runs daemons with both libraries on the same flows, until both have written
/// `count` of them, asserts that they have written the same, and returns it.
///
/// The times of flows are compared where the kernel keeps them.
fn assert_same_flows(input: &str, count: usize, cause: impl FnOnce(&[Logger])) -> String {
    let loggers = [Library::Original, Library::Replacement].map(|l| Logger::start(l, input));
    cause(&loggers);
    let [original, replacement] = loggers.map(|logger| {
        logger.wait_for(count);
        let text = logger.stop();
        if sysctl::number("net.netfilter.nf_conntrack_timestamp") == 1 {
            return text;
        }
        let times = [
            "flow.start.sec=",
            "flow.start.usec=",
            "flow.end.sec=",
            "flow.end.usec=",
        ];
        times.iter().fold(text, |text, name| {
            steady::replace_numbers(&text, name, |_| "#".to_owned())
        })
    });
    assert_same(input, &original, &replacement);
    assert_eq!(
        original.matches("PACKET BOUNDARY").count(),
        count,
        "{original}"
    );
    original
}

/// Makes flows over loopback and takes them out of the table.
fn flows() {
    drop(traffic::tcp(Ipv4Addr::LOCALHOST.into()));
    drop(traffic::udp(Ipv4Addr::LOCALHOST.into()));
    peer::run("conntrack -D -p tcp");
    peer::run("conntrack -D -p udp");
}

fn keep(what: &str) {
    sysctl::write(&format!("net.netfilter.nf_conntrack_{what}"), 1);
}

#[test]
fn writes_the_end_of_flows() {
    netns::run(|| {
        keep("acct");
        keep("timestamp");
        traffic::start_tracking();
        let text = assert_same_flows("hash_enable=0\nevent_mask=0x00000004", 2, |_| flows());
        for expected in [
            "orig.raw.pktcount=1\n",
            "ct.event=4\n",
            "flow.end.usec=",
            "<deltatime>",
        ] {
            assert!(text.contains(expected), "no {expected}: {text}");
        }
    });
}

#[test]
fn writes_the_beginning_and_the_end_of_flows() {
    netns::run(|| {
        traffic::start_tracking();
        let text = assert_same_flows("hash_enable=0\nevent_mask=0x00000005", 4, |_| flows());
        assert!(text.contains("ct.event=1\n"), "{text}");
    });
}

#[test]
fn finds_flows_in_its_own_table() {
    netns::run(|| {
        keep("acct");
        traffic::start_tracking();
        let settings = "hash_enable=1\nhash_buckets=64\nhash_max_entries=64";
        let text = assert_same_flows(settings, 2, |_| flows());
        assert!(text.contains("flow.start.sec="), "{text}");
    });
}

#[test]
fn asks_for_flows_now_and_then() {
    netns::run(|| {
        keep("acct");
        traffic::start_tracking();
        let there = traffic::udp(Ipv4Addr::LOCALHOST.into());
        let text = assert_same_flows("pollinterval=1", 1, |loggers| {
            loggers.iter().for_each(Logger::wait_until_it_has_asked);
            // It tells of flows that are gone the next time.
            drop(there);
            peer::run("conntrack -D -p udp");
        });
        assert!(text.contains("orig.raw.pktcount=1\n"), "{text}");
    });
}

/// Runs daemons with these filters and gives what they write of flows over both
/// protocols.
///
/// Where a filter has addresses of one family only, ulogd passes one for the other
/// family that it has not initialized; so flows are of `families` only.
fn filtered(filters: &str, families: &[&str], count: usize) -> String {
    netns::run(|| {
        let settings = format!(
            "hash_enable=0\n\
             event_mask=0x00000005\n\
             netlink_socket_buffer_size=217088\n\
             netlink_socket_buffer_maxsize=1085440\n\
             {filters}"
        );
        assert_same_flows(&settings, count, |_| {
            for (family, flow) in [
                (
                    "4",
                    "-s 192.0.2.1 -d 198.51.100.1 -p udp --sport 1001 --dport 53",
                ),
                (
                    "4",
                    "-s 192.0.2.1 -d 198.51.100.1 -p tcp --sport 1002 --dport 53 --state CLOSE",
                ),
                (
                    "4",
                    "-s 192.0.2.17 -d 198.51.100.1 -p udp --sport 1003 --dport 53",
                ),
                (
                    "4",
                    "-s 192.0.2.1 -d 198.51.100.17 -p udp --sport 1004 --dport 53",
                ),
                (
                    "6",
                    "-s 2001:db8::1 -d 2001:db8:2::1 -p udp --sport 1005 --dport 53",
                ),
                (
                    "6",
                    "-s 2001:db8::1 -d 2001:db8:1::1 -p udp --sport 1006 --dport 53",
                ),
                (
                    "6",
                    "-s 2001:db9::1 -d 2001:db8:1::1 -p udp --sport 1007 --dport 53",
                ),
            ] {
                if families.contains(&family) {
                    peer::run(&format!("conntrack -I -t 600 {flow}"));
                }
            }
            peer::run("conntrack -D");
        })
    })
}

#[test]
fn filters_in_the_kernel() {
    let protocol = "accept_proto_filter=udp\n";
    let source = format!("{protocol}accept_src_filter=192.0.2.0/28,2001:db8::/32");
    let text = filtered(&source, &["4", "6"], 8);
    for port in ["1001", "1004", "1005", "1006"] {
        assert!(text.contains(&format!("SPT={port} ")), "{text}");
    }
    let v4 = "accept_src_filter=192.0.2.0/28\naccept_dst_filter=198.51.100.0/28";
    let text = filtered(&format!("{protocol}{v4}"), &["4"], 2);
    assert!(text.contains("SPT=1001 "), "{text}");
    let v6 = "accept_src_filter=2001:db8::/32\naccept_dst_filter=2001:db8:1::/48";
    let text = filtered(&format!("{protocol}{v6}"), &["6"], 2);
    assert!(text.contains("SPT=1006 "), "{text}");
}
