//! Callbacks: registering them, and calling them with a message.

use std::ffi::{c_int, c_void};
use std::ptr;

use libc::nlmsghdr;

use super::errno::fail;
use super::expect;
use super::handle::CHandle;
use super::object;
use super::receive;
use super::types::{Callback, Callback2, MessageType, nf_conntrack, nf_expect, nfct_handle};
use crate::conntrack::{Conntrack, ConntrackRef};
use crate::error::DecodeError;
use crate::expect::{Expect, ExpectRef};
use crate::netlink::Message;
use crate::nfnetlink::Subsystem;
use crate::uapi::{ct_message, cta, cta_expect};

/// Registers the callback for messages about entries, in the place of the one
/// that was registered before with this function or nfct_callback_register2().
///
/// The callback gets the type of the message, the entry, and data. It returns
/// - NFCT_CB_CONTINUE: go on; the entry is freed,
/// - NFCT_CB_STOLEN: go on; the entry is the callback's, to be freed with
///   nfct_destroy(),
/// - NFCT_CB_STOP: nfct_catch() or nfct_query() returns 0; the entry is freed,
/// - NFCT_CB_FAILURE or another negative value: it returns that value; the
///   entry is freed.
///
/// Entries of a dump and the reply to NFCT_Q_GET have the type NFCT_T_UPDATE.
///
/// @param h the handle
/// @param type the types of messages to call it for: NFCT_T_ALL, or some of
/// NFCT_T_NEW, NFCT_T_UPDATE, NFCT_T_DESTROY
/// @param cb the callback; NULL acts as one that returns NFCT_CB_STOP
/// @param data passed on to the callback
/// @return 0; -1 with errno EINVAL where h is NULL or was not opened for CONNTRACK
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfct_callback_register(
    h: *mut nfct_handle,
    r#type: MessageType,
    cb: Option<
        unsafe extern "C" fn(
            r#type: MessageType,
            ct: *mut nf_conntrack,
            data: *mut c_void,
        ) -> c_int,
    >,
    data: *mut c_void,
) -> c_int {
    // SAFETY: null or a handle of this library.
    unsafe { register(h, r#type, Function::V1(cb), data) }
}

/// Takes the callback for messages about entries away: they are skipped then.
///
/// @param h the handle. Sets errno to EINVAL where it is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfct_callback_unregister(h: *mut nfct_handle) {
    // SAFETY: null or a handle of this library.
    unsafe { unregister::<nf_conntrack>(h) };
}

/// As nfct_callback_register(), with a callback that also gets the message. The
/// message is valid until the callback returns.
///
/// @param h the handle
/// @param type the types of messages to call it for
/// @param cb the callback; NULL acts as one that returns NFCT_CB_STOP
/// @param data passed on to the callback
/// @return 0; -1 with errno EINVAL where h is NULL or was not opened for CONNTRACK
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfct_callback_register2(
    h: *mut nfct_handle,
    r#type: MessageType,
    cb: Option<
        unsafe extern "C" fn(
            nlh: *const nlmsghdr,
            r#type: MessageType,
            ct: *mut nf_conntrack,
            data: *mut c_void,
        ) -> c_int,
    >,
    data: *mut c_void,
) -> c_int {
    // SAFETY: null or a handle of this library.
    unsafe { register(h, r#type, Function::V2(cb), data) }
}

/// The same as nfct_callback_unregister().
///
/// @param h the handle. Sets errno to EINVAL where it is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfct_callback_unregister2(h: *mut nfct_handle) {
    // SAFETY: null or a handle of this library.
    unsafe { unregister::<nf_conntrack>(h) };
}

/// Registers the callback for messages about expectations, in the place of the
/// one that was registered before. It is called, and what it returns is used, as
/// nfct_callback_register() says; an expectation it keeps is to be freed with
/// nfexp_destroy().
///
/// @param h the handle
/// @param type the types of messages to call it for; those of a dump have the
/// type NFCT_T_UPDATE
/// @param cb the callback; NULL acts as one that returns NFCT_CB_STOP
/// @param data passed on to the callback
/// @return 0; -1 with errno EINVAL where h is NULL or was not opened for EXPECT
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfexp_callback_register(
    h: *mut nfct_handle,
    r#type: MessageType,
    cb: Option<
        unsafe extern "C" fn(r#type: MessageType, exp: *mut nf_expect, data: *mut c_void) -> c_int,
    >,
    data: *mut c_void,
) -> c_int {
    // SAFETY: null or a handle of this library.
    unsafe { register(h, r#type, Function::V1(cb), data) }
}

/// Takes the callback for messages about expectations away: they are skipped then.
///
/// @param h the handle. Sets errno to EINVAL where it is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfexp_callback_unregister(h: *mut nfct_handle) {
    // SAFETY: null or a handle of this library.
    unsafe { unregister::<nf_expect>(h) };
}

/// As nfexp_callback_register(), with a callback that also gets the message. The
/// message is valid until the callback returns.
///
/// @param h the handle
/// @param type the types of messages to call it for
/// @param cb the callback; NULL acts as one that returns NFCT_CB_STOP
/// @param data passed on to the callback
/// @return 0; -1 with errno EINVAL where h is NULL or was not opened for EXPECT
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfexp_callback_register2(
    h: *mut nfct_handle,
    r#type: MessageType,
    cb: Option<
        unsafe extern "C" fn(
            nlh: *const nlmsghdr,
            r#type: MessageType,
            exp: *mut nf_expect,
            data: *mut c_void,
        ) -> c_int,
    >,
    data: *mut c_void,
) -> c_int {
    // SAFETY: null or a handle of this library.
    unsafe { register(h, r#type, Function::V2(cb), data) }
}

/// The same as nfexp_callback_unregister().
///
/// @param h the handle. Sets errno to EINVAL where it is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfexp_callback_unregister2(h: *mut nfct_handle) {
    // SAFETY: null or a handle of this library.
    unsafe { unregister::<nf_expect>(h) };
}

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

enum Function<T> {
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
                Function::V1(None) | Function::V2(None) => receive::STOP,
            }
        }
    }
}

unsafe fn register<T: Object>(
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

unsafe fn unregister<T: Object>(handle: *mut nfct_handle) {
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
    let call = registration.map(|_| receive::from_nfnl::<T> as _);
    let data = handle.as_data();
    let messages = [ct_message::NEW, ct_message::DELETE];
    // SAFETY: the handle's own.
    let nfnl = unsafe { &mut *handle.nfnl };
    nfnl.route(T::SUBSYSTEM.0, messages, T::ATTRIBUTES, call, data);
    T::subscriber(handle).registration = registration;
    0
}
