//! Filters on sockets in use: attaching, replacing, detaching, limits, and what
//! passes always.

use std::net::Ipv4Addr;

use netfilter_conntrack::filter::{AddrMask, Criterion, EventFilter, FilterAttr};
use netfilter_conntrack::netlink::{Family, Flags, Header, Messages, Socket, kind};
use netfilter_conntrack::nfnetlink::{L3Proto, Nfgenmsg, Subsystem};
use netfilter_conntrack::{Error, EventKind, Groups, Handle};

use crate::capacity::{self, many_ipv4};
use crate::common::{netns, sysctl};
use crate::sockets::{drain, listener};
use crate::table::Table;

/// Putting a filter on, another in its place, and taking it away, while events
/// come in.
#[test]
fn filters_change_on_a_live_handle() {
    netns::run(|| {
        let mut handle = Handle::open(Groups::CONNTRACK).unwrap();
        handle.set_nonblocking(true).unwrap();
        let mut table = Table::open();
        let one = capacity::from("192.0.2.1".parse().unwrap());
        let two = capacity::from("192.0.2.2".parse().unwrap());
        let mut events = |handle: &mut Handle| {
            for flow in [&one, &two] {
                table.create(flow).unwrap();
                table.delete(flow).unwrap();
            }
            let mut count = 0;
            loop {
                match handle.next_event() {
                    Ok(_) => count += 1,
                    Err(Error::WouldBlock) => return count,
                    Err(error) => panic!("{error}"),
                }
            }
        };
        let only = |text: &str| EventFilter::new().source(text.parse::<AddrMask>().unwrap());

        assert_eq!(events(&mut handle), 4);
        let mut filter = only("192.0.2.1");
        handle.attach(&filter).unwrap();
        assert_eq!(events(&mut handle), 2);
        // The object and what is attached are separate.
        filter.add(Criterion::Source("192.0.2.0/24".parse().unwrap()));
        assert_eq!(events(&mut handle), 2);
        handle.attach(&filter).unwrap();
        assert_eq!(events(&mut handle), 4);
        handle.attach(&only("192.0.2.3")).unwrap();
        assert_eq!(events(&mut handle), 0);
        let end_of_one = only("192.0.2.1").kind(EventKind::Destroy);
        handle.attach(&end_of_one).unwrap();
        assert_eq!(events(&mut handle), 1);
        handle.detach().unwrap();
        assert_eq!(events(&mut handle), 4);
        assert_eq!(handle.detach().unwrap_err().errno(), libc::ENOENT);
        handle.attach(&EventFilter::new()).unwrap();
        assert_eq!(events(&mut handle), 4);
    });
}

/// A filter applies from when it is attached; what has been received stays.
#[test]
fn what_is_in_the_buffer_stays() {
    netns::run(|| {
        let socket = listener();
        let mut table = Table::open();
        let flow = capacity::from("192.0.2.1".parse().unwrap());
        table.create(&flow).unwrap();
        EventFilter::new().zone(7).attach(&socket).unwrap();
        table.delete(&flow).unwrap();
        assert_eq!(drain(&socket).len(), 1);
    });
}

/// The longest programs, in the kernel.
#[test]
fn full_programs_are_taken() {
    netns::run(|| {
        // As many addresses as fit.
        let fits = |count: &usize| many_ipv4(1, *count).compile().is_ok();
        let count = (4000..4100).rev().find(fits).unwrap();
        let filter = many_ipv4(1, count);
        let program = filter.compile().unwrap();
        assert!(program.instructions().len() > 4090);
        let socket = listener();
        program.attach(&socket).unwrap();
        let mut table = Table::open();
        let mut wanted = Vec::new();
        for criterion in filter.criteria().iter().step_by(50) {
            let Criterion::Source(AddrMask::V4 { addr, .. }) = *criterion else {
                panic!("{criterion:?}");
            };
            wanted.push(addr);
            for bits in [addr.to_bits(), addr.to_bits() ^ 2] {
                let flow = capacity::from(Ipv4Addr::from_bits(bits).into());
                table.create(&flow).unwrap();
            }
        }
        let received: Vec<Ipv4Addr> = drain(&socket).iter().map(|event| source(event)).collect();
        assert_eq!(received, wanted);
    });
}

/// The IPv4 source: the first thing in an event.
fn source(event: &[u8]) -> Ipv4Addr {
    let octets: [u8; 4] = event[32..36].try_into().unwrap();
    octets.into()
}

/// With the limit that was the default before Linux 6.8, a thousand addresses fit.
#[test]
fn the_limit_on_socket_memory() {
    netns::run(|| {
        let limit = "net.core.optmem_max";
        let socket = listener();
        let full = capacity::many_ipv6(1, 560);
        // Twice, since the old one counts until the new one is in its place.
        full.attach(&socket).unwrap();
        full.attach(&socket).unwrap();
        sysctl::write(limit, 20 * 1024);
        let thousand = many_ipv4(1, 1000);
        assert_eq!(thousand.attach(&socket).unwrap_err().errno(), libc::ENOMEM);
        socket.detach_filter().unwrap();
        thousand.attach(&socket).unwrap();
        assert_eq!(thousand.attach(&socket).unwrap_err().errno(), libc::ENOMEM);
    });
}

/// Answers that are no entries reach a socket whose filter lets no entry pass.
#[test]
fn answers_pass() {
    netns::run(|| {
        let mut nothing = EventFilter::new().mark(0, 0).negative(FilterAttr::Mark);
        for kind in [EventKind::New, EventKind::Update, EventKind::Destroy] {
            nothing.add(Criterion::Kind(kind));
        }
        let nothing = nothing.negative(FilterAttr::Kind);
        let socket = Socket::open(Family::NETFILTER).unwrap();
        nothing.attach(&socket).unwrap();
        let kinds = |subsystem: Subsystem, message, flags| {
            let mut request = Vec::new();
            let header = Header::request(subsystem.message_type(message), flags);
            let message = Nfgenmsg::family(L3Proto::IPV4).start(&mut request, header);
            message.finish().unwrap();
            socket.send(&request).unwrap();
            let datagrams = drain(&socket);
            let messages = datagrams
                .iter()
                .flat_map(|datagram| Messages::new(datagram));
            messages
                .map(|message| message.unwrap().kind())
                .collect::<Vec<u16>>()
        };
        // An acknowledged flush, an error, empty dumps, statistics.
        assert_eq!(kinds(Subsystem::CONNTRACK, 2, Flags::ACK), [kind::ERROR]);
        assert_eq!(kinds(Subsystem::CONNTRACK, 77, Flags::ACK), [kind::ERROR]);
        assert_eq!(kinds(Subsystem::CONNTRACK, 1, Flags::DUMP), [kind::DONE]);
        assert_eq!(kinds(Subsystem::EXPECT, 1, Flags::DUMP), [kind::DONE]);
        let statistics = kinds(Subsystem::CONNTRACK, 4, Flags::DUMP);
        assert!(statistics.starts_with(&[0x104]), "{statistics:x?}");
    });
}
