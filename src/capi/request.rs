//! Requests: what the queries of C programs become.

use std::ffi::{c_int, c_void};

use super::expect::read as read_expect;
use super::object;
use super::types::QueryNumber;
use crate::conntrack::Conntrack;
use crate::conntrack::encode::encode_as_c;
use crate::error::{Error, Result};
use crate::expect::encode::{encode as encode_expect, family as expect_family};
use crate::expect::{Expect, ExpectAttr};
use crate::filter::DumpFilter;
use crate::netlink::{Builder, Flags, Header};
use crate::nfnetlink::{L3Proto, Nfgenmsg, Subsystem};
use crate::uapi::{ct_message, exp_message};

/// A request that can be built.
pub(super) struct Request<'a> {
    query: &'static Query,
    subject: Subject<'a>,
}

/// What a request is about.
#[derive(Clone, Copy)]
enum Subject<'a> {
    Family(L3Proto),
    Entry(&'a Conntrack),
    Expect(&'a Expect),
    Filter(&'a DumpFilter),
}

/// A row of the tables below.
struct Query {
    subsystem: Subsystem,
    message: u8,
    flags: Flags,
    takes: Takes,
}

/// What a program passes as the data of a query.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Takes {
    Object,
    Family,
    Filter,
}

const fn conntrack(message: u8, flags: Flags, takes: Takes) -> Option<Query> {
    Some(Query {
        subsystem: Subsystem::CONNTRACK,
        message,
        flags,
        takes,
    })
}

const fn expect(message: u8, flags: Flags, takes: Takes) -> Option<Query> {
    Some(Query {
        subsystem: Subsystem::EXPECT,
        message,
        flags,
        takes,
    })
}

const CREATE: Flags = Flags::ACK.union(Flags::CREATE).union(Flags::EXCL);
const CREATE_UPDATE: Flags = Flags::ACK.union(Flags::CREATE);

/// The queries about entries, by number of `enum nf_conntrack_query`.
static CONNTRACK: [Option<Query>; 11] = [
    conntrack(ct_message::NEW, CREATE, Takes::Object),
    conntrack(ct_message::NEW, Flags::ACK, Takes::Object),
    conntrack(ct_message::DELETE, Flags::ACK, Takes::Object),
    conntrack(ct_message::GET, Flags::ACK, Takes::Object),
    conntrack(ct_message::DELETE, Flags::ACK, Takes::Family),
    conntrack(ct_message::GET, Flags::DUMP, Takes::Family),
    conntrack(ct_message::GET_CTRZERO, Flags::DUMP, Takes::Family),
    conntrack(ct_message::NEW, CREATE_UPDATE, Takes::Object),
    conntrack(ct_message::GET, Flags::DUMP, Takes::Filter),
    conntrack(ct_message::GET_CTRZERO, Flags::DUMP, Takes::Filter),
    conntrack(ct_message::DELETE, Flags::ACK, Takes::Filter),
];

/// The queries about expectations, by the same number.
static EXPECT: [Option<Query>; 8] = [
    expect(exp_message::NEW, CREATE, Takes::Object),
    None,
    expect(exp_message::DELETE, Flags::ACK, Takes::Object),
    expect(exp_message::GET, Flags::ACK, Takes::Object),
    expect(exp_message::DELETE, Flags::ACK, Takes::Family),
    expect(exp_message::GET, Flags::DUMP, Takes::Family),
    None,
    expect(exp_message::NEW, CREATE_UPDATE, Takes::Object),
];

impl Query {
    fn about<'a>(&'static self, subject: Subject<'a>) -> Request<'a> {
        Request {
            query: self,
            subject,
        }
    }
}

/// Makes the request of `nfct_query`, and gives what `work` makes of it.
///
/// # Errors
/// The errno for what cannot be asked.
///
/// # Safety
/// `data` is NULL or points to what the query takes: a 32-bit family, an entry,
/// or a filter.
pub(super) unsafe fn with_conntrack<R>(
    number: QueryNumber,
    data: *const c_void,
    work: impl FnOnce(&Request<'_>) -> R,
) -> Result<R, c_int> {
    let query = find(&CONNTRACK, number, data)?;
    // SAFETY: the caller's data.
    unsafe {
        match query.takes {
            Takes::Family => {
                // Its low byte counts, on all machines.
                let family = data.cast::<u32>().read_unaligned() as u8;
                Ok(work(&query.about(Subject::Family(L3Proto(family)))))
            }
            Takes::Object => object::read(data.cast(), |entry| {
                work(&query.about(Subject::Entry(entry)))
            })
            .ok_or(libc::EINVAL),
            Takes::Filter => {
                let filter: &DumpFilter = &*data.cast();
                if query.message == ct_message::DELETE && filter.has_tuple() {
                    return Err(libc::ENOTSUP);
                }
                Ok(work(&query.about(Subject::Filter(filter))))
            }
        }
    }
}

/// Makes the request of `nfexp_query`, and gives what `work` makes of it.
///
/// # Errors
/// The errno for what cannot be asked.
///
/// # Safety
/// `data` is NULL or points to what the query takes: an 8-bit family, or an
/// expectation.
pub(super) unsafe fn with_expect<R>(
    number: QueryNumber,
    data: *const c_void,
    work: impl FnOnce(&Request<'_>) -> R,
) -> Result<R, c_int> {
    let query = find(&EXPECT, number, data)?;
    // SAFETY: the caller's data.
    unsafe {
        if query.takes == Takes::Family {
            let family = L3Proto(data.cast::<u8>().read());
            return Ok(work(&query.about(Subject::Family(family))));
        }
        read_expect(data.cast(), |expect| {
            work(&query.about(Subject::Expect(expect)))
        })
        .ok_or(libc::EINVAL)
    }
}

fn find(
    table: &'static [Option<Query>],
    number: QueryNumber,
    data: *const c_void,
) -> Result<&'static Query, c_int> {
    if data.is_null() {
        return Err(libc::EINVAL);
    }
    let row = usize::try_from(number).ok().and_then(|n| table.get(n));
    row.and_then(Option::as_ref).ok_or(libc::ENOTSUP)
}

impl Request<'_> {
    /// Whether the answer is a dump.
    pub(super) fn is_dump(&self) -> bool {
        self.query.flags.contains(Flags::DUMP)
    }

    /// Builds the request at the end of `buffer`.
    ///
    /// # Errors
    /// [`Error::Invalid`] where the object cannot be sent.
    pub(super) fn encode(&self, seq: u32, buffer: &mut Vec<u8>) -> Result<()> {
        let kind = self.query.subsystem.message_type(self.query.message);
        let header = Header::request(kind, self.query.flags).with_seq(seq);
        let start = Nfgenmsg {
            family: self.family(),
            version: self.version(),
            res_id: 0,
        };
        let mut message = start.start(buffer, header);
        match self.subject {
            Subject::Family(_) => {}
            Subject::Entry(entry) => encode_as_c(entry, &mut message)?,
            Subject::Expect(expect) => {
                let deletes = self.query.message == exp_message::DELETE;
                if deletes && !is_deletable(expect) {
                    return Err(Error::Invalid("an expectation without a tuple"));
                }
                encode_expectation(expect, &mut message)?;
            }
            Subject::Filter(filter) => filter.encode(&mut message)?,
        }
        message.finish()
    }

    fn family(&self) -> L3Proto {
        match self.subject {
            Subject::Family(family) => family,
            Subject::Entry(entry) => L3Proto(entry.head.tuple.l3),
            Subject::Expect(expect) => expect_family(expect),
            Subject::Filter(filter) => filter.l3proto(),
        }
    }

    /// With version 0, a flush is for all families. The C library has it so for
    /// NFCT_Q_FLUSH, and programs pass any family.
    fn version(&self) -> u8 {
        let flushes = self.query.message == ct_message::DELETE;
        u8::from(flushes && matches!(self.subject, Subject::Filter(_)))
    }
}

/// Puts what the C library sends of an expectation: class, translation and
/// function, which it never sends, depend on modules that the kernel may lack.
///
/// # Errors
/// [`Error::Invalid`] where there is no tuple, or one that is neither IPv4 nor IPv6.
pub(super) fn encode_expectation(expect: &Expect, message: &mut Builder<'_>) -> Result<()> {
    let mut sent = *expect;
    for attr in [
        ExpectAttr::Class,
        ExpectAttr::NatTuple,
        ExpectAttr::NatDir,
        ExpectAttr::Fn,
    ] {
        sent.unset(attr);
    }
    encode_expect(&sent, message)
}

/// Whether the kernel would not take the request for "delete everything".
fn is_deletable(expect: &Expect) -> bool {
    expect.is_set(ExpectAttr::Expected) || expect.is_set(ExpectAttr::HelperName)
}
