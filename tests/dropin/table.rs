//! A table with entries of all sorts, for programs to list.

use super::common::peer;
use super::common::sysctl;
use super::etc;
use tempfile::TempDir;

/// Names of connection-tracking labels, as `connlabel.conf` has them.
pub(crate) const LABELS: &str = "0 eth-in\n1 eth-out\n40 vpn\n127 last\n";

/// Arguments of `conntrack` that add entries. Ids, sequence numbers and the
/// like are all different, so that none can be taken for another.
pub(crate) const ENTRIES: &[&str] = &[
    "-s 192.0.2.1 -d 198.51.100.1 -p tcp --sport 1001 --dport 80 --state ESTABLISHED \
     -u SEEN_REPLY,ASSURED -m 7 --label-add eth-in,vpn",
    "-s 192.0.2.2 -d 198.51.100.1 -p tcp --sport 1002 --dport 80 --state SYN_SENT -m 0x17",
    "-s 192.0.2.3 -d 198.51.100.2 -p tcp --sport 1003 --dport 443 --state TIME_WAIT \
     -u SEEN_REPLY --label-add last",
    "-s 192.0.2.4 -d 198.51.100.3 -p udp --sport 1004 --dport 53 -w 3",
    "-s 192.0.2.5 -d 198.51.100.3 -p udp --sport 1005 --dport 53 --orig-zone 4",
    "-s 192.0.2.5 -d 198.51.100.3 -p udp --sport 1006 --dport 53 --reply-zone 5 -m 0xffffffff",
    "-s 192.0.2.6 -d 198.51.100.4 -p icmp --icmp-type 8 --icmp-code 0 --icmp-id 1007",
    "-s 192.0.2.7 -d 198.51.100.4 -p sctp --sport 1008 --dport 3868 --state ESTABLISHED \
     --orig-vtag 11 --reply-vtag 12",
    "-s 192.0.2.8 -d 198.51.100.5 -p gre --srckey 0x11 --dstkey 0x22",
    "-s 192.0.2.9 -d 198.51.100.5 -p udplite --sport 1009 --dport 1010",
    "-s 192.0.2.10 -d 198.51.100.5 -p 50 -u SEEN_REPLY,ASSURED,FIXED_TIMEOUT",
    "-s 192.0.2.11 -d 198.51.100.6 -p tcp --sport 1011 --dport 80 --state SYN_RECV \
     --src-nat 203.0.113.5",
    "-s 192.0.2.12 -d 198.51.100.6 -p tcp --sport 1012 --dport 80 --state CLOSE_WAIT \
     --dst-nat 203.0.113.6:8080",
    "-s 192.0.2.13 -d 198.51.100.6 -p udp --sport 1013 --dport 80 \
     --src-nat 203.0.113.7:5000 --dst-nat 203.0.113.8:8081",
    "-s 2001:db8::1 -d 2001:db8:1::1 -p tcp --sport 1014 --dport 80 --state FIN_WAIT -m 8 \
     --label-add eth-out",
    "-s 2001:db8::2 -d 2001:db8:1::2 -p udp --sport 1015 --dport 53 -w 6 -u SEEN_REPLY,ASSURED",
    "-s 2001:db8::3 -d 2001:db8:1::3 -p icmpv6 --icmpv6-type 128 --icmpv6-code 0 --icmpv6-id 1016",
    "-s 2001:db8::4 -d 2001:db8:1::4 -p udp --sport 1017 --dport 53 --src-nat 2001:db8:2::5",
];

/// Makes the caller's namespace one for [`ENTRIES`], with names for labels for as
/// long as the result lives.
#[must_use]
pub(crate) fn prepare() -> TempDir {
    keep_details();
    name_labels()
}

/// Gives entries in the caller's namespace labels, counters and times.
pub(crate) fn keep_details() {
    sysctl::write("net.netfilter.nf_conntrack_acct", 1);
    sysctl::write("net.netfilter.nf_conntrack_timestamp", 1);
    // Entries have room for labels only where a rule is about labels.
    peer::nft(
        "table inet labels {
             chain unused {
                 ct label set 3
             }
         }",
    );
}

/// Gives the calling thread and its programs names for [`LABELS`], for as long as
/// the result lives.
#[must_use]
pub(crate) fn name_labels() -> TempDir {
    etc::private_mounts();
    etc::put(&[("xtables/connlabel.conf", LABELS)])
}

/// Adds [`ENTRIES`].
pub(crate) fn fill() {
    for entry in ENTRIES {
        peer::run(&format!("conntrack -I -t 600 {entry}"));
    }
}
