//! How long something takes: wall time and the CPU time of this thread.

use std::fmt;
use std::time::{Duration, Instant};

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeVal;

/// What one run took.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cost {
    pub(crate) wall: Duration,
    pub(crate) user: Duration,
    pub(crate) system: Duration,
}

/// Runs all of `works` in turn, `rounds` times, so that what the machine does
/// besides falls on all of them. Gives for each the median of the wall times and
/// the means of the CPU times, which the kernel counts in ticks.
pub(crate) fn interleaved<const N: usize>(
    rounds: usize,
    mut works: [&mut dyn FnMut(); N],
) -> [Cost; N] {
    let mut runs = [const { Vec::new() }; N];
    for _ in 0..rounds {
        for (work, runs) in works.iter_mut().zip(&mut runs) {
            runs.push(once(work));
        }
    }
    runs.map(|mut runs: Vec<Cost>| {
        runs.sort_by_key(|run| run.wall);
        let mean = |figure: fn(&Cost) -> Duration| {
            runs.iter().map(figure).sum::<Duration>() / u32::try_from(rounds).unwrap()
        };
        Cost {
            wall: runs[rounds / 2].wall,
            user: mean(|run| run.user),
            system: mean(|run| run.system),
        }
    })
}

/// Runs `work` and tells what it took.
pub(crate) fn once(work: impl FnOnce()) -> Cost {
    let before = getrusage(UsageWho::RUSAGE_THREAD).unwrap();
    let start = Instant::now();
    work();
    let wall = start.elapsed();
    let after = getrusage(UsageWho::RUSAGE_THREAD).unwrap();
    Cost {
        wall,
        user: duration(after.user_time()) - duration(before.user_time()),
        system: duration(after.system_time()) - duration(before.system_time()),
    }
}

fn duration(time: TimeVal) -> Duration {
    let seconds = u64::try_from(time.tv_sec()).unwrap();
    let micros = u64::try_from(time.tv_usec()).unwrap();
    Duration::from_secs(seconds) + Duration::from_micros(micros)
}

impl fmt::Display for Cost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [wall, user, system] = [self.wall, self.user, self.system].map(|d| d.as_secs_f64());
        write!(
            f,
            "{wall:8.3} s wall {user:8.3} s user {system:8.3} s system"
        )
    }
}
