//! Listings: streamed, abandoned, changing under the reader.

use std::net::Ipv4Addr;

use netfilter_conntrack::ipset::{Entry, Item, Reason, Session, Set, SetType};

use crate::common::{netns, peer};
use crate::{name, session};

const MANY: u32 = 20_000;

fn host(nth: u32) -> Entry {
    Entry::address(Ipv4Addr::from(0x0a00_0000 + nth))
}

/// Makes a set with the first `count` hosts.
fn fill(session: &mut Session, set: &str, count: u32) {
    session
        .create(&Set::new(set, SetType::HASH_IP).unwrap())
        .unwrap();
    let mut batch = session.batch();
    for nth in 1..=count {
        batch.add(set, &host(nth)).unwrap();
    }
    assert!(batch.commit().unwrap().is_empty());
}

#[test]
fn each_set_is_followed_by_its_entries() {
    netns::run(|| {
        let mut session = session();
        for (set, count) in [("a", MANY), ("b", 0), ("c", 3), ("d", MANY)] {
            fill(&mut session, set, count);
        }
        let mut list = session.list_all().unwrap();
        let mut seen: Vec<(String, u32)> = Vec::new();
        while let Some(item) = list.next_item().unwrap() {
            match item {
                Item::Set(info) => seen.push((info.set.name.to_string(), 0)),
                Item::Entry(set, entry) => {
                    let (current, count) = seen.last_mut().expect("a set first");
                    assert!(*set == **current && entry.address.is_some());
                    *count += 1;
                }
            }
        }
        assert!(list.next_item().unwrap().is_none());
        drop(list);
        let expected = [("a", MANY), ("b", 0), ("c", 3), ("d", MANY)];
        assert_eq!(seen, expected.map(|(set, count)| (set.to_owned(), count)));
    });
}

#[test]
fn an_abandoned_listing_leaves_nothing_behind() {
    netns::run(|| {
        let mut session = session();
        fill(&mut session, "x", MANY);
        fill(&mut session, "y", 1);
        for items in [0, 1, 2, 5000] {
            let mut list = session.list("x").unwrap();
            for _ in 0..items {
                list.next_item().unwrap().unwrap();
            }
            drop(list);
            // The next answers are those of the next requests.
            assert_eq!(session.header("y").unwrap().name, "y");
            assert_eq!(session.entries("y").unwrap(), [host(1)]);
        }
        // And the set is not in use any more.
        drop(session.list("x").unwrap());
        session.destroy("x").unwrap();
    });
}

#[test]
fn a_set_that_is_being_listed_is_in_use() {
    netns::run(|| {
        let mut session = session();
        fill(&mut session, "x", MANY);
        let mut list = session.list("x").unwrap();
        list.next_item().unwrap().unwrap();
        let refused = peer::attempt("ipset destroy x");
        assert!(!refused.status.success(), "{refused}");
        drop(list);
        peer::run("ipset destroy x");
    });
}

#[test]
fn a_listing_goes_on_while_the_set_changes() {
    netns::run(|| {
        let mut reader = session();
        let mut writer = session();
        fill(&mut reader, "x", MANY);
        let mut list = reader.list("x").unwrap();
        let mut stable = vec![0u32; MANY as usize];
        let mut nth = 0;
        while let Some(item) = list.next_item().unwrap() {
            // Grows the hash several times meanwhile.
            nth += 1;
            if nth % 2 == 0 {
                writer.add("x", &host(MANY + nth)).unwrap();
            }
            if let Item::Entry(_, entry) = item {
                let std::net::IpAddr::V4(ip) = entry.address.unwrap().first() else {
                    panic!("{entry}");
                };
                let nth = u32::from(ip) - 0x0a00_0000;
                if let Some(count) = stable.get_mut(nth as usize - 1) {
                    *count += 1;
                }
            }
        }
        // What was there all the time is listed once.
        assert!(stable.iter().all(|count| *count == 1));
    });
}

#[test]
fn headers_and_names_come_without_entries() {
    netns::run(|| {
        let mut session = session();
        fill(&mut session, "x", MANY);
        fill(&mut session, "y", 2);
        assert_eq!(session.names().unwrap(), [name("x"), name("y")]);
        let sets = session.sets().unwrap();
        let counts: Vec<_> = sets
            .iter()
            .map(|info| (info.set.name, info.elements))
            .collect();
        assert_eq!(counts, [(name("x"), Some(MANY)), (name("y"), Some(2))]);
        assert_eq!(session.info("y").unwrap(), sets[1]);
    });
}

#[test]
fn a_missing_set_ends_the_listing() {
    netns::run(|| {
        let mut session = session();
        let mut list = session.save("none").unwrap();
        let error = list.next_item().unwrap_err();
        assert_eq!(error.reason(), Some(Reason::NoSuchSet));
        assert!(list.next_item().unwrap().is_none());
        drop(list);
        assert!(session.names().unwrap().is_empty());
    });
}

#[test]
fn one_set_is_saved() {
    netns::run(|| {
        let mut session = session();
        fill(&mut session, "x", 1);
        fill(&mut session, "y", 1);
        let mut list = session.save("y").unwrap();
        let mut text = String::new();
        while let Some(item) = list.next_item().unwrap() {
            text += &format!("{item}\n");
        }
        assert_eq!(text, peer::run("ipset save y"));
    });
}
