//! Every query, in both families, with what its callback gets.

mod common;

use std::sync::mpsc::{self, Receiver};

use common::{flows, netns, ordinary_user};
use netfilter_conntrack::{
    Attr, Caught, Conntrack, DumpFilter, Error, EventKind, EventMask, Handle, L3Proto, Query,
    Status, Verdict,
};

/// An entry of the family for each number.
type Make = fn(u32) -> Conntrack;

const FAMILIES: [(L3Proto, Make); 2] = [(L3Proto::IPV4, flows::udp4), (L3Proto::IPV6, flows::udp6)];

/// Passes what the callback gets to a channel.
fn collect(handle: &mut Handle, mask: EventMask) -> Receiver<(EventKind, Conntrack)> {
    let (sender, receiver) = mpsc::channel();
    handle.register(mask, move |event| {
        let entry = event.steal().unwrap().expect("about an entry");
        sender
            .send((event.kind(), entry))
            .expect("somebody listens");
        Verdict::Stolen
    });
    receiver
}

/// The marks of all that the callback has got, in order.
fn marks(received: &Receiver<(EventKind, Conntrack)>) -> Vec<u32> {
    let kinds_and_entries = received.try_iter();
    let mut marks: Vec<_> = kinds_and_entries
        .map(|(kind, entry)| {
            // Entries of a dump or a GET come as changes.
            assert_eq!(kind, EventKind::Update);
            entry.mark().unwrap()
        })
        .collect();
    marks.sort_unstable();
    marks
}

fn marked(mut entry: Conntrack, mark: u32) -> Conntrack {
    entry.set_mark(mark);
    entry
}

/// A table with three marked entries of each family.
fn table() -> (Handle, Receiver<(EventKind, Conntrack)>) {
    let mut handle = flows::handle();
    let received = collect(&mut handle, EventMask::ALL);
    for (_, make) in FAMILIES {
        for mark in 1..=3 {
            let entry = marked(make(mark), mark);
            handle.query(Query::Create(&entry)).unwrap();
        }
    }
    (handle, received)
}

#[test]
fn create_update_and_both() {
    netns::run(|| {
        let mut handle = flows::handle();
        let received = collect(&mut handle, EventMask::ALL);
        for (_, make) in FAMILIES {
            let mark = |handle: &mut Handle| handle.get(&make(1)).unwrap().mark();
            let [one, two, three] = [1, 2, 3].map(|number| marked(make(1), number));
            let update = handle.query(Query::Update(&one));
            assert_eq!(flows::errno(update), libc::ENOENT);
            handle.query(Query::Create(&one)).unwrap();
            assert_eq!(mark(&mut handle), Some(1));
            assert_eq!(
                flows::errno(handle.query(Query::Create(&two))),
                libc::EEXIST
            );
            handle.query(Query::Update(&two)).unwrap();
            assert_eq!(mark(&mut handle), Some(2));
            handle.query(Query::CreateUpdate(&three)).unwrap();
            assert_eq!(mark(&mut handle), Some(3));
            handle.query(Query::Destroy(&one)).unwrap();
            handle.query(Query::CreateUpdate(&two)).unwrap();
            assert_eq!(mark(&mut handle), Some(2));
        }
        // Acknowledgements are about no entry, and `get` needs no callback.
        assert_eq!(received.try_iter().count(), 0);
    });
}

#[test]
fn get_and_destroy() {
    netns::run(|| {
        let (mut handle, received) = table();
        for (_, make) in FAMILIES {
            handle.query(Query::Get(&make(2))).unwrap();
            let (kind, entry) = received.try_recv().unwrap();
            assert_eq!((kind, entry.mark()), (EventKind::Update, Some(2)));
            assert_eq!(entry.original(), make(2).original());
            assert!(received.try_recv().is_err());

            handle.query(Query::Destroy(&make(2))).unwrap();
            assert_eq!(
                flows::errno(handle.query(Query::Get(&make(2)))),
                libc::ENOENT
            );
            assert_eq!(
                flows::errno(handle.query(Query::Destroy(&make(2)))),
                libc::ENOENT
            );
            assert!(received.try_recv().is_err());
        }
        assert_eq!(handle.stats().unwrap().entries, 4);
    });
}

#[test]
fn dumps_with_and_without_reset() {
    netns::run(|| {
        let (mut handle, received) = table();
        let all = [(L3Proto::UNSPEC, 6), (L3Proto::IPV4, 3), (L3Proto::IPV6, 3)];
        for (family, count) in all {
            for query in [Query::Dump(family), Query::DumpReset(family)] {
                handle.query(query).unwrap();
                assert_eq!(marks(&received).len(), count, "{query:?}");
            }
            let mut dump = handle.dump_reset(family).unwrap();
            let mut listed = 0;
            while dump.next().unwrap().is_some() {
                listed += 1;
            }
            assert_eq!(listed, count);
        }
    });
}

#[test]
fn dumps_and_flushes_with_a_filter() {
    netns::run(|| {
        let (mut handle, received) = table();
        for (family, _) in FAMILIES {
            let two_or_three = DumpFilter::new().family(family).mark(2, 2);
            for query in [
                Query::DumpFilter(&two_or_three),
                Query::DumpFilterReset(&two_or_three),
            ] {
                handle.query(query).unwrap();
                assert_eq!(marks(&received), [2, 3], "{query:?}");
            }
            handle.query(Query::FlushFilter(&two_or_three)).unwrap();
            handle.query(Query::Dump(family)).unwrap();
            assert_eq!(marks(&received), [1]);
        }
    });
}

#[test]
fn a_flush_of_one_family_keeps_the_other() {
    netns::run(|| {
        for (flushed, kept) in [(0, 1), (1, 0)] {
            let (mut handle, received) = table();
            handle.query(Query::Flush(FAMILIES[flushed].0)).unwrap();
            handle.query(Query::Dump(FAMILIES[flushed].0)).unwrap();
            assert!(marks(&received).is_empty());
            handle.query(Query::Dump(FAMILIES[kept].0)).unwrap();
            assert_eq!(marks(&received), [1, 2, 3]);
            handle.flush(L3Proto::UNSPEC).unwrap();
            assert_eq!(handle.stats().unwrap().entries, 0);
        }
    });
}

#[test]
fn callbacks_get_the_kinds_of_their_mask_until_they_are_gone() {
    netns::run(|| {
        let (mut handle, _) = table();
        let dump = Query::Dump(L3Proto::UNSPEC);
        let other = collect(&mut handle, EventMask::NEW | EventMask::DESTROY);
        handle.query(dump).unwrap();
        assert_eq!(other.try_iter().count(), 0);
        let entries = collect(&mut handle, EventMask::UPDATE);
        handle.query(dump).unwrap();
        assert_eq!(entries.try_iter().count(), 6);
        handle.unregister();
        handle.query(dump).unwrap();
        assert_eq!(entries.try_iter().count(), 0);
    });
}

/// `send` and `catch`, the two halves of `query`.
#[test]
fn requests_can_be_sent_first_and_caught_later() {
    netns::run(|| {
        let (mut handle, received) = table();
        handle.set_nonblocking(true).unwrap();
        let [get, destroy, dump] = [
            Query::Get(&flows::udp4(1)),
            Query::Destroy(&flows::udp4(1)),
            Query::Dump(L3Proto::IPV6),
        ]
        .map(|query| handle.send(query).unwrap());
        let again = handle.send(Query::Get(&flows::udp4(1))).unwrap();
        assert!(get < destroy && destroy < dump && dump < again);
        assert_eq!(handle.catch().unwrap(), Caught::Acknowledged(get));
        assert_eq!(marks(&received), [1]);
        assert_eq!(handle.catch().unwrap(), Caught::Acknowledged(destroy));
        // The end of a dump comes when its entries have been read.
        assert_eq!(flows::errno(handle.catch()), libc::ENOENT);
        assert_eq!(handle.catch().unwrap(), Caught::Done(dump));
        assert_eq!(marks(&received), [1, 2, 3]);
        assert!(matches!(handle.catch(), Err(Error::WouldBlock)));
        // Queries wait for their answer all the same.
        handle.query(Query::Get(&flows::udp6(2))).unwrap();
        assert_eq!(marks(&received), [2]);
    });
}

/// A DELETE without a tuple is a flush to the kernel, so it is not sent.
#[test]
fn what_names_no_entry_deletes_none() {
    netns::run(|| {
        let (mut handle, _) = table();
        let mut only_id = Conntrack::new();
        only_id.set_id(handle.get(&flows::udp4(1)).unwrap().id().unwrap());
        let mut only_zone = Conntrack::new();
        only_zone
            .set_zone(0)
            .set_mark(1)
            .set_status(Status::CONFIRMED);
        let mut no_family = flows::udp4(1);
        for attr in [Attr::OrigL3proto, Attr::ReplL3proto] {
            no_family.unset(attr);
        }
        for nothing in [&Conntrack::new(), &only_id, &only_zone, &no_family] {
            let refused = handle.delete(nothing).unwrap_err();
            assert!(matches!(refused, Error::Invalid(_)), "{refused}");
            assert_eq!(refused.errno(), libc::EINVAL);
            let refused = handle.send(Query::Destroy(nothing)).unwrap_err();
            assert!(matches!(refused, Error::Invalid(_)), "{refused}");
            handle
                .batch([Query::Destroy(nothing)], |_, result| {
                    assert!(matches!(result, Err(Error::Invalid(_))));
                })
                .unwrap();
        }
        assert_eq!(handle.stats().unwrap().entries, 6);
    });
}

/// The id in a key spares the flow that came later.
#[test]
fn an_entry_that_was_replaced_is_not_deleted_by_its_old_key() {
    netns::run(|| {
        let mut handle = flows::handle();
        for (_, make) in FAMILIES {
            handle.create(&make(1)).unwrap();
            let old = handle.get(&make(1)).unwrap();
            handle.delete(&old).unwrap();
            // The kernel makes ids from places in memory, which it likes to use again.
            let new = (2..1000).find_map(|other| {
                handle.create(&make(other)).unwrap();
                handle.create(&make(1)).unwrap();
                let new = handle.get(&make(1)).unwrap();
                if new.id() != old.id() {
                    return Some(new);
                }
                handle.delete(&new).unwrap();
                None
            });
            let new = new.expect("another id");
            assert_eq!(flows::errno(handle.delete(&old)), libc::ENOENT);
            assert_eq!(handle.get(&make(1)).unwrap().id(), new.id());
            handle.delete(&new).unwrap();
            assert_eq!(flows::errno(handle.get(&make(1))), libc::ENOENT);
        }
    });
}

#[test]
fn passes_for_an_ordinary_user() {
    ordinary_user::rerun_these_tests();
}
