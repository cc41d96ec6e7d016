//! Listening with Debian's libnetfilter_conntrack.

#![allow(unsafe_code)]

use std::ffi::{c_int, c_uint, c_void};
use std::hint::black_box;
use std::os::fd::{AsFd, BorrowedFd};
use std::ptr;

use nix::fcntl::{FcntlArg, OFlag, fcntl};

use super::c_library::{
    ATTR_ID, ATTR_MARK, ATTR_STATUS, CALLBACK_CONTINUE, CLibrary, SUBSYSTEM_CONNTRACK, TYPE_ALL,
};

/// A listener of the C library, non-blocking, with a callback that reads three
/// attributes and counts.
pub(crate) struct CListener<'l> {
    library: &'l CLibrary,
    handle: *mut c_void,
    /// Behind a pointer, since the C library keeps its address.
    seen: Box<Seen>,
}

/// What the callback gets.
struct Seen {
    get_u32: unsafe extern "C" fn(*mut c_void, c_int) -> u32,
    counted: u64,
}

/// Why `nfct_catch` returned.
pub(crate) enum CCaught {
    Drained,
    Overrun,
}

impl<'l> CListener<'l> {
    pub(crate) fn open(library: &'l CLibrary) -> Self {
        extern "C" fn look(_: c_uint, entry: *mut c_void, data: *mut c_void) -> c_int {
            // SAFETY: `data` is that of the listener, which is closed before it goes,
            // and `entry` an object of the library.
            unsafe {
                let seen = &mut *data.cast::<Seen>();
                for attr in [ATTR_ID, ATTR_STATUS, ATTR_MARK] {
                    black_box((seen.get_u32)(entry, attr));
                }
                seen.counted += 1;
            }
            CALLBACK_CONTINUE
        }
        let mut seen = Box::new(Seen {
            get_u32: *library.get_u32,
            counted: 0,
        });
        // SAFETY: all pointers are live for the calls they are given to, and what
        // the callback gets for as long as the handle.
        let handle = unsafe {
            let handle = (library.open)(SUBSYSTEM_CONNTRACK, TYPE_ALL);
            assert!(!handle.is_null());
            (library.register)(handle, TYPE_ALL, look, (&raw mut *seen).cast());
            handle
        };
        let listener = Self {
            library,
            handle,
            seen,
        };
        let fd = listener.as_fd();
        fcntl(fd, FcntlArg::F_SETFL(OFlag::O_NONBLOCK)).expect("fcntl");
        listener
    }

    /// Reads until there is nothing left or something was lost.
    pub(crate) fn catch(&mut self) -> CCaught {
        // SAFETY: the handle is open.
        let done = unsafe { (self.library.catch)(self.handle) };
        assert!(done < 0, "the callback never stops it");
        match std::io::Error::last_os_error().raw_os_error() {
            Some(libc::EAGAIN) => CCaught::Drained,
            Some(libc::ENOBUFS) => CCaught::Overrun,
            other => panic!("nfct_catch: errno {other:?}"),
        }
    }

    pub(crate) fn counted(&self) -> u64 {
        // SAFETY: the callback, which writes it through a pointer, is not running.
        unsafe { ptr::read_volatile(&raw const self.seen.counted) }
    }
}

impl AsFd for CListener<'_> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        // SAFETY: the descriptor is open for as long as the handle.
        unsafe { BorrowedFd::borrow_raw((self.library.fd)(self.handle)) }
    }
}

impl Drop for CListener<'_> {
    fn drop(&mut self) {
        // SAFETY: the handle is open, and not used after this.
        unsafe { (self.library.close)(self.handle) };
    }
}
