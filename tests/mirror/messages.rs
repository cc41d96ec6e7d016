//! Messages as the kernel sends them, put together by hand.

use std::net::IpAddr;

use netfilter_conntrack::netlink::{Builder, Flags, Header, Message};
use netfilter_conntrack::nfnetlink::{L3Proto, Nfgenmsg, Subsystem};
use netfilter_conntrack::{Status, Tuple};

/// What a message says of an entry.
#[derive(Clone, Debug)]
pub(crate) struct Told {
    pub(crate) original: Tuple,
    pub(crate) reply: Tuple,
    pub(crate) zone: Option<u16>,
    pub(crate) id: u32,
    pub(crate) status: Status,
    pub(crate) mark: Option<u32>,
}

/// Numbers of `linux/netfilter/nfnetlink_conntrack.h`.
const NEW: u8 = 0;
const DELETE: u8 = 2;
const TUPLE_ORIG: u16 = 1;
const TUPLE_REPLY: u16 = 2;
const STATUS: u16 = 3;
const MARK: u16 = 8;
const ID: u16 = 12;
const ZONE: u16 = 18;
const TUPLE_IP: u16 = 1;
const TUPLE_PROTO: u16 = 2;
const PROTO_NUM: u16 = 1;
const PROTO_SRC_PORT: u16 = 2;
const PROTO_DST_PORT: u16 = 3;

/// A NEW event.
pub(crate) fn new(told: &Told) -> Vec<u8> {
    message(NEW, Flags::CREATE | Flags::EXCL, told)
}

/// An UPDATE event.
pub(crate) fn update(told: &Told) -> Vec<u8> {
    message(NEW, Flags::empty(), told)
}

/// A DESTROY event.
pub(crate) fn destroy(told: &Told) -> Vec<u8> {
    message(DELETE, Flags::empty(), told)
}

/// An entry of a list.
pub(crate) fn entry(told: &Told, interrupted: bool) -> Vec<u8> {
    let mut flags = Flags::MULTI;
    flags.set(Flags::DUMP_INTR, interrupted);
    message(NEW, flags, told)
}

/// The message in the bytes.
pub(crate) fn parse(bytes: &[u8]) -> Message<'_> {
    Message::parse(bytes).expect("a message")
}

fn message(number: u8, flags: Flags, told: &Told) -> Vec<u8> {
    let header = Header {
        kind: Subsystem::CONNTRACK.message_type(number),
        flags,
        ..Header::default()
    };
    let mut bytes = Vec::new();
    let family = Nfgenmsg::family(told.original.l3proto());
    let mut message = family.start(&mut bytes, header);
    message.nest(TUPLE_ORIG, |nest| tuple(nest, &told.original));
    message.nest(TUPLE_REPLY, |nest| tuple(nest, &told.reply));
    if let Some(zone) = told.zone {
        message.put_u16_be(ZONE, zone);
    }
    message.put_u32_be(ID, told.id);
    message.put_u32_be(STATUS, told.status.bits());
    if let Some(mark) = told.mark {
        message.put_u32_be(MARK, mark);
    }
    message.finish().expect("a short message");
    bytes
}

fn tuple(nest: &mut Builder<'_>, tuple: &Tuple) {
    let base = match tuple.l3proto() {
        L3Proto::IPV6 => 3,
        _ => 1,
    };
    nest.nest(TUPLE_IP, |nest| {
        for (kind, address) in [(base, tuple.source()), (base + 1, tuple.destination())] {
            match address {
                IpAddr::V4(address) => nest.put(kind, &address.octets()),
                IpAddr::V6(address) => nest.put(kind, &address.octets()),
            }
        }
    });
    let (source, destination) = tuple.ports().expect("a protocol with ports");
    nest.nest(TUPLE_PROTO, |nest| {
        nest.put_u8(PROTO_NUM, tuple.l4proto().0);
        nest.put_u16_be(PROTO_SRC_PORT, source);
        nest.put_u16_be(PROTO_DST_PORT, destination);
    });
}
