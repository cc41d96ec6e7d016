//! Conntrack entries: the object and all that is done with it.

pub(crate) mod attr;
mod attr_number;
pub(crate) mod attr_set;
mod compare;
mod copy;
pub(crate) mod decode;
mod display;
pub(crate) mod encode;
mod event_kind;
pub(crate) mod fields;
mod format;
mod getters;
mod group;
mod l4proto;
mod labelmap;
mod labels;
mod object;
mod options;
mod print;
pub(crate) mod proto_attrs;
pub(crate) mod protoinfo;
mod setters;
mod status;
mod tuple;
pub(crate) mod tuple_attrs;
mod tuple_text;
mod view;
pub(crate) mod wire;
mod xml;

pub use attr::AttrValue;
pub use attr_number::Attr;
pub use compare::CompareFlags;
pub use copy::CopyFlags;
pub(crate) use display::Print;
pub use display::Text;
pub use event_kind::EventKind;
pub use fields::{Counters, Nat, SeqAdjust, Synproxy, Timestamps};
pub(crate) use format::Style;
pub use format::{Format, Show};
pub use group::{AttrGroup, GroupValue};
pub use l4proto::{L4Layout, L4Proto};
pub use labelmap::LabelMap;
pub use labels::{Bitmask, Labels};
pub use object::Conntrack;
pub(crate) use object::Head;
pub use protoinfo::{
    DccpInfo, DccpState, ProtoInfo, SctpInfo, SctpState, TcpFlags, TcpInfo, TcpState,
};
pub use status::Status;
pub(crate) use tuple::RawTuple;
pub use tuple::{Direction, Icmp, Tuple};
pub(crate) use tuple_text::opening;
pub use view::ConntrackRef;

#[cfg(feature = "capi")]
pub(crate) use {attr::Kind, attr_set::AttrSet, fields::Blob};
