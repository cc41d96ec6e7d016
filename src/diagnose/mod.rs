//! Why nothing is seen: what keeps entries, events or their counters away.
//!
//! [`diagnose()`] looks at the network namespace of the calling thread,
//! [`diagnose_in`] at another one, and
//! [`Handle::diagnose`](crate::Handle::diagnose) also at a handle.
//! Nothing is changed by it, and no packet is sent; but a kernel with modules loads
//! those that it needs to answer, such as `nf_tables`.
//!
//! ```no_run
//! use netfilter_conntrack::diagnose::{Finding, Severity, diagnose};
//!
//! let diagnosis = diagnose();
//! // One finding a line: what is so, what follows, and what to do about it.
//! print!("{diagnosis}");
//! for finding in diagnosis.findings() {
//!     if let Finding::NoTrackingRule { family } = finding {
//!         eprintln!("{family:?} is not tracked; {:?} helps", finding.command());
//!     }
//! }
//! if diagnosis.worst() == Some(Severity::Blocking) {
//!     std::process::exit(1);
//! }
//! ```

mod counters;
mod evidence;
mod facts;
mod finding;
mod handle;
mod hooks;
mod judge;
mod legacy;
mod rules;
mod severity;
mod text;
mod tracking;

use std::fmt;
use std::os::fd::AsFd;

pub use finding::Finding;
pub use severity::Severity;

use crate::error::Result;
use crate::netns::run_in;
use facts::Facts;

/// Finds out what keeps entries or events away in the network namespace of the
/// calling thread.
///
/// It does not fail: what could not be found out is a finding too. Without
/// CAP_NET_ADMIN that is nearly all, and the first finding says so.
#[must_use]
pub fn diagnose() -> Diagnosis {
    Diagnosis::new(judge::namespace(&Facts::gather()))
}

/// Does the same in another network namespace, given a
/// [`Netns`](crate::Netns) or any descriptor of one.
///
/// # Errors
/// [`Error::Io`](crate::Error::Io) where it cannot be entered, as
/// [`Handle::open_in`](crate::Handle::open_in).
pub fn diagnose_in(netns: impl AsFd) -> Result<Diagnosis> {
    run_in(netns.as_fd(), || Ok(diagnose()))
}

/// What was found, the worst first.
///
/// Shown as text, it has one finding a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnosis {
    findings: Vec<Finding>,
}

impl Diagnosis {
    fn new(mut findings: Vec<Finding>) -> Self {
        // Stable: findings of the same weight stay in the order of their causes.
        findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity()));
        Self { findings }
    }

    /// All findings, the worst first; none where nothing is amiss.
    #[must_use]
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// Those by which something never comes at all.
    pub fn blocking(&self) -> impl Iterator<Item = &Finding> {
        let is_blocking = |finding: &&Finding| finding.severity() == Severity::Blocking;
        self.findings.iter().filter(is_blocking)
    }

    /// How bad it is; `None` where there is no finding.
    #[must_use]
    pub fn worst(&self) -> Option<Severity> {
        self.findings.first().map(Finding::severity)
    }
}

impl fmt::Display for Diagnosis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.findings.is_empty() {
            return writeln!(f, "nothing was found that keeps entries or events away");
        }
        for finding in &self.findings {
            writeln!(f, "{}: {finding}", finding.severity())?;
        }
        Ok(())
    }
}
