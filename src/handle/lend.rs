//! What the C layer takes of a handle beside its methods.
//!
//! C callbacks may use the handle that is calling them: ask, receive, even
//! close it. So the C layer runs the loops of `query` and `catch` itself and
//! holds no borrow of the handle while a callback runs.

use super::Handle;
use super::inbox::Inbox;
use crate::netlink::Socket;

impl Handle {
    /// Takes the datagram that is being read. Until it is put back, the handle
    /// reads into another one.
    pub(crate) fn take_inbox(&mut self) -> Inbox {
        std::mem::replace(&mut self.inbox, Inbox::new())
    }

    /// Puts back what [`take_inbox`](Self::take_inbox) took.
    pub(crate) fn put_inbox(&mut self, inbox: Inbox) {
        self.inbox = inbox;
    }

    /// Whether all of the datagram has been handed out.
    pub(crate) fn datagram_is_read(&self) -> bool {
        !self.inbox.has_unread()
    }

    /// Drops the rest of the datagram.
    pub(crate) fn discard_datagram(&mut self) {
        self.inbox.discard();
    }

    /// Notes that nobody waits for the rest of the reply to a request.
    pub(crate) fn abandon(&mut self, seq: u32) {
        self.sequence.abandon(seq);
    }

    /// The dump that nobody reads and that keeps the kernel from starting another.
    pub(crate) fn abandoned_dump(&self) -> Option<u32> {
        self.sequence.abandoned_dump()
    }

    /// Notes that an abandoned dump will not go on.
    pub(crate) fn forget_dump(&mut self, seq: u32) {
        self.sequence.forget_dump(seq);
    }

    /// The request built last.
    pub(crate) fn last_request(&self) -> &[u8] {
        &self.request
    }

    /// Gives the socket back.
    pub(crate) fn into_socket(self) -> Socket {
        self.socket
    }
}
