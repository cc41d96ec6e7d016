//! What is known of a network namespace, not judged yet.

use std::fs;

use super::counters::Drops;
use super::evidence::Evidence;
use super::tracking::tracking;
use crate::error::{Error, Result};
use crate::handle::{Handle, TableStats};
use crate::nfnetlink::Groups;

/// The number a file of `/proc/sys` holds, or why it could not be read.
pub(super) type Setting = Result<u64, String>;

/// What the kernel says of the calling thread's network namespace.
#[derive(Clone, Debug)]
pub(super) struct Facts {
    pub(super) table: Result<Table>,
    pub(super) events: Setting,
    pub(super) accounting: Setting,
    pub(super) timestamps: Setting,
}

/// What the kernel tells those who may ask.
#[derive(Clone, Debug)]
pub(super) struct Table {
    pub(super) size: TableStats,
    pub(super) drops: Result<Drops>,
    /// For each of [`FAMILIES`](super::tracking::FAMILIES).
    pub(super) tracking: [Evidence; 2],
}

impl Facts {
    pub(super) fn gather() -> Self {
        Self {
            table: Table::read(),
            events: setting("net/netfilter/nf_conntrack_events"),
            accounting: setting("net/netfilter/nf_conntrack_acct"),
            timestamps: setting("net/netfilter/nf_conntrack_timestamp"),
        }
    }
}

impl Table {
    fn read() -> Result<Self, Error> {
        let mut handle = Handle::open(Groups::empty())?;
        Ok(Self {
            size: handle.stats()?,
            drops: Drops::read(&mut handle),
            tracking: tracking(&mut handle),
        })
    }
}

/// Reads a sysctl of the calling thread's network namespace.
pub(super) fn setting(name: &str) -> Setting {
    let path = format!("/proc/sys/{name}");
    let text = fs::read_to_string(&path).map_err(|error| format!("{path}: {error}"))?;
    let number = text.trim().parse();
    number.map_err(|_| format!("{path}: {} is no number", text.trim()))
}
