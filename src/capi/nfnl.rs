//! The handle of libnfnetlink, which C programs get from `nfct_nfnlh` and pass to
//! that library: `nfnl_rcvbufsiz`, `nfnl_portid`, `nfnl_catch`…
//!
//! Its layout has been the same in all releases (1.0.2 is the last one). It is
//! allocated with calloc(3) and freed with free(3), as that library does.

use std::ffi::{c_int, c_void};
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, RawFd};

use crate::netlink::Socket;

/// `struct nfnl_handle`.
#[repr(C)]
pub(super) struct NfnlHandle {
    pub(super) fd: RawFd,
    pub(super) local: libc::sockaddr_nl,
    pub(super) peer: libc::sockaddr_nl,
    pub(super) subscriptions: u32,
    /// The sequence number `nfnl_catch` expects.
    pub(super) seq: u32,
    dump: u32,
    receive_buffer: u32,
    flags: u32,
    last_header: *mut libc::nlmsghdr,
    /// By number of the subsystem.
    subsystems: [NfnlSubsystem; 17],
}

/// `struct nfnl_subsys_handle`.
#[repr(C)]
struct NfnlSubsystem {
    handle: *mut NfnlHandle,
    subscriptions: u32,
    number: u8,
    count: u8,
    /// One callback for each message number; null where the subsystem is not open.
    callbacks: *mut NfnlCallback,
}

/// What `nfnl_catch` calls for a message.
type Call = unsafe extern "C" fn(
    message: *mut libc::nlmsghdr,
    attributes: *mut *mut c_void,
    data: *mut c_void,
) -> c_int;

/// `struct nfnl_callback`.
#[repr(C)]
struct NfnlCallback {
    call: Option<Call>,
    data: *mut c_void,
    /// Attributes that `nfnl_catch` looks for.
    attributes: u16,
}

#[cfg(target_pointer_width = "64")]
const _: () = {
    assert!(size_of::<NfnlHandle>() == 464);
    assert!(size_of::<NfnlSubsystem>() == 24 && size_of::<NfnlCallback>() == 24);
};

impl NfnlHandle {
    /// Sequence numbers are checked.
    const TRACK_SEQUENCE: u32 = 1;
    /// What `nfnl_catch` receives into.
    const RECEIVE_BUFFER: u32 = 8192;

    /// A handle for this socket; null where there is no memory.
    pub(super) fn new(socket: &Socket) -> *mut Self {
        let handle = calloc::<Self>(1);
        // SAFETY: all-zero is a valid address.
        let mut address: libc::sockaddr_nl = unsafe { MaybeUninit::zeroed().assume_init() };
        address.nl_family = libc::AF_NETLINK as _;
        // SAFETY: null, or new memory of this type, for which zeros are valid.
        if let Some(handle) = unsafe { handle.as_mut() } {
            handle.fd = socket.as_raw_fd();
            handle.peer = address;
            handle.local = address;
            handle.local.nl_pid = socket.port();
            handle.receive_buffer = Self::RECEIVE_BUFFER;
            handle.flags = Self::TRACK_SEQUENCE;
        }
        handle
    }

    /// Whether somebody has opened the subsystem.
    pub(super) fn is_open(&self, subsystem: u8) -> bool {
        let slot = self.subsystems.get(usize::from(subsystem));
        slot.is_some_and(|slot| !slot.callbacks.is_null())
    }

    /// Opens a subsystem with this many messages; `false` where there is no memory.
    pub(super) fn open(&mut self, subsystem: u8, count: u8, subscriptions: u32) -> bool {
        let handle: *mut Self = self;
        let Some(slot) = self.subsystems.get_mut(usize::from(subsystem)) else {
            return false;
        };
        let callbacks = calloc::<NfnlCallback>(count.into());
        if callbacks.is_null() {
            return false;
        }
        *slot = NfnlSubsystem {
            handle,
            subscriptions,
            number: subsystem,
            count,
            callbacks,
        };
        self.subscriptions |= subscriptions;
        true
    }

    /// Closes a subsystem; its groups stay joined.
    pub(super) fn close(&mut self, subsystem: u8) {
        if let Some(slot) = self.subsystems.get_mut(usize::from(subsystem)) {
            // SAFETY: null or from calloc, here as in libnfnetlink.
            unsafe { libc::free(slot.callbacks.cast()) };
            // SAFETY: zeros are a subsystem that is not open.
            *slot = unsafe { MaybeUninit::zeroed().assume_init() };
        }
    }

    /// Makes `nfnl_catch` call `call` for the messages with these numbers, or
    /// skip them.
    pub(super) fn route(
        &mut self,
        subsystem: u8,
        messages: [u8; 2],
        attributes: u16,
        call: Option<Call>,
        data: *mut c_void,
    ) {
        let Some(slot) = self.subsystems.get_mut(usize::from(subsystem)) else {
            return;
        };
        for message in messages {
            if message < slot.count && !slot.callbacks.is_null() {
                let callback = NfnlCallback {
                    call,
                    data,
                    attributes,
                };
                // SAFETY: there are `count` of them.
                unsafe { slot.callbacks.add(message.into()).write(callback) };
            }
        }
    }

    /// Frees the handle with all its subsystems; the socket stays open.
    ///
    /// # Safety
    /// The handle is not used any more.
    pub(super) unsafe fn free(handle: *mut Self) {
        // SAFETY: the caller's handle is whole until here.
        unsafe {
            for subsystem in 0..(*handle).subsystems.len() as u8 {
                (*handle).close(subsystem);
            }
            libc::free(handle.cast());
        }
    }
}

/// Zeroed memory that free(3) takes; null where there is none.
pub(super) fn calloc<T>(count: usize) -> *mut T {
    // SAFETY: calloc takes any numbers.
    unsafe { libc::calloc(count, size_of::<T>()).cast() }
}
