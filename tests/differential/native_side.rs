//! This crate, through its Rust API.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use netfilter_conntrack::conntrack::{AttrValue, Counters, Icmp, Text};
use netfilter_conntrack::expect::ExpectValue;
use netfilter_conntrack::netlink::Message;
use netfilter_conntrack::{
    Attr, AttrGroup, Bitmask, CompareFlags, Conntrack, ConntrackRef, CopyFlags, EventKind, Expect,
    ExpectAttr, ExpectQuery, ExpectRef, Format, GroupValue, L3Proto, L4Proto, LabelMap, Query,
    Show, Tuple,
};

use crate::class::{Class, ExpectClass, class, expect_class};
use crate::op::{self, ENTRIES, EXPECTS, Op, TupleParts, UNKNOWN};
use crate::side::{Key, LABELS, Outcome, Side, State};

/// Bytes of the netlink and the nfnetlink header.
const HEADERS: usize = 20;

pub(crate) struct NativeSide {
    entries: [Conntrack; ENTRIES],
    expects: [Expect; EXPECTS],
    labels: LabelMap,
}

impl NativeSide {
    pub(crate) fn new() -> Self {
        Self {
            entries: Default::default(),
            expects: Default::default(),
            labels: LabelMap::parse(LABELS),
        }
    }

    fn format(&self, text: op::Text) -> Format<'_> {
        let op::Text {
            event,
            xml,
            show,
            labels,
        } = text;
        let format = if xml { Format::xml() } else { Format::plain() };
        let format = format.show(Show::from_bits_retain(show));
        let format = if labels {
            format.labels(&self.labels)
        } else {
            format
        };
        match event {
            1 => format.event(EventKind::New),
            2 => format.event(EventKind::Update),
            4 => format.event(EventKind::Destroy),
            _ => format,
        }
    }
}

impl Side for NativeSide {
    fn reset(&mut self) {
        self.entries = Default::default();
        self.expects = Default::default();
    }

    fn apply(&mut self, op: &Op) -> Outcome {
        match op {
            Op::Set { entry, attr, value } => set(&mut self.entries[*entry], *attr, value),
            Op::SetName { entry, name } => {
                // What is longer is refused by this API and cut by that of C.
                let name = AttrValue::Text(&name[..name.len().min(15)]);
                self.entries[*entry]
                    .set_attr(Attr::HelperName, name)
                    .expect("a short name");
            }
            Op::SetInfo { entry, info } => {
                self.entries[*entry].set_helper_info(info);
            }
            Op::SetLabels {
                entry,
                attr,
                max_bit,
                bits,
            } => {
                let mut mask = Bitmask::new(*max_bit).expect("a size");
                bits.iter().for_each(|bit| mask.set(*bit));
                let mask = AttrValue::Labels(&mask);
                self.entries[*entry].set_attr(*attr, mask).expect("labels");
            }
            Op::Unset { entry, attr } => self.entries[*entry].unset(*attr),
            Op::SetGroup {
                entry,
                group,
                value,
            } => {
                let value = group_value(*group, value);
                self.entries[*entry]
                    .set_group(*group, value)
                    .expect("a group's value");
            }
            Op::UnsetGroup { entry, group } => self.entries[*entry].unset_group(*group),
            Op::SetOption { entry, option } => set_option(&mut self.entries[*entry], *option),
            Op::Copy { to, from, flags } => {
                let from = self.entries[*from].clone();
                self.entries[*to].copy_from(&from, CopyFlags::from_bits_retain(*flags));
            }
            Op::CopyAttr { to, from, attr } => {
                let from = self.entries[*from].clone();
                self.entries[*to].copy_attr(&from, *attr);
            }
            Op::Clone { to, from } => self.entries[*to] = self.entries[*from].clone(),
            Op::Compare {
                first,
                second,
                flags,
            } => {
                let flags = CompareFlags::from_bits_retain(*flags);
                let equal = self.entries[*first].compare_with(&self.entries[*second], flags);
                return Outcome::Number(equal.into());
            }
            Op::Build { entry } => {
                let mut buffer = Vec::new();
                let built = Query::Create(&self.entries[*entry]).encode(0, &mut buffer);
                return Outcome::Built(built.ok().map(|()| buffer.split_off(HEADERS)));
            }
            Op::Parse { entry, message } => {
                let message = Message::parse(message).expect("a message");
                let view = ConntrackRef::parse(&message).expect("an entry");
                view.merge_into(&mut self.entries[*entry])
                    .expect("well formed");
                return Outcome::Number(0);
            }
            Op::SetTuple {
                expect,
                attr,
                tuple,
            } => {
                let tuple = ExpectValue::Tuple(self::tuple(tuple));
                self.expects[*expect]
                    .set_attr(*attr, tuple)
                    .expect("a tuple");
            }
            Op::SetNumber {
                expect,
                attr,
                value,
            } => {
                let value = match expect_class(*attr) {
                    ExpectClass::Number(2) => ExpectValue::U16(*value as u16),
                    _ => ExpectValue::U32(*value),
                };
                self.expects[*expect]
                    .set_attr(*attr, value)
                    .expect("a number");
            }
            Op::SetExpectName { expect, attr, name } => {
                let room = if *attr == ExpectAttr::Fn { 23 } else { 15 };
                let name = ExpectValue::Text(&name[..name.len().min(room)]);
                self.expects[*expect]
                    .set_attr(*attr, name)
                    .expect("a short name");
            }
            Op::UnsetExpect { expect, attr } => self.expects[*expect].unset(*attr),
            Op::CloneExpect { to, from } => self.expects[*to] = self.expects[*from],
            Op::CompareExpects {
                first,
                second,
                flags,
            } => {
                let flags = CompareFlags::from_bits_retain(*flags);
                let equal = self.expects[*first].compare_with(&self.expects[*second], flags);
                return Outcome::Number(equal.into());
            }
            Op::BuildExpect { expect } => {
                let mut buffer = Vec::new();
                let built = ExpectQuery::Create(&self.expects[*expect]).encode(0, &mut buffer);
                return Outcome::Built(built.ok().map(|()| buffer.split_off(HEADERS)));
            }
            Op::ParseExpect { expect, message } => {
                let message = Message::parse(message).expect("a message");
                let view = ExpectRef::parse(&message).expect("an expectation");
                view.merge_into(&mut self.expects[*expect])
                    .expect("well formed");
                return Outcome::Number(0);
            }
            Op::Print { entry, text } => {
                return write(self.entries[*entry].display(self.format(*text)));
            }
            Op::PrintExpect { expect, text } => {
                return write(self.expects[*expect].display(self.format(*text)));
            }
            Op::Transfer { .. } | Op::TransferExpect { .. } => unreachable!("made of two"),
            Op::SetWide { .. }
            | Op::SetHead { .. }
            | Op::CompareHead { .. }
            | Op::CopyBytes { .. }
            | Op::OutOfRange { .. } => unreachable!("of the C API alone"),
        }
        Outcome::Nothing
    }

    fn entry(&self, entry: usize) -> State {
        let entry = &self.entries[entry];
        let attrs = Attr::ALL.into_iter().filter(|attr| *attr != UNKNOWN);
        let attrs = attrs.map(|attr| (Key::Attr(attr), attr_bytes(entry, attr)));
        let groups =
            AttrGroup::all().map(|group| (Key::Group(group), entry.group(group).map(group_bytes)));
        let options = [
            entry.is_snat(),
            entry.is_dnat(),
            entry.is_spat(),
            entry.is_dpat(),
        ];
        let options = (0..)
            .zip(options)
            .map(|(option, set)| (Key::Option(option), Some(vec![set.into()])));
        attrs.chain(groups).chain(options).collect()
    }

    fn expect(&self, expect: usize) -> State {
        let expect = &self.expects[expect];
        let mut state = State::new();
        for attr in ExpectAttr::all() {
            if expect_class(attr) != ExpectClass::Tuple {
                let value = expect.attr(attr).map(|value| match value {
                    ExpectValue::U16(value) => value.to_ne_bytes().to_vec(),
                    ExpectValue::U32(value) => value.to_ne_bytes().to_vec(),
                    ExpectValue::Text(text) => text.to_vec(),
                    other => panic!("{other:?}"),
                });
                state.push((Key::Expect(attr), value));
                continue;
            }
            let tuple = match expect.attr(attr) {
                Some(ExpectValue::Tuple(tuple)) => tuple_bytes(&tuple),
                _ => Vec::new(),
            };
            state.push((Key::Expect(attr), expect.is_set(attr).then_some(tuple)));
        }
        state
    }
}

fn set(entry: &mut Conntrack, attr: Attr, value: &[u8; 16]) {
    let [a, b, c, d, e, f, g, h, ..] = *value;
    let value = match class(attr) {
        Class::Bytes(2) => AttrValue::U16(u16::from_be_bytes([a, b])),
        Class::Bytes(4) => AttrValue::Ipv4(Ipv4Addr::new(a, b, c, d)),
        Class::Bytes(_) => AttrValue::Ipv6(Ipv6Addr::from(*value)),
        Class::Number(1) => AttrValue::U8(a),
        Class::Number(2) => AttrValue::U16(u16::from_ne_bytes([a, b])),
        Class::Number(4) => AttrValue::U32(u32::from_ne_bytes([a, b, c, d])),
        Class::Number(_) => AttrValue::U64(u64::from_ne_bytes([a, b, c, d, e, f, g, h])),
        other => panic!("{other:?}"),
    };
    entry.set_attr(attr, value).expect("a value of its kind");
}

/// An attribute as C programs see it.
fn attr_bytes(entry: &Conntrack, attr: Attr) -> Option<Vec<u8>> {
    if entry.is_set(attr) && entry.attr(attr).is_none() {
        return Some(Vec::new());
    }
    let is_raw = matches!(class(attr), Class::Bytes(_));
    Some(match entry.attr(attr)? {
        AttrValue::U8(value) => vec![value],
        AttrValue::U16(value) if is_raw => value.to_be_bytes().to_vec(),
        AttrValue::U16(value) => value.to_ne_bytes().to_vec(),
        AttrValue::U32(value) => value.to_ne_bytes().to_vec(),
        AttrValue::U64(value) => value.to_ne_bytes().to_vec(),
        AttrValue::Ipv4(value) => value.octets().to_vec(),
        AttrValue::Ipv6(value) => value.octets().to_vec(),
        AttrValue::Text(text) => text.to_vec(),
        AttrValue::Bytes(bytes) => bytes.to_vec(),
        AttrValue::Labels(labels) => {
            let bits = 0..=labels.max_bit();
            bits.map(|bit| labels.test(bit).into()).collect()
        }
        other => panic!("{other:?}"),
    })
}

fn group_value(group: AttrGroup, value: &[u8; 32]) -> GroupValue {
    let [a, b, c, d, e, f, g, h, ..] = *value;
    match group.number() {
        0 | 1 | 7 => GroupValue::Ipv4 {
            src: [a, b, c, d].into(),
            dst: [e, f, g, h].into(),
        },
        2 | 3 | 8 => GroupValue::Ipv6 {
            src: <[u8; 16]>::try_from(&value[..16]).expect("16 bytes").into(),
            dst: <[u8; 16]>::try_from(&value[16..]).expect("16 bytes").into(),
        },
        6 => GroupValue::Icmp(Icmp {
            id: u16::from_be_bytes([a, b]),
            code: c,
            kind: d,
        }),
        _ => GroupValue::Ports {
            src: u16::from_be_bytes([a, b]),
            dst: u16::from_be_bytes([c, d]),
        },
    }
}

/// The value of a group as it stands in the struct of C.
fn group_bytes(value: GroupValue) -> Vec<u8> {
    match value {
        GroupValue::Ipv4 { src, dst } => [src.octets(), dst.octets()].concat(),
        GroupValue::Ipv6 { src, dst } => [src.octets(), dst.octets()].concat(),
        GroupValue::Ports { src, dst } => [src.to_be_bytes(), dst.to_be_bytes()].concat(),
        GroupValue::Icmp(Icmp { kind, code, id }) => {
            [&id.to_be_bytes()[..], &[code, kind]].concat()
        }
        GroupValue::Counters(Counters { packets, bytes }) => {
            [packets.to_ne_bytes(), bytes.to_ne_bytes()].concat()
        }
        GroupValue::Address(IpAddr::V4(address)) => address.octets().to_vec(),
        GroupValue::Address(IpAddr::V6(address)) => address.octets()[..4].to_vec(),
        other => panic!("{other:?}"),
    }
}

fn set_option(entry: &mut Conntrack, option: u32) {
    match option {
        0 => entry.undo_snat(),
        1 => entry.undo_dnat(),
        2 => entry.undo_spat(),
        3 => entry.undo_dpat(),
        4 => entry.setup_original(),
        5 => entry.setup_reply(),
        other => panic!("no option {other}"),
    }
}

fn tuple(parts: &TupleParts) -> Tuple {
    let address = |bytes: &[u8; 16]| match parts.v6 {
        true => IpAddr::from(*bytes),
        false => IpAddr::from([bytes[0], bytes[1], bytes[2], bytes[3]]),
    };
    let l4proto = L4Proto(parts.l4proto);
    let (source, destination) = (address(&parts.source), address(&parts.destination));
    let tuple = Tuple::new(source, destination, l4proto).expect("one family");
    let [[a, b], [c, d]] = parts.words;
    let tuple = match parts.l4proto {
        6 | 17 | 132 | 47 => {
            tuple.with_ports(u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]))
        }
        1 | 58 => tuple.with_icmp(Icmp {
            id: u16::from_be_bytes([a, b]),
            kind: c,
            code: d,
        }),
        _ => tuple,
    };
    match parts.zone {
        Some(zone) => tuple.with_zone(zone),
        None => tuple,
    }
}

/// What counts of a tuple: family, protocol, addresses, the two words, the zone.
fn tuple_bytes(tuple: &Tuple) -> Vec<u8> {
    let mut bytes = vec![tuple.l3proto().0, tuple.l4proto().0];
    match (tuple.source(), tuple.destination()) {
        (IpAddr::V4(source), IpAddr::V4(destination)) => {
            bytes.extend([source.octets(), destination.octets()].concat());
        }
        (IpAddr::V6(source), IpAddr::V6(destination)) if tuple.l3proto() == L3Proto::IPV6 => {
            bytes.extend([source.octets(), destination.octets()].concat());
        }
        _ => {}
    }
    if let Some((source, destination)) = tuple.ports().or(tuple.keys()) {
        bytes.extend([source.to_be_bytes(), destination.to_be_bytes()].concat());
    }
    if let Some(Icmp { kind, code, id }) = tuple.icmp() {
        bytes.extend(id.to_be_bytes());
        bytes.extend([kind, code]);
    }
    bytes.extend(tuple.zone().map(u16::to_ne_bytes).into_iter().flatten());
    bytes
}

/// A text as C gives it; `None` where C refuses to write it.
fn write(text: Text<'_>) -> Outcome {
    let mut buffer = vec![0x7f; 8192];
    let len = text.snprintf(&mut buffer).ok();
    Outcome::Text(len.map(|len| {
        assert_eq!(buffer[len], 0);
        buffer[..len].escape_ascii().to_string()
    }))
}
