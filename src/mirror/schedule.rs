//! When to make the next resync.

use std::time::{Duration, Instant};

use super::change::Reason;

#[derive(Debug)]
pub(super) struct Schedule {
    /// The time between regular resyncs.
    every: Option<Duration>,
    pause_min: Duration,
    pause_max: Duration,
    /// The pause after the next resync that fails.
    pause: Duration,
    /// No resync before this, unless the program asks for it.
    not_before: Option<Instant>,
    /// When the next regular one is to be.
    regular: Option<Instant>,
    /// What calls for a resync as soon as the pause is over.
    wanted: Option<Reason>,
    /// Whether the program has asked for one, which no pause delays.
    asked: bool,
}

impl Schedule {
    pub(super) fn new(every: Option<Duration>, pause_min: Duration, pause_max: Duration) -> Self {
        Self {
            every,
            pause_min,
            pause_max: pause_max.max(pause_min),
            pause: pause_min,
            not_before: None,
            regular: None,
            wanted: Some(Reason::Start),
            asked: false,
        }
    }

    /// Notes that there is reason for a resync.
    pub(super) fn want(&mut self, reason: Reason) {
        self.wanted = self.wanted.max(Some(reason));
    }

    /// Notes that the program wants a resync now.
    pub(super) fn ask(&mut self) {
        self.asked = true;
    }

    /// Changes the time between regular resyncs, counted from now.
    pub(super) fn set_interval(&mut self, every: Option<Duration>, now: Instant) {
        self.every = every;
        self.regular = every.and_then(|every| now.checked_add(every));
    }

    /// The reason for which a resync is to begin now.
    pub(super) fn due(&self, now: Instant) -> Option<Reason> {
        let (at, reason) = self.next()?;
        at.is_none_or(|at| at <= now).then_some(reason)
    }

    /// When the next resync is to begin, `None` meaning at once, and why.
    pub(super) fn next(&self) -> Option<(Option<Instant>, Reason)> {
        if self.asked {
            return Some((None, self.wanted.unwrap_or(Reason::Asked)));
        }
        match (self.wanted, self.regular) {
            (Some(reason), _) => Some((self.not_before, reason)),
            (None, Some(regular)) => Some((self.not_before.max(Some(regular)), Reason::Interval)),
            (None, None) => None,
        }
    }

    /// Notes that a resync has begun.
    pub(super) fn begun(&mut self) {
        self.wanted = None;
        self.asked = false;
    }

    /// Notes that a resync has ended, and whether the mirror now is as the table.
    pub(super) fn ended(&mut self, now: Instant, took: Duration, good: bool) {
        // Never busy with resyncs for more than half the time.
        let pause = self.pause.max(took);
        self.pause = match good {
            true => self.pause_min,
            false => self.pause.saturating_mul(2).min(self.pause_max),
        };
        self.not_before = now.checked_add(pause);
        self.regular = self.every.and_then(|every| now.checked_add(every));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIN: Duration = Duration::from_millis(10);
    const MAX: Duration = Duration::from_millis(35);

    fn pause(schedule: &Schedule, now: Instant) -> Duration {
        let (at, _) = schedule.next().unwrap();
        at.unwrap() - now
    }

    #[test]
    fn pauses_double_up_to_the_bound_and_start_again() {
        let now = Instant::now();
        let mut schedule = Schedule::new(None, MIN, MAX);
        assert_eq!(schedule.due(now), Some(Reason::Start));
        let mut pauses = Vec::new();
        for good in [false, false, false, false, true, false] {
            schedule.begun();
            schedule.ended(now, Duration::ZERO, good);
            schedule.want(Reason::Overrun);
            assert_eq!(schedule.due(now), None);
            pauses.push(pause(&schedule, now));
        }
        assert_eq!(pauses, [MIN, MIN * 2, MAX, MAX, MAX, MIN]);
        assert_eq!(schedule.due(now + MIN), Some(Reason::Overrun));
    }

    #[test]
    fn long_lists_make_long_pauses() {
        let now = Instant::now();
        let mut schedule = Schedule::new(None, MIN, MAX);
        schedule.begun();
        schedule.ended(now, MAX * 10, true);
        schedule.want(Reason::Overrun);
        assert_eq!(pause(&schedule, now), MAX * 10);
    }

    #[test]
    fn regular_ones_come_without_being_wanted_and_wishes_at_once() {
        let now = Instant::now();
        let every = Duration::from_secs(5);
        let mut schedule = Schedule::new(Some(every), MIN, MAX);
        schedule.begun();
        assert_eq!(schedule.next(), None);
        schedule.ended(now, Duration::ZERO, true);
        assert_eq!(schedule.due(now), None);
        assert_eq!(schedule.due(now + every), Some(Reason::Interval));
        schedule.ask();
        assert_eq!(schedule.due(now), Some(Reason::Asked));
        schedule.want(Reason::Overrun);
        assert_eq!(schedule.due(now), Some(Reason::Overrun));
        schedule.begun();
        schedule.ended(now, Duration::ZERO, true);
        schedule.set_interval(None, now);
        assert_eq!(schedule.next(), None);
    }
}
