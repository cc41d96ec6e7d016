//! `conntrack` where it only shows: lists, single entries, counts, statistics.

use super::common::{netns, peer};
use super::compare::on_one_table;
use super::table;

/// Asserts that `conntrack` shows the same with both libraries for each of these
/// arguments, and that it shows this many entries.
fn assert_shown(cases: &[(&str, usize)]) {
    netns::run(|| {
        let _labels = table::prepare();
        table::fill();
        for (arguments, count) in cases {
            let text = on_one_table(&format!("conntrack {arguments}"));
            let told = format!(" {count} flow entries have been shown");
            assert!(text.contains(&told), "not {count} entries: {text}");
        }
    });
}

const ALL: usize = table::ENTRIES.len();
const V6: usize = 4;
const V4: usize = ALL - V6;

#[test]
fn all_output_formats() {
    assert_shown(&[
        ("-L", ALL),
        ("-L -o extended", ALL),
        ("-L -o id", ALL),
        ("-L -o timestamp", ALL),
        ("-L -o ktimestamp", ALL),
        ("-L -o labels", ALL),
        ("-L -o xml", ALL),
        ("-L -o save", ALL),
        ("-L -o extended,id,timestamp,ktimestamp,labels", ALL),
        ("-L -o xml,extended,id,timestamp,ktimestamp,labels", ALL),
    ]);
}

#[test]
fn lists_by_family_and_protocol() {
    assert_shown(&[
        ("-L -f ipv4", V4),
        ("-L -f ipv6", V6),
        ("-L -p tcp", 6),
        ("-L -p 17 -f ipv4", 4),
        ("-L -p 99", 0),
        ("-L -p udp -f ipv6 -o extended", 2),
        ("-L -p icmp", 1),
        ("-L -p icmpv6 -f ipv6", 1),
        ("-L -p sctp -o extended", 1),
        ("-L -p gre", 1),
        ("-L -p 50", 1),
        ("-L -p tcp --dport 80", 5),
        ("-L -p tcp --sport 1003 -o xml", 1),
        ("-L -p tcp --reply-port-src 8080", 1),
        ("-L -p tcp --reply-port-dst 1003", 1),
        ("-L -p tcp --state ESTABLISHED", 1),
        ("-L -p tcp --state TIME_WAIT -o save", 1),
        ("-L -p tcp --state LISTEN", 0),
        ("-L -p icmp --icmp-type 8", 1),
        ("-L -p gre --srckey 0x11", 1),
    ]);
}

#[test]
fn lists_by_address_and_prefix() {
    assert_shown(&[
        ("-L -s 192.0.2.5", 2),
        ("-L -d 198.51.100.1 -o extended", 2),
        ("-L -s 192.0.2.5 -p udp --sport 1005", 1),
        ("-L -r 203.0.113.6", 1),
        ("-L -q 203.0.113.5", 1),
        ("-L -s 192.0.2.0/29", 8),
        ("-L -s 192.0.2.8/30 -o id", 4),
        ("-L -d 198.51.100.0/30", 6),
        ("-L -s 192.0.2.0 --mask-src 255.255.255.254", 1),
        ("-L -d 198.51.100.4 --mask-dst 255.255.255.254", 5),
        ("-L -s 203.0.113.0/24", 0),
        ("-L -f ipv6 -s 2001:db8::/64", V6),
        ("-L -f ipv6 -s 2001:db8::2/127 -o xml", 2),
        ("-L -f ipv6 -d 2001:db8:1::4", 1),
    ]);
}

#[test]
fn lists_by_mark_zone_status_label_and_nat() {
    assert_shown(&[
        ("-L -m 7", 1),
        ("-L -m 0x7/0xf", 2),
        ("-L -m 0xffffffff", 1),
        ("-L -m 0/0xff -o save", ALL - 4),
        ("-L -w 0", 16),
        ("-L -w 3", 1),
        ("-L -w 6 -f ipv6", 1),
        ("-L --orig-zone 4", 1),
        ("-L --reply-zone 5", 1),
        ("-L -u ASSURED", 3),
        ("-L -u SEEN_REPLY,ASSURED", 3),
        ("-L -u SEEN_REPLY", 4),
        ("-L -u FIXED_TIMEOUT", 1),
        ("-L -l eth-in -o labels", 1),
        ("-L -l eth-in,vpn -o labels", 1),
        ("-L -l last -o labels,xml", 1),
        ("-L -l vpn,last", 0),
        ("-L -n", 3),
        ("-L -g", 2),
        ("-L -j", 4),
        ("-L -n 203.0.113.5", 1),
        ("-L -n 203.0.113.99", 0),
        ("-L -g 203.0.113.8", 1),
        ("-L -j 203.0.113.6 -o extended", 1),
        ("-L -f ipv6 -n 2001:db8:2::5", 1),
    ]);
}

#[test]
fn the_tables_of_the_dying_and_the_unconfirmed() {
    assert_shown(&[("-L dying", 0), ("-L unconfirmed", 0)]);
}

#[test]
fn single_entries() {
    netns::run(|| {
        let _labels = table::prepare();
        table::fill();
        for arguments in [
            "-s 192.0.2.1 -d 198.51.100.1 -p tcp --sport 1001 --dport 80",
            "-s 192.0.2.1 -d 198.51.100.1 -p tcp --sport 1001 --dport 80 -o xml,id,labels",
            "-s 192.0.2.9 -d 198.51.100.5 -p udplite --sport 1009 --dport 1010 -o extended",
            "-s 192.0.2.6 -d 198.51.100.4 -p icmp --icmp-type 8 --icmp-code 0 --icmp-id 1007",
            "-s 192.0.2.7 -d 198.51.100.4 -p sctp --sport 1008 --dport 3868 -o save",
            "-s 192.0.2.8 -d 198.51.100.5 -p gre --srckey 0x11 --dstkey 0x22 -o ktimestamp",
            "-s 2001:db8::1 -d 2001:db8:1::1 -p tcp --sport 1014 --dport 80",
            "-s 2001:db8::3 -d 2001:db8:1::3 -p icmpv6 --icmpv6-type 128 \
             --icmpv6-code 0 --icmpv6-id 1016 -o id,extended",
        ] {
            let text = on_one_table(&format!("conntrack -G {arguments}"));
            assert!(text.contains(" 1 flow entries have been shown"), "{text}");
        }
        // Neither in this zone, nor at all.
        for arguments in [
            "-s 192.0.2.4 -d 198.51.100.3 -p udp --sport 1004 --dport 53",
            "-s 192.0.2.1 -d 198.51.100.1 -p udp --sport 1001 --dport 80",
        ] {
            let text = on_one_table(&format!("conntrack -G {arguments}"));
            assert!(text.contains("such conntrack doesn't exist"), "{text}");
        }
    });
}

#[test]
fn counts_and_statistics() {
    netns::run(|| {
        let _labels = table::prepare();
        table::fill();
        assert!(on_one_table("conntrack -C").contains(&format!("\n{ALL}\n")));
        assert!(on_one_table("conntrack -S").contains("insert_failed=0"));
        assert!(on_one_table("conntrack -S expect").contains("expect_new=0"));
        assert!(on_one_table("conntrack --version").contains("conntrack-tools"));
    });
}

#[test]
fn what_cannot_be_done() {
    netns::run(|| {
        let _labels = table::prepare();
        table::fill();
        for (arguments, error) in [
            ("-L -l no-such-label", "no-such-label"),
            ("-L -u UNSET", "invalid parameters"),
            ("-L -s nonsense", "nonsense"),
            ("-L -o nonsense", "nonsense"),
            ("-L -q 203.0.113.0/24", "CIDR notation unavailable"),
            (
                "-G -r 203.0.113.6 -q 192.0.2.12 -p tcp --reply-port-src 8080 --reply-port-dst 1012",
                "invalid parameters",
            ),
            ("-L no-such-table", "no-such-table"),
            ("-D -s 192.0.2.99", "0 flow entries have been deleted"),
        ] {
            let text = on_one_table(&format!("conntrack {arguments}"));
            assert!(text.contains(error), "{text}");
        }
    });
}

#[test]
fn entries_with_traffic() {
    netns::run(|| {
        let _labels = table::prepare();
        super::common::traffic::start_tracking();
        let local = [
            std::net::Ipv4Addr::LOCALHOST.into(),
            std::net::Ipv6Addr::LOCALHOST.into(),
        ];
        let _open = local.map(|address| {
            super::common::traffic::ping(address);
            (
                super::common::traffic::tcp(address),
                super::common::traffic::udp(address),
            )
        });
        assert_eq!(peer::run("conntrack -L").lines().count(), 6);
        for format in ["extended,id,ktimestamp", "xml,id,ktimestamp", "save"] {
            let text = on_one_table(&format!("conntrack -L -o {format}"));
            assert!(
                !text.contains("packets=0") && text.contains("::1"),
                "{text}"
            );
        }
    });
}
