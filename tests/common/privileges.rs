//! Gives a test program the capabilities that its network namespaces need, and
//! takes them away from single threads.
//!
//! Root has them. An ordinary user gets them by entering a user namespace, which
//! the kernel allows only to a process with one thread. The test harness starts
//! threads at once, so it is done before `main`, by a function the loader calls.

#![allow(unsafe_code)]

use std::fs;
use std::io;
use std::sync::OnceLock;
use std::thread;

use nix::sched::{CloneFlags, unshare};
use nix::unistd::{getegid, geteuid};

const CAP_NET_ADMIN: u32 = 12;
const CAP_SYS_ADMIN: u32 = 21;

#[used]
// SAFETY: the loader calls the functions of this section once, before `main`,
// and passes arguments that a C function may ignore.
#[unsafe(link_section = ".init_array")]
static BEFORE_MAIN: extern "C" fn() = before_main;

/// Whether the program has the capabilities, or why not.
static OUTCOME: OnceLock<Result<(), String>> = OnceLock::new();

/// Makes sure that the program has the capabilities.
///
/// # Panics
/// If it has not, with the reason.
pub(crate) fn require() {
    match OUTCOME.get() {
        Some(Ok(())) => {}
        Some(Err(reason)) => panic!("{reason}"),
        None => panic!("the loader has not called this program's .init_array"),
    }
}

/// Runs `test` in a thread that has no capabilities, in the network namespace of
/// the caller. Programs it starts get them back if the user is root.
pub(crate) fn without_capabilities<T: Send>(test: impl FnOnce() -> T + Send) -> T {
    with_capabilities(0, test)
}

/// The same in a thread that has CAP_NET_ADMIN and no other: it may ask, and cannot
/// enter another namespace.
pub(crate) fn with_net_admin_alone<T: Send>(test: impl FnOnce() -> T + Send) -> T {
    with_capabilities(1 << CAP_NET_ADMIN, test)
}

/// The same in a thread with these capabilities, a mask of those from 0 to 31.
fn with_capabilities<T: Send>(mask: u32, test: impl FnOnce() -> T + Send) -> T {
    thread::scope(|scope| {
        let thread = scope.spawn(|| {
            keep_capabilities(mask).expect("capset(2)");
            test()
        });
        thread
            .join()
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

extern "C" fn before_main() {
    OUTCOME.get_or_init(|| {
        if has_capabilities() {
            return Ok(());
        }
        enter_user_namespace().map_err(|error| {
            format!(
                "no network namespace for this test: entering a user namespace failed: {error}. \
                 Run the tests as root, or allow user namespaces to ordinary users \
                 (sysctl user.max_user_namespaces, kernel.unprivileged_userns_clone on Debian, \
                 kernel.apparmor_restrict_unprivileged_userns on Ubuntu)"
            )
        })
    });
}

fn has_capabilities() -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let effective = status
        .lines()
        .find_map(|line| line.strip_prefix("CapEff:"))
        .and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok())
        .unwrap_or(0);
    [CAP_NET_ADMIN, CAP_SYS_ADMIN]
        .iter()
        .all(|capability| effective & (1 << capability) != 0)
}

/// Enters a user namespace in which this user is root (user_namespaces(7)).
fn enter_user_namespace() -> io::Result<()> {
    let (user, group) = (geteuid(), getegid());
    unshare(CloneFlags::CLONE_NEWUSER)?;
    fs::write("/proc/self/uid_map", format!("0 {user} 1"))?;
    // An ordinary user may map its group only once it has given up setgroups(2).
    fs::write("/proc/self/setgroups", "deny")?;
    fs::write("/proc/self/gid_map", format!("0 {group} 1"))
}

/// `struct __user_cap_header_struct` of `linux/capability.h`.
#[repr(C)]
struct CapabilityHeader {
    version: u32,
    pid: i32,
}

/// `_LINUX_CAPABILITY_VERSION_3`.
const CAPABILITY_VERSION: u32 = 0x2008_0522;

/// Takes all but these capabilities of the calling thread, of no other.
fn keep_capabilities(mask: u32) -> nix::Result<()> {
    let header = CapabilityHeader {
        version: CAPABILITY_VERSION,
        pid: 0,
    };
    // Effective, permitted and inheritable, for capabilities 0 to 31 and 32 to 63.
    let kept = [[mask, mask, 0], [0; 3]];
    // SAFETY: both pointers are to live values of the layout of this version.
    let done = unsafe { libc::syscall(libc::SYS_capset, &raw const header, &raw const kept) };
    nix::errno::Errno::result(done).map(drop)
}
