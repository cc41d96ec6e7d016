//! Values that JSON has no kind for: numbers with names, sets of flags, bytes.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::de::Error;
use serde::ser::SerializeSeq;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::conntrack::{Bitmask, DccpState, L4Proto, SctpState, TcpState};
use crate::nfnetlink::L3Proto;

/// A number that is written as its name where it has one.
pub(super) struct Named<N>(pub(super) u8, PhantomData<N>);

/// The names of numbers of one kind.
pub(super) trait Names {
    fn name(number: u8) -> Option<&'static str>;
}

impl<N: Names> Named<N> {
    pub(super) fn new(number: u8) -> Self {
        Self(number, PhantomData)
    }
}

impl<N: Names> Serialize for Named<N> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match N::name(self.0) {
            Some(name) => serializer.serialize_str(name),
            None => serializer.serialize_u8(self.0),
        }
    }
}

impl<'de, N: Names> Deserialize<'de> for Named<N> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match NumberOrName::deserialize(deserializer)? {
            NumberOrName::Number(number) => Ok(Self::new(number)),
            NumberOrName::Name(name) => (0..=u8::MAX)
                .find(|number| N::name(*number) == Some(&name))
                .map(Self::new)
                .ok_or_else(|| unknown(&name)),
        }
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum NumberOrName<T> {
    Number(T),
    Name(String),
}

fn unknown<E: Error>(name: &str) -> E {
    E::custom(format_args!("the name {name:?} is not known"))
}

/// Address families.
pub(super) enum L3 {}

impl Names for L3 {
    fn name(number: u8) -> Option<&'static str> {
        match L3Proto(number) {
            L3Proto::IPV4 => Some("ipv4"),
            L3Proto::IPV6 => Some("ipv6"),
            _ => None,
        }
    }
}

/// Layer 4 protocols.
pub(super) enum L4 {}

impl Names for L4 {
    fn name(number: u8) -> Option<&'static str> {
        Some(L4Proto(number).name()).filter(|name| *name != "unknown")
    }
}

/// States of the TCP tracker.
pub(super) enum Tcp {}

impl Names for Tcp {
    fn name(number: u8) -> Option<&'static str> {
        state_name(number, TcpState(number).name())
    }
}

/// States of the SCTP tracker.
pub(super) enum Sctp {}

impl Names for Sctp {
    fn name(number: u8) -> Option<&'static str> {
        state_name(number, SctpState(number).name())
    }
}

/// States of the DCCP tracker.
pub(super) enum Dccp {}

impl Names for Dccp {
    fn name(number: u8) -> Option<&'static str> {
        state_name(number, DccpState(number).name())
    }
}

/// Numbers without a name are called `NONE` like 0.
fn state_name(number: u8, name: &'static str) -> Option<&'static str> {
    (number == 0 || name != "NONE").then_some(name)
}

/// A set of flags as a list of their names; what has none is a number at the end.
pub(super) struct FlagList<F>(pub(super) F);

impl<F: bitflags::Flags<Bits = u32>> Serialize for FlagList<F> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut list = serializer.serialize_seq(None)?;
        let mut names = self.0.iter_names();
        for (name, _) in names.by_ref() {
            list.serialize_element(name)?;
        }
        match names.remaining().bits() {
            0 => {}
            bits => list.serialize_element(&bits)?,
        }
        list.end()
    }
}

impl<'de, F: bitflags::Flags<Bits = u32>> Deserialize<'de> for FlagList<F> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut bits = 0;
        for flag in Vec::deserialize(deserializer)? {
            bits |= match flag {
                NumberOrName::Number(bits) => bits,
                NumberOrName::Name(name) => {
                    F::from_name(&name).ok_or_else(|| unknown(&name))?.bits()
                }
            };
        }
        Ok(Self(F::from_bits_retain(bits)))
    }
}

/// Bytes that mostly are text: a string where they are UTF-8.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
pub(super) enum Text<'a> {
    Utf8(Cow<'a, str>),
    Bytes { hex: Hex<'a> },
}

impl<'a> From<&'a [u8]> for Text<'a> {
    fn from(bytes: &'a [u8]) -> Self {
        match std::str::from_utf8(bytes) {
            Ok(text) => Self::Utf8(text.into()),
            Err(_) => Self::Bytes {
                hex: Hex(bytes.into()),
            },
        }
    }
}

impl Text<'_> {
    /// The bytes, where they can be a C string.
    pub(super) fn bytes(&self) -> Result<&[u8], &'static str> {
        let bytes = match self {
            Self::Utf8(text) => text.as_bytes(),
            Self::Bytes { hex } => &hex.0,
        };
        if bytes.contains(&0) {
            return Err("a string with a NUL");
        }
        Ok(bytes)
    }
}

/// Bytes as a string of hexadecimal digits.
pub(super) struct Hex<'a>(pub(super) Cow<'a, [u8]>);

impl fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl Serialize for Hex<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Hex<'_> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let digits = String::deserialize(deserializer)?;
        let value = |digit: u8| {
            char::from(digit)
                .to_digit(16)
                .and_then(|d| u8::try_from(d).ok())
        };
        let byte = |pair: &[u8]| match *pair {
            [high, low] => Some(value(high)? << 4 | value(low)?),
            _ => None,
        };
        let bytes: Option<Vec<u8>> = digits.as_bytes().chunks(2).map(byte).collect();
        let bytes =
            bytes.ok_or_else(|| D::Error::custom("hexadecimal digits in pairs expected"))?;
        Ok(Self(bytes.into()))
    }
}

/// The numbers of the bits of a bitmask.
pub(super) enum Bits<'a> {
    Of(&'a Bitmask),
    List(Vec<u32>),
}

impl Serialize for Bits<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Of(mask) => serializer.collect_seq(mask.iter()),
            Self::List(bits) => bits.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Bits<'_> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Vec::deserialize(deserializer).map(Self::List)
    }
}

impl Bits<'_> {
    /// The bitmask with these bits and room for `size`.
    pub(super) fn into_bitmask(self, size: u32) -> Result<Bitmask, &'static str> {
        let bits = match self {
            Self::Of(mask) => return Ok(mask.clone()),
            Self::List(bits) => bits,
        };
        if bits.iter().any(|bit| *bit >= size) {
            return Err("a label beyond the size of the bitmask");
        }
        let Some(max_bit) = size.checked_sub(1) else {
            return Ok(Bitmask::default());
        };
        let mut mask = Bitmask::new(max_bit).map_err(|_| "a bitmask of more than 65536 bits")?;
        bits.into_iter().for_each(|bit| mask.set(bit));
        Ok(mask)
    }
}
