//! Operations on a few entries and expectations, and how random ones are made.

use netfilter_conntrack::{Attr, AttrGroup, ExpectAttr};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use crate::class::{Class, class};
use crate::message;
use crate::side::Detail;

/// How many entries and how many expectations there are.
pub(crate) const ENTRIES: usize = 3;
pub(crate) const EXPECTS: usize = 2;

/// `ATTR_TIMESTAMP_EVENT` came with libnetfilter_conntrack 1.1.1; Debian has
/// 1.0.9, to which the number means nothing.
pub(crate) const UNKNOWN: Attr = Attr::TimestampEvent;

/// One operation. Numbers are indexes of entries (`to`, `from`, `entry`) or
/// expectations (`expect`).
#[derive(Clone, Debug)]
pub(crate) enum Op {
    /// Sets an attribute of fixed size to the first bytes of the value.
    Set {
        entry: usize,
        attr: Attr,
        value: [u8; 16],
    },
    /// Sets the name of the helper.
    SetName {
        entry: usize,
        name: Vec<u8>,
    },
    /// Sets the private data of the helper.
    SetInfo {
        entry: usize,
        info: Vec<u8>,
    },
    /// Sets labels or their mask.
    SetLabels {
        entry: usize,
        attr: Attr,
        max_bit: u32,
        bits: Vec<u32>,
    },
    /// Sets a number through a setter of a width that is not below its own.
    SetWide {
        entry: usize,
        attr: Attr,
        width: usize,
        value: u64,
    },
    Unset {
        entry: usize,
        attr: Attr,
    },
    SetGroup {
        entry: usize,
        group: AttrGroup,
        value: [u8; 32],
    },
    UnsetGroup {
        entry: usize,
        group: AttrGroup,
    },
    /// One of `NFCT_SOPT_*`.
    SetOption {
        entry: usize,
        option: u32,
    },
    Copy {
        to: usize,
        from: usize,
        flags: u32,
    },
    CopyAttr {
        to: usize,
        from: usize,
        attr: Attr,
    },
    Clone {
        to: usize,
        from: usize,
    },
    Compare {
        first: usize,
        second: usize,
        flags: u32,
    },
    Build {
        entry: usize,
    },
    Parse {
        entry: usize,
        message: Vec<u8>,
    },
    Print {
        entry: usize,
        text: Text,
    },
    /// Builds a message from one entry and parses it into another.
    Transfer {
        to: usize,
        from: usize,
    },

    SetTuple {
        expect: usize,
        attr: ExpectAttr,
        tuple: TupleParts,
    },
    /// Sets a tuple to the front of an entry as it is.
    SetHead {
        expect: usize,
        attr: ExpectAttr,
        entry: usize,
    },
    /// Compares an entry with a tuple of an expectation, as if that were an
    /// entry too.
    CompareHead {
        entry: usize,
        expect: usize,
        attr: ExpectAttr,
        flags: u32,
    },
    /// Copies the bytes of an expectation, as conntrackd does.
    CopyBytes {
        to: usize,
        from: usize,
    },
    /// Asks for attributes, groups and options that there are none of.
    OutOfRange {
        entry: usize,
        expect: usize,
        number: u32,
    },
    SetNumber {
        expect: usize,
        attr: ExpectAttr,
        value: u32,
    },
    SetExpectName {
        expect: usize,
        attr: ExpectAttr,
        name: Vec<u8>,
    },
    UnsetExpect {
        expect: usize,
        attr: ExpectAttr,
    },
    CloneExpect {
        to: usize,
        from: usize,
    },
    CompareExpects {
        first: usize,
        second: usize,
        flags: u32,
    },
    BuildExpect {
        expect: usize,
    },
    ParseExpect {
        expect: usize,
        message: Vec<u8>,
    },
    TransferExpect {
        to: usize,
        from: usize,
    },
    PrintExpect {
        expect: usize,
        text: Text,
    },
}

/// How to write a text.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Text {
    /// The message type: `NFCT_T_*`, or something else.
    pub(crate) event: u32,
    pub(crate) xml: bool,
    /// `NFCT_OF_*`.
    pub(crate) show: u32,
    pub(crate) labels: bool,
}

/// A whole tuple, all parts of which are set.
#[derive(Clone, Debug)]
pub(crate) struct TupleParts {
    pub(crate) v6: bool,
    pub(crate) source: [u8; 16],
    pub(crate) destination: [u8; 16],
    pub(crate) l4proto: u8,
    /// Ports, or ICMP identifier and type and code, in network byte order.
    pub(crate) words: [[u8; 2]; 2],
    pub(crate) zone: Option<u16>,
}

impl Op {
    /// The entry that may be changed.
    pub(crate) fn entry(&self) -> Option<usize> {
        match *self {
            Self::Set { entry, .. }
            | Self::SetName { entry, .. }
            | Self::SetInfo { entry, .. }
            | Self::SetLabels { entry, .. }
            | Self::SetWide { entry, .. }
            | Self::OutOfRange { entry, .. }
            | Self::Unset { entry, .. }
            | Self::SetGroup { entry, .. }
            | Self::UnsetGroup { entry, .. }
            | Self::SetOption { entry, .. }
            | Self::Parse { entry, .. }
            | Self::Copy { to: entry, .. }
            | Self::CopyAttr { to: entry, .. }
            | Self::Clone { to: entry, .. }
            | Self::Transfer { to: entry, .. } => Some(entry),
            _ => None,
        }
    }

    /// The expectation that may be changed.
    pub(crate) fn expect(&self) -> Option<usize> {
        match *self {
            Self::SetTuple { expect, .. }
            | Self::SetHead { expect, .. }
            | Self::CopyBytes { to: expect, .. }
            | Self::SetNumber { expect, .. }
            | Self::SetExpectName { expect, .. }
            | Self::UnsetExpect { expect, .. }
            | Self::ParseExpect { expect, .. }
            | Self::CloneExpect { to: expect, .. }
            | Self::TransferExpect { to: expect, .. } => Some(expect),
            _ => None,
        }
    }
}

/// A sequence of operations; in full detail also of those that only the C API has.
pub(crate) fn sequences(detail: Detail) -> impl Strategy<Value = Vec<Op>> {
    let op = match detail {
        Detail::Native => any_op(false).boxed(),
        Detail::Full => prop_oneof![9 => any_op(true), 1 => any_c_op()].boxed(),
    };
    vec(op, 4..24)
}

fn any_c_op() -> impl Strategy<Value = Op> {
    use ExpectAttr::{Expected, Mask, Master, NatTuple};
    let heads = || select(vec![Master, Expected, Mask, NatTuple]);
    let settable = |class| matches!(class, Class::Bytes(..9) | Class::Number(_));
    let wide = (entries(), attrs(settable), any::<bool>(), any::<u64>());
    let numbers = select(vec![76, 77, 95, 100, 1000, u32::MAX]);
    prop_oneof![
        2 => wide.prop_map(|(entry, attr, wider, value)| {
            let (Class::Bytes(len) | Class::Number(len)) = class(attr) else {
                panic!("{attr:?}");
            };
            let width = if wider { 8 } else { len };
            Op::SetWide { entry, attr, width, value }
        }),
        3 => (expects(), heads(), entries())
            .prop_map(|(expect, attr, entry)| Op::SetHead { expect, attr, entry }),
        3 => (entries(), expects(), heads(), 0..4u32).prop_map(|(entry, expect, attr, rule)| {
            Op::CompareHead { entry, expect, attr, flags: 1 | rule << 5 }
        }),
        1 => two(EXPECTS).prop_map(|(to, from)| Op::CopyBytes { to, from }),
        1 => (entries(), expects(), numbers)
            .prop_map(|(entry, expect, number)| Op::OutOfRange { entry, expect, number }),
    ]
}

/// `marks` are operations that make a read-only attribute present without a
/// value, which the C library's setters do.
fn any_op(marks: bool) -> impl Strategy<Value = Op> {
    prop_oneof![
        20 => any_set(marks),
        3 => any_labels(),
        1 => (entries(), names()).prop_map(|(entry, name)| Op::SetName { entry, name }),
        1 => (entries(), vec(any::<u8>(), 0..20))
            .prop_map(|(entry, info)| Op::SetInfo { entry, info }),
        3 => (entries(), attrs(|_| true)).prop_map(|(entry, attr)| Op::Unset { entry, attr }),
        5 => (entries(), groups(marks), words())
            .prop_map(|(entry, group, value)| Op::SetGroup { entry, group, value }),
        1 => (entries(), groups(true))
            .prop_map(|(entry, group)| Op::UnsetGroup { entry, group }),
        4 => (entries(), 0..6u32)
            .prop_map(|(entry, option)| Op::SetOption { entry, option }),
        3 => (two(ENTRIES), 0..16u32)
            .prop_map(|((to, from), flags)| Op::Copy { to, from, flags }),
        2 => (two(ENTRIES), attrs(|_| true))
            .prop_map(|((to, from), attr)| Op::CopyAttr { to, from, attr }),
        2 => two(ENTRIES).prop_map(|(to, from)| Op::Clone { to, from }),
        5 => (entries(), entries(), compare_flags())
            .prop_map(|(first, second, flags)| Op::Compare { first, second, flags }),
        3 => entries().prop_map(|entry| Op::Build { entry }),
        3 => (entries(), message::entries())
            .prop_map(|(entry, message)| Op::Parse { entry, message }),
        2 => two(ENTRIES).prop_map(|(to, from)| Op::Transfer { to, from }),
        4 => (entries(), texts()).prop_map(|(entry, text)| Op::Print { entry, text }),
        14 => any_expect_op(),
    ]
}

fn any_expect_op() -> impl Strategy<Value = Op> {
    use ExpectAttr::{
        Class, Expected, Flags, Fn, HelperName, Mask, Master, NatDir, NatTuple, Timeout, Zone,
    };
    let number = select(vec![0, 1, 2, 7, 0x1234, 0x1234_5678, u32::MAX]);
    prop_oneof![
        4 => (expects(), select(vec![Master, Expected, Mask, NatTuple]), any_tuple())
            .prop_map(|(expect, attr, tuple)| Op::SetTuple { expect, attr, tuple }),
        3 => (expects(), select(vec![Timeout, Zone, Flags, Class, NatDir]), number)
            .prop_map(|(expect, attr, value)| Op::SetNumber { expect, attr, value }),
        2 => (expects(), select(vec![HelperName, Fn]), names())
            .prop_map(|(expect, attr, name)| Op::SetExpectName { expect, attr, name }),
        1 => (expects(), select(ExpectAttr::all().collect::<Vec<_>>()))
            .prop_map(|(expect, attr)| Op::UnsetExpect { expect, attr }),
        1 => two(EXPECTS).prop_map(|(to, from)| Op::CloneExpect { to, from }),
        4 => (expects(), expects(), compare_flags())
            .prop_map(|(first, second, flags)| Op::CompareExpects { first, second, flags }),
        1 => expects().prop_map(|expect| Op::BuildExpect { expect }),
        2 => (expects(), message::expects())
            .prop_map(|(expect, message)| Op::ParseExpect { expect, message }),
        1 => two(EXPECTS).prop_map(|(to, from)| Op::TransferExpect { to, from }),
        2 => (expects(), texts()).prop_map(|(expect, text)| Op::PrintExpect { expect, text }),
    ]
}

fn any_set(marks: bool) -> impl Strategy<Value = Op> {
    let fits = move |class| match class {
        Class::Bytes(_) | Class::Number(_) => true,
        Class::ReadOnly(_) | Class::Context => marks,
        Class::Name | Class::Blob | Class::Labels => false,
    };
    // Half of the time one of the attributes that others depend on.
    let attr = prop_oneof![
        attrs(fits),
        select(vec![
            Attr::OrigL3proto,
            Attr::ReplL3proto,
            Attr::MasterL3proto,
            Attr::OrigL4proto,
            Attr::ReplL4proto,
            Attr::Status,
            Attr::IcmpType,
        ]),
    ];
    (entries(), attr).prop_flat_map(|(entry, attr)| {
        value_of(attr).prop_map(move |value| Op::Set { entry, attr, value })
    })
}

fn value_of(attr: Attr) -> BoxedStrategy<[u8; 16]> {
    let byte = |numbers: &'static [u8]| {
        let filled = |first| {
            let mut value = [0; 16];
            value[0] = first;
            value
        };
        prop_oneof![9 => select(numbers), 1 => any::<u8>()]
            .prop_map(filled)
            .boxed()
    };
    match attr {
        Attr::OrigL3proto | Attr::ReplL3proto | Attr::MasterL3proto => byte(&[2, 2, 2, 10, 10, 0]),
        Attr::OrigL4proto | Attr::ReplL4proto | Attr::MasterL4proto => {
            byte(&[6, 17, 1, 58, 132, 33, 47, 136, 50, 0])
        }
        Attr::IcmpType => byte(&[0, 8, 13, 128, 129, 3]),
        // The bits of translations, by which the options go.
        Attr::Status => select(vec![0u32, 0x80, 0x100, 0x180, 0x18e, 0x8])
            .prop_map(|status| front(&status.to_ne_bytes()))
            .boxed(),
        _ => words().prop_map(|value| front(&value[..16])).boxed(),
    }
}

fn any_labels() -> impl Strategy<Value = Op> {
    (
        entries(),
        select(vec![Attr::Connlabels, Attr::ConnlabelsMask]),
        select(vec![0u32, 31, 63, 127, 159]),
        vec(0u32..160, 0..4),
    )
        .prop_map(|(entry, attr, max_bit, bits)| Op::SetLabels {
            entry,
            attr,
            max_bit,
            bits,
        })
}

fn any_tuple() -> impl Strategy<Value = TupleParts> {
    (
        any::<bool>(),
        words(),
        select(vec![6u8, 17, 1, 58, 132, 47, 50]),
        words(),
        select(vec![None, None, Some(0), Some(7)]),
    )
        .prop_map(|(v6, addresses, l4proto, words, zone)| TupleParts {
            v6,
            source: front(&addresses[..16]),
            destination: front(&addresses[16..]),
            l4proto,
            words: [[words[0], words[1]], [words[2], words[3]]],
            zone,
        })
}

/// Few different values, so that equal ones meet.
fn words() -> impl Strategy<Value = [u8; 32]> {
    prop_oneof![
        1 => Just([0; 32]),
        3 => Just(std::array::from_fn(|index| index as u8 + 1)),
        3 => Just([0x55; 32]),
        1 => any::<[u8; 32]>(),
    ]
}

/// Names that fit and names that do not.
fn names() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        select(vec!["ftp", "sip", "nat-follow-master", ""]).prop_map(Into::into),
        vec(b'a'..=b'z', 14..31),
    ]
}

fn texts() -> impl Strategy<Value = Text> {
    let events = select(vec![0, 1, 2, 4, 7]);
    (events, any::<bool>(), 0..16u32, any::<bool>()).prop_map(|(event, xml, show, labels)| Text {
        event,
        xml,
        show,
        labels,
    })
}

fn compare_flags() -> impl Strategy<Value = u32> {
    // All of them, and one that means nothing.
    let scope = prop_oneof![4 => Just(0), 4 => 1..4u32, 1 => 4..32u32, 1 => Just(0x80)];
    (scope, 0..4u32).prop_map(|(scope, rule)| scope | rule << 5)
}

fn entries() -> std::ops::Range<usize> {
    0..ENTRIES
}

fn expects() -> std::ops::Range<usize> {
    0..EXPECTS
}

/// Two that differ.
fn two(count: usize) -> impl Strategy<Value = (usize, usize)> {
    (0..count, 1..count).prop_map(move |(to, step)| (to, (to + step) % count))
}

fn attrs(fits: impl Fn(Class) -> bool) -> impl Strategy<Value = Attr> {
    let known = Attr::ALL.into_iter().filter(|attr| *attr != UNKNOWN);
    select(known.filter(|attr| fits(class(*attr))).collect::<Vec<_>>())
}

fn groups(all: bool) -> impl Strategy<Value = AttrGroup> {
    let settable = AttrGroup::all().filter(move |group| all || group.number() < 10);
    select(settable.collect::<Vec<_>>())
}

fn front(bytes: &[u8]) -> [u8; 16] {
    let mut value = [0; 16];
    value[..bytes.len()].copy_from_slice(bytes);
    value
}
