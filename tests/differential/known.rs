//! A sequence for each explained difference, so that all are met in every run.

use netfilter_conntrack::netlink::NESTED;
use netfilter_conntrack::{Attr, ExpectAttr};

use crate::message;
use crate::op::{Op, Text, TupleParts};

pub(crate) fn sequences() -> Vec<Vec<Op>> {
    let (to, from) = (0, 1);
    let copy = |flags| Op::Copy { to, from, flags };
    let build = Op::Build { entry: to };
    let set = |attr, first| set(from, attr, first);
    let info = || Op::SetInfo {
        entry: from,
        info: b"private".to_vec(),
    };
    let name = || Op::SetName {
        entry: from,
        name: b"ftp".to_vec(),
    };
    let labels = |attr, max_bit| Op::SetLabels {
        entry: from,
        attr,
        max_bit,
        bits: vec![1],
    };
    let family = || set(Attr::OrigL3proto, 2);
    let clone = || Op::Clone { to, from };
    vec![
        vec![family(), set(Attr::SnatIpv4, 7), copy(0), build.clone()],
        vec![
            family(),
            set(Attr::OrigL4proto, 1),
            set(Attr::IcmpType, 8),
            set(Attr::ReplL3proto, 2),
            copy(0),
            build.clone(),
        ],
        vec![
            info(),
            copy(4),
            Op::CopyAttr {
                to: 2,
                from: to,
                attr: Attr::HelperInfo,
            },
        ],
        vec![info(), clone(), copy(8)],
        vec![family(), name(), info(), clone(), build.clone()],
        vec![
            family(),
            labels(Attr::Connlabels, 127),
            labels(Attr::ConnlabelsMask, 31),
            clone(),
            build.clone(),
        ],
        vec![family(), set(Attr::MasterIpv4Src, 7), clone(), build],
        expectation(true),
        expectation(false),
        vec![
            // CTA_COUNTERS_ORIG with packets and bytes.
            parse(9, &[(1, &[1; 8]), (2, &[2; 8])]),
            print(),
        ],
        vec![
            // CTA_TIMESTAMP with a start after the stop.
            parse(
                20,
                &[
                    (1, &[0, 0, 0, 2, 0, 0, 0, 0]),
                    (2, &[0, 0, 0, 1, 0, 0, 0, 0]),
                ],
            ),
            print(),
        ],
    ]
}

/// An expectation with a class, and with a tuple or one without family.
fn expectation(has_tuple: bool) -> Vec<Op> {
    let tuple = TupleParts {
        v6: false,
        source: [1; 16],
        destination: [2; 16],
        l4proto: 6,
        words: [[0, 21]; 2],
        zone: None,
    };
    let attr = match has_tuple {
        true => ExpectAttr::Expected,
        false => ExpectAttr::NatTuple,
    };
    let nested = |kind| kind | NESTED;
    // CTA_EXPECT_NAT with a tuple of no family.
    let odd = [8u16, nested(10), 4, nested(2)]
        .map(u16::to_ne_bytes)
        .concat();
    let mut ops = vec![Op::SetTuple {
        expect: 0,
        attr,
        tuple,
    }];
    if !has_tuple {
        let message = message::with_family(2, 0, &odd);
        ops.push(Op::ParseExpect { expect: 0, message });
    }
    for attr in [ExpectAttr::Class, ExpectAttr::NatDir] {
        ops.push(Op::SetNumber {
            expect: 0,
            attr,
            value: 1,
        });
    }
    ops.push(Op::BuildExpect { expect: 0 });
    ops
}

fn set(entry: usize, attr: Attr, first: u8) -> Op {
    let mut value = [0; 16];
    value[0] = first;
    Op::Set { entry, attr, value }
}

/// Parses a message with one nest of these attributes.
fn parse(kind: u16, attributes: &[(u16, &[u8])]) -> Op {
    let header = |kind: u16, len: usize| {
        let len = u16::try_from(4 + len).expect("short");
        [len.to_ne_bytes(), kind.to_ne_bytes()].concat()
    };
    let inner = attributes
        .iter()
        .map(|(kind, value)| [&header(*kind, value.len()), *value].concat());
    let inner: Vec<u8> = inner.flatten().collect();
    let nest = [header(kind | NESTED, inner.len()), inner].concat();
    Op::Parse {
        entry: 0,
        message: message::with_family(1, 2, &nest),
    }
}

fn print() -> Op {
    let text = Text {
        event: 0,
        xml: true,
        show: 0,
        labels: false,
    };
    Op::Print { entry: 0, text }
}
