//! Batches: many entries, failures by line, order.

use std::net::Ipv4Addr;

use netfilter_conntrack::ipset::{Entry, MacAddr, Reason, Session, Set, SetType};

use crate::common::{netns, peer};
use crate::session;

const MANY: u32 = 100_000;

/// The address number `nth`, spread so that neighbours fall into other buckets.
fn host(nth: u32) -> Entry {
    Entry::address(Ipv4Addr::from((nth + 1).wrapping_mul(0x9e37_79b1)))
}

fn create(session: &mut Session, set: &str) {
    let set = Set::new(set, SetType::HASH_IP).unwrap();
    session.create(&set.with_maxelem(MANY)).unwrap();
}

fn count(session: &mut Session, set: &str) -> usize {
    session.entries(set).unwrap().len()
}

#[test]
fn a_hundred_thousand_entries() {
    netns::run(|| {
        let mut session = session();
        create(&mut session, "x");
        let mut batch = session.batch();
        for nth in 0..MANY {
            batch.add("x", &host(nth)).unwrap();
        }
        assert_eq!(batch.commit().unwrap().len(), 0);
        assert_eq!(session.info("x").unwrap().elements, Some(MANY));
        assert_eq!(count(&mut session, "x"), MANY as usize);
        for nth in [0, MANY / 2, MANY - 1] {
            assert!(session.test("x", &host(nth)).unwrap());
        }
        let text = peer::run("ipset save x");
        assert_eq!(
            text.lines().filter(|line| line.starts_with("add ")).count(),
            MANY as usize
        );

        let mut batch = session.batch();
        for nth in 0..MANY {
            batch.delete("x", &host(nth)).unwrap();
        }
        assert_eq!(batch.commit().unwrap().len(), 0);
        assert_eq!(count(&mut session, "x"), 0);
    });
}

#[test]
fn failures_are_located_and_the_rest_is_done() {
    netns::run(|| {
        let mut session = session();
        create(&mut session, "x");
        // Lines count from 1; several in one message, neighbours, the first
        // and the last, and beyond the first message.
        let present = [1, 2, 3, 500, 2700, 2740, 9999, 10_000];
        for line in present {
            session.add("x", &host(line - 1)).unwrap();
        }
        let mut batch = session.batch();
        for nth in 0..10_000 {
            batch.add("x", &host(nth)).unwrap();
        }
        let failures = batch.commit().unwrap();
        let lines: Vec<_> = failures.iter().map(|failure| failure.line).collect();
        assert_eq!(lines, present);
        for failure in &failures {
            assert_eq!(failure.error.reason(), Some(Reason::EntryExists));
        }
        assert_eq!(count(&mut session, "x"), 10_000);
    });
}

#[test]
fn all_may_fail() {
    netns::run(|| {
        let mut session = session();
        create(&mut session, "x");
        for _ in 0..2 {
            let mut batch = session.batch();
            for nth in 0..20_000 {
                batch.add("x", &host(nth)).unwrap();
            }
            let failures = batch.commit().unwrap();
            let lines = failures.iter().map(|failure| failure.line);
            assert!(failures.is_empty() || lines.eq(1..=20_000));
        }
        let mut batch = session.batch();
        for nth in 20_000..40_000 {
            batch.delete("x", &host(nth)).unwrap();
        }
        let failures = batch.commit().unwrap();
        assert_eq!(failures.len(), 20_000);
        assert_eq!(failures[7].error.reason(), Some(Reason::NoSuchEntry));
    });
}

#[test]
fn what_exists_can_be_passed_over() {
    netns::run(|| {
        let mut session = session();
        create(&mut session, "x");
        for _ in 0..2 {
            let mut batch = session.batch();
            for nth in 0..5000 {
                batch.add_or_update("x", &host(nth)).unwrap();
            }
            assert_eq!(batch.commit().unwrap().len(), 0);
        }
        for _ in 0..2 {
            let mut batch = session.batch();
            for nth in 0..5000 {
                batch.delete_if_present("x", &host(nth)).unwrap();
            }
            assert_eq!(batch.commit().unwrap().len(), 0);
        }
    });
}

#[test]
fn entries_of_other_types_are_located_too() {
    netns::run(|| {
        let mut session = session();
        create(&mut session, "x");
        let mut batch = session.batch();
        for nth in 0..3000 {
            let entry = match nth {
                // These the kernel refuses without telling the line.
                100 | 2999 => host(nth).with_mac(MacAddr([2; 6])),
                // This one it refuses with the line.
                200 => Entry::default(),
                _ => host(nth),
            };
            batch.add("x", &entry).unwrap();
        }
        let failures = batch.commit().unwrap();
        let lines: Vec<_> = failures.iter().map(|failure| failure.line).collect();
        assert_eq!(lines, [101, 201, 3000]);
        assert!(
            failures
                .iter()
                .all(|failure| failure.error.reason() == Some(Reason::Malformed))
        );
        assert_eq!(count(&mut session, "x"), 2997);
    });
}

#[test]
fn type_specific_reasons_are_named() {
    netns::run(|| {
        let mut session = session();
        let net = (Ipv4Addr::new(10, 0, 0, 0), 30);
        let bitmap = Set::new("b", SetType::BITMAP_IP).unwrap().with_range(net);
        session.create(&bitmap).unwrap();
        create(&mut session, "h");
        let mut batch = session.batch();
        for last in 0..8 {
            batch
                .add("b", &Entry::address(Ipv4Addr::new(10, 0, 0, last)))
                .unwrap();
        }
        batch
            .add("h", &Entry::address(Ipv4Addr::UNSPECIFIED))
            .unwrap();
        let failures = batch.commit().unwrap();
        let all: Vec<_> = failures
            .iter()
            .map(|f| (f.line, f.error.reason().unwrap()))
            .collect();
        let outside = |line| (line, Reason::OutOfRange);
        let zero = (9, Reason::ZeroEntry);
        assert_eq!(all, [outside(5), outside(6), outside(7), outside(8), zero]);
    });
}

#[test]
fn order_is_kept() {
    netns::run(|| {
        let mut session = session();
        create(&mut session, "x");
        create(&mut session, "y");
        let mut batch = session.batch();
        // Each entry comes and goes, also behind one that fails.
        for nth in 0..500 {
            batch.add("x", &host(nth)).unwrap();
            batch.add("x", &host(nth)).unwrap();
            batch.delete("x", &host(nth)).unwrap();
            batch.add("y", &host(nth)).unwrap();
        }
        let failures = batch.commit().unwrap();
        assert!(
            failures
                .iter()
                .map(|failure| failure.line)
                .eq((0..500).map(|nth| 4 * nth + 2))
        );
        assert_eq!(
            (count(&mut session, "x"), count(&mut session, "y")),
            (0, 500)
        );
    });
}

#[test]
fn a_missing_set_fails_as_a_whole() {
    netns::run(|| {
        let mut session = session();
        create(&mut session, "x");
        let mut batch = session.batch();
        batch.add("x", &host(0)).unwrap();
        batch.add("none", &host(1)).unwrap();
        let error = batch.commit().unwrap_err();
        assert_eq!(error.reason(), Some(Reason::NoSuchSet));
        assert_eq!(count(&mut session, "x"), 1);
    });
}

#[test]
fn an_empty_or_dropped_batch_does_nothing() {
    netns::run(|| {
        let mut session = session();
        create(&mut session, "x");
        assert_eq!(session.batch().commit().unwrap().len(), 0);
        let mut batch = session.batch();
        batch.add("x", &host(0)).unwrap();
        drop(batch);
        assert_eq!(count(&mut session, "x"), 0);
    });
}

#[test]
fn entries_with_everything_fill_messages_too() {
    netns::run(|| {
        let mut session = session();
        let set = Set::new("x", SetType::HASH_IP).unwrap();
        let set = set
            .with_comment()
            .with_counters()
            .with_timeout(0)
            .with_skbinfo();
        session.create(&set).unwrap();
        let mut batch = session.batch();
        for nth in 0..2000 {
            let entry = host(nth)
                .with_timeout(1000 + nth)
                .with_counters(nth.into(), 7)
                .with_comment(format!("{nth:0>255}"))
                .with_skbmark(nth, 0xffff);
            batch.add("x", &entry).unwrap();
        }
        assert_eq!(batch.commit().unwrap().len(), 0);
        let entries = session.entries("x").unwrap();
        assert_eq!(entries.len(), 2000);
        for entry in entries {
            let nth: u32 = String::from_utf8(entry.comment.unwrap())
                .unwrap()
                .parse()
                .unwrap();
            assert_eq!(entry.address, host(nth).address);
            assert_eq!(entry.packets, Some(nth.into()));
        }
    });
}
