//! Pieces of text that the plain form and XML are made of: numbers, addresses,
//! dates, escapes. They know nothing of entries.

pub(crate) mod address;
pub(crate) mod date;
pub(crate) mod escape;
mod local_time;
mod out;

pub(crate) use out::Out;
