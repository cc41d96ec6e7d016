//! The commands of the subsystem.

use std::fmt;

/// A command: the message number in the ipset subsystem.
#[doc(alias = "ipset_cmd")]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[repr(u8)]
pub enum Command {
    /// Nothing; the kernel answers EOPNOTSUPP.
    None = 0,
    /// Ask for the protocol versions.
    Protocol = 1,
    /// Create a set.
    Create = 2,
    /// Destroy a set, or all.
    Destroy = 3,
    /// Remove all entries of a set, or of all.
    Flush = 4,
    /// Rename a set.
    Rename = 5,
    /// Swap the contents of two sets.
    Swap = 6,
    /// List sets.
    List = 7,
    /// List sets in the order in which they can be created.
    Save = 8,
    /// Add an entry.
    Add = 9,
    /// Delete an entry.
    Delete = 10,
    /// Test whether an entry is in a set.
    Test = 11,
    /// Ask for the type of a set.
    Header = 12,
    /// Ask for the revisions of a set type.
    Type = 13,
    /// Ask for the index of a set.
    GetByName = 14,
    /// Ask for the name of a set.
    GetByIndex = 15,
}

impl fmt::Display for Command {
    /// The word of ipset(8), or of the kernel's header where there is none.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "none",
            Self::Protocol => "protocol",
            Self::Create => "create",
            Self::Destroy => "destroy",
            Self::Flush => "flush",
            Self::Rename => "rename",
            Self::Swap => "swap",
            Self::List => "list",
            Self::Save => "save",
            Self::Add => "add",
            Self::Delete => "del",
            Self::Test => "test",
            Self::Header => "header",
            Self::Type => "type",
            Self::GetByName => "get by name",
            Self::GetByIndex => "get by index",
        })
    }
}
