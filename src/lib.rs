//! Query and follow the Linux connection-tracking table.

pub mod conntrack;
mod error;
pub mod expect;
pub mod netlink;
pub mod nfnetlink;

pub use conntrack::{
    Attr, AttrGroup, Bitmask, CompareFlags, Conntrack, CopyFlags, Direction, GroupValue, L4Proto,
    Nat, Status, Tuple,
};
pub use error::{DecodeError, Error, KernelDetail, KernelError, Result};
pub use expect::{Expect, ExpectAttr, ExpectFlags, ExpectNat};
