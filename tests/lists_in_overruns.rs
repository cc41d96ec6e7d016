//! Lists on a handle that listens while more happens than it can take: events
//! are lost, entries of the list are not.

mod common;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::thread;

use common::{flows, netns, ordinary_user};
use netfilter_conntrack::filter::IpPrefix;
use netfilter_conntrack::{
    Direction, Error, EventKind, EventMask, Groups, Handle, L3Proto, Predicate, Query, Verdict,
};

/// So many that a list takes many datagrams.
const MANY: u32 = 5000;

/// A handle that listens to a full table with a receive buffer that is soon full.
fn hard_of_hearing() -> Handle {
    let entries: Vec<_> = (0..MANY).map(flows::udp4).collect();
    flows::create_all(&mut flows::handle(), &entries);
    let listener = flows::listener(Groups::CONNTRACK);
    listener.set_receive_buffer(20_000).unwrap();
    listener
}

/// Makes and deletes other entries while `work` is done, of which the first ones
/// have already filled the buffer then.
fn among_changes<T>(work: impl FnOnce() -> T) -> T {
    let stop = AtomicBool::new(false);
    let (started, has_started) = mpsc::channel();
    thread::scope(|scope| {
        let stop = &stop;
        scope.spawn(move || {
            let mut handle = flows::handle();
            let others: Vec<_> = (MANY..MANY + 500).map(flows::udp4).collect();
            while !stop.load(Ordering::Relaxed) {
                for query in [Query::Create, Query::Destroy] {
                    let each = |_, result: Result<(), Error>| result.unwrap();
                    handle.batch(others.iter().map(query), each).unwrap();
                }
                let _nobody_waits_any_more = started.send(());
            }
        });
        has_started.recv().unwrap();
        let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work));
        stop.store(true, Ordering::Relaxed);
        result.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

#[test]
fn a_list_loses_no_entry_when_events_are_lost() {
    netns::run(|| {
        let mut listener = hard_of_hearing();
        among_changes(|| {
            let mut overruns = 0;
            for _ in 0..10 {
                let mut times = vec![0; MANY as usize];
                let mut dump = listener
                    .dump(L3Proto::IPV4)
                    .unwrap_or_else(|error| panic!("{error}"));
                loop {
                    let entry = match dump.next() {
                        Ok(None) => break,
                        Ok(Some(entry)) => entry,
                        Err(Error::Overrun) => {
                            overruns += 1;
                            continue;
                        }
                        Err(error) => panic!("{error}"),
                    };
                    let number = flows::number(entry.original().unwrap());
                    if let Some(times) = times.get_mut(number as usize) {
                        *times += 1;
                    }
                }
                assert!(times.iter().all(|times| *times == 1));
            }
            assert!(overruns > 0);
        });
    });
}

#[test]
fn a_callback_gets_all_entries_when_events_are_lost() {
    netns::run(|| {
        let mut listener = hard_of_hearing();
        let (sender, entries) = mpsc::channel();
        listener.register(EventMask::ALL, move |event| {
            // Entries of a dump have flags that no event has.
            let is_listed = event.header().seq != 0;
            assert!(!is_listed || event.kind() == EventKind::Update);
            let number = flows::number(event.conntrack().unwrap().original().unwrap());
            if is_listed && number < MANY {
                sender.send(number).unwrap();
            }
            Verdict::Continue
        });
        let result = among_changes(|| listener.query(Query::Dump(L3Proto::IPV4)));
        assert_eq!(result, Err(Error::Overrun));
        let mut listed: Vec<u32> = entries.try_iter().collect();
        listed.sort_unstable();
        assert!(listed.into_iter().eq(0..MANY));
    });
}

#[test]
fn deletions_go_on_when_events_are_lost() {
    netns::run(|| {
        let mut listener = hard_of_hearing();
        // That takes queries, which do lose their answers.
        listener.probe().unwrap();
        let first: IpPrefix = "10.0.0.0/20".parse().unwrap();
        let of_first = Predicate::source(Direction::Original, first);
        let deleted = among_changes(|| listener.delete_matching(&of_first)).unwrap();
        assert_eq!((deleted.matched, deleted.deleted), (4096, 4096));
        assert!(listener.overruns() > 0);
    });
}

#[test]
fn passes_for_an_ordinary_user() {
    ordinary_user::rerun_these_tests();
}
