//! Getting attributes by number.
//!
//! All functions work on heads too: they read what they need at its place and
//! never look at an entry as a whole.

use std::ffi::{c_int, c_void};
use std::mem::offset_of;
use std::ptr;
use std::slice;

use super::errno::{fail, null};
use super::types::{AttrNumber, nf_conntrack};
use crate::conntrack::{Attr, AttrSet, Blob, Conntrack, Kind};

/// Gets an attribute. Byte order as in nfct_set_attr().
///
/// @param ct the entry, or a tuple that nfexp_get_attr() gave
/// @param type the attribute
/// @return pointer to the value in the entry, valid until it is freed or the
/// attribute is set again: a number or address, a string (ATTR_HELPER_NAME,
/// ATTR_SECCTX), bytes (ATTR_HELPER_INFO), or the bitmask (ATTR_CONNLABELS,
/// ATTR_CONNLABELS_MASK); NULL with errno ENODATA (not set) or EINVAL (ct is NULL,
/// or there is no such attribute)
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfct_get_attr(
    ct: *const nf_conntrack,
    r#type: AttrNumber,
) -> *const c_void {
    // SAFETY: an object pointer.
    match unsafe { present(ct, r#type) } {
        // SAFETY: the same, with this attribute.
        Ok(attr) => unsafe { value(ct, attr).0 },
        Err(errno) => null(errno),
    }
}

/// Gets an 8-bit attribute. The number of an attribute of another width is
/// converted. Byte order as in nfct_set_attr().
///
/// @param ct the entry, or a tuple that nfexp_get_attr() gave
/// @param type the attribute
/// @return the value; 0 with errno ENODATA (not set) or EINVAL (ct is NULL, or
/// there is no such attribute)
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfct_get_attr_u8(ct: *const nf_conntrack, r#type: AttrNumber) -> u8 {
    // SAFETY: an object pointer.
    unsafe { number(ct, r#type, size_of::<u8>()) as u8 }
}

/// Gets a 16-bit attribute; see nfct_get_attr_u8().
///
/// @param ct the entry, or a tuple that nfexp_get_attr() gave
/// @param type the attribute
/// @return the value; 0 with errno as nfct_get_attr_u8()
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfct_get_attr_u16(ct: *const nf_conntrack, r#type: AttrNumber) -> u16 {
    // SAFETY: an object pointer.
    unsafe { number(ct, r#type, size_of::<u16>()) as u16 }
}

/// Gets a 32-bit attribute; see nfct_get_attr_u8().
///
/// @param ct the entry, or a tuple that nfexp_get_attr() gave
/// @param type the attribute
/// @return the value; 0 with errno as nfct_get_attr_u8()
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfct_get_attr_u32(ct: *const nf_conntrack, r#type: AttrNumber) -> u32 {
    // SAFETY: an object pointer.
    unsafe { number(ct, r#type, size_of::<u32>()) as u32 }
}

/// Gets a 64-bit attribute; see nfct_get_attr_u8().
///
/// @param ct the entry, or a tuple that nfexp_get_attr() gave
/// @param type the attribute
/// @return the value; 0 with errno as nfct_get_attr_u8()
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfct_get_attr_u64(ct: *const nf_conntrack, r#type: AttrNumber) -> u64 {
    // SAFETY: an object pointer.
    unsafe { number(ct, r#type, size_of::<u64>()) }
}

/// Tells whether an attribute is set.
///
/// @param ct the entry, or a tuple that nfexp_get_attr() gave
/// @param type the attribute
/// @return 1 or 0; -1 with errno EINVAL where ct is NULL or there is no such attribute
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfct_attr_is_set(ct: *const nf_conntrack, r#type: AttrNumber) -> c_int {
    // SAFETY: an object pointer.
    match unsafe { present(ct, r#type) } {
        Ok(_) => 1,
        Err(libc::ENODATA) => 0,
        Err(errno) => fail(errno),
    }
}

/// Tells whether all of these attributes are set. It stops at the first one
/// that is not, or does not exist.
///
/// @param ct the entry, or a tuple that nfexp_get_attr() gave
/// @param type_array the attributes
/// @param size how many there are
/// @return 1 or 0; -1 with errno EINVAL where a pointer is NULL or there is no
/// such attribute
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfct_attr_is_set_array(
    ct: *const nf_conntrack,
    type_array: *const AttrNumber,
    size: c_int,
) -> c_int {
    let size = usize::try_from(size).unwrap_or(0);
    if ct.is_null() || (size > 0 && type_array.is_null()) {
        return fail(libc::EINVAL);
    }
    for place in 0..size {
        // SAFETY: an object pointer, and an array of this many numbers.
        match unsafe { nfct_attr_is_set(ct, type_array.add(place).read_unaligned()) } {
            1 => {}
            other => return other,
        }
    }
    1
}

/// The attributes that are set.
///
/// # Safety
/// `ct` points to an entry or a head.
pub(super) unsafe fn set_of(ct: *const nf_conntrack) -> AttrSet {
    // SAFETY: it is in the head.
    unsafe { set_place(ct).read_unaligned() }
}

/// Where an entry or a head has the set of its attributes.
#[inline]
unsafe fn set_place(ct: *const nf_conntrack) -> *const AttrSet {
    let place = offset_of!(Conntrack, head.set);
    // SAFETY: it is in the head.
    unsafe { ct.cast::<u8>().add(place).cast() }
}

/// The attribute with this number, if it is set.
///
/// # Errors
/// ENODATA or EINVAL.
#[inline(always)]
unsafe fn present(ct: *const nf_conntrack, number: AttrNumber) -> Result<Attr, c_int> {
    let attr = Attr::from_number(number).ok_or(libc::EINVAL)?;
    if ct.is_null() {
        return Err(libc::EINVAL);
    }
    let (word, bit) = AttrSet::place(attr);
    // SAFETY: an object pointer; sets are words of 32 bits.
    match unsafe { set_place(ct).cast::<u32>().add(word).read_unaligned() } & bit {
        0 => Err(libc::ENODATA),
        _ => Ok(attr),
    }
}

/// The value of an attribute, and how many bytes of it there are.
///
/// # Safety
/// `ct` points to an entry or a head that has the attribute.
#[inline]
pub(super) unsafe fn value(ct: *const nf_conntrack, attr: Attr) -> (*const c_void, usize) {
    let row = attr.row();
    // SAFETY: the places of a head's attributes are in the head.
    let place = unsafe { ct.cast::<u8>().add(row.place) };
    if row.width > 0 {
        return (place.cast(), row.width.into());
    }
    // SAFETY: the place of a box or none, which is a pointer or null.
    unsafe {
        match row.kind {
            Kind::Labels => (place.cast::<*const c_void>().read_unaligned(), 0),
            _ => match place.cast::<*const Blob>().read_unaligned().as_ref() {
                Some(Blob(bytes)) if !bytes.is_empty() || row.kind == Kind::Blob => {
                    (bytes.as_ptr().cast(), bytes.len())
                }
                _ => (ptr::null(), 0),
            },
        }
    }
}

/// The value of an attribute as a number, of which `wanted` bytes count.
#[inline(always)]
unsafe fn number(ct: *const nf_conntrack, number: AttrNumber, wanted: usize) -> u64 {
    // SAFETY: an object pointer.
    let attr = match unsafe { present(ct, number) } {
        Ok(attr) => attr,
        Err(errno) => return missing(errno),
    };
    // SAFETY: the same, with this attribute, of which there are so many bytes.
    unsafe {
        let row = attr.row();
        let place = ct.cast::<u8>().add(row.place);
        match row.width {
            4 => place.cast::<u32>().read_unaligned().into(),
            2 => place.cast::<u16>().read_unaligned().into(),
            1 => place.read().into(),
            8 => place.cast::<u64>().read_unaligned(),
            _ => first_bytes(ct, attr, wanted),
        }
    }
}

/// The result of a getter of numbers that has none.
#[cold]
fn missing(errno: c_int) -> u64 {
    fail(errno);
    0
}

/// The number that a value which is no number begins with.
#[cold]
unsafe fn first_bytes(ct: *const nf_conntrack, attr: Attr, wanted: usize) -> u64 {
    // SAFETY: the caller's entry with this attribute.
    unsafe {
        match value(ct, attr) {
            (_, 0) => 0,
            (place, width) => {
                let bytes = slice::from_raw_parts(place.cast::<u8>(), width.min(wanted));
                leading(bytes, wanted)
            }
        }
    }
}

/// The number that the first `wanted` bytes in memory are; missing ones are 0.
fn leading(bytes: &[u8], wanted: usize) -> u64 {
    let mut number = [0; 8];
    let place = if cfg!(target_endian = "big") {
        number.len() - wanted
    } else {
        0
    };
    for (place, byte) in number.iter_mut().skip(place).zip(bytes) {
        *place = *byte;
    }
    u64::from_ne_bytes(number)
}
