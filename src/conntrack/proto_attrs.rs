//! The attributes of the trackers, by protocol.

use super::attr_number::Attr;
use super::attr_set::AttrSet;

pub(crate) const TCP: AttrSet = AttrSet::of(&[
    Attr::TcpState,
    Attr::TcpFlagsOrig,
    Attr::TcpFlagsRepl,
    Attr::TcpMaskOrig,
    Attr::TcpMaskRepl,
    Attr::TcpWscaleOrig,
    Attr::TcpWscaleRepl,
]);

pub(crate) const SCTP: AttrSet =
    AttrSet::of(&[Attr::SctpState, Attr::SctpVtagOrig, Attr::SctpVtagRepl]);

pub(crate) const DCCP: AttrSet =
    AttrSet::of(&[Attr::DccpState, Attr::DccpRole, Attr::DccpHandshakeSeq]);

/// Those of all trackers.
pub(crate) const ALL: AttrSet = TCP.union(SCTP).union(DCCP);
