//! Findings as text.

use std::fmt;

use super::Finding;
use crate::nfnetlink::{Groups, L3Proto};

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MissingCapability => f.write_str(
                "the kernel answers no request (EPERM), so that nothing can be listed, changed or \
                 followed: run with CAP_NET_ADMIN in the user namespace that owns the network \
                 namespace, as root or in a namespace of your own (`unshare -Urn`)",
            ),
            Self::ConntrackNotLoaded => {
                f.write_str("the kernel knows no requests for connection tracking, so that there is no table to see")
            }
            Self::NoTrackingRule { family } => {
                let family = match *family {
                    L3Proto::IPV6 => "IPv6",
                    _ => "IPv4",
                };
                write!(
                    f,
                    "no rule makes the kernel track {family} packets in this network namespace, so \
                     that none of their flows is ever in the table: add a rule that asks for their \
                     state"
                )
            }
            Self::TableFull { entries, max } => write!(
                f,
                "the table is full, {entries} entries of {max}, so that the kernel drops the \
                 packets of new flows: raise the limit, from the initial network namespace, or \
                 delete flows"
            ),
            Self::TableNearlyFull { entries, max } => write!(
                f,
                "the table is nearly full, {entries} entries of {max}; when it is, the kernel \
                 drops the packets of new flows: raise the limit, from the initial network \
                 namespace"
            ),
            Self::FlowsDropped {
                dropped,
                evicted,
                not_inserted,
            } => write!(
                f,
                "connection tracking has dropped {dropped} packets it had no room for and evicted \
                 {evicted} entries to make room, whose flows were not seen or not to their end: \
                 compare net.netfilter.nf_conntrack_count with nf_conntrack_max when there is \
                 much traffic ({not_inserted} entries found their place taken, mostly by \
                 another packet of the same flow)"
            ),
            Self::EventsOff => f.write_str(
                "net.netfilter.nf_conntrack_events is 0, so that no flow sends events: set it to \
                 1; it counts for new flows",
            ),
            Self::EventsAuto => f.write_str(
                "net.netfilter.nf_conntrack_events is 2, so that flows that begin while nobody \
                 listens send neither UPDATE nor DESTROY: listen first and then list, or set it \
                 to 1",
            ),
            Self::AccountingOff => f.write_str(
                "net.netfilter.nf_conntrack_acct is 0, so that new flows have no counters of \
                 packets and bytes: set it to 1 if they are wanted",
            ),
            Self::TimestampsOff => f.write_str(
                "net.netfilter.nf_conntrack_timestamp is 0, so that new flows have no start and \
                 stop times: set it to 1 if they are wanted",
            ),
            Self::OtherNamespace => f.write_str(
                "the handle is in another network namespace than this thread, so that it shows \
                 flows and events of that one: open it in the namespace that is meant \
                 (Handle::open_in)",
            ),
            Self::NoListenerGroups => f.write_str(
                "the handle listens to no group, so that it gets no events: open it with \
                 Groups::CONNTRACK to follow them",
            ),
            Self::GroupsNotJoined { missing } => {
                f.write_str("the handle has not joined the groups ")?;
                names(*missing, f)?;
                f.write_str(", so that it gets no such events: open it with them if they are wanted")
            }
            Self::SmallBuffer { granted } => write!(
                f,
                "the handle's receive buffer has {granted} bytes, so that a burst of some hundred \
                 events overruns it: enlarge it (Handle::set_receive_buffer) or let it grow \
                 (Handle::set_buffer_growth)"
            ),
            Self::BufferCapped {
                granted,
                wanted,
                rmem_max,
            } => {
                write!(
                    f,
                    "the handle's receive buffer has {granted} bytes in the place of {wanted}, \
                     capped by net.core.rmem_max"
                )?;
                if let Some(rmem_max) = rmem_max {
                    write!(f, " ({rmem_max})")?;
                }
                f.write_str(
                    ", so that bursts overrun it sooner: raise the sysctl, or run with \
                     CAP_NET_ADMIN in the initial user namespace",
                )
            }
            Self::EventsLost { overruns } => write!(
                f,
                "the handle's receive buffer was full {overruns} times and events were lost: list \
                 the table again, enlarge the buffer (Handle::set_receive_buffer) or keep a Mirror"
            ),
            Self::FilterAttached { instructions } => write!(
                f,
                "a filter of {instructions} instructions keeps some events from the handle: take \
                 it away if they are wanted (Handle::detach)"
            ),
            Self::Unknown { what, why } => write!(f, "could not find out {what}: {why}"),
        }?;
        match self.command() {
            Some(command) => write!(f, ": {command}"),
            None => Ok(()),
        }
    }
}

/// The groups by the names of their constants.
fn names(groups: Groups, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let single = groups
        .iter_names()
        .filter(|(_, group)| group.bits().is_power_of_two());
    for (index, (name, _)) in single.enumerate() {
        let comma = if index == 0 { "" } else { ", " };
        write!(f, "{comma}{name}")?;
    }
    Ok(())
}
