//! What listings and batches take from the allocator: nothing for each entry.

use std::net::Ipv4Addr;

use netfilter_conntrack::ipset::{Entry, Item, Session, Set, SetType};

use crate::common::allocations::{Counting, count};
use crate::common::netns;
use crate::session;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn fill(session: &mut Session, entries: &[Entry]) {
    let mut batch = session.batch();
    for entry in entries {
        batch.add_or_update("x", entry).unwrap();
    }
    assert!(batch.commit().unwrap().is_empty());
}

fn read(session: &mut Session) -> usize {
    let mut list = session.list("x").unwrap();
    let mut entries = 0;
    while let Some(item) = list.next_item().unwrap() {
        entries += usize::from(matches!(item, Item::Entry(..)));
    }
    entries
}

#[test]
fn entries_take_no_memory_each() {
    netns::run(|| {
        let mut session = session();
        let set = Set::new("x", SetType::HASH_IP).unwrap();
        session.create(&set.with_comment().with_timeout(0)).unwrap();
        let address = |nth: u32| Entry::address(Ipv4Addr::from(0x0a00_0000 + nth));
        let entries: Vec<_> = (1..=10_000)
            .map(|nth| address(nth).with_comment(format!("number {nth}")))
            .collect();
        // Buffers grow to their size once.
        let added = count(|| fill(&mut session, &entries));
        assert!(added < 100, "{added}");
        let listed = count(|| assert_eq!(read(&mut session), entries.len()));
        assert!(listed < 20, "{listed}");
    });
}

#[test]
fn allocations_are_counted() {
    assert_eq!(count(|| drop(Box::new(1))), 1);
    assert_eq!(count(|| drop(vec![0u8; 10])), 1);
}
