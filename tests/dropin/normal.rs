//! Texts without what time and chance change in them.

use std::sync::LazyLock;

use regex::Regex;

/// Each pattern, and what to write instead.
static CHANGING: LazyLock<Vec<(Regex, &str)>> = LazyLock::new(|| {
    [
        // Seconds until an entry expires, behind its protocol or in its state.
        (
            r"(?m)((?:tcp|udp|udplite|sctp|icmp|icmpv6|gre|dccp|unknown) +\d+) \d+ ",
            "$1 SECONDS ",
        ),
        (r"(?m)^(?:\d+)( proto=\d+)", "SECONDS$1"),
        (r"(?m)(\[(?:NEW|DESTROY)\]) \d+( proto=\d+)", "$1 SECONDS$2"),
        (r"<timeout>\d+</timeout>", "<timeout>SECONDS</timeout>"),
        (r"-t \d+ ", "-t SECONDS "),
        (r"delta-time=\d+", "delta-time=SECONDS"),
        (
            r"<deltatime>\d+</deltatime>",
            "<deltatime>SECONDS</deltatime>",
        ),
        // Dates.
        (r"\[(start|stop)=[^\]]*\]", "[$1=DATE]"),
        (r"<(start|stop)>\d+</", "<$1>DATE</"),
        (r"<when>.*?</when>", "<when>NOW</when>"),
        (r"(?m)^\[\d+\.\d+ *\t*\]", "[NOW]"),
        // What the kernel makes of random numbers.
        (r"\bid=\d+(\s|$)", "id=ID$1"),
        (r"<id>\d+</id>", "<id>ID</id>"),
        (r"portid=\d+", "portid=PORT"),
        // Only of programs that still run when it is asked for.
        (r" progname=\w+", ""),
    ]
    .into_iter()
    .map(|(pattern, instead)| (Regex::new(pattern).expect("a pattern"), instead))
    .collect()
});

/// A text without these, and with its lines sorted: the order of entries is one
/// of the things that chance decides.
pub(crate) fn normal(text: &str) -> String {
    let text = replaced(text);
    let mut lines: Vec<_> = text.lines().collect();
    lines.sort_unstable();
    lines.iter().flat_map(|line| [*line, "\n"]).collect()
}

/// The same with the lines in their order.
pub(crate) fn replaced(text: &str) -> String {
    CHANGING
        .iter()
        .fold(text.to_owned(), |text, (pattern, instead)| {
            pattern.replace_all(&text, *instead).into_owned()
        })
}
