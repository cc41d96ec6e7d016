//! Names of sets, set types and interfaces.

use std::fmt;
use std::str::{self, FromStr};

use crate::error::Error;

/// A name of 1 to 31 bytes, without NUL: of a set, a set type or an interface.
///
/// It is stored in place, so that listings allocate nothing for it. The kernel
/// does not ask for UTF-8; what is not UTF-8 is printed with replacement
/// characters and kept as it is.
///
/// ```
/// use netfilter_conntrack::ipset::Name;
///
/// let name: Name = "banned".parse()?;
/// assert_eq!(name, "banned");
/// assert!("a name that is too long for the kernel".parse::<Name>().is_err());
/// # Ok::<(), netfilter_conntrack::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Name {
    /// Padded with NULs.
    bytes: [u8; Name::MAX],
    len: u8,
}

impl Name {
    /// Longest name in bytes.
    #[doc(alias = "IPSET_MAXNAMELEN")]
    pub const MAX: usize = 31;

    /// Takes a name from bytes; `None` where they are none, more than 31, or
    /// hold a NUL.
    #[must_use]
    pub fn from_bytes(name: &[u8]) -> Option<Self> {
        let len = u8::try_from(name.len()).ok().filter(|len| *len > 0)?;
        let mut bytes = [0; Self::MAX];
        bytes.get_mut(..name.len())?.copy_from_slice(name);
        (!name.contains(&0)).then_some(Self { bytes, len })
    }

    /// The name of a constant; one that is too long does not compile.
    pub(super) const fn constant(name: &'static str) -> Self {
        let name = name.as_bytes();
        assert!(!name.is_empty() && name.len() <= Self::MAX);
        let mut bytes = [0; Self::MAX];
        let mut at = 0;
        while at < name.len() {
            bytes[at] = name[at];
            at += 1;
        }
        let len = name.len() as u8;
        Self { bytes, len }
    }

    /// The bytes of the name.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..usize::from(self.len)).unwrap_or_default()
    }

    /// The name as text; `None` where it is not UTF-8.
    #[must_use]
    pub fn to_str(&self) -> Option<&str> {
        str::from_utf8(self.as_bytes()).ok()
    }
}

/// Makes a name of what callers pass as one.
pub(super) fn checked(name: impl AsRef<[u8]>) -> Result<Name, Error> {
    Name::from_bytes(name.as_ref())
        .ok_or(Error::Invalid("a name must have 1 to 31 bytes and no NUL"))
}

impl FromStr for Name {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
        checked(name)
    }
}

impl AsRef<[u8]> for Name {
    fn as_ref(&self) -> &[u8] {
        self.as_bytes()
    }
}

impl PartialEq<str> for Name {
    fn eq(&self, other: &str) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl PartialEq<&str> for Name {
    fn eq(&self, other: &&str) -> bool {
        *self == **other
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.to_str() {
            Some(name) => f.pad(name),
            None => f.pad(&String::from_utf8_lossy(self.as_bytes())),
        }
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&String::from_utf8_lossy(self.as_bytes()), f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_and_nuls() {
        let longest = [b'x'; Name::MAX];
        assert_eq!(Name::from_bytes(&longest).unwrap().as_bytes(), longest);
        for bad in [&b""[..], &[b'x'; 32], &[b'x'; 300], b"a\0b"] {
            assert_eq!(Name::from_bytes(bad), None, "{bad:?}");
        }
        assert_eq!(Name::constant("hash:ip"), "hash:ip");
    }

    #[test]
    fn other_encodings_are_kept() {
        let name = Name::from_bytes(b"caf\xe9").unwrap();
        assert_eq!((name.to_str(), name.as_bytes()), (None, &b"caf\xe9"[..]));
        assert_eq!(name.to_string(), "caf\u{fffd}");
    }
}
