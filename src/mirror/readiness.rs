//! One descriptor to wait for in the place of several and a clock.

use std::fmt;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, PollTimeout};
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags};
use nix::sys::time::TimeSpec;
use nix::sys::timerfd::{ClockId, Expiration, TimerFd, TimerFlags, TimerSetTimeFlags};

use crate::error::{Error, Result};

/// Readable when one of its descriptors is, or when it is time.
///
/// This is epoll(7) with a timerfd(2) among its members; an epoll descriptor can
/// be waited for like any other.
pub(super) struct Readiness {
    epoll: Epoll,
    timer: TimerFd,
    /// What the timer is set to.
    time: Option<Instant>,
}

impl Readiness {
    /// Of these descriptors, which must stay open as long.
    pub(super) fn of<'f>(descriptors: impl IntoIterator<Item = BorrowedFd<'f>>) -> Result<Self> {
        let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC).map_err(io("epoll_create1"))?;
        let flags = TimerFlags::TFD_CLOEXEC | TimerFlags::TFD_NONBLOCK;
        let timer = TimerFd::new(ClockId::CLOCK_MONOTONIC, flags).map_err(io("timerfd_create"))?;
        let add = |descriptor: BorrowedFd<'_>| {
            let readable = EpollEvent::new(EpollFlags::EPOLLIN, 0);
            epoll.add(descriptor, readable).map_err(io("epoll_ctl"))
        };
        descriptors.into_iter().try_for_each(add)?;
        add(timer.as_fd())?;
        Ok(Self {
            epoll,
            timer,
            time: None,
        })
    }

    /// Sets the time at which it is to become readable, and not before unless by
    /// a descriptor; `None` for never.
    pub(super) fn set_time(&mut self, time: Option<Instant>, now: Instant) -> Result<()> {
        // One that has expired must be set anew to be silent.
        let is_set = self.time == time && time.is_none_or(|time| time > now);
        if is_set {
            return Ok(());
        }
        match time {
            None => self.timer.unset(),
            Some(time) => {
                // Zero would mean never.
                let left = time
                    .saturating_duration_since(now)
                    .max(Duration::from_nanos(1));
                let once = Expiration::OneShot(TimeSpec::from_duration(left));
                self.timer.set(once, TimerSetTimeFlags::empty())
            }
        }
        .map_err(io("timerfd_settime"))?;
        self.time = time;
        Ok(())
    }

    /// Waits until it is readable, at the most this long (`None`: for ever). Tells
    /// whether it is; ends early at a signal.
    pub(super) fn wait(&self, timeout: Option<Duration>) -> Result<bool> {
        let limit = match timeout {
            None => PollTimeout::NONE,
            Some(time) => PollTimeout::try_from(time).unwrap_or(PollTimeout::MAX),
        };
        let mut fds = [PollFd::new(self.as_fd(), PollFlags::POLLIN)];
        match nix::poll::poll(&mut fds, limit) {
            Ok(ready) => Ok(ready > 0),
            Err(nix::Error::EINTR) => Ok(false),
            Err(errno) => Err(io("poll")(errno)),
        }
    }
}

impl AsFd for Readiness {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.epoll.0.as_fd()
    }
}

impl fmt::Debug for Readiness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Readiness")
            .field("time", &self.time)
            .finish_non_exhaustive()
    }
}

fn io(call: &'static str) -> impl Fn(nix::Error) -> Error {
    move |errno| Error::io(call, errno as i32)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn descriptors_and_time_make_it_readable() {
        let (reader, mut writer) = std::os::unix::net::UnixStream::pair().unwrap();
        let mut readiness = Readiness::of([reader.as_fd()]).unwrap();
        let short = Duration::from_millis(5);
        assert!(!readiness.wait(Some(short)).unwrap());

        let now = Instant::now();
        readiness.set_time(Some(now + short), now).unwrap();
        assert!(readiness.wait(None).unwrap());
        assert!(Instant::now() >= now + short);
        readiness.set_time(None, Instant::now()).unwrap();
        assert!(!readiness.wait(Some(short)).unwrap());

        readiness.set_time(Some(now), now).unwrap();
        assert!(readiness.wait(None).unwrap());
        readiness.set_time(None, now).unwrap();
        writer.write_all(b"x").unwrap();
        assert!(readiness.wait(None).unwrap());
    }
}
