//! Signals that interrupt system calls: receiving goes on, waiting ends early.

#![allow(unsafe_code)]

use std::os::unix::thread::JoinHandleExt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use netfilter_conntrack::netlink::{Family, Socket};

/// Signals that were handled.
static HANDLED: AtomicUsize = AtomicUsize::new(0);

extern "C" fn count(_signal: libc::c_int) {
    HANDLED.fetch_add(1, Ordering::SeqCst);
}

/// Handles SIGUSR1 in the way that makes system calls fail with EINTR.
fn handle_signals() {
    // SAFETY: all-zero is a valid sigaction, with no flags and thus without
    // SA_RESTART; the handler does nothing but count.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = count as extern "C" fn(libc::c_int) as libc::sighandler_t;
        assert_eq!(
            libc::sigaction(libc::SIGUSR1, &action, std::ptr::null_mut()),
            0
        );
    }
}

/// Interrupts a thread again and again, until this holds.
fn interrupt<T>(thread: &JoinHandle<T>, until: impl Fn() -> bool) {
    while !until() {
        // SAFETY: the thread has not been joined.
        let sent = unsafe { libc::pthread_kill(thread.as_pthread_t(), libc::SIGUSR1) };
        assert_eq!(sent, 0);
        thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn receiving_goes_on_and_waiting_ends() {
    handle_signals();
    let receiver = Socket::open(Family::USERSOCK).unwrap();
    let port = receiver.port();
    let thread = thread::spawn(move || {
        let mut buffer = [0; 16];
        let datagram = receiver.recv(&mut buffer).unwrap();
        (buffer[..datagram.len].to_vec(), receiver)
    });
    interrupt(&thread, || HANDLED.load(Ordering::SeqCst) >= 20);
    assert!(!thread.is_finished());
    let sender = Socket::open(Family::USERSOCK).unwrap();
    sender.send_to(b"at last", port, 0).unwrap();
    let (received, receiver) = thread.join().unwrap();
    assert_eq!(received, b"at last");

    let start = Instant::now();
    let long = Duration::from_secs(600);
    let thread = thread::spawn(move || receiver.wait_readable(Some(long)));
    interrupt(&thread, || thread.is_finished());
    assert!(!thread.join().unwrap().unwrap());
    assert!(start.elapsed() < long);
}
