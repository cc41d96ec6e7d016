//! Memory for what C programs are given.

use std::alloc::{Layout, alloc};
use std::ptr;

use super::errno::fail;
use crate::error::Error;

/// A value in memory of its own, which is that of a `Box`; null with errno ENOMEM
/// where there is none. (`Box::new` would end the process.)
pub(super) fn boxed<T>(value: T) -> *mut T {
    try_boxed(value).unwrap_or(ptr::null_mut())
}

/// The same, which gives the value back where there is no memory.
pub(super) fn try_boxed<T>(value: T) -> Result<*mut T, T> {
    const { assert!(size_of::<T>() > 0) };
    // SAFETY: the size is not 0.
    let place: *mut T = unsafe { alloc(Layout::new::<T>()) }.cast();
    if place.is_null() {
        fail(libc::ENOMEM);
        return Err(value);
    }
    // SAFETY: new memory, of the size and alignment of the value.
    unsafe { ptr::write(place, value) };
    Ok(place)
}

/// A buffer for a message. Only one with long attributes has to be larger.
pub(super) fn message_buffer() -> Result<Vec<u8>, Error> {
    let mut buffer = Vec::new();
    match buffer.try_reserve_exact(1024) {
        Ok(()) => Ok(buffer),
        Err(_) => Err(Error::Io {
            call: "malloc",
            errno: libc::ENOMEM,
        }),
    }
}
