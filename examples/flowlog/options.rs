//! The command line.

use lexopt::prelude::*;

pub(crate) const USAGE: &str = "\
Logs each flow that ends, with what it has carried and how long it was.

usage: flowlog [options]
  -b, --buffer BYTES   receive buffer to begin with (default 1048576); it grows
                       where events are lost
      --demo           log the traffic of a private network namespace, and end;
                       needs no root
  -h, --help           show this

SIGINT, SIGTERM and SIGHUP end it; the totals are its last line of messages.
Bytes need the sysctl net.netfilter.nf_conntrack_acct, exact durations
net.netfilter.nf_conntrack_timestamp.
";

/// What was asked for.
#[derive(Debug)]
pub(crate) struct Options {
    pub(crate) buffer: usize,
    pub(crate) demo: bool,
}

impl Options {
    /// The options on the command line; `None` where help is wanted.
    pub(crate) fn from_arguments() -> Result<Option<Self>, lexopt::Error> {
        let mut options = Self {
            buffer: 1 << 20,
            demo: false,
        };
        let mut arguments = lexopt::Parser::from_env();
        while let Some(argument) = arguments.next()? {
            match argument {
                Short('b') | Long("buffer") => options.buffer = arguments.value()?.parse()?,
                Long("demo") => options.demo = true,
                Short('h') | Long("help") => return Ok(None),
                _ => return Err(argument.unexpected()),
            }
        }
        Ok(Some(options))
    }
}
