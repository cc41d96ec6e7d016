//! Expectations: flows that a helper foresees, and all that is done with them.

mod attr;
mod compare;
mod decode;
pub(crate) mod encode;
mod fields;
mod object;
mod view;
mod wire;

pub use attr::{ExpectAttr, ExpectValue};
pub use fields::{ExpectFlags, ExpectNat};
pub use object::Expect;
pub use view::ExpectRef;
