//! Listing what a predicate holds for.

use netfilter_conntrack::{
    Conntrack, DumpFilter, Error, EventMask, Groups, L3Proto, Predicate, Status, Verdict,
};

use super::common::{flows, netns};
use super::mixed::{self, assert_same, ids};
use super::wanted::{combined, simple};

#[test]
fn lists_are_those_of_a_full_dump_and_the_predicate() {
    mixed::run(|handle| {
        let entries = mixed::fill(handle);
        let simple = simple();
        for wanted in simple.iter().chain(&combined(&simple)) {
            let expected = ids(wanted.of(&entries));
            let list = handle.dump_matching(&wanted.predicate).unwrap();
            let listed: Vec<Conntrack> = list.owned().map(Result::unwrap).collect();
            assert_same(&ids(&listed), &expected, &wanted.name);
        }
        for wanted in &simple {
            let found = wanted.of(&entries).len();
            let some_but_not_all = (1..entries.len()).contains(&found);
            assert!(some_but_not_all, "{} tests nothing: {found}", wanted.name);
        }
    });
}

#[test]
fn the_kernel_does_what_it_can_be_trusted_with() {
    mixed::run(|handle| {
        let entries = mixed::fill(handle);
        let mut listed = |predicate: &Predicate| {
            let filter = DumpFilter::covering(predicate).unwrap();
            let mut list = |filter: &DumpFilter| {
                let dump = handle.dump_filtered(filter)?;
                dump.owned().collect::<Result<Vec<Conntrack>, Error>>()
            };
            match list(&filter) {
                // Criteria of tuples without a family: the handle asks for both.
                Err(Error::Invalid(_)) => {
                    let v4 = list(&filter.clone().family(L3Proto::IPV4)).unwrap();
                    let v6 = list(&filter.family(L3Proto::IPV6)).unwrap();
                    [v4, v6].concat()
                }
                listed => listed.unwrap(),
            }
        };
        let mut selected_by_kernel = Vec::new();
        for wanted in simple() {
            let listed = ids(&listed(&wanted.predicate));
            let expected = ids(wanted.of(&entries));
            assert!(listed.is_superset(&expected), "{}", wanted.name);
            if listed == expected {
                selected_by_kernel.push(wanted.name);
            }
        }
        for name in [
            "IPv6",
            "mark bits",
            "no mark",
            "assured",
            "silent",
            "SNAT",
            "zone 0",
            "zone 2 of either",
            "source 10.0.0.3 of Original",
            "destination 10.0.0.3 of Reply",
            "L3Proto(10) tcp of Original from 2",
            "L3Proto(2) udp of Reply from 2",
        ] {
            let done = selected_by_kernel.iter().any(|selected| selected == name);
            assert!(
                done,
                "not left to the kernel: {name}; {selected_by_kernel:?}"
            );
        }
    });
}

#[test]
fn one_object_serves_a_whole_list() {
    netns::run(|| {
        let mut handle = flows::handle();
        let entries: Vec<_> = (0..500).map(flows::udp4).collect();
        flows::create_all(&mut handle, &entries);
        let odd = Predicate::any_of((0..500).filter(|n| n % 2 == 1).map(|number| {
            let source = flows::udp4(number).original().unwrap().source();
            Predicate::source(netfilter_conntrack::Direction::Original, source)
        }));
        let mut list = handle.dump_matching(&odd).unwrap();
        let mut entry = Conntrack::new();
        let mut numbers = Vec::new();
        while list.next_into(&mut entry).unwrap() {
            numbers.push(flows::number(entry.original().unwrap()));
        }
        numbers.sort_unstable();
        let expected: Vec<u32> = (0..500).filter(|n| n % 2 == 1).collect();
        assert_eq!(numbers, expected);
    });
}

#[test]
fn a_list_left_half_read_disturbs_nothing() {
    netns::run(|| {
        let mut handle = flows::handle();
        let entries: Vec<_> = (0..2000).map(flows::udp4).collect();
        flows::create_all(&mut handle, &entries);
        let all = Predicate::status_set(Status::CONFIRMED);
        let mut list = handle.dump_matching(&all).unwrap();
        assert!(list.next().unwrap().is_some());
        drop(list);
        let none = Predicate::mark(99);
        assert!(
            handle
                .dump_matching(&none)
                .unwrap()
                .next()
                .unwrap()
                .is_none()
        );
        assert_eq!(handle.stats().unwrap().entries, 2000);
        assert_eq!(handle.dump_matching(&all).unwrap().owned().count(), 2000);
        let mut never = handle.dump_matching(&Predicate::never()).unwrap();
        assert!(never.next().unwrap().is_none() && never.next().unwrap().is_none());
    });
}

#[test]
fn events_in_between_are_delivered() {
    netns::run(|| {
        let mut maker = flows::handle();
        let entries: Vec<_> = (0..1000).map(flows::udp4).collect();
        flows::create_all(&mut maker, &entries);

        let (sender, receiver) = std::sync::mpsc::channel();
        let mut handle = flows::listener(Groups::NEW);
        handle.register(EventMask::NEW, move |event| {
            let entry = event.steal().unwrap().unwrap();
            sender.send(entry.original().unwrap().l3proto()).unwrap();
            Verdict::Continue
        });
        let mut list = handle.dump_matching(&Predicate::mark(0)).unwrap();
        let mut listed = 0;
        while list.next().unwrap().is_some() {
            if listed == 10 {
                maker.create(&flows::udp6(1)).unwrap();
            }
            listed += 1;
        }
        assert!((1000..=1001).contains(&listed), "{listed}");
        drop(list);
        assert_eq!(receiver.try_iter().count(), 1);
    });
}
