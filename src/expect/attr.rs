//! The attributes of an expectation: one table with the kind and the place of
//! each. All that goes by attribute number goes through it.

#![allow(unsafe_code)]

use std::mem::offset_of;
use std::{ptr, slice};

use super::fields::until_nul;
use super::object::Expect;
use crate::conntrack::{Head, Tuple};
use crate::error::{Error, Result};

/// An attribute of an expectation, numbered as in the C library
/// (`enum nf_expect_attr`). The id is not among them, see [`Expect::id`].
#[doc(alias = "nf_expect_attr")]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum ExpectAttr {
    /// Tuple of the master flow.
    #[doc(alias = "ATTR_EXP_MASTER")]
    Master = 0,
    /// Tuple of the expected flow.
    #[doc(alias = "ATTR_EXP_EXPECTED")]
    Expected = 1,
    /// Mask over the tuple.
    #[doc(alias = "ATTR_EXP_MASK")]
    Mask = 2,
    /// Seconds until the expectation expires.
    #[doc(alias = "ATTR_EXP_TIMEOUT")]
    Timeout = 3,
    /// Zone.
    #[doc(alias = "ATTR_EXP_ZONE")]
    Zone = 4,
    /// Flags, `NF_CT_EXPECT_*`.
    #[doc(alias = "ATTR_EXP_FLAGS")]
    Flags = 5,
    /// Name of the helper, up to 15 bytes.
    #[doc(alias = "ATTR_EXP_HELPER_NAME")]
    HelperName = 6,
    /// The helper's number for the kind of flow.
    #[doc(alias = "ATTR_EXP_CLASS")]
    Class = 7,
    /// Tuple whose source is that of the flow before translation.
    #[doc(alias = "ATTR_EXP_NAT_TUPLE")]
    NatTuple = 8,
    /// Direction of the master flow whose translation is followed: 0 original, 1 reply.
    #[doc(alias = "ATTR_EXP_NAT_DIR")]
    NatDir = 9,
    /// Name of the kernel's function to run on the expected flow, up to 23 bytes.
    #[doc(alias = "ATTR_EXP_FN")]
    Fn = 10,
}

/// What an attribute holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Tuple,
    /// Host byte order.
    U16,
    /// Host byte order.
    U32,
    /// A string in a field of this many bytes, its NUL included.
    Name(usize),
}

impl Kind {
    /// Bytes of the value.
    pub(crate) const fn width(self) -> usize {
        match self {
            Self::Tuple => size_of::<Head>(),
            Self::U16 => 2,
            Self::U32 => 4,
            Self::Name(width) => width,
        }
    }
}

/// A row of the table.
#[derive(Debug)]
pub(crate) struct Row {
    attr: ExpectAttr,
    name: &'static str,
    pub(crate) kind: Kind,
    /// Offset of the value in an [`Expect`].
    pub(crate) place: usize,
}

const fn row(attr: ExpectAttr, name: &'static str, kind: Kind, place: usize) -> Row {
    Row {
        attr,
        name,
        kind,
        place,
    }
}

#[rustfmt::skip]
static ROWS: [Row; ExpectAttr::COUNT] = [
    row(ExpectAttr::Master, "MASTER", Kind::Tuple, offset_of!(Expect, master)),
    row(ExpectAttr::Expected, "EXPECTED", Kind::Tuple, offset_of!(Expect, expected)),
    row(ExpectAttr::Mask, "MASK", Kind::Tuple, offset_of!(Expect, mask)),
    row(ExpectAttr::Timeout, "TIMEOUT", Kind::U32, offset_of!(Expect, timeout)),
    row(ExpectAttr::Zone, "ZONE", Kind::U16, offset_of!(Expect, zone)),
    row(ExpectAttr::Flags, "FLAGS", Kind::U32, offset_of!(Expect, flags)),
    row(ExpectAttr::HelperName, "HELPER_NAME", Kind::Name(Expect::HELPER_LEN), offset_of!(Expect, helper_name)),
    row(ExpectAttr::Class, "CLASS", Kind::U32, offset_of!(Expect, class)),
    row(ExpectAttr::NatTuple, "NAT_TUPLE", Kind::Tuple, offset_of!(Expect, nat_tuple)),
    row(ExpectAttr::NatDir, "NAT_DIR", Kind::U32, offset_of!(Expect, nat_dir)),
    row(ExpectAttr::Fn, "FN", Kind::Name(Expect::FN_LEN), offset_of!(Expect, fn_name)),
];

/// The value of an attribute, as [`Expect::attr`] gives it and
/// [`Expect::set_attr`] takes it. Numbers are in host byte order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ExpectValue<'a> {
    /// A tuple.
    Tuple(Tuple),
    /// A 16-bit number.
    U16(u16),
    /// A 32-bit number.
    U32(u32),
    /// A string, without NUL.
    Text(&'a [u8]),
}

impl ExpectAttr {
    /// How many attributes there are; their numbers are below it.
    #[doc(alias = "ATTR_EXP_MAX")]
    pub const COUNT: usize = 11;

    /// The attribute with this number; `None` for [`COUNT`](Self::COUNT) and above.
    #[must_use]
    pub fn from_number(number: u32) -> Option<Self> {
        let row = ROWS.get(usize::try_from(number).ok()?)?;
        Some(row.attr)
    }

    /// All attributes, in the order of their numbers.
    pub fn all() -> impl Iterator<Item = Self> {
        ROWS.iter().map(|row| row.attr)
    }

    /// The attribute's number.
    #[must_use]
    pub const fn number(self) -> u32 {
        self as u32
    }

    /// The attribute's name in the C header, without `ATTR_EXP_`.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.row().name
    }

    pub(crate) fn row(self) -> &'static Row {
        &ROWS[self as usize]
    }
}

impl Expect {
    /// The value of an attribute, `None` where it is absent; also for a tuple
    /// without address family, which a damaged message can leave.
    #[doc(alias = "nfexp_get_attr")]
    #[doc(alias = "nfexp_get_attr_u8")]
    #[doc(alias = "nfexp_get_attr_u16")]
    #[doc(alias = "nfexp_get_attr_u32")]
    #[must_use]
    pub fn attr(&self, attr: ExpectAttr) -> Option<ExpectValue<'_>> {
        if !self.is_set(attr) {
            return None;
        }
        let bytes = self.field(attr);
        match attr.row().kind {
            Kind::Tuple => self.head(attr)?.tuple().map(ExpectValue::Tuple),
            Kind::U16 => {
                let bytes = bytes.try_into().ok()?;
                Some(ExpectValue::U16(u16::from_ne_bytes(bytes)))
            }
            Kind::U32 => {
                let bytes = bytes.try_into().ok()?;
                Some(ExpectValue::U32(u32::from_ne_bytes(bytes)))
            }
            Kind::Name(_) => Some(ExpectValue::Text(until_nul(bytes))),
        }
    }

    /// Sets an attribute.
    ///
    /// # Errors
    /// [`Error::Invalid`] where the value is not of the attribute's kind, or a
    /// name is too long (15 bytes; 23 for [`ExpectAttr::Fn`]).
    #[doc(alias = "nfexp_set_attr")]
    #[doc(alias = "nfexp_set_attr_u8")]
    #[doc(alias = "nfexp_set_attr_u16")]
    #[doc(alias = "nfexp_set_attr_u32")]
    pub fn set_attr(&mut self, attr: ExpectAttr, value: ExpectValue<'_>) -> Result<()> {
        match (attr.row().kind, value) {
            (Kind::Tuple, ExpectValue::Tuple(tuple)) => self.store_head(attr, &tuple.into()),
            (Kind::U16, ExpectValue::U16(value)) => self.store(attr, &value.to_ne_bytes()),
            (Kind::U32, ExpectValue::U32(value)) => self.store(attr, &value.to_ne_bytes()),
            (Kind::Name(width), ExpectValue::Text(name)) => {
                if name.len() >= width || name.contains(&0) {
                    return Err(Error::Invalid("a name that is too long"));
                }
                self.store(attr, name);
            }
            _ => return Err(Error::Invalid("a value of another kind than the attribute")),
        }
        Ok(())
    }

    /// Stores the bytes of a number or a name and makes the attribute present.
    /// Names are cut to what their field holds beside a NUL; missing bytes
    /// count as zero. Tuples are not set this way.
    pub(crate) fn store(&mut self, attr: ExpectAttr, bytes: &[u8]) {
        let row = attr.row();
        let room = match row.kind {
            Kind::Tuple => return,
            Kind::Name(width) => width - 1,
            kind => kind.width(),
        };
        // SAFETY: place and width lie inside the expectation (a test goes over
        // all rows) and cover an integer or an array of bytes, for which any
        // bytes are valid.
        let field = unsafe {
            let place = ptr::from_mut(self).cast::<u8>().add(row.place);
            slice::from_raw_parts_mut(place, row.kind.width())
        };
        field.fill(0);
        for (place, byte) in field.iter_mut().take(room).zip(bytes) {
            *place = *byte;
        }
        self.set.insert(attr);
    }

    /// Stores the front of an entry as a tuple and makes the attribute present.
    /// Only attributes of the original tuple are taken over: others have no
    /// value there.
    pub(crate) fn store_head(&mut self, attr: ExpectAttr, head: &Head) {
        let place = match attr {
            ExpectAttr::Master => &mut self.master,
            ExpectAttr::Expected => &mut self.expected,
            ExpectAttr::Mask => &mut self.mask,
            ExpectAttr::NatTuple => &mut self.nat_tuple,
            _ => return,
        };
        *place = Head {
            tuple: head.tuple,
            set: head.set.intersection(Head::ATTRS),
        };
        self.set.insert(attr);
    }

    /// The tuple of an attribute in the form of the front of an entry; `None`
    /// where the attribute is no tuple.
    pub(crate) fn head(&self, attr: ExpectAttr) -> Option<&Head> {
        match attr {
            ExpectAttr::Master => Some(&self.master),
            ExpectAttr::Expected => Some(&self.expected),
            ExpectAttr::Mask => Some(&self.mask),
            ExpectAttr::NatTuple => Some(&self.nat_tuple),
            _ => None,
        }
    }

    /// The bytes of an attribute, present or not.
    pub(crate) fn field(&self, attr: ExpectAttr) -> &[u8] {
        let row = attr.row();
        // SAFETY: place and width lie inside the expectation (a test goes over
        // all rows) and cover fields without padding.
        unsafe {
            let place = ptr::from_ref(self).cast::<u8>().add(row.place);
            slice::from_raw_parts(place, row.kind.width())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conntrack::{Attr, Conntrack, Direction};
    use crate::expect::ExpectNat;

    fn tuple() -> Tuple {
        let source = ([192, 0, 2, 1], 0x1122).into();
        Tuple::tcp(source, ([198, 51, 100, 2], 21).into()).unwrap()
    }

    #[test]
    fn expectations_are_no_larger_than_in_c() {
        assert!(size_of::<Expect>() <= 276, "{}", size_of::<Expect>());
        assert_eq!(align_of::<Expect>(), 4);
    }

    #[test]
    fn rows_stand_at_their_numbers_and_inside_the_expectation() {
        for (number, row) in ROWS.iter().enumerate() {
            assert_eq!(row.attr as usize, number, "{}", row.name);
            assert_eq!(ExpectAttr::from_number(row.attr.number()), Some(row.attr));
            let width = row.kind.width();
            assert!(row.place + width <= size_of::<Expect>(), "{}", row.name);
            assert_eq!(row.place % width.min(4), 0, "{}", row.name);
        }
        assert_eq!(ExpectAttr::from_number(11), None);
        assert_eq!(ExpectAttr::from_number(u32::MAX), None);
    }

    fn value(attr: ExpectAttr) -> ExpectValue<'static> {
        match attr.row().kind {
            Kind::Tuple => ExpectValue::Tuple(tuple()),
            Kind::U16 => ExpectValue::U16(0x1122),
            Kind::U32 => ExpectValue::U32(0x1122_3344),
            Kind::Name(16) => ExpectValue::Text(b"fifteen-bytes-x"),
            Kind::Name(_) => ExpectValue::Text(b"twenty-three-bytes-long"),
        }
    }

    #[test]
    fn every_attribute_gives_back_what_was_set() {
        for attr in ExpectAttr::all() {
            let mut expect = Expect::new();
            assert_eq!(expect.attr(attr), None);
            expect.set_attr(attr, value(attr)).unwrap();
            assert_eq!(expect.attr(attr), Some(value(attr)), "{}", attr.name());
            assert!(expect.attrs().eq([attr]));
            assert_eq!(expect.head(attr).is_some(), attr.row().kind == Kind::Tuple);
            expect.unset(attr);
            assert_eq!(expect.attr(attr), None);
        }
    }

    #[test]
    fn typed_access_is_to_the_same_values() {
        let mut expect = Expect::new();
        let nat = ExpectNat {
            direction: Direction::Reply,
            tuple: tuple(),
        };
        expect.set_nat(nat).set_zone(3).set_class(4).set_id(5);
        expect.set_fn_name("sip").unwrap();
        assert_eq!(expect.attr(ExpectAttr::NatDir), Some(ExpectValue::U32(1)));
        assert_eq!(expect.attr(ExpectAttr::Fn), Some(ExpectValue::Text(b"sip")));
        assert_eq!(
            (expect.nat(), expect.zone(), expect.class()),
            (Some(nat), Some(3), Some(4))
        );
        assert_eq!((expect.id(), expect.fn_name()), (Some(5), Some("sip")));
        assert_eq!(expect.attrs().count(), 5, "the id is no attribute");
        expect.nat_dir = 2;
        assert_eq!(expect.nat(), None);
    }

    #[test]
    fn names_are_cut_or_refused() {
        let mut expect = Expect::new();
        let long = [b'x'; 100];
        for attr in [ExpectAttr::HelperName, ExpectAttr::Fn] {
            let room = attr.row().kind.width() - 1;
            let error = expect.set_attr(attr, ExpectValue::Text(&long[..=room]));
            assert!(error.is_err() && !expect.is_set(attr));
            expect.store(attr, &long);
            assert_eq!(expect.attr(attr), Some(ExpectValue::Text(&long[..room])));
            assert_eq!(expect.field(attr).last(), Some(&0));
        }
        assert!(expect.set_helper("with\0nul").is_err());
        assert!(
            expect
                .set_attr(ExpectAttr::Zone, ExpectValue::U32(1))
                .is_err()
        );
    }

    #[test]
    fn heads_of_entries_lose_what_they_have_no_room_for() {
        let mut entry = Conntrack::flow(tuple());
        entry.set_mark(7);
        let mut expect = Expect::new();
        expect.store_head(ExpectAttr::NatTuple, &entry.head);
        let head = expect.head(ExpectAttr::NatTuple).unwrap();
        assert_eq!(head.tuple, entry.head.tuple);
        let kept = [
            Attr::OrigIpv4Src,
            Attr::OrigIpv4Dst,
            Attr::OrigPortSrc,
            Attr::OrigPortDst,
            Attr::OrigL3proto,
            Attr::OrigL4proto,
        ];
        assert!(head.set.iter().eq(kept));
        expect.store_head(ExpectAttr::Class, &entry.head);
        expect.store(ExpectAttr::Master, &[1; 52]);
        assert!(expect.attrs().eq([ExpectAttr::NatTuple]));
    }
}
