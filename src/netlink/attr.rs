//! Attributes: the walk, the getters, and the one-pass index.

#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects
    )
)]

use std::fmt;
use std::iter::FusedIterator;

use super::message::align;

/// Flag in an attribute's type field: the payload is a list of attributes.
#[doc(alias = "NLA_F_NESTED")]
pub const NESTED: u16 = 0x8000;
/// Flag in an attribute's type field: the payload is in network byte order.
#[doc(alias = "NLA_F_NET_BYTEORDER")]
pub const NET_BYTEORDER: u16 = 0x4000;
/// The bits of the type field that are the attribute's number.
#[doc(alias = "NLA_TYPE_MASK")]
pub const TYPE_MASK: u16 = 0x3fff;

/// Bytes of an attribute header, `struct nlattr`.
const HEADER_LEN: usize = 4;

/// One attribute: its number and its payload, borrowed from the message.
#[doc(alias = "nlattr")]
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Attr<'a> {
    raw_kind: u16,
    payload: &'a [u8],
}

impl<'a> Attr<'a> {
    /// The attribute's number, without the flags.
    #[must_use]
    pub fn kind(&self) -> u16 {
        self.raw_kind & TYPE_MASK
    }

    /// Whether the sender marked it as a list of attributes. Older kernels do
    /// not mark all their nests, so a reader goes by the number.
    #[must_use]
    pub fn is_nested(&self) -> bool {
        self.raw_kind & NESTED != 0
    }

    /// The payload, without header and padding.
    #[doc(alias = "NLA_DATA")]
    #[must_use]
    pub fn payload(&self) -> &'a [u8] {
        self.payload
    }

    /// The payload as a list of attributes.
    #[must_use]
    pub fn nested(&self) -> Attrs<'a> {
        Attrs::new(self.payload)
    }

    /// The payload as an array of exactly `N` bytes; `None` for another length.
    #[must_use]
    pub fn array<const N: usize>(&self) -> Option<[u8; N]> {
        self.payload.try_into().ok()
    }

    /// An 8-bit number; `None` for another length.
    #[must_use]
    pub fn u8(&self) -> Option<u8> {
        self.array().map(|[byte]| byte)
    }

    /// A 16-bit number sent in host byte order; `None` for another length.
    #[must_use]
    pub fn u16(&self) -> Option<u16> {
        self.array().map(u16::from_ne_bytes)
    }

    /// A 32-bit number sent in host byte order; `None` for another length.
    #[must_use]
    pub fn u32(&self) -> Option<u32> {
        self.array().map(u32::from_ne_bytes)
    }

    /// A 64-bit number sent in host byte order; `None` for another length.
    #[must_use]
    pub fn u64(&self) -> Option<u64> {
        self.array().map(u64::from_ne_bytes)
    }

    /// A 16-bit number sent in network byte order; `None` for another length.
    #[must_use]
    pub fn u16_be(&self) -> Option<u16> {
        self.array().map(u16::from_be_bytes)
    }

    /// A 32-bit number sent in network byte order; `None` for another length.
    #[must_use]
    pub fn u32_be(&self) -> Option<u32> {
        self.array().map(u32::from_be_bytes)
    }

    /// A 64-bit number sent in network byte order; `None` for another length.
    #[must_use]
    pub fn u64_be(&self) -> Option<u64> {
        self.array().map(u64::from_be_bytes)
    }

    /// A string: the payload up to its first NUL, or all of it where there is none.
    #[must_use]
    pub fn string(&self) -> &'a [u8] {
        until_nul(self.payload)
    }
}

impl fmt::Debug for Attr<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Attr")
            .field("kind", &self.kind())
            .field("nested", &self.is_nested())
            .field("payload", &self.payload)
            .finish()
    }
}

/// The bytes before the first NUL.
fn until_nul(bytes: &[u8]) -> &[u8] {
    bytes.split(|byte| *byte == 0).next().unwrap_or_default()
}

/// The attributes in a payload, in the order sent.
///
/// Never reads outside the payload; ends with an error at the first bad
/// length. A rest too short for an attribute header is taken for padding.
#[derive(Clone, Debug)]
pub struct Attrs<'a> {
    rest: &'a [u8],
}

impl<'a> Attrs<'a> {
    /// Walks the attributes of `payload`.
    #[must_use]
    pub fn new(payload: &'a [u8]) -> Self {
        Self { rest: payload }
    }

    /// The bytes not walked yet; empty once the walk has ended.
    #[must_use]
    pub fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// Finds the first attribute with this number.
    ///
    /// # Errors
    /// [`AttrError`] where a bad length comes before it.
    pub fn find(self, kind: u16) -> Result<Option<Attr<'a>>, AttrError> {
        for attr in self {
            let attr = attr?;
            if attr.kind() == kind {
                return Ok(Some(attr));
            }
        }
        Ok(None)
    }
}

impl<'a> Iterator for Attrs<'a> {
    type Item = Result<Attr<'a>, AttrError>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let &[l0, l1, k0, k1] = self.rest.first_chunk::<HEADER_LEN>()?;
        let len = u16::from_ne_bytes([l0, l1]);
        let raw_kind = u16::from_ne_bytes([k0, k1]);
        let Some(payload) = self.rest.get(HEADER_LEN..usize::from(len)) else {
            let error = AttrError {
                kind: raw_kind & TYPE_MASK,
                len,
                available: self.rest.len(),
            };
            self.rest = &[];
            return Some(Err(error));
        };
        self.rest = self.rest.get(align(usize::from(len))..).unwrap_or_default();
        Some(Ok(Attr { raw_kind, payload }))
    }
}

impl FusedIterator for Attrs<'_> {}

/// The places of the attributes 0 to `N - 1` of a payload, found in one pass.
///
/// Attributes with higher numbers are skipped; of a repeated attribute the
/// last one counts. Nothing is allocated.
#[derive(Clone, Copy)]
pub struct AttrIndex<'a, const N: usize> {
    payload: &'a [u8],
    /// Offset of each attribute's payload; 0 (never a payload's place) where absent.
    offsets: [u32; N],
}

impl<'a, const N: usize> AttrIndex<'a, N> {
    /// Indexes `payload`.
    ///
    /// # Errors
    /// [`AttrError`] at the first bad length.
    #[inline]
    pub fn new(payload: &'a [u8]) -> Result<Self, AttrError> {
        Self::new_if(payload, |_| Ok(true))
    }

    /// Indexes the attributes of `payload` for which `keep` says so; it may
    /// also refuse one, which ends the walk.
    ///
    /// # Errors
    /// [`AttrError`] at the first bad length, or what `keep` refuses with.
    #[inline]
    pub fn new_if<E: From<AttrError>>(
        payload: &'a [u8],
        keep: impl Fn(&Attr<'a>) -> Result<bool, E>,
    ) -> Result<Self, E> {
        let mut offsets = [0u32; N];
        let mut attrs = Attrs::new(payload);
        loop {
            let before = attrs.rest.len();
            let Some(attr) = attrs.next() else { break };
            let attr = attr?;
            if let Some(offset) = offsets.get_mut(usize::from(attr.kind())) {
                if keep(&attr)? {
                    // Payloads beyond 4 GiB cannot come from a netlink message.
                    *offset = payload.len().wrapping_sub(before).wrapping_add(HEADER_LEN) as u32;
                }
            }
        }
        Ok(Self { payload, offsets })
    }

    /// Whether the attribute is there.
    #[must_use]
    #[inline]
    pub fn contains(&self, kind: u16) -> bool {
        self.offsets
            .get(usize::from(kind))
            .is_some_and(|offset| *offset != 0)
    }

    /// The attribute with this number.
    #[must_use]
    #[inline]
    pub fn get(&self, kind: u16) -> Option<Attr<'a>> {
        let offset = *self.offsets.get(usize::from(kind))?;
        if offset == 0 {
            return None;
        }
        let start = (offset as usize).checked_sub(HEADER_LEN)?;
        Attrs::new(self.payload.get(start..)?).next()?.ok()
    }
}

impl<const N: usize> fmt::Debug for AttrIndex<'_, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let numbers = 0..u16::try_from(N).unwrap_or(u16::MAX);
        f.debug_list()
            .entries(numbers.filter_map(|kind| self.get(kind)))
            .finish()
    }
}

/// An attribute whose length is below 4 or beyond the end of the payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AttrError {
    /// The attribute's number.
    pub kind: u16,
    /// The length its header gives, header included.
    pub len: u16,
    /// The bytes that were there.
    pub available: usize,
}

impl fmt::Display for AttrError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "length {} of attribute {} is not between {HEADER_LEN} and the {} bytes there",
            self.len, self.kind, self.available
        )
    }
}

impl std::error::Error for AttrError {}

#[cfg(test)]
mod tests {
    use super::*;

    fn attr(kind: u16, payload: &[u8]) -> Vec<u8> {
        let len = u16::try_from(payload.len() + 4).unwrap();
        let mut bytes = [&len.to_ne_bytes()[..], &kind.to_ne_bytes(), payload].concat();
        bytes.resize(align(bytes.len()), 0);
        bytes
    }

    #[test]
    fn getters_take_exact_lengths_only() {
        let bytes = [
            attr(1, &[5]),
            attr(2 | NET_BYTEORDER, &[1, 2]),
            attr(3, &[0, 0, 0, 7]),
            attr(4, &7u64.to_ne_bytes()),
            attr(5 | NESTED, &attr(9, b"ftp\0")),
        ]
        .concat();
        let all: Vec<_> = Attrs::new(&bytes).map(Result::unwrap).collect();
        assert_eq!((all[0].u8(), all[0].u16()), (Some(5), None));
        assert_eq!((all[1].kind(), all[1].u16_be()), (2, Some(0x102)));
        assert_eq!((all[2].u32_be(), all[2].u8()), (Some(7), None));
        assert_eq!(all[3].u64(), Some(7));
        assert!(all[4].is_nested());
        let name = all[4].nested().find(9).unwrap().unwrap();
        assert_eq!(name.string(), b"ftp");
    }

    #[test]
    fn walk_is_fused_after_an_error() {
        for (len, available) in [(3u16, 8usize), (0, 8), (9, 8), (u16::MAX, 8)] {
            let mut bytes = vec![0; available];
            bytes[..2].copy_from_slice(&len.to_ne_bytes());
            bytes[2..4].copy_from_slice(&6u16.to_ne_bytes());
            let mut walk = Attrs::new(&bytes);
            let error = walk.next().unwrap().unwrap_err();
            assert_eq!((error.kind, error.len, error.available), (6, len, 8));
            assert!(walk.next().is_none());
        }
        assert!(Attrs::new(&[1, 0, 0]).next().is_none());
    }

    #[test]
    fn index_keeps_the_last_and_skips_the_unknown() {
        let bytes = [attr(1, &[1]), attr(200, &[2]), attr(1, &[3]), attr(2, &[])].concat();
        let index = AttrIndex::<4>::new(&bytes).unwrap();
        assert_eq!(index.get(1).unwrap().u8(), Some(3));
        assert!(index.get(2).unwrap().payload().is_empty());
        assert!(index.contains(2) && !index.contains(3) && !index.contains(200));
        assert!(index.get(3).is_none() && index.get(200).is_none());
        let inside_the_last_payload = bytes.len() - 8;
        assert!(AttrIndex::<4>::new(&bytes[..inside_the_last_payload]).is_err());
    }
}
