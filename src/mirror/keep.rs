//! Which flows a mirror keeps.

use super::flow::Flow;
use crate::conntrack::{Counters, Direction, Tuple};
use crate::filter::{Entry, Fields};
use crate::nfnetlink::L3Proto;

/// Says of a flow whether it is to be kept.
pub(super) type Keep = Box<dyn Fn(&Flow) -> bool + Send>;

impl Entry for Flow {}

impl Fields for Flow {
    fn family(&self) -> Option<L3Proto> {
        Some(self.original().l3proto())
    }

    fn tuple(&self, direction: Direction) -> Option<Tuple> {
        Some(*self.tuple(direction))
    }

    fn zone(&self) -> u16 {
        self.common_zone().unwrap_or(0)
    }

    fn mark(&self) -> u32 {
        self.mark()
    }

    fn status(&self) -> u32 {
        self.status().bits()
    }

    fn timeout(&self) -> Option<u32> {
        self.timeout()
    }

    fn counters(&self, direction: Direction) -> Option<Counters> {
        self.counters(direction)
    }

    fn tcp_state(&self) -> Option<u8> {
        self.tcp_state().map(|state| state.0)
    }

    fn helper(&self) -> Option<&str> {
        None
    }

    fn labels(&self) -> impl Iterator<Item = u32> {
        self.label_words().iter().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::super::flow::Report;
    use super::*;
    use crate::conntrack::ConntrackRef;
    use crate::netlink::Message;

    /// All that predicates look at.
    #[derive(Debug, PartialEq)]
    struct All {
        family: Option<L3Proto>,
        tuples: [Option<Tuple>; 2],
        zone: u16,
        mark: u32,
        status: u32,
        timeout: Option<u32>,
        counters: [Option<Counters>; 2],
        tcp_state: Option<u8>,
        labels: Vec<u32>,
    }

    fn all(entry: &impl Entry) -> All {
        let directions = [Direction::Original, Direction::Reply];
        let mut labels: Vec<u32> = entry.labels().collect();
        labels.resize(4, 0);
        All {
            family: entry.family(),
            tuples: directions.map(|direction| entry.tuple(direction)),
            zone: entry.zone(),
            mark: entry.mark(),
            status: entry.status(),
            timeout: entry.timeout(),
            counters: directions.map(|direction| entry.counters(direction)),
            tcp_state: entry.tcp_state(),
            labels,
        }
    }

    #[test]
    fn predicates_see_in_a_flow_what_they_see_in_its_message() {
        for recorded in [
            include_str!("../../tests/data/vectors/k02-dump-udp6.hex"),
            include_str!("../../tests/data/vectors/k05-dump-nat-tcp4.hex"),
            include_str!("../../tests/data/vectors/k09-dump-zone.hex"),
            include_str!("../../tests/data/vectors/k10-dump-origzone.hex"),
            include_str!("../../tests/data/vectors/k15-event-new-tcp4.hex"),
            include_str!("../../tests/data/vectors/k18-event-destroy-tcp4.hex"),
        ] {
            let digits: Vec<u8> = recorded
                .bytes()
                .filter(|b| !b.is_ascii_whitespace())
                .collect();
            let byte =
                |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
            let bytes: Vec<u8> = digits.chunks(2).map(byte).collect();
            let message = Message::parse(&bytes).unwrap();
            let view = ConntrackRef::parse(&message).unwrap();
            let flow = Report::of_event(&view).unwrap().flow;
            assert_eq!(all(&flow), all(&view), "{recorded}");
        }
    }
}
