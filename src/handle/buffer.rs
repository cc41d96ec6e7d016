//! The receive buffer: its size, its growth, and what an overrun costs.

use std::cell::Cell;
use std::fmt;

use log::debug;

use super::Handle;
use crate::error::Result;
use crate::netlink::{Family, Socket, SocketOption};

/// No buffer is larger than twice this, whatever caps it.
const LARGEST: usize = (libc::c_int::MAX / 2) as usize;

impl Handle {
    /// Asks for a receive buffer of this many bytes and returns what was
    /// granted: twice the number, or less where `net.core.rmem_max` caps it.
    /// With CAP_NET_ADMIN in the initial user namespace there is no cap.
    ///
    /// An event takes 1 to 2 KiB of it, by the kernel's count: with the usual 208
    /// KiB some 150 events may wait.
    ///
    /// # Errors
    /// [`Error::Io`](crate::Error::Io).
    #[doc(alias = "nfnl_rcvbufsiz")]
    pub fn set_receive_buffer(&self, bytes: usize) -> Result<usize> {
        let granted = set(&self.socket, bytes)?;
        self.growth.want(bytes.min(LARGEST).saturating_mul(2));
        Ok(granted)
    }

    /// Lets the receive buffer double at each overrun until it has `max` bytes,
    /// as the kernel counts them; `None`, as at first, leaves it as it is.
    ///
    /// [`receive_buffer`](Self::receive_buffer) tells what has come of it.
    ///
    /// ```no_run
    /// use netfilter_conntrack::{Error, Groups, Handle};
    ///
    /// let mut handle = Handle::open(Groups::CONNTRACK)?;
    /// handle.set_buffer_growth(Some(64 << 20));
    /// loop {
    ///     match handle.next_event() {
    ///         Ok(event) => println!("{event:?}"),
    ///         // The next list shows what the lost events would have told.
    ///         Err(Error::Overrun) => eprintln!("events lost; {}", handle.receive_buffer()?),
    ///         Err(error) => return Err(error),
    ///     }
    /// }
    /// # #[allow(unreachable_code)]
    /// # Ok::<(), netfilter_conntrack::Error>(())
    /// ```
    pub fn set_buffer_growth(&mut self, max: Option<usize>) {
        self.growth.max = max;
    }

    /// The size of the receive buffer, and whether it was to be larger.
    ///
    /// # Errors
    /// [`Error::Io`](crate::Error::Io) from getsockopt(2).
    pub fn receive_buffer(&self) -> Result<ReceiveBuffer> {
        let granted = self.socket.receive_buffer()?;
        Ok(ReceiveBuffer {
            granted,
            wanted: self.growth.wanted().max(granted),
        })
    }

    /// Whether the receive buffer may grow.
    pub(crate) fn buffer_grows(&self) -> bool {
        self.growth.max.is_some()
    }

    /// How often the receive buffer was full and the kernel dropped messages.
    ///
    /// One overrun stands for any number of messages: those from the moment the
    /// buffer was full to the moment it was found empty again. The kernel tells of
    /// it ahead of the messages that were in the buffer before.
    #[must_use]
    pub fn overruns(&self) -> u64 {
        self.overruns
    }

    /// Asks the kernel not to lose events, or to do as usual again.
    ///
    /// The kernel then notes which events it could not put into the receive
    /// buffer and sends them later: those of a live flow with the flow's next
    /// event, the end of a flow in its own time. Overruns are no longer reported.
    ///
    /// It has its price. A flow whose end could not be told stays in memory and
    /// counts against `nf_conntrack_max`, so that a listener that is too slow for
    /// the traffic, or stopped, fills the table until the kernel drops packets of
    /// new connections. That holds for all listeners of the network namespace: one
    /// that is slow is enough. What is sent late is the flow as it is then: an
    /// event can stand for several.
    ///
    /// A [`Mirror`](crate::mirror::Mirror) gets along with losses, at no such price.
    ///
    /// # Errors
    /// [`Error::Io`](crate::Error::Io) from setsockopt(2).
    #[doc(alias = "NETLINK_BROADCAST_ERROR")]
    #[doc(alias = "NETLINK_NO_ENOBUFS")]
    pub fn set_reliable(&self, reliable: bool) -> Result<()> {
        self.socket
            .set_option(SocketOption::BroadcastError, reliable)?;
        self.socket.set_option(SocketOption::NoEnobufs, reliable)
    }
}

/// The size of a receive buffer in bytes, as the kernel counts them.
///
/// Shown as text, it says what to do where the kernel gave less than was wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReceiveBuffer {
    /// What it has.
    pub granted: usize,
    /// What it would have if nothing had capped it.
    pub wanted: usize,
}

impl ReceiveBuffer {
    /// Whether `net.core.rmem_max` caps it.
    #[must_use]
    pub fn is_capped(&self) -> bool {
        self.granted < self.wanted
    }
}

impl fmt::Display for ReceiveBuffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a receive buffer of {} bytes", self.granted)?;
        if self.is_capped() {
            // The kernel doubles what it is asked for.
            let needed = self.wanted / 2;
            write!(
                f,
                ", capped by net.core.rmem_max: set that to {needed}, or run with CAP_NET_ADMIN \
                 in the initial user namespace, for {} bytes",
                self.wanted
            )?;
        }
        Ok(())
    }
}

/// How the receive buffer grows.
#[derive(Debug, Default)]
pub(super) struct Growth {
    max: Option<usize>,
    /// What it was to have.
    wanted: Cell<usize>,
}

impl Growth {
    fn wanted(&self) -> usize {
        self.wanted.get()
    }

    fn want(&self, bytes: usize) {
        self.wanted.set(bytes);
    }

    /// Makes the buffer grow, if it may.
    pub(super) fn overrun(&mut self, socket: &Socket) {
        let (Some(max), Ok(granted)) = (self.max, socket.receive_buffer()) else {
            return;
        };
        let wanted = granted.saturating_mul(2).min(max);
        if wanted <= granted {
            return;
        }
        // The program may have asked for more than that.
        self.want(self.wanted().max(wanted));
        // The kernel doubles what it is asked for. An error leaves it as it was.
        let now = grow(socket, granted, wanted / 2).unwrap_or(granted);
        debug!("receive buffer: {granted} bytes, {wanted} wanted, {now} granted");
    }
}

/// Asks for a larger buffer.
///
/// Where the cap of `net.core.rmem_max` holds, asking can also make it smaller:
/// the program may have got the present one by a capability that it has dropped
/// since. Another socket tells beforehand.
fn grow(socket: &Socket, granted: usize, bytes: usize) -> Result<usize> {
    socket.force_receive_buffer(bytes).or_else(|_| {
        let capped = Socket::open(Family::NETFILTER)?.set_receive_buffer(bytes)?;
        match capped > granted {
            true => socket.set_receive_buffer(bytes),
            false => Ok(granted),
        }
    })
}

fn set(socket: &Socket, bytes: usize) -> Result<usize> {
    socket
        .force_receive_buffer(bytes)
        .or_else(|_| socket.set_receive_buffer(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_capped_buffer_says_what_to_do() {
        let capped = ReceiveBuffer {
            granted: 425_984,
            wanted: 8_388_608,
        };
        let text = capped.to_string();
        assert!(
            text.contains("net.core.rmem_max: set that to 4194304"),
            "{text}"
        );
        let whole = ReceiveBuffer {
            granted: 8_388_608,
            ..capped
        };
        assert_eq!(whole.to_string(), "a receive buffer of 8388608 bytes");
    }
}
