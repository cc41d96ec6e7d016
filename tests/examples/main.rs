//! The examples do what they say, as root and as an ordinary user.

#[path = "../common/mod.rs"]
mod common;
mod flowlog;
mod flows;
#[cfg(feature = "tokio")]
mod lookup;
mod terminal;
mod top;
