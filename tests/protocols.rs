//! Entries of every protocol: made, got back, found in a dump, deleted.

mod common;

use common::{flows, netns, ordinary_user};
use netfilter_conntrack::conntrack::{
    Icmp, ProtoInfo, SctpInfo, SctpState, TcpFlags, TcpInfo, TcpState,
};
use netfilter_conntrack::{Conntrack, Direction, Handle, L3Proto, L4Proto, Status, Tuple};

const FAMILIES: [(L3Proto, &str, &str); 2] = [
    (L3Proto::IPV4, "192.0.2.1", "198.51.100.1"),
    (L3Proto::IPV6, "2001:db8::1", "2001:db8:ffff::1"),
];

/// A tuple of the protocol in each family, with all else zero.
fn tuples(l4proto: L4Proto) -> [Tuple; 2] {
    FAMILIES.map(|(_, source, destination)| {
        let [source, destination] = [source, destination].map(|text| text.parse().unwrap());
        Tuple::new(source, destination, l4proto).unwrap()
    })
}

/// Makes the entry, and asserts that the kernel has the same. Returns what it has.
fn round_trip(entry: &Conntrack) -> Conntrack {
    let mut handle = flows::handle();
    handle
        .create(entry)
        .unwrap_or_else(|error| panic!("{error}: {entry:?}"));
    let found = handle.get(entry).unwrap();
    let tuple = entry.original().unwrap();
    assert_eq!(found.original(), Some(tuple));
    assert_eq!(found.reply(), entry.reply());
    assert_eq!(found.protoinfo(), entry.protoinfo());
    assert!(found.status().unwrap().contains(Status::CONFIRMED));
    let timeout = found.timeout().unwrap();
    assert!((flows::TIMEOUT - 60..=flows::TIMEOUT).contains(&timeout));

    assert_in_dump_of_its_family(&mut handle, &found);
    // The reply tuple names the same entry.
    let mut by_reply = Conntrack::new();
    by_reply.set_reply(found.reply().unwrap());
    assert_eq!(handle.get(&by_reply).unwrap().id(), found.id());

    handle.delete(&found).unwrap();
    assert_eq!(flows::errno(handle.get(entry)), libc::ENOENT);
    found
}

fn assert_in_dump_of_its_family(handle: &mut Handle, entry: &Conntrack) {
    let own = entry.original().unwrap().l3proto();
    for (family, ..) in FAMILIES {
        let dump = handle.dump(family).unwrap();
        let all: Vec<_> = dump.owned().map(Result::unwrap).collect();
        if family == own {
            let [listed] = &all[..] else {
                panic!("{all:?}");
            };
            assert_eq!(
                (listed.id(), listed.original()),
                (entry.id(), entry.original())
            );
            assert_eq!(listed.protoinfo(), entry.protoinfo());
        } else {
            assert!(all.is_empty(), "{all:?}");
        }
    }
}

#[test]
fn protocols_with_ports() {
    netns::run(|| {
        for l4proto in [L4Proto::UDP, L4Proto::UDPLITE] {
            for tuple in tuples(l4proto) {
                for (source, destination) in [(1, 65_535), (0x0102, 0x0304)] {
                    let entry = flows::flow(tuple.with_ports(source, destination));
                    let found = round_trip(&entry);
                    assert_eq!(
                        found.original().unwrap().ports(),
                        Some((source, destination))
                    );
                    assert_eq!(found.protoinfo(), None);
                }
            }
        }
    });
}

#[test]
fn tcp_in_each_state() {
    netns::run(|| {
        for tuple in tuples(L4Proto::TCP) {
            for state in TcpState::NONE.0..=TcpState::SYN_SENT2.0 {
                // Window scales are taken where both flags have bit 0.
                let info = TcpInfo {
                    state: Some(TcpState(state)),
                    wscale_original: Some(7),
                    wscale_reply: Some(14),
                    flags_original: Some(TcpFlags {
                        flags: 0x03,
                        mask: 0,
                    }),
                    flags_reply: Some(TcpFlags {
                        flags: 0x0b,
                        mask: 0,
                    }),
                };
                // The kernel changes the flags that the mask names.
                let all = |flags: Option<TcpFlags>| flags.map(|f| TcpFlags { mask: 0xff, ..f });
                let asked = TcpInfo {
                    flags_original: all(info.flags_original),
                    flags_reply: all(info.flags_reply),
                    ..info
                };
                let mut entry = flows::flow(tuple.with_ports(1000, 80));
                entry.set_protoinfo(ProtoInfo::Tcp(asked));
                let mut handle = flows::handle();
                handle.create(&entry).unwrap();
                let found = handle.get(&entry).unwrap();
                assert_eq!(found.protoinfo(), Some(ProtoInfo::Tcp(info)));
                handle.delete(&found).unwrap();
            }
        }
    });
}

#[test]
fn sctp_in_each_state() {
    netns::run(|| {
        for tuple in tuples(L4Proto::SCTP) {
            for state in SctpState::NONE.0..=SctpState::HEARTBEAT_SENT.0 {
                let info = SctpInfo {
                    state: Some(SctpState(state)),
                    vtag_original: Some(0x1122_3344),
                    vtag_reply: Some(0x5566_7788),
                };
                let mut entry = flows::flow(tuple.with_ports(1000, 80));
                entry.set_protoinfo(ProtoInfo::Sctp(info));
                round_trip(&entry);
            }
        }
    });
}

#[test]
fn icmp_of_each_kind_that_is_answered() {
    const KINDS: [(L4Proto, &[(u8, u8)]); 2] = [
        (L4Proto::ICMP, &[(8, 0), (13, 14), (15, 16), (17, 18)]),
        (L4Proto::ICMPV6, &[(128, 129), (139, 140)]),
    ];
    netns::run(|| {
        for ((l4proto, kinds), family) in KINDS.into_iter().zip(0..) {
            for &(kind, answer) in kinds {
                let icmp = Icmp {
                    kind,
                    code: 0,
                    id: 0x1234,
                };
                let entry = flows::flow(tuples(l4proto)[family].with_icmp(icmp));
                let found = round_trip(&entry);
                let [original, reply] = [found.original(), found.reply()];
                assert_eq!(original.unwrap().icmp(), Some(icmp));
                assert_eq!(
                    reply.unwrap().icmp(),
                    Some(Icmp {
                        kind: answer,
                        ..icmp
                    })
                );
            }
        }
    });
}

#[test]
fn gre_has_keys() {
    netns::run(|| {
        for tuple in tuples(L4Proto::GRE) {
            let entry = flows::flow(tuple.with_ports(5001, 6000));
            let found = round_trip(&entry);
            assert_eq!(found.original().unwrap().keys(), Some((5001, 6000)));
            assert_eq!(found.reply().unwrap().keys(), Some((6000, 5001)));
        }
    });
}

/// Protocols without a tracker of their own, whose flows differ by addresses
/// alone: what stands in the place of ports is not sent.
#[test]
fn other_protocols_by_number() {
    netns::run(|| {
        for number in [0, 2, 50, 51, 99, 254, 255] {
            for tuple in tuples(L4Proto(number)) {
                let found = round_trip(&flows::flow(tuple));
                let original = found.original().unwrap();
                assert_eq!(original.l4proto(), L4Proto(number));
                assert_eq!((original.ports(), original.icmp()), (None, None));
                assert_eq!(found.protoinfo(), None);
            }
        }
    });
}

/// A tracker's default state, and what differs by direction.
#[test]
fn parts_that_are_not_asked_for_have_defaults() {
    netns::run(|| {
        let mut handle = flows::handle();
        let tcp = flows::flow(tuples(L4Proto::TCP)[0].with_ports(1, 2));
        handle.create(&tcp).unwrap();
        let found = handle.get(&tcp).unwrap();
        let Some(ProtoInfo::Tcp(info)) = found.protoinfo() else {
            panic!("{found:?}");
        };
        assert_eq!(info.state, Some(TcpState::NONE));
        assert_eq!(found.mark(), Some(0));
        assert_eq!(
            (found.zone(), found.master(), found.helper()),
            (None, None, None)
        );
        assert_eq!(found.labels(), None);
        for direction in [Direction::Original, Direction::Reply] {
            assert_eq!(found.counters(direction), None);
            assert_eq!(found.seq_adjust(direction), None);
        }
        assert!(found.id().is_some() && found.use_count().is_some());
    });
}

#[test]
fn passes_for_an_ordinary_user() {
    ordinary_user::rerun_these_tests();
}
