//! The netlink socket, between two sockets of this process and with the kernel.

mod common;

use std::fs;
use std::os::fd::{AsRawFd, OwnedFd};
use std::time::Duration;

use common::{netns, ordinary_user, privileges};
use netfilter_conntrack::Error;
use netfilter_conntrack::netlink::{Family, Socket, SocketOption};

/// Two sockets of the family that lets programs talk to each other.
fn pair() -> (Socket, Socket) {
    let open = || Socket::open(Family::USERSOCK).unwrap();
    (open(), open())
}

#[test]
fn ports_are_distinct_and_senders_are_told() {
    let (a, b) = pair();
    assert_ne!(a.port(), b.port());
    a.send_to(b"ping", b.port(), 0).unwrap();
    let mut buffer = [0; 16];
    let datagram = b.recv(&mut buffer).unwrap();
    assert_eq!(
        (&buffer[..datagram.len], datagram.sender),
        (&b"ping"[..], a.port())
    );
    assert_eq!(datagram.nsid, None);
}

#[test]
fn a_chosen_port_is_taken_once() {
    let (a, _) = pair();
    let error = Socket::bind(Family::USERSOCK, a.port(), 0).unwrap_err();
    assert_eq!(error.errno(), libc::EADDRINUSE);
}

#[test]
fn truncation_is_reported_with_both_lengths() {
    let (a, b) = pair();
    a.send_to(&[7; 100], b.port(), 0).unwrap();
    let error = b.recv(&mut [0; 60]).unwrap_err();
    let Error::Truncated {
        needed,
        available,
        sender,
    } = error
    else {
        panic!("{error}");
    };
    assert_eq!((needed, available, sender), (100, 60, a.port()));
    assert!(matches!(b.try_recv(&mut [0; 60]), Err(Error::WouldBlock)));
}

#[test]
fn nonblocking_and_waiting() {
    let (a, b) = pair();
    b.set_nonblocking(true).unwrap();
    assert!(matches!(b.recv(&mut [0; 8]), Err(Error::WouldBlock)));
    assert!(!b.wait_readable(Some(Duration::from_millis(1))).unwrap());
    a.send_to(b"x", b.port(), 0).unwrap();
    assert!(b.wait_readable(None).unwrap());
    assert_eq!(b.recv(&mut [0; 8]).unwrap().len, 1);
}

#[test]
fn an_overrun_is_told_once_and_the_socket_goes_on() {
    // Joining a group of this family needs a capability.
    netns::run(|| {
        let (a, b) = pair();
        let granted = b.set_receive_buffer(1).unwrap();
        assert!(granted < 16 * 1024, "{granted}");
        b.join(1).unwrap();
        // A multicast overruns its listeners instead of blocking the sender. The
        // sender's own result is about port 0, where nobody answers.
        let multicast = |bytes: &[u8]| drop(a.send_to(bytes, 0, 1));
        let sent = 200;
        for _ in 0..sent {
            multicast(&[0; 512]);
        }
        let mut buffer = [0; 1024];
        assert!(matches!(b.try_recv(&mut buffer), Err(Error::Overrun)));
        let received = std::iter::from_fn(|| b.try_recv(&mut buffer).ok()).count();
        assert!(received > 0 && received < sent, "{received}");
        multicast(&[0; 8]);
        assert_eq!(b.recv(&mut buffer).unwrap().len, 8);
    });
}

#[test]
fn receive_buffers_are_told_as_granted() {
    let (a, _) = pair();
    // The kernel doubles the number.
    assert_eq!(a.set_receive_buffer(50_000).unwrap(), 100_000);
    assert_eq!(a.receive_buffer().unwrap(), 100_000);
    let cap = a.set_receive_buffer(usize::MAX).unwrap();
    assert!(cap < 1 << 30, "{cap}");
    // Beyond the cap goes whoever is root outside of all user namespaces.
    match a.force_receive_buffer(cap) {
        Ok(granted) => assert_eq!(granted, 2 * cap),
        Err(error) => {
            assert_eq!(error.errno(), libc::EPERM);
            let text = error.to_string();
            assert!(text.contains("initial user namespace"), "{text}");
        }
    }
}

#[test]
fn options_can_be_read_back() {
    let (a, _) = pair();
    for option in [
        SocketOption::BroadcastError,
        SocketOption::NoEnobufs,
        SocketOption::CapAck,
        SocketOption::ExtAck,
        SocketOption::GetStrictCheck,
    ] {
        assert!(!a.option(option).unwrap(), "{option:?}");
        a.set_option(option, true).unwrap();
        assert!(a.option(option).unwrap(), "{option:?}");
    }
}

#[test]
fn a_socket_stays_in_its_namespace() {
    netns::run(|| {
        let (a, b) = pair();
        let cookie = a.namespace_cookie().unwrap();
        assert_eq!(b.namespace_cookie().unwrap(), cookie);
        netns::run(|| {
            assert_ne!(pair().0.namespace_cookie().unwrap(), cookie);
            assert_eq!(a.namespace_cookie().unwrap(), cookie);
        });
    });
}

#[test]
fn the_namespace_of_a_socket_can_be_entered() {
    netns::run(|| {
        let (socket, home) = (pair().0, netns::name());
        netns::run(|| {
            assert_ne!(netns::name(), home);
            let inside = socket.namespace().unwrap();
            let file = format!("/proc/self/fd/{}", inside.as_raw_fd());
            assert_eq!(fs::read_link(file).unwrap(), home);
        });
        let error = privileges::without_capabilities(|| socket.namespace().unwrap_err());
        assert_eq!(error.errno(), libc::EPERM, "{error}");
    });
}

#[test]
fn groups_by_mask_and_by_number() {
    let socket = Socket::bind(Family::ROUTE, 0, 0b11).unwrap();
    assert_eq!(socket.groups().unwrap(), 0b11);
    socket.set_groups(0b101).unwrap();
    assert_eq!(socket.groups().unwrap(), 0b101);
    // RTNLGRP_NSID and RTNLGRP_MDB stand for low numbers, RTNLGRP_NEXTHOP for one
    // near 32; beyond 32 there is no bit in the mask.
    for group in [26, 28, 32, 33] {
        socket.join(group).unwrap();
        let bit = 1u32.checked_shl(group - 1).unwrap_or(0);
        assert_eq!(socket.groups().unwrap(), 0b101 | bit);
        socket.leave(group).unwrap();
        assert_eq!(socket.groups().unwrap(), 0b101);
    }
    assert_eq!(socket.join(100_000).unwrap_err().errno(), libc::EINVAL);
}

#[test]
fn filters_attach_replace_detach() {
    let (a, b) = pair();
    let verdict = |k| {
        let ret = (libc::BPF_RET | libc::BPF_K) as u16;
        [libc::sock_filter {
            code: ret,
            jt: 0,
            jf: 0,
            k,
        }]
    };
    assert_eq!(b.filter_len().unwrap(), 0);
    b.attach_filter(&verdict(0)).unwrap();
    assert_eq!(b.filter_len().unwrap(), 1);
    let _dropped = a.send_to(b"x", b.port(), 0);
    assert!(matches!(b.try_recv(&mut [0; 8]), Err(Error::WouldBlock)));
    b.attach_filter(&verdict(u32::MAX)).unwrap();
    a.send_to(b"x", b.port(), 0).unwrap();
    assert_eq!(b.try_recv(&mut [0; 8]).unwrap().len, 1);
    b.detach_filter().unwrap();
    assert_eq!(b.filter_len().unwrap(), 0);
    assert_eq!(b.detach_filter().unwrap_err().errno(), libc::ENOENT);
    assert!(matches!(b.attach_filter(&[]), Err(Error::Invalid(_))));
}

#[test]
fn other_descriptors_are_refused() {
    let null = std::fs::File::open("/dev/null").unwrap();
    assert!(Socket::from_fd(OwnedFd::from(null)).is_err());
    let (other_family, _keep) = std::os::unix::net::UnixStream::pair().unwrap();
    assert!(Socket::from_fd(OwnedFd::from(other_family)).is_err());
    let (a, _) = pair();
    let port = a.port();
    let again = Socket::from_fd(a.into()).unwrap();
    assert_eq!(again.port(), port);
}

#[test]
fn passes_for_an_ordinary_user() {
    ordinary_user::rerun_these_tests();
}
