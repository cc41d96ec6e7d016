//! The view: an entry as it stands in the kernel's message.

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

use std::fmt;

use super::attr_number::Attr;
use super::attr_set::AttrSet;
use super::decode;
use super::fields::{Counters, SeqAdjust, Synproxy, Timestamps};
use super::labels::Labels;
use super::object::Conntrack;
use super::protoinfo::{ProtoInfo, TcpState};
use super::status::Status;
use super::tuple::{Direction, RawTuple, Tuple};
use super::tuple_attrs::{MASTER, ORIGINAL, REPLY, TupleAttrs};
use super::wire::{Index, index};
use crate::error::DecodeError;
use crate::netlink::{Attr as WireAttr, Message};
use crate::nfnetlink::{L3Proto, Nfgenmsg};
use crate::uapi::{cta, cta_protoinfo};

/// An entry in the kernel's message: a view that copies nothing and decodes
/// what is asked for, when it is asked.
///
/// Making a view finds all attributes in one pass and checks those of fixed
/// length. What stands inside the others is checked when it is decoded: a getter
/// gives `None` for what is malformed, [`decode_into`](Self::decode_into) and
/// [`check`](Self::check) say what is wrong. (Linux never sends such.)
///
/// ```
/// use netfilter_conntrack::netlink::Message;
/// use netfilter_conntrack::{Conntrack, ConntrackRef, Query, Tuple};
///
/// # let mut entry = Conntrack::flow(Tuple::udp("192.0.2.1:9".parse().unwrap(), "192.0.2.2:53".parse().unwrap())?);
/// # entry.set_mark(5);
/// # let mut bytes = Vec::new();
/// # Query::Create(&entry).encode(1, &mut bytes)?;
/// let message = Message::parse(&bytes)?;
/// let view = ConntrackRef::parse(&message)?;
/// assert_eq!(view.mark(), Some(5));
/// assert_eq!(view.original().unwrap().ports(), Some((9, 53)));
/// let owned: Conntrack = view.to_owned()?;
/// # Ok::<(), netfilter_conntrack::Error>(())
/// ```
#[derive(Clone, Copy)]
pub struct ConntrackRef<'a> {
    family: L3Proto,
    index: Index<'a>,
}

impl<'a> ConntrackRef<'a> {
    /// A view of the entry in a message of the conntrack subsystem.
    ///
    /// # Errors
    /// [`DecodeError`] where the message is too short, an attribute's length is
    /// wrong, or an attribute of fixed length has another one.
    #[inline]
    pub fn parse(message: &Message<'a>) -> Result<Self, DecodeError> {
        let (header, attributes) = Nfgenmsg::split(message)?;
        Self::from_attributes(attributes, header.family)
    }

    /// A view of the entry in bare attributes, such as stand in a packet of
    /// NFQUEUE or NFLOG (`NFQA_CT`, `NFULA_CT`).
    ///
    /// # Errors
    /// As [`parse`](Self::parse).
    #[doc(alias = "nfct_payload_parse")]
    #[inline]
    pub fn from_attributes(attributes: &'a [u8], family: L3Proto) -> Result<Self, DecodeError> {
        let index = index(attributes)?;
        Ok(Self { family, index })
    }

    /// The address family of the message.
    #[must_use]
    pub fn l3proto(&self) -> L3Proto {
        self.family
    }

    /// The tuple of the original direction.
    #[must_use]
    pub fn original(&self) -> Option<Tuple> {
        self.tuple(cta::TUPLE_ORIG, &ORIGINAL)
    }

    /// The tuple of the reply direction: after translation, what the answers carry.
    #[must_use]
    pub fn reply(&self) -> Option<Tuple> {
        self.tuple(cta::TUPLE_REPLY, &REPLY)
    }

    /// The original tuple of the flow that this one was expected by.
    #[must_use]
    pub fn master(&self) -> Option<Tuple> {
        self.tuple(cta::TUPLE_MASTER, &MASTER)
    }

    /// Status bits.
    #[must_use]
    pub fn status(&self) -> Option<Status> {
        self.number(cta::STATUS).map(Status::from_bits_retain)
    }

    /// Seconds until the entry expires without traffic.
    #[must_use]
    pub fn timeout(&self) -> Option<u32> {
        self.number(cta::TIMEOUT)
    }

    /// The mark. Events leave out a mark of 0.
    #[must_use]
    #[inline]
    pub fn mark(&self) -> Option<u32> {
        self.number(cta::MARK)
    }

    /// The security mark, which today's kernels do not send.
    #[must_use]
    pub fn secmark(&self) -> Option<u32> {
        self.number(cta::SECMARK)
    }

    /// The zone, where it applies to both directions and is not 0.
    #[must_use]
    pub fn zone(&self) -> Option<u16> {
        self.index.get(cta::ZONE)?.u16_be()
    }

    /// How many parts of the kernel hold the entry; in dumps only.
    #[must_use]
    pub fn use_count(&self) -> Option<u32> {
        self.number(cta::USE)
    }

    /// The id the kernel derives for the entry: together with zone and tuple it
    /// tells a flow from a later one with the same tuple.
    #[must_use]
    #[inline]
    pub fn id(&self) -> Option<u32> {
        self.number(cta::ID)
    }

    /// Traffic of one direction.
    #[must_use]
    pub fn counters(&self, direction: Direction) -> Option<Counters> {
        let nest = self.index.get(match direction {
            Direction::Original => cta::COUNTERS_ORIG,
            Direction::Reply => cta::COUNTERS_REPLY,
        })?;
        let mut set = AttrSet::EMPTY;
        let mut counters = Counters::default();
        let attrs = [Attr::OrigCounterPackets, Attr::OrigCounterBytes];
        decode::counters(&nest, &mut counters, attrs, &mut set).ok()?;
        set.contains_all(AttrSet::of(&attrs)).then_some(counters)
    }

    /// Start, end and time of the event.
    #[must_use]
    pub fn timestamps(&self) -> Timestamps {
        let nest = self.index.get(cta::TIMESTAMP);
        let times = nest.and_then(|nest| decode::timestamps(&nest).ok());
        let [start, stop] = times.unwrap_or_default();
        Timestamps {
            start,
            stop,
            event: self
                .index
                .get(cta::TIMESTAMP_EVENT)
                .and_then(|attr| attr.u64_be()),
        }
    }

    /// What the protocol's tracker knows.
    #[must_use]
    pub fn protoinfo(&self) -> Option<ProtoInfo> {
        let nest = self.index.get(cta::PROTOINFO)?;
        let mut entry = Conntrack::new();
        decode::protoinfo(&nest, &mut entry.protoinfo, &mut entry.head.set).ok()?;
        entry.protoinfo()
    }

    /// The state of TCP's tracker, without the rest of [`protoinfo`](Self::protoinfo).
    pub(crate) fn tcp_state(&self) -> Option<TcpState> {
        let info = self.index.get(cta::PROTOINFO)?;
        let tcp = info.nested().find(cta_protoinfo::TCP).ok()??;
        let state = tcp.nested().find(cta_protoinfo::TCP_STATE).ok()??;
        state.u8().map(TcpState)
    }

    /// Name of the helper; `None` also for a name that is not UTF-8.
    #[must_use]
    pub fn helper(&self) -> Option<&'a str> {
        let name = decode::helper_name(&self.index.get(cta::HELP)?).ok()??;
        let kept = name
            .get(..Conntrack::NAME_LEN.wrapping_sub(1))
            .unwrap_or(name);
        std::str::from_utf8(kept).ok()
    }

    /// The helper's private data.
    #[must_use]
    pub fn helper_info(&self) -> Option<&'a [u8]> {
        decode::helper_info(&self.index.get(cta::HELP)?).ok()?
    }

    /// Labels.
    #[must_use]
    pub fn labels(&self) -> Option<Labels<'a>> {
        let bits = decode::labels(&self.index.get(cta::LABELS)?).ok()?;
        bits.map(Labels::new)
    }

    /// The security context; `None` also for one that is not UTF-8.
    #[must_use]
    pub fn secctx(&self) -> Option<&'a str> {
        let context = decode::secctx(&self.index.get(cta::SECCTX)?).ok()??;
        std::str::from_utf8(context).ok()
    }

    /// How sequence numbers of one direction are adjusted.
    #[must_use]
    pub fn seq_adjust(&self, direction: Direction) -> Option<SeqAdjust> {
        let nest = self.index.get(match direction {
            Direction::Original => cta::SEQ_ADJ_ORIG,
            Direction::Reply => cta::SEQ_ADJ_REPLY,
        })?;
        let mut set = AttrSet::EMPTY;
        let mut adjust = SeqAdjust::default();
        let attrs = [
            Attr::OrigNatSeqCorrectionPos,
            Attr::OrigNatSeqOffsetBefore,
            Attr::OrigNatSeqOffsetAfter,
        ];
        decode::seq_adjust(&nest, &mut adjust, attrs, &mut set).ok()?;
        set.contains(Attr::OrigNatSeqCorrectionPos)
            .then_some(adjust)
    }

    /// What SYNPROXY keeps of the flow.
    #[must_use]
    pub fn synproxy(&self) -> Option<Synproxy> {
        let nest = self.index.get(cta::SYNPROXY)?;
        let mut set = AttrSet::EMPTY;
        let mut synproxy = Synproxy::default();
        decode::synproxy(&nest, &mut synproxy, &mut set).ok()?;
        set.contains(Attr::SynproxyIsn).then_some(synproxy)
    }

    /// Decodes the whole entry into one of its own.
    ///
    /// # Errors
    /// [`DecodeError`] names the attribute that is malformed.
    #[doc(alias = "nfct_nlmsg_parse")]
    pub fn to_owned(&self) -> Result<Conntrack, DecodeError> {
        let mut entry = Conntrack::new();
        decode::decode_index(&self.index, self.family, &mut entry)?;
        Ok(entry)
    }

    /// Decodes the whole entry into `entry`, in the place of what it had.
    /// Reusing one entry for many messages allocates nothing per message.
    ///
    /// # Errors
    /// [`DecodeError`] names the attribute that is malformed; `entry` then has
    /// the attributes decoded before it.
    pub fn decode_into(&self, entry: &mut Conntrack) -> Result<(), DecodeError> {
        entry.clear();
        decode::decode_index(&self.index, self.family, entry)
    }

    /// Decodes what the message has and adds it to `entry`, whose other
    /// attributes stay: how an UPDATE event is merged into a known entry.
    ///
    /// # Errors
    /// As [`decode_into`](Self::decode_into).
    pub fn merge_into(&self, entry: &mut Conntrack) -> Result<(), DecodeError> {
        decode::decode_index(&self.index, self.family, entry)
    }

    /// Whether the whole message is well formed.
    ///
    /// # Errors
    /// [`DecodeError`] names the attribute that is malformed.
    pub fn check(&self) -> Result<(), DecodeError> {
        self.to_owned().map(drop)
    }

    /// The attribute as it stands in the message.
    pub(crate) fn wire(&self, kind: u16) -> Option<WireAttr<'a>> {
        self.index.get(kind)
    }

    #[inline]
    fn number(&self, kind: u16) -> Option<u32> {
        self.index.get(kind)?.u32_be()
    }

    #[inline]
    fn tuple(&self, kind: u16, attrs: &TupleAttrs) -> Option<Tuple> {
        let nest: WireAttr<'a> = self.index.get(kind)?;
        let mut raw = RawTuple::default();
        let mut set = AttrSet::EMPTY;
        decode::tuple(&nest, self.family, attrs, &mut raw, &mut set).ok()?;
        let has_zone = attrs.zone.is_some_and(|zone| set.contains(zone));
        Some(Tuple::from_raw(raw, has_zone))
    }
}

impl fmt::Debug for ConntrackRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.to_owned() {
            Ok(entry) => entry.fmt(f),
            Err(error) => write!(f, "ConntrackRef({error})"),
        }
    }
}
