//! Handles and mirrors in Tokio.

mod cancel;
#[path = "../common/mod.rs"]
mod common;
mod events;
mod lists;
mod mirror;

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use netfilter_conntrack::Event;
use netfilter_conntrack::async_io::AsyncHandle;
use tokio::task::JoinHandle;

use common::{flows, netns, wait};

/// Runs a test in a namespace of its own, in a runtime of one thread or of more.
fn run<F: Future>(threads: usize, test: impl FnOnce() -> F + Send) -> F::Output
where
    F::Output: Send,
{
    netns::run(move || {
        // Threads are born in the namespace of the one that starts them.
        let mut builder = match threads {
            1 => tokio::runtime::Builder::new_current_thread(),
            _ => tokio::runtime::Builder::new_multi_thread(),
        };
        let runtime = builder.worker_threads(threads).enable_all().build();
        let limited = async {
            let limit = tokio::time::timeout(wait::DEADLINE, test());
            limit.await.expect("it takes too long")
        };
        runtime.expect("a runtime").block_on(limited)
    })
}

/// The number of the flow that an event is about.
fn number(event: &Event<'_>) -> u32 {
    flows::number(event.conntrack().unwrap().original().unwrap())
}

/// Makes this many flows, in order, in small parts, and never more of them than fit
/// into the receive buffer of a listener that has got this far.
fn create_in_step(count: u32, progress: &AtomicU32) {
    const PART: u32 = 25;
    let mut handle = flows::handle();
    for from in (0..count).step_by(PART as usize) {
        wait::until("the listener", || {
            (progress.load(Ordering::Relaxed) + 2 * PART >= from).then_some(())
        });
        let part: Vec<_> = (from..from + PART).map(flows::udp4).collect();
        flows::create_all(&mut handle, &part);
    }
}

/// Makes flows with these numbers.
fn create(numbers: impl Iterator<Item = u32>) {
    let flows: Vec<_> = numbers.map(flows::udp4).collect();
    flows::create_all(&mut flows::handle(), &flows);
}

/// A task that counts how often it gets its turn, as long as this lives.
struct Turns {
    count: Arc<AtomicU32>,
    task: JoinHandle<()>,
}

impl Turns {
    fn start() -> Self {
        let count = Arc::new(AtomicU32::new(0));
        let counter = Arc::clone(&count);
        let task = tokio::spawn(async move {
            loop {
                counter.fetch_add(1, Ordering::Relaxed);
                tokio::task::yield_now().await;
            }
        });
        Self { count, task }
    }

    /// How many there were since the last time.
    fn take(&self) -> u32 {
        self.count.swap(0, Ordering::Relaxed)
    }
}

impl Drop for Turns {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The numbers of the events that are there.
async fn read_all(handle: &mut AsyncHandle) -> Vec<u32> {
    let mut all = Vec::new();
    let short = Duration::from_millis(100);
    while let Ok(event) = tokio::time::timeout(short, handle.next_event()).await {
        all.push(number(&event.unwrap()));
    }
    all
}

#[test]
fn passes_for_an_ordinary_user() {
    common::ordinary_user::rerun_these_tests();
}
