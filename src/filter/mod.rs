//! Filters: which entries and events are wanted.
//!
//! [`DumpFilter`] goes with a request: the kernel lists or deletes only the
//! entries it describes. [`EventFilter`] sits on a socket: the kernel drops the
//! events it rejects before they take room in the receive buffer.

mod addr_mask;
mod bpf;
mod compile;
mod criterion;
mod dump;
mod event;
mod field;
mod jumps;
mod mask_set;
mod program;
mod search;

pub use addr_mask::AddrMask;
pub use criterion::{Criterion, FilterAttr, L4State, Logic};
pub use dump::DumpFilter;
pub use event::EventFilter;
pub use program::{ByteOrder, Program};
