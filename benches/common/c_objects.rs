//! Objects of Debian's libnetfilter_conntrack, loaded at run time.

#![allow(unsafe_code)]

use std::ffi::{c_char, c_int, c_uint, c_void};

use libloading::os::unix::{Library, RTLD_LOCAL, RTLD_NOW, Symbol};

type Entry = *mut c_void;

/// The functions that the benches call.
pub(crate) struct CObjects {
    new: Symbol<unsafe extern "C" fn() -> Entry>,
    destroy: Symbol<unsafe extern "C" fn(Entry)>,
    clone: Symbol<unsafe extern "C" fn(Entry) -> Entry>,
    cmp: Symbol<unsafe extern "C" fn(Entry, Entry, c_uint) -> c_int>,
    parse: Symbol<unsafe extern "C" fn(*const c_void, Entry) -> c_int>,
    snprintf:
        Symbol<unsafe extern "C" fn(*mut c_char, c_uint, Entry, c_uint, c_uint, c_uint) -> c_int>,
    _library: Library,
}

impl CObjects {
    /// Loads the library of the package libnetfilter-conntrack3.
    pub(crate) fn load() -> Self {
        // SAFETY: the library has no constructors that matter, and the types are
        // those of its header.
        unsafe {
            let name = "libnetfilter_conntrack.so.3";
            let library = Library::open(Some(name), RTLD_NOW | RTLD_LOCAL)
                .expect("the package libnetfilter-conntrack3 is needed");
            Self {
                new: library.get(b"nfct_new\0").unwrap(),
                destroy: library.get(b"nfct_destroy\0").unwrap(),
                clone: library.get(b"nfct_clone\0").unwrap(),
                cmp: library.get(b"nfct_cmp\0").unwrap(),
                parse: library.get(b"nfct_nlmsg_parse\0").unwrap(),
                snprintf: library.get(b"nfct_snprintf\0").unwrap(),
                _library: library,
            }
        }
    }

    /// An entry without any attribute.
    pub(crate) fn entry(&self) -> CEntry<'_> {
        // SAFETY: makes an object.
        let entry = unsafe { (self.new)() };
        assert!(!entry.is_null());
        CEntry { of: self, entry }
    }
}

/// An entry that the C library has made.
pub(crate) struct CEntry<'a> {
    of: &'a CObjects,
    entry: Entry,
}

impl CEntry<'_> {
    /// Decodes a whole message into the entry.
    pub(crate) fn parse(&mut self, message: &[u8]) {
        // SAFETY: the message is as long as its header says, the entry is live.
        let done = unsafe { (self.of.parse)(message.as_ptr().cast(), self.entry) };
        assert_eq!(done, 0);
    }

    /// Writes it in the form `output` (0 plain, 1 XML) and gives the length.
    pub(crate) fn snprintf(&self, buffer: &mut [u8], output: c_uint) -> usize {
        let size = c_uint::try_from(buffer.len()).unwrap();
        // SAFETY: the buffer has the size that is given, the entry is live.
        let len = unsafe {
            (self.of.snprintf)(buffer.as_mut_ptr().cast(), size, self.entry, 0, output, 0)
        };
        usize::try_from(len).unwrap()
    }

    /// Whether all that both have is equal.
    pub(crate) fn equals(&self, other: &Self) -> bool {
        // SAFETY: both entries are live.
        unsafe { (self.of.cmp)(self.entry, other.entry, 0) != 0 }
    }
}

impl Clone for CEntry<'_> {
    fn clone(&self) -> Self {
        // SAFETY: the entry is live.
        let entry = unsafe { (self.of.clone)(self.entry) };
        assert!(!entry.is_null());
        Self { of: self.of, entry }
    }
}

impl Drop for CEntry<'_> {
    fn drop(&mut self) {
        // SAFETY: the entry is live and not used afterwards.
        unsafe { (self.of.destroy)(self.entry) };
    }
}
