//! Attributes of expectations by number.

use std::ffi::{c_int, c_void};
use std::ptr;

use super::attr::string;
use super::errno::{fail, null};
use super::expect::{change, read};
use super::types::{ExpectAttrNumber, nf_expect};
use crate::conntrack::Head;
use crate::expect::{Expect, ExpectAttr, Kind};

/// Sets an attribute. Numbers are in host byte order. ATTR_EXP_MASTER,
/// ATTR_EXP_EXPECTED, ATTR_EXP_MASK and ATTR_EXP_NAT_TUPLE take an entry, of which
/// the original tuple is copied; ATTR_EXP_HELPER_NAME and ATTR_EXP_FN a string, of
/// which 15 and 23 bytes are kept.
///
/// @param exp the expectation
/// @param type the attribute
/// @param value pointer to the value
///
/// Sets errno to EINVAL where a pointer is NULL or there is no such attribute.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfexp_set_attr(
    exp: *mut nf_expect,
    r#type: ExpectAttrNumber,
    value: *const c_void,
) {
    let Some(attr) = ExpectAttr::from_number(r#type) else {
        fail(libc::EINVAL);
        return;
    };
    if exp.is_null() || value.is_null() {
        fail(libc::EINVAL);
        return;
    }
    let kind = attr.row().kind;
    // The value is copied before it is stored: it may be one of the expectation itself.
    let mut copy = [0; 24];
    // SAFETY: an object pointer, and a pointer to an entry, a head or a value.
    unsafe {
        let bytes = match kind {
            Kind::Tuple => {
                let head = value.cast::<Head>().read_unaligned();
                change(exp, |expect| expect.store_head(attr, &head));
                return;
            }
            Kind::Name(room) => {
                let room = copy.get_mut(..room).unwrap_or_default();
                string(value.cast(), room)
            }
            Kind::U16 | Kind::U32 => {
                let width = kind.width();
                ptr::copy_nonoverlapping(value.cast(), copy.as_mut_ptr(), width);
                copy.get(..width).unwrap_or_default()
            }
        };
        change(exp, |expect| expect.store(attr, bytes));
    }
}

/// Sets an attribute to an 8-bit number, which is converted to the attribute's
/// width. Otherwise as nfexp_set_attr().
///
/// @param exp the expectation
/// @param type the attribute
/// @param value the value
///
/// Sets errno to EINVAL where exp is NULL, there is no such attribute, or it takes an
/// entry.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfexp_set_attr_u8(
    exp: *mut nf_expect,
    r#type: ExpectAttrNumber,
    value: u8,
) {
    // SAFETY: an object pointer.
    unsafe { set_number(exp, r#type, value.into()) }
}

/// Sets an attribute to a 16-bit number; see nfexp_set_attr_u8().
///
/// @param exp the expectation
/// @param type the attribute
/// @param value the value
///
/// Sets errno to EINVAL where exp is NULL, there is no such attribute, or it takes an
/// entry.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfexp_set_attr_u16(
    exp: *mut nf_expect,
    r#type: ExpectAttrNumber,
    value: u16,
) {
    // SAFETY: an object pointer.
    unsafe { set_number(exp, r#type, value.into()) }
}

/// Sets an attribute to a 32-bit number; see nfexp_set_attr_u8().
///
/// @param exp the expectation
/// @param type the attribute
/// @param value the value
///
/// Sets errno to EINVAL where exp is NULL, there is no such attribute, or it takes an
/// entry.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfexp_set_attr_u32(
    exp: *mut nf_expect,
    r#type: ExpectAttrNumber,
    value: u32,
) {
    // SAFETY: an object pointer.
    unsafe { set_number(exp, r#type, value) }
}

/// Gets an attribute.
///
/// @param exp the expectation
/// @param type the attribute
/// @return pointer to the value in the expectation, valid as long as that is: a
/// number, a string, or a tuple as the front of a struct nf_conntrack, from which
/// the attributes of the original tuple can be read, and which nfct_cmp() takes
/// with NFCT_CMP_ORIG; NULL with errno ENODATA (not set) or EINVAL (exp is NULL, or
/// there is no such attribute)
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfexp_get_attr(
    exp: *const nf_expect,
    r#type: ExpectAttrNumber,
) -> *const c_void {
    // SAFETY: an object pointer.
    match unsafe { present(exp, r#type) } {
        // SAFETY: the same, in which attributes have their places.
        Ok(attr) => unsafe { exp.cast::<u8>().add(attr.row().place).cast() },
        Err(errno) => null(errno),
    }
}

/// Gets an attribute as an 8-bit number, converted from the attribute's width.
///
/// @param exp the expectation
/// @param type the attribute
/// @return the value; 0 with errno as nfexp_get_attr()
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfexp_get_attr_u8(exp: *const nf_expect, r#type: ExpectAttrNumber) -> u8 {
    // SAFETY: an object pointer.
    unsafe { number(exp, r#type, size_of::<u8>()) as u8 }
}

/// Gets an attribute as a 16-bit number; see nfexp_get_attr_u8().
///
/// @param exp the expectation
/// @param type the attribute
/// @return the value; 0 with errno as nfexp_get_attr()
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfexp_get_attr_u16(
    exp: *const nf_expect,
    r#type: ExpectAttrNumber,
) -> u16 {
    // SAFETY: an object pointer.
    unsafe { number(exp, r#type, size_of::<u16>()) as u16 }
}

/// Gets an attribute as a 32-bit number; see nfexp_get_attr_u8().
///
/// @param exp the expectation
/// @param type the attribute
/// @return the value; 0 with errno as nfexp_get_attr()
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfexp_get_attr_u32(
    exp: *const nf_expect,
    r#type: ExpectAttrNumber,
) -> u32 {
    // SAFETY: an object pointer.
    unsafe { number(exp, r#type, size_of::<u32>()) }
}

/// Tells whether an attribute is set.
///
/// @param exp the expectation
/// @param type the attribute
/// @return 1 or 0; -1 with errno EINVAL where exp is NULL or there is no such attribute
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfexp_attr_is_set(
    exp: *const nf_expect,
    r#type: ExpectAttrNumber,
) -> c_int {
    // SAFETY: an object pointer.
    match unsafe { present(exp, r#type) } {
        Ok(_) => 1,
        Err(libc::ENODATA) => 0,
        Err(errno) => fail(errno),
    }
}

/// Makes an attribute not set.
///
/// @param exp the expectation
/// @param type the attribute
/// @return 0; -1 with errno EINVAL where exp is NULL or there is no such attribute
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfexp_attr_unset(exp: *mut nf_expect, r#type: ExpectAttrNumber) -> c_int {
    let attr = ExpectAttr::from_number(r#type);
    // SAFETY: an object pointer.
    match attr.and_then(|attr| unsafe { change(exp, |expect| expect.unset(attr)) }) {
        Some(()) => 0,
        None => fail(libc::EINVAL),
    }
}

/// The attribute with this number, if it is set.
///
/// # Errors
/// ENODATA or EINVAL.
unsafe fn present(exp: *const nf_expect, number: ExpectAttrNumber) -> Result<ExpectAttr, c_int> {
    let attr = ExpectAttr::from_number(number).ok_or(libc::EINVAL)?;
    // SAFETY: an object pointer.
    match unsafe { read(exp, |expect| expect.is_set(attr)) } {
        Some(true) => Ok(attr),
        Some(false) => Err(libc::ENODATA),
        None => Err(libc::EINVAL),
    }
}

/// The value of an attribute as a number of which `wanted` bytes count.
unsafe fn number(exp: *const nf_expect, number: ExpectAttrNumber, wanted: usize) -> u32 {
    // SAFETY: an object pointer, with this attribute.
    unsafe {
        let attr = match present(exp, number) {
            Ok(attr) => attr,
            Err(errno) => {
                fail(errno);
                return 0;
            }
        };
        let place = exp.cast::<u8>().add(attr.row().place);
        match attr.row().kind {
            Kind::U16 => place.cast::<u16>().read_unaligned().into(),
            Kind::U32 => place.cast::<u32>().read_unaligned(),
            // The first bytes in memory.
            Kind::Tuple | Kind::Name(_) => match wanted {
                1 => place.read().into(),
                2 => place.cast::<u16>().read_unaligned().into(),
                _ => place.cast::<u32>().read_unaligned(),
            },
        }
    }
}

unsafe fn set_number(exp: *mut nf_expect, number: ExpectAttrNumber, value: u32) {
    let Some(attr) = ExpectAttr::from_number(number) else {
        fail(libc::EINVAL);
        return;
    };
    let store = |expect: &mut Expect| match attr.row().kind {
        Kind::U16 => expect.store(attr, &(value as u16).to_ne_bytes()),
        Kind::U32 => expect.store(attr, &value.to_ne_bytes()),
        // A number is neither a string nor a tuple.
        Kind::Tuple | Kind::Name(_) => {
            fail(libc::EINVAL);
        }
    };
    // SAFETY: an object pointer.
    if unsafe { change(exp, store) }.is_none() {
        fail(libc::EINVAL);
    }
}
