//! Receiving: the loop below `nfct_catch` and `nfct_query`.

use std::ffi::{c_int, c_void};
use std::os::fd::AsFd;

use libc::nlmsghdr;
use nix::fcntl::{FcntlArg, OFlag, fcntl};

use super::callback::{Object, Registration};
use super::errno::fail;
use super::handle::CHandle;
use super::nlmsg::message;
use super::types::{nf_conntrack, nf_expect};
use crate::error::{DecodeError, Error};
use crate::handle::{Awaiting, EventKind, EventMask, Incoming, Place, Wait};
use crate::netlink::{Header, Message};
use crate::nfnetlink::Subsystem;

/// NFCT_CB_STOP.
pub(super) const STOP: c_int = 0;
/// NFCT_CB_CONTINUE.
const CONTINUE: c_int = 1;
/// NFCT_CB_STOLEN.
const STOLEN: c_int = 2;

/// Receives and calls callbacks up to the last reply that is awaited, or until a
/// callback ends it; the result is that of `nfct_catch` or `nfct_query`.
///
/// # Safety
/// A handle of this library. Callbacks may use it, and close it.
pub(super) unsafe fn receive(handle: *mut CHandle, awaiting: Awaiting) -> c_int {
    // SAFETY: the caller's handle.
    unsafe {
        receiving(handle, || {
            let result = run(handle, awaiting);
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
unsafe fn receiving<R>(handle: *mut CHandle, work: impl FnOnce() -> R) -> R {
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
    let wait = match awaiting {
        Awaiting::Anything => Wait::BySocket,
        // The kernel answers a request while it is being sent.
        Awaiting::Request(_) => Wait::No,
    };
    let mut malformed = false;
    loop {
        // SAFETY: as in `receive`.
        let core = unsafe { &mut (*handle).core };
        if malformed && awaiting == Awaiting::Anything && core.datagram_is_read() {
            return fail(libc::EBADMSG);
        }
        match core.receive(awaiting, wait) {
            Ok(Incoming::Data { place, header, .. }) => {
                // SAFETY: the borrow of the handle is over.
                match unsafe { deliver(handle, place, header) } {
                    Ok(verdict) if verdict > STOP => {}
                    Ok(verdict) => {
                        // SAFETY: as in `receive`.
                        unsafe { abandon(handle, awaiting) };
                        return verdict;
                    }
                    Err(Fault::Message) => malformed = true,
                    Err(Fault::Handle(errno)) => {
                        // SAFETY: as in `receive`.
                        unsafe { abandon(handle, awaiting) };
                        return fail(errno);
                    }
                }
            }
            Ok(Incoming::Last(_, Ok(()) | Err(Error::DumpInterrupted))) if malformed => {
                return fail(libc::EBADMSG);
            }
            // To the C library a list is complete also where the table changed under it.
            Ok(Incoming::Last(_, Ok(()) | Err(Error::DumpInterrupted))) => return 0,
            Ok(Incoming::Last(_, Err(error))) => return fail(error.errno()),
            Err(Error::Decode(_)) => malformed = true,
            Err(error) => {
                // SAFETY: as in `receive`.
                unsafe { abandon(handle, awaiting) };
                return fail(errno(&error, awaiting, core.as_fd()));
            }
        }
    }
}

/// Nobody waits for the rest of the reply.
unsafe fn abandon(handle: *mut CHandle, awaiting: Awaiting) {
    if let Awaiting::Request(seq) = awaiting {
        // SAFETY: as in `receive`.
        unsafe { (*handle).core.abandon(seq) };
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

/// Why a message was not delivered.
enum Fault {
    /// It is malformed.
    Message,
    /// The handle cannot go on.
    Handle(c_int),
}

impl From<DecodeError> for Fault {
    fn from(_: DecodeError) -> Self {
        Self::Message
    }
}

/// Passes a message to the callback registered for it and gives what that says.
///
/// # Safety
/// As [`receive`].
unsafe fn deliver(handle: *mut CHandle, place: Place, header: Header) -> Result<c_int, Fault> {
    // SAFETY: the caller's.
    unsafe {
        match Subsystem::split(header.kind).0 {
            Subsystem::CONNTRACK => deliver_object::<nf_conntrack>(handle, place, header),
            Subsystem::EXPECT => deliver_object::<nf_expect>(handle, place, header),
            _ => Ok(CONTINUE),
        }
    }
}

#[inline]
unsafe fn deliver_object<T: Object>(
    handle: *mut CHandle,
    place: Place,
    header: Header,
) -> Result<c_int, Fault> {
    // SAFETY: the borrow ends with this statement.
    let Some(call) = (unsafe { Call::<T>::find(&mut *handle, header) }) else {
        return Ok(CONTINUE);
    };
    // Taken out of the handle, which the callback may use.
    // SAFETY: no borrow of the handle is held.
    let inbox = unsafe { (*handle).core.take_inbox() };
    let result = match inbox.message(place) {
        // SAFETY: the same.
        Ok(message) => unsafe { call.make(handle, &message) },
        Err(_) => Err(Fault::Message),
    };
    // SAFETY: a handle that a callback closed is freed by `receive`.
    unsafe { (*handle).core.put_inbox(inbox) };
    result
}

/// A call of a callback that is due.
struct Call<T> {
    registration: Registration<T>,
    bit: u32,
}

impl<T: Object> Call<T> {
    /// The call that a message with this header is to cause.
    fn find(handle: &mut CHandle, header: Header) -> Option<Self> {
        let bit = type_bit(EventKind::of(header)?);
        let registration = T::subscriber(handle).for_type(bit)?;
        Some(Self { registration, bit })
    }

    /// Decodes the message and calls the callback.
    unsafe fn make(self, handle: *mut CHandle, message: &Message<'_>) -> Result<c_int, Fault> {
        // SAFETY: the borrow ends with this statement.
        let object = unsafe { T::subscriber(&mut *handle).take_object() };
        if object.is_null() {
            return Err(Fault::Handle(libc::ENOMEM));
        }
        // SAFETY: the object is this function's but while the callback has it;
        // a closed handle is freed by the caller.
        unsafe {
            if let Err(error) = T::decode(object, message) {
                T::subscriber(&mut *handle).give_back(object);
                return Err(error.into());
            }
            let header = message.as_bytes().as_ptr().cast();
            let verdict = self.registration.call(header, self.bit, object);
            if verdict == STOLEN {
                return Ok(CONTINUE);
            }
            T::subscriber(&mut *handle).give_back(object);
            if verdict > STOP && (*handle).closed {
                return Err(Fault::Handle(libc::EBADF));
            }
            Ok(verdict)
        }
    }
}

/// What `nfnl_catch` of libnfnetlink calls for a message, where a program uses
/// it instead of `nfct_catch`. Its verdicts have the same numbers, less STOLEN.
pub(super) unsafe extern "C" fn from_nfnl<T: Object>(
    nlh: *mut nlmsghdr,
    _attributes: *mut *mut c_void,
    data: *mut c_void,
) -> c_int {
    let handle: *mut CHandle = data.cast();
    // SAFETY: libnfnetlink passes a whole message; the data was registered with
    // the handle, of which no borrow is held while the callback runs.
    unsafe {
        let Some(message) = message(nlh) else {
            return CONTINUE;
        };
        let Some(call) = Call::<T>::find(&mut *handle, message.header()) else {
            return CONTINUE;
        };
        match receiving(handle, || call.make(handle, &message)) {
            Ok(verdict) => verdict,
            Err(Fault::Message) => fail(libc::EBADMSG),
            Err(Fault::Handle(errno)) => fail(errno),
        }
    }
}

/// NFCT_T_NEW, NFCT_T_UPDATE or NFCT_T_DESTROY.
pub(super) fn type_bit(kind: EventKind) -> u32 {
    EventMask::from(kind).bits()
}
