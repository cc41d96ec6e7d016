//! Events that the kernel has lost.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use netfilter_conntrack::handle::ReceiveBuffer;
use netfilter_conntrack::{Error, EventMask, Groups, Handle, L3Proto, Verdict};

use crate::common::{netns, privileges};
use crate::{asking, create};

/// Far more than the smallest receive buffers take.
const MANY: u16 = 1000;

fn listener(bytes: usize) -> Handle {
    let handle = Handle::open(Groups::CONNTRACK).unwrap();
    handle.set_nonblocking(true).unwrap();
    handle.set_receive_buffer(bytes).unwrap();
    handle
}

/// What `next_event` gives up to the end: ports, and `None` for an overrun.
fn read(handle: &mut Handle) -> Vec<Option<u16>> {
    let mut all = Vec::new();
    loop {
        all.push(match handle.next_event() {
            Ok(event) => {
                let tuple = event.conntrack().unwrap().original().unwrap();
                Some(tuple.ports().unwrap().0)
            }
            Err(Error::Overrun) => None,
            Err(Error::WouldBlock) => return all,
            Err(error) => panic!("{error}"),
        });
    }
}

#[test]
fn an_overrun_is_told_once_before_what_is_left_and_the_handle_goes_on() {
    netns::run(|| {
        let mut listener = listener(32 * 1024);
        let mut handle = asking();
        create(&mut handle, 1..=MANY);
        let heard = read(&mut listener);
        let left = u16::try_from(heard.len() - 1).unwrap();
        assert!((10..MANY).contains(&left), "{left}");
        assert_eq!(heard[0], None);
        // The oldest are there, in order.
        let expected: Vec<_> = (1..=left).map(Some).collect();
        assert_eq!(heard[1..], expected);
        assert_eq!(listener.overruns(), 1);

        create(&mut handle, MANY + 1..=MANY + 5);
        let expected: Vec<_> = (MANY + 1..=MANY + 5).map(Some).collect();
        assert_eq!(read(&mut listener), expected);
        assert_eq!(listener.overruns(), 1);
    });
}

#[test]
fn what_was_lost_between_an_overrun_and_the_end_of_reading_is_not_told_again() {
    netns::run(|| {
        let mut listener = listener(32 * 1024);
        let mut handle = asking();
        create(&mut handle, 1..=MANY);
        assert!(matches!(listener.next_event(), Err(Error::Overrun)));
        listener.next_event().unwrap();
        // There is room by now, but the kernel waits until nothing is left.
        create(&mut handle, MANY + 1..=MANY + 1);
        let heard = read(&mut listener);
        assert!(
            !heard.contains(&None) && !heard.contains(&Some(MANY + 1)),
            "{heard:?}"
        );
        create(&mut handle, MANY + 2..=MANY + 2);
        assert_eq!(read(&mut listener), [Some(MANY + 2)]);
    });
}

#[test]
fn callbacks_go_on_after_an_overrun() {
    netns::run(|| {
        let mut listener = listener(32 * 1024);
        let heard = Arc::new(AtomicU32::new(0));
        let counter = Arc::clone(&heard);
        listener.register(EventMask::NEW, move |_| {
            counter.fetch_add(1, Ordering::Relaxed);
            Verdict::Continue
        });
        let mut handle = asking();
        for round in 1..=3 {
            create(&mut handle, round * MANY..(round + 1) * MANY);
            assert!(matches!(listener.catch(), Err(Error::Overrun)));
            assert!(matches!(listener.catch(), Err(Error::WouldBlock)));
            assert_eq!(listener.overruns(), u64::from(round));
            assert!(heard.swap(0, Ordering::Relaxed) >= 10);
        }
    });
}

#[test]
fn the_buffer_doubles_at_overruns_up_to_its_bound() {
    netns::run(|| {
        const MAX: usize = 256 * 1024;
        let mut listener = listener(16 * 1024);
        let mut handle = asking();
        let mut sizes = vec![listener.receive_buffer().unwrap().granted];
        // Not until it is wanted.
        create(&mut handle, 1..=MANY);
        read(&mut listener);
        assert_eq!(listener.receive_buffer().unwrap().granted, sizes[0]);

        listener.set_buffer_growth(Some(MAX));
        for round in 1..=6 {
            create(&mut handle, round * MANY + 1..=(round + 1) * MANY);
            assert!(read(&mut listener).contains(&None));
            let buffer = listener.receive_buffer().unwrap();
            assert!(!buffer.is_capped(), "{buffer}");
            sizes.push(buffer.granted);
        }
        let first = sizes[0];
        assert_eq!(first, 32 * 1024);
        let doubled = [1, 2, 4, 8, 8, 8, 8].map(|times| times * first);
        assert_eq!(sizes, doubled);
    });
}

/// Lets a buffer of `most` bytes that may grow, and cannot, overflow.
fn overflow(listener: &mut Handle, most: usize) -> ReceiveBuffer {
    listener.set_buffer_growth(Some(4 * most));
    create(&mut asking(), 1..=40_000);
    asking().flush(L3Proto::UNSPEC).unwrap();
    let own = &mut *listener;
    let heard = privileges::without_capabilities(move || read(own));
    assert!(
        heard.contains(&None),
        "net.core.rmem_max is too large for this test: {most}"
    );
    listener.receive_buffer().unwrap()
}

#[test]
fn a_capped_buffer_says_so() {
    netns::run(|| {
        let mut listener = listener(16 * 1024);
        // Nobody may exceed net.core.rmem_max without the capability.
        let own = &mut listener;
        let most =
            privileges::without_capabilities(move || own.set_receive_buffer(1 << 29).unwrap());
        assert!(most < 1 << 30, "{most}");
        let buffer = listener.receive_buffer().unwrap();
        assert_eq!((buffer.granted, buffer.wanted), (most, 1 << 30));
        let hint = format!("net.core.rmem_max: set that to {}", 1 << 29);
        assert!(buffer.to_string().contains(&hint), "{buffer}");
        // Growth asks for less than the program did.
        let buffer = overflow(&mut listener, most);
        assert_eq!((buffer.granted, buffer.wanted), (most, 1 << 30));

        // What is granted in full is wanted no more than that, until it overflows.
        let own = &mut listener;
        privileges::without_capabilities(move || own.set_receive_buffer(most / 2).unwrap());
        assert!(!listener.receive_buffer().unwrap().is_capped());
        let buffer = overflow(&mut listener, most);
        assert_eq!((buffer.granted, buffer.wanted), (most, 2 * most));
        assert!(buffer.is_capped());
        let hint = format!("net.core.rmem_max: set that to {most}");
        assert!(buffer.to_string().contains(&hint), "{buffer}");
    });
}
