//! The datagram being read: received whole, handed out message by message.

use std::ops::Range;

use log::debug;

use crate::error::{DecodeError, Error, Result};
use crate::netlink::{ALIGN_TO, Header, Message, MessageError, Socket, align};

/// The kernel makes the datagrams of a dump no larger than this.
const DATAGRAM_MAX: usize = 32 * 1024;

/// One reused buffer, and how far its datagram has been read. The first
/// datagram makes the buffer.
#[derive(Debug)]
pub(crate) struct Inbox {
    buffer: Vec<u8>,
    /// What of the buffer has been received and not been handed out.
    unread: Range<usize>,
    nsid: Option<i32>,
    foreign: u64,
}

/// Whether to wait where there is nothing to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wait {
    /// As the socket's mode says.
    BySocket,
    /// Never.
    No,
}

/// Where in the buffer a message stands.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    start: usize,
    end: usize,
}

impl Inbox {
    pub(crate) fn new() -> Self {
        Self {
            buffer: Vec::new(),
            unread: 0..0,
            nsid: None,
            foreign: 0,
        }
    }

    /// Makes the buffer before the first datagram does.
    #[cfg(feature = "capi")]
    pub(crate) fn reserve(&mut self) -> std::result::Result<(), std::collections::TryReserveError> {
        self.buffer.try_reserve_exact(DATAGRAM_MAX)
    }

    /// The place and header of the next message, which is received where the
    /// last datagram has been read to its end.
    ///
    /// # Errors
    /// Those of [`Socket::recv`]; [`Error::Decode`] where a message's length is
    /// wrong, which ends the datagram.
    #[inline]
    pub(crate) fn next(&mut self, socket: &Socket, wait: Wait) -> Result<(Place, Header)> {
        // A rest shorter than this is padding.
        while self.unread.len() < ALIGN_TO {
            self.receive(socket, wait)?;
        }
        let unread = self.buffer.get(self.unread.clone()).unwrap_or_default();
        match Message::parse(unread) {
            Ok(message) => {
                let start = self.unread.start;
                let end = start + message.as_bytes().len();
                self.unread.start = (start + align(end - start)).min(self.unread.end);
                Ok((Place { start, end }, message.header()))
            }
            Err(error) => {
                self.unread = 0..0;
                Err(Error::Decode(DecodeError::Message(error)))
            }
        }
    }

    /// The message at a place that [`next`](Self::next) gave last.
    ///
    /// # Errors
    /// [`MessageError`] where the place is not of this datagram.
    #[inline]
    pub(crate) fn message(&self, place: Place) -> Result<Message<'_>, MessageError> {
        Message::parse(self.buffer.get(place.start..place.end).unwrap_or_default())
    }

    /// Whether there are messages that have not been handed out.
    pub(crate) fn has_unread(&self) -> bool {
        !self.unread.is_empty()
    }

    /// Drops the rest of the datagram.
    pub(crate) fn discard(&mut self) {
        self.unread = 0..0;
    }

    /// The namespace the datagram came from, if it was not the handle's own.
    #[inline]
    pub(crate) fn nsid(&self) -> Option<i32> {
        self.nsid
    }

    /// Datagrams that were dropped because the kernel had not sent them.
    pub(crate) fn foreign(&self) -> u64 {
        self.foreign
    }

    /// Takes these bytes for a datagram that has just been received.
    #[cfg(test)]
    pub(crate) fn put(&mut self, datagram: Vec<u8>) {
        self.unread = 0..datagram.len();
        self.buffer = datagram;
    }

    fn receive(&mut self, socket: &Socket, wait: Wait) -> Result<()> {
        if self.buffer.is_empty() {
            self.buffer.resize(DATAGRAM_MAX, 0);
        }
        let received = match wait {
            Wait::BySocket => socket.recv(&mut self.buffer),
            Wait::No => socket.try_recv(&mut self.buffer),
        };
        let sender = match &received {
            Ok(datagram) => datagram.sender,
            Err(Error::Truncated { sender, .. }) => *sender,
            Err(_) => 0,
        };
        if sender != 0 {
            // Any program with CAP_NET_ADMIN may send to any netlink socket.
            self.foreign += 1;
            debug!("dropped a datagram of port {sender}");
            return Ok(());
        }
        if let Err(Error::Truncated { needed, .. }) = &received {
            // This one is lost, the next one of its size is not.
            self.buffer.resize(*needed, 0);
        }
        let datagram = received?;
        self.unread = 0..datagram.len;
        self.nsid = datagram.nsid;
        Ok(())
    }
}
