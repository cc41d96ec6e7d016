//! Functions for messages over libnfnetlink, and others that are obsolete.

use std::ffi::{c_int, c_uint, c_void};
use std::ptr;

use libc::nlmsghdr;

use super::deliver::type_bit;
use super::errno::fail;
use super::memory::message_buffer;
use super::nlmsg::{message, nfct_nlmsg_parse, nfexp_nlmsg_parse};
use super::request::{Request, encode_expectation, with_conntrack, with_expect};
use super::types::{MessageType, QueryNumber, nf_conntrack, nf_expect, nfnl_subsys_handle};
use super::{expect, object};
use crate::conntrack::Conntrack;
use crate::conntrack::encode::encode_as_c;
use crate::error::Result;
use crate::expect::encode::family as expect_family;
use crate::handle::EventKind;
use crate::netlink::{Builder, Flags, Header};
use crate::nfnetlink::{L3Proto, Nfgenmsg, Subsystem};

/// The size of an entry, which is that of all of them. Deprecated.
///
/// @param ct the entry
/// @return bytes; 0 with errno EINVAL where ct is NULL
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfct_sizeof(ct: *const nf_conntrack) -> usize {
    if ct.is_null() {
        fail(libc::EINVAL);
        return 0;
    }
    size_of::<Conntrack>()
}

/// The size of an entry. That many zeroed bytes, at any alignment, are an entry
/// without any attribute. Deprecated; use nfct_new().
///
/// @return bytes
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfct_maxsize() -> usize {
    size_of::<Conntrack>()
}

/// Builds a message with an entry. Deprecated; use nfct_nlmsg_build().
///
/// @param ssh not used
/// @param req the buffer, which is zeroed first
/// @param size bytes of the buffer
/// @param type message number
/// @param flags message flags
/// @param ct the entry
/// @return 0; -1 with errno ENOSPC (the buffer is too small) or EINVAL (req or ct
/// is NULL, or the entry cannot be sent)
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfct_build_conntrack(
    ssh: *mut nfnl_subsys_handle,
    req: *mut c_void,
    size: usize,
    r#type: u16,
    flags: u16,
    ct: *const nf_conntrack,
) -> c_int {
    let _unused = ssh;
    let header = header(Subsystem::CONNTRACK, r#type, flags);
    // SAFETY: an object pointer, and a buffer of this size.
    let built = unsafe {
        object::read(ct, |entry| {
            let family = L3Proto(entry.head.tuple.l3);
            put(req, size, |buffer| {
                build(header, family, buffer, |message| {
                    encode_as_c(entry, message)
                })
            })
        })
    };
    built.unwrap_or_else(|| fail(libc::EINVAL))
}

/// Reads a message about an entry. Deprecated; use nfct_nlmsg_parse().
///
/// @param msg the types of messages to read: NFCT_T_ALL, or some of them
/// @param nlh the message
/// @param ct the entry, to which what the message says is added
/// @return the type of the message; 0 where it is not one of msg; -1 with errno
/// EINVAL (a pointer is NULL) or EBADMSG (the message is malformed)
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfct_parse_conntrack(
    msg: MessageType,
    nlh: *const nlmsghdr,
    ct: *mut nf_conntrack,
) -> c_int {
    // SAFETY: a message pointer, and an object pointer.
    unsafe { parse(msg, nlh, || nfct_nlmsg_parse(nlh, ct)) }
}

/// Builds the request of a query. Deprecated.
///
/// @param ssh not used
/// @param query what to ask, as for nfct_query()
/// @param data what its table says
/// @param req the buffer, which is zeroed first
/// @param size bytes of the buffer
/// @return 1; -1 with errno ENOSPC (the buffer is too small), ENOTSUP (no such
/// query) or EINVAL (a pointer is NULL, or the entry cannot be sent)
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfct_build_query(
    ssh: *mut nfnl_subsys_handle,
    query: QueryNumber,
    data: *const c_void,
    req: *mut c_void,
    size: c_uint,
) -> c_int {
    let _unused = ssh;
    // SAFETY: the caller's pointers.
    unsafe {
        built(with_conntrack(query, data, |request| {
            put_request(req, size, request)
        }))
    }
}

/// Builds a message with an expectation. Deprecated; use nfexp_nlmsg_build().
///
/// @param ssh not used
/// @param req the buffer, which is zeroed first
/// @param size bytes of the buffer
/// @param type message number
/// @param flags message flags
/// @param exp the expectation
/// @return 0; -1 with errno ENOSPC (the buffer is too small) or EINVAL (req or exp
/// is NULL, or the expectation cannot be sent)
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfexp_build_expect(
    ssh: *mut nfnl_subsys_handle,
    req: *mut c_void,
    size: usize,
    r#type: u16,
    flags: u16,
    exp: *const nf_expect,
) -> c_int {
    let _unused = ssh;
    let header = header(Subsystem::EXPECT, r#type, flags);
    // SAFETY: an object pointer, and a buffer of this size.
    let built = unsafe {
        expect::read(exp, |expect| {
            put(req, size, |buffer| {
                build(header, expect_family(expect), buffer, |message| {
                    encode_expectation(expect, message)
                })
            })
        })
    };
    built.unwrap_or_else(|| fail(libc::EINVAL))
}

/// Reads a message about an expectation. Deprecated; use nfexp_nlmsg_parse().
///
/// @param type the types of messages to read: NFCT_T_ALL, or some of them
/// @param nlh the message
/// @param exp the expectation, to which what the message says is added
/// @return the type of the message; 0 where it is not one of type; -1 with errno
/// EINVAL (a pointer is NULL) or EBADMSG (the message is malformed)
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfexp_parse_expect(
    r#type: MessageType,
    nlh: *const nlmsghdr,
    exp: *mut nf_expect,
) -> c_int {
    // SAFETY: a message pointer, and an object pointer.
    unsafe { parse(r#type, nlh, || nfexp_nlmsg_parse(nlh, exp)) }
}

/// Builds the request of a query about expectations. Deprecated.
///
/// @param ssh not used
/// @param qt what to ask, as for nfexp_query()
/// @param data what its table says
/// @param buffer the buffer, which is zeroed first
/// @param size bytes of the buffer
/// @return 1; -1 with errno ENOSPC (the buffer is too small), ENOTSUP (no such
/// query) or EINVAL (a pointer is NULL, or the expectation cannot be sent)
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfexp_build_query(
    ssh: *mut nfnl_subsys_handle,
    qt: QueryNumber,
    data: *const c_void,
    buffer: *mut c_void,
    size: c_uint,
) -> c_int {
    let _unused = ssh;
    // SAFETY: the caller's pointers.
    unsafe {
        built(with_expect(qt, data, |request| {
            put_request(buffer, size, request)
        }))
    }
}

/// The header of a message whose type and flags are the caller's.
fn header(subsystem: Subsystem, number: u16, flags: u16) -> Header {
    Header {
        kind: subsystem.message_type(0) | number,
        flags: Flags::from_bits_retain(flags),
        ..Header::default()
    }
}

fn build(
    header: Header,
    family: L3Proto,
    buffer: &mut Vec<u8>,
    fill: impl FnOnce(&mut Builder<'_>) -> Result<()>,
) -> Result<()> {
    let mut message = Nfgenmsg::family(family).start(buffer, header);
    fill(&mut message)?;
    message.finish()
}

unsafe fn put_request(place: *mut c_void, size: c_uint, request: &Request<'_>) -> c_int {
    // SAFETY: the caller's buffer.
    unsafe { put(place, size as usize, |buffer| request.encode(0, buffer)) }
}

/// Puts a message that `build` makes into a caller's buffer and gives 0 or -1.
unsafe fn put(
    place: *mut c_void,
    size: usize,
    build: impl FnOnce(&mut Vec<u8>) -> Result<()>,
) -> c_int {
    if place.is_null() {
        return fail(libc::EINVAL);
    }
    let made = message_buffer().and_then(|mut message| {
        build(&mut message)?;
        Ok(message)
    });
    let message = match made {
        Ok(message) => message,
        Err(error) => return fail(error.errno()),
    };
    if message.len() > size {
        return fail(libc::ENOSPC);
    }
    let place: *mut u8 = place.cast();
    // SAFETY: the caller's buffer of this size.
    unsafe {
        place.write_bytes(0, size);
        ptr::copy_nonoverlapping(message.as_ptr(), place, message.len());
    }
    0
}

/// What functions that build queries give: 1 on success, unlike all others.
fn built(result: Result<c_int, c_int>) -> c_int {
    match result {
        Ok(0) => 1,
        Ok(failed) => failed,
        Err(errno) => fail(errno),
    }
}

unsafe fn parse(mask: MessageType, nlh: *const nlmsghdr, read: impl FnOnce() -> c_int) -> c_int {
    if nlh.is_null() {
        return fail(libc::EINVAL);
    }
    // SAFETY: a message pointer.
    let header = unsafe { message(nlh) }.map(|message| message.header());
    let bit = header.and_then(EventKind::of).map_or(0, type_bit) as MessageType;
    match bit & mask {
        0 => 0,
        _ if read() < 0 => -1,
        _ => bit,
    }
}
