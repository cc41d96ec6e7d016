//! Deleting what a predicate holds for.

use std::thread;

use netfilter_conntrack::{Direction, Error, Groups, L4Proto, Predicate, Status, Tuple};

use super::common::{flows, netns, privileges};
use super::mixed::{self, assert_same, ids};
use super::wanted::{combined, simple};

#[test]
fn deleted_is_what_a_full_dump_and_the_predicate_give() {
    mixed::run(|handle| {
        let simple = simple();
        let combined = combined(&simple);
        let some = combined.iter().step_by(20);
        for wanted in simple.iter().chain(some) {
            let entries = mixed::fill(handle);
            let expected = ids(wanted.of(&entries));
            let done = handle.delete_matching(&wanted.predicate).unwrap();
            let left = ids(&mixed::all(handle));
            let gone: std::collections::BTreeSet<u32> =
                ids(&entries).difference(&left).copied().collect();
            assert_same(&gone, &expected, &wanted.name);
            let count = expected.len() as u64;
            assert_eq!(
                (done.matched, done.deleted),
                (count, count),
                "{}",
                wanted.name
            );
            assert_eq!((done.already_gone, done.failed), (0, 0));
            assert!(done.first_failure.is_none() && !done.interrupted);
        }
    });
}

#[test]
fn stale_udp_goes_in_both_directions() {
    netns::run(|| {
        let mut handle = flows::handle();
        let udp = |source: &str, destination: &str| {
            Tuple::udp(source.parse().unwrap(), destination.parse().unwrap()).unwrap()
        };
        let service = udp("192.0.2.1:4000", "198.51.100.53:53");
        let mut translated = flows::flow(service);
        translated.set_reply(udp("10.0.0.7:5353", "192.0.2.1:4000"));
        let direct = flows::flow(udp("192.0.2.2:4000", "10.0.0.7:5353"));
        let elsewhere = flows::flow(udp("192.0.2.3:4000", "10.0.0.8:5353"));
        let from_there = flows::flow(udp("10.0.0.7:5353", "192.0.2.4:4000"));
        let tcp = udp("192.0.2.5:4000", "10.0.0.7:5353");
        let mut tcp = flows::flow(
            Tuple::tcp(
                (tcp.source(), 4000).into(),
                (tcp.destination(), 5353).into(),
            )
            .unwrap(),
        );
        tcp.set_protoinfo(netfilter_conntrack::conntrack::ProtoInfo::Tcp(
            Default::default(),
        ));
        let v6 = flows::udp6(1);
        let entries = [translated, direct, elsewhere, from_there, tcp, v6];
        flows::create_all(&mut handle, &entries);

        let done = handle
            .delete_stale_udp("10.0.0.7".parse().unwrap(), 5353)
            .unwrap();
        assert_eq!((done.matched, done.deleted), (2, 2));
        for (entry, there) in entries.iter().zip([false, false, true, true, true, true]) {
            assert_eq!(handle.get(entry).is_ok(), there, "{entry:?}");
        }
        // The unspecified address stands for all of its family.
        let done = handle.delete_stale_udp("::".parse().unwrap(), 53).unwrap();
        assert_eq!((done.matched, done.deleted), (1, 1));
        let done = handle
            .delete_stale_udp("0.0.0.0".parse().unwrap(), 5353)
            .unwrap();
        assert_eq!((done.matched, done.deleted), (1, 1));
        assert_eq!(handle.stats().unwrap().entries, 2);
    });
}

#[test]
fn zones_are_kept_apart() {
    netns::run(|| {
        let mut handle = flows::handle();
        let entries: Vec<_> = (0..4u16)
            .map(|zone| {
                let mut entry = flows::udp4(1);
                entry.set_zone(zone);
                entry
            })
            .collect();
        flows::create_all(&mut handle, &entries);
        for (zone, left) in [(2, vec![0, 1, 3]), (0, vec![1, 3]), (3, vec![1])] {
            let done = handle.delete_matching(&Predicate::zone(zone)).unwrap();
            assert_eq!((done.matched, done.deleted), (1, 1));
            let zones = mixed::all(&mut handle);
            let mut zones: Vec<u16> = zones.iter().map(|e| e.zone().unwrap_or(0)).collect();
            zones.sort_unstable();
            assert_eq!(zones, left);
        }
    });
}

#[test]
fn two_who_delete_the_same_share_the_counts() {
    netns::run(|| {
        const ENTRIES: u64 = 20_000;
        let mut handle = flows::handle();
        let numbers = 0..u32::try_from(ENTRIES).unwrap();
        let entries: Vec<_> = numbers.map(flows::udp4).collect();
        flows::create_all(&mut handle, &entries);
        let udp = Predicate::l4proto(L4Proto::UDP);
        let delete = || flows::handle().delete_matching(&udp).unwrap();
        let both = thread::scope(|scope| {
            let threads = [(); 2].map(|()| scope.spawn(delete));
            threads.map(|thread| thread.join().unwrap())
        });
        for done in &both {
            assert_eq!(done.matched, done.deleted + done.already_gone);
            assert_eq!((done.failed, &done.first_failure), (0, &None));
        }
        let [one, other] = both;
        assert_eq!(one.deleted + other.deleted, ENTRIES, "{one:?} {other:?}");
        assert_eq!(handle.stats().unwrap().entries, 0);
    });
}

#[test]
fn lost_results_count_as_failed() {
    netns::run(|| {
        let mut handle = flows::handle();
        let entries: Vec<_> = (0..250).map(flows::udp4).collect();
        flows::create_all(&mut handle, &entries);
        handle.probe().unwrap();
        handle.socket().attach_filter(&without_results()).unwrap();
        // From another namespace, by a thread that cannot open a second socket in that
        // of the handle, so that the deletions share the socket of the list.
        let done = netns::run(|| {
            privileges::with_net_admin_alone(|| handle.delete_matching(&Predicate::always()))
        });
        let done = done.unwrap();
        assert_eq!((done.matched, done.failed), (250, 250), "{done:?}");
        assert_eq!(done.first_failure, None);
        handle.socket().detach_filter().unwrap();
        assert_eq!(handle.stats().unwrap().entries, 0);
        // The handle goes on as if nothing had been.
        handle.create(&flows::udp4(1)).unwrap();
        let done = handle.delete_matching(&Predicate::always()).unwrap();
        assert_eq!((done.deleted, done.failed), (1, 0));
    });
}

#[test]
fn deletions_from_another_namespace_go_on_while_it_is_listed() {
    netns::run(|| {
        let mut handle = flows::handle();
        let mut listener = flows::listener(Groups::DESTROY);
        listener.set_nonblocking(true).unwrap();
        let entries: Vec<_> = (0..50).map(flows::udp4).collect();
        flows::create_all(&mut handle, &entries);
        netns::run(|| {
            let done = handle.delete_matching(&Predicate::always()).unwrap();
            assert_eq!((done.deleted, done.failed), (50, 0));
        });
        assert_eq!(handle.stats().unwrap().entries, 0);
        // They went through a socket of their own.
        let port = listener.next_event().unwrap().header().port;
        assert_ne!(port, handle.port());
    });
}

/// A socket filter that drops acknowledgements and errors.
fn without_results() -> [libc::sock_filter; 4] {
    const TYPE_OF_MESSAGE: u32 = 4;
    // The program loads in network byte order what stands there in that of the host.
    let results = u32::from((libc::NLMSG_ERROR as u16).to_be());
    let step = |code, jt, jf, k| libc::sock_filter {
        code: u16::try_from(code).unwrap(),
        jt,
        jf,
        k,
    };
    [
        step(
            libc::BPF_LD | libc::BPF_H | libc::BPF_ABS,
            0,
            0,
            TYPE_OF_MESSAGE,
        ),
        step(libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K, 0, 1, results),
        step(libc::BPF_RET | libc::BPF_K, 0, 0, 0),
        step(libc::BPF_RET | libc::BPF_K, 0, 0, u32::MAX),
    ]
}

#[test]
fn deleting_goes_through_the_namespace_of_the_handle() {
    netns::run(|| {
        let mut outer = flows::handle();
        let many: Vec<_> = (0..1000).map(flows::udp4).collect();
        flows::create_all(&mut outer, &many);
        let mut moved = flows::handle();
        netns::run(|| {
            let mut inner = flows::handle();
            flows::create_all(&mut inner, &[flows::udp4(1)]);
            let done = moved.delete_matching(&Predicate::always()).unwrap();
            assert_eq!(done.deleted, 1000);
            assert_eq!(inner.stats().unwrap().entries, 1);
        });
        assert_eq!(outer.stats().unwrap().entries, 0);
    });
}

#[test]
fn nothing_is_done_without_the_capability() {
    netns::run(|| {
        let mut handle = flows::handle();
        handle.create(&flows::udp4(1)).unwrap();
        let source = flows::udp4(1).original().unwrap().source();
        let predicate = Predicate::source(Direction::Original, source)
            & Predicate::status_clear(Status::ASSURED);
        privileges::without_capabilities(|| {
            let mut handle = flows::handle();
            let refusals = [
                handle.delete_matching(&predicate).map(drop),
                handle.flush_matching(&predicate).map(drop),
                handle.dump_matching(&predicate).map(drop),
                handle.probe().map(drop),
            ];
            for refusal in refusals {
                let error = refusal.unwrap_err();
                assert!(matches!(error, Error::Kernel(_)), "{error}");
                assert_eq!(error.errno(), libc::EPERM);
            }
        });
        assert_eq!(handle.stats().unwrap().entries, 1);
    });
}
