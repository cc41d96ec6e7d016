//! conntrack(8).

use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use crate::common::peer::{Peer, nft};
use crate::common::{netns, sysctl, wait};
use crate::normal::replaced;
use crate::scene::{Scene, private_etc, same};

const LABELS: (&str, &str) = ("xtables/connlabel.conf", "1 web\n2 mail\n100 one hundred\n");

/// Commands that make entries of many kinds.
const ENTRIES: [&str; 14] = [
    "conntrack -I -s 192.0.2.1 -d 198.51.100.1 -p udp --sport 1 --dport 2 -t 3600 -m 5",
    "conntrack -I -s 192.0.2.1 -d 198.51.100.1 -p tcp --sport 1 --dport 2 -t 3600 --state ESTABLISHED -u ASSURED,SEEN_REPLY -m 0x105",
    "conntrack -I -s 192.0.2.2 -d 198.51.100.1 -p tcp --sport 3 --dport 2 -t 3600 --state SYN_SENT",
    "conntrack -I -s 192.0.2.9 -d 198.51.100.1 -p udp --sport 4 --dport 5 -t 3600 --src-nat 203.0.113.9",
    "conntrack -I -s 192.0.2.9 -d 198.51.100.1 -p tcp --sport 4 --dport 5 -t 3600 --state LAST_ACK --dst-nat 203.0.113.9:80",
    "conntrack -I -s 2001:db8::1 -d 2001:db8::2 -p icmpv6 --icmpv6-type 128 --icmpv6-code 0 --icmpv6-id 5 -t 3600",
    "conntrack -I -s 192.0.2.1 -d 198.51.100.1 -p icmp --icmp-type 8 --icmp-code 0 --icmp-id 7 -t 3600",
    "conntrack -I -s 2001:db8::1 -d 2001:db8::2 -p tcp --sport 9 --dport 10 -t 3600 --state TIME_WAIT",
    "conntrack -I -s 192.0.2.1 -d 198.51.100.1 -p udp --sport 6 --dport 2 -t 3600 -w 7",
    "conntrack -I -s 192.0.2.1 -d 198.51.100.1 -p udp --sport 7 --dport 2 -t 3600 --orig-zone 8",
    "conntrack -I -s 192.0.2.1 -d 198.51.100.1 -p udp --sport 8 --dport 2 -t 3600 --reply-zone 9",
    "conntrack -I -s 192.0.2.1 -d 198.51.100.1 -p sctp --sport 5 --dport 6 --state ESTABLISHED --orig-vtag 1 --reply-vtag 2 -t 3600",
    "conntrack -I -s 192.0.2.1 -d 198.51.100.1 -p gre --srckey 5 --dstkey 6 -t 3600",
    "conntrack -A -s 192.0.2.1 -d 198.51.100.1 -p udplite --sport 11 --dport 12 -t 3600",
];

/// Makes them, and has the kernel keep all there is to be kept.
fn make_entries(scene: &Scene) -> String {
    for name in ["timestamp", "acct"] {
        sysctl::write(&format!("net.netfilter.nf_conntrack_{name}"), "1");
    }
    private_etc(&[LABELS]);
    // Labels need a rule that sets one.
    nft("table inet t {\nchain c {\ntype filter hook output priority 0;\nct label set 127\n}\n}\n");
    scene.run_all(ENTRIES)
}

#[test]
fn entries_are_made_changed_and_deleted() {
    same(|scene| {
        let mut said = make_entries(scene);
        said += &scene.run_all([
            // Again, and without what an entry needs.
            ENTRIES[0],
            "conntrack -I -s 192.0.2.1 -d 198.51.100.1 -p udp --sport 1",
            "conntrack -I -s 192.0.2.1",
            "conntrack -I -s 192.0.2.1 -d 198.51.100.1 -p 99 -t 60",
            "conntrack -L -p 99",
            "conntrack -G -s 192.0.2.1 -d 198.51.100.1 -p udp --sport 1 --dport 2",
            "conntrack -G -s 192.0.2.1 -d 198.51.100.1 -p udp --sport 1 --dport 3",
            "conntrack -G -w 7 -s 192.0.2.1 -d 198.51.100.1 -p udp --sport 6 --dport 2 -o xml",
            "conntrack -U -s 192.0.2.1 -d 198.51.100.1 -p udp --sport 1 --dport 2 -m 77",
            "conntrack -U -p tcp --sport 1 -t 1800 -u SEEN_REPLY,ASSURED",
            "conntrack -U -m 5 --label-add web",
            "conntrack -U -p tcp --label-add web,mail",
            "conntrack -L -o labels",
            "conntrack -U -p tcp --label-del mail",
            "conntrack -L -o labels",
            "conntrack -L -l web",
            "conntrack -U -p tcp --label-del",
            "conntrack -L -o labels",
            "conntrack -U -s 192.0.2.77 -m 1",
            "conntrack -C",
            "conntrack -D -s 192.0.2.1 -d 198.51.100.1 -p udp --sport 1 --dport 2",
            "conntrack -D -s 192.0.2.1 -d 198.51.100.1 -p udp --sport 1 --dport 2",
            "conntrack -D -m 0x105 -o id",
            "conntrack -D -w 7",
            "conntrack -D -f ipv6 -p tcp",
            "conntrack -L",
            "conntrack -D -p gre",
            "conntrack -F",
            "conntrack -L",
            "conntrack -C",
        ]);
        said
    });
}

#[test]
fn all_forms_of_output() {
    same(|scene| {
        make_entries(scene);
        let mut said = scene.run("conntrack -U -p udp --label-add web");
        for form in [
            "extended",
            "id",
            "timestamp",
            "ktimestamp",
            "xml",
            "labels",
            "save",
            "extended,id",
            "xml,timestamp",
            "xml,ktimestamp",
            "xml,labels",
            "save,id",
            "extended,id,timestamp,ktimestamp,labels",
            "extended,id,timestamp,xml,ktimestamp,labels",
            "nonsense",
        ] {
            said += &scene.run(&format!("conntrack -L -o {form}"));
        }
        said += &scene.run("conntrack -L -z");
        said += &scene.run("conntrack -L unconfirmed");
        said += &scene.run("conntrack -L dying");
        said
    });
}

#[test]
fn all_filters() {
    same(|scene| {
        make_entries(scene);
        scene.run("conntrack -U -p udp --label-add web");
        let filters = [
            "-s 192.0.2.1",
            "-s 192.0.2.0/24",
            "-s 192.0.2.8/29",
            "-d 198.51.100.1",
            "-r 203.0.113.9",
            "-q 203.0.113.0/24",
            "--mask-src 255.255.255.254 -s 192.0.2.0",
            "-s 2001:db8::/64",
            "-d 2001:db8::2",
            "-p tcp",
            "-p 17",
            "-p udp --sport 7",
            "-p tcp --dport 2",
            "-p tcp --state ESTABLISHED",
            "-p sctp",
            "-p icmp --icmp-type 8",
            "-f ipv4",
            "-f ipv6",
            "-m 5",
            "-m 5/0xff",
            "-m 0",
            "-m 0x100/0x100",
            "-w 7",
            "-w 0",
            "--orig-zone 8",
            "--reply-zone 9",
            "-u ASSURED",
            "-u SEEN_REPLY",
            "-u UNSET",
            "-l web",
            "-l web,mail",
            "-n",
            "-g",
            "-j",
            "--src-nat 203.0.113.9",
            "--dst-nat 203.0.113.0/24",
            "--src-nat 203.0.113.8",
            "-t 3600",
            "-c 5",
            "-i 5",
        ];
        filters
            .map(|filter| scene.run(&format!("conntrack -L {filter}")))
            .concat()
    });
}

#[test]
fn statistics() {
    same(|scene| {
        make_entries(scene);
        // Which CPU has counted depends on where the program ran.
        let said = scene.run("conntrack -S");
        let names = said
            .split_whitespace()
            .filter_map(|word| word.split('=').next());
        let mut names: Vec<_> = names.collect();
        names.sort_unstable();
        names.dedup();
        let others = [
            "conntrack -C",
            "conntrack --version",
            "conntrack -S expect",
            "conntrack -C expect",
        ];
        format!("{names:?}{}", scene.run_all(others))
    });
}

#[test]
fn a_saved_table_is_restored() {
    same(|scene| {
        make_entries(scene);
        let saved = Peer::start(&scene.line("conntrack -L -o save"), "")
            .finish()
            .stdout;
        // Entries cannot be given an id of the past, nor both tuples and a translation.
        let saved: String = saved
            .lines()
            .filter(|line| !line.contains("zone"))
            .flat_map(|line| [line, "\n"])
            .collect();
        assert!(saved.lines().count() > 5, "{saved}");
        let path = scene.file("saved", &saved);
        let mut said = scene.run("conntrack -F");
        said += &scene.run(&format!("conntrack -R {path}"));
        said += &scene.run("conntrack -L");
        said += &scene.run("conntrack -F");
        said += &scene.run_with_input("conntrack -R -", &saved);
        said += &scene.run("conntrack -L -o extended");
        let broken = scene.file("broken", "-A -s nonsense\n");
        said += &scene.run(&format!("conntrack -R {broken}"));
        said
    });
}

/// Follows events with these options while entries come and go, until so many
/// have been printed; gives all that was.
fn follow(scene: &Scene, options: &str, events: usize) -> String {
    let listener = scene.start(&format!("conntrack -E {options}"));
    wait::until("the listener", || (1..8).any(is_listening).then_some(()));
    let tcp = "-s 192.0.2.1 -d 198.51.100.1 -p tcp --sport 1 --dport 2";
    scene.run_all([
        format!("conntrack -I {tcp} -t 3600 --state SYN_SENT -m 5").as_str(),
        &format!("conntrack -U {tcp} -u SEEN_REPLY --state ESTABLISHED"),
        &format!("conntrack -U {tcp} -m 6"),
        "conntrack -I -s 2001:db8::1 -d 2001:db8::2 -p udp --sport 3 --dport 4 -t 3600",
        &format!("conntrack -D {tcp}"),
        "conntrack -D -f ipv6 -p udp",
    ]);
    wait::until("the events", || {
        let printed = listener.printed();
        let is_event = |line: &&str| {
            ["192.0.2.1", "2001:db8::1"]
                .iter()
                .any(|a| line.contains(a))
        };
        (printed.lines().filter(is_event).count() == events).then_some(())
    });
    // Interrupted while it writes, it may write a line twice.
    thread::sleep(Duration::from_millis(100));
    listener.interrupt();
    let events = listener.finish();
    replaced(&format!("{}{}", events.stdout, events.stderr))
}

#[test]
fn events() {
    for (options, events) in [
        ("", 6),
        ("-o extended", 6),
        ("-o id", 6),
        ("-o timestamp", 6),
        ("-o ktimestamp", 6),
        ("-o xml", 6),
        ("-o labels", 6),
        ("-o save", 6),
        ("-o extended,id,timestamp,ktimestamp,labels", 6),
        ("-o xml,timestamp,ktimestamp,id", 6),
        ("-o userspace", 6),
        ("-e NEW", 2),
        ("-e NEW,DESTROY -o extended", 4),
        ("-p udp -o extended", 2),
        ("-s 192.0.2.0/24 -o id", 4),
    ] {
        same(|scene| {
            sysctl::write("net.netfilter.nf_conntrack_timestamp", "1");
            private_etc(&[LABELS]);
            follow(scene, options, events)
        });
    }
}

#[test]
fn expectations() {
    same(|scene| {
        // The master must have a helper, which a rule gives to real traffic.
        nft(FTP_HELPER);
        let server = TcpListener::bind("127.0.0.1:2121").expect("bind");
        let client = TcpStream::connect("127.0.0.1:2121").expect("connect");
        let _accepted = server.accept().expect("accept");
        let port = client.local_addr().expect("an address").port();

        let listener = scene.start("conntrack -E expect");
        wait::until("the listener", || is_listening(0x38).then_some(()));
        let master = format!("-s 127.0.0.1 -d 127.0.0.1 -p tcp --sport {port} --dport 2121");
        let reply = "--reply-port-src 1 --reply-port-dst 2";
        let tuple =
            "--tuple-src 127.0.0.1 --tuple-dst 127.0.0.2 --tuple-port-src 0 --tuple-port-dst 50000";
        let mask = "--mask-src 255.255.255.255 --mask-dst 255.255.255.255 --mask-port-src 0 --mask-port-dst 65535";
        let create = format!("conntrack -I expect {master} {tuple} {mask} -t 200");
        let said = scene.run_all([
            "conntrack -L",
            &create,
            &create,
            &format!("conntrack -I expect {master} {tuple} -t 200"),
            "conntrack -L expect",
            "conntrack -L expect -o xml",
            "conntrack -L expect -o extended,timestamp",
            "conntrack -C expect",
            &format!("conntrack -G expect {master} {reply}"),
            &format!("conntrack -G expect -s 127.0.0.1 -d 127.0.0.2 -p tcp --sport 9 {reply}"),
            &format!("conntrack -D expect {master} {reply}"),
            "conntrack -D expect -s 127.0.0.1 -d 127.0.0.2 -p tcp",
            "conntrack -U expect -s 127.0.0.1",
            "conntrack -L expect",
            "conntrack -F expect",
            "conntrack -L expect",
        ]);
        assert!(said.contains("master-src"), "{said}");
        listener.interrupt();
        let events = listener.finish();
        let events = replaced(&format!("{}{}", events.stdout, events.stderr));
        assert!(events.contains("[NEW]"), "{events}");
        format!("{said}{events}").replace(&port.to_string(), "MASTER")
    });
}

/// Whether a netlink socket of netfilter is subscribed to these groups.
fn is_listening(groups: u32) -> bool {
    let sockets = netns::proc_net("netlink");
    sockets.lines().any(|line| {
        let columns: Vec<_> = line.split_whitespace().collect();
        columns.get(1) == Some(&"12")
            && columns
                .get(3)
                .and_then(|mask| u32::from_str_radix(mask, 16).ok())
                == Some(groups)
    })
}

/// A ruleset that has FTP control connections on an unusual port watched.
pub(crate) const FTP_HELPER: &str = "table ip t {
ct helper ftp {
type \"ftp\" protocol tcp;
}
chain c {
type filter hook output priority 0;
tcp dport 2121 ct helper set \"ftp\"
}
}
";
