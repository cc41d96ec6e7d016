//! The C API of a shared library, loaded beside whatever else there is.

#![allow(unsafe_code)]

use std::ffi::{CStr, c_char, c_int, c_uint, c_void};
use std::path::{Path, PathBuf};

use libloading::os::unix::{Library, RTLD_LOCAL, RTLD_NOW};

/// A conntrack entry of C, an expectation, or a bitmask.
pub(crate) type Object = *mut c_void;

/// The functions that are compared. All pointers stay valid as long as this lives.
pub(crate) struct CApi {
    pub(crate) ct_new: unsafe extern "C" fn() -> Object,
    pub(crate) ct_destroy: unsafe extern "C" fn(Object),
    pub(crate) ct_clone: unsafe extern "C" fn(Object) -> Object,
    pub(crate) set_attr: unsafe extern "C" fn(Object, c_uint, *const c_void),
    pub(crate) set_attr_l: unsafe extern "C" fn(Object, c_uint, *const c_void, usize),
    pub(crate) set_u8: unsafe extern "C" fn(Object, c_uint, u8),
    pub(crate) set_u16: unsafe extern "C" fn(Object, c_uint, u16),
    pub(crate) set_u32: unsafe extern "C" fn(Object, c_uint, u32),
    pub(crate) set_u64: unsafe extern "C" fn(Object, c_uint, u64),
    pub(crate) get_attr: unsafe extern "C" fn(Object, c_uint) -> *const c_void,
    pub(crate) get_u8: unsafe extern "C" fn(Object, c_uint) -> u8,
    pub(crate) get_u16: unsafe extern "C" fn(Object, c_uint) -> u16,
    pub(crate) get_u32: unsafe extern "C" fn(Object, c_uint) -> u32,
    pub(crate) get_u64: unsafe extern "C" fn(Object, c_uint) -> u64,
    pub(crate) attr_is_set: unsafe extern "C" fn(Object, c_uint) -> c_int,
    pub(crate) attr_unset: unsafe extern "C" fn(Object, c_uint) -> c_int,
    pub(crate) set_grp: unsafe extern "C" fn(Object, c_uint, *const c_void),
    pub(crate) get_grp: unsafe extern "C" fn(Object, c_uint, *mut c_void) -> c_int,
    pub(crate) grp_is_set: unsafe extern "C" fn(Object, c_uint) -> c_int,
    pub(crate) grp_unset: unsafe extern "C" fn(Object, c_uint) -> c_int,
    pub(crate) setobjopt: unsafe extern "C" fn(Object, c_uint) -> c_int,
    pub(crate) getobjopt: unsafe extern "C" fn(Object, c_uint) -> c_int,
    pub(crate) copy: unsafe extern "C" fn(Object, Object, c_uint),
    pub(crate) copy_attr: unsafe extern "C" fn(Object, Object, c_uint),
    pub(crate) cmp: unsafe extern "C" fn(Object, Object, c_uint) -> c_int,
    pub(crate) build: unsafe extern "C" fn(*mut c_void, Object) -> c_int,
    pub(crate) parse: unsafe extern "C" fn(*const c_void, Object) -> c_int,
    pub(crate) bitmask_new: unsafe extern "C" fn(c_uint) -> Object,
    pub(crate) bitmask_set: unsafe extern "C" fn(Object, c_uint),
    pub(crate) bitmask_test: unsafe extern "C" fn(Object, c_uint) -> c_int,
    pub(crate) bitmask_maxbit: unsafe extern "C" fn(Object) -> c_uint,
    pub(crate) snprintf_labels:
        unsafe extern "C" fn(*mut c_char, c_uint, Object, c_uint, c_uint, c_uint, Object) -> c_int,
    pub(crate) snprintf:
        unsafe extern "C" fn(*mut c_char, c_uint, Object, c_uint, c_uint, c_uint) -> c_int,
    pub(crate) labelmap_new: unsafe extern "C" fn(*const c_char) -> Object,
    pub(crate) labelmap_destroy: unsafe extern "C" fn(Object),
    pub(crate) exp_new: unsafe extern "C" fn() -> Object,
    pub(crate) exp_destroy: unsafe extern "C" fn(Object),
    pub(crate) exp_clone: unsafe extern "C" fn(Object) -> Object,
    pub(crate) exp_maxsize: unsafe extern "C" fn() -> usize,
    pub(crate) exp_set: unsafe extern "C" fn(Object, c_uint, *const c_void),
    pub(crate) exp_get: unsafe extern "C" fn(Object, c_uint) -> *const c_void,
    pub(crate) exp_is_set: unsafe extern "C" fn(Object, c_uint) -> c_int,
    pub(crate) exp_unset: unsafe extern "C" fn(Object, c_uint) -> c_int,
    pub(crate) exp_cmp: unsafe extern "C" fn(Object, Object, c_uint) -> c_int,
    pub(crate) exp_build: unsafe extern "C" fn(*mut c_void, Object) -> c_int,
    pub(crate) exp_parse: unsafe extern "C" fn(*const c_void, Object) -> c_int,
    pub(crate) exp_snprintf:
        unsafe extern "C" fn(*mut c_char, c_uint, Object, c_uint, c_uint, c_uint) -> c_int,
    _library: Library,
}

impl CApi {
    /// Loads a library by its path, or by its name where the system has it.
    ///
    /// # Panics
    /// If it is not there or lacks one of the functions.
    pub(crate) fn load(library: &Path) -> Self {
        // SAFETY: loading a conntrack library runs no code of consequence.
        let library = unsafe { Library::open(Some(library), RTLD_NOW | RTLD_LOCAL) }
            .unwrap_or_else(|error| panic!("{}: {error} (tests/setup)", library.display()));
        Self {
            ct_new: symbol(&library, "nfct_new"),
            ct_destroy: symbol(&library, "nfct_destroy"),
            ct_clone: symbol(&library, "nfct_clone"),
            set_attr: symbol(&library, "nfct_set_attr"),
            set_attr_l: symbol(&library, "nfct_set_attr_l"),
            set_u8: symbol(&library, "nfct_set_attr_u8"),
            set_u16: symbol(&library, "nfct_set_attr_u16"),
            set_u32: symbol(&library, "nfct_set_attr_u32"),
            set_u64: symbol(&library, "nfct_set_attr_u64"),
            get_attr: symbol(&library, "nfct_get_attr"),
            get_u8: symbol(&library, "nfct_get_attr_u8"),
            get_u16: symbol(&library, "nfct_get_attr_u16"),
            get_u32: symbol(&library, "nfct_get_attr_u32"),
            get_u64: symbol(&library, "nfct_get_attr_u64"),
            attr_is_set: symbol(&library, "nfct_attr_is_set"),
            attr_unset: symbol(&library, "nfct_attr_unset"),
            set_grp: symbol(&library, "nfct_set_attr_grp"),
            get_grp: symbol(&library, "nfct_get_attr_grp"),
            grp_is_set: symbol(&library, "nfct_attr_grp_is_set"),
            grp_unset: symbol(&library, "nfct_attr_grp_unset"),
            setobjopt: symbol(&library, "nfct_setobjopt"),
            getobjopt: symbol(&library, "nfct_getobjopt"),
            copy: symbol(&library, "nfct_copy"),
            copy_attr: symbol(&library, "nfct_copy_attr"),
            cmp: symbol(&library, "nfct_cmp"),
            build: symbol(&library, "nfct_nlmsg_build"),
            parse: symbol(&library, "nfct_nlmsg_parse"),
            bitmask_new: symbol(&library, "nfct_bitmask_new"),
            bitmask_set: symbol(&library, "nfct_bitmask_set_bit"),
            bitmask_test: symbol(&library, "nfct_bitmask_test_bit"),
            bitmask_maxbit: symbol(&library, "nfct_bitmask_maxbit"),
            snprintf_labels: symbol(&library, "nfct_snprintf_labels"),
            snprintf: symbol(&library, "nfct_snprintf"),
            labelmap_new: symbol(&library, "nfct_labelmap_new"),
            labelmap_destroy: symbol(&library, "nfct_labelmap_destroy"),
            exp_new: symbol(&library, "nfexp_new"),
            exp_destroy: symbol(&library, "nfexp_destroy"),
            exp_clone: symbol(&library, "nfexp_clone"),
            exp_maxsize: symbol(&library, "nfexp_maxsize"),
            exp_set: symbol(&library, "nfexp_set_attr"),
            exp_get: symbol(&library, "nfexp_get_attr"),
            exp_is_set: symbol(&library, "nfexp_attr_is_set"),
            exp_unset: symbol(&library, "nfexp_attr_unset"),
            exp_cmp: symbol(&library, "nfexp_cmp"),
            exp_build: symbol(&library, "nfexp_nlmsg_build"),
            exp_parse: symbol(&library, "nfexp_nlmsg_parse"),
            exp_snprintf: symbol(&library, "nfexp_snprintf"),
            _library: library,
        }
    }

    /// The file that the functions are in.
    pub(crate) fn file(&self) -> PathBuf {
        file_of(self.ct_new as *const c_void)
    }
}

/// The file that the code at this address was loaded from.
pub(crate) fn file_of(address: *const c_void) -> PathBuf {
    // SAFETY: dladdr(3) only looks the address up, and fills in `info`, whose
    // name is valid as long as the file stays loaded.
    let name = unsafe {
        let mut info: libc::Dl_info = std::mem::zeroed();
        assert_ne!(libc::dladdr(address, &mut info), 0, "dladdr");
        CStr::from_ptr::<'_>(info.dli_fname.cast::<c_char>())
    };
    let path = Path::new(name.to_str().expect("a path in UTF-8"));
    path.canonicalize().expect("the path of a loaded file")
}

/// A function of the library by its name; the caller's type must be its own.
fn symbol<T: Copy>(library: &Library, name: &str) -> T {
    // SAFETY: the types in `CApi` are those of the library's documented header.
    let symbol = unsafe { library.get::<T>(name.as_bytes()) };
    *symbol.unwrap_or_else(|error| panic!("{error}"))
}
