//! Events by `await`, as a stream and by callback.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc;
use std::time::Duration;

use futures_util::StreamExt;
use netfilter_conntrack::async_io::AsyncHandle;
use netfilter_conntrack::{
    Caught, Error, EventKind, EventMask, Groups, Handle, L3Proto, OwnedEvent, Query, Verdict,
};

use crate::common::{flows, netns};
use crate::{Turns, create, create_in_step, number, read_all, run};

const MANY: u32 = 10_000;

#[test]
fn all_events_come_in_order() {
    for threads in [1, 2] {
        run(threads, async || {
            let mut handle = AsyncHandle::open(Groups::CONNTRACK).unwrap();
            let progress = Arc::new(AtomicU32::new(0));
            let maker = Arc::clone(&progress);
            let maker = tokio::task::spawn_blocking(move || create_in_step(MANY, &maker));
            // In a task, which a runtime of more threads moves about.
            let reader = tokio::spawn(async move {
                let mut heard = Vec::new();
                while heard.len() < MANY as usize {
                    heard.push(number(&handle.next_event().await.unwrap()));
                    progress.store(heard.len() as u32, Ordering::Relaxed);
                }
                (heard, handle.listener().overruns())
            });
            let (heard, overruns) = reader.await.unwrap();
            maker.await.unwrap();
            assert_eq!(heard, (0..MANY).collect::<Vec<_>>());
            assert_eq!(overruns, 0);
        });
    }
}

#[test]
fn a_stream_gives_events_to_keep() {
    run(1, async || {
        let mut handle = AsyncHandle::open(Groups::CONNTRACK).unwrap();
        create(0..3);
        flows::handle().delete(&flows::udp4(1)).unwrap();
        let events: Vec<Result<OwnedEvent, Error>> = handle.events().take(4).collect().await;
        let told: Vec<_> = events
            .iter()
            .map(|event| {
                let event = event.as_ref().unwrap();
                assert!(event.expect().is_none() && event.nsid().is_none());
                assert_ne!(event.header().port, 0, "a request caused it");
                let tuple = event.conntrack().unwrap().original().unwrap();
                (event.kind(), flows::number(tuple))
            })
            .collect();
        let new = |number| (EventKind::New, number);
        assert_eq!(told, [new(0), new(1), new(2), (EventKind::Destroy, 1)]);
    });
}

#[test]
fn losses_are_told_once_each_and_in_order() {
    run(1, async || {
        let mut handle = AsyncHandle::open(Groups::NEW).unwrap();
        handle.listener_mut().set_receive_buffer(32 * 1024).unwrap();
        for round in 1..=3 {
            create(round * 10_000..round * 10_000 + 1000);
            let lost = handle.next_event().await.unwrap_err();
            assert_eq!(lost, Error::Overrun);
            let rest = read_all(&mut handle).await;
            assert!((10..1000).contains(&rest.len()), "{}", rest.len());
            assert_eq!(rest[0], round * 10_000);
            assert_eq!(handle.listener().overruns(), u64::from(round));
        }
        // As items of a stream too, which goes on.
        create(1..1000);
        let mut events = handle.events();
        assert!(matches!(events.next().await, Some(Err(Error::Overrun))));
        assert!(matches!(events.next().await, Some(Ok(_))));
    });
}

#[test]
fn queries_take_no_events_away() {
    run(1, async || {
        let mut handle = AsyncHandle::open(Groups::NEW).unwrap();
        handle.create(&flows::udp4(1)).await.unwrap();
        let found = handle.get(&flows::udp4(1)).await.unwrap();
        assert_eq!(found.original(), flows::udp4(1).original());
        let again = handle.create(&flows::udp4(1)).await;
        assert_eq!(flows::errno(again), libc::EEXIST);
        handle.create_or_update(&flows::udp4(2)).await.unwrap();
        let mut list = handle.dump(L3Proto::UNSPEC).await.unwrap();
        while list.next().await.unwrap().is_some() {}
        handle.flush(L3Proto::UNSPEC).await.unwrap();
        let gone = handle.delete(&flows::udp4(1)).await;
        assert_eq!(flows::errno(gone), libc::ENOENT);
        assert_eq!(handle.stats().await.unwrap().entries, 0);
        assert_eq!(read_all(&mut handle).await, [1, 2]);
    });
}

#[test]
fn callbacks_are_called_until_one_says_stop() {
    run(1, async || {
        let mut handle = AsyncHandle::open(Groups::CONNTRACK).unwrap();
        let (sender, heard) = mpsc::channel();
        handle
            .listener_mut()
            .register(EventMask::NEW, move |event| {
                sender.send(number(event)).unwrap();
                match number(event) {
                    1 | 2 => Verdict::Stop,
                    _ => Verdict::Continue,
                }
            });
        let maker = tokio::task::spawn_blocking(|| create(0..4));
        assert_eq!(handle.catch().await.unwrap(), Caught::Stopped);
        assert_eq!(handle.catch().await.unwrap(), Caught::Stopped);
        assert_eq!(heard.try_iter().collect::<Vec<_>>(), [0, 1, 2]);
        maker.await.unwrap();
        let short = Duration::from_millis(50);
        let none = tokio::time::timeout(short, handle.catch()).await;
        assert!(none.is_err());
        assert_eq!(heard.try_iter().collect::<Vec<_>>(), [3]);
    });
}

#[test]
fn what_was_asked_for_over_the_listener_is_caught() {
    run(1, async || {
        create(0..500);
        let mut handle = AsyncHandle::open(Groups::NEW).unwrap();
        let dump = Query::Dump(L3Proto::IPV4);
        let pulled = handle.listener_mut().send(dump).unwrap();
        // The first part of the list has been received, and a descriptor does not tell.
        let mut listed = 0;
        while listed < 500 {
            handle.next_event().await.unwrap();
            listed += 1;
        }
        assert_eq!(handle.catch().await.unwrap(), Caught::Done(pulled));
        let caught = handle.listener_mut().send(dump).unwrap();
        assert_eq!(handle.catch().await.unwrap(), Caught::Done(caught));
    });
}

#[test]
fn a_full_socket_does_not_keep_other_tasks_waiting() {
    run(1, async || {
        let mut handle = AsyncHandle::open(Groups::NEW).unwrap();
        let turns = Turns::start();
        // More than Tokio's budget of 128, and as many as wait in the usual buffer.
        create(0..140);
        assert_eq!(turns.take(), 0);
        for expected in 0..140 {
            assert_eq!(number(&handle.next_event().await.unwrap()), expected);
        }
        assert!(turns.take() > 0);
    });
}

#[test]
fn there_must_be_a_runtime() {
    netns::run(|| {
        let without = AsyncHandle::open(Groups::empty());
        assert!(matches!(without, Err(Error::Invalid(_))), "{without:?}");
    });
}

#[test]
fn handles_of_other_namespaces() {
    let there = netns::run(netns::descriptor);
    run(1, async || {
        let mut handle = AsyncHandle::open_in(&there, Groups::NEW).unwrap();
        create(1..2);
        handle.create(&flows::udp4(2)).await.unwrap();
        assert_eq!(read_all(&mut handle).await, [2]);
        assert_eq!(handle.stats().await.unwrap().entries, 1);
    });
}

#[test]
fn two_handles_that_are_there_already() {
    run(1, async || {
        let listener = Handle::open(Groups::NEW).unwrap();
        let asking = Handle::open(Groups::empty()).unwrap();
        create(1..3);
        let mut handle = AsyncHandle::over(listener, asking).unwrap();
        // They came before the runtime waited for the descriptor.
        assert_eq!(read_all(&mut handle).await, [1, 2]);
    });
}
