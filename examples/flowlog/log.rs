//! Lines of the log, and their sum.

use std::fmt;
use std::io::{self, Write};
use std::time::Duration;

use netfilter_conntrack::conntrack::Counters;
use netfilter_conntrack::{ConntrackRef, Tuple};

use super::ledger::{self, Key, Known};

/// A flow that has ended.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ended {
    tuple: Tuple,
    counters: Option<[Counters; 2]>,
    duration: Duration,
    /// Whether it may have been longer.
    older: bool,
    /// Whether nobody has told of its end: it has carried as much at least.
    unheard: bool,
}

impl Ended {
    /// As a DESTROY event tells; `known` is what was known before.
    pub(crate) fn told(key: Key, entry: &ConntrackRef<'_>, known: Option<Known>) -> Self {
        let times = entry.timestamps();
        let (duration, older) = match times.start.zip(times.stop) {
            Some((start, stop)) => (Duration::from_nanos(stop.saturating_sub(start)), false),
            None => seen(known),
        };
        Self {
            tuple: key.1,
            counters: ledger::counters(entry),
            duration,
            older,
            unheard: false,
        }
    }

    /// Nothing has told of its end, but the flow is no longer there.
    pub(crate) fn missing((_, tuple): Key, known: Known) -> Self {
        let (duration, older) = seen(Some(known));
        Self {
            tuple,
            counters: known.counters,
            duration,
            older,
            unheard: true,
        }
    }
}

/// How long a flow was seen, and whether it may have been longer.
fn seen(known: Option<Known>) -> (Duration, bool) {
    match known {
        Some(known) => (known.since.elapsed(), !known.from_start),
        None => (Duration::ZERO, true),
    }
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.tuple)?;
        let ways = self.counters.into_iter().flatten();
        for (way, Counters { packets, bytes }) in ["", "reply_"].into_iter().zip(ways) {
            write!(f, " {way}packets={packets} {way}bytes={bytes}")?;
        }
        let older = if self.older { ">" } else { "" };
        write!(f, " duration={older}{:.3}", self.duration.as_secs_f64())?;
        if self.unheard {
            write!(f, " end=unheard")?;
        }
        Ok(())
    }
}

/// What all flows have carried, and what went wrong.
#[derive(Debug, Default)]
pub(crate) struct Totals {
    flows: u64,
    unheard: u64,
    counters: Counters,
}

/// The log on standard output.
pub(crate) struct Log<W: Write> {
    out: W,
    pub(crate) totals: Totals,
}

impl<W: Write> Log<W> {
    pub(crate) fn new(out: W) -> Self {
        Self {
            out,
            totals: Totals::default(),
        }
    }

    pub(crate) fn write(&mut self, ended: &Ended) -> io::Result<()> {
        let totals = &mut self.totals;
        totals.flows += 1;
        totals.unheard += u64::from(ended.unheard);
        for way in ended.counters.into_iter().flatten() {
            totals.counters.packets += way.packets;
            totals.counters.bytes += way.bytes;
        }
        writeln!(self.out, "{ended}")
    }

    pub(crate) fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

impl fmt::Display for Totals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Counters { packets, bytes } = self.counters;
        write!(
            f,
            "{} flows ended, {packets} packets, {bytes} bytes",
            self.flows
        )?;
        if self.unheard > 0 {
            write!(f, "; of {} the end was not heard", self.unheard)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ended() -> Ended {
        let ends = ["192.0.2.1:40000", "192.0.2.2:53"].map(|end| end.parse().unwrap());
        let counters = |packets, bytes| Counters { packets, bytes };
        Ended {
            tuple: Tuple::udp(ends[0], ends[1]).unwrap(),
            counters: Some([counters(1, 60), counters(2, 240)]),
            duration: Duration::from_millis(1500),
            older: false,
            unheard: false,
        }
    }

    #[test]
    fn a_line_says_what_is_known() {
        let tuple = "udp src=192.0.2.1 dst=192.0.2.2 sport=40000 dport=53";
        assert_eq!(
            ended().to_string(),
            format!("{tuple} packets=1 bytes=60 reply_packets=2 reply_bytes=240 duration=1.500")
        );
        let unsure = Ended {
            counters: None,
            older: true,
            unheard: true,
            ..ended()
        };
        assert_eq!(
            unsure.to_string(),
            format!("{tuple} duration=>1.500 end=unheard")
        );
    }

    #[test]
    fn totals_are_of_all_lines_and_both_ways() {
        let mut log = Log::new(Vec::new());
        log.write(&ended()).unwrap();
        assert_eq!(
            log.totals.to_string(),
            "1 flows ended, 3 packets, 300 bytes"
        );
        let unheard = Ended {
            unheard: true,
            ..ended()
        };
        log.write(&unheard).unwrap();
        assert_eq!(
            log.totals.to_string(),
            "2 flows ended, 6 packets, 600 bytes; of 1 the end was not heard"
        );
    }
}
