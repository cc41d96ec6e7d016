//! Lists for Tokio.

use tokio::task::consume_budget;

use crate::conntrack::{Conntrack, ConntrackRef};
use crate::error::Result;
use crate::expect::ExpectRef;
use crate::handle::{Dump, ExpectDump, Matching, Step};

/// A list of entries as it comes from the kernel; see [`Dump`].
///
/// The kernel makes the next part when one is read, so nothing is waited for. But a
/// long list takes its time, of which other tasks get their share.
#[derive(Debug)]
pub struct AsyncDump<'h>(pub(super) Dump<'h>);

impl AsyncDump<'_> {
    /// The next entry; `None` at the end.
    ///
    /// # Errors
    /// As [`Dump::next`].
    pub async fn next(&mut self) -> Result<Option<ConntrackRef<'_>>> {
        consume_budget().await;
        self.0.next()
    }

    /// Decodes the next entry into `entry`, in the place of what it had; `false`
    /// at the end.
    ///
    /// # Errors
    /// As [`Dump::next`].
    pub async fn next_into(&mut self, entry: &mut Conntrack) -> Result<bool> {
        consume_budget().await;
        self.0.next_into(entry)
    }
}

/// A list of the entries that a predicate holds for; see [`Matching`].
#[derive(Debug)]
pub struct AsyncMatching<'h>(pub(super) Matching<'h>);

impl AsyncMatching<'_> {
    /// The next entry; `None` at the end.
    ///
    /// # Errors
    /// As [`Dump::next`].
    pub async fn next(&mut self) -> Result<Option<ConntrackRef<'_>>> {
        loop {
            consume_budget().await;
            match self.0.step()? {
                Step::Match(place) => return self.0.view(place).map(Some),
                Step::Other => {}
                Step::End => return Ok(None),
            }
        }
    }

    /// Decodes the next entry into `entry`, in the place of what it had; `false`
    /// at the end.
    ///
    /// # Errors
    /// As [`Dump::next`].
    pub async fn next_into(&mut self, entry: &mut Conntrack) -> Result<bool> {
        match self.next().await? {
            Some(view) => {
                view.decode_into(entry)?;
                Ok(true)
            }
            None => Ok(false),
        }
    }
}

/// A list of expectations as it comes from the kernel; see [`ExpectDump`].
#[derive(Debug)]
pub struct AsyncExpectDump<'h>(pub(super) ExpectDump<'h>);

impl AsyncExpectDump<'_> {
    /// The next expectation; `None` at the end.
    ///
    /// # Errors
    /// As [`Dump::next`].
    pub async fn next(&mut self) -> Result<Option<ExpectRef<'_>>> {
        consume_budget().await;
        self.0.next()
    }
}
