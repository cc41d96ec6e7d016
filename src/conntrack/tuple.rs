//! Tuples: what identifies a flow in one direction.

use std::fmt;
use std::hash::Hasher;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::fields::v4;
use super::l4proto::{L4Layout, L4Proto};
use crate::error::{Error, Result};
use crate::nfnetlink::L3Proto;

/// A direction of a flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Direction {
    /// That of the first packet.
    Original,
    /// That of the answers.
    Reply,
}

/// A tuple as it is stored, laid out for the attribute table.
///
/// An IPv4 address takes the first four bytes of the place of an IPv6 one; the
/// ICMP identifier stands in the place of the source port, type and code in
/// that of the destination port. Both hold by the C library's rules, which
/// programs can see through its attributes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[repr(C, align(4))]
pub(crate) struct RawTuple {
    pub(crate) src: [u8; 16],
    pub(crate) dst: [u8; 16],
    /// Network byte order, like `l4dst`.
    pub(crate) l4src: [u8; 2],
    pub(crate) l4dst: [u8; 2],
    /// Host byte order.
    pub(crate) zone: u16,
    pub(crate) l3: u8,
    pub(crate) l4: u8,
}

impl RawTuple {
    /// The tuple of the opposite direction, without its zone. ICMP fields are
    /// left as they are in `onto`, unless the protocol has ports or keys.
    pub(crate) fn inverted_onto(&self, onto: Self) -> Self {
        let mut other = Self {
            src: self.dst,
            dst: self.src,
            l3: self.l3,
            l4: self.l4,
            ..onto
        };
        if matches!(L4Proto(self.l4).layout(), L4Layout::Ports | L4Layout::Keys) {
            other.l4src = self.l4dst;
            other.l4dst = self.l4src;
        }
        other
    }

    fn address(&self, place: &[u8; 16]) -> Option<IpAddr> {
        match L3Proto(self.l3) {
            L3Proto::IPV4 => {
                let [a, b, c, d, ..] = *place;
                Some(Ipv4Addr::new(a, b, c, d).into())
            }
            L3Proto::IPV6 => Some(Ipv6Addr::from(*place).into()),
            _ => None,
        }
    }
}

/// The ICMP or ICMPv6 type that answers `kind`; 255, which the kernel refuses,
/// where nothing does.
pub(crate) const fn inverse_icmp_type(family: L3Proto, kind: u8) -> u8 {
    match (family, kind) {
        (L3Proto::IPV4, 0) => 8,
        (L3Proto::IPV4, 8) => 0,
        (L3Proto::IPV4, 13) => 14,
        (L3Proto::IPV4, 14) => 13,
        (L3Proto::IPV4, 15) => 16,
        (L3Proto::IPV4, 16) => 15,
        (L3Proto::IPV4, 17) => 18,
        (L3Proto::IPV4, 18) => 17,
        (L3Proto::IPV6, 128) => 129,
        (L3Proto::IPV6, 129) => 128,
        (L3Proto::IPV6, 139) => 140,
        (L3Proto::IPV6, 140) => 139,
        _ => 255,
    }
}

/// What identifies a flow in one direction: two addresses, the layer 4
/// protocol, its ports, keys or ICMP fields, and perhaps a zone that applies to
/// this direction only.
///
/// ```
/// use netfilter_conntrack::{L4Proto, Tuple};
///
/// let tuple = Tuple::tcp("192.0.2.1:40000".parse().unwrap(), "192.0.2.2:443".parse().unwrap())?;
/// assert_eq!(tuple.ports(), Some((40000, 443)));
/// assert_eq!(tuple.inverted().source(), tuple.destination());
/// assert_eq!(tuple.to_string(), "tcp src=192.0.2.1 dst=192.0.2.2 sport=40000 dport=443");
/// # Ok::<(), netfilter_conntrack::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Tuple {
    pub(crate) raw: RawTuple,
    pub(crate) has_zone: bool,
}

/// The fields that tell ICMP flows apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Icmp {
    /// Type, such as 8 for an echo request.
    pub kind: u8,
    /// Code.
    pub code: u8,
    /// Identifier, in host byte order.
    pub id: u16,
}

impl Tuple {
    /// The tuple in `raw`, cleaned of bytes that mean nothing for its family
    /// and protocol, so that equal tuples compare equal.
    pub(crate) fn from_raw(mut raw: RawTuple, has_zone: bool) -> Self {
        if L3Proto(raw.l3) == L3Proto::IPV4 {
            raw.src[4..].fill(0);
            raw.dst[4..].fill(0);
        }
        if L4Proto(raw.l4).layout() == L4Layout::Nothing {
            raw.l4src = [0; 2];
            raw.l4dst = [0; 2];
        }
        if !has_zone {
            raw.zone = 0;
        }
        Self { raw, has_zone }
    }

    /// A tuple of this protocol between two addresses, with all else zero.
    ///
    /// # Errors
    /// [`Error::Invalid`] where the addresses are of different families.
    pub fn new(source: IpAddr, destination: IpAddr, l4proto: L4Proto) -> Result<Self> {
        let mut raw = RawTuple {
            l4: l4proto.0,
            ..RawTuple::default()
        };
        raw.l3 = match (source, destination) {
            (IpAddr::V4(source), IpAddr::V4(destination)) => {
                raw.src[..4].copy_from_slice(&source.octets());
                raw.dst[..4].copy_from_slice(&destination.octets());
                L3Proto::IPV4.0
            }
            (IpAddr::V6(source), IpAddr::V6(destination)) => {
                raw.src = source.octets();
                raw.dst = destination.octets();
                L3Proto::IPV6.0
            }
            _ => return Err(Error::Invalid("addresses of different families")),
        };
        Ok(Self {
            raw,
            has_zone: false,
        })
    }

    /// A TCP tuple.
    ///
    /// # Errors
    /// [`Error::Invalid`] where the addresses are of different families.
    pub fn tcp(source: SocketAddr, destination: SocketAddr) -> Result<Self> {
        Self::between(source, destination, L4Proto::TCP)
    }

    /// A UDP tuple.
    ///
    /// # Errors
    /// [`Error::Invalid`] where the addresses are of different families.
    pub fn udp(source: SocketAddr, destination: SocketAddr) -> Result<Self> {
        Self::between(source, destination, L4Proto::UDP)
    }

    /// A tuple of a protocol with ports.
    ///
    /// # Errors
    /// [`Error::Invalid`] where the addresses are of different families.
    pub fn between(source: SocketAddr, destination: SocketAddr, l4proto: L4Proto) -> Result<Self> {
        let tuple = Self::new(source.ip(), destination.ip(), l4proto)?;
        Ok(tuple.with_ports(source.port(), destination.port()))
    }

    /// The same tuple with these ports (or GRE keys), in host byte order.
    #[must_use]
    pub fn with_ports(mut self, source: u16, destination: u16) -> Self {
        self.raw.l4src = source.to_be_bytes();
        self.raw.l4dst = destination.to_be_bytes();
        self
    }

    /// The same tuple with these ICMP fields.
    #[must_use]
    pub fn with_icmp(mut self, icmp: Icmp) -> Self {
        self.raw.l4src = icmp.id.to_be_bytes();
        self.raw.l4dst = [icmp.kind, icmp.code];
        self
    }

    /// The same tuple in a zone that applies to its direction only.
    #[must_use]
    pub fn with_zone(mut self, zone: u16) -> Self {
        self.raw.zone = zone;
        self.has_zone = true;
        self
    }

    /// The address family.
    #[must_use]
    pub fn l3proto(&self) -> L3Proto {
        L3Proto(self.raw.l3)
    }

    /// The source address; the unspecified IPv6 address where the family is
    /// neither IPv4 nor IPv6, which the kernel never sends.
    #[must_use]
    pub fn source(&self) -> IpAddr {
        let unspecified = Ipv6Addr::UNSPECIFIED.into();
        self.raw.address(&self.raw.src).unwrap_or(unspecified)
    }

    /// The destination address; see [`source`](Self::source).
    #[must_use]
    pub fn destination(&self) -> IpAddr {
        let unspecified = Ipv6Addr::UNSPECIFIED.into();
        self.raw.address(&self.raw.dst).unwrap_or(unspecified)
    }

    /// The layer 4 protocol.
    #[must_use]
    pub fn l4proto(&self) -> L4Proto {
        L4Proto(self.raw.l4)
    }

    /// Source and destination port in host byte order, where the protocol has
    /// ports; GRE has [`keys`](Self::keys).
    #[must_use]
    pub fn ports(&self) -> Option<(u16, u16)> {
        (self.l4proto().layout() == L4Layout::Ports).then(|| self.words())
    }

    /// Source and destination key of GRE, in host byte order.
    #[must_use]
    pub fn keys(&self) -> Option<(u16, u16)> {
        (self.l4proto().layout() == L4Layout::Keys).then(|| self.words())
    }

    /// The ICMP fields, where the protocol is ICMP or ICMPv6.
    #[must_use]
    pub fn icmp(&self) -> Option<Icmp> {
        let [kind, code] = self.raw.l4dst;
        let id = u16::from_be_bytes(self.raw.l4src);
        (self.l4proto().layout() == L4Layout::Icmp).then_some(Icmp { kind, code, id })
    }

    /// The zone that applies to this direction only.
    #[must_use]
    pub fn zone(&self) -> Option<u16> {
        self.has_zone.then_some(self.raw.zone)
    }

    /// The tuple of the opposite direction where nothing is translated,
    /// without a zone. An ICMP type that nothing answers becomes 255.
    #[must_use]
    pub fn inverted(&self) -> Self {
        let mut raw = self.raw.inverted_onto(self.raw);
        if self.icmp().is_some() {
            raw.l4dst[0] = inverse_icmp_type(self.l3proto(), self.raw.l4dst[0]);
        }
        raw.zone = 0;
        Self {
            raw,
            has_zone: false,
        }
    }

    /// Hashes the tuple by few and whole words.
    pub(crate) fn write_to(&self, hasher: &mut impl Hasher) {
        let RawTuple {
            src,
            dst,
            l4src,
            l4dst,
            zone,
            l3,
            l4,
        } = self.raw;
        let [a, b] = l4src;
        let [c, d] = l4dst;
        let [e, f] = zone.to_ne_bytes();
        let rest = u64::from_ne_bytes([a, b, c, d, e, f, l3, l4]);
        if L3Proto(l3) == L3Proto::IPV4 {
            // All else of the addresses is zero.
            let addresses = [v4(&src), v4(&dst)].map(u32::from);
            let [src, dst] = addresses.map(u128::from);
            hasher.write_u128(src << 96 | dst << 64 | u128::from(rest));
        } else {
            hasher.write_u128(u128::from_ne_bytes(src));
            hasher.write_u128(u128::from_ne_bytes(dst));
            hasher.write_u64(rest);
        }
    }

    fn words(&self) -> (u16, u16) {
        let RawTuple { l4src, l4dst, .. } = self.raw;
        (u16::from_be_bytes(l4src), u16::from_be_bytes(l4dst))
    }
}

impl fmt::Display for Tuple {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (source, destination) = (self.source(), self.destination());
        write!(f, "{} src={source} dst={destination}", self.l4proto())?;
        if let Some((source, destination)) = self.ports() {
            write!(f, " sport={source} dport={destination}")?;
        }
        if let Some((source, destination)) = self.keys() {
            write!(f, " srckey={source:#x} dstkey={destination:#x}")?;
        }
        if let Some(Icmp { kind, code, id }) = self.icmp() {
            write!(f, " type={kind} code={code} id={id}")?;
        }
        match self.zone() {
            Some(zone) => write!(f, " zone={zone}"),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for Tuple {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tuple({self}, l4proto {})", self.raw.l4)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses() -> (IpAddr, IpAddr) {
        (
            "2001:db8::1".parse().unwrap(),
            "2001:db8::2".parse().unwrap(),
        )
    }

    #[test]
    fn families_must_agree() {
        let (v6, _) = addresses();
        let v4 = "192.0.2.1".parse().unwrap();
        let error = Tuple::new(v4, v6, L4Proto::UDP).unwrap_err();
        assert_eq!(error.errno(), libc::EINVAL);
    }

    #[test]
    fn each_protocol_shows_its_own_fields() {
        let (a, b) = addresses();
        let gre = Tuple::new(a, b, L4Proto::GRE)
            .unwrap()
            .with_ports(7, 0xbeef);
        assert_eq!(
            (gre.keys(), gre.ports(), gre.icmp()),
            (Some((7, 0xbeef)), None, None)
        );
        let echo = Icmp {
            kind: 128,
            code: 0,
            id: 258,
        };
        let ping = Tuple::new(a, b, L4Proto::ICMPV6).unwrap().with_icmp(echo);
        assert_eq!((ping.icmp(), ping.ports()), (Some(echo), None));
        assert_eq!(ping.inverted().icmp(), Some(Icmp { kind: 129, ..echo }));
        assert_eq!(ping.inverted().inverted(), ping);
        let esp = Tuple::new(a, b, L4Proto(50)).unwrap();
        assert_eq!((esp.icmp(), esp.ports(), esp.keys()), (None, None, None));
    }

    #[test]
    fn zones_stay_with_their_direction() {
        let (a, b) = addresses();
        let tuple = Tuple::new(a, b, L4Proto::UDP).unwrap().with_zone(0);
        assert_eq!(tuple.zone(), Some(0));
        assert_eq!(tuple.inverted().zone(), None);
    }
}
