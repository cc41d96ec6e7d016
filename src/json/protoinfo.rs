//! What the trackers of TCP, SCTP and DCCP know.

use serde::{Deserialize, Serialize};

use super::values::{Dccp, Named, Names, Sctp, Tcp};
use crate::conntrack::attr_set::AttrSet;
use crate::conntrack::protoinfo::{ProtoBytes, place};
use crate::conntrack::{Attr, Conntrack};

/// TCP.
#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct TcpObject {
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<Named<Tcp>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    flags_original: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mask_original: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    flags_reply: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mask_reply: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    wscale_original: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    wscale_reply: Option<u8>,
}

/// SCTP.
#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct SctpObject {
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<Named<Sctp>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    vtag_original: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    vtag_reply: Option<u32>,
}

/// DCCP.
#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct DccpObject {
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<Named<Dccp>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    handshake_seq: Option<u64>,
}

const TCP: AttrSet = AttrSet::of(&[
    Attr::TcpState,
    Attr::TcpFlagsOrig,
    Attr::TcpMaskOrig,
    Attr::TcpFlagsRepl,
    Attr::TcpMaskRepl,
    Attr::TcpWscaleOrig,
    Attr::TcpWscaleRepl,
]);
const SCTP: AttrSet = AttrSet::of(&[Attr::SctpState, Attr::SctpVtagOrig, Attr::SctpVtagRepl]);
const DCCP: AttrSet = AttrSet::of(&[Attr::DccpState, Attr::DccpRole, Attr::DccpHandshakeSeq]);

impl TcpObject {
    pub(super) fn new(entry: &Conntrack) -> Option<Self> {
        let byte = |attr, place| entry.is_set(attr).then(|| entry.protoinfo.u8(place));
        entry.head.set.intersects(TCP).then(|| Self {
            state: state(entry, Attr::TcpState),
            flags_original: byte(Attr::TcpFlagsOrig, place::TCP_FLAGS_ORIGINAL),
            mask_original: byte(Attr::TcpMaskOrig, place::TCP_MASK_ORIGINAL),
            flags_reply: byte(Attr::TcpFlagsRepl, place::TCP_FLAGS_REPLY),
            mask_reply: byte(Attr::TcpMaskRepl, place::TCP_MASK_REPLY),
            wscale_original: byte(Attr::TcpWscaleOrig, place::TCP_WSCALE_ORIGINAL),
            wscale_reply: byte(Attr::TcpWscaleRepl, place::TCP_WSCALE_REPLY),
        })
    }

    pub(super) fn put(&self, entry: &mut Conntrack) {
        for (attr, value) in [
            (Attr::TcpState, self.state.as_ref().map(|state| state.0)),
            (Attr::TcpFlagsOrig, self.flags_original),
            (Attr::TcpMaskOrig, self.mask_original),
            (Attr::TcpFlagsRepl, self.flags_reply),
            (Attr::TcpMaskRepl, self.mask_reply),
            (Attr::TcpWscaleOrig, self.wscale_original),
            (Attr::TcpWscaleRepl, self.wscale_reply),
        ] {
            store(entry, attr, value.map(|byte| [byte]));
        }
    }
}

impl SctpObject {
    pub(super) fn new(entry: &Conntrack) -> Option<Self> {
        let word = |attr, place| entry.is_set(attr).then(|| entry.protoinfo.u32(place));
        entry.head.set.intersects(SCTP).then(|| Self {
            state: state(entry, Attr::SctpState),
            vtag_original: word(Attr::SctpVtagOrig, place::SCTP_VTAG_ORIGINAL),
            vtag_reply: word(Attr::SctpVtagRepl, place::SCTP_VTAG_REPLY),
        })
    }

    pub(super) fn put(&self, entry: &mut Conntrack) {
        store(
            entry,
            Attr::SctpState,
            self.state.as_ref().map(|state| [state.0]),
        );
        store(
            entry,
            Attr::SctpVtagOrig,
            self.vtag_original.map(u32::to_ne_bytes),
        );
        store(
            entry,
            Attr::SctpVtagRepl,
            self.vtag_reply.map(u32::to_ne_bytes),
        );
    }
}

impl DccpObject {
    pub(super) fn new(entry: &Conntrack) -> Option<Self> {
        let info: &ProtoBytes = &entry.protoinfo;
        let has = |attr| entry.is_set(attr);
        entry.head.set.intersects(DCCP).then(|| Self {
            state: state(entry, Attr::DccpState),
            role: has(Attr::DccpRole).then(|| info.u8(place::DCCP_ROLE)),
            handshake_seq: has(Attr::DccpHandshakeSeq).then(|| info.u64(place::DCCP_HANDSHAKE_SEQ)),
        })
    }

    pub(super) fn put(&self, entry: &mut Conntrack) {
        store(
            entry,
            Attr::DccpState,
            self.state.as_ref().map(|state| [state.0]),
        );
        store(entry, Attr::DccpRole, self.role.map(|role| [role]));
        store(
            entry,
            Attr::DccpHandshakeSeq,
            self.handshake_seq.map(u64::to_ne_bytes),
        );
    }
}

fn state<N: Names>(entry: &Conntrack, attr: Attr) -> Option<Named<N>> {
    entry
        .is_set(attr)
        .then(|| Named::new(entry.protoinfo.u8(place::STATE)))
}

fn store<const N: usize>(entry: &mut Conntrack, attr: Attr, value: Option<[u8; N]>) {
    if let Some(bytes) = value {
        entry.store(attr, &bytes);
    }
}
