//! Waiting for what other programs and the kernel do in their own time.

use std::thread;
use std::time::{Duration, Instant};

/// How long a test waits for one thing before it fails: far beyond what any of
/// them takes on an idle machine, for the sake of busy ones.
pub(crate) const DEADLINE: Duration = Duration::from_secs(30);

const PAUSE: Duration = Duration::from_millis(2);

/// Asks again and again until there is an answer, and returns it.
///
/// # Panics
/// After [`DEADLINE`], naming `what` was waited for.
pub(crate) fn until<T>(what: &str, probe: impl FnMut() -> Option<T>) -> T {
    within(DEADLINE, probe).unwrap_or_else(|| panic!("waited {DEADLINE:?} in vain for {what}"))
}

/// The same, for as long as the caller says; `None` if there was no answer.
pub(crate) fn within<T>(limit: Duration, mut probe: impl FnMut() -> Option<T>) -> Option<T> {
    let start = Instant::now();
    loop {
        let late = start.elapsed() > limit;
        if let Some(answer) = probe() {
            return Some(answer);
        }
        if late {
            return None;
        }
        thread::sleep(PAUSE);
    }
}
