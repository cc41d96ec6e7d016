//! Statistics, and the lists of entries that are no more or not yet in the table.

mod common;

use std::collections::{BTreeMap, BTreeSet};

use common::{flows, netns, ordinary_user, peer, sysctl, wait};
use netfilter_conntrack::netlink::SocketOption;
use netfilter_conntrack::{Error, EventKind, Groups, Handle, L3Proto, Nat, Status};

#[test]
fn the_table_as_a_whole() {
    netns::run(|| {
        let mut handle = flows::handle();
        assert_eq!(handle.stats().unwrap().entries, 0);
        let entries: Vec<_> = (0..300).map(flows::udp6).collect();
        flows::create_all(&mut handle, &entries);
        let stats = handle.stats().unwrap();
        assert_eq!(u64::from(stats.entries), sysctl::conntrack_count());
        let max = sysctl::number("net.netfilter.nf_conntrack_max");
        assert_eq!(stats.max_entries.map(u64::from), Some(max));
    });
}

/// As `conntrack -S` tells it: a line for each CPU.
#[test]
fn each_cpu() {
    netns::run(|| {
        let mut handle = flows::handle();
        // From the same port to the same address: for all but the first one the
        // kernel finds the tuple taken, and counts that.
        let nat = Nat::to_address("203.0.113.5".parse().unwrap());
        for number in 0..10 {
            let mut entry = flows::udp4(number);
            entry.set_snat(nat).unwrap();
            handle.create(&entry).unwrap();
        }
        let stats = handle.cpu_stats().unwrap();
        let told = peer::run("conntrack -S");
        assert_eq!(stats.len(), told.lines().count(), "{told}");
        let mut found = 0;
        for line in told.lines() {
            let mut numbers: BTreeMap<_, u32> = line
                .split_whitespace()
                .map(|word| {
                    let (name, number) = word.split_once('=').expect("name=number");
                    (name, number.parse().expect("a number"))
                })
                .collect();
            let cpu = numbers.remove("cpu").expect("its number");
            let own = stats.iter().find(|own| u32::from(own.cpu()) == cpu);
            let own = own.expect("each CPU once");
            for (name, number) in &numbers {
                // The program's older name for the same counter.
                let name = if *name == "chaintoolong" {
                    "chain_toolong"
                } else {
                    name
                };
                assert_eq!(own.named(name), Some(*number), "{name}: {line}");
            }
            for (number, name, value) in own.iter() {
                assert_eq!(own.get(number), Some(value));
                assert!(name.is_none_or(|name| own.named(name) == Some(value)));
            }
            found += own.named("found").unwrap();
            assert!(own.named("no such").is_none() && own.get(999).is_none());
        }
        assert!(found >= 9, "{told}");
        let expect = handle.expect_cpu_stats().unwrap();
        let cpus: BTreeSet<_> = expect.iter().map(|stats| stats.cpu).collect();
        assert_eq!((cpus.len(), expect.len()), (stats.len(), stats.len()));
    });
}

/// Entries whose end a listener has not taken note of yet, because it asked for
/// reliable delivery and its buffer is full, wait in the dying list.
#[test]
fn deleted_entries_wait_until_their_end_is_delivered() {
    const COUNT: u32 = 300;
    netns::run(|| {
        let mut listener = flows::listener(Groups::DESTROY);
        listener.set_nonblocking(true).unwrap();
        for option in [SocketOption::BroadcastError, SocketOption::NoEnobufs] {
            listener.socket().set_option(option, true).unwrap();
        }
        listener.set_receive_buffer(1).unwrap();
        let mut handle = flows::handle();
        assert!(
            handle
                .dump_dying(L3Proto::UNSPEC)
                .unwrap()
                .next()
                .unwrap()
                .is_none()
        );
        let entries: Vec<_> = (0..COUNT)
            .map(|number| {
                if number % 2 == 0 {
                    flows::udp4(number)
                } else {
                    flows::udp6(number)
                }
            })
            .collect();
        flows::create_all(&mut handle, &entries);
        handle.flush(L3Proto::UNSPEC).unwrap();

        let mut dying = BTreeSet::new();
        let mut list = handle.dump_dying(L3Proto::UNSPEC).unwrap();
        while let Some(entry) = list.next().unwrap() {
            assert!(entry.status().unwrap().contains(Status::DYING));
            assert!(dying.insert(flows::number(entry.original().unwrap())));
        }
        assert!(dying.len() > COUNT as usize / 2, "{}", dying.len());
        let of_family =
            |handle: &mut Handle, family| handle.dump_dying(family).unwrap().owned().count();
        let [v4, v6] = [L3Proto::IPV4, L3Proto::IPV6].map(|family| of_family(&mut handle, family));
        assert!(v4 > 0 && v6 > 0 && v4 + v6 == dying.len(), "{v4} {v6}");
        assert_eq!(handle.dump(L3Proto::UNSPEC).unwrap().owned().count(), 0);

        // Once there is room all are delivered, each of them once.
        listener.set_receive_buffer(1 << 20).unwrap();
        let mut ended = BTreeSet::new();
        wait::until("the end of all entries", || {
            match listener.next_event() {
                Ok(event) => {
                    assert_eq!(event.kind(), EventKind::Destroy);
                    let tuple = event.conntrack().unwrap().original().unwrap();
                    assert!(ended.insert(flows::number(tuple)));
                }
                Err(Error::WouldBlock) => {}
                Err(error) => panic!("{error}"),
            }
            (ended.len() == COUNT as usize).then_some(())
        });
        wait::until("an empty list", || {
            (of_family(&mut handle, L3Proto::UNSPEC) == 0).then_some(())
        });
    });
}

#[test]
fn the_list_of_unconfirmed_entries_is_empty() {
    netns::run(|| {
        let mut handle = flows::handle();
        handle.create(&flows::udp4(1)).unwrap();
        for family in [L3Proto::UNSPEC, L3Proto::IPV4, L3Proto::IPV6] {
            let list = handle.dump_unconfirmed(family).unwrap().owned();
            assert_eq!(list.count(), 0);
        }
        assert!(handle.get(&flows::udp4(1)).is_ok());
    });
}

#[test]
fn passes_for_an_ordinary_user() {
    ordinary_user::rerun_these_tests();
}
