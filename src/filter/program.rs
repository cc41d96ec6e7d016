//! Finished filter programs.

use crate::error::Result;
use crate::netlink::Socket;

/// The byte order of the machine a program is to run on.
///
/// BPF reads packets in network byte order, but netlink headers are in the
/// order of the machine, so programs differ between the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ByteOrder {
    /// The least significant byte first.
    Little,
    /// The most significant byte first.
    Big,
}

impl ByteOrder {
    /// The order of the machine this code was compiled for.
    pub const HOST: Self = if cfg!(target_endian = "big") {
        Self::Big
    } else {
        Self::Little
    };
}

/// A classic BPF program that the kernel takes as a socket filter.
///
/// It has between 1 and 4096 instructions, jumps only forward and inside, and
/// ends with a return.
#[doc(alias = "sock_fprog")]
#[derive(Clone, Debug)]
pub struct Program {
    instructions: Vec<libc::sock_filter>,
}

impl Program {
    pub(super) fn new(instructions: Vec<libc::sock_filter>) -> Self {
        Self { instructions }
    }

    /// The instructions, as `SO_ATTACH_FILTER` takes them.
    #[must_use]
    pub fn instructions(&self) -> &[libc::sock_filter] {
        &self.instructions
    }

    /// Attaches the program to a socket, in place of an earlier one.
    ///
    /// # Errors
    /// [`Error::Io`](crate::Error::Io), see [`Socket::attach_filter`].
    pub fn attach(&self, socket: &Socket) -> Result<()> {
        socket.attach_filter(&self.instructions)
    }
}
