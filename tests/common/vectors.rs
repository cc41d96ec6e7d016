//! Recorded messages and what is known of them; `tests/data/vectors/README.md`
//! tells where they come from and how the files are written.

use std::fs;
use std::net::IpAddr;
use std::path::PathBuf;

use serde_json::Value as Json;

/// A recorded message, or a datagram of them.
pub(crate) struct Vector {
    pub(crate) name: String,
    pub(crate) bytes: Vec<u8>,
    /// What is known of it: the line of `expected.jsonl`.
    pub(crate) expected: Json,
}

/// Something set in an object: an attribute's name, such as `ATTR_ORIG_PORT_SRC`
/// or `ATTR_EXP_CLASS`, and its value.
pub(crate) type Attribute = (String, Value);

/// The value of an attribute, or an operation of the same list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Value {
    U8(u8),
    U16(u16),
    U32(u32),
    U64(u64),
    /// What an object holds byte for byte: addresses, and ports in network byte order.
    Bytes(Vec<u8>),
    /// Bytes that are set together with their length.
    BytesWithLength(Vec<u8>),
    Text(String),
    Bits {
        maxbit: u16,
        bits: Vec<u16>,
    },
    /// The attributes of an object inside an expectation.
    Object(Vec<Attribute>),
    /// The attribute is taken away again.
    Unset,
    /// Not an attribute: an option of `nfct_setobjopt`.
    SetOption(u32),
    /// Not an attribute: attributes of a message of this family, to be parsed.
    Payload {
        family: u8,
        bytes: Vec<u8>,
    },
    /// Not an attribute: a whole message, to be parsed.
    Message(Vec<u8>),
}

impl Vector {
    /// What libnetfilter_conntrack 1.1.1 finds in the message; `None` where it
    /// does not return, or is not asked.
    pub(crate) fn parsed(&self) -> Option<Vec<Attribute>> {
        let list = self.expected.get("parse")?.get("attrs")?;
        Some(attributes(list))
    }

    /// The kind of event that libnetfilter_conntrack tells its callback: `NEW`,
    /// `UPDATE` or `DESTROY`.
    pub(crate) fn callback(&self) -> Option<&str> {
        self.expected.get("callback")?.as_str()
    }

    /// What the message was built from: the query, such as `NFCT_Q_CREATE`, and
    /// what was set in the object in this order; `None` where it was built from
    /// something else (see `expected["build"]`).
    pub(crate) fn built_from(&self) -> Option<(&str, Vec<Attribute>)> {
        let build = self.expected.get("build")?;
        let query = build.get("query")?.as_str()?;
        Some((query, attributes(build.get("object")?)))
    }
}

impl Value {
    /// What an object holds in memory, which is what the C getters point to;
    /// `None` for what is not plain memory.
    pub(crate) fn memory(&self) -> Option<Vec<u8>> {
        match self {
            Self::U8(value) => Some(vec![*value]),
            Self::U16(value) => Some(value.to_ne_bytes().to_vec()),
            Self::U32(value) => Some(value.to_ne_bytes().to_vec()),
            Self::U64(value) => Some(value.to_ne_bytes().to_vec()),
            Self::Bytes(bytes) | Self::BytesWithLength(bytes) => Some(bytes.clone()),
            _ => None,
        }
    }
}

/// All vectors, in the order of their names within `k`, `s` and `b`.
pub(crate) fn all() -> Vec<Vector> {
    lines("expected.jsonl").map(load).collect()
}

/// The vector with this name, such as `k01-dump-tcp4`, or with a name that
/// starts so (`k01`).
pub(crate) fn get(name: &str) -> Vector {
    lines("expected.jsonl")
        .find(|expected| text(&expected["name"]).starts_with(name))
        .map(load)
        .unwrap_or_else(|| panic!("no vector {name}"))
}

/// The JSON lines of a file.
pub(crate) fn lines(file: &str) -> impl Iterator<Item = Json> {
    let lines: Vec<_> = read(file)
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{file}: {error}")))
        .collect();
    lines.into_iter()
}

/// A list of attributes, as in `attrs` of the JSON lines.
pub(crate) fn attributes(list: &Json) -> Vec<Attribute> {
    let attribute = |item: &Json| match item.as_array().map(Vec::as_slice) {
        Some([name, kind, value]) => (text(name).to_owned(), self::value(text(kind), value)),
        _ => panic!("no attribute: {item}"),
    };
    let items = list.as_array();
    let items = items.unwrap_or_else(|| panic!("no list: {list}"));
    items.iter().map(attribute).collect()
}

/// The bytes of hex digits; white space is skipped.
pub(crate) fn hex(digits: &str) -> Vec<u8> {
    let digits: Vec<u8> = digits
        .chars()
        .filter(|c| !c.is_whitespace())
        .map(|c| {
            c.to_digit(16)
                .unwrap_or_else(|| panic!("{c} is no hex digit")) as u8
        })
        .collect();
    assert!(digits.len() % 2 == 0, "an odd number of hex digits");
    let pairs = digits.chunks_exact(2);
    pairs.map(|pair| pair[0] << 4 | pair[1]).collect()
}

fn value(kind: &str, value: &Json) -> Value {
    match kind {
        "u8" => Value::U8(number(value)),
        "u16" => Value::U16(number(value)),
        "u32" => Value::U32(number(value)),
        "u64" => Value::U64(number(value)),
        "be16" => Value::Bytes(number::<u16>(value).to_be_bytes().to_vec()),
        "addr" => Value::Bytes(match text(value).parse() {
            Ok(IpAddr::V4(address)) => address.octets().to_vec(),
            Ok(IpAddr::V6(address)) => address.octets().to_vec(),
            Err(error) => panic!("{value}: {error}"),
        }),
        "bytes" => Value::Bytes(hex(text(value))),
        "bytes_l" => Value::BytesWithLength(hex(text(value))),
        "string" => Value::Text(text(value).to_owned()),
        "bitmask" => Value::Bits {
            maxbit: number(&value["maxbit"]),
            bits: value["bits"]
                .as_array()
                .map(|bits| bits.iter().map(number).collect())
                .unwrap_or_else(|| panic!("no bits: {value}")),
        },
        "ct" => Value::Object(attributes(value)),
        "unset" => Value::Unset,
        "setobjopt" => Value::SetOption(number(value)),
        "payload" => Value::Payload {
            family: number(&value["family"]),
            bytes: hex(text(&value["hex"])),
        },
        "nlmsg" => Value::Message(hex(text(value))),
        other => panic!("no kind of attribute: {other}"),
    }
}

fn load(expected: Json) -> Vector {
    let name = text(&expected["name"]).to_owned();
    Vector {
        bytes: hex(&read(&format!("{name}.hex"))),
        name,
        expected,
    }
}

fn read(file: &str) -> String {
    let path = directory().join(file);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Where the vectors are.
pub(crate) fn directory() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data/vectors")
}

fn text(value: &Json) -> &str {
    let text = value.as_str();
    text.unwrap_or_else(|| panic!("no text: {value}"))
}

/// A number that fits.
pub(crate) fn number<T: TryFrom<u64>>(value: &Json) -> T {
    let number = value.as_u64().and_then(|number| T::try_from(number).ok());
    number.unwrap_or_else(|| panic!("no number of this size: {value}"))
}
