//! Takes out of texts what differs from one run to the next.

/// Replaces each number that follows `before` by what `change` makes of it.
pub(crate) fn replace_numbers(text: &str, before: &str, change: fn(&str) -> String) -> String {
    let mut result = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(before) {
        let (head, tail) = rest.split_at(start + before.len());
        let end = tail.find(|c: char| !c.is_ascii_digit());
        let (number, tail) = tail.split_at(end.unwrap_or(tail.len()));
        result.push_str(head);
        result.push_str(&change(number));
        rest = tail;
    }
    result + rest
}

/// The entries in a text that lists them: in order of their text, without their
/// ids, ages and counts of users, and with the timeouts that they were given, where these were
/// hundreds of seconds of which little has passed.
///
/// The kernel's own order differs from namespace to namespace, as the ids do.
pub(crate) fn entries(text: &str) -> String {
    let mut lines: Vec<_> = text.lines().map(entry).collect();
    lines.sort_unstable();
    lines.into_iter().map(|line| line + "\n").collect()
}

fn entry(line: &str) -> String {
    let mut line = with_timeout_of_plain_text(line);
    for before in ["<timeout>", "-t "] {
        line = replace_numbers(&line, before, as_given);
    }
    for before in ["<id>", "<use>", "<deltatime>", " use=", " delta-time="] {
        line = replace_numbers(&line, before, |_| "#".to_owned());
    }
    // Another `id=` is that of an echo request.
    line = replace_numbers(&line, " use=# id=", |_| "#".to_owned());
    line
}

/// The timeout follows the number of the protocol, as in `udp      17 599 src=…`,
/// or is the first number of an expectation, as in `299 proto=17 src=…`.
fn with_timeout_of_plain_text(line: &str) -> String {
    let Some(addresses) = line.find("src=") else {
        return line.to_owned();
    };
    let (head, tail) = line.split_at(addresses);
    let mut words: Vec<_> = head.split(' ').map(str::to_owned).collect();
    let numbers = words.iter_mut().filter(|word| word.parse::<u64>().is_ok());
    // Without a timeout, there is the number of the protocol alone.
    let before = usize::from(!head.contains("proto="));
    if let Some(timeout) = numbers.skip(before).last() {
        *timeout = as_given(timeout);
    }
    words.join(" ") + tail
}

fn as_given(seconds: &str) -> String {
    match seconds.parse::<u64>() {
        Ok(seconds) => seconds.next_multiple_of(100).to_string(),
        Err(_) => seconds.to_owned(),
    }
}

#[test]
fn timeouts_are_those_that_were_given() {
    for (now, then) in [
        (
            "icmp      1 599 src=192.0.2.1 id=7 delta-time=1 use=1 id=77",
            "icmp      1 600 src=192.0.2.1 id=7 delta-time=# use=# id=#",
        ),
        (
            "ipv4     2 tcp      6 501 CLOSE src=192.0.2.1 [ASSURED]",
            "ipv4     2 tcp      6 600 CLOSE src=192.0.2.1 [ASSURED]",
        ),
        (
            "[DESTROY] udp      17 src=192.0.2.1",
            "[DESTROY] udp      17 src=192.0.2.1",
        ),
        ("299 proto=6 src=192.0.2.1", "300 proto=6 src=192.0.2.1"),
        (
            "<timeout>1</timeout><id>5</id>",
            "<timeout>100</timeout><id>#</id>",
        ),
        (
            "-A -t 599 -u UNSET -s 192.0.2.1",
            "-A -t 600 -u UNSET -s 192.0.2.1",
        ),
    ] {
        assert_eq!(entries(now), format!("{then}\n"));
    }
}
