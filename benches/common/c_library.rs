//! Debian's libnetfilter_conntrack, loaded at run time.

#![allow(unsafe_code)]

use std::ffi::{c_int, c_uint, c_void};
use std::net::Ipv4Addr;
use std::ptr;

use libloading::os::unix::{Library, RTLD_LOCAL, RTLD_NOW, Symbol};
use netfilter_conntrack::L3Proto;

pub(crate) const QUERY_DUMP: c_uint = 5;
pub(super) const CALLBACK_CONTINUE: c_int = 1;
pub(super) const TYPE_ALL: c_uint = 7;
pub(super) const SUBSYSTEM_CONNTRACK: u8 = 1;

const ATTR_ORIG_IPV4_SRC: c_int = 0;
const ATTR_ORIG_L3PROTO: c_int = 15;
pub(super) const ATTR_MARK: c_int = 25;
pub(super) const ATTR_ID: c_int = 31;
pub(super) const ATTR_STATUS: c_int = 32;
const COMPARE_MASK: c_uint = 32;

type Compare = unsafe extern "C" fn(*mut c_void, *mut c_void, c_uint) -> c_int;
type Callback = extern "C" fn(c_uint, *mut c_void, *mut c_void) -> c_int;

/// The functions the benches call.
pub(crate) struct CLibrary {
    pub(super) open: Symbol<unsafe extern "C" fn(u8, c_uint) -> *mut c_void>,
    pub(super) close: Symbol<unsafe extern "C" fn(*mut c_void) -> c_int>,
    pub(super) register:
        Symbol<unsafe extern "C" fn(*mut c_void, c_uint, Callback, *mut c_void) -> c_int>,
    query: Symbol<unsafe extern "C" fn(*mut c_void, c_uint, *const c_void) -> c_int>,
    new: Symbol<unsafe extern "C" fn() -> *mut c_void>,
    destroy: Symbol<unsafe extern "C" fn(*mut c_void)>,
    set_u8: Symbol<unsafe extern "C" fn(*mut c_void, c_int, u8)>,
    set_u32: Symbol<unsafe extern "C" fn(*mut c_void, c_int, u32)>,
    pub(super) get_u32: Symbol<unsafe extern "C" fn(*mut c_void, c_int) -> u32>,
    cmp: Symbol<Compare>,
    pub(super) catch: Symbol<unsafe extern "C" fn(*mut c_void) -> c_int>,
    pub(super) fd: Symbol<unsafe extern "C" fn(*mut c_void) -> c_int>,
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
                new: library.get(b"nfct_new\0").unwrap(),
                destroy: library.get(b"nfct_destroy\0").unwrap(),
                set_u8: library.get(b"nfct_set_attr_u8\0").unwrap(),
                set_u32: library.get(b"nfct_set_attr_u32\0").unwrap(),
                get_u32: library.get(b"nfct_get_attr_u32\0").unwrap(),
                cmp: library.get(b"nfct_cmp\0").unwrap(),
                catch: library.get(b"nfct_catch\0").unwrap(),
                fd: library.get(b"nfct_fd\0").unwrap(),
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
        self.dump(count, (&raw mut counted).cast());
        counted
    }

    /// Dumps the table with a callback that compares each entry with one that has
    /// this original source address alone, as `conntrack -L -s` does; gives the
    /// count of those that match.
    pub(crate) fn count_source(&self, source: Ipv4Addr) -> usize {
        struct Search {
            cmp: Compare,
            wanted: *mut c_void,
            matched: usize,
        }
        extern "C" fn compare(_: c_uint, entry: *mut c_void, data: *mut c_void) -> c_int {
            // SAFETY: `data` is the search below, which outlives the query, and
            // `entry` an object of the library.
            unsafe {
                let search = &mut *data.cast::<Search>();
                let same = (search.cmp)(search.wanted, entry, COMPARE_MASK);
                search.matched += usize::try_from(same).unwrap();
            }
            CALLBACK_CONTINUE
        }
        // SAFETY: the object is made, filled and destroyed by the library.
        unsafe {
            let mut search = Search {
                cmp: *self.cmp,
                wanted: (self.new)(),
                matched: 0,
            };
            (self.set_u8)(search.wanted, ATTR_ORIG_L3PROTO, L3Proto::IPV4.0);
            let address = u32::from_ne_bytes(source.octets());
            (self.set_u32)(search.wanted, ATTR_ORIG_IPV4_SRC, address);
            self.dump(compare, (&raw mut search).cast());
            (self.destroy)(search.wanted);
            search.matched
        }
    }

    /// Dumps the table and passes each entry to the callback.
    fn dump(&self, callback: Callback, data: *mut c_void) {
        let family = u32::from(L3Proto::IPV4.0);
        // SAFETY: all pointers are live for the calls they are given to.
        unsafe {
            let handle = (self.open)(SUBSYSTEM_CONNTRACK, 0);
            assert!(!handle.is_null());
            (self.register)(handle, TYPE_ALL, callback, data);
            let done = (self.query)(handle, QUERY_DUMP, ptr::from_ref(&family).cast());
            assert_eq!(done, 0);
            (self.close)(handle);
        }
    }
}
