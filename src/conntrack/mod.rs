//! Conntrack entries: the object and all that is done with it.

mod attr;
mod attr_number;
mod attr_set;
mod compare;
mod copy;
pub(crate) mod decode;
pub(crate) mod encode;
mod fields;
mod getters;
mod group;
mod l4proto;
mod labels;
mod object;
mod options;
mod protoinfo;
mod setters;
mod status;
mod tuple;
pub(crate) mod tuple_attrs;
mod view;
pub(crate) mod wire;

pub use attr::AttrValue;
pub use attr_number::Attr;
pub use compare::CompareFlags;
pub use copy::CopyFlags;
pub use fields::{Counters, Nat, SeqAdjust, Synproxy, Timestamps};
pub use group::{AttrGroup, GroupValue};
pub use l4proto::{L4Layout, L4Proto};
pub use labels::{Bitmask, Labels};
pub use object::Conntrack;
pub(crate) use object::Head;
pub use protoinfo::{
    DccpInfo, DccpState, ProtoInfo, SctpInfo, SctpState, TcpFlags, TcpInfo, TcpState,
};
pub use status::Status;
pub use tuple::{Direction, Icmp, Tuple};
pub use view::ConntrackRef;
