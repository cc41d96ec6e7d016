//! What each attribute is to a C program: the type behind the pointer that it
//! sets and gets, by the documentation of the C library.

use netfilter_conntrack::{Attr, AttrGroup, ExpectAttr};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    /// Raw bytes, in network byte order where they are a number.
    Bytes(usize),
    /// A number of this many bytes in host byte order.
    Number(usize),
    /// The same, but setting it stores nothing.
    ReadOnly(usize),
    /// A string of at most 15 bytes.
    Name,
    /// A string; setting it stores nothing.
    Context,
    /// Bytes of any length.
    Blob,
    /// A bitmask.
    Labels,
}

#[rustfmt::skip]
pub(crate) fn class(attr: Attr) -> Class {
    match attr.number() {
        0..=3 | 20 | 21 | 37 | 38 => Class::Bytes(4),
        4..=7 | 39 | 40 | 70 | 71 => Class::Bytes(16),
        8..=11 | 14 | 22 | 23 | 41 | 42 => Class::Bytes(2),
        12 | 13 | 15..=19 | 33..=36 | 43 | 44 | 52 | 56 | 57 | 59 | 60 => Class::Number(1),
        61 | 68 | 69 => Class::Number(2),
        24 | 25 | 31 | 32 | 45..=51 | 53 | 54 | 72..=74 => Class::Number(4),
        58 => Class::Number(8),
        30 => Class::ReadOnly(4),
        26..=29 | 63 | 64 | 75 => Class::ReadOnly(8),
        55 => Class::Name,
        62 => Class::Context,
        65 => Class::Blob,
        66 | 67 => Class::Labels,
        other => panic!("no attribute {other}"),
    }
}

/// Bytes of a group's struct.
pub(crate) fn group_len(group: AttrGroup) -> usize {
    match group.number() {
        0 | 1 | 7 => 8,
        2 | 3 | 8 => 32,
        4 | 5 | 6 | 9 => 4,
        10..=15 => 16,
        other => panic!("no group {other}"),
    }
}

/// What an attribute of an expectation is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ExpectClass {
    Tuple,
    Number(usize),
    Name,
}

pub(crate) fn expect_class(attr: ExpectAttr) -> ExpectClass {
    match attr {
        ExpectAttr::Master | ExpectAttr::Expected | ExpectAttr::Mask | ExpectAttr::NatTuple => {
            ExpectClass::Tuple
        }
        ExpectAttr::Zone => ExpectClass::Number(2),
        ExpectAttr::Timeout | ExpectAttr::Flags | ExpectAttr::Class | ExpectAttr::NatDir => {
            ExpectClass::Number(4)
        }
        ExpectAttr::HelperName | ExpectAttr::Fn => ExpectClass::Name,
    }
}

/// The attributes whose values the tuple of an expectation holds.
pub(crate) const HEAD: [Attr; 12] = [
    Attr::OrigIpv4Src,
    Attr::OrigIpv4Dst,
    Attr::OrigIpv6Src,
    Attr::OrigIpv6Dst,
    Attr::OrigPortSrc,
    Attr::OrigPortDst,
    Attr::IcmpType,
    Attr::IcmpCode,
    Attr::IcmpId,
    Attr::OrigL3proto,
    Attr::OrigL4proto,
    Attr::OrigZone,
];
