//! Reading and writing the sysctls of a network namespace.
//!
//! `/proc/sys/net` shows each thread the values of its own namespace.

use std::fmt::Display;
use std::fs;

use super::netns;

/// The value of a sysctl such as `net.netfilter.nf_conntrack_acct`.
pub(crate) fn read(name: &str) -> String {
    let path = path(name);
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    text.trim_end().to_owned()
}

/// The value of a sysctl that is a number.
pub(crate) fn number(name: &str) -> u64 {
    let text = read(name);
    text.parse()
        .unwrap_or_else(|_| panic!("{name} is no number: {text}"))
}

/// Sets a sysctl of the namespace the calling thread is in.
pub(crate) fn write(name: &str, value: impl Display) {
    netns::require();
    let path = path(name);
    fs::write(&path, value.to_string())
        .unwrap_or_else(|error| panic!("writing {value} to {path}: {error}"));
}

/// Number of entries in the namespace's connection-tracking table.
pub(crate) fn conntrack_count() -> u64 {
    number("net.netfilter.nf_conntrack_count")
}

fn path(name: &str) -> String {
    format!("/proc/sys/{}", name.replace('.', "/"))
}
