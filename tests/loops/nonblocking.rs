//! Handles and mirrors in event loops.

use std::os::fd::{AsFd, AsRawFd};
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Token};
use netfilter_conntrack::mirror::Flow;
use netfilter_conntrack::{
    Caught, Error, EventMask, Groups, Handle, L3Proto, Mirror, Query, Verdict,
};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use crate::common::{netns, wait};
use crate::{asking, create, flow};

fn listener() -> Handle {
    let handle = Handle::open(Groups::CONNTRACK).unwrap();
    handle.set_nonblocking(true).unwrap();
    handle
}

fn is_readable(descriptor: &impl AsFd) -> bool {
    let mut fds = [PollFd::new(descriptor.as_fd(), PollFlags::POLLIN)];
    poll(&mut fds, PollTimeout::ZERO).unwrap() > 0
}

fn port(event: &netfilter_conntrack::Event<'_>) -> u16 {
    let tuple = event.conntrack().unwrap().original().unwrap();
    tuple.ports().unwrap().0
}

#[test]
fn after_a_stop_the_descriptor_tells_of_all_that_is_left() {
    netns::run(|| {
        let mut listener = listener();
        let (sender, heard) = mpsc::channel();
        listener.register(EventMask::ALL, move |event| {
            sender.send(port(event)).unwrap();
            Verdict::Stop
        });
        create(&mut asking(), 1..=100);
        let mut times = 0;
        while is_readable(&listener) {
            assert_eq!(listener.catch().unwrap(), Caught::Stopped);
            times += 1;
        }
        assert_eq!(times, 100);
        assert!(matches!(listener.catch(), Err(Error::WouldBlock)));
        assert_eq!(
            heard.try_iter().collect::<Vec<_>>(),
            (1..=100).collect::<Vec<_>>()
        );
    });
}

#[test]
fn what_is_sent_now_is_caught_later() {
    netns::run(|| {
        let mut handle = asking();
        create(&mut handle, 1..=500);
        handle.set_nonblocking(true).unwrap();
        let (sender, listed) = mpsc::channel();
        handle.register(EventMask::ALL, move |event| {
            sender.send(port(event)).unwrap();
            Verdict::Continue
        });
        assert!(matches!(handle.catch(), Err(Error::WouldBlock)));
        let dump = handle.send(Query::Dump(L3Proto::UNSPEC)).unwrap();
        assert!(is_readable(&handle));
        assert_eq!(handle.catch().unwrap(), Caught::Done(dump));
        assert_eq!(listed.try_iter().count(), 500);

        let missing = flow(501);
        let lost = handle.send(Query::Destroy(&missing)).unwrap();
        let there = flow(1);
        let found = handle.send(Query::Destroy(&there)).unwrap();
        assert_ne!(lost, found);
        assert_eq!(handle.catch().unwrap_err().errno(), libc::ENOENT);
        assert_eq!(handle.catch().unwrap(), Caught::Acknowledged(found));
        assert!(matches!(handle.catch(), Err(Error::WouldBlock)));
        assert!(!is_readable(&handle));
    });
}

#[test]
fn pulled_entries_of_a_list_are_told_of_by_the_handle() {
    netns::run(|| {
        let mut handle = asking();
        create(&mut handle, 1..=3);
        handle.set_nonblocking(true).unwrap();
        handle.send(Query::Dump(L3Proto::UNSPEC)).unwrap();
        assert!(!handle.has_unread());
        for left in (0..3).rev() {
            handle.next_event().unwrap();
            assert_eq!(handle.has_unread(), left > 0);
            assert!(handle.wait_readable(Some(Duration::ZERO)).unwrap());
        }
        assert!(matches!(handle.next_event(), Err(Error::WouldBlock)));
        assert!(!handle.wait_readable(Some(Duration::ZERO)).unwrap());
    });
}

/// Reads with an edge-triggered poll until `done`: whatever is left unread when
/// `read` returns is never told of again.
fn by_edges(descriptor: &impl AsRawFd, mut read: impl FnMut() -> bool) {
    let mut poll = Poll::new().unwrap();
    let descriptor = descriptor.as_raw_fd();
    let mut source = SourceFd(&descriptor);
    poll.registry()
        .register(&mut source, Token(7), Interest::READABLE)
        .unwrap();
    let mut events = Events::with_capacity(4);
    loop {
        poll.poll(&mut events, Some(wait::DEADLINE)).unwrap();
        let token = events.iter().next().map(|event| event.token());
        assert_eq!(token, Some(Token(7)), "something was left unread");
        if read() {
            return;
        }
    }
}

const MANY: u16 = 10_000;

/// Makes flows in small parts, so that there are many edges, and never more of
/// them than fit into the receive buffer of a listener that has got this far.
fn create_in_step(progress: &AtomicU16) {
    const PART: u16 = 25;
    let mut handle = asking();
    for from in (1..=MANY).step_by(PART.into()) {
        wait::until("the listener", || {
            (progress.load(Ordering::Relaxed) + 2 * PART >= from).then_some(())
        });
        create(&mut handle, from..from + PART);
    }
}

#[test]
fn mio_brings_all_events_in_order() {
    netns::run(|| {
        let mut listener = listener();
        let mut heard = Vec::new();
        let progress = AtomicU16::new(0);
        thread::scope(|scope| {
            scope.spawn(|| create_in_step(&progress));
            let descriptor = listener.as_raw_fd();
            by_edges(&descriptor, || {
                loop {
                    match listener.next_event() {
                        Ok(event) => heard.push(port(&event)),
                        Err(Error::WouldBlock) => return heard.len() == usize::from(MANY),
                        Err(error) => panic!("{error}"),
                    }
                    progress.fetch_add(1, Ordering::Relaxed);
                }
            });
        });
        assert_eq!(heard, (1..=MANY).collect::<Vec<_>>());
        assert_eq!(listener.overruns(), 0);
    });
}

#[test]
fn mio_brings_all_changes_of_a_mirror() {
    netns::run(|| {
        // Small, so that resyncs and their pauses take part in it.
        let mut mirror = Mirror::options()
            .receive_buffer(64 * 1024)
            .receive_buffer_max(0)
            .resync_every(None)
            .resync_pause(Duration::from_millis(1), Duration::from_millis(5))
            .open()
            .unwrap();
        thread::scope(|scope| {
            scope.spawn(|| create(&mut asking(), 1..=MANY));
            let descriptor = mirror.as_raw_fd();
            by_edges(&descriptor, || {
                while mirror.next_change().unwrap().is_some() {}
                mirror.len() == usize::from(MANY)
            });
        });
        assert!(mirror.statistics().overruns > 0, "{mirror:?}");
    });
}

#[test]
fn a_mirror_whose_events_change_nothing_gives_others_a_chance() {
    netns::run(|| {
        let slowly_refuse = |_: &Flow| {
            thread::sleep(Duration::from_millis(1));
            false
        };
        let options = Mirror::options().keep_if(slowly_refuse).resync_every(None);
        let mut mirror = options.open().unwrap();
        while mirror.next_change().unwrap().is_some() {}
        create(&mut asking(), 1..=100);
        let descriptor = mirror.as_raw_fd();
        let mut turns = 0;
        by_edges(&descriptor, || {
            assert!(mirror.next_change().unwrap().is_none());
            turns += 1;
            mirror.statistics().events == 100
        });
        assert!(turns > 1, "{turns}");
    });
}
