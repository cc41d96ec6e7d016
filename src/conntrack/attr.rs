//! The attribute table: for each attribute its name, its kind and its place in
//! the entry. All that goes by attribute number goes through it.

#![allow(unsafe_code)]

use std::mem::{MaybeUninit, offset_of};
use std::net::{Ipv4Addr, Ipv6Addr};
use std::{ptr, slice};

use super::attr_number::Attr;
use super::fields::{Blob, v4};
use super::labels::Bitmask;
use super::object::Conntrack;
use super::protoinfo::place;
use super::tuple::inverse_icmp_type;
use crate::error::{Error, Result};
use crate::nfnetlink::L3Proto;

/// What an attribute holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    U8,
    /// Host byte order.
    U16,
    /// Network byte order: ports and ICMP identifiers.
    U16Be,
    U32,
    U64,
    Ipv4,
    Ipv6,
    /// A number only the kernel sets; setting it stores nothing but makes it present.
    ReadOnly32,
    ReadOnly64,
    /// A number only the kernel sets; setting it does nothing.
    Unsettable64,
    /// A string in a field of 16 bytes.
    Name,
    /// A string only the kernel sets, see [`Kind::ReadOnly32`].
    Context,
    /// Bytes of any length.
    Blob,
    /// A bitmask.
    Labels,
}

impl Kind {
    /// Bytes of the value in the entry; `None` where they stand elsewhere.
    pub(crate) const fn width(self) -> Option<usize> {
        match self {
            Self::U8 => Some(1),
            Self::U16 | Self::U16Be => Some(2),
            Self::U32 | Self::Ipv4 | Self::ReadOnly32 => Some(4),
            Self::U64 | Self::ReadOnly64 | Self::Unsettable64 => Some(8),
            Self::Ipv6 | Self::Name => Some(16),
            Self::Context | Self::Blob | Self::Labels => None,
        }
    }
}

#[cfg(feature = "capi")]
impl Kind {
    /// Bytes that setting the attribute reads of a value; none where only the
    /// kernel sets it.
    pub(crate) const fn settable_width(self) -> usize {
        match self {
            Self::ReadOnly32 | Self::ReadOnly64 | Self::Unsettable64 => 0,
            kind => match kind.width() {
                Some(width) => width,
                None => 0,
            },
        }
    }
}

/// A row of the table.
#[derive(Debug)]
pub(crate) struct Row {
    name: &'static str,
    pub(crate) kind: Kind,
    /// [`Kind::width`]; 0 where the value stands elsewhere.
    #[cfg(feature = "capi")]
    pub(crate) width: u8,
    /// Offset of the value in a [`Conntrack`].
    pub(crate) place: usize,
}

const fn row(name: &'static str, kind: Kind, place: usize) -> Row {
    Row {
        name,
        kind,
        #[cfg(feature = "capi")]
        width: match kind.width() {
            Some(width) => width as u8,
            None => 0,
        },
        place,
    }
}

#[rustfmt::skip]
static ROWS: [Row; Attr::COUNT] = [
    row("ORIG_IPV4_SRC", Kind::Ipv4, offset_of!(Conntrack, head.tuple.src)),
    row("ORIG_IPV4_DST", Kind::Ipv4, offset_of!(Conntrack, head.tuple.dst)),
    row("REPL_IPV4_SRC", Kind::Ipv4, offset_of!(Conntrack, reply.src)),
    row("REPL_IPV4_DST", Kind::Ipv4, offset_of!(Conntrack, reply.dst)),
    row("ORIG_IPV6_SRC", Kind::Ipv6, offset_of!(Conntrack, head.tuple.src)),
    row("ORIG_IPV6_DST", Kind::Ipv6, offset_of!(Conntrack, head.tuple.dst)),
    row("REPL_IPV6_SRC", Kind::Ipv6, offset_of!(Conntrack, reply.src)),
    row("REPL_IPV6_DST", Kind::Ipv6, offset_of!(Conntrack, reply.dst)),
    row("ORIG_PORT_SRC", Kind::U16Be, offset_of!(Conntrack, head.tuple.l4src)),
    row("ORIG_PORT_DST", Kind::U16Be, offset_of!(Conntrack, head.tuple.l4dst)),
    row("REPL_PORT_SRC", Kind::U16Be, offset_of!(Conntrack, reply.l4src)),
    row("REPL_PORT_DST", Kind::U16Be, offset_of!(Conntrack, reply.l4dst)),
    row("ICMP_TYPE", Kind::U8, offset_of!(Conntrack, head.tuple.l4dst)),
    row("ICMP_CODE", Kind::U8, offset_of!(Conntrack, head.tuple.l4dst) + 1),
    row("ICMP_ID", Kind::U16Be, offset_of!(Conntrack, head.tuple.l4src)),
    row("ORIG_L3PROTO", Kind::U8, offset_of!(Conntrack, head.tuple.l3)),
    row("REPL_L3PROTO", Kind::U8, offset_of!(Conntrack, reply.l3)),
    row("ORIG_L4PROTO", Kind::U8, offset_of!(Conntrack, head.tuple.l4)),
    row("REPL_L4PROTO", Kind::U8, offset_of!(Conntrack, reply.l4)),
    row("TCP_STATE", Kind::U8, offset_of!(Conntrack, protoinfo)),
    row("SNAT_IPV4", Kind::Ipv4, offset_of!(Conntrack, snat.min)),
    row("DNAT_IPV4", Kind::Ipv4, offset_of!(Conntrack, dnat.min)),
    row("SNAT_PORT", Kind::U16Be, offset_of!(Conntrack, snat.port_min)),
    row("DNAT_PORT", Kind::U16Be, offset_of!(Conntrack, dnat.port_min)),
    row("TIMEOUT", Kind::U32, offset_of!(Conntrack, timeout)),
    row("MARK", Kind::U32, offset_of!(Conntrack, mark)),
    row("ORIG_COUNTER_PACKETS", Kind::ReadOnly64, offset_of!(Conntrack, counters.original.packets)),
    row("REPL_COUNTER_PACKETS", Kind::ReadOnly64, offset_of!(Conntrack, counters.reply.packets)),
    row("ORIG_COUNTER_BYTES", Kind::ReadOnly64, offset_of!(Conntrack, counters.original.bytes)),
    row("REPL_COUNTER_BYTES", Kind::ReadOnly64, offset_of!(Conntrack, counters.reply.bytes)),
    row("USE", Kind::ReadOnly32, offset_of!(Conntrack, use_count)),
    row("ID", Kind::U32, offset_of!(Conntrack, id)),
    row("STATUS", Kind::U32, offset_of!(Conntrack, status)),
    row("TCP_FLAGS_ORIG", Kind::U8, offset_of!(Conntrack, protoinfo) + place::TCP_FLAGS_ORIGINAL),
    row("TCP_FLAGS_REPL", Kind::U8, offset_of!(Conntrack, protoinfo) + place::TCP_FLAGS_REPLY),
    row("TCP_MASK_ORIG", Kind::U8, offset_of!(Conntrack, protoinfo) + place::TCP_MASK_ORIGINAL),
    row("TCP_MASK_REPL", Kind::U8, offset_of!(Conntrack, protoinfo) + place::TCP_MASK_REPLY),
    row("MASTER_IPV4_SRC", Kind::Ipv4, offset_of!(Conntrack, master.src)),
    row("MASTER_IPV4_DST", Kind::Ipv4, offset_of!(Conntrack, master.dst)),
    row("MASTER_IPV6_SRC", Kind::Ipv6, offset_of!(Conntrack, master.src)),
    row("MASTER_IPV6_DST", Kind::Ipv6, offset_of!(Conntrack, master.dst)),
    row("MASTER_PORT_SRC", Kind::U16Be, offset_of!(Conntrack, master.l4src)),
    row("MASTER_PORT_DST", Kind::U16Be, offset_of!(Conntrack, master.l4dst)),
    row("MASTER_L3PROTO", Kind::U8, offset_of!(Conntrack, master.l3)),
    row("MASTER_L4PROTO", Kind::U8, offset_of!(Conntrack, master.l4)),
    row("SECMARK", Kind::U32, offset_of!(Conntrack, secmark)),
    row("ORIG_NAT_SEQ_CORRECTION_POS", Kind::U32, offset_of!(Conntrack, seq_adjust.original.correction_pos)),
    row("ORIG_NAT_SEQ_OFFSET_BEFORE", Kind::U32, offset_of!(Conntrack, seq_adjust.original.offset_before)),
    row("ORIG_NAT_SEQ_OFFSET_AFTER", Kind::U32, offset_of!(Conntrack, seq_adjust.original.offset_after)),
    row("REPL_NAT_SEQ_CORRECTION_POS", Kind::U32, offset_of!(Conntrack, seq_adjust.reply.correction_pos)),
    row("REPL_NAT_SEQ_OFFSET_BEFORE", Kind::U32, offset_of!(Conntrack, seq_adjust.reply.offset_before)),
    row("REPL_NAT_SEQ_OFFSET_AFTER", Kind::U32, offset_of!(Conntrack, seq_adjust.reply.offset_after)),
    row("SCTP_STATE", Kind::U8, offset_of!(Conntrack, protoinfo)),
    row("SCTP_VTAG_ORIG", Kind::U32, offset_of!(Conntrack, protoinfo) + place::SCTP_VTAG_ORIGINAL),
    row("SCTP_VTAG_REPL", Kind::U32, offset_of!(Conntrack, protoinfo) + place::SCTP_VTAG_REPLY),
    row("HELPER_NAME", Kind::Name, offset_of!(Conntrack, helper_name)),
    row("DCCP_STATE", Kind::U8, offset_of!(Conntrack, protoinfo)),
    row("DCCP_ROLE", Kind::U8, offset_of!(Conntrack, protoinfo) + place::DCCP_ROLE),
    row("DCCP_HANDSHAKE_SEQ", Kind::U64, offset_of!(Conntrack, protoinfo) + place::DCCP_HANDSHAKE_SEQ),
    row("TCP_WSCALE_ORIG", Kind::U8, offset_of!(Conntrack, protoinfo) + place::TCP_WSCALE_ORIGINAL),
    row("TCP_WSCALE_REPL", Kind::U8, offset_of!(Conntrack, protoinfo) + place::TCP_WSCALE_REPLY),
    row("ZONE", Kind::U16, offset_of!(Conntrack, zone)),
    row("SECCTX", Kind::Context, offset_of!(Conntrack, secctx)),
    row("TIMESTAMP_START", Kind::ReadOnly64, offset_of!(Conntrack, timestamp_start)),
    row("TIMESTAMP_STOP", Kind::ReadOnly64, offset_of!(Conntrack, timestamp_stop)),
    row("HELPER_INFO", Kind::Blob, offset_of!(Conntrack, helper_info)),
    row("CONNLABELS", Kind::Labels, offset_of!(Conntrack, labels)),
    row("CONNLABELS_MASK", Kind::Labels, offset_of!(Conntrack, labels_mask)),
    row("ORIG_ZONE", Kind::U16, offset_of!(Conntrack, head.tuple.zone)),
    row("REPL_ZONE", Kind::U16, offset_of!(Conntrack, reply.zone)),
    row("SNAT_IPV6", Kind::Ipv6, offset_of!(Conntrack, snat.min)),
    row("DNAT_IPV6", Kind::Ipv6, offset_of!(Conntrack, dnat.min)),
    row("SYNPROXY_ISN", Kind::U32, offset_of!(Conntrack, synproxy.isn)),
    row("SYNPROXY_ITS", Kind::U32, offset_of!(Conntrack, synproxy.its)),
    row("SYNPROXY_TSOFF", Kind::U32, offset_of!(Conntrack, synproxy.tsoff)),
    row("TIMESTAMP_EVENT", Kind::Unsettable64, offset_of!(Conntrack, timestamp_event)),
];

/// The value of an attribute, as [`Conntrack::attr`] gives it and
/// [`Conntrack::set_attr`] takes it. Numbers are in host byte order, ports and
/// ICMP identifiers too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AttrValue<'a> {
    /// An 8-bit number.
    U8(u8),
    /// A 16-bit number.
    U16(u16),
    /// A 32-bit number.
    U32(u32),
    /// A 64-bit number.
    U64(u64),
    /// An IPv4 address.
    Ipv4(Ipv4Addr),
    /// An IPv6 address.
    Ipv6(Ipv6Addr),
    /// A string, without NUL.
    Text(&'a [u8]),
    /// The helper's private data.
    Bytes(&'a [u8]),
    /// Labels or a mask of labels.
    Labels(&'a Bitmask),
}

impl Attr {
    pub(crate) fn row(self) -> &'static Row {
        &ROWS[self as usize]
    }

    /// The attribute's name in the C header, without `ATTR_`.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.row().name
    }

    /// Whether only the kernel gives it a value.
    #[must_use]
    pub fn is_read_only(self) -> bool {
        matches!(
            self.row().kind,
            Kind::ReadOnly32 | Kind::ReadOnly64 | Kind::Unsettable64 | Kind::Context
        )
    }
}

impl Conntrack {
    /// The value of an attribute, `None` where it is absent.
    #[doc(alias = "nfct_get_attr")]
    #[doc(alias = "nfct_get_attr_u8")]
    #[doc(alias = "nfct_get_attr_u16")]
    #[doc(alias = "nfct_get_attr_u32")]
    #[doc(alias = "nfct_get_attr_u64")]
    #[must_use]
    pub fn attr(&self, attr: Attr) -> Option<AttrValue<'_>> {
        if !self.is_set(attr) {
            return None;
        }
        let bytes = self.field(attr);
        Some(match attr.row().kind {
            Kind::U8 => AttrValue::U8(number(bytes) as u8),
            Kind::U16 => AttrValue::U16(number(bytes) as u16),
            Kind::U16Be => AttrValue::U16((number(bytes) as u16).to_be()),
            Kind::U32 | Kind::ReadOnly32 => AttrValue::U32(number(bytes) as u32),
            Kind::U64 | Kind::ReadOnly64 | Kind::Unsettable64 => AttrValue::U64(number(bytes)),
            Kind::Ipv4 => AttrValue::Ipv4(v4(&address(bytes))),
            Kind::Ipv6 => AttrValue::Ipv6(address(bytes).into()),
            Kind::Name => AttrValue::Text(self.helper_bytes()),
            Kind::Context => AttrValue::Text(self.secctx_bytes().unwrap_or_default()),
            Kind::Blob => AttrValue::Bytes(self.helper_info.as_deref().map_or(&[], |info| &info.0)),
            Kind::Labels => AttrValue::Labels(self.label_field(attr).as_deref()?),
        })
    }

    /// Sets an attribute.
    ///
    /// An ICMP type also sets the type that answers it in the reply tuple, by
    /// the address family of the original one, which is to be set first. A
    /// translation's address or port sets both ends of its range.
    ///
    /// # Errors
    /// [`Error::Invalid`] where the value is not of the attribute's kind, a name
    /// is longer than 15 bytes, or only the kernel sets the attribute.
    #[doc(alias = "nfct_set_attr")]
    #[doc(alias = "nfct_set_attr_l")]
    #[doc(alias = "nfct_set_attr_u8")]
    #[doc(alias = "nfct_set_attr_u16")]
    #[doc(alias = "nfct_set_attr_u32")]
    #[doc(alias = "nfct_set_attr_u64")]
    pub fn set_attr(&mut self, attr: Attr, value: AttrValue<'_>) -> Result<()> {
        match (attr.row().kind, value) {
            (Kind::U8, AttrValue::U8(value)) => self.store(attr, &[value]),
            (Kind::U16, AttrValue::U16(value)) => self.store(attr, &value.to_ne_bytes()),
            (Kind::U16Be, AttrValue::U16(value)) => self.store(attr, &value.to_be_bytes()),
            (Kind::U32, AttrValue::U32(value)) => self.store(attr, &value.to_ne_bytes()),
            (Kind::U64, AttrValue::U64(value)) => self.store(attr, &value.to_ne_bytes()),
            (Kind::Ipv4, AttrValue::Ipv4(value)) => self.store(attr, &value.octets()),
            (Kind::Ipv6, AttrValue::Ipv6(value)) => self.store(attr, &value.octets()),
            (Kind::Name, AttrValue::Text(name)) => {
                if name.len() >= Self::NAME_LEN || name.contains(&0) {
                    return Err(Error::Invalid("a name of more than 15 bytes"));
                }
                self.store(attr, name);
            }
            (Kind::Blob, AttrValue::Bytes(bytes)) => self.store(attr, bytes),
            (Kind::Labels, AttrValue::Labels(labels)) => {
                *self.label_field_mut(attr) = Some(Box::new(labels.clone()));
                self.head.set.insert(attr);
            }
            (kind, _) if kind == Kind::Context || attr.is_read_only() => {
                return Err(Error::Invalid("an attribute that only the kernel sets"));
            }
            _ => return Err(Error::Invalid("a value of another kind than the attribute")),
        }
        Ok(())
    }

    /// Stores the bytes of a value and makes the attribute present, with the
    /// side effects and limits of the C library's setters: nothing is stored in
    /// read-only attributes, names are cut to 15 bytes.
    ///
    /// Numbers and addresses take their natural width; missing bytes count as
    /// zero. Labels are not set this way.
    pub(crate) fn store(&mut self, attr: Attr, bytes: &[u8]) {
        match attr.row().kind {
            Kind::Unsettable64 | Kind::Labels => return,
            Kind::ReadOnly32 | Kind::ReadOnly64 | Kind::Context => {}
            Kind::Name => self.put_helper_name(bytes),
            Kind::Blob => self.helper_info = Some(Box::new(Blob(bytes.to_vec()))),
            _ => {
                let field = self.field_mut(attr);
                field.fill(0);
                for (place, byte) in field.iter_mut().zip(bytes) {
                    *place = *byte;
                }
                self.store_elsewhere(attr);
            }
        }
        self.head.set.insert(attr);
    }

    /// What setting an attribute stores besides its own field.
    fn store_elsewhere(&mut self, attr: Attr) {
        let tuple = self.head.tuple;
        let [icmp_type, icmp_code] = tuple.l4dst;
        match attr {
            Attr::IcmpType => {
                self.reply.l4dst[0] = inverse_icmp_type(L3Proto(tuple.l3), icmp_type);
            }
            Attr::IcmpCode => self.reply.l4dst[1] = icmp_code,
            Attr::IcmpId => self.reply.l4src = tuple.l4src,
            Attr::SnatIpv4 | Attr::SnatIpv6 => self.snat.max = self.snat.min,
            Attr::DnatIpv4 | Attr::DnatIpv6 => self.dnat.max = self.dnat.min,
            Attr::SnatPort => self.snat.port_max = self.snat.port_min,
            Attr::DnatPort => self.dnat.port_max = self.dnat.port_min,
            _ => {}
        }
    }

    /// The bytes of an attribute that stand in the entry itself.
    pub(crate) fn field(&self, attr: Attr) -> &[u8] {
        let row = attr.row();
        let Some(width) = row.kind.width() else {
            return &[];
        };
        // SAFETY: place and width lie inside the entry (a test goes over all
        // rows) and cover integers and byte arrays without padding only.
        unsafe {
            let place = ptr::from_ref(self).cast::<u8>().add(row.place);
            slice::from_raw_parts(place, width)
        }
    }

    /// As [`field`](Self::field), to be written.
    pub(crate) fn field_mut(&mut self, attr: Attr) -> &mut [u8] {
        let row = attr.row();
        let Some(width) = row.kind.width() else {
            return &mut [];
        };
        // SAFETY: as in `field`; any bytes are a valid value of these fields.
        unsafe {
            let place = ptr::from_mut(self).cast::<u8>().add(row.place);
            slice::from_raw_parts_mut(place, width)
        }
    }

    pub(crate) fn label_field(&self, attr: Attr) -> &Option<Box<Bitmask>> {
        match attr {
            Attr::ConnlabelsMask => &self.labels_mask,
            _ => &self.labels,
        }
    }

    pub(crate) fn label_field_mut(&mut self, attr: Attr) -> &mut Option<Box<Bitmask>> {
        match attr {
            Attr::ConnlabelsMask => &mut self.labels_mask,
            _ => &mut self.labels,
        }
    }
}

impl Clone for Conntrack {
    // Copying an entry as one block and then its four owned parts takes half the
    // time of copying it field by field.
    #[doc(alias = "nfct_clone")]
    fn clone(&self) -> Self {
        let mut copy = MaybeUninit::<Self>::uninit();
        let place = copy.as_mut_ptr();
        // SAFETY: the block is as large as the place. What it says of the owned
        // parts is written over without being dropped, so that each part has one
        // owner by the time the copy counts as an entry; until then nothing
        // drops it, should a clone fail.
        unsafe {
            ptr::copy_nonoverlapping(self, place, 1);
            (&raw mut (*place).secctx).write(self.secctx.clone());
            (&raw mut (*place).helper_info).write(self.helper_info.clone());
            (&raw mut (*place).labels).write(self.labels.clone());
            (&raw mut (*place).labels_mask).write(self.labels_mask.clone());
            copy.assume_init()
        }
    }
}

/// A number of 1, 2, 4 or 8 bytes in host byte order.
fn number(bytes: &[u8]) -> u64 {
    match *bytes {
        [a] => a.into(),
        [a, b] => u16::from_ne_bytes([a, b]).into(),
        [a, b, c, d] => u32::from_ne_bytes([a, b, c, d]).into(),
        [a, b, c, d, e, f, g, h] => u64::from_ne_bytes([a, b, c, d, e, f, g, h]),
        _ => 0,
    }
}

/// The bytes of an address, filled up with zeros.
fn address(bytes: &[u8]) -> [u8; 16] {
    let mut address = [0; 16];
    for (place, byte) in address.iter_mut().zip(bytes) {
        *place = *byte;
    }
    address
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_stand_at_their_numbers_and_inside_the_entry() {
        for (attr, row) in Attr::ALL.into_iter().zip(&ROWS) {
            let name = row.name.replace('_', "");
            assert_eq!(format!("{attr:?}").to_uppercase(), name);
            let width = row.kind.width().unwrap_or(size_of::<usize>());
            assert!(row.place + width <= size_of::<Conntrack>(), "{}", row.name);
            // The C library gives pointers to numbers, aligned as the entry is.
            let alignment = if row.kind == Kind::Ipv6 {
                4
            } else {
                width.min(8)
            };
            assert_eq!(row.place % alignment, 0, "{}", row.name);
        }
    }

    /// A value for every settable attribute, different for each byte.
    fn value(attr: Attr, labels: &Bitmask) -> Option<AttrValue<'_>> {
        Some(match attr.row().kind {
            Kind::U8 => AttrValue::U8(0x11),
            Kind::U16 | Kind::U16Be => AttrValue::U16(0x1122),
            Kind::U32 => AttrValue::U32(0x1122_3344),
            Kind::U64 => AttrValue::U64(0x1122_3344_5566_7788),
            Kind::Ipv4 => AttrValue::Ipv4([192, 0, 2, 1].into()),
            Kind::Ipv6 => AttrValue::Ipv6("2001:db8::1".parse().unwrap()),
            Kind::Name => AttrValue::Text(b"fifteen-bytes-x"),
            Kind::Blob => AttrValue::Bytes(b"private"),
            Kind::Labels => AttrValue::Labels(labels),
            Kind::ReadOnly32 | Kind::ReadOnly64 | Kind::Unsettable64 | Kind::Context => {
                return None;
            }
        })
    }

    #[test]
    fn every_attribute_gives_back_what_was_set() {
        let mut labels = Bitmask::new(127).unwrap();
        labels.set(99);
        let mut settable = 0;
        for attr in Attr::ALL {
            let mut entry = Conntrack::new();
            assert_eq!(entry.attr(attr), None);
            let Some(value) = value(attr, &labels) else {
                assert!(attr.is_read_only());
                let refused = entry.set_attr(attr, AttrValue::U64(1));
                assert!(refused.is_err() && !entry.is_set(attr));
                continue;
            };
            settable += 1;
            entry.set_attr(attr, value).unwrap();
            assert_eq!(entry.attr(attr), Some(value), "{}", attr.name());
            assert_eq!(entry.attrs().collect::<Vec<_>>(), [attr]);
            entry.unset(attr);
            assert_eq!(entry.attr(attr), None);
        }
        assert_eq!(settable, Attr::COUNT - 9);
    }

    #[test]
    fn values_of_another_kind_are_refused() {
        let mut entry = Conntrack::new();
        assert!(entry.set_attr(Attr::Mark, AttrValue::U16(1)).is_err());
        assert!(entry.set_attr(Attr::Zone, AttrValue::U32(1)).is_err());
        let long = AttrValue::Text(b"sixteen-bytes-xx");
        assert!(entry.set_attr(Attr::HelperName, long).is_err());
        assert_eq!(entry.attrs().count(), 0);
    }

    #[test]
    fn ports_are_stored_in_network_byte_order() {
        let mut entry = Conntrack::new();
        entry
            .set_attr(Attr::OrigPortSrc, AttrValue::U16(0x1122))
            .unwrap();
        assert_eq!(entry.field(Attr::OrigPortSrc), [0x11, 0x22]);
        assert_eq!(entry.field(Attr::IcmpId), [0x11, 0x22]);
    }

    #[test]
    fn icmp_types_are_answered_in_the_reply() {
        for (family, kind, answer) in [
            (2, 8, 0),
            (2, 0, 8),
            (2, 3, 255),
            (10, 128, 129),
            (0, 8, 255),
        ] {
            let mut entry = Conntrack::new();
            entry.store(Attr::OrigL3proto, &[family]);
            entry.store(Attr::IcmpType, &[kind]);
            entry.store(Attr::IcmpCode, &[3]);
            entry.store(Attr::IcmpId, &[1, 2]);
            assert_eq!(entry.reply.l4dst, [answer, 3]);
            assert_eq!(entry.reply.l4src, [1, 2]);
            assert!(!entry.is_set(Attr::ReplPortSrc));
        }
    }
}
