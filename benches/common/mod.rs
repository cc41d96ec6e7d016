//! What the benches share: a private table, the clock, and the C library.

// Each bench includes this module and uses its own part of it.
#![allow(dead_code)]

pub(crate) mod c_library;
pub(crate) mod c_listener;
pub(crate) mod c_objects;
pub(crate) mod clock;
pub(crate) mod table;
