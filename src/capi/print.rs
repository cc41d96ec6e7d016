//! Entries and expectations as text.

use std::ffi::{c_char, c_int, c_uint};
use std::slice;

use super::errno::fail;
use super::expect;
use super::object::read;
use super::types::{nf_conntrack, nf_expect, nfct_labelmap};
use crate::conntrack::{EventKind, Format, LabelMap, Show, Text};

/// Writes an entry as text: one line, without its end.
///
/// It is cut where buf ends, and always has a NUL behind it unless size is 0.
///
/// @param buf the buffer; may be NULL where size is 0
/// @param size bytes of the buffer
/// @param ct the entry
/// @param msg_type NFCT_T_NEW, NFCT_T_UPDATE or NFCT_T_DESTROY to have that in
/// front; anything else for nothing
/// @param out_type NFCT_O_PLAIN or NFCT_O_XML
/// @param out_flags some of NFCT_OF_SHOW_LAYER3, NFCT_OF_TIME, NFCT_OF_ID,
/// NFCT_OF_TIMESTAMP
/// @return bytes of the whole text without NUL, also where it was cut; -1 with errno
/// ENOENT (no such out_type) or EINVAL (a pointer is NULL, or the entry has no layer
/// 4 protocol, or no layer 3 protocol where that is to be shown, in plain text)
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfct_snprintf(
    buf: *mut c_char,
    size: c_uint,
    ct: *const nf_conntrack,
    msg_type: c_uint,
    out_type: c_uint,
    out_flags: c_uint,
) -> c_int {
    let Some(format) = format(msg_type, out_type, out_flags) else {
        return fail(libc::ENOENT);
    };
    // SAFETY: an object pointer, and a buffer of this size.
    unsafe { print_entry(buf, size, ct, format) }
}

/// Writes an entry as text, with its labels; see nfct_snprintf().
///
/// @param buf the buffer; may be NULL where size is 0
/// @param size bytes of the buffer
/// @param ct the entry
/// @param msg_type as for nfct_snprintf()
/// @param out_type as for nfct_snprintf()
/// @param out_flags as for nfct_snprintf()
/// @param map the names of labels; those without a name are left out. NULL for no labels.
/// @return as nfct_snprintf(); -1 with the same errno
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfct_snprintf_labels(
    buf: *mut c_char,
    size: c_uint,
    ct: *const nf_conntrack,
    msg_type: c_uint,
    out_type: c_uint,
    out_flags: c_uint,
    map: *mut nfct_labelmap,
) -> c_int {
    let Some(format) = format(msg_type, out_type, out_flags) else {
        return fail(libc::ENOENT);
    };
    // SAFETY: an object pointer, a buffer of this size, and NULL or a map of this
    // library.
    unsafe {
        let format = match map.cast::<LabelMap>().as_ref() {
            Some(names) => format.labels(names),
            None => format,
        };
        print_entry(buf, size, ct, format)
    }
}

/// Writes an expectation as text: one line, without its end; see nfct_snprintf().
///
/// @param buf the buffer; may be NULL where size is 0
/// @param size bytes of the buffer
/// @param exp the expectation
/// @param msg_type as for nfct_snprintf()
/// @param out_type as for nfct_snprintf()
/// @param out_flags NFCT_OF_TIME, which has an effect on XML alone, or 0
/// @return bytes of the whole text without NUL, also where it was cut; -1 with errno
/// ENOENT (no such out_type) or EINVAL (a pointer is NULL)
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfexp_snprintf(
    buf: *mut c_char,
    size: c_uint,
    exp: *const nf_expect,
    msg_type: c_uint,
    out_type: c_uint,
    out_flags: c_uint,
) -> c_int {
    let Some(format) = format(msg_type, out_type, out_flags) else {
        return fail(libc::ENOENT);
    };
    // SAFETY: an object pointer, and a buffer of this size.
    let written = unsafe { expect::read(exp, |expect| print(buf, size, &expect.display(format))) };
    written.unwrap_or_else(|| fail(libc::EINVAL))
}

/// The format that the arguments ask for; `None` where there is no such type.
fn format(msg_type: c_uint, out_type: c_uint, out_flags: c_uint) -> Option<Format<'static>> {
    let format = match out_type {
        0 => Format::plain(),
        1 => Format::xml(),
        _ => return None,
    };
    let kind = match msg_type {
        1 => Some(EventKind::New),
        2 => Some(EventKind::Update),
        4 => Some(EventKind::Destroy),
        _ => None,
    };
    let format = kind.map_or(format, |kind| format.event(kind));
    Some(format.show(Show::from_bits_retain(out_flags)))
}

unsafe fn print_entry(
    buf: *mut c_char,
    size: c_uint,
    ct: *const nf_conntrack,
    format: Format<'_>,
) -> c_int {
    // SAFETY: an object pointer, and a buffer of this size.
    let written = unsafe { read(ct, |entry| print(buf, size, &entry.display(format))) };
    written.unwrap_or_else(|| fail(libc::EINVAL))
}

/// Writes a text into a caller's buffer and gives its length.
unsafe fn print(buf: *mut c_char, size: c_uint, text: &Text<'_>) -> c_int {
    let buffer: &mut [u8] = match (buf.is_null(), size) {
        (_, 0) => &mut [],
        (true, _) => return fail(libc::EINVAL),
        // SAFETY: the caller's buffer.
        (false, _) => unsafe { slice::from_raw_parts_mut(buf.cast(), size as usize) },
    };
    match text.snprintf(buffer) {
        Ok(len) => c_int::try_from(len).unwrap_or(c_int::MAX),
        Err(error) => fail(error.errno()),
    }
}
