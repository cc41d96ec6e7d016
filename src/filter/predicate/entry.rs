//! What predicates look at: entries of their own and views.

use crate::conntrack::{Conntrack, ConntrackRef, Counters, Direction, ProtoInfo, Tuple};
use crate::nfnetlink::L3Proto;

/// What a [`Matcher`](super::Matcher) can check: an entry or a view of one.
/// Implemented by the crate alone.
pub trait Entry: Fields {}

impl Entry for Conntrack {}
impl Entry for ConntrackRef<'_> {}

/// What tests ask for; each is read from the entry only then.
pub trait Fields {
    fn family(&self) -> Option<L3Proto>;
    fn tuple(&self, direction: Direction) -> Option<Tuple>;
    fn zone(&self) -> u16;
    fn mark(&self) -> u32;
    fn status(&self) -> u32;
    fn timeout(&self) -> Option<u32>;
    fn counters(&self, direction: Direction) -> Option<Counters>;
    fn tcp_state(&self) -> Option<u8>;
    fn helper(&self) -> Option<&str>;
    /// The words of the labels, as those of a bitmask.
    fn labels(&self) -> impl Iterator<Item = u32>;
}

impl Fields for ConntrackRef<'_> {
    fn family(&self) -> Option<L3Proto> {
        Some(self.l3proto())
    }

    #[inline]
    fn tuple(&self, direction: Direction) -> Option<Tuple> {
        match direction {
            Direction::Original => self.original(),
            Direction::Reply => self.reply(),
        }
    }

    fn zone(&self) -> u16 {
        self.zone().unwrap_or(0)
    }

    #[inline]
    fn mark(&self) -> u32 {
        self.mark().unwrap_or(0)
    }

    #[inline]
    fn status(&self) -> u32 {
        self.status().unwrap_or_default().bits()
    }

    fn timeout(&self) -> Option<u32> {
        self.timeout()
    }

    fn counters(&self, direction: Direction) -> Option<Counters> {
        self.counters(direction)
    }

    fn tcp_state(&self) -> Option<u8> {
        self.tcp_state().map(|state| state.0)
    }

    fn helper(&self) -> Option<&str> {
        self.helper()
    }

    fn labels(&self) -> impl Iterator<Item = u32> {
        self.labels()
            .into_iter()
            .flat_map(|labels| labels.all_words())
    }
}

impl Fields for Conntrack {
    fn family(&self) -> Option<L3Proto> {
        let tuple = self.original().or_else(|| self.reply())?;
        Some(tuple.l3proto())
    }

    fn tuple(&self, direction: Direction) -> Option<Tuple> {
        match direction {
            Direction::Original => self.original(),
            Direction::Reply => self.reply(),
        }
    }

    fn zone(&self) -> u16 {
        self.zone().unwrap_or(0)
    }

    fn mark(&self) -> u32 {
        self.mark().unwrap_or(0)
    }

    fn status(&self) -> u32 {
        self.status().unwrap_or_default().bits()
    }

    fn timeout(&self) -> Option<u32> {
        self.timeout()
    }

    fn counters(&self, direction: Direction) -> Option<Counters> {
        self.counters(direction)
    }

    fn tcp_state(&self) -> Option<u8> {
        match self.protoinfo()? {
            ProtoInfo::Tcp(tcp) => tcp.state.map(|state| state.0),
            _ => None,
        }
    }

    fn helper(&self) -> Option<&str> {
        self.helper()
    }

    fn labels(&self) -> impl Iterator<Item = u32> {
        let words = self.labels().map(|labels| labels.words());
        words.unwrap_or_default().iter().copied()
    }
}
