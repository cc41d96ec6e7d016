//! Status bits.

use bitflags::bitflags;

bitflags! {
    /// The status of an entry, `IPS_*` of `linux/netfilter/nf_conntrack_common.h`
    /// (Linux 6.18). Unknown bits are kept.
    ///
    /// ```
    /// use netfilter_conntrack::Status;
    /// let status = Status::from_bits_retain(0x18e);
    /// assert!(status.contains(Status::SEEN_REPLY | Status::ASSURED));
    /// assert!(!status.intersects(Status::NAT));
    /// ```
    #[doc(alias = "ATTR_STATUS")]
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
    pub struct Status: u32 {
        /// Made from an expectation.
        #[doc(alias = "IPS_EXPECTED")]
        const EXPECTED = 1 << 0;
        /// Packets were seen both ways.
        #[doc(alias = "IPS_SEEN_REPLY")]
        const SEEN_REPLY = 1 << 1;
        /// Not dropped early when the table is full.
        #[doc(alias = "IPS_ASSURED")]
        const ASSURED = 1 << 2;
        /// In the table: its first packet has left.
        #[doc(alias = "IPS_CONFIRMED")]
        const CONFIRMED = 1 << 3;
        /// Source translation is needed.
        #[doc(alias = "IPS_SRC_NAT")]
        const SRC_NAT = 1 << 4;
        /// Destination translation is needed.
        #[doc(alias = "IPS_DST_NAT")]
        const DST_NAT = 1 << 5;
        /// TCP sequence numbers are adjusted.
        #[doc(alias = "IPS_SEQ_ADJUST")]
        const SEQ_ADJUST = 1 << 6;
        /// Source translation was decided.
        #[doc(alias = "IPS_SRC_NAT_DONE")]
        const SRC_NAT_DONE = 1 << 7;
        /// Destination translation was decided.
        #[doc(alias = "IPS_DST_NAT_DONE")]
        const DST_NAT_DONE = 1 << 8;
        /// Being deleted.
        #[doc(alias = "IPS_DYING")]
        const DYING = 1 << 9;
        /// Its timeout is fixed and not refreshed by packets.
        #[doc(alias = "IPS_FIXED_TIMEOUT")]
        const FIXED_TIMEOUT = 1 << 10;
        /// A template that rules attach to packets; never in the table.
        #[doc(alias = "IPS_TEMPLATE")]
        const TEMPLATE = 1 << 11;
        /// The kernel's own: one of two entries made at once for one flow.
        #[doc(alias = "IPS_NAT_CLASH")]
        #[doc(alias = "IPS_UNTRACKED")]
        const NAT_CLASH = 1 << 12;
        /// A helper is attached.
        #[doc(alias = "IPS_HELPER")]
        const HELPER = 1 << 13;
        /// On the flowtable's fast path.
        #[doc(alias = "IPS_OFFLOAD")]
        const OFFLOAD = 1 << 14;
        /// On the hardware's fast path.
        #[doc(alias = "IPS_HW_OFFLOAD")]
        const HW_OFFLOAD = 1 << 15;

        /// Source or destination translation is needed.
        #[doc(alias = "IPS_NAT_MASK")]
        const NAT = Self::SRC_NAT.bits() | Self::DST_NAT.bits();
        /// Both translations were decided.
        #[doc(alias = "IPS_NAT_DONE_MASK")]
        const NAT_DONE = Self::SRC_NAT_DONE.bits() | Self::DST_NAT_DONE.bits();

        const _ = !0;
    }
}
