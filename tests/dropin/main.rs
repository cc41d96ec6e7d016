//! Programs that know nothing of this crate, run with the C library of the system
//! and with this one in its place: what they print must be the same, and so must
//! what they do.

#[path = "../common/mod.rs"]
mod common;
mod conntrack;
mod conntrackd;
mod daemons;
mod loading;
mod normal;
mod scene;
mod tools;
