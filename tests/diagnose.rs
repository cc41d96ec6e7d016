//! Why nothing is seen: each reason is brought about, found, and removed by the
//! command that the finding gives.

mod common;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::os::fd::OwnedFd;
use std::process::Command;

use common::example::{example, successful};
use common::{flows, netns, peer, privileges, sysctl, traffic};
use netfilter_conntrack::diagnose::{Diagnosis, Finding, Severity, diagnose, diagnose_in};
use netfilter_conntrack::filter::EventFilter;
use netfilter_conntrack::{Error, EventKind, Groups, Handle, L3Proto, L4Proto};

const IPV4: Finding = Finding::NoTrackingRule {
    family: L3Proto::IPV4,
};
const IPV6: Finding = Finding::NoTrackingRule {
    family: L3Proto::IPV6,
};

fn has(diagnosis: &Diagnosis, finding: &Finding) -> bool {
    diagnosis.findings().contains(finding)
}

/// What is not known, in the calling thread's namespace.
fn unknown(diagnosis: &Diagnosis) -> Vec<(&str, &str)> {
    let all = diagnosis.findings().iter();
    all.filter_map(|finding| match finding {
        Finding::Unknown { what, why } => Some((what.as_str(), why.as_str())),
        _ => None,
    })
    .collect()
}

/// Runs the command of a finding, as its text gives it.
fn cure(finding: &Finding) {
    let command = finding.command().unwrap();
    assert!(finding.to_string().ends_with(&command), "{finding}");
    peer::run_with_input("sh -e", &command);
}

/// Which of IPv4 and IPv6 are tracked, as packets show.
fn tracked() -> [bool; 2] {
    let mut handle = Handle::open(Groups::empty()).unwrap();
    handle.flush(L3Proto::UNSPEC).unwrap();
    let addresses = [
        IpAddr::from(Ipv4Addr::LOCALHOST),
        Ipv6Addr::LOCALHOST.into(),
    ];
    addresses.map(|address| {
        let before = sysctl::conntrack_count();
        traffic::udp(address);
        sysctl::conntrack_count() > before
    })
}

/// The same, as the diagnosis has it; all must be known.
fn diagnosed() -> [bool; 2] {
    let diagnosis = diagnose();
    assert_eq!(unknown(&diagnosis), [], "{diagnosis}");
    [&IPV4, &IPV6].map(|finding| !has(&diagnosis, finding))
}

#[test]
fn packets_are_tracked_where_the_commands_have_been_run() {
    netns::run(|| {
        let diagnosis = diagnose();
        let blocking: Vec<_> = diagnosis.blocking().collect();
        assert_eq!(blocking, [&IPV4, &IPV6]);
        assert_eq!(diagnosis.worst(), Some(Severity::Blocking));
        assert_eq!(tracked(), [false, false]);

        cure(&IPV4);
        assert_eq!((diagnosed(), tracked()), ([true, false], [true, false]));
        cure(&IPV6);
        assert_eq!((diagnosed(), tracked()), ([true, true], [true, true]));

        peer::run("nft delete table ip tracking");
        assert_eq!((diagnosed(), tracked()), ([false, true], [false, true]));
    });
}

#[test]
fn rules_of_nftables_are_understood_as_the_kernel_does() {
    let input = "type filter hook input priority 0";
    let early = "type filter hook output priority -300";
    let to_translate = "type nat hook postrouting priority 0";
    let incoming = "type nat hook prerouting priority 0";
    let neither = [false, false];
    let ipv4 = [true, false];
    let ipv6 = [false, true];
    let both = [true, true];
    let chains = [
        ("inet", input, "udp dport 1 accept", neither),
        ("inet", early, "udp dport 1 notrack", neither),
        ("ip", to_translate, "ip daddr 192.0.2.7 counter", neither),
        ("ip", input, "ct state new", ipv4),
        ("ip6", input, "ct mark 1", ipv6),
        ("inet", input, "ct state new", both),
        // A chain that nothing leads to.
        ("inet", "", "ct state new", both),
        ("inet", early, "udp dport 1 ct mark set 1", both),
        ("inet", early, "udp dport 1 ct zone set 1", both),
        ("inet", input, "ct count over 100 drop", both),
        (
            "ip",
            input,
            "add @seen { ip saddr ct count over 100 } drop",
            ipv4,
        ),
        (
            "ip6",
            input,
            "add @seen { ip6 saddr counter ct count over 100 } drop",
            ipv6,
        ),
        ("ip", input, "add @seen { ip saddr counter }", neither),
        ("ip", to_translate, "ip daddr 192.0.2.7 masquerade", ipv4),
        ("inet", to_translate, "udp dport 1 masquerade", both),
        (
            "inet",
            incoming,
            "ip daddr 192.0.2.7 dnat to 192.0.2.8",
            ipv4,
        ),
        (
            "inet",
            incoming,
            "ip6 daddr 2001:db8::1 dnat to 2001:db8::2",
            ipv6,
        ),
        ("ip6", incoming, "udp dport 1 redirect to 2", ipv6),
        ("ip", input, "tcp dport 1 synproxy mss 1460 wscale 7", ipv4),
    ];
    let tables = chains.map(|(family, hook, rule, expected)| {
        let set = match (rule.contains("@seen"), family) {
            (true, "ip") => "set seen {\n type ipv4_addr\n flags dynamic\n }\n",
            (true, _) => "set seen {\n type ipv6_addr\n flags dynamic\n }\n",
            (false, _) => "",
        };
        let table = format!("table {family} t {{\n {set} chain c {{\n {hook}\n {rule}\n }}\n }}");
        (table, expected)
    });
    let objects = [
        ("inet", "counter o {\n }", neither),
        ("ip", "ct helper o {\n type \"ftp\" protocol tcp\n }", ipv4),
        ("ip6", "ct helper o {\n type \"ftp\" protocol tcp\n }", ipv6),
        (
            "inet",
            "ct timeout o {\n protocol udp\n l3proto ip\n policy = { unreplied : 10 }\n }",
            both,
        ),
        (
            "inet",
            "ct expectation o {\n protocol tcp\n dport 21\n timeout 1h\n size 2\n l3proto ip\n }",
            both,
        ),
        ("ip", "synproxy o {\n mss 1460\n wscale 7\n }", ipv4),
        (
            "ip",
            "set o {\n type ipv4_addr\n size 9\n flags dynamic\n ct count over 20\n }",
            ipv4,
        ),
        (
            "ip6",
            "set o {\n type ipv6_addr\n size 9\n flags dynamic\n counter ct count over 20\n }",
            ipv6,
        ),
        (
            "inet",
            "set o {\n type ipv4_addr\n size 9\n flags dynamic\n counter\n }",
            neither,
        ),
    ]
    .map(|(family, object, expected)| (format!("table {family} t {{\n {object}\n }}"), expected));
    netns::run(|| {
        for (table, expected) in tables.into_iter().chain(objects) {
            peer::run("nft flush ruleset");
            peer::nft(&table);
            assert_eq!(tracked(), expected, "the kernel with {table}");
            assert_eq!(diagnosed(), expected, "{table}");
        }
    });
}

/// Runs iptables, whose lock may be out of an ordinary user's reach.
fn iptables(line: &str) {
    let lock = tempfile::NamedTempFile::new().unwrap();
    let finished = peer::Peer::start_with(line, "", |command| {
        command.env("XTABLES_LOCKFILE", lock.path());
    })
    .finish();
    assert!(finished.status.success(), "{finished}");
}

#[test]
fn rules_of_iptables_nft_are_understood_as_the_kernel_does() {
    let on = [true, false];
    let off = [false, false];
    for (rule, expected) in [
        ("-A INPUT -p udp -m udp --dport 1 -m limit --limit 1/s", off),
        ("-A INPUT -m conntrack --ctstate NEW", on),
        ("-A INPUT -m state --state NEW", on),
        ("-A INPUT -m connmark --mark 1", on),
        (
            "-A INPUT -m connbytes --connbytes 1: --connbytes-dir both --connbytes-mode packets",
            on,
        ),
        ("-A INPUT -m connlimit --connlimit-above 100", on),
        ("-A INPUT -m connlabel --label 1", on),
        ("-A INPUT -m helper --helper ftp", on),
        ("-t mangle -A INPUT -j CONNMARK --save-mark", on),
        ("-t mangle -A INPUT -j CONNSECMARK --save", on),
        (
            "-t nat -A PREROUTING -d 192.0.2.7 -j DNAT --to 192.0.2.8",
            on,
        ),
        (
            "-t nat -A POSTROUTING -d 192.0.2.7 -j SNAT --to 192.0.2.8",
            on,
        ),
        ("-t nat -A POSTROUTING -d 192.0.2.7 -j MASQUERADE", on),
        ("-t nat -A PREROUTING -d 192.0.2.7 -j REDIRECT", on),
        (
            "-A INPUT -m cluster --cluster-total-nodes 2 --cluster-local-node 1 --cluster-hash-seed 7",
            on,
        ),
        ("-A INPUT -p tcp -j SYNPROXY --mss 1460", on),
        (
            "-t mangle -A PREROUTING -p udp --dport 1 -j TPROXY --on-port 5",
            off,
        ),
        ("-A INPUT -p udp --dport 1 -m socket", off),
        (
            "-t nat -A PREROUTING -d 192.0.2.7 -j NETMAP --to 192.0.2.8",
            on,
        ),
    ] {
        netns::run(|| {
            iptables(&format!("iptables-nft {rule}"));
            assert_eq!(tracked(), expected, "the kernel with {rule}");
            assert_eq!(diagnosed(), expected, "{rule}");
        });
    }
}

#[test]
fn what_rules_do_not_tell_is_not_known() {
    netns::run(|| {
        // CT turns tracking on, or off.
        iptables("iptables-nft -t raw -A OUTPUT -p tcp -j CT --notrack");
        let diagnosis = diagnose();
        let [(what, why)] = unknown(&diagnosis)[..] else {
            panic!("{diagnosis}");
        };
        assert!(what.contains("IPv4") && why.contains("CT"), "{diagnosis}");
        assert!(!has(&diagnosis, &IPV4) && has(&diagnosis, &IPV6));
    });
    for (program, family, other) in [
        ("iptables-legacy", "IPv4", &IPV6),
        ("ip6tables-legacy", "IPv6", &IPV4),
    ] {
        netns::run(|| {
            iptables(&format!("{program} -A INPUT -m conntrack --ctstate NEW"));
            let diagnosis = diagnose();
            let [(what, why)] = unknown(&diagnosis)[..] else {
                panic!("{diagnosis}");
            };
            assert!(what.contains(family), "{diagnosis}");
            let listed = example("flows").args(["-g", "none"]).output().unwrap();
            let reasons = with_prefix(&listed.stderr, "flows: could not find out whether IPv");
            assert_eq!(reasons.len(), 1, "{listed:?}");
            assert!(
                why.contains("(filter)") && why.contains(program),
                "{diagnosis}"
            );
            let blocking: Vec<_> = diagnosis.blocking().collect();
            assert_eq!(blocking, [other], "{diagnosis}");
            // A rule that can be read settles it.
            cure(&IPV4);
            cure(&IPV6);
            assert_eq!(diagnosed(), [true, true]);
        });
    }
}

#[test]
fn sysctls_of_the_threads_own_namespace() {
    let names = [
        ("nf_conntrack_events", "0", Finding::EventsOff),
        ("nf_conntrack_events", "2", Finding::EventsAuto),
        ("nf_conntrack_acct", "0", Finding::AccountingOff),
        ("nf_conntrack_timestamp", "0", Finding::TimestampsOff),
    ];
    netns::run(|| {
        traffic::start_tracking();
        for (name, value, finding) in &names {
            sysctl::write(&format!("net.netfilter.{name}"), value);
            let diagnosis = diagnose();
            assert!(has(&diagnosis, finding), "{diagnosis}");
            // A namespace in this one is not this one.
            netns::run(|| sysctl::write(&format!("net.netfilter.{name}"), 1));
            assert!(has(&diagnose(), finding));
            cure(finding);
            let diagnosis = diagnose();
            assert!(!has(&diagnosis, finding), "{diagnosis}");
        }
        // By now there is nothing to say.
        let diagnosis = diagnose();
        assert_eq!(diagnosis.findings(), [], "{diagnosis}");
        assert_eq!(diagnosis.worst(), None);
        assert!(diagnosis.to_string().starts_with("nothing was found"));
    });
}

/// Kinds of events there are to read.
fn kinds(handle: &mut Handle) -> Vec<EventKind> {
    let mut kinds = Vec::new();
    loop {
        match handle.next_event() {
            Ok(event) => kinds.push(event.kind()),
            Err(Error::WouldBlock) => return kinds,
            Err(error) => panic!("{error}"),
        }
    }
}

#[test]
fn without_events_a_flow_stays_silent_and_with_them_an_older_one_is_heard() {
    netns::run(|| {
        let mut asking = Handle::open(Groups::empty()).unwrap();
        let [silent, new] = [1, 2].map(flows::udp4);
        let mut events = Handle::open(Groups::CONNTRACK).unwrap();
        events.set_nonblocking(true).unwrap();
        sysctl::write("net.netfilter.nf_conntrack_events", 0);
        asking.create(&silent).unwrap();
        assert_eq!(kinds(&mut events), []);
        cure(&Finding::EventsOff);
        // It counts for new flows.
        asking.delete(&silent).unwrap();
        assert_eq!(kinds(&mut events), []);
        drop(events);

        // Nobody in this namespace listens when the flow begins.
        asking.create(&new).unwrap();
        let mut events = Handle::open(Groups::CONNTRACK).unwrap();
        events.set_nonblocking(true).unwrap();
        asking.delete(&new).unwrap();
        assert_eq!(kinds(&mut events), [EventKind::Destroy]);
    });
}

#[test]
fn a_missing_capability() {
    netns::run(|| {
        let mut handle = Handle::open(Groups::NEW).unwrap();
        let own = &mut handle;
        let both = privileges::without_capabilities(move || [diagnose(), own.diagnose()]);
        for diagnosis in both {
            let blocking: Vec<_> = diagnosis.blocking().collect();
            assert_eq!(blocking, [&Finding::MissingCapability], "{diagnosis}");
            // Anybody may read these.
            assert!(has(&diagnosis, &Finding::EventsAuto), "{diagnosis}");
            assert!(diagnosis.to_string().starts_with("blocking: "));
            assert!(diagnosis.to_string().contains("CAP_NET_ADMIN"));
        }
        assert!(!has(&diagnose(), &Finding::MissingCapability));
    });
}

/// A namespace where all is well, held by a descriptor.
fn well() -> OwnedFd {
    netns::run(|| {
        traffic::start_tracking();
        for name in ["events", "acct", "timestamp"] {
            sysctl::write(&format!("net.netfilter.nf_conntrack_{name}"), 1);
        }
        netns::descriptor()
    })
}

/// A handle about which there is nothing to say.
fn listener(netns: &OwnedFd) -> Handle {
    let mut handle = Handle::open_in(netns, Groups::CONNTRACK).unwrap();
    handle.set_buffer_growth(Some(1 << 20));
    handle
}

#[test]
fn another_namespace() {
    netns::run(|| {
        let well = well();
        assert_eq!(diagnose_in(&well).unwrap().findings(), []);
        assert_eq!(diagnose().blocking().count(), 2);

        // The thread's own namespace has rules and sysctls of its own.
        let mut elsewhere = listener(&well);
        let diagnosis = elsewhere.diagnose();
        assert_eq!(
            diagnosis.findings(),
            [Finding::OtherNamespace],
            "{diagnosis}"
        );
        let here = listener(&netns::descriptor());
        assert_eq!(here.diagnose(), diagnose());

        // Where it cannot be entered, nothing is said of the wrong one.
        let own = &mut elsewhere;
        let diagnosis = privileges::without_capabilities(move || own.diagnose());
        let [Finding::Unknown { what, why }, Finding::OtherNamespace] = diagnosis.findings() else {
            panic!("{diagnosis}");
        };
        assert!(what.contains("namespace"), "{diagnosis}");
        assert!(why.contains("SIOCGSKNS"), "{diagnosis}");

        let file: OwnedFd = std::fs::File::open("/proc/self/status").unwrap().into();
        assert_eq!(diagnose_in(file).unwrap_err().errno(), libc::EINVAL);
    });
}

#[test]
fn groups_of_a_handle() {
    netns::run(|| {
        let well = well();
        let missing = |missing| Some(Finding::GroupsNotJoined { missing });
        for (groups, expected) in [
            (Groups::empty(), Some(Finding::NoListenerGroups)),
            (Groups::CONNTRACK, None),
            (Groups::NEW, missing(Groups::UPDATE | Groups::DESTROY)),
            (
                Groups::NEW | Groups::EXPECT_NEW,
                missing(Groups::UPDATE | Groups::DESTROY | Groups::EXPECT_DESTROY),
            ),
            (Groups::EXPECT, None),
            (Groups::EXPECT_NEW, missing(Groups::EXPECT_DESTROY)),
        ] {
            let mut handle = Handle::open_in(&well, groups).unwrap();
            handle.set_buffer_growth(Some(1 << 20));
            let mut diagnosis = handle.diagnose().findings().to_vec();
            diagnosis.retain(|finding| *finding != Finding::OtherNamespace);
            assert_eq!(diagnosis, Vec::from_iter(expected), "{groups:?}");
            // Joined, it is well.
            let all = Groups::CONNTRACK | Groups::EXPECT;
            handle.socket().set_groups(all.bits()).unwrap();
            assert_eq!(handle.diagnose().findings(), [Finding::OtherNamespace]);
        }
        let handle = Handle::open_in(&well, Groups::NEW).unwrap();
        let text = handle.diagnose().to_string();
        assert!(text.contains("the groups UPDATE, DESTROY, so"), "{text}");
    });
}

#[test]
fn the_receive_buffer_of_a_handle() {
    netns::run(|| {
        let mut handle = Handle::open(Groups::CONNTRACK).unwrap();
        let granted = handle.set_receive_buffer(64 * 1024).unwrap();
        assert!(has(&handle.diagnose(), &Finding::SmallBuffer { granted }));
        handle.set_buffer_growth(Some(1 << 20));
        assert!(!has(&handle.diagnose(), &Finding::SmallBuffer { granted }));
        handle.set_buffer_growth(None);
        handle.set_receive_buffer(1 << 20).unwrap();
        assert_eq!(buffer(&handle), []);

        // Nobody may exceed net.core.rmem_max without the capability.
        let wanted = 1 << 30;
        let own = &mut handle;
        let granted =
            privileges::without_capabilities(move || own.set_receive_buffer(wanted / 2).unwrap());
        let rmem_max = sysctl::number("net.core.rmem_max");
        assert_eq!(granted as u64, 2 * rmem_max);
        let [finding] = &buffer(&handle)[..] else {
            panic!("{}", handle.diagnose());
        };
        let expected = Finding::BufferCapped {
            granted,
            wanted,
            rmem_max: Some(rmem_max),
        };
        assert_eq!(*finding, expected);
        // It is for the whole machine, and so not run here.
        let command = format!("sysctl -w net.core.rmem_max={}", wanted / 2);
        assert_eq!(finding.command(), Some(command));
        handle.set_receive_buffer(granted / 2).unwrap();
        assert_eq!(buffer(&handle), []);
    });
}

/// Findings about the receive buffer.
fn buffer(handle: &Handle) -> Vec<Finding> {
    let mut findings = handle.diagnose().findings().to_vec();
    findings.retain(|finding| {
        matches!(
            finding,
            Finding::SmallBuffer { .. } | Finding::BufferCapped { .. }
        )
    });
    findings
}

#[test]
fn lost_events_of_a_handle() {
    netns::run(|| {
        let mut handle = Handle::open(Groups::CONNTRACK).unwrap();
        handle.set_nonblocking(true).unwrap();
        handle.set_receive_buffer(16 * 1024).unwrap();
        let mut asking = Handle::open(Groups::empty()).unwrap();
        let lost = |handle: &Handle| {
            let findings = handle.diagnose().findings().to_vec();
            findings.into_iter().find_map(|finding| match finding {
                Finding::EventsLost { overruns } => Some(overruns),
                _ => None,
            })
        };
        assert_eq!(lost(&handle), None);
        for port in 1..=500 {
            asking.create(&flows::udp4(port)).unwrap();
        }
        assert!(matches!(handle.next_event(), Err(Error::Overrun)));
        assert_eq!(lost(&handle), Some(1));
    });
}

#[test]
fn a_filter_on_a_handle() {
    netns::run(|| {
        let handle = Handle::open(Groups::CONNTRACK).unwrap();
        let filter = |handle: &Handle| {
            let findings = handle.diagnose().findings().to_vec();
            findings.into_iter().find_map(|finding| match finding {
                Finding::FilterAttached { instructions } => Some(instructions),
                _ => None,
            })
        };
        assert_eq!(filter(&handle), None);
        let wanted = EventFilter::new().l4proto(L4Proto::TCP);
        handle.attach(&wanted).unwrap();
        assert!(filter(&handle).is_some_and(|instructions| instructions > 1));
        handle.detach().unwrap();
        assert_eq!(filter(&handle), None);
    });
}

/// An example's program without capabilities, whoever runs it.
fn powerless(name: &str) -> Command {
    let able = example(name);
    let mut command = Command::new("setpriv");
    command.args(["--bounding-set=-all", "--inh-caps=-all"]);
    command.arg(able.get_program()).args(able.get_args());
    command
}

/// What it prints where a line begins with this.
fn with_prefix(output: &[u8], prefix: &str) -> Vec<String> {
    let text = String::from_utf8_lossy(output);
    let lines = text.lines().filter(|line| line.starts_with(prefix));
    lines.map(str::to_owned).collect()
}

#[test]
fn flows_says_why_there_are_none() {
    netns::run(|| {
        let list = || example("flows").args(["-g", "none"]).output().unwrap();
        let reason = "flows: no rule makes the kernel track";
        let listed = list();
        let reasons = with_prefix(&listed.stderr, reason);
        assert_eq!(reasons.len(), 2, "{listed:?}");
        assert!(reasons[0].contains("IPv4") && reasons[1].contains("IPv6"));
        assert_eq!(successful(listed), "");

        let diagnose = || example("flows").arg("--diagnose").output().unwrap();
        let text = successful(diagnose());
        let blocking = with_prefix(text.as_bytes(), "blocking: no rule");
        assert_eq!(blocking.len(), 2, "{text}");
        assert!(
            text.contains("\nhint: net.netfilter.nf_conntrack_acct is 0"),
            "{text}"
        );

        traffic::start_tracking();
        // Nothing to see yet, but nothing in the way.
        let listed = list();
        assert_eq!(with_prefix(&listed.stderr, "flows: "), ["flows: 0 entries"]);
        let text = successful(diagnose());
        assert!(!text.contains("blocking"), "{text}");
    });
}

#[test]
fn flows_says_which_capability_it_lacks() {
    netns::run(|| {
        let listed = powerless("flows").output().unwrap();
        assert_eq!(listed.status.code(), Some(1), "{listed:?}");
        let reasons = with_prefix(&listed.stderr, "flows: the kernel answers no request");
        assert_eq!(reasons.len(), 1, "{listed:?}");
        assert!(reasons[0].contains("CAP_NET_ADMIN"), "{listed:?}");
        let text = successful(powerless("flows").arg("--diagnose").output().unwrap());
        assert!(
            text.starts_with("blocking: the kernel answers no request"),
            "{text}"
        );
    });
}

#[test]
fn passes_for_an_ordinary_user() {
    common::ordinary_user::rerun_these_tests();
}
