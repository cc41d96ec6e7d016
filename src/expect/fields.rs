//! The parts of an expectation that are more than a number.

use bitflags::bitflags;

use crate::conntrack::{Direction, Tuple};

bitflags! {
    /// Flags of an expectation, `NF_CT_EXPECT_*` of
    /// `linux/netfilter/nf_conntrack_common.h` (Linux 6.18). Unknown bits are kept.
    #[doc(alias = "ATTR_EXP_FLAGS")]
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
    pub struct ExpectFlags: u32 {
        /// Stays when a flow has met it.
        #[doc(alias = "NF_CT_EXPECT_PERMANENT")]
        const PERMANENT = 1 << 0;
        /// Waits to be made active by its helper.
        #[doc(alias = "NF_CT_EXPECT_INACTIVE")]
        const INACTIVE = 1 << 1;
        /// Made by a helper in user space.
        #[doc(alias = "NF_CT_EXPECT_USERSPACE")]
        const USERSPACE = 1 << 2;

        const _ = !0;
    }
}

/// How an expected flow will be translated: like its master.
#[doc(alias = "ATTR_EXP_NAT_TUPLE")]
#[doc(alias = "ATTR_EXP_NAT_DIR")]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ExpectNat {
    /// The direction of the master flow whose translation the flow follows.
    pub direction: Direction,
    /// Its source address and port are those of the flow before translation;
    /// the rest is 0.
    pub tuple: Tuple,
}

/// The bytes of a name in its field.
pub(crate) fn until_nul(field: &[u8]) -> &[u8] {
    field.split(|byte| *byte == 0).next().unwrap_or_default()
}
