//! Building messages: header, payload, attributes and nests.

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

use super::attr::NESTED;
use super::message::{Header, align};
use crate::error::Error;

/// Builds one message at the end of a buffer.
///
/// Several messages built one after the other into the same buffer make a
/// batch that one [`send`](super::Socket::send) passes to the kernel. The buffer
/// keeps its capacity between uses, so a program that builds often allocates once.
///
/// Lengths are filled in as nests close and when [`finish`](Self::finish) is
/// called; padding is zero. A builder dropped without `finish` takes its
/// message out of the buffer again.
///
/// ```
/// use netfilter_conntrack::netlink::{Attrs, Builder, Flags, Header, Message};
///
/// let mut buffer = Vec::new();
/// let mut message = Builder::new(&mut buffer, Header::request(0x100, Flags::ACK));
/// message.nest(1, |tuple| {
///     tuple.put_u8(1, 6);
///     tuple.put_u16_be(2, 443);
/// });
/// message.finish()?;
///
/// let message = Message::parse(&buffer).unwrap();
/// let tuple = Attrs::new(message.payload()).find(1).unwrap().unwrap();
/// let port = tuple.nested().find(2).unwrap().unwrap();
/// assert_eq!(port.u16_be(), Some(443));
/// # Ok::<(), netfilter_conntrack::Error>(())
/// ```
#[derive(Debug)]
pub struct Builder<'b> {
    buffer: &'b mut Vec<u8>,
    /// Where the message starts in the buffer.
    start: usize,
    header: Header,
    too_long: bool,
    finished: bool,
}

impl<'b> Builder<'b> {
    /// Starts a message with this header; its length is filled in by `finish`.
    #[must_use]
    pub fn new(buffer: &'b mut Vec<u8>, header: Header) -> Self {
        // A message starts aligned behind the one before it.
        buffer.resize(align(buffer.len()), 0);
        let start = buffer.len();
        buffer.extend_from_slice(&header.to_bytes());
        Self {
            buffer,
            start,
            header,
            too_long: false,
            finished: false,
        }
    }

    /// Appends the attributes which `fill` puts to a buffer, without a message
    /// around them: parts that [`put_bytes`](Self::put_bytes) takes into
    /// messages later.
    ///
    /// # Errors
    /// As [`finish`](Self::finish); the buffer is as it was.
    pub fn fragment(buffer: &'b mut Vec<u8>, fill: impl FnOnce(&mut Self)) -> Result<(), Error> {
        let mut fragment = Self {
            start: buffer.len(),
            buffer,
            header: Header::default(),
            too_long: false,
            finished: false,
        };
        fill(&mut fragment);
        if fragment.too_long {
            return Err(TOO_LONG);
        }
        fragment.finished = true;
        Ok(())
    }

    /// Appends bytes that are no attribute, such as the family's own header,
    /// and pads them.
    pub fn put_bytes(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
        self.pad();
    }

    /// Appends an attribute with any payload up to 65,531 bytes.
    pub fn put(&mut self, kind: u16, payload: &[u8]) {
        let place = self.open(kind);
        self.buffer.extend_from_slice(payload);
        self.close(place);
    }

    /// Appends an attribute without payload.
    pub fn put_flag(&mut self, kind: u16) {
        self.put(kind, &[]);
    }

    /// Appends an 8-bit number.
    pub fn put_u8(&mut self, kind: u16, value: u8) {
        self.put(kind, &[value]);
    }

    /// Appends a 16-bit number in host byte order.
    pub fn put_u16(&mut self, kind: u16, value: u16) {
        self.put(kind, &value.to_ne_bytes());
    }

    /// Appends a 32-bit number in host byte order.
    pub fn put_u32(&mut self, kind: u16, value: u32) {
        self.put(kind, &value.to_ne_bytes());
    }

    /// Appends a 64-bit number in host byte order.
    pub fn put_u64(&mut self, kind: u16, value: u64) {
        self.put(kind, &value.to_ne_bytes());
    }

    /// Appends a 16-bit number in network byte order.
    pub fn put_u16_be(&mut self, kind: u16, value: u16) {
        self.put(kind, &value.to_be_bytes());
    }

    /// Appends a 32-bit number in network byte order.
    pub fn put_u32_be(&mut self, kind: u16, value: u32) {
        self.put(kind, &value.to_be_bytes());
    }

    /// Appends a 64-bit number in network byte order.
    pub fn put_u64_be(&mut self, kind: u16, value: u64) {
        self.put(kind, &value.to_be_bytes());
    }

    /// Appends a string with the NUL the kernel expects behind it.
    pub fn put_string(&mut self, kind: u16, text: &[u8]) {
        let place = self.open(kind);
        self.buffer.extend_from_slice(text);
        self.buffer.push(0);
        self.close(place);
    }

    /// Appends an attribute that holds the attributes which `fill` puts, and
    /// marks it as nested.
    pub fn nest(&mut self, kind: u16, fill: impl FnOnce(&mut Self)) {
        let place = self.open(kind | NESTED);
        fill(self);
        self.close(place);
    }

    /// Bytes of the message so far.
    #[must_use]
    pub fn len(&self) -> usize {
        self.buffer.len().saturating_sub(self.start)
    }

    /// Whether nothing has been put yet; never, since the header is there from the start.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Ends the message.
    ///
    /// # Errors
    /// [`Error::Invalid`] where an attribute came out longer than its 16-bit
    /// length can say; the message is taken out of the buffer.
    pub fn finish(mut self) -> Result<(), Error> {
        if self.too_long {
            return Err(TOO_LONG);
        }
        let Ok(len) = u32::try_from(self.len()) else {
            return Err(TOO_LONG);
        };
        let header = Header { len, ..self.header };
        if let Some(place) = self
            .buffer
            .get_mut(self.start..)
            .and_then(|message| message.first_chunk_mut())
        {
            *place = header.to_bytes();
        }
        self.finished = true;
        Ok(())
    }

    /// Writes an attribute header and gives its place.
    #[inline]
    fn open(&mut self, kind: u16) -> usize {
        let place = self.buffer.len();
        let [k0, k1] = kind.to_ne_bytes();
        self.buffer.extend_from_slice(&[0, 0, k0, k1]);
        place
    }

    /// Fills in the length of the attribute at `place` and pads it.
    #[inline]
    fn close(&mut self, place: usize) {
        let len = self.buffer.len().saturating_sub(place);
        let Ok(len) = u16::try_from(len) else {
            self.too_long = true;
            return;
        };
        if let Some(field) = self
            .buffer
            .get_mut(place..)
            .and_then(|attr| attr.first_chunk_mut())
        {
            *field = len.to_ne_bytes();
        }
        self.pad();
    }

    fn pad(&mut self) {
        self.buffer.resize(align(self.buffer.len()), 0);
    }
}

impl Drop for Builder<'_> {
    fn drop(&mut self) {
        if !self.finished {
            self.buffer.truncate(self.start);
        }
    }
}

const TOO_LONG: Error = Error::Invalid("a netlink attribute longer than 65535 bytes");

#[cfg(test)]
mod tests {
    use super::super::attr::Attrs;
    use super::super::message::{Flags, Message, Messages};
    use super::*;

    #[test]
    fn nests_and_padding() {
        let mut buffer = Vec::new();
        let mut message = Builder::new(&mut buffer, Header::request(0x200, Flags::ACK));
        message.put_bytes(&[2, 0, 0, 0]);
        message.nest(1, |outer| {
            outer.put_u8(1, 0xaa);
            outer.nest(2, |inner| inner.put_string(3, b"ftp"));
        });
        message.put_u64_be(4, 5);
        message.finish().unwrap();
        let expected = [
            &56u32.to_ne_bytes()[..],
            &0x200u16.to_ne_bytes(),
            &5u16.to_ne_bytes(),
            &[0; 8],
            &[2, 0, 0, 0],
            &24u16.to_ne_bytes(),
            &0x8001u16.to_ne_bytes(),
            &5u16.to_ne_bytes(),
            &1u16.to_ne_bytes(),
            &[0xaa, 0, 0, 0],
            &12u16.to_ne_bytes(),
            &0x8002u16.to_ne_bytes(),
            &8u16.to_ne_bytes(),
            &3u16.to_ne_bytes(),
            b"ftp\0",
            &12u16.to_ne_bytes(),
            &4u16.to_ne_bytes(),
            &5u64.to_be_bytes(),
        ]
        .concat();
        assert_eq!(buffer, expected);
    }

    #[test]
    fn a_batch_stands_in_one_buffer() {
        let mut buffer = Vec::new();
        for seq in 1..=3 {
            let header = Header::request(16, Flags::ACK).with_seq(seq);
            let mut message = Builder::new(&mut buffer, header);
            message.put_u8(1, 7);
            message.finish().unwrap();
        }
        let seqs: Vec<u32> = Messages::new(&buffer).map(|m| m.unwrap().seq()).collect();
        assert_eq!(seqs, [1, 2, 3]);
    }

    #[test]
    fn fragments_become_parts_of_messages() {
        let mut parts = Vec::new();
        for value in [7, 8] {
            Builder::fragment(&mut parts, |part| part.put_u8(1, value)).unwrap();
        }
        let too_long = Builder::fragment(&mut parts, |part| part.put(2, &[0; 65_532]));
        assert!(too_long.is_err());
        let mut buffer = Vec::new();
        let mut message = Builder::new(&mut buffer, Header::default());
        message.nest(3, |nest| nest.put_bytes(&parts));
        message.finish().unwrap();
        let nest = Attrs::new(&buffer[16..]).find(3).unwrap().unwrap();
        let values: Vec<_> = nest.nested().map(|attr| attr.unwrap().u8()).collect();
        assert_eq!(values, [Some(7), Some(8)]);
    }

    #[test]
    fn what_is_too_long_is_taken_back() {
        let mut buffer = vec![1, 2, 3, 4];
        let mut message = Builder::new(&mut buffer, Header::default());
        message.put(1, &[0; 65_531]);
        message.finish().unwrap();
        let kept = buffer.len();
        let mut message = Builder::new(&mut buffer, Header::default());
        message.nest(1, |nest| {
            nest.put(2, &[0; 40_000]);
            nest.put(2, &[0; 40_000]);
        });
        assert!(message.finish().is_err());
        assert_eq!(buffer.len(), kept);
        let message = Message::parse(&buffer[4..]).unwrap();
        let attr = Attrs::new(message.payload()).next().unwrap().unwrap();
        assert_eq!(attr.payload().len(), 65_531);
        drop(Builder::new(&mut buffer, Header::default()));
        assert_eq!(buffer.len(), kept);
    }
}
