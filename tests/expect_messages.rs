//! Expectations against recorded messages, and from object to message and back.

mod common;

use std::net::IpAddr;

use common::vectors::{self, Attribute, Value};
use netfilter_conntrack::expect::ExpectValue;
use netfilter_conntrack::netlink::{Attrs, Message};
use netfilter_conntrack::nfnetlink::Nfgenmsg;
use netfilter_conntrack::{
    CompareFlags, Direction, Event, EventKind, Expect, ExpectAttr, ExpectNat, ExpectQuery,
    ExpectRef, L3Proto, L4Proto, Tuple,
};
use proptest::option;
use proptest::prelude::*;

fn attr(name: &str) -> ExpectAttr {
    let found = ExpectAttr::all().find(|attr| name == format!("ATTR_EXP_{}", attr.name()));
    found.unwrap_or_else(|| panic!("no attribute {name}"))
}

/// The tuple that is described by its attributes.
fn tuple(attributes: &[Attribute]) -> Tuple {
    let bytes = |name: &str| {
        let found = attributes.iter().find(|(own, _)| own == name);
        found
            .and_then(|(_, value)| value.memory())
            .unwrap_or_else(|| panic!("no {name}"))
    };
    let address = |name: &str| -> IpAddr { <[u8; 4]>::try_from(bytes(name)).unwrap().into() };
    let port = |name: &str| u16::from_be_bytes(bytes(name).try_into().unwrap());
    assert_eq!(bytes("ATTR_ORIG_L3PROTO"), [2]);
    assert_eq!(attributes.len(), 6, "{attributes:?}");
    let l4proto = L4Proto(bytes("ATTR_ORIG_L4PROTO")[0]);
    let (source, destination) = (address("ATTR_ORIG_IPV4_SRC"), address("ATTR_ORIG_IPV4_DST"));
    let tuple = Tuple::new(source, destination, l4proto).unwrap();
    tuple.with_ports(port("ATTR_ORIG_PORT_SRC"), port("ATTR_ORIG_PORT_DST"))
}

/// Asserts that an expectation has just these attributes.
fn assert_has(expect: &Expect, attributes: &[Attribute]) {
    for (name, value) in attributes {
        let found = expect.attr(attr(name));
        let wanted = match value {
            Value::U16(value) => ExpectValue::U16(*value),
            Value::U32(value) => ExpectValue::U32(*value),
            Value::Text(text) => ExpectValue::Text(text.as_bytes()),
            Value::Object(parts) => ExpectValue::Tuple(tuple(parts)),
            other => panic!("{name} is {other:?}"),
        };
        assert_eq!(found, Some(wanted), "{name}");
    }
    assert_eq!(expect.attrs().count(), attributes.len());
}

fn view(bytes: &[u8]) -> ExpectRef<'_> {
    ExpectRef::parse(&Message::parse(bytes).unwrap()).unwrap()
}

/// All getters of a view give what those of the owned expectation give.
fn assert_same(view: ExpectRef<'_>, owned: &Expect) {
    assert_eq!(view.master(), owned.master());
    assert_eq!(view.expected(), owned.expected());
    assert_eq!(view.mask(), owned.mask());
    assert_eq!(view.timeout(), owned.timeout());
    assert_eq!(view.zone(), owned.zone());
    assert_eq!(view.flags(), owned.flags());
    assert_eq!(view.helper(), owned.helper());
    assert_eq!(view.class(), owned.class());
    assert_eq!(view.nat(), owned.nat());
    assert_eq!(view.fn_name(), owned.fn_name());
    assert_eq!(view.id(), owned.id());
    assert_eq!(format!("{view:?}"), format!("{owned:?}"));
}

#[test]
fn recorded_messages_are_decoded() {
    let mut decoded = 0;
    for vector in vectors::all().iter().filter(|v| v.name.contains("-exp-")) {
        let Some(attributes) = vector.parsed() else {
            continue;
        };
        let view = view(&vector.bytes);
        let owned = view.to_owned().unwrap();
        assert_has(&owned, &attributes);
        assert_same(view, &owned);
        // Captured ones all have an id, which the C library drops.
        assert!(owned.id().is_some(), "{}", vector.name);
        let event = Event::parse(Message::parse(&vector.bytes).unwrap())
            .unwrap()
            .unwrap();
        let kind = match vector.callback().unwrap() {
            "NEW" => EventKind::New,
            "UPDATE" => EventKind::Update,
            "DESTROY" => EventKind::Destroy,
            other => panic!("{other}"),
        };
        assert_eq!((event.kind(), event.conntrack().is_none()), (kind, true));
        assert_eq!(event.steal_expect().unwrap().unwrap().id(), owned.id());
        assert!(event.steal().unwrap().is_none());
        decoded += 1;
    }
    assert_eq!(decoded, 4);
}

#[test]
fn long_function_names_are_cut() {
    let vector = vectors::get("s05");
    let name = view(&vector.bytes).fn_name().unwrap().to_owned();
    assert_eq!(name.len(), 23);
    assert_eq!(
        view(&vector.bytes).to_owned().unwrap().fn_name(),
        Some(&*name)
    );
}

#[test]
fn wrong_lengths_and_cuts_are_errors_or_less() {
    let vector = vectors::get("k21");
    let whole = view(&vector.bytes).to_owned().unwrap();
    for len in 20..vector.bytes.len() {
        let mut bytes = vector.bytes[..len].to_vec();
        bytes[..4].copy_from_slice(&u32::try_from(len).unwrap().to_ne_bytes());
        let message = Message::parse(&bytes).unwrap();
        if let Ok(part) = ExpectRef::parse(&message).and_then(|view| view.to_owned()) {
            assert!(part.attrs().count() < whole.attrs().count() || len + 3 >= vector.bytes.len());
        }
    }
    for (kind, name, payload) in [
        (4u16, "CTA_EXPECT_TIMEOUT", &[1u8, 2][..]),
        (5, "CTA_EXPECT_ID", &[0; 8]),
        (6, "CTA_EXPECT_HELP_NAME", &[]),
        (7, "CTA_EXPECT_ZONE", &[0; 4]),
        (8, "CTA_EXPECT_FLAGS", &[0; 3]),
        (9, "CTA_EXPECT_CLASS", &[]),
        (11, "CTA_EXPECT_FN", &[]),
    ] {
        let len = u16::try_from(4 + payload.len()).unwrap();
        let bytes = [&len.to_ne_bytes()[..], &kind.to_ne_bytes(), payload].concat();
        let decoded =
            ExpectRef::from_attributes(&bytes, L3Proto::IPV4).and_then(|view| view.check());
        assert!(decoded.unwrap_err().to_string().starts_with(name), "{name}");
    }
}

#[test]
fn each_tuple_has_its_own_family() {
    // A tuple alone: CTA_EXPECT_TUPLE with an empty CTA_TUPLE_IP.
    let bytes = [8u16, 2 | 0x8000, 4, 1 | 0x8000]
        .map(u16::to_ne_bytes)
        .concat();
    let view = ExpectRef::from_attributes(&bytes, L3Proto::IPV6).unwrap();
    let owned = view.to_owned().unwrap();
    assert!(owned.attrs().eq([ExpectAttr::Expected]));
    assert_eq!(owned.expected().unwrap().l3proto(), L3Proto::IPV6);
    assert_eq!((owned.mask(), owned.master()), (None, None));
}

#[test]
fn tuples_of_no_family_are_refused() {
    // CTA_EXPECT_MASTER, CTA_EXPECT_TUPLE and CTA_EXPECT_MASK, with nothing in them.
    for kind in [1u16, 2, 3] {
        let bytes = [4, kind].map(u16::to_ne_bytes).concat();
        let view = ExpectRef::from_attributes(&bytes, L3Proto(7)).unwrap();
        let expect = view.to_owned().unwrap();
        assert_eq!(expect.attrs().count(), 1);
        let mut buffer = vec![1, 2, 3, 4];
        let error = ExpectQuery::Create(&expect)
            .encode(0, &mut buffer)
            .unwrap_err();
        assert_eq!((error.errno(), buffer), (libc::EINVAL, vec![1, 2, 3, 4]));
    }
}

/// The expectation that `b19` was built from.
fn built() -> (Expect, Vec<u8>) {
    let vector = vectors::get("b19");
    let (query, attributes) = vector.built_from().unwrap();
    assert_eq!(query, "NFCT_Q_CREATE");
    let mut expect = Expect::new();
    for (name, value) in &attributes {
        let parts;
        let value = match value {
            Value::U16(value) => ExpectValue::U16(*value),
            Value::U32(value) => ExpectValue::U32(*value),
            Value::Text(text) => ExpectValue::Text(text.as_bytes()),
            Value::Object(object) => {
                parts = tuple(object);
                ExpectValue::Tuple(parts)
            }
            other => panic!("{other:?}"),
        };
        expect.set_attr(attr(name), value).unwrap();
    }
    (expect, vector.bytes)
}

fn request(query: ExpectQuery<'_>) -> Vec<u8> {
    let mut buffer = Vec::new();
    query.encode(0, &mut buffer).unwrap();
    buffer
}

fn kinds(bytes: &[u8]) -> Vec<u16> {
    let message = Message::parse(bytes).unwrap();
    let (_, attributes) = Nfgenmsg::split(&message).unwrap();
    Attrs::new(attributes)
        .map(|attr| attr.unwrap().kind())
        .collect()
}

#[test]
fn requests_are_those_of_c_with_class_and_function_added() {
    let (mut expect, c) = built();
    let ours = request(ExpectQuery::Create(&expect));
    assert_eq!(ours[4..c.len()], c[4..]);
    let (class, fn_name) = (9, 11);
    let added = [class, fn_name];
    assert!(kinds(&ours).ends_with(&added));
    assert_eq!(kinds(&ours).len(), kinds(&c).len() + added.len());
    expect.unset(ExpectAttr::Class);
    expect.unset(ExpectAttr::Fn);
    assert_eq!(request(ExpectQuery::Create(&expect)), c);
    let dump = ExpectQuery::Dump(L3Proto::IPV6);
    assert_eq!(request(dump), vectors::get("b20").bytes);
}

#[test]
fn headers_say_what_is_asked() {
    let (expect, _) = built();
    let family = L3Proto::IPV4;
    for (query, kind, flags) in [
        (ExpectQuery::Create(&expect), 0x200, 0x605),
        (ExpectQuery::CreateUpdate(&expect), 0x200, 0x405),
        (ExpectQuery::Update(&expect), 0x200, 0x005),
        (ExpectQuery::Get(&expect), 0x201, 0x005),
        (ExpectQuery::Destroy(&expect), 0x202, 0x005),
        (ExpectQuery::Flush(family), 0x202, 0x005),
        (ExpectQuery::Dump(family), 0x201, 0x301),
    ] {
        let bytes = request(query);
        let message = Message::parse(&bytes).unwrap();
        assert_eq!(
            (message.kind(), message.flags().bits()),
            (kind, flags),
            "{query:?}"
        );
        assert_eq!(
            Nfgenmsg::split(&message).unwrap().0,
            Nfgenmsg::family(family)
        );
    }
}

#[test]
fn only_a_key_finds_or_deletes() {
    let (mut expect, _) = built();
    expect.set_id(9);
    let (tuple, id, helper, zone) = (2, 5, 6, 7);
    assert_eq!(
        kinds(&request(ExpectQuery::Get(&expect))),
        [tuple, zone, id]
    );
    assert_eq!(
        kinds(&request(ExpectQuery::Destroy(&expect))),
        [tuple, zone, id]
    );
    expect.unset(ExpectAttr::Expected);
    assert_eq!(kinds(&request(ExpectQuery::Destroy(&expect))), [helper]);
    let mut buffer = Vec::new();
    assert!(ExpectQuery::Get(&expect).encode(0, &mut buffer).is_err());
    // To the kernel a DELETE with nothing in it is a flush.
    expect.unset(ExpectAttr::HelperName);
    assert!(
        ExpectQuery::Destroy(&expect)
            .encode(0, &mut buffer)
            .is_err()
    );
    expect.set_helper("").unwrap();
    assert!(
        ExpectQuery::Destroy(&expect)
            .encode(0, &mut buffer)
            .is_err()
    );
    assert!(buffer.is_empty());
}

prop_compose! {
    fn any_tuple(v6: bool)(
        source: [u8; 16],
        destination: [u8; 16],
        ports: (u16, u16),
        l4proto in prop_oneof![Just(6u8), Just(17), Just(132), Just(47), Just(1), Just(50)],
    ) -> Tuple {
        let address = |bytes: [u8; 16]| match v6 {
            true => IpAddr::from(bytes),
            false => IpAddr::from([bytes[0], bytes[1], bytes[2], bytes[3]]),
        };
        let l4proto = L4Proto(l4proto);
        let tuple = Tuple::new(address(source), address(destination), l4proto).unwrap();
        match l4proto {
            L4Proto(50) => tuple,
            _ => tuple.with_ports(ports.0, ports.1),
        }
    }
}

fn set(expect: &mut Expect, attr: ExpectAttr, value: Option<ExpectValue<'_>>) {
    if let Some(value) = value {
        expect.set_attr(attr, value).unwrap();
    }
}

fn any_expect() -> impl Strategy<Value = Expect> {
    let parts = any::<bool>().prop_flat_map(|v6| {
        (
            any_tuple(v6),
            [any_tuple(v6), any_tuple(v6)].map(option::of),
            option::of((any::<bool>(), any_tuple(v6))),
            any::<[Option<u32>; 3]>(),
            any::<Option<u16>>(),
            option::of("[a-z0-9-]{1,15}"),
            option::of("[a-z0-9-]{1,23}"),
        )
    });
    parts.prop_map(|(expected, tuples, nat, numbers, zone, helper, fn_name)| {
        let mut expect = Expect::new();
        // From it a request has its family.
        expect.set_expected(expected);
        let attrs = [ExpectAttr::Master, ExpectAttr::Mask];
        for (attr, tuple) in attrs.into_iter().zip(tuples) {
            set(&mut expect, attr, tuple.map(ExpectValue::Tuple));
        }
        if let Some((reply, tuple)) = nat {
            let direction = if reply {
                Direction::Reply
            } else {
                Direction::Original
            };
            expect.set_nat(ExpectNat { direction, tuple });
        }
        let attrs = [ExpectAttr::Timeout, ExpectAttr::Class, ExpectAttr::Flags];
        for (attr, number) in attrs.into_iter().zip(numbers) {
            set(&mut expect, attr, number.map(ExpectValue::U32));
        }
        set(&mut expect, ExpectAttr::Zone, zone.map(ExpectValue::U16));
        let names = [(ExpectAttr::HelperName, helper), (ExpectAttr::Fn, fn_name)];
        for (attr, name) in &names {
            let name = name.as_ref().map(|name| ExpectValue::Text(name.as_bytes()));
            set(&mut expect, *attr, name);
        }
        expect
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_encoded_is_decoded(expect in any_expect()) {
        let bytes = request(ExpectQuery::Create(&expect));
        let view = view(&bytes);
        let back = view.to_owned().unwrap();
        prop_assert_eq!(format!("{back:?}"), format!("{expect:?}"));
        let all = CompareFlags::MASK | CompareFlags::STRICT;
        prop_assert!(back.compare_with(&expect, all));
        assert_same(view, &back);
        let mut reused = expect;
        view.decode_into(&mut reused).unwrap();
        prop_assert_eq!(format!("{reused:?}"), format!("{expect:?}"));
    }

    #[test]
    fn no_bytes_are_too_much(bytes: Vec<u8>, family: u8) {
        let family = L3Proto(family);
        if let Ok(view) = ExpectRef::from_attributes(&bytes, family) {
            let _malformed = view.check();
            let _text = format!("{view:?} {:?} {:?}", view.nat(), view.fn_name());
        }
    }
}
