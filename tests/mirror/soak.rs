//! The mirror under more events than it can read.
//!
//!     SOAK_SECONDS=60 cargo test --release --test mirror soak

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{RwLock, RwLockWriteGuard};
use std::thread;
use std::time::{Duration, Instant};

use fastrand::Rng;
use netfilter_conntrack::mirror::{Change, Flow, Mirror};
use netfilter_conntrack::{
    Conntrack, Direction, Groups, Handle, L3Proto, L4Proto, Query, Status, Tuple,
};

use crate::common::{allocations, netns};

/// What tells flows apart: id, original tuple and zone. Ids of 32 bits are shared
/// by two flows now and then.
type Key = (u32, Tuple, u16);

/// What else must be the same in the mirror and in the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Facts {
    reply: Tuple,
    mark: u32,
    status: Status,
}

const FLOWS: u16 = 3000;
const GENERATORS: u64 = 2;
const OVERRUNS_MIN: u64 = 100;
/// Far beyond what a mirror takes to settle on an idle machine.
const PATIENCE: Duration = Duration::from_secs(60);
/// Receive buffers: by turns room for one event, for some and for many.
const BUFFERS: [usize; 3] = [1, 16 * 1024, 128 * 1024];

#[test]
fn soak_with_overruns_at_every_moment() {
    let seconds = std::env::var("SOAK_SECONDS").map_or(5, |seconds| seconds.parse().unwrap());
    netns::run(|| soak(Duration::from_secs(seconds)));
}

/// Lets generators work at full speed or holds them up.
#[derive(Default)]
struct Weather {
    /// Held for reading by generators while they work.
    storm: RwLock<()>,
    batches: AtomicU32,
    over: AtomicBool,
}

/// Ends the generators, also where the test fails.
struct End<'w>(&'w Weather);

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.0.over.store(true, Ordering::Relaxed);
    }
}

fn soak(time: Duration) {
    let weather = Weather::default();
    thread::scope(|scope| {
        let _end = End(&weather);
        let calm = weather.storm.write().unwrap();
        for seed in 0..GENERATORS {
            let weather = &weather;
            scope.spawn(move || generate(Rng::with_seed(seed), weather));
        }
        follow_storms(time, &weather, calm);
    });
}

fn follow_storms<'w>(time: Duration, weather: &'w Weather, calm: RwLockWriteGuard<'w, ()>) {
    let mut mirror = Mirror::options()
        .receive_buffer_max(0)
        .resync_every(None)
        .resync_pause(Duration::from_millis(1), Duration::from_millis(20))
        .open()
        .unwrap();
    let mut asking = Handle::open(Groups::empty()).unwrap();
    // At first all flows there may be, so that memory need not grow later.
    let all: Vec<Conntrack> = (0..FLOWS).map(entry).collect();
    let mut filling = Handle::open(Groups::empty()).unwrap();
    filling
        .batch(all.iter().map(Query::Create), |_, result| result.unwrap())
        .unwrap();
    let mut followed = HashMap::with_capacity(usize::from(FLOWS) * 4);
    let mut calm = Some(calm);
    let mut memory = Vec::with_capacity(100_000);
    let begun = Instant::now();
    while begun.elapsed() < time || mirror.statistics().overruns < OVERRUNS_MIN {
        let settled = mirror.settle(PATIENCE, |change| follow(&mut followed, change));
        assert!(settled.unwrap(), "{mirror:?}");
        let table = table(&mut asking);
        assert_eq!(flows(&mirror), table, "the mirror, the table; {mirror:?}");
        assert_eq!(followed, table, "the changes, the table; {mirror:?}");
        drop(table);
        memory.push(allocations::held());

        let bytes = BUFFERS[memory.len() % BUFFERS.len()];
        mirror.listener().set_receive_buffer(bytes).unwrap();
        drop(calm.take());
        storm(&mut mirror, &mut followed, weather);
        calm = Some(weather.storm.write().unwrap());
    }
    let statistics = mirror.statistics();
    println!("{} quiet points, {statistics:?}", memory.len());
    assert!(statistics.overruns >= OVERRUNS_MIN && statistics.malformed == 0);
    let grown = memory.iter().max().unwrap() - memory[0];
    assert!(grown < 64 * 1024, "grew by {grown} bytes: {memory:?}");
}

/// Follows the events of generators that work at full speed for a while.
fn storm(mirror: &mut Mirror, followed: &mut HashMap<Key, Facts>, weather: &Weather) {
    let batches = weather.batches.load(Ordering::Relaxed);
    let begun = Instant::now();
    // On a busy machine they may not have begun after that time.
    while begun.elapsed() < Duration::from_millis(100)
        || (weather.batches.load(Ordering::Relaxed) < batches + 20 && begun.elapsed() < PATIENCE)
    {
        while let Some(change) = mirror.next_change().unwrap() {
            follow(followed, change);
        }
        mirror
            .wait_readable(Some(Duration::from_millis(1)))
            .unwrap();
    }
}

/// Creates, updates and deletes random flows.
fn generate(mut random: Rng, weather: &Weather) {
    let mut handle = Handle::open(Groups::empty()).unwrap();
    while !weather.over.load(Ordering::Relaxed) {
        let entries: Vec<(u8, Conntrack)> = (0..50)
            .map(|_| (random.u8(..10), random_entry(&mut random)))
            .collect();
        let queries = entries.iter().map(|(what, entry)| match what {
            0..4 => Query::CreateUpdate(entry),
            4..7 => Query::Update(entry),
            _ => Query::Destroy(entry),
        });
        let _storm = weather.storm.read();
        // Some of the flows are not there, or there already.
        handle.batch(queries, |_, _| {}).unwrap();
        weather.batches.fetch_add(1, Ordering::Relaxed);
    }
}

fn random_entry(random: &mut Rng) -> Conntrack {
    let mut entry = entry(random.u16(..FLOWS));
    entry.set_mark(random.u32(..4));
    if random.bool() {
        entry.set_status(Status::SEEN_REPLY | Status::ASSURED);
    }
    entry
}

/// The flow with a number: families, protocols, ports and zones by turns.
fn entry(number: u16) -> Conntrack {
    let [source, destination] = match number % 2 {
        0 => ["192.0.2.1", "198.51.100.1"],
        _ => ["2001:db8::1", "2001:db8::2"],
    }
    .map(|address| address.parse().unwrap());
    let l4proto = [L4Proto::TCP, L4Proto::UDP][usize::from(number / 2 % 2)];
    let tuple = Tuple::new(source, destination, l4proto).unwrap();
    let mut entry = Conntrack::flow(tuple.with_ports(1000 + number / 4, 443));
    entry.set_timeout(3600);
    if number % 8 >= 4 {
        entry.set_zone(9);
    }
    entry
}

fn follow(followed: &mut HashMap<Key, Facts>, change: Change<'_>) {
    match change {
        Change::Inserted(flow) => {
            let before = followed.insert(key(flow), facts(flow));
            assert_eq!(before, None, "{flow} was there");
        }
        Change::Updated(flow, parts) => {
            let before = followed.insert(key(flow), facts(flow));
            assert!(
                before.is_some_and(|before| before != facts(flow)),
                "{flow} {parts:?}"
            );
        }
        Change::Removed(flow, why) => {
            assert!(
                followed.remove(&key(flow)).is_some(),
                "{flow} was not there: {why:?}"
            );
        }
        _ => {}
    }
}

fn key(flow: &Flow) -> Key {
    (flow.id(), *flow.original(), flow.zone(Direction::Original))
}

fn facts(flow: &Flow) -> Facts {
    Facts {
        reply: *flow.reply(),
        mark: flow.mark(),
        status: flow.status(),
    }
}

fn flows(mirror: &Mirror) -> HashMap<Key, Facts> {
    let flows: HashMap<_, _> = mirror.iter().map(|flow| (key(flow), facts(flow))).collect();
    assert_eq!(flows.len(), mirror.len());
    flows
}

fn table(handle: &mut Handle) -> HashMap<Key, Facts> {
    let mut table = HashMap::new();
    let mut dump = handle.dump(L3Proto::UNSPEC).unwrap();
    while let Some(entry) = dump.next().unwrap() {
        let facts = Facts {
            reply: entry.reply().unwrap(),
            mark: entry.mark().unwrap(),
            status: entry.status().unwrap(),
        };
        let zone = entry.zone().unwrap_or(0);
        let key = (entry.id().unwrap(), entry.original().unwrap(), zone);
        assert_eq!(table.insert(key, facts), None, "an entry listed twice");
    }
    table
}
