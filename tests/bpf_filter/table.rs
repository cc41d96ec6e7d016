//! Makes, changes and deletes entries of the connection-tracking table.

use std::net::IpAddr;

use netfilter_conntrack::netlink::{Builder, Control, Family, Flags, Header, Message, Socket};
use netfilter_conntrack::nfnetlink::{L3Proto, Nfgenmsg, Subsystem};

use crate::message::{Flow, Tuple};
use crate::random::Random;

/// A connection to ctnetlink.
pub(crate) struct Table {
    socket: Socket,
    request: Vec<u8>,
}

impl Table {
    pub(crate) fn open() -> Self {
        Self {
            socket: Socket::open(Family::NETFILTER).unwrap(),
            request: Vec::new(),
        }
    }

    /// Makes the entry; the errno where the kernel refuses.
    pub(crate) fn create(&mut self, flow: &Flow) -> Result<(), i32> {
        self.ask(0, Flags::CREATE | Flags::EXCL, flow, |message| {
            message.put_u32_be(7, 600);
            put_state_and_mark(message, flow);
        })
    }

    /// Gives the entry another mark and state.
    pub(crate) fn update(&mut self, flow: &Flow) -> Result<(), i32> {
        self.ask(0, Flags::empty(), flow, |message| {
            put_state_and_mark(message, flow);
        })
    }

    /// Deletes the entry.
    pub(crate) fn delete(&mut self, flow: &Flow) -> Result<(), i32> {
        self.ask(2, Flags::empty(), flow, |_| {})
    }

    fn ask(
        &mut self,
        kind: u8,
        flags: Flags,
        flow: &Flow,
        fill: impl FnOnce(&mut Builder<'_>),
    ) -> Result<(), i32> {
        self.request.clear();
        let kind = Subsystem::CONNTRACK.message_type(kind);
        let family = L3Proto(flow.family());
        let header = Header::request(kind, flags | Flags::ACK);
        let mut message = Nfgenmsg::family(family).start(&mut self.request, header);
        message.nest(1, |nest| put_tuple(nest, &flow.original));
        message.nest(2, |nest| put_tuple(nest, &flow.reply));
        if let Some(zone) = flow.zone {
            message.put_u16_be(18, zone);
        }
        fill(&mut message);
        message.finish().unwrap();
        self.socket.send(&self.request).unwrap();

        let mut reply = [0; 4096];
        let datagram = self.socket.recv(&mut reply).unwrap();
        match Message::parse(&reply[..datagram.len]).unwrap().control() {
            Some(Control::Ack(_)) => Ok(()),
            Some(Control::Error(errno, _)) => Err(errno),
            other => panic!("{other:?}"),
        }
    }
}

fn put_tuple(message: &mut Builder<'_>, tuple: &Tuple) {
    message.nest(1, |ip| match (tuple.source, tuple.destination) {
        (IpAddr::V4(source), IpAddr::V4(destination)) => {
            ip.put(1, &source.octets());
            ip.put(2, &destination.octets());
        }
        (IpAddr::V6(source), IpAddr::V6(destination)) => {
            ip.put(3, &source.octets());
            ip.put(4, &destination.octets());
        }
        mixed => panic!("{mixed:?}"),
    });
    message.nest(2, |proto| {
        proto.put_u8(1, tuple.proto);
        // Echo request and reply.
        let reply = tuple.ports.0 == 0;
        match tuple.proto {
            1 => {
                proto.put_u16_be(4, tuple.ports.1);
                proto.put_u8(5, if reply { 0 } else { 8 });
                proto.put_u8(6, 0);
            }
            58 => {
                proto.put_u16_be(7, tuple.ports.1);
                proto.put_u8(8, if reply { 129 } else { 128 });
                proto.put_u8(9, 0);
            }
            _ => {
                proto.put_u16_be(2, tuple.ports.0);
                proto.put_u16_be(3, tuple.ports.1);
            }
        }
    });
    if let Some(zone) = tuple.zone {
        message.put_u16_be(3, zone);
    }
}

fn put_state_and_mark(message: &mut Builder<'_>, flow: &Flow) {
    if let Some((kind, state)) = flow.state {
        message.nest(4, |info| {
            info.nest(kind, |info| {
                info.put_u8(1, state);
                // SCTP wants its verification tags too.
                if kind == 3 {
                    info.put_u32_be(2, 1);
                    info.put_u32_be(3, 2);
                }
            });
        });
    }
    if let Some(mark) = flow.mark {
        message.put_u32_be(8, mark);
    }
}

/// Makes of a random flow one that the kernel takes.
pub(crate) fn adapt(random: &mut Random, mut flow: Flow) -> Flow {
    flow.original.proto = match (flow.original.proto, flow.original.source) {
        (1, IpAddr::V6(_)) => 58,
        (58, IpAddr::V4(_)) => 1,
        (proto, _) => proto,
    };
    flow.state = match flow.original.proto {
        6 => Some((1, 1 + random.below(8) as u8)),
        132 => Some((3, 1 + random.below(7) as u8)),
        _ => None,
    };
    // A zone holds for both directions or for one.
    if flow.zone.is_some() {
        flow.original.zone = None;
    }
    let icmp = matches!(flow.original.proto, 1 | 58);
    if icmp {
        flow.original.ports.0 = 8;
    }
    let (first, second) = flow.original.ports;
    flow.reply = Tuple {
        source: flow.original.destination,
        destination: flow.original.source,
        ports: if icmp { (0, second) } else { (second, first) },
        zone: None,
        ..flow.original
    };
    flow
}
