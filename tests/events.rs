//! Events: which, in which order, of what, and how they are received.

mod common;

use std::net::{IpAddr, Shutdown};
use std::sync::mpsc;
use std::time::Duration;

use common::{flows, netns, ordinary_user, traffic, wait};
use netfilter_conntrack::conntrack::{ProtoInfo, TcpState};
use netfilter_conntrack::{
    Caught, Conntrack, Error, Event, EventKind, EventMask, Groups, Handle, L3Proto, L4Proto, Query,
    Status, Tuple, Verdict,
};

/// The next event, which must come before the deadline.
fn next(handle: &mut Handle) -> Event<'_> {
    wait::until("an event", || {
        let ready = handle.wait_readable(Some(Duration::from_millis(100)));
        ready.unwrap().then_some(())
    });
    handle.next_event().unwrap()
}

fn assert_nothing_left(handle: &mut Handle) {
    handle.set_nonblocking(true).unwrap();
    assert!(matches!(handle.next_event(), Err(Error::WouldBlock)));
    assert!(matches!(handle.catch(), Err(Error::WouldBlock)));
    assert!(!handle.wait_readable(Some(Duration::ZERO)).unwrap());
    handle.set_nonblocking(false).unwrap();
}

fn marked(mut entry: Conntrack, mark: u32) -> Conntrack {
    entry.set_mark(mark);
    entry
}

/// Makes, changes and deletes an entry; returns it as it was.
fn live(handle: &mut Handle, entry: &Conntrack) -> Conntrack {
    handle.create(entry).unwrap();
    handle.update(&marked(entry.clone(), 5)).unwrap();
    let found = handle.get(entry).unwrap();
    handle.delete(&found).unwrap();
    found
}

#[test]
fn the_life_of_an_entry() {
    netns::run(|| {
        let mut listener = flows::listener(Groups::CONNTRACK);
        let mut handle = flows::handle();
        for entry in [flows::udp4(1), flows::udp6(1)] {
            let found = live(&mut handle, &entry);
            for kind in [EventKind::New, EventKind::Update, EventKind::Destroy] {
                let event = next(&mut listener);
                assert_eq!(event.kind(), kind);
                let header = event.header();
                assert_eq!((header.seq, header.port), (0, handle.port()));
                assert_eq!(event.message().header(), header);
                assert!(event.expect().is_none() && event.nsid().is_none());
                let view = event.conntrack().unwrap();
                assert_eq!(view.original(), entry.original());
                assert_eq!(view.reply(), entry.reply());
                assert_eq!(view.id(), found.id());
                assert_eq!(view.l3proto(), entry.original().unwrap().l3proto());
                let mark = if kind == EventKind::New { 0 } else { 5 };
                // A mark of 0 may be left out.
                assert_eq!(view.mark().unwrap_or(0), mark);
                let owned = event.steal().unwrap().unwrap();
                assert_eq!(owned.mark(), view.mark());
            }
        }
        assert_nothing_left(&mut listener);
    });
}

#[test]
fn each_group_has_its_kind() {
    netns::run(|| {
        let groups = [
            (Groups::NEW, EventKind::New),
            (Groups::UPDATE, EventKind::Update),
            (Groups::DESTROY, EventKind::Destroy),
        ];
        let mut listeners = groups.map(|(group, kind)| (flows::listener(group), kind));
        let mut handle = flows::handle();
        for number in 0..10 {
            live(&mut handle, &flows::udp4(number));
        }
        for (listener, kind) in &mut listeners {
            for number in 0..10 {
                let event = next(listener);
                assert_eq!(event.kind(), *kind);
                let tuple = event.conntrack().unwrap().original().unwrap();
                assert_eq!(flows::number(tuple), number);
            }
            assert_nothing_left(listener);
        }
    });
}

#[test]
fn a_flush_ends_each_entry() {
    netns::run(|| {
        let mut listener = flows::listener(Groups::DESTROY);
        let mut handle = flows::handle();
        let entries: Vec<_> = (0..50).map(flows::udp4).collect();
        flows::create_all(&mut handle, &entries);
        handle.create(&flows::udp6(1)).unwrap();
        handle.flush(L3Proto::IPV4).unwrap();
        let mut ended: Vec<_> = (0..50)
            .map(|_| flows::number(next(&mut listener).conntrack().unwrap().original().unwrap()))
            .collect();
        ended.sort_unstable();
        assert!(ended.into_iter().eq(0..50));
        assert_nothing_left(&mut listener);
    });
}

/// A TCP flow over the loopback interface: its states in their order.
#[test]
fn traffic_makes_events() {
    netns::run(|| {
        traffic::start_tracking();
        let mut listener = flows::listener(Groups::CONNTRACK);
        for address in ["127.0.0.1", "::1"] {
            let address: IpAddr = address.parse().unwrap();
            let (client, server) = traffic::tcp(address);
            let ends = [&client, &server].map(|end| end.local_addr().unwrap());
            client.shutdown(Shutdown::Write).unwrap();
            drop(server);
            let mut states = Vec::new();
            let mut ports = Vec::new();
            wait::until("the end of the flow", || {
                let event = next(&mut listener);
                ports.push(event.header().port);
                let entry = event.conntrack().unwrap();
                let tuple = Tuple::tcp(ends[0], ends[1]).unwrap();
                assert_eq!(entry.original(), Some(tuple));
                let first = states.is_empty();
                assert_eq!(event.kind() == EventKind::New, first);
                if let Some(ProtoInfo::Tcp(info)) = entry.protoinfo() {
                    let state = info.state.unwrap();
                    if states.last() != Some(&state) {
                        states.push(state);
                    }
                }
                (states.last() == Some(&TcpState::TIME_WAIT)).then_some(())
            });
            let established = [
                TcpState::SYN_SENT,
                TcpState::SYN_RECV,
                TcpState::ESTABLISHED,
            ];
            assert!(states.starts_with(&established), "{states:?}");
            // No program has asked for it.
            assert!(ports.iter().all(|port| *port == 0));

            let mut handle = flows::handle();
            handle.flush(L3Proto::UNSPEC).unwrap();
            let event = next(&mut listener);
            assert_eq!(
                (event.kind(), event.header().port),
                (EventKind::Destroy, handle.port())
            );
            let entry = event.conntrack().unwrap();
            assert!(entry.status().unwrap().contains(Status::ASSURED));
            assert_eq!(entry.original().unwrap().l4proto(), L4Proto::TCP);
        }
    });
}

/// Registers a callback that gives these verdicts in turn and then Continue.
/// What it gets comes out of the channel.
fn callback(
    handle: &mut Handle,
    mask: EventMask,
    verdicts: &'static [Verdict],
) -> mpsc::Receiver<(EventKind, u32)> {
    let (sender, receiver) = mpsc::channel();
    let mut verdicts = verdicts.iter().copied();
    handle.register(mask, move |event| {
        let number = flows::number(event.conntrack().unwrap().original().unwrap());
        sender.send((event.kind(), number)).unwrap();
        verdicts.next().unwrap_or(Verdict::Continue)
    });
    receiver
}

#[test]
fn callbacks_say_how_to_go_on() {
    netns::run(|| {
        let mut listener = flows::listener(Groups::CONNTRACK);
        listener.set_nonblocking(true).unwrap();
        let verdicts = &[
            Verdict::Continue,
            Verdict::Stolen,
            Verdict::Stop,
            Verdict::Stop,
        ];
        let got = callback(&mut listener, EventMask::ALL, verdicts);
        assert!(matches!(listener.catch(), Err(Error::WouldBlock)));
        let mut handle = flows::handle();
        for number in 0..6 {
            handle.create(&flows::udp4(number)).unwrap();
        }
        let numbers = || got.try_iter().map(|(_, number)| number).collect::<Vec<_>>();
        assert_eq!(listener.catch().unwrap(), Caught::Stopped);
        assert_eq!(numbers(), [0, 1, 2]);
        assert_eq!(listener.catch().unwrap(), Caught::Stopped);
        assert_eq!(numbers(), [3]);
        assert!(listener.wait_readable(Some(Duration::ZERO)).unwrap());
        assert!(matches!(listener.catch(), Err(Error::WouldBlock)));
        assert_eq!(numbers(), [4, 5]);
    });
}

#[test]
fn callbacks_get_what_their_mask_names() {
    netns::run(|| {
        let mut listener = flows::listener(Groups::CONNTRACK);
        listener.set_nonblocking(true).unwrap();
        let mut handle = flows::handle();
        let all = [
            (EventMask::NEW, EventKind::New),
            (EventMask::UPDATE, EventKind::Update),
            (EventMask::DESTROY, EventKind::Destroy),
        ];
        for (number, (mask, _)) in (0..).zip(all) {
            let got = callback(&mut listener, mask | EventMask::DESTROY, &[]);
            live(&mut handle, &flows::udp4(number));
            assert!(matches!(listener.catch(), Err(Error::WouldBlock)));
            let kinds = all
                .into_iter()
                .filter(|(own, _)| (mask | EventMask::DESTROY).contains(*own));
            let expected: Vec<_> = kinds.map(|(_, kind)| (kind, number)).collect();
            assert_eq!(got.try_iter().collect::<Vec<_>>(), expected);
        }
        // Without a callback they are passed over.
        listener.unregister();
        live(&mut handle, &flows::udp4(9));
        assert!(matches!(listener.catch(), Err(Error::WouldBlock)));
    });
}

/// On a blocking handle `catch` waits for the event that makes it return.
#[test]
fn catching_waits() {
    netns::run(|| {
        let mut listener = flows::listener(Groups::NEW);
        let got = callback(&mut listener, EventMask::ALL, &[Verdict::Stop]);
        let (caught, when_caught) = mpsc::channel();
        std::thread::spawn(move || caught.send(listener.catch().unwrap()));
        let early = when_caught.recv_timeout(Duration::from_millis(50));
        assert_eq!(early, Err(mpsc::RecvTimeoutError::Timeout));
        flows::handle().create(&flows::udp4(7)).unwrap();
        let caught = when_caught.recv_timeout(wait::DEADLINE);
        assert_eq!(caught, Ok(Caught::Stopped));
        assert_eq!(got.try_recv(), Ok((EventKind::New, 7)));
    });
}

#[test]
fn events_during_queries_go_to_the_callback() {
    netns::run(|| {
        let mut listener = flows::listener(Groups::CONNTRACK);
        // Stop to an event does not end a query.
        let got = callback(&mut listener, EventMask::NEW, &[Verdict::Stop; 100]);
        let numbers = || got.try_iter().map(|(_, number)| number).collect::<Vec<_>>();
        let mut other = flows::handle();
        let mut from_other = |number| other.create(&flows::udp6(number)).unwrap();

        from_other(1);
        listener.query(Query::Create(&flows::udp4(2))).unwrap();
        assert_eq!(numbers(), [1, 2]);
        from_other(3);
        let exists = listener.query(Query::Create(&flows::udp4(2)));
        assert_eq!(flows::errno(exists), libc::EEXIST);
        assert_eq!(numbers(), [3]);
        from_other(4);
        assert!(listener.get(&flows::udp4(2)).is_ok());
        assert_eq!(numbers(), [4]);
        from_other(5);
        assert_eq!(flows::errno(listener.get(&flows::udp4(9))), libc::ENOENT);
        assert_eq!(listener.stats().unwrap().entries, 5);
        assert_eq!(numbers(), [5]);
        from_other(6);
        let mut dump = listener.dump(L3Proto::UNSPEC).unwrap();
        let mut listed = 0;
        while dump.next().unwrap().is_some() {
            listed += 1;
        }
        assert_eq!((listed, numbers()), (6, vec![6]));
        from_other(7);
        listener.flush(L3Proto::UNSPEC).unwrap();
        assert_eq!(numbers(), [7]);
        assert_nothing_left(&mut listener);
    });
}

/// Requests that are sent and not waited for: events, answers and failures
/// come out in the order in which the kernel sent them.
#[test]
fn events_and_answers_are_caught_in_order() {
    netns::run(|| {
        let mut handle = flows::listener(Groups::CONNTRACK);
        handle.set_nonblocking(true).unwrap();
        let got = callback(&mut handle, EventMask::ALL, &[]);
        let [one, two] = [flows::udp4(1), flows::udp4(2)];
        let created = handle.send(Query::Create(&one)).unwrap();
        handle.send(Query::Create(&one)).unwrap();
        let gotten = handle.send(Query::Get(&one)).unwrap();
        flows::handle().create(&two).unwrap();
        let deleted = handle.send(Query::Destroy(&one)).unwrap();

        let new = (EventKind::New, 1);
        assert_eq!(handle.catch().unwrap(), Caught::Acknowledged(created));
        assert_eq!(got.try_iter().collect::<Vec<_>>(), [new]);
        assert_eq!(flows::errno(handle.catch()), libc::EEXIST);
        assert_eq!(handle.catch().unwrap(), Caught::Acknowledged(gotten));
        assert_eq!(got.try_iter().collect::<Vec<_>>(), [(EventKind::Update, 1)]);
        assert_eq!(handle.catch().unwrap(), Caught::Acknowledged(deleted));
        let rest = [(EventKind::New, 2), (EventKind::Destroy, 1)];
        assert_eq!(got.try_iter().collect::<Vec<_>>(), rest);
        assert!(matches!(handle.catch(), Err(Error::WouldBlock)));
    });
}

#[test]
fn passes_for_an_ordinary_user() {
    ordinary_user::rerun_these_tests();
}
