//! A few entries of many.

use netfilter_conntrack::{Conntrack, L3Proto, Predicate};

use super::common::{flows, netns};

const ENTRIES: u32 = 100_000;
const MATCHING: u32 = 5_000;
const MARK: u32 = 7;

#[test]
fn five_thousand_of_a_hundred_thousand() {
    netns::run(|| {
        let mut handle = flows::handle();
        let numbers: Vec<u32> = (0..ENTRIES).collect();
        for numbers in numbers.chunks(1000) {
            let make = |number: &u32| {
                let mut entry = flows::udp4(*number);
                if number % (ENTRIES / MATCHING) == 0 {
                    entry.set_mark(MARK);
                }
                entry
            };
            let entries: Vec<Conntrack> = numbers.iter().map(make).collect();
            flows::create_all(&mut handle, &entries);
        }
        // By the kernel's filter, and by ours alone.
        for (predicate, left) in [
            (Predicate::mark(MARK), ENTRIES - MATCHING),
            (
                Predicate::timeout(..=flows::TIMEOUT) & by_last_bits(),
                ENTRIES - 2 * MATCHING,
            ),
        ] {
            let done = handle.delete_matching(&predicate).unwrap();
            assert_eq!(done.matched, u64::from(MATCHING));
            assert_eq!(
                (done.deleted, done.already_gone, done.failed),
                (done.matched, 0, 0)
            );
            assert_eq!(handle.stats().unwrap().entries, left);
            let mut list = handle.dump_matching(&predicate).unwrap();
            assert!(list.next().unwrap().is_none());
        }
        let mut marked = 0;
        let mut dump = handle.dump(L3Proto::IPV4).unwrap();
        while let Some(entry) = dump.next().unwrap() {
            marked += u32::from(entry.mark() == Some(MARK));
        }
        assert_eq!(marked, 0);
    });
}

/// Entries with an odd number, as many as are to match, by their addresses.
fn by_last_bits() -> Predicate {
    let numbers = (0..ENTRIES).filter(|number| number % (ENTRIES / MATCHING) == 1);
    let sources = numbers.map(|number| flows::udp4(number).original().unwrap().source());
    let set: netfilter_conntrack::filter::AddressSet = sources.collect();
    Predicate::source(netfilter_conntrack::Direction::Original, set)
}
