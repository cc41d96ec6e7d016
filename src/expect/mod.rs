//! Expectations: flows that a helper foresees, and all that is done with them.

mod attr;
mod compare;
mod fields;
mod object;

pub use attr::{ExpectAttr, ExpectValue};
pub use fields::{ExpectFlags, ExpectNat};
pub use object::Expect;
