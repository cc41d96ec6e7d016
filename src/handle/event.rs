//! Events and the registry of callbacks.

use std::fmt;

use bitflags::bitflags;

use super::owned_event::{OwnedEvent, OwnedSubject};
pub use crate::conntrack::EventKind;
use crate::conntrack::{Conntrack, ConntrackRef};
use crate::error::DecodeError;
use crate::expect::{Expect, ExpectRef};
use crate::netlink::{Header, Message};
use crate::nfnetlink::Subsystem;

bitflags! {
    /// Kinds of events a callback is registered for.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    pub struct EventMask: u32 {
        /// [`EventKind::New`].
        const NEW = 1;
        /// [`EventKind::Update`], entries of dumps and replies to GET included.
        const UPDATE = 2;
        /// [`EventKind::Destroy`].
        const DESTROY = 4;
        /// All of them.
        #[doc(alias = "NFCT_T_ALL")]
        const ALL = 7;
    }
}

impl From<EventKind> for EventMask {
    fn from(kind: EventKind) -> Self {
        match kind {
            EventKind::New => Self::NEW,
            EventKind::Update => Self::UPDATE,
            EventKind::Destroy => Self::DESTROY,
        }
    }
}

/// What a callback wants next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Return from `query` or `catch`. What is left of the dump that the
    /// message belongs to is dropped.
    #[doc(alias = "NFCT_CB_STOP")]
    Stop,
    /// Go on.
    #[doc(alias = "NFCT_CB_CONTINUE")]
    Continue,
    /// Go on; the callback has kept the entry, which it took with
    /// [`Event::steal`].
    #[doc(alias = "NFCT_CB_STOLEN")]
    Stolen,
}

/// One message about an entry: an event, an entry of a dump, or the reply to a GET.
pub struct Event<'a> {
    message: Message<'a>,
    kind: EventKind,
    subject: Subject<'a>,
    nsid: Option<i32>,
}

#[derive(Clone, Copy)]
enum Subject<'a> {
    Conntrack(ConntrackRef<'a>),
    Expect(ExpectRef<'a>),
}

/// What a message says it is, before its attributes are looked at.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Topic {
    about: About,
    kind: EventKind,
}

#[derive(Clone, Copy, Debug)]
enum About {
    Conntrack,
    Expect,
}

impl Topic {
    /// The topic of the message with this header; `None` where it is about no entry.
    #[inline]
    pub(super) fn of(header: Header) -> Option<Self> {
        let about = match Subsystem::split(header.kind).0 {
            Subsystem::CONNTRACK => About::Conntrack,
            Subsystem::EXPECT => About::Expect,
            _ => return None,
        };
        let kind = EventKind::of(header)?;
        Some(Self { about, kind })
    }
}

impl<'a> Event<'a> {
    /// The event in a message; `None` where the message is about no entry.
    ///
    /// # Errors
    /// [`DecodeError`] where the message is malformed.
    #[doc(alias = "nfct_parse_conntrack")]
    #[doc(alias = "nfexp_parse_expect")]
    pub fn parse(message: Message<'a>) -> Result<Option<Self>, DecodeError> {
        let topic = Topic::of(message.header());
        topic
            .map(|topic| Self::new(message, topic, None))
            .transpose()
    }

    /// The event in a message with this topic.
    #[inline]
    pub(super) fn new(
        message: Message<'a>,
        topic: Topic,
        nsid: Option<i32>,
    ) -> Result<Self, DecodeError> {
        let subject = match topic.about {
            About::Conntrack => Subject::Conntrack(ConntrackRef::parse(&message)?),
            About::Expect => Subject::Expect(ExpectRef::parse(&message)?),
        };
        Ok(Self {
            message,
            kind: topic.kind,
            subject,
            nsid,
        })
    }

    /// What happened.
    #[must_use]
    pub fn kind(&self) -> EventKind {
        self.kind
    }

    /// The conntrack entry, where the message is about one.
    #[must_use]
    pub fn conntrack(&self) -> Option<ConntrackRef<'a>> {
        match self.subject {
            Subject::Conntrack(entry) => Some(entry),
            Subject::Expect(_) => None,
        }
    }

    /// The expectation, where the message is about one.
    #[must_use]
    pub fn expect(&self) -> Option<ExpectRef<'a>> {
        match self.subject {
            Subject::Expect(expect) => Some(expect),
            Subject::Conntrack(_) => None,
        }
    }

    /// The message header. Its port is that of the program whose request caused
    /// the event, 0 where traffic or a timeout did.
    #[must_use]
    pub fn header(&self) -> Header {
        self.message.header()
    }

    /// The whole message.
    #[must_use]
    pub fn message(&self) -> Message<'a> {
        self.message
    }

    /// The network namespace it happened in, where the handle listens to all of
    /// them and this is not its own.
    #[must_use]
    pub fn nsid(&self) -> Option<i32> {
        self.nsid
    }

    /// The event with all it tells of, for keeps: to pass it to another thread or
    /// task.
    ///
    /// # Errors
    /// [`DecodeError`] where the message is malformed.
    pub fn to_owned(&self) -> Result<OwnedEvent, DecodeError> {
        let subject = match self.subject {
            Subject::Conntrack(entry) => OwnedSubject::Conntrack(entry.to_owned()?),
            Subject::Expect(expect) => OwnedSubject::Expect(expect.to_owned()?),
        };
        Ok(OwnedEvent {
            kind: self.kind,
            subject,
            header: self.header(),
            nsid: self.nsid,
        })
    }

    /// Decodes the conntrack entry for keeps; `None` where the message is
    /// about something else.
    ///
    /// # Errors
    /// [`DecodeError`] where the message is malformed.
    pub fn steal(&self) -> Result<Option<Conntrack>, DecodeError> {
        self.conntrack().map(|entry| entry.to_owned()).transpose()
    }

    /// Decodes the expectation for keeps; `None` where the message is about
    /// something else.
    ///
    /// # Errors
    /// [`DecodeError`] where the message is malformed.
    pub fn steal_expect(&self) -> Result<Option<Expect>, DecodeError> {
        self.expect().map(|expect| expect.to_owned()).transpose()
    }
}

impl fmt::Debug for Event<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut event = f.debug_struct("Event");
        event.field("kind", &self.kind);
        match &self.subject {
            Subject::Conntrack(entry) => event.field("conntrack", entry),
            Subject::Expect(expect) => event.field("expect", expect),
        };
        event.finish_non_exhaustive()
    }
}

/// A callback: it looks at an event and says how to go on.
pub(crate) type Callback = Box<dyn FnMut(&mut Event<'_>) -> Verdict + Send>;

/// The callback of one subsystem.
struct Slot {
    mask: EventMask,
    callback: Callback,
}

/// The callbacks of a handle: one for entries, one for expectations.
#[derive(Default)]
pub(crate) struct Registry {
    conntrack: Option<Slot>,
    expect: Option<Slot>,
}

impl Registry {
    /// Puts a callback in the place of the one that was registered.
    pub(crate) fn register(&mut self, subsystem: Subsystem, mask: EventMask, callback: Callback) {
        if let Some(slot) = self.slot(subsystem) {
            *slot = Some(Slot { mask, callback });
        }
    }

    pub(crate) fn unregister(&mut self, subsystem: Subsystem) {
        if let Some(slot) = self.slot(subsystem) {
            *slot = None;
        }
    }

    /// Passes a message to the callback registered for it; without one it is skipped.
    ///
    /// # Errors
    /// [`DecodeError`] where the message is malformed.
    #[inline]
    pub(crate) fn dispatch(
        &mut self,
        message: Message<'_>,
        nsid: Option<i32>,
    ) -> Result<Verdict, DecodeError> {
        let Some(topic) = Topic::of(message.header()) else {
            return Ok(Verdict::Continue);
        };
        let slot = match topic.about {
            About::Conntrack => &mut self.conntrack,
            About::Expect => &mut self.expect,
        };
        match slot {
            Some(slot) if slot.mask.contains(topic.kind.into()) => {
                Ok((slot.callback)(&mut Event::new(message, topic, nsid)?))
            }
            _ => Ok(Verdict::Continue),
        }
    }

    fn slot(&mut self, subsystem: Subsystem) -> Option<&mut Option<Slot>> {
        match subsystem {
            Subsystem::CONNTRACK => Some(&mut self.conntrack),
            Subsystem::EXPECT => Some(&mut self.expect),
            _ => None,
        }
    }
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mask = |slot: &Option<Slot>| slot.as_ref().map(|slot| slot.mask);
        f.debug_struct("Registry")
            .field("conntrack", &mask(&self.conntrack))
            .field("expect", &mask(&self.expect))
            .finish()
    }
}
