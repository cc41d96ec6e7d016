//! Queries against the kernel's table.

mod common;

use common::netns;
use netfilter_conntrack::{Conntrack, Error, Groups, Handle, L3Proto, Status, Tuple};

fn udp(port: u16) -> Conntrack {
    let source = format!("192.0.2.1:{port}").parse().unwrap();
    let destination = "198.51.100.1:53".parse().unwrap();
    let mut entry = Conntrack::flow(Tuple::udp(source, destination).unwrap());
    entry.set_timeout(60).set_status(Status::SEEN_REPLY);
    entry
}

#[test]
fn create_get_update_delete() {
    netns::run(|| {
        let mut handle = Handle::open(Groups::empty()).unwrap();
        let entry = udp(1000);
        handle.create(&entry).unwrap();
        let error = handle.create(&entry).unwrap_err();
        assert_eq!(error.errno(), 17, "{error}");
        let found = handle.get(&entry).unwrap();
        assert_eq!(found.original(), entry.original());
        assert_eq!(found.mark(), Some(0));
        let mut change = udp(1000);
        change.set_mark(42);
        handle.update(&change).unwrap();
        assert_eq!(handle.get(&entry).unwrap().mark(), Some(42));
        handle.delete(&found).unwrap();
        let error = handle.get(&entry).unwrap_err();
        assert!(
            matches!(&error, Error::Kernel(e) if e.errno == 2),
            "{error}"
        );
    });
}

#[test]
fn dump_and_stats() {
    netns::run(|| {
        let mut handle = Handle::open(Groups::empty()).unwrap();
        let entries: Vec<_> = (1..=1000).map(udp).collect();
        let mut made = 0;
        handle
            .batch(
                entries.iter().map(netfilter_conntrack::Query::Create),
                |_, result| {
                    result.unwrap();
                    made += 1;
                },
            )
            .unwrap();
        assert_eq!(made, 1000);
        assert_eq!(handle.stats().unwrap().entries, 1000);
        assert!(!handle.cpu_stats().unwrap().is_empty());
        let mut dump = handle.dump(L3Proto::IPV4).unwrap();
        let mut seen = 0;
        while let Some(view) = dump.next().unwrap() {
            assert!(view.original().is_some());
            seen += 1;
        }
        assert_eq!(seen, 1000);
        handle.flush(L3Proto::IPV6).unwrap();
        assert_eq!(handle.stats().unwrap().entries, 1000);
        handle.flush(L3Proto::IPV4).unwrap();
        assert_eq!(handle.stats().unwrap().entries, 0);
    });
}
