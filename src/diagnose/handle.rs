//! What concerns one handle.

use std::os::fd::AsFd;

use super::facts::{Facts, setting};
use super::{Diagnosis, Finding, judge};
use crate::error::Result;
use crate::handle::{Handle, ReceiveBuffer};
use crate::netlink::{Family, Socket};
use crate::netns::run_in;
use crate::nfnetlink::Groups;

/// What is known of a handle, not judged yet.
#[derive(Clone, Debug)]
pub(super) struct HandleFacts {
    pub(super) groups: Result<Groups>,
    pub(super) buffer: Result<ReceiveBuffer>,
    /// Whether the buffer may grow.
    pub(super) grows: bool,
    pub(super) rmem_max: Option<u64>,
    pub(super) overruns: u64,
    /// Instructions of the filter, 0 for none.
    pub(super) filter: Result<usize>,
}

impl Handle {
    /// Finds out what keeps entries or events from this handle: what
    /// [`diagnose`](crate::diagnose::diagnose) finds in the handle's network
    /// namespace, and what concerns the handle alone, such as groups that it has
    /// not joined.
    ///
    /// The handle is asked nothing, so that this can be called at any time. Where
    /// its network namespace is another one than the calling thread's, that one
    /// is entered by a short-lived thread, which takes CAP_NET_ADMIN and
    /// CAP_SYS_ADMIN; where that fails, what it would have found is
    /// [`Finding::Unknown`].
    ///
    /// ```no_run
    /// use netfilter_conntrack::{Groups, Handle};
    ///
    /// let handle = Handle::open(Groups::NEW)?;
    /// eprint!("{}", handle.diagnose());
    /// # Ok::<(), netfilter_conntrack::Error>(())
    /// ```
    #[must_use]
    pub fn diagnose(&self) -> Diagnosis {
        let mut findings = judge::handle(&self.facts());
        let here = self.is_here();
        if here == Ok(false) {
            findings.push(Finding::OtherNamespace);
        }
        let facts = match here {
            Ok(true) => Ok(Facts::gather()),
            // Kernels before 5.14 do not tell, but may let it be entered.
            Ok(false) | Err(_) => self.gather_inside(),
        };
        findings.extend(match facts {
            Ok(facts) => judge::namespace(&facts),
            Err(error) => vec![Finding::Unknown {
                what: "anything about the handle's network namespace".to_owned(),
                why: error.to_string(),
            }],
        });
        Diagnosis::new(findings)
    }

    fn facts(&self) -> HandleFacts {
        HandleFacts {
            groups: self.socket().groups().map(Groups::from_bits_retain),
            buffer: self.receive_buffer(),
            grows: self.buffer_grows(),
            rmem_max: setting("net/core/rmem_max").ok(),
            overruns: self.overruns(),
            filter: self.socket().filter_len(),
        }
    }

    /// Whether the handle is in the network namespace of the calling thread.
    fn is_here(&self) -> Result<bool> {
        let here = Socket::open(Family::NETFILTER)?.namespace_cookie()?;
        Ok(self.socket().namespace_cookie()? == here)
    }

    fn gather_inside(&self) -> Result<Facts> {
        let netns = self.socket().namespace()?;
        run_in(netns.as_fd(), || Ok(Facts::gather()))
    }
}
