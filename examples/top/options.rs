//! The command line.

use std::time::Duration;

use lexopt::prelude::*;

use super::rows::Sort;

pub(crate) const USAGE: &str = "\
Shows the busiest flows of the connection-tracking table, anew each second.

usage: top [options]
  -i, --interval SECS  time between two looks at the counters (default 1)
  -o, --sort ORDER     rate (default), total or age
  -f, --filter TEXT    only flows in whose line this text is
  -s, --seconds SECS   end after this time
  -1, --once           print one table and end
  -n, --rows NUMBER    rows of a printed table (default 20)
      --demo           show traffic of a private network namespace; needs no
                       root, and ends after 15 seconds
  -h, --help           show this

Without a terminal it prints tables with plain numbers. On one there are keys:
q quits, s changes the order, p pauses, / asks for a text to filter by.
";

/// What was asked for.
#[derive(Debug)]
pub(crate) struct Options {
    pub(crate) interval: Duration,
    pub(crate) sort: Sort,
    pub(crate) filter: String,
    pub(crate) time: Option<Duration>,
    pub(crate) once: bool,
    pub(crate) rows: usize,
    pub(crate) demo: bool,
}

/// A demonstration ends by itself.
const DEMO_TIME: Duration = Duration::from_secs(15);

/// Listing is work for the kernel too.
const INTERVAL_MIN: Duration = Duration::from_millis(100);

impl Options {
    /// The options on the command line; `None` where help is wanted.
    pub(crate) fn from_arguments() -> Result<Option<Self>, lexopt::Error> {
        let mut options = Self {
            interval: Duration::from_secs(1),
            sort: Sort::Rate,
            filter: String::new(),
            time: None,
            once: false,
            rows: 20,
            demo: false,
        };
        let mut arguments = lexopt::Parser::from_env();
        while let Some(argument) = arguments.next()? {
            match argument {
                Short('i') | Long("interval") => {
                    let interval = arguments.value()?.parse_with(seconds)?;
                    options.interval = interval.max(INTERVAL_MIN);
                }
                Short('o') | Long("sort") => options.sort = arguments.value()?.parse_with(sort)?,
                Short('f') | Long("filter") => options.filter = arguments.value()?.string()?,
                Short('s') | Long("seconds") => {
                    options.time = Some(arguments.value()?.parse_with(seconds)?);
                }
                Short('1') | Long("once") => options.once = true,
                Short('n') | Long("rows") => options.rows = arguments.value()?.parse()?,
                Long("demo") => options.demo = true,
                Short('h') | Long("help") => return Ok(None),
                _ => return Err(argument.unexpected()),
            }
        }
        if options.demo && options.time.is_none() {
            options.time = Some(DEMO_TIME);
        }
        Ok(Some(options))
    }
}

fn sort(name: &str) -> Result<Sort, String> {
    let known = Sort::ALL.into_iter().find(|sort| sort.name() == name);
    known.ok_or_else(|| format!("{name} is none of rate, total, age"))
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "not a number".to_owned())?;
    Duration::try_from_secs_f64(seconds).map_err(|error| error.to_string())
}
