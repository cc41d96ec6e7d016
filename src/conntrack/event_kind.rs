//! What messages say of their entries.

use crate::netlink::{Flags, Header};
use crate::nfnetlink::Subsystem;
use crate::uapi::ct_message;

/// What a message says of its entry.
#[doc(alias = "nf_conntrack_msg_type")]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "lowercase"))]
pub enum EventKind {
    /// It was made.
    #[doc(alias = "NFCT_T_NEW")]
    New,
    /// It changed. Entries of a dump and replies to a GET come as this kind too.
    #[doc(alias = "NFCT_T_UPDATE")]
    Update,
    /// It is gone.
    #[doc(alias = "NFCT_T_DESTROY")]
    Destroy,
}

impl EventKind {
    /// The kind of a conntrack or expectation message; `None` for messages
    /// that are about no entry.
    #[must_use]
    pub fn of(header: Header) -> Option<Self> {
        let (_, message) = Subsystem::split(header.kind);
        match message {
            ct_message::NEW if header.flags.intersects(Flags::CREATE | Flags::EXCL) => {
                Some(Self::New)
            }
            ct_message::NEW => Some(Self::Update),
            ct_message::DELETE => Some(Self::Destroy),
            _ => None,
        }
    }
}
