//! The recorded messages against the netlink layer, and against what is noted
//! about them.

mod common;

use std::collections::BTreeSet;
use std::fs;

use common::vectors::{self, Value, Vector, number};
use netfilter_conntrack::netlink::{Attrs, Control, Header, Message, Messages};
use netfilter_conntrack::nfnetlink::{L3Proto, Nfgenmsg, Subsystem};
use serde_json::Value as Json;

fn only_message(vector: &Vector) -> Message<'_> {
    let mut messages = Messages::new(&vector.bytes);
    let first = messages.next().expect("a message").expect("a whole one");
    assert!(messages.next().is_none(), "{}", vector.name);
    first
}

fn is_about(header: Header, expected: &Json) -> bool {
    let whole = |field: &str| number::<u32>(&expected[field]);
    (header.len, header.seq, header.port) == (whole("len"), whole("seq"), whole("pid"))
        && header.kind == number::<u16>(&expected["type"])
        && header.flags.bits() == number::<u16>(&expected["flags"])
}

#[test]
fn every_file_is_described_once() {
    let entries = fs::read_dir(vectors::directory()).expect("the directory");
    let files: BTreeSet<_> = entries
        .filter_map(|entry| entry.expect("an entry").file_name().into_string().ok())
        .filter_map(|file| file.strip_suffix(".hex").map(str::to_owned))
        .collect();
    let described: Vec<_> = vectors::all().into_iter().map(|v| v.name).collect();
    assert_eq!(described.iter().cloned().collect::<BTreeSet<_>>(), files);
    assert_eq!(described.len(), files.len());
}

#[test]
fn headers_are_as_noted() {
    for vector in vectors::all() {
        let expected = &vector.expected;
        if expected.get("datagram").is_some() {
            continue;
        }
        let message = only_message(&vector);
        assert!(
            is_about(message.header(), &expected["header"]),
            "{}: {:?}",
            vector.name,
            message.header()
        );
        let Some(family) = expected.get("family") else {
            assert!(message.control().is_some(), "{}", vector.name);
            continue;
        };
        let (header, _) = Nfgenmsg::split(&message).expect("nfgenmsg");
        assert_eq!(header.family, L3Proto(number(family)), "{}", vector.name);
        let (subsystem, _) = Subsystem::split(message.kind());
        let is_expectation = vector.name.contains("-exp-");
        assert_eq!(subsystem == Subsystem::EXPECT, is_expectation);
        assert_eq!(subsystem == Subsystem::CONNTRACK, !is_expectation);
    }
}

#[test]
fn attributes_fill_all_messages_but_the_damaged_one() {
    for vector in vectors::all() {
        for message in Messages::new(&vector.bytes) {
            let message = message.expect("a whole message");
            if message.control().is_some() {
                continue;
            }
            let (_, attributes) = Nfgenmsg::split(&message).expect("nfgenmsg");
            let is_whole = Attrs::new(attributes).all(|attribute| attribute.is_ok());
            assert_eq!(is_whole, vector.name != "s03-truncated-attr");
        }
    }
}

#[test]
fn a_datagram_has_the_messages_noted() {
    let vector = vectors::get("k29");
    let noted = vector.expected["datagram"].as_array().expect("a list");
    let mut messages = Messages::new(&vector.bytes);
    let mut offset = 0;
    for expected in noted {
        assert_eq!(offset, number::<usize>(&expected["offset"]));
        let message = messages.next().expect("a message").expect("a whole one");
        let len = number::<usize>(&expected["len"]);
        assert_eq!(message.as_bytes().len(), len);
        let (header, _) = Nfgenmsg::split(&message).expect("nfgenmsg");
        assert_eq!(header.family, L3Proto(number(&expected["family"])));
        offset += len;
    }
    assert!(messages.next().is_none());
    assert_eq!(offset, vector.bytes.len());
}

#[test]
fn control_messages_say_what_is_noted() {
    let control = |name| only_message_control(&vectors::get(name));
    assert_eq!(control("k25-ack"), (0, None, None));
    assert_eq!(control("k26-error-enoent"), (libc::ENOENT, None, None));
    let text = "Attribute failed policy validation".to_owned();
    let with_text = (libc::ERANGE, Some(text), Some(20));
    assert_eq!(control("k27-error-extack"), with_text);
    let done = vectors::get("k28-done");
    let message = only_message(&done);
    assert!(matches!(message.control(), Some(Control::Done(0, _))));
}

/// The errno of an acknowledgement or error with its text and offset, which are
/// compared with the notes as well.
fn only_message_control(vector: &Vector) -> (i32, Option<String>, Option<u32>) {
    let (errno, extended) = match only_message(vector).control() {
        Some(Control::Ack(extended)) => (0, extended),
        Some(Control::Error(errno, extended)) => (errno, extended),
        other => panic!("{}: {other:?}", vector.name),
    };
    let text = extended
        .message
        .map(|text| String::from_utf8_lossy(text).into_owned());
    let noted = &vector.expected["control"];
    assert_eq!(errno, number::<i32>(&noted["errno"]));
    assert_eq!(text.as_deref(), noted["message"].as_str());
    assert_eq!(extended.offset.map(u64::from), noted["offset"].as_u64());
    let request = Header::read(&only_message(vector).payload()[4..]).expect("a header");
    assert!(is_about(request, &noted["request"]), "{request:?}");
    (errno, text, extended.offset)
}

#[test]
fn notes_can_be_read() {
    let vector = vectors::get("k01-dump-tcp4");
    assert_eq!(vector.callback(), Some("UPDATE"));
    let parsed = vector.parsed().expect("attributes");
    let find = |name| {
        parsed
            .iter()
            .find(|(n, _)| n == name)
            .map(|(_, v)| v.clone())
    };
    assert_eq!(
        find("ATTR_ORIG_IPV4_SRC"),
        Some(Value::Bytes(vec![10, 0, 1, 2]))
    );
    let port = find("ATTR_ORIG_PORT_SRC").expect("a port");
    assert_eq!(port.memory(), Some(40080u16.to_be_bytes().to_vec()));
    assert_eq!(find("ATTR_MARK"), Some(Value::U32(0xcafe)));
    let labels = Value::Bits {
        maxbit: 127,
        bits: vec![3, 100],
    };
    assert_eq!(find("ATTR_CONNLABELS"), Some(labels));
    assert_eq!(parsed.len(), 30);

    let built = vectors::get("b01");
    let (query, object) = built.built_from().expect("an object");
    assert_eq!((query, object.len()), ("NFCT_Q_CREATE", 9));
    let [_, _, _, _, _, _, setup, ..] = &object[..] else {
        panic!("too short");
    };
    assert_eq!(setup.1, Value::SetOption(5));
}

fn is_name(name: &str) -> bool {
    name.starts_with("ATTR_") || name.starts_with("NFCT_SOPT_")
}

/// The lists of what was set and what was found can all be understood.
#[test]
fn every_list_of_attributes_can_be_read() {
    let mut with_parse = 0;
    let mut with_object = 0;
    for vector in vectors::all() {
        let named_right = |list: &[vectors::Attribute]| {
            !list.is_empty() && list.iter().all(|(name, _)| is_name(name))
        };
        if let Some(parsed) = vector.parsed() {
            assert!(named_right(&parsed), "{}", vector.name);
            with_parse += 1;
        }
        if let Some((_, object)) = vector.built_from() {
            assert!(named_right(&object), "{}", vector.name);
            with_object += 1;
        }
    }
    assert_eq!((with_parse, with_object), (29, 12));
    for (file, cases) in [("printing.jsonl", 935), ("printing-expect.jsonl", 227)] {
        let lists = vectors::lines(file).map(|case| vectors::attributes(&case["attrs"]));
        assert_eq!(lists.count(), cases);
    }
}
