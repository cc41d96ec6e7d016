//! Attribute groups by number. Like getters, they work on heads too.

use std::ffi::{c_int, c_void};
use std::ptr;

use super::attr_get::{set_of, value};
use super::errno::fail;
use super::object::change;
use super::types::{GroupNumber, nf_conntrack};
use crate::conntrack::AttrGroup;

/// Sets the attributes of a group. Addresses also set the family; ports make
/// the protocol set but leave its value; ICMP fields also set those of the reply
/// tuple. Counters and addresses of either family become set but get no value.
///
/// @param ct the entry
/// @param type the group
/// @param value pointer to the group's struct
///
/// Sets errno to EINVAL where a pointer is NULL or there is no such group.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfct_set_attr_grp(
    ct: *mut nf_conntrack,
    r#type: GroupNumber,
    value: *const c_void,
) {
    let Some(group) = AttrGroup::from_number(r#type) else {
        fail(libc::EINVAL);
        return;
    };
    let len = group.settable_width();
    if ct.is_null() || (value.is_null() && len > 0) {
        fail(libc::EINVAL);
        return;
    }
    // Copied before it is stored: it may be part of the entry itself.
    let mut copy = [0; 32];
    // SAFETY: a pointer to the group's struct, and an object pointer.
    unsafe {
        if len > 0 {
            ptr::copy_nonoverlapping(value.cast(), copy.as_mut_ptr(), len.min(copy.len()));
        }
        change(ct, |entry| {
            entry.store_group(group, copy.get(..len).unwrap_or_default());
        });
    }
}

/// Gets the attributes of a group.
///
/// @param ct the entry, or a tuple that nfexp_get_attr() gave
/// @param type the group
/// @param data the group's struct, to be filled
/// @return 0; -1 with errno ENODATA (an attribute of it is not set; of a group for
/// both families, none is) or EINVAL (a pointer is NULL, or there is no such group)
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfct_get_attr_grp(
    ct: *const nf_conntrack,
    r#type: GroupNumber,
    data: *mut c_void,
) -> c_int {
    let Some(group) = AttrGroup::from_number(r#type) else {
        return fail(libc::EINVAL);
    };
    if ct.is_null() || data.is_null() {
        return fail(libc::EINVAL);
    }
    // SAFETY: an object pointer, whose attributes of the group are set and so
    // can be read, and a pointer to the group's struct.
    unsafe {
        if !group.is_set_in(set_of(ct)) {
            return fail(libc::ENODATA);
        }
        let mut data = data.cast::<u8>();
        for attr in group.parts() {
            let (place, width) = value(ct, *attr);
            ptr::copy(place.cast(), data, width);
            data = data.add(width);
        }
    }
    0
}

/// Tells whether all attributes of a group are set; of a group for both
/// families, whether one is.
///
/// @param ct the entry, or a tuple that nfexp_get_attr() gave
/// @param type the group
/// @return 1 or 0; -1 with errno EINVAL where ct is NULL or there is no such group
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfct_attr_grp_is_set(
    ct: *const nf_conntrack,
    r#type: GroupNumber,
) -> c_int {
    match AttrGroup::from_number(r#type) {
        // SAFETY: an object pointer.
        Some(group) if !ct.is_null() => unsafe { group.is_set_in(set_of(ct)).into() },
        _ => fail(libc::EINVAL),
    }
}

/// Makes all attributes of a group not set: with the addresses also the family,
/// with the ports also the protocol.
///
/// @param ct the entry
/// @param type the group
/// @return 0; -1 with errno EINVAL where ct is NULL or there is no such group
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfct_attr_grp_unset(ct: *mut nf_conntrack, r#type: GroupNumber) -> c_int {
    let group = AttrGroup::from_number(r#type);
    // SAFETY: an object pointer.
    match group.and_then(|group| unsafe { change(ct, |entry| entry.unset_group(group)) }) {
        Some(()) => 0,
        None => fail(libc::EINVAL),
    }
}
