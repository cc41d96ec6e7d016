//! Predicates and the kernel's filters, on real tables.

#[path = "../common/mod.rs"]
mod common;
mod deletes;
mod dumps;
mod faults;
mod flushes;
mod large;
mod memory;
mod mixed;
mod probe;
mod wanted;

use common::allocations::Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

#[test]
fn passes_for_an_ordinary_user() {
    common::ordinary_user::rerun_these_tests();
}
