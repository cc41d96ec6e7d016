//! Compiled programs against the reference, over random filters and messages.

use netfilter_conntrack::filter::ByteOrder;

use crate::message::{Kind, Order};
use crate::random::{self, Random, Shape, datagram, prefix_or_any_ipv4, prefix_or_any_ipv6};
use crate::{interpreter, reference};

/// Small sections, all of them.
pub(crate) const SMALL: Shape = Shape {
    one_in: [3, 3, 3, 3, 3, 3, 3, 3, 4],
    most: [6, 12, 12, 12, 8, 8, 8, 6, 2],
    ipv4_masks: prefix_or_any_ipv4,
    ipv6_masks: prefix_or_any_ipv6,
};

/// Up to a thousand values in few sections.
pub(crate) const LARGE: Shape = Shape {
    one_in: [6, 6, 3, 3, 6, 6, 4, 6, 6],
    most: [255, 30, 1000, 1000, 200, 200, 500, 500, 3],
    ipv4_masks: |random| {
        if random.one_in(50) {
            prefix_or_any_ipv4(random)
        } else {
            u32::MAX
        }
    },
    ipv6_masks: |random| {
        if random.one_in(50) {
            prefix_or_any_ipv6(random)
        } else {
            u128::MAX
        }
    },
};

pub(crate) const ORDERS: [(Order, ByteOrder); 2] = [
    (Order::Little, ByteOrder::Little),
    (Order::Big, ByteOrder::Big),
];

/// Counts of verdicts, to see that a test is about something.
#[derive(Debug, Default)]
struct Tally {
    passed: usize,
    dropped: usize,
}

impl Tally {
    fn count(&mut self, passed: bool) {
        if passed {
            self.passed += 1;
        } else {
            self.dropped += 1;
        }
    }
}

fn compare(seed: u64, shape: &Shape, filters: usize, messages: usize) -> Tally {
    let mut random = Random(seed);
    let mut tally = Tally::default();
    for n in 0..filters {
        let filter = random::filter(&mut random, shape);
        for (order, target) in ORDERS {
            let program = filter.compile_for(target).unwrap();
            interpreter::check(program.instructions()).unwrap();
            for _ in 0..messages {
                let message = datagram(&mut random, &filter, order);
                let kept = interpreter::run(program.instructions(), &message, order).unwrap();
                let expected = reference::passes(&filter, &message, order);
                assert_eq!(
                    kept,
                    if expected { u32::MAX } else { 0 },
                    "seed {seed}, filter {n}, {order:?}: {filter:?}\n{message:02x?}"
                );
                tally.count(expected);
            }
        }
    }
    tally
}

#[test]
fn small_filters_mean_what_they_say() {
    let tally = compare(1, &SMALL, 4000, 12);
    assert!(tally.passed > 20_000 && tally.dropped > 20_000, "{tally:?}");
}

#[test]
fn large_filters_mean_what_they_say() {
    let tally = compare(2, &LARGE, 300, 50);
    assert!(tally.passed > 5_000 && tally.dropped > 5_000, "{tally:?}");
}

/// Control messages and other subsystems pass whatever a filter says, and
/// whatever they look like inside.
#[test]
fn what_is_no_entry_always_passes() {
    let mut random = Random(3);
    for _ in 0..500 {
        let filter = random::filter(&mut random, &SMALL);
        for (order, target) in ORDERS {
            let program = filter.compile_for(target).unwrap();
            for _ in 0..20 {
                let kind = match random.below(3) {
                    // Acknowledgements and errors, ends of dumps, overruns.
                    0 => Kind {
                        subsystem: 0,
                        message: random.pick(&[1, 2, 3, 4]),
                        flags: 0,
                    },
                    1 => Kind {
                        subsystem: 2,
                        message: random.below(3) as u8,
                        flags: 0x600,
                    },
                    // Statistics, whose attributes have numbers of their own.
                    _ => Kind::conntrack(random.pick(&[4, 5]), 2),
                };
                let mut message = random::flow(&mut random, &filter).message(order, kind);
                random::damage(&mut random, &mut message);
                let kept = interpreter::run(program.instructions(), &message, order);
                assert_eq!(kept, Ok(u32::MAX), "{filter:?}\n{message:02x?}");
            }
        }
    }
}

/// Damaged messages get a verdict too. (That it is the kernel's own is checked there.)
#[test]
fn damaged_messages_do_no_harm() {
    let mut random = Random(4);
    for _ in 0..1000 {
        let filter = random::filter(&mut random, &SMALL);
        for (order, target) in ORDERS {
            let program = filter.compile_for(target).unwrap();
            for _ in 0..20 {
                let mut message = datagram(&mut random, &filter, order);
                random::damage(&mut random, &mut message);
                let kept = interpreter::run(program.instructions(), &message, order).unwrap();
                assert!(kept == 0 || kept == u32::MAX);
            }
        }
    }
}
