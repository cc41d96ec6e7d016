//! Waiting for several descriptors and a time at once.

use std::io;
use std::os::fd::BorrowedFd;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

/// Waits until one of the descriptors is readable (or broken), or until this
/// time; tells which are.
pub(crate) fn readable<const N: usize>(
    descriptors: [BorrowedFd<'_>; N],
    until: Option<Instant>,
) -> io::Result<[bool; N]> {
    let mut waiting = descriptors.map(|descriptor| PollFd::new(descriptor, PollFlags::POLLIN));
    let limit = match until.map(|until| until.saturating_duration_since(Instant::now())) {
        None => PollTimeout::NONE,
        // In whole milliseconds, rounded up: it would wake up too early otherwise.
        Some(left) => {
            let left = left.saturating_add(Duration::from_micros(999));
            PollTimeout::try_from(left).unwrap_or(PollTimeout::MAX)
        }
    };
    match poll(&mut waiting, limit) {
        Ok(_) => Ok(waiting.map(|descriptor| descriptor.any().unwrap_or(true))),
        Err(Errno::EINTR) => Ok([false; N]),
        Err(errno) => Err(errno.into()),
    }
}
