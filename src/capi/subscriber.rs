//! Who is called for the messages of a handle, and with what.

use std::ffi::{c_int, c_void};
use std::ptr;

use libc::nlmsghdr;

use super::deliver::from_nfnl;
use super::errno::fail;
use super::handle::CHandle;
use super::receive::STOP;
use super::types::{Callback, Callback2, MessageType, nf_conntrack, nf_expect, nfct_handle};
use super::{expect, object};
use crate::conntrack::{Conntrack, ConntrackRef};
use crate::error::DecodeError;
use crate::expect::{Expect, ExpectRef};
use crate::netlink::Message;
use crate::nfnetlink::Subsystem;
use crate::uapi::{ct_message, cta, cta_expect};

/// What callbacks are called with: entries or expectations.
pub(super) trait Object: Sized {
    const SUBSYSTEM: Subsystem;
    /// Attributes that `nfnl_catch` looks for.
    const ATTRIBUTES: u16;

    /// Who has registered for these objects.
    fn subscriber(handle: &mut CHandle) -> &mut Subscriber<Self>;

    /// Whether the handle was opened for them.
    fn is_open(handle: &CHandle) -> bool;

    /// An empty one; null with errno ENOMEM.
    fn allocate() -> *mut Self;

    /// # Safety
    /// `object` is from [`allocate`](Self::allocate) and not used any more.
    unsafe fn free(object: *mut Self);

    /// Makes it what the message says.
    ///
    /// # Safety
    /// `object` is from [`allocate`](Self::allocate).
    unsafe fn decode(object: *mut Self, message: &Message<'_>) -> Result<(), DecodeError>;
}

impl Object for nf_conntrack {
    const SUBSYSTEM: Subsystem = Subsystem::CONNTRACK;
    const ATTRIBUTES: u16 = cta::COUNT as u16 - 1;

    fn subscriber(handle: &mut CHandle) -> &mut Subscriber<Self> {
        &mut handle.conntrack
    }

    fn is_open(handle: &CHandle) -> bool {
        handle.subsystems.conntrack
    }

    fn allocate() -> *mut Self {
        object::allocate().cast()
    }

    unsafe fn free(object: *mut Self) {
        // SAFETY: the caller's.
        unsafe { object::free(object.cast()) }
    }

    unsafe fn decode(object: *mut Self, message: &Message<'_>) -> Result<(), DecodeError> {
        // SAFETY: the caller's; calloc has aligned it.
        let entry: &mut Conntrack = unsafe { &mut *object.cast() };
        ConntrackRef::parse(message)?.decode_into(entry)
    }
}

impl Object for nf_expect {
    const SUBSYSTEM: Subsystem = Subsystem::EXPECT;
    const ATTRIBUTES: u16 = cta_expect::COUNT as u16 - 1;

    fn subscriber(handle: &mut CHandle) -> &mut Subscriber<Self> {
        &mut handle.expect
    }

    fn is_open(handle: &CHandle) -> bool {
        handle.subsystems.expect
    }

    fn allocate() -> *mut Self {
        expect::allocate().cast()
    }

    unsafe fn free(object: *mut Self) {
        // SAFETY: the caller's.
        unsafe { expect::free(object.cast()) }
    }

    unsafe fn decode(object: *mut Self, message: &Message<'_>) -> Result<(), DecodeError> {
        // SAFETY: the caller's; calloc has aligned it.
        let expect: &mut Expect = unsafe { &mut *object.cast() };
        ExpectRef::parse(message)?.decode_into(expect)
    }
}

/// The callback for one kind of object.
pub(super) struct Subscriber<T: Object> {
    registration: Option<Registration<T>>,
    /// An object for the next message, so that not each one allocates.
    spare: *mut T,
}

/// A registered callback.
pub(super) struct Registration<T> {
    mask: u32,
    function: Function<T>,
    data: *mut c_void,
}

/// Its function, of either kind.
pub(super) enum Function<T> {
    V1(Callback<T>),
    V2(Callback2<T>),
}

impl<T> Clone for Function<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Function<T> {}

impl<T> Clone for Registration<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Registration<T> {}

impl<T: Object> Subscriber<T> {
    pub(super) fn new() -> Self {
        Self {
            registration: None,
            spare: ptr::null_mut(),
        }
    }

    /// The callback for messages whose type has this bit.
    pub(super) fn for_type(&self, bit: u32) -> Option<Registration<T>> {
        self.registration.filter(|own| own.mask & bit != 0)
    }

    /// An object for a message; null with errno ENOMEM.
    pub(super) fn take_object(&mut self) -> *mut T {
        match std::mem::replace(&mut self.spare, ptr::null_mut()) {
            spare if spare.is_null() => T::allocate(),
            spare => spare,
        }
    }

    /// Takes an object back for the next message.
    ///
    /// # Safety
    /// `object` is from [`take_object`](Self::take_object) and not used any more.
    pub(super) unsafe fn give_back(&mut self, object: *mut T) {
        let surplus = std::mem::replace(&mut self.spare, object);
        // SAFETY: null, or a spare that a callback which received on the same
        // handle has given back.
        unsafe { T::free(surplus) }
    }
}

impl<T: Object> Drop for Subscriber<T> {
    fn drop(&mut self) {
        // SAFETY: nobody else knows it.
        unsafe { T::free(self.spare) }
    }
}

impl<T> Registration<T> {
    /// Calls the callback.
    ///
    /// # Safety
    /// `header` is the header of a whole message, `object` what it is about.
    pub(super) unsafe fn call(&self, header: *const nlmsghdr, bit: u32, object: *mut T) -> c_int {
        let kind = bit as MessageType;
        // SAFETY: the program's callback gets what it was promised.
        unsafe {
            match self.function {
                Function::V1(Some(callback)) => callback(kind, object, self.data),
                Function::V2(Some(callback)) => callback(header, kind, object, self.data),
                Function::V1(None) | Function::V2(None) => STOP,
            }
        }
    }
}

/// Puts a callback in the place of the one that was registered, for the C
/// functions.
///
/// # Safety
/// `handle` is NULL or a handle of this library.
pub(super) unsafe fn register<T: Object>(
    handle: *mut nfct_handle,
    mask: MessageType,
    function: Function<T>,
    data: *mut c_void,
) -> c_int {
    let registration = Registration {
        mask: mask as u32,
        function,
        data,
    };
    // SAFETY: the caller's.
    unsafe { set_registration(handle, Some(registration)) }
}

/// Takes the callback away.
///
/// # Safety
/// As [`register`].
pub(super) unsafe fn unregister<T: Object>(handle: *mut nfct_handle) {
    // SAFETY: the caller's.
    unsafe { set_registration::<T>(handle, None) };
}

unsafe fn set_registration<T: Object>(
    handle: *mut nfct_handle,
    registration: Option<Registration<T>>,
) -> c_int {
    // SAFETY: null or a handle of this library, of which nobody holds a borrow
    // while callbacks run.
    let Some(handle) = (unsafe { handle.cast::<CHandle>().as_mut() }) else {
        return fail(libc::EINVAL);
    };
    if !T::is_open(handle) {
        return fail(libc::EINVAL);
    }
    let call = registration.map(|_| from_nfnl::<T> as _);
    let data = handle.as_data();
    let messages = [ct_message::NEW, ct_message::DELETE];
    // SAFETY: the handle's own.
    let nfnl = unsafe { &mut *handle.nfnl };
    nfnl.route(T::SUBSYSTEM.0, messages, T::ATTRIBUTES, call, data);
    T::subscriber(handle).registration = registration;
    0
}
