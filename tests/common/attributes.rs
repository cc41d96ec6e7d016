//! Entries by attribute: built from lists of attributes, and compared with them.

use netfilter_conntrack::conntrack::AttrValue;
use netfilter_conntrack::{Attr, Bitmask, Conntrack, ConntrackRef, Direction};

use super::vectors::{Attribute, Value};

/// The attribute with this name, such as `ATTR_MARK`.
pub(crate) fn by_name(name: &str) -> Attr {
    Attr::ALL
        .into_iter()
        .find(|attr| name.strip_prefix("ATTR_") == Some(attr.name()))
        .unwrap_or_else(|| panic!("no attribute {name}"))
}

/// Asserts that `entry` has these attributes with these values, and no others.
pub(crate) fn assert_has_only(entry: &Conntrack, expected: &[Attribute], about: &str) {
    let names = expected.iter().map(|(name, _)| by_name(name));
    assert!(entry.attrs().eq(names), "{about}: {entry:?}");
    for (name, value) in expected {
        let found = entry.attr(by_name(name)).expect("it is there");
        assert!(is(found, value), "{about}: {name} is {found:?}");
    }
}

/// Whether an attribute's value is the one noted.
fn is(found: AttrValue<'_>, noted: &Value) -> bool {
    match (found, noted) {
        (AttrValue::U8(found), Value::U8(noted)) => found == *noted,
        (AttrValue::U16(found), Value::U16(noted)) => found == *noted,
        (AttrValue::U16(found), Value::Bytes(noted)) => found.to_be_bytes() == **noted,
        (AttrValue::U32(found), Value::U32(noted)) => found == *noted,
        (AttrValue::U64(found), Value::U64(noted)) => found == *noted,
        (AttrValue::Ipv4(found), Value::Bytes(noted)) => found.octets() == **noted,
        (AttrValue::Ipv6(found), Value::Bytes(noted)) => found.octets() == **noted,
        (AttrValue::Text(found), Value::Text(noted)) => found == noted.as_bytes(),
        (AttrValue::Labels(found), Value::Bits { maxbit, bits }) => {
            let bits = bits.iter().map(|bit| u32::from(*bit));
            found.max_bit() == u32::from(*maxbit) && found.iter().eq(bits)
        }
        _ => false,
    }
}

/// The entry that has had these attributes set, in this order.
pub(crate) fn build(list: &[Attribute]) -> Conntrack {
    /// `NFCT_SOPT_SETUP_REPLY` of the C library.
    const SETUP_REPLY: Value = Value::SetOption(5);
    let mut entry = Conntrack::new();
    for (name, value) in list {
        if *value == SETUP_REPLY {
            entry.setup_reply();
        } else {
            set(&mut entry, by_name(name), value);
        }
    }
    entry
}

fn set(entry: &mut Conntrack, attr: Attr, value: &Value) {
    let labels;
    let value = match value {
        Value::U8(value) => AttrValue::U8(*value),
        Value::U16(value) => AttrValue::U16(*value),
        Value::U32(value) => AttrValue::U32(*value),
        Value::U64(value) => AttrValue::U64(*value),
        Value::Bytes(bytes) => match bytes[..] {
            [high, low] => AttrValue::U16(u16::from_be_bytes([high, low])),
            [a, b, c, d] => AttrValue::Ipv4([a, b, c, d].into()),
            _ => AttrValue::Ipv6(<[u8; 16]>::try_from(&bytes[..]).expect("16 bytes").into()),
        },
        Value::Text(text) => AttrValue::Text(text.as_bytes()),
        Value::Bits { maxbit, bits } => {
            let mut mask = Bitmask::new((*maxbit).into()).expect("a size");
            bits.iter().for_each(|bit| mask.set((*bit).into()));
            labels = mask;
            AttrValue::Labels(&labels)
        }
        other => panic!("{}: {other:?}", attr.name()),
    };
    entry.set_attr(attr, value).expect("a value of its kind");
}

/// Asserts that all getters of a view give what those of the entry decoded from
/// it give.
pub(crate) fn assert_agree(view: &ConntrackRef<'_>, entry: &Conntrack) {
    macro_rules! same {
        ($($getter:ident),+) => {
            $(assert_eq!(view.$getter(), entry.$getter(), stringify!($getter));)+
        };
    }
    same!(original, reply, master);
    same!(status, timeout, mark, secmark, zone, use_count, id);
    same!(timestamps, protoinfo, helper, helper_info, secctx, synproxy);
    for direction in [Direction::Original, Direction::Reply] {
        assert_eq!(view.counters(direction), entry.counters(direction));
        assert_eq!(view.seq_adjust(direction), entry.seq_adjust(direction));
    }
    let labels = view.labels();
    assert_eq!(labels.map(|l| l.to_bitmask()).as_ref(), entry.labels());
    if let (Some(labels), Some(mask)) = (labels, entry.labels()) {
        assert!(labels.iter().eq(mask.iter()));
        let last = mask.max_bit();
        assert!(
            [0, last, last + 1].map(|bit| labels.test(bit))
                == [0, last, last + 1].map(|bit| mask.test(bit))
        );
    }
}
