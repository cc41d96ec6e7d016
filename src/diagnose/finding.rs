//! What a diagnosis can find.

use super::Severity;
use crate::nfnetlink::{Groups, L3Proto};

/// One reason for which something is not seen.
///
/// Shown as text, it says what is so, what follows, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Finding {
    /// The kernel answers EPERM: the caller lacks CAP_NET_ADMIN in the user
    /// namespace that owns the network namespace.
    MissingCapability,
    /// The kernel has no conntrack subsystem of netlink, or has not loaded it.
    ConntrackNotLoaded,
    /// Nothing makes the kernel track packets of this family in the network
    /// namespace: no rule asks for their state or translates them.
    ///
    /// Kernels with `CONFIG_NETFILTER_NETLINK_HOOK` (Linux 5.14) are asked for the
    /// hook itself. Of others the rules of nftables are read, and where the older
    /// iptables has tables it is [`Unknown`](Self::Unknown). Open vSwitch and the
    /// `ct` action of tc(8) track packets on their own and are not noticed.
    NoTrackingRule {
        /// [`L3Proto::IPV4`] or [`L3Proto::IPV6`].
        family: L3Proto,
    },
    /// The table is full: the kernel drops packets of new flows.
    TableFull {
        /// Entries in the network namespace.
        entries: u32,
        /// Entries it may have (`net.netfilter.nf_conntrack_max`).
        max: u32,
    },
    /// Nine tenths of the table are in use, or more.
    TableNearlyFull {
        /// Entries in the network namespace.
        entries: u32,
        /// Entries it may have (`net.netfilter.nf_conntrack_max`).
        max: u32,
    },
    /// Flows were not tracked, or no longer, since the namespace was made. Sums
    /// over all CPUs.
    FlowsDropped {
        /// Packets dropped since there was no room for their flow (`drop`).
        dropped: u64,
        /// Entries that had to go for others while the table was full (`early_drop`).
        evicted: u64,
        /// Entries that found their place taken, by two packets of one flow at
        /// the same time for the most part (`insert_failed`).
        not_inserted: u64,
    },
    /// `net.netfilter.nf_conntrack_events` is 0: there are no events.
    EventsOff,
    /// `net.netfilter.nf_conntrack_events` is 2, as at first since Linux 5.19:
    /// flows that begin while nobody listens send no UPDATE and no DESTROY. With
    /// Linux 6.18 listeners in other network namespaces count too.
    EventsAuto,
    /// `net.netfilter.nf_conntrack_acct` is 0, as at first: new flows have no counters.
    AccountingOff,
    /// `net.netfilter.nf_conntrack_timestamp` is 0, as at first: new flows have no
    /// timestamps.
    TimestampsOff,
    /// The handle is in another network namespace than the calling thread. Findings
    /// about the namespace are about the handle's.
    OtherNamespace,
    /// The handle listens to no group: it gets no events, only answers.
    NoListenerGroups,
    /// The handle listens to some groups, but not to these of the same kind.
    GroupsNotJoined {
        /// Groups whose events it never gets.
        missing: Groups,
    },
    /// The handle listens with a receive buffer no larger than the usual one,
    /// which a burst fills, and which may not grow.
    SmallBuffer {
        /// Bytes it has, as the kernel counts them.
        granted: usize,
    },
    /// The handle's receive buffer was to be larger than `net.core.rmem_max` allows.
    BufferCapped {
        /// Bytes it has, as the kernel counts them.
        granted: usize,
        /// Bytes it would have if nothing had capped it.
        wanted: usize,
        /// The sysctl, half of what the kernel grants; `None` where it cannot be
        /// read, as in most namespaces of older kernels.
        rmem_max: Option<u64>,
    },
    /// The handle has lost events.
    EventsLost {
        /// How often its receive buffer was full; each time any number of events
        /// may have been lost.
        overruns: u64,
    },
    /// A filter keeps events from the handle.
    FilterAttached {
        /// Instructions of its program.
        instructions: usize,
    },
    /// Something could not be found out.
    Unknown {
        /// What.
        what: String,
        /// Why not.
        why: String,
    },
}

impl Finding {
    /// How much it matters.
    #[must_use]
    pub fn severity(&self) -> Severity {
        match self {
            Self::MissingCapability
            | Self::ConntrackNotLoaded
            | Self::NoTrackingRule { .. }
            | Self::TableFull { .. }
            | Self::EventsOff => Severity::Blocking,
            Self::TableNearlyFull { .. }
            | Self::FlowsDropped { .. }
            | Self::EventsAuto
            | Self::BufferCapped { .. }
            | Self::EventsLost { .. } => Severity::Limiting,
            Self::Unknown { .. } => Severity::Unknown,
            Self::AccountingOff
            | Self::TimestampsOff
            | Self::OtherNamespace
            | Self::NoListenerGroups
            | Self::GroupsNotJoined { .. }
            | Self::SmallBuffer { .. }
            | Self::FilterAttached { .. } => Severity::Hint,
        }
    }

    /// The shell command that removes the cause, to be run by root in the network
    /// namespace, or in the initial one where a limit is for the whole machine
    /// ([`TableFull`](Self::TableFull), [`BufferCapped`](Self::BufferCapped));
    /// `None` where there is no single one.
    #[must_use]
    pub fn command(&self) -> Option<String> {
        let sysctl = |name: &str, value: usize| Some(format!("sysctl -w {name}={value}"));
        match self {
            Self::ConntrackNotLoaded => Some("modprobe nf_conntrack_netlink".to_owned()),
            Self::NoTrackingRule { family } => {
                let table = match *family {
                    L3Proto::IPV6 => "ip6 tracking",
                    _ => "ip tracking",
                };
                // A rule counts from when it is there, also in a chain that is
                // never entered.
                Some(format!(
                    "nft 'add table {table}; add chain {table} on; add rule {table} on ct state new'"
                ))
            }
            Self::TableFull { max, .. } | Self::TableNearlyFull { max, .. } => {
                let more = (*max as usize).saturating_mul(2);
                sysctl("net.netfilter.nf_conntrack_max", more)
            }
            Self::EventsOff | Self::EventsAuto => sysctl("net.netfilter.nf_conntrack_events", 1),
            Self::AccountingOff => sysctl("net.netfilter.nf_conntrack_acct", 1),
            Self::TimestampsOff => sysctl("net.netfilter.nf_conntrack_timestamp", 1),
            // The kernel doubles what it is asked for.
            Self::BufferCapped { wanted, .. } => sysctl("net.core.rmem_max", wanted / 2),
            _ => None,
        }
    }
}
