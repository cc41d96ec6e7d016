//! The C library of this crate next to Debian's libnetfilter_conntrack, through
//! the same functions, in one process and in one run.
//!
//!     cargo bench --bench capi
//!     ENTRIES=1000000 cargo bench --bench capi     # as root, raises nf_conntrack_max meanwhile
//!     ENTRIES=0 cargo bench --bench capi           # functions on one entry alone
//!
//! CPU times are of this thread alone; the two libraries take turns, and times
//! are medians (wall) or means (CPU) of the rounds.

#![allow(unsafe_code)]

mod common;
#[allow(dead_code)]
#[path = "../tests/common/c_library.rs"]
mod own_library;

use std::cell::Cell;
use std::ffi::{c_char, c_int, c_uint, c_void};
use std::fs;
use std::hint::black_box;
use std::path::Path;
use std::process::Command;
use std::ptr;

use common::clock::{Cost, interleaved};
use common::table::{Limits, enter_namespace, entries, fill};
use libloading::os::unix::{Library, RTLD_LOCAL, RTLD_NOW};
use netfilter_conntrack::{Groups, Handle, L3Proto};

const ORIGINAL: &str = "libnetfilter_conntrack.so.3";

type Object = *mut c_void;
type Callback = unsafe extern "C" fn(c_uint, Object, *mut c_void) -> c_int;

/// The functions that are measured, of one library.
struct Api {
    open: unsafe extern "C" fn(u8, c_uint) -> Object,
    close: unsafe extern "C" fn(Object) -> c_int,
    fd: unsafe extern "C" fn(Object) -> c_int,
    register: unsafe extern "C" fn(Object, c_uint, Callback, *mut c_void) -> c_int,
    query: unsafe extern "C" fn(Object, c_uint, *const c_void) -> c_int,
    catch: unsafe extern "C" fn(Object) -> c_int,
    new: unsafe extern "C" fn() -> Object,
    destroy: unsafe extern "C" fn(Object),
    get_u8: unsafe extern "C" fn(Object, c_uint) -> u8,
    get_u32: unsafe extern "C" fn(Object, c_uint) -> u32,
    set_u8: unsafe extern "C" fn(Object, c_uint, u8),
    set_u16: unsafe extern "C" fn(Object, c_uint, u16),
    set_u32: unsafe extern "C" fn(Object, c_uint, u32),
    parse: unsafe extern "C" fn(*const c_void, Object) -> c_int,
    cmp: unsafe extern "C" fn(Object, Object, c_uint) -> c_int,
    snprintf: unsafe extern "C" fn(*mut c_char, c_uint, Object, c_uint, c_uint, c_uint) -> c_int,
    _library: Library,
}

impl Api {
    fn load(path: &Path) -> Self {
        // SAFETY: the types are those of the header of both libraries.
        unsafe {
            // RTLD_DEEPBIND: neither library is to find the functions of the other.
            let flags = RTLD_NOW | RTLD_LOCAL | libc::RTLD_DEEPBIND;
            let library = Library::open(Some(path), flags).unwrap_or_else(|e| panic!("{e}"));
            macro_rules! function {
                ($name:literal) => {
                    *library
                        .get($name.as_bytes())
                        .unwrap_or_else(|e| panic!("{e}"))
                };
            }
            Self {
                open: function!("nfct_open"),
                close: function!("nfct_close"),
                fd: function!("nfct_fd"),
                register: function!("nfct_callback_register"),
                query: function!("nfct_query"),
                catch: function!("nfct_catch"),
                new: function!("nfct_new"),
                destroy: function!("nfct_destroy"),
                get_u8: function!("nfct_get_attr_u8"),
                get_u32: function!("nfct_get_attr_u32"),
                set_u8: function!("nfct_set_attr_u8"),
                set_u16: function!("nfct_set_attr_u16"),
                set_u32: function!("nfct_set_attr_u32"),
                parse: function!("nfct_nlmsg_parse"),
                cmp: function!("nfct_cmp"),
                snprintf: function!("nfct_snprintf"),
                _library: library,
            }
        }
    }
}

const ATTR_ORIG_IPV4_SRC: c_uint = 0;
const ATTR_ORIG_PORT_SRC: c_uint = 8;
const ATTR_ORIG_L3PROTO: c_uint = 15;
const ATTR_ORIG_L4PROTO: c_uint = 17;
const CMP_ALL: c_uint = 0;
const CMP_ORIG: c_uint = 1;
const CMP_MASK: c_uint = 32;
const ATTR_MARK: c_uint = 25;
const CONNTRACK: u8 = 1;
const QUERY_DUMP: c_uint = 5;
const ALL: c_uint = 7;
const STOP: c_int = 0;
const CONTINUE: c_int = 1;

/// How many events are caught in a round.
const EVENTS: usize = 100_000;

/// What callbacks get: how to read attributes, and a counter.
struct Seen<'a> {
    api: &'a Api,
    count: Cell<usize>,
    sum: Cell<u64>,
    verdict: c_int,
}

/// Reads three attributes.
unsafe extern "C" fn look(_type: c_uint, entry: Object, data: *mut c_void) -> c_int {
    // SAFETY: the entry is the library's, the data is that of the registration.
    unsafe {
        let seen = &*data.cast::<Seen<'_>>();
        let source = (seen.api.get_u32)(entry, ATTR_ORIG_IPV4_SRC);
        let protocol = (seen.api.get_u8)(entry, ATTR_ORIG_L4PROTO);
        let mark = (seen.api.get_u32)(entry, ATTR_MARK);
        let sum = u64::from(source) + u64::from(protocol) + u64::from(mark);
        seen.sum.set(seen.sum.get().wrapping_add(sum));
        seen.count.set(seen.count.get() + 1);
        seen.verdict
    }
}

fn main() {
    let entries = entries(200_000);
    let _limits = Limits::raise(entries.max(EVENTS));
    let own = &own_library::get().shared;
    // The original first: its name would find the other one once that is there.
    let original = Api::load(Path::new(ORIGINAL));
    let apis = [Api::load(own), original];
    assert_ne!(
        apis[0].new as usize, apis[1].new as usize,
        "one library, twice"
    );
    println!(
        "{:40}{:>12}{:>12}{:>8}",
        "", "this crate", "C library", "times"
    );
    functions(&apis);
    if entries == 0 {
        return;
    }
    std::thread::scope(|scope| {
        let worker = scope.spawn(|| {
            enter_namespace();
            dumps(&apis, entries);
            events(&apis);
        });
        worker.join().unwrap();
    });
    start_up(own);
    size(own);
}

/// Functions that work on one entry, in nanoseconds per call.
fn functions(apis: &[Api; 2]) {
    let message = recorded("k01-dump-tcp4");
    let parsed = apis.each_ref().map(|api| {
        // SAFETY: a new entry and a whole message.
        unsafe {
            let entry = (api.new)();
            assert_eq!((api.parse)(message.as_ptr().cast(), entry), 0);
            entry
        }
    });
    let mut text = vec![0u8; 4096];
    // SAFETY: live entries, whole messages, true sizes.
    both("nfct_nlmsg_parse, new entry", |i| unsafe {
        let entry = (apis[i].new)();
        assert_eq!((apis[i].parse)(message.as_ptr().cast(), entry), 0);
        (apis[i].destroy)(entry);
    });
    // SAFETY: live entries, whole messages, true sizes.
    both("nfct_nlmsg_parse, same entry", |i| unsafe {
        assert_eq!((apis[i].parse)(message.as_ptr().cast(), parsed[i]), 0);
    });
    let text = text.as_mut_ptr();
    for (what, kind) in [("nfct_snprintf, plain", 0), ("nfct_snprintf, XML", 1)] {
        // SAFETY: live entries, whole messages, true sizes.
        both(what, |i| unsafe {
            let len = (apis[i].snprintf)(text.cast(), 4096, parsed[i], 0, kind, 0);
            assert!(black_box(len) > 100);
        });
    }
    comparisons(apis, &message, &parsed);
    // SAFETY: live entries, whole messages, true sizes.
    both("nfct_get_attr_u32", |i| unsafe {
        black_box((apis[i].get_u32)(parsed[i], ATTR_MARK));
    });
    // SAFETY: live entries, whole messages, true sizes.
    both("nfct_new and nfct_destroy", |i| unsafe {
        (apis[i].destroy)(black_box((apis[i].new)()));
    });
}

/// Comparisons of an entry with another one that is the same, with one of another
/// source port, and with one that has nothing but a source address.
fn comparisons(apis: &[Api; 2], message: &[u8], parsed: &[Object; 2]) {
    let others = apis.each_ref().map(|api| {
        // SAFETY: new entries, and a whole message.
        unsafe {
            let [same, other, wanted] = [(); 3].map(|()| (api.new)());
            for entry in [same, other] {
                assert_eq!((api.parse)(message.as_ptr().cast(), entry), 0);
            }
            (api.set_u16)(other, ATTR_ORIG_PORT_SRC, 1);
            let source = (api.get_u32)(same, ATTR_ORIG_IPV4_SRC);
            (api.set_u8)(wanted, ATTR_ORIG_L3PROTO, libc::AF_INET as u8);
            (api.set_u32)(wanted, ATTR_ORIG_IPV4_SRC, source);
            [same, other, wanted]
        }
    });
    for (what, other, flags, equal) in [
        ("nfct_cmp, all, equal", 0, CMP_ALL, 1),
        ("nfct_cmp, all, other port", 1, CMP_ALL, 0),
        ("nfct_cmp, original tuples, equal", 0, CMP_ORIG, 1),
        ("nfct_cmp, original tuples, other port", 1, CMP_ORIG, 0),
        ("nfct_cmp, source address by mask", 2, CMP_ALL | CMP_MASK, 1),
    ] {
        // SAFETY: live entries.
        both(what, |i| unsafe {
            assert_eq!((apis[i].cmp)(others[i][other], parsed[i], flags), equal);
        });
    }
}

/// Times a call of both.
fn both(what: &str, call: impl Fn(usize)) {
    const ROUNDS: usize = 15;
    const CALLS: u32 = 50_000;
    let costs = interleaved(
        ROUNDS,
        [&mut || (0..CALLS).for_each(|_| call(0)), &mut || {
            (0..CALLS).for_each(|_| call(1))
        }],
    );
    let [own, original] = costs.map(|cost| cost.wall.as_secs_f64() * 1e9 / f64::from(CALLS));
    let times = original / own;
    println!("{what:40}{own:>9.1} ns{original:>9.1} ns{times:>8.1}");
}

/// A dump of the whole table, with a callback that reads three attributes.
fn dumps(apis: &[Api; 2], entries: usize) {
    fill(entries);
    let dump = |api: &Api| {
        let seen = Seen {
            api,
            count: Cell::new(0),
            sum: Cell::new(0),
            verdict: CONTINUE,
        };
        let family = u32::from(L3Proto::IPV4.0);
        // SAFETY: all pointers are live for the calls they are given to.
        unsafe {
            let handle = (api.open)(CONNTRACK, 0);
            assert!(!handle.is_null());
            (api.register)(handle, ALL, look, ptr::from_ref(&seen).cast_mut().cast());
            assert_eq!(
                (api.query)(handle, QUERY_DUMP, ptr::from_ref(&family).cast()),
                0
            );
            (api.close)(handle);
        }
        assert_eq!(seen.count.get(), entries);
    };
    let [own, original] = interleaved(7, [&mut || dump(&apis[0]), &mut || dump(&apis[1])]);
    costs(
        &format!("nfct_query, dump of {entries}"),
        own,
        original,
        entries,
    );
}

/// One event for each nfct_catch.
fn events(apis: &[Api; 2]) {
    const ROUNDS: usize = 20;
    let mut maker = Handle::open(Groups::empty()).unwrap();
    maker.flush(L3Proto::UNSPEC).unwrap();
    let mut sums = [const { Vec::new() }; 2];
    for _ in 0..ROUNDS {
        for (api, costs) in apis.iter().zip(&mut sums) {
            let seen = Seen {
                api,
                count: Cell::new(0),
                sum: Cell::new(0),
                verdict: STOP,
            };
            // SAFETY: all pointers are live for the calls they are given to.
            unsafe {
                let handle = (api.open)(CONNTRACK, Groups::NEW.bits());
                assert!(!handle.is_null());
                grow_buffer((api.fd)(handle));
                (api.register)(handle, ALL, look, ptr::from_ref(&seen).cast_mut().cast());
                fill(EVENTS);
                costs.push(common::clock::once(|| {
                    for _ in 0..EVENTS {
                        assert_eq!((api.catch)(handle), 0);
                    }
                }));
                (api.close)(handle);
            }
            assert_eq!(seen.count.get(), EVENTS);
            maker.flush(L3Proto::UNSPEC).unwrap();
        }
    }
    let [own, original] = sums.map(mean);
    costs("nfct_catch, one event each", own, original, EVENTS);
}

fn mean(costs: Vec<Cost>) -> Cost {
    let count = u32::try_from(costs.len()).unwrap();
    let of = |figure: fn(&Cost) -> std::time::Duration| {
        costs.iter().map(figure).sum::<std::time::Duration>() / count
    };
    Cost {
        wall: of(|cost| cost.wall),
        user: of(|cost| cost.user),
        system: of(|cost| cost.system),
    }
}

fn costs(what: &str, own: Cost, original: Cost, entries: usize) {
    let each = |time: std::time::Duration| time.as_secs_f64() * 1e9 / entries as f64;
    for (kind, own, original) in [
        ("user CPU", own.user, original.user),
        ("system CPU", own.system, original.system),
        ("wall", own.wall, original.wall),
    ] {
        let (own, original) = (each(own), each(original));
        let what = format!("{what}, {kind}");
        println!(
            "{what:40}{own:>9.1} ns{original:>9.1} ns{:>8.1}",
            original / own
        );
    }
}

/// Makes room for all events at once.
fn grow_buffer(fd: c_int) {
    let bytes: c_int = 256 << 20;
    // SAFETY: the kernel reads an int.
    let done = unsafe {
        libc::setsockopt(
            fd,
            libc::SOL_SOCKET,
            libc::SO_RCVBUFFORCE,
            ptr::from_ref(&bytes).cast(),
            size_of::<c_int>() as libc::socklen_t,
        )
    };
    assert_eq!(done, 0, "SO_RCVBUFFORCE needs root");
}

/// How long conntrack(8) takes to say its version.
fn start_up(own: &Path) {
    let directory = own_library::get().directory.display().to_string();
    let run = |library_path: Option<&str>| {
        let mut conntrack = Command::new("/usr/sbin/conntrack");
        conntrack.arg("--version").env_remove("LD_LIBRARY_PATH");
        if let Some(path) = library_path {
            conntrack.env("LD_LIBRARY_PATH", path);
        }
        assert!(conntrack.output().unwrap().status.success());
    };
    let [own_cost, original] = interleaved(51, [&mut || run(Some(&directory)), &mut || run(None)]);
    let [own_time, original] = [own_cost, original].map(|cost| cost.wall.as_secs_f64() * 1e3);
    let what = "conntrack --version, wall";
    println!(
        "{what:40}{own_time:>9.2} ms{original:>9.2} ms{:>8.1}",
        original / own_time
    );
    assert!(own.exists());
}

fn size(own: &Path) {
    let directory = tempfile::tempdir().unwrap();
    let stripped = directory.path().join("stripped.so");
    let done = Command::new("strip")
        .arg("-o")
        .arg(&stripped)
        .arg(own)
        .status();
    assert!(done.unwrap().success());
    println!(
        "{:40}{:>12}",
        "bytes, stripped",
        fs::metadata(stripped).unwrap().len()
    );
}

fn recorded(name: &str) -> Vec<u8> {
    let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/vectors");
    let mut hex = fs::read_to_string(format!("{directory}/{name}.hex")).unwrap();
    hex.retain(|c| c.is_ascii_hexdigit());
    let byte = |place| u8::from_str_radix(&hex[place..place + 2], 16).unwrap();
    (0..hex.len()).step_by(2).map(byte).collect()
}
