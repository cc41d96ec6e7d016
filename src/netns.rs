//! Network namespaces other than the calling thread's.

use std::fs::File;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;
use std::thread;

use nix::sched::{CloneFlags, setns};

use crate::error::{Error, Result};

/// A network namespace, held open by a descriptor.
///
/// ```no_run
/// use netfilter_conntrack::{Groups, Handle, Netns};
///
/// // What `ip netns add blue` has made.
/// let blue = Netns::named("blue")?;
/// let mut handle = Handle::open_in(&blue, Groups::CONNTRACK)?;
/// # Ok::<(), netfilter_conntrack::Error>(())
/// ```
#[derive(Debug)]
pub struct Netns {
    fd: OwnedFd,
}

impl Netns {
    /// The namespace at a path, such as `/run/netns/blue` or `/proc/1234/ns/net`.
    ///
    /// # Errors
    /// [`Error::Io`] from open(2): ENOENT, EACCES….
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        let opened = File::open(path);
        let file = opened.map_err(|error| {
            let errno = error.raw_os_error();
            Error::io("open", errno.unwrap_or(libc::EINVAL))
        })?;
        Ok(Self::from(OwnedFd::from(file)))
    }

    /// The namespace that ip-netns(8) knows by this name.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn named(name: &str) -> Result<Self> {
        Self::open(Path::new("/run/netns").join(name))
    }

    /// The namespace of a process.
    ///
    /// # Errors
    /// As [`open`](Self::open); EACCES where the process is somebody else's.
    pub fn of_process(pid: u32) -> Result<Self> {
        Self::open(format!("/proc/{pid}/ns/net"))
    }

    /// The namespace of the calling thread.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn current() -> Result<Self> {
        Self::open("/proc/thread-self/ns/net")
    }
}

impl From<OwnedFd> for Netns {
    /// Takes over a descriptor of a namespace.
    fn from(fd: OwnedFd) -> Self {
        Self { fd }
    }
}

impl AsFd for Netns {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

/// Does something in a network namespace and leaves the calling thread where it is.
///
/// A thread cannot enter a namespace and be sure to come back: it may lack the
/// capability to. So another one is started for the purpose, and waited for. A
/// socket stays in the namespace in which it was made.
///
/// # Errors
/// [`Error::Io`] from setns(2): EPERM without CAP_SYS_ADMIN in the user namespace
/// that owns the network namespace and in the caller's own, EINVAL where the
/// descriptor is of something else; EAGAIN where there is no room for a thread; and
/// the errors of `work`.
pub(crate) fn run_in<T: Send>(
    netns: BorrowedFd<'_>,
    work: impl FnOnce() -> Result<T> + Send,
) -> Result<T> {
    thread::scope(|scope| {
        let inside = thread::Builder::new().spawn_scoped(scope, move || {
            setns(netns, CloneFlags::CLONE_NEWNET)
                .map_err(|errno| Error::io("setns", errno as i32))?;
            work()
        });
        let inside = inside.map_err(|error| Error::Io {
            call: "pthread_create",
            errno: error.raw_os_error().unwrap_or(libc::EAGAIN),
        })?;
        match inside.join() {
            Ok(result) => result,
            Err(panic) => std::panic::resume_unwind(panic),
        }
    })
}
