//! Filters of events on the socket.

use std::ffi::{c_int, c_void};
use std::net::{Ipv4Addr, Ipv6Addr};

use super::errno::fail;
use super::memory::boxed;
use super::types::{
    FilterAttrNumber, FilterLogicNumber, nfct_filter, nfct_filter_dump_mark, nfct_filter_ipv4,
    nfct_filter_ipv6, nfct_filter_proto,
};
use crate::conntrack::{DccpState, L4Proto, SctpState, TcpState};
use crate::filter::{AddrMask, Criterion, EventFilter, FilterAttr, L4State, Logic};

/// Makes a filter on a socket for events that lets all pass.
///
/// @return the filter, to be freed with nfct_filter_destroy(); NULL with errno ENOMEM
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfct_filter_create() -> *mut nfct_filter {
    boxed(EventFilter::new()).cast()
}

/// Frees a filter. Sockets that it was attached to keep it.
///
/// @param filter the filter; NULL is ignored
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfct_filter_destroy(filter: *mut nfct_filter) {
    if !filter.is_null() {
        // SAFETY: made by `nfct_filter_create`, and not used any more.
        drop(unsafe { Box::<EventFilter>::from_raw(filter.cast()) });
    }
}

/// Adds a criterion to a filter. An event passes if it meets one criterion of
/// each kind that there are criteria of, or none where nfct_filter_set_logic()
/// says so. All values are in host byte order.
///
/// - NFCT_FILTER_L4PROTO: int, protocol of the original tuple.
/// - NFCT_FILTER_L4PROTO_STATE: struct nfct_filter_proto. Events of other protocols,
///   and those without a state, pass.
/// - NFCT_FILTER_SRC_IPV4, NFCT_FILTER_DST_IPV4: struct nfct_filter_ipv4, addresses
///   of the original tuple. IPv6 flows pass.
/// - NFCT_FILTER_SRC_IPV6, NFCT_FILTER_DST_IPV6: struct nfct_filter_ipv6. IPv4 flows
///   pass.
/// - NFCT_FILTER_MARK: struct nfct_filter_dump_mark. No mark counts as 0.
/// - NFCT_FILTER_ZONE: uint16_t. No zone counts as 0.
///
/// @param filter the filter
/// @param attr which kind of criterion
/// @param value pointer to its value
///
/// Sets errno to EINVAL, and adds nothing, where a pointer is NULL, there is no such
/// kind, or no such protocol or state.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfct_filter_add_attr(
    filter: *mut nfct_filter,
    attr: FilterAttrNumber,
    value: *const c_void,
) {
    // SAFETY: NULL or a filter of this library.
    let filter = unsafe { filter.cast::<EventFilter>().as_mut() };
    let criterion = match value.is_null() {
        true => None,
        // SAFETY: a pointer to the criterion's value.
        false => unsafe { criterion(attr, value) },
    };
    match (filter, criterion) {
        (Some(filter), Some(criterion)) => filter.add(criterion),
        _ => {
            fail(libc::EINVAL);
        }
    }
}

/// Adds NFCT_FILTER_L4PROTO or NFCT_FILTER_ZONE to a filter; see
/// nfct_filter_add_attr().
///
/// @param filter the filter
/// @param attr which of them
/// @param value its value
///
/// Sets errno to EINVAL, and adds nothing, where filter is NULL, attr is another one,
/// or there is no such protocol.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfct_filter_add_attr_u32(
    filter: *mut nfct_filter,
    attr: FilterAttrNumber,
    value: u32,
) {
    let zone = value as u16;
    let place: *const c_void = match attr {
        0 => (&raw const value).cast(),
        7 => (&raw const zone).cast(),
        _ => {
            fail(libc::EINVAL);
            return;
        }
    };
    // SAFETY: NULL or a filter of this library, and a value of the right width.
    unsafe { nfct_filter_add_attr(filter, attr, place) }
}

/// Says whether an event passes if it meets one criterion of this kind
/// (NFCT_FILTER_LOGIC_POSITIVE, as at first) or none (NFCT_FILTER_LOGIC_NEGATIVE).
///
/// @param filter the filter
/// @param attr which kind of criteria
/// @param logic which logic
/// @return 0; -1 with errno EBUSY (it is negative already), ENOTSUP (no such kind)
/// or EINVAL (filter is NULL, or there is no such logic)
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfct_filter_set_logic(
    filter: *mut nfct_filter,
    attr: FilterAttrNumber,
    logic: FilterLogicNumber,
) -> c_int {
    // SAFETY: NULL or a filter of this library.
    let Some(filter) = (unsafe { filter.cast::<EventFilter>().as_mut() }) else {
        return fail(libc::EINVAL);
    };
    let Some(section) = section(attr) else {
        return fail(libc::ENOTSUP);
    };
    let logic = match logic {
        0 => Logic::Positive,
        1 => Logic::Negative,
        _ => return fail(libc::EINVAL),
    };
    if filter.logic(section) == Logic::Negative {
        return fail(libc::EBUSY);
    }
    filter.set_logic(section, logic);
    0
}

/// Attaches a filter to a socket, in the place of the one that was attached
/// before. It also sees the answers to queries: do not query on this socket.
///
/// @param fd the socket, from nfct_fd()
/// @param filter the filter, which may be changed or freed afterwards
/// @return 0; -1 with errno EBADF, ENOTSOCK, ENOMEM (it exceeds
/// net.core.optmem_max), EPERM (the socket's filter is locked) or EINVAL (filter
/// is NULL, or has more criteria than the kernel takes)
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfct_filter_attach(fd: c_int, filter: *mut nfct_filter) -> c_int {
    // SAFETY: NULL or a filter of this library.
    let Some(filter) = (unsafe { filter.cast::<EventFilter>().as_ref() }) else {
        return fail(libc::EINVAL);
    };
    let program = match filter.compile() {
        Ok(program) => program,
        Err(error) => return fail(error.errno()),
    };
    let instructions = program.instructions();
    let program = libc::sock_fprog {
        len: instructions.len() as u16,
        filter: instructions.as_ptr().cast_mut(),
    };
    set_option(fd, libc::SO_ATTACH_FILTER, &program)
}

/// Takes the filter of a socket away.
///
/// @param fd the socket, from nfct_fd()
/// @return 0; -1 with errno ENOENT (it has none), EBADF, ENOTSOCK or EPERM
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfct_filter_detach(fd: c_int) -> c_int {
    let unused: c_int = 0;
    set_option(fd, libc::SO_DETACH_FILTER, &unused)
}

/// The section with this number.
fn section(attr: FilterAttrNumber) -> Option<FilterAttr> {
    // The last one has no number in C.
    let (_, sections) = FilterAttr::ALL.split_last()?;
    sections.get(usize::try_from(attr).ok()?).copied()
}

/// The criterion of this kind with this value; `None` where there is none.
///
/// # Safety
/// `value` points to a value of this kind.
unsafe fn criterion(attr: FilterAttrNumber, value: *const c_void) -> Option<Criterion> {
    // SAFETY: the caller's value, at any alignment.
    unsafe {
        Some(match section(attr)? {
            FilterAttr::L4Proto => {
                let proto = value.cast::<u32>().read_unaligned();
                Criterion::L4Proto(L4Proto(u8::try_from(proto).ok()?))
            }
            FilterAttr::L4State => state(&value.cast::<nfct_filter_proto>().read_unaligned())?,
            FilterAttr::SourceIpv4 => Criterion::Source(ipv4(value)),
            FilterAttr::DestinationIpv4 => Criterion::Destination(ipv4(value)),
            FilterAttr::SourceIpv6 => Criterion::Source(ipv6(value)),
            FilterAttr::DestinationIpv6 => Criterion::Destination(ipv6(value)),
            FilterAttr::Mark => {
                let mark = value.cast::<nfct_filter_dump_mark>().read_unaligned();
                Criterion::Mark {
                    value: mark.val,
                    mask: mark.mask,
                }
            }
            FilterAttr::Zone => Criterion::Zone(value.cast::<u16>().read_unaligned()),
            FilterAttr::Kind => return None,
        })
    }
}

fn state(value: &nfct_filter_proto) -> Option<Criterion> {
    /// Filters have no more states than this.
    const STATES: u8 = 16;
    let state = u8::try_from(value.state)
        .ok()
        .filter(|state| *state < STATES)?;
    Some(Criterion::L4State(
        match L4Proto(u8::try_from(value.proto).ok()?) {
            L4Proto::TCP => L4State::Tcp(TcpState(state)),
            L4Proto::SCTP => L4State::Sctp(SctpState(state)),
            L4Proto::DCCP => L4State::Dccp(DccpState(state)),
            _ => return None,
        },
    ))
}

unsafe fn ipv4(value: *const c_void) -> AddrMask {
    // SAFETY: the caller's value, at any alignment.
    let value = unsafe { value.cast::<nfct_filter_ipv4>().read_unaligned() };
    AddrMask::V4 {
        addr: Ipv4Addr::from_bits(value.addr),
        mask: Ipv4Addr::from_bits(value.mask),
    }
}

unsafe fn ipv6(value: *const c_void) -> AddrMask {
    // SAFETY: the caller's value, at any alignment.
    let value = unsafe { value.cast::<nfct_filter_ipv6>().read_unaligned() };
    let address = |words: [u32; 4]| {
        let bits = words
            .iter()
            .fold(0, |bits, word| bits << 32 | u128::from(*word));
        Ipv6Addr::from_bits(bits)
    };
    AddrMask::V6 {
        addr: address(value.addr),
        mask: address(value.mask),
    }
}

/// Sets an option of any socket, not of netlink alone.
fn set_option<T>(fd: c_int, option: c_int, value: &T) -> c_int {
    // SAFETY: the kernel reads a value of this size, which is live.
    unsafe {
        libc::setsockopt(
            fd,
            libc::SOL_SOCKET,
            option,
            std::ptr::from_ref(value).cast(),
            size_of::<T>() as libc::socklen_t,
        )
    }
}
