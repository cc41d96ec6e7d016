//! Other netlink families than netfilter's, by way of the examples that show
//! them: device events and links of devices that the test creates and deletes.

#[path = "../examples/links.rs"]
#[allow(dead_code)]
mod links;
#[path = "../examples/uevent.rs"]
#[allow(dead_code)]
mod uevent;

mod common;

use std::collections::HashMap;

use common::{netns, peer, wait};
use links::Links;
use netfilter_conntrack::netlink::{
    Builder, Control, Family, Flags, Header, Message, Messages, Socket, SocketOption,
};
use uevent::Uevent;

/// Receives until `found` has what it looks for in a datagram.
fn receive<T>(socket: &Socket, what: &str, mut found: impl FnMut(&[u8]) -> Option<T>) -> T {
    let mut buffer = vec![0; 32 * 1024];
    loop {
        let ready = socket.wait_readable(Some(wait::DEADLINE)).unwrap();
        assert!(ready, "{what} did not come");
        let datagram = socket.recv(&mut buffer).unwrap();
        assert_eq!(datagram.sender, 0);
        if let Some(found) = found(&buffer[..datagram.len]) {
            return found;
        }
    }
}

#[test]
fn devices_come_and_go() {
    netns::run(|| {
        let socket = Socket::bind(Family::KOBJECT_UEVENT, 0, 1).unwrap();
        let expect = |action: &str, device: &str| {
            receive(&socket, &format!("{action} of {device}"), |datagram| {
                let event = Uevent::parse(datagram).expect("an event");
                let properties: HashMap<_, _> = event.properties().collect();
                assert_eq!(properties["ACTION"], event.action);
                assert_eq!(properties["DEVPATH"], event.path);
                (event.action == action && event.path == format!("/devices/virtual/net/{device}"))
                    .then(|| properties["INTERFACE"].to_owned())
            })
        };
        peer::run("ip link add v0 type veth peer name v1");
        assert_eq!(expect("add", "v0"), "v0");
        peer::run("ip link set v0 name w0");
        assert_eq!(expect("move", "w0"), "w0");
        peer::run("ip link delete w0");
        assert_eq!(expect("remove", "w0"), "w0");
    });
}

#[test]
fn odd_events_are_no_events() {
    for odd in [
        &b""[..],
        b"add@/x",
        b"add\0",
        b"libudev\0\xfe\xed\xca\xfe",
        b"\xff@\xff\0",
    ] {
        assert!(Uevent::parse(odd).is_none(), "{odd:?}");
    }
    let event = Uevent::parse(b"add@/x\0A=1\0B\0C==\0").unwrap();
    assert!(event.properties().eq([("A", "1"), ("C", "=")]));
}

#[test]
fn links_and_addresses_come_and_go() {
    netns::run(|| {
        let socket = Socket::bind(Family::ROUTE, 0, links::GROUPS).unwrap();
        let mut links = Links::default();
        let mut expect = |line: &str| {
            receive(&socket, line, |datagram| {
                // The lines of a datagram come before what is done next.
                let lines =
                    Messages::new(datagram).map(|message| links.describe(&message.unwrap()));
                let lines: Vec<_> = lines.collect();
                lines.contains(&Some(line.to_owned())).then_some(())
            });
        };
        peer::run("ip link add v0 index 7 type veth peer name v1 index 8");
        expect("+ link 7 v0 down");
        peer::run("ip address add 192.0.2.1/24 dev v0");
        expect("+ address 192.0.2.1/24 of v0");
        peer::run("ip address add 2001:db8::1/64 dev v0 nodad");
        expect("+ address 2001:db8::1/64 of v0");
        peer::run("ip link set v0 up");
        expect("+ link 7 v0 up");
        peer::run("ip address delete 192.0.2.1/24 dev v0");
        expect("- address 192.0.2.1/24 of v0");
        peer::run("ip link delete v0");
        expect("- link 7 v0");
    });
}

#[test]
fn links_are_listed() {
    netns::run(|| {
        peer::run("ip link add v0 index 7 type veth peer name v1 index 8");
        let socket = Socket::open(Family::ROUTE).unwrap();
        socket.send(&links::list_request().unwrap()).unwrap();
        let (mut links, mut lines) = (Links::default(), Vec::new());
        receive(&socket, "the end of the dump", |datagram| {
            Messages::new(datagram).find_map(|message| {
                let message = message.unwrap();
                lines.extend(links.describe(&message));
                matches!(message.control(), Some(Control::Done(0, _))).then_some(())
            })
        });
        let all = ["+ link 1 lo up", "+ link 8 v1 down", "+ link 7 v0 down"];
        lines.sort();
        let mut expected = all.map(str::to_owned);
        expected.sort();
        assert_eq!(lines, expected);
    });
}

#[test]
fn a_refused_request_is_explained() {
    netns::run(|| {
        let socket = Socket::open(Family::ROUTE).unwrap();
        socket.set_option(SocketOption::ExtAck, true).unwrap();
        let mut request = Vec::new();
        // RTM_NEWADDR for a link that is not there.
        let header = Header::request(20, Flags::ACK | Flags::CREATE).with_seq(3);
        let mut message = Builder::new(&mut request, header);
        message.put_bytes(&[libc::AF_INET as u8, 24, 0, 0, 99, 0, 0, 0]);
        message.put(2, &[192, 0, 2, 1]);
        message.finish().unwrap();
        socket.send(&request).unwrap();
        receive(&socket, "the refusal", |datagram| {
            let message = Message::parse(datagram).unwrap();
            assert_eq!(message.seq(), 3);
            let Some(Control::Error(errno, extended)) = message.control() else {
                panic!("{message:?}");
            };
            assert_eq!(errno, libc::ENODEV);
            let text = String::from_utf8_lossy(extended.message.expect("a text"));
            assert!(text.contains("Device not found"), "{text}");
            Some(())
        });
        let mut links = Links::default();
        socket.send(&request).unwrap();
        let line = receive(&socket, "the refusal", |datagram| {
            links.describe(&Message::parse(datagram).unwrap())
        });
        assert!(
            line.starts_with("error 19: ") && line.ends_with("Device not found"),
            "{line}"
        );
    });
}

#[test]
fn passes_for_an_ordinary_user() {
    common::ordinary_user::rerun_these_tests();
}
