//! What the two implementations that are compared have in common.

use netfilter_conntrack::{Attr, AttrGroup, ExpectAttr};

use crate::op::Op;

/// Something that can be asked of an entry or an expectation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Key {
    /// The value of an attribute, as C programs see it.
    Attr(Attr),
    /// The value of a group.
    Group(AttrGroup),
    /// One of `NFCT_GOPT_*`.
    Option(u32),
    Expect(ExpectAttr),
    /// An attribute of a tuple of an expectation.
    Head(ExpectAttr, Attr),
}

/// How closely C objects are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Detail {
    /// As far as the Rust API shows the same: of tuples in expectations what
    /// counts for their family and protocol, of addresses of either family the
    /// first four bytes.
    Native,
    /// All that a C program can see.
    Full,
}

/// All that can be seen of an object; `None` for what is absent.
pub(crate) type State = Vec<(Key, Option<Vec<u8>>)>;

/// The names of labels, as a file has them.
pub(crate) const LABELS: &[u8] = b"0 zero\n3 three\n31 last of a word\n99 ninety-nine\n";

/// What an operation returns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Nothing,
    Number(i32),
    /// The attributes of a message; `None` where it could not be built.
    Built(Option<Vec<u8>>),
    /// A text, with what is not ASCII escaped; `None` where it could not be written.
    Text(Option<String>),
}

/// An implementation, with a few entries and expectations to work on.
pub(crate) trait Side {
    /// Makes all objects empty.
    fn reset(&mut self);

    /// Does one operation, except for transfers, which are made of two.
    fn apply(&mut self, op: &Op) -> Outcome;

    fn entry(&self, entry: usize) -> State;

    fn expect(&self, expect: usize) -> State;
}
