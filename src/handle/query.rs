//! The queries and the requests they become.

use crate::conntrack::Conntrack;
use crate::conntrack::encode::{encode, encode_key};
use crate::error::Result;
use crate::filter::DumpFilter;
use crate::netlink::{Builder, Flags, Header};
use crate::nfnetlink::{L3Proto, Nfgenmsg, Subsystem};
use crate::uapi::ct_message;

/// A request about the table.
///
/// Queries that list entries ask for one address family, or for all of them
/// with [`L3Proto::UNSPEC`].
#[doc(alias = "nf_conntrack_query")]
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Query<'a> {
    /// Make an entry; EEXIST where there is one. Both tuples and a timeout are
    /// needed (EINVAL).
    #[doc(alias = "NFCT_Q_CREATE")]
    Create(&'a Conntrack),
    /// Change an entry; ENOENT where there is none.
    #[doc(alias = "NFCT_Q_UPDATE")]
    Update(&'a Conntrack),
    /// Delete the entry with this tuple, zone and (if present) id; ENOENT
    /// where there is none, EBUSY where a flowtable has it.
    #[doc(alias = "NFCT_Q_DESTROY")]
    Destroy(&'a Conntrack),
    /// Get the entry with this tuple and zone; ENOENT where there is none.
    #[doc(alias = "NFCT_Q_GET")]
    Get(&'a Conntrack),
    /// Delete all entries of a family (Linux 5.2 and later; older kernels
    /// delete all families').
    #[doc(alias = "NFCT_Q_FLUSH")]
    Flush(L3Proto),
    /// List the entries of a family.
    #[doc(alias = "NFCT_Q_DUMP")]
    Dump(L3Proto),
    /// List the entries of a family and set their counters to zero.
    #[doc(alias = "NFCT_Q_DUMP_RESET")]
    DumpReset(L3Proto),
    /// Make an entry, or change the one there is.
    #[doc(alias = "NFCT_Q_CREATE_UPDATE")]
    CreateUpdate(&'a Conntrack),
    /// List the entries that the kernel's filter lets pass.
    #[doc(alias = "NFCT_Q_DUMP_FILTER")]
    DumpFilter(&'a DumpFilter),
    /// The same, and set their counters to zero.
    #[doc(alias = "NFCT_Q_DUMP_FILTER_RESET")]
    DumpFilterReset(&'a DumpFilter),
    /// Delete the entries that the kernel's filter lets pass. Refused with
    /// [`Error::Invalid`](crate::Error::Invalid) is a filter by IPv6 addresses, by
    /// the zone of one direction, or by ports of protocols other than TCP and UDP:
    /// the kernel would delete what was not asked for.
    /// [`Handle::flush_filtered`](crate::Handle::flush_filtered) takes any filter,
    /// and minds older kernels too.
    #[doc(alias = "NFCT_Q_FLUSH_FILTER")]
    FlushFilter(&'a DumpFilter),
}

/// What distinguishes the requests: message number, flags, family and version.
struct Shape {
    message: u8,
    flags: Flags,
    family: L3Proto,
    version: u8,
}

impl Query<'_> {
    /// Builds the request at the end of `buffer`, which
    /// [`Socket::send`](crate::netlink::Socket::send) takes.
    ///
    /// # Errors
    /// [`Error::Invalid`](crate::Error::Invalid) where the entry lacks its tuple
    /// or cannot be sent; `buffer` is then as it was.
    ///
    /// ```
    /// use netfilter_conntrack::netlink::Message;
    /// use netfilter_conntrack::nfnetlink::L3Proto;
    /// use netfilter_conntrack::Query;
    ///
    /// let mut buffer = Vec::new();
    /// Query::Dump(L3Proto::IPV4).encode(7, &mut buffer)?;
    /// let message = Message::parse(&buffer)?;
    /// assert_eq!((message.kind(), message.seq(), message.payload()), (0x101, 7, &[2, 0, 0, 0][..]));
    /// # Ok::<(), netfilter_conntrack::Error>(())
    /// ```
    #[doc(alias = "nfct_build_query")]
    pub fn encode(&self, seq: u32, buffer: &mut Vec<u8>) -> Result<()> {
        let shape = self.shape();
        let kind = Subsystem::CONNTRACK.message_type(shape.message);
        let header = Header::request(kind, shape.flags).with_seq(seq);
        let start = Nfgenmsg {
            family: shape.family,
            version: shape.version,
            res_id: 0,
        };
        let mut message = start.start(buffer, header);
        self.fill(&mut message)?;
        message.finish()
    }

    /// Whether the replies are a dump.
    pub(crate) fn is_dump(&self) -> bool {
        self.shape().flags.contains(Flags::DUMP)
    }

    fn fill(&self, message: &mut Builder<'_>) -> Result<()> {
        match self {
            Self::Create(entry) | Self::Update(entry) | Self::CreateUpdate(entry) => {
                encode(entry, message)
            }
            Self::Destroy(entry) | Self::Get(entry) => encode_key(entry, message),
            Self::Flush(_) | Self::Dump(_) | Self::DumpReset(_) => Ok(()),
            Self::DumpFilter(filter) | Self::DumpFilterReset(filter) => filter.encode(message),
            Self::FlushFilter(filter) => filter.encode_flush(message),
        }
    }

    fn shape(&self) -> Shape {
        let shape = |message, flags, family| Shape {
            message,
            flags,
            family,
            version: 0,
        };
        match *self {
            Self::Create(entry) => {
                let flags = Flags::ACK | Flags::CREATE | Flags::EXCL;
                shape(ct_message::NEW, flags, family(entry))
            }
            Self::CreateUpdate(entry) => {
                shape(ct_message::NEW, Flags::ACK | Flags::CREATE, family(entry))
            }
            Self::Update(entry) => shape(ct_message::NEW, Flags::ACK, family(entry)),
            Self::Destroy(entry) => shape(ct_message::DELETE, Flags::ACK, family(entry)),
            Self::Get(entry) => shape(ct_message::GET, Flags::ACK, family(entry)),
            // With version 0 the kernel would not look at the family.
            Self::Flush(family) => Shape {
                version: 1,
                ..shape(ct_message::DELETE, Flags::ACK, family)
            },
            Self::FlushFilter(filter) => Shape {
                version: 1,
                ..shape(ct_message::DELETE, Flags::ACK, filter.l3proto())
            },
            Self::Dump(family) => shape(ct_message::GET, Flags::DUMP, family),
            Self::DumpReset(family) => shape(ct_message::GET_CTRZERO, Flags::DUMP, family),
            Self::DumpFilter(filter) => shape(ct_message::GET, Flags::DUMP, filter.l3proto()),
            Self::DumpFilterReset(filter) => {
                shape(ct_message::GET_CTRZERO, Flags::DUMP, filter.l3proto())
            }
        }
    }
}

/// The family of an entry's original tuple, or of its reply tuple.
fn family(entry: &Conntrack) -> L3Proto {
    match L3Proto(entry.head.tuple.l3) {
        L3Proto::UNSPEC => L3Proto(entry.reply.l3),
        family => family,
    }
}
