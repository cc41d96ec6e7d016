//! The event filter.

use super::addr_mask::AddrMask;
use super::compile::compile;
use super::criterion::{Criterion, FilterAttr, L4State, Logic};
use super::program::{ByteOrder, Program};
use crate::conntrack::EventKind;
use crate::conntrack::L4Proto;
use crate::error::Result;
use crate::netlink::Socket;

/// A filter on the socket for conntrack events: the kernel runs it on each
/// message before the message takes room in the receive buffer.
///
/// The criteria fall into one section for each [`FilterAttr`]. A message passes
/// if all sections that have criteria pass. A section passes if at least one of
/// its criteria matches ([`Logic::Positive`], as at first), or if none does
/// ([`Logic::Negative`]). A filter without criteria passes everything.
///
/// ```
/// use netfilter_conntrack::filter::{AddrMask, EventFilter, FilterAttr};
/// use netfilter_conntrack::netlink::{Family, Socket};
/// use netfilter_conntrack::{EventKind, L4Proto};
///
/// // Ends of TCP and UDP flows, except those from this network.
/// let filter = EventFilter::new()
///     .kind(EventKind::Destroy)
///     .l4proto(L4Proto::TCP)
///     .l4proto(L4Proto::UDP)
///     .source("192.0.2.0/24".parse::<AddrMask>()?)
///     .negative(FilterAttr::SourceIpv4);
/// let socket = Socket::open(Family::NETFILTER)?;
/// filter.attach(&socket)?;
/// # Ok::<(), netfilter_conntrack::Error>(())
/// ```
///
/// # What it looks at
/// Only messages that carry an entry of the conntrack table are judged.
/// Acknowledgements, errors, ends of dumps, expectations, statistics and
/// messages of other subsystems always pass.
///
/// Addresses and the protocol are those of the original direction. What a
/// message lacks cannot be judged, so a section about it passes, whatever its
/// logic: IPv6 flows pass a section about IPv4 addresses, and events without a
/// state pass one about states. Mark and zone differ: the kernel leaves them
/// out where they are 0, so absent counts as 0.
///
/// # Queries and dumps
/// The filter sits on the socket, not on the events. On a socket that is also
/// used for queries, the reply to a get vanishes if it does not pass, and a
/// datagram of a dump passes or vanishes whole, judged by its first entry; a
/// dump whose first datagram vanishes never ends. Queries belong on a socket
/// of their own.
///
/// # Limits
/// The kernel takes 4096 instructions of classic BPF. A single IPv4 address or
/// mark needs little more than one of them, and values that follow one another
/// are merged. A random IPv6 address needs up to seven, fewer the more of them
/// share their first 32, 64 or 96 bits. A filter that needs more is refused when
/// it is compiled.
#[doc(alias = "nfct_filter")]
#[doc(alias = "nfct_filter_create")]
#[doc(alias = "nfct_filter_destroy")]
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EventFilter {
    criteria: Vec<Criterion>,
    /// Whether a section's logic is negative, by number of its [`FilterAttr`].
    negative: [bool; FilterAttr::ALL.len()],
}

impl EventFilter {
    /// A filter that passes everything.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks for events of this kind.
    ///
    /// Every message about an entry has a kind, told by the message type and
    /// flags in its header. An entry in a reply to a get or a dump counts as
    /// [`EventKind::Update`].
    #[must_use]
    pub fn kind(self, kind: EventKind) -> Self {
        self.with(Criterion::Kind(kind))
    }

    /// Asks for flows of this layer 4 protocol.
    ///
    /// Compared with `CTA_PROTO_NUM` of the original tuple, which all messages
    /// about entries carry.
    #[doc(alias = "NFCT_FILTER_L4PROTO")]
    #[must_use]
    pub fn l4proto(self, proto: L4Proto) -> Self {
        self.with(Criterion::L4Proto(proto))
    }

    /// Asks for flows in this state of their protocol.
    ///
    /// Restricts flows of this protocol only: each protocol has a section of
    /// its own, and the three share the logic of [`FilterAttr::L4State`].
    ///
    /// Compared with the state in `CTA_PROTOINFO`. Updates carry it only if the
    /// state changed, and ends of flows since Linux 5.11. Linux 6.18 no longer
    /// tracks DCCP.
    #[doc(alias = "NFCT_FILTER_L4PROTO_STATE")]
    #[must_use]
    pub fn l4state(self, state: impl Into<L4State>) -> Self {
        self.with(Criterion::L4State(state.into()))
    }

    /// Asks for flows whose original source is one of these addresses.
    ///
    /// Compared with `CTA_IP_V4_SRC` or `CTA_IP_V6_SRC` of the original tuple,
    /// of which each message about an entry carries the one of its family. The
    /// families have separate sections, and flows of the other one pass.
    #[doc(alias = "NFCT_FILTER_SRC_IPV4")]
    #[doc(alias = "NFCT_FILTER_SRC_IPV6")]
    #[must_use]
    pub fn source(self, addresses: impl Into<AddrMask>) -> Self {
        self.with(Criterion::Source(addresses.into()))
    }

    /// Asks for flows whose original destination is one of these addresses.
    ///
    /// As [`source`](Self::source), with `CTA_IP_V4_DST` and `CTA_IP_V6_DST`.
    /// (With positive logic, libnetfilter_conntrack's `NFCT_FILTER_DST_IPV4`
    /// wrongly drops all IPv6 flows.)
    #[doc(alias = "NFCT_FILTER_DST_IPV4")]
    #[doc(alias = "NFCT_FILTER_DST_IPV6")]
    #[must_use]
    pub fn destination(self, addresses: impl Into<AddrMask>) -> Self {
        self.with(Criterion::Destination(addresses.into()))
    }

    /// Asks for flows whose mark agrees with `value` in the bits of `mask`;
    /// both in host byte order.
    ///
    /// Compared with `CTA_MARK`. Events carry it where it is not 0 or has just
    /// changed; where it is absent, it counts as 0. Needs a kernel with
    /// `CONFIG_NF_CONNTRACK_MARK`; without, all marks are 0.
    #[doc(alias = "NFCT_FILTER_MARK")]
    #[must_use]
    pub fn mark(self, value: u32, mask: u32) -> Self {
        self.with(Criterion::Mark { value, mask })
    }

    /// Asks for flows of this zone, in host byte order.
    ///
    /// Compared with `CTA_ZONE`, which messages carry where the zone is not 0
    /// and holds for both directions. A zone that holds for one direction only
    /// stands elsewhere and counts as 0 here. Needs a kernel with
    /// `CONFIG_NF_CONNTRACK_ZONES`; without, all zones are 0.
    #[doc(alias = "NFCT_FILTER_ZONE")]
    #[must_use]
    pub fn zone(self, zone: u16) -> Self {
        self.with(Criterion::Zone(zone))
    }

    /// Makes a section pass only if none of its criteria matches.
    #[doc(alias = "NFCT_FILTER_LOGIC_NEGATIVE")]
    #[must_use]
    pub fn negative(mut self, attr: FilterAttr) -> Self {
        self.set_logic(attr, Logic::Negative);
        self
    }

    /// Adds a criterion to its section.
    ///
    /// Each of the chained setters does this with one kind of criterion.
    /// Whether the kernel takes so many shows when the filter is
    /// [compiled](Self::compile).
    #[doc(alias = "nfct_filter_add_attr")]
    #[doc(alias = "nfct_filter_add_attr_u32")]
    pub fn add(&mut self, criterion: Criterion) {
        self.criteria.push(criterion);
    }

    /// All criteria, in the order in which they were added.
    #[must_use]
    pub fn criteria(&self) -> &[Criterion] {
        &self.criteria
    }

    /// Sets the logic of a section.
    #[doc(alias = "nfct_filter_set_logic")]
    pub fn set_logic(&mut self, attr: FilterAttr, logic: Logic) {
        self.negative[attr as usize] = logic == Logic::Negative;
    }

    /// The logic of a section.
    #[must_use]
    pub fn logic(&self, attr: FilterAttr) -> Logic {
        if self.negative[attr as usize] {
            Logic::Negative
        } else {
            Logic::Positive
        }
    }

    /// Compiles the filter for this machine.
    ///
    /// # Errors
    /// [`Error::Invalid`](crate::Error::Invalid) where the filter needs more
    /// than the 4096 instructions the kernel takes.
    pub fn compile(&self) -> Result<Program> {
        self.compile_for(ByteOrder::HOST)
    }

    /// Compiles the filter for machines of this byte order, such as the one
    /// that a test simulates.
    ///
    /// # Errors
    /// As [`compile`](Self::compile).
    pub fn compile_for(&self, order: ByteOrder) -> Result<Program> {
        compile(self, order)
    }

    /// Compiles the filter and attaches it to a socket, in place of an earlier
    /// one.
    ///
    /// It holds for what arrives from now on; what is in the receive buffer
    /// already stays there. Later changes of this object do not change what is
    /// attached. [`Socket::detach_filter`] takes it away again. On a
    /// [`Handle`](crate::Handle), see [`Handle::attach`](crate::Handle::attach).
    ///
    /// # Errors
    /// As [`compile`](Self::compile); [`Error::Io`](crate::Error::Io): ENOMEM
    /// where the program exceeds what `net.core.optmem_max` allows per socket.
    /// Most instructions take 8 to 24 bytes there, and what is attached counts
    /// until the new program is in its place. The default since Linux 6.8,
    /// 128 KiB, holds any program and mostly two of the longest; the 20 KiB
    /// before hold about 1000 addresses, or 500 if they are to be replaced
    /// without detaching first.
    #[doc(alias = "nfct_filter_attach")]
    pub fn attach(&self, socket: &Socket) -> Result<()> {
        self.compile()?.attach(socket)
    }

    fn with(mut self, criterion: Criterion) -> Self {
        self.add(criterion);
        self
    }
}

impl Extend<Criterion> for EventFilter {
    fn extend<I: IntoIterator<Item = Criterion>>(&mut self, criteria: I) {
        self.criteria.extend(criteria);
    }
}
