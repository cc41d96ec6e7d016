//! A private connection-tracking table with as many entries as are asked for.

use std::fs;
use std::net::{IpAddr, Ipv4Addr};

use netfilter_conntrack::{Conntrack, Groups, Handle, L4Proto, Query, Status, Tuple};
use nix::sched::{CloneFlags, unshare};
use nix::unistd::Uid;

/// The limits of the table are the machine's, not the namespace's. They are
/// raised for as long as this lives.
#[derive(Debug)]
pub(crate) struct Limits {
    before: Vec<(&'static str, String)>,
}

const MAX: &str = "/proc/sys/net/netfilter/nf_conntrack_max";
const BUCKETS: &str = "/sys/module/nf_conntrack/parameters/hashsize";

impl Limits {
    /// Makes room for this many entries. To be called before the namespace is entered.
    pub(crate) fn raise(entries: usize) -> Self {
        let mut limits = Self { before: Vec::new() };
        for path in [MAX, BUCKETS] {
            let before = fs::read_to_string(path).unwrap();
            let wanted = entries + 10_000;
            if before.trim().parse::<usize>().unwrap() < wanted {
                fs::write(path, wanted.to_string()).unwrap_or_else(|error| {
                    panic!(
                        "{path} is {} and must be raised, as root: {error}",
                        before.trim()
                    )
                });
                limits.before.push((path, before));
            }
        }
        limits
    }
}

impl Drop for Limits {
    fn drop(&mut self) {
        for (path, before) in &self.before {
            if let Err(error) = fs::write(path, before.trim()) {
                eprintln!("{path} stays raised, it was {}: {error}", before.trim());
            }
        }
    }
}

/// How many entries to make: the environment's ENTRIES, or this many.
pub(crate) fn entries(default: usize) -> usize {
    std::env::var("ENTRIES").map_or(default, |number| number.parse().unwrap())
}

/// Moves this thread into a network namespace of its own, without root too.
pub(crate) fn enter_namespace() {
    let user = match Uid::effective().is_root() {
        true => CloneFlags::empty(),
        false => CloneFlags::CLONE_NEWUSER,
    };
    unshare(user | CloneFlags::CLONE_NEWNET).expect("a network namespace of its own");
}

/// A TCP flow, a different one for each number.
pub(crate) fn flow(number: usize) -> Conntrack {
    let host = u32::try_from(number / 50_000).unwrap();
    let port = u16::try_from(1_000 + number % 50_000).unwrap();
    let client = IpAddr::V4(Ipv4Addr::from_bits(0x0a00_0001 + host));
    let server = IpAddr::V4(Ipv4Addr::new(198, 51, 100, 1));
    let tuple = Tuple::new(client, server, L4Proto::TCP)
        .unwrap()
        .with_ports(port, 443);
    let mut entry = Conntrack::flow(tuple);
    entry
        .set_timeout(3600)
        .set_status(Status::SEEN_REPLY | Status::ASSURED)
        .set_mark(u32::try_from(number).unwrap());
    entry
}

/// Fills the table with this many flows.
pub(crate) fn fill(entries: usize) {
    fill_with(entries, flow);
}

/// Fills the empty table with this many flows, which `flow` makes of their numbers.
pub(crate) fn fill_with(entries: usize, flow: impl Fn(usize) -> Conntrack) {
    let mut handle = Handle::open(Groups::empty()).unwrap();
    let mut from = 0;
    while from < entries {
        let flows: Vec<Conntrack> = (from..entries.min(from + 1000)).map(&flow).collect();
        handle
            .batch(flows.iter().map(Query::Create), |_, result| result.unwrap())
            .unwrap();
        from += flows.len();
    }
    let there = handle.stats().unwrap().entries;
    assert_eq!(usize::try_from(there).unwrap(), entries);
}
