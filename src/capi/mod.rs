//! The C library: `libnetfilter_conntrack.so.3`, function by function.
//!
//! Each function turns its pointers into `Option`s, returns the function's error
//! value with `errno` for what it cannot take, and makes one call into the crate.
//! The comments on functions and structs are those of the generated header.
//!
//! # Safety
//! What all functions ask of their callers, in the words used below:
//! - An *object pointer* is NULL or points to an object: one that a function of
//!   this library made, or, for entries and expectations, zeroed memory of
//!   `nfct_maxsize()` or `nfexp_maxsize()` bytes, at any alignment. A pointer
//!   that `nfexp_get_attr` gives for a tuple is an object pointer to the front
//!   of an entry, its head, and for those functions alone that say so.
//! - A *value pointer* is NULL or points to as many bytes as the attribute has,
//!   at any alignment.
//! - A *message pointer* is NULL or points to a netlink header and to as many
//!   bytes as its length field says.
//!
//! No object is used by two threads at a time. Callbacks may call any function
//! with the handle that calls them, `nfct_close` too.
//!
//! # Where it differs from libnetfilter_conntrack 1.1.1
//! All differences but the last are in what programs cannot rely on: what crashes
//! there, ends the process, or damages memory.
//! - NULL, numbers out of range and handles that were not opened for a subsystem
//!   give EINVAL. Functions without a result ignore the call and set `errno`.
//! - Malformed messages give EBADMSG, and nothing is read beyond them.
//! - Requests carry a sequence number. The rest of an answer to which a callback
//!   said `NFCT_CB_STOP` is never taken for the answer to a later query.
//! - An entry that cannot be sent gives EINVAL and is not sent. (There, the
//!   kernel takes such a delete request for "delete everything".)
//! - Datagrams that other programs send to the socket are dropped.
//! - `ATTR_TIMESTAMP_EVENT` can be copied and compared; ranges of NAT and the
//!   ICMP fields of the reply tuple are copied whole; helper data keep their
//!   length; `NFCT_CP_OVERRIDE` frees what it replaces; an entry may be copied
//!   onto itself.
//! - `_u8`, `_u16`, `_u32` and `_u64` convert numbers of another width.
//! - Tuples in expectations have the attributes of an original tuple only.
//! - Registering a callback replaces the one of the other kind too.
//! - `errno` is left alone on success.
//! - Where memory runs out for label names, criteria of filters, attributes of
//!   variable length or large messages, the process ends; all else gives ENOMEM.

#![allow(unsafe_code)]
#![allow(non_camel_case_types, reason = "the names are those of the C header")]
#![allow(unreachable_pub, reason = "the C header is generated from what is pub")]

// In the order of the header.
pub mod types;

pub mod handle;

pub mod callback;

pub mod query;

pub mod object;

pub mod attr;

pub mod attr_get;

pub mod group;

pub mod options;

pub mod compare;

pub mod print;

pub mod bitmask;

pub mod labelmap;

pub mod filter;

pub mod filter_dump;

pub mod nlmsg;

pub mod expect;

pub mod expect_attr;

pub mod deprecated;

mod deliver;
mod errno;
mod memory;
mod nfnl;
mod receive;
mod request;
mod subscriber;
mod waiting;
