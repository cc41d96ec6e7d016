//! What the trackers of TCP, SCTP and DCCP know of a flow.

/// The state of a layer 4 protocol's tracker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProtoInfo {
    /// TCP.
    Tcp(TcpInfo),
    /// SCTP.
    Sctp(SctpInfo),
    /// DCCP.
    Dccp(DccpInfo),
}

/// TCP; parts that are absent are `None`. DESTROY events carry the state alone
/// (Linux 5.11 and later).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TcpInfo {
    /// The state.
    pub state: Option<TcpState>,
    /// Window scale of the original direction, a shift of 0 to 14. The kernel
    /// takes scales only for both directions, and only where the flags of both
    /// have bit 0 (`IP_CT_TCP_FLAG_WINDOW_SCALE`).
    pub wscale_original: Option<u8>,
    /// Window scale of the reply direction.
    pub wscale_reply: Option<u8>,
    /// Tracking flags of the original direction.
    pub flags_original: Option<TcpFlags>,
    /// Tracking flags of the reply direction.
    pub flags_reply: Option<TcpFlags>,
}

/// Tracking flags of one direction of a TCP flow, `IP_CT_TCP_FLAG_*` of
/// `linux/netfilter/nf_conntrack_tcp.h`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TcpFlags {
    /// The flags.
    pub flags: u8,
    /// In a request: which of them to change. The kernel sends 0.
    pub mask: u8,
}

/// SCTP; parts that are absent are `None`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SctpInfo {
    /// The state.
    pub state: Option<SctpState>,
    /// Verification tag of the original direction.
    pub vtag_original: Option<u32>,
    /// Verification tag of the reply direction.
    pub vtag_reply: Option<u32>,
}

/// DCCP, which Linux 6.18 does not track any more; parts that are absent are `None`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DccpInfo {
    /// The state.
    pub state: Option<DccpState>,
    /// Who is the client: 0 the sender of the original direction, 1 the other.
    pub role: Option<u8>,
    /// Sequence number of the handshake, 48 bits.
    pub handshake_seq: Option<u64>,
}

/// A state of the TCP tracker. An open set.
#[doc(alias = "tcp_conntrack")]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct TcpState(pub u8);

#[allow(missing_docs, reason = "the names are the documentation")]
impl TcpState {
    pub const NONE: Self = Self(0);
    pub const SYN_SENT: Self = Self(1);
    pub const SYN_RECV: Self = Self(2);
    pub const ESTABLISHED: Self = Self(3);
    pub const FIN_WAIT: Self = Self(4);
    pub const CLOSE_WAIT: Self = Self(5);
    pub const LAST_ACK: Self = Self(6);
    pub const TIME_WAIT: Self = Self(7);
    pub const CLOSE: Self = Self(8);
    pub const SYN_SENT2: Self = Self(9);

    /// The name conntrack(8) prints; `"NONE"` for numbers without one.
    #[must_use]
    pub fn name(self) -> &'static str {
        const NAMES: [&str; 10] = [
            "NONE",
            "SYN_SENT",
            "SYN_RECV",
            "ESTABLISHED",
            "FIN_WAIT",
            "CLOSE_WAIT",
            "LAST_ACK",
            "TIME_WAIT",
            "CLOSE",
            "SYN_SENT2",
        ];
        name_of(&NAMES, self.0)
    }
}

/// A state of the SCTP tracker. An open set.
#[doc(alias = "sctp_conntrack")]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct SctpState(pub u8);

#[allow(missing_docs, reason = "the names are the documentation")]
impl SctpState {
    pub const NONE: Self = Self(0);
    pub const CLOSED: Self = Self(1);
    pub const COOKIE_WAIT: Self = Self(2);
    pub const COOKIE_ECHOED: Self = Self(3);
    pub const ESTABLISHED: Self = Self(4);
    pub const SHUTDOWN_SENT: Self = Self(5);
    pub const SHUTDOWN_RECD: Self = Self(6);
    pub const SHUTDOWN_ACK_SENT: Self = Self(7);
    pub const HEARTBEAT_SENT: Self = Self(8);
    pub const HEARTBEAT_ACKED: Self = Self(9);

    /// The name conntrack(8) prints; `"NONE"` for numbers without one.
    #[must_use]
    pub fn name(self) -> &'static str {
        const NAMES: [&str; 10] = [
            "NONE",
            "CLOSED",
            "COOKIE_WAIT",
            "COOKIE_ECHOED",
            "ESTABLISHED",
            "SHUTDOWN_SENT",
            "SHUTDOWN_RECD",
            "SHUTDOWN_ACK_SENT",
            "HEARTBEAT_SENT",
            "HEARTBEAT_ACKED",
        ];
        name_of(&NAMES, self.0)
    }
}

/// A state of the DCCP tracker. An open set.
#[doc(alias = "ct_dccp_states")]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct DccpState(pub u8);

#[allow(missing_docs, reason = "the names are the documentation")]
impl DccpState {
    pub const NONE: Self = Self(0);
    pub const REQUEST: Self = Self(1);
    pub const RESPOND: Self = Self(2);
    pub const PARTOPEN: Self = Self(3);
    pub const OPEN: Self = Self(4);
    pub const CLOSEREQ: Self = Self(5);
    pub const CLOSING: Self = Self(6);
    pub const TIMEWAIT: Self = Self(7);
    pub const IGNORE: Self = Self(8);
    pub const INVALID: Self = Self(9);

    /// The name conntrack(8) prints; `"NONE"` for numbers without one.
    #[must_use]
    pub fn name(self) -> &'static str {
        const NAMES: [&str; 10] = [
            "NONE", "REQUEST", "RESPOND", "PARTOPEN", "OPEN", "CLOSEREQ", "CLOSING", "TIMEWAIT",
            "IGNORE", "INVALID",
        ];
        name_of(&NAMES, self.0)
    }
}

fn name_of(names: &[&'static str], number: u8) -> &'static str {
    names.get(usize::from(number)).copied().unwrap_or("NONE")
}

/// The 16 bytes that the three protocols share, as the C library's attributes
/// show them; numbers in host byte order. The state is byte 0 of each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C, align(8))]
pub(crate) struct ProtoBytes(pub(crate) [u8; 16]);

impl ProtoBytes {
    pub(crate) fn u8(&self, place: usize) -> u8 {
        self.0.get(place).copied().unwrap_or(0)
    }

    pub(crate) fn u32(&self, place: usize) -> u32 {
        let bytes = self.0.get(place..).and_then(|rest| rest.first_chunk());
        bytes.map_or(0, |bytes| u32::from_ne_bytes(*bytes))
    }

    pub(crate) fn u64(&self, place: usize) -> u64 {
        let bytes = self.0.get(place..).and_then(|rest| rest.first_chunk());
        bytes.map_or(0, |bytes| u64::from_ne_bytes(*bytes))
    }

    pub(crate) fn put(&mut self, place: usize, bytes: &[u8]) {
        let end = place.saturating_add(bytes.len());
        if let Some(field) = self.0.get_mut(place..end) {
            field.copy_from_slice(bytes);
        }
    }
}

/// Where in [`ProtoBytes`] each attribute stands.
pub(crate) mod place {
    pub(crate) const STATE: usize = 0;
    pub(crate) const TCP_FLAGS_ORIGINAL: usize = 1;
    pub(crate) const TCP_MASK_ORIGINAL: usize = 2;
    pub(crate) const TCP_FLAGS_REPLY: usize = 3;
    pub(crate) const TCP_MASK_REPLY: usize = 4;
    pub(crate) const TCP_WSCALE_ORIGINAL: usize = 5;
    pub(crate) const TCP_WSCALE_REPLY: usize = 6;
    pub(crate) const SCTP_VTAG_ORIGINAL: usize = 4;
    pub(crate) const SCTP_VTAG_REPLY: usize = 8;
    pub(crate) const DCCP_ROLE: usize = 1;
    pub(crate) const DCCP_HANDSHAKE_SEQ: usize = 8;
}
