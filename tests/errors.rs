//! What the kernel refuses, and in which words.

mod common;

use std::io;

use common::{flows, netns, ordinary_user, peer, privileges};
use netfilter_conntrack::conntrack::{ProtoInfo, SctpInfo, SctpState, TcpInfo, TcpState};
use netfilter_conntrack::netlink::SocketOption;
use netfilter_conntrack::{
    Attr, Bitmask, Caught, Conntrack, DumpFilter, Error, Groups, Handle, L3Proto, L4Proto, Nat,
    Query, Status, Tuple,
};

/// A TCP and an SCTP flow in each family.
fn entries() -> [Conntrack; 4] {
    [
        ("192.0.2.1:1000", "198.51.100.1:21", L4Proto::TCP),
        ("[2001:db8::1]:1000", "[2001:db8::2]:21", L4Proto::TCP),
        ("192.0.2.1:1000", "198.51.100.1:21", L4Proto::SCTP),
        ("[2001:db8::1]:1000", "[2001:db8::2]:21", L4Proto::SCTP),
    ]
    .map(|(source, destination, l4proto)| {
        let [source, destination] = [source, destination].map(|end| end.parse().unwrap());
        flows::flow(Tuple::between(source, destination, l4proto).unwrap())
    })
}

/// The entry with a change.
fn with(entry: &Conntrack, change: impl FnOnce(&mut Conntrack)) -> Conntrack {
    let mut entry = entry.clone();
    change(&mut entry);
    entry
}

/// Asserts that the kernel refused with this errno, and that the error says so.
fn assert_refused<T>(result: Result<T, Error>, errno: i32) {
    let Err(error) = result else {
        panic!("errno {errno} was expected");
    };
    let Error::Kernel(refusal) = &error else {
        panic!("not the kernel's: {error}");
    };
    assert_eq!((refusal.errno, error.errno()), (errno, errno), "{error}");
    let text = error.to_string();
    let words = io::Error::from_raw_os_error(errno).to_string();
    assert!(text.contains(&words), "{text}");
    if let Some(message) = refusal.message() {
        assert!(text.contains(message), "{text}");
    }
    let kind = io::Error::from_raw_os_error(errno).kind();
    assert_eq!(io::Error::from(error).kind(), kind);
}

#[test]
fn what_is_there_and_what_is_not() {
    netns::run(|| {
        let mut handle = flows::handle();
        for entry in entries() {
            for absent in [
                Query::Update(&entry),
                Query::Get(&entry),
                Query::Destroy(&entry),
            ] {
                assert_refused(handle.query(absent), libc::ENOENT);
            }
            handle.create(&entry).unwrap();
            assert_refused(handle.create(&entry), libc::EEXIST);
            let elsewhere = with(&entry, |entry| {
                entry.set_zone(1);
            });
            assert_refused(handle.get(&elsewhere), libc::ENOENT);
            assert_refused(handle.update(&elsewhere), libc::ENOENT);
            assert_refused(handle.delete(&elsewhere), libc::ENOENT);
            let orphan = with(&entry, |entry| {
                let original = entry.original().unwrap();
                entry.set_original(original.with_ports(7, 7));
                entry.set_reply(original.with_ports(7, 7).inverted());
                entry.set_master(original.with_ports(8, 8));
            });
            assert_refused(handle.create(&orphan), libc::ENOENT);
        }
    });
}

#[test]
fn what_is_missing_or_makes_no_sense() {
    netns::run(|| {
        let mut handle = flows::handle();
        for entry in entries() {
            let no_timeout = with(&entry, |entry| entry.unset(Attr::Timeout));
            assert_refused(handle.create(&no_timeout), libc::EINVAL);
            let mut one_way = Conntrack::new();
            one_way
                .set_original(entry.original().unwrap())
                .set_timeout(9);
            assert_refused(handle.create(&one_way), libc::EINVAL);
            let no_answer = with(&entry, |entry| {
                let other = flows::udp4(1).reply().unwrap();
                entry.set_reply(other);
            });
            // The reply tuple is the kernel's to find where its protocol differs.
            if entry.original().unwrap().l3proto() == L3Proto::IPV6 {
                assert_refused(handle.create(&no_answer), libc::EINVAL);
            }
        }
        for filter in [
            DumpFilter::new().status(Status::empty(), Status::empty()),
            DumpFilter::new().tuple(&with(&entries()[0], |entry| {
                entry.unset(Attr::OrigL4proto);
            })),
        ] {
            assert_refused(handle.query(Query::DumpFilter(&filter)), libc::EINVAL);
            assert_refused(handle.query(Query::DumpFilterReset(&filter)), libc::EINVAL);
            assert_refused(handle.query(Query::FlushFilter(&filter)), libc::EINVAL);
            let first = handle.dump_filtered(&filter).unwrap().next().map(drop);
            assert_refused(first, libc::EINVAL);
        }
    });
}

#[test]
fn what_the_kernel_does_not_change() {
    netns::run(|| {
        let mut handle = flows::handle();
        for plain in &entries()[..2] {
            let helper = |name: &str| {
                with(plain, |entry| {
                    entry.set_helper(name).unwrap();
                })
            };
            let status = |status| {
                with(plain, |entry| {
                    entry.set_status(status);
                })
            };
            assert_refused(handle.create(&helper("no-such")), libc::EOPNOTSUPP);

            handle
                .create(&status(Status::SEEN_REPLY | Status::ASSURED))
                .unwrap();
            assert_refused(handle.update(&helper("ftp")), libc::EOPNOTSUPP);
            assert_refused(handle.update(&status(Status::ASSURED)), libc::EBUSY);
            assert_refused(handle.update(&status(Status::SEEN_REPLY)), libc::EBUSY);
            let dying = Status::SEEN_REPLY | Status::ASSURED | Status::DYING;
            assert_refused(handle.update(&status(dying)), libc::EBUSY);
            let to = Nat::to_address(plain.original().unwrap().source());
            let nat = with(plain, |entry| {
                entry.set_snat(to).unwrap();
            });
            assert_refused(handle.update(&nat), libc::EOPNOTSUPP);
            let original = plain.original().unwrap();
            let master = with(plain, |entry| {
                entry.set_master(original);
            });
            assert_refused(handle.update(&master), libc::EOPNOTSUPP);
            handle.delete(plain).unwrap();

            handle.create(&helper("ftp")).unwrap();
            assert_refused(handle.update(&helper("sane")), libc::EBUSY);
            assert_refused(handle.create_or_update(&helper("sane")), libc::EBUSY);
        }
    });
}

#[test]
fn what_is_out_of_range() {
    netns::run(|| {
        let mut handle = flows::handle();
        for entry in entries() {
            let info = match entry.original().unwrap().l4proto() {
                L4Proto::TCP => ProtoInfo::Tcp(TcpInfo {
                    state: Some(TcpState(200)),
                    ..TcpInfo::default()
                }),
                _ => ProtoInfo::Sctp(SctpInfo {
                    state: Some(SctpState(10)),
                    vtag_original: Some(1),
                    vtag_reply: Some(1),
                }),
            };
            let bad_state = with(&entry, |entry| {
                entry.set_protoinfo(info);
            });
            assert_refused(handle.create(&bad_state), libc::ERANGE);
            let labels = |max_bit| {
                let mut labels = Bitmask::new(max_bit).unwrap();
                labels.set(0);
                with(&entry, |entry| {
                    entry.set_labels(labels);
                })
            };
            assert_refused(handle.create(&labels(128)), libc::ERANGE);
            // No rule of this namespace uses labels.
            handle.create(&entry).unwrap();
            assert_refused(handle.update(&labels(127)), libc::ENOSPC);
        }
    });
}

/// The words that the kernel sends beside the errno, and the place of the fault.
#[test]
fn the_kernels_own_words_are_passed_on() {
    netns::run(|| {
        let mut handle = flows::handle();
        let labels = Bitmask::new(1000).unwrap();
        let too_many = with(&flows::udp4(1), |entry| {
            entry.set_labels(labels);
        });
        let error = handle.create(&too_many).unwrap_err();
        let Error::Kernel(refusal) = &error else {
            panic!("{error}");
        };
        let message = refusal.message().expect("a text");
        assert!(message.contains("Attribute"), "{message}");
        assert!(error.to_string().contains(message), "{error}");
        let offset = refusal.detail.as_ref().unwrap().offset.expect("a place");
        let mut request = Vec::new();
        Query::Create(&too_many).encode(1, &mut request).unwrap();
        // The labels are the last attribute: a header and 128 bytes.
        assert_eq!(offset as usize, request.len() - 128 - 4, "{error}");
        assert!(
            error.to_string().contains(&format!("byte {offset} ")),
            "{error}"
        );
    });
}

#[test]
fn a_second_dump_of_the_same_socket_is_refused() {
    netns::run(|| {
        let mut handle = flows::handle();
        let entries: Vec<_> = (0..1000).map(flows::udp4).collect();
        flows::create_all(&mut handle, &entries);
        handle.set_nonblocking(true).unwrap();
        let dump = Query::Dump(L3Proto::UNSPEC);
        let first = handle.send(dump).unwrap();
        handle.send(dump).unwrap();
        let mut outcomes = Vec::new();
        for _ in 0..2 {
            outcomes.push(handle.catch());
        }
        assert_refused(outcomes.remove(0), libc::EBUSY);
        assert_eq!(outcomes.remove(0).unwrap(), Caught::Done(first));
        assert_eq!(handle.dump(L3Proto::UNSPEC).unwrap().owned().count(), 1000);
    });
}

#[test]
fn without_the_capability_nothing_is_allowed_but_opening() {
    netns::run(|| {
        let mut root = flows::handle();
        let entry = flows::udp4(1);
        root.create(&entry).unwrap();
        privileges::without_capabilities(|| {
            let refused = |error: Error| {
                assert_eq!(error.errno(), libc::EPERM, "{error}");
                assert!(error.to_string().contains("CAP_NET_ADMIN"), "{error}");
                assert_eq!(
                    io::Error::from(error).kind(),
                    io::ErrorKind::PermissionDenied
                );
            };
            refused(Handle::open(Groups::NEW).unwrap_err());
            let mut handle = Handle::open(Groups::empty()).unwrap();
            refused(handle.socket().join(1).unwrap_err());
            let force = handle.socket().force_receive_buffer(1 << 20);
            let text = force.unwrap_err().to_string();
            assert!(text.contains("SO_RCVBUFFORCE"), "{text}");
            assert!(
                text.contains("CAP_NET_ADMIN is needed in the initial"),
                "{text}"
            );
            let listen = handle
                .socket()
                .set_option(SocketOption::ListenAllNsid, true);
            let text = listen.unwrap_err().to_string();
            assert!(text.contains("CAP_NET_BROADCAST"), "{text}");
            let filter = DumpFilter::new();
            for query in [
                Query::Create(&entry),
                Query::Update(&entry),
                Query::CreateUpdate(&entry),
                Query::Get(&entry),
                Query::Destroy(&entry),
                Query::Flush(L3Proto::UNSPEC),
                Query::Dump(L3Proto::UNSPEC),
                Query::DumpReset(L3Proto::UNSPEC),
                Query::DumpFilter(&filter),
                Query::DumpFilterReset(&filter),
                Query::FlushFilter(&filter),
            ] {
                refused(handle.query(query).unwrap_err());
            }
            refused(handle.get(&entry).unwrap_err());
            refused(handle.stats().unwrap_err());
            refused(handle.cpu_stats().unwrap_err());
            refused(
                handle
                    .dump_dying(L3Proto::UNSPEC)
                    .unwrap()
                    .next()
                    .unwrap_err(),
            );
            let mut list = handle.dump(L3Proto::UNSPEC).unwrap();
            refused(list.next().unwrap_err());
            assert!(list.next().unwrap().is_none(), "the refusal is the end");

            let mut results = Vec::new();
            let queries = [&entry; 250].map(Query::Destroy);
            handle
                .batch(queries, |_, result| results.push(result))
                .unwrap();
            assert_eq!(results.len(), 250);
            results
                .into_iter()
                .for_each(|result| refused(result.unwrap_err()));
        });
        assert!(root.get(&entry).is_ok());
        // Programs started from here have their own capabilities.
        assert!(peer::run("conntrack -L").contains("udp"));
    });
}

#[test]
fn refusals_name_their_requests() {
    netns::run(|| {
        let mut handle = flows::handle();
        let entries = [1, 2, 3].map(flows::udp4);
        handle.create(&entries[1]).unwrap();
        let sent = entries.map(|entry| handle.send(Query::Create(&entry)).unwrap());
        assert_eq!(handle.catch(), Ok(Caught::Acknowledged(sent[0])));
        let Err(Error::Kernel(refusal)) = handle.catch() else {
            panic!("the second one is there already");
        };
        assert_eq!((refusal.errno, refusal.seq), (libc::EEXIST, sent[1]));
        assert_eq!(handle.catch(), Ok(Caught::Acknowledged(sent[2])));
    });
}

#[test]
fn passes_for_an_ordinary_user() {
    ordinary_user::rerun_these_tests();
}
