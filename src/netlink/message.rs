//! Messages: header, flags, the length arithmetic of netlink(3), and the walk
//! over the messages of one datagram.

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

use std::fmt;
use std::iter::FusedIterator;

use bitflags::bitflags;

/// Messages and attributes start at multiples of this many bytes.
#[doc(alias = "NLMSG_ALIGNTO")]
#[doc(alias = "NLA_ALIGNTO")]
pub const ALIGN_TO: usize = 4;

/// Bytes of a message header, `struct nlmsghdr`.
#[doc(alias = "NLMSG_HDRLEN")]
pub const HEADER_LEN: usize = 16;

/// Rounds `len` up to the next multiple of [`ALIGN_TO`]; the highest multiple
/// that fits where there is no next one.
#[doc(alias = "NLMSG_ALIGN")]
#[doc(alias = "NLA_ALIGN")]
#[must_use]
pub const fn align(len: usize) -> usize {
    len.saturating_add(ALIGN_TO - 1) & !(ALIGN_TO - 1)
}

/// What a message with `payload` bytes carries in its length field: header
/// and payload, without the padding behind it.
#[doc(alias = "NLMSG_LENGTH")]
#[must_use]
pub const fn length(payload: usize) -> usize {
    payload.saturating_add(HEADER_LEN)
}

/// The room a message with `payload` bytes takes in a datagram: header,
/// payload and padding.
#[doc(alias = "NLMSG_SPACE")]
#[must_use]
pub const fn space(payload: usize) -> usize {
    align(length(payload))
}

/// Message types below 16 have the same meaning in every family.
pub mod kind {
    /// Nothing; to be skipped.
    #[doc(alias = "NLMSG_NOOP")]
    pub const NOOP: u16 = 1;
    /// An error, or an acknowledgement when its code is 0.
    #[doc(alias = "NLMSG_ERROR")]
    pub const ERROR: u16 = 2;
    /// The end of a multipart message.
    #[doc(alias = "NLMSG_DONE")]
    pub const DONE: u16 = 3;
    /// Data was lost.
    #[doc(alias = "NLMSG_OVERRUN")]
    pub const OVERRUN: u16 = 4;
    /// Types from here on belong to the family.
    #[doc(alias = "NLMSG_MIN_TYPE")]
    pub const MIN_TYPE: u16 = 16;
}

bitflags! {
    /// The flags of a message header, `NLM_F_*` of `linux/netlink.h`.
    ///
    /// Values above `0x80` mean different things by the kind of message: one
    /// set for GET requests, one for NEW requests, one for DELETE requests
    /// and one for acknowledgements. Unknown bits are kept.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
    pub struct Flags: u16 {
        /// A request (`NLM_F_REQUEST`); on every message to the kernel.
        #[doc(alias = "NLM_F_REQUEST")]
        const REQUEST = 0x01;
        /// Part of a multipart message that ends with DONE (`NLM_F_MULTI`).
        #[doc(alias = "NLM_F_MULTI")]
        const MULTI = 0x02;
        /// Asks for an acknowledgement, also on success (`NLM_F_ACK`).
        #[doc(alias = "NLM_F_ACK")]
        const ACK = 0x04;
        /// Asks for the resulting notification to be sent back (`NLM_F_ECHO`).
        #[doc(alias = "NLM_F_ECHO")]
        const ECHO = 0x08;
        /// The dump was inconsistent: the table changed meanwhile (`NLM_F_DUMP_INTR`).
        #[doc(alias = "NLM_F_DUMP_INTR")]
        const DUMP_INTR = 0x10;
        /// The dump was filtered as asked (`NLM_F_DUMP_FILTERED`).
        #[doc(alias = "NLM_F_DUMP_FILTERED")]
        const DUMP_FILTERED = 0x20;

        /// GET: the whole tree (`NLM_F_ROOT`).
        #[doc(alias = "NLM_F_ROOT")]
        const ROOT = 0x100;
        /// GET: all that match (`NLM_F_MATCH`).
        #[doc(alias = "NLM_F_MATCH")]
        const MATCH = 0x200;
        /// GET: an atomic snapshot (`NLM_F_ATOMIC`).
        #[doc(alias = "NLM_F_ATOMIC")]
        const ATOMIC = 0x400;
        /// GET: dump (`NLM_F_DUMP`).
        #[doc(alias = "NLM_F_DUMP")]
        const DUMP = Self::ROOT.bits() | Self::MATCH.bits();

        /// NEW: replace what exists (`NLM_F_REPLACE`).
        #[doc(alias = "NLM_F_REPLACE")]
        const REPLACE = 0x100;
        /// NEW: fail with EEXIST if it exists (`NLM_F_EXCL`).
        #[doc(alias = "NLM_F_EXCL")]
        const EXCL = 0x200;
        /// NEW: create if it does not exist (`NLM_F_CREATE`).
        #[doc(alias = "NLM_F_CREATE")]
        const CREATE = 0x400;
        /// NEW: add to the end of a list (`NLM_F_APPEND`).
        #[doc(alias = "NLM_F_APPEND")]
        const APPEND = 0x800;

        /// DELETE: not recursively (`NLM_F_NONREC`).
        #[doc(alias = "NLM_F_NONREC")]
        const NONREC = 0x100;
        /// DELETE: several objects (`NLM_F_BULK`), Linux 5.19 and later.
        #[doc(alias = "NLM_F_BULK")]
        const BULK = 0x200;

        /// Acknowledgement: the request is not repeated in it (`NLM_F_CAPPED`).
        #[doc(alias = "NLM_F_CAPPED")]
        const CAPPED = 0x100;
        /// Acknowledgement: extended-ack attributes follow (`NLM_F_ACK_TLVS`).
        #[doc(alias = "NLM_F_ACK_TLVS")]
        const ACK_TLVS = 0x200;

        const _ = !0;
    }
}

/// A message header, `struct nlmsghdr`; all fields in host byte order.
#[doc(alias = "nlmsghdr")]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Header {
    /// Bytes of the message, this header included, padding excluded.
    pub len: u32,
    /// Message type: of the family, or one of [`kind`].
    pub kind: u16,
    /// Flags.
    pub flags: Flags,
    /// Sequence number: a reply carries that of its request; notifications carry 0.
    pub seq: u32,
    /// Port id of the sending socket; 0 in requests lets the kernel fill it in.
    pub port: u32,
}

impl Header {
    /// The header of a request: REQUEST is added to `flags`; length, sequence
    /// number and port are 0.
    #[must_use]
    pub fn request(kind: u16, flags: Flags) -> Self {
        Self {
            kind,
            flags: flags | Flags::REQUEST,
            ..Self::default()
        }
    }

    /// The same header with this sequence number.
    #[must_use]
    pub fn with_seq(self, seq: u32) -> Self {
        Self { seq, ..self }
    }

    /// Reads a header from the first 16 bytes; `None` if there are fewer.
    #[must_use]
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let &[
            l0,
            l1,
            l2,
            l3,
            k0,
            k1,
            f0,
            f1,
            s0,
            s1,
            s2,
            s3,
            p0,
            p1,
            p2,
            p3,
        ] = bytes.first_chunk::<HEADER_LEN>()?;
        Some(Self {
            len: u32::from_ne_bytes([l0, l1, l2, l3]),
            kind: u16::from_ne_bytes([k0, k1]),
            flags: Flags::from_bits_retain(u16::from_ne_bytes([f0, f1])),
            seq: u32::from_ne_bytes([s0, s1, s2, s3]),
            port: u32::from_ne_bytes([p0, p1, p2, p3]),
        })
    }

    /// The 16 bytes of the header as they stand in a message.
    #[must_use]
    pub fn to_bytes(self) -> [u8; HEADER_LEN] {
        let [l0, l1, l2, l3] = self.len.to_ne_bytes();
        let [k0, k1] = self.kind.to_ne_bytes();
        let [f0, f1] = self.flags.bits().to_ne_bytes();
        let [s0, s1, s2, s3] = self.seq.to_ne_bytes();
        let [p0, p1, p2, p3] = self.port.to_ne_bytes();
        [
            l0, l1, l2, l3, k0, k1, f0, f1, s0, s1, s2, s3, p0, p1, p2, p3,
        ]
    }
}

/// One message: a header and its payload, borrowed from a datagram.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Message<'a> {
    header: Header,
    bytes: &'a [u8],
    payload: &'a [u8],
}

impl<'a> Message<'a> {
    /// Takes the first message of `bytes`; what follows it is ignored.
    ///
    /// # Errors
    /// [`MessageError`] where the header is cut, or its length is below 16 or
    /// beyond the end of `bytes`.
    #[doc(alias = "NLMSG_OK")]
    pub fn parse(bytes: &'a [u8]) -> Result<Self, MessageError> {
        let available = bytes.len();
        let Some(header) = Header::read(bytes) else {
            return Err(MessageError {
                len: None,
                available,
            });
        };
        let bad = MessageError {
            len: Some(header.len),
            available,
        };
        let len = usize::try_from(header.len).map_err(|_| bad)?;
        let bytes = bytes.get(..len).ok_or(bad)?;
        let payload = bytes.get(HEADER_LEN..).ok_or(bad)?;
        Ok(Self {
            header,
            bytes,
            payload,
        })
    }

    /// The header.
    #[must_use]
    pub fn header(&self) -> Header {
        self.header
    }

    /// Message type.
    #[must_use]
    pub fn kind(&self) -> u16 {
        self.header.kind
    }

    /// Flags.
    #[must_use]
    pub fn flags(&self) -> Flags {
        self.header.flags
    }

    /// Sequence number.
    #[must_use]
    pub fn seq(&self) -> u32 {
        self.header.seq
    }

    /// Port id of the requester that caused the message; 0 where there is none.
    #[must_use]
    pub fn port(&self) -> u32 {
        self.header.port
    }

    /// The payload, without header and padding.
    #[doc(alias = "NLMSG_DATA")]
    #[doc(alias = "NLMSG_PAYLOAD")]
    #[must_use]
    pub fn payload(&self) -> &'a [u8] {
        self.payload
    }

    /// The whole message, header included, padding excluded.
    #[must_use]
    pub fn as_bytes(&self) -> &'a [u8] {
        self.bytes
    }
}

impl fmt::Debug for Message<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Message")
            .field("header", &self.header)
            .field("payload", &self.payload)
            .finish()
    }
}

/// The messages of one datagram, in order.
///
/// Never reads outside the datagram, accepts a last message without its
/// padding, and ends with an error at the first bad length. Like the walk of
/// netlink(3), it ignores a rest that is too short for a header when that rest
/// is only padding (fewer than 4 bytes).
#[doc(alias = "NLMSG_NEXT")]
#[derive(Clone, Debug)]
pub struct Messages<'a> {
    rest: &'a [u8],
}

impl<'a> Messages<'a> {
    /// Walks the messages of `datagram`.
    #[must_use]
    pub fn new(datagram: &'a [u8]) -> Self {
        Self { rest: datagram }
    }

    /// The bytes not walked yet; empty once the walk has ended.
    #[must_use]
    pub fn rest(&self) -> &'a [u8] {
        self.rest
    }
}

impl<'a> Iterator for Messages<'a> {
    type Item = Result<Message<'a>, MessageError>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.len() < ALIGN_TO {
            self.rest = &[];
            return None;
        }
        match Message::parse(self.rest) {
            Ok(message) => {
                let step = align(message.bytes.len());
                self.rest = self.rest.get(step..).unwrap_or_default();
                Some(Ok(message))
            }
            Err(error) => {
                self.rest = &[];
                Some(Err(error))
            }
        }
    }
}

impl FusedIterator for Messages<'_> {}

/// A message whose header is cut or whose length is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MessageError {
    /// The length the header gives; `None` where even the header is cut.
    pub len: Option<u32>,
    /// The bytes that were there.
    pub available: usize,
}

impl fmt::Display for MessageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.len {
            None => write!(
                f,
                "message header cut: {} of {HEADER_LEN} bytes",
                self.available
            ),
            Some(len) => write!(
                f,
                "message length {len} is not between {HEADER_LEN} and the {} bytes there",
                self.available
            ),
        }
    }
}

impl std::error::Error for MessageError {}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(len: u32, kind: u16, payload: &[u8]) -> Vec<u8> {
        let header = Header {
            len,
            kind,
            seq: 9,
            port: 4,
            flags: Flags::MULTI,
        };
        [&header.to_bytes()[..], payload].concat()
    }

    #[test]
    fn arithmetic_is_that_of_the_kernel_macros() {
        assert_eq!([0, 1, 4, 5].map(align), [0, 4, 4, 8]);
        assert_eq!((length(5), space(5)), (21, 24));
        assert_eq!(align(usize::MAX) % 4, 0);
        assert_eq!(space(usize::MAX) % 4, 0);
    }

    #[test]
    fn header_round_trip() {
        let header = Header {
            len: 20,
            kind: 0x102,
            flags: Flags::from_bits_retain(0x8605),
            seq: 0xdead_beef,
            port: 0x0102_0304,
        };
        assert_eq!(Header::read(&header.to_bytes()), Some(header));
        assert_eq!(Header::read(&header.to_bytes()[..15]), None);
    }

    #[test]
    fn walks_padded_and_unpadded_messages() {
        let mut datagram = message(18, 1, &[1, 2, 0, 0]);
        datagram.extend(message(17, 2, &[7]));
        let walked: Vec<_> = Messages::new(&datagram).map(Result::unwrap).collect();
        assert_eq!(walked.len(), 2);
        assert_eq!(walked[0].payload(), [1, 2]);
        assert_eq!((walked[1].kind(), walked[1].payload()), (2, &[7][..]));
    }

    #[test]
    fn stops_at_the_first_bad_length() {
        for bad in [0, 15, 17, u32::MAX] {
            let mut datagram = message(16, 1, &[]);
            datagram.extend(message(bad, 2, &[]));
            let mut walk = Messages::new(&datagram);
            assert!(walk.next().unwrap().is_ok());
            let error = walk.next().unwrap().unwrap_err();
            assert_eq!((error.len, error.available), (Some(bad), 16));
            assert!(walk.next().is_none() && walk.rest().is_empty());
        }
        let mut walk = Messages::new(&[0; 10]);
        assert_eq!(walk.next().unwrap().unwrap_err().len, None);
        assert!(walk.next().is_none());
    }

    #[test]
    fn every_prefix_ends() {
        let mut datagram = message(20, 1, &[1, 2, 3, 4]);
        datagram.extend(message(20, 2, &[1, 2, 3, 4]));
        for len in 0..datagram.len() {
            assert!(Messages::new(&datagram[..len]).count() <= 2);
        }
    }
}
