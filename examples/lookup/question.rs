//! What clients ask, and the answers.

use std::net::SocketAddr;

use netfilter_conntrack::{L4Proto, Mirror, Tuple};

/// The answer to a line, as a line.
pub(crate) fn answer(line: &str, mirror: &Mirror) -> String {
    let Some(tuple) = parse(line) else {
        return "error: not PROTOCOL SOURCE:PORT DESTINATION:PORT".to_owned();
    };
    match mirror.get(&tuple, 0) {
        Some((flow, direction)) => format!("{direction:?} direction of {flow}"),
        None => "none".to_owned(),
    }
}

/// A tuple such as `tcp 192.0.2.1:40000 198.51.100.1:443`.
fn parse(line: &str) -> Option<Tuple> {
    let mut words = line.split_whitespace();
    let protocol = match words.next()? {
        "tcp" => L4Proto::TCP,
        "udp" => L4Proto::UDP,
        _ => return None,
    };
    let source: SocketAddr = words.next()?.parse().ok()?;
    let destination: SocketAddr = words.next()?.parse().ok()?;
    match words.next() {
        None => Tuple::between(source, destination, protocol).ok(),
        Some(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn questions() {
        let tuple = parse("tcp [2001:db8::1]:4 [2001:db8::2]:5").unwrap();
        assert_eq!(tuple.l4proto(), L4Proto::TCP);
        assert_eq!(tuple.ports(), Some((4, 5)));
        for wrong in [
            "",
            "tcp",
            "tcp 192.0.2.1:4",
            "icmp 192.0.2.1:4 192.0.2.2:5",
            "tcp 192.0.2.1 192.0.2.2:5",
            "tcp 192.0.2.1:4 [2001:db8::2]:5",
            "udp 192.0.2.1:4 192.0.2.2:5 6",
        ] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }
}
