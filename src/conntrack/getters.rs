//! The typed getters of an owned entry. [`ConntrackRef`](super::ConntrackRef)
//! has the same.

use super::attr_number::Attr;
use super::fields::{Counters, Nat, RawNat, SeqAdjust, Synproxy, Timestamps};
use super::labels::Bitmask;
use super::object::Conntrack;
use super::protoinfo::{
    DccpInfo, DccpState, ProtoInfo, SctpInfo, SctpState, TcpFlags, TcpInfo, TcpState, place,
};
use super::status::Status;
use super::tuple::{Direction, Tuple};

impl Conntrack {
    /// The tuple of the original direction.
    #[must_use]
    pub fn original(&self) -> Option<Tuple> {
        self.head.tuple()
    }

    /// The tuple of the reply direction: after translation, what the answers carry.
    #[must_use]
    pub fn reply(&self) -> Option<Tuple> {
        let zone = self.is_set(Attr::ReplZone);
        self.when(Attr::ReplL3proto, || Tuple::from_raw(self.reply, zone))
    }

    /// The original tuple of the flow that this one was expected by.
    #[must_use]
    pub fn master(&self) -> Option<Tuple> {
        self.when(Attr::MasterL3proto, || Tuple::from_raw(self.master, false))
    }

    /// Status bits.
    #[must_use]
    pub fn status(&self) -> Option<Status> {
        self.when(Attr::Status, || Status::from_bits_retain(self.status))
    }

    /// Seconds until the entry expires without traffic.
    #[must_use]
    pub fn timeout(&self) -> Option<u32> {
        self.when(Attr::Timeout, || self.timeout)
    }

    /// The mark. Events leave out a mark of 0.
    #[must_use]
    pub fn mark(&self) -> Option<u32> {
        self.when(Attr::Mark, || self.mark)
    }

    /// The security mark, which today's kernels do not send.
    #[must_use]
    pub fn secmark(&self) -> Option<u32> {
        self.when(Attr::Secmark, || self.secmark)
    }

    /// The zone, where it applies to both directions and is not 0.
    #[must_use]
    pub fn zone(&self) -> Option<u16> {
        self.when(Attr::Zone, || self.zone)
    }

    /// How many parts of the kernel hold the entry; in dumps only.
    #[must_use]
    pub fn use_count(&self) -> Option<u32> {
        self.when(Attr::Use, || self.use_count)
    }

    /// The id the kernel derives for the entry: together with zone and tuple it
    /// tells a flow from a later one with the same tuple.
    #[must_use]
    pub fn id(&self) -> Option<u32> {
        self.when(Attr::Id, || self.id)
    }

    /// Traffic of one direction.
    #[must_use]
    pub fn counters(&self, direction: Direction) -> Option<Counters> {
        let (packets, bytes) = match direction {
            Direction::Original => (Attr::OrigCounterPackets, Attr::OrigCounterBytes),
            Direction::Reply => (Attr::ReplCounterPackets, Attr::ReplCounterBytes),
        };
        let known = self.is_set(packets) && self.is_set(bytes);
        known.then(|| *self.counters.get(direction))
    }

    /// Start, end and time of the event.
    #[must_use]
    pub fn timestamps(&self) -> Timestamps {
        Timestamps {
            start: self.when(Attr::TimestampStart, || self.timestamp_start),
            stop: self.when(Attr::TimestampStop, || self.timestamp_stop),
            event: self.when(Attr::TimestampEvent, || self.timestamp_event),
        }
    }

    /// What the protocol's tracker knows.
    #[must_use]
    pub fn protoinfo(&self) -> Option<ProtoInfo> {
        let tcp = self.tcp();
        let sctp = self.sctp();
        let dccp = self.dccp();
        if tcp != TcpInfo::default() {
            Some(ProtoInfo::Tcp(tcp))
        } else if sctp != SctpInfo::default() {
            Some(ProtoInfo::Sctp(sctp))
        } else if dccp != DccpInfo::default() {
            Some(ProtoInfo::Dccp(dccp))
        } else {
            None
        }
    }

    /// Name of the helper; `None` also for a name that is not UTF-8, which
    /// [`attr`](Self::attr) gives.
    #[must_use]
    pub fn helper(&self) -> Option<&str> {
        let name = self.is_set(Attr::HelperName).then(|| self.helper_bytes())?;
        std::str::from_utf8(name).ok()
    }

    /// The helper's private data.
    #[must_use]
    pub fn helper_info(&self) -> Option<&[u8]> {
        let info = self.helper_info.as_deref()?;
        self.is_set(Attr::HelperInfo).then_some(&info.0)
    }

    /// Labels.
    #[must_use]
    pub fn labels(&self) -> Option<&Bitmask> {
        let labels = self.labels.as_deref()?;
        self.is_set(Attr::Connlabels).then_some(labels)
    }

    /// Which labels a request changes; the others stay as they are.
    #[must_use]
    pub fn labels_mask(&self) -> Option<&Bitmask> {
        let mask = self.labels_mask.as_deref()?;
        self.is_set(Attr::ConnlabelsMask).then_some(mask)
    }

    /// The security context; `None` also for one that is not UTF-8.
    #[must_use]
    pub fn secctx(&self) -> Option<&str> {
        let context = self.is_set(Attr::Secctx).then(|| self.secctx_bytes())??;
        std::str::from_utf8(context).ok()
    }

    /// How sequence numbers of one direction are adjusted.
    #[must_use]
    pub fn seq_adjust(&self, direction: Direction) -> Option<SeqAdjust> {
        let position = match direction {
            Direction::Original => Attr::OrigNatSeqCorrectionPos,
            Direction::Reply => Attr::ReplNatSeqCorrectionPos,
        };
        self.when(position, || *self.seq_adjust.get(direction))
    }

    /// What SYNPROXY keeps of the flow.
    #[must_use]
    pub fn synproxy(&self) -> Option<Synproxy> {
        self.when(Attr::SynproxyIsn, || self.synproxy)
    }

    /// The source translation to ask for. The kernel does not send it back: a
    /// translated flow shows in its reply tuple.
    #[must_use]
    pub fn snat(&self) -> Option<Nat> {
        self.nat(&self.snat, [Attr::SnatIpv4, Attr::SnatIpv6, Attr::SnatPort])
    }

    /// The destination translation to ask for; see [`snat`](Self::snat).
    #[must_use]
    pub fn dnat(&self) -> Option<Nat> {
        self.nat(&self.dnat, [Attr::DnatIpv4, Attr::DnatIpv6, Attr::DnatPort])
    }

    /// The bytes of the helper's name, without NUL.
    pub(crate) fn helper_bytes(&self) -> &[u8] {
        let name = &self.helper_name;
        let len = name.iter().position(|byte| *byte == 0);
        name.get(..len.unwrap_or(name.len())).unwrap_or_default()
    }

    /// The bytes of the security context without NUL, where there is one.
    pub(crate) fn secctx_bytes(&self) -> Option<&[u8]> {
        self.secctx.as_deref()?.0.strip_suffix(b"\0")
    }

    fn when<T>(&self, attr: Attr, value: impl FnOnce() -> T) -> Option<T> {
        self.is_set(attr).then(value)
    }

    fn nat(&self, raw: &RawNat, [ipv4, ipv6, port]: [Attr; 3]) -> Option<Nat> {
        let addresses = self
            .when(ipv4, || raw.v4_range())
            .or_else(|| self.when(ipv6, || raw.v6_range()));
        let ports = self.when(port, || raw.port_range());
        (addresses.is_some() || ports.is_some()).then_some(Nat { addresses, ports })
    }

    fn tcp(&self) -> TcpInfo {
        let byte = |attr, place| self.when(attr, || self.protoinfo.u8(place));
        let flags = |flags, flags_place, mask, mask_place| {
            Some(TcpFlags {
                flags: byte(flags, flags_place)?,
                mask: byte(mask, mask_place).unwrap_or(0),
            })
        };
        TcpInfo {
            state: byte(Attr::TcpState, place::STATE).map(TcpState),
            wscale_original: byte(Attr::TcpWscaleOrig, place::TCP_WSCALE_ORIGINAL),
            wscale_reply: byte(Attr::TcpWscaleRepl, place::TCP_WSCALE_REPLY),
            flags_original: flags(
                Attr::TcpFlagsOrig,
                place::TCP_FLAGS_ORIGINAL,
                Attr::TcpMaskOrig,
                place::TCP_MASK_ORIGINAL,
            ),
            flags_reply: flags(
                Attr::TcpFlagsRepl,
                place::TCP_FLAGS_REPLY,
                Attr::TcpMaskRepl,
                place::TCP_MASK_REPLY,
            ),
        }
    }

    fn sctp(&self) -> SctpInfo {
        let word = |attr, place| self.when(attr, || self.protoinfo.u32(place));
        SctpInfo {
            state: self
                .when(Attr::SctpState, || self.protoinfo.u8(place::STATE))
                .map(SctpState),
            vtag_original: word(Attr::SctpVtagOrig, place::SCTP_VTAG_ORIGINAL),
            vtag_reply: word(Attr::SctpVtagRepl, place::SCTP_VTAG_REPLY),
        }
    }

    fn dccp(&self) -> DccpInfo {
        let byte = |attr, place| self.when(attr, || self.protoinfo.u8(place));
        DccpInfo {
            state: byte(Attr::DccpState, place::STATE).map(DccpState),
            role: byte(Attr::DccpRole, place::DCCP_ROLE),
            handshake_seq: self.when(Attr::DccpHandshakeSeq, || {
                self.protoinfo.u64(place::DCCP_HANDSHAKE_SEQ)
            }),
        }
    }
}
