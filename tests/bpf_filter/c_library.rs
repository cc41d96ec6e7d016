//! The event filter of the C library, through its own shared object.

#![allow(unsafe_code)]

use std::ffi::{c_int, c_uint, c_void};
use std::io;
use std::os::fd::RawFd;
use std::sync::OnceLock;

use libloading::os::unix::{Library, RTLD_LOCAL, RTLD_NOW, Symbol};
use netfilter_conntrack::filter::{AddrMask, Criterion, EventFilter, FilterAttr, L4State, Logic};

const LIBRARY: &str = "libnetfilter_conntrack.so.3";

/// The functions, with the types of `libnetfilter_conntrack.h`.
struct Functions {
    create: Symbol<unsafe extern "C" fn() -> *mut c_void>,
    destroy: Symbol<unsafe extern "C" fn(*mut c_void)>,
    add_attr: Symbol<unsafe extern "C" fn(*mut c_void, c_uint, *const c_void)>,
    set_logic: Symbol<unsafe extern "C" fn(*mut c_void, c_uint, c_uint) -> c_int>,
    attach: Symbol<unsafe extern "C" fn(RawFd, *mut c_void) -> c_int>,
    /// Keeps the functions in memory.
    _library: Library,
}

fn functions() -> &'static Functions {
    static FUNCTIONS: OnceLock<Functions> = OnceLock::new();
    FUNCTIONS.get_or_init(|| {
        // SAFETY: the library and what it loads do nothing on loading, and the
        // functions have the types given above.
        unsafe {
            let library = Library::open(Some(LIBRARY), RTLD_NOW | RTLD_LOCAL)
                .unwrap_or_else(|error| panic!("{error}; tests/setup installs it"));
            Functions {
                create: library.get(b"nfct_filter_create\0").unwrap(),
                destroy: library.get(b"nfct_filter_destroy\0").unwrap(),
                add_attr: library.get(b"nfct_filter_add_attr\0").unwrap(),
                set_logic: library.get(b"nfct_filter_set_logic\0").unwrap(),
                attach: library.get(b"nfct_filter_attach\0").unwrap(),
                _library: library,
            }
        }
    })
}

/// Attaches the C library's program for a filter to a socket.
///
/// # Panics
/// If the filter asks for something the C library has not, or if that fails.
pub(crate) fn attach(filter: &EventFilter, socket: RawFd) {
    let c = functions();
    // SAFETY: the object is used only between create and destroy, and each
    // value has the type that its attribute asks for.
    unsafe {
        let object = (c.create)();
        assert!(!object.is_null());
        for criterion in filter.criteria() {
            let value = value(criterion);
            (c.add_attr)(object, criterion.attr() as c_uint, value.as_ptr().cast());
        }
        for attr in FilterAttr::ALL {
            let asked = filter.criteria().iter().any(|c| c.attr() == attr);
            if asked && filter.logic(attr) == Logic::Negative {
                assert_eq!((c.set_logic)(object, attr as c_uint, 1), 0, "{attr:?}");
            }
        }
        let done = (c.attach)(socket, object);
        assert_eq!(done, 0, "{}", io::Error::last_os_error());
        (c.destroy)(object);
    }
}

/// The value as the C library takes it: 32-bit words in host byte order.
fn value(criterion: &Criterion) -> Vec<u32> {
    // Two 16-bit numbers that stand one behind the other.
    let pair = |first: u16, second: u16| {
        let ([a, b], [c, d]) = (first.to_ne_bytes(), second.to_ne_bytes());
        vec![u32::from_ne_bytes([a, b, c, d])]
    };
    match *criterion {
        Criterion::L4Proto(proto) => vec![proto.0.into()],
        Criterion::L4State(L4State::Tcp(state)) => pair(6, state.0.into()),
        Criterion::L4State(L4State::Sctp(state)) => pair(132, state.0.into()),
        Criterion::L4State(L4State::Dccp(state)) => pair(33, state.0.into()),
        Criterion::Source(addresses) | Criterion::Destination(addresses) => match addresses {
            AddrMask::V4 { addr, mask } => vec![addr.to_bits(), mask.to_bits()],
            AddrMask::V6 { addr, mask } => {
                let words = |bits: u128| [96, 64, 32, 0].map(|shift| (bits >> shift) as u32);
                [words(addr.to_bits()), words(mask.to_bits())].concat()
            }
        },
        Criterion::Mark { value, mask } => vec![value, mask],
        other => panic!("the C library cannot ask for {other:?}"),
    }
}
