//! Requests: byte for byte those of libnetfilter_conntrack 1.1.1, with the
//! exceptions told here.

mod common;

use common::attributes::{build, by_name};
use common::vectors::{self, Vector, attributes, number};
use netfilter_conntrack::conntrack::{AttrValue, DccpInfo, DccpState, ProtoInfo};
use netfilter_conntrack::netlink::{Builder, Message};
use netfilter_conntrack::{
    Bitmask, Conntrack, ConntrackRef, DumpFilter, Error, L3Proto, L4Proto, Query, Status, Tuple,
};
use serde_json::Value as Json;

fn encoded(query: Query<'_>) -> Vec<u8> {
    let mut buffer = Vec::new();
    query.encode(0, &mut buffer).expect("it can be sent");
    buffer
}

fn built(name: &str) -> (Vector, Conntrack) {
    let vector = vectors::get(name);
    let (_, object) = vector.built_from().expect("an object");
    let entry = build(&object);
    (vector, entry)
}

/// Netlink header and nfgenmsg.
const HEADERS: usize = 20;

#[test]
fn entries_are_encoded_whole() {
    let mut compared = 0;
    for vector in vectors::all() {
        let Some((name, object)) = vector.built_from() else {
            continue;
        };
        if vector.name.contains("-exp-") {
            continue;
        }
        let entry = build(&object);
        let [create, update, both] = [
            Query::Create(&entry),
            Query::Update(&entry),
            Query::CreateUpdate(&entry),
        ]
        .map(encoded);
        let whole = match name {
            "NFCT_Q_CREATE" => create == vector.bytes,
            "NFCT_Q_UPDATE" => update == vector.bytes,
            "NFCT_Q_CREATE_UPDATE" => both == vector.bytes,
            // These have other headers.
            "NFCT_Q_GET" | "NFCT_Q_DESTROY" => true,
            other => panic!("{}: {other}", vector.name),
        };
        assert!(whole, "{}", vector.name);
        let mut alone = create[..HEADERS].to_vec();
        let start = alone.len();
        Builder::fragment(&mut alone, |message| {
            entry.encode_into(message).expect("an entry");
        })
        .expect("a short one");
        assert_eq!(alone[start..], create[start..]);
        for request in [create, update, both] {
            assert_eq!(
                request[HEADERS..],
                vector.bytes[HEADERS..],
                "{}",
                vector.name
            );
        }
        compared += 1;
    }
    assert_eq!(compared, 11);
}

/// GET and DELETE say which entry, and no more. The C library sends the whole
/// object there too, but never the id.
#[test]
fn keys_are_tuple_zone_and_id() {
    let (get, entry) = built("b03");
    assert_eq!(encoded(Query::Get(&entry)), get.bytes);

    let (destroy, mut entry) = built("b04");
    let key = encoded(Query::Destroy(&entry));
    let (key, whole) = (Message::parse(&key), Message::parse(&destroy.bytes));
    let (key, whole) = (key.expect("a message"), whole.expect("a message"));
    assert_eq!((key.kind(), key.flags()), (whole.kind(), whole.flags()));
    let view = ConntrackRef::parse(&key).expect("well-formed");
    assert_eq!(view.original(), entry.original());
    assert_eq!(view.original().and_then(|t| t.zone()), Some(8));
    assert_eq!(
        (view.zone(), view.id(), view.reply()),
        (Some(7), None, None)
    );

    entry.set_id(0x0102_0304).set_mark(9).set_timeout(9);
    let with_id = encoded(Query::Destroy(&entry));
    assert!(with_id.ends_with(&[8, 0, 12, 0, 1, 2, 3, 4]));
    assert_eq!(with_id.len(), key.as_bytes().len() + 8);
}

#[test]
fn an_entry_may_be_named_by_its_reply() {
    let (_, entry) = built("b01");
    let mut reply_only = Conntrack::new();
    reply_only.set_reply(entry.reply().expect("a tuple"));
    let request = encoded(Query::Get(&reply_only));
    let message = Message::parse(&request).expect("a message");
    let view = ConntrackRef::parse(&message).expect("well-formed");
    assert_eq!((view.original(), view.reply()), (None, entry.reply()));
    assert_eq!(view.l3proto(), L3Proto::IPV4);
}

#[test]
fn requests_about_a_family() {
    let bytes = |name| vectors::get(name).bytes;
    let v4 = L3Proto::IPV4;
    assert_eq!(encoded(Query::Dump(v4)), bytes("b12"));
    assert_eq!(encoded(Query::DumpReset(v4)), bytes("b13"));
    // The C library says version 0, for which the kernel flushes all families.
    let mut flush = encoded(Query::Flush(v4));
    assert_eq!(flush[HEADERS - 3], 1);
    flush[HEADERS - 3] = 0;
    assert_eq!(flush, bytes("b14"));
}

#[test]
fn filters_of_dumps_and_flushes() {
    for name in ["b15", "b16", "b17", "b18"] {
        let vector = vectors::get(name);
        let build = &vector.expected["build"];
        let filter = filter(&build["filter"]);
        let query = match build["query"].as_str() {
            Some("NFCT_Q_DUMP_FILTER") => Query::DumpFilter(&filter),
            Some("NFCT_Q_DUMP_FILTER_RESET") => Query::DumpFilterReset(&filter),
            Some("NFCT_Q_FLUSH_FILTER") => Query::FlushFilter(&filter),
            other => panic!("{name}: {other:?}"),
        };
        assert_eq!(encoded(query), vector.bytes, "{name}");
    }
}

fn filter(criteria: &Json) -> DumpFilter {
    let criteria = criteria.as_array().expect("a list");
    criteria
        .iter()
        .fold(DumpFilter::new(), |filter, criterion| {
            let value = &criterion[1];
            let bits = |which: &str| number::<u32>(&value[which]);
            let status = |which| Status::from_bits_retain(bits(which));
            match criterion[0].as_str() {
                Some("MARK") => filter.mark(bits("value"), bits("mask")),
                Some("L3NUM") => filter.family(L3Proto(number(value))),
                Some("STATUS") => filter.status(status("value"), status("mask")),
                Some("ZONE") => filter.zone(number(value)),
                Some("TUPLE") => filter.tuple(&build(&attributes(value))),
                other => panic!("{other:?}"),
            }
        })
}

/// Linux tracks no DCCP any more, so that no kernel test can cover it.
#[test]
fn dccp_comes_back_as_it_was_sent() {
    let endpoint = |text: &str| text.parse().expect("an address");
    let tuple = Tuple::between(
        endpoint("[2001:db8::1]:1"),
        endpoint("[2001:db8::2]:2"),
        L4Proto::DCCP,
    );
    let info = DccpInfo {
        state: Some(DccpState::OPEN),
        role: Some(1),
        handshake_seq: Some(0x1122_3344_5566),
    };
    let mut entry = Conntrack::flow(tuple.expect("one family"));
    entry.set_protoinfo(ProtoInfo::Dccp(info)).set_timeout(5);
    let request = encoded(Query::Create(&entry));
    let message = Message::parse(&request).expect("a message");
    let view = ConntrackRef::parse(&message).expect("well-formed");
    assert_eq!(view.protoinfo(), Some(ProtoInfo::Dccp(info)));
    let back = view.to_owned().expect("well-formed");
    assert_eq!(format!("{back:?}"), format!("{entry:?}"));
}

fn refused(query: Query<'_>) -> bool {
    let mut buffer = b"a message before".to_vec();
    let result = query.encode(1, &mut buffer);
    matches!(result, Err(Error::Invalid(_))) && buffer == b"a message before"
}

/// To the kernel a DELETE without a tuple is a flush, and an UPDATE without
/// the labels' mask a replacement of all labels.
#[test]
fn what_cannot_be_said_is_refused_and_leaves_the_buffer_alone() {
    let (_, whole) = built("b01");
    let mut masked = whole.clone();
    masked.set_labels(Bitmask::new(127).expect("a size"));
    masked.set_labels_mask(Bitmask::new(31).expect("a size"));
    let list = |family: u8| vec![("ATTR_ORIG_L3PROTO".to_owned(), vectors::Value::U8(family))];
    let foreign = [Conntrack::new(), build(&list(0)), build(&list(7))];
    for entry in &foreign {
        for query in [
            Query::Create(entry),
            Query::Update(entry),
            Query::CreateUpdate(entry),
            Query::Get(entry),
            Query::Destroy(entry),
        ] {
            assert!(refused(query), "{query:?}");
        }
        let filter = DumpFilter::new().tuple(entry);
        assert!(refused(Query::DumpFilter(&filter)), "{filter:?}");
        assert!(refused(Query::FlushFilter(&filter)), "{filter:?}");
    }
    assert!(refused(Query::Update(&masked)));
    let two_families = DumpFilter::new().family(L3Proto::IPV6).tuple(&whole);
    assert!(refused(Query::DumpFilter(&two_families)));
    // A reply or master tuple of no family would be left out, and so another
    // entry made than was asked for.
    for half in ["ATTR_REPL_PORT_SRC", "ATTR_MASTER_PORT_SRC"] {
        let mut entry = Conntrack::new();
        entry.set_original(whole.original().expect("a tuple"));
        let port = AttrValue::U16(1);
        let attr = by_name(half);
        entry.set_attr(attr, port).expect("a port");
        assert!(refused(Query::Create(&entry)), "{half}");
    }
}

/// Requests have no size of their own that could be exceeded, attributes have.
#[test]
fn large_entries_are_encoded_or_refused() {
    let (vector, mut entry) = built("b01");
    let mut labels = Bitmask::new(Bitmask::MAX_BIT).expect("a size");
    labels.set(Bitmask::MAX_BIT);
    entry.set_labels(labels.clone()).set_labels_mask(labels);
    let request = encoded(Query::Create(&entry));
    assert_eq!(request.len(), vector.bytes.len() + 2 * (4 + 8192));
    entry.set_helper("ftp").expect("a name");
    entry.set_helper_info(&[7; 65_000]);
    let long = encoded(Query::Create(&entry));
    let message = Message::parse(&long).expect("a message");
    let view = ConntrackRef::parse(&message).expect("well-formed");
    assert_eq!(view.helper_info(), Some(&[7; 65_000][..]));
    entry.set_helper_info(&[7; 65_536]);
    assert!(refused(Query::Create(&entry)));
}
