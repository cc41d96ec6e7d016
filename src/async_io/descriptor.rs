//! Waiting for a descriptor in Tokio.

#![allow(unsafe_code)]

use std::io;
use std::os::fd::{AsFd, OwnedFd};

use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use crate::error::{Error, Result};

/// Losses are told of as errors of the socket, without anything to read where the
/// kernel had no memory for an event.
const INTEREST: Interest = Interest::READABLE.add(Interest::ERROR);

/// A descriptor that the runtime waits for.
///
/// It is a duplicate: what it was made of may be lent out mutably, and so be
/// exchanged for another, while the runtime relies on its descriptor.
#[derive(Debug)]
pub(super) struct Descriptor(AsyncFd<OwnedFd>);

impl Descriptor {
    /// Registers a descriptor with the runtime that the caller is in.
    pub(super) fn of(descriptor: &impl AsFd) -> Result<Self> {
        if tokio::runtime::Handle::try_current().is_err() {
            return Err(Error::Invalid("there is no Tokio runtime to open it in"));
        }
        let duplicate = descriptor.as_fd().try_clone_to_owned();
        let duplicate = duplicate.map_err(|error| from_io("fcntl", &error))?;
        // SAFETY: an `OwnedFd` is open as long as it lives, and this one is never
        // lent out mutably, so that it stays what it is.
        let registered = unsafe { AsyncFd::register_with_interest(duplicate, INTEREST) };
        let registered = registered.map_err(|error| from_io("epoll_ctl", &error.into()))?;
        Ok(Self(registered))
    }

    /// Calls `attempt` when the descriptor is readable, until it does not fail with
    /// [`Error::WouldBlock`].
    pub(super) async fn when_readable<T>(
        &self,
        mut attempt: impl FnMut() -> Result<T>,
    ) -> Result<T> {
        loop {
            let ready = self.0.ready(INTEREST).await;
            let mut ready = ready.map_err(|error| from_io("epoll_wait", &error))?;
            match attempt() {
                Err(Error::WouldBlock) => ready.clear_ready(),
                done => return done,
            }
        }
    }
}

fn from_io(call: &'static str, error: &io::Error) -> Error {
    // Without a number the runtime is shutting down.
    Error::io(call, error.raw_os_error().unwrap_or(libc::ECANCELED))
}
