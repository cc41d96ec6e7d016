//! Zones, of an entry and of one direction, and translations.

mod common;

use std::net::{IpAddr, SocketAddr};

use common::{flows, netns, ordinary_user};
use netfilter_conntrack::conntrack::{Counters, L4Layout};
use netfilter_conntrack::{Conntrack, Direction, Handle, L3Proto, L4Proto, Nat, Status, Tuple};

fn made(handle: &mut Handle, entry: &Conntrack) -> Conntrack {
    handle.create(entry).unwrap();
    handle.get(entry).unwrap()
}

#[test]
fn one_tuple_in_several_zones() {
    netns::run(|| {
        let mut handle = flows::handle();
        for entry in [flows::udp4(1), flows::udp6(1)] {
            let in_zone = |zone| {
                let mut entry = entry.clone();
                entry.set_zone(zone).set_mark(zone.into());
                entry
            };
            for zone in [0, 1, u16::MAX] {
                let found = made(&mut handle, &in_zone(zone));
                // The kernel does not send the zone 0.
                assert_eq!(found.zone(), Some(zone).filter(|zone| *zone != 0));
            }
            for zone in [0, 1, u16::MAX] {
                let found = handle.get(&in_zone(zone)).unwrap();
                assert_eq!(found.mark(), Some(zone.into()));
            }
            assert_eq!(flows::errno(handle.get(&in_zone(2))), libc::ENOENT);
            handle.delete(&in_zone(1)).unwrap();
            assert_eq!(flows::errno(handle.delete(&in_zone(1))), libc::ENOENT);
            let family = entry.original().unwrap().l3proto();
            let dump = handle.dump(family).unwrap().owned();
            let mut zones: Vec<_> = dump.map(|entry| entry.unwrap().zone()).collect();
            zones.sort();
            assert_eq!(zones, [None, Some(u16::MAX)]);
        }
    });
}

#[test]
fn a_zone_of_one_direction() {
    netns::run(|| {
        let mut handle = flows::handle();
        for plain in [flows::udp4(1), flows::udp6(1)] {
            let (original, reply) = (plain.original().unwrap(), plain.reply().unwrap());
            let mut of_original = plain.clone();
            of_original.set_original(original.with_zone(42));
            let found = made(&mut handle, &of_original);
            assert_eq!(found.original(), Some(original.with_zone(42)));
            assert_eq!((found.reply(), found.zone()), (Some(reply), None));
            // The reply direction is in no zone, where it would clash.
            assert_eq!(flows::errno(handle.create(&plain)), libc::EEXIST);
            handle.delete(&found).unwrap();

            let mut of_reply = plain.clone();
            of_reply.set_reply(reply.with_zone(43));
            let found = made(&mut handle, &of_reply);
            assert_eq!(found.reply(), Some(reply.with_zone(43)));
            assert_eq!((found.original(), found.zone()), (Some(original), None));
            let mut by_reply = Conntrack::new();
            by_reply.set_reply(reply.with_zone(43));
            assert_eq!(handle.get(&by_reply).unwrap().id(), found.id());
            by_reply.set_reply(reply);
            assert_eq!(flows::errno(handle.get(&by_reply)), libc::ENOENT);
            handle.delete(&found).unwrap();

            // Linux has one zone for one or both directions of an entry.
            let mut of_both = of_original.clone();
            of_both.set_reply(reply.with_zone(43));
            assert_eq!(flows::errno(handle.create(&of_both)), libc::EINVAL);
            of_original.set_zone(1);
            assert_eq!(flows::errno(handle.create(&of_original)), libc::EINVAL);
        }
    });
}

/// A flow with a translation asked for, before and after the kernel made it.
struct Translated {
    original: Tuple,
    found: Conntrack,
}

fn translate(l4proto: L4Proto, family: L3Proto, ask: impl Fn(&mut Conntrack)) -> Translated {
    let ends = match family {
        L3Proto::IPV4 => ["192.0.2.1:1000", "198.51.100.1:80"],
        _ => ["[2001:db8::1]:1000", "[2001:db8::2]:80"],
    };
    let [source, destination] = ends.map(|end| end.parse().unwrap());
    let original = Tuple::between(source, destination, l4proto).unwrap();
    let mut entry = flows::flow(original);
    ask(&mut entry);
    let mut handle = flows::handle();
    let found = made(&mut handle, &entry);
    // The original tuple is what the first packet carries, whatever becomes of it.
    assert_eq!(found.original(), Some(original));
    handle.delete(&found).unwrap();
    Translated { original, found }
}

const RANGES: [(L3Proto, &str, &str); 2] = [
    (L3Proto::IPV4, "203.0.113.5", "203.0.113.8"),
    (L3Proto::IPV6, "2001:db8:9::5", "2001:db8:9::8"),
];

fn range(lowest: &str, highest: &str) -> Nat {
    let addresses = (lowest.parse().unwrap(), highest.parse().unwrap());
    Nat {
        addresses: Some(addresses),
        ports: None,
    }
}

fn end(address: IpAddr, port: Option<(u16, u16)>, is_source: bool) -> SocketAddr {
    let (source, destination) = port.unwrap();
    SocketAddr::new(address, if is_source { source } else { destination })
}

#[test]
fn sources_are_translated_into_ranges_of_addresses_and_ports() {
    netns::run(|| {
        for (family, lowest, highest) in RANGES {
            for l4proto in [L4Proto::TCP, L4Proto::UDP] {
                let nat = range(lowest, highest).with_ports(5000, 5001);
                let Translated { original, found } = translate(l4proto, family, |entry| {
                    entry.set_snat(nat).unwrap();
                });
                let reply = found.reply().unwrap();
                assert_eq!(reply.source(), original.destination());
                let to = end(reply.destination(), reply.ports(), false);
                let (min, max) = nat.addresses.unwrap();
                assert!((min..=max).contains(&to.ip()), "{to}");
                assert!((5000..=5001).contains(&to.port()), "{to}");
                assert!(found.is_snat() && found.is_spat());
                assert!(!found.is_dnat() && !found.is_dpat());
                let status = found.status().unwrap();
                assert!(status.contains(Status::SRC_NAT | Status::SRC_NAT_DONE));
                assert!(!status.contains(Status::DST_NAT));
            }
        }
    });
}

#[test]
fn destinations_are_translated() {
    netns::run(|| {
        for (family, lowest, _) in RANGES {
            let nat = Nat::to_address(lowest.parse().unwrap()).with_ports(8080, 8080);
            let Translated { original, found } = translate(L4Proto::TCP, family, |entry| {
                entry.set_dnat(nat).unwrap();
            });
            let reply = found.reply().unwrap();
            let from = end(reply.source(), reply.ports(), true);
            assert_eq!(from, SocketAddr::new(lowest.parse().unwrap(), 8080));
            assert_eq!(reply.destination(), original.source());
            assert!(found.is_dnat() && found.is_dpat());
            assert!(!found.is_snat() && !found.is_spat());
        }
    });
}

#[test]
fn both_ends_are_translated() {
    netns::run(|| {
        for (family, lowest, highest) in RANGES {
            let Translated { found, .. } = translate(L4Proto::UDP, family, |entry| {
                entry
                    .set_snat(Nat::to_address(lowest.parse().unwrap()))
                    .unwrap();
                entry
                    .set_dnat(Nat::to_address(highest.parse().unwrap()))
                    .unwrap();
            });
            let reply = found.reply().unwrap();
            assert_eq!(reply.destination().to_string(), lowest);
            assert_eq!(reply.source().to_string(), highest);
            assert_eq!(reply.ports(), Some((80, 1000)));
            assert!(
                found
                    .status()
                    .unwrap()
                    .contains(Status::NAT | Status::NAT_DONE)
            );
        }
    });
}

/// A port alone, and an address for a protocol without ports.
#[test]
fn parts_of_translations() {
    netns::run(|| {
        for (family, lowest, _) in RANGES {
            let only_port = Nat {
                addresses: None,
                ports: Some((7777, 7777)),
            };
            let Translated { original, found } = translate(L4Proto::TCP, family, |entry| {
                entry.set_snat(only_port).unwrap();
            });
            let reply = found.reply().unwrap();
            assert_eq!(reply.destination(), original.source());
            assert_eq!(reply.ports(), Some((80, 7777)));

            const ESP: L4Proto = L4Proto(50);
            assert_eq!(ESP.layout(), L4Layout::Nothing);
            let mut handle = flows::handle();
            let tuple = Tuple::new(original.source(), original.destination(), ESP).unwrap();
            let mut entry = flows::flow(tuple);
            entry
                .set_snat(Nat::to_address(lowest.parse().unwrap()))
                .unwrap();
            let found = made(&mut handle, &entry);
            assert_eq!(found.reply().unwrap().destination().to_string(), lowest);
            assert_eq!(found.counters(Direction::Original), None::<Counters>);
        }
    });
}

#[test]
fn passes_for_an_ordinary_user() {
    ordinary_user::rerun_these_tests();
}
