//! What one entry costs, next to the C library.
//!
//!     cargo bench --bench objects
//!
//! In one run, over recorded messages of the kernel: decoding a message into a
//! reused object, plain text and XML into a buffer, comparing and cloning, by
//! this crate and by Debian's libnetfilter_conntrack. The two take turns; the
//! times are medians of the rounds.

mod common;

use std::fs;
use std::hint::black_box;

use common::c_objects::CObjects;
use common::clock::interleaved;
use netfilter_conntrack::netlink::Message;
use netfilter_conntrack::{CompareFlags, Conntrack, ConntrackRef, Format};

const ROUNDS: usize = 15;
const PER_ROUND: u32 = 20_000;

fn main() {
    let c_library = CObjects::load();
    println!("ns per entry, {ROUNDS} rounds of {PER_ROUND}");
    for name in [
        "k01-dump-tcp4",
        "k02-dump-udp6",
        "k05-dump-nat-tcp4",
        "k16-event-update-tcp4",
    ] {
        measure(&c_library, name);
    }
}

fn measure(c_library: &CObjects, name: &str) {
    println!("{name:32}{:>10}{:>12}{:>8}", "this", "C library", "times");
    let bytes = recorded(name);
    let mut ours = Conntrack::new();
    let mut theirs = c_library.entry();
    row(
        "decode into a reused object",
        || {
            let message = Message::parse(&bytes).unwrap();
            let view = ConntrackRef::parse(&message).unwrap();
            view.decode_into(&mut ours).unwrap();
        },
        || theirs.parse(&bytes),
    );
    for (form, format, number) in [
        ("plain text", Format::plain(), 0),
        ("XML", Format::xml(), 1),
    ] {
        let mut our_text = vec![0; 4096];
        let mut their_text = vec![0; 4096];
        row(
            form,
            || {
                let len = ours.display(format).snprintf(&mut our_text);
                black_box(len.unwrap());
            },
            || {
                black_box(theirs.snprintf(&mut their_text, number));
            },
        );
        assert_eq!(without_clock(&our_text), without_clock(&their_text));
    }
    let (our_copy, their_copy) = (ours.clone(), theirs.clone());
    row(
        "compare",
        || assert!(ours.compare_with(black_box(&our_copy), CompareFlags::empty())),
        || assert!(theirs.equals(black_box(&their_copy))),
    );
    row(
        "clone and drop",
        || drop(black_box(ours.clone())),
        || drop(black_box(theirs.clone())),
    );
}

fn row(what: &str, mut ours: impl FnMut(), mut theirs: impl FnMut()) {
    let costs = interleaved(
        ROUNDS,
        [&mut || (0..PER_ROUND).for_each(|_| ours()), &mut || {
            (0..PER_ROUND).for_each(|_| theirs())
        }],
    );
    let [ours, theirs] = costs.map(|cost| cost.wall.as_secs_f64() * 1e9 / f64::from(PER_ROUND));
    println!("  {what:30}{ours:10.0}{theirs:12.0}{:8.1}", theirs / ours);
}

fn recorded(name: &str) -> Vec<u8> {
    let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/vectors");
    let mut hex = fs::read_to_string(format!("{directory}/{name}.hex")).unwrap();
    hex.retain(|c| c.is_ascii_hexdigit());
    let byte = |place| u8::from_str_radix(&hex[place..place + 2], 16).unwrap();
    (0..hex.len()).step_by(2).map(byte).collect()
}

/// The text in front of the duration, which grows while the bench runs.
fn without_clock(buffer: &[u8]) -> String {
    let text = buffer.split(|byte| *byte == 0).next().unwrap();
    let text = String::from_utf8(text.to_vec()).unwrap();
    let end = text.find("delta").unwrap_or(text.len());
    text[..end].to_owned()
}
