//! Handles and mirrors for Tokio (feature `tokio`).
//!
//! They do by `await` what [`Handle`](crate::Handle) and [`Mirror`](crate::Mirror)
//! do on a descriptor that a program polls itself; no task or thread is started
//! for it. They are made inside of a Tokio runtime whose input and output are
//! enabled.
//!
//! Any future here may be dropped at any time, as `tokio::select!` and timeouts do:
//! what was received has been handed out, and what was not waits in the socket. All
//! take part in Tokio's budget, so that a full socket or a long list does not keep
//! other tasks waiting.

mod descriptor;
mod dump;
mod handle;
mod mirror;

pub use dump::{AsyncDump, AsyncExpectDump, AsyncMatching};
pub use handle::AsyncHandle;
pub use mirror::AsyncMirror;
