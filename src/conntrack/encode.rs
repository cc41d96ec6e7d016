//! From an entry to the attributes of a request.

#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects
    )
)]

use super::attr_number::Attr;
use super::attr_set::AttrSet;
use super::fields::{RawNat, SeqAdjust, Synproxy};
use super::l4proto::{L4Layout, L4Proto};
use super::labels::Bitmask;
use super::object::Conntrack;
use super::proto_attrs::{DCCP, SCTP, TCP};
use super::protoinfo::place;
use super::status::Status;
use super::tuple::RawTuple;
use super::tuple_attrs::{MASTER, REPLY};
use crate::error::{Error, Result};
use crate::netlink::Builder;
use crate::nfnetlink::L3Proto;
use crate::uapi::{
    cta, cta_help, cta_ip, cta_nat, cta_proto, cta_protoinfo, cta_seqadj, cta_synproxy, cta_tuple,
};

impl Conntrack {
    /// Puts the attributes of the entry into a message whose headers are there:
    /// one of the conntrack subsystem, or a nest of another's, such as the entry
    /// that goes with a packet of NFQUEUE (`NFQA_CT`). [`Query`](crate::Query)
    /// makes whole requests.
    ///
    /// Not put is what only the kernel sets (counters, timestamps, use, id,
    /// security context); CONFIRMED is added to the status, as the kernel demands it.
    ///
    /// ```
    /// use netfilter_conntrack::netlink::{Builder, Header};
    /// use netfilter_conntrack::nfnetlink::{L3Proto, Nfgenmsg, Subsystem};
    /// use netfilter_conntrack::{Conntrack, Tuple};
    ///
    /// let tuple = Tuple::udp("192.0.2.1:9".parse().unwrap(), "192.0.2.2:53".parse().unwrap())?;
    /// let entry = Conntrack::flow(tuple);
    /// let mut buffer = Vec::new();
    /// let header = Header::request(Subsystem::CONNTRACK.message_type(0), Default::default());
    /// let mut message = Nfgenmsg::family(L3Proto::IPV4).start(&mut buffer, header);
    /// entry.encode_into(&mut message)?;
    /// message.finish()?;
    /// # Ok::<(), netfilter_conntrack::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Invalid`] where the original tuple is missing, a tuple's family is
    /// neither IPv4 nor IPv6, or labels and their mask differ in size. Part of the
    /// attributes may be in the message then, which is to be dropped.
    #[doc(alias = "nfct_nlmsg_build")]
    #[doc(alias = "nfct_build_conntrack")]
    pub fn encode_into(&self, message: &mut Builder<'_>) -> Result<()> {
        encode(self, message)
    }
}

/// Puts all attributes that a request may carry.
///
/// Not put is what only the kernel sets (counters, timestamps, use, id,
/// security context); CONFIRMED is added to the status, as the kernel demands it.
///
/// # Errors
/// [`Error::Invalid`] where the original tuple is missing, a tuple's family is
/// neither IPv4 nor IPv6, or labels and their mask differ in size. The message
/// is then incomplete and must not be sent.
pub(crate) fn encode(entry: &Conntrack, message: &mut Builder<'_>) -> Result<()> {
    // The kernel takes no such mask, and without one it replaces all labels.
    match (entry.labels(), entry.labels_mask()) {
        (Some(labels), Some(mask)) if !same_size(labels, mask) => {
            Err(Error::Invalid("labels and their mask of different sizes"))
        }
        _ => encode_as_c(entry, message),
    }
}

/// The same, but as the C library does it: a mask that differs from the labels in
/// size is left out. `conntrack --label-del` is built on that.
///
/// # Errors
/// As above, but for that.
pub(crate) fn encode_as_c(entry: &Conntrack, message: &mut Builder<'_>) -> Result<()> {
    tuples(entry, message)?;
    let set = entry.head.set;
    if set.intersects(MASTER.contents) {
        encodable(&entry.master)?;
        tuple(message, cta::TUPLE_MASTER, &entry.master, None);
    }
    if set.contains(Attr::Status) {
        let status = entry.status | Status::CONFIRMED.bits();
        message.put_u32_be(cta::STATUS, status);
    }
    let numbers = [
        (Attr::Timeout, cta::TIMEOUT, entry.timeout),
        (Attr::Mark, cta::MARK, entry.mark),
        (Attr::Secmark, cta::SECMARK, entry.secmark),
    ];
    for (attr, kind, value) in numbers {
        if set.contains(attr) {
            message.put_u32_be(kind, value);
        }
    }
    protoinfo(entry, message);
    let l4proto = L4Proto(entry.head.tuple.l4);
    let source = [Attr::SnatIpv4, Attr::SnatIpv6, Attr::SnatPort];
    nat(message, cta::NAT_SRC, &entry.snat, set, source, l4proto);
    let destination = [Attr::DnatIpv4, Attr::DnatIpv6, Attr::DnatPort];
    nat(
        message,
        cta::NAT_DST,
        &entry.dnat,
        set,
        destination,
        l4proto,
    );
    if set.contains_all(SEQ_ORIGINAL) {
        seq_adjust(message, cta::SEQ_ADJ_ORIG, &entry.seq_adjust.original);
    }
    if set.contains_all(SEQ_REPLY) {
        seq_adjust(message, cta::SEQ_ADJ_REPLY, &entry.seq_adjust.reply);
    }
    if set.contains(Attr::HelperName) {
        message.nest(cta::HELP, |help| {
            help.put_string(cta_help::NAME, entry.helper_bytes());
            if let Some(info) = &entry.helper_info {
                help.put(cta_help::INFO, &info.0);
            }
        });
    }
    zone(entry, message);
    labels(entry, message);
    if set.contains_all(SYNPROXY) {
        synproxy(message, &entry.synproxy);
    }
    Ok(())
}

/// Puts what identifies an entry to the kernel: its tuples, its zone and, so
/// that a later flow with the same tuple is not taken for it, its id.
///
/// # Errors
/// [`Error::Invalid`] where the entry has neither tuple, or one whose family is
/// neither IPv4 nor IPv6. To the kernel such a DELETE would be a flush.
pub(crate) fn encode_key(entry: &Conntrack, message: &mut Builder<'_>) -> Result<()> {
    if entry.is_set(Attr::OrigL3proto) {
        original(entry, message)?;
    } else if entry.is_set(Attr::ReplL3proto) {
        reply(entry, message)?;
    } else {
        return Err(Error::Invalid("an entry without a tuple"));
    }
    zone(entry, message);
    if entry.is_set(Attr::Id) {
        message.put_u32_be(cta::ID, entry.id);
    }
    Ok(())
}

fn tuples(entry: &Conntrack, message: &mut Builder<'_>) -> Result<()> {
    if !entry.is_set(Attr::OrigL3proto) {
        return Err(Error::Invalid("an entry without an original tuple"));
    }
    original(entry, message)?;
    if entry.head.set.intersects(REPLY.all()) {
        reply(entry, message)?;
    }
    Ok(())
}

fn original(entry: &Conntrack, message: &mut Builder<'_>) -> Result<()> {
    encodable(&entry.head.tuple)?;
    let zone = entry
        .is_set(Attr::OrigZone)
        .then_some(entry.head.tuple.zone);
    tuple(message, cta::TUPLE_ORIG, &entry.head.tuple, zone);
    Ok(())
}

fn reply(entry: &Conntrack, message: &mut Builder<'_>) -> Result<()> {
    encodable(&entry.reply)?;
    let zone = entry.is_set(Attr::ReplZone).then_some(entry.reply.zone);
    tuple(message, cta::TUPLE_REPLY, &entry.reply, zone);
    Ok(())
}

/// Whether a tuple can be put into a request.
///
/// # Errors
/// [`Error::Invalid`] for a family that is neither IPv4 nor IPv6.
pub(crate) fn encodable(tuple: &RawTuple) -> Result<()> {
    match L3Proto(tuple.l3) {
        L3Proto::IPV4 | L3Proto::IPV6 => Ok(()),
        _ => Err(Error::Invalid("a tuple that is neither IPv4 nor IPv6")),
    }
}

/// Puts a tuple as the attribute `kind`.
pub(crate) fn tuple(message: &mut Builder<'_>, kind: u16, tuple: &RawTuple, zone: Option<u16>) {
    message.nest(kind, |nest| {
        nest.nest(cta_tuple::IP, |ip| {
            if L3Proto(tuple.l3) == L3Proto::IPV6 {
                ip.put(cta_ip::V6_SRC, &tuple.src);
                ip.put(cta_ip::V6_DST, &tuple.dst);
            } else {
                ip.put(cta_ip::V4_SRC, front(&tuple.src));
                ip.put(cta_ip::V4_DST, front(&tuple.dst));
            }
        });
        nest.nest(cta_tuple::PROTO, |proto| l4_part(proto, tuple));
        if let Some(zone) = zone {
            nest.put_u16_be(cta_tuple::ZONE, zone);
        }
    });
}

fn l4_part(proto: &mut Builder<'_>, tuple: &RawTuple) {
    let l4proto = L4Proto(tuple.l4);
    let [icmp_type, icmp_code] = tuple.l4dst;
    proto.put_u8(cta_proto::NUM, tuple.l4);
    match l4proto.layout() {
        L4Layout::Ports | L4Layout::Keys => {
            proto.put(cta_proto::SRC_PORT, &tuple.l4src);
            proto.put(cta_proto::DST_PORT, &tuple.l4dst);
        }
        L4Layout::Icmp => {
            let [code, kind, id] = if l4proto == L4Proto::ICMPV6 {
                [
                    cta_proto::ICMPV6_CODE,
                    cta_proto::ICMPV6_TYPE,
                    cta_proto::ICMPV6_ID,
                ]
            } else {
                [
                    cta_proto::ICMP_CODE,
                    cta_proto::ICMP_TYPE,
                    cta_proto::ICMP_ID,
                ]
            };
            proto.put_u8(code, icmp_code);
            proto.put_u8(kind, icmp_type);
            proto.put(id, &tuple.l4src);
        }
        L4Layout::Nothing => {}
    }
}

fn protoinfo(entry: &Conntrack, message: &mut Builder<'_>) {
    let set = entry.head.set;
    let (kind, attrs, fill): (u16, AttrSet, fn(&Conntrack, &mut Builder<'_>)) =
        match L4Proto(entry.head.tuple.l4) {
            L4Proto::TCP => (cta_protoinfo::TCP, TCP, tcp),
            L4Proto::SCTP => (cta_protoinfo::SCTP, SCTP, sctp),
            L4Proto::DCCP => (cta_protoinfo::DCCP, DCCP, dccp),
            _ => return,
        };
    if set.intersects(attrs) {
        message.nest(cta::PROTOINFO, |info| {
            info.nest(kind, |nest| fill(entry, nest));
        });
    }
}

fn tcp(entry: &Conntrack, nest: &mut Builder<'_>) {
    let byte = |place| entry.protoinfo.u8(place);
    let has = |attr| entry.is_set(attr);
    if has(Attr::TcpState) {
        nest.put_u8(cta_protoinfo::TCP_STATE, byte(place::STATE));
    }
    if has(Attr::TcpFlagsOrig) && has(Attr::TcpMaskOrig) {
        let flags = [
            byte(place::TCP_FLAGS_ORIGINAL),
            byte(place::TCP_MASK_ORIGINAL),
        ];
        nest.put(cta_protoinfo::TCP_FLAGS_ORIGINAL, &flags);
    }
    if has(Attr::TcpFlagsRepl) && has(Attr::TcpMaskRepl) {
        let flags = [byte(place::TCP_FLAGS_REPLY), byte(place::TCP_MASK_REPLY)];
        nest.put(cta_protoinfo::TCP_FLAGS_REPLY, &flags);
    }
    if has(Attr::TcpWscaleOrig) {
        let scale = byte(place::TCP_WSCALE_ORIGINAL);
        nest.put_u8(cta_protoinfo::TCP_WSCALE_ORIGINAL, scale);
    }
    if has(Attr::TcpWscaleRepl) {
        let scale = byte(place::TCP_WSCALE_REPLY);
        nest.put_u8(cta_protoinfo::TCP_WSCALE_REPLY, scale);
    }
}

fn sctp(entry: &Conntrack, nest: &mut Builder<'_>) {
    let info = &entry.protoinfo;
    if entry.is_set(Attr::SctpState) {
        nest.put_u8(cta_protoinfo::SCTP_STATE, info.u8(place::STATE));
    }
    if entry.is_set(Attr::SctpVtagOrig) {
        let tag = info.u32(place::SCTP_VTAG_ORIGINAL);
        nest.put_u32_be(cta_protoinfo::SCTP_VTAG_ORIGINAL, tag);
    }
    if entry.is_set(Attr::SctpVtagRepl) {
        let tag = info.u32(place::SCTP_VTAG_REPLY);
        nest.put_u32_be(cta_protoinfo::SCTP_VTAG_REPLY, tag);
    }
}

fn dccp(entry: &Conntrack, nest: &mut Builder<'_>) {
    let info = &entry.protoinfo;
    if entry.is_set(Attr::DccpState) {
        nest.put_u8(cta_protoinfo::DCCP_STATE, info.u8(place::STATE));
    }
    if entry.is_set(Attr::DccpRole) {
        nest.put_u8(cta_protoinfo::DCCP_ROLE, info.u8(place::DCCP_ROLE));
    }
    if entry.is_set(Attr::DccpHandshakeSeq) {
        let seq = info.u64(place::DCCP_HANDSHAKE_SEQ);
        nest.put_u64_be(cta_protoinfo::DCCP_HANDSHAKE_SEQ, seq);
    }
}

fn nat(
    message: &mut Builder<'_>,
    kind: u16,
    range: &RawNat,
    set: AttrSet,
    [ipv4, ipv6, port]: [Attr; 3],
    l4proto: L4Proto,
) {
    let (has_v4, has_v6) = (set.contains(ipv4), set.contains(ipv6));
    let has_port = set.contains(port);
    if !(has_v4 || has_v6 || has_port) {
        return;
    }
    // Where both families are set, IPv4 goes first, as in the C library.
    message.nest(kind, |nest| {
        if has_v4 {
            nest.put(cta_nat::V4_MINIP, front(&range.min));
            if front(&range.max) != front(&range.min) {
                nest.put(cta_nat::V4_MAXIP, front(&range.max));
            }
        } else if has_v6 {
            nest.put(cta_nat::V6_MINIP, &range.min);
            if range.max != range.min {
                nest.put(cta_nat::V6_MAXIP, &range.max);
            }
        }
        if has_port {
            nest.nest(cta_nat::PROTO, |ports| {
                if matches!(l4proto, L4Proto::TCP | L4Proto::UDP) {
                    ports.put(cta_nat::PORT_MIN, &range.port_min);
                    ports.put(cta_nat::PORT_MAX, &range.port_max);
                }
            });
        }
    });
}

fn seq_adjust(message: &mut Builder<'_>, kind: u16, adjust: &SeqAdjust) {
    message.nest(kind, |nest| {
        nest.put_u32_be(cta_seqadj::CORRECTION_POS, adjust.correction_pos);
        nest.put(
            cta_seqadj::OFFSET_BEFORE,
            &adjust.offset_before.to_be_bytes(),
        );
        nest.put(cta_seqadj::OFFSET_AFTER, &adjust.offset_after.to_be_bytes());
    });
}

fn synproxy(message: &mut Builder<'_>, synproxy: &Synproxy) {
    message.nest(cta::SYNPROXY, |nest| {
        nest.put_u32_be(cta_synproxy::ISN, synproxy.isn);
        nest.put_u32_be(cta_synproxy::ITS, synproxy.its);
        nest.put_u32_be(cta_synproxy::TSOFF, synproxy.tsoff);
    });
}

fn zone(entry: &Conntrack, message: &mut Builder<'_>) {
    if entry.is_set(Attr::Zone) {
        message.put_u16_be(cta::ZONE, entry.zone);
    }
}

fn labels(entry: &Conntrack, message: &mut Builder<'_>) {
    let Some(labels) = entry.labels() else {
        return;
    };
    put_words(message, cta::LABELS, labels);
    match entry.labels_mask() {
        Some(mask) if same_size(labels, mask) => put_words(message, cta::LABELS_MASK, mask),
        _ => {}
    }
}

fn same_size(labels: &Bitmask, mask: &Bitmask) -> bool {
    labels.words().len() == mask.words().len()
}

/// Puts the words of a bitmask, which the kernel reads in host byte order.
fn put_words(message: &mut Builder<'_>, kind: u16, mask: &Bitmask) {
    let words = mask.words();
    let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_ne_bytes()).collect();
    message.put(kind, &bytes);
}

/// The IPv4 address in the first four bytes of an address's place.
fn front(place: &[u8; 16]) -> &[u8] {
    place.get(..4).unwrap_or_default()
}

const SEQ_ORIGINAL: AttrSet = AttrSet::of(&[
    Attr::OrigNatSeqCorrectionPos,
    Attr::OrigNatSeqOffsetBefore,
    Attr::OrigNatSeqOffsetAfter,
]);

const SEQ_REPLY: AttrSet = AttrSet::of(&[
    Attr::ReplNatSeqCorrectionPos,
    Attr::ReplNatSeqOffsetBefore,
    Attr::ReplNatSeqOffsetAfter,
]);

const SYNPROXY: AttrSet = AttrSet::of(&[Attr::SynproxyIsn, Attr::SynproxyIts, Attr::SynproxyTsoff]);
