//! Memory for what C programs are given.

use std::alloc::{Layout, alloc};
use std::ptr;

use super::errno::null;

/// A value in memory of its own, which is that of a `Box`; null with errno ENOMEM
/// where there is none. (`Box::new` would end the process.)
pub(super) fn boxed<T>(value: T) -> *mut T {
    const { assert!(size_of::<T>() > 0) };
    // SAFETY: the size is not 0.
    let place: *mut T = unsafe { alloc(Layout::new::<T>()) }.cast();
    if place.is_null() {
        return null(libc::ENOMEM);
    }
    // SAFETY: new memory, of the size and alignment of the value.
    unsafe { ptr::write(place, value) };
    place
}
