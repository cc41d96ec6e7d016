//! Query and follow the Linux connection-tracking table.

mod error;
pub mod netlink;

pub use error::{DecodeError, Error, KernelDetail, KernelError, Result};
