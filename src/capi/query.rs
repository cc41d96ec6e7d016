//! Queries: asking the kernel, and receiving.

use std::ffi::{c_int, c_void};

use super::errno::fail;
use super::handle::CHandle;
use super::receive::{finish_abandoned_dump, receive};
use super::request::{Request, with_conntrack, with_expect};
use super::types::{QueryNumber, nfct_handle};
use crate::handle::Awaiting;

/// Asks the kernel about entries and waits for the answer. Entries in it, and
/// events that come meanwhile, go to the registered callback.
///
/// | query | data | errno from the kernel |
/// |---|---|---|
/// | NFCT_Q_CREATE | struct nf_conntrack | EEXIST, EINVAL (no timeout or reply tuple) |
/// | NFCT_Q_UPDATE | struct nf_conntrack | ENOENT, EBUSY, EOPNOTSUPP |
/// | NFCT_Q_DESTROY | struct nf_conntrack | ENOENT |
/// | NFCT_Q_GET | struct nf_conntrack | ENOENT |
/// | NFCT_Q_FLUSH | uint32_t family: the kernel flushes all families | |
/// | NFCT_Q_DUMP | uint32_t family, AF_UNSPEC for all | |
/// | NFCT_Q_DUMP_RESET | the same; counters go to 0 | |
/// | NFCT_Q_CREATE_UPDATE | struct nf_conntrack | as for UPDATE |
/// | NFCT_Q_DUMP_FILTER | struct nfct_filter_dump | EINVAL |
/// | NFCT_Q_DUMP_FILTER_RESET | the same; counters go to 0 | EINVAL |
/// | NFCT_Q_FLUSH_FILTER | struct nfct_filter_dump without a tuple | EINVAL |
///
/// @param h the handle
/// @param query what to ask
/// @param data what the table says
/// @return 0; a negative value that a callback returned; -1 with the errno of the
/// kernel, or EPERM (no CAP_NET_ADMIN), EINVAL (a pointer is NULL, or the entry
/// lacks its tuple; nothing was sent), ENOTSUP (no such query), ENOBUFS (the
/// receive buffer was full; the request may have been carried out), EAGAIN (the
/// same on a non-blocking socket that is empty by now), EBADMSG
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfct_query(
    h: *mut nfct_handle,
    query: QueryNumber,
    data: *const c_void,
) -> c_int {
    // SAFETY: the caller's pointers.
    let asked = unsafe { with_conntrack(query, data, |request| ask(h, request)) };
    // SAFETY: the same.
    unsafe { complete(h, asked) }
}

/// Asks the kernel about entries and does not wait; nfct_catch() gets the answer.
///
/// @param h the handle
/// @param query what to ask, as for nfct_query()
/// @param data what its table says
/// @return how many bytes were sent; -1 with errno EINVAL, ENOTSUP, or of sendto(2)
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfct_send(
    h: *mut nfct_handle,
    query: QueryNumber,
    data: *const c_void,
) -> c_int {
    // SAFETY: the caller's pointers.
    let asked = unsafe { with_conntrack(query, data, |request| ask(h, request)) };
    sent(asked)
}

/// Receives messages, about entries and expectations both, and calls the
/// registered callbacks, until a callback says NFCT_CB_STOP or the last part of
/// an answer to nfct_send() comes.
///
/// After NFCT_CB_STOP the rest of the datagram, which can only be of the same
/// dump, is dropped; whatever is left in the socket wakes up poll(2).
///
/// @param h the handle
/// @return 0; a negative value that a callback returned; -1 with errno ENOBUFS
/// (messages were lost; the next call goes on with those that were not), EAGAIN
/// (a non-blocking socket is empty), EINVAL (h is NULL), EBADMSG (a malformed
/// message was skipped), or that of the kernel's answer
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfct_catch(h: *mut nfct_handle) -> c_int {
    if h.is_null() {
        return fail(libc::EINVAL);
    }
    // SAFETY: a handle of this library.
    unsafe { receive(h.cast(), Awaiting::Anything) }
}

/// Asks the kernel about expectations and waits for the answer, as nfct_query()
/// does.
///
/// | query | data | errno from the kernel |
/// |---|---|---|
/// | NFCT_Q_CREATE | struct nf_expect | EEXIST, EINVAL (a tuple or the mask is missing), ENOENT (no such master) |
/// | NFCT_Q_DESTROY | struct nf_expect | ENOENT |
/// | NFCT_Q_GET | struct nf_expect | ENOENT |
/// | NFCT_Q_FLUSH | uint8_t family, which the kernel does not look at | |
/// | NFCT_Q_DUMP | uint8_t family, AF_UNSPEC for all | |
/// | NFCT_Q_CREATE_UPDATE | struct nf_expect | as for CREATE |
///
/// Not sent are ATTR_EXP_CLASS, ATTR_EXP_NAT_TUPLE, ATTR_EXP_NAT_DIR and
/// ATTR_EXP_FN. NFCT_Q_DESTROY needs ATTR_EXP_EXPECTED, or ATTR_EXP_HELPER_NAME
/// to delete all of a helper.
///
/// @param h the handle
/// @param qt what to ask
/// @param data what the table says
/// @return as nfct_query()
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfexp_query(
    h: *mut nfct_handle,
    qt: QueryNumber,
    data: *const c_void,
) -> c_int {
    // SAFETY: the caller's pointers.
    let asked = unsafe { with_expect(qt, data, |request| ask(h, request)) };
    // SAFETY: the same.
    unsafe { complete(h, asked) }
}

/// Asks the kernel about expectations and does not wait; nfexp_catch() gets the
/// answer.
///
/// @param h the handle
/// @param qt what to ask, as for nfexp_query()
/// @param data what its table says
/// @return how many bytes were sent; -1 with errno EINVAL, ENOTSUP, or of sendto(2)
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfexp_send(
    h: *mut nfct_handle,
    qt: QueryNumber,
    data: *const c_void,
) -> c_int {
    // SAFETY: the caller's pointers.
    let asked = unsafe { with_expect(qt, data, |request| ask(h, request)) };
    sent(asked)
}

/// The same as nfct_catch().
///
/// @param h the handle
/// @return as nfct_catch(); -1 with the same errno
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfexp_catch(h: *mut nfct_handle) -> c_int {
    // SAFETY: the caller's handle.
    unsafe { nfct_catch(h) }
}

/// A request that was sent.
struct Sent {
    seq: u32,
    bytes: usize,
}

/// The sequence number and length of a request, or the errno.
type Asked = Result<Sent, c_int>;

/// Sends a request.
fn ask(handle: *mut nfct_handle, request: &Request<'_>) -> Asked {
    let handle: *mut CHandle = handle.cast();
    if handle.is_null() {
        return Err(libc::EINVAL);
    }
    if request.is_dump() {
        // SAFETY: a handle of this library.
        unsafe { finish_abandoned_dump(handle)? };
    }
    // SAFETY: the same; no callback runs meanwhile.
    let (core, nfnl) = unsafe { (&mut (*handle).core, &mut *(*handle).nfnl) };
    let seq = core
        .ask(|seq, buffer| request.encode(seq, buffer), request.is_dump())
        .map_err(|error| error.errno())?;
    // So that nfnl_catch() of libnfnetlink takes the answer.
    nfnl.seq = seq;
    let bytes = core.last_request().len();
    Ok(Sent { seq, bytes })
}

/// The result of a query whose request was sent or not.
unsafe fn complete(handle: *mut nfct_handle, asked: Result<Asked, c_int>) -> c_int {
    match asked.and_then(|asked| asked) {
        // SAFETY: a handle of this library.
        Ok(Sent { seq, .. }) => unsafe { receive(handle.cast(), Awaiting::Request(seq)) },
        Err(errno) => fail(errno),
    }
}

fn sent(asked: Result<Asked, c_int>) -> c_int {
    match asked.and_then(|asked| asked) {
        Ok(Sent { bytes, .. }) => c_int::try_from(bytes).unwrap_or(c_int::MAX),
        Err(errno) => fail(errno),
    }
}
