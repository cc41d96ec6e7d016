//! Messages as the kernel writes them, for machines of either byte order.

use std::net::IpAddr;

/// A byte order, to read and write what netlink leaves in the machine's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    Little,
    Big,
}

impl Order {
    pub(crate) const HOST: Self = if cfg!(target_endian = "big") {
        Self::Big
    } else {
        Self::Little
    };

    pub(crate) fn u16(self, value: u16) -> [u8; 2] {
        match self {
            Self::Little => value.to_le_bytes(),
            Self::Big => value.to_be_bytes(),
        }
    }

    pub(crate) fn u32(self, value: u32) -> [u8; 4] {
        match self {
            Self::Little => value.to_le_bytes(),
            Self::Big => value.to_be_bytes(),
        }
    }

    /// # Panics
    /// If there are no two bytes.
    pub(crate) fn u16_at(self, bytes: &[u8], at: usize) -> u16 {
        let bytes = [bytes[at], bytes[at + 1]];
        match self {
            Self::Little => u16::from_le_bytes(bytes),
            Self::Big => u16::from_be_bytes(bytes),
        }
    }

    /// # Panics
    /// If there are no four bytes.
    pub(crate) fn u32_at(self, bytes: &[u8], at: usize) -> usize {
        let bytes = [bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]];
        let value = match self {
            Self::Little => u32::from_le_bytes(bytes),
            Self::Big => u32::from_be_bytes(bytes),
        };
        value as usize
    }
}

/// One direction of a flow.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tuple {
    pub(crate) source: IpAddr,
    pub(crate) destination: IpAddr,
    pub(crate) proto: u8,
    pub(crate) ports: (u16, u16),
    pub(crate) zone: Option<u16>,
}

/// What a message tells about a flow.
#[derive(Clone, Debug)]
pub(crate) struct Flow {
    pub(crate) original: Tuple,
    pub(crate) reply: Tuple,
    pub(crate) status: u32,
    /// Type of the nest in `CTA_PROTOINFO`, state in it.
    pub(crate) state: Option<(u16, u8)>,
    pub(crate) mark: Option<u32>,
    pub(crate) zone: Option<u16>,
}

/// Parts of a message's header that matter here.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Kind {
    pub(crate) subsystem: u8,
    pub(crate) message: u8,
    pub(crate) flags: u16,
}

impl Kind {
    pub(crate) const NEW: Self = Self::conntrack(0, 0x600);
    pub(crate) const UPDATE: Self = Self::conntrack(0, 0);
    pub(crate) const DESTROY: Self = Self::conntrack(2, 0);

    pub(crate) const fn conntrack(message: u8, flags: u16) -> Self {
        Self {
            subsystem: 1,
            message,
            flags,
        }
    }
}

/// A message with this header, family and attributes.
pub(crate) fn message(order: Order, kind: Kind, family: u8, attributes: &[u8]) -> Vec<u8> {
    let message_type = u16::from(kind.subsystem) << 8 | u16::from(kind.message);
    [
        &order.u32(20 + attributes.len() as u32)[..],
        &order.u16(message_type),
        &order.u16(kind.flags),
        &order.u32(0),
        &order.u32(0),
        &[family, 0, 0, 0],
        attributes,
    ]
    .concat()
}

impl Flow {
    /// The attributes in the order in which the kernel writes them in events.
    pub(crate) fn attributes(&self, order: Order) -> Vec<Vec<u8>> {
        let mut all = vec![
            nest(order, 1, &[tuple(order, &self.original)]),
            nest(order, 2, &[tuple(order, &self.reply)]),
        ];
        if let Some(zone) = self.zone {
            all.push(attribute(order, 18, &zone.to_be_bytes()));
        }
        all.push(attribute(order, 12, &0x1234_5678u32.to_be_bytes()));
        all.push(attribute(order, 3, &self.status.to_be_bytes()));
        all.push(attribute(order, 7, &120u32.to_be_bytes()));
        if let Some((kind, state)) = self.state {
            let state = attribute(order, 1, &[state]);
            let other = attribute(order, 2, &[7]);
            all.push(nest(order, 4, &[nest(order, kind, &[state, other])]));
        }
        if let Some(mark) = self.mark {
            all.push(attribute(order, 8, &mark.to_be_bytes()));
        }
        all
    }

    pub(crate) fn family(&self) -> u8 {
        match self.original.source {
            IpAddr::V4(_) => 2,
            IpAddr::V6(_) => 10,
        }
    }

    /// The whole message.
    pub(crate) fn message(&self, order: Order, kind: Kind) -> Vec<u8> {
        let attributes = self.attributes(order).concat();
        message(order, kind, self.family(), &attributes)
    }
}

fn tuple(order: Order, tuple: &Tuple) -> Vec<u8> {
    let address = |kind: u16, address: IpAddr| match address {
        IpAddr::V4(address) => attribute(order, kind, &address.octets()),
        IpAddr::V6(address) => attribute(order, kind + 2, &address.octets()),
    };
    let mut parts = vec![
        nest(
            order,
            1,
            &[address(1, tuple.source), address(2, tuple.destination)],
        ),
        nest(
            order,
            2,
            &[
                attribute(order, 1, &[tuple.proto]),
                attribute(order, 2, &tuple.ports.0.to_be_bytes()),
                attribute(order, 3, &tuple.ports.1.to_be_bytes()),
            ],
        ),
    ];
    if let Some(zone) = tuple.zone {
        parts.push(attribute(order, 3, &zone.to_be_bytes()));
    }
    parts.concat()
}

pub(crate) fn attribute(order: Order, kind: u16, payload: &[u8]) -> Vec<u8> {
    let len = order.u16(4 + payload.len() as u16);
    let mut bytes = [&len[..], &order.u16(kind), payload].concat();
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    bytes
}

pub(crate) fn nest(order: Order, kind: u16, parts: &[Vec<u8>]) -> Vec<u8> {
    attribute(order, kind | 0x8000, &parts.concat())
}
