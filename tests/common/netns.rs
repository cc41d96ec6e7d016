//! Network namespaces for tests.

use std::fs::{self, File};
use std::os::fd::OwnedFd;
use std::panic;
use std::path::PathBuf;
use std::thread;

use netfilter_conntrack::netlink::{Builder, Control, Family, Flags, Header, Message, Socket};
use nix::sched::{CloneFlags, unshare};

use super::privileges;

const THIS_THREAD: &str = "/proc/thread-self/ns/net";
const MAIN_THREAD: &str = "/proc/self/ns/net";

/// Runs `test` in a network namespace of its own: empty tables, no rules, and
/// one interface, `lo`, which is up.
///
/// `test` runs in a new thread, and so its panics are those of the caller.
/// Threads and programs that it starts are in the same namespace. Calls can be
/// nested to have several namespaces.
///
/// # Panics
/// If no namespace can be had.
pub(crate) fn run<T: Send>(test: impl FnOnce() -> T + Send) -> T {
    privileges::require();
    let name = thread::current().name().unwrap_or("netns").to_owned();
    thread::scope(|scope| {
        let thread = thread::Builder::new().name(name).spawn_scoped(scope, || {
            unshare(CloneFlags::CLONE_NEWNET).expect("unshare(CLONE_NEWNET)");
            bring_up_loopback();
            test()
        });
        thread
            .expect("a thread")
            .join()
            .unwrap_or_else(|panic| panic::resume_unwind(panic))
    })
}

/// The network namespace of the calling thread; it lives as long as the descriptor.
pub(crate) fn descriptor() -> OwnedFd {
    File::open(THIS_THREAD).expect(THIS_THREAD).into()
}

/// The name of the calling thread's network namespace, such as `net:[4026531840]`.
pub(crate) fn name() -> PathBuf {
    fs::read_link(THIS_THREAD).expect(THIS_THREAD)
}

/// A file below the calling thread's `/proc/net`, which is not the one of
/// `/proc/net` itself: that is the main thread's.
pub(crate) fn proc_net(file: &str) -> String {
    let path = format!("/proc/thread-self/net/{file}");
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Makes sure that what follows cannot touch the tables of the machine.
///
/// # Panics
/// If the calling thread is in the namespace in which the program was started.
pub(crate) fn require() {
    let outside = fs::read_link(MAIN_THREAD).expect(MAIN_THREAD);
    assert_ne!(name(), outside, "this is only for use inside netns::run");
}

fn bring_up_loopback() {
    /// `RTM_NEWLINK` of `linux/rtnetlink.h`.
    const NEW_LINK: u16 = 16;
    /// The first interface of every network namespace is `lo`.
    const LOOPBACK: i32 = 1;
    let up = libc::IFF_UP.to_ne_bytes();

    let mut buffer = Vec::new();
    let mut request = Builder::new(&mut buffer, Header::request(NEW_LINK, Flags::ACK));
    // struct ifinfomsg: family and type, index, flags, mask of the flags to change.
    request.put_bytes(&[[0; 4], LOOPBACK.to_ne_bytes(), up, up].concat());
    request.finish().expect("a short message");

    let socket = Socket::open(Family::ROUTE).expect("a route socket");
    socket.send(&buffer).expect("send");
    let mut reply = [0; 1024];
    let received = socket.recv(&mut reply).expect("an acknowledgement");
    let message = Message::parse(&reply[..received.len]).expect("a message");
    assert!(
        matches!(message.control(), Some(Control::Ack(_))),
        "bringing up lo: {message:?}"
    );
}
