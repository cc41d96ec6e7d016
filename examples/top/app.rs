//! Follows the table and keeps what is shown up to date.

use std::time::{Duration, Instant};

use netfilter_conntrack::Error;
use netfilter_conntrack::mirror::{Change, Mirror};

use super::options::Options;
use super::rates::Rates;
use super::rows::{Choice, Key, bytes, choose, key};
use super::sysctl;
use super::view::View;

pub(crate) struct App {
    pub(crate) mirror: Mirror,
    rates: Rates<Key>,
    pub(crate) view: View,
    /// Rows that are wanted.
    room: usize,
    /// Samples of the counters that were taken.
    pub(crate) samples: u64,
    last: Instant,
    begun: u64,
    ended: u64,
    error: Option<Error>,
    /// Whether what is shown has changed.
    pub(crate) changed: bool,
}

/// How long to follow events before a key or a signal has its chance.
const PATIENCE: Duration = Duration::from_millis(20);

/// Changes after which the clock is read.
const STEPS: u32 = 64;

impl App {
    pub(crate) fn new(options: &Options, room: usize) -> Result<Self, Error> {
        // Events do not tell counters, regular resyncs do.
        let mirror = Mirror::options()
            .resync_every(Some(options.interval))
            .open()?;
        Ok(Self {
            mirror,
            rates: Rates::new(),
            view: View::new(options.interval, options.sort, options.filter.clone()),
            room,
            samples: 0,
            last: Instant::now(),
            begun: 0,
            ended: 0,
            error: None,
            changed: true,
        })
    }

    /// Takes in what there is for now, but not for long; tells whether there may
    /// be more.
    pub(crate) fn follow(&mut self) -> bool {
        let begun = Instant::now();
        let mut steps = 0;
        loop {
            let resynced = match self.mirror.next_change() {
                Ok(None) => return false,
                Ok(Some(Change::Inserted(_))) => {
                    self.begun += 1;
                    false
                }
                Ok(Some(Change::Removed(..))) => {
                    self.ended += 1;
                    false
                }
                Ok(Some(Change::Resynced(_))) => true,
                Ok(Some(_)) => false,
                // The mirror tries again by itself.
                Err(error) => {
                    self.error = Some(error);
                    self.describe();
                    return false;
                }
            };
            if resynced {
                self.error = None;
                if !self.view.paused {
                    self.sample();
                }
            }
            steps += 1;
            if steps % STEPS == 0 && begun.elapsed() >= PATIENCE {
                return true;
            }
        }
    }

    /// The counters have just been listed.
    fn sample(&mut self) {
        let now = Instant::now();
        let flows = self.mirror.iter().map(|flow| (key(flow), bytes(flow)));
        self.rates.sample(now, flows);
        // All flows begin for the mirror when it is filled.
        if self.samples > 0 {
            let seconds = (now - self.last).as_secs_f64();
            let per_second = |count: u64| (count as f64 / seconds).round() as u64;
            self.view.turnover = [self.begun, self.ended].map(per_second);
        }
        self.samples += 1;
        (self.begun, self.ended, self.last) = (0, 0, now);
        self.choose();
    }

    /// Chooses the rows anew.
    pub(crate) fn choose(&mut self) {
        let choice = Choice {
            sort: self.view.sort,
            filter: &self.view.filter.to_ascii_lowercase(),
            count: self.room,
        };
        self.view.rows = choose(self.mirror.iter(), &self.rates, choice);
        self.describe();
    }

    fn describe(&mut self) {
        self.view.flows = self.mirror.len();
        self.view.rates = self.rates.sum();
        self.view.empty = match (self.samples, self.view.flows) {
            (0, _) => "listing...",
            (_, 0) => "no flows: the kernel tracks packets where a rule asks for it",
            _ => "no flow has that text",
        };
        let mut notes = Vec::new();
        if sysctl::read("nf_conntrack_acct") == Some(0) {
            notes
                .push("nothing is counted: the sysctl net.netfilter.nf_conntrack_acct is 0".into());
        }
        match self.mirror.statistics().overruns {
            0 => {}
            1 => notes.push("events were lost once, and made up for".into()),
            times => notes.push(format!("events were lost {times} times, and made up for")),
        }
        if let Some(error) = &self.error {
            notes.push(error.to_string());
        }
        self.view.notes = notes;
        self.changed = true;
    }

    pub(crate) fn set_room(&mut self, rows: usize) {
        self.room = rows;
        if !self.view.paused {
            self.choose();
        }
        self.changed = true;
    }

    /// Stops the numbers, or lets them go on. The table is followed meanwhile.
    pub(crate) fn pause(&mut self) {
        self.view.paused = !self.view.paused;
        let every = (!self.view.paused).then_some(self.view.interval);
        self.mirror.set_resync_interval(every);
        if !self.view.paused {
            self.mirror.resync();
        }
        self.changed = true;
    }
}
