//! Dumps of large tables: each entry once while others come and go, and what
//! is left when nobody reads a dump to its end.

mod common;

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;

use common::{flows, netns, ordinary_user, wait};
use netfilter_conntrack::{Caught, Conntrack, EventMask, Groups, Handle, L3Proto, Query, Verdict};

/// So many that a dump takes many datagrams.
const MANY: u32 = 20_000;

fn fill(handle: &mut Handle, count: u32) {
    let entries: Vec<_> = (0..count).map(numbered).collect();
    flows::create_all(handle, &entries);
}

/// An entry whose mark is its number plus one, of either family.
fn numbered(number: u32) -> Conntrack {
    let mut entry = match number % 4 {
        0 => flows::udp6(number),
        _ => flows::udp4(number),
    };
    entry.set_mark(number + 1);
    entry
}

/// Counts how often each of the numbered entries is in a dump.
fn listed(handle: &mut Handle, count: u32) -> Vec<u32> {
    let mut times = vec![0; count as usize];
    let mut dump = handle.dump(L3Proto::UNSPEC).unwrap();
    while let Some(entry) = dump.next().unwrap() {
        // What comes and goes has no mark.
        if let Some(number) = entry.mark().unwrap().checked_sub(1) {
            assert_eq!(flows::number(entry.original().unwrap()), number);
            times[number as usize] += 1;
        }
    }
    times
}

/// Makes and deletes other entries until it is told to stop.
fn churn(first: u32, stop: &AtomicBool, changes: &AtomicU32) {
    let mut handle = flows::handle();
    let others: Vec<_> = (first..first + 500).map(flows::udp4).collect();
    while !stop.load(Ordering::Relaxed) {
        for query in [Query::Create, Query::Destroy] {
            let refused = |_, result: Result<(), _>| result.unwrap();
            handle.batch(others.iter().map(query), refused).unwrap();
            changes.fetch_add(others.len() as u32, Ordering::Relaxed);
        }
    }
}

/// Stops the others also when the test fails.
struct StopOnDrop<'a>(&'a AtomicBool);

impl Drop for StopOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn each_entry_is_listed_once_while_others_come_and_go() {
    netns::run(|| {
        let mut handle = flows::handle();
        fill(&mut handle, MANY);
        let (stop, changes) = (AtomicBool::new(false), AtomicU32::new(0));
        thread::scope(|scope| {
            let _stopped = StopOnDrop(&stop);
            // Threads are in the namespace of the one that starts them.
            for first in [1_000_000, 2_000_000] {
                let (stop, changes) = (&stop, &changes);
                scope.spawn(move || churn(first, stop, changes));
            }
            for _ in 0..5 {
                let before = changes.load(Ordering::Relaxed);
                wait::until("changes", || {
                    (changes.load(Ordering::Relaxed) != before).then_some(())
                });
                let times = listed(&mut handle, MANY);
                assert!(times.iter().all(|times| *times == 1));
            }
        });
        assert_eq!(handle.stats().unwrap().entries, MANY);
    });
}

#[test]
fn two_handles_dump_at_once() {
    netns::run(|| {
        let mut first = flows::handle();
        fill(&mut first, 3000);
        let mut second = flows::handle();
        let mut counts = [0, 0];
        let [mut one, mut two] = [
            first.dump(L3Proto::UNSPEC).unwrap(),
            second.dump(L3Proto::IPV6).unwrap(),
        ];
        loop {
            let step = (one.next().unwrap().is_some(), two.next().unwrap().is_some());
            counts[0] += u32::from(step.0);
            counts[1] += u32::from(step.1);
            if step == (false, false) {
                break;
            }
        }
        assert_eq!(counts, [3000, 750]);
    });
}

#[test]
fn entries_are_listed_as_objects_of_their_own() {
    netns::run(|| {
        let mut handle = flows::handle();
        fill(&mut handle, 1000);
        let dump = handle.dump(L3Proto::UNSPEC).unwrap().owned();
        let mut entries: Vec<Conntrack> = dump.collect::<Result<_, _>>().unwrap();
        entries.sort_by_key(Conntrack::mark);
        for (number, entry) in (0..).zip(&entries) {
            assert_eq!(entry.original(), numbered(number).original());
            assert_eq!(entry.reply(), numbered(number).reply());
        }
        assert_eq!(entries.len(), 1000);
    });
}

/// What a handle must be able to do whatever became of a dump before.
fn assert_all_else_works(handle: &mut Handle, count: u32) {
    for number in [0, 1, count - 1] {
        let found = handle.get(&numbered(number)).unwrap();
        assert_eq!(found.mark(), Some(number + 1));
    }
    assert_eq!(flows::errno(handle.get(&numbered(count))), libc::ENOENT);
    handle.update(&numbered(0)).unwrap();
    assert_eq!(flows::errno(handle.create(&numbered(0))), libc::EEXIST);
    assert_eq!(handle.stats().unwrap().entries, count);
}

const COUNT: u32 = 3000;

#[test]
fn a_dump_dropped_half_way_leaves_nothing_behind() {
    netns::run(|| {
        let mut handle = flows::handle();
        fill(&mut handle, COUNT);
        for read in [0, 1, 2, 500, COUNT - 1] {
            let mut dump = handle.dump(L3Proto::UNSPEC).unwrap();
            for _ in 0..read {
                assert!(dump.next().unwrap().is_some());
            }
            assert_all_else_works(&mut handle, COUNT);
            assert!(listed(&mut handle, COUNT).iter().all(|times| *times == 1));
            assert_all_else_works(&mut handle, COUNT);
        }
        // One after the other, none read to its end.
        for _ in 0..20 {
            assert!(
                handle
                    .dump(L3Proto::IPV4)
                    .unwrap()
                    .next()
                    .unwrap()
                    .is_some()
            );
        }
        assert!(!handle.cpu_stats().unwrap().is_empty());
        assert!(listed(&mut handle, COUNT).iter().all(|times| *times == 1));
    });
}

/// Registers a callback that stops at the given call, and counts calls.
fn stop_at(handle: &mut Handle, call: u32) -> &'static AtomicU32 {
    let calls: &AtomicU32 = Box::leak(Box::default());
    handle.register(EventMask::ALL, move |_| {
        match calls.fetch_add(1, Ordering::Relaxed) + 1 == call {
            true => Verdict::Stop,
            false => Verdict::Continue,
        }
    });
    calls
}

#[test]
fn a_dump_stopped_by_its_callback_leaves_nothing_behind() {
    netns::run(|| {
        let mut handle = flows::handle();
        fill(&mut handle, COUNT);
        for stop in [1, 2, 700, COUNT] {
            let calls = stop_at(&mut handle, stop);
            handle.query(Query::Dump(L3Proto::UNSPEC)).unwrap();
            assert_eq!(calls.load(Ordering::Relaxed), stop);
            assert_all_else_works(&mut handle, COUNT);
            // None of the entries left over goes to the callback.
            assert_eq!(calls.load(Ordering::Relaxed), stop);

            handle.query(Query::Dump(L3Proto::UNSPEC)).unwrap();
            assert_eq!(calls.load(Ordering::Relaxed), stop + COUNT);
            assert_all_else_works(&mut handle, COUNT);
        }
        // A GET can be stopped too; its acknowledgement is nobody's then.
        let calls = stop_at(&mut handle, 1);
        handle.query(Query::Get(&numbered(0))).unwrap();
        assert_eq!(calls.load(Ordering::Relaxed), 1);
        assert_eq!(
            flows::errno(handle.query(Query::Get(&numbered(COUNT)))),
            libc::ENOENT
        );
        assert_all_else_works(&mut handle, COUNT);
    });
}

#[test]
fn a_dump_that_was_sent_is_caught_or_left() {
    netns::run(|| {
        let mut handle = flows::handle();
        fill(&mut handle, COUNT);
        // What is sent is answered at once; waiting would be for ever.
        handle.set_nonblocking(true).unwrap();
        let calls = stop_at(&mut handle, 0);
        let all = Query::Dump(L3Proto::UNSPEC);
        let seq = handle.send(all).unwrap();
        assert_eq!(handle.catch().unwrap(), Caught::Done(seq));
        assert_eq!(calls.load(Ordering::Relaxed), COUNT);

        let calls = stop_at(&mut handle, 10);
        handle.send(all).unwrap();
        assert_eq!(handle.catch().unwrap(), Caught::Stopped);
        assert_eq!(calls.load(Ordering::Relaxed), 10);
        let get = handle.send(Query::Get(&numbered(7))).unwrap();
        assert_eq!(handle.catch().unwrap(), Caught::Acknowledged(get));
        assert_eq!(calls.load(Ordering::Relaxed), 11);
        assert_all_else_works(&mut handle, COUNT);

        // The second is refused, since the first is running; the first is stopped.
        stop_at(&mut handle, 10);
        handle.send(all).unwrap();
        handle.send(all).unwrap();
        assert_eq!(handle.catch().unwrap(), Caught::Stopped);
        assert_eq!(flows::errno(handle.catch()), libc::EBUSY);
        assert!(listed(&mut handle, COUNT).iter().all(|times| *times == 1));
    });
}

#[test]
fn an_empty_table_and_an_unknown_family() {
    netns::run(|| {
        let mut handle = flows::listener(Groups::CONNTRACK);
        assert!(
            handle
                .dump(L3Proto::UNSPEC)
                .unwrap()
                .next()
                .unwrap()
                .is_none()
        );
        fill(&mut handle, 10);
        assert_eq!(handle.dump(L3Proto(7)).unwrap().owned().count(), 0);
        let mut dump = handle.dump(L3Proto::UNSPEC).unwrap();
        let mut entry = numbered(99);
        let mut count = 0;
        while dump.next_into(&mut entry).unwrap() {
            assert!(entry.mark().unwrap() <= 10);
            count += 1;
        }
        assert_eq!(count, 10);
        // The end stays the end.
        assert!(!dump.next_into(&mut entry).unwrap());
        assert!(dump.next().unwrap().is_none());
    });
}

#[test]
fn passes_for_an_ordinary_user() {
    ordinary_user::rerun_these_tests();
}
