//! Attributes of a wrong length, each in its place: the error names them.

mod common;

use common::attributes::assert_agree;
use common::vectors;
use netfilter_conntrack::netlink::{Builder, Flags, Header, Message};
use netfilter_conntrack::nfnetlink::{L3Proto, Nfgenmsg, Subsystem};
use netfilter_conntrack::{Conntrack, ConntrackRef, DecodeError};

/// An attribute: the numbers of the nests it stands in and its own, its name,
/// and the only length its payload may have.
type Fixed = (&'static [u16], &'static str, usize);

/// By `linux/netfilter/nfnetlink_conntrack.h` of Linux 6.18.
#[rustfmt::skip]
const FIXED: &[Fixed] = &[
    (&[3], "CTA_STATUS", 4),
    (&[7], "CTA_TIMEOUT", 4),
    (&[8], "CTA_MARK", 4),
    (&[11], "CTA_USE", 4),
    (&[12], "CTA_ID", 4),
    (&[17], "CTA_SECMARK", 4),
    (&[18], "CTA_ZONE", 2),
    (&[27], "CTA_TIMESTAMP_EVENT", 8),
    (&[1, 1, 1], "CTA_IP_V4_SRC", 4),
    (&[1, 1, 2], "CTA_IP_V4_DST", 4),
    (&[2, 1, 3], "CTA_IP_V6_SRC", 16),
    (&[2, 1, 4], "CTA_IP_V6_DST", 16),
    (&[1, 2, 1], "CTA_PROTO_NUM", 1),
    (&[14, 2, 2], "CTA_PROTO_SRC_PORT", 2),
    (&[14, 2, 3], "CTA_PROTO_DST_PORT", 2),
    (&[1, 2, 4], "CTA_PROTO_ICMP_ID", 2),
    (&[1, 2, 5], "CTA_PROTO_ICMP_TYPE", 1),
    (&[1, 2, 6], "CTA_PROTO_ICMP_CODE", 1),
    (&[1, 2, 7], "CTA_PROTO_ICMPV6_ID", 2),
    (&[1, 2, 8], "CTA_PROTO_ICMPV6_TYPE", 1),
    (&[1, 2, 9], "CTA_PROTO_ICMPV6_CODE", 1),
    (&[2, 3], "CTA_TUPLE_ZONE", 2),
    (&[14, 3], "CTA_TUPLE_ZONE", 2),
    (&[4, 1, 1], "CTA_PROTOINFO_TCP_STATE", 1),
    (&[4, 1, 2], "CTA_PROTOINFO_TCP_WSCALE_ORIGINAL", 1),
    (&[4, 1, 3], "CTA_PROTOINFO_TCP_WSCALE_REPLY", 1),
    (&[4, 1, 4], "CTA_PROTOINFO_TCP_FLAGS_ORIGINAL", 2),
    (&[4, 1, 5], "CTA_PROTOINFO_TCP_FLAGS_REPLY", 2),
    (&[4, 2, 1], "CTA_PROTOINFO_DCCP_STATE", 1),
    (&[4, 2, 2], "CTA_PROTOINFO_DCCP_ROLE", 1),
    (&[4, 2, 3], "CTA_PROTOINFO_DCCP_HANDSHAKE_SEQ", 8),
    (&[4, 3, 1], "CTA_PROTOINFO_SCTP_STATE", 1),
    (&[4, 3, 2], "CTA_PROTOINFO_SCTP_VTAG_ORIGINAL", 4),
    (&[4, 3, 3], "CTA_PROTOINFO_SCTP_VTAG_REPLY", 4),
    (&[9, 1], "CTA_COUNTERS_PACKETS", 8),
    (&[10, 2], "CTA_COUNTERS_BYTES", 8),
    (&[9, 3], "CTA_COUNTERS32_PACKETS", 4),
    (&[10, 4], "CTA_COUNTERS32_BYTES", 4),
    (&[15, 1], "CTA_SEQADJ_CORRECTION_POS", 4),
    (&[16, 2], "CTA_SEQADJ_OFFSET_BEFORE", 4),
    (&[16, 3], "CTA_SEQADJ_OFFSET_AFTER", 4),
    (&[20, 1], "CTA_TIMESTAMP_START", 8),
    (&[20, 2], "CTA_TIMESTAMP_STOP", 8),
    (&[24, 1], "CTA_SYNPROXY_ISN", 4),
    (&[24, 2], "CTA_SYNPROXY_ITS", 4),
    (&[24, 3], "CTA_SYNPROXY_TSOFF", 4),
];

/// A message with the attributes that `fill` puts.
fn message(fill: impl FnOnce(&mut Builder<'_>)) -> Vec<u8> {
    let mut buffer = Vec::new();
    let header = Header::request(Subsystem::CONNTRACK.message_type(0), Flags::empty());
    let mut message = Nfgenmsg::family(L3Proto::IPV4).start(&mut buffer, header);
    fill(&mut message);
    message.finish().expect("short attributes");
    buffer
}

/// An attribute with `payload` at the end of the path.
fn put(message: &mut Builder<'_>, path: &[u16], payload: &[u8]) {
    match path {
        [kind] => message.put(*kind, payload),
        [nest, inside @ ..] => message.nest(*nest, |nest| put(nest, inside, payload)),
        [] => {}
    }
}

fn decode(bytes: &[u8]) -> Result<Conntrack, DecodeError> {
    let view = ConntrackRef::parse(&Message::parse(bytes).expect("a message"))?;
    let entry = view.to_owned();
    // Getters of a view give no errors, but they end, and never panic.
    if let Ok(entry) = &entry {
        assert_agree(&view, entry);
    }
    let _text = format!("{view:?}");
    entry
}

#[test]
fn attributes_of_a_fixed_length_have_no_other() {
    for &(path, attribute, fixed) in FIXED {
        for len in 0..=20 {
            let bytes = message(|message| put(message, path, &[1; 20][..len]));
            let is_padding = attribute == "CTA_STATUS" && len == 0;
            let expected = match len == fixed || is_padding {
                true => None,
                false => Some(DecodeError::Length { attribute, len }),
            };
            assert_eq!(decode(&bytes).err(), expected);
        }
    }
}

#[test]
fn every_attribute_of_the_headers_is_in_the_table_or_of_any_length() {
    /// Highest number of each space: the message, then its nests.
    const SPACES: &[(&[u16], u16)] = &[
        (&[], 27),
        (&[1], 3),
        (&[1, 1], 4),
        (&[1, 2], 9),
        (&[4], 3),
        (&[4, 1], 5),
        (&[4, 2], 4),
        (&[4, 3], 3),
        (&[9], 5),
        (&[15], 3),
        (&[20], 3),
        (&[24], 3),
    ];
    /// Nests, which an odd length damages, and nests of nests.
    const NESTS: &[&[u16]] = &[
        &[1],
        &[2],
        &[14],
        &[1, 1],
        &[1, 2],
        &[4],
        &[4, 1],
        &[4, 2],
        &[4, 3],
        &[5],
        &[9],
        &[10],
        &[15],
        &[16],
        &[19],
        &[20],
        &[24],
    ];
    /// The same attributes in another direction.
    const TWINS: &[(u16, &[u16])] = &[(1, &[2, 14]), (9, &[10]), (15, &[16])];
    let in_table = |path: &[u16]| {
        FIXED.iter().any(|(fixed, ..)| {
            let twin = TWINS.iter().any(|(first, others)| {
                path[0] == *first && others.contains(&fixed[0]) && path[1..] == fixed[1..]
            });
            *fixed == path || twin
        })
    };
    for (space, highest) in SPACES {
        for kind in 0..=*highest + 2 {
            let path = [space, &[kind][..]].concat();
            // An odd length that says "attribute of 65535 bytes" where nested.
            let bytes = message(|message| put(message, &path, &[0xff; 5]));
            let is_checked = in_table(&path) || NESTS.contains(&&path[..]);
            assert_eq!(decode(&bytes).is_err(), is_checked, "{path:?}");
        }
    }
}

#[test]
fn bad_lengths_inside_nests_name_the_nest() {
    const NESTS: &[(&[u16], &str)] = &[
        (&[1], "a tuple"),
        (&[2, 1], "CTA_TUPLE_IP"),
        (&[14, 2], "CTA_TUPLE_PROTO"),
        (&[4], "CTA_PROTOINFO"),
        (&[4, 1], "CTA_PROTOINFO_TCP"),
        (&[4, 2], "CTA_PROTOINFO_DCCP"),
        (&[4, 3], "CTA_PROTOINFO_SCTP"),
        (&[5], "CTA_HELP"),
        (&[9], "CTA_COUNTERS"),
        (&[15], "CTA_SEQ_ADJ"),
        (&[19], "CTA_SECCTX"),
        (&[20], "CTA_TIMESTAMP"),
        (&[24], "CTA_SYNPROXY"),
    ];
    for (path, name) in NESTS {
        for claimed in [0u16, 3, 9, u16::MAX] {
            let [low, high] = claimed.to_ne_bytes();
            // An unknown attribute: its length is checked all the same.
            let bytes = message(|message| put(message, path, &[low, high, 99, 0, 0, 0, 0, 0]));
            let error = decode(&bytes).expect_err("a bad length");
            let DecodeError::Attribute(place, error) = error else {
                panic!("{path:?}: {error}");
            };
            assert_eq!((place, error.kind, error.len), (*name, 99, claimed));
        }
    }
}

/// `CTA_HELP_NAME` and `CTA_SECCTX_NAME` without their NUL, or without anything.
#[test]
fn strings_end_at_their_nul_or_with_the_attribute() {
    let helper = |name: &[u8]| decode(&message(|message| put(message, &[5, 1], name)));
    let name = |entry: Conntrack| entry.helper().map(str::to_owned);
    assert_eq!(name(helper(b"ftp").expect("fine")).as_deref(), Some("ftp"));
    assert_eq!(
        name(helper(b"ftp\0x").expect("fine")).as_deref(),
        Some("ftp")
    );
    assert_eq!(name(helper(b"\0").expect("fine")).as_deref(), Some(""));
    let long = helper(b"a-name-of-more-than-15-bytes\0").expect("fine");
    assert_eq!(long.helper(), Some("a-name-of-more-"));
    assert_eq!(helper(b"\xff\0").expect("fine").helper(), None);
    let empty = helper(b"").expect_err("no NUL");
    assert!(empty.to_string().contains("CTA_HELP_NAME"), "{empty}");

    let context = |text: &[u8]| decode(&message(|message| put(message, &[19, 1], text)));
    let entry = context(b"system_u:object_r:unlabeled_t:s0").expect("fine");
    assert_eq!(entry.secctx(), Some("system_u:object_r:unlabeled_t:s0"));
    let empty = context(b"").expect_err("no NUL");
    assert!(empty.to_string().contains("CTA_SECCTX_NAME"), "{empty}");
}

#[test]
fn a_helper_without_a_name_is_none() {
    let bytes = message(|message| put(message, &[5, 2], b"private data"));
    let entry = decode(&bytes).expect("fine");
    assert_eq!((entry.attrs().count(), entry.helper_info()), (0, None));
}

#[test]
fn labels_are_cut_at_no_length_but_a_senseless_one() {
    let labels = |len| decode(&message(|message| message.put(22, &vec![0x80; len])));
    let max_bit = |entry: Conntrack| entry.labels().map(|labels| labels.max_bit());
    assert_eq!(max_bit(labels(0).expect("fine")), None);
    assert_eq!(max_bit(labels(1).expect("fine")), Some(31));
    assert_eq!(max_bit(labels(5).expect("fine")), Some(63));
    assert_eq!(max_bit(labels(8192).expect("fine")), Some(65_535));
    let error = labels(8193).expect_err("too long");
    assert!(error.to_string().contains("CTA_LABELS"), "{error}");
}

/// Of an attribute that comes twice the last one counts, in the message and in
/// each nest; the getters of the view see it the same way.
#[test]
fn the_last_of_several_counts() {
    for &(path, name, len) in FIXED {
        let [first, last] =
            [[1; 20], [2; 20]].map(|bytes| message(|message| put(message, path, &bytes[..len])));
        let both = message(|message| {
            let (nest, kind) = path.split_at(path.len() - 1);
            let two = |message: &mut Builder<'_>| {
                message.put(kind[0], &[1; 20][..len]);
                message.put(kind[0], &[2; 20][..len]);
            };
            match nest {
                [] => two(message),
                [a] => message.nest(*a, two),
                [a, b] => message.nest(*a, |nest| nest.nest(*b, two)),
                _ => unreachable!("{path:?}"),
            }
        });
        let text = |bytes: &[u8]| format!("{:?}", decode(bytes).expect("well-formed"));
        assert_eq!(text(&both), text(&last), "{name}");
        let has_no_attribute = path == [14, 3];
        assert_eq!(text(&both) == text(&first), has_no_attribute, "{name}");
    }
}

#[test]
fn a_message_too_short_for_its_family_is_an_error() {
    for len in 16..20u32 {
        let mut bytes = vectors::get("k01").bytes;
        bytes[..4].copy_from_slice(&len.to_ne_bytes());
        let message = Message::parse(&bytes).expect("a header");
        let error = ConntrackRef::parse(&message).expect_err("no nfgenmsg");
        assert_eq!(error, DecodeError::Short { header: "nfgenmsg" });
    }
}
