//! Filters: which entries and events are wanted.
//!
//! [`DumpFilter`] goes with a request: the kernel lists or deletes only the
//! entries it describes. [`EventFilter`] sits on a socket: the kernel drops the
//! events it rejects before they take room in the receive buffer. [`Predicate`]
//! is checked in user space and says most; the handle's `dump_matching`,
//! `delete_matching` and `flush_matching` take one and leave to the kernel what
//! that can be trusted with.

mod addr_mask;
mod address_set;
mod bpf;
mod compile;
mod criteria;
mod criterion;
mod dump;
mod event;
mod field;
mod jumps;
mod mask_set;
mod merge;
mod predicate;
mod prefix;
mod program;
mod range_set;
mod search;
mod tuple_criteria;

pub use addr_mask::AddrMask;
pub use address_set::AddressSet;
pub use criteria::Criteria;
pub use criterion::{Criterion, FilterAttr, L4State, Logic};
pub use dump::DumpFilter;
pub use event::EventFilter;
pub(crate) use predicate::{Cover, Fields};
pub use predicate::{Entry, Matcher, NatKind, Ports, Predicate};
pub use prefix::IpPrefix;
pub use program::{ByteOrder, Program};
