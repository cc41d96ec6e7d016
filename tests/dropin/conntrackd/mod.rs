//! conntrackd(8): two nodes, of which the second takes over the flows of the
//! first, with all combinations of the libraries.

mod cluster;

use std::panic;
use std::thread;

use self::cluster::{Cluster, Mode, Node};
use super::common::{netns, peer, sysctl};
use super::compare::assert_same;
use super::ftp::{self, Session};
use super::library::Library;
use super::{steady, table};

use Library::{Original, Replacement};

/// What a node answers to these questions, without what differs from one run to
/// the next.
fn answers(node: &Node, questions: &[&str]) -> String {
    let answers = questions.iter().map(|question| {
        let answer = node.ask(question);
        let answer = match question.starts_with("-s") {
            true => statistics(&answer),
            false => {
                let entries = steady::entries(&answer);
                steady::replace_numbers(&entries, "active since ", |_| "#".to_owned())
            }
        };
        format!("$ conntrackd {question}\n{answer}")
    });
    answers.collect()
}

/// Statistics without the messages, and the updates in them: how many there are
/// depends on how much had happened when a message was put together.
fn statistics(text: &str) -> String {
    const UNSTEADY: [&str; 5] = ["Bytes", "Pckts", "updated:", "update OK", "uptime:"];
    let is_steady = |line: &&str| !UNSTEADY.iter().any(|word| line.contains(word));
    let lines = text.lines().filter(is_steady);
    lines.flat_map(|line| [line, "\n"]).collect()
}

/// Flows that the daemons are told to ignore.
const IGNORED: [&str; 3] = [
    "-s 203.0.113.77 -d 198.51.100.1 -p udp --sport 1 --dport 2",
    "-s 192.0.2.1 -d 203.0.113.77 -p udp --sport 1 --dport 2",
    "-s 2001:db8::77 -d 2001:db8::1 -p udp --sport 1 --dport 2",
];

/// Prepares a node; the flow between the nodes is none to tell of.
fn prepare() {
    table::keep_details();
    ftp::start_helper();
    peer::nft(
        "table inet sync {
             chain output {
                 type filter hook output priority raw; policy accept;
                 udp dport 3780 notrack
             }
             chain prerouting {
                 type filter hook prerouting priority raw; policy accept;
                 udp dport 3780 notrack
             }
         }",
    );
}

/// How daemons tell of the number of entries they know.
fn active(count: usize) -> String {
    format!("current active connections:\t{count:>12}\n")
}

/// Entries come, change and go at the first node; the second node takes over.
fn take_over(mode: Mode, libraries: [Library; 2]) -> String {
    let _labels = table::name_labels();
    let cluster = Cluster::start(mode, libraries, prepare);
    let [first, second] = &cluster.nodes;
    for node in [first, second] {
        // Version 1.1.1 of the C library ends the daemon where events have times.
        let times = node.inside(|| sysctl::number("net.netfilter.nf_conntrack_timestamp"));
        assert_eq!(times, 1);
    }
    let all = table::ENTRIES.len() + 1;
    let mut text = String::new();

    // Entries and an expectation come.
    for flow in IGNORED {
        peer::run(&format!("conntrack -I -t 600 {flow}"));
    }
    table::fill();
    let session = Session::open();
    session.expect_data_at(50_000);
    for node in [first, second] {
        node.wait_for("-s", &active(all));
        node.wait_for("-s expect", &active(1));
    }
    text += &answers(first, &["-i", "-i -x", "-i expect", "-i expect -x", "-s"]);
    text += &answers(first, &["-s network", "-s cache", "-s ct", "-s expect"]);
    text += &answers(second, &["-e", "-e -x", "-e expect", "-e expect -x"]);

    // One changes, one goes.
    peer::run("conntrack -U -s 192.0.2.1 -m 99");
    peer::run("conntrack -D -s 192.0.2.2");
    second.wait_for("-e", "mark=99");
    second.wait_for("-s", &active(all - 1));
    text += &answers(first, &["-i", "-s runtime"]);
    text += &answers(second, &["-e", "-s"]);

    // Both start anew: the first one from what its kernel knows, the second one
    // from what the first one knows.
    text += &answers(first, &["-f"]);
    first.wait_for_nothing("-i");
    text += &answers(first, &["-R", "-R expect"]);
    first.wait_for("-s", &active(all - 1));
    first.wait_for("-s expect", &active(1));
    text += &answers(second, &["-f external"]);
    second.wait_for_nothing("-e");
    text += &answers(second, &["-n"]);
    second.wait_for("-s", &active(all - 1));
    second.wait_for("-s expect", &active(1));
    text += &answers(first, &["-i", "-i expect"]);
    text += &answers(second, &["-e", "-e -x", "-e expect"]);

    // The second one takes over.
    text += &answers(second, &["-c ct"]);
    second.wait_for_log("commit has taken");
    text += &answers(second, &["-c expect"]);
    second.wait_for_log("Committed 1 new expectations");
    text += &second.inside(tables);
    text += &answers(second, &["-i", "-i expect", "-s cache", "-t", "-B"]);
    text += &answers(second, &["-F expect", "-F ct"]);
    text += &second.inside(tables);

    cluster.stop();
    text.replace(&session.port().to_string(), "PORT")
}

/// The tables of entries and expectations, as the C library shows them.
fn tables() -> String {
    let options = ["-f ipv4 -o labels", "-f ipv6 -o labels", "expect"];
    let lists = options.map(|options| peer::run(&format!("conntrack -L {options}")));
    steady::entries(&lists.concat())
}

/// Runs a scenario with all combinations of the libraries and asserts that they
/// give the same text.
fn assert_same_for_all(scenario: fn([Library; 2]) -> String) -> String {
    let pairs = [
        [Original, Original],
        [Replacement, Replacement],
        [Original, Replacement],
        [Replacement, Original],
    ];
    let [original, others @ ..] = thread::scope(|scope| {
        pairs
            .map(|pair| (pair, scope.spawn(move || netns::run(|| scenario(pair)))))
            .map(|(pair, thread)| (pair, thread.join()))
    })
    .map(|(pair, result)| {
        let text = result.unwrap_or_else(|panic| panic::resume_unwind(panic));
        (pair, text)
    });
    for (pair, text) in others {
        assert_same(&format!("{pair:?}"), &original.1, &text);
    }
    original.1
}

/// What the second node must have from the first one in the end.
fn check(text: &str) {
    let (_, table) = text
        .split_once("$ conntrackd -c expect\n")
        .expect("a table");
    for expected in [
        "src=192.0.2.1 dst=198.51.100.1 sport=1001 dport=80 packets=0 bytes=0 \
         src=198.51.100.1 dst=192.0.2.1 sport=80 dport=1001 packets=0 bytes=0 \
         [ASSURED] mark=99 delta-time=# use=# labels=eth-in,vpn\n",
        "src=198.51.100.6 dst=203.0.113.5 ",
        "src=2001:db8:1::4 dst=2001:db8:2::5 ",
        "dport=50000 mask-src",
    ] {
        assert!(table.contains(expected), "no {expected}: {table}");
    }
    for ignored in ["203.0.113.77", "2001:db8::77"] {
        assert!(!text.contains(ignored), "{text}");
    }
}

#[test]
fn takes_over_with_acknowledgements() {
    check(&assert_same_for_all(|libraries| {
        take_over(Mode::Ftfw, libraries)
    }));
}

#[test]
fn takes_over_without_acknowledgements() {
    check(&assert_same_for_all(|libraries| {
        take_over(Mode::Notrack, libraries)
    }));
}
