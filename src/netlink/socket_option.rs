//! The switches of a socket.

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
}
