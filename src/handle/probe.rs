//! What the running kernel makes of filters.

use std::net::Ipv4Addr;

use super::Handle;
use super::exchange::Incoming;
use super::query::Query;
use crate::conntrack::{Direction, L4Proto};
use crate::error::{Error, Result};
use crate::filter::{Criteria, DumpFilter};
use crate::netlink::{Builder, Flags, Header};
use crate::nfnetlink::{L3Proto, Nfgenmsg, Subsystem};
use crate::uapi::{ct_message, cta, cta_filter, cta_filter_flag};

/// Which criteria of a [`DumpFilter`] the running kernel honours.
///
/// Others it ignores, and lists or deletes what they should have excluded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Capabilities {
    /// In a dump.
    pub dump: Criteria,
    /// In a flush.
    pub flush: Criteria,
}

/// What has been found out.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Probed {
    /// Criteria that may be put into a dump: the kernel honours them or, of the
    /// zone, perhaps ignores them; none makes it refuse.
    accepted: Option<Criteria>,
    /// Whether the kernel takes a flush with a tuple for a filtered flush, and
    /// which other criteria it then reads.
    flush: Option<Criteria>,
    /// Whether the zone counts.
    zone: Option<bool>,
}

/// The family of nothing: no entry has it, and so all kernels list none.
const NO_FAMILY: L3Proto = L3Proto(7);

/// A zone that hardly anybody uses.
const RARE_ZONE: u16 = u16::MAX;

impl Handle {
    /// Finds out which criteria of filters the kernel honours. It is asked once
    /// and its answers are kept with the handle.
    ///
    /// Nothing is changed. Criteria are recognised by what the kernel refuses:
    /// it looks for faults only in what it reads. Whether it reads the filter of a
    /// flush is tried with the tuple of a flow that cannot be, which deletes
    /// nothing wherever it is honoured and nothing where the kernel takes it for
    /// the request to delete that one flow. The zone can be told only from a
    /// table with entries; until there are some it counts as not honoured.
    ///
    /// # Errors
    /// As [`query`](Self::query).
    pub fn probe(&mut self) -> Result<Capabilities> {
        let accepted = self.accepted_criteria()?;
        let zone = match self.honours_zone()? {
            true => Criteria::ZONE,
            false => Criteria::empty(),
        };
        Ok(Capabilities {
            dump: accepted.difference(Criteria::ZONE) | zone,
            flush: self.trusted_flush_criteria(Criteria::ZONE)?,
        })
    }

    /// The criteria that may be put into a dump.
    pub(super) fn accepted_criteria(&mut self) -> Result<Criteria> {
        if let Some(accepted) = self.probed.accepted {
            return Ok(accepted);
        }
        // A kernel that does not look at the criterion lists no entries of no family.
        let mut accepted = Criteria::FAMILY;
        for (kind, fault) in FAULTS {
            if self.refusal(ct_message::GET, NO_FAMILY, fault)? == Some(libc::EINVAL) {
                accepted |= kind;
            }
        }
        // A kernel without zones refuses them outright; one that does not filter
        // by them may ignore them.
        let zone_with_fault = |message: &mut Builder<'_>| {
            message.put_u16_be(cta::ZONE, RARE_ZONE);
            flags_without_tuple(message)
        };
        let refusal = self.refusal(ct_message::GET, NO_FAMILY, zone_with_fault)?;
        if refusal != Some(libc::EOPNOTSUPP) {
            accepted |= Criteria::ZONE;
        }
        self.probed.accepted = Some(accepted);
        Ok(accepted)
    }

    /// Those of the wanted criteria, and all others, that are proven to be
    /// honoured in a flush. The zone is tried only where it is wanted.
    pub(super) fn trusted_flush_criteria(&mut self, wanted: Criteria) -> Result<Criteria> {
        let mut trusted = match self.probed.flush {
            Some(trusted) => trusted,
            None => self.probe_flush()?,
        };
        self.probed.flush = Some(trusted);
        if wanted.contains(Criteria::ZONE) && !trusted.is_empty() && self.honours_zone()? {
            trusted |= Criteria::ZONE;
        }
        Ok(trusted)
    }

    fn probe_flush(&mut self) -> Result<Criteria> {
        if self
            .refusal(ct_message::DELETE, L3Proto::IPV4, impossible)?
            .is_some()
        {
            return Ok(Criteria::empty());
        }
        // A kernel that takes a tuple for a criterion needs its family as another.
        let mut trusted = Criteria::FAMILY | Criteria::TUPLE;
        for (kind, fault) in FAULTS {
            let faulty = |message: &mut Builder<'_>| {
                impossible(message)?;
                fault(message)
            };
            let refusal = self.refusal(ct_message::DELETE, L3Proto::IPV4, faulty)?;
            if refusal == Some(libc::EINVAL) {
                trusted |= kind;
            }
        }
        Ok(trusted)
    }

    /// Whether the kernel looks at the zone of a dump, and so at that of a
    /// flush, which it filters alike; `false` also where the table is empty and so
    /// does not tell.
    fn honours_zone(&mut self) -> Result<bool> {
        if let Some(honoured) = self.probed.zone {
            return Ok(honoured);
        }
        if self.stats()?.entries == 0 {
            return Ok(false);
        }
        let filter = DumpFilter::new().zone(RARE_ZONE);
        let query = Query::DumpFilter(&filter);
        let seq = self.ask(|seq, buffer| query.encode(seq, buffer), true)?;
        let honoured = loop {
            match self.reply(seq)? {
                Incoming::Data {
                    header,
                    awaited: true,
                    ..
                } => {
                    self.sequence.abandon(seq);
                    break header.flags.contains(Flags::DUMP_FILTERED);
                }
                // A malformed event says nothing about filters.
                Incoming::Data { place, .. } => drop(self.deliver(place)),
                Incoming::Last(_, Ok(())) if self.stats()?.entries == 0 => return Ok(false),
                // There are entries, and none of them was listed.
                Incoming::Last(_, Ok(())) => break true,
                Incoming::Last(_, Err(error)) => match refused(error)? {
                    libc::EOPNOTSUPP => break false,
                    _ => return Ok(false),
                },
            }
        };
        self.probed.zone = Some(honoured);
        Ok(honoured)
    }

    /// Asks for a dump or a flush and tells the errno it is refused with.
    fn refusal(
        &mut self,
        message: u8,
        family: L3Proto,
        fill: impl FnOnce(&mut Builder<'_>) -> Result<()>,
    ) -> Result<Option<i32>> {
        let is_dump = message == ct_message::GET;
        let flags = if is_dump { Flags::DUMP } else { Flags::ACK };
        let kind = Subsystem::CONNTRACK.message_type(message);
        let start = Nfgenmsg {
            family,
            // With version 0 some kernels would not look at the family of a flush.
            version: u8::from(!is_dump),
            res_id: 0,
        };
        let build = |seq, buffer: &mut Vec<u8>| {
            let mut request = start.start(buffer, Header::request(kind, flags).with_seq(seq));
            fill(&mut request)?;
            request.finish()
        };
        let seq = self.ask(build, is_dump)?;
        match self.answers(seq, |_| Ok(())) {
            Ok(()) => Ok(None),
            Err(error) => refused(error).map(Some),
        }
    }
}

type Fill = fn(&mut Builder<'_>) -> Result<()>;

/// Criteria in a form that a kernel which reads them refuses with EINVAL.
const FAULTS: [(Criteria, Fill); 3] = [
    (Criteria::MARK, mask_without_mark),
    (Criteria::STATUS, empty_status_mask),
    (Criteria::TUPLE, flags_without_tuple),
];

fn mask_without_mark(message: &mut Builder<'_>) -> Result<()> {
    message.put_u32_be(cta::MARK_MASK, 1);
    Ok(())
}

fn empty_status_mask(message: &mut Builder<'_>) -> Result<()> {
    message.put_u32_be(cta::STATUS, 0);
    message.put_u32_be(cta::STATUS_MASK, 0);
    Ok(())
}

fn flags_without_tuple(message: &mut Builder<'_>) -> Result<()> {
    message.nest(cta::FILTER, |filter| {
        filter.put_u32(cta_filter::ORIG_FLAGS, 0);
        filter.put_u32(cta_filter::REPLY_FLAGS, cta_filter_flag::IP_SRC);
    });
    Ok(())
}

/// The tuple of a flow that cannot be, as a filter.
fn impossible(message: &mut Builder<'_>) -> Result<()> {
    let nowhere = Ipv4Addr::UNSPECIFIED.into();
    let filter = DumpFilter::new()
        .l4proto(L4Proto::TCP)
        .source(Direction::Original, nowhere)
        .destination(Direction::Original, nowhere)
        .source_port(Direction::Original, 0)
        .destination_port(Direction::Original, 0);
    filter.encode(message)
}

/// The errno by which a kernel says that it does not take a request.
///
/// # Errors
/// All other errors.
fn refused(error: Error) -> Result<i32> {
    match error.errno() {
        errno @ (libc::EINVAL | libc::EOPNOTSUPP | libc::ENOENT)
            if matches!(error, Error::Kernel(_)) =>
        {
            Ok(errno)
        }
        _ => Err(error),
    }
}
