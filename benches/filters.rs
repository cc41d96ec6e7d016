//! Finding and deleting a few entries of many.
//!
//!     cargo bench --bench filters
//!     ENTRIES=1000000 cargo bench --bench filters     # as root, raises nf_conntrack_max meanwhile
//!     EVALUATIONS=1000000 cargo bench --bench filters # only that, for counting instructions
//!
//! In one run, over the same private table: listing the flows of one source
//! address of ours and of Debian's libnetfilter_conntrack, which lists all and
//! compares in the callback; deleting 5,000 flows that the kernel can select and
//! 5,000 that it cannot, and listing the same (the best of the rounds); evaluating a
//! predicate of five terms, all of which hold, on messages in memory.

mod common;

use std::hint::black_box;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use common::c_library::CLibrary;
use common::clock::{Cost, interleaved, once};
use common::table::{Limits, enter_namespace, entries, fill_with};
use netfilter_conntrack::filter::{AddressSet, IpPrefix, Matcher, Predicate};
use netfilter_conntrack::netlink::Message;
use netfilter_conntrack::{
    Conntrack, ConntrackRef, Direction, Groups, Handle, L4Proto, Query, Status, Tuple,
};

const ROUNDS: usize = 5;

/// Flows of one source address.
const PER_SOURCE: usize = 100;

/// Flows that are deleted at a time.
const DELETED: usize = 5_000;

fn main() {
    if let Ok(evaluations) = std::env::var("EVALUATIONS") {
        println!(
            "{} hold",
            evaluate(&messages(), evaluations.parse().unwrap())
        );
        return;
    }
    evaluations();
    let entries = entries(100_000);
    let _limits = Limits::raise(entries);
    // The limits are restored by a thread that has not left the namespace of the machine.
    std::thread::scope(|scope| scope.spawn(|| run(entries)).join().unwrap());
}

fn run(entries: usize) {
    enter_namespace();
    fill_with(entries, |number| flow(number, entries));
    println!("{entries} entries, {ROUNDS} rounds");
    lists(entries);
    deletions(entries);
}

/// A TCP flow over IPv4, a different one for each number; the last ones, as many
/// as are deleted, have a mark.
fn flow(number: usize, entries: usize) -> Conntrack {
    let mut entry = Conntrack::flow(
        Tuple::new(
            source(number).into(),
            Ipv4Addr::new(198, 51, 100, 1).into(),
            L4Proto::TCP,
        )
        .unwrap()
        .with_ports(u16::try_from(1_000 + number % PER_SOURCE).unwrap(), 443),
    );
    entry
        .set_timeout(3600)
        .set_status(Status::SEEN_REPLY | Status::ASSURED)
        .set_mark(u32::from(number >= entries - DELETED));
    entry
}

fn source(number: usize) -> Ipv4Addr {
    Ipv4Addr::from_bits(0x0a00_0000 + u32::try_from(number / PER_SOURCE).unwrap())
}

fn lists(entries: usize) {
    let c_library = CLibrary::load();
    let wanted = source(entries / 2);
    // Of this the kernel knows nothing but the family.
    let prefix = IpPrefix::new(wanted.into(), 31).unwrap();
    let by_kernel = Predicate::source(Direction::Original, wanted);
    let by_us = Predicate::source(Direction::Original, prefix);
    let [kernel, us] = interleaved(
        ROUNDS,
        [
            &mut || assert_eq!(count(&by_kernel), PER_SOURCE),
            &mut || assert_eq!(count(&by_us), 2 * PER_SOURCE),
        ],
    );
    let [c] = interleaved(
        ROUNDS,
        [&mut || assert_eq!(c_library.count_source(wanted), PER_SOURCE)],
    );
    let row = |what: &str, cost: Cost| {
        let times = c.wall.as_secs_f64() / cost.wall.as_secs_f64();
        println!("{what:44}{cost}   {times:6.1} times as fast as the C library");
    };
    row("one source address, the kernel selects", kernel);
    row("a prefix of two addresses, we select", us);
    row("one source address, C library's nfct_cmp", c);
}

fn count(predicate: &Predicate) -> usize {
    let mut handle = Handle::open(Groups::empty()).unwrap();
    let mut list = handle.dump_matching(predicate).unwrap();
    let mut counted = 0;
    while let Some(entry) = list.next().unwrap() {
        black_box(entry);
        counted += 1;
    }
    counted
}

fn deletions(entries: usize) {
    let marked = Predicate::mark(1);
    let sources = (0..DELETED / PER_SOURCE).map(|n| source(entries - DELETED + n * PER_SOURCE));
    let set: AddressSet = sources.collect();
    let sourced = Predicate::source(Direction::Original, set);
    for (what, predicate) in [("the kernel selects", marked), ("we select", sourced)] {
        let (mut deleting, mut listing) = (Duration::MAX, Duration::MAX);
        for _ in 0..ROUNDS {
            listing = listing.min(once(|| assert_eq!(count(&predicate), DELETED)).wall);
            let delete = || {
                let mut handle = Handle::open(Groups::empty()).unwrap();
                let done = handle.delete_matching(&predicate).unwrap();
                assert_eq!(done.deleted, DELETED as u64);
            };
            deleting = deleting.min(once(delete).wall);
            make_again(entries);
        }
        let rate = |time: Duration| DELETED as f64 / time.as_secs_f64();
        println!(
            "deleting {DELETED}, {what:20} {:.3} s wall, a list of them {:.3} s: \
             {:.0} a second, {:.0} a second in the time that deleting adds",
            deleting.as_secs_f64(),
            listing.as_secs_f64(),
            rate(deleting),
            rate(deleting.saturating_sub(listing)),
        );
    }
}

fn make_again(entries: usize) {
    let flows: Vec<Conntrack> = (entries - DELETED..entries)
        .map(|number| flow(number, entries))
        .collect();
    let mut handle = Handle::open(Groups::empty()).unwrap();
    let create = flows.iter().map(Query::Create);
    handle.batch(create, |_, result| result.unwrap()).unwrap();
}

/// Messages as the kernel sends them, of both families.
fn messages() -> Vec<Vec<u8>> {
    let message = |number: u16| {
        let v4 = IpAddr::V4(Ipv4Addr::new(10, 1, 2, 3));
        let v6 = IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 7));
        let source = if number % 2 == 0 { v4 } else { v6 };
        let tuple = Tuple::new(source, source, L4Proto::TCP).unwrap();
        let mut entry = Conntrack::flow(tuple.with_ports(number, 443));
        entry
            .set_timeout(60)
            .set_status(Status::ASSURED)
            .set_mark(5);
        let mut bytes = Vec::new();
        Query::Create(&entry).encode(1, &mut bytes).unwrap();
        bytes
    };
    (0..1024).map(message).collect()
}

/// Five terms, of both tuples and beside them.
fn five_terms() -> Matcher {
    let prefixes = ["10.0.0.0/8", "2001:db8::/32"].map(|text| text.parse::<IpPrefix>().unwrap());
    let predicate = Predicate::l4proto(L4Proto::TCP)
        & Predicate::source(
            Direction::Original,
            prefixes.into_iter().collect::<AddressSet>(),
        )
        & Predicate::destination_port(Direction::Original, 443)
        & Predicate::status_set(Status::ASSURED)
        & Predicate::mark_masked(1, 3);
    predicate.compile()
}

/// Evaluates so many times and gives how often the predicate held: always.
fn evaluate(messages: &[Vec<u8>], evaluations: usize) -> usize {
    let matcher = five_terms();
    let messages: Vec<Message<'_>> = messages
        .iter()
        .map(|m| Message::parse(m).unwrap())
        .collect();
    let views: Vec<ConntrackRef<'_>> = messages
        .iter()
        .map(|message| ConntrackRef::parse(message).unwrap())
        .collect();
    let all = views.iter().cycle().take(evaluations);
    all.filter(|view| matcher.matches(black_box(*view))).count()
}

fn evaluations() {
    const EVALUATIONS: usize = 4_000_000;
    let messages = messages();
    let matcher = five_terms();
    let whole = || {
        let all = messages.iter().cycle().take(EVALUATIONS);
        let held = all.filter(|bytes| {
            let message = Message::parse(black_box(bytes)).unwrap();
            matcher.matches(&ConntrackRef::parse(&message).unwrap())
        });
        assert_eq!(held.count(), EVALUATIONS);
    };
    let [alone, whole] = interleaved(
        ROUNDS,
        [
            &mut || assert_eq!(evaluate(&messages, EVALUATIONS), EVALUATIONS),
            &mut || whole(),
        ],
    );
    let row = |what: &str, cost: Cost| {
        let each = |time: Duration| time.as_secs_f64() * 1e9 / EVALUATIONS as f64;
        let (wall, user) = (each(cost.wall), each(cost.user));
        println!("{what:44}{wall:6.1} ns wall {user:6.1} ns user an entry");
    };
    row("five terms", alone);
    row("making the view of a message, five terms", whole);
}
