//! The switches of connection tracking in the program's network namespace.

use std::fs;
use std::io;

/// The value of a sysctl such as `nf_conntrack_acct`; `None` where it cannot be
/// read.
pub(crate) fn read(name: &str) -> Option<u64> {
    fs::read_to_string(path(name)).ok()?.trim().parse().ok()
}

/// Sets a sysctl, for demonstrations in a namespace of their own.
pub(crate) fn write(name: &str, value: u64) -> io::Result<()> {
    let path = path(name);
    fs::write(&path, value.to_string())
        .map_err(|error| io::Error::new(error.kind(), format!("{path}: {error}")))
}

fn path(name: &str) -> String {
    format!("/proc/sys/net/netfilter/{name}")
}
