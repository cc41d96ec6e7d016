//! Query and follow the Linux connection-tracking table.

mod error;
pub mod netlink;
pub mod nfnetlink;

pub use error::{DecodeError, Error, KernelDetail, KernelError, Result};
