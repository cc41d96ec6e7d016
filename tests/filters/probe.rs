//! What the running kernel honours.

use netfilter_conntrack::filter::Criteria;
use netfilter_conntrack::{DumpFilter, L3Proto};

use super::common::{flows, netns};
use super::mixed::{self, assert_same, ids};

#[test]
fn probing_changes_nothing() {
    mixed::run(|handle| {
        let before = ids(&mixed::fill(handle));
        let mut fresh = flows::handle();
        let found = fresh.probe().unwrap();
        assert_same(&ids(&mixed::all(handle)), &before, "probed");
        assert_eq!(fresh.probe().unwrap(), found);
    });
}

/// Whether the kernel honours a criterion is also seen by what it lists.
#[test]
fn what_is_found_is_so() {
    mixed::run(|handle| {
        mixed::fill(handle);
        let found = handle.probe().unwrap();
        let nobody = mixed::host(false, 200);
        let filters = [
            (Criteria::FAMILY, DumpFilter::new().family(L3Proto(7))),
            (Criteria::MARK, DumpFilter::new().mark(99, u32::MAX)),
            (
                Criteria::STATUS,
                DumpFilter::new().status(
                    netfilter_conntrack::Status::DYING,
                    netfilter_conntrack::Status::DYING,
                ),
            ),
            (Criteria::ZONE, DumpFilter::new().zone(999)),
            (
                Criteria::TUPLE,
                DumpFilter::new().source(netfilter_conntrack::Direction::Reply, nobody),
            ),
        ];
        for (kind, filter) in filters {
            let listed = handle.dump_filtered(&filter).unwrap().owned().count();
            assert_eq!(found.dump.contains(kind), listed == 0, "{kind:?}: {listed}");
        }
        // The kernel filters both alike, where it filters flushes by tuples at all.
        if found.flush.contains(Criteria::TUPLE) {
            assert_eq!(found.flush, found.dump);
        }
    });
}

#[test]
fn an_empty_table_does_not_tell_of_zones() {
    netns::run(|| {
        let mut handle = flows::handle();
        let empty = handle.probe().unwrap();
        assert!(!empty.dump.contains(Criteria::ZONE) && !empty.flush.contains(Criteria::ZONE));
        handle.create(&flows::udp4(1)).unwrap();
        let found = handle.probe().unwrap();
        assert_eq!(found.dump.difference(Criteria::ZONE), empty.dump);
        assert_eq!(handle.stats().unwrap().entries, 1);
    });
}
