//! Debian's libnetfilter_conntrack, loaded at run time.

#![allow(unsafe_code)]

use std::ffi::{c_int, c_uint, c_void};
use std::ptr;

use libloading::os::unix::{Library, RTLD_LOCAL, RTLD_NOW, Symbol};

pub(crate) const QUERY_DUMP: c_uint = 5;
const CALLBACK_CONTINUE: c_int = 1;
const TYPE_ALL: c_uint = 7;
const SUBSYSTEM_CONNTRACK: u8 = 1;

type Callback = extern "C" fn(c_uint, *mut c_void, *mut c_void) -> c_int;

/// The functions the benches call.
pub(crate) struct CLibrary {
    open: Symbol<unsafe extern "C" fn(u8, c_uint) -> *mut c_void>,
    close: Symbol<unsafe extern "C" fn(*mut c_void) -> c_int>,
    register: Symbol<unsafe extern "C" fn(*mut c_void, c_uint, Callback, *mut c_void) -> c_int>,
    query: Symbol<unsafe extern "C" fn(*mut c_void, c_uint, *const c_void) -> c_int>,
    _library: Library,
}

impl CLibrary {
    /// Loads the library of the package libnetfilter-conntrack3.
    pub(crate) fn load() -> Self {
        // SAFETY: the library has no constructors that matter, and the types are
        // those of its header.
        unsafe {
            let name = "libnetfilter_conntrack.so.3";
            let library = Library::open(Some(name), RTLD_NOW | RTLD_LOCAL)
                .expect("the package libnetfilter-conntrack3 is needed");
            Self {
                open: library.get(b"nfct_open\0").unwrap(),
                close: library.get(b"nfct_close\0").unwrap(),
                register: library.get(b"nfct_callback_register\0").unwrap(),
                query: library.get(b"nfct_query\0").unwrap(),
                _library: library,
            }
        }
    }

    /// Dumps the table with a callback that counts; gives the count.
    pub(crate) fn count_dump(&self) -> usize {
        extern "C" fn count(_: c_uint, _: *mut c_void, data: *mut c_void) -> c_int {
            // SAFETY: `data` is the counter below, which outlives the query.
            unsafe { *data.cast::<usize>() += 1 };
            CALLBACK_CONTINUE
        }
        let mut counted = 0usize;
        let family = u32::from(netfilter_conntrack::L3Proto::IPV4.0);
        // SAFETY: all pointers are live for the calls they are given to.
        unsafe {
            let handle = (self.open)(SUBSYSTEM_CONNTRACK, 0);
            assert!(!handle.is_null());
            (self.register)(handle, TYPE_ALL, count, (&raw mut counted).cast());
            let done = (self.query)(handle, QUERY_DUMP, ptr::from_ref(&family).cast());
            assert_eq!(done, 0);
            (self.close)(handle);
        }
        counted
    }
}
