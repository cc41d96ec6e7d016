//! Errors of this module.

use std::fmt;

use super::command::Command;
use super::reason::Reason;
use super::settype::Method;
use crate::error::{DecodeError, KernelError};

/// The result of this module's functions.
pub type Result<T = (), E = Error> = std::result::Result<T, E>;

/// Why a call failed.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// The kernel refused the command.
    Refused {
        /// The command.
        command: Command,
        /// What the kernel meant by its error number.
        reason: Reason,
        /// The error number and the kernel's text, where it sent one.
        kernel: KernelError,
    },
    /// All else: the socket, malformed replies, invalid arguments.
    Netlink(crate::Error),
}

impl Error {
    /// The kernel's reason, where it refused the command.
    #[must_use]
    pub fn reason(&self) -> Option<Reason> {
        match self {
            Self::Refused { reason, .. } => Some(*reason),
            Self::Netlink(_) => None,
        }
    }

    /// The error number, positive; numbers from 4096 on are ipset's own.
    #[must_use]
    pub fn errno(&self) -> i32 {
        match self {
            Self::Refused { kernel, .. } => kernel.errno,
            Self::Netlink(error) => error.errno(),
        }
    }

    /// Names the kernel's error number.
    pub(super) fn refused(command: Command, method: Option<Method>, kernel: KernelError) -> Self {
        let reason = Reason::new(kernel.errno, command, method);
        Self::Refused {
            command,
            reason,
            kernel,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused {
                command,
                reason: Reason::Other(_),
                kernel,
            } => write!(f, "ipset {command}: {kernel}"),
            Self::Refused {
                command, reason, ..
            } => write!(f, "ipset {command}: {reason}"),
            Self::Netlink(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Refused { kernel, .. } => Some(kernel),
            Self::Netlink(error) => Some(error),
        }
    }
}

impl From<crate::Error> for Error {
    fn from(error: crate::Error) -> Self {
        Self::Netlink(error)
    }
}

impl From<DecodeError> for Error {
    fn from(error: DecodeError) -> Self {
        Self::Netlink(error.into())
    }
}
