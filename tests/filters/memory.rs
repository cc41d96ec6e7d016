//! What lists and deletions take from the allocator: nothing for each entry.

use std::hint::black_box;

use netfilter_conntrack::conntrack::{ProtoInfo, TcpInfo, TcpState};
use netfilter_conntrack::filter::{AddressSet, NatKind, Predicate};
use netfilter_conntrack::{Bitmask, Conntrack, Direction, Handle, L4Proto, Status, Tuple};

use super::common::allocations::count;
use super::common::{flows, netns};

const ENTRIES: u32 = 10_000;

/// More than the list as such needs, and far fewer than there are entries.
const FEW: u64 = 40;

fn entries() -> Vec<Conntrack> {
    let tcp = |number: u32| {
        let tuple = flows::udp4(number).original().unwrap();
        let (source, destination) = (tuple.source(), tuple.destination());
        let tuple = Tuple::between((source, 1).into(), (destination, 443).into(), L4Proto::TCP);
        let mut entry = flows::flow(tuple.unwrap());
        entry.set_helper("ftp").unwrap();
        entry.set_protoinfo(ProtoInfo::Tcp(TcpInfo {
            state: Some(TcpState::ESTABLISHED),
            ..TcpInfo::default()
        }));
        entry
    };
    (0..ENTRIES).map(tcp).collect()
}

/// All tests there are; holds for all of these entries.
fn everything() -> Predicate {
    let label = Bitmask::new(127).unwrap();
    let sources = entries()
        .into_iter()
        .map(|entry| entry.original().unwrap().source());
    Predicate::source(Direction::Original, sources.collect::<AddressSet>())
        & Predicate::destination_port(Direction::Original, 400..=500)
        & Predicate::l4proto(L4Proto::TCP)
        & Predicate::zone(0)
        & Predicate::zone_of(Direction::Reply, 0)
        & Predicate::status_set(Status::CONFIRMED)
        & !Predicate::nat(NatKind::Any)
        & Predicate::tcp_state(TcpState::ESTABLISHED)
        & Predicate::helper("ftp")
        & !Predicate::labels_any(&label)
        & !Predicate::packets(Direction::Reply, 1..)
        & Predicate::timeout(1..)
        & !Predicate::icmp_type(8)
}

#[test]
fn lists_and_deletions_allocate_nothing_for_each_entry() {
    netns::run(|| {
        let mut handle = flows::handle();
        let predicate = everything();
        // What compiling the predicate takes does not count.
        let delete = |handle: &mut Handle, expected: u64| {
            let mut deleted = 0;
            let uses = count(|| deleted = handle.delete_matching(&predicate).unwrap().deleted);
            assert_eq!(deleted, expected);
            uses
        };
        delete(&mut handle, 0);
        let none = delete(&mut handle, 0);

        flows::create_all(&mut handle, &entries());
        let mut list = handle.dump_matching(&predicate).unwrap();
        let mut listed = 0;
        let uses = count(|| {
            while let Some(entry) = list.next().unwrap() {
                black_box(entry);
                listed += 1;
            }
        });
        assert_eq!(listed, ENTRIES);
        assert!(uses <= FEW, "{uses} for a list");
        let all = delete(&mut handle, ENTRIES.into());
        assert!(all - none <= FEW, "{} for deletions", all - none);
    });
}
