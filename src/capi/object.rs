//! Entries: making, freeing and cloning them, and how functions get at them.

use std::ffi::{c_int, c_uint};
use std::hint;
use std::mem::{ManuallyDrop, MaybeUninit, offset_of};
use std::ptr;

use super::errno::{fail, null};
use super::types::nf_conntrack;
use crate::conntrack::{Bitmask, Conntrack, CopyFlags};

/// Makes an entry without any attribute.
///
/// @return the entry, to be freed with nfct_destroy(); NULL with errno ENOMEM
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfct_new() -> *mut nf_conntrack {
    allocate().cast()
}

/// Frees an entry and what it owns: labels, helper data, security context.
///
/// @param ct the entry; NULL is ignored
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfct_destroy(ct: *mut nf_conntrack) {
    // SAFETY: an object pointer (see the module `capi`) from this library.
    unsafe { free(ct.cast()) }
}

/// Makes a copy of an entry, labels and all.
///
/// @param ct the entry
/// @return the copy, to be freed with nfct_destroy(); NULL with errno ENOMEM, or
/// EINVAL where ct is NULL
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfct_clone(ct: *const nf_conntrack) -> *mut nf_conntrack {
    if ct.is_null() {
        return null(libc::EINVAL);
    }
    let copy = allocate();
    if !copy.is_null() {
        // SAFETY: an object pointer, and a new entry.
        unsafe { read(ct, |entry| copy.write(entry.clone())) };
    }
    copy.cast()
}

/// Copies attributes from one entry to another. What dest has and src lacks
/// stays, except with NFCT_CP_OVERRIDE.
///
/// @param dest the entry to change
/// @param source the entry to copy from
/// @param flags NFCT_CP_ALL for all attributes; or one or more of NFCT_CP_ORIG (the
/// original tuple), NFCT_CP_REPL (the reply tuple), NFCT_CP_META (all others); or
/// NFCT_CP_OVERRIDE to make dest a clone of source. dest must be a valid entry
/// then too, since what it owns is freed.
///
/// Sets errno to EINVAL where a pointer is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfct_copy(
    dest: *mut nf_conntrack,
    source: *const nf_conntrack,
    flags: c_uint,
) {
    let flags = CopyFlags::from_bits_retain(flags);
    // SAFETY: object pointers.
    unsafe { copy(dest, source, |dest, source| dest.copy_from(source, flags)) };
}

/// Copies one attribute from one entry to another, if ct2 has it.
///
/// @param ct1 the entry to change
/// @param ct2 the entry to copy from
/// @param type the attribute
///
/// Sets errno to EINVAL where a pointer is NULL or there is no such attribute.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfct_copy_attr(
    ct1: *mut nf_conntrack,
    ct2: *const nf_conntrack,
    r#type: super::types::AttrNumber,
) {
    let Some(attr) = crate::conntrack::Attr::from_number(r#type) else {
        fail(libc::EINVAL);
        return;
    };
    // SAFETY: object pointers.
    unsafe { copy(ct1, ct2, |dest, source| dest.copy_attr(source, attr)) };
}

unsafe fn copy(
    dest: *mut nf_conntrack,
    source: *const nf_conntrack,
    work: impl FnOnce(&mut Conntrack, &Conntrack),
) -> c_int {
    if dest.is_null() || source.is_null() {
        return fail(libc::EINVAL);
    }
    if ptr::eq(dest, source) {
        return 0;
    }
    // SAFETY: two different objects.
    unsafe {
        separate_labels(dest);
        read(source, |source| change(dest, |dest| work(dest, source)));
    }
    0
}

/// An empty entry; null with errno ENOMEM.
pub(super) fn allocate() -> *mut Conntrack {
    // All-zero memory is an empty entry. malloc sets errno. calloc would pass by the
    // cache of the C library, in which the entry freed last is most often.
    // SAFETY: malloc takes any number.
    let place: *mut Conntrack = unsafe { libc::malloc(size_of::<Conntrack>()) }.cast();
    // Lest the compiler make a calloc of both.
    let place = hint::black_box(place);
    if !place.is_null() {
        // SAFETY: new memory of this size.
        unsafe { place.write_bytes(0, 1) };
    }
    place
}

/// Frees an entry from [`allocate`].
///
/// # Safety
/// `entry` is null, or an entry that is not used any more.
pub(super) unsafe fn free(entry: *mut Conntrack) {
    if entry.is_null() {
        return;
    }
    // SAFETY: the caller's entry, which is aligned because malloc made it.
    unsafe {
        if shares_labels(entry.cast()) {
            label_place(entry.cast(), LABELS).write_unaligned(ptr::null_mut());
        }
        entry.drop_in_place();
        libc::free(entry.cast());
    }
}

/// Looks at an entry; `None` for NULL.
///
/// # Safety
/// `ct` is an object pointer to a whole entry, which `work` does not change.
#[inline]
pub(super) unsafe fn read<R>(
    ct: *const nf_conntrack,
    work: impl FnOnce(&Conntrack) -> R,
) -> Option<R> {
    let place: *const Conntrack = ct.cast();
    if place.is_null() {
        return None;
    }
    let copy;
    let entry = if place.is_aligned() {
        // SAFETY: the caller's entry.
        unsafe { &*place }
    } else {
        // SAFETY: the same; the copy does not free what the entry owns.
        copy = ManuallyDrop::new(unsafe { place.read_unaligned() });
        &copy
    };
    Some(work(entry))
}

/// Changes an entry; `None` for NULL.
///
/// # Safety
/// `ct` is an object pointer to a whole entry, which `work` uses through its
/// argument only.
#[inline]
pub(super) unsafe fn change<R>(
    ct: *mut nf_conntrack,
    work: impl FnOnce(&mut Conntrack) -> R,
) -> Option<R> {
    let place: *mut Conntrack = ct.cast();
    if place.is_null() {
        return None;
    }
    let mut moved = MaybeUninit::uninit();
    let aligned = place.is_aligned();
    // SAFETY: the caller's entry, which is moved where it is aligned, and back.
    unsafe {
        let entry = if aligned {
            place
        } else {
            moved.write(place.read_unaligned())
        };
        let result = work(&mut *entry);
        if !aligned {
            ptr::copy_nonoverlapping(entry.cast::<u8>(), place.cast(), size_of::<Conntrack>());
        }
        Some(result)
    }
}

/// Where the entry has its labels.
pub(super) const LABELS: usize = offset_of!(Conntrack, labels);
/// Where the entry has the mask of its labels.
pub(super) const LABELS_MASK: usize = offset_of!(Conntrack, labels_mask);

/// The place of a bitmask that an entry owns. C programs keep using theirs after
/// they gave it to an entry, so it is looked at as a plain pointer.
///
/// # Safety
/// `ct` points to a whole entry.
pub(super) unsafe fn label_place(ct: *mut nf_conntrack, offset: usize) -> *mut *mut Bitmask {
    // SAFETY: the place is in the entry; a box or none is a pointer or null.
    unsafe { ct.cast::<u8>().add(offset).cast() }
}

/// Whether a program gave one bitmask to an entry twice.
unsafe fn shares_labels(ct: *mut nf_conntrack) -> bool {
    // SAFETY: a whole entry.
    let [labels, mask] =
        [LABELS, LABELS_MASK].map(|place| unsafe { label_place(ct, place).read_unaligned() });
    !labels.is_null() && ptr::eq(labels, mask)
}

/// Gives an entry two bitmasks where it has one twice, before either is replaced.
///
/// # Safety
/// `ct` points to a whole entry.
pub(super) unsafe fn separate_labels(ct: *mut nf_conntrack) {
    // SAFETY: a whole entry with a bitmask of this library.
    unsafe {
        if shares_labels(ct) {
            let place = label_place(ct, LABELS_MASK);
            let copy = Box::new((*place.read_unaligned()).clone());
            place.write_unaligned(Box::into_raw(copy));
        }
    }
}
