//! Expectations.

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::tuple::TupleObject;
use super::values::{FlagList, Text};
use crate::conntrack::Head;
use crate::conntrack::tuple_attrs::ORIGINAL;
use crate::expect::fields::until_nul;
use crate::expect::{Expect, ExpectAttr, ExpectFlags, ExpectValue};

/// See [`json`](super) for the schema.
impl Serialize for Expect {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        ExpectObject::new(self).serialize(serializer)
    }
}

/// See [`json`](super) for the schema.
impl<'de> Deserialize<'de> for Expect {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let object = ExpectObject::deserialize(deserializer)?;
        object.into_expect().map_err(D::Error::custom)
    }
}

#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
struct ExpectObject<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    master: Option<TupleObject>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expected: Option<TupleObject>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mask: Option<TupleObject>,
    #[serde(skip_serializing_if = "Option::is_none")]
    timeout: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    zone: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    flags: Option<FlagList<ExpectFlags>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    class: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    helper: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    function: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    nat_tuple: Option<TupleObject>,
    #[serde(skip_serializing_if = "Option::is_none")]
    nat_direction: Option<NatDirection>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<u32>,
}

/// The direction of the master flow whose translation is followed. The kernel
/// has no other number than those of the two.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum NatDirection {
    Known(KnownDirection),
    Number(u32),
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum KnownDirection {
    Original,
    Reply,
}

impl<'a> ExpectObject<'a> {
    fn new(expect: &'a Expect) -> Self {
        let tuple = |attr| {
            let head = expect.head(attr).filter(|_| expect.is_set(attr))?;
            let tuple = TupleObject::new(&head.tuple, head.set, &ORIGINAL);
            Some(tuple.unwrap_or_default())
        };
        let name = |attr| {
            expect
                .is_set(attr)
                .then(|| Text::from(until_nul(expect.field(attr))))
        };
        let nat_direction = expect.is_set(ExpectAttr::NatDir).then_some(expect.nat_dir);
        Self {
            master: tuple(ExpectAttr::Master),
            expected: tuple(ExpectAttr::Expected),
            mask: tuple(ExpectAttr::Mask),
            timeout: expect.timeout(),
            zone: expect.zone(),
            flags: expect.flags().map(FlagList),
            class: expect.class(),
            helper: name(ExpectAttr::HelperName),
            function: name(ExpectAttr::Fn),
            nat_tuple: tuple(ExpectAttr::NatTuple),
            nat_direction: nat_direction.map(|direction| match direction {
                0 => NatDirection::Known(KnownDirection::Original),
                1 => NatDirection::Known(KnownDirection::Reply),
                number => NatDirection::Number(number),
            }),
            id: expect.id(),
        }
    }

    fn into_expect(self) -> Result<Expect, &'static str> {
        let mut expect = Expect::new();
        for (attr, tuple) in [
            (ExpectAttr::Master, &self.master),
            (ExpectAttr::Expected, &self.expected),
            (ExpectAttr::Mask, &self.mask),
            (ExpectAttr::NatTuple, &self.nat_tuple),
        ] {
            if let Some(tuple) = tuple {
                let mut head = Head::default();
                tuple.put(&mut head.tuple, &mut head.set, &ORIGINAL);
                expect.store_head(attr, &head);
            }
        }
        let nat_direction = self.nat_direction.map(|direction| match direction {
            NatDirection::Known(KnownDirection::Original) => 0,
            NatDirection::Known(KnownDirection::Reply) => 1,
            NatDirection::Number(number) => number,
        });
        for (attr, number) in [
            (ExpectAttr::Timeout, self.timeout),
            (ExpectAttr::Flags, self.flags.map(|flags| flags.0.bits())),
            (ExpectAttr::Class, self.class),
            (ExpectAttr::NatDir, nat_direction),
        ] {
            if let Some(number) = number {
                expect.store(attr, &number.to_ne_bytes());
            }
        }
        if let Some(zone) = self.zone {
            expect.set_zone(zone);
        }
        for (attr, name) in [
            (ExpectAttr::HelperName, self.helper),
            (ExpectAttr::Fn, self.function),
        ] {
            if let Some(name) = name {
                let value = ExpectValue::Text(name.bytes()?);
                expect
                    .set_attr(attr, value)
                    .map_err(|_| "a name that is too long")?;
            }
        }
        if let Some(id) = self.id {
            expect.set_id(id);
        }
        Ok(expect)
    }
}
