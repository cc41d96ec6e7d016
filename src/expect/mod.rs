//! Expectations: flows that a helper foresees, and all that is done with them.

mod attr;
mod compare;
mod decode;
mod display;
pub(crate) mod encode;
pub(crate) mod fields;
mod object;
mod print;
mod view;
mod wire;
mod xml;

#[cfg(feature = "capi")]
pub(crate) use attr::Kind;
pub use attr::{ExpectAttr, ExpectValue};
pub use fields::{ExpectFlags, ExpectNat};
pub use object::Expect;
pub use view::ExpectRef;
