//! Comparing entries.

use std::ffi::{c_int, c_uint};

use super::errno::fail;
use super::object::read;
use super::types::nf_conntrack;
use crate::conntrack::{CompareFlags, Conntrack, Head};

/// Compares two entries in all that both have set; the same as nfct_cmp() with
/// NFCT_CMP_ALL.
///
/// @param ct1 an entry
/// @param ct2 an entry
/// @return 1 where they are equal, 0 where not; -1 with errno EINVAL where a
/// pointer is NULL
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfct_compare(ct1: *const nf_conntrack, ct2: *const nf_conntrack) -> c_int {
    // SAFETY: the caller's entries.
    unsafe { nfct_cmp(ct1, ct2, 0) }
}

/// Compares two entries.
///
/// With NFCT_CMP_ALL: both tuples, zones, id, mark, timeout, status (each bit of
/// ct1 must be in ct2), protocol state, security context and labels. With
/// NFCT_CMP_ORIG, NFCT_CMP_REPL or both: only these tuples and their zones. The
/// NFCT_CMP_TIMEOUT_ flags compare nothing, and take out all that is not named.
///
/// What one entry lacks is no difference, unless NFCT_CMP_MASK is given and ct2
/// lacks it, or NFCT_CMP_STRICT, whichever lacks it; a mark or zone then counts as 0.
///
/// @param ct1 an entry; with NFCT_CMP_ORIG also a tuple that nfexp_get_attr() gave
/// @param ct2 the same
/// @param flags NFCT_CMP_ALL, or some of the flags
/// @return 1 where they are equal, 0 where not; -1 with errno EINVAL where a
/// pointer is NULL
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfct_cmp(
    ct1: *const nf_conntrack,
    ct2: *const nf_conntrack,
    flags: c_uint,
) -> c_int {
    if ct1.is_null() || ct2.is_null() {
        return fail(libc::EINVAL);
    }
    let flags = CompareFlags::from_bits_retain(flags);
    let scope = flags.scope();
    let whole = scope.is_empty() || scope.contains(CompareFlags::REPL);
    if !whole && !scope.contains(CompareFlags::ORIG) {
        return 1;
    }
    let (first, second) = (ct1.cast::<Conntrack>(), ct2.cast::<Conntrack>());
    let aligned = first.is_aligned() && second.is_aligned();
    // SAFETY: object pointers, of which no more than the head is read where the
    // flags ask for no more.
    let equal = unsafe {
        match (whole, aligned) {
            (true, true) => (*first).compare_with(&*second, flags),
            (true, false) => unaligned_match(ct1, ct2, flags),
            (false, _) => heads_match(ct1.cast(), ct2.cast(), flags),
        }
    };
    equal.into()
}

/// Compares original tuples. Those of expectations have less alignment than
/// entries.
///
/// # Safety
/// The pointers are to heads.
#[inline]
unsafe fn heads_match(first: *const Head, second: *const Head, flags: CompareFlags) -> bool {
    // SAFETY: the caller's heads.
    unsafe {
        if first.is_aligned() && second.is_aligned() {
            return (*first).compare(&*second, flags);
        }
        first
            .read_unaligned()
            .compare(&second.read_unaligned(), flags)
    }
}

/// Compares entries that are not aligned, by copies.
///
/// # Safety
/// The pointers are to whole entries.
#[cold]
unsafe fn unaligned_match(
    first: *const nf_conntrack,
    second: *const nf_conntrack,
    flags: CompareFlags,
) -> bool {
    // SAFETY: the caller's entries.
    let equal = unsafe {
        read(first, |first| {
            read(second, |second| first.compare_with(second, flags))
        })
    };
    equal.flatten().unwrap_or_default()
}
