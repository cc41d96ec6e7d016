//! Local time, which only the C library knows.

// The C library's time zone is behind a foreign function; nix has none for it.
#![allow(unsafe_code)]

use std::mem::MaybeUninit;

unsafe extern "C" {
    /// Reads the variable `TZ` again; POSIX.
    safe fn tzset();
}

/// A point in time by the clock on the wall.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LocalTime {
    pub(crate) year: i64,
    /// 0 to 11.
    pub(crate) month: u8,
    /// 1 to 31.
    pub(crate) day: u8,
    /// 0, Sunday, to 6.
    pub(crate) weekday: u8,
    pub(crate) hour: u8,
    pub(crate) minute: u8,
    /// 0 to 60: there are leap seconds.
    pub(crate) second: u8,
}

impl LocalTime {
    /// The local time that many seconds after the epoch; `None` where the C
    /// library cannot tell it.
    pub(crate) fn at(seconds: u64) -> Option<Self> {
        let time = libc::time_t::try_from(seconds).ok()?;
        let mut tm = MaybeUninit::zeroed();
        // SAFETY: both pointers are to live values of the types asked for.
        // All-zero memory is a valid `tm`: numbers and a null pointer.
        let tm: libc::tm = unsafe {
            if libc::localtime_r(&raw const time, tm.as_mut_ptr()).is_null() {
                return None;
            }
            tm.assume_init()
        };
        Some(Self {
            year: i64::from(tm.tm_year) + 1900,
            month: u8::try_from(tm.tm_mon).ok()?,
            day: u8::try_from(tm.tm_mday).ok()?,
            weekday: u8::try_from(tm.tm_wday).ok()?,
            hour: u8::try_from(tm.tm_hour).ok()?,
            minute: u8::try_from(tm.tm_min).ok()?,
            second: u8::try_from(tm.tm_sec).ok()?,
        })
    }

    /// As [`at`](Self::at), in the time zone that `TZ` names now. `at` alone
    /// stays with the one it named when the process first asked.
    pub(crate) fn at_in_current_zone(seconds: u64) -> Option<Self> {
        tzset();
        Self::at(seconds)
    }
}
