//! What a listener has to put up with: datagrams of other programs, overruns,
//! and events of other namespaces.

mod common;

use std::collections::BTreeSet;
use std::os::fd::AsRawFd;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use common::{flows, netns, ordinary_user, privileges, sysctl, wait};
use netfilter_conntrack::netlink::{
    Builder, Control, Family, Flags, Header, Message, Socket, SocketOption,
};
use netfilter_conntrack::{
    Conntrack, Error, EventKind, EventMask, Groups, Handle, L3Proto, Query, Verdict,
};

/// A message that looks like the kernel's about the entry, with this sequence number.
fn forged(entry: &Conntrack, seq: u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    Query::Create(entry).encode(seq, &mut bytes).unwrap();
    let mut header = Header::read(&bytes).unwrap();
    header.flags = Flags::MULTI;
    bytes[..16].copy_from_slice(&header.to_bytes());
    bytes
}

/// An acknowledgement of the request with this sequence number.
fn forged_ack(seq: u32) -> Vec<u8> {
    /// `NLMSG_ERROR`.
    const ERROR: u16 = 2;
    let mut bytes = Vec::new();
    let header = Header::default().with_seq(seq);
    let header = Header {
        kind: ERROR,
        ..header
    };
    let mut message = Builder::new(&mut bytes, header);
    message.put_bytes(&[0; 20]);
    message.finish().unwrap();
    let control = Message::parse(&bytes).unwrap().control();
    assert!(matches!(control, Some(Control::Ack(_))));
    bytes
}

#[test]
fn datagrams_of_other_programs_are_ignored_and_counted() {
    netns::run(|| {
        let mut listener = flows::listener(Groups::CONNTRACK);
        listener.set_nonblocking(true).unwrap();
        listener.register(EventMask::ALL, |_| panic!("it was not the kernel's"));
        let forger = Socket::open(Family::NETFILTER).unwrap();
        assert_ne!(forger.port(), listener.port());
        let entry = flows::udp4(666);
        for count in 1..=10 {
            forger
                .send_to(&forged(&entry, 0), listener.port(), 0)
                .unwrap();
            assert!(matches!(listener.catch(), Err(Error::WouldBlock)));
            assert!(matches!(listener.next_event(), Err(Error::WouldBlock)));
            assert_eq!(listener.foreign_datagrams(), count);
        }
        // To all who listen. (The kernel gets it too and says what it thinks of it.)
        let _answer = forger.send_to(&forged(&entry, 0), 0, Groups::NEW.bits());
        assert!(matches!(listener.catch(), Err(Error::WouldBlock)));
        assert_eq!(listener.foreign_datagrams(), 11);
        // Garbage, also more of it than the kernel would send.
        forger.send_to(&[0xff; 7], listener.port(), 0).unwrap();
        forger
            .send_to(&[0xff; 100_000], listener.port(), 0)
            .unwrap();
        assert!(matches!(listener.catch(), Err(Error::WouldBlock)));
        assert_eq!(listener.foreign_datagrams(), 13);
    });
}

/// Not even one that knows which sequence number comes next.
#[test]
fn queries_do_not_take_the_answers_of_other_programs() {
    netns::run(|| {
        let mut handle = flows::handle();
        let forger = Socket::open(Family::NETFILTER).unwrap();
        let [there, absent] = [flows::udp4(1), flows::udp4(2)];
        handle.create(&there).unwrap();
        handle.set_nonblocking(true).unwrap();
        let mut seq = handle.send(Query::Update(&there)).unwrap();
        handle.catch().unwrap();
        let port = handle.port();
        for _ in 0..100 {
            let mut forge = |bytes: fn(&Conntrack, u32) -> Vec<u8>| {
                seq += 1;
                let sent = forger.send_to(&bytes(&flows::udp4(666), seq), port, 0);
                sent.unwrap();
            };
            forge(|_, seq| forged_ack(seq));
            assert_eq!(flows::errno(handle.get(&absent)), libc::ENOENT);
            forge(|_, seq| forged_ack(seq));
            assert_eq!(flows::errno(handle.create(&there)), libc::EEXIST);
            forge(forged);
            let found = handle.get(&there).unwrap();
            assert_eq!(found.original(), there.original());
            forge(forged);
            let mut dump = handle.dump(L3Proto::UNSPEC).unwrap();
            assert_eq!(dump.next().unwrap().unwrap().original(), there.original());
            assert!(dump.next().unwrap().is_none());
        }
        assert_eq!(handle.foreign_datagrams(), 400);
    });
}

/// Makes entries and deletes them again, far more than a small buffer holds.
fn flood(handle: &mut Handle) {
    let entries: Vec<_> = (1000..1300).map(flows::udp4).collect();
    flows::create_all(handle, &entries);
    let gone = |_, result: Result<(), Error>| result.unwrap();
    handle
        .batch(entries.iter().map(Query::Destroy), gone)
        .unwrap();
}

#[test]
fn an_overrun_is_told_counted_and_survived() {
    netns::run(|| {
        let mut listener = flows::listener(Groups::NEW);
        listener.set_nonblocking(true).unwrap();
        // Room for a few events.
        let granted = listener.set_receive_buffer(8192).unwrap();
        assert!(granted < 20_000, "{granted}");
        let mut handle = flows::handle();
        for round in 1..=5 {
            flood(&mut handle);
            assert!(matches!(listener.next_event(), Err(Error::Overrun)));
            assert_eq!(listener.overruns(), round);
            // What did fit is still there, from the first one on.
            let first = listener.next_event().unwrap();
            let first = first.conntrack().unwrap().original().unwrap();
            assert_eq!(flows::number(first), 1000);
            let left = std::iter::from_fn(|| match listener.next_event() {
                Ok(event) => Some(event.kind()),
                Err(error) => {
                    assert!(matches!(error, Error::WouldBlock), "{error}");
                    None
                }
            });
            assert!((1..290).contains(&left.count()));
            // From here on nothing is missed.
            handle.create(&flows::udp4(1)).unwrap();
            let event = listener.next_event().unwrap();
            let tuple = event.conntrack().unwrap().original().unwrap();
            assert_eq!(flows::number(tuple), 1);
            handle.delete(&flows::udp4(1)).unwrap();
            assert_eq!(listener.overruns(), round);
        }
        // The same with a callback; it comes out of `catch`.
        listener.register(EventMask::ALL, |_| Verdict::Continue);
        flood(&mut handle);
        assert!(matches!(listener.catch(), Err(Error::Overrun)));
        assert!(matches!(listener.catch(), Err(Error::WouldBlock)));
        assert_eq!(listener.overruns(), 6);
        // Larger buffers hold more.
        listener.set_receive_buffer(4 << 20).unwrap();
        flood(&mut handle);
        assert!(matches!(listener.catch(), Err(Error::WouldBlock)));
        assert_eq!(listener.overruns(), 6);
    });
}

/// A daemon gets a large buffer by a capability and then drops that. Growth must
/// not ask for more in a way that gives it less.
#[test]
fn a_buffer_that_is_to_grow_never_shrinks() {
    netns::run(|| {
        let mut listener = flows::listener(Groups::NEW);
        listener.set_nonblocking(true).unwrap();
        let before = listener.set_receive_buffer(6 << 20).unwrap();
        // More than it holds.
        let entries: Vec<_> = (0..20_000).map(flows::udp4).collect();
        flows::create_all(&mut flows::handle(), &entries);
        listener.set_buffer_growth(Some(64 << 20));
        privileges::without_capabilities(|| {
            assert!(matches!(listener.next_event(), Err(Error::Overrun)));
            let after = listener.receive_buffer().unwrap();
            assert!(after.granted >= before, "{before} became {after:?}");
            assert!(after.is_capped() || after.granted > before, "{after:?}");
        });
    });
}

/// Runs `work` in a thread of its own, which is left behind where it hangs.
fn must_end<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let (done, when_done) = mpsc::channel();
    let thread = thread::spawn(move || done.send(work()));
    match when_done.recv_timeout(wait::DEADLINE) {
        Ok(result) => result,
        Err(mpsc::RecvTimeoutError::Timeout) => panic!("it hangs"),
        Err(mpsc::RecvTimeoutError::Disconnected) => match thread.join() {
            Err(panic) => std::panic::resume_unwind(panic),
            Ok(_) => unreachable!("it has sent its result"),
        },
    }
}

/// Asks until the answer is not lost; how often it was.
fn ask<T>(mut query: impl FnMut() -> Result<T, Error>) -> (Result<T, Error>, usize) {
    for lost in 0.. {
        match query() {
            Err(Error::Overrun | Error::ReplyLost) if lost < 10 => {}
            result => return (result, lost),
        }
    }
    unreachable!("the loop has no end");
}

/// On a blocking handle whose buffer is full of events the answers are lost.
/// Queries say so instead of waiting for them, and none takes another's answer.
#[test]
fn queries_in_an_overrun_neither_hang_nor_take_old_answers() {
    const ROUNDS: u32 = 50;
    netns::run(|| {
        let lost = must_end(|| {
            let mut other = flows::handle();
            let marked = |number: u32| {
                let mut entry = flows::udp4(number);
                entry.set_mark(number);
                entry
            };
            let entries: Vec<_> = (1..=50).map(marked).collect();
            flows::create_all(&mut other, &entries);
            let mut handle = flows::listener(Groups::CONNTRACK);
            handle.set_receive_buffer(1).unwrap();
            let mut total = 0;
            for round in 0..ROUNDS {
                flood(&mut other);
                let number = round % 50 + 1;
                // Different answers one after the other, so that a mistake shows.
                let (found, lost) = ask(|| handle.get(&marked(number)));
                assert_eq!(found.unwrap().mark(), Some(number));
                total += lost;
                if round % 2 == 0 {
                    flood(&mut other);
                }
                let (absent, lost) = ask(|| handle.get(&marked(60 + number)));
                assert_eq!(flows::errno(absent), libc::ENOENT);
                total += lost;
                let (exists, lost) = ask(|| handle.create(&marked(number)));
                assert_eq!(flows::errno(exists), libc::EEXIST);
                total += lost;
                if round % 3 == 0 {
                    flood(&mut other);
                }
                let (listed, lost) = ask(|| {
                    let dump = handle.dump(L3Proto::UNSPEC)?.owned();
                    dump.map(|entry| Ok(entry?.mark())).collect()
                });
                let listed: BTreeSet<_> = listed.unwrap();
                assert!(listed.into_iter().eq((1..=50).map(Some)));
                total += lost;
                let (stats, lost) = ask(|| handle.stats());
                assert_eq!(stats.unwrap().entries, 50);
                total += lost;
            }
            assert!(handle.overruns() >= u64::from(ROUNDS));
            total
        });
        assert!(lost >= ROUNDS as usize, "{lost}");
    });
}

/// A listener that asks for it hears of all namespaces that have an id in its own.
#[test]
fn events_of_other_namespaces_bear_their_id() {
    const ID: i32 = 77;
    netns::run(|| {
        let mut listener = flows::listener(Groups::NEW);
        listener
            .socket()
            .set_option(SocketOption::ListenAllNsid, true)
            .unwrap();
        let (go_on, when_to_go_on) = mpsc::channel::<()>();
        let (tell, told) = mpsc::channel();
        thread::scope(|scope| {
            scope.spawn(move || {
                netns::run(move || {
                    // Nobody listens here, for which the kernel would save the events.
                    sysctl::write("net.netfilter.nf_conntrack_events", 1);
                    tell.send(netns::descriptor()).unwrap();
                    when_to_go_on.recv().unwrap();
                    flows::handle().create(&flows::udp4(1)).unwrap();
                });
            });
            let other = told.recv_timeout(wait::DEADLINE).expect("a namespace");
            give_id(other.as_raw_fd(), ID);
            go_on.send(()).unwrap();
            assert!(listener.wait_readable(Some(wait::DEADLINE)).unwrap());
        });
        let event = listener.next_event().unwrap();
        assert_eq!((event.kind(), event.nsid()), (EventKind::New, Some(ID)));
        flows::handle().create(&flows::udp4(2)).unwrap();
        assert!(listener.wait_readable(Some(Duration::ZERO)).unwrap());
        let event = listener.next_event().unwrap();
        let tuple = event.conntrack().unwrap().original().unwrap();
        assert_eq!((flows::number(tuple), event.nsid()), (2, None));
    });
}

/// Gives another namespace an id in the caller's (ip-netns(8) does it so).
fn give_id(namespace: i32, id: i32) {
    /// `RTM_NEWNSID` of `linux/rtnetlink.h`, attributes of `linux/net_namespace.h`.
    const NEW_NSID: u16 = 88;
    const NETNSA_NSID: u16 = 1;
    const NETNSA_FD: u16 = 3;
    let mut request = Vec::new();
    let mut message = Builder::new(&mut request, Header::request(NEW_NSID, Flags::ACK));
    message.put_bytes(&[0; 4]);
    message.put_u32(NETNSA_NSID, id as u32);
    message.put_u32(NETNSA_FD, namespace as u32);
    message.finish().unwrap();
    let socket = Socket::open(Family::ROUTE).unwrap();
    socket.send(&request).unwrap();
    let mut reply = [0; 1024];
    let received = socket.recv(&mut reply).unwrap();
    let answer = Message::parse(&reply[..received.len]).unwrap();
    assert!(
        matches!(answer.control(), Some(Control::Ack(_))),
        "{answer:?}"
    );
}

#[test]
fn passes_for_an_ordinary_user() {
    ordinary_user::rerun_these_tests();
}
