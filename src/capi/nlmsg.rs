//! Entries, expectations and filters in messages that a program handles itself.

use std::ffi::{c_int, c_void};
use std::mem::offset_of;
use std::ptr;
use std::slice;

use libc::nlmsghdr;

use super::errno::{fail, status};
use super::expect;
use super::memory::message_buffer;
use super::object::{change, read, separate_labels};
use super::request::encode_expectation;
use super::types::{nf_conntrack, nf_expect, nfct_filter_dump};
use crate::conntrack::encode::encode_as_c;
use crate::conntrack::{Conntrack, ConntrackRef};
use crate::error::{Error, Result};
use crate::expect::ExpectRef;
use crate::filter::DumpFilter;
use crate::netlink::{Builder, HEADER_LEN, Header, Message, align};
use crate::nfnetlink::{L3Proto, Nfgenmsg};

/// Appends an entry's attributes to a message, which has the netlink and
/// nfnetlink headers already.
///
/// @param nlh the message. There must be room: 1024 bytes do for entries without
/// helper data and with up to 128 labels.
/// @param ct the entry
/// @return 0; -1 with errno EINVAL where a pointer is NULL or the entry cannot be
/// sent: it has no original tuple, or a tuple is neither IPv4 nor IPv6. The message
/// is then as it was. A mask of labels that differs from the labels in size is left
/// out; the kernel then replaces all labels.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfct_nlmsg_build(nlh: *mut nlmsghdr, ct: *const nf_conntrack) -> c_int {
    // SAFETY: an object pointer, and a message with room.
    let built = unsafe {
        read(ct, |entry| {
            append(nlh, |message| encode_as_c(entry, message))
        })
    };
    status(built.unwrap_or(Err(MISSING)))
}

/// Appends a filter's criteria to a message, which has the netlink and nfnetlink
/// headers already, and sets the address family in the latter.
///
/// @param nlh the message. There must be room, as for nfct_nlmsg_build().
/// @param filter_dump the filter
/// @return 0; -1 with errno EINVAL where a pointer is NULL, or the tuple in the
/// filter cannot be sent or is of another family than the filter asks for
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfct_nlmsg_build_filter(
    nlh: *mut nlmsghdr,
    filter_dump: *const nfct_filter_dump,
) -> c_int {
    // SAFETY: null or a filter of this library, and a message with room.
    unsafe {
        let Some(filter) = filter_dump.cast::<DumpFilter>().as_ref() else {
            return fail(libc::EINVAL);
        };
        let built = append(nlh, |message| filter.encode(message));
        if built.is_ok() && filter.has_family() {
            nlh.cast::<u8>().add(HEADER_LEN).write(filter.l3proto().0);
        }
        status(built)
    }
}

/// Adds what a message says to an entry, whose other attributes stay.
///
/// @param nlh the message, with netlink and nfnetlink headers
/// @param ct the entry
/// @return 0; -1 with errno EINVAL where a pointer is NULL, EBADMSG where the
/// message is malformed
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfct_nlmsg_parse(nlh: *const nlmsghdr, ct: *mut nf_conntrack) -> c_int {
    // SAFETY: a message pointer, and an object pointer.
    unsafe {
        match content(nlh) {
            Ok((header, attributes)) => parse(attributes, header.family, ct),
            Err(errno) => fail(errno),
        }
    }
}

/// Adds what bare attributes say to an entry, such as stand in a packet from
/// NFQUEUE or NFLOG (NFQA_CT, NFULA_CT).
///
/// @param payload the attributes
/// @param payload_len bytes of them
/// @param l3num the address family of the packet
/// @param ct the entry
/// @return 0; -1 with errno EINVAL where a pointer is NULL, EBADMSG where the
/// attributes are malformed
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfct_payload_parse(
    payload: *const c_void,
    payload_len: usize,
    l3num: u16,
    ct: *mut nf_conntrack,
) -> c_int {
    if payload.is_null() || isize::try_from(payload_len).is_err() {
        return fail(libc::EINVAL);
    }
    // SAFETY: a pointer to this many bytes, and an object pointer.
    unsafe {
        let attributes = slice::from_raw_parts(payload.cast(), payload_len);
        parse(attributes, L3Proto(l3num as u8), ct)
    }
}

/// Appends an expectation's attributes to a message, which has the netlink and
/// nfnetlink headers already. Not put are those that nfexp_query() does not send.
///
/// @param nlh the message. There must be room: 512 bytes do.
/// @param exp the expectation
/// @return 0; -1 with errno EINVAL where a pointer is NULL or a tuple is neither
/// IPv4 nor IPv6. The message is then as it was.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfexp_nlmsg_build(nlh: *mut nlmsghdr, exp: *const nf_expect) -> c_int {
    // SAFETY: an object pointer, and a message with room.
    let built = unsafe {
        expect::read(exp, |expect| {
            append(nlh, |message| encode_expectation(expect, message))
        })
    };
    status(built.unwrap_or(Err(MISSING)))
}

/// Adds what a message says to an expectation, whose other attributes stay.
///
/// @param nlh the message, with netlink and nfnetlink headers
/// @param exp the expectation
/// @return 0; -1 with errno EINVAL where a pointer is NULL, EBADMSG where the
/// message is malformed
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfexp_nlmsg_parse(nlh: *const nlmsghdr, exp: *mut nf_expect) -> c_int {
    // SAFETY: a message pointer, and an object pointer.
    let parsed = unsafe {
        let (header, attributes) = match content(nlh) {
            Ok(content) => content,
            Err(errno) => return fail(errno),
        };
        expect::change(exp, |expect| {
            ExpectRef::from_attributes(attributes, header.family)?.merge_into(expect)?;
            Ok(())
        })
    };
    status(parsed.unwrap_or(Err(MISSING)))
}

const MISSING: Error = Error::Invalid("a null pointer");

/// The message at a pointer; `None` for NULL, or where its length field says
/// less than a header.
///
/// # Safety
/// A message pointer.
pub(super) unsafe fn message<'a>(nlh: *const nlmsghdr) -> Option<Message<'a>> {
    if nlh.is_null() {
        return None;
    }
    // SAFETY: there are as many bytes as the header says.
    unsafe {
        let len = length_field(nlh.cast_mut()).read_unaligned();
        let bytes = slice::from_raw_parts(nlh.cast(), usize::try_from(len).ok()?);
        Message::parse(bytes).ok()
    }
}

/// The nfnetlink header and the attributes of a message. One that is too short
/// for them says nothing.
///
/// # Errors
/// EINVAL for NULL.
///
/// # Safety
/// A message pointer.
unsafe fn content<'a>(nlh: *const nlmsghdr) -> Result<(Nfgenmsg, &'a [u8]), c_int> {
    if nlh.is_null() {
        return Err(libc::EINVAL);
    }
    // SAFETY: the caller's pointer.
    let message = unsafe { message(nlh) };
    let content = message.and_then(|message| Nfgenmsg::split(&message).ok());
    Ok(content.unwrap_or_default())
}

/// Adds what attributes say to an entry.
unsafe fn parse(attributes: &[u8], family: L3Proto, ct: *mut nf_conntrack) -> c_int {
    if ct.is_null() {
        return fail(libc::EINVAL);
    }
    let parse = |entry: &mut Conntrack| {
        ConntrackRef::from_attributes(attributes, family)?.merge_into(entry)?;
        Ok(())
    };
    // SAFETY: an object pointer.
    unsafe {
        separate_labels(ct);
        status(change(ct, parse).unwrap_or(Err(MISSING)))
    }
}

/// Appends the attributes that `fill` puts to a message.
///
/// # Safety
/// `nlh` is null or a message with headers and room.
unsafe fn append(
    nlh: *mut nlmsghdr,
    fill: impl FnOnce(&mut Builder<'_>) -> Result<()>,
) -> Result<()> {
    if nlh.is_null() {
        return Err(MISSING);
    }
    let mut buffer = message_buffer()?;
    let mut message = Builder::new(&mut buffer, Header::default());
    fill(&mut message)?;
    message.finish()?;
    let attributes = buffer.get(HEADER_LEN..).unwrap_or_default();
    // SAFETY: the caller's message.
    unsafe {
        let field = length_field(nlh);
        let len = field.read_unaligned() as usize;
        let end = nlh.cast::<u8>().add(len);
        let padding = align(len) - len;
        end.write_bytes(0, padding);
        ptr::copy_nonoverlapping(attributes.as_ptr(), end.add(padding), attributes.len());
        field.write_unaligned((len + padding + attributes.len()) as u32);
    }
    Ok(())
}

/// Where a message has its length.
unsafe fn length_field(nlh: *mut nlmsghdr) -> *mut u32 {
    // SAFETY: the caller's message.
    unsafe { nlh.cast::<u8>().add(offset_of!(nlmsghdr, nlmsg_len)).cast() }
}
