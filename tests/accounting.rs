//! What real traffic leaves in the table: counters, and when a flow began and
//! ended.

mod common;

use std::net::{IpAddr, UdpSocket};
use std::time::{SystemTime, UNIX_EPOCH};

use common::{flows, netns, ordinary_user, sysctl, traffic, wait};
use netfilter_conntrack::conntrack::{Counters, ProtoInfo, TcpState};
use netfilter_conntrack::{
    Conntrack, Direction, DumpFilter, EventKind, Groups, Handle, L3Proto, L4Proto, Query, Status,
    Tuple,
};

const LOOPBACK: [&str; 2] = ["127.0.0.1", "::1"];

fn address(text: &str) -> IpAddr {
    text.parse().unwrap()
}

/// The flow from one socket to the other.
fn flow_between(client: &UdpSocket, server: &UdpSocket) -> Conntrack {
    let ends = [client, server].map(|socket| socket.local_addr().unwrap());
    Conntrack::flow(Tuple::udp(ends[0], ends[1]).unwrap())
}

fn counters(entry: &Conntrack) -> [Counters; 2] {
    [Direction::Original, Direction::Reply].map(|direction| entry.counters(direction).unwrap())
}

/// IP and UDP header and one byte, for each datagram.
fn datagrams(family: L3Proto, packets: u64) -> Counters {
    let headers = match family {
        L3Proto::IPV6 => 40 + 8,
        _ => 20 + 8,
    };
    let bytes = packets * (headers + 1);
    Counters { packets, bytes }
}

#[test]
fn counters_are_read_and_set_to_zero() {
    netns::run(|| {
        sysctl::write("net.netfilter.nf_conntrack_acct", 1);
        traffic::start_tracking();
        let mut handle = flows::handle();
        for text in LOOPBACK {
            let (client, server) = traffic::udp(address(text));
            let flow = flow_between(&client, &server);
            let family = flow.original().unwrap().l3proto();
            let one_each_way = [datagrams(family, 1); 2];
            assert_eq!(counters(&handle.get(&flow).unwrap()), one_each_way);

            let reset = |handle: &mut Handle| {
                let all: Vec<_> = handle.dump_reset(family).unwrap().owned().collect();
                let [Ok(entry)] = &all[..] else {
                    panic!("{all:?}");
                };
                counters(entry)
            };
            assert_eq!(reset(&mut handle), one_each_way);
            assert_eq!(
                counters(&handle.get(&flow).unwrap()),
                [Counters::default(); 2]
            );
            // Nothing is read twice and nothing is lost.
            for _ in 0..3 {
                client.send(b"?").unwrap();
            }
            let since = [datagrams(family, 3), Counters::default()];
            assert_eq!(reset(&mut handle), since);
            assert_eq!(reset(&mut handle), [Counters::default(); 2]);

            client.send(b"?").unwrap();
            let no_mark = DumpFilter::new().family(family).mark(0, u32::MAX);
            handle.query(Query::DumpFilterReset(&no_mark)).unwrap();
            assert_eq!(
                counters(&handle.get(&flow).unwrap()),
                [Counters::default(); 2]
            );
        }
    });
}

fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    u64::try_from(since.as_nanos()).unwrap()
}

#[test]
fn begin_and_end_are_told_in_nanoseconds_since_the_epoch() {
    netns::run(|| {
        sysctl::write("net.netfilter.nf_conntrack_timestamp", 1);
        traffic::start_tracking();
        let mut listener = flows::listener(Groups::DESTROY);
        let mut handle = flows::handle();
        for text in LOOPBACK {
            let before = now();
            let (client, server) = traffic::udp(address(text));
            let flow = flow_between(&client, &server);
            let found = handle.get(&flow).unwrap();
            let start = found.timestamps().start.expect("a start");
            assert!((before..=now()).contains(&start), "{start}");
            assert_eq!(found.timestamps().stop, None);

            let deleted_after = now();
            handle.delete(&found).unwrap();
            assert!(listener.wait_readable(Some(wait::DEADLINE)).unwrap());
            let event = listener.next_event().unwrap();
            assert_eq!(event.kind(), EventKind::Destroy);
            let times = event.conntrack().unwrap().timestamps();
            assert_eq!(times.start, Some(start));
            let stop = times.stop.expect("a stop");
            assert!((deleted_after..=now()).contains(&stop), "{stop}");
            let event = times.event.expect("a time of the event");
            assert!((stop..=now()).contains(&event), "{event}");
        }
    });
}

#[test]
fn without_the_sysctls_there_is_neither() {
    netns::run(|| {
        traffic::start_tracking();
        let (client, server) = traffic::udp(address("127.0.0.1"));
        let found = flows::handle()
            .get(&flow_between(&client, &server))
            .unwrap();
        assert_eq!(found.counters(Direction::Original), None);
        assert_eq!(found.timestamps().start, None);
    });
}

#[test]
fn flows_of_each_protocol_are_listed_as_they_are() {
    netns::run(|| {
        traffic::start_tracking();
        let mut handle = flows::handle();
        for text in LOOPBACK {
            let (client, server) = traffic::tcp(address(text));
            let (first, second) = traffic::udp(address(text));
            let id = traffic::ping(address(text));
            let family = flow_between(&first, &second).original().unwrap().l3proto();
            let all: Vec<_> = handle
                .dump(family)
                .unwrap()
                .owned()
                .map(Result::unwrap)
                .collect();
            assert_eq!(all.len(), 3, "{all:?}");
            let of = |l4protos: &[L4Proto]| {
                let is =
                    |entry: &&Conntrack| l4protos.contains(&entry.original().unwrap().l4proto());
                let found = all.iter().find(is).expect("a flow");
                assert!(found.status().unwrap().contains(Status::SEEN_REPLY));
                assert_eq!(found.reply(), Some(found.original().unwrap().inverted()));
                found
            };
            let tcp = of(&[L4Proto::TCP]);
            let ends = [&client, &server].map(|end| end.local_addr().unwrap());
            assert_eq!(tcp.original(), Some(Tuple::tcp(ends[0], ends[1]).unwrap()));
            let Some(ProtoInfo::Tcp(info)) = tcp.protoinfo() else {
                panic!("{tcp:?}");
            };
            assert_eq!(info.state, Some(TcpState::ESTABLISHED));
            assert!(tcp.status().unwrap().contains(Status::ASSURED));
            let udp = of(&[L4Proto::UDP]);
            assert_eq!(udp.original(), flow_between(&first, &second).original());
            let ping = of(&[L4Proto::ICMP, L4Proto::ICMPV6]);
            assert_eq!(ping.original().unwrap().icmp().unwrap().id, id);
        }
    });
}

#[test]
fn entries_expire() {
    netns::run(|| {
        let mut listener = flows::listener(Groups::DESTROY);
        listener.set_nonblocking(true).unwrap();
        let mut handle = flows::handle();
        let mut entry = flows::udp4(1);
        entry.set_timeout(1);
        handle.create(&entry).unwrap();
        // The kernel looks for expired entries now and then, or when it is asked.
        let refusal = wait::until("the end of an entry", || handle.get(&entry).err());
        assert_eq!(refusal.errno(), libc::ENOENT, "{refusal}");
        let event = listener.next_event().unwrap();
        let ended = event.conntrack().unwrap();
        assert_eq!(
            (event.kind(), ended.original()),
            (EventKind::Destroy, entry.original())
        );
        // Nobody's request has caused it.
        assert_eq!(event.header().port, 0);
    });
}

#[test]
fn passes_for_an_ordinary_user() {
    ordinary_user::rerun_these_tests();
}
