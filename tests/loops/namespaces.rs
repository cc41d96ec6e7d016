//! Several network namespaces at once.

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use netfilter_conntrack::mirror::{Change, Mirror};
use netfilter_conntrack::netlink::{Builder, Control, Family, Flags, Header, Message, Socket};
use netfilter_conntrack::{
    Conntrack, Error, EventKind, Groups, Handle, L3Proto, Netns, Query, Status, Tuple,
};

use crate::common::{netns, peer, privileges, wait};

/// A namespace that stays as long as this does, of another thread.
fn elsewhere() -> Netns {
    netns::run(netns::descriptor).into()
}

fn flow(host: u8, port: u16) -> Conntrack {
    let source = format!("192.0.2.{host}:{port}").parse().unwrap();
    let destination = "198.51.100.1:53".parse().unwrap();
    let mut entry = Conntrack::flow(Tuple::udp(source, destination).unwrap());
    entry.set_timeout(600).set_status(Status::SEEN_REPLY);
    entry
}

/// Gives a namespace an id in the caller's, as `ip netns set` does.
fn set_id(netns: BorrowedFd<'_>, id: i32) {
    /// `RTM_NEWNSID`, `NETNSA_NSID` and `NETNSA_FD` of the kernel's headers.
    const NEW_NSID: u16 = 88;
    const NSID: u16 = 1;
    const FD: u16 = 3;
    let mut request = Vec::new();
    let mut message = Builder::new(&mut request, Header::request(NEW_NSID, Flags::ACK));
    // struct rtgenmsg: a family.
    message.put_bytes(&[0]);
    message.put_u32(FD, netns.as_raw_fd() as u32);
    message.put_u32(NSID, id as u32);
    message.finish().unwrap();
    let socket = Socket::open(Family::ROUTE).unwrap();
    socket.send(&request).unwrap();
    let mut reply = [0; 1024];
    let received = socket.recv(&mut reply).unwrap();
    let reply = Message::parse(&reply[..received.len]).unwrap();
    assert!(
        matches!(reply.control(), Some(Control::Ack(_))),
        "{reply:?}"
    );
}

#[test]
fn handles_of_three_namespaces_at_once() {
    netns::run(|| {
        let home = netns::name();
        let namespaces = [elsewhere(), elsewhere(), Netns::current().unwrap()];
        let mut handles = namespaces
            .each_ref()
            .map(|netns| Handle::open_in(netns, Groups::CONNTRACK).unwrap());
        assert_eq!(netns::name(), home, "the thread has stayed");
        for (handle, host) in handles.iter_mut().zip(1..) {
            let flows: Vec<_> = (1..=u16::from(host) * 10)
                .map(|port| flow(host, port))
                .collect();
            handle
                .batch(flows.iter().map(Query::Create), |_, result| result.unwrap())
                .unwrap();
        }
        for (handle, host) in handles.iter_mut().zip(1u16..) {
            handle.set_nonblocking(true).unwrap();
            let source = format!("192.0.2.{host}");
            let mut listed = 0;
            let mut dump = handle.dump(L3Proto::UNSPEC).unwrap();
            while let Some(entry) = dump.next().unwrap() {
                assert_eq!(entry.original().unwrap().source().to_string(), source);
                listed += 1;
            }
            assert_eq!(listed, host * 10);
            let entries = handle.stats().unwrap().entries;
            assert_eq!(entries, u32::from(host) * 10);
        }
        // Events each handle has only of its own namespace.
        handles[0].delete(&flow(1, 1)).unwrap();
        assert_eq!(
            handles[0].get(&flow(1, 1)).unwrap_err().errno(),
            libc::ENOENT
        );
        assert!(handles[1].get(&flow(2, 1)).is_ok());
    });
}

#[test]
fn one_listener_hears_three_namespaces_and_tells_which() {
    netns::run(|| {
        let [first, second, unnamed] = [elsewhere(), elsewhere(), elsewhere()];
        set_id(first.as_fd(), 11);
        set_id(second.as_fd(), 22);
        let mut listener = Handle::open(Groups::CONNTRACK).unwrap();
        listener.listen_to_all_namespaces(true).unwrap();
        listener.set_nonblocking(true).unwrap();

        let mut own = Handle::open(Groups::empty()).unwrap();
        let mut others = [&first, &second, &unnamed]
            .map(|netns| Handle::open_in(netns, Groups::empty()).unwrap());
        for port in 1..=5 {
            own.create(&flow(1, port)).unwrap();
            for (handle, host) in others.iter_mut().zip([11, 22, 33]) {
                handle.create(&flow(host, port)).unwrap();
                handle.delete(&flow(host, port)).unwrap();
            }
        }
        let mut heard = Vec::new();
        loop {
            match listener.next_event() {
                Ok(event) => {
                    let tuple = event.conntrack().unwrap().original().unwrap();
                    heard.push((event.nsid(), event.kind(), tuple));
                }
                Err(Error::WouldBlock) => break,
                Err(error) => panic!("{error}"),
            }
        }
        let mut expected = Vec::new();
        for port in 1..=5 {
            let tuple = |host| flow(host, port).original().unwrap();
            expected.push((None, EventKind::New, tuple(1)));
            for id in [11, 22] {
                for kind in [EventKind::New, EventKind::Destroy] {
                    expected.push((Some(i32::from(id)), kind, tuple(id)));
                }
            }
        }
        assert_eq!(heard, expected);

        listener.listen_to_all_namespaces(false).unwrap();
        others[0].create(&flow(11, 9)).unwrap();
        assert!(matches!(listener.next_event(), Err(Error::WouldBlock)));
    });
}

#[test]
fn a_mirror_of_another_namespace() {
    netns::run(|| {
        let blue = elsewhere();
        let mut inside = Handle::open_in(&blue, Groups::empty()).unwrap();
        inside.create(&flow(1, 1)).unwrap();
        Handle::open(Groups::empty())
            .unwrap()
            .create(&flow(2, 2))
            .unwrap();
        let mut mirror = Mirror::options().open_in(&blue).unwrap();
        inside.create(&flow(1, 3)).unwrap();
        let mut inserted = Vec::new();
        let settled = mirror.settle(wait::DEADLINE, |change| {
            if let Change::Inserted(flow) = change {
                inserted.push(flow.original().ports().unwrap().0);
            }
        });
        assert!(settled.unwrap());
        inserted.sort_unstable();
        assert_eq!(inserted, [1, 3]);
    });
}

#[test]
fn by_path_of_a_process_and_by_descriptor() {
    netns::run(|| {
        let home = netns::descriptor();
        let (sleeping, name) = netns::run(|| (peer::Peer::start("sleep 60", ""), netns::name()));
        assert_ne!(name, netns::name());
        let inside = Netns::of_process(sleeping.id()).unwrap();
        let mut handle = Handle::open_in(&inside, Groups::empty()).unwrap();
        handle.create(&flow(1, 1)).unwrap();
        assert_eq!(handle.stats().unwrap().entries, 1);
        let mut own = Handle::open_in(&home, Groups::empty()).unwrap();
        assert_eq!(own.stats().unwrap().entries, 0);
    });
}

#[test]
fn what_is_no_namespace_is_refused() {
    netns::run(|| {
        assert_eq!(
            Netns::open("/run/netns/no such").unwrap_err().errno(),
            libc::ENOENT
        );
        assert_eq!(Netns::named("no such").unwrap_err().errno(), libc::ENOENT);
        let file: OwnedFd = std::fs::File::open("/proc/self/status").unwrap().into();
        let error = Handle::open_in(Netns::from(file), Groups::empty()).unwrap_err();
        assert_eq!(error.errno(), libc::EINVAL, "{error}");
        let here = Netns::current().unwrap();
        privileges::without_capabilities(|| {
            let error = Handle::open_in(&here, Groups::empty()).unwrap_err();
            assert_eq!(error.errno(), libc::EPERM, "{error}");
        });
    });
}
