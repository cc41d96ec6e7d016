//! The test harness itself: private namespaces, peers, traffic, privileges.

mod common;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::panic::{self, AssertUnwindSafe};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use common::peer::Peer;
use common::{netns, ordinary_user, peer, privileges, sysctl, traffic, wait};
use nix::errno::Errno;
use nix::sched::{CloneFlags, setns, unshare};

/// A line of `conntrack` arguments that adds an entry; the source port tells it
/// from others.
fn entry(port: u16) -> String {
    format!("-I -s 192.0.2.1 -d 198.51.100.2 -p udp --sport {port} --dport 53 -t 600")
}

fn add_entry(port: u16) {
    peer::run(&format!("conntrack {}", entry(port)));
}

fn list() -> String {
    peer::run("conntrack -L")
}

/// What `action` says when it panics.
fn panic_text(action: impl FnOnce()) -> String {
    let panic = panic::catch_unwind(AssertUnwindSafe(action)).expect_err("a panic");
    match panic.downcast::<String>() {
        Ok(text) => *text,
        Err(panic) => (*panic.downcast::<&str>().expect("a text")).to_owned(),
    }
}

#[test]
fn namespaces_at_the_same_time_do_not_see_each_other() {
    let filled = AtomicUsize::new(0);
    let fill_and_look = |port| {
        netns::run(|| {
            add_entry(port);
            filled.fetch_add(1, Ordering::SeqCst);
            wait::until("the other namespace", || {
                (filled.load(Ordering::SeqCst) == 2).then_some(())
            });
            (list(), sysctl::conntrack_count(), netns::name())
        })
    };
    let (first, second) = thread::scope(|scope| {
        let second = scope.spawn(|| fill_and_look(2222));
        (fill_and_look(1111), second.join().expect("the second one"))
    });
    assert!(first.0.contains("sport=1111") && !first.0.contains("sport=2222"));
    assert!(second.0.contains("sport=2222") && !second.0.contains("sport=1111"));
    assert_eq!((first.1, second.1), (1, 1));
    assert_ne!(first.2, second.2);
}

#[test]
fn a_namespace_leaves_the_table_around_it_alone() {
    netns::run(|| {
        add_entry(1111);
        let around = netns::name();
        netns::run(|| {
            assert_eq!(list(), "");
            add_entry(1111);
            add_entry(2222);
            assert_eq!(sysctl::conntrack_count(), 2);
            peer::run("conntrack -F");
            assert_eq!(sysctl::conntrack_count(), 0);
        });
        assert_eq!(netns::name(), around);
        assert_eq!(sysctl::conntrack_count(), 1);
        assert!(list().contains("sport=1111"));
    });
}

#[test]
fn namespaces_leave_the_table_of_the_machine_alone() {
    const MANY: u16 = 1000;
    // Connection tracking may be a module that this loads.
    netns::run(list);
    let machine = netns::name();
    let (filled, when_filled) = mpsc::channel();
    let (looked, when_looked) = mpsc::channel::<()>();
    let (before, during) = thread::scope(|scope| {
        let inside = scope.spawn(|| {
            netns::run(move || {
                let entries: Vec<_> = (1..=MANY).map(|port| entry(port) + "\n").collect();
                peer::run_with_input("conntrack -R /dev/stdin", &entries.concat());
                assert_eq!(sysctl::conntrack_count(), u64::from(MANY));
                filled.send(()).expect("a receiver");
                // Ends when the other side is dropped.
                let _ended = when_looked.recv();
            })
        });
        let before = sysctl::conntrack_count();
        let is_filled = when_filled.recv();
        let during = sysctl::conntrack_count();
        drop(looked);
        if let Err(panic) = inside.join() {
            panic::resume_unwind(panic);
        }
        is_filled.expect("entries inside");
        (before, during)
    });
    // The machine may have connections of its own, but not that many at once.
    assert!(
        during.abs_diff(before) < u64::from(MANY),
        "{before} became {during}"
    );
    assert_eq!(netns::name(), machine);
}

#[test]
fn a_new_namespace_is_empty_but_for_loopback() {
    netns::run(|| {
        let interfaces = peer::run("ip -brief link");
        assert_eq!(interfaces.lines().count(), 1, "{interfaces}");
        assert!(interfaces.contains("LOOPBACK,UP"), "{interfaces}");
        assert_eq!(peer::run("nft list ruleset"), "");
        assert_eq!(sysctl::conntrack_count(), 0);
        // Two lines of heading, then the interfaces.
        assert_eq!(netns::proc_net("dev").lines().count(), 3);
    });
}

#[test]
fn results_and_panics_come_out() {
    let text = String::from("borrowed");
    assert_eq!(netns::run(|| text.len()), 8);
    let panic = panic_text(|| netns::run(|| panic!("from {}", "inside")));
    assert_eq!(panic, "from inside");
}

#[test]
fn sysctls_are_those_of_the_namespace() {
    const ACCOUNTING: &str = "net.netfilter.nf_conntrack_acct";
    netns::run(|| {
        sysctl::write(ACCOUNTING, 1);
        netns::run(|| {
            sysctl::write(ACCOUNTING, 0);
            assert_eq!(sysctl::read(ACCOUNTING), "0");
        });
        assert_eq!(sysctl::number(ACCOUNTING), 1);
        let error = panic_text(|| sysctl::write("net.netfilter.no_such", 1));
        assert!(error.contains("no_such"), "{error}");
    });
}

#[test]
fn a_descriptor_keeps_a_namespace() {
    netns::run(|| {
        let kept = netns::run(|| {
            add_entry(1111);
            netns::descriptor()
        });
        assert_eq!(sysctl::conntrack_count(), 0);
        setns(&kept, CloneFlags::CLONE_NEWNET).expect("setns");
        assert_eq!(sysctl::conntrack_count(), 1);
    });
}

#[test]
fn traffic_is_tracked_in_both_families() {
    let loopback = [
        ("ipv4", IpAddr::V4(Ipv4Addr::LOCALHOST), "icmp "),
        ("ipv6", IpAddr::V6(Ipv6Addr::LOCALHOST), "icmpv6 "),
    ];
    netns::run(|| {
        traffic::start_tracking();
        for (family, address, icmp) in loopback {
            let (client, server) = traffic::tcp(address);
            let (first, second) = traffic::udp(address);
            let id = traffic::ping(address);

            let table = peer::run(&format!("conntrack -L -f {family}"));
            let has = |protocol: &str, state: &str, ports: [String; 2]| {
                let entry = table.lines().find(|line| {
                    line.starts_with(protocol)
                        && line.contains(state)
                        && ports.iter().all(|port| line.contains(port.as_str()))
                        && line.contains(&format!("src={address} dst={address}"))
                        && !line.contains("UNREPLIED")
                });
                assert!(entry.is_some(), "no {protocol} {ports:?} in:\n{table}");
            };
            let source = |end: std::io::Result<std::net::SocketAddr>| {
                format!(" sport={} ", end.expect("an address").port())
            };
            has(
                "tcp ",
                "ESTABLISHED",
                [source(client.local_addr()), source(server.local_addr())],
            );
            has(
                "udp ",
                "",
                [source(first.local_addr()), source(second.local_addr())],
            );
            has(icmp, "", [format!(" id={id} "), "code=0".to_owned()]);
            assert_eq!(table.lines().count(), 3, "{table}");
        }
    });
}

#[test]
fn peers_that_run_beside_the_test() {
    netns::run(|| {
        let mut events = Peer::start("conntrack -E -e NEW", "");
        // The program does not say when it listens, so entries are made until it does.
        let mut port = 0;
        wait::until("a first event", || {
            port += 1;
            add_entry(port);
            (!events.printed().is_empty()).then_some(())
        });
        add_entry(1111);
        let line = events.wait_for_line("sport=1111");
        assert!(line.contains("[NEW] udp"), "{line}");
    });
}

#[test]
fn peers_that_fail_are_quoted() {
    netns::run(|| {
        let finished = peer::attempt("conntrack -G -s 192.0.2.1 -d 198.51.100.2 -p icmp");
        assert!(!finished.status.success() && !finished.stderr.is_empty());
        let error = panic_text(|| drop(peer::run("ip link show no-such")));
        assert!(
            error.contains("`ip link show no-such`: exit status: 1")
                && error.contains("\"no-such\" does not exist"),
            "{error}"
        );
        let error = panic_text(|| peer::nft("nonsense"));
        assert!(error.contains("syntax error"), "{error}");
        let error = panic_text(|| drop(peer::run("no-such-program")));
        assert!(error.contains("no-such-program: "), "{error}");
        let mut peer = Peer::start("true", "");
        let error = panic_text(|| drop(peer.wait_for_line("anything")));
        assert!(error.contains("`true` ended without printing"), "{error}");
        let error = panic_text(|| {
            let limit = Duration::from_millis(20);
            Peer::start("sleep 1000", "").finish_within(limit);
        });
        assert_eq!(error, "`sleep 1000` did not end in 20ms:\n");
    });
}

#[test]
fn nothing_reaches_the_machine_itself() {
    for error in [
        panic_text(|| drop(peer::run("true"))),
        panic_text(|| sysctl::write("net.netfilter.nf_conntrack_acct", 0)),
    ] {
        assert!(error.contains("only for use inside netns::run"), "{error}");
    }
}

#[test]
fn capabilities_are_taken_from_one_thread() {
    let refused = privileges::without_capabilities(|| unshare(CloneFlags::CLONE_NEWNET));
    assert_eq!(refused, Err(Errno::EPERM));
    netns::run(|| {
        let around = netns::name();
        privileges::without_capabilities(|| assert_eq!(netns::name(), around));
    });
}

#[test]
fn passes_for_an_ordinary_user() {
    ordinary_user::rerun_these_tests();
}
