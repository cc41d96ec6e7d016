//! Signals that are waited for like data, in the place of handlers that run in
//! the middle of something.

use std::io;

use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};

/// A descriptor that is readable when one of the signals has come. They are kept
/// back from this thread and those that it starts from now on, so this comes
/// before other threads.
pub(crate) fn descriptor(signals: &[Signal]) -> io::Result<SignalFd> {
    let set: SigSet = signals.iter().copied().collect();
    set.thread_block()?;
    let flags = SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC;
    Ok(SignalFd::with_flags(&set, flags)?)
}

/// The next signal that has come, if any.
pub(crate) fn next(descriptor: &SignalFd) -> io::Result<Option<Signal>> {
    let Some(info) = descriptor.read_signal()? else {
        return Ok(None);
    };
    let number = i32::try_from(info.ssi_signo).map_err(io::Error::other)?;
    Ok(Some(Signal::try_from(number)?))
}
