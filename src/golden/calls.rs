//! Entries and expectations made by calls of the C library that are listed.

use serde_json::Value as Json;

use crate::conntrack::{Attr, Bitmask, Conntrack, ConntrackRef};
use crate::expect::{Expect, ExpectAttr, ExpectRef};
use crate::netlink::Message;
use crate::nfnetlink::L3Proto;

use super::until_nul;

/// An entry made by these calls.
pub(crate) fn entry(calls: &Json) -> Conntrack {
    let mut entry = Conntrack::new();
    for call in calls.as_array().unwrap() {
        let (name, setter, value) = (&call[0], call[1].as_str().unwrap(), &call[2]);
        match setter {
            "payload" => parse_payload(&mut entry, value),
            "setobjopt" => {
                assert_eq!(value, 5);
                entry.setup_reply();
            }
            _ => call_setter(&mut entry, attr(name), setter, value),
        }
    }
    entry
}

/// An expectation made by these calls.
pub(crate) fn expect(calls: &Json) -> Expect {
    let mut expect = Expect::new();
    for call in calls.as_array().unwrap() {
        let (name, setter, value) = (&call[0], call[1].as_str().unwrap(), &call[2]);
        if setter == "nlmsg" {
            let bytes = bytes(value);
            let message = Message::parse(&bytes).unwrap();
            ExpectRef::parse(&message)
                .unwrap()
                .merge_into(&mut expect)
                .unwrap();
            continue;
        }
        let attr = expect_attr(name);
        match setter {
            "ct" => expect.store_head(attr, &entry(value).head),
            "u16" => expect.store(attr, &number(value)[..2]),
            "u32" => expect.store(attr, &number(value)[..4]),
            "string" => expect.store(attr, value.as_str().unwrap().as_bytes()),
            "bytes" => expect.store(attr, until_nul(&bytes(value))),
            "unset" => expect.unset(attr),
            _ => panic!("the setter {setter}"),
        }
    }
    expect
}

fn expect_attr(name: &Json) -> ExpectAttr {
    let name = name.as_str().unwrap().strip_prefix("ATTR_EXP_").unwrap();
    let named = |attr: &ExpectAttr| attr.name() == name;
    ExpectAttr::all().find(named).unwrap()
}

fn attr(name: &Json) -> Attr {
    let name = name.as_str().unwrap().strip_prefix("ATTR_").unwrap();
    let named = |attr: &Attr| attr.name() == name;
    Attr::ALL.into_iter().find(named).unwrap()
}

fn call_setter(entry: &mut Conntrack, attr: Attr, setter: &str, value: &Json) {
    match setter {
        "u8" => entry.store(attr, &number(value)[..1]),
        "u16" => entry.store(attr, &number(value)[..2]),
        "u32" => entry.store(attr, &number(value)[..4]),
        "u64" => entry.store(attr, &number(value)),
        "bytes" | "bytes_l" => entry.store(attr, &bytes(value)),
        "string" => entry.store(attr, value.as_str().unwrap().as_bytes()),
        "unset" => entry.unset(attr),
        "bitmask" => {
            let max_bit = value["maxbit"].as_u64().unwrap();
            let mut mask = Bitmask::new(max_bit as u32).unwrap();
            for bit in value["bits"].as_array().unwrap() {
                mask.set(bit.as_u64().unwrap() as u32);
            }
            *entry.label_field_mut(attr) = Some(Box::new(mask));
            entry.head.set.insert(attr);
        }
        _ => panic!("the setter {setter}"),
    }
}

/// A number as it stands in memory; the cases are those of a little-endian machine.
fn number(value: &Json) -> [u8; 8] {
    value.as_u64().unwrap().to_le_bytes()
}

/// The bytes of a string of hexadecimal digits.
pub(crate) fn bytes(hex: &Json) -> Vec<u8> {
    let digits = hex.as_str().unwrap().as_bytes().chunks(2);
    let byte = |pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    digits.map(byte).collect()
}

fn parse_payload(entry: &mut Conntrack, value: &Json) {
    let family = L3Proto(value["family"].as_u64().unwrap() as u8);
    let attributes = bytes(&value["hex"]);
    let view = ConntrackRef::from_attributes(&attributes, family).unwrap();
    view.merge_into(entry).unwrap();
}
