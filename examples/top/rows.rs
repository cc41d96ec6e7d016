//! The rows of the table: which flows, and what is said of them.

use std::cmp::Reverse;
use std::fmt::Write;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant, SystemTime};

use netfilter_conntrack::mirror::Flow;
use netfilter_conntrack::{Direction, Status, Tuple};

use super::largest::largest;
use super::rates::{Bytes, Known, Rates};

/// What tells flows apart: an id of 32 bits alone does not.
pub(crate) type Key = (u32, Tuple);

/// What comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sort {
    Rate,
    Total,
    Age,
}

impl Sort {
    pub(crate) const ALL: [Self; 3] = [Self::Rate, Self::Total, Self::Age];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Rate => "rate",
            Self::Total => "total",
            Self::Age => "age",
        }
    }

    pub(crate) fn next(self) -> Self {
        match self {
            Self::Rate => Self::Total,
            Self::Total => Self::Age,
            Self::Age => Self::Rate,
        }
    }
}

/// A flow as it is shown.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) protocol: String,
    /// With what it is translated to behind `>`.
    pub(crate) source: String,
    pub(crate) destination: String,
    pub(crate) state: &'static str,
    /// Bytes per second each way.
    pub(crate) rates: Option<Bytes>,
    /// Bytes both ways.
    pub(crate) total: Option<u64>,
    pub(crate) age: Duration,
    /// Whether it may be older than that.
    pub(crate) older: bool,
}

/// Which flows to show, and in which order.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Choice<'c> {
    pub(crate) sort: Sort,
    /// Part of what is shown of a flow, in lower case.
    pub(crate) filter: &'c str,
    pub(crate) count: usize,
}

pub(crate) fn key(flow: &Flow) -> Key {
    let zone = flow.zone(Direction::Original);
    (flow.id(), flow.original().with_zone(zone))
}

pub(crate) fn bytes(flow: &Flow) -> Option<Bytes> {
    let of = |direction| Some(flow.counters(direction)?.bytes);
    Some([of(Direction::Original)?, of(Direction::Reply)?])
}

/// The rows that were chosen. Strings are made for these only.
pub(crate) fn choose<'f>(
    flows: impl Iterator<Item = &'f Flow>,
    rates: &Rates<Key>,
    choice: Choice<'_>,
) -> Vec<Row> {
    let (now, clock) = (Instant::now(), SystemTime::now());
    let mut text = String::new();
    let ranked = flows.filter_map(|flow| {
        if !choice.filter.is_empty() && !contains(flow, choice.filter, &mut text) {
            return None;
        }
        let known = rates.get(&key(flow)).copied();
        let rate = known.and_then(|known| known.rates).map_or(0, sum);
        let total = bytes(flow).map_or(0, sum);
        let first = match choice.sort {
            Sort::Rate => rate,
            Sort::Total => total,
            Sort::Age => age(flow, known, now, clock).0.as_secs(),
        };
        // In the same order each time.
        let rank = (first, total, Reverse(flow.id()));
        Some((rank, (flow, known)))
    });
    let chosen = largest(ranked, choice.count).into_iter();
    chosen
        .map(|(_, (flow, known))| row(flow, known, now, clock))
        .collect()
}

fn row(flow: &Flow, known: Option<Known>, now: Instant, clock: SystemTime) -> Row {
    let (age, older) = age(flow, known, now, clock);
    let [source, destination] = ends(flow.original(), flow.reply());
    Row {
        protocol: protocol(flow.original()),
        source,
        destination,
        state: state(flow),
        rates: known.and_then(|known| known.rates),
        total: bytes(flow).map(sum),
        age,
        older,
    }
}

fn sum([original, reply]: Bytes) -> u64 {
    original.saturating_add(reply)
}

/// Time since the flow began, if the kernel notes that; or since it was first
/// seen, and whether it may be older.
fn age(flow: &Flow, known: Option<Known>, now: Instant, clock: SystemTime) -> (Duration, bool) {
    if let Some(start) = flow.start() {
        let start = SystemTime::UNIX_EPOCH + Duration::from_nanos(start);
        return (clock.duration_since(start).unwrap_or_default(), false);
    }
    let seen = known.map(|known| (now.saturating_duration_since(known.since), known.older));
    seen.unwrap_or_default()
}

fn contains(flow: &Flow, part: &str, text: &mut String) -> bool {
    text.clear();
    for tuple in [flow.original(), flow.reply()] {
        let [source, destination] = tuple_ends(tuple);
        let _ = write!(text, "{source} {destination} ");
    }
    let _ = write!(text, "{} {}", flow.original().l4proto(), state(flow));
    text.make_ascii_lowercase();
    text.contains(part)
}

fn protocol(tuple: &Tuple) -> String {
    match tuple.l4proto().name() {
        "unknown" => format!("#{}", tuple.l4proto().0),
        name => name.to_owned(),
    }
}

/// The state of the protocol, or what is known without one.
fn state(flow: &Flow) -> &'static str {
    if let Some(state) = flow.tcp_state() {
        return state.name();
    }
    if let Some(state) = flow.sctp_state() {
        return state.name();
    }
    match flow.status() {
        status if status.contains(Status::ASSURED) => "ASSURED",
        status if status.contains(Status::SEEN_REPLY) => "REPLIED",
        _ => "UNREPLIED",
    }
}

/// Where the flow comes from and where it goes to, each followed by what that is
/// translated to.
fn ends(original: &Tuple, reply: &Tuple) -> [String; 2] {
    let [source, destination] = tuple_ends(original);
    let [replier, receiver] = tuple_ends(reply);
    [(source, receiver), (destination, replier)].map(|(end, other)| match end == other {
        true => end.to_string(),
        false => format!("{end}>{other}"),
    })
}

fn tuple_ends(tuple: &Tuple) -> [End; 2] {
    let ends = [tuple.source(), tuple.destination()];
    match tuple.ports() {
        None => ends.map(End::Address),
        Some((source, destination)) => [(ends[0], source), (ends[1], destination)]
            .map(|(address, port)| End::Port(SocketAddr::new(address, port))),
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Address(IpAddr),
    Port(SocketAddr),
}

impl std::fmt::Display for End {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Address(address) => address.fmt(f),
            Self::Port(address) => address.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use netfilter_conntrack::L4Proto;

    fn tcp(source: &str, destination: &str) -> Tuple {
        Tuple::tcp(source.parse().unwrap(), destination.parse().unwrap()).unwrap()
    }

    #[test]
    fn ends_are_as_the_flow_has_them() {
        let original = tcp("192.0.2.1:40000", "198.51.100.1:443");
        let plain = ends(&original, &original.inverted());
        assert_eq!(plain, ["192.0.2.1:40000", "198.51.100.1:443"]);
        let original = tcp("[2001:db8::1]:1", "[2001:db8::2]:2");
        let plain = ends(&original, &original.inverted());
        assert_eq!(plain, ["[2001:db8::1]:1", "[2001:db8::2]:2"]);
    }

    #[test]
    fn a_translation_is_shown_at_the_end_it_changes() {
        let original = tcp("192.0.2.1:40000", "198.51.100.1:443");
        let to_another_port = tcp("10.0.0.1:8443", "192.0.2.1:40000");
        assert_eq!(
            ends(&original, &to_another_port),
            ["192.0.2.1:40000", "198.51.100.1:443>10.0.0.1:8443"]
        );
        let from_another = tcp("198.51.100.1:443", "203.0.113.1:1024");
        assert_eq!(
            ends(&original, &from_another),
            ["192.0.2.1:40000>203.0.113.1:1024", "198.51.100.1:443"]
        );
    }

    #[test]
    fn protocols_have_names_or_numbers() {
        let of = |number| {
            let ends = ["192.0.2.1", "192.0.2.2"].map(|end| end.parse().unwrap());
            protocol(&Tuple::new(ends[0], ends[1], L4Proto(number)).unwrap())
        };
        assert_eq!([of(47), of(89)], ["gre", "#89"]);
    }

    #[test]
    fn each_order_has_its_turn() {
        let mut sort = Sort::Rate;
        let turns = Sort::ALL.map(|_| {
            sort = sort.next();
            sort
        });
        assert_eq!(turns, [Sort::Total, Sort::Age, Sort::Rate]);
    }
}
