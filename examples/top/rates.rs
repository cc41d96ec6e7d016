//! Counters in, rates out.

use std::collections::HashMap;
use std::hash::Hash;
use std::time::{Duration, Instant};

/// Bytes in the original and in the reply direction.
pub(crate) type Bytes = [u64; 2];

/// The last counters of each flow, and how fast they grow.
///
/// A sample has all flows of the table, so a flow that was not in the sample
/// before has begun since, and all it has counted is of that time. Of the first
/// sample nothing of the kind is known.
#[derive(Debug)]
pub(crate) struct Rates<K> {
    flows: HashMap<K, Known>,
    last: Option<Instant>,
    /// Number of the sample, to tell which flows are in it.
    sample: u64,
}

/// What is known of a flow.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Known {
    /// Of the last sample; `None` where the kernel does not count.
    pub(crate) bytes: Option<Bytes>,
    /// Bytes per second between the last two samples.
    pub(crate) rates: Option<Bytes>,
    /// When the flow was first in a sample.
    pub(crate) since: Instant,
    /// Whether it may be older than that.
    pub(crate) older: bool,
    sample: u64,
}

impl<K: Eq + Hash> Rates<K> {
    pub(crate) fn new() -> Self {
        Self {
            flows: HashMap::new(),
            last: None,
            sample: 0,
        }
    }

    /// Takes in the counters of all flows. Flows that are not among them are
    /// forgotten.
    pub(crate) fn sample(&mut self, now: Instant, all: impl Iterator<Item = (K, Option<Bytes>)>) {
        self.sample += 1;
        let (sample, time) = (self.sample, self.last.map(|last| now - last));
        for (key, bytes) in all {
            let known = self.flows.entry(key).or_insert(Known {
                bytes: None,
                rates: None,
                since: now,
                older: time.is_none(),
                sample: 0,
            });
            // A flow has had counters since it began, or never gets any. Those that
            // an event told of while the table was listed come with the next list.
            let before = known.bytes.unwrap_or([0; 2]);
            known.rates = bytes
                .zip(time)
                .map(|(after, time)| [0, 1].map(|way| rate(before[way], after[way], time)));
            known.bytes = bytes;
            known.sample = sample;
        }
        self.flows.retain(|_, known| known.sample == sample);
        self.last = Some(now);
    }

    /// What is known of a flow; `None` where it was not in the last sample.
    pub(crate) fn get(&self, key: &K) -> Option<&Known> {
        self.flows.get(key)
    }

    /// The sum of all flows' rates.
    pub(crate) fn sum(&self) -> Bytes {
        let rates = self.flows.values().filter_map(|known| known.rates);
        rates.fold([0; 2], |[a, b], [c, d]| {
            [a.saturating_add(c), b.saturating_add(d)]
        })
    }
}

/// Bytes per second.
fn rate(before: u64, after: u64, time: Duration) -> u64 {
    // Somebody has reset the counter, or it is another flow that happens to have
    // the same id: all that is counted is new.
    let bytes = after.checked_sub(before).unwrap_or(after);
    let nanoseconds = time.as_nanos().max(1);
    let rate = u128::from(bytes) * 1_000_000_000 / nanoseconds;
    u64::try_from(rate).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Samples at these times, in milliseconds, of the flows 'a', 'b'….
    fn rates(samples: &[(u64, &[(char, Option<Bytes>)])]) -> Rates<char> {
        let (mut rates, begin) = (Rates::new(), Instant::now());
        for (time, flows) in samples {
            let now = begin + Duration::from_millis(*time);
            rates.sample(now, flows.iter().copied());
        }
        rates
    }

    fn of(rates: &Rates<char>, flow: char) -> Option<Bytes> {
        rates.get(&flow).unwrap().rates
    }

    #[test]
    fn a_rate_is_what_was_counted_between_two_samples_by_the_time() {
        let rates = rates(&[
            (0, &[('a', Some([1000, 0])), ('b', Some([7, 7]))]),
            (500, &[('a', Some([2000, 10])), ('b', Some([7, 7]))]),
        ]);
        assert_eq!(of(&rates, 'a'), Some([2000, 20]));
        assert_eq!(of(&rates, 'b'), Some([0, 0]));
        assert_eq!(rates.sum(), [2000, 20]);
    }

    #[test]
    fn the_first_sample_gives_no_rates() {
        let rates = rates(&[(0, &[('a', Some([1000, 0]))])]);
        assert_eq!(of(&rates, 'a'), None);
        assert!(rates.get(&'a').unwrap().older);
        assert_eq!(rates.sum(), [0, 0]);
    }

    #[test]
    fn all_that_a_new_flow_has_counted_is_of_the_time_since_the_last_sample() {
        let rates = rates(&[(0, &[]), (2000, &[('a', Some([1000, 3000]))])]);
        assert_eq!(of(&rates, 'a'), Some([500, 1500]));
        assert!(!rates.get(&'a').unwrap().older);
    }

    #[test]
    fn flows_that_have_ended_are_forgotten_and_new_when_they_are_back() {
        let flow = ('a', Some([1000, 1000]));
        let gone = rates(&[(0, &[flow]), (1000, &[])]);
        assert!(gone.get(&'a').is_none());
        assert!(gone.flows.is_empty());
        let back = rates(&[(0, &[flow]), (1000, &[]), (2000, &[flow])]);
        assert_eq!(of(&back, 'a'), Some([1000, 1000]));
    }

    #[test]
    fn a_counter_that_was_reset_counts_from_zero() {
        let rates = rates(&[
            (0, &[('a', Some([u64::MAX, 500]))]),
            (1000, &[('a', Some([40, 600]))]),
        ]);
        assert_eq!(of(&rates, 'a'), Some([40, 100]));
    }

    #[test]
    fn without_counters_there_is_no_rate() {
        let rates = rates(&[(0, &[('a', None)]), (1000, &[('a', None)])]);
        assert_eq!(of(&rates, 'a'), None);
        assert_eq!(rates.sum(), [0, 0]);
    }

    #[test]
    fn a_flow_that_the_list_did_not_have_yet_has_a_rate_with_the_next() {
        let rates = rates(&[(0, &[('a', None)]), (1000, &[('a', Some([9, 7]))])]);
        assert_eq!(of(&rates, 'a'), Some([9, 7]));
    }

    #[test]
    fn no_time_and_no_bound_is_no_reason_to_panic() {
        let rates = rates(&[
            (0, &[('a', Some([0, 0]))]),
            (0, &[('a', Some([u64::MAX, 1]))]),
        ]);
        assert_eq!(of(&rates, 'a'), Some([u64::MAX, 1_000_000_000]));
    }
}
