//! flowtop(8), which shows flows on a terminal as long as it runs.

use std::io::Write;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;

use super::common::peer::{self, Finished, Peer};
use super::common::{netns, wait};
use super::library::Library;

#[test]
fn shows_flows_that_are_there_and_flows_that_come() {
    netns::run(|| {
        add("-p tcp --sport 1001 --dport 40001 --state ESTABLISHED");
        let terminals = [Library::Original, Library::Replacement].map(Terminal::start);
        let shown = [
            "tcp",
            "ESTABLISHED",
            "192.0.2.1",
            "1001",
            "198.51.100.1",
            "40001",
        ];
        wait_for(&terminals, &shown);
        add("-p udp --sport 1002 --dport 40002");
        wait_for(&terminals, &["udp", "1002", "40002"]);
        for terminal in terminals {
            let finished = terminal.quit();
            assert!(finished.status.success(), "{finished}");
        }
    });
}

/// flowtop, with what stands for its screen and its keyboard.
struct Terminal {
    flowtop: Peer,
    /// It must stay open: flowtop does not expect the end of its input.
    keyboard: UnixStream,
}

impl Terminal {
    fn start(library: Library) -> Self {
        let (keyboard, input) = UnixStream::pair().expect("a pair of sockets");
        let line = "flowtop --no-dns --no-geoip --show-src -4 -T -U";
        let flowtop = library.start_with(line, |command| {
            command.stdin(OwnedFd::from(input));
            let terminal = [("TERM", "vt100"), ("LINES", "40"), ("COLUMNS", "120")];
            command.envs(terminal);
        });
        Self { flowtop, keyboard }
    }

    fn quit(self) -> Finished {
        (&self.keyboard).write_all(b"q").expect("write");
        self.flowtop.finish()
    }
}

fn add(arguments: &str) {
    peer::run(&format!(
        "conntrack -I -s 192.0.2.1 -d 198.51.100.1 -t 600 {arguments}"
    ));
}

fn wait_for(terminals: &[Terminal], words: &[&str]) {
    for Terminal {
        flowtop: screen, ..
    } in terminals
    {
        for word in words {
            let shown = wait::within(wait::DEADLINE, || {
                let text = without_controls(&screen.printed());
                text.split_whitespace().any(|w| w == *word).then_some(())
            });
            assert!(shown.is_some(), "no {word:?}: {}", screen.said());
        }
    }
}

/// What is written on a VT100 terminal, with blanks for its control sequences.
fn without_controls(text: &str) -> String {
    let mut result = String::new();
    let mut chars = text.chars();
    while let Some(char) = chars.next() {
        if char != '\x1b' {
            result.push(if char.is_control() { ' ' } else { char });
            continue;
        }
        match chars.next() {
            // Parameters, then a letter.
            Some('[') => drop(chars.find(char::is_ascii_alphabetic)),
            // One more character.
            Some('(' | ')') => drop(chars.next()),
            _ => {}
        }
        result.push(' ');
    }
    result
}
