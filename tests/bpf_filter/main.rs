//! The event filter: its programs in an interpreter, in the kernel, and beside
//! those of the C library.

mod c_faults;
mod c_library;
mod capacity;
#[path = "../common/mod.rs"]
mod common;
mod differential;
mod examples;
mod interpreter;
mod kernel;
mod live;
mod message;
mod properties;
mod random;
mod reference;
mod sockets;
mod table;

#[test]
fn passes_for_an_ordinary_user() {
    common::ordinary_user::rerun_these_tests();
}
