//! Handles of other network namespaces, and events of all of them.

use std::os::fd::AsFd;

use super::Handle;
use crate::error::Result;
use crate::netlink::SocketOption;
use crate::netns::run_in;
use crate::nfnetlink::Groups;

impl Handle {
    /// Opens a handle in another network namespace, given a
    /// [`Netns`](crate::Netns) or any descriptor of one.
    ///
    /// The calling thread stays where it is: a short-lived thread enters the
    /// namespace and opens the socket there. From then on the handle can be used
    /// from anywhere.
    ///
    /// # Errors
    /// As [`open`](Self::open); [`Error::Io`](crate::Error::Io) from setns(2):
    /// EPERM without CAP_SYS_ADMIN in the user namespace that owns the network
    /// namespace and in the caller's own.
    pub fn open_in(netns: impl AsFd, groups: Groups) -> Result<Self> {
        run_in(netns.as_fd(), || Self::open(groups))
    }

    /// Listens to the network namespaces that have an id in the handle's own, and
    /// to its own, or again to its own only.
    ///
    /// [`Event::nsid`](super::Event::nsid) tells from where an event comes. Ids
    /// are given by `ip netns set NAME ID`, or by the kernel where a link leads
    /// from one namespace to the other. The listener does not see what others it
    /// cannot name do. It only listens there: requests are for its own namespace.
    ///
    /// # Errors
    /// [`Error::Io`](crate::Error::Io): EPERM without CAP_NET_BROADCAST in the
    /// user namespace that owns the handle's network namespace; ENOPROTOOPT before
    /// Linux 4.2.
    #[doc(alias = "NETLINK_LISTEN_ALL_NSID")]
    pub fn listen_to_all_namespaces(&self, all: bool) -> Result<()> {
        self.socket.set_option(SocketOption::ListenAllNsid, all)
    }
}
