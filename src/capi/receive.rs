//! Receiving: the loop below `nfct_catch` and `nfct_query`.

use std::ffi::c_int;
use std::os::fd::AsFd;

use nix::fcntl::{FcntlArg, OFlag, fcntl};

use super::deliver::{Fault, deliver};
use super::errno::fail;
use super::handle::CHandle;
use crate::error::{DecodeError, Error, Result};
use crate::handle::{Awaiting, Caught, Incoming, Wait};

/// NFCT_CB_STOP.
pub(super) const STOP: c_int = 0;

/// Receives and calls callbacks up to the last reply that is awaited, or until a
/// callback ends it; the result is that of `nfct_catch` or `nfct_query`.
///
/// # Safety
/// A handle of this library. Callbacks may use it, and close it.
pub(super) unsafe fn receive(handle: *mut CHandle, awaiting: Awaiting) -> c_int {
    // SAFETY: the caller's handle.
    unsafe {
        receiving(handle, || {
            if let Awaiting::Request(seq) = awaiting {
                (*handle).waiting.begin(seq);
            }
            let result = run(handle, awaiting);
            if let Awaiting::Request(_) = awaiting {
                (*handle).waiting.end();
            }
            // What is read is delivered or dropped when this returns: programs
            // wait for the socket, not for this library.
            (*handle).core.discard_datagram();
            result
        })
    }
}

/// Reads a dump that nobody wants any more to its end, since the kernel refuses
/// a second one beside it (EBUSY). Callbacks get the events on the way, but
/// cannot end this.
///
/// # Errors
/// The errno; EBADF where a callback closed the handle.
///
/// # Safety
/// As [`receive`].
pub(super) unsafe fn finish_abandoned_dump(handle: *mut CHandle) -> Result<(), c_int> {
    // SAFETY: the caller's handle; borrows of it end before callbacks run.
    unsafe {
        receiving(handle, || {
            while let Some(dump) = (*handle).core.abandoned_dump() {
                match (*handle).core.receive(Awaiting::Anything, Wait::No) {
                    Ok(Incoming::Data { place, header, .. }) => {
                        let _verdict = deliver(handle, place, header);
                    }
                    Ok(Incoming::Last(..)) | Err(Error::Decode(_)) => {}
                    // Its end was lost; the kernel will say whether it still runs.
                    Err(Error::WouldBlock) => (*handle).core.forget_dump(dump),
                    Err(error) => return Err(error.errno()),
                }
                if (*handle).closed {
                    return Err(libc::EBADF);
                }
            }
            Ok(())
        })
    }
}

/// Does something in which callbacks may be called, and frees the handle if one
/// of them closed it.
///
/// # Safety
/// As [`receive`].
pub(super) unsafe fn receiving<R>(handle: *mut CHandle, work: impl FnOnce() -> R) -> R {
    // SAFETY: a handle of this library; nothing of it is borrowed.
    unsafe {
        (*handle).receiving += 1;
        let result = work();
        (*handle).receiving -= 1;
        if (*handle).closed && (*handle).receiving == 0 {
            CHandle::free(handle);
        }
        result
    }
}

unsafe fn run(handle: *mut CHandle, awaiting: Awaiting) -> c_int {
    let mut malformed = false;
    loop {
        // SAFETY: the borrow ends with this statement.
        let received = unsafe { next(&mut *handle, awaiting, malformed) };
        let result = match received {
            Ok(Incoming::Data { place, header, .. }) => {
                // SAFETY: nothing of the handle is borrowed.
                match unsafe { deliver(handle, place, header) } {
                    Ok(verdict) if verdict > STOP => continue,
                    Ok(verdict) => verdict,
                    Err(Fault::Handle(errno)) => fail(errno),
                    Err(Fault::Message) => {
                        malformed = true;
                        continue;
                    }
                }
            }
            // To the C library a list is complete also where the table changed under it.
            Ok(Incoming::Last(_, Ok(()) | Err(Error::DumpInterrupted))) => {
                return if malformed { fail(libc::EBADMSG) } else { 0 };
            }
            Ok(Incoming::Last(_, Err(error))) => return fail(error.errno()),
            Err(Error::Decode(_)) if !malformed || awaiting != Awaiting::Anything => {
                malformed = true;
                continue;
            }
            // SAFETY: the borrow ends with this statement.
            Err(error) => fail(unsafe { errno(&error, awaiting, &(*handle).core) }),
        };
        if let Awaiting::Request(seq) = awaiting {
            // Nobody waits for the rest of the reply.
            // SAFETY: the borrow ends with this statement.
            unsafe { (*handle).core.abandon(seq) };
        }
        return result;
    }
}

/// The next message for whoever is `awaiting`. The last replies to other queries
/// that wait are kept for them.
///
/// `malformed` tells that a message was skipped; where nobody waits for a reply
/// that could tell so, the end of its datagram does.
fn next(handle: &mut CHandle, awaiting: Awaiting, malformed: bool) -> Result<Incoming> {
    // The kernel answers a request while it is being sent.
    let (seq, wait) = match awaiting {
        Awaiting::Request(seq) => (Some(seq), Wait::No),
        Awaiting::Anything => (None, Wait::BySocket),
    };
    if handle.core.datagram_is_read() {
        match seq.and_then(|seq| Some((seq, handle.waiting.take(seq)?))) {
            Some((seq, result)) => return Ok(Incoming::Last(Caught::Acknowledged(seq), result)),
            None if seq.is_none() && malformed => {
                return Err(Error::Decode(DecodeError::Short { header: "message" }));
            }
            None => {}
        }
    }
    if !handle.waiting.others(seq) {
        return handle.core.receive(awaiting, wait);
    }
    loop {
        let (caught, result) = match handle.core.receive(Awaiting::Anything, wait)? {
            Incoming::Last(caught, result) => (caught, result),
            data => return Ok(data),
        };
        let of = match caught {
            Caught::Acknowledged(of) | Caught::Done(of) => of,
            Caught::Stopped => continue,
        };
        if seq == Some(of) {
            return Ok(Incoming::Last(caught, result));
        }
        match handle.waiting.keep(of, result) {
            Some(result) if seq.is_none() => return Ok(Incoming::Last(caught, result)),
            _ => {}
        }
    }
}

/// Where the reply to a request is not there, it was lost: to a program that
/// would wait for it for ever that is ENOBUFS.
fn errno(error: &Error, awaiting: Awaiting, fd: impl AsFd) -> c_int {
    match (error, awaiting) {
        (Error::WouldBlock, Awaiting::Request(_)) if !is_nonblocking(fd) => libc::ENOBUFS,
        _ => error.errno(),
    }
}

fn is_nonblocking(fd: impl AsFd) -> bool {
    let flags = fcntl(fd, FcntlArg::F_GETFL).unwrap_or(0);
    OFlag::from_bits_retain(flags).contains(OFlag::O_NONBLOCK)
}
