//! The parts of an entry besides its protocol, through the kernel and back:
//! marks, status, labels, helper, sequence numbers, SYNPROXY, master.

mod common;

use common::{flows, netns, ordinary_user, peer};
use netfilter_conntrack::conntrack::{SeqAdjust, Synproxy};
use netfilter_conntrack::{Attr, Bitmask, Conntrack, Direction, Handle, Status, Tuple};

/// A TCP flow in each family.
fn flows_of_both_families() -> [Conntrack; 2] {
    [
        ("192.0.2.1:1000", "198.51.100.1:21"),
        ("[2001:db8::1]:1000", "[2001:db8::2]:21"),
    ]
    .map(|(source, destination)| {
        let [source, destination] = [source, destination].map(|end| end.parse().unwrap());
        flows::flow(Tuple::tcp(source, destination).unwrap())
    })
}

/// Makes the entry and gets it back.
fn made(handle: &mut Handle, entry: &Conntrack) -> Conntrack {
    handle.create(entry).unwrap();
    handle.get(entry).unwrap()
}

/// The entry reduced to its tuples, to be filled with what is to be changed.
fn key(entry: &Conntrack) -> Conntrack {
    let mut key = Conntrack::new();
    key.set_original(entry.original().unwrap());
    key
}

#[test]
fn marks_and_timeouts() {
    netns::run(|| {
        let mut handle = flows::handle();
        for mut entry in flows_of_both_families() {
            entry.set_mark(u32::MAX).set_timeout(7_000_000);
            let found = made(&mut handle, &entry);
            assert_eq!(found.mark(), Some(u32::MAX));
            assert!((6_999_900..=7_000_000).contains(&found.timeout().unwrap()));
            let mut change = key(&entry);
            change.set_mark(0);
            handle.update(&change).unwrap();
            let found = handle.get(&entry).unwrap();
            assert_eq!(found.mark(), Some(0));
            assert!(found.timeout().unwrap() > 6_999_000, "it was not to change");
            let mut change = key(&entry);
            change.set_timeout(60);
            handle.update(&change).unwrap();
            assert!(handle.get(&entry).unwrap().timeout().unwrap() <= 60);
        }
    });
}

#[test]
fn status_bits() {
    netns::run(|| {
        let mut handle = flows::handle();
        for mut entry in flows_of_both_families() {
            entry.set_status(Status::SEEN_REPLY);
            let found = made(&mut handle, &entry);
            assert_eq!(found.status(), Some(Status::SEEN_REPLY | Status::CONFIRMED));
            let more = Status::SEEN_REPLY | Status::ASSURED | Status::FIXED_TIMEOUT;
            let mut change = key(&entry);
            change.set_status(more);
            handle.update(&change).unwrap();
            let status = handle.get(&entry).unwrap().status();
            assert_eq!(status, Some(more | Status::CONFIRMED));
        }
    });
}

fn labels(bits: &[u32]) -> Bitmask {
    let mut labels = Bitmask::new(127).unwrap();
    bits.iter().for_each(|bit| labels.set(*bit));
    labels
}

#[test]
fn labels_are_replaced_or_changed_by_mask() {
    netns::run(|| {
        peer::nft(
            "table inet labels {
                 chain incoming {
                     type filter hook input priority filter
                     ct label set 1
                 }
             }",
        );
        let mut handle = flows::handle();
        for mut entry in flows_of_both_families() {
            entry.set_labels(labels(&[0, 31, 32, 127]));
            let found = made(&mut handle, &entry);
            assert_eq!(found.labels(), Some(&labels(&[0, 31, 32, 127])));

            let mut change = key(&entry);
            change.set_labels(labels(&[1, 2]));
            change.set_labels_mask(labels(&[1, 31]));
            handle.update(&change).unwrap();
            let changed = handle.get(&entry).unwrap();
            // What the mask does not name stays, or is turned over where it is set.
            assert_eq!(changed.labels(), Some(&labels(&[0, 1, 2, 32, 127])));
            handle.update(&change).unwrap();
            let changed = handle.get(&entry).unwrap();
            assert_eq!(changed.labels(), Some(&labels(&[0, 1, 32, 127])));

            change.unset(Attr::ConnlabelsMask);
            handle.update(&change).unwrap();
            let replaced = handle.get(&entry).unwrap();
            assert_eq!(replaced.labels(), Some(&labels(&[1, 2])));
            let mut dump = handle.dump(entry.original().unwrap().l3proto()).unwrap();
            let listed = dump.next().unwrap().unwrap();
            assert!(listed.labels().unwrap().iter().eq([1, 2]));
        }
    });
}

#[test]
fn helpers() {
    netns::run(|| {
        let mut handle = flows::handle();
        for mut entry in flows_of_both_families() {
            entry.set_helper("ftp").unwrap();
            let found = made(&mut handle, &entry);
            assert_eq!(found.helper(), Some("ftp"));
            assert!(found.status().unwrap().contains(Status::HELPER));
            // The helper it has may be named again.
            let mut change = key(&entry);
            change.set_helper("ftp").unwrap();
            handle.update(&change).unwrap();
        }
    });
}

#[test]
fn sequence_numbers_and_synproxy() {
    let adjust = |offset: i32| SeqAdjust {
        correction_pos: 0x1122_3344,
        offset_before: -offset,
        offset_after: offset,
    };
    let synproxy = Synproxy {
        isn: u32::MAX,
        its: 0x0102_0304,
        tsoff: 3,
    };
    netns::run(|| {
        let mut handle = flows::handle();
        for mut entry in flows_of_both_families() {
            entry.set_seq_adjust(Direction::Original, adjust(5));
            entry.set_seq_adjust(Direction::Reply, adjust(-100));
            entry.set_synproxy(synproxy);
            let found = made(&mut handle, &entry);
            assert_eq!(found.seq_adjust(Direction::Original), Some(adjust(5)));
            assert_eq!(found.seq_adjust(Direction::Reply), Some(adjust(-100)));
            assert_eq!(found.synproxy(), Some(synproxy));
            assert!(found.status().unwrap().contains(Status::SEQ_ADJUST));
        }
    });
}

#[test]
fn masters() {
    netns::run(|| {
        let mut handle = flows::handle();
        for master in flows_of_both_families() {
            let tuple = master.original().unwrap();
            handle.create(&master).unwrap();
            let mut entry = flows::flow(tuple.with_ports(2000, 20));
            entry.set_master(tuple);
            let found = made(&mut handle, &entry);
            assert_eq!(found.master(), Some(tuple));
            assert!(found.status().unwrap().contains(Status::EXPECTED));
            assert_eq!(handle.get(&master).unwrap().master(), None);
        }
    });
}

/// What the kernel sends back goes through an entry made from it: all that a
/// request may carry comes out the same.
#[test]
fn entries_of_the_kernel_can_be_made_again() {
    netns::run(|| {
        let mut handle = flows::handle();
        for mut entry in flows_of_both_families() {
            entry
                .set_mark(9)
                .set_status(Status::SEEN_REPLY | Status::ASSURED);
            entry.set_helper("ftp").unwrap();
            let found = made(&mut handle, &entry);
            handle.delete(&found).unwrap();
            let again = made(&mut handle, &found);
            assert_eq!(again.status(), found.status());
            assert_eq!(again.mark(), Some(9));
            assert_eq!(again.helper(), Some("ftp"));
            assert_eq!(again.protoinfo(), found.protoinfo());
            assert!(again.attrs().eq(found.attrs()));
        }
    });
}

#[test]
fn passes_for_an_ordinary_user() {
    ordinary_user::rerun_these_tests();
}
