//! The tables of the older iptables, whose rules netlink does not show.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use super::evidence::Evidence;
use crate::nfnetlink::L3Proto;

/// Whether iptables (legacy) has tables of this family in the network namespace
/// of the calling thread: their rules may turn tracking on.
pub(super) fn tables(family: L3Proto) -> Evidence {
    let (file, program) = match family {
        L3Proto::IPV6 => ("ip6_tables_names", "ip6tables-legacy"),
        _ => ("ip_tables_names", "iptables-legacy"),
    };
    let path = format!("/proc/thread-self/net/{file}");
    match fs::read_to_string(&path) {
        Ok(names) if names.trim().is_empty() => Evidence::Absent,
        Ok(names) => {
            let names: Vec<_> = names.split_whitespace().collect();
            Evidence::Unclear(format!(
                "iptables (legacy) has tables here ({}), whose rules only {program}-save shows",
                names.join(", ")
            ))
        }
        // The kernel has no such tables, or has not loaded them; unless nothing else
        // is there either, as where /proc is not mounted.
        Err(error)
            if error.kind() == ErrorKind::NotFound
                && Path::new("/proc/thread-self/net/netlink").exists() =>
        {
            Evidence::Absent
        }
        Err(error) => Evidence::Unclear(format!(
            "whether iptables (legacy) has rules is not known, {path}: {error}"
        )),
    }
}
