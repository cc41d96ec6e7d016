//! Errors as C programs see them.

use std::ffi::c_int;
use std::ptr;

use nix::errno::Errno;

use crate::error::Error;

/// Sets `errno` and gives the result of a function that failed.
pub(super) fn fail(errno: c_int) -> c_int {
    Errno::set_raw(errno);
    -1
}

/// Sets `errno` and gives a null pointer.
pub(super) fn null<T>(errno: c_int) -> *mut T {
    Errno::set_raw(errno);
    ptr::null_mut()
}

/// The result of a function that gives 0 on success.
pub(super) fn status(result: Result<(), Error>) -> c_int {
    match result {
        Ok(()) => 0,
        Err(error) => fail(error.errno()),
    }
}
