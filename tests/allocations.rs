//! What is done with every entry takes nothing from the allocator.

mod common;

use std::fmt::Write;

use common::allocations::{Counting, count};
use common::vectors;
use netfilter_conntrack::netlink::Message;
use netfilter_conntrack::{
    Conntrack, ConntrackRef, EventKind, Expect, ExpectRef, Format, LabelMap, Show,
};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn formats(names: &LabelMap) -> [Format<'_>; 4] {
    let all = |format: Format<'static>| format.event(EventKind::New).show(Show::all());
    [
        Format::plain(),
        Format::xml(),
        all(Format::plain()).labels(names),
        all(Format::xml()).labels(names),
    ]
}

#[test]
fn the_allocator_is_counted() {
    assert_eq!(count(|| drop(std::hint::black_box(vec![1]))), 1);
}

#[test]
fn entries_are_decoded_into_a_used_one() {
    let bytes = vectors::get("k01-dump-tcp4").bytes;
    let mut entry = Conntrack::new();
    let mut decode = || {
        let message = Message::parse(&bytes).unwrap();
        let view = ConntrackRef::parse(&message).unwrap();
        view.decode_into(&mut entry).unwrap();
    };
    // The labels get their place once.
    assert_eq!(count(&mut decode), 1);
    assert_eq!(count(&mut decode), 0);
}

#[test]
fn texts_are_written() {
    let names = LabelMap::parse(b"3 three\n100 hundred\n");
    let entry = vectors::get("k01-dump-tcp4").bytes;
    let entry = ConntrackRef::parse(&Message::parse(&entry).unwrap()).unwrap();
    let entry: Conntrack = entry.to_owned().unwrap();
    let expect = vectors::get("k22-exp-dump").bytes;
    let expect = ExpectRef::parse(&Message::parse(&expect).unwrap()).unwrap();
    let expect: Expect = expect.to_owned().unwrap();
    let mut line = String::with_capacity(4096);
    let mut bytes = Vec::with_capacity(4096);
    let mut buffer = [0; 4096];
    for format in formats(&names) {
        for text in [entry.display(format), expect.display(format)] {
            line.clear();
            bytes.clear();
            assert_eq!(count(|| write!(line, "{text}").unwrap()), 0);
            assert_eq!(count(|| text.append_to(&mut bytes)), 0);
            let len = text.snprintf(&mut buffer).unwrap();
            assert_eq!(count(|| drop(text.snprintf(&mut buffer))), 0);
            assert_eq!((line.len(), bytes.len()), (len, len));
        }
    }
    line.clear();
    assert_eq!(count(|| write!(line, "{entry}{expect}").unwrap()), 0);
    assert!(line.starts_with("tcp      6 431994 ESTABLISHED src=10.0.1.2"));
}

#[cfg(feature = "serde")]
#[test]
fn json_is_written() {
    let entry = vectors::get("k01-dump-tcp4").bytes;
    let entry = ConntrackRef::parse(&Message::parse(&entry).unwrap()).unwrap();
    let entry = entry.to_owned().unwrap();
    let mut line = Vec::with_capacity(4096);
    assert_eq!(
        count(|| serde_json::to_writer(&mut line, &entry).unwrap()),
        0
    );
    assert!(line.starts_with(b"{\"original\":{\"l3proto\":\"ipv4\""));
}
