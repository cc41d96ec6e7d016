//! Which network namespace a socket is in.

use super::Socket;
use crate::error::Result;

/// `SO_NETNS_COOKIE` of `asm/socket.h`.
const NETNS_COOKIE: i32 = match cfg!(any(target_arch = "sparc", target_arch = "sparc64")) {
    true => 0x50,
    false => 71,
};

impl Socket {
    /// A number that stands for the network namespace of the socket: no other
    /// has the same until the next boot.
    ///
    /// A socket stays in the namespace it was opened in, wherever the thread goes.
    ///
    /// # Errors
    /// [`Error::Io`](crate::Error::Io): ENOPROTOOPT before Linux 5.14.
    #[doc(alias = "SO_NETNS_COOKIE")]
    pub fn namespace_cookie(&self) -> Result<u64> {
        let cookie = self.get(libc::SOL_SOCKET, NETNS_COOKIE)?;
        Ok(u64::from_ne_bytes(cookie))
    }
}
