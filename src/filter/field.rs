//! The fields of a message that an event filter can look at.

use super::addr_mask::AddrMask;
use super::bpf::Width;
use super::criterion::{Criterion, FilterAttr, L4State};
use super::mask_set::Masked;
use crate::uapi::{cta, cta_ip, cta_proto, cta_protoinfo, cta_tuple};

/// A field: where it is and which criteria are about it.
pub(super) struct Field {
    /// The section whose logic it follows.
    pub(super) attr: FilterAttr,
    /// Attribute types from the message down to the field's attribute.
    pub(super) path: &'static [u16],
    /// Width of a load of its value.
    pub(super) width: Width,
    /// How many loads hold the value.
    pub(super) words: u32,
    /// What its absence means.
    pub(super) absent: Absent,
    /// The value under a mask that a criterion asks for, if it is about this field.
    pub(super) entry: fn(&Criterion) -> Option<Masked>,
}

/// What it means that a message lacks a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Absent {
    /// The section passes whatever its logic.
    Passes,
    /// The kernel leaves the field out where it is 0.
    CountsAsZero,
}

/// All fields, in the order in which a program looks at them.
pub(super) const FIELDS: &[Field] = &[
    Field {
        attr: FilterAttr::L4Proto,
        path: &[cta::TUPLE_ORIG, cta_tuple::PROTO, cta_proto::NUM],
        width: Width::Byte,
        words: 1,
        absent: Absent::Passes,
        entry: |criterion| match criterion {
            Criterion::L4Proto(proto) => Some(byte(proto.0)),
            _ => None,
        },
    },
    Field {
        attr: FilterAttr::L4State,
        path: &[cta::PROTOINFO, cta_protoinfo::TCP, cta_protoinfo::TCP_STATE],
        width: Width::Byte,
        words: 1,
        absent: Absent::Passes,
        entry: |criterion| match criterion {
            Criterion::L4State(L4State::Tcp(state)) => Some(byte(state.0)),
            _ => None,
        },
    },
    Field {
        attr: FilterAttr::L4State,
        path: &[
            cta::PROTOINFO,
            cta_protoinfo::DCCP,
            cta_protoinfo::DCCP_STATE,
        ],
        width: Width::Byte,
        words: 1,
        absent: Absent::Passes,
        entry: |criterion| match criterion {
            Criterion::L4State(L4State::Dccp(state)) => Some(byte(state.0)),
            _ => None,
        },
    },
    Field {
        attr: FilterAttr::L4State,
        path: &[
            cta::PROTOINFO,
            cta_protoinfo::SCTP,
            cta_protoinfo::SCTP_STATE,
        ],
        width: Width::Byte,
        words: 1,
        absent: Absent::Passes,
        entry: |criterion| match criterion {
            Criterion::L4State(L4State::Sctp(state)) => Some(byte(state.0)),
            _ => None,
        },
    },
    Field {
        attr: FilterAttr::SourceIpv4,
        path: &[cta::TUPLE_ORIG, cta_tuple::IP, cta_ip::V4_SRC],
        width: Width::Word,
        words: 1,
        absent: Absent::Passes,
        entry: |criterion| match criterion {
            Criterion::Source(source) => ipv4(source),
            _ => None,
        },
    },
    Field {
        attr: FilterAttr::DestinationIpv4,
        path: &[cta::TUPLE_ORIG, cta_tuple::IP, cta_ip::V4_DST],
        width: Width::Word,
        words: 1,
        absent: Absent::Passes,
        entry: |criterion| match criterion {
            Criterion::Destination(destination) => ipv4(destination),
            _ => None,
        },
    },
    Field {
        attr: FilterAttr::SourceIpv6,
        path: &[cta::TUPLE_ORIG, cta_tuple::IP, cta_ip::V6_SRC],
        width: Width::Word,
        words: 4,
        absent: Absent::Passes,
        entry: |criterion| match criterion {
            Criterion::Source(source) => ipv6(source),
            _ => None,
        },
    },
    Field {
        attr: FilterAttr::DestinationIpv6,
        path: &[cta::TUPLE_ORIG, cta_tuple::IP, cta_ip::V6_DST],
        width: Width::Word,
        words: 4,
        absent: Absent::Passes,
        entry: |criterion| match criterion {
            Criterion::Destination(destination) => ipv6(destination),
            _ => None,
        },
    },
    Field {
        attr: FilterAttr::Mark,
        path: &[cta::MARK],
        width: Width::Word,
        words: 1,
        absent: Absent::CountsAsZero,
        entry: |criterion| match *criterion {
            Criterion::Mark { value, mask } => Some(masked(value.into(), mask.into())),
            _ => None,
        },
    },
    Field {
        attr: FilterAttr::Zone,
        path: &[cta::ZONE],
        width: Width::Half,
        words: 1,
        absent: Absent::CountsAsZero,
        entry: |criterion| match *criterion {
            Criterion::Zone(zone) => Some(masked(zone.into(), u16::MAX.into())),
            _ => None,
        },
    },
];

fn masked(value: u128, mask: u128) -> Masked {
    Masked { value, mask }
}

fn byte(value: u8) -> Masked {
    masked(value.into(), u8::MAX.into())
}

fn ipv4(addresses: &AddrMask) -> Option<Masked> {
    match *addresses {
        AddrMask::V4 { addr, mask } => Some(masked(addr.to_bits().into(), mask.to_bits().into())),
        AddrMask::V6 { .. } => None,
    }
}

fn ipv6(addresses: &AddrMask) -> Option<Masked> {
    match *addresses {
        AddrMask::V4 { .. } => None,
        AddrMask::V6 { addr, mask } => Some(masked(addr.to_bits(), mask.to_bits())),
    }
}
