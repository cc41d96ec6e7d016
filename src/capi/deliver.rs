//! Delivering a message: from the datagram to the callback.

use std::ffi::{c_int, c_void};

use libc::nlmsghdr;

use super::errno::fail;
use super::handle::CHandle;
use super::nlmsg::message;
use super::receive::{STOP, receiving};
use super::subscriber::{Object, Registration};
use super::types::{nf_conntrack, nf_expect};
use crate::error::DecodeError;
use crate::handle::{EventKind, EventMask, Place};
use crate::netlink::{Header, Message};
use crate::nfnetlink::Subsystem;

/// NFCT_CB_CONTINUE.
const CONTINUE: c_int = 1;
/// NFCT_CB_STOLEN.
const STOLEN: c_int = 2;

/// Why a message was not delivered.
pub(super) enum Fault {
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
/// As [`receive`](super::receive::receive).
pub(super) unsafe fn deliver(
    handle: *mut CHandle,
    place: Place,
    header: Header,
) -> Result<c_int, Fault> {
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
