//! What dumps, events and batches take from the allocator: nothing for each
//! entry.

mod common;

use std::hint::black_box;

use common::allocations::{Counting, count};
use common::{flows, netns, ordinary_user, peer, sysctl};
use netfilter_conntrack::{
    Bitmask, Conntrack, ConntrackRef, Direction, EventMask, Groups, Handle, L3Proto, Query, Status,
    Verdict,
};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const ENTRIES: u32 = 10_000;

/// More than one datagram needs, and far fewer than there are entries.
const FEW: u64 = 20;

/// Entries with all that has memory of its own in an object: labels, which the
/// kernel keeps where a rule sets some, and the parts that sysctls turn on.
fn fill(handle: &mut Handle) {
    peer::nft(
        "table inet labels {
             chain incoming {
                 type filter hook input priority filter
                 ct label set 1
             }
         }",
    );
    sysctl::write("net.netfilter.nf_conntrack_acct", 1);
    sysctl::write("net.netfilter.nf_conntrack_timestamp", 1);
    let mut labels = Bitmask::new(127).unwrap();
    labels.set(100);
    let of_number = |number| {
        let mut entry = match number % 2 {
            0 => flows::udp4(number),
            _ => flows::udp6(number),
        };
        entry.set_mark(number).set_status(Status::SEEN_REPLY);
        entry.set_labels(labels.clone());
        entry
    };
    let entries: Vec<_> = (0..ENTRIES).map(of_number).collect();
    flows::create_all(handle, &entries);
}

/// Reads all of an entry that needs no memory.
fn look(entry: ConntrackRef<'_>) -> u32 {
    black_box((entry.original(), entry.reply(), entry.master()));
    black_box((entry.status(), entry.timeout(), entry.zone(), entry.id()));
    black_box((entry.protoinfo(), entry.timestamps(), entry.synproxy()));
    black_box((entry.helper(), entry.helper_info(), entry.secctx()));
    for direction in [Direction::Original, Direction::Reply] {
        assert!(entry.counters(direction).is_some());
        black_box(entry.seq_adjust(direction));
    }
    assert!(entry.labels().is_some_and(|labels| labels.iter().eq([100])));
    entry.mark().unwrap()
}

/// Each entry once, by the sum of their marks.
const SUM: u64 = ENTRIES as u64 * (ENTRIES as u64 - 1) / 2;

#[test]
fn dumps_allocate_nothing_for_each_entry() {
    netns::run(|| {
        let mut handle = flows::handle();
        fill(&mut handle);

        let by_view = count(|| {
            let mut sum = 0;
            let mut dump = handle.dump(L3Proto::UNSPEC).unwrap();
            while let Some(entry) = dump.next().unwrap() {
                sum += u64::from(look(entry));
            }
            assert_eq!(sum, SUM);
        });
        assert!(by_view < FEW, "{by_view}");

        let reused = count(|| {
            let mut sum = 0;
            let mut entry = Conntrack::new();
            let mut dump = handle.dump(L3Proto::UNSPEC).unwrap();
            while dump.next_into(&mut entry).unwrap() {
                assert!(entry.labels().unwrap().test(100));
                sum += u64::from(entry.mark().unwrap());
            }
            assert_eq!(sum, SUM);
        });
        assert!(reused < FEW, "{reused}");

        // Without an object to reuse there is something to count.
        let owned = count(|| {
            let dump = handle.dump(L3Proto::UNSPEC).unwrap().owned();
            assert_eq!(dump.filter(|entry| entry.is_ok()).count(), ENTRIES as usize);
        });
        assert!(owned >= u64::from(ENTRIES), "{owned}");
    });
}

#[test]
fn callbacks_and_events_allocate_nothing_for_each_entry() {
    netns::run(|| {
        let mut listener = flows::listener(Groups::DESTROY);
        listener.set_nonblocking(true).unwrap();
        let mut handle = flows::handle();
        fill(&mut handle);
        handle.register(EventMask::ALL, |event| {
            black_box(look(event.conntrack().unwrap()));
            Verdict::Continue
        });
        let called = count(|| handle.query(Query::Dump(L3Proto::UNSPEC)).unwrap());
        assert!(called < FEW, "{called}");

        // As many as fit into the buffer.
        const EVENTS: u32 = 100;
        let even = (1..=EVENTS).map(|number| 2 * number);
        for number in even.clone() {
            handle.delete(&flows::udp4(number)).unwrap();
        }
        let pulled = count(|| {
            for number in even {
                let event = listener.next_event().unwrap();
                assert_eq!(event.conntrack().unwrap().mark(), Some(number));
            }
        });
        assert!(pulled < FEW, "{pulled}");
    });
}

#[test]
fn batches_and_queries_allocate_nothing_for_each_request() {
    netns::run(|| {
        let mut handle = flows::handle();
        let entries: Vec<_> = (0..ENTRIES).map(flows::udp4).collect();
        let created = count(|| flows::create_all(&mut handle, &entries));
        assert!(created < FEW, "{created}");
        // Memory for requests and replies is there now.
        let deleted = count(|| {
            for entry in &entries {
                handle.delete(entry).unwrap();
            }
        });
        assert_eq!(deleted, 0);
        // Neither do failures take memory.
        let failed = count(|| {
            for entry in &entries {
                assert_eq!(flows::errno(handle.get(entry)), libc::ENOENT);
            }
        });
        assert_eq!(failed, 0);
    });
}

#[test]
fn passes_for_an_ordinary_user() {
    ordinary_user::rerun_these_tests();
}
