//! Comparing entries.

use bitflags::bitflags;

use super::attr_number::Attr;
use super::attr_set::AttrSet;
use super::l4proto::{L4Layout, L4Proto};
use super::labels::Bitmask;
use super::object::{Conntrack, Head};
use super::protoinfo::place;
use super::tuple::RawTuple;
use super::tuple_attrs::{ICMP, ORIGINAL, REPLY, TupleAttrs};

bitflags! {
    /// What of two entries to compare, and what to make of an attribute that
    /// only one of them has.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
    pub struct CompareFlags: u32 {
        /// The original tuples and their zones, alone or with [`REPL`](Self::REPL).
        #[doc(alias = "NFCT_CMP_ORIG")]
        const ORIG = 1 << 0;
        /// The reply tuples and their zones.
        #[doc(alias = "NFCT_CMP_REPL")]
        const REPL = 1 << 1;
        /// Compares nothing, as in the C library; `TIMEOUT_GT`, `TIMEOUT_GE`,
        /// `TIMEOUT_LT` and `TIMEOUT_LE` neither.
        #[doc(alias = "NFCT_CMP_TIMEOUT_EQ")]
        const TIMEOUT_EQ = 1 << 2;
        /// See [`TIMEOUT_EQ`](Self::TIMEOUT_EQ).
        #[doc(alias = "NFCT_CMP_TIMEOUT_GT")]
        const TIMEOUT_GT = 1 << 3;
        /// See [`TIMEOUT_EQ`](Self::TIMEOUT_EQ).
        #[doc(alias = "NFCT_CMP_TIMEOUT_GE")]
        const TIMEOUT_GE = Self::TIMEOUT_GT.bits() | Self::TIMEOUT_EQ.bits();
        /// See [`TIMEOUT_EQ`](Self::TIMEOUT_EQ).
        #[doc(alias = "NFCT_CMP_TIMEOUT_LT")]
        const TIMEOUT_LT = 1 << 4;
        /// See [`TIMEOUT_EQ`](Self::TIMEOUT_EQ).
        #[doc(alias = "NFCT_CMP_TIMEOUT_LE")]
        const TIMEOUT_LE = Self::TIMEOUT_LT.bits() | Self::TIMEOUT_EQ.bits();
        /// The second entry must have all attributes that the first one has.
        #[doc(alias = "NFCT_CMP_MASK")]
        const MASK = 1 << 5;
        /// Both entries must have the same attributes.
        #[doc(alias = "NFCT_CMP_STRICT")]
        const STRICT = 1 << 6;

        const _ = !0;
    }
}

impl CompareFlags {
    /// The flags that say what to compare; all, where there is none.
    pub(crate) fn scope(self) -> Self {
        self.difference(Self::MASK | Self::STRICT)
    }

    /// Whether it matters what only one of the entries has.
    fn presence_counts(self) -> bool {
        self.intersects(Self::MASK | Self::STRICT)
    }
}

/// The attributes outside the tuples that are compared, those with a default apart.
const META: AttrSet = AttrSet::of(&[
    Attr::Id,
    Attr::Timeout,
    Attr::Status,
    Attr::TcpState,
    Attr::SctpState,
    Attr::DccpState,
    Attr::Secctx,
    Attr::Connlabels,
    Attr::ConnlabelsMask,
]);

/// The attributes whose values stand elsewhere.
const VARIABLE: AttrSet = AttrSet::of(&[Attr::Secctx, Attr::Connlabels, Attr::ConnlabelsMask]);

/// The states, which share one place.
const STATES: AttrSet = AttrSet::of(&[Attr::TcpState, Attr::SctpState, Attr::DccpState]);

impl Conntrack {
    /// Whether all that both entries have is equal; see
    /// [`compare_with`](Self::compare_with) without flags.
    #[doc(alias = "nfct_compare")]
    #[must_use]
    pub fn compare(&self, other: &Self) -> bool {
        self.compare_with(other, CompareFlags::empty())
    }

    /// Whether two entries are equal.
    ///
    /// Without `ORIG` and `REPL` these are compared: both tuples, the zones,
    /// id, mark, timeout, status (all bits of the first entry's must be in the
    /// second's), the state of TCP, SCTP or DCCP, security context and labels.
    /// Any flag but `MASK` and `STRICT` takes out all it does not name. Ports
    /// and ICMP fields are compared where both entries have a protocol with them.
    ///
    /// An attribute that one entry lacks is no difference, unless `MASK` or
    /// `STRICT` says so; a lacking mark or zone then counts as 0.
    ///
    /// ```
    /// use netfilter_conntrack::{CompareFlags, Conntrack, Tuple};
    ///
    /// let tuple = Tuple::udp("192.0.2.1:5353".parse().unwrap(), "192.0.2.2:53".parse().unwrap())?;
    /// let mut entry = Conntrack::flow(tuple);
    /// entry.set_mark(7).set_timeout(30);
    /// let mut wanted = Conntrack::new();
    /// assert!(wanted.compare_with(&entry, CompareFlags::MASK));
    /// wanted.set_mark(8);
    /// assert!(!wanted.compare_with(&entry, CompareFlags::MASK));
    /// assert!(wanted.compare_with(&entry, CompareFlags::ORIG));
    /// # Ok::<(), netfilter_conntrack::Error>(())
    /// ```
    #[doc(alias = "nfct_cmp")]
    #[must_use]
    pub fn compare_with(&self, other: &Self, flags: CompareFlags) -> bool {
        let (scope, [first, second]) = (flags.scope(), [self.head.set, other.head.set]);
        match flags.presence_counts() {
            false => self.matches(other, scope, &Sides::<false>::new(first, second, flags)),
            true => self.matches(other, scope, &Sides::<true>::new(first, second, flags)),
        }
    }

    #[inline(always)]
    fn matches<const PRESENCE: bool>(
        &self,
        other: &Self,
        scope: CompareFlags,
        sides: &Sides<PRESENCE>,
    ) -> bool {
        let all = scope.is_empty();
        let originals = [&self.head.tuple, &other.head.tuple];
        (!(all || scope.contains(CompareFlags::ORIG)) || sides.originals_match(originals))
            && (!(all || scope.contains(CompareFlags::REPL))
                || sides.replies_match([&self.reply, &other.reply], originals))
            && (!all || self.meta_matches(other, sides))
    }

    #[inline]
    fn meta_matches<const PRESENCE: bool>(&self, other: &Self, sides: &Sides<PRESENCE>) -> bool {
        sides.presence_matches(META)
            && sides.default_zero(Attr::Mark, self.mark, other.mark)
            && sides.default_zero(Attr::Zone, self.zone, other.zone)
            && sides.both(Attr::Id, || self.id == other.id)
            && sides.both(Attr::Timeout, || self.timeout == other.timeout)
            && sides.both(Attr::Status, || self.status & !other.status == 0)
            && (!sides.both.intersects(STATES) || self.proto_state() == other.proto_state())
            && (!sides.both.intersects(VARIABLE) || self.variable_parts_match(other, sides.both))
    }

    #[inline(always)]
    fn variable_parts_match(&self, other: &Self, both: AttrSet) -> bool {
        (!both.contains(Attr::Secctx) || self.secctx_bytes() == other.secctx_bytes())
            && (!both.contains(Attr::Connlabels) || same_labels(&self.labels, &other.labels))
            && (!both.contains(Attr::ConnlabelsMask)
                || same_labels(&self.labels_mask, &other.labels_mask))
    }

    /// The state of whichever protocol: their attributes share the place.
    fn proto_state(&self) -> u8 {
        self.protoinfo.u8(place::STATE)
    }
}

#[inline]
fn same_labels(first: &Option<Box<Bitmask>>, second: &Option<Box<Bitmask>>) -> bool {
    match (first, second) {
        (Some(first), Some(second)) => first.same_bits(second),
        (None, None) => true,
        _ => false,
    }
}

impl Head {
    /// Compares original tuples, as [`CompareFlags::ORIG`] does. Heads are
    /// enough for that: the tuples of expectations are compared so, with each
    /// other and with entries.
    #[inline]
    pub(crate) fn compare(&self, other: &Self, flags: CompareFlags) -> bool {
        let ([first, second], tuples) = ([self.set, other.set], [&self.tuple, &other.tuple]);
        match flags.presence_counts() {
            false => Sides::<false>::new(first, second, flags).originals_match(tuples),
            true => Sides::<true>::new(first, second, flags).originals_match(tuples),
        }
    }
}

/// What two entries have, and what counts of the attributes that only one has.
///
/// Made twice by the compiler: mostly nothing counts of these, and then there is
/// half as much to do.
struct Sides<const PRESENCE: bool> {
    both: AttrSet,
    /// Attributes of the first entry that the second lacks, where that matters.
    first_only: AttrSet,
    second_only: AttrSet,
}

/// One tuple of each entry.
type Pair<'a> = [&'a RawTuple; 2];

impl<const PRESENCE: bool> Sides<PRESENCE> {
    #[inline(always)]
    fn new(first: AttrSet, second: AttrSet, flags: CompareFlags) -> Self {
        Self {
            both: first.intersection(second),
            first_only: first.without(second).only_if(PRESENCE),
            second_only: second
                .without(first)
                .only_if(PRESENCE && flags.contains(CompareFlags::STRICT)),
        }
    }

    #[inline]
    fn originals_match(&self, [first, second]: Pair<'_>) -> bool {
        self.tuples_match([first, second], [first, second], &ORIGINAL)
            && self.default_zero(Attr::OrigZone, first.zone, second.zone)
    }

    #[inline]
    fn replies_match(&self, [first, second]: Pair<'_>, originals: Pair<'_>) -> bool {
        self.tuples_match([first, second], originals, &REPLY)
            && self.default_zero(Attr::ReplZone, first.zone, second.zone)
    }

    /// Whether no attribute of these is missing where it matters.
    #[inline]
    fn presence_matches(&self, attrs: AttrSet) -> bool {
        !self.first_only.union(self.second_only).intersects(attrs)
    }

    /// Whether an attribute that both have is equal.
    #[inline(always)]
    fn both(&self, attr: Attr, equal: impl FnOnce() -> bool) -> bool {
        !self.both.contains(attr) || equal()
    }

    /// Whether an attribute is equal that counts as 0 where it is missing.
    #[inline(always)]
    fn default_zero<T: PartialEq + Default>(&self, attr: Attr, first: T, second: T) -> bool {
        if self.both.contains(attr) {
            first == second
        } else if self.first_only.contains(attr) {
            first == T::default()
        } else if self.second_only.contains(attr) {
            second == T::default()
        } else {
            true
        }
    }

    /// Compares tuples, except for their zones.
    // Inlined, so that the sets of attributes are constants.
    #[inline(always)]
    fn tuples_match(
        &self,
        [first, second]: Pair<'_>,
        originals: Pair<'_>,
        attrs: &'static TupleAttrs,
    ) -> bool {
        self.presence_matches(attrs.common)
            && self.both(attrs.l3proto, || first.l3 == second.l3)
            && self.addresses_match([first, second], attrs)
            && (!self.both.contains(attrs.l4proto)
                || (first.l4 == second.l4 && self.l4_matches([first, second], originals, attrs)))
    }

    #[inline(always)]
    fn addresses_match(&self, [first, second]: Pair<'_>, attrs: &'static TupleAttrs) -> bool {
        // Most often all is the same, also what is not there.
        (first.src == second.src && first.dst == second.dst)
            || (self.both(attrs.ipv4_src, || front(first.src) == front(second.src))
                && self.both(attrs.ipv4_dst, || front(first.dst) == front(second.dst))
                && self.both(attrs.ipv6_src, || first.src == second.src)
                && self.both(attrs.ipv6_dst, || first.dst == second.dst))
    }

    /// Compares what the protocol, the same in both tuples, adds to them. GRE
    /// keys are not compared, as in the C library.
    #[inline(always)]
    fn l4_matches(
        &self,
        [first, second]: Pair<'_>,
        originals: Pair<'_>,
        attrs: &'static TupleAttrs,
    ) -> bool {
        match L4Proto(first.l4).layout() {
            L4Layout::Ports => {
                self.presence_matches(attrs.ports)
                    && self.both(attrs.port_src, || first.l4src == second.l4src)
                    && self.both(attrs.port_dst, || first.l4dst == second.l4dst)
            }
            // The attributes show the original tuple's fields, so these are
            // compared for the reply tuple too.
            L4Layout::Icmp => {
                let [first, second] = originals;
                self.presence_matches(ICMP)
                    && self.both(Attr::IcmpId, || first.l4src == second.l4src)
                    && self.both(Attr::IcmpType, || first.l4dst[0] == second.l4dst[0])
                    && self.both(Attr::IcmpCode, || first.l4dst[1] == second.l4dst[1])
            }
            L4Layout::Keys | L4Layout::Nothing => true,
        }
    }
}

/// The IPv4 address in the first four bytes of an address's place.
fn front([a, b, c, d, ..]: [u8; 16]) -> [u8; 4] {
    [a, b, c, d]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conntrack::{Bitmask, Icmp, Status, Tuple};

    const RULES: [CompareFlags; 4] = [
        CompareFlags::empty(),
        CompareFlags::MASK,
        CompareFlags::STRICT,
        CompareFlags::MASK.union(CompareFlags::STRICT),
    ];

    fn udp(source_port: u16) -> Conntrack {
        let source = ([192, 0, 2, 1], source_port).into();
        Conntrack::flow(Tuple::udp(source, ([192, 0, 2, 2], 53).into()).unwrap())
    }

    /// Results with no rule, MASK, STRICT and both.
    fn results(a: &Conntrack, b: &Conntrack, scope: CompareFlags) -> [bool; 4] {
        RULES.map(|rule| a.compare_with(b, scope | rule))
    }

    #[test]
    fn one_sided_attributes() {
        let (with, without) = (udp(1), Conntrack::new());
        for scope in [
            CompareFlags::ORIG,
            CompareFlags::REPL,
            CompareFlags::empty(),
        ] {
            assert_eq!(results(&with, &without, scope), [true, false, false, false]);
            assert_eq!(results(&without, &with, scope), [true, true, false, false]);
            assert_eq!(results(&with, &with, scope), [true; 4]);
            assert_eq!(results(&with, &udp(2), scope), [false; 4]);
        }
    }

    #[test]
    fn marks_and_zones_count_as_0_where_they_are_missing() {
        let scopes = [
            (Attr::Mark, CompareFlags::empty()),
            (Attr::Zone, CompareFlags::empty()),
            (Attr::OrigZone, CompareFlags::ORIG),
            (Attr::ReplZone, CompareFlags::REPL),
        ];
        for (attr, scope) in scopes {
            let (mut zero, mut seven, none) = (udp(1), udp(1), udp(1));
            zero.store(attr, &[]);
            seven.store(attr, &7u32.to_ne_bytes());
            assert_eq!(results(&zero, &none, scope), [true; 4], "{attr:?}");
            assert_eq!(results(&none, &zero, scope), [true; 4]);
            assert_eq!(results(&seven, &none, scope), [true, false, false, false]);
            assert_eq!(results(&none, &seven, scope), [true, true, false, false]);
            assert_eq!(results(&seven, &zero, scope), [false; 4]);
        }
    }

    #[test]
    fn timeout_flags_take_out_everything() {
        let (mut a, mut b) = (udp(1), udp(2));
        a.set_timeout(1);
        b.set_timeout(2);
        for flags in [
            CompareFlags::TIMEOUT_EQ,
            CompareFlags::TIMEOUT_GE,
            CompareFlags::TIMEOUT_LE,
        ] {
            assert_eq!(results(&a, &b, flags), [true; 4]);
        }
        assert!(!a.compare(&b));
        assert!(!a.compare_with(&b, CompareFlags::TIMEOUT_EQ | CompareFlags::REPL));
    }

    #[test]
    fn ports_count_only_with_the_protocol() {
        let (a, mut b) = (udp(1), udp(2));
        b.unset(Attr::OrigL4proto);
        assert!(a.compare_with(&b, CompareFlags::ORIG));
        assert!(!a.compare_with(&b, CompareFlags::ORIG | CompareFlags::MASK));
        let (mut a, mut b) = (udp(1), udp(2));
        for entry in [&mut a, &mut b] {
            entry.store(Attr::OrigL4proto, &[47]);
        }
        assert!(a.compare_with(&b, CompareFlags::ORIG));
    }

    #[test]
    fn icmp_fields_of_the_original_tuple_stand_for_both() {
        let echo = |id| {
            let tuple = Tuple::new([192, 0, 2, 1].into(), [192, 0, 2, 2].into(), L4Proto::ICMP);
            Conntrack::flow(tuple.unwrap().with_icmp(Icmp {
                kind: 8,
                code: 0,
                id,
            }))
        };
        let (a, mut b) = (echo(1), echo(2));
        assert!(!a.compare_with(&b, CompareFlags::ORIG));
        assert!(!a.compare_with(&b, CompareFlags::REPL));
        b.head.tuple.l4src = a.head.tuple.l4src;
        assert_ne!(a.reply, b.reply);
        assert!(a.compare_with(&b, CompareFlags::REPL));
        b.unset(Attr::IcmpCode);
        assert_eq!(
            results(&a, &b, CompareFlags::REPL),
            [true, false, false, false]
        );
    }

    #[test]
    fn the_second_status_may_have_more_bits() {
        let (mut a, mut b) = (Conntrack::new(), Conntrack::new());
        a.set_status(Status::ASSURED);
        b.set_status(Status::ASSURED | Status::CONFIRMED);
        assert!(a.compare(&b) && !b.compare(&a));
    }

    #[test]
    fn labels_are_equal_whatever_their_size() {
        let labels = |size, bit| {
            let mut mask = Bitmask::new(size).unwrap();
            mask.set(bit);
            let mut entry = Conntrack::new();
            entry.set_labels(mask);
            entry
        };
        assert!(labels(31, 3).compare(&labels(127, 3)));
        assert!(!labels(31, 3).compare(&labels(127, 99)));
        let (mut empty, mut twice) = (Conntrack::new(), Conntrack::new());
        for entry in [&mut empty, &mut twice] {
            entry.store(Attr::Secctx, b"ignored");
        }
        assert!(empty.compare(&twice), "no context in both");
    }

    #[test]
    fn heads_are_compared_with_entries() {
        let (a, b) = (udp(1), udp(2));
        assert!(a.head.compare(&udp(1).head, CompareFlags::STRICT));
        assert!(!a.head.compare(&b.head, CompareFlags::empty()));
    }
}
