//! Listing the entries that a predicate holds for.

use super::Handle;
use super::dump::Dump;
use super::inbox::Place;
use super::query::Query;
use crate::conntrack::{Conntrack, ConntrackRef};
use crate::error::{Error, Result};
use crate::filter::{DumpFilter, Matcher, Predicate};

/// A list of the entries that a predicate holds for, as they come from the kernel.
///
/// All that is said of [`Dump`] holds for it.
#[derive(Debug)]
pub struct Matching<'h> {
    dump: Dump<'h>,
    /// What to ask the kernel for after this. No two of them list the same entry.
    requests: std::vec::IntoIter<DumpFilter>,
    matcher: Matcher,
    interrupted: bool,
}

/// What one entry of the kernel's list is.
pub(crate) enum Step {
    /// One that the predicate holds for.
    Match(Place),
    /// None of these.
    Other,
    /// There are no more.
    End,
}

impl Handle {
    /// Lists the entries that the predicate holds for.
    ///
    /// The kernel is asked for as little as it can be trusted to select: it
    /// passes over most of the other entries without a message for each. What it
    /// lists is checked, so the list is right whatever the kernel makes of the
    /// question.
    ///
    /// ```no_run
    /// use netfilter_conntrack::filter::IpPrefix;
    /// use netfilter_conntrack::{Direction, Groups, Handle, Predicate};
    ///
    /// let mut handle = Handle::open(Groups::empty())?;
    /// let customers: IpPrefix = "2001:db8:7::/48".parse()?;
    /// let mut list = handle.dump_matching(&Predicate::source(Direction::Original, customers))?;
    /// while let Some(entry) = list.next()? {
    ///     println!("{:?}", entry.original());
    /// }
    /// # Ok::<(), netfilter_conntrack::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`dump`](Self::dump).
    pub fn dump_matching(&mut self, predicate: &Predicate) -> Result<Matching<'_>> {
        let requests = match DumpFilter::covering(predicate) {
            Some(filter) => filter.restricted(self.accepted_criteria()?).by_family(),
            None => Vec::new(),
        };
        Ok(Matching {
            dump: Dump::finished(self),
            requests: requests.into_iter(),
            matcher: predicate.compile(),
            interrupted: false,
        })
    }
}

impl<'h> Matching<'h> {
    /// The next entry; `None` at the end.
    ///
    /// # Errors
    /// As [`Dump::next`].
    #[allow(clippy::should_implement_trait, reason = "an iterator cannot lend")]
    pub fn next(&mut self) -> Result<Option<ConntrackRef<'_>>> {
        loop {
            match self.step()? {
                Step::Match(place) => return self.view(place).map(Some),
                Step::Other => {}
                Step::End => return Ok(None),
            }
        }
    }

    /// Looks at the next entry that the kernel lists.
    #[inline]
    pub(crate) fn step(&mut self) -> Result<Step> {
        let place = match self.dump.advance() {
            Ok(place) => place,
            Err(Error::DumpInterrupted) => {
                self.interrupted = true;
                None
            }
            Err(error) => return Err(error),
        };
        if let Some(place) = place {
            return Ok(match self.matcher.matches(&self.view(place)?) {
                true => Step::Match(place),
                false => Step::Other,
            });
        }
        if let Some(filter) = self.requests.next() {
            self.dump.restart(Query::DumpFilter(&filter))?;
            return Ok(Step::Other);
        }
        match std::mem::take(&mut self.interrupted) {
            true => Err(Error::DumpInterrupted),
            false => Ok(Step::End),
        }
    }

    /// The entry that [`step`](Self::step) has just found.
    #[inline]
    pub(crate) fn view(&self, place: Place) -> Result<ConntrackRef<'_>> {
        self.dump.view(place)
    }

    /// Decodes the next entry into `entry`, in the place of what it had; `false`
    /// at the end.
    ///
    /// # Errors
    /// As [`Dump::next`].
    pub fn next_into(&mut self, entry: &mut Conntrack) -> Result<bool> {
        match self.next()? {
            Some(view) => {
                view.decode_into(entry)?;
                Ok(true)
            }
            None => Ok(false),
        }
    }

    /// The entries as objects of their own.
    pub fn owned(mut self) -> impl Iterator<Item = Result<Conntrack>> + use<'h> {
        std::iter::from_fn(move || match self.next() {
            Ok(Some(view)) => Some(view.to_owned().map_err(Error::from)),
            Ok(None) => None,
            Err(error) => Some(Err(error)),
        })
    }
}
