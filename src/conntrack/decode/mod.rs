//! From the kernel's attributes to an entry.

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

mod protoinfo;
mod tuple;

pub(crate) use protoinfo::protoinfo;
pub(crate) use tuple::tuple;

use super::attr_number::Attr;
use super::attr_set::AttrSet;
use super::fields::{Blob, Counters, SeqAdjust, Synproxy};
use super::labels::Bitmask;
use super::object::Conntrack;
use super::tuple_attrs::{MASTER, ORIGINAL, REPLY};
use super::wire::{Index, exact, inside};
use crate::error::DecodeError;
use crate::netlink::{Attr as WireAttr, AttrIndex, Attrs};
use crate::nfnetlink::L3Proto;
use crate::uapi::{
    cta, cta_counters, cta_help, cta_secctx, cta_seqadj, cta_synproxy, cta_timestamp,
};

type Result<T = ()> = std::result::Result<T, DecodeError>;

/// The longest label attribute that makes sense: 65,536 bits.
const LABELS_MAX: usize = 8192;

/// Adds the attributes of a message to `entry`; what it had before stays where
/// the message does not replace it.
pub(crate) fn decode_index(index: &Index<'_>, family: L3Proto, entry: &mut Conntrack) -> Result {
    let set = &mut entry.head.set;
    if let Some(nest) = index.get(cta::TUPLE_ORIG) {
        tuple(&nest, family, &ORIGINAL, &mut entry.head.tuple, set)?;
    }
    if let Some(nest) = index.get(cta::TUPLE_REPLY) {
        tuple(&nest, family, &REPLY, &mut entry.reply, set)?;
    }
    if let Some(nest) = index.get(cta::TUPLE_MASTER) {
        tuple(&nest, family, &MASTER, &mut entry.master, set)?;
    }
    let numbers = [
        (cta::STATUS, Attr::Status, &mut entry.status),
        (cta::TIMEOUT, Attr::Timeout, &mut entry.timeout),
        (cta::MARK, Attr::Mark, &mut entry.mark),
        (cta::SECMARK, Attr::Secmark, &mut entry.secmark),
        (cta::USE, Attr::Use, &mut entry.use_count),
        (cta::ID, Attr::Id, &mut entry.id),
    ];
    for (kind, attr, field) in numbers {
        if let Some(value) = index.get(kind).and_then(|attr| attr.u32_be()) {
            *field = value;
            set.insert(attr);
        }
    }
    if let Some(zone) = index.get(cta::ZONE).and_then(|attr| attr.u16_be()) {
        entry.zone = zone;
        set.insert(Attr::Zone);
    }
    if let Some(nest) = index.get(cta::PROTOINFO) {
        protoinfo(&nest, &mut entry.protoinfo, set)?;
    }
    if let Some(nest) = index.get(cta::COUNTERS_ORIG) {
        let attrs = [Attr::OrigCounterPackets, Attr::OrigCounterBytes];
        counters(&nest, &mut entry.counters.original, attrs, set)?;
    }
    if let Some(nest) = index.get(cta::COUNTERS_REPLY) {
        let attrs = [Attr::ReplCounterPackets, Attr::ReplCounterBytes];
        counters(&nest, &mut entry.counters.reply, attrs, set)?;
    }
    if let Some(nest) = index.get(cta::TIMESTAMP) {
        let [start, stop] = timestamps(&nest)?;
        if let Some(start) = start {
            entry.timestamp_start = start;
            set.insert(Attr::TimestampStart);
        }
        if let Some(stop) = stop {
            entry.timestamp_stop = stop;
            set.insert(Attr::TimestampStop);
        }
    }
    if let Some(nest) = index.get(cta::SEQ_ADJ_ORIG) {
        let attrs = [
            Attr::OrigNatSeqCorrectionPos,
            Attr::OrigNatSeqOffsetBefore,
            Attr::OrigNatSeqOffsetAfter,
        ];
        seq_adjust(&nest, &mut entry.seq_adjust.original, attrs, set)?;
    }
    if let Some(nest) = index.get(cta::SEQ_ADJ_REPLY) {
        let attrs = [
            Attr::ReplNatSeqCorrectionPos,
            Attr::ReplNatSeqOffsetBefore,
            Attr::ReplNatSeqOffsetAfter,
        ];
        seq_adjust(&nest, &mut entry.seq_adjust.reply, attrs, set)?;
    }
    if let Some(nest) = index.get(cta::SYNPROXY) {
        synproxy(&nest, &mut entry.synproxy, set)?;
    }
    if let Some(time) = index.get(cta::TIMESTAMP_EVENT).and_then(|a| a.u64_be()) {
        entry.timestamp_event = time;
        set.insert(Attr::TimestampEvent);
    }
    if let Some(nest) = index.get(cta::HELP) {
        help(&nest, entry)?;
    }
    if let Some(nest) = index.get(cta::SECCTX) {
        if let Some(context) = secctx(&nest)? {
            Blob::store(&mut entry.secctx, &[context, b"\0"]);
            entry.head.set.insert(Attr::Secctx);
        }
    }
    if let Some(bits) = index.get(cta::LABELS) {
        if let Some(bits) = labels(&bits)? {
            let mask: &mut Bitmask = entry.labels.get_or_insert_default();
            mask.assign(bits);
            entry.head.set.insert(Attr::Connlabels);
        }
    }
    Ok(())
}

/// Reads the counters of one direction. Where a number comes in 64 bits and in
/// the 32 of old kernels, the former counts.
pub(crate) fn counters(
    nest: &WireAttr<'_>,
    counters: &mut Counters,
    [packets_attr, bytes_attr]: [Attr; 2],
    set: &mut AttrSet,
) -> Result {
    let (mut packets, mut bytes) = (None, None);
    let (mut packets32, mut bytes32) = (None, None);
    for attr in nest.nested() {
        let attr = attr.map_err(inside("CTA_COUNTERS"))?;
        match attr.kind() {
            cta_counters::PACKETS => {
                packets = Some(u64::from_be_bytes(exact(&attr, "CTA_COUNTERS_PACKETS")?));
            }
            cta_counters::BYTES => {
                bytes = Some(u64::from_be_bytes(exact(&attr, "CTA_COUNTERS_BYTES")?));
            }
            cta_counters::PACKETS32 => {
                packets32 = Some(u32::from_be_bytes(exact(&attr, "CTA_COUNTERS32_PACKETS")?));
            }
            cta_counters::BYTES32 => {
                bytes32 = Some(u32::from_be_bytes(exact(&attr, "CTA_COUNTERS32_BYTES")?));
            }
            _ => {}
        }
    }
    if let Some(packets) = packets.or(packets32.map(u64::from)) {
        counters.packets = packets;
        set.insert(packets_attr);
    }
    if let Some(bytes) = bytes.or(bytes32.map(u64::from)) {
        counters.bytes = bytes;
        set.insert(bytes_attr);
    }
    Ok(())
}

/// Start and end in CTA_TIMESTAMP.
pub(crate) fn timestamps(nest: &WireAttr<'_>) -> Result<[Option<u64>; 2]> {
    let (mut start, mut stop) = (None, None);
    for attr in nest.nested() {
        let attr = attr.map_err(inside("CTA_TIMESTAMP"))?;
        match attr.kind() {
            cta_timestamp::START => {
                start = Some(u64::from_be_bytes(exact(&attr, "CTA_TIMESTAMP_START")?));
            }
            cta_timestamp::STOP => {
                stop = Some(u64::from_be_bytes(exact(&attr, "CTA_TIMESTAMP_STOP")?));
            }
            _ => {}
        }
    }
    Ok([start, stop])
}

/// Reads how sequence numbers of one direction are adjusted.
pub(crate) fn seq_adjust(
    nest: &WireAttr<'_>,
    adjust: &mut SeqAdjust,
    [position, before, after]: [Attr; 3],
    set: &mut AttrSet,
) -> Result {
    for attr in nest.nested() {
        let attr = attr.map_err(inside("CTA_SEQ_ADJ"))?;
        match attr.kind() {
            cta_seqadj::CORRECTION_POS => {
                let value = exact(&attr, "CTA_SEQADJ_CORRECTION_POS")?;
                adjust.correction_pos = u32::from_be_bytes(value);
                set.insert(position);
            }
            cta_seqadj::OFFSET_BEFORE => {
                let value = exact(&attr, "CTA_SEQADJ_OFFSET_BEFORE")?;
                adjust.offset_before = i32::from_be_bytes(value);
                set.insert(before);
            }
            cta_seqadj::OFFSET_AFTER => {
                let value = exact(&attr, "CTA_SEQADJ_OFFSET_AFTER")?;
                adjust.offset_after = i32::from_be_bytes(value);
                set.insert(after);
            }
            _ => {}
        }
    }
    Ok(())
}

/// Reads what SYNPROXY keeps.
pub(crate) fn synproxy(nest: &WireAttr<'_>, synproxy: &mut Synproxy, set: &mut AttrSet) -> Result {
    for attr in nest.nested() {
        let attr = attr.map_err(inside("CTA_SYNPROXY"))?;
        match attr.kind() {
            cta_synproxy::ISN => {
                synproxy.isn = u32::from_be_bytes(exact(&attr, "CTA_SYNPROXY_ISN")?);
                set.insert(Attr::SynproxyIsn);
            }
            cta_synproxy::ITS => {
                synproxy.its = u32::from_be_bytes(exact(&attr, "CTA_SYNPROXY_ITS")?);
                set.insert(Attr::SynproxyIts);
            }
            cta_synproxy::TSOFF => {
                synproxy.tsoff = u32::from_be_bytes(exact(&attr, "CTA_SYNPROXY_TSOFF")?);
                set.insert(Attr::SynproxyTsoff);
            }
            _ => {}
        }
    }
    Ok(())
}

/// The helper's name, and its private data where there are some.
fn help(nest: &WireAttr<'_>, entry: &mut Conntrack) -> Result {
    let index = AttrIndex::<3>::new(nest.payload()).map_err(inside("CTA_HELP"))?;
    let Some(name) = index.get(cta_help::NAME) else {
        return Ok(());
    };
    entry.put_helper_name(string(&name, "CTA_HELP_NAME")?);
    entry.head.set.insert(Attr::HelperName);
    if let Some(info) = index.get(cta_help::INFO) {
        Blob::store(&mut entry.helper_info, &[info.payload()]);
        entry.head.set.insert(Attr::HelperInfo);
    }
    Ok(())
}

/// The name of the helper in CTA_HELP.
pub(crate) fn helper_name<'a>(nest: &WireAttr<'a>) -> Result<Option<&'a [u8]>> {
    let name = find(nest, cta_help::NAME, "CTA_HELP")?;
    name.map(|name| string(&name, "CTA_HELP_NAME")).transpose()
}

/// The private data of the helper in CTA_HELP, which count only beside a name.
pub(crate) fn helper_info<'a>(nest: &WireAttr<'a>) -> Result<Option<&'a [u8]>> {
    let info = find(nest, cta_help::INFO, "CTA_HELP")?;
    let named = find(nest, cta_help::NAME, "CTA_HELP")?.is_some();
    Ok(info.filter(|_| named).map(|info| info.payload()))
}

/// The security context in CTA_SECCTX.
pub(crate) fn secctx<'a>(nest: &WireAttr<'a>) -> Result<Option<&'a [u8]>> {
    let name = find(nest, cta_secctx::NAME, "CTA_SECCTX")?;
    name.map(|name| string(&name, "CTA_SECCTX_NAME"))
        .transpose()
}

/// The words of CTA_LABELS; an empty attribute means none.
pub(crate) fn labels<'a>(attr: &WireAttr<'a>) -> Result<Option<&'a [u8]>> {
    let bits = attr.payload();
    if bits.len() > LABELS_MAX {
        return Err(DecodeError::Length {
            attribute: "CTA_LABELS",
            len: bits.len(),
        });
    }
    Ok((!bits.is_empty()).then_some(bits))
}

/// The last attribute of this number in a nest.
fn find<'a>(nest: &WireAttr<'a>, kind: u16, name: &'static str) -> Result<Option<WireAttr<'a>>> {
    let mut found = None;
    for attr in Attrs::new(nest.payload()) {
        let attr = attr.map_err(inside(name))?;
        if attr.kind() == kind {
            found = Some(attr);
        }
    }
    Ok(found)
}

/// A string of at least its NUL.
pub(crate) fn string<'a>(attr: &WireAttr<'a>, attribute: &'static str) -> Result<&'a [u8]> {
    if attr.payload().is_empty() {
        return Err(DecodeError::Length { attribute, len: 0 });
    }
    Ok(attr.string())
}
