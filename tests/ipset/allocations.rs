//! What listings and batches take from the allocator: nothing for each entry.

#![allow(unsafe_code)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::net::Ipv4Addr;

use netfilter_conntrack::ipset::{Entry, Item, Session, Set, SetType};

use crate::common::netns;
use crate::session;

/// The system's allocator, with a count of its uses by each thread.
struct Counting;

thread_local! {
    static USES: Cell<u64> = const { Cell::new(0) };
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

// SAFETY: all is passed on to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        USES.set(USES.get() + 1);
        // SAFETY: the caller's promises are those that are asked for here.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { System.dealloc(memory, layout) }
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        USES.set(USES.get() + 1);
        // SAFETY: as above.
        unsafe { System.realloc(memory, layout, size) }
    }
}

/// How often `work` uses the allocator.
fn count(work: impl FnOnce()) -> u64 {
    let before = USES.get();
    work();
    USES.get() - before
}

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
