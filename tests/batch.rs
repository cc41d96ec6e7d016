//! Batches: thousands of requests, each with its own result.

mod common;

use common::{flows, netns, ordinary_user};
use netfilter_conntrack::{
    Attr, Conntrack, Error, EventKind, EventMask, Groups, Handle, L3Proto, Query, Verdict,
};
use std::sync::atomic::{AtomicU32, Ordering};

/// The errno of each result in order of position, 0 where it succeeded.
fn results<'q>(handle: &mut Handle, queries: impl Iterator<Item = Query<'q>>) -> Vec<i32> {
    let mut results = Vec::new();
    let done = |position, result: Result<(), Error>| {
        assert_eq!(position, results.len());
        results.push(result.err().map_or(0, |error| error.errno()));
    };
    handle.batch(queries, done).unwrap();
    results
}

#[test]
fn failures_among_thousands_are_told_from_successes() {
    const COUNT: u32 = 5000;
    netns::run(|| {
        let mut handle = flows::handle();
        let entries: Vec<_> = (0..COUNT)
            .map(|number| match number % 3 {
                0 => flows::udp6(number),
                _ => flows::udp4(number),
            })
            .collect();
        let is_there = |number: usize| number % 7 == 3 || number >= 4900;
        for (number, entry) in entries.iter().enumerate() {
            if is_there(number) {
                handle.create(entry).unwrap();
            }
        }
        let created = results(&mut handle, entries.iter().map(Query::Create));
        let expected = |number| if is_there(number) { libc::EEXIST } else { 0 };
        assert!(created.iter().copied().eq((0..entries.len()).map(expected)));
        assert_eq!(handle.stats().unwrap().entries, COUNT);

        // Both ends of each chunk, and whole chunks, fail.
        let absent: Vec<_> = (0..COUNT)
            .map(|number| flows::udp4(number + 100_000))
            .collect();
        let is_absent = |number: usize| number % 100 == 0 || number % 100 == 99 || number < 250;
        let choose = |number: usize| match is_absent(number) {
            true => Query::Destroy(&absent[number]),
            false => Query::Destroy(&entries[number]),
        };
        let deleted = results(&mut handle, (0..entries.len()).map(choose));
        let expected = |number| if is_absent(number) { libc::ENOENT } else { 0 };
        assert!(deleted.iter().copied().eq((0..entries.len()).map(expected)));
        let left = (0..entries.len())
            .filter(|number| is_absent(*number))
            .count();
        assert_eq!(handle.stats().unwrap().entries as usize, left);
        // The handle is as it was.
        assert!(handle.get(&entries[0]).is_ok());
    });
}

#[test]
fn requests_of_every_kind_and_those_that_cannot_be_sent() {
    netns::run(|| {
        let mut handle = flows::handle();
        let [one, two, three] = [1, 2, 3].map(flows::udp4);
        let mut no_timeout = flows::udp4(4);
        no_timeout.unset(Attr::Timeout);
        let nothing = Conntrack::new();
        let queries = [
            (Query::Create(&one), 0),
            (Query::Destroy(&nothing), libc::EINVAL),
            (Query::CreateUpdate(&two), 0),
            (Query::Update(&two), 0),
            (Query::Update(&three), libc::ENOENT),
            (Query::Create(&no_timeout), libc::EINVAL),
            (Query::Get(&one), libc::EINVAL),
            (Query::Dump(L3Proto::UNSPEC), libc::EINVAL),
            (Query::Flush(L3Proto::UNSPEC), libc::EINVAL),
            (Query::Destroy(&one), 0),
            (Query::Destroy(&nothing), libc::EINVAL),
        ];
        let errnos = results(&mut handle, queries.iter().map(|(query, _)| *query));
        let expected: Vec<_> = queries.iter().map(|(_, errno)| *errno).collect();
        assert_eq!(errnos, expected);
        assert_eq!(handle.stats().unwrap().entries, 1);
        assert!(results(&mut handle, [].into_iter()).is_empty());
        // Nothing that can be sent.
        let refused = results(&mut handle, [Query::Get(&one); 150].into_iter());
        assert_eq!(refused, [libc::EINVAL; 150]);
    });
}

/// Large requests, so that the bytes of a datagram run out before its hundred.
#[test]
fn large_requests() {
    netns::run(|| {
        let mut handle = flows::handle();
        let large = |number| {
            let mut entry = flows::udp4(number);
            entry.set_helper("no-such").unwrap();
            entry.set_helper_info(&[1; 10_000]);
            entry
        };
        let entries: Vec<_> = (0..100).map(large).collect();
        let errnos = results(&mut handle, entries.iter().map(Query::Create));
        assert_eq!(errnos, [libc::EOPNOTSUPP; 100]);
    });
}

/// Events that the requests cause come before their results.
#[test]
fn events_during_a_batch_go_to_the_callback() {
    const COUNT: u32 = 1000;
    netns::run(|| {
        let mut handle = flows::listener(Groups::NEW | Groups::DESTROY);
        // Room for the events of a chunk and their results.
        handle.set_receive_buffer(1 << 20).unwrap();
        let seen: &AtomicU32 = Box::leak(Box::default());
        handle.register(EventMask::ALL, move |event| {
            if event.kind() == EventKind::New {
                seen.fetch_add(1, Ordering::Relaxed);
            }
            // Has no effect on a batch.
            Verdict::Stop
        });
        let entries: Vec<_> = (0..COUNT).map(flows::udp4).collect();
        flows::create_all(&mut handle, &entries);
        assert_eq!(seen.load(Ordering::Relaxed), COUNT);
        assert_eq!(handle.overruns(), 0);
    });
}

/// Results that were lost are reported as lost, those that were not as they are.
#[test]
fn results_lost_in_an_overrun() {
    const COUNT: u32 = 1000;
    netns::run(|| {
        let mut handle = flows::listener(Groups::NEW);
        handle.set_receive_buffer(1).unwrap();
        let entries: Vec<_> = (0..COUNT).map(flows::udp4).collect();
        let errnos = results(&mut handle, entries.iter().map(Query::Create));
        assert_eq!(errnos.len(), COUNT as usize);
        let known = errnos
            .iter()
            .all(|errno| [0, libc::ENOBUFS].contains(errno));
        assert!(known, "{errnos:?}");
        let lost = errnos.iter().filter(|errno| **errno != 0).count();
        assert!(lost > 0 && handle.overruns() > 0);
        // The kernel has done what it was asked nevertheless.
        assert_eq!(flows::handle().stats().unwrap().entries, COUNT);
        // Answers that come late are nobody's.
        let mut absent = Vec::new();
        for number in 0..50 {
            absent.push(handle.get(&flows::udp4(COUNT + number)));
        }
        let told = |result: Result<Conntrack, Error>| flows::errno(result);
        let told: Vec<_> = absent.into_iter().map(told).collect();
        assert!(told.ends_with(&[libc::ENOENT; 40]), "{told:?}");
    });
}

#[test]
fn passes_for_an_ordinary_user() {
    ordinary_user::rerun_these_tests();
}
