//! The example that watches new flows and bans their sources with an IP set.

#[path = "../examples/guard.rs"]
#[allow(dead_code)]
mod guard;

mod common;

use std::net::{IpAddr, Ipv6Addr, UdpSocket};
use std::time::{Duration, Instant};

use common::{netns, peer, traffic, wait};
use guard::Guard;
use netfilter_conntrack::ipset::{Entry, Session};

#[test]
fn the_demonstration_succeeds() {
    netns::run(|| guard::demo().map_err(|error| error.to_string())).unwrap();
}

#[test]
fn flows_are_forgotten_after_the_window() {
    netns::run(|| {
        let mut guard = Guard::new(2, Duration::from_secs(10), 60).unwrap();
        let start = Instant::now();
        let mut count = |source: u8, seconds| {
            let now = start + Duration::from_secs(seconds);
            guard.count(IpAddr::from([192, 0, 2, source]), now)
        };
        // Never three in ten seconds.
        for seconds in [0, 9, 10, 19, 20, 29, 100] {
            assert!(!count(1, seconds), "{seconds}");
        }
        // Three, but not of the same source.
        assert!(!count(2, 101) && !count(1, 102));
        assert!(count(1, 109));
        // Banned, it starts anew.
        assert!(!count(1, 109) && !count(1, 109) && count(1, 118));
    });
}

#[test]
fn bans_end() {
    netns::run(|| {
        let _guard = Guard::new(2, Duration::from_secs(10), 600).unwrap();
        let mut sets = Session::open().unwrap();
        assert_eq!(sets.info("guard").unwrap().set.timeout, Some(600));
        assert_eq!(sets.info("guard6").unwrap().set.timeout, Some(600));
    });
}

#[test]
fn ipv6_sources_have_a_set_of_their_own() {
    netns::run(|| {
        traffic::start_tracking();
        peer::run("ip address add 2001:db8::1/128 dev lo");
        // The kernel takes a moment until it takes packets to the address.
        wait::until("the address", || {
            let routes = peer::run("ip -6 route show table local");
            routes.contains("local 2001:db8::1 ").then_some(())
        });
        let source: Ipv6Addr = "2001:db8::1".parse().unwrap();
        let mut guard = Guard::new(0, Duration::from_secs(9), 60).unwrap();
        let client = UdpSocket::bind((source, 0)).unwrap();
        client.send_to(b"hello", (source, 9)).unwrap();
        let banned = guard.watch(Some(Duration::from_secs(5))).unwrap();
        assert_eq!(banned, [IpAddr::from(source)]);
        let mut sets = Session::open().unwrap();
        assert!(sets.test("guard6", &Entry::address(source)).unwrap());
        assert!(sets.entries("guard").unwrap().is_empty());
    });
}

#[test]
fn passes_for_an_ordinary_user() {
    common::ordinary_user::rerun_these_tests();
}
