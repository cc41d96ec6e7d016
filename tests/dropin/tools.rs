//! Programs that look at the table once: iptstate(8), flowtop(8), and the match
//! of iptables(8) that takes names of labels.

use crate::common::peer::Peer;
use crate::common::wait;
use crate::scene::{Scene, private_etc, same};

/// Makes two entries.
fn make_entries(scene: &Scene) -> String {
    scene.run_all([
        "conntrack -I -s 192.0.2.1 -d 198.51.100.1 -p tcp --sport 4000 --dport 5000 -t 86400 --state ESTABLISHED -u ASSURED,SEEN_REPLY",
        "conntrack -I -s 2001:db8::1 -d 2001:db8::2 -p udp --sport 4001 --dport 999 -t 86400",
    ])
}

/// Runs a program in a terminal of 150 columns and gives what it shows, its
/// columns divided by one blank each.
fn in_terminal(scene: &Scene, command: &str, keys: &str) -> String {
    let script = format!(
        "{keys} | script --quiet --return --command \
         'stty rows 30 cols 150; TERM=xterm {command}' /dev/null"
    );
    let script = scene.file("terminal", &script);
    let finished =
        Peer::start(&scene.line(&format!("sh {script}")), "").finish_within(wait::DEADLINE);
    assert!(finished.status.success(), "{finished}");
    finished
        .stdout
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
}

#[test]
fn iptstate() {
    same(|scene| {
        make_entries(scene);
        let shown = [
            "iptstate -1",
            "iptstate -1 -o",
            "iptstate -1 -L -s 192.0.2.1",
            "iptstate -1 -C",
        ]
        .map(|command| in_terminal(scene, command, "true"));
        assert!(
            shown[0].contains("192.0.2.1:4000 198.51.100.1:5000 tcp ESTABLISHED"),
            "{shown:?}"
        );
        // What is left of a day, to the second.
        let words = shown.join("\n");
        let words = words
            .split(' ')
            .map(|word| match word.starts_with("23:59:") {
                true => "TIME",
                false => word,
            });
        words.collect::<Vec<_>>().join(" ")
    });
}

#[test]
fn flowtop() {
    same(|scene| {
        make_entries(scene);
        let shown = in_terminal(scene, "flowtop -46TUISDG", "(sleep 2; printf q)");
        // Whom it shows; the rest depends on when it draws.
        ["198.51.100.1", "2001:db8::2", "ESTABLISHED"]
            .map(|text| {
                assert!(shown.contains(text), "{shown}");
                text
            })
            .concat()
    });
}

#[test]
fn iptables_connlabel() {
    same(|scene| {
        private_etc(&[("xtables/connlabel.conf", "1 web\n2 mail\n")]);
        scene.run_all([
            "iptables -A INPUT -m connlabel --label web",
            "iptables -A INPUT -m connlabel ! --label mail --set",
            "iptables -A INPUT -m connlabel --label 77",
            "iptables -A INPUT -m connlabel --label nonsense",
            "iptables -S",
            "iptables -L -n",
        ])
    });
}
