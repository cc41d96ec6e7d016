//! The kernel's error numbers by name.

use std::fmt;

use super::command::Command;
use super::settype::Method;

/// What the kernel means by an error number, which depends on the command and
/// on the type of the set.
#[doc(alias = "ipset_errno")]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Reason {
    /// There is no set of this name.
    NoSuchSet,
    /// There is a set of this name already (create), or of the new name (rename).
    SetExists,
    /// There is no second set of this name (swap).
    NoSecondSet,
    /// The entry is in the set already (add).
    EntryExists,
    /// The entry is not in the set (delete, test).
    NoSuchEntry,
    /// The set is in use: rules or other sets refer to it, or it is being listed.
    InUse,
    /// Rules or other sets refer to the set (rename).
    Referenced,
    /// The kernel lacks the set type, this revision of it, or this family of it.
    TypeNotSupported,
    /// The two sets are of different types (swap).
    TypeMismatch,
    /// There is no room for another set.
    TooManySets,
    /// The request is malformed: an attribute is missing, or is one that the
    /// type of the set does not have.
    Malformed,
    /// The prefix length of an address is invalid.
    InvalidPrefix,
    /// The netmask or bitmask is invalid.
    InvalidNetmask,
    /// The set type does not support this family.
    InvalidFamily,
    /// The mask of marks is invalid.
    InvalidMarkmask,
    /// The set has no timeouts.
    NoTimeouts,
    /// The set has no counters.
    NoCounters,
    /// The set has no comments.
    NoComments,
    /// The set has no skbinfo.
    NoSkbinfo,
    /// An IPv4 address is wanted.
    WantsIpv4,
    /// An IPv6 address is wanted.
    WantsIpv6,
    /// The entry is outside of the range of the bitmap.
    OutOfRange,
    /// The range is too large for a bitmap.
    RangeTooLarge,
    /// The hash or list is full.
    Full,
    /// A hash cannot hold an entry that is zero.
    ZeroEntry,
    /// The protocol is invalid.
    InvalidProtocol,
    /// The protocol of the port is missing.
    NoProtocol,
    /// The set type does not take ranges for this family.
    NoRanges,
    /// The range is invalid.
    InvalidRange,
    /// The set to be listed in a list:set does not exist.
    NoSuchMember,
    /// A list:set cannot hold another list:set.
    NestedList,
    /// A place in a list:set needs a set to refer to.
    NoReference,
    /// The set that a place in a list:set refers to does not exist.
    NoSuchReference,
    /// The set that a place in a list:set refers to is not in the list.
    ReferenceNotInList,
    /// The error number, which is not one of ipset's own.
    Other(i32),
}

impl Reason {
    pub(super) fn new(errno: i32, command: Command, method: Option<Method>) -> Self {
        let row = ROWS
            .iter()
            .find(|row| row.errno == errno && row.scope.covers(command, method));
        row.map_or(Self::Other(errno), |row| row.reason)
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match ROWS.iter().find(|row| row.reason == *self) {
            Some(row) => f.write_str(row.text),
            None => write!(f, "error {self:?}"),
        }
    }
}

/// Where an error number has the meaning of its row.
enum Scope {
    Always,
    Only(Command),
    In(Method),
}

impl Scope {
    fn covers(&self, command: Command, method: Option<Method>) -> bool {
        match self {
            Self::Always => true,
            Self::Only(only) => *only == command,
            Self::In(of) => Some(*of) == method,
        }
    }
}

struct Row {
    errno: i32,
    scope: Scope,
    reason: Reason,
    text: &'static str,
}

const fn row(errno: i32, scope: Scope, reason: Reason, text: &'static str) -> Row {
    Row {
        errno,
        scope,
        reason,
        text,
    }
}

/// `enum ipset_errno` and the type-specific numbers, which overlap.
#[rustfmt::skip]
static ROWS: &[Row] = {
    use Method::{Bitmap, Hash, List};
    use Scope::{Always, In, Only};
    &[
        row(libc::ENOENT, Always, Reason::NoSuchSet, "there is no set of this name"),
        row(libc::EEXIST, Only(Command::Create), Reason::SetExists, "there is a set of this name already"),
        row(4097, Always, Reason::Malformed, "the entry or the option is not one of this set type"),
        row(4098, Always, Reason::TypeNotSupported, "the kernel does not have this set type, revision or family"),
        row(4099, Always, Reason::TooManySets, "there is no room for another set"),
        row(4100, Always, Reason::InUse, "the set is in use"),
        row(4101, Only(Command::Rename), Reason::SetExists, "there is a set of this name already"),
        row(4101, Only(Command::Swap), Reason::NoSecondSet, "there is no set of the second name"),
        row(4102, Always, Reason::TypeMismatch, "the sets are of different types"),
        row(4103, Only(Command::Add), Reason::EntryExists, "the entry is in the set already"),
        row(4103, Only(Command::Delete), Reason::NoSuchEntry, "the entry is not in the set"),
        row(4103, Only(Command::Test), Reason::NoSuchEntry, "the entry is not in the set"),
        row(4104, Always, Reason::InvalidPrefix, "the prefix length is invalid"),
        row(4105, Always, Reason::InvalidNetmask, "the netmask is invalid"),
        row(4106, Always, Reason::InvalidFamily, "the set type does not support this family"),
        row(4107, Always, Reason::NoTimeouts, "the set was created without timeouts"),
        row(4108, Always, Reason::Referenced, "rules or other sets refer to the set"),
        row(4109, Always, Reason::WantsIpv4, "an IPv4 address is wanted"),
        row(4110, Always, Reason::WantsIpv6, "an IPv6 address is wanted"),
        row(4111, Always, Reason::NoCounters, "the set was created without counters"),
        row(4112, Always, Reason::NoComments, "the set was created without comments"),
        row(4113, Always, Reason::InvalidMarkmask, "the markmask is invalid"),
        row(4114, Always, Reason::NoSkbinfo, "the set was created without skbinfo"),
        row(4352, In(Bitmap), Reason::OutOfRange, "the entry is out of the range of the set"),
        row(4353, In(Bitmap), Reason::RangeTooLarge, "the range is too large for a bitmap"),
        row(4352, In(Hash), Reason::Full, "the set is full"),
        row(4353, In(Hash), Reason::ZeroEntry, "a hash cannot hold an entry that is zero"),
        row(4354, In(Hash), Reason::InvalidProtocol, "the protocol is invalid"),
        row(4355, In(Hash), Reason::NoProtocol, "the protocol of the port is missing"),
        row(4356, In(Hash), Reason::NoRanges, "the set does not take ranges"),
        row(4357, In(Hash), Reason::InvalidRange, "the range is invalid"),
        row(4352, In(List), Reason::NoSuchMember, "the set to be listed does not exist"),
        row(4353, In(List), Reason::NestedList, "a list cannot hold a list"),
        row(4354, In(List), Reason::NoReference, "the set of reference is missing"),
        row(4355, In(List), Reason::NoSuchReference, "the set of reference does not exist"),
        row(4356, In(List), Reason::Full, "the set is full"),
        row(4357, In(List), Reason::ReferenceNotInList, "the set of reference is not in the list"),
    ]
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_mean_different_things_in_different_places() {
        let bitmap = Some(Method::Bitmap);
        let hash = Some(Method::Hash);
        for (errno, command, method, reason) in [
            (4103, Command::Add, None, Reason::EntryExists),
            (4103, Command::Test, None, Reason::NoSuchEntry),
            (4101, Command::Rename, None, Reason::SetExists),
            (4101, Command::Swap, None, Reason::NoSecondSet),
            (4352, Command::Add, bitmap, Reason::OutOfRange),
            (4352, Command::Add, hash, Reason::Full),
            (4352, Command::Add, None, Reason::Other(4352)),
            (libc::EEXIST, Command::Create, hash, Reason::SetExists),
            (
                libc::EEXIST,
                Command::Add,
                hash,
                Reason::Other(libc::EEXIST),
            ),
            (libc::EPERM, Command::List, None, Reason::Other(libc::EPERM)),
        ] {
            assert_eq!(
                Reason::new(errno, command, method),
                reason,
                "{errno} {command}"
            );
        }
    }

    #[test]
    fn no_row_hides_another() {
        for row in ROWS {
            for command in [
                Command::Create,
                Command::Add,
                Command::Delete,
                Command::Test,
            ] {
                for method in [
                    None,
                    Some(Method::Bitmap),
                    Some(Method::Hash),
                    Some(Method::List),
                ] {
                    let same = ROWS.iter().filter(|other| {
                        other.errno == row.errno && other.scope.covers(command, method)
                    });
                    assert!(same.count() <= 1, "{}", row.errno);
                }
            }
        }
    }
}
