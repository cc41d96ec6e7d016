//! The session: a socket, the protocol version agreed on, and the exchange of
//! requests and replies.

#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects
    )
)]

use std::ops::Range;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};

use super::command::Command;
use super::decode::{Index, exact, index, required};
use super::error::{Error, Result};
use super::name::Name;
use super::reason::Reason;
use super::settype::SetType;
use super::uapi::{PROTOCOL, PROTOCOL_MIN, command_attr};
use crate::error::KernelError;
use crate::netlink::{
    Attrs, Builder, Control, Family, Flags, Header, Message, Messages, Socket, SocketOption,
};
use crate::nfnetlink::{L3Proto, Nfgenmsg, Subsystem};

/// A connection to the ipset subsystem of the network namespace in which it
/// was opened.
///
/// All calls need CAP_NET_ADMIN in the user namespace that owns the network
/// namespace, and block until the kernel has answered, which it does at once.
///
/// ```no_run
/// use std::net::Ipv4Addr;
/// use netfilter_conntrack::ipset::{Entry, Session, Set, SetType};
///
/// let mut ipset = Session::open()?;
/// ipset.create_if_missing(&Set::new("banned", SetType::HASH_IP)?.with_timeout(600))?;
///
/// let guest = Entry::address(Ipv4Addr::new(192, 0, 2, 7));
/// ipset.add_or_update("banned", &guest.clone().with_timeout(60))?;
/// assert!(ipset.test("banned", &guest)?);
/// # Ok::<(), netfilter_conntrack::ipset::Error>(())
/// ```
///
/// Sets are named by anything that is bytes: `&str`, `String`, [`Name`]. A name
/// that is empty, longer than [`Name::MAX`] bytes or holds a NUL is refused with
/// [`Invalid`](crate::Error::Invalid).
///
/// All calls can fail with [`Error::Netlink`]: where the socket does,
/// [`ReplyLost`](crate::Error::ReplyLost), and
/// [`Decode`](crate::Error::Decode) where a reply is malformed.
#[derive(Debug)]
pub struct Session {
    socket: Socket,
    protocol: u8,
    seq: u32,
    /// The request being built.
    request: Vec<u8>,
    /// The datagram received last.
    buffer: Vec<u8>,
    /// The latest revision the kernel has of the types asked for so far.
    pub(super) revisions: Vec<(SetType, L3Proto, u8)>,
}

/// Room for a datagram: the longest is the refusal of a batch, which repeats it.
const BUFFER_LEN: usize = 72 * 1024;

impl Session {
    /// Opens a session and agrees with the kernel on the protocol version.
    ///
    /// # Errors
    /// [`Error::Netlink`] where the socket cannot be opened, and with
    /// EPROTONOSUPPORT where the kernel speaks none of the versions 6 and 7;
    /// [`Error::Refused`] with EINVAL where the kernel has no ipset, with EPERM
    /// without CAP_NET_ADMIN.
    pub fn open() -> Result<Self> {
        let socket = Socket::open(Family::NETFILTER)?;
        // Only explains refusals; kernels before 4.12 do not have it.
        let _unexplained = socket.set_option(SocketOption::ExtAck, true);
        let mut session = Self {
            socket,
            protocol: PROTOCOL,
            seq: 0,
            request: Vec::new(),
            buffer: vec![0; BUFFER_LEN],
            revisions: Vec::new(),
        };
        session.protocol = session.negotiate()?;
        Ok(session)
    }

    /// The protocol version agreed on, 6 or 7.
    #[must_use]
    pub fn protocol(&self) -> u8 {
        self.protocol
    }

    /// Asks for the kernel's latest protocol version and the oldest it still
    /// speaks, and chooses the latest that both sides know.
    #[doc(alias = "IPSET_CMD_PROTOCOL")]
    fn negotiate(&mut self) -> Result<u8> {
        let reply = self.ask(Command::Protocol, L3Proto::IPV4, |_| {})?;
        let version = required(&reply, command_attr::PROTOCOL, "IPSET_ATTR_PROTOCOL")?;
        let latest = exact(version.u8(), &version, "IPSET_ATTR_PROTOCOL")?;
        let oldest = match reply.get(command_attr::MIN) {
            Some(version) => exact(version.u8(), &version, "IPSET_ATTR_PROTOCOL_MIN")?,
            None => latest,
        };
        let unknown = || crate::Error::io("ipset protocol", libc::EPROTONOSUPPORT);
        agree(latest, oldest).ok_or_else(|| unknown().into())
    }

    /// Sends a request and waits for the acknowledgement.
    pub(super) fn request(
        &mut self,
        command: Command,
        flags: Flags,
        fill: impl FnOnce(&mut Builder<'_>),
    ) -> Result {
        let seq = self.send(command, flags | Flags::ACK, L3Proto::IPV4, fill)?;
        match self.answer(seq)? {
            Answer::Ack | Answer::Data(..) => Ok(()),
            Answer::Refused(refusal) => Err(Error::refused(command, None, refusal.kernel)),
        }
    }

    /// Sends a request and waits for the message that answers it.
    pub(super) fn ask(
        &mut self,
        command: Command,
        family: L3Proto,
        fill: impl FnOnce(&mut Builder<'_>),
    ) -> Result<Index<'_>> {
        let seq = self.send(command, Flags::empty(), family, fill)?;
        match self.answer(seq)? {
            Answer::Data(start, end) => {
                let message =
                    Message::parse(self.datagram(start..end)).map_err(crate::Error::from)?;
                Ok(index(&message)?)
            }
            Answer::Ack => Err(Error::Netlink(crate::Error::ReplyLost)),
            Answer::Refused(refusal) => Err(Error::refused(command, None, refusal.kernel)),
        }
    }

    /// Builds and sends a request; gives its sequence number.
    pub(super) fn send(
        &mut self,
        command: Command,
        flags: Flags,
        family: L3Proto,
        fill: impl FnOnce(&mut Builder<'_>),
    ) -> Result<u32> {
        // 0 is the number of messages that answer nothing.
        self.seq = self.seq.checked_add(1).unwrap_or(1);
        let kind = Subsystem::IPSET.message_type(command as u8);
        let header = Header::request(kind, flags).with_seq(self.seq);
        self.request.clear();
        let mut message = Nfgenmsg::family(family).start(&mut self.request, header);
        message.put_u8(command_attr::PROTOCOL, self.protocol);
        fill(&mut message);
        message.finish()?;
        self.socket.send(&self.request)?;
        Ok(self.seq)
    }

    /// Waits for the first message that answers the request.
    pub(super) fn answer(&mut self, seq: u32) -> Result<Answer> {
        loop {
            let len = self.receive()?;
            let datagram = self.datagram(0..len);
            let mut messages = Messages::new(datagram);
            loop {
                let start = len.saturating_sub(messages.rest().len());
                let Some(message) = messages.next() else {
                    break;
                };
                let message = message.map_err(crate::Error::from)?;
                if message.seq() != seq {
                    continue;
                }
                match message.control() {
                    None => {
                        let end = start.saturating_add(message.as_bytes().len());
                        return Ok(Answer::Data(start, end));
                    }
                    Some(Control::Error(errno, extended)) => {
                        return Ok(Answer::Refused(Refusal {
                            kernel: KernelError::new(message.seq(), errno, extended),
                            line: refused_line(&message),
                        }));
                    }
                    Some(Control::Ack(_) | Control::Done(..)) => return Ok(Answer::Ack),
                    Some(Control::Noop) => {}
                    Some(_) => return Err(crate::Error::ReplyLost.into()),
                }
            }
        }
    }

    /// Receives a datagram from the kernel; gives its length.
    pub(super) fn receive(&mut self) -> Result<usize> {
        loop {
            match self.socket.recv(&mut self.buffer) {
                Ok(datagram) if datagram.sender == 0 => return Ok(datagram.len),
                // Other programs may send what they like to a netlink socket.
                Ok(_) => {}
                Err(crate::Error::Truncated { sender: 1.., .. }) => {}
                Err(crate::Error::Overrun) => return Err(crate::Error::ReplyLost.into()),
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// A part of the datagram received last.
    pub(super) fn datagram(&self, part: Range<usize>) -> &[u8] {
        self.buffer.get(part).unwrap_or_default()
    }

    /// Names a refusal of a command about entries. The kernel has numbers whose
    /// meaning depends on the type of the set, so that has to be asked for.
    pub(super) fn explain(&mut self, command: Command, set: &Name, kernel: KernelError) -> Error {
        let error = Error::refused(command, None, kernel);
        match error {
            Error::Refused {
                reason: Reason::Other(_),
                kernel,
                ..
            } => {
                let method = self
                    .header(set)
                    .ok()
                    .and_then(|header| header.set_type.method());
                Error::refused(command, method, kernel)
            }
            error => error,
        }
    }
}

/// How the kernel answered a request.
pub(super) enum Answer {
    /// It did what it was asked.
    Ack,
    /// It sent a message, from here to there in the datagram.
    Data(usize, usize),
    /// It refused.
    Refused(Refusal),
}

pub(super) struct Refusal {
    pub(super) kernel: KernelError,
    /// The line of the entry that the kernel refused; 0 where it does not tell.
    pub(super) line: u32,
}

/// The line in the refusal of a batch: the kernel repeats the request, and puts
/// the line of the entry it refused into it.
fn refused_line(message: &Message<'_>) -> u32 {
    let line = || -> Option<u32> {
        let (_, echo) = message.payload().split_first_chunk::<4>()?;
        let request = Message::parse(echo).ok()?;
        let (_, attributes) = Nfgenmsg::split(&request).ok()?;
        let line = Attrs::new(attributes).find(command_attr::LINENO).ok()??;
        line.u32_be()
    };
    line().unwrap_or(0)
}

/// The latest protocol version that the kernel and this module speak.
fn agree(latest: u8, oldest: u8) -> Option<u8> {
    let version = latest.min(PROTOCOL);
    (version >= oldest.max(PROTOCOL_MIN)).then_some(version)
}

impl AsFd for Session {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

impl AsRawFd for Session {
    fn as_raw_fd(&self) -> RawFd {
        self.socket.as_raw_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions() {
        for (latest, oldest, version) in [
            (7, 6, Some(7)),
            (6, 6, Some(6)),
            (6, 5, Some(6)),
            (9, 7, Some(7)),
            (9, 6, Some(7)),
            (9, 8, None),
            (5, 4, None),
        ] {
            assert_eq!(agree(latest, oldest), version, "{latest} {oldest}");
        }
    }
}
