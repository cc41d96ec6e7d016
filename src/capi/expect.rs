//! Expectations: making, freeing, cloning and comparing them, and how functions
//! get at them.

use std::ffi::{c_int, c_uint};

use super::errno::{fail, null};
use super::nfnl::calloc;
use super::types::nf_expect;
use crate::conntrack::CompareFlags;
use crate::expect::Expect;

/// Makes an expectation without any attribute.
///
/// @return the expectation, to be freed with nfexp_destroy(); NULL with errno ENOMEM
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfexp_new() -> *mut nf_expect {
    allocate().cast()
}

/// Frees an expectation.
///
/// @param exp the expectation; NULL is ignored
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfexp_destroy(exp: *mut nf_expect) {
    // SAFETY: null, or an expectation of this library that its owner gives up.
    unsafe { free(exp.cast()) }
}

/// Makes a copy of an expectation.
///
/// @param exp the expectation
/// @return the copy, to be freed with nfexp_destroy(); NULL with errno ENOMEM, or
/// EINVAL where exp is NULL
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfexp_clone(exp: *const nf_expect) -> *mut nf_expect {
    if exp.is_null() {
        return null(libc::EINVAL);
    }
    let copy = allocate();
    if !copy.is_null() {
        // SAFETY: an object pointer, and a new expectation.
        unsafe { read(exp, |expect| copy.write(*expect)) };
    }
    copy.cast()
}

/// The size of an expectation, which is that of all of them.
///
/// @param exp the expectation
/// @return bytes; 0 with errno EINVAL where exp is NULL
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfexp_sizeof(exp: *const nf_expect) -> usize {
    if exp.is_null() {
        fail(libc::EINVAL);
        return 0;
    }
    size_of::<Expect>()
}

/// The size of an expectation. That many zeroed bytes, at any alignment, are an
/// expectation without any attribute, and expectations may be copied with memcpy(3).
///
/// @return bytes
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfexp_maxsize() -> usize {
    size_of::<Expect>()
}

/// Compares two expectations in all but their timeouts: zone, flags, class,
/// names, direction, and tuples as nfct_cmp() does with NFCT_CMP_ORIG.
///
/// @param exp1 an expectation
/// @param exp2 an expectation
/// @param flags 0, NFCT_CMP_MASK, NFCT_CMP_STRICT or both, as for nfct_cmp()
/// @return 1 where they are equal, 0 where not; -1 with errno EINVAL where a
/// pointer is NULL
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfexp_cmp(
    exp1: *const nf_expect,
    exp2: *const nf_expect,
    flags: c_uint,
) -> c_int {
    let flags = CompareFlags::from_bits_retain(flags);
    // SAFETY: object pointers.
    let equal = unsafe {
        read(exp1, |first| {
            read(exp2, |second| first.compare_with(second, flags))
        })
    };
    match equal.flatten() {
        Some(equal) => equal.into(),
        None => fail(libc::EINVAL),
    }
}

/// An empty expectation; null with errno ENOMEM.
pub(super) fn allocate() -> *mut Expect {
    // All-zero memory is an empty expectation. calloc sets errno.
    calloc(1)
}

/// Frees an expectation from [`allocate`].
///
/// # Safety
/// `expect` is null, or an expectation that is not used any more.
pub(super) unsafe fn free(expect: *mut Expect) {
    // SAFETY: from calloc; it owns nothing.
    unsafe { libc::free(expect.cast()) }
}

/// Looks at an expectation; `None` for NULL.
///
/// # Safety
/// `exp` is an object pointer.
pub(super) unsafe fn read<R>(exp: *const nf_expect, work: impl FnOnce(&Expect) -> R) -> Option<R> {
    if exp.is_null() {
        return None;
    }
    // SAFETY: the caller's expectation, at any alignment.
    let copy = unsafe { exp.cast::<Expect>().read_unaligned() };
    Some(work(&copy))
}

/// Changes an expectation; `None` for NULL.
///
/// # Safety
/// `exp` is an object pointer.
pub(super) unsafe fn change<R>(
    exp: *mut nf_expect,
    work: impl FnOnce(&mut Expect) -> R,
) -> Option<R> {
    if exp.is_null() {
        return None;
    }
    let place: *mut Expect = exp.cast();
    // SAFETY: the caller's expectation, at any alignment.
    unsafe {
        let mut copy = place.read_unaligned();
        let result = work(&mut copy);
        place.write_unaligned(copy);
        Some(result)
    }
}
