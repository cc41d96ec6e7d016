//! How much a finding matters.

use std::fmt;

/// How much a finding matters; the more, the greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Severity {
    /// Good to know: as programs often want it, or as the kernel is at first.
    Hint,
    /// It could not be found out, which may hide anything.
    Unknown,
    /// Some of what happens is not seen.
    Limiting,
    /// Entries, events, or those of an address family are never seen.
    Blocking,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Hint => "hint",
            Self::Unknown => "unknown",
            Self::Limiting => "limiting",
            Self::Blocking => "blocking",
        })
    }
}
