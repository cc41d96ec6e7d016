//! Listing a full table: how far from the floor, how far from the C library.
//!
//!     cargo bench --bench dump
//!     ENTRIES=1000000 cargo bench --bench dump     # as root, raises nf_conntrack_max meanwhile
//!
//! In one run, over the same private table: receiving alone with only the
//! message headers walked (the floor); our list with three fields read of each
//! view; our list into one reused object; Debian's libnetfilter_conntrack with a
//! callback that counts. The first three take turns. Wall times are medians and CPU
//! times means over the rounds, of this thread alone.

mod common;

use std::fs;
use std::hint::black_box;

use common::c_library::CLibrary;
use common::clock::{Cost, interleaved};
use common::table::{Limits, enter_namespace, entries, fill};
use netfilter_conntrack::netlink::{Family, Messages, Socket};
use netfilter_conntrack::{Conntrack, Groups, Handle, L3Proto, Query};

const ROUNDS: usize = 7;

fn main() {
    let entries = entries(100_000);
    let _limits = Limits::raise(entries);
    // The limits are restored by a thread that has not left the namespace of the machine.
    std::thread::scope(|scope| scope.spawn(|| run(entries)).join().unwrap());
}

fn run(entries: usize) {
    enter_namespace();
    fill(entries);
    let c_library = CLibrary::load();
    println!("{entries} entries, {ROUNDS} rounds");

    let [floor, view, owned] = interleaved(
        ROUNDS,
        [
            &mut || assert_eq!(receive_only(), entries),
            &mut || assert_eq!(by_view(), entries),
            &mut || assert_eq!(into_object(), entries),
        ],
    );
    row("receive, walk headers (floor)", floor, floor, entries);
    row("list by view, three fields", view, floor, entries);
    row("list into a reused object", owned, floor, entries);
    println!("peak memory so far: {} KiB", peak_memory());
    let [c] = interleaved(
        ROUNDS,
        [&mut || assert_eq!(c_library.count_dump(), entries)],
    );
    row("C library, counting callback", c, floor, entries);

    let times = |cost: Cost| c.user.as_secs_f64() / cost.user.as_secs_f64().max(1e-6);
    println!(
        "user CPU of the C library is {:.1} times that by view, {:.1} times that into an object",
        times(view),
        times(owned)
    );
}

fn row(what: &str, cost: Cost, floor: Cost, entries: usize) {
    let wall = cost.wall.as_secs_f64() / floor.wall.as_secs_f64();
    let per_million = cost.user.as_secs_f64() * 1e6 / entries as f64;
    println!("{what:32}{cost}   {wall:5.2} x floor   {per_million:6.3} s user per million");
}

fn receive_only() -> usize {
    let socket = Socket::open(Family::NETFILTER).unwrap();
    let mut request = Vec::new();
    Query::Dump(L3Proto::IPV4).encode(1, &mut request).unwrap();
    socket.send(&request).unwrap();
    let mut buffer = vec![0; 32 * 1024];
    let mut counted = 0;
    loop {
        let datagram = socket.recv(&mut buffer).unwrap();
        for message in Messages::new(&buffer[..datagram.len]) {
            let message = message.unwrap();
            if message.control().is_some() {
                return counted;
            }
            counted += 1;
        }
    }
}

fn by_view() -> usize {
    let mut handle = Handle::open(Groups::empty()).unwrap();
    let mut dump = handle.dump(L3Proto::IPV4).unwrap();
    let mut counted = 0;
    while let Some(entry) = dump.next().unwrap() {
        black_box((entry.status(), entry.mark(), entry.timeout()));
        counted += 1;
    }
    counted
}

fn into_object() -> usize {
    let mut handle = Handle::open(Groups::empty()).unwrap();
    let mut dump = handle.dump(L3Proto::IPV4).unwrap();
    let mut entry = Conntrack::new();
    let mut counted = 0;
    while dump.next_into(&mut entry).unwrap() {
        black_box(&entry);
        counted += 1;
    }
    counted
}

/// The most memory this process has had at once, in KiB.
fn peak_memory() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmHWM:"))
        .unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}
