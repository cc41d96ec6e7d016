//! Events that outlive the buffer they were received in.

use crate::conntrack::{Conntrack, EventKind};
use crate::expect::Expect;
use crate::netlink::Header;

/// An [`Event`](super::Event) that owns what it tells of, for channels, threads and streams.
#[derive(Clone, Debug)]
pub struct OwnedEvent {
    pub(super) kind: EventKind,
    pub(super) subject: OwnedSubject,
    pub(super) header: Header,
    pub(super) nsid: Option<i32>,
}

#[derive(Clone, Debug)]
pub(super) enum OwnedSubject {
    Conntrack(Conntrack),
    Expect(Expect),
}

impl OwnedEvent {
    /// What happened.
    #[must_use]
    pub fn kind(&self) -> EventKind {
        self.kind
    }

    /// The conntrack entry, where the event is about one.
    #[must_use]
    pub fn conntrack(&self) -> Option<&Conntrack> {
        match &self.subject {
            OwnedSubject::Conntrack(entry) => Some(entry),
            OwnedSubject::Expect(_) => None,
        }
    }

    /// The expectation, where the event is about one.
    #[must_use]
    pub fn expect(&self) -> Option<&Expect> {
        match &self.subject {
            OwnedSubject::Expect(expect) => Some(expect),
            OwnedSubject::Conntrack(_) => None,
        }
    }

    /// See [`Event::header`](super::Event::header).
    #[must_use]
    pub fn header(&self) -> Header {
        self.header
    }

    /// See [`Event::nsid`](super::Event::nsid).
    #[must_use]
    pub fn nsid(&self) -> Option<i32> {
        self.nsid
    }
}
