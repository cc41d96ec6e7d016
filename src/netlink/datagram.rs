//! Receiving one datagram, with or without the namespace it comes from.

#![allow(unsafe_code)]

use std::io;
use std::mem;
use std::os::fd::{AsRawFd, OwnedFd};

use crate::error::{Error, Result};

/// What one [`recv`](super::Socket::recv) brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Datagram {
    /// Bytes written to the buffer.
    pub len: usize,
    /// Port id of the sender: 0 is the kernel, anything else another program.
    pub sender: u32,
    /// Multicast groups it was sent to, as a mask of the groups 1 to 32; 0 if to this socket alone.
    pub groups: u32,
    /// The network namespace it comes from, as seen from the socket's; only
    /// with [`ListenAllNsid`](super::SocketOption::ListenAllNsid), and absent
    /// for the socket's own.
    pub nsid: Option<i32>,
}

/// The cheaper call, without control messages.
pub(super) fn recvfrom(fd: &OwnedFd, buffer: &mut [u8], flags: libc::c_int) -> Result<Datagram> {
    let mut sender = address(0, 0);
    let mut sender_len = ADDRESS_LEN;
    let len = retry("recvfrom", || {
        // SAFETY: pointers and lengths are those of live borrows.
        unsafe {
            libc::recvfrom(
                fd.as_raw_fd(),
                buffer.as_mut_ptr().cast(),
                buffer.len(),
                flags,
                (&raw mut sender).cast(),
                &raw mut sender_len,
            )
        }
    })?;
    Ok(Datagram {
        len,
        sender: sender.nl_pid,
        groups: sender.nl_groups,
        nsid: None,
    })
}

/// The call that also gives control messages: the namespace's id.
pub(super) fn recvmsg(fd: &OwnedFd, buffer: &mut [u8], flags: libc::c_int) -> Result<Datagram> {
    let mut sender = address(0, 0);
    let mut part = libc::iovec {
        iov_base: buffer.as_mut_ptr().cast(),
        iov_len: buffer.len(),
    };
    // Room for the namespace id; aligned as control messages must be.
    let mut control = [0u64; 8];
    // SAFETY: all-zero is a valid msghdr.
    let mut message: libc::msghdr = unsafe { mem::zeroed() };
    message.msg_name = (&raw mut sender).cast();
    message.msg_iov = &raw mut part;
    message.msg_iovlen = 1;
    let len = retry("recvmsg", || {
        message.msg_namelen = ADDRESS_LEN;
        message.msg_control = control.as_mut_ptr().cast();
        message.msg_controllen = mem::size_of_val(&control) as _;
        // SAFETY: the msghdr points to live buffers with their true lengths.
        unsafe { libc::recvmsg(fd.as_raw_fd(), &raw mut message, flags) }
    })?;
    Ok(Datagram {
        len,
        sender: sender.nl_pid,
        groups: sender.nl_groups,
        nsid: nsid(&message),
    })
}

/// The namespace id among the control messages of a received `message`.
fn nsid(message: &libc::msghdr) -> Option<i32> {
    // SAFETY: the kernel filled msg_control and msg_controllen; the CMSG
    // functions stay inside them, and an id is an int.
    unsafe {
        let mut item = libc::CMSG_FIRSTHDR(message);
        while let Some(header) = item.as_ref() {
            if header.cmsg_level == libc::SOL_NETLINK
                && header.cmsg_type == libc::NETLINK_LISTEN_ALL_NSID
            {
                return Some(libc::CMSG_DATA(item).cast::<i32>().read_unaligned());
            }
            item = libc::CMSG_NXTHDR(message, item);
        }
    }
    None
}

/// Repeats a call while it is interrupted by signals.
pub(super) fn retry(name: &'static str, mut call: impl FnMut() -> isize) -> Result<usize> {
    loop {
        if let Ok(count) = usize::try_from(call()) {
            return Ok(count);
        }
        let errno = io::Error::last_os_error().raw_os_error().unwrap_or(0);
        if errno != libc::EINTR {
            return Err(Error::io(name, errno));
        }
    }
}

pub(super) const ADDRESS_LEN: libc::socklen_t =
    mem::size_of::<libc::sockaddr_nl>() as libc::socklen_t;

pub(super) fn address(port: u32, groups: u32) -> libc::sockaddr_nl {
    // SAFETY: all-zero is a valid sockaddr_nl; its padding is private in libc.
    let mut address: libc::sockaddr_nl = unsafe { mem::zeroed() };
    address.nl_family = libc::AF_NETLINK as libc::sa_family_t;
    address.nl_pid = port;
    address.nl_groups = groups;
    address
}
