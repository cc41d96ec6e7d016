//! The mirror against a simulated kernel, in every order of events, lists,
//! overruns and errors.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use netfilter_conntrack::mirror::{Change, Mirror, Removal, Replica, Task};
use netfilter_conntrack::{Status, Tuple};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use crate::messages::{Told, parse};
use crate::simulated_kernel::{Kernel, Key, Pace, Received};

/// One thing that happens.
#[derive(Clone, Debug)]
enum Step {
    Create(Key),
    /// In half of the cases without any event to come.
    CreateSilently(Key),
    SetMark(Key, u32),
    SetStatus(Key, Status),
    /// Tells of an entry that has not changed.
    Touch(Key),
    Destroy(Key),
    /// Ends what was begun with an entry.
    Finish(Key),
    /// Lets the mirror do this many tasks.
    Work(u8),
    Time(u8),
    Resync,
    /// The next list is refused, or ends in an error after these many entries.
    FailList(u8),
    /// The next list is marked as inconsistent.
    InterruptList,
}

/// What the user of a mirror knows from the changes alone.
#[derive(Debug, Default)]
struct Follower {
    flows: HashMap<u32, (Tuple, u32, Status)>,
    destroyed: Vec<u32>,
    /// An id does not tell an entry from the one before it.
    same_ids: bool,
    now: Option<Instant>,
    fail_list: Option<u8>,
    interrupt_list: bool,
}

/// How often the rare things have happened in all cases.
#[derive(Default)]
struct Seen {
    overruns: AtomicU32,
    while_listing: AtomicU32,
    missing: AtomicU32,
    replaced: AtomicU32,
    spoiled: AtomicU32,
    revived: AtomicU32,
    quiet: AtomicU32,
}

/// Steps with few keys, so that many things happen to each.
fn steps() -> impl Strategy<Value = Vec<Step>> {
    (1..16u8).prop_flat_map(|keys| prop::collection::vec(step(keys), 1..400))
}

fn step(keys: Key) -> impl Strategy<Value = Step> {
    let key = move || 0..keys;
    let status = prop_oneof![
        Just(Status::CONFIRMED | Status::SEEN_REPLY),
        Just(Status::CONFIRMED | Status::SEEN_REPLY | Status::ASSURED),
    ];
    prop_oneof![
        6 => key().prop_map(Step::Create),
        3 => key().prop_map(Step::CreateSilently),
        3 => (key(), 0..3u32).prop_map(|(key, mark)| Step::SetMark(key, mark)),
        2 => (key(), status).prop_map(|(key, status)| Step::SetStatus(key, status)),
        3 => key().prop_map(Step::Touch),
        4 => key().prop_map(Step::Destroy),
        14 => key().prop_map(Step::Finish),
        16 => (1..12u8).prop_map(Step::Work),
        2 => (0..50u8).prop_map(Step::Time),
        1 => Just(Step::Resync),
        1 => (0..6u8).prop_map(Step::FailList),
        1 => Just(Step::InterruptList),
    ]
}

fn pace() -> impl Strategy<Value = Pace> {
    (1..12usize, 1..5usize, any::<bool>()).prop_map(|(events, entries, same_ids)| Pace {
        events,
        entries,
        same_ids,
    })
}

#[test]
fn after_any_interleaving_the_mirror_is_the_table() {
    let seen = Seen::default();
    let cases = std::env::var("PROPTEST_CASES").map_or(500, |cases| cases.parse().unwrap());
    let config = Config {
        cases,
        failure_persistence: None,
        ..Config::default()
    };
    TestRunner::new(config)
        .run(
            &(pace(), any::<bool>(), steps()),
            |(pace, silent, steps)| play(pace, silent, steps, &seen),
        )
        .unwrap_or_else(|failure| panic!("{failure}"));
    // What no case has brought about was not tested.
    for (what, counter) in [
        ("overruns", &seen.overruns),
        ("overruns while listing", &seen.while_listing),
        ("flows that had gone unnoticed", &seen.missing),
        ("flows replaced", &seen.replaced),
        ("spoiled resyncs", &seen.spoiled),
        ("quiet moments", &seen.quiet),
        ("lists that held an ended flow", &seen.revived),
    ] {
        let times = counter.load(Ordering::Relaxed);
        assert!(times > cases / 100, "{what}: {times} in {cases} cases");
    }
}

fn play(pace: Pace, silent: bool, steps: Vec<Step>, seen: &Seen) -> Result<(), TestCaseError> {
    let mut kernel = Kernel::new(pace);
    let mut replica = Mirror::options()
        .resync_pause(Duration::from_millis(10), Duration::from_millis(40))
        .resync_every(None)
        .replica();
    let mut follower = Follower {
        same_ids: pace.same_ids,
        ..Follower::default()
    };
    let mut any_silent = false;
    let mut now = Instant::now();
    for step in steps {
        match step {
            Step::Create(key) => kernel.create(key, false),
            Step::CreateSilently(key) => {
                kernel.create(key, silent);
                any_silent |= silent;
            }
            Step::SetMark(key, mark) => kernel.change(key, |told| told.mark = Some(mark)),
            Step::SetStatus(key, status) => kernel.change(key, |told| told.status |= status),
            Step::Touch(key) => kernel.change(key, |_| {}),
            Step::Destroy(key) => kernel.destroy(key),
            Step::Finish(key) => kernel.finish(key),
            Step::Work(tasks) => {
                replica.readable();
                for _ in 0..tasks {
                    follower.work(&mut replica, &mut kernel, now, seen)?;
                }
                let claims = replica.is_synchronised() && follower.flows == flows(&replica);
                if claims && kernel.is_quiet() && !any_silent {
                    prop_assert_eq!(flows(&replica), table(&kernel), "not synchronised");
                    count(&seen.quiet, 1);
                }
            }
            Step::Time(millis) => now += Duration::from_millis(millis.into()),
            Step::Resync => replica.resync(),
            Step::FailList(after) => follower.fail_list = Some(after),
            Step::InterruptList => follower.interrupt_list = true,
        }
    }

    // Quiet: all that was begun ends, and nothing fails any more.
    for key in 0..=Key::MAX {
        kernel.finish(key);
    }
    (follower.fail_list, follower.interrupt_list) = (None, false);
    now = follower.settle(&mut replica, &mut kernel, now, seen)?;
    if any_silent {
        // Only this notices their ends.
        replica.resync();
        follower.settle(&mut replica, &mut kernel, now, seen)?;
    }

    prop_assert!(replica.is_synchronised());
    let table = table(&kernel);
    prop_assert_eq!(&flows(&replica), &table, "the mirror is not the table");
    prop_assert_eq!(&follower.flows, &table, "the changes are not the table");
    for told in kernel.entries() {
        let zone = told.zone.unwrap_or(0);
        for tuple in [&told.original, &told.reply] {
            let found = replica.get(tuple, zone).map(|(flow, _)| flow.id());
            prop_assert_eq!(found, Some(told.id));
            prop_assert!(replica.get(tuple, zone + 100).is_none());
        }
        prop_assert_eq!(replica.with_id(told.id).count(), 1);
    }
    count(&seen.overruns, kernel.events.overruns);
    let spoiled = replica.statistics().spoiled_resyncs;
    count(&seen.spoiled, u32::try_from(spoiled).unwrap());
    Ok(())
}

fn count(counter: &AtomicU32, by: u32) {
    counter.fetch_add(by, Ordering::Relaxed);
}

fn table(kernel: &Kernel) -> HashMap<u32, (Tuple, u32, Status)> {
    let entry = |told: &Told| {
        (
            told.id,
            (told.original, told.mark.unwrap_or(0), told.status),
        )
    };
    kernel.entries().map(entry).collect()
}

fn flows(replica: &Replica) -> HashMap<u32, (Tuple, u32, Status)> {
    let flow = |flow: &netfilter_conntrack::mirror::Flow| {
        (flow.id(), (*flow.original(), flow.mark(), flow.status()))
    };
    replica.iter().map(flow).collect()
}

impl Follower {
    /// Works until there is nothing to do; tells what time it is then.
    fn settle(
        &mut self,
        replica: &mut Replica,
        kernel: &mut Kernel,
        mut now: Instant,
        seen: &Seen,
    ) -> Result<Instant, TestCaseError> {
        replica.readable();
        loop {
            match self.work(replica, kernel, now, seen)? {
                Task::Wait(None) => return Ok(now),
                Task::Wait(Some(until)) => {
                    prop_assert!(until > now, "a wait that is over already");
                    now = until;
                }
                _ => {}
            }
        }
    }

    /// Does one task and checks what comes of it.
    fn work(
        &mut self,
        replica: &mut Replica,
        kernel: &mut Kernel,
        now: Instant,
        seen: &Seen,
    ) -> Result<Task, TestCaseError> {
        prop_assert!(self.now.is_none_or(|before| before <= now));
        self.now = Some(now);
        let task = replica.next_task(now);
        match task {
            Task::TakeChange => {
                let change = replica.change();
                self.follow(change.expect("a change"), kernel, seen)?;
                prop_assert!(replica.iter().count() == replica.statistics().flows);
            }
            Task::ReadEvent => match kernel.events.receive() {
                Received::Datagram(event) => replica.event(&parse(&event)),
                Received::Overrun => {
                    if kernel.list_is_running() {
                        count(&seen.while_listing, 1);
                    }
                    replica.overrun();
                }
                Received::Nothing | Received::Done => replica.drained(),
            },
            Task::RequestList => {
                if self.fail_list.take_if(|after| *after == 0).is_some() {
                    replica.list_failed(now);
                } else {
                    kernel.begin_list(std::mem::take(&mut self.interrupt_list));
                    replica.list_begun(now);
                }
            }
            Task::ReadEntry => {
                if self.fail_list.take_if(|after| *after <= 1).is_some() {
                    kernel.abort_list();
                    replica.list_failed(now);
                    return Ok(task);
                }
                self.fail_list = self.fail_list.map(|after| after - 1);
                match kernel.receive_entry() {
                    Received::Datagram(entry) => {
                        let message = parse(&entry);
                        let view = netfilter_conntrack::ConntrackRef::parse(&message).unwrap();
                        if self.destroyed.contains(&view.id().unwrap()) {
                            count(&seen.revived, 1);
                        }
                        replica.entry(&message);
                    }
                    Received::Done => replica.list_ended(now),
                    other => prop_assert!(false, "{other:?}"),
                }
            }
            Task::Wait(_) => {}
        }
        Ok(task)
    }

    fn follow(
        &mut self,
        change: Change<'_>,
        kernel: &Kernel,
        seen: &Seen,
    ) -> Result<(), TestCaseError> {
        let known = |flow: &netfilter_conntrack::mirror::Flow| {
            (*flow.original(), flow.mark(), flow.status())
        };
        match change {
            Change::Inserted(flow) => {
                let id = flow.id();
                let came_back = !self.same_ids && self.destroyed.contains(&id);
                prop_assert!(!came_back, "flow {} came back", id);
                let before = self.flows.insert(id, known(flow));
                prop_assert!(before.is_none(), "flow {} was there", id);
                let twins = self
                    .flows
                    .values()
                    .filter(|other| other.0 == *flow.original());
                // The same tuple may be in two zones.
                prop_assert!(twins.count() <= 2);
            }
            Change::Updated(flow, parts) => {
                let before = self.flows.insert(flow.id(), known(flow));
                prop_assert!(before.is_some(), "flow {} was not there", flow.id());
                prop_assert!(!parts.is_empty());
                prop_assert_ne!(before, Some(known(flow)), "nothing has changed");
            }
            Change::Removed(flow, why) => {
                let id = flow.id();
                prop_assert!(
                    self.flows.remove(&id).is_some(),
                    "flow {} was not there",
                    id
                );
                let alive = !self.same_ids && kernel.is_live(id);
                prop_assert!(!alive, "flow {} is alive: {:?}", id, why);
                match why {
                    Removal::Destroyed => self.destroyed.push(id),
                    Removal::Missing => {
                        count(&seen.missing, 1);
                    }
                    Removal::Replaced => {
                        count(&seen.replaced, 1);
                    }
                    other => prop_assert!(false, "{:?}", other),
                }
            }
            Change::Resynced(_) => {}
            other => prop_assert!(false, "{:?}", other),
        }
        Ok(())
    }
}
