//! `iptables -m connlabel`, which finds the numbers of labels by their names and
//! the other way round.

use super::common::{netns, peer, traffic};
use super::compare::{in_own_namespaces, transcript};
use super::library::Library;
use super::table;
use std::net::Ipv4Addr;

#[test]
fn rules_about_labels() {
    let text = in_own_namespaces(|library| {
        let _labels = table::name_labels();
        [
            "iptables -A INPUT -m connlabel --label eth-in -j ACCEPT",
            "iptables -A INPUT -m connlabel ! --label 40 -j ACCEPT",
            "iptables -A INPUT -p tcp -m connlabel --label last --set",
            "iptables -A INPUT -m connlabel --label 99",
            "iptables -A INPUT -m connlabel --label no-such-label",
            "iptables -A INPUT -m connlabel --label 128",
            "iptables -A INPUT -m connlabel",
            "iptables -S",
            "iptables -L -n",
            "iptables -m connlabel --help",
            "ip6tables -A OUTPUT -m connlabel --label eth-out --set",
            "ip6tables -S",
            "iptables -D INPUT -m connlabel --label eth-in -j ACCEPT",
            "iptables -S",
        ]
        .map(|line| transcript(&library.attempt(line, "")))
        .concat()
    });
    for expected in [
        "-A INPUT -m connlabel --label \"eth-in\" -j ACCEPT",
        "-m connlabel ! --label \"vpn\"",
        "--label \"last\" --set",
        "no-such-label",
    ] {
        assert!(text.contains(expected), "no {expected}: {text}");
    }
}

#[test]
fn names_that_are_not_there() {
    let text = in_own_namespaces(|library| {
        transcript(&library.attempt("iptables -A INPUT -m connlabel --label eth-in", ""))
    });
    assert!(text.contains("eth-in"), "{text}");
}

#[test]
fn rules_label_flows() {
    for library in [Library::Original, Library::Replacement] {
        netns::run(|| {
            let _labels = table::name_labels();
            traffic::start_tracking();
            library.run("iptables -A INPUT -p udp -m connlabel --label vpn --set -j ACCEPT");
            let _open = traffic::udp(Ipv4Addr::LOCALHOST.into());
            let list = peer::run("conntrack -L -o labels");
            assert!(list.contains("labels=vpn"), "{library}: {list}");
        });
    }
}
