//! The typed setters of an entry; each makes its attributes present.

use std::net::IpAddr;

use super::attr_number::Attr;
use super::attr_set::AttrSet;
use super::fields::{Blob, Nat, RawNat, SeqAdjust, Synproxy, put_address};
use super::labels::Bitmask;
use super::object::Conntrack;
use super::proto_attrs;
use super::protoinfo::{ProtoInfo, place};
use super::status::Status;
use super::tuple::{Direction, Tuple};
use super::tuple_attrs::{MASTER, ORIGINAL, REPLY};
use crate::error::{Error, Result};

impl Conntrack {
    /// Sets the tuple of the original direction.
    pub fn set_original(&mut self, tuple: Tuple) -> &mut Self {
        self.head.tuple = tuple.raw;
        ORIGINAL.replace(&mut self.head.set, &tuple);
        self
    }

    /// Sets the tuple of the reply direction.
    pub fn set_reply(&mut self, tuple: Tuple) -> &mut Self {
        self.reply = tuple.raw;
        REPLY.replace(&mut self.head.set, &tuple);
        self
    }

    /// Sets the original tuple of the flow that expects this one.
    pub fn set_master(&mut self, tuple: Tuple) -> &mut Self {
        self.master = tuple.raw;
        MASTER.replace(&mut self.head.set, &tuple);
        self
    }

    /// Sets the status bits. The kernel adds CONFIRMED and refuses to take
    /// back SEEN_REPLY and ASSURED (EBUSY).
    pub fn set_status(&mut self, status: Status) -> &mut Self {
        self.status = status.bits();
        self.mark_set(&[Attr::Status])
    }

    /// Sets the seconds until the entry expires.
    pub fn set_timeout(&mut self, seconds: u32) -> &mut Self {
        self.timeout = seconds;
        self.mark_set(&[Attr::Timeout])
    }

    /// Sets the mark.
    pub fn set_mark(&mut self, mark: u32) -> &mut Self {
        self.mark = mark;
        self.mark_set(&[Attr::Mark])
    }

    /// Sets the zone of both directions.
    pub fn set_zone(&mut self, zone: u16) -> &mut Self {
        self.zone = zone;
        self.mark_set(&[Attr::Zone])
    }

    /// Sets the id, which [`Handle::delete`](crate::Handle::delete) passes on.
    pub fn set_id(&mut self, id: u32) -> &mut Self {
        self.id = id;
        self.mark_set(&[Attr::Id])
    }

    /// Sets the state of the protocol's tracker; parts that are `None` become absent.
    pub fn set_protoinfo(&mut self, info: ProtoInfo) -> &mut Self {
        self.head.set = self.head.set.without(proto_attrs::ALL);
        match info {
            ProtoInfo::Tcp(tcp) => {
                self.put_proto(Attr::TcpState, place::STATE, tcp.state.map(|s| [s.0]));
                let wscales = [
                    (
                        Attr::TcpWscaleOrig,
                        place::TCP_WSCALE_ORIGINAL,
                        tcp.wscale_original,
                    ),
                    (
                        Attr::TcpWscaleRepl,
                        place::TCP_WSCALE_REPLY,
                        tcp.wscale_reply,
                    ),
                ];
                for (attr, place, wscale) in wscales {
                    self.put_proto(attr, place, wscale.map(|shift| [shift]));
                }
                let original = tcp.flags_original;
                self.put_proto(
                    Attr::TcpFlagsOrig,
                    place::TCP_FLAGS_ORIGINAL,
                    original.map(|f| [f.flags]),
                );
                self.put_proto(
                    Attr::TcpMaskOrig,
                    place::TCP_MASK_ORIGINAL,
                    original.map(|f| [f.mask]),
                );
                let reply = tcp.flags_reply;
                self.put_proto(
                    Attr::TcpFlagsRepl,
                    place::TCP_FLAGS_REPLY,
                    reply.map(|f| [f.flags]),
                );
                self.put_proto(
                    Attr::TcpMaskRepl,
                    place::TCP_MASK_REPLY,
                    reply.map(|f| [f.mask]),
                );
            }
            ProtoInfo::Sctp(sctp) => {
                self.put_proto(Attr::SctpState, place::STATE, sctp.state.map(|s| [s.0]));
                self.put_proto(
                    Attr::SctpVtagOrig,
                    place::SCTP_VTAG_ORIGINAL,
                    sctp.vtag_original.map(u32::to_ne_bytes),
                );
                self.put_proto(
                    Attr::SctpVtagRepl,
                    place::SCTP_VTAG_REPLY,
                    sctp.vtag_reply.map(u32::to_ne_bytes),
                );
            }
            ProtoInfo::Dccp(dccp) => {
                self.put_proto(Attr::DccpState, place::STATE, dccp.state.map(|s| [s.0]));
                self.put_proto(Attr::DccpRole, place::DCCP_ROLE, dccp.role.map(|r| [r]));
                self.put_proto(
                    Attr::DccpHandshakeSeq,
                    place::DCCP_HANDSHAKE_SEQ,
                    dccp.handshake_seq.map(u64::to_ne_bytes),
                );
            }
        }
        self
    }

    /// Sets the name of the helper. The kernel takes it when the entry is
    /// created; an entry that has a helper keeps it (EBUSY).
    ///
    /// # Errors
    /// [`Error::Invalid`] for a name of more than 15 bytes or with a NUL.
    pub fn set_helper(&mut self, name: &str) -> Result<&mut Self> {
        if name.len() >= Self::NAME_LEN || name.contains('\0') {
            return Err(Error::Invalid("a helper name of more than 15 bytes"));
        }
        self.put_helper_name(name.as_bytes());
        Ok(self.mark_set(&[Attr::HelperName]))
    }

    /// Sets the helper's private data, sent only together with its name.
    pub fn set_helper_info(&mut self, info: &[u8]) -> &mut Self {
        Blob::store(&mut self.helper_info, &[info]);
        self.mark_set(&[Attr::HelperInfo])
    }

    /// Sets the labels. Without a mask they replace all labels of the flow.
    /// The kernel takes up to 128 labels, and only where a rule of the
    /// namespace's ruleset uses labels (otherwise ENOSPC).
    pub fn set_labels(&mut self, labels: Bitmask) -> &mut Self {
        self.labels = Some(Box::new(labels));
        self.mark_set(&[Attr::Connlabels])
    }

    /// Sets which labels to change; of the same size as the labels. The kernel
    /// (Linux 6.18) turns over those that are set in the labels but not here.
    pub fn set_labels_mask(&mut self, mask: Bitmask) -> &mut Self {
        self.labels_mask = Some(Box::new(mask));
        self.mark_set(&[Attr::ConnlabelsMask])
    }

    /// Sets how sequence numbers of one direction are adjusted.
    pub fn set_seq_adjust(&mut self, direction: Direction, adjust: SeqAdjust) -> &mut Self {
        match direction {
            Direction::Original => {
                self.seq_adjust.original = adjust;
                self.mark_set(&[
                    Attr::OrigNatSeqCorrectionPos,
                    Attr::OrigNatSeqOffsetBefore,
                    Attr::OrigNatSeqOffsetAfter,
                ])
            }
            Direction::Reply => {
                self.seq_adjust.reply = adjust;
                self.mark_set(&[
                    Attr::ReplNatSeqCorrectionPos,
                    Attr::ReplNatSeqOffsetBefore,
                    Attr::ReplNatSeqOffsetAfter,
                ])
            }
        }
    }

    /// Sets what SYNPROXY keeps of the flow.
    pub fn set_synproxy(&mut self, synproxy: Synproxy) -> &mut Self {
        self.synproxy = synproxy;
        self.mark_set(&[Attr::SynproxyIsn, Attr::SynproxyIts, Attr::SynproxyTsoff])
    }

    /// Asks for a source translation; the kernel takes it when the entry is created.
    ///
    /// # Errors
    /// [`Error::Invalid`] where the range mixes families.
    pub fn set_snat(&mut self, nat: Nat) -> Result<&mut Self> {
        let attrs = [Attr::SnatIpv4, Attr::SnatIpv6, Attr::SnatPort];
        let (raw, set) = raw_nat(nat, attrs)?;
        self.snat = raw;
        self.head.set = self.head.set.without(AttrSet::of(&attrs)).union(set);
        Ok(self)
    }

    /// Asks for a destination translation; the kernel takes it when the entry is created.
    ///
    /// # Errors
    /// [`Error::Invalid`] where the range mixes families.
    pub fn set_dnat(&mut self, nat: Nat) -> Result<&mut Self> {
        let attrs = [Attr::DnatIpv4, Attr::DnatIpv6, Attr::DnatPort];
        let (raw, set) = raw_nat(nat, attrs)?;
        self.dnat = raw;
        self.head.set = self.head.set.without(AttrSet::of(&attrs)).union(set);
        Ok(self)
    }

    /// Stores at most 15 bytes of a name and zeros behind it.
    pub(crate) fn put_helper_name(&mut self, name: &[u8]) {
        self.helper_name = [0; Self::NAME_LEN];
        let room = self.helper_name.iter_mut().take(Self::NAME_LEN - 1);
        for (place, byte) in room.zip(name) {
            *place = *byte;
        }
    }

    fn put_proto<const N: usize>(&mut self, attr: Attr, place: usize, value: Option<[u8; N]>) {
        if let Some(bytes) = value {
            self.protoinfo.put(place, &bytes);
            self.head.set.insert(attr);
        }
    }

    fn mark_set(&mut self, attrs: &[Attr]) -> &mut Self {
        for attr in attrs {
            self.head.set.insert(*attr);
        }
        self
    }
}

fn raw_nat(nat: Nat, [ipv4, ipv6, port]: [Attr; 3]) -> Result<(RawNat, AttrSet)> {
    let mut raw = RawNat::default();
    let mut set = AttrSet::EMPTY;
    if let Some((min, max)) = nat.addresses {
        set.insert(match (min, max) {
            (IpAddr::V4(_), IpAddr::V4(_)) => ipv4,
            (IpAddr::V6(_), IpAddr::V6(_)) => ipv6,
            _ => return Err(Error::Invalid("a range over both address families")),
        });
        put_address(&mut raw.min, min);
        put_address(&mut raw.max, max);
    }
    if let Some((min, max)) = nat.ports {
        set.insert(port);
        raw.port_min = min.to_be_bytes();
        raw.port_max = max.to_be_bytes();
    }
    Ok((raw, set))
}
