//! The shared library of this crate in the place of the C library: programs that
//! were built for the one run on the other, and do the same.
//!
//! Programs that only look run on one table, and must say the same byte for byte
//! (`compare::on_one_table`). What changes tables is done in a namespace for each
//! library (`compare::in_own_namespaces`); there, what differs from one namespace
//! to the next is taken out of the texts (`steady`).

#[path = "../common/mod.rs"]
mod common;
mod compare;
mod connlabel;
mod conntrack_change;
mod conntrack_events;
mod conntrack_expect;
mod conntrack_list;
mod conntrackd;
mod dnsmasq;
mod etc;
mod flowtop;
mod for_good;
mod ftp;
mod iptstate;
mod library;
mod oidentd;
mod squid;
mod steady;
mod symbols;
mod table;
mod ulogd;

#[test]
fn passes_for_an_ordinary_user() {
    library::rerun_as_ordinary_user();
}
