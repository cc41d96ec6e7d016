//! Registering callbacks.

use std::ffi::{c_int, c_void};

use libc::nlmsghdr;

use super::subscriber::{Function, register, unregister};
use super::types::{MessageType, nf_conntrack, nf_expect, nfct_handle};

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
