//! The first command of the README, as root and as an ordinary user.

use crate::common::example::{as_ordinary_user, example, successful};

/// What the demonstration of `flows` must show.
fn check(text: &str) {
    let count = |what: &str| text.lines().filter(|line| line.starts_with(what)).count();
    // Four flows by request and one by packets.
    assert_eq!(count("    [NEW] "), 5, "{text}");
    assert!(count(" [UPDATE] ") >= 4, "{text}");
    assert_eq!(count("[DESTROY] "), 5, "{text}");
    assert_eq!(count("ipv4 ") + count("ipv6 "), 5, "{text}");
    assert!(text.contains("src=127.0.0.1 dst=127.0.0.1"), "{text}");
}

#[test]
fn flows_shows_its_demonstration() {
    let output = example("flows").arg("--demo").output().unwrap();
    check(&successful(output));
}

#[test]
fn flows_shows_its_demonstration_to_an_ordinary_user() {
    let output = as_ordinary_user("flows").arg("--demo").output();
    check(&successful(output.unwrap()));
}

#[test]
fn flows_takes_options() {
    let output = example("flows").args(["--demo", "-6", "-x", "-t"]).output();
    let text = successful(output.unwrap());
    let flows = text.lines().filter(|line| line.starts_with("<flow"));
    // An entry of the list, and its three events.
    assert_eq!(flows.count(), 4, "{text}");
    let wrong = example("flows")
        .args(["--interval", "soon"])
        .output()
        .unwrap();
    assert_eq!(wrong.status.code(), Some(2));
    let help = example("flows").arg("--help").output().unwrap();
    assert!(successful(help).contains("--groups"));
}
