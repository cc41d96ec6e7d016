//! The socket: where bytes pass to and from the kernel.

#![allow(unsafe_code)]

use std::mem;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::ptr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use nix::poll::{PollFd, PollFlags, PollTimeout};

use super::datagram::{ADDRESS_LEN, Datagram, address, recvfrom, recvmsg, retry};
use super::family::Family;
use super::socket_option::SocketOption;
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
    /// Whether datagrams come with the namespace they are from.
    pub(super) with_nsid: AtomicBool,
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
        let mut socket = Self::new(fd, port);
        socket.bind_address(port, groups)?;
        socket.port = socket.local_address()?.nl_pid;
        Ok(socket)
    }

    /// Takes over a netlink socket that is open and bound already.
    ///
    /// # Errors
    /// [`Error::Io`] where its address cannot be read or is not of AF_NETLINK.
    pub fn from_fd(fd: OwnedFd) -> Result<Self> {
        let mut socket = Self::new(fd, 0);
        let address = socket.local_address()?;
        if i32::from(address.nl_family) != libc::AF_NETLINK {
            return Err(Error::io("getsockname", libc::EAFNOSUPPORT));
        }
        socket.port = address.nl_pid;
        // Kernels that cannot tell do not send it either.
        let with_nsid = socket.option(SocketOption::ListenAllNsid).unwrap_or(false);
        *socket.with_nsid.get_mut() = with_nsid;
        Ok(socket)
    }

    /// A netlink socket with this port id.
    pub(crate) fn new(fd: OwnedFd, port: u32) -> Self {
        Self {
            fd,
            port,
            with_nsid: AtomicBool::new(false),
        }
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
        let call = "setsockopt(NETLINK_ADD_MEMBERSHIP)";
        self.set_netlink(call, libc::NETLINK_ADD_MEMBERSHIP, group)
    }

    /// Leaves the multicast group with this number.
    ///
    /// # Errors
    /// [`Error::Io`]: EINVAL where the family has no such group.
    #[doc(alias = "NETLINK_DROP_MEMBERSHIP")]
    pub fn leave(&self, group: u32) -> Result<()> {
        let call = "setsockopt(NETLINK_DROP_MEMBERSHIP)";
        self.set_netlink(call, libc::NETLINK_DROP_MEMBERSHIP, group)
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
        let available = buffer.len();
        // MSG_TRUNC makes the calls return the datagram's own length.
        let datagram = match self.with_nsid.load(Ordering::Relaxed) {
            false => recvfrom(&self.fd, buffer, flags | libc::MSG_TRUNC),
            true => recvmsg(&self.fd, buffer, flags | libc::MSG_TRUNC),
        }?;
        match datagram.len > available {
            false => Ok(datagram),
            true => Err(Error::Truncated {
                needed: datagram.len,
                available,
                sender: datagram.sender,
            }),
        }
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
        let call = "setsockopt(SO_ATTACH_FILTER)";
        // SAFETY: the kernel only reads the program, whose length is right.
        unsafe { self.set(call, libc::SOL_SOCKET, libc::SO_ATTACH_FILTER, &program) }
    }

    /// Takes the filter away.
    ///
    /// # Errors
    /// [`Error::Io`]: ENOENT where there is none.
    #[doc(alias = "SO_DETACH_FILTER")]
    pub fn detach_filter(&self) -> Result<()> {
        let unused: libc::c_int = 0;
        let call = "setsockopt(SO_DETACH_FILTER)";
        // SAFETY: a plain int.
        unsafe { self.set(call, libc::SOL_SOCKET, libc::SO_DETACH_FILTER, &unused) }
    }

    /// The groups 1 to 32 that it has joined (bit `n - 1` is group `n`).
    ///
    /// # Errors
    /// [`Error::Io`] from getsockname(2).
    pub fn groups(&self) -> Result<u32> {
        Ok(self.local_address()?.nl_groups)
    }

    /// How many instructions the classic BPF program in front of the receive
    /// buffer has; 0 where there is none.
    ///
    /// # Errors
    /// [`Error::Io`] from getsockopt(2).
    #[doc(alias = "SO_GET_FILTER")]
    pub fn filter_len(&self) -> Result<usize> {
        let mut len: libc::socklen_t = 0;
        // SAFETY: with a length of 0 the kernel writes the count to `len` alone.
        let done = unsafe {
            libc::getsockopt(
                self.fd.as_raw_fd(),
                libc::SOL_SOCKET,
                libc::SO_GET_FILTER,
                ptr::null_mut(),
                &raw mut len,
            )
        };
        check("getsockopt(SO_GET_FILTER)", done)?;
        Ok(len as usize)
    }

    /// A descriptor of the network namespace the socket is in, wherever the
    /// thread is. Linux 4.9 and later.
    ///
    /// # Errors
    /// [`Error::Io`] from ioctl(2): EPERM without CAP_NET_ADMIN in the user
    /// namespace that owns the network namespace.
    #[doc(alias = "SIOCGSKNS")]
    pub fn namespace(&self) -> Result<OwnedFd> {
        // SIOCGSKNS of linux/sockios.h, whose type differs between C libraries.
        // SAFETY: the request takes no argument; it makes a descriptor.
        let fd = unsafe { libc::ioctl(self.fd.as_raw_fd(), 0x894c) };
        check("ioctl(SIOCGSKNS)", fd)?;
        // SAFETY: the descriptor is new and nobody else's.
        Ok(unsafe { OwnedFd::from_raw_fd(fd) })
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

    pub(super) fn set_buffer(
        &self,
        call: &'static str,
        option: libc::c_int,
        bytes: usize,
    ) -> Result<usize> {
        let value = libc::c_int::try_from(bytes).unwrap_or(libc::c_int::MAX);
        // SAFETY: a plain int.
        unsafe { self.set(call, libc::SOL_SOCKET, option, &value) }?;
        self.receive_buffer()
    }

    pub(super) fn set_netlink(
        &self,
        call: &'static str,
        option: libc::c_int,
        value: u32,
    ) -> Result<()> {
        // SAFETY: a plain int.
        unsafe { self.set(call, libc::SOL_NETLINK, option, &value) }
    }

    /// Sets an option; an error bears the name `call`.
    ///
    /// # Safety
    /// `T` must be what the kernel reads for this option.
    unsafe fn set<T>(
        &self,
        call: &'static str,
        level: libc::c_int,
        option: libc::c_int,
        value: &T,
    ) -> Result<()> {
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
        check(call, done)
    }

    pub(super) fn get<const N: usize>(&self, level: i32, option: i32) -> Result<[u8; N]> {
        let mut value = [0; N];
        let mut len = N as libc::socklen_t;
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

fn check(name: &'static str, done: libc::c_int) -> Result<()> {
    if done < 0 {
        return Err(Error::last_os_error(name));
    }
    Ok(())
}
