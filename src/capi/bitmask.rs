//! Bitmasks.

use std::ffi::{c_int, c_uint};

use super::errno::{fail, null};
use super::memory::boxed;
use super::types::nfct_bitmask;
use crate::conntrack::Bitmask;

/// Makes an empty bitmask, such as for the labels of an entry.
///
/// @param maxbit the highest bit there is to be room for, up to 65535
/// @return the bitmask, to be freed with nfct_bitmask_destroy() unless an entry
/// becomes its owner; NULL with errno EINVAL where maxbit is too high, or ENOMEM
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfct_bitmask_new(maxbit: c_uint) -> *mut nfct_bitmask {
    match Bitmask::new(maxbit) {
        Ok(bitmask) => to_c(bitmask),
        Err(error) => null(error.errno()),
    }
}

/// Makes a copy of a bitmask.
///
/// @param b the bitmask
/// @return the copy, to be freed with nfct_bitmask_destroy(); NULL with errno
/// EINVAL where b is NULL, or ENOMEM
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfct_bitmask_clone(b: *const nfct_bitmask) -> *mut nfct_bitmask {
    // SAFETY: null or a bitmask of this library.
    match unsafe { look(b) } {
        Some(bitmask) => match bitmask.try_clone() {
            Ok(copy) => to_c(copy),
            Err(error) => null(error.errno()),
        },
        None => null(libc::EINVAL),
    }
}

/// The highest bit there is room for in a bitmask.
///
/// @param b the bitmask
/// @return its number; 0 with errno EINVAL where b is NULL
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfct_bitmask_maxbit(b: *const nfct_bitmask) -> c_uint {
    // SAFETY: null or a bitmask of this library.
    unsafe { look(b) }.map_or(0, Bitmask::max_bit)
}

/// Sets a bit. One that there is no room for is ignored.
///
/// @param b the bitmask. Sets errno to EINVAL where it is NULL.
/// @param bit the bit
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfct_bitmask_set_bit(b: *mut nfct_bitmask, bit: c_uint) {
    // SAFETY: null or a bitmask of this library.
    unsafe { change(b, |bitmask| bitmask.set(bit)) }
}

/// Tells whether a bit is set.
///
/// @param b the bitmask
/// @param bit the bit
/// @return 1 or 0; 0 with errno EINVAL where b is NULL
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfct_bitmask_test_bit(b: *const nfct_bitmask, bit: c_uint) -> c_int {
    // SAFETY: null or a bitmask of this library.
    unsafe { look(b) }
        .is_some_and(|bitmask| bitmask.test(bit))
        .into()
}

/// Clears a bit. One that there is no room for is ignored.
///
/// @param b the bitmask. Sets errno to EINVAL where it is NULL.
/// @param bit the bit
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfct_bitmask_unset_bit(b: *mut nfct_bitmask, bit: c_uint) {
    // SAFETY: null or a bitmask of this library.
    unsafe { change(b, |bitmask| bitmask.unset(bit)) }
}

/// Frees a bitmask that no entry owns.
///
/// @param b the bitmask; NULL is ignored
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfct_bitmask_destroy(b: *mut nfct_bitmask) {
    if !b.is_null() {
        // SAFETY: made by `to_c`, and its owner's to give up.
        drop(unsafe { Box::<Bitmask>::from_raw(b.cast()) });
    }
}

/// Clears all bits.
///
/// @param b the bitmask. Sets errno to EINVAL where it is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfct_bitmask_clear(b: *mut nfct_bitmask) {
    // SAFETY: null or a bitmask of this library.
    unsafe { change(b, Bitmask::clear) }
}

/// Tells whether two bitmasks have the same size and the same bits set.
///
/// @param b1 a bitmask
/// @param b2 a bitmask
/// @return whether they are equal; false with errno EINVAL where one is NULL
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfct_bitmask_equal(
    b1: *const nfct_bitmask,
    b2: *const nfct_bitmask,
) -> bool {
    // SAFETY: null or bitmasks of this library.
    match unsafe { (look(b1), look(b2)) } {
        (Some(first), Some(second)) => first == second,
        _ => false,
    }
}

fn to_c(bitmask: Bitmask) -> *mut nfct_bitmask {
    boxed(bitmask).cast()
}

/// The bitmask at a pointer; `None`, with errno EINVAL, for NULL.
unsafe fn look<'a>(b: *const nfct_bitmask) -> Option<&'a Bitmask> {
    // SAFETY: null or a bitmask of this library.
    let bitmask = unsafe { b.cast::<Bitmask>().as_ref() };
    if bitmask.is_none() {
        fail(libc::EINVAL);
    }
    bitmask
}

/// Changes the bitmask at a pointer; only sets errno to EINVAL for NULL.
unsafe fn change(b: *mut nfct_bitmask, work: impl FnOnce(&mut Bitmask)) {
    // SAFETY: null or a bitmask of this library.
    match unsafe { b.cast::<Bitmask>().as_mut() } {
        Some(bitmask) => work(bitmask),
        None => {
            fail(libc::EINVAL);
        }
    }
}
