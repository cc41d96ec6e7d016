//! Entries.

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::parts::{DNAT, NatObject, SNAT, SynproxyObject, TimestampObject};
use super::protoinfo::{DccpObject, SctpObject, TcpObject};
use super::put;
use super::tuple::{SeqAdjustObject, TupleObject};
use super::values::{Bits, FlagList, Hex, Text};
use crate::conntrack::fields::Blob;
use crate::conntrack::tuple_attrs::{MASTER, ORIGINAL, REPLY};
use crate::conntrack::{Attr, Bitmask, Conntrack, Direction, Status};

/// Bits of the labels that the kernel has.
const LABELS: u32 = 128;

/// See [`json`](super) for the schema.
impl Serialize for Conntrack {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        EntryObject::new(self).serialize(serializer)
    }
}

/// See [`json`](super) for the schema.
impl<'de> Deserialize<'de> for Conntrack {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let object = EntryObject::deserialize(deserializer)?;
        object.into_entry().map_err(D::Error::custom)
    }
}

#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
struct EntryObject<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    original: Option<TupleObject>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reply: Option<TupleObject>,
    #[serde(skip_serializing_if = "Option::is_none")]
    master: Option<TupleObject>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<FlagList<Status>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    timeout: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mark: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    secmark: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    zone: Option<u16>,
    #[serde(rename = "use", skip_serializing_if = "Option::is_none")]
    use_count: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tcp: Option<TcpObject>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sctp: Option<SctpObject>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dccp: Option<DccpObject>,
    #[serde(skip_serializing_if = "Option::is_none")]
    helper: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    helper_info: Option<Hex<'a>>,
    /// `Some(None)`, JSON's null, where the attribute is present without a value.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "nullable")]
    secctx: Option<Option<Text<'a>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    labels: Option<Bits<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    labels_size: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    labels_mask: Option<Bits<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    labels_mask_size: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    timestamp: Option<TimestampObject>,
    #[serde(skip_serializing_if = "Option::is_none")]
    snat: Option<NatObject>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dnat: Option<NatObject>,
    #[serde(skip_serializing_if = "Option::is_none")]
    synproxy: Option<SynproxyObject>,
}

impl<'a> EntryObject<'a> {
    fn new(entry: &'a Conntrack) -> Self {
        let set = entry.head.set;
        let has = |attr| set.contains(attr);
        let labels = entry.labels.as_deref().filter(|_| has(Attr::Connlabels));
        let mask = entry
            .labels_mask
            .as_deref()
            .filter(|_| has(Attr::ConnlabelsMask));
        let info = entry.helper_info.as_deref().map_or(&[][..], |info| &info.0);
        Self {
            original: direction(entry, Direction::Original),
            reply: direction(entry, Direction::Reply),
            master: TupleObject::new(&entry.master, set, &MASTER),
            status: entry.status().map(FlagList),
            timeout: entry.timeout(),
            mark: entry.mark(),
            secmark: entry.secmark(),
            zone: entry.zone(),
            use_count: entry.use_count(),
            id: entry.id(),
            tcp: TcpObject::new(entry),
            sctp: SctpObject::new(entry),
            dccp: DccpObject::new(entry),
            helper: has(Attr::HelperName).then(|| entry.helper_bytes().into()),
            helper_info: has(Attr::HelperInfo).then(|| Hex(info.into())),
            secctx: has(Attr::Secctx).then(|| entry.secctx_bytes().map(Text::from)),
            labels: labels.map(Bits::Of),
            labels_size: labels.map(size).filter(|size| *size != LABELS),
            labels_mask: mask.map(Bits::Of),
            labels_mask_size: mask.map(size).filter(|size| *size != LABELS),
            timestamp: TimestampObject::new(entry),
            snat: NatObject::new(&entry.snat, set, SNAT),
            dnat: NatObject::new(&entry.dnat, set, DNAT),
            synproxy: SynproxyObject::new(entry),
        }
    }

    fn into_entry(self) -> Result<Conntrack, &'static str> {
        let mut entry = Conntrack::new();
        let set = &mut entry.head.set;
        if let Some(tuple) = &self.original {
            tuple.put(&mut entry.head.tuple, set, &ORIGINAL);
        }
        if let Some(tuple) = &self.reply {
            tuple.put(&mut entry.reply, set, &REPLY);
        }
        if let Some(tuple) = &self.master {
            tuple.put(&mut entry.master, set, &MASTER);
        }
        let status = self.status.map(|status| status.0.bits());
        put(set, Attr::Status, &mut entry.status, status);
        put(set, Attr::Timeout, &mut entry.timeout, self.timeout);
        put(set, Attr::Mark, &mut entry.mark, self.mark);
        put(set, Attr::Secmark, &mut entry.secmark, self.secmark);
        put(set, Attr::Zone, &mut entry.zone, self.zone);
        put(set, Attr::Use, &mut entry.use_count, self.use_count);
        put(set, Attr::Id, &mut entry.id, self.id);
        put_direction(&mut entry, Direction::Original, self.original.as_ref());
        put_direction(&mut entry, Direction::Reply, self.reply.as_ref());
        if let Some(times) = self.timestamp {
            times.put(&mut entry);
        }
        if let Some(nat) = self.snat {
            nat.put(&mut entry.snat, &mut entry.head.set, SNAT);
        }
        if let Some(nat) = self.dnat {
            nat.put(&mut entry.dnat, &mut entry.head.set, DNAT);
        }
        if let Some(synproxy) = self.synproxy {
            synproxy.put(&mut entry);
        }
        if let Some(tcp) = self.tcp {
            tcp.put(&mut entry);
        }
        if let Some(sctp) = self.sctp {
            sctp.put(&mut entry);
        }
        if let Some(dccp) = self.dccp {
            dccp.put(&mut entry);
        }
        if let Some(name) = self.helper {
            let name = name.bytes()?;
            if name.len() >= Conntrack::NAME_LEN {
                return Err("a helper name of more than 15 bytes");
            }
            entry.store(Attr::HelperName, name);
        }
        if let Some(info) = self.helper_info {
            entry.store(Attr::HelperInfo, &info.0);
        }
        if let Some(context) = self.secctx {
            if let Some(context) = context {
                Blob::store(&mut entry.secctx, &[context.bytes()?, b"\0"]);
            }
            entry.head.set.insert(Attr::Secctx);
        }
        if let Some(bits) = self.labels {
            entry.set_labels(bits.into_bitmask(self.labels_size.unwrap_or(LABELS))?);
        }
        if let Some(bits) = self.labels_mask {
            entry.set_labels_mask(bits.into_bitmask(self.labels_mask_size.unwrap_or(LABELS))?);
        }
        Ok(entry)
    }
}

/// Null as `Some(None)`, which serde takes for a key that is not there.
fn nullable<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

fn size(mask: &Bitmask) -> u32 {
    mask.words().len() as u32 * u32::BITS
}

/// A tuple with all else that belongs to its direction.
fn direction(entry: &Conntrack, direction: Direction) -> Option<TupleObject> {
    let set = entry.head.set;
    let (raw, attrs) = match direction {
        Direction::Original => (&entry.head.tuple, &ORIGINAL),
        Direction::Reply => (&entry.reply, &REPLY),
    };
    let ([packets, bytes], adjust) = of_direction(direction);
    let counters = entry.counters.get(direction);
    let tuple = TupleObject::new(raw, set, attrs);
    let packets = set.contains(packets).then_some(counters.packets);
    let bytes = set.contains(bytes).then_some(counters.bytes);
    let seq_adjust = SeqAdjustObject::new(entry.seq_adjust.get(direction), set, adjust);
    let any = tuple.is_some() || packets.is_some() || bytes.is_some() || seq_adjust.is_some();
    any.then(|| {
        let mut tuple = tuple.unwrap_or_default();
        (tuple.packets, tuple.bytes, tuple.seq_adjust) = (packets, bytes, seq_adjust);
        tuple
    })
}

fn put_direction(entry: &mut Conntrack, direction: Direction, tuple: Option<&TupleObject>) {
    let Some(tuple) = tuple else {
        return;
    };
    let ([packets, bytes], adjust) = of_direction(direction);
    let (counters, seq_adjust) = match direction {
        Direction::Original => (&mut entry.counters.original, &mut entry.seq_adjust.original),
        Direction::Reply => (&mut entry.counters.reply, &mut entry.seq_adjust.reply),
    };
    let set = &mut entry.head.set;
    put(set, packets, &mut counters.packets, tuple.packets);
    put(set, bytes, &mut counters.bytes, tuple.bytes);
    if let Some(object) = &tuple.seq_adjust {
        object.put(seq_adjust, set, adjust);
    }
}

/// The attributes of the counters and of the sequence adjustment.
fn of_direction(direction: Direction) -> ([Attr; 2], [Attr; 3]) {
    match direction {
        Direction::Original => (
            [Attr::OrigCounterPackets, Attr::OrigCounterBytes],
            [
                Attr::OrigNatSeqCorrectionPos,
                Attr::OrigNatSeqOffsetBefore,
                Attr::OrigNatSeqOffsetAfter,
            ],
        ),
        Direction::Reply => (
            [Attr::ReplCounterPackets, Attr::ReplCounterBytes],
            [
                Attr::ReplNatSeqCorrectionPos,
                Attr::ReplNatSeqOffsetBefore,
                Attr::ReplNatSeqOffsetAfter,
            ],
        ),
    }
}
