//! Setting attributes by number.

use std::ffi::{c_int, c_void};
use std::ptr;
use std::slice;

use super::errno::fail;
use super::object::{LABELS, LABELS_MASK, change, label_place, separate_labels};
use super::types::{AttrNumber, nf_conntrack};
use crate::conntrack::{Attr, Bitmask, Kind};

/// Sets an attribute. Addresses, ports and ICMP identifiers are in network byte
/// order, all other numbers in host byte order.
///
/// Setting also does this:
/// - ATTR_ICMP_TYPE sets the answering type, ATTR_ICMP_CODE and ATTR_ICMP_ID the
///   same value, in the reply tuple. ATTR_L3PROTO is to be set before the type.
/// - ATTR_CONNLABELS and ATTR_CONNLABELS_MASK take the bitmask itself, not a
///   pointer to it; from then on it belongs to the entry.
/// - ATTR_HELPER_NAME takes a string, of which 15 bytes are kept.
/// - Counters, timestamps, ATTR_USE and ATTR_SECCTX come from the kernel only:
///   the attribute becomes set but gets no value; ATTR_TIMESTAMP_EVENT does not
///   become set either.
///
/// @param ct the entry
/// @param type the attribute
/// @param value pointer to the value
///
/// Sets errno to EINVAL where a pointer is NULL or there is no such attribute.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfct_set_attr(
    ct: *mut nf_conntrack,
    r#type: AttrNumber,
    value: *const c_void,
) {
    // SAFETY: the caller's pointers.
    unsafe { nfct_set_attr_l(ct, r#type, value, 0) }
}

/// Sets an 8-bit attribute. Attributes of another width get the number
/// converted. Otherwise as nfct_set_attr().
///
/// @param ct the entry
/// @param type the attribute
/// @param value the value
///
/// Sets errno to EINVAL where ct is NULL, there is no such attribute, or it takes a
/// bitmask.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfct_set_attr_u8(ct: *mut nf_conntrack, r#type: AttrNumber, value: u8) {
    // SAFETY: an object pointer.
    unsafe { set_number(ct, r#type, value.into(), size_of::<u8>()) }
}

/// Sets a 16-bit attribute; see nfct_set_attr_u8().
///
/// @param ct the entry
/// @param type the attribute
/// @param value the value
///
/// Sets errno to EINVAL where ct is NULL, there is no such attribute, or it takes a
/// bitmask.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfct_set_attr_u16(ct: *mut nf_conntrack, r#type: AttrNumber, value: u16) {
    // SAFETY: an object pointer.
    unsafe { set_number(ct, r#type, value.into(), size_of::<u16>()) }
}

/// Sets a 32-bit attribute; see nfct_set_attr_u8().
///
/// @param ct the entry
/// @param type the attribute
/// @param value the value
///
/// Sets errno to EINVAL where ct is NULL, there is no such attribute, or it takes a
/// bitmask.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfct_set_attr_u32(ct: *mut nf_conntrack, r#type: AttrNumber, value: u32) {
    // SAFETY: an object pointer.
    unsafe { set_number(ct, r#type, value.into(), size_of::<u32>()) }
}

/// Sets a 64-bit attribute; see nfct_set_attr_u8().
///
/// @param ct the entry
/// @param type the attribute
/// @param value the value
///
/// Sets errno to EINVAL where ct is NULL, there is no such attribute, or it takes a
/// bitmask.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfct_set_attr_u64(ct: *mut nf_conntrack, r#type: AttrNumber, value: u64) {
    // SAFETY: an object pointer.
    unsafe { set_number(ct, r#type, value, size_of::<u64>()) }
}

/// Sets an attribute of variable length, which ATTR_HELPER_INFO alone is; for
/// all others len is ignored. Otherwise as nfct_set_attr().
///
/// @param ct the entry
/// @param type the attribute
/// @param value pointer to the value
/// @param len bytes of the value
///
/// Sets errno to EINVAL where a pointer is NULL, there is no such attribute, or no
/// value has len bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfct_set_attr_l(
    ct: *mut nf_conntrack,
    r#type: AttrNumber,
    value: *const c_void,
    len: usize,
) {
    let Some(attr) = Attr::from_number(r#type) else {
        fail(libc::EINVAL);
        return;
    };
    if ct.is_null() || value.is_null() {
        fail(libc::EINVAL);
        return;
    }
    // The value is copied before it is stored: it may be one of the entry itself.
    let mut copy = [0; 16];
    // SAFETY: an object pointer, and a value pointer.
    unsafe {
        let bytes = match attr.row().kind {
            Kind::Labels => return own_labels(ct, attr, value.cast_mut().cast()),
            // No memory has as many bytes.
            Kind::Blob if isize::try_from(len).is_err() => {
                fail(libc::EINVAL);
                return;
            }
            Kind::Blob => {
                let info = slice::from_raw_parts(value.cast::<u8>(), len).to_vec();
                change(ct, |entry| entry.store(attr, &info));
                return;
            }
            Kind::Name => string(value.cast(), &mut copy),
            kind => {
                let width = kind.settable_width();
                ptr::copy_nonoverlapping(value.cast(), copy.as_mut_ptr(), width);
                copy.get(..width).unwrap_or_default()
            }
        };
        change(ct, |entry| entry.store(attr, bytes));
    }
}

/// Makes an attribute not set.
///
/// @param ct the entry
/// @param type the attribute
/// @return 0; -1 with errno EINVAL where ct is NULL or there is no such attribute
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfct_attr_unset(ct: *mut nf_conntrack, r#type: AttrNumber) -> c_int {
    let Some(attr) = Attr::from_number(r#type) else {
        return fail(libc::EINVAL);
    };
    // SAFETY: an object pointer.
    match unsafe { change(ct, |entry| entry.unset(attr)) } {
        Some(()) => 0,
        None => fail(libc::EINVAL),
    }
}

/// Sets an attribute to a number that came as `given` bytes.
unsafe fn set_number(ct: *mut nf_conntrack, number: AttrNumber, value: u64, given: usize) {
    let Some(attr) = Attr::from_number(number) else {
        fail(libc::EINVAL);
        return;
    };
    let bytes = value.to_ne_bytes();
    // Of the number's bytes, the last ones count where they come in that order.
    let last = |count| match cfg!(target_endian = "big") {
        true => bytes.get(bytes.len().saturating_sub(count)..),
        false => bytes.get(..count),
    };
    let bytes = match attr.row().kind {
        // The address of a number is no bitmask.
        Kind::Labels => None,
        Kind::Ipv6 | Kind::Name | Kind::Blob => last(given),
        kind => last(kind.settable_width()),
    };
    // SAFETY: an object pointer.
    let stored = bytes.and_then(|bytes| unsafe { change(ct, |entry| entry.store(attr, bytes)) });
    if stored.is_none() {
        fail(libc::EINVAL);
    }
}

/// Makes an entry the owner of a bitmask.
unsafe fn own_labels(ct: *mut nf_conntrack, attr: Attr, labels: *mut Bitmask) {
    let offset = match attr {
        Attr::ConnlabelsMask => LABELS_MASK,
        _ => LABELS,
    };
    // SAFETY: an object pointer; the bitmask it had is nobody else's.
    unsafe {
        let place = label_place(ct, offset);
        if !ptr::eq(place.read_unaligned(), labels) {
            separate_labels(ct);
            let old = place.read_unaligned();
            place.write_unaligned(labels);
            if !old.is_null() {
                drop(Box::from_raw(old));
            }
        }
        change(ct, |entry| entry.head.set.insert(attr));
    }
}

/// The bytes of a C string, as many as there is room for.
///
/// # Safety
/// `text` points to a string, or to as many bytes as there is room for.
pub(super) unsafe fn string(text: *const u8, room: &mut [u8]) -> &[u8] {
    let mut len = 0;
    // The last byte is for the NUL of the copy.
    while len + 1 < room.len() {
        // SAFETY: the string has not ended yet.
        let byte = unsafe { text.add(len).read() };
        if byte == 0 {
            break;
        }
        if let Some(place) = room.get_mut(len) {
            *place = byte;
        }
        len += 1;
    }
    room.get(..len).unwrap_or_default()
}
