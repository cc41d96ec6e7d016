//! Options of entries: translation, and deriving one tuple from the other.

use std::ffi::{c_int, c_uint};

use super::errno::fail;
use super::object::{change, read};
use super::types::nf_conntrack;
use crate::conntrack::Conntrack;

/// Does something to an entry as a whole.
///
/// - NFCT_SOPT_UNDO_SNAT, NFCT_SOPT_UNDO_DNAT, NFCT_SOPT_UNDO_SPAT,
///   NFCT_SOPT_UNDO_DPAT: moves the translated address or port from the reply
///   tuple to ATTR_SNAT_IPV4 and the like, and puts the original one in its place.
/// - NFCT_SOPT_SETUP_ORIGINAL, NFCT_SOPT_SETUP_REPLY: makes one tuple the other
///   one inverted. All attributes of both tuples become set.
///
/// @param ct the entry
/// @param option which of these
/// @return 0; -1 with errno EOPNOTSUPP (no such option) or EINVAL (ct is NULL)
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfct_setobjopt(ct: *mut nf_conntrack, option: c_uint) -> c_int {
    let apply = match option {
        0 => Conntrack::undo_snat,
        1 => Conntrack::undo_dnat,
        2 => Conntrack::undo_spat,
        3 => Conntrack::undo_dpat,
        4 => Conntrack::setup_original,
        5 => Conntrack::setup_reply,
        _ => return fail(libc::EOPNOTSUPP),
    };
    // SAFETY: an object pointer.
    match unsafe { change(ct, apply) } {
        Some(()) => 0,
        None => fail(libc::EINVAL),
    }
}

/// Tells something of an entry as a whole: with NFCT_GOPT_IS_SNAT,
/// NFCT_GOPT_IS_DNAT, NFCT_GOPT_IS_SPAT and NFCT_GOPT_IS_DPAT, whether the source
/// or destination address or port is translated. Tuples are compared, set or
/// not; a status without the bit of the translation denies it.
///
/// @param ct the entry
/// @param option which of these
/// @return 1 or 0; -1 with errno EOPNOTSUPP (no such option) or EINVAL (ct is NULL)
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfct_getobjopt(ct: *const nf_conntrack, option: c_uint) -> c_int {
    let ask = match option {
        0 => Conntrack::is_snat,
        1 => Conntrack::is_dnat,
        2 => Conntrack::is_spat,
        3 => Conntrack::is_dpat,
        _ => return fail(libc::EOPNOTSUPP),
    };
    // SAFETY: an object pointer.
    match unsafe { read(ct, ask) } {
        Some(answer) => answer.into(),
        None => fail(libc::EINVAL),
    }
}
