//! `conntrack` where it adds, changes and removes entries.

use std::fs;
use std::net::Ipv4Addr;

use super::common::peer::{self, Finished};
use super::common::{netns, traffic};
use super::compare::in_own_namespaces;
use super::library::Library;
use super::{steady, table};

/// What `conntrack` says to each of these arguments in turn, and the table that
/// it leaves.
fn session(library: Library, arguments: &[&str]) -> String {
    let said = arguments.iter().map(|arguments| {
        let finished = library.attempt(&format!("conntrack {arguments}"), "");
        format!("$ conntrack {arguments}\n{}", told(&finished))
    });
    said.collect::<String>() + &left()
}

fn told(finished: &Finished) -> String {
    let Finished { status, stderr, .. } = finished;
    let entries = steady::entries(&finished.stdout);
    format!("{entries}{stderr}{status}\n")
}

/// The table, as the C library shows it.
fn left() -> String {
    let list = |family| {
        let format = "extended,id,labels";
        Library::Original.run(&format!("conntrack -L -f {family} -o {format}"))
    };
    steady::entries(&(list("ipv4") + &list("ipv6")))
}

#[test]
fn adding_entries_of_all_sorts() {
    let text = in_own_namespaces(|library| {
        let _labels = table::prepare();
        let add = table::ENTRIES
            .iter()
            .map(|entry| format!("-I -t 600 {entry}"));
        let again = format!("-I -t 600 {}", table::ENTRIES[0]);
        // It is there, and that is no error.
        let anyway = format!("-A -t 900 {}", table::ENTRIES[1]);
        let more: Vec<_> = add.chain([again, anyway]).collect();
        let more: Vec<_> = more.iter().map(String::as_str).collect();
        session(library, &more)
    });
    assert!(text.contains("Such conntrack exists"), "{text}");
    assert!(text.contains("labels=eth-in,vpn"), "{text}");
    assert_eq!(
        text.matches(" use=#").count(),
        table::ENTRIES.len(),
        "{text}"
    );
}

#[test]
fn adding_what_the_kernel_refuses() {
    let text = in_own_namespaces(|library| {
        session(
            library,
            &[
                "-I -s 192.0.2.1 -d 198.51.100.1 -p tcp --sport 1 --dport 2 -t 100",
                "-I -s 192.0.2.1 -d 2001:db8::1 -p udp --sport 1 --dport 2 -t 100",
                "-I -s 192.0.2.1 -d 198.51.100.1 -p udp --sport 1 --dport 2",
                "-I -s 192.0.2.1 -d 198.51.100.1 -p udp --sport 1 --dport 2 -t 100 -u EXPECTED",
                "-I -s 192.0.2.1 -d 198.51.100.1 -p udp --sport 1 --dport 2 -t 100 -w 70000",
            ],
        )
    });
    assert!(text.contains("exit status: 2"), "{text}");
}

#[test]
fn changing_entries() {
    let text = in_own_namespaces(|library| {
        let _labels = table::prepare();
        table::fill();
        session(
            library,
            &[
                "-U -s 192.0.2.1 -m 9 -o id",
                "-U -s 192.0.2.2 -m 0xf0/0xff -t 1200",
                "-U -p tcp --dport 443 -u ASSURED -o extended",
                "-U -s 192.0.2.9 -t 900 -o xml",
                "-U -s 192.0.2.1 --label-add last -o labels",
                "-U -s 192.0.2.1 --label-del eth-in -o labels",
                "-U -s 192.0.2.3 --label-del -o labels",
                "-U -l vpn -m 10 -o labels -s 192.0.2.1",
                "-U -n 203.0.113.5 -m 11",
                "-U -d 198.51.100.2 -m 14 -o extended",
                "-U -f ipv6 -s 2001:db8::2 -m 12 -o save",
                "-U -w 3 -m 13",
                "-U -s 192.0.2.99 -m 1",
                "-U -s 192.0.2.4 -p tcp --state ESTABLISHED",
            ],
        )
    });
    for expected in ["mark=240", "labels=vpn,last", " mark=14 "] {
        assert!(text.contains(expected), "no {expected}: {text}");
    }
}

#[test]
fn removing_entries() {
    let text = in_own_namespaces(|library| {
        let _labels = table::prepare();
        table::fill();
        session(
            library,
            &[
                "-D -s 192.0.2.1 -d 198.51.100.1 -p tcp --sport 1001 --dport 80 -o labels,id",
                "-D -s 192.0.2.1 -d 198.51.100.1 -p tcp --sport 1001 --dport 80",
                "-D -d 198.51.100.4 -o extended",
                "-D -m 0x17 -o xml,id",
                "-D -l last -o labels",
                "-D -n 203.0.113.5 -o save",
                "-D -g 203.0.113.6",
                "-D -w 3",
                "-D --orig-zone 4",
                "-D -s 192.0.2.8/31 -o extended -p gre",
                "-D -f ipv6 -s 2001:db8::1",
                "-D -f ipv6 -u ASSURED -o id",
                "-D -u FIXED_TIMEOUT",
                "-C",
                "-F",
                "-C",
            ],
        )
    });
    assert!(text.contains("$ conntrack -C\n5\n"), "{text}");
    assert!(
        text.ends_with("$ conntrack -C\n0\nexit status: 0\n"),
        "{text}"
    );
}

#[test]
fn flushing_families() {
    let text = in_own_namespaces(|library| {
        let _labels = table::prepare();
        table::fill();
        session(
            library,
            &["-F -f ipv6", "-C", "-F -f ipv4", "-C", "-F conntrack", "-C"],
        )
    });
    assert!(
        text.contains("connection tracking table has been emptied"),
        "{text}"
    );
}

#[test]
fn zeroing_counters() {
    let text = in_own_namespaces(|library| {
        let _labels = table::prepare();
        traffic::start_tracking();
        let _open = traffic::udp(Ipv4Addr::LOCALHOST.into());
        let ports_differ = session(library, &["-L -z", "-L"]);
        ["sport=", "dport="]
            .iter()
            .fold(ports_differ, |text, before| {
                steady::replace_numbers(&text, before, |_| "#".to_owned())
            })
    });
    assert_eq!(text.matches("packets=1 ").count(), 2, "{text}");
}

#[test]
fn loading_a_file() {
    let file = saved_entries();
    let text = in_own_namespaces(|library| {
        let _labels = table::prepare();
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("entries");
        fs::write(&path, format!("{file}-D -s 192.0.2.3\n")).expect("a file");
        let from_file = library.attempt(&format!("conntrack -R {}", path.display()), "");
        let from_input = [
            "-U -s 192.0.2.2 -m 77\n",
            "-D -p icmp\n-D -s 192.0.2.9\n",
            "-D -p udp\nnonsense\n-D -p gre\n",
        ];
        let from_input = from_input.map(|input| told(&library.attempt("conntrack -R -", input)));
        told(&from_file) + &from_input.concat() + &left()
    });
    assert!(text.contains("mark=77"), "{text}");
}

/// The entries of the table as a file for `conntrack -R`.
fn saved_entries() -> String {
    netns::run(|| {
        let _labels = table::prepare();
        table::fill();
        let save = |family| peer::run(&format!("conntrack -L -o save -f {family}"));
        save("ipv4") + &save("ipv6")
    })
}
