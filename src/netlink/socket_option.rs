//! The switches of a socket, and the size of its receive buffer.

use std::sync::atomic::Ordering;

use super::socket::Socket;
use crate::error::Result;

/// Switches of a netlink socket, netlink(7); each is off at first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SocketOption {
    /// Report errors of multicast delivery to the sender; a listener with
    /// this and [`NoEnobufs`](Self::NoEnobufs) makes conntrack events reliable
    /// (`NETLINK_BROADCAST_ERROR`).
    #[doc(alias = "NETLINK_BROADCAST_ERROR")]
    BroadcastError,
    /// Do not report lost messages with ENOBUFS (`NETLINK_NO_ENOBUFS`).
    #[doc(alias = "NETLINK_NO_ENOBUFS")]
    NoEnobufs,
    /// Also receive from all network namespaces that have an id in this one
    /// (`NETLINK_LISTEN_ALL_NSID`, Linux 4.2 and later, needs CAP_NET_BROADCAST).
    #[doc(alias = "NETLINK_LISTEN_ALL_NSID")]
    ListenAllNsid,
    /// Do not repeat the request in acknowledgements (`NETLINK_CAP_ACK`, Linux 4.3 and later).
    #[doc(alias = "NETLINK_CAP_ACK")]
    CapAck,
    /// Explain errors (`NETLINK_EXT_ACK`, Linux 4.12 and later).
    #[doc(alias = "NETLINK_EXT_ACK")]
    ExtAck,
    /// Check dump requests strictly (`NETLINK_GET_STRICT_CHK`, Linux 4.20 and later).
    #[doc(alias = "NETLINK_GET_STRICT_CHK")]
    GetStrictCheck,
}

impl SocketOption {
    /// Its number for setsockopt(2).
    pub(super) fn number(self) -> libc::c_int {
        match self {
            Self::BroadcastError => libc::NETLINK_BROADCAST_ERROR,
            Self::NoEnobufs => libc::NETLINK_NO_ENOBUFS,
            Self::ListenAllNsid => libc::NETLINK_LISTEN_ALL_NSID,
            Self::CapAck => libc::NETLINK_CAP_ACK,
            Self::ExtAck => libc::NETLINK_EXT_ACK,
            Self::GetStrictCheck => libc::NETLINK_GET_STRICT_CHK,
        }
    }

    /// The call that sets it, for errors.
    pub(super) fn call(self) -> &'static str {
        match self {
            Self::BroadcastError => "setsockopt(NETLINK_BROADCAST_ERROR)",
            Self::NoEnobufs => "setsockopt(NETLINK_NO_ENOBUFS)",
            Self::ListenAllNsid => "setsockopt(NETLINK_LISTEN_ALL_NSID)",
            Self::CapAck => "setsockopt(NETLINK_CAP_ACK)",
            Self::ExtAck => "setsockopt(NETLINK_EXT_ACK)",
            Self::GetStrictCheck => "setsockopt(NETLINK_GET_STRICT_CHK)",
        }
    }
}

impl Socket {
    /// Asks for a receive buffer of this many bytes and returns what was granted.
    ///
    /// The kernel doubles the number for its bookkeeping, so twice the number
    /// is a full grant; less means that `net.core.rmem_max` capped it.
    ///
    /// # Errors
    /// [`Error::Io`](crate::Error::Io) from setsockopt(2).
    #[doc(alias = "SO_RCVBUF")]
    #[doc(alias = "nfnl_rcvbufsiz")]
    pub fn set_receive_buffer(&self, bytes: usize) -> Result<usize> {
        self.set_buffer("setsockopt(SO_RCVBUF)", libc::SO_RCVBUF, bytes)
    }

    /// The same without the cap of `net.core.rmem_max`.
    ///
    /// # Errors
    /// [`Error::Io`](crate::Error::Io): EPERM without CAP_NET_ADMIN in the initial user namespace.
    #[doc(alias = "SO_RCVBUFFORCE")]
    pub fn force_receive_buffer(&self, bytes: usize) -> Result<usize> {
        let call = "setsockopt(SO_RCVBUFFORCE)";
        self.set_buffer(call, libc::SO_RCVBUFFORCE, bytes)
    }

    /// Bytes of the receive buffer, as the kernel counts them.
    ///
    /// # Errors
    /// [`Error::Io`](crate::Error::Io) from getsockopt(2).
    pub fn receive_buffer(&self) -> Result<usize> {
        let bytes = self.get(libc::SOL_SOCKET, libc::SO_RCVBUF)?;
        Ok(usize::try_from(libc::c_int::from_ne_bytes(bytes)).unwrap_or(0))
    }

    /// Turns a switch on or off.
    ///
    /// # Errors
    /// [`Error::Io`](crate::Error::Io): ENOPROTOOPT where the kernel does not know it, EPERM
    /// where it needs a capability.
    pub fn set_option(&self, option: SocketOption, on: bool) -> Result<()> {
        self.set_netlink(option.call(), option.number(), u32::from(on))?;
        if option == SocketOption::ListenAllNsid {
            self.with_nsid.store(on, Ordering::Relaxed);
        }
        Ok(())
    }

    /// Tells whether a switch is on.
    ///
    /// # Errors
    /// [`Error::Io`](crate::Error::Io): ENOPROTOOPT where the kernel cannot tell.
    pub fn option(&self, option: SocketOption) -> Result<bool> {
        let value = self.get(libc::SOL_NETLINK, option.number())?;
        Ok(libc::c_int::from_ne_bytes(value) != 0)
    }
}
