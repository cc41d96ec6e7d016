//! The entry: plain fields and the set of those that are present.

use std::fmt;

use super::attr_number::Attr;
use super::attr_set::AttrSet;
use super::fields::{Blob, Counters, PerDirection, RawNat, SeqAdjust, Synproxy};
use super::labels::Bitmask;
use super::protoinfo::ProtoBytes;
use super::tuple::{RawTuple, Tuple};
use super::tuple_attrs::ORIGINAL;

/// A conntrack entry, or the part of one that a request is about.
///
/// Each attribute is present or absent. An entry from the kernel has what the
/// kernel sent; one for a request has what was set. Typed getters and setters
/// serve Rust programs; [`attr`](Self::attr) and [`set_attr`](Self::set_attr)
/// go by number, as the C library does.
///
/// ```
/// use netfilter_conntrack::{Conntrack, Status, Tuple};
///
/// let tuple = Tuple::udp("192.0.2.1:5353".parse().unwrap(), "192.0.2.2:53".parse().unwrap())?;
/// let mut entry = Conntrack::flow(tuple);
/// entry.set_timeout(30).set_mark(7).set_status(Status::SEEN_REPLY);
/// assert_eq!(entry.reply().unwrap().source().to_string(), "192.0.2.2");
/// assert_eq!((entry.mark(), entry.zone()), (Some(7), None));
/// # Ok::<(), netfilter_conntrack::Error>(())
/// ```
// Fields hold their last value also while they are absent, and all-zero memory
// is an empty entry: both are rules of the C library that its programs can see.
#[doc(alias = "nf_conntrack")]
#[doc(alias = "nfct_new")]
#[doc(alias = "nfct_destroy")]
#[derive(Default)]
#[repr(C)]
pub struct Conntrack {
    pub(crate) head: Head,
    pub(crate) reply: RawTuple,
    pub(crate) master: RawTuple,
    pub(crate) timeout: u32,
    pub(crate) mark: u32,
    pub(crate) secmark: u32,
    pub(crate) status: u32,
    pub(crate) use_count: u32,
    pub(crate) id: u32,
    pub(crate) snat: RawNat,
    pub(crate) dnat: RawNat,
    pub(crate) seq_adjust: PerDirection<SeqAdjust>,
    pub(crate) synproxy: Synproxy,
    pub(crate) helper_name: [u8; Self::NAME_LEN],
    pub(crate) zone: u16,
    pub(crate) protoinfo: ProtoBytes,
    pub(crate) counters: PerDirection<Counters>,
    pub(crate) timestamp_start: u64,
    pub(crate) timestamp_stop: u64,
    pub(crate) timestamp_event: u64,
    /// With its NUL; an empty one counts as none.
    pub(crate) secctx: Option<Box<Blob>>,
    pub(crate) helper_info: Option<Box<Blob>>,
    pub(crate) labels: Option<Box<Bitmask>>,
    pub(crate) labels_mask: Option<Box<Bitmask>>,
}

/// The front of an entry: the original tuple and the set of attributes. An
/// expectation holds its tuples in this form, and C programs read those as entries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub(crate) struct Head {
    pub(crate) tuple: RawTuple,
    pub(crate) set: AttrSet,
}

impl Head {
    /// The attributes whose values stand in a head.
    pub(crate) const ATTRS: AttrSet = AttrSet::of(&[
        Attr::OrigIpv4Src,
        Attr::OrigIpv4Dst,
        Attr::OrigIpv6Src,
        Attr::OrigIpv6Dst,
        Attr::OrigPortSrc,
        Attr::OrigPortDst,
        Attr::IcmpType,
        Attr::IcmpCode,
        Attr::IcmpId,
        Attr::OrigL3proto,
        Attr::OrigL4proto,
        Attr::OrigZone,
    ]);

    /// The tuple, where there is one.
    pub(crate) fn tuple(&self) -> Option<Tuple> {
        let zone = self.set.contains(Attr::OrigZone);
        let present = self.set.contains(Attr::OrigL3proto);
        present.then(|| Tuple::from_raw(self.tuple, zone))
    }
}

impl From<Tuple> for Head {
    fn from(tuple: Tuple) -> Self {
        let mut set = AttrSet::EMPTY;
        ORIGINAL.replace(&mut set, &tuple);
        Self {
            tuple: tuple.raw,
            set,
        }
    }
}

impl Conntrack {
    /// The room for a name: 15 bytes and a NUL.
    pub(crate) const NAME_LEN: usize = 16;

    /// An entry without any attribute.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// An entry for the flow with this original tuple, whose reply tuple is the
    /// original one inverted: what a flow without translation has.
    #[must_use]
    pub fn flow(original: Tuple) -> Self {
        let mut entry = Self::new();
        entry.set_original(original).set_reply(original.inverted());
        entry
    }

    /// Whether the attribute is present.
    #[doc(alias = "nfct_attr_is_set")]
    #[doc(alias = "nfct_attr_is_set_array")]
    #[must_use]
    pub fn is_set(&self, attr: Attr) -> bool {
        self.head.set.contains(attr)
    }

    /// Makes the attribute absent. Its value stays where it was, unseen by the
    /// getters, as in the C library.
    #[doc(alias = "nfct_attr_unset")]
    pub fn unset(&mut self, attr: Attr) {
        self.head.set.remove(attr);
    }

    /// The attributes that are present, in the order of their numbers.
    pub fn attrs(&self) -> impl Iterator<Item = Attr> + use<> {
        self.head.set.iter()
    }

    /// Makes it an entry without any attribute, but keeps the memory of its
    /// variable parts for the next message.
    pub fn clear(&mut self) {
        let mut secctx = self.secctx.take();
        if let Some(context) = &mut secctx {
            context.0.clear();
        }
        *self = Self {
            secctx,
            labels: self.labels.take(),
            ..Self::default()
        };
    }
}

impl fmt::Debug for Conntrack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut map = f.debug_map();
        for attr in self.attrs() {
            map.entry(&format_args!("{}", attr.name()), &self.attr(attr));
        }
        map.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::mem::offset_of;

    #[test]
    fn heads_stand_in_front() {
        assert_eq!(offset_of!(Conntrack, head), 0);
        assert_eq!((size_of::<Head>(), align_of::<Head>()), (52, 4));
    }

    #[test]
    fn entries_are_no_larger_than_in_c() {
        assert!(size_of::<Conntrack>() <= 400, "{}", size_of::<Conntrack>());
        assert_eq!(align_of::<Conntrack>(), 8);
    }

    #[test]
    fn clear_leaves_nothing_to_see() {
        let mut entry = Conntrack::new();
        entry.set_mark(5).set_helper("ftp").unwrap();
        entry.clear();
        assert_eq!(entry.attrs().count(), 0);
        assert_eq!((entry.mark, entry.helper_name), (0, [0; 16]));
    }
}
