//! Everything that can go wrong, in one type.

use std::fmt;
use std::io;

use crate::netlink::{AttrError, ExtendedAck, MessageError};

/// The result of this crate's functions.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a call failed.
///
/// [`kind`](Self::kind) sorts errors as the standard library does, and
/// [`errno`](Self::errno) gives the number a C program would see. Making an
/// error allocates only where the kernel sent a text.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// The kernel refused the request.
    Kernel(KernelError),
    /// A system call on the socket failed.
    Io {
        /// The call, such as `"bind"` or `"setsockopt(SO_RCVBUFFORCE)"`.
        call: &'static str,
        /// Its errno.
        errno: i32,
    },
    /// Nothing to read, or no room to send, on a non-blocking socket.
    WouldBlock,
    /// The receive buffer was full and the kernel dropped messages (ENOBUFS).
    /// The handle stays usable; what it knew of the table may be out of date.
    Overrun,
    /// The kernel marked the dump as inconsistent (`NLM_F_DUMP_INTR`): the
    /// table changed in a way that entries may be missing or doubled.
    DumpInterrupted,
    /// The kernel handled the request but its reply is not in the socket: it
    /// was dropped in an overrun or by a socket filter. Whether the request
    /// took effect is not known.
    ReplyLost,
    /// A datagram was longer than the receive buffer; what was cut is lost.
    Truncated {
        /// Bytes of the datagram.
        needed: usize,
        /// Bytes of the buffer.
        available: usize,
        /// Port id of its sender; 0 is the kernel.
        sender: u32,
    },
    /// The kernel sent something malformed.
    Decode(DecodeError),
    /// An argument makes no sense; nothing was sent.
    Invalid(&'static str),
}

impl Error {
    /// The errno of C for this error, always positive.
    #[must_use]
    pub fn errno(&self) -> i32 {
        match self {
            Self::Kernel(error) => error.errno,
            Self::Io { errno, .. } => *errno,
            Self::WouldBlock => libc::EAGAIN,
            Self::Overrun | Self::ReplyLost => libc::ENOBUFS,
            Self::DumpInterrupted => libc::EINTR,
            Self::Truncated { .. } => libc::EMSGSIZE,
            Self::Decode(_) => libc::EBADMSG,
            Self::Invalid(_) => libc::EINVAL,
        }
    }

    /// The standard library's kind for this error: `NotFound` where there is no
    /// such entry (ENOENT), `AlreadyExists` (EEXIST), `PermissionDenied` (EPERM),
    /// `ResourceBusy` (EBUSY), `InvalidInput` (EINVAL), `WouldBlock` and others.
    ///
    /// ```
    /// use std::io::ErrorKind;
    /// use netfilter_conntrack::{Conntrack, Error, Handle};
    ///
    /// /// Deletes a flow; that it is gone already is no error.
    /// fn forget(handle: &mut Handle, flow: &Conntrack) -> Result<(), Error> {
    ///     match handle.delete(flow) {
    ///         Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
    ///         result => result,
    ///     }
    /// }
    /// ```
    #[must_use]
    pub fn kind(&self) -> io::ErrorKind {
        io::Error::from_raw_os_error(self.errno()).kind()
    }

    /// The error of a system call that has just failed, from `errno`.
    pub(crate) fn last_os_error(call: &'static str) -> Self {
        let errno = io::Error::last_os_error().raw_os_error();
        Self::io(call, errno.unwrap_or(libc::EIO))
    }

    /// The error of a system call with this errno.
    pub(crate) fn io(call: &'static str, errno: i32) -> Self {
        match errno {
            libc::EAGAIN => Self::WouldBlock,
            libc::ENOBUFS if call.starts_with("recv") => Self::Overrun,
            errno => Self::Io { call, errno },
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kernel(error) => error.fmt(f),
            Self::Io { call, errno } => {
                write!(f, "{call}: {}", io::Error::from_raw_os_error(*errno))?;
                match missing_capability(call, *errno) {
                    Some(what) => write!(f, ": {what}"),
                    None => Ok(()),
                }
            }
            Self::WouldBlock => f.write_str("the socket is non-blocking and not ready"),
            Self::Overrun => f.write_str("the receive buffer was full and messages were lost"),
            Self::DumpInterrupted => f.write_str("the table changed under the dump"),
            Self::ReplyLost => f.write_str("the reply to the request was lost"),
            Self::Truncated {
                needed, available, ..
            } => write!(
                f,
                "a datagram of {needed} bytes was cut to the {available} bytes of the buffer"
            ),
            Self::Decode(error) => error.fmt(f),
            Self::Invalid(what) => write!(f, "invalid argument: {what}"),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Kernel(error) => Some(error),
            Self::Decode(error) => Some(error),
            _ => None,
        }
    }
}

impl From<DecodeError> for Error {
    fn from(error: DecodeError) -> Self {
        Self::Decode(error)
    }
}

impl From<MessageError> for Error {
    fn from(error: MessageError) -> Self {
        Self::Decode(DecodeError::Message(error))
    }
}

impl From<Error> for io::Error {
    /// Keeps the [`kind`](Error::kind) and, as its source, the error itself.
    fn from(error: Error) -> Self {
        Self::new(error.kind(), error)
    }
}

/// An errno from the kernel, with what it said about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KernelError {
    /// The errno, positive.
    pub errno: i32,
    /// The sequence number of the request that the kernel refused.
    pub seq: u32,
    /// The extended-ack part; `None` where the kernel sent none.
    pub detail: Option<Box<KernelDetail>>,
}

/// What the kernel sent beside an errno when the socket asked for extended
/// acks (`NETLINK_EXT_ACK`, Linux 4.12 and later).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct KernelDetail {
    /// The kernel's text; empty where it sent none.
    pub message: String,
    /// Offset of the fault in the request, in bytes.
    pub offset: Option<u32>,
    /// Number of a missing attribute.
    pub missing_type: Option<u32>,
    /// Offset of the nest that lacks it, in bytes.
    pub missing_nest: Option<u32>,
}

impl KernelError {
    pub(crate) fn new(seq: u32, errno: i32, extended: ExtendedAck<'_>) -> Self {
        let detail = (extended != ExtendedAck::default()).then(|| {
            let text = extended.message.unwrap_or_default();
            Box::new(KernelDetail {
                message: String::from_utf8_lossy(text).into_owned(),
                offset: extended.offset,
                missing_type: extended.missing_type,
                missing_nest: extended.missing_nest,
            })
        });
        Self { errno, seq, detail }
    }

    /// The kernel's text, where it sent one.
    #[must_use]
    pub fn message(&self) -> Option<&str> {
        let text = self.detail.as_deref()?.message.as_str();
        (!text.is_empty()).then_some(text)
    }
}

impl fmt::Display for KernelError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = io::Error::from_raw_os_error(self.errno);
        write!(f, "the kernel answered: {words}")?;
        if self.errno == libc::EPERM {
            write!(f, ": {NET_ADMIN}")?;
        }
        if let Some(text) = self.message() {
            write!(f, ": {text}")?;
        }
        let Some(detail) = &self.detail else {
            return Ok(());
        };
        if let Some(missing) = detail.missing_type {
            write!(f, " (attribute {missing} is missing)")?;
        }
        if let Some(offset) = detail.offset {
            write!(f, " (at byte {offset} of the request)")?;
        }
        Ok(())
    }
}

impl std::error::Error for KernelError {}

const NET_ADMIN: &str =
    "CAP_NET_ADMIN is needed in the user namespace that owns the network namespace";

/// The capability for want of which a system call fails with EPERM.
fn missing_capability(call: &str, errno: i32) -> Option<&'static str> {
    if errno != libc::EPERM {
        return None;
    }
    match call {
        // To listen, and to send to other programs.
        "bind" | "setsockopt(NETLINK_ADD_MEMBERSHIP)" | "sendto" => Some(NET_ADMIN),
        "setsockopt(SO_RCVBUFFORCE)" => {
            Some("CAP_NET_ADMIN is needed in the initial user namespace")
        }
        "setsockopt(NETLINK_LISTEN_ALL_NSID)" => Some(
            "CAP_NET_BROADCAST is needed in the user namespace that owns the network namespace",
        ),
        _ => None,
    }
}

/// A message that does not hold what its type asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum DecodeError {
    /// The length of a message is wrong.
    Message(MessageError),
    /// The length field of an attribute is wrong; the first text names the
    /// message or nest it stands in.
    Attribute(&'static str, AttrError),
    /// An attribute has a payload of the wrong length.
    Length {
        /// The attribute's name in the kernel's headers.
        attribute: &'static str,
        /// Bytes of its payload.
        len: usize,
    },
    /// An attribute that the message cannot do without is not there.
    Missing {
        /// The attribute's name in the kernel's headers.
        attribute: &'static str,
    },
    /// The message is too short for the header its type asks for.
    Short {
        /// The header, such as `"nfgenmsg"`.
        header: &'static str,
    },
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Message(error) => error.fmt(f),
            Self::Attribute(place, error) => write!(f, "in {place}: {error}"),
            Self::Length { attribute, len } => {
                write!(
                    f,
                    "{attribute} has a payload of {len} bytes, which is wrong"
                )
            }
            Self::Missing { attribute } => write!(f, "the message lacks {attribute}"),
            Self::Short { header } => write!(f, "the message is too short for its {header}"),
        }
    }
}

impl std::error::Error for DecodeError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_stay_small() {
        assert!(size_of::<Error>() <= 40, "{}", size_of::<Error>());
    }

    #[test]
    fn permission_errors_name_the_capability() {
        let error = Error::Kernel(KernelError::new(1, libc::EPERM, ExtendedAck::default()));
        assert!(error.to_string().contains("CAP_NET_ADMIN"), "{error}");
        assert_eq!(
            io::Error::from(error).kind(),
            io::ErrorKind::PermissionDenied
        );
    }

    #[test]
    fn kernel_texts_are_shown() {
        let extended = ExtendedAck {
            message: Some(b"policy"),
            offset: Some(20),
            missing_type: Some(7),
            missing_nest: None,
        };
        let error = KernelError::new(1, libc::ERANGE, extended);
        assert_eq!(error.message(), Some("policy"));
        let text = error.to_string();
        assert!(
            text.contains(": policy") && text.contains("attribute 7"),
            "{text}"
        );
        assert!(text.contains("byte 20"), "{text}");
    }
}
