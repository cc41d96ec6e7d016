//! The names of labels.

use std::ffi::{CStr, OsStr, c_char, c_int, c_uint};
use std::os::unix::ffi::OsStrExt;
use std::ptr;

use super::errno::{fail, null};
use super::types::nfct_labelmap;
use crate::conntrack::LabelMap;

/// Where the names of labels are looked for by default.
///
/// @return the path of a file, /etc/xtables/connlabel.conf: a constant, not to be freed
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfct_labels_get_path() -> *const c_char {
    DEFAULT_PATH.as_ptr()
}

/// Reads the names of labels from a file. Each line has the number of a label, 0
/// to 1023, and its name: letters, digits, hyphens and blanks. Lines that begin
/// with # are comments; all others that do not look like this are ignored.
///
/// @param mapfile path of the file; NULL for that of nfct_labels_get_path()
/// @return the names, to be freed with nfct_labelmap_destroy(); NULL with errno of
/// open(2) or read(2), or 0 where the file has no names
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfct_labelmap_new(mapfile: *const c_char) -> *mut nfct_labelmap {
    let path = if mapfile.is_null() {
        DEFAULT_PATH
    } else {
        // SAFETY: the caller's string.
        unsafe { CStr::from_ptr(mapfile) }
    };
    match LabelMap::load(OsStr::from_bytes(path.to_bytes())) {
        Ok(names) if names.is_empty() => null(0),
        Ok(names) => Box::into_raw(Box::new(names)).cast(),
        // A directory has no names.
        Err(error) if error.errno() == libc::EISDIR => null(0),
        Err(error) => null(error.errno()),
    }
}

/// Frees the names of labels, and the strings that nfct_labelmap_get_name() gave.
///
/// @param map the names; NULL is ignored
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfct_labelmap_destroy(map: *mut nfct_labelmap) {
    if !map.is_null() {
        // SAFETY: made by `nfct_labelmap_new`, and not used any more.
        drop(unsafe { Box::<LabelMap>::from_raw(map.cast()) });
    }
}

/// The name of a label. Counting bit up until NULL lists all labels.
///
/// @param m the names
/// @param bit the label
/// @return the name, which lives as long as m; "" where the label has none but a
/// higher one has; NULL above the highest with a name, or with errno EINVAL where
/// m is NULL
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfct_labelmap_get_name(
    m: *mut nfct_labelmap,
    bit: c_uint,
) -> *const c_char {
    // SAFETY: NULL or a map of this library.
    match unsafe { m.cast::<LabelMap>().as_ref() } {
        Some(names) => names.name_or_empty(bit).map_or(ptr::null(), CStr::as_ptr),
        None => null(libc::EINVAL),
    }
}

/// The label with this name.
///
/// @param m the names
/// @param name the name, exactly
/// @return the label; -1 where none has the name, or with errno EINVAL where a
/// pointer is NULL
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfct_labelmap_get_bit(
    m: *mut nfct_labelmap,
    name: *const c_char,
) -> c_int {
    // SAFETY: NULL or a map of this library.
    let Some(names) = (unsafe { m.cast::<LabelMap>().as_ref() }) else {
        return fail(libc::EINVAL);
    };
    if name.is_null() {
        return fail(libc::EINVAL);
    }
    // SAFETY: the caller's string.
    let bit = names.bit(unsafe { CStr::from_ptr(name) }.to_bytes());
    bit.and_then(|bit| c_int::try_from(bit).ok()).unwrap_or(-1)
}

/// [`LabelMap::DEFAULT_PATH`] as a C string.
const DEFAULT_PATH: &CStr = c"/etc/xtables/connlabel.conf";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_path_is_that_of_the_crate() {
        assert_eq!(DEFAULT_PATH.to_str(), Ok(LabelMap::DEFAULT_PATH));
    }
}
