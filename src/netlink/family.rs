//! Netlink families: the protocol number given to `socket(2)`.

/// A netlink family, an open set: any number is a valid value, and the kernel
/// decides whether it knows it.
///
/// Numbers are those of `linux/netlink.h` (Linux 6.18) and of netlink(7),
/// families that are gone from today's kernel included.
///
/// ```
/// use netfilter_conntrack::netlink::Family;
/// assert_eq!(Family::NETFILTER.0, 12);
/// assert_eq!(Family(12), Family::NETFILTER);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Family(pub i32);

impl Family {
    /// Routes, links, addresses, neighbours (`NETLINK_ROUTE`, rtnetlink(7)).
    #[doc(alias = "NETLINK_ROUTE")]
    pub const ROUTE: Self = Self(0);
    /// The 1-wire bus, once a family of its own (`NETLINK_W1`); the number is now unused.
    #[doc(alias = "NETLINK_W1")]
    pub const W1: Self = Self(1);
    /// Reserved for protocols between user-space programs (`NETLINK_USERSOCK`).
    #[doc(alias = "NETLINK_USERSOCK")]
    pub const USERSOCK: Self = Self(2);
    /// IPv4 packets queued by ip_queue (`NETLINK_FIREWALL`); gone since Linux 3.5.
    #[doc(alias = "NETLINK_FIREWALL")]
    pub const FIREWALL: Self = Self(3);
    /// Socket monitoring, INET only in the past (`NETLINK_INET_DIAG`, sock_diag(7)).
    #[doc(alias = "NETLINK_INET_DIAG")]
    pub const INET_DIAG: Self = Self(4);
    /// Socket monitoring (`NETLINK_SOCK_DIAG`): today's name of [`INET_DIAG`](Self::INET_DIAG).
    #[doc(alias = "NETLINK_SOCK_DIAG")]
    pub const SOCK_DIAG: Self = Self(4);
    /// Packets logged by the ULOG target (`NETLINK_NFLOG`); gone since Linux 3.17.
    #[doc(alias = "NETLINK_NFLOG")]
    pub const NFLOG: Self = Self(5);
    /// IPsec (`NETLINK_XFRM`).
    #[doc(alias = "NETLINK_XFRM")]
    pub const XFRM: Self = Self(6);
    /// SELinux event notifications (`NETLINK_SELINUX`).
    #[doc(alias = "NETLINK_SELINUX")]
    pub const SELINUX: Self = Self(7);
    /// Open-iSCSI (`NETLINK_ISCSI`).
    #[doc(alias = "NETLINK_ISCSI")]
    pub const ISCSI: Self = Self(8);
    /// Auditing (`NETLINK_AUDIT`).
    #[doc(alias = "NETLINK_AUDIT")]
    pub const AUDIT: Self = Self(9);
    /// FIB look-ups from user space (`NETLINK_FIB_LOOKUP`).
    #[doc(alias = "NETLINK_FIB_LOOKUP")]
    pub const FIB_LOOKUP: Self = Self(10);
    /// The kernel connector (`NETLINK_CONNECTOR`).
    #[doc(alias = "NETLINK_CONNECTOR")]
    pub const CONNECTOR: Self = Self(11);
    /// Netfilter: conntrack, expectations, nftables, ipset, queues, logs (`NETLINK_NETFILTER`).
    #[doc(alias = "NETLINK_NETFILTER")]
    pub const NETFILTER: Self = Self(12);
    /// IPv6 packets queued by ip6_queue (`NETLINK_IP6_FW`); gone since Linux 3.5.
    #[doc(alias = "NETLINK_IP6_FW")]
    pub const IP6_FW: Self = Self(13);
    /// DECnet routing messages (`NETLINK_DNRTMSG`).
    #[doc(alias = "NETLINK_DNRTMSG")]
    pub const DNRTMSG: Self = Self(14);
    /// Device events (`NETLINK_KOBJECT_UEVENT`), see `examples/uevent.rs`.
    #[doc(alias = "NETLINK_KOBJECT_UEVENT")]
    pub const KOBJECT_UEVENT: Self = Self(15);
    /// Generic netlink (`NETLINK_GENERIC`).
    #[doc(alias = "NETLINK_GENERIC")]
    pub const GENERIC: Self = Self(16);
    /// SCSI transports (`NETLINK_SCSITRANSPORT`).
    #[doc(alias = "NETLINK_SCSITRANSPORT")]
    pub const SCSITRANSPORT: Self = Self(18);
    /// eCryptfs (`NETLINK_ECRYPTFS`).
    #[doc(alias = "NETLINK_ECRYPTFS")]
    pub const ECRYPTFS: Self = Self(19);
    /// RDMA (`NETLINK_RDMA`).
    #[doc(alias = "NETLINK_RDMA")]
    pub const RDMA: Self = Self(20);
    /// The kernel crypto API (`NETLINK_CRYPTO`).
    #[doc(alias = "NETLINK_CRYPTO")]
    pub const CRYPTO: Self = Self(21);
    /// SMC monitoring (`NETLINK_SMC`), Linux 4.19 and later.
    #[doc(alias = "NETLINK_SMC")]
    pub const SMC: Self = Self(22);
}

impl From<i32> for Family {
    fn from(number: i32) -> Self {
        Self(number)
    }
}
