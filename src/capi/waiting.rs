//! The queries of a handle that wait for their answers: one, or more where the
//! callback of one makes another. The inner one may receive the last reply to
//! the outer one, and must not keep it.

use std::collections::TryReserveError;

use crate::error::Result;

/// Those queries, the innermost one last.
#[derive(Default)]
pub(super) struct Waiting(Vec<Query>);

struct Query {
    seq: u32,
    /// The result, where another one received it.
    result: Option<Result<()>>,
}

impl Waiting {
    /// Makes room for as many as callbacks are likely to make.
    pub(super) fn reserve(&mut self) -> Result<(), TryReserveError> {
        self.0.try_reserve_exact(16)
    }

    /// Notes that a query waits.
    pub(super) fn begin(&mut self, seq: u32) {
        self.0.push(Query { seq, result: None });
    }

    /// Notes that the innermost query waits no more.
    pub(super) fn end(&mut self) {
        self.0.pop();
    }

    /// Whether another query than this one waits.
    pub(super) fn others(&self, seq: Option<u32>) -> bool {
        self.0.iter().any(|query| Some(query.seq) != seq)
    }

    /// Keeps a result for the query that waits for it; gives it back where none does.
    pub(super) fn keep(&mut self, seq: u32, result: Result<()>) -> Option<Result<()>> {
        match self.0.iter_mut().find(|query| query.seq == seq) {
            Some(query) => {
                query.result = Some(result);
                None
            }
            None => Some(result),
        }
    }

    /// The result that was kept for a query.
    pub(super) fn take(&mut self, seq: u32) -> Option<Result<()>> {
        let query = self.0.iter_mut().find(|query| query.seq == seq)?;
        query.result.take()
    }
}
