//! Translated flows: by real rules and real traffic, and as asked for when an
//! entry is made.

mod common;

use std::io::{Read, Write};
use std::net::{IpAddr, SocketAddr, TcpListener};

use common::{netns, ordinary_user, peer, traffic};
use netfilter_conntrack::conntrack::{ProtoInfo, TcpInfo, TcpState};
use netfilter_conntrack::{Conntrack, Groups, Handle, Nat, Status, Tuple};

/// The client, where it connects to, where the server really is, and the address
/// that the server sees the client at.
fn parties(v6: bool) -> (IpAddr, SocketAddr, SocketAddr, IpAddr) {
    let parse = |text: &str| text.parse().unwrap();
    let place = |text: &str| text.parse().unwrap();
    match v6 {
        true => (
            parse("2001:db8::1"),
            place("[2001:db8::2]:8081"),
            place("[2001:db8::9]:8080"),
            parse("2001:db8::7"),
        ),
        false => (
            parse("192.0.2.1"),
            place("198.51.100.2:8081"),
            place("192.0.2.9:8080"),
            parse("203.0.113.7"),
        ),
    }
}

fn translate() {
    for v6 in [false, true] {
        let (client, to, server, seen) = parties(v6);
        for address in [client, to.ip(), server.ip(), seen] {
            let flags = if v6 {
                "/128 dev lo nodad"
            } else {
                "/32 dev lo"
            };
            peer::run(&format!("ip addr add {address}{flags}"));
        }
        let family = if v6 { "ip6" } else { "ip" };
        let place = |place: SocketAddr| match place {
            SocketAddr::V4(_) => place.to_string(),
            SocketAddr::V6(_) => format!("[{}]:{}", place.ip(), place.port()),
        };
        peer::nft(&format!(
            "table {family} translation {{
                 chain destination {{
                     type nat hook output priority -100; policy accept;
                     {family} daddr {} tcp dport {} dnat to {}
                 }}
                 chain source {{
                     type nat hook postrouting priority srcnat; policy accept;
                     {family} saddr {client} tcp dport {} snat to {}
                 }}
             }}",
            to.ip(),
            to.port(),
            place(server),
            server.port(),
            place((seen, 40_000).into()),
        ));
    }
}

#[test]
fn both_tuples_of_a_translated_flow() {
    netns::run(|| {
        translate();
        for v6 in [false, true] {
            let (client, to, server, seen) = parties(v6);
            let listener = TcpListener::bind(server).unwrap();
            let mut near = traffic::connect((client, 30_000).into(), to);
            let (mut far, from) = listener.accept().unwrap();
            assert_eq!(from, (seen, 40_000).into(), "the rules are at work");
            near.write_all(b"?").unwrap();
            far.read_exact(&mut [0]).unwrap();

            let original = Tuple::tcp((client, 30_000).into(), to).unwrap();
            let mut handle = Handle::open(Groups::empty()).unwrap();
            let found = handle.get(&Conntrack::flow(original)).unwrap();
            assert_eq!(found.original(), Some(original));
            let reply = Tuple::tcp(server, (seen, 40_000).into()).unwrap();
            assert_eq!(found.reply(), Some(reply));
            let status = found.status().unwrap();
            assert!(
                status.contains(Status::NAT | Status::NAT_DONE),
                "{status:?}"
            );
            assert!(found.is_snat() && found.is_dnat() && found.is_spat() && found.is_dpat());

            // Undone, it says how to make it again elsewhere.
            let mut again = found.clone();
            again.undo_snat();
            again.undo_dnat();
            again.undo_spat();
            again.undo_dpat();
            assert_eq!(again.reply(), Some(original.inverted()));
            let to_server = Nat::to_address(server.ip()).with_ports(server.port(), server.port());
            let to_seen = Nat::to_address(seen).with_ports(40_000, 40_000);
            assert_eq!(
                (again.snat(), again.dnat()),
                (Some(to_seen), Some(to_server))
            );
            netns::run(|| made_again(&again, reply));
        }
    });
}

/// Makes an entry in an empty table and finds it there with this reply tuple.
fn made_again(entry: &Conntrack, reply: Tuple) {
    let mut wanted = Conntrack::flow(entry.original().unwrap());
    wanted
        .set_timeout(600)
        .set_snat(entry.snat().unwrap())
        .unwrap();
    wanted.set_dnat(entry.dnat().unwrap()).unwrap();
    let state = Some(TcpState::ESTABLISHED);
    wanted.set_protoinfo(ProtoInfo::Tcp(TcpInfo {
        state,
        ..TcpInfo::default()
    }));
    let mut handle = Handle::open(Groups::empty()).unwrap();
    handle.create(&wanted).unwrap();
    let made = handle.get(&wanted).unwrap();
    assert_eq!(
        (made.original(), made.reply()),
        (wanted.original(), Some(reply))
    );
    assert!(made.is_snat() && made.is_dnat() && made.is_spat() && made.is_dpat());
}

#[test]
fn ranges_reach_the_kernel() {
    netns::run(|| {
        let mut handle = Handle::open(Groups::empty()).unwrap();
        let address = |last| IpAddr::from([203, 0, 113, last]);
        let range = Nat {
            addresses: Some((address(7), address(8))),
            ports: Some((5000, 5063)),
        };
        let mut seen = Vec::new();
        // The kernel chooses the address by that of the source.
        for client in 1..=32 {
            let source = ([192, 0, 2, client], 1).into();
            let tuple = Tuple::tcp(source, ([198, 51, 100, 2], 80).into()).unwrap();
            let mut entry = Conntrack::flow(tuple);
            entry.set_timeout(600).set_snat(range).unwrap();
            handle.create(&entry).unwrap();
            let reply = handle.get(&entry).unwrap().reply().unwrap();
            let (_, port) = reply.ports().unwrap();
            assert!((5000..=5063).contains(&port), "{reply}");
            seen.push((reply.destination(), port));
        }
        let all_of = |last| seen.iter().filter(|(own, _)| *own == address(last)).count();
        assert!(all_of(7) > 0 && all_of(8) > 0, "{seen:?}");
        assert_eq!(all_of(7) + all_of(8), seen.len(), "{seen:?}");
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), 32, "each has its own port");
    });
}

#[test]
fn passes_for_an_ordinary_user() {
    ordinary_user::rerun_these_tests();
}
