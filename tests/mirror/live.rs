//! The mirror against the kernel.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::{Duration, Instant};

use netfilter_conntrack::filter::Predicate;
use netfilter_conntrack::mirror::{Change, FlowParts, Mirror, Reason, Removal};
use netfilter_conntrack::{Conntrack, Direction, Groups, Handle, L4Proto, Status, Tuple};

use crate::common::{netns, peer, privileges, sysctl, traffic};

const LONG: Duration = Duration::from_secs(20);

fn flow(port: u16) -> Conntrack {
    let source = format!("192.0.2.1:{port}").parse().unwrap();
    let destination = "198.51.100.1:53".parse().unwrap();
    let mut entry = Conntrack::flow(Tuple::udp(source, destination).unwrap());
    entry.set_timeout(600);
    entry
}

fn asking() -> Handle {
    Handle::open(Groups::empty()).unwrap()
}

/// The changes up to the next quiet moment, each as a short text.
fn changes(mirror: &mut Mirror) -> Vec<String> {
    let mut all = Vec::new();
    let settled = mirror.settle(LONG, |change| {
        let port = |flow: &netfilter_conntrack::mirror::Flow| flow.original().ports().unwrap().0;
        all.push(match change {
            Change::Inserted(flow) => format!("+{} mark {}", port(flow), flow.mark()),
            Change::Updated(flow, parts) => format!("~{} {parts:?}", port(flow)),
            Change::Removed(flow, why) => format!("-{} {why:?}", port(flow)),
            Change::Resynced(resync) => format!("= {:?} {}", resync.reason, resync.listed),
            other => format!("{other:?}"),
        });
    });
    assert!(settled.unwrap());
    all
}

#[test]
fn flows_are_followed_from_the_list_to_their_end() {
    netns::run(|| {
        let mut handle = asking();
        handle.create(&flow(1)).unwrap();
        let mut mirror = Mirror::options().resync_every(None).open().unwrap();
        assert!(!mirror.is_synchronised());
        assert_eq!(changes(&mut mirror), ["+1 mark 0", "= Start 1"]);

        let mut entry = flow(2);
        entry.set_mark(7);
        handle.create(&entry).unwrap();
        assert_eq!(changes(&mut mirror), ["+2 mark 7"]);
        entry.set_mark(0).set_status(Status::SEEN_REPLY);
        handle.update(&entry).unwrap();
        // The kernel tells each in an event of its own.
        let updates = changes(&mut mirror);
        assert!(
            updates.iter().all(|update| update.starts_with("~2 ")),
            "{updates:?}"
        );
        let told = updates.concat();
        assert!(told.contains("MARK") && told.contains("STATUS"), "{told}");
        let (found, direction) = mirror.get(&entry.original().unwrap(), 0).unwrap();
        assert_eq!((found.mark(), direction), (0, Direction::Original));
        assert!(found.status().contains(Status::SEEN_REPLY));
        assert_eq!(Some(found.id()), handle.get(&entry).unwrap().id());

        handle.delete(&flow(2)).unwrap();
        assert_eq!(changes(&mut mirror), ["-2 Destroyed"]);
        assert_eq!(mirror.len(), 1);
        let statistics = mirror.statistics();
        assert_eq!((statistics.overruns, statistics.malformed), (0, 0));
    });
}

#[test]
fn flows_that_have_no_events_end_at_a_resync() {
    netns::run(|| {
        // As with "auto" and no listener, which no test can rely on: listeners
        // anywhere on the machine count.
        sysctl::write("net.netfilter.nf_conntrack_events", 0);
        let mut handle = asking();
        handle.create(&flow(1)).unwrap();
        sysctl::write("net.netfilter.nf_conntrack_events", 2);
        let mut mirror = Mirror::options().resync_every(None).open().unwrap();
        handle.create(&flow(2)).unwrap();
        changes(&mut mirror);
        handle.delete(&flow(1)).unwrap();
        handle.delete(&flow(2)).unwrap();
        assert_eq!(changes(&mut mirror), ["-2 Destroyed"]);
        mirror.resync();
        assert_eq!(changes(&mut mirror), ["-1 Missing", "= Asked 0"]);
    });
}

#[test]
fn regular_resyncs_make_the_descriptor_readable() {
    netns::run(|| {
        let mut handle = asking();
        let every = Duration::from_millis(50);
        let mut mirror = Mirror::options()
            .resync_every(Some(every))
            .resync_pause(Duration::ZERO, Duration::ZERO)
            .open()
            .unwrap();
        changes(&mut mirror);
        sysctl::write("net.netfilter.nf_conntrack_events", 0);
        handle.create(&flow(1)).unwrap();
        let begun = Instant::now();
        let mut found = None;
        while found.is_none() {
            assert!(mirror.wait_readable(Some(LONG)).unwrap());
            while let Some(change) = mirror.next_change().unwrap() {
                if let Change::Resynced(resync) = change {
                    assert_eq!(resync.reason, Reason::Interval);
                    found = Some(resync.inserted).filter(|inserted| *inserted > 0);
                }
            }
        }
        assert_eq!(found, Some(1));
        assert!(begun.elapsed() < LONG / 2);
        mirror.set_resync_interval(None);
        assert!(mirror.next_change().unwrap().is_none());
        assert!(!mirror.wait_readable(Some(every * 3)).unwrap());
    });
}

#[test]
fn it_waits_no_longer_than_told_and_is_silent_when_drained() {
    netns::run(|| {
        let mut mirror = Mirror::options().resync_every(None).open().unwrap();
        changes(&mut mirror);
        let begun = Instant::now();
        for _ in 0..100 {
            assert!(mirror.next_change().unwrap().is_none());
        }
        assert!(begun.elapsed() < Duration::from_secs(1));
        let begun = Instant::now();
        assert!(
            !mirror
                .wait_readable(Some(Duration::from_millis(30)))
                .unwrap()
        );
        let waited = begun.elapsed();
        assert!(waited >= Duration::from_millis(30) && waited < Duration::from_secs(3));
        let begun = Instant::now();
        mirror.resync();
        assert!(!mirror.settle(Duration::ZERO, |_| {}).unwrap());
        assert!(begun.elapsed() < Duration::from_secs(1));
    });
}

#[test]
fn a_predicate_lets_flows_come_and_go() {
    netns::run(|| {
        let mut handle = asking();
        let mut entry = flow(1);
        entry.set_mark(5);
        handle.create(&entry).unwrap();
        handle.create(&flow(2)).unwrap();
        let mut mirror = Mirror::options()
            .keep(&Predicate::mark(5))
            .resync_every(None)
            .open()
            .unwrap();
        assert_eq!(changes(&mut mirror), ["+1 mark 5", "= Start 2"]);
        handle.create(&flow(3)).unwrap();
        assert_eq!(changes(&mut mirror), Vec::<String>::new());
        let mut entry = flow(3);
        entry.set_mark(5);
        handle.update(&entry).unwrap();
        assert_eq!(changes(&mut mirror), ["+3 mark 5"]);
        entry.set_mark(6);
        handle.update(&entry).unwrap();
        assert_eq!(changes(&mut mirror), ["-3 Unwanted"]);
        mirror.resync();
        assert_eq!(changes(&mut mirror), ["= Asked 3"]);
        assert_eq!(mirror.len(), 1);
    });
}

#[test]
fn no_more_flows_than_allowed_are_kept() {
    netns::run(|| {
        let mut handle = asking();
        let mut mirror = Mirror::options()
            .limit(2)
            .resync_every(None)
            .open()
            .unwrap();
        for port in 1..=5 {
            handle.create(&flow(port)).unwrap();
        }
        changes(&mut mirror);
        assert_eq!((mirror.len(), mirror.statistics().rejected >= 3), (2, true));
        handle.delete(&flow(1)).unwrap();
        mirror.resync();
        changes(&mut mirror);
        assert_eq!(mirror.len(), 2);
    });
}

#[test]
fn zones_and_translations_are_found_by_both_tuples() {
    netns::run(|| {
        let mut handle = asking();
        let mut mirror = Mirror::open().unwrap();
        let mut plain = flow(9);
        let mut zoned = flow(9);
        zoned.set_zone(3);
        let tuple = plain.original().unwrap();
        // As a source translation leaves it.
        plain.set_reply(tuple.inverted().with_ports(53, 4000));
        handle.create(&plain).unwrap();
        handle.create(&zoned).unwrap();
        peer::run(
            "conntrack -I -s 192.0.2.9 -d 198.51.100.1 -p udp --sport 9 --dport 53 -t 60 --orig-zone 4",
        );
        changes(&mut mirror);
        assert_eq!(mirror.len(), 3);

        let at = |tuple: &Tuple, zone| {
            let (flow, direction) = mirror.get(tuple, zone)?;
            Some((flow.id(), direction))
        };
        let id = |entry: &Conntrack, handle: &mut Handle| handle.get(entry).unwrap().id().unwrap();
        let (plain_id, zoned_id) = (id(&plain, &mut handle), id(&zoned, &mut handle));
        assert_eq!(at(&tuple, 0), Some((plain_id, Direction::Original)));
        assert_eq!(at(&tuple, 3), Some((zoned_id, Direction::Original)));
        assert_eq!(at(&tuple, 1), None);
        let translated = tuple.inverted().with_ports(53, 4000);
        assert_eq!(at(&translated, 0), Some((plain_id, Direction::Reply)));
        assert_eq!(at(&tuple.inverted(), 3), Some((zoned_id, Direction::Reply)));
        assert_eq!(at(&tuple.inverted(), 0), None);
        let one_way = mirror
            .iter()
            .find(|flow| flow.zone(Direction::Original) == 4);
        let one_way = one_way.expect("the flow in zone 4 of its original direction");
        assert_eq!(one_way.zone(Direction::Reply), 0);
        let zones = [0, 3, 4].map(|zone| mirror.in_zone(zone).count());
        assert_eq!(zones, [2, 1, 1]);
        assert_eq!(mirror.with_id(zoned_id).next().unwrap().id(), zoned_id);
    });
}

#[test]
fn real_traffic_of_both_families() {
    netns::run(|| {
        traffic::start_tracking();
        sysctl::write("net.netfilter.nf_conntrack_acct", 1);
        let mut mirror = Mirror::options().resync_every(None).open().unwrap();
        changes(&mut mirror);
        for address in [
            IpAddr::V4(Ipv4Addr::LOCALHOST),
            IpAddr::V6(Ipv6Addr::LOCALHOST),
        ] {
            let connection = traffic::tcp(address);
            traffic::udp(address);
            traffic::ping(address);
            mirror.settle(LONG, |_| {}).unwrap();
            assert_eq!(mirror.len(), 3, "{mirror:?}");
            let tcp = mirror
                .iter()
                .find(|flow| flow.tcp_state().is_some())
                .unwrap();
            assert_eq!(tcp.tcp_state().unwrap().name(), "ESTABLISHED");
            assert_eq!(tcp.original().l4proto(), L4Proto::TCP);
            assert_eq!(tcp.counters(Direction::Original), None);
            mirror.resync();
            mirror.settle(LONG, |_| {}).unwrap();
            let counted = |flow: &netfilter_conntrack::mirror::Flow| {
                let counters = flow.counters(Direction::Original);
                counters.is_some_and(|counters| counters.packets > 0 && counters.bytes > 0)
            };
            assert!(mirror.iter().all(counted));
            drop(connection);
            peer::run("conntrack -F");
            let mut removed = 0;
            let settled = mirror.settle(LONG, |change| match change {
                Change::Removed(flow, Removal::Destroyed) => {
                    assert!(counted(flow));
                    removed += 1;
                }
                Change::Updated(_, parts) => assert!(parts.contains(FlowParts::STATE)),
                other => panic!("{other:?}"),
            });
            assert!(settled.unwrap());
            assert_eq!((removed, mirror.len()), (3, 0));
        }
    });
}

#[test]
fn without_the_capability_it_is_refused_and_says_why() {
    netns::run(|| {
        privileges::without_capabilities(|| {
            let error = Mirror::open().unwrap_err();
            assert_eq!(error.errno(), libc::EPERM);
            assert!(error.to_string().contains("CAP_NET_ADMIN"), "{error}");
        });
    });
}

#[test]
fn a_capability_given_up_later_stops_lists_but_not_events() {
    netns::run(|| {
        let mut handle = asking();
        let mut mirror = Mirror::options().resync_every(None).open().unwrap();
        changes(&mut mirror);
        handle.create(&flow(1)).unwrap();
        let mirror = &mut mirror;
        privileges::without_capabilities(move || {
            mirror.resync();
            let change = mirror.next_change().unwrap();
            assert!(matches!(change, Some(Change::Inserted(_))), "{change:?}");
            let error = mirror.next_change().unwrap_err();
            assert_eq!(error.errno(), libc::EPERM, "{error}");
            assert!(mirror.is_synchronised());
            assert!(mirror.next_change().unwrap().is_none());
            // It tries again.
            assert!(mirror.wait_readable(Some(LONG)).unwrap());
            assert!(mirror.next_change().is_err());
        });
    });
}
