//! The socket: the one place where bytes pass to and from the kernel.

#![allow(unsafe_code)]

use std::io;
use std::mem;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::ptr;
use std::time::Duration;

use nix::poll::{PollFd, PollFlags, PollTimeout};

use super::family::Family;
use crate::error::{Error, Result};

/// A netlink socket, bound to a port id.
///
/// Blocking unless [`set_nonblocking`](Self::set_nonblocking) says otherwise,
/// and closed on exec. Interrupted calls (EINTR) are repeated. All methods take
/// `&self`: a socket may be used from several threads, but a datagram goes to
/// just one of them.
///
/// ```
/// use netfilter_conntrack::netlink::{Builder, Family, Flags, Header, Messages, Socket};
///
/// // Lists the network interfaces (rtnetlink(7): RTM_GETLINK is 18).
/// let socket = Socket::open(Family::ROUTE)?;
/// let mut request = Vec::new();
/// let mut message = Builder::new(&mut request, Header::request(18, Flags::DUMP).with_seq(1));
/// message.put_bytes(&[0; 16]);
/// message.finish()?;
/// socket.send(&request)?;
///
/// let mut buffer = vec![0; 32 * 1024];
/// let datagram = socket.recv(&mut buffer)?;
/// for message in Messages::new(&buffer[..datagram.len]) {
///     assert_eq!(message?.seq(), 1);
/// }
/// # Ok::<(), netfilter_conntrack::Error>(())
/// ```
#[derive(Debug)]
pub struct Socket {
    fd: OwnedFd,
    port: u32,
}

/// What one [`recv`](Socket::recv) brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Datagram {
    /// Bytes written to the buffer.
    pub len: usize,
    /// Port id of the sender: 0 is the kernel, anything else another program.
    pub sender: u32,
    /// Multicast groups it was sent to, as a mask of the groups 1 to 32; 0 if to this socket alone.
    pub groups: u32,
    /// The network namespace it comes from, as seen from the socket's; only
    /// with [`SocketOption::ListenAllNsid`], and absent for the socket's own.
    pub nsid: Option<i32>,
}

/// Switches of a netlink socket, netlink(7); each is off at first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SocketOption {
    /// Report errors of multicast delivery to the sender; a listener with
    /// this and [`NoEnobufs`](Self::NoEnobufs) makes conntrack events reliable
    /// (`NETLINK_BROADCAST_ERROR`).
    BroadcastError,
    /// Do not report lost messages with ENOBUFS (`NETLINK_NO_ENOBUFS`).
    NoEnobufs,
    /// Also receive from all network namespaces that have an id in this one
    /// (`NETLINK_LISTEN_ALL_NSID`, Linux 4.2 and later, needs CAP_NET_BROADCAST).
    ListenAllNsid,
    /// Do not repeat the request in acknowledgements (`NETLINK_CAP_ACK`, Linux 4.3 and later).
    CapAck,
    /// Explain errors (`NETLINK_EXT_ACK`, Linux 4.12 and later).
    ExtAck,
    /// Check dump requests strictly (`NETLINK_GET_STRICT_CHK`, Linux 4.20 and later).
    GetStrictCheck,
}

impl SocketOption {
    fn number(self) -> libc::c_int {
        match self {
            Self::BroadcastError => libc::NETLINK_BROADCAST_ERROR,
            Self::NoEnobufs => libc::NETLINK_NO_ENOBUFS,
            Self::ListenAllNsid => libc::NETLINK_LISTEN_ALL_NSID,
            Self::CapAck => libc::NETLINK_CAP_ACK,
            Self::ExtAck => libc::NETLINK_EXT_ACK,
            Self::GetStrictCheck => libc::NETLINK_GET_STRICT_CHK,
        }
    }
}

impl Socket {
    /// Opens a socket of this family with a port id of the kernel's choice and
    /// no groups.
    ///
    /// # Errors
    /// [`Error::Io`]: EPROTONOSUPPORT where the kernel lacks the family, EMFILE….
    pub fn open(family: Family) -> Result<Self> {
        Self::bind(family, 0, 0)
    }

    /// Opens a socket with this port id (0: the kernel chooses) and the groups
    /// 1 to 32 of this mask (bit `n - 1` is group `n`).
    ///
    /// # Errors
    /// As [`open`](Self::open); EADDRINUSE where the port id is taken, EPERM
    /// where the groups need CAP_NET_ADMIN.
    pub fn bind(family: Family, port: u32, groups: u32) -> Result<Self> {
        // SAFETY: socket(2) takes no pointers.
        let fd = unsafe {
            libc::socket(
                libc::AF_NETLINK,
                libc::SOCK_RAW | libc::SOCK_CLOEXEC,
                family.0,
            )
        };
        if fd < 0 {
            return Err(Error::last_os_error("socket"));
        }
        // SAFETY: the descriptor is new and nobody else's.
        let fd = unsafe { OwnedFd::from_raw_fd(fd) };
        let mut socket = Self { fd, port };
        socket.bind_address(port, groups)?;
        socket.port = socket.local_address()?.nl_pid;
        Ok(socket)
    }

    /// Takes over a netlink socket that is open and bound already.
    ///
    /// # Errors
    /// [`Error::Io`] where its address cannot be read or is not of AF_NETLINK.
    pub fn from_fd(fd: OwnedFd) -> Result<Self> {
        let mut socket = Self { fd, port: 0 };
        let address = socket.local_address()?;
        if i32::from(address.nl_family) != libc::AF_NETLINK {
            return Err(Error::io("getsockname", libc::EAFNOSUPPORT));
        }
        socket.port = address.nl_pid;
        Ok(socket)
    }

    /// The port id, the socket's address: unique in its family and network
    /// namespace. The kernel puts it into messages this socket caused.
    #[must_use]
    pub fn port(&self) -> u32 {
        self.port
    }

    /// Joins the groups of this mask, and leaves those of 1 to 32 not in it.
    ///
    /// # Errors
    /// [`Error::Io`]: EPERM where they need CAP_NET_ADMIN.
    pub fn set_groups(&self, groups: u32) -> Result<()> {
        self.bind_address(self.port, groups)
    }

    /// Joins the multicast group with this number, also above 32.
    ///
    /// # Errors
    /// [`Error::Io`]: EINVAL where the family has no such group, EPERM without
    /// CAP_NET_ADMIN where it needs that.
    #[doc(alias = "NETLINK_ADD_MEMBERSHIP")]
    pub fn join(&self, group: u32) -> Result<()> {
        self.set_netlink(libc::NETLINK_ADD_MEMBERSHIP, group)
    }

    /// Leaves the multicast group with this number.
    ///
    /// # Errors
    /// [`Error::Io`]: EINVAL where the family has no such group.
    #[doc(alias = "NETLINK_DROP_MEMBERSHIP")]
    pub fn leave(&self, group: u32) -> Result<()> {
        self.set_netlink(libc::NETLINK_DROP_MEMBERSHIP, group)
    }

    /// Sends messages to the kernel: one, or a batch built into one buffer.
    ///
    /// # Errors
    /// [`Error::WouldBlock`] on a non-blocking socket; [`Error::Io`]: EMSGSIZE
    /// where the batch exceeds the send buffer (212,992 bytes by default),
    /// or what the family answers at once.
    pub fn send(&self, messages: &[u8]) -> Result<()> {
        self.send_to(messages, 0, 0)
    }

    /// Sends to the socket with this port id, and to the groups of the mask.
    ///
    /// # Errors
    /// As [`send`](Self::send); ECONNREFUSED where there is no such socket,
    /// EPERM where the family leaves this to CAP_NET_ADMIN.
    pub fn send_to(&self, messages: &[u8], port: u32, groups: u32) -> Result<()> {
        let address = address(port, groups);
        retry("sendto", || {
            // SAFETY: pointers and lengths are those of live borrows.
            unsafe {
                libc::sendto(
                    self.fd.as_raw_fd(),
                    messages.as_ptr().cast(),
                    messages.len(),
                    0,
                    (&raw const address).cast(),
                    ADDRESS_LEN,
                )
            }
        })?;
        Ok(())
    }

    /// Receives one datagram; waits for it unless the socket is non-blocking.
    ///
    /// A buffer of 32 KiB takes the largest datagrams the kernel makes in a
    /// dump; it makes them no larger than the largest buffer it was given so far.
    ///
    /// # Errors
    /// [`Error::WouldBlock`]; [`Error::Overrun`] once after messages were
    /// dropped; [`Error::Truncated`] where the datagram was longer than the
    /// buffer (its head is in the buffer, the rest is gone).
    pub fn recv(&self, buffer: &mut [u8]) -> Result<Datagram> {
        self.recv_flags(buffer, 0)
    }

    /// Receives one datagram if there is one, also on a blocking socket.
    ///
    /// # Errors
    /// As [`recv`](Self::recv).
    pub fn try_recv(&self, buffer: &mut [u8]) -> Result<Datagram> {
        self.recv_flags(buffer, libc::MSG_DONTWAIT)
    }

    fn recv_flags(&self, buffer: &mut [u8], flags: libc::c_int) -> Result<Datagram> {
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
        // MSG_TRUNC makes the call return the datagram's own length.
        let len = retry("recvmsg", || {
            message.msg_namelen = ADDRESS_LEN;
            message.msg_control = control.as_mut_ptr().cast();
            message.msg_controllen = mem::size_of_val(&control) as _;
            // SAFETY: the msghdr points to live buffers with their true lengths.
            unsafe {
                libc::recvmsg(
                    self.fd.as_raw_fd(),
                    &raw mut message,
                    flags | libc::MSG_TRUNC,
                )
            }
        })?;
        if len > buffer.len() {
            return Err(Error::Truncated {
                needed: len,
                available: buffer.len(),
            });
        }
        Ok(Datagram {
            len,
            sender: sender.nl_pid,
            groups: sender.nl_groups,
            nsid: nsid(&message),
        })
    }

    /// Waits until there is something to read, at the most this long (`None`:
    /// for ever). Tells whether there is.
    ///
    /// # Errors
    /// [`Error::Io`] from poll(2).
    pub fn wait_readable(&self, timeout: Option<Duration>) -> Result<bool> {
        let limit = match timeout {
            None => PollTimeout::NONE,
            Some(time) => PollTimeout::try_from(time).unwrap_or(PollTimeout::MAX),
        };
        let mut fds = [PollFd::new(self.fd.as_fd(), PollFlags::POLLIN)];
        match nix::poll::poll(&mut fds, limit) {
            Ok(ready) => Ok(ready > 0),
            // The caller's clock decides whether to go on waiting.
            Err(nix::Error::EINTR) => Ok(false),
            Err(errno) => Err(Error::io("poll", errno as i32)),
        }
    }

    /// Makes calls return [`Error::WouldBlock`] instead of waiting, or wait again.
    ///
    /// # Errors
    /// [`Error::Io`] from ioctl(2).
    pub fn set_nonblocking(&self, nonblocking: bool) -> Result<()> {
        let mut value = libc::c_int::from(nonblocking);
        // SAFETY: FIONBIO reads an int.
        let done = unsafe { libc::ioctl(self.fd.as_raw_fd(), libc::FIONBIO, &raw mut value) };
        check("ioctl", done)
    }

    /// Asks for a receive buffer of this many bytes and returns what was granted.
    ///
    /// The kernel doubles the number for its bookkeeping, so twice the number
    /// is a full grant; less means that `net.core.rmem_max` capped it.
    ///
    /// # Errors
    /// [`Error::Io`] from setsockopt(2).
    #[doc(alias = "SO_RCVBUF")]
    #[doc(alias = "nfnl_rcvbufsiz")]
    pub fn set_receive_buffer(&self, bytes: usize) -> Result<usize> {
        self.set_buffer(libc::SO_RCVBUF, bytes)
    }

    /// The same without the cap of `net.core.rmem_max`.
    ///
    /// # Errors
    /// [`Error::Io`]: EPERM without CAP_NET_ADMIN in the initial user namespace.
    #[doc(alias = "SO_RCVBUFFORCE")]
    pub fn force_receive_buffer(&self, bytes: usize) -> Result<usize> {
        self.set_buffer(libc::SO_RCVBUFFORCE, bytes)
    }

    /// Bytes of the receive buffer, as the kernel counts them.
    ///
    /// # Errors
    /// [`Error::Io`] from getsockopt(2).
    pub fn receive_buffer(&self) -> Result<usize> {
        let bytes: libc::c_int = self.get(libc::SOL_SOCKET, libc::SO_RCVBUF)?;
        Ok(usize::try_from(bytes).unwrap_or(0))
    }

    /// Turns a switch on or off.
    ///
    /// # Errors
    /// [`Error::Io`]: ENOPROTOOPT where the kernel does not know it, EPERM
    /// where it needs a capability.
    pub fn set_option(&self, option: SocketOption, on: bool) -> Result<()> {
        self.set_netlink(option.number(), u32::from(on))
    }

    /// Tells whether a switch is on.
    ///
    /// # Errors
    /// [`Error::Io`]: ENOPROTOOPT where the kernel cannot tell.
    pub fn option(&self, option: SocketOption) -> Result<bool> {
        let value: libc::c_int = self.get(libc::SOL_NETLINK, option.number())?;
        Ok(value != 0)
    }

    /// Puts a classic BPF program in front of the receive buffer, in place of
    /// an earlier one: datagrams for which it returns 0 are dropped.
    ///
    /// # Errors
    /// [`Error::Invalid`] for an empty program or one of more than 65,535
    /// instructions; [`Error::Io`]: EINVAL where the kernel finds it faulty or
    /// longer than 4,096 instructions, ENOMEM where it exceeds
    /// `net.core.optmem_max`.
    #[doc(alias = "SO_ATTACH_FILTER")]
    pub fn attach_filter(&self, program: &[libc::sock_filter]) -> Result<()> {
        let len = u16::try_from(program.len())
            .map_err(|_| Error::Invalid("a filter of more than 65535 instructions"))?;
        if len == 0 {
            return Err(Error::Invalid("an empty filter program"));
        }
        let program = libc::sock_fprog {
            len,
            filter: program.as_ptr().cast_mut(),
        };
        // SAFETY: the kernel only reads the program, whose length is right.
        unsafe { self.set(libc::SOL_SOCKET, libc::SO_ATTACH_FILTER, &program) }
    }

    /// Takes the filter away.
    ///
    /// # Errors
    /// [`Error::Io`]: ENOENT where there is none.
    #[doc(alias = "SO_DETACH_FILTER")]
    pub fn detach_filter(&self) -> Result<()> {
        let unused: libc::c_int = 0;
        // SAFETY: a plain int.
        unsafe { self.set(libc::SOL_SOCKET, libc::SO_DETACH_FILTER, &unused) }
    }

    fn bind_address(&self, port: u32, groups: u32) -> Result<()> {
        let address = address(port, groups);
        // SAFETY: the address is a live local of the given length.
        let done = unsafe {
            libc::bind(
                self.fd.as_raw_fd(),
                (&raw const address).cast(),
                ADDRESS_LEN,
            )
        };
        check("bind", done)
    }

    fn local_address(&self) -> Result<libc::sockaddr_nl> {
        let mut address = address(0, 0);
        let mut len = ADDRESS_LEN;
        // SAFETY: the kernel writes at most `len` bytes of address.
        let done = unsafe {
            libc::getsockname(self.fd.as_raw_fd(), (&raw mut address).cast(), &raw mut len)
        };
        check("getsockname", done)?;
        Ok(address)
    }

    fn set_buffer(&self, option: libc::c_int, bytes: usize) -> Result<usize> {
        let value = libc::c_int::try_from(bytes).unwrap_or(libc::c_int::MAX);
        // SAFETY: a plain int.
        unsafe { self.set(libc::SOL_SOCKET, option, &value) }?;
        self.receive_buffer()
    }

    fn set_netlink(&self, option: libc::c_int, value: u32) -> Result<()> {
        // SAFETY: a plain int.
        unsafe { self.set(libc::SOL_NETLINK, option, &value) }
    }

    /// # Safety
    /// `T` must be what the kernel reads for this option.
    unsafe fn set<T>(&self, level: libc::c_int, option: libc::c_int, value: &T) -> Result<()> {
        // SAFETY: pointer and length are those of `value`; the caller vouches for the type.
        let done = unsafe {
            libc::setsockopt(
                self.fd.as_raw_fd(),
                level,
                option,
                ptr::from_ref(value).cast(),
                mem::size_of::<T>() as libc::socklen_t,
            )
        };
        check("setsockopt", done)
    }

    fn get(&self, level: libc::c_int, option: libc::c_int) -> Result<libc::c_int> {
        let mut value: libc::c_int = 0;
        let mut len = mem::size_of::<libc::c_int>() as libc::socklen_t;
        // SAFETY: the kernel writes at most `len` bytes.
        let done = unsafe {
            libc::getsockopt(
                self.fd.as_raw_fd(),
                level,
                option,
                (&raw mut value).cast(),
                &raw mut len,
            )
        };
        check("getsockopt", done)?;
        Ok(value)
    }
}

impl AsFd for Socket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

impl AsRawFd for Socket {
    fn as_raw_fd(&self) -> RawFd {
        self.fd.as_raw_fd()
    }
}

impl From<Socket> for OwnedFd {
    fn from(socket: Socket) -> Self {
        socket.fd
    }
}

const ADDRESS_LEN: libc::socklen_t = mem::size_of::<libc::sockaddr_nl>() as libc::socklen_t;

fn address(port: u32, groups: u32) -> libc::sockaddr_nl {
    // SAFETY: all-zero is a valid sockaddr_nl; its padding is private in libc.
    let mut address: libc::sockaddr_nl = unsafe { mem::zeroed() };
    address.nl_family = libc::AF_NETLINK as libc::sa_family_t;
    address.nl_pid = port;
    address.nl_groups = groups;
    address
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
fn retry(name: &'static str, mut call: impl FnMut() -> isize) -> Result<usize> {
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

fn check(name: &'static str, done: libc::c_int) -> Result<()> {
    if done < 0 {
        return Err(Error::last_os_error(name));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two sockets of the family that lets programs talk to each other.
    fn pair() -> (Socket, Socket) {
        let open = || Socket::open(Family::USERSOCK).unwrap();
        (open(), open())
    }

    #[test]
    fn ports_are_distinct_and_senders_are_told() {
        let (a, b) = pair();
        assert_ne!(a.port(), b.port());
        a.send_to(b"ping", b.port(), 0).unwrap();
        let mut buffer = [0; 16];
        let datagram = b.recv(&mut buffer).unwrap();
        assert_eq!(
            (&buffer[..datagram.len], datagram.sender),
            (&b"ping"[..], a.port())
        );
        assert_eq!(datagram.nsid, None);
    }

    #[test]
    fn a_chosen_port_is_taken_once() {
        let (a, _) = pair();
        let error = Socket::bind(Family::USERSOCK, a.port(), 0).unwrap_err();
        assert_eq!(error.errno(), libc::EADDRINUSE);
    }

    #[test]
    fn truncation_is_reported_with_both_lengths() {
        let (a, b) = pair();
        a.send_to(&[7; 100], b.port(), 0).unwrap();
        let error = b.recv(&mut [0; 60]).unwrap_err();
        let expected = (100, 60);
        assert!(
            matches!(error, Error::Truncated { needed, available } if (needed, available) == expected)
        );
        assert!(matches!(b.try_recv(&mut [0; 60]), Err(Error::WouldBlock)));
    }

    #[test]
    fn nonblocking_and_waiting() {
        let (a, b) = pair();
        b.set_nonblocking(true).unwrap();
        assert!(matches!(b.recv(&mut [0; 8]), Err(Error::WouldBlock)));
        assert!(!b.wait_readable(Some(Duration::from_millis(1))).unwrap());
        a.send_to(b"x", b.port(), 0).unwrap();
        assert!(b.wait_readable(None).unwrap());
        assert_eq!(b.recv(&mut [0; 8]).unwrap().len, 1);
    }

    #[test]
    fn an_overrun_is_told_once_and_the_socket_goes_on() {
        let (a, b) = pair();
        let granted = b.set_receive_buffer(1).unwrap();
        assert!(granted < 16 * 1024, "{granted}");
        b.join(1).unwrap();
        // A multicast overruns its listeners instead of blocking the sender. The
        // sender's own result is about port 0, where nobody answers.
        let multicast = |bytes: &[u8]| drop(a.send_to(bytes, 0, 1));
        let sent = 200;
        for _ in 0..sent {
            multicast(&[0; 512]);
        }
        let mut buffer = [0; 1024];
        assert!(matches!(b.try_recv(&mut buffer), Err(Error::Overrun)));
        let received = std::iter::from_fn(|| b.try_recv(&mut buffer).ok()).count();
        assert!(received > 0 && received < sent, "{received}");
        multicast(&[0; 8]);
        assert_eq!(b.recv(&mut buffer).unwrap().len, 8);
    }

    #[test]
    fn options_can_be_read_back() {
        let (a, _) = pair();
        for option in [
            SocketOption::BroadcastError,
            SocketOption::NoEnobufs,
            SocketOption::CapAck,
            SocketOption::ExtAck,
            SocketOption::GetStrictCheck,
        ] {
            assert!(!a.option(option).unwrap(), "{option:?}");
            a.set_option(option, true).unwrap();
            assert!(a.option(option).unwrap(), "{option:?}");
        }
    }

    #[test]
    fn groups_by_mask_and_by_number() {
        let socket = Socket::bind(Family::ROUTE, 0, 0b11).unwrap();
        socket.set_groups(0b101).unwrap();
        // RTNLGRP_NSID and RTNLGRP_MDB stand for low numbers, RTNLGRP_NEXTHOP for one
        // near 32; beyond 32 there is no bit in the mask.
        for group in [26, 28, 32, 33] {
            socket.join(group).unwrap();
            socket.leave(group).unwrap();
        }
        assert_eq!(socket.join(100_000).unwrap_err().errno(), libc::EINVAL);
    }

    #[test]
    fn filters_attach_replace_detach() {
        let (a, b) = pair();
        let verdict = |k| {
            let ret = (libc::BPF_RET | libc::BPF_K) as u16;
            [libc::sock_filter {
                code: ret,
                jt: 0,
                jf: 0,
                k,
            }]
        };
        b.attach_filter(&verdict(0)).unwrap();
        let _dropped = a.send_to(b"x", b.port(), 0);
        assert!(matches!(b.try_recv(&mut [0; 8]), Err(Error::WouldBlock)));
        b.attach_filter(&verdict(u32::MAX)).unwrap();
        a.send_to(b"x", b.port(), 0).unwrap();
        assert_eq!(b.try_recv(&mut [0; 8]).unwrap().len, 1);
        b.detach_filter().unwrap();
        assert_eq!(b.detach_filter().unwrap_err().errno(), libc::ENOENT);
        assert!(matches!(b.attach_filter(&[]), Err(Error::Invalid(_))));
    }

    #[test]
    fn other_descriptors_are_refused() {
        let (file, _keep) = io::pipe().unwrap();
        assert!(Socket::from_fd(file.into()).is_err());
        let (a, _) = pair();
        let port = a.port();
        let again = Socket::from_fd(a.into()).unwrap();
        assert_eq!(again.port(), port);
    }
}
