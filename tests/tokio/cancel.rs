//! Futures that are dropped before they are done.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use netfilter_conntrack::async_io::{AsyncHandle, AsyncMirror};
use netfilter_conntrack::mirror::Change;
use netfilter_conntrack::{Groups, L3Proto, Mirror, Predicate};

use crate::common::flows;
use crate::{create, create_in_step, number, run};

const MANY: u32 = 10_000;

/// Polls a future this often, and drops it.
async fn poll_and_drop<F: Future>(future: F, times: u32) -> Option<F::Output> {
    let mut future = pin!(future);
    for _ in 0..times {
        let mut context = Context::from_waker(Waker::noop());
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return Some(output);
        }
    }
    None
}

#[test]
fn no_event_is_lost_where_futures_are_dropped_at_any_moment() {
    run(1, async || {
        let mut handle = AsyncHandle::open(Groups::NEW).unwrap();
        let progress = Arc::new(AtomicU32::new(0));
        let maker = Arc::clone(&progress);
        let maker = tokio::task::spawn_blocking(move || create_in_step(MANY, &maker));
        let mut random = fastrand::Rng::with_seed(7);
        let (mut heard, mut dropped) = (Vec::new(), 0);
        while heard.len() < MANY as usize {
            // Without a pause between them the budget is used up, so that futures
            // are dropped there too.
            let done = match random.u8(..4) {
                0 => poll_and_drop(handle.next_event(), random.u32(1..4)).await,
                1 => tokio::select! {
                    biased;
                    () = tokio::task::yield_now() => None,
                    event = handle.next_event() => Some(event),
                },
                2 => tokio::select! {
                    () = tokio::time::sleep(Duration::from_micros(random.u64(..300))) => None,
                    event = handle.next_event() => Some(event),
                },
                _ => Some(handle.next_event().await),
            };
            match done {
                Some(event) => heard.push(number(&event.unwrap())),
                None => dropped += 1,
            }
            progress.store(heard.len() as u32, Ordering::Relaxed);
        }
        maker.await.unwrap();
        assert_eq!(heard, (0..MANY).collect::<Vec<_>>());
        assert!(dropped > 100, "{dropped}");
        assert_eq!(handle.listener().overruns(), 0);
    });
}

#[test]
fn lists_lose_nothing_either() {
    run(1, async || {
        create(0..MANY);
        let mut handle = AsyncHandle::open(Groups::empty()).unwrap();
        let mut list = handle.dump(L3Proto::IPV4).await.unwrap();
        let (mut listed, mut dropped) = (0, 0);
        loop {
            match poll_and_drop(list.next(), 1).await {
                Some(Ok(None)) => break,
                Some(entry) => listed += u32::from(entry.unwrap().is_some()),
                None => {
                    dropped += 1;
                    tokio::task::yield_now().await;
                }
            }
        }
        assert_eq!(listed, MANY);
        assert!(dropped > 10, "{dropped}");
    });
}

#[test]
fn a_deletion_that_was_dropped_half_way_can_be_made_anew() {
    run(1, async || {
        create(0..MANY);
        let mut handle = AsyncHandle::open(Groups::empty()).unwrap();
        let all = Predicate::family(L3Proto::IPV4);
        let cut = poll_and_drop(handle.delete_matching(&all), 3).await;
        assert!(cut.is_none());
        let rest = handle.delete_matching(&all).await.unwrap();
        assert!((1..=u64::from(MANY)).contains(&rest.deleted), "{rest:?}");
        assert_eq!(handle.stats().await.unwrap().entries, 0);
    });
}

#[test]
fn no_change_of_a_mirror_is_lost() {
    run(1, async || {
        let mirror = Mirror::options().resync_every(None).open().unwrap();
        let mut mirror = AsyncMirror::over(mirror).unwrap();
        let maker = tokio::task::spawn_blocking(|| create(0..MANY));
        let mut inserted = 0;
        while inserted < MANY {
            match poll_and_drop(mirror.next_change(), 2).await {
                Some(change) => {
                    inserted += u32::from(matches!(change.unwrap(), Change::Inserted(_)));
                }
                None => tokio::task::yield_now().await,
            }
        }
        maker.await.unwrap();
        assert_eq!(mirror.get().len(), MANY as usize);
        let last = flows::udp4(MANY - 1).original().unwrap();
        assert!(mirror.get().get(&last, 0).is_some());
    });
}
