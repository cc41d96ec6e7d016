#![doc = include_str!("../README.md")]
// A library never ends its program, prints, or gives up where an error would do.
#![cfg_attr(
    not(test),
    deny(
        clippy::dbg_macro,
        clippy::exit,
        clippy::expect_used,
        clippy::panic,
        clippy::print_stderr,
        clippy::print_stdout,
        clippy::todo,
        clippy::unimplemented,
        clippy::unreachable,
        clippy::unwrap_used
    )
)]

#[cfg(feature = "tokio")]
pub mod async_io;
#[cfg(feature = "capi")]
mod capi;
pub mod conntrack;
pub mod diagnose;
#[doc = include_str!("differences.md")]
pub mod differences {}
mod error;
pub mod expect;
pub mod filter;
#[cfg(test)]
mod golden;
pub mod handle;
#[cfg(feature = "ipset")]
pub mod ipset;
#[cfg(feature = "serde")]
pub mod json;
pub mod mirror;
pub mod netlink;
mod netns;
pub mod nfnetlink;
mod text;
mod uapi;

pub use conntrack::{
    Attr, AttrGroup, Bitmask, CompareFlags, Conntrack, ConntrackRef, CopyFlags, Direction, Format,
    GroupValue, L4Proto, LabelMap, Nat, Show, Status, Tuple,
};
pub use diagnose::{Diagnosis, diagnose, diagnose_in};
pub use error::{DecodeError, Error, KernelDetail, KernelError, Result};
pub use expect::{Expect, ExpectAttr, ExpectFlags, ExpectNat, ExpectRef};
pub use filter::{DumpFilter, EventFilter, Predicate};
pub use handle::{
    Caught, Dump, Event, EventKind, EventMask, ExpectDump, ExpectQuery, Handle, OwnedEvent, Query,
    Verdict,
};
pub use mirror::Mirror;
pub use netns::Netns;
pub use nfnetlink::{Groups, L3Proto};
