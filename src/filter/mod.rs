//! Filters: which entries and events are wanted.

mod dump;

pub use dump::DumpFilter;
