//! Filters of dumps in the kernel.

use std::ffi::c_void;

use super::errno::fail;
use super::memory::boxed;
use super::object;
use super::types::{FilterDumpAttrNumber, nfct_filter_dump, nfct_filter_dump_mark};
use crate::conntrack::Status;
use crate::filter::DumpFilter;
use crate::nfnetlink::L3Proto;

/// Makes a filter for NFCT_Q_DUMP_FILTER, NFCT_Q_DUMP_FILTER_RESET and
/// NFCT_Q_FLUSH_FILTER that lets all entries pass.
///
/// @return the filter, to be freed with nfct_filter_dump_destroy(); NULL with errno
/// ENOMEM
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfct_filter_dump_create() -> *mut nfct_filter_dump {
    boxed(DumpFilter::new()).cast()
}

/// Frees a filter.
///
/// @param filter the filter; NULL is ignored
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfct_filter_dump_destroy(filter: *mut nfct_filter_dump) {
    if !filter.is_null() {
        // SAFETY: made by `nfct_filter_dump_create`, and not used any more.
        drop(unsafe { Box::<DumpFilter>::from_raw(filter.cast()) });
    }
}

/// Adds a criterion to a filter, or replaces it. All must hold.
///
/// - NFCT_FILTER_DUMP_MARK: struct nfct_filter_dump_mark. mark & mask == val.
/// - NFCT_FILTER_DUMP_L3NUM: uint8_t address family.
/// - NFCT_FILTER_DUMP_STATUS: struct nfct_filter_dump_mark, as the mark (Linux
///   5.15). The mask must not be 0.
/// - NFCT_FILTER_DUMP_ZONE: uint16_t zone in host byte order (Linux 6.8).
/// - NFCT_FILTER_DUMP_TUPLE: struct nf_conntrack, of which a copy is made: what is
///   set of its original tuple must be equal (Linux 5.8). Not for
///   NFCT_Q_FLUSH_FILTER. Linux 6.18 compares IPv6 addresses the wrong way round,
///   and ports with TCP and UDP only.
///
/// Older kernels let pass what they do not know. NFCT_Q_FLUSH_FILTER then deletes it.
///
/// @param filter_dump the filter
/// @param type which criterion
/// @param data pointer to its value
///
/// Sets errno to EINVAL where a pointer is NULL or there is no such criterion.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfct_filter_dump_set_attr(
    filter_dump: *mut nfct_filter_dump,
    r#type: FilterDumpAttrNumber,
    data: *const c_void,
) {
    // SAFETY: null or a filter of this library.
    let filter = unsafe { filter_dump.cast::<DumpFilter>().as_mut() };
    let (Some(filter), false) = (filter, data.is_null()) else {
        fail(libc::EINVAL);
        return;
    };
    let old = std::mem::take(filter);
    // SAFETY: a pointer to the criterion's value.
    *filter = unsafe {
        match r#type {
            0 => {
                let mark = read_mark(data);
                old.mark(mark.val, mark.mask)
            }
            1 => old.family(L3Proto(data.cast::<u8>().read())),
            2 => {
                let status = read_mark(data);
                let [value, mask] = [status.val, status.mask].map(Status::from_bits_retain);
                old.status(value, mask)
            }
            3 => old.zone(data.cast::<u16>().read_unaligned()),
            4 => match object::read(data.cast(), Clone::clone) {
                Some(entry) => old.tuple(&entry),
                None => old,
            },
            _ => {
                fail(libc::EINVAL);
                old
            }
        }
    };
}

/// Adds NFCT_FILTER_DUMP_L3NUM to a filter; see nfct_filter_dump_set_attr().
///
/// @param filter_dump the filter
/// @param type which criterion
/// @param data its value
///
/// Sets errno to EINVAL where filter_dump is NULL or type is of no number.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfct_filter_dump_set_attr_u8(
    filter_dump: *mut nfct_filter_dump,
    r#type: FilterDumpAttrNumber,
    data: u8,
) {
    // SAFETY: null or a filter of this library.
    unsafe { set_number(filter_dump, r#type, data.into()) }
}

/// Adds NFCT_FILTER_DUMP_ZONE to a filter; see nfct_filter_dump_set_attr().
///
/// @param filter_dump the filter
/// @param type which criterion
/// @param data its value
///
/// Sets errno to EINVAL where filter_dump is NULL or type is of no number.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfct_filter_dump_set_attr_u16(
    filter_dump: *mut nfct_filter_dump,
    r#type: FilterDumpAttrNumber,
    data: u16,
) {
    // SAFETY: null or a filter of this library.
    unsafe { set_number(filter_dump, r#type, data) }
}

/// Sets a criterion that is a number, converted to its width.
unsafe fn set_number(filter: *mut nfct_filter_dump, number: FilterDumpAttrNumber, value: u16) {
    let low = value as u8;
    let place: *const c_void = match number {
        1 => (&raw const low).cast(),
        3 => (&raw const value).cast(),
        _ => {
            fail(libc::EINVAL);
            return;
        }
    };
    // SAFETY: null or a filter of this library, and a value of the right width.
    unsafe { nfct_filter_dump_set_attr(filter, number, place) }
}

unsafe fn read_mark(data: *const c_void) -> nfct_filter_dump_mark {
    // SAFETY: a value pointer.
    unsafe { data.cast::<nfct_filter_dump_mark>().read_unaligned() }
}
