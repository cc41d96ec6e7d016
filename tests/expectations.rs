//! Expectations in the kernel: made by hand and by the kernel's own helpers.

mod common;

use std::io::{Read, Write};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{self, Receiver};

use common::{netns, ordinary_user, peer, traffic, wait};
use netfilter_conntrack::conntrack::{ProtoInfo, TcpInfo, TcpState};
use netfilter_conntrack::{
    CompareFlags, Conntrack, Direction, Error, EventKind, EventMask, Expect, ExpectAttr,
    ExpectFlags, ExpectNat, Groups, Handle, L3Proto, L4Proto, Status, Tuple, Verdict,
};

/// A helper: its name, its protocol, its port, and the classes it has.
const HELPERS: [(&str, L4Proto, u16, u32); 3] = [
    ("ftp", L4Proto::TCP, 21, 1),
    ("sip", L4Proto::UDP, 5060, 4),
    ("tftp", L4Proto::UDP, 69, 1),
];

fn handle() -> Handle {
    Handle::open(Groups::empty()).unwrap()
}

fn addresses(v6: bool) -> (IpAddr, IpAddr) {
    let parse = |text: &str| text.parse().unwrap();
    match v6 {
        true => (parse("2001:db8::1"), parse("2001:db8::2")),
        false => (parse("192.0.2.1"), parse("198.51.100.2")),
    }
}

/// A flow with a helper, in the table.
fn master(handle: &mut Handle, v6: bool, helper: &str, l4proto: L4Proto, port: u16) -> Tuple {
    let (client, server) = addresses(v6);
    let tuple = Tuple::new(client, server, l4proto).unwrap();
    let tuple = tuple.with_ports(40_000, port);
    let mut entry = Conntrack::flow(tuple);
    entry.set_timeout(600).set_helper(helper).unwrap();
    if l4proto == L4Proto::TCP {
        let state = Some(TcpState::ESTABLISHED);
        entry.set_protoinfo(ProtoInfo::Tcp(TcpInfo {
            state,
            ..TcpInfo::default()
        }));
    }
    handle.create(&entry).unwrap();
    tuple
}

/// What the flow with this original tuple may expect: one from the server to
/// this port of the client.
fn expectation(master: Tuple, port: u16) -> Expect {
    let to = |source, destination, ports: (u16, u16)| {
        let tuple = Tuple::new(source, destination, master.l4proto()).unwrap();
        tuple.with_ports(ports.0, ports.1)
    };
    let ones: IpAddr = match master.source() {
        IpAddr::V4(_) => [0xff; 4].into(),
        IpAddr::V6(_) => [0xff; 16].into(),
    };
    let mut expect = Expect::new();
    expect
        .set_master(master)
        .set_expected(to(master.destination(), master.source(), (0, port)))
        .set_mask(to(ones, ones, (0, 0xffff)))
        .set_timeout(200);
    expect
}

fn errno<T: std::fmt::Debug>(result: Result<T, Error>) -> i32 {
    result.unwrap_err().errno()
}

fn list(handle: &mut Handle, family: L3Proto) -> Vec<Expect> {
    let dump = handle.dump_expects(family).unwrap();
    dump.owned().map(Result::unwrap).collect()
}

#[test]
fn made_read_and_deleted_for_every_helper() {
    netns::run(|| {
        let mut handle = handle();
        for (helper, l4proto, port, classes) in HELPERS {
            for v6 in [false, true] {
                let master = master(&mut handle, v6, helper, l4proto, port);
                for class in 0..classes {
                    let mut expect = expectation(master, 50_000);
                    let flags = ExpectFlags::PERMANENT;
                    expect
                        .set_flags(flags)
                        .set_class(class)
                        .set_helper(helper)
                        .unwrap();
                    handle.create_expect(&expect).unwrap();
                    assert_eq!(errno(handle.create_expect(&expect)), libc::EEXIST);

                    let found = handle.get_expect(&expect).unwrap();
                    assert_eq!(found.master(), Some(master));
                    assert_eq!(
                        (found.expected(), found.mask()),
                        (expect.expected(), expect.mask())
                    );
                    assert_eq!((found.class(), found.flags()), (Some(class), Some(flags)));
                    assert_eq!(found.helper(), Some(helper));
                    // The helper has its own idea of how long.
                    assert!(found.timeout().is_some() && found.id().is_some());
                    assert!(found.compare_with(&expect, CompareFlags::STRICT));
                    assert_eq!(list(&mut handle, master.l3proto()).len(), 1);
                    handle.delete_expect(&found).unwrap();
                    assert_eq!(errno(handle.get_expect(&expect)), libc::ENOENT);
                    assert_eq!(errno(handle.delete_expect(&expect)), libc::ENOENT);
                }
            }
        }
    });
}

#[test]
fn translation_and_function_reach_the_kernel() {
    netns::run(|| {
        let mut handle = handle();
        for v6 in [false, true] {
            let master = master(&mut handle, v6, "ftp", L4Proto::TCP, 21);
            let mut expect = expectation(master, 50_000);
            let saved = Tuple::new(master.source(), master.source(), L4Proto::TCP);
            let nat = ExpectNat {
                direction: Direction::Reply,
                tuple: saved.unwrap().with_ports(51_000, 0),
            };
            expect
                .set_nat(nat)
                .set_fn_name("nat-follow-master")
                .unwrap();
            handle.create_expect(&expect).unwrap();
            let found = handle.get_expect(&expect).unwrap();
            assert_eq!(found.fn_name(), Some("nat-follow-master"));
            let found = found.nat().unwrap();
            // The kernel keeps address and port of the source.
            assert_eq!(found.direction, Direction::Reply);
            assert_eq!(found.tuple.source(), master.source());
            assert_eq!(found.tuple.ports(), Some((51_000, 0)));
            assert!(found.tuple.destination().is_unspecified());
        }
    });
}

#[test]
fn updates_change_the_timeout() {
    netns::run(|| {
        let mut handle = handle();
        let master = master(&mut handle, false, "ftp", L4Proto::TCP, 21);
        let mut expect = expectation(master, 50_000);
        assert_eq!(errno(handle.update_expect(&expect)), libc::ENOENT);
        handle.create_or_update_expect(&expect).unwrap();
        let before = handle.get_expect(&expect).unwrap().timeout().unwrap();
        for (timeout, create) in [(before + 1000, true), (before + 5000, false)] {
            expect.set_timeout(timeout);
            if create {
                handle.create_or_update_expect(&expect).unwrap();
            } else {
                handle.update_expect(&expect).unwrap();
            }
            let now = handle.get_expect(&expect).unwrap().timeout().unwrap();
            assert!(
                (timeout - 10..=timeout).contains(&now),
                "{now} of {timeout}"
            );
        }
        assert_eq!(list(&mut handle, L3Proto::UNSPEC).len(), 1);
    });
}

#[test]
fn the_kernel_refuses_what_makes_no_sense() {
    netns::run(|| {
        let mut handle = handle();
        let master = master(&mut handle, false, "ftp", L4Proto::TCP, 21);
        let expect = expectation(master, 50_000);
        for attr in [ExpectAttr::Master, ExpectAttr::Expected, ExpectAttr::Mask] {
            let mut part = expect;
            part.unset(attr);
            assert_eq!(errno(handle.create_expect(&part)), libc::EINVAL, "{attr:?}");
        }
        let unknown = expectation(master.with_ports(1, 2), 50_000);
        assert_eq!(errno(handle.create_expect(&unknown)), libc::ENOENT);
        let mut odd = expect;
        odd.set_flags(ExpectFlags::from_bits_retain(0x100));
        assert_eq!(errno(handle.create_expect(&odd)), libc::EINVAL);
        assert!(list(&mut handle, L3Proto::UNSPEC).is_empty());
    });
}

#[test]
fn deleted_by_id_by_helper_and_all_at_once() {
    netns::run(|| {
        let mut handle = handle();
        let masters = [
            master(&mut handle, false, "sip", L4Proto::UDP, 5060),
            master(&mut handle, true, "ftp", L4Proto::TCP, 21),
        ];
        let make = |handle: &mut Handle| {
            handle.flush_expects().unwrap();
            masters.map(|master| {
                let expect = expectation(master, 50_000);
                handle.create_expect(&expect).unwrap();
                handle.get_expect(&expect).unwrap()
            })
        };
        let made = make(&mut handle);
        assert_eq!(list(&mut handle, L3Proto::IPV4).len(), 1);
        assert_eq!(list(&mut handle, L3Proto::IPV6)[0].helper(), Some("ftp"));

        let mut other = made[0];
        other.set_id(made[0].id().unwrap() ^ 1);
        assert_eq!(errno(handle.get_expect(&other)), libc::ENOENT);
        assert_eq!(errno(handle.delete_expect(&other)), libc::ENOENT);
        handle.delete_expect(&made[0]).unwrap();
        assert_eq!(list(&mut handle, L3Proto::UNSPEC).len(), 1);

        make(&mut handle);
        let mut helper = Expect::new();
        // Refused here: the kernel would delete all.
        assert_eq!(errno(handle.delete_expect(&helper)), libc::EINVAL);
        assert_eq!(list(&mut handle, L3Proto::UNSPEC).len(), 2);
        helper.set_helper("sip").unwrap();
        handle.delete_expect(&helper).unwrap();
        assert_eq!(list(&mut handle, L3Proto::UNSPEC)[0].helper(), Some("ftp"));

        make(&mut handle);
        handle.flush_expects().unwrap();
        assert!(list(&mut handle, L3Proto::UNSPEC).is_empty());
    });
}

/// An FTP control connection whose helper the kernel has been told of.
struct Control {
    client: TcpStream,
    server: TcpStream,
}

impl Control {
    /// Connects from `client` to `to`, which `server` answers.
    fn open(client: IpAddr, to: SocketAddr, server: SocketAddr) -> Self {
        let listener = TcpListener::bind(server).unwrap();
        let client = traffic::connect((client, 0).into(), to);
        let (server, _) = listener.accept().unwrap();
        server.set_read_timeout(Some(wait::DEADLINE)).unwrap();
        client.set_read_timeout(Some(wait::DEADLINE)).unwrap();
        let mut control = Self { client, server };
        // The helper believes commands from the second one on, when it knows
        // where lines begin.
        control.reply("220 ready");
        control.command("USER anonymous");
        control.reply("230 welcome");
        control
    }

    /// Sends a command, and gives what arrives of it.
    fn command(&mut self, line: &str) -> String {
        self.client
            .write_all(format!("{line}\r\n").as_bytes())
            .unwrap();
        read_line(&mut self.server)
    }

    fn reply(&mut self, line: &str) {
        self.server
            .write_all(format!("{line}\r\n").as_bytes())
            .unwrap();
        assert_eq!(read_line(&mut self.client), line);
    }
}

fn read_line(stream: &mut TcpStream) -> String {
    let mut line = Vec::new();
    while !line.ends_with(b"\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap();
        line.push(byte[0]);
    }
    String::from_utf8(line).unwrap().trim_end().to_owned()
}

/// The addresses of the namespace, and a rule that gives FTP its helper.
fn prepare(more_rules: &str) {
    for address in [
        "192.0.2.1",
        "192.0.2.9",
        "198.51.100.2",
        "203.0.113.7",
        "2001:db8::1",
        "2001:db8::2",
    ] {
        traffic::add_address(address.parse().unwrap());
    }
    peer::nft(&format!(
        r#"table inet helpers {{
             ct helper ftp-standard {{ type "ftp" protocol tcp; }}
             chain leaving {{
                 type filter hook output priority filter; policy accept;
                 tcp dport 21 ct helper set "ftp-standard"
             }}
             {more_rules}
         }}"#
    ));
}

/// A handle that passes on the events about expectations and about entries.
fn listen() -> (Handle, Receiver<(EventKind, Expect)>, Receiver<Conntrack>) {
    let mut handle = Handle::open(Groups::EXPECT | Groups::NEW).unwrap();
    handle.set_nonblocking(true).unwrap();
    let (expects, got_expects) = mpsc::channel();
    handle.register_expect(EventMask::ALL, move |event| {
        assert!(event.conntrack().is_none());
        let expect = event.steal_expect().unwrap().unwrap();
        expects.send((event.kind(), expect)).unwrap();
        Verdict::Stolen
    });
    let (entries, got_entries) = mpsc::channel();
    handle.register(EventMask::NEW, move |event| {
        assert!(event.expect().is_none());
        entries.send(event.steal().unwrap().unwrap()).unwrap();
        Verdict::Stolen
    });
    (handle, got_expects, got_entries)
}

/// Receives until there is what is looked for.
fn catch<T>(handle: &mut Handle, what: &str, mut found: impl FnMut() -> Option<T>) -> T {
    wait::until(what, || {
        match handle.catch() {
            Err(Error::WouldBlock) => {}
            other => panic!("{other:?}"),
        }
        found()
    })
}

#[test]
fn the_kernels_ftp_helper_expects_the_data_connection() {
    netns::run(|| {
        prepare("");
        for v6 in [false, true] {
            let (client, server) = addresses(v6);
            let to = SocketAddr::new(server, 21);
            let (mut events, expects, entries) = listen();
            let mut control = Control::open(client, to, to);
            let source = control.client.local_addr().unwrap();
            let original = Tuple::tcp(source, to).unwrap();

            let listener = TcpListener::bind((client, 50_000)).unwrap();
            let command = match v6 {
                true => format!("EPRT |2|{client}|50000|"),
                false => "PORT 192,0,2,1,195,80".to_owned(),
            };
            assert_eq!(control.command(&command), command);
            control.reply("200 done");
            let mut asking = handle();
            let listed = list(&mut asking, original.l3proto());
            assert_eq!(listed.len(), 1);
            let made = listed[0];
            assert_eq!(made.master(), Some(original));
            let expected = expectation(original, 50_000);
            assert!(expected.compare_with(&made, CompareFlags::MASK), "{made:?}");
            assert_eq!((made.helper(), made.class()), (Some("ftp"), Some(0)));
            // On this interface a packet passes the helper when it leaves and when
            // it arrives, and the second time the expectation is made afresh.
            let told = |kind| {
                let is_it =
                    |(of, expect): &(EventKind, Expect)| (*of, expect.id()) == (kind, made.id());
                expects.try_iter().find(is_it)
            };
            let event = catch(&mut events, "the expectation", || told(EventKind::New)).1;
            assert!(event.compare_with(&made, CompareFlags::STRICT), "{event:?}");
            assert!(made.id().is_some());

            // The data connection meets it.
            let data = traffic::connect((server, 20).into(), (client, 50_000).into());
            listener.accept().unwrap();
            catch(&mut events, "its end", || told(EventKind::Destroy));
            assert!(list(&mut asking, L3Proto::UNSPEC).is_empty());
            let from_server = |entry: &Conntrack| entry.original().unwrap().source() == server;
            let arrived = entries.try_iter().find(from_server);
            let arrived = arrived.unwrap_or_else(|| {
                catch(&mut events, "the data connection", || {
                    entries.try_iter().find(from_server)
                })
            });
            assert_eq!(arrived.master(), Some(original));
            let flow = asking.get(&arrived).unwrap();
            assert_eq!(
                flow.original(),
                Some(Tuple::tcp((server, 20).into(), (client, 50_000).into()).unwrap())
            );
            assert_eq!(flow.master(), Some(original));
            assert!(flow.status().unwrap().contains(Status::EXPECTED));
            drop(data);
        }
    });
}

#[test]
fn translated_ftp_has_its_translation_in_the_expectation() {
    netns::run(|| {
        prepare(
            "chain destination {
                 type nat hook output priority -100; policy accept;
                 ip daddr 198.51.100.2 tcp dport 21 dnat ip to 192.0.2.9
             }
             chain source {
                 type nat hook postrouting priority srcnat; policy accept;
                 ip saddr 192.0.2.1 snat to 203.0.113.7
             }",
        );
        let client = "192.0.2.1".parse().unwrap();
        let to = "198.51.100.2:21".parse().unwrap();
        let server: SocketAddr = "192.0.2.9:21".parse().unwrap();
        let mut control = Control::open(client, to, server);
        // The helper puts the address that the server sees into the command.
        let arrived = control.command("PORT 192,0,2,1,195,80");
        assert!(arrived.starts_with("PORT 203,0,113,7,"), "{arrived}");

        let mut handle = handle();
        let listed = list(&mut handle, L3Proto::IPV4);
        assert_eq!(listed.len(), 1);
        let expect = listed[0];
        let source = control.client.local_addr().unwrap();
        assert_eq!(expect.master(), Some(Tuple::tcp(source, to).unwrap()));
        let expected = expect.expected().unwrap();
        assert_eq!(expected.source(), server.ip());
        assert_eq!(
            expected.destination(),
            "203.0.113.7".parse::<IpAddr>().unwrap()
        );
        assert_eq!(expect.fn_name(), Some("nat-follow-master"));
        let nat = expect.nat().unwrap();
        assert_eq!(nat.direction, Direction::Reply);
        assert_eq!(nat.tuple.ports().unwrap().0, 50_000);

        // What was read can be written: deleted and made again, it is the same.
        handle.delete_expect(&expect).unwrap();
        handle.create_expect(&expect).unwrap();
        let again = handle.get_expect(&{
            let mut key = Expect::new();
            key.set_expected(expected);
            key
        });
        let again = again.unwrap();
        let strict = CompareFlags::STRICT;
        assert!(again.compare_with(&expect, strict), "{again:?}\n{expect:?}");
    });
}

#[test]
fn events_tell_who_did_it() {
    netns::run(|| {
        let (mut events, expects, entries) = listen();
        let mut handle = handle();
        let master = master(&mut handle, false, "tftp", L4Proto::UDP, 69);
        let expect = expectation(master, 50_000);
        handle.create_expect(&expect).unwrap();
        handle.flush_expects().unwrap();
        let next = || expects.try_recv().ok();
        let kinds = [(); 2].map(|()| catch(&mut events, "an event", next).0);
        assert_eq!(kinds, [EventKind::New, EventKind::Destroy]);
        assert_eq!(entries.try_recv().unwrap().original(), Some(master));

        // Without a callback events are passed over, and can be pulled.
        events.unregister_expect();
        handle.create_expect(&expect).unwrap();
        assert!(matches!(events.catch(), Err(Error::WouldBlock)));
        assert!(expects.try_recv().is_err());
        handle.flush_expects().unwrap();
        let event = events.next_event().unwrap();
        assert_eq!(event.kind(), EventKind::Destroy);
        assert_eq!(event.expect().unwrap().expected(), expect.expected());
        assert_eq!(event.header().port, handle.port());
    });
}

#[test]
fn passes_for_an_ordinary_user() {
    ordinary_user::rerun_these_tests();
}
