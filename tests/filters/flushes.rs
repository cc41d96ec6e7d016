//! Flushing what a predicate or a filter says.

use netfilter_conntrack::filter::Predicate;
use netfilter_conntrack::handle::Flushed;
use netfilter_conntrack::{Direction, DumpFilter, L3Proto, L4Proto, Status};

use super::mixed::{self, assert_same, ids};
use super::wanted::{combined, simple};

#[test]
fn flushed_is_what_a_full_dump_and_the_predicate_give() {
    mixed::run(|handle| {
        let simple = simple();
        let combined = combined(&simple);
        let some = combined.iter().step_by(20);
        let mut at_once = Vec::new();
        for wanted in simple.iter().chain(some) {
            let entries = mixed::fill(handle);
            let mut expected = ids(&entries);
            for id in ids(wanted.of(&entries)) {
                expected.remove(&id);
            }
            let flushed = handle.flush_matching(&wanted.predicate).unwrap();
            assert_same(&ids(&mixed::all(handle)), &expected, &wanted.name);
            if flushed == Flushed::AtOnce {
                at_once.push(&wanted.name);
            }
        }
        for name in [
            "IPv6",
            "mark",
            "assured",
            "zone 0",
            "zone 2 of either",
            "tcp",
        ] {
            assert!(
                at_once.iter().any(|done| *done == name),
                "{name}: {at_once:?}"
            );
        }
        for name in ["zone 2", "zone 0 of either", "sctp of Reply to 4", "helper"] {
            assert!(
                !at_once.iter().any(|done| *done == name),
                "{name}: {at_once:?}"
            );
        }
    });
}

#[test]
fn everything_and_nothing() {
    mixed::run(|handle| {
        mixed::fill(handle);
        let before = handle.stats().unwrap().entries;
        let nothing = handle.flush_matching(&Predicate::never()).unwrap();
        assert_eq!(nothing, Flushed::OneByOne(Default::default()));
        assert_eq!(handle.stats().unwrap().entries, before);
        let all = handle.flush_matching(&Predicate::always()).unwrap();
        assert_eq!(all, Flushed::AtOnce);
        assert_eq!(handle.stats().unwrap().entries, 0);
    });
}

#[test]
fn filters_of_the_c_library_mean_what_they_say() {
    mixed::run(|handle| {
        let wanted = DumpFilter::new()
            .family(L3Proto::IPV6)
            .mark(4, 4)
            .status(Status::SEEN_REPLY, Status::SEEN_REPLY | Status::ASSURED)
            .zone(2);
        let entries = mixed::fill(handle);
        let zone = |entry: &netfilter_conntrack::Conntrack| {
            let tuples = [entry.original(), entry.reply()];
            let own = tuples.iter().find_map(|tuple| tuple.unwrap().zone());
            entry.zone().or(own)
        };
        let (gone, kept): (Vec<_>, Vec<_>) = entries.iter().partition(|entry| {
            let status = entry.status().unwrap();
            entry.original().unwrap().l3proto() == L3Proto::IPV6
                && entry.mark().unwrap_or(0) & 4 != 0
                && status.contains(Status::SEEN_REPLY)
                && !status.contains(Status::ASSURED)
                && zone(entry) == Some(2)
        });
        assert!(!gone.is_empty());
        assert_eq!(handle.flush_filtered(&wanted).unwrap(), Flushed::AtOnce);
        assert_same(&ids(&mixed::all(handle)), &ids(kept), "all at once");

        let filter = DumpFilter::new()
            .l4proto(L4Proto::UDP)
            .destination(Direction::Reply, mixed::host(false, 3))
            .destination_port(Direction::Reply, 2);
        let entries = mixed::fill(handle);
        let kept = entries.iter().filter(|entry| {
            let reply = entry.reply().unwrap();
            reply.l4proto() != L4Proto::UDP
                || reply.destination() != mixed::host(false, 3)
                || reply.ports().unwrap().1 != 2
        });
        let kept = ids(kept);
        assert!(kept.len() < entries.len());
        assert_eq!(handle.flush_filtered(&filter).unwrap(), Flushed::AtOnce);
        assert_same(&ids(&mixed::all(handle)), &kept, "reply tuple");
    });
}
