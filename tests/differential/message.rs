//! Messages as a kernel could send them: recorded ones, and random ones that are
//! well formed. (On malformed ones the C library ends the process.)

use netfilter_conntrack::netlink::{Attrs, Builder, Flags, Header, Message, NESTED};
use netfilter_conntrack::nfnetlink::{L3Proto, Nfgenmsg, Subsystem};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use crate::common::vectors;

/// Attributes of an entry, `CTA_*`.
const TUPLES: [u16; 3] = [1, 2, 14];
const NUMBERS: [u16; 6] = [3, 7, 8, 11, 12, 17];
const PROTOINFO: u16 = 4;
const HELP: u16 = 5;
const COUNTERS: [u16; 2] = [9, 10];
const SEQ_ADJUSTS: [u16; 2] = [15, 16];
const ZONE: u16 = 18;
const SECCTX: u16 = 19;
const TIMESTAMP: u16 = 20;
const LABELS: u16 = 22;
const SYNPROXY: u16 = 24;
/// Translations, masks, filters, and numbers that nothing has yet.
const IGNORED: [u16; 8] = [6, 13, 21, 23, 25, 26, 40, 200];

/// Attributes of an expectation, `CTA_EXPECT_*`.
const EXPECT_TUPLES: [u16; 3] = [1, 2, 3];
const EXPECT_NUMBERS: [u16; 4] = [4, 5, 8, 9];
const EXPECT_NAMES: [u16; 2] = [6, 11];
const EXPECT_ZONE: u16 = 7;
const EXPECT_NAT: u16 = 10;

/// An attribute: bytes, or other attributes.
#[derive(Clone, Debug)]
enum Part {
    Bytes(u16, Vec<u8>),
    Nest(u16, Vec<Part>),
}

impl Part {
    fn put(&self, message: &mut Builder<'_>) {
        match self {
            Self::Bytes(kind, payload) => message.put(*kind, payload),
            Self::Nest(kind, parts) => message.nest(*kind, |nest| {
                parts.iter().for_each(|part| part.put(nest));
            }),
        }
    }
}

/// Messages about entries.
pub(crate) fn entries() -> impl Strategy<Value = Vec<u8>> {
    let random = (family(), vec(entry_part(), 0..12))
        .prop_map(|(family, parts)| build(Subsystem::CONNTRACK, family, &parts));
    prop_oneof![3 => random, 1 => select(recorded(false))]
}

/// Messages about expectations.
pub(crate) fn expects() -> impl Strategy<Value = Vec<u8>> {
    // The C library gives a tuple the family only where the other ones are there.
    let tuples = option::of(EXPECT_TUPLES.map(|kind| tuple(Just(kind))));
    let random = (family(), tuples, vec(expect_part(), 0..8)).prop_map(|(family, tuples, rest)| {
        let parts: Vec<_> = tuples.into_iter().flatten().chain(rest).collect();
        build(Subsystem::EXPECT, family, &parts)
    });
    prop_oneof![3 => random, 1 => select(recorded(true))]
}

/// The private data of the helper in a message about an entry.
pub(crate) fn helper_info(message: &[u8]) -> Option<Vec<u8>> {
    let message = Message::parse(message).expect("a message");
    let (_, attributes) = Nfgenmsg::split(&message).expect("nfgenmsg");
    let help = last(attributes, HELP)?;
    last(&help, 1)?;
    last(&help, 2)
}

/// A message of this subsystem with these attributes. Its family is that of the
/// tuples, IPv6 where there is an address of its length.
pub(crate) fn of(subsystem: u8, attributes: &[u8]) -> Vec<u8> {
    with_family(subsystem, family_of(attributes).0, attributes)
}

/// A message of this subsystem and family with these attributes.
pub(crate) fn with_family(subsystem: u8, family: u8, attributes: &[u8]) -> Vec<u8> {
    let mut buffer = Vec::new();
    let kind = Subsystem(subsystem).message_type(0);
    let header = Header::request(kind, Flags::empty());
    let mut message = Nfgenmsg::family(L3Proto(family)).start(&mut buffer, header);
    message.put_bytes(attributes);
    message.finish().expect("a short message");
    buffer
}

/// How many of the three tuples of an expectation there are.
pub(crate) fn expect_tuples(attributes: &[u8]) -> usize {
    let tuples = EXPECT_TUPLES.into_iter();
    tuples
        .filter(|kind| last(attributes, *kind).is_some())
        .count()
}

/// The attributes of a message without one of them.
pub(crate) fn without(attributes: &[u8], kind: u16) -> Vec<u8> {
    let attrs = Attrs::new(attributes).map(|attr| attr.expect("whole attributes"));
    attrs
        .filter(|attr| attr.kind() != kind)
        .flat_map(|attr| {
            let len = u16::try_from(attr.payload().len() + 4).expect("a length");
            let nested = if attr.is_nested() { NESTED } else { 0 };
            let head = [len.to_ne_bytes(), (attr.kind() | nested).to_ne_bytes()].concat();
            let mut bytes = [&head[..], attr.payload()].concat();
            bytes.resize(bytes.len().next_multiple_of(4), 0);
            bytes
        })
        .collect()
}

fn family_of(attributes: &[u8]) -> L3Proto {
    // The first tuple in the first attribute; in it, the first address.
    let first = |attributes| Attrs::new(attributes).next()?.ok();
    let address = first(attributes)
        .and_then(|tuple| first(tuple.payload()))
        .and_then(|addresses| first(addresses.payload()));
    match address {
        Some(address) if address.payload().len() == 16 => L3Proto::IPV6,
        _ => L3Proto::IPV4,
    }
}

fn last(attributes: &[u8], kind: u16) -> Option<Vec<u8>> {
    let attrs = Attrs::new(attributes).map(|attr| attr.expect("whole attributes"));
    let found = attrs.filter(|attr| attr.kind() == kind).last()?;
    Some(found.payload().to_vec())
}

fn build(subsystem: Subsystem, family: u8, parts: &[Part]) -> Vec<u8> {
    let mut buffer = Vec::new();
    let header = Header::request(subsystem.message_type(0), Flags::empty());
    let mut message = Nfgenmsg::family(L3Proto(family)).start(&mut buffer, header);
    parts.iter().for_each(|part| part.put(&mut message));
    message.finish().expect("a short message");
    buffer
}

/// Those from the kernel that the C library survives.
fn recorded(expect: bool) -> Vec<Vec<u8>> {
    let vectors = vectors::all().into_iter();
    let kept = vectors.filter(|vector| {
        vector.name.starts_with('k')
            && vector.name.contains("-exp-") == expect
            && vector.parsed().is_some()
    });
    let kept: Vec<_> = kept.map(|vector| vector.bytes).collect();
    assert!(kept.len() >= 4, "recorded messages");
    kept
}

fn family() -> impl Strategy<Value = u8> {
    select(vec![2, 2, 2, 10, 10, 10, 0, 7])
}

fn entry_part() -> impl Strategy<Value = Part> {
    let protoinfo = prop_oneof![
        nest(
            1,
            vec![
                bytes(1, 1),
                bytes(2, 1),
                bytes(3, 1),
                bytes(4, 2),
                bytes(5, 2)
            ]
        ),
        nest(2, vec![bytes(1, 1), bytes(2, 1), bytes(3, 8)]),
        nest(3, vec![bytes(1, 1), bytes(2, 4), bytes(3, 4)]),
    ];
    let protoinfo = vec(protoinfo, 0..3).prop_map(|parts| Part::Nest(PROTOINFO, parts));
    let counters = select(COUNTERS.to_vec()).prop_flat_map(|kind| {
        nest(
            kind,
            vec![
                bytes(1, 8),
                bytes(2, 8),
                bytes(3, 4),
                bytes(4, 4),
                bytes(5, 0),
            ],
        )
    });
    let adjust = select(SEQ_ADJUSTS.to_vec())
        .prop_flat_map(|kind| nest(kind, vec![bytes(1, 4), bytes(2, 4), bytes(3, 4)]));
    let help = nest(HELP, vec![text(1, 20), vec_of(2, 0..20)]);
    let labels = vec(any::<u8>(), 0..20).prop_map(|bits| Part::Bytes(LABELS, bits));
    prop_oneof![
        4 => tuple(select(TUPLES.to_vec())),
        4 => select(NUMBERS.to_vec()).prop_flat_map(|kind| bytes(kind, 4)),
        2 => protoinfo,
        2 => counters,
        1 => adjust,
        1 => help,
        1 => bytes(ZONE, 2),
        1 => nest(SECCTX, vec![text(1, 40)]),
        1 => nest(TIMESTAMP, vec![bytes(1, 8), bytes(2, 8), bytes(3, 0)]),
        1 => labels,
        1 => nest(SYNPROXY, vec![bytes(1, 4), bytes(2, 4), bytes(3, 4)]),
        1 => (select(IGNORED.to_vec()), vec(any::<u8>(), 0..12))
            .prop_map(|(kind, bytes)| Part::Bytes(kind, bytes)),
    ]
}

fn expect_part() -> impl Strategy<Value = Part> {
    let nat = (option::of(bytes(1, 4)), tuple(Just(2)))
        .prop_map(|(direction, tuple)| direction.into_iter().chain([tuple]).collect())
        .prop_map(|parts| Part::Nest(EXPECT_NAT, parts));
    prop_oneof![
        4 => select(EXPECT_NUMBERS.to_vec()).prop_flat_map(|kind| bytes(kind, 4)),
        // The C library aborts where the name of a function is longer.
        2 => select(EXPECT_NAMES.to_vec()).prop_flat_map(|kind| text(kind, 23)),
        1 => bytes(EXPECT_ZONE, 2),
        2 => nat,
        1 => (12..20u16, vec(any::<u8>(), 0..12))
            .prop_map(|(kind, bytes)| Part::Bytes(kind, bytes)),
    ]
}

/// A tuple, whole or in part.
fn tuple(kind: impl Strategy<Value = u16> + 'static) -> BoxedStrategy<Part> {
    let v4 = nest(1, vec![bytes(1, 4), bytes(2, 4)]);
    let v6 = nest(1, vec![bytes(3, 16), bytes(4, 16)]);
    let l4proto = select(vec![6u8, 17, 1, 58, 132, 47, 50]);
    let l4proto = l4proto
        .prop_map(|number| Part::Bytes(1, vec![number]))
        .boxed();
    let ports = nest(2, vec![l4proto.clone(), bytes(2, 2), bytes(3, 2)]);
    let icmp = nest(
        2,
        vec![l4proto.clone(), bytes(4, 2), bytes(5, 1), bytes(6, 1)],
    );
    let icmpv6 = nest(2, vec![l4proto, bytes(7, 2), bytes(8, 1), bytes(9, 1)]);
    (
        kind,
        option::weighted(0.9, prop_oneof![v4, v6]),
        option::weighted(0.9, prop_oneof![2 => ports, 1 => icmp, 1 => icmpv6]),
        option::weighted(0.1, bytes(3, 2)),
    )
        .prop_map(|(kind, addresses, l4_part, zone)| {
            let parts = [addresses, l4_part, zone].into_iter().flatten();
            Part::Nest(kind, parts.collect())
        })
        .boxed()
}

/// A nest with most of these parts.
fn nest(kind: u16, parts: Vec<BoxedStrategy<Part>>) -> BoxedStrategy<Part> {
    let parts: Vec<_> = parts
        .into_iter()
        .map(|part| option::weighted(0.8, part))
        .collect();
    parts
        .prop_map(move |parts| Part::Nest(kind, parts.into_iter().flatten().collect()))
        .boxed()
}

fn bytes(kind: u16, len: usize) -> BoxedStrategy<Part> {
    prop_oneof![
        1 => Just(vec![0; len]),
        3 => Just((1..).take(len).collect()),
        2 => vec(any::<u8>(), len),
    ]
    .prop_map(move |bytes| Part::Bytes(kind, bytes))
    .boxed()
}

fn vec_of(kind: u16, len: std::ops::Range<usize>) -> BoxedStrategy<Part> {
    vec(any::<u8>(), len)
        .prop_map(move |bytes| Part::Bytes(kind, bytes))
        .boxed()
}

/// A string of at most this length, and its NUL.
fn text(kind: u16, len: usize) -> BoxedStrategy<Part> {
    vec(b'a'..=b'z', 0..=len)
        .prop_map(move |mut text| {
            text.push(0);
            Part::Bytes(kind, text)
        })
        .boxed()
}
