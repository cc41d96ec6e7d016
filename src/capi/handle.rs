//! Handles: opening, closing, and what they are made of.

use std::ffi::{c_int, c_uint, c_void};
use std::mem::ManuallyDrop;
use std::os::fd::{FromRawFd, IntoRawFd, OwnedFd};
use std::ptr;

use super::errno::{fail, null};
use super::memory::try_boxed;
use super::nfnl::NfnlHandle;
use super::subscriber::Subscriber;
use super::types::{nf_conntrack, nf_expect, nfct_handle, nfnl_handle};
use super::waiting::Waiting;
use crate::handle::Handle;
use crate::netlink::{Family, Socket};
use crate::nfnetlink::Subsystem;

/// Opens a connection to the kernel.
///
/// Opening needs no privilege unless groups are subscribed to; requests and
/// events need CAP_NET_ADMIN in the network namespace.
///
/// @param subsys_id CONNTRACK for entries, EXPECT for expectations, 0 for both
/// @param subscriptions the groups to listen to: NFCT_ALL_CT_GROUPS, or some of
/// NF_NETLINK_CONNTRACK_NEW, _UPDATE, _DESTROY, NF_NETLINK_CONNTRACK_EXP_NEW,
/// _EXP_UPDATE, _EXP_DESTROY; 0 for none
/// @return the handle, to be closed with nfct_close(); NULL with errno EPERM
/// (groups without CAP_NET_ADMIN), EMFILE, ENOMEM...
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfct_open(subsys_id: u8, subscriptions: c_uint) -> *mut nfct_handle {
    let subsystems = Subsystems::of(subsys_id);
    let groups = if subsystems.any() { subscriptions } else { 0 };
    let socket = match Socket::bind(Family::NETFILTER, 0, groups) {
        Ok(socket) => socket,
        Err(error) => return null(error.errno()),
    };
    let nfnl = NfnlHandle::new(&socket);
    // SAFETY: null, or new and nobody else's.
    let Some(own) = (unsafe { nfnl.as_mut() }) else {
        return ptr::null_mut();
    };
    own.local.nl_groups = groups;
    if !subsystems.open(own, subscriptions) {
        // SAFETY: nobody has seen it.
        unsafe { NfnlHandle::free(nfnl) };
        return ptr::null_mut();
    }
    match CHandle::allocate(socket, nfnl, subsystems) {
        Ok(handle) => handle.cast(),
        Err(_socket) => {
            // SAFETY: nobody has seen it.
            unsafe { NfnlHandle::free(nfnl) };
            null(libc::ENOMEM)
        }
    }
}

/// Opens a connection to the kernel over a handle of libnfnetlink.
///
/// @param nfnlh a handle from nfnl_open(). On success it belongs to the new
/// handle, and nfct_close() closes and frees it; on failure it stays the caller's.
/// @param subsys_id as in nfct_open()
/// @param subscriptions as in nfct_open()
/// @return the handle, to be closed with nfct_close(); NULL with errno EBUSY
/// (the subsystem is open already), EINVAL (nfnlh is NULL), EPERM, ENOMEM...
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfct_open_nfnl(
    nfnlh: *mut nfnl_handle,
    subsys_id: u8,
    subscriptions: c_uint,
) -> *mut nfct_handle {
    let nfnl: *mut NfnlHandle = nfnlh.cast();
    // SAFETY: null or a handle of libnfnetlink, whose layout this is.
    let Some(own) = (unsafe { nfnl.as_mut() }) else {
        return null(libc::EINVAL);
    };
    let subsystems = Subsystems::of(subsys_id);
    if subsystems.numbers().any(|number| own.is_open(number)) {
        return null(libc::EBUSY);
    }
    if own.fd < 0 {
        return null(libc::EBADF);
    }
    // SAFETY: the descriptor becomes the handle's on success and is left alone
    // on failure.
    let fd = unsafe { OwnedFd::from_raw_fd(own.fd) };
    let socket = ManuallyDrop::new(Socket::new(fd, own.local.nl_pid));
    if subsystems.any() {
        let groups = own.local.nl_groups | subscriptions;
        if let Err(error) = socket.set_groups(groups) {
            return null(error.errno());
        }
        own.local.nl_groups = groups;
    }
    if !subsystems.open(own, subscriptions) {
        return ptr::null_mut();
    }
    match CHandle::allocate(ManuallyDrop::into_inner(socket), nfnl, subsystems) {
        Ok(handle) => handle.cast(),
        Err(socket) => {
            let _callers = OwnedFd::from(socket).into_raw_fd();
            subsystems.numbers().for_each(|number| own.close(number));
            null(libc::ENOMEM)
        }
    }
}

/// Closes a handle and frees it.
///
/// A callback may close the handle that calls it; nfct_catch() or nfct_query()
/// then returns as soon as the callback has.
///
/// @param cth the handle
/// @return 0; -1 with errno from close(2), or EINVAL where cth is NULL. The handle
/// is freed in any case.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfct_close(cth: *mut nfct_handle) -> c_int {
    let handle: *mut CHandle = cth.cast();
    if handle.is_null() {
        return fail(libc::EINVAL);
    }
    // SAFETY: a handle of this library, which its caller gives up.
    unsafe {
        if (*handle).receiving > 0 {
            (*handle).closed = true;
            return 0;
        }
        CHandle::free(handle)
    }
}

/// The file descriptor of a handle's socket: to wait for it, or to set options.
/// Reading from it takes away what the handle waits for.
///
/// @param cth the handle
/// @return the descriptor; -1 with errno EINVAL where cth is NULL
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfct_fd(cth: *mut nfct_handle) -> c_int {
    // SAFETY: null or a handle of this library.
    match unsafe { cth.cast::<CHandle>().as_ref() } {
        // SAFETY: the handle's own.
        Some(handle) => unsafe { (*handle.nfnl).fd },
        None => fail(libc::EINVAL),
    }
}

/// The handle of libnfnetlink below a handle, such as nfnl_rcvbufsiz() and
/// nfnl_portid() take.
///
/// @param cth the handle
/// @return the handle, which lives as long as cth; NULL with errno EINVAL where
/// cth is NULL
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfct_nfnlh(cth: *mut nfct_handle) -> *const nfnl_handle {
    // SAFETY: null or a handle of this library.
    match unsafe { cth.cast::<CHandle>().as_ref() } {
        Some(handle) => handle.nfnl.cast(),
        None => null(libc::EINVAL),
    }
}

/// What a `struct nfct_handle` is.
pub(super) struct CHandle {
    pub(super) core: Handle,
    pub(super) nfnl: *mut NfnlHandle,
    pub(super) conntrack: Subscriber<nf_conntrack>,
    pub(super) expect: Subscriber<nf_expect>,
    pub(super) subsystems: Subsystems,
    pub(super) waiting: Waiting,
    /// How many calls are receiving on the handle: one, or more where callbacks
    /// receive too.
    pub(super) receiving: u32,
    /// Closed by a callback: to be freed by the first of those calls.
    pub(super) closed: bool,
}

/// The subsystems a handle was opened for.
#[derive(Clone, Copy)]
pub(super) struct Subsystems {
    pub(super) conntrack: bool,
    pub(super) expect: bool,
}

/// Messages of the conntrack subsystem.
const CONNTRACK_MESSAGES: u8 = 8;
/// Messages of the expectation subsystem.
const EXPECT_MESSAGES: u8 = 4;

impl Subsystems {
    fn of(subsys_id: u8) -> Self {
        Self {
            conntrack: matches!(Subsystem(subsys_id), Subsystem(0) | Subsystem::CONNTRACK),
            expect: matches!(Subsystem(subsys_id), Subsystem(0) | Subsystem::EXPECT),
        }
    }

    fn any(self) -> bool {
        self.conntrack || self.expect
    }

    /// The numbers of those that are to be open.
    fn numbers(self) -> impl Iterator<Item = u8> {
        let both = [
            (self.conntrack, Subsystem::CONNTRACK),
            (self.expect, Subsystem::EXPECT),
        ];
        both.into_iter()
            .filter(|(wanted, _)| *wanted)
            .map(|(_, subsystem)| subsystem.0)
    }

    /// Enters them into a handle of libnfnetlink; `false`, with errno ENOMEM and
    /// none entered, where there is no memory.
    fn open(self, nfnl: &mut NfnlHandle, subscriptions: u32) -> bool {
        for number in self.numbers() {
            let messages = match Subsystem(number) {
                Subsystem::CONNTRACK => CONNTRACK_MESSAGES,
                _ => EXPECT_MESSAGES,
            };
            if !nfnl.open(number, messages, subscriptions) {
                self.numbers().for_each(|number| nfnl.close(number));
                return false;
            }
        }
        true
    }
}

impl CHandle {
    /// Makes a handle that has the memory it needs; gives the socket back where
    /// there is none.
    fn allocate(
        socket: Socket,
        nfnl: *mut NfnlHandle,
        subsystems: Subsystems,
    ) -> Result<*mut Self, Socket> {
        let mut core = Handle::from_socket(socket);
        let mut waiting = Waiting::default();
        if core.reserve().is_err() || waiting.reserve().is_err() {
            return Err(core.into_socket());
        }
        let handle = Self {
            core,
            nfnl,
            conntrack: Subscriber::new(),
            expect: Subscriber::new(),
            subsystems,
            waiting,
            receiving: 0,
            closed: false,
        };
        try_boxed(handle).map_err(|handle| handle.core.into_socket())
    }

    /// Frees a handle and gives the result of closing its socket.
    ///
    /// # Safety
    /// The handle is not used any more.
    pub(super) unsafe fn free(handle: *mut Self) -> c_int {
        // SAFETY: made by `allocate`.
        let handle = unsafe { Box::from_raw(handle) };
        // Closed by hand, to tell the caller how it went.
        let fd = OwnedFd::from(handle.core.into_socket()).into_raw_fd();
        // SAFETY: the handle's own; it goes to nobody else.
        unsafe {
            NfnlHandle::free(handle.nfnl);
            libc::close(fd)
        }
    }

    /// The handle as the data of a callback of libnfnetlink.
    pub(super) fn as_data(&mut self) -> *mut c_void {
        ptr::from_mut(self).cast()
    }
}
