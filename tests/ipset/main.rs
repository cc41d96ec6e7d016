//! The ipset module against the kernel and against Debian's `ipset` program.

#[path = "../common/mod.rs"]
mod common;

mod allocations;
mod batches;
mod commands;
mod errors;
mod kinds;
mod lists;
mod robustness;
mod types;

use netfilter_conntrack::ipset::{Name, Session};

/// A session in the caller's namespace.
fn session() -> Session {
    Session::open().expect("a session")
}

fn name(name: &str) -> Name {
    name.parse().expect("a name")
}

/// The lines of a listing of ours, in the saved form.
fn saved(session: &mut Session) -> Vec<String> {
    let mut list = session.save_all().expect("save");
    let mut lines = Vec::new();
    while let Some(item) = list.next_item().expect("an item") {
        lines.push(item.to_string());
    }
    lines
}

#[test]
fn passes_for_an_ordinary_user() {
    common::ordinary_user::rerun_these_tests();
}
