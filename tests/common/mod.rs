//! What the tests share: private network namespaces, the programs they work
//! with, real traffic, and recorded messages.
//!
//! Each kernel test runs in a network namespace of its own, so that all tests
//! can run in parallel and none touches the tables of the machine:
//!
//! ```ignore
//! mod common;
//! use common::{netns, peer};
//!
//! #[test]
//! fn an_entry_is_found() {
//!     netns::run(|| {
//!         peer::run("conntrack -I -s 192.0.2.1 -d 198.51.100.1 -p udp --sport 1 --dport 2 -t 60");
//!         // what is to be tested
//!     });
//! }
//!
//! #[test]
//! fn passes_for_an_ordinary_user() {
//!     common::ordinary_user::rerun_these_tests();
//! }
//! ```
//!
//! Nothing here skips a test: where a namespace or a program cannot be had, the
//! test fails and says what is missing.

// Every test program includes this module and uses its own part of it.
#![allow(dead_code)]

pub(crate) mod allocations;
pub(crate) mod attributes;
pub(crate) mod c_library;
pub(crate) mod cc;
pub(crate) mod example;
pub(crate) mod flows;
pub(crate) mod netns;
pub(crate) mod ordinary_user;
pub(crate) mod peer;
pub(crate) mod privileges;
pub(crate) mod sysctl;
pub(crate) mod traffic;
pub(crate) mod vectors;
pub(crate) mod wait;
