//! The mirror: against a simulated kernel, and against the real one.

#[path = "../common/mod.rs"]
mod common;
mod interleavings;
mod live;
mod memory;
mod messages;
mod simulated_kernel;
mod soak;

#[global_allocator]
static ALLOCATOR: common::allocations::Counting = common::allocations::Counting;

#[test]
fn passes_for_an_ordinary_user() {
    common::ordinary_user::rerun_these_tests();
}
