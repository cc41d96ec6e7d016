//! In which form entries and expectations are written.

use std::time::{SystemTime, UNIX_EPOCH};

use bitflags::bitflags;
use nix::time::{ClockId, clock_gettime};

use super::event_kind::EventKind;
use super::labelmap::LabelMap;

/// How to write an entry or an expectation as text: as the plain line that
/// conntrack(8) prints or as XML, and with which parts.
///
/// ```
/// use netfilter_conntrack::{Conntrack, EventKind, Format, Show, Tuple};
///
/// let tuple = Tuple::tcp("192.0.2.1:40000".parse().unwrap(), "192.0.2.2:443".parse().unwrap())?;
/// let entry = Conntrack::flow(tuple);
/// let format = Format::plain().event(EventKind::New).show(Show::LAYER3);
/// assert_eq!(
///     entry.display(format).to_string(),
///     "    [NEW] ipv4     2 tcp      6 \
///      src=192.0.2.1 dst=192.0.2.2 sport=40000 dport=443 \
///      src=192.0.2.2 dst=192.0.2.1 sport=443 dport=40000",
/// );
/// # Ok::<(), netfilter_conntrack::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Format<'a> {
    pub(crate) style: Style,
    pub(crate) event: Option<EventKind>,
    pub(crate) show: Show,
    pub(crate) labels: Option<&'a LabelMap>,
    /// Whether plain text stops at a protocol that the entry lacks, as it does
    /// in the C library, instead of calling it unknown.
    pub(crate) strict: bool,
    now: Option<SystemTime>,
}

/// The two languages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Style {
    #[default]
    Plain,
    Xml,
}

bitflags! {
    /// Parts of the text that are left out unless they are asked for.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
    pub struct Show: u32 {
        /// Plain: the layer 3 protocol of an entry. XML always has it.
        #[doc(alias = "NFCT_OF_SHOW_LAYER3")]
        const LAYER3 = 1 << 0;
        /// XML: the current local time, as `<when>`.
        #[doc(alias = "NFCT_OF_TIME")]
        const TIME = 1 << 1;
        /// Plain: the id of an entry. XML always has it.
        #[doc(alias = "NFCT_OF_ID")]
        const ID = 1 << 2;
        /// Start and end of an entry: dates in plain text, nanoseconds in XML.
        #[doc(alias = "NFCT_OF_TIMESTAMP")]
        const TIMESTAMP = 1 << 3;

        const _ = !0;
    }
}

impl<'a> Format<'a> {
    /// One line of plain text.
    #[doc(alias = "NFCT_O_PLAIN")]
    #[doc(alias = "NFCT_O_DEFAULT")]
    #[must_use]
    pub fn plain() -> Self {
        Self::default()
    }

    /// One XML element, `<flow>`, on one line.
    #[doc(alias = "NFCT_O_XML")]
    #[must_use]
    pub fn xml() -> Self {
        Self {
            style: Style::Xml,
            ..Self::default()
        }
    }

    /// Says which event it was, in front of all else.
    #[must_use]
    pub fn event(self, kind: EventKind) -> Self {
        Self {
            event: Some(kind),
            ..self
        }
    }

    /// Adds these parts to those that are asked for.
    #[must_use]
    pub fn show(self, parts: Show) -> Self {
        Self {
            show: self.show | parts,
            ..self
        }
    }

    /// Writes the labels of an entry by these names; those without a name are
    /// left out. Without a map there are no labels in the text.
    #[must_use]
    pub fn labels(self, names: &'a LabelMap) -> Self {
        Self {
            labels: Some(names),
            ..self
        }
    }

    /// Writes the text as of this time instead of the time of writing: for
    /// [`Show::TIME`], and for how long a flow has lasted that has not ended.
    #[must_use]
    pub fn as_of(self, now: SystemTime) -> Self {
        Self {
            now: Some(now),
            ..self
        }
    }

    pub(crate) fn strict(self) -> Self {
        Self {
            strict: true,
            ..self
        }
    }

    /// The current time in whole seconds since the epoch.
    pub(crate) fn now(&self) -> u64 {
        match self.now {
            Some(now) => {
                let since = now.duration_since(UNIX_EPOCH);
                since.map_or(0, |duration| duration.as_secs())
            }
            // The clock of time(2), which the C library asks: it goes on by ticks of
            // some milliseconds, and so is a second behind others at times.
            None => {
                let now = clock_gettime(ClockId::CLOCK_REALTIME_COARSE);
                now.map_or(0, |now| u64::try_from(now.tv_sec()).unwrap_or(0))
            }
        }
    }

    pub(crate) fn shows(&self, part: Show) -> bool {
        self.show.contains(part)
    }
}
