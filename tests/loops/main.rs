//! Event loops: non-blocking use, losses, and namespaces.

#[path = "../common/mod.rs"]
mod common;
mod namespaces;
mod nonblocking;
mod overruns;
mod reliable;

use netfilter_conntrack::{Conntrack, Groups, Handle, Query, Status, Tuple};

/// A flow; the port tells it from others.
fn flow(port: u16) -> Conntrack {
    let source = format!("192.0.2.1:{port}").parse().unwrap();
    let destination = "198.51.100.1:53".parse().unwrap();
    let mut entry = Conntrack::flow(Tuple::udp(source, destination).unwrap());
    entry.set_timeout(600).set_status(Status::SEEN_REPLY);
    entry
}

/// A handle to ask with.
fn asking() -> Handle {
    Handle::open(Groups::empty()).unwrap()
}

/// Makes flows with these ports, in this order.
fn create(handle: &mut Handle, ports: impl Iterator<Item = u16>) {
    let flows: Vec<Conntrack> = ports.map(flow).collect();
    let queries = flows.iter().map(Query::Create);
    handle.batch(queries, |_, result| result.unwrap()).unwrap();
}

#[test]
fn passes_for_an_ordinary_user() {
    common::ordinary_user::rerun_these_tests();
}
