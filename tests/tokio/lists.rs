//! Lists and deletions by `await`.

use std::collections::HashSet;

use netfilter_conntrack::async_io::AsyncHandle;
use netfilter_conntrack::filter::IpPrefix;
use netfilter_conntrack::{Conntrack, Direction, DumpFilter, Groups, L3Proto, Predicate};

use crate::common::flows;
use crate::{Turns, create, run};

const MANY: u32 = 5000;

/// The first quarter of a thousand flows.
fn some() -> Predicate {
    let prefix: IpPrefix = "10.0.0.0/24".parse().unwrap();
    Predicate::source(Direction::Original, prefix)
}

#[test]
fn lists_are_whole_and_leave_others_their_share() {
    run(1, async || {
        create(0..MANY);
        let mut handle = AsyncHandle::open(Groups::empty()).unwrap();
        let turns = Turns::start();
        let mut listed = HashSet::new();
        let mut list = handle.dump(L3Proto::UNSPEC).await.unwrap();
        while let Some(entry) = list.next().await.unwrap() {
            listed.insert(flows::number(entry.original().unwrap()));
        }
        assert_eq!(listed, (0..MANY).collect());
        // Tokio's budget is 128.
        assert!(turns.take() >= MANY / 256);

        let nothing = Predicate::source(
            Direction::Original,
            "10.9.9.9/32".parse::<IpPrefix>().unwrap(),
        );
        let without_kernel = nothing | Predicate::timeout(..1);
        let mut list = handle.dump_matching(&without_kernel).await.unwrap();
        assert!(list.next().await.unwrap().is_none());
        assert!(turns.take() >= MANY / 256);
    });
}

#[test]
fn a_list_dropped_half_read_is_in_nobodys_way() {
    run(1, async || {
        create(0..MANY);
        let mut handle = AsyncHandle::open(Groups::empty()).unwrap();
        for _ in 0..3 {
            let mut list = handle.dump(L3Proto::IPV4).await.unwrap();
            for _ in 0..10 {
                list.next().await.unwrap().unwrap();
            }
        }
        handle.create(&flows::udp4(MANY)).await.unwrap();
        let mut list = handle.dump(L3Proto::IPV4).await.unwrap();
        let (mut entry, mut listed) = (Conntrack::new(), HashSet::new());
        while list.next_into(&mut entry).await.unwrap() {
            listed.insert(flows::number(entry.original().unwrap()));
        }
        assert_eq!(listed, (0..=MANY).collect());
    });
}

#[test]
fn lists_by_filter_and_predicate() {
    run(1, async || {
        create(0..1000);
        let mut marked = flows::udp4(1000);
        marked.set_mark(7);
        let mut handle = AsyncHandle::open(Groups::empty()).unwrap();
        handle.create(&marked).await.unwrap();

        let filter = DumpFilter::new().mark(7, u32::MAX);
        let mut list = handle.dump_filtered(&filter).await.unwrap();
        let found = list.next().await.unwrap().unwrap();
        assert_eq!(found.mark(), Some(7));
        assert!(list.next().await.unwrap().is_none());

        let mut list = handle.dump_matching(&some()).await.unwrap();
        let (mut entry, mut listed) = (Conntrack::new(), 0);
        while list.next_into(&mut entry).await.unwrap() {
            listed += 1;
        }
        assert_eq!(listed, 256);
        let mut expects = handle.dump_expects(L3Proto::UNSPEC).await.unwrap();
        assert!(expects.next().await.unwrap().is_none());
    });
}

#[test]
fn deletions_by_predicate() {
    run(2, async || {
        create(0..1000);
        let mut handle = AsyncHandle::open(Groups::DESTROY).unwrap();
        let done = handle.delete_matching(&some()).await.unwrap();
        assert_eq!((done.matched, done.deleted, done.failed), (256, 256, 0));
        assert_eq!(handle.stats().await.unwrap().entries, 744);
        let server = "192.0.2.53".parse().unwrap();
        let done = handle.delete_stale_udp(server, 53).await.unwrap();
        assert_eq!(done.deleted, 744);
        let done = handle.delete_stale_udp(server, 53).await.unwrap();
        assert_eq!(done.matched, 0);
    });
}

#[test]
fn what_the_kernel_refuses_is_told() {
    run(1, async || {
        let mut handle = AsyncHandle::open(Groups::empty()).unwrap();
        let missing = handle.get(&flows::udp4(1)).await;
        assert_eq!(flows::errno(missing), libc::ENOENT);
        let nameless = handle.delete(&Conntrack::new()).await;
        assert_eq!(flows::errno(nameless), libc::EINVAL);
        let missing = handle.update(&flows::udp4(1)).await;
        assert_eq!(flows::errno(missing), libc::ENOENT);
    });
}
