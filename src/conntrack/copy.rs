//! Copying entries and single attributes.

use bitflags::bitflags;

use super::attr::Kind;
use super::attr_number::Attr;
use super::attr_set::AttrSet;
use super::object::Conntrack;
use super::tuple_attrs::{ICMP, ORIGINAL, REPLY};

bitflags! {
    /// Which attributes to copy; all, where there is no flag.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
    pub struct CopyFlags: u32 {
        /// Those of the original tuple but its zone, ICMP fields included.
        #[doc(alias = "NFCT_CP_ORIG")]
        const ORIG = 1 << 0;
        /// Those of the reply tuple but its zone.
        #[doc(alias = "NFCT_CP_REPL")]
        const REPL = 1 << 1;
        /// All others, zones included.
        #[doc(alias = "NFCT_CP_META")]
        const META = 1 << 2;
        /// Everything: attributes the source lacks become absent.
        #[doc(alias = "NFCT_CP_OVERRIDE")]
        const OVERRIDE = 1 << 3;

        const _ = !0;
    }
}

/// What [`CopyFlags`] without a bit stands for.
const ALL: AttrSet = AttrSet::range(Attr::OrigIpv4Src, Attr::TimestampEvent);
const META: AttrSet = AttrSet::range(Attr::TcpState, Attr::TimestampEvent);

impl CopyFlags {
    fn attrs(self) -> AttrSet {
        if self.is_empty() {
            return ALL;
        }
        let scopes = [
            (Self::ORIG, ORIGINAL.contents.union(ICMP)),
            (Self::REPL, REPLY.contents),
            (Self::META, META),
        ];
        let chosen = scopes.into_iter().filter(|(flag, _)| self.contains(*flag));
        chosen.fold(AttrSet::EMPTY, |set, (_, attrs)| set.union(attrs))
    }
}

impl Conntrack {
    /// Copies the attributes that `source` has out of those the flags choose.
    /// Without [`CopyFlags::OVERRIDE`] all others stay as they are.
    ///
    /// ```
    /// use netfilter_conntrack::{Conntrack, CopyFlags, Tuple};
    ///
    /// let tuple = Tuple::udp("192.0.2.1:5353".parse().unwrap(), "192.0.2.2:53".parse().unwrap())?;
    /// let mut update = Conntrack::flow(tuple);
    /// update.set_timeout(30);
    /// let mut known = Conntrack::new();
    /// known.set_mark(7);
    /// known.copy_from(&update, CopyFlags::META);
    /// assert_eq!((known.timeout(), known.mark()), (Some(30), Some(7)));
    /// assert_eq!(known.original(), None);
    /// # Ok::<(), netfilter_conntrack::Error>(())
    /// ```
    #[doc(alias = "nfct_copy")]
    pub fn copy_from(&mut self, source: &Self, flags: CopyFlags) {
        if flags.contains(CopyFlags::OVERRIDE) {
            self.clone_from(source);
            return;
        }
        for attr in flags.attrs().intersection(source.head.set).iter() {
            self.copy_value(source, attr);
        }
    }

    /// Copies one attribute; without effect where `source` lacks it.
    #[doc(alias = "nfct_copy_attr")]
    pub fn copy_attr(&mut self, source: &Self, attr: Attr) {
        if source.is_set(attr) {
            self.copy_value(source, attr);
        }
    }

    fn copy_value(&mut self, source: &Self, attr: Attr) {
        match attr.row().kind {
            Kind::Context => self.secctx.clone_from(&source.secctx),
            Kind::Blob if source.helper_info.is_some() => {
                self.helper_info.clone_from(&source.helper_info);
            }
            Kind::Labels if source.label_field(attr).is_some() => {
                self.label_field_mut(attr)
                    .clone_from(source.label_field(attr));
            }
            Kind::Blob | Kind::Labels => {}
            _ => {
                self.field_mut(attr).copy_from_slice(source.field(attr));
                self.copy_elsewhere(source, attr);
            }
        }
        self.head.set.insert(attr);
    }

    /// What belongs to an attribute besides its own field: all that setting it stores.
    fn copy_elsewhere(&mut self, source: &Self, attr: Attr) {
        match attr {
            Attr::IcmpType => self.reply.l4dst[0] = source.reply.l4dst[0],
            Attr::IcmpCode => self.reply.l4dst[1] = source.reply.l4dst[1],
            Attr::IcmpId => self.reply.l4src = source.reply.l4src,
            Attr::SnatIpv6 => self.snat.max = source.snat.max,
            Attr::DnatIpv6 => self.dnat.max = source.dnat.max,
            Attr::SnatIpv4 => self.snat.max[..4].copy_from_slice(&source.snat.max[..4]),
            Attr::DnatIpv4 => self.dnat.max[..4].copy_from_slice(&source.dnat.max[..4]),
            Attr::SnatPort => self.snat.port_max = source.snat.port_max,
            Attr::DnatPort => self.dnat.port_max = source.dnat.port_max,
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conntrack::{Icmp, L4Proto, Nat, Tuple};

    #[test]
    fn scopes() {
        let numbers = |flags: CopyFlags| {
            let attrs = flags.attrs().iter();
            attrs.map(Attr::number).collect::<Vec<_>>()
        };
        let original = [0, 1, 4, 5, 8, 9, 12, 13, 14, 15, 17];
        let reply = [2, 3, 6, 7, 10, 11, 16, 18];
        assert_eq!(numbers(CopyFlags::ORIG), original);
        assert_eq!(numbers(CopyFlags::REPL), reply);
        assert!(numbers(CopyFlags::META).into_iter().eq(19..76));
        assert!(
            numbers(CopyFlags::ORIG | CopyFlags::REPL)
                .into_iter()
                .eq(0..19)
        );
        assert!(numbers(CopyFlags::empty()).into_iter().eq(0..76));
        assert!(numbers(CopyFlags::from_bits_retain(16)).is_empty());
    }

    #[test]
    fn what_the_source_lacks_stays_unless_overridden() {
        let mut source = Conntrack::new();
        source.set_timeout(5).set_id(6);
        source.unset(Attr::Id);
        let mut entry = Conntrack::new();
        entry.set_mark(7).set_id(8).set_timeout(9);
        entry.copy_from(&source, CopyFlags::empty());
        assert_eq!(
            (entry.timeout(), entry.mark(), entry.id()),
            (Some(5), Some(7), Some(8))
        );
        entry.copy_from(&source, CopyFlags::OVERRIDE | CopyFlags::ORIG);
        assert!(entry.attrs().eq([Attr::Timeout]));
        assert_eq!(entry.id, 6, "absent values go along");
    }

    #[test]
    fn ranges_and_icmp_replies_are_copied_whole() {
        let echo = Icmp {
            kind: 8,
            code: 2,
            id: 3,
        };
        let tuple = Tuple::new([192, 0, 2, 1].into(), [192, 0, 2, 2].into(), L4Proto::ICMP);
        let mut source = Conntrack::flow(tuple.unwrap().with_icmp(echo));
        let range = Nat {
            addresses: Some(([192, 0, 2, 3].into(), [192, 0, 2, 4].into())),
            ports: Some((5, 6)),
        };
        source.set_snat(range).unwrap().set_dnat(range).unwrap();
        let mut entry = Conntrack::new();
        entry.copy_from(&source, CopyFlags::empty());
        assert_eq!(entry.reply(), source.reply());
        assert_eq!((entry.snat(), entry.dnat()), (Some(range), Some(range)));
        let mut one = Conntrack::new();
        one.copy_attr(&source, Attr::IcmpType);
        one.copy_attr(&source, Attr::Mark);
        assert_eq!(one.reply.l4dst, [0, 0]);
        assert_eq!(one.head.tuple.l4dst, [8, 0]);
        assert!(one.attrs().eq([Attr::IcmpType]));
    }

    #[test]
    fn the_time_of_the_event_is_copied() {
        let mut source = Conntrack::new();
        source.timestamp_event = 1 << 60;
        source.head.set.insert(Attr::TimestampEvent);
        for flags in [CopyFlags::empty(), CopyFlags::META, CopyFlags::OVERRIDE] {
            let mut entry = Conntrack::new();
            entry.copy_from(&source, flags);
            assert_eq!(entry.timestamps().event, Some(1 << 60), "{flags:?}");
        }
        let mut entry = Conntrack::new();
        entry.copy_attr(&source, Attr::TimestampEvent);
        assert_eq!(entry.timestamps(), source.timestamps());
    }

    #[test]
    fn values_of_their_own_memory_are_kept_where_the_source_has_none() {
        let mut entry = Conntrack::new();
        entry.set_helper_info(b"kept");
        let mut source = Conntrack::new();
        source.head.set.insert(Attr::HelperInfo);
        source.head.set.insert(Attr::Connlabels);
        source.head.set.insert(Attr::Secctx);
        entry.copy_from(&source, CopyFlags::META);
        assert_eq!(entry.helper_info(), Some(&b"kept"[..]));
        assert!(entry.is_set(Attr::Connlabels) && entry.labels().is_none());
        assert!(entry.is_set(Attr::Secctx) && entry.secctx().is_none());
    }
}
