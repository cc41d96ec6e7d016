//! Control messages: acknowledgements, errors with their extended-ack text,
//! the end of a dump.

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

use super::attr::Attrs;
use super::message::{Flags, HEADER_LEN, Header, Message, align, kind};

/// Attributes behind an acknowledgement, `NLMSGERR_ATTR_*` of `linux/netlink.h`.
const ATTR_MSG: u16 = 1;
const ATTR_OFFS: u16 = 2;
const ATTR_MISS_TYPE: u16 = 5;
const ATTR_MISS_NEST: u16 = 6;

/// A message of the types below [`kind::MIN_TYPE`], which every family shares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Control<'a> {
    /// To be skipped.
    Noop,
    /// The request with the message's sequence number succeeded.
    Ack(ExtendedAck<'a>),
    /// The request failed with this errno (positive).
    Error(i32, ExtendedAck<'a>),
    /// A dump has ended; its errno (positive) is 0 unless it failed midway.
    Done(i32, ExtendedAck<'a>),
    /// The kernel lost data.
    Overrun,
    /// An error message too short to hold its code.
    Malformed,
}

/// What the kernel adds to an error or acknowledgement when the socket asked
/// for it with NETLINK_EXT_ACK (Linux 4.12 and later).
#[doc(alias = "nlmsgerr_attrs")]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct ExtendedAck<'a> {
    /// The kernel's words, without their NUL (`NLMSGERR_ATTR_MSG`).
    pub message: Option<&'a [u8]>,
    /// Where in the request the fault is, in bytes from its header (`NLMSGERR_ATTR_OFFS`).
    pub offset: Option<u32>,
    /// The attribute that is missing (`NLMSGERR_ATTR_MISS_TYPE`, Linux 6.1 and later).
    pub missing_type: Option<u32>,
    /// Where in the request the nest is that lacks it (`NLMSGERR_ATTR_MISS_NEST`).
    pub missing_nest: Option<u32>,
}

impl<'a> Message<'a> {
    /// The message as a control message; `None` where its type belongs to the family.
    #[doc(alias = "nlmsgerr")]
    #[must_use]
    pub fn control(&self) -> Option<Control<'a>> {
        match self.kind() {
            kind::ERROR => Some(self.error()),
            kind::DONE => Some(self.done()),
            kind::OVERRUN => Some(Control::Overrun),
            0..kind::MIN_TYPE => Some(Control::Noop),
            _ => None,
        }
    }

    fn error(&self) -> Control<'a> {
        let Some((code, echo)) = self.payload().split_first_chunk::<4>() else {
            return Control::Malformed;
        };
        // The request follows the code: whole, or only its header if capped.
        let echoed = match Header::read(echo) {
            Some(header) if !self.flags().contains(Flags::CAPPED) => {
                usize::try_from(header.len).unwrap_or(usize::MAX)
            }
            _ => HEADER_LEN,
        };
        let attributes = echo.get(align(echoed)..).unwrap_or_default();
        let extended = self.extended_ack(attributes);
        match i32::from_ne_bytes(*code) {
            0 => Control::Ack(extended),
            code => Control::Error(code.saturating_neg(), extended),
        }
    }

    fn done(&self) -> Control<'a> {
        // Some families end their dumps without a code.
        let (code, attributes) = self
            .payload()
            .split_first_chunk::<4>()
            .unwrap_or((&[0; 4], &[]));
        let errno = i32::from_ne_bytes(*code).min(0).saturating_neg();
        Control::Done(errno, self.extended_ack(attributes))
    }

    fn extended_ack(&self, attributes: &'a [u8]) -> ExtendedAck<'a> {
        let mut extended = ExtendedAck::default();
        if !self.flags().contains(Flags::ACK_TLVS) {
            return extended;
        }
        // A damaged text must not hide the error itself, so a bad attribute
        // only ends the walk.
        for attr in Attrs::new(attributes).map_while(Result::ok) {
            match attr.kind() {
                ATTR_MSG => extended.message = Some(attr.string()),
                ATTR_OFFS => extended.offset = attr.u32(),
                ATTR_MISS_TYPE => extended.missing_type = attr.u32(),
                ATTR_MISS_NEST => extended.missing_nest = attr.u32(),
                _ => {}
            }
        }
        extended
    }
}

#[cfg(test)]
mod tests {
    use super::super::builder::Builder;
    use super::*;

    /// An error message for a request of `request_len` bytes, of which `echoed` are repeated.
    fn error(code: i32, flags: Flags, request_len: u32, echoed: usize) -> Vec<u8> {
        let mut bytes = Vec::new();
        let header = Header {
            kind: kind::ERROR,
            flags,
            seq: 3,
            ..Header::default()
        };
        let request = Header {
            len: request_len,
            ..Header::default()
        };
        let mut message = Builder::new(&mut bytes, header);
        message.put_bytes(&code.to_ne_bytes());
        message.put_bytes(&request.to_bytes());
        message.put_bytes(&vec![0xff; echoed - HEADER_LEN]);
        if flags.contains(Flags::ACK_TLVS) {
            message.put(ATTR_MSG, b"no such thing\0");
            message.put_u32(ATTR_OFFS, 20);
            message.put_u32(ATTR_MISS_TYPE, 4);
            message.put_u32(ATTR_MISS_NEST, 24);
        }
        message.finish().unwrap();
        bytes
    }

    #[test]
    fn errors_with_and_without_text() {
        let text = ExtendedAck {
            message: Some(b"no such thing"),
            offset: Some(20),
            missing_type: Some(4),
            missing_nest: Some(24),
        };
        let tlvs = Flags::ACK_TLVS;
        for (flags, request_len, echoed, expected) in [
            (Flags::empty(), 28, 28, ExtendedAck::default()),
            (tlvs, 28, 28, text),
            (tlvs, 26, 28, text),
            (tlvs | Flags::CAPPED, 28, 16, text),
            // The length of the echoed request lies beyond the message.
            (tlvs, u32::MAX, 28, ExtendedAck::default()),
        ] {
            let bytes = error(-2, flags, request_len, echoed);
            let message = Message::parse(&bytes).unwrap();
            assert_eq!(message.control(), Some(Control::Error(2, expected)));
        }
        let ack = error(0, Flags::CAPPED, 28, 16);
        let ack = Message::parse(&ack).unwrap().control();
        assert_eq!(ack, Some(Control::Ack(ExtendedAck::default())));
    }

    #[test]
    fn short_and_extreme_codes() {
        let bytes = error(i32::MIN, Flags::empty(), 16, 16);
        let message = Message::parse(&bytes).unwrap();
        assert!(matches!(
            message.control(),
            Some(Control::Error(i32::MAX, _))
        ));
        let short = Header {
            len: 18,
            kind: kind::ERROR,
            ..Header::default()
        };
        let bytes = [&short.to_bytes()[..], &[0, 0]].concat();
        let message = Message::parse(&bytes).unwrap();
        assert_eq!(message.control(), Some(Control::Malformed));
    }

    #[test]
    fn every_type_below_16_is_a_control_message() {
        for number in 0..=kind::MIN_TYPE {
            let header = Header {
                len: 16,
                kind: number,
                ..Header::default()
            };
            let bytes = header.to_bytes();
            let expected = match number {
                kind::ERROR => Some(Control::Malformed),
                kind::DONE => Some(Control::Done(0, ExtendedAck::default())),
                kind::OVERRUN => Some(Control::Overrun),
                kind::MIN_TYPE => None,
                _ => Some(Control::Noop),
            };
            assert_eq!(Message::parse(&bytes).unwrap().control(), expected);
        }
    }

    #[test]
    fn ends_of_dumps() {
        for (payload, errno) in [
            (vec![], 0),
            (0i32.to_ne_bytes().to_vec(), 0),
            ((-105i32).to_ne_bytes().to_vec(), 105),
        ] {
            let header = Header {
                len: 16 + payload.len() as u32,
                kind: kind::DONE,
                flags: Flags::MULTI,
                ..Header::default()
            };
            let bytes = [&header.to_bytes()[..], &payload].concat();
            let control = Message::parse(&bytes).unwrap().control();
            assert_eq!(control, Some(Control::Done(errno, ExtendedAck::default())));
        }
    }
}
