//! The command line.

use std::time::Duration;

use lexopt::prelude::*;
use netfilter_conntrack::{Format, Groups, L3Proto, Show};

pub(crate) const USAGE: &str = "\
Lists the connection-tracking table, then follows its events until Ctrl-C.

usage: flows [options]
  -4, -6               one address family only
  -g, --groups LIST    events to follow: new,update,destroy, all (default) or none
  -n, --events NUMBER  end after this many events
  -l, --lists NUMBER   how often to list the table first (default 1)
  -i, --interval SECS  time between two lists (default 1)
  -x, --xml            XML in the place of lines like conntrack(8)'s
  -t, --ids            show the ids of the entries
      --demo           make flows in a private network namespace, list them,
                       change them, show their events, and end; needs no root
      --diagnose       say what keeps flows or events away, and end
  -h, --help           show this
";

/// What was asked for.
#[derive(Debug)]
pub(crate) struct Options {
    pub(crate) family: L3Proto,
    pub(crate) groups: Groups,
    pub(crate) events: Option<u64>,
    pub(crate) lists: u32,
    pub(crate) interval: Duration,
    pub(crate) format: Format<'static>,
    pub(crate) demo: bool,
    pub(crate) diagnose: bool,
}

impl Options {
    /// The options on the command line; `None` where help is wanted.
    pub(crate) fn from_arguments() -> Result<Option<Self>, lexopt::Error> {
        let mut options = Self {
            family: L3Proto::UNSPEC,
            groups: Groups::CONNTRACK,
            events: None,
            lists: 1,
            interval: Duration::from_secs(1),
            format: Format::plain(),
            demo: false,
            diagnose: false,
        };
        let mut show = Show::LAYER3;
        let mut arguments = lexopt::Parser::from_env();
        while let Some(argument) = arguments.next()? {
            match argument {
                Short('4') => options.family = L3Proto::IPV4,
                Short('6') => options.family = L3Proto::IPV6,
                Short('g') | Long("groups") => {
                    options.groups = arguments.value()?.parse_with(groups)?;
                }
                Short('n') | Long("events") => options.events = Some(arguments.value()?.parse()?),
                Short('l') | Long("lists") => options.lists = arguments.value()?.parse()?,
                Short('i') | Long("interval") => {
                    options.interval = arguments.value()?.parse_with(seconds)?;
                }
                Short('x') | Long("xml") => options.format = Format::xml(),
                Short('t') | Long("ids") => show |= Show::ID,
                Long("demo") => options.demo = true,
                Long("diagnose") => options.diagnose = true,
                Short('h') | Long("help") => return Ok(None),
                _ => return Err(argument.unexpected()),
            }
        }
        options.format = options.format.show(show);
        Ok(Some(options))
    }

    /// Whether entries of this family are wanted.
    pub(crate) fn wants(&self, family: L3Proto) -> bool {
        self.family == L3Proto::UNSPEC || self.family == family
    }
}

fn groups(list: &str) -> Result<Groups, String> {
    let mut groups = Groups::empty();
    for name in list.split(',') {
        groups |= match name {
            "new" => Groups::NEW,
            "update" => Groups::UPDATE,
            "destroy" => Groups::DESTROY,
            "all" => Groups::CONNTRACK,
            "none" => Groups::empty(),
            other => {
                return Err(format!(
                    "{other} is none of new, update, destroy, all, none"
                ));
            }
        };
    }
    Ok(groups)
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "not a number".to_owned())?;
    Duration::try_from_secs_f64(seconds).map_err(|error| error.to_string())
}
