//! The mirror under more events than it can read.
//!
//!     SOAK_SECONDS=60 cargo test --release --test mirror soak

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use fastrand::Rng;
use netfilter_conntrack::mirror::{Change, Mirror};
use netfilter_conntrack::{Conntrack, Groups, Handle, L3Proto, L4Proto, Query, Status, Tuple};

use crate::common::{allocations, netns};

/// What must be the same in the mirror and in the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Facts {
    original: Tuple,
    reply: Tuple,
    mark: u32,
    status: Status,
    zone: u16,
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

fn soak(time: Duration) {
    let mut mirror = Mirror::options()
        .receive_buffer_max(0)
        .resync_every(None)
        .resync_pause(Duration::from_millis(1), Duration::from_millis(20))
        .open()
        .unwrap();
    let mut asking = Handle::open(Groups::empty()).unwrap();
    let mut followed = HashMap::new();
    let begun = Instant::now();
    let mut memory = Vec::with_capacity(100_000);
    let mut seed = 1;
    let mut largest = 0;
    while begun.elapsed() < time || mirror.statistics().overruns < OVERRUNS_MIN {
        let bytes = BUFFERS[memory.len() % BUFFERS.len()];
        mirror.listener().set_receive_buffer(bytes).unwrap();
        storm(&mut mirror, &mut followed, seed);
        seed += GENERATORS;
        let settled = mirror.settle(PATIENCE, |change| follow(&mut followed, change));
        assert!(settled.unwrap(), "{mirror:?}");

        let table = table(&mut asking);
        largest = largest.max(table.len());
        assert_eq!(flows(&mirror), table, "the mirror, the table; {mirror:?}");
        assert_eq!(followed, table, "the changes, the table; {mirror:?}");
        drop(table);
        memory.push(allocations::held());
    }
    let statistics = mirror.statistics();
    println!("{} quiet points, {statistics:?}", memory.len());
    assert!(statistics.overruns >= OVERRUNS_MIN && statistics.malformed == 0);
    assert!(
        largest > usize::from(FLOWS) / 10,
        "at the most {largest} flows"
    );
    // Flat: what it needs it has after a third of the time.
    let (early, late) = memory.split_at(memory.len() / 3);
    let grown = late.iter().max().unwrap() - early.iter().max().unwrap();
    assert!(grown < 64 * 1024, "grew by {grown} bytes: {memory:?}");
    assert!(
        statistics.memory < 300 * 2 * usize::from(FLOWS) * 2,
        "{statistics:?}"
    );
}

/// Lets the generators work at full speed for a while, and the mirror follow.
fn storm(mirror: &mut Mirror, followed: &mut HashMap<u32, Facts>, seed: u64) {
    let stop = AtomicBool::new(false);
    let batches = AtomicU32::new(0);
    thread::scope(|scope| {
        for generator in 0..GENERATORS {
            let (stop, batches) = (&stop, &batches);
            scope.spawn(move || generate(Rng::with_seed(seed + generator), stop, batches));
        }
        let begun = Instant::now();
        // On a busy machine they may not have begun after that time.
        while begun.elapsed() < Duration::from_millis(100)
            || (batches.load(Ordering::Relaxed) < 20 && begun.elapsed() < PATIENCE)
        {
            while let Some(change) = mirror.next_change().unwrap() {
                follow(followed, change);
            }
            mirror
                .wait_readable(Some(Duration::from_millis(1)))
                .unwrap();
        }
        stop.store(true, Ordering::Relaxed);
    });
}

/// Creates, updates and deletes random flows.
fn generate(mut random: Rng, stop: &AtomicBool, batches: &AtomicU32) {
    let mut handle = Handle::open(Groups::empty()).unwrap();
    while !stop.load(Ordering::Relaxed) {
        let entries: Vec<(u8, Conntrack)> = (0..50)
            .map(|_| (random.u8(..10), entry(&mut random)))
            .collect();
        let queries = entries.iter().map(|(what, entry)| match what {
            0..4 => Query::CreateUpdate(entry),
            4..7 => Query::Update(entry),
            _ => Query::Destroy(entry),
        });
        // Most of the flows are not there, or are there already.
        handle.batch(queries, |_, _| {}).unwrap();
        batches.fetch_add(1, Ordering::Relaxed);
    }
}

fn entry(random: &mut Rng) -> Conntrack {
    let number = random.u16(..FLOWS);
    let [source, destination] = match number % 2 {
        0 => ["192.0.2.1", "198.51.100.1"],
        _ => ["2001:db8::1", "2001:db8::2"],
    }
    .map(|address| address.parse().unwrap());
    let l4proto = [L4Proto::TCP, L4Proto::UDP][usize::from(number / 2 % 2)];
    let tuple = Tuple::new(source, destination, l4proto).unwrap();
    let mut entry = Conntrack::flow(tuple.with_ports(1000 + number / 4, 443));
    entry.set_timeout(3600).set_mark(random.u32(..4));
    if random.bool() {
        entry.set_status(Status::SEEN_REPLY | Status::ASSURED);
    }
    if number % 8 >= 4 {
        entry.set_zone(9);
    }
    entry
}

fn follow(followed: &mut HashMap<u32, Facts>, change: Change<'_>) {
    match change {
        Change::Inserted(flow) => {
            let before = followed.insert(flow.id(), facts(flow));
            assert_eq!(before, None, "{flow} was there");
        }
        Change::Updated(flow, parts) => {
            let before = followed.insert(flow.id(), facts(flow));
            assert!(
                before.is_some_and(|before| before != facts(flow)),
                "{flow} {parts:?}"
            );
        }
        Change::Removed(flow, why) => {
            assert!(
                followed.remove(&flow.id()).is_some(),
                "{flow} was not there: {why:?}"
            );
        }
        _ => {}
    }
}

fn facts(flow: &netfilter_conntrack::mirror::Flow) -> Facts {
    Facts {
        original: *flow.original(),
        reply: *flow.reply(),
        mark: flow.mark(),
        status: flow.status(),
        zone: flow.zone(netfilter_conntrack::Direction::Original),
    }
}

fn flows(mirror: &Mirror) -> HashMap<u32, Facts> {
    let flows: HashMap<_, _> = mirror.iter().map(|flow| (flow.id(), facts(flow))).collect();
    assert_eq!(flows.len(), mirror.len());
    flows
}

fn table(handle: &mut Handle) -> HashMap<u32, Facts> {
    let mut table = HashMap::new();
    let mut dump = handle.dump(L3Proto::UNSPEC).unwrap();
    while let Some(entry) = dump.next().unwrap() {
        let facts = Facts {
            original: entry.original().unwrap(),
            reply: entry.reply().unwrap(),
            mark: entry.mark().unwrap(),
            status: entry.status().unwrap(),
            zone: entry.zone().unwrap_or(0),
        };
        let before = table.insert(entry.id().unwrap(), facts);
        assert_eq!(before, None, "two entries with one id");
    }
    table
}
