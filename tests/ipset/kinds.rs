//! Every set type with every option and entries of every shape: what the other
//! tests create, fill, list and compare.

use std::net::{Ipv4Addr, Ipv6Addr};

use netfilter_conntrack::L4Proto;
use netfilter_conntrack::ipset::{Entry, Interface, MacAddr, Ports, Set, SetType};
use netfilter_conntrack::nfnetlink::L3Proto;

use crate::name;

/// A set with what goes into it.
pub(crate) struct Kind {
    pub(crate) set: Set,
    /// Entries that the kernel stores as they are given, in any order.
    pub(crate) entries: Vec<Entry>,
    /// An entry that is not in the set.
    pub(crate) absent: Entry,
}

fn v4(last: u8) -> Ipv4Addr {
    Ipv4Addr::new(10, 0, 0, last)
}

fn v6(last: u16) -> Ipv6Addr {
    Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, last)
}

fn net4(third: u8) -> (Ipv4Addr, u8) {
    (Ipv4Addr::new(10, 0, third, 0), 24)
}

fn net6(third: u16) -> (Ipv6Addr, u8) {
    (Ipv6Addr::new(0x2001, 0xdb8, third, 0, 0, 0, 0, 0), 48)
}

fn kind(set_type: SetType, entries: Vec<Entry>, absent: Entry) -> Kind {
    Kind {
        set: Set::new("plain", set_type).unwrap(),
        entries,
        absent,
    }
}

/// A kind with IPv6 addresses.
fn kind6(set_type: SetType, entries: Vec<Entry>, absent: Entry) -> Kind {
    let mut kind = kind(set_type, entries, absent);
    kind.set = kind.set.with_family(L3Proto::IPV6);
    kind
}

/// All types that Debian's kernel has as modules or built in, in both families.
pub(crate) fn plain() -> Vec<Kind> {
    let mut kinds = bitmaps();
    kinds.extend(addresses());
    kinds.extend(networks());
    kinds
}

fn bitmaps() -> Vec<Kind> {
    let mac = MacAddr([2, 0, 0, 0, 0xab, 1]);
    let mut ip = kind(
        SetType::BITMAP_IP,
        vec![Entry::address(v4(0)), Entry::address(v4(255))],
        Entry::address(v4(1)),
    );
    ip.set = ip.set.with_range(v4(0)..=v4(255));
    let mut netmask = kind(
        SetType::BITMAP_IP,
        vec![Entry::address(v4(4)), Entry::address(v4(8))],
        Entry::address(v4(16)),
    );
    netmask.set = netmask.set.with_range(v4(0)..=v4(255)).with_netmask(30);
    let mut ip_mac = kind(
        SetType::BITMAP_IP_MAC,
        vec![Entry::address(v4(1)).with_mac(mac), Entry::address(v4(2))],
        Entry::address(v4(3)).with_mac(mac),
    );
    ip_mac.set = ip_mac.set.with_range(v4(0)..=v4(15));
    let mut port = kind(
        SetType::BITMAP_PORT,
        vec![Entry::ports(80), Entry::ports(443)],
        Entry::ports(81),
    );
    port.set = port.set.with_ports(0, 1023);
    vec![ip, netmask, ip_mac, port]
}

fn addresses() -> Vec<Kind> {
    let ports = [
        Ports::tcp(80),
        Ports::udp(53),
        Ports::of(L4Proto::SCTP, 99),
        Ports::of(L4Proto::UDPLITE, 1),
        Ports::of(L4Proto(200), 0),
    ];
    let with_ports = |entry: Entry| ports.map(|ports| entry.clone().with_ports(ports)).to_vec();
    let icmp = Entry::address(v4(1)).with_ports(Ports::icmp(3, 77));
    let icmpv6 = Entry::address(v6(1)).with_ports(Ports::icmpv6(3, 77));
    let mut bitmask = kind(
        SetType::HASH_IP,
        vec![Entry::address(Ipv4Addr::new(10, 0, 7, 0))],
        Entry::address(Ipv4Addr::new(10, 0, 8, 0)),
    );
    bitmask.set = bitmask.set.with_bitmask(Ipv4Addr::new(255, 0, 255, 0));
    let mut netmask = kind6(
        SetType::HASH_IP,
        vec![Entry::address(v6(0))],
        Entry::address(net6(7).0),
    );
    netmask.set = netmask.set.with_netmask(64);
    vec![
        bitmask,
        netmask,
        kind(
            SetType::HASH_IP,
            vec![Entry::address(v4(1)), Entry::address(v4(2))],
            Entry::address(v4(3)),
        ),
        kind6(
            SetType::HASH_IP,
            vec![Entry::address(v6(1)), Entry::address(v6(2))],
            Entry::address(v6(3)),
        ),
        kind(
            SetType::HASH_IP_PORT,
            [with_ports(Entry::address(v4(1))), vec![icmp]].concat(),
            Entry::address(v4(1)).with_ports(Ports::udp(80)),
        ),
        kind6(
            SetType::HASH_IP_PORT,
            [with_ports(Entry::address(v6(1))), vec![icmpv6]].concat(),
            Entry::address(v6(1)).with_ports(Ports::udp(80)),
        ),
        kind(
            SetType::HASH_IP_PORT_IP,
            with_ports(Entry::address(v4(1)).with_address2(v4(9))),
            Entry::address(v4(1))
                .with_ports(Ports::tcp(80))
                .with_address2(v4(8)),
        ),
        kind6(
            SetType::HASH_IP_PORT_IP,
            with_ports(Entry::address(v6(1)).with_address2(v6(9))),
            Entry::address(v6(1))
                .with_ports(Ports::tcp(80))
                .with_address2(v6(8)),
        ),
        kind(
            SetType::HASH_IP_PORT_NET,
            with_ports(Entry::address(v4(1)).with_address2(net4(9))),
            Entry::address(v4(1))
                .with_ports(Ports::tcp(80))
                .with_address2(v4(9)),
        ),
        kind6(
            SetType::HASH_IP_PORT_NET,
            with_ports(Entry::address(v6(1)).with_address2(net6(9))),
            Entry::address(v6(1))
                .with_ports(Ports::tcp(80))
                .with_address2(v6(9)),
        ),
    ]
}

fn networks() -> Vec<Kind> {
    let eth0 = Interface::from(name("eth0"));
    let physdev = Interface {
        physdev: true,
        ..eth0
    };
    let wildcard = Interface {
        wildcard: true,
        ..Interface::from(name("eth"))
    };
    vec![
        kind(
            SetType::HASH_NET,
            vec![
                Entry::address(net4(1)),
                Entry::address(net4(2)).with_nomatch(),
                Entry::address(v4(200)),
            ],
            Entry::address(net4(3)),
        ),
        kind6(
            SetType::HASH_NET,
            vec![
                Entry::address(net6(1)),
                Entry::address(net6(2)).with_nomatch(),
                Entry::address(v6(200)),
            ],
            Entry::address(net6(3)),
        ),
        kind(
            SetType::HASH_NET_PORT,
            vec![
                Entry::address(net4(1)).with_ports(Ports::tcp(80)),
                Entry::address(net4(1))
                    .with_ports(Ports::udp(80))
                    .with_nomatch(),
            ],
            Entry::address(net4(1)).with_ports(Ports::tcp(81)),
        ),
        kind6(
            SetType::HASH_NET_PORT,
            vec![
                Entry::address(net6(1)).with_ports(Ports::tcp(80)),
                Entry::address(net6(1))
                    .with_ports(Ports::udp(80))
                    .with_nomatch(),
            ],
            Entry::address(net6(1)).with_ports(Ports::tcp(81)),
        ),
        kind(
            SetType::HASH_NET_IFACE,
            vec![
                Entry::address(net4(1)).with_interface(eth0),
                Entry::address(net4(2)).with_interface(physdev),
                Entry::address(net4(3)).with_interface(wildcard),
                Entry::address((Ipv4Addr::UNSPECIFIED, 0))
                    .with_interface(eth0)
                    .with_nomatch(),
            ],
            Entry::address(net4(1)).with_interface(name("eth1")),
        ),
        kind6(
            SetType::HASH_NET_IFACE,
            vec![
                Entry::address(net6(1)).with_interface(eth0),
                Entry::address((Ipv6Addr::UNSPECIFIED, 0)).with_interface(physdev),
            ],
            Entry::address(net6(1)).with_interface(name("eth1")),
        ),
    ]
}

/// A kind's set under another name with all extensions, and its entries with
/// values for them.
pub(crate) fn extended(kind: &Kind) -> Kind {
    let mut set = kind
        .set
        .clone()
        .with_timeout(1000)
        .with_counters()
        .with_comment()
        .with_skbinfo();
    set.name = name("extended");
    let extend = |(nth, entry): (usize, &Entry)| {
        let entry = entry.clone().with_counters(1 + nth as u64, u64::MAX - 1);
        match nth {
            // Without the optional ones, which the kernel then does not list.
            0 => entry.with_timeout(0),
            // A full mask is not printed.
            1 => entry
                .with_timeout(0)
                .with_comment("of the admin's")
                .with_skbmark(0x1234, u32::MAX),
            _ => entry
                .with_timeout(0)
                .with_comment(vec![b'x'; 255])
                .with_skbmark(0x1f, 0xff)
                .with_skbprio(1, 0x10)
                .with_skbqueue(3),
        }
    };
    Kind {
        set,
        entries: kind.entries.iter().enumerate().map(extend).collect(),
        absent: kind.absent.clone(),
    }
}
