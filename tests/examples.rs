//! The first command of the README, as root and as an ordinary user.

#[path = "common/example.rs"]
mod example;

use std::os::unix::process::CommandExt;

use example::{example, successful};

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
    let mut command = example("flows");
    command.arg("--demo");
    if nix::unistd::Uid::effective().is_root() {
        command.uid(65534).gid(65534);
    }
    check(&successful(command.output().unwrap()));
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

#[cfg(feature = "tokio")]
#[test]
fn lookup_answers_its_own_questions() {
    let mut as_user = example("lookup");
    if nix::unistd::Uid::effective().is_root() {
        as_user.uid(65534).gid(65534);
    }
    for mut command in [example("lookup"), as_user] {
        let text = successful(command.arg("--demo").output().unwrap());
        let answers = |start: &str| text.lines().filter(|line| line.starts_with(start)).count();
        assert_eq!(answers("    Original direction of "), 2, "{text}");
        assert_eq!(answers("    Reply direction of "), 2, "{text}");
        assert_eq!(answers("    none"), 1, "{text}");
        assert_eq!(answers("    error: "), 1, "{text}");
        // It was ended by a signal, and had the time to say so.
        assert!(text.contains("MirrorStatistics { flows: 2"), "{text}");
    }
    let usage = example("lookup").output().unwrap();
    assert_eq!(usage.status.code(), Some(2));
}
