//! Every set type: created, filled, tested, listed, saved, swapped, renamed,
//! flushed and destroyed, and compared with the `ipset` program both ways.

use netfilter_conntrack::ipset::{Entry, Item, Place, Session, Set, SetType};

use crate::common::{netns, peer};
use crate::kinds::{self, Kind};
use crate::{name, saved, session};

/// Runs `test` with each kind of set, plain and with all extensions, in a
/// namespace of its own.
fn with_all(test: impl Fn(&Kind) + Sync) {
    for plain in kinds::plain() {
        for kind in [kinds::extended(&plain), plain] {
            println!("{}", kind.set);
            netns::run(|| test(&kind));
        }
    }
}

fn fill(session: &mut Session, kind: &Kind) {
    session.create(&kind.set).expect("create");
    for entry in &kind.entries {
        session.add(kind.set.name, entry).expect("add");
    }
}

fn sorted(mut lines: Vec<String>) -> Vec<String> {
    lines.sort();
    lines
}

/// What `ipset save` prints, but for two things: it does not print forceadd,
/// and has names for ICMP types and codes.
fn saved_by_peer() -> Vec<String> {
    let text = peer::run("ipset save").replace("ipv6-icmp:", "icmpv6:");
    sorted(text.lines().map(str::to_owned).collect())
}

#[test]
fn entries_come_back_as_they_were_given() {
    with_all(|kind| {
        let mut session = session();
        fill(&mut session, kind);
        let mut listed = session.entries(kind.set.name).unwrap();
        assert_eq!(listed.len(), kind.entries.len(), "{listed:#?}");
        for entry in &kind.entries {
            let at = listed.iter().position(|other| other == entry);
            let at = at.unwrap_or_else(|| panic!("{entry:?} is not in {listed:#?}"));
            listed.swap_remove(at);
        }
    });
}

#[test]
fn sets_come_back_as_they_were_given() {
    with_all(|kind| {
        let mut session = session();
        fill(&mut session, kind);
        let info = session.info(kind.set.name).unwrap();
        assert_eq!(info.elements, Some(kind.entries.len() as u32));
        assert!(info.memory > 0 && info.references == 0 && info.index == Some(0));
        let set = info.set;
        let given = &kind.set;
        assert_eq!(
            (set.name, set.set_type, set.family, set.flags),
            (given.name, given.set_type, given.family, given.flags)
        );
        assert_eq!(
            (set.range, set.ports, set.netmask, set.bitmask, set.timeout),
            (
                given.range,
                given.ports,
                given.netmask,
                given.bitmask,
                given.timeout
            )
        );
        let hash = set.set_type.to_string().starts_with("hash:");
        assert_eq!(set.hashsize.is_some() && set.initval.is_some(), hash);
        // What the kernel says of a set creates the same set once more.
        session.destroy(given.name).unwrap();
        session.create(&set).unwrap();
        assert_eq!(session.info(given.name).unwrap().set, set);
    });
}

#[test]
fn entries_are_found_and_others_are_not() {
    with_all(|kind| {
        let mut session = session();
        fill(&mut session, kind);
        for entry in &kind.entries {
            assert!(session.test(kind.set.name, entry).unwrap(), "{entry}");
        }
        assert!(!session.test(kind.set.name, &kind.absent).unwrap());
        for entry in &kind.entries {
            session.delete(kind.set.name, entry).unwrap();
            assert!(!session.test(kind.set.name, entry).unwrap(), "{entry}");
        }
        assert_eq!(session.entries(kind.set.name).unwrap(), []);
    });
}

#[test]
fn the_ipset_program_prints_what_we_print() {
    with_all(|kind| {
        let mut session = session();
        fill(&mut session, kind);
        assert_eq!(sorted(saved(&mut session)), saved_by_peer());
    });
}

#[test]
fn ipset_restore_reads_what_we_save() {
    with_all(|kind| {
        let mut session = session();
        fill(&mut session, kind);
        let ours = saved(&mut session);
        session.destroy_all().unwrap();
        peer::run_with_input("ipset restore", &(ours.join("\n") + "\n"));
        assert_eq!(sorted(saved(&mut session)), sorted(ours));
    });
}

#[test]
fn we_read_what_the_ipset_program_writes() {
    with_all(|kind| {
        // Everything in words, none of it through our encoder.
        let mut script = format!("create {}\n", kind.set);
        for entry in &kind.entries {
            script += &format!("add {} {entry}\n", kind.set.name);
        }
        peer::run_with_input("ipset restore", &script);
        let mut session = session();
        let listed = session.entries(kind.set.name).unwrap();
        assert_eq!(listed.len(), kind.entries.len());
        for entry in &kind.entries {
            assert!(listed.contains(entry), "{entry:?} is not in {listed:#?}");
        }
        let info = session.info(kind.set.name).unwrap();
        assert_eq!(
            (info.set.set_type, info.set.family, info.set.flags),
            (kind.set.set_type, kind.set.family, kind.set.flags)
        );
    });
}

#[test]
fn sets_are_swapped_renamed_flushed_and_destroyed() {
    with_all(|kind| {
        let mut session = session();
        let mut spare = kind.set.clone();
        spare.name = name("spare");
        fill(&mut session, kind);
        session.create(&spare).unwrap();

        session.swap(kind.set.name, "spare").unwrap();
        assert_eq!(session.entries(kind.set.name).unwrap(), []);
        assert_eq!(session.entries("spare").unwrap().len(), kind.entries.len());

        session.rename("spare", "moved").unwrap();
        assert_eq!(session.names().unwrap(), [kind.set.name, name("moved")]);
        assert_eq!(session.header("moved").unwrap().set_type, kind.set.set_type);

        session.flush("moved").unwrap();
        assert_eq!(session.entries("moved").unwrap(), []);
        session.destroy("moved").unwrap();
        session.destroy(kind.set.name).unwrap();
        assert!(session.names().unwrap().is_empty());
    });
}

#[test]
fn lists_hold_sets_in_order() {
    netns::run(|| {
        let mut session = session();
        for set in ["a", "b", "c"] {
            session
                .create(&Set::new(set, SetType::HASH_IP).unwrap())
                .unwrap();
        }
        let list = Set::new("all", SetType::LIST_SET).unwrap();
        let list = list.with_size(16).with_comment().with_timeout(0);
        session.create(&list).unwrap();
        session.add("all", &Entry::set(name("c"))).unwrap();
        let before = Entry::set(name("a")).with_place(Place::Before(name("c")));
        session.add("all", &before.with_comment("first")).unwrap();
        let after = Entry::set(name("b")).with_place(Place::After(name("a")));
        session.add("all", &after).unwrap();

        let entries = session.entries("all").unwrap();
        let names: Vec<_> = entries.iter().map(|entry| entry.set.unwrap()).collect();
        assert_eq!(names, ["a", "b", "c"]);
        assert_eq!(entries[0].comment.as_deref(), Some(&b"first"[..]));
        assert_eq!(session.info("a").unwrap().references, 1);
        assert_eq!(session.info("all").unwrap().set.size, Some(16));
        let in_order = Entry::set(name("b")).with_place(Place::Before(name("c")));
        assert!(session.test("all", &in_order).unwrap());
        let out_of_order = Entry::set(name("b")).with_place(Place::Before(name("a")));
        assert!(!session.test("all", &out_of_order).unwrap());

        // A saved list comes behind the sets it refers to.
        let ours = saved(&mut session);
        assert_eq!(ours, peer::run("ipset save").lines().collect::<Vec<_>>());
        assert!(ours.iter().position(|line| line.starts_with("create all")) > Some(2));
        session.destroy_all().unwrap_err();
        session.destroy("all").unwrap();
        session.destroy_all().unwrap();
        peer::run_with_input("ipset restore", &(ours.join("\n") + "\n"));
        assert_eq!(saved(&mut session), ours);

        session.delete("all", &Entry::set(name("b"))).unwrap();
        assert!(!session.test("all", &Entry::set(name("b"))).unwrap());
        session.flush("all").unwrap();
        assert_eq!(session.info("a").unwrap().references, 0);
    });
}

#[test]
fn ranges_and_networks_stand_for_their_addresses() {
    use netfilter_conntrack::ipset::{Addresses, Ports};
    use std::net::Ipv4Addr;
    let ip = |last| Ipv4Addr::new(10, 0, 0, last);
    netns::run(|| {
        let mut session = session();
        session
            .create(&Set::new("ip", SetType::HASH_IP).unwrap())
            .unwrap();
        session.add("ip", &Entry::address(ip(1)..=ip(9))).unwrap();
        session.add("ip", &Entry::address((ip(16), 28))).unwrap();
        assert_eq!(session.entries("ip").unwrap().len(), 9 + 16);
        session
            .delete("ip", &Entry::address(ip(5)..=ip(20)))
            .unwrap_err();
        session
            .delete_if_present("ip", &Entry::address(ip(5)..=ip(20)))
            .unwrap();
        assert_eq!(session.entries("ip").unwrap().len(), 4 + 11);

        session
            .create(&Set::new("net", SetType::HASH_NET).unwrap())
            .unwrap();
        session
            .add("net", &Entry::address(ip(0)..=ip(128)))
            .unwrap();
        let mut nets: Vec<_> = session.entries("net").unwrap();
        nets.sort_by_key(|entry| entry.address.map(|address| address.first()));
        let nets: Vec<_> = nets
            .into_iter()
            .map(|entry| entry.address.unwrap())
            .collect();
        assert_eq!(
            nets,
            [Addresses::from((ip(0), 25)), Addresses::from(ip(128))]
        );

        let set = Set::new("port", SetType::HASH_IP_PORT).unwrap();
        session.create(&set).unwrap();
        let ports = Entry::address(ip(1)..=ip(2)).with_ports(Ports::udp(5000).up_to(5009));
        session.add("port", &ports).unwrap();
        assert_eq!(session.entries("port").unwrap().len(), 20);

        let set = Set::new("bits", SetType::BITMAP_PORT)
            .unwrap()
            .with_ports(0, 99);
        session.create(&set).unwrap();
        let ports = Ports::from(10).up_to(19);
        session.add("bits", &Entry::ports(ports)).unwrap();
        assert_eq!(session.entries("bits").unwrap().len(), 10);
    });
}

#[test]
fn create_options_reach_the_kernel() {
    netns::run(|| {
        let mut session = session();
        let set = Set::new("tuned", SetType::HASH_NET).unwrap();
        let set = set
            .with_hashsize(100)
            .with_maxelem(2000)
            .with_bucketsize(4)
            .with_initval(0x1234_5678)
            .with_forceadd();
        session.create(&set).unwrap();
        let made = session.info("tuned").unwrap().set;
        // Rounded up to a power of two.
        assert_eq!(made.hashsize, Some(128));
        assert_eq!(
            (made.maxelem, made.bucketsize),
            (set.maxelem, set.bucketsize)
        );
        assert_eq!((made.initval, made.flags), (set.initval, set.flags));
        let mut list = session.list("tuned").unwrap();
        let Some(Item::Set(_)) = list.next_item().unwrap() else {
            panic!("a set first");
        };
        drop(list);
        let text = peer::run("ipset list -t tuned");
        let line = "hashsize 128 maxelem 2000 bucketsize 4 initval 0x12345678";
        assert!(text.contains(line), "{text}");
    });
}

#[test]
fn an_older_revision_can_be_asked_for() {
    netns::run(|| {
        let mut session = session();
        let family = SetType::HASH_IP.default_family();
        let revisions = session.revisions(&SetType::HASH_IP, family).unwrap();
        assert!(
            revisions.contains(&0) && *revisions.end() >= 4,
            "{revisions:?}"
        );
        let set = Set::new("old", SetType::HASH_IP).unwrap();
        session.create(&set.clone().with_revision(1)).unwrap();
        assert_eq!(session.header("old").unwrap().revision, 1);
        let mut newest = set;
        newest.name = name("new");
        session.create(&newest).unwrap();
        assert_eq!(session.header("new").unwrap().revision, *revisions.end());
    });
}
