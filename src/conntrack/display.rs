//! The text of an entry or an expectation.

use std::fmt;

use super::format::{Format, Style};
use super::object::Conntrack;
use crate::error::{Error, Result};
use crate::text::Out;

/// What can be written in a [`Format`].
pub(crate) trait Print {
    /// Writes it and gives whether the text is whole, which it always is
    /// unless the format is strict.
    fn print(&self, format: &Format<'_>, out: &mut Out<'_>) -> bool;
}

/// The text of an entry or an expectation in some [`Format`], written when it
/// is asked for: by [`Display`](fmt::Display), [`append_to`](Self::append_to)
/// or [`snprintf`](Self::snprintf), none of which allocates on its own.
///
/// Names of helpers and security contexts are bytes and need not be UTF-8.
/// Plain text has them as they are, in `Display` with U+FFFD where they are
/// not UTF-8. XML has them escaped, with U+FFFD for all that it cannot hold.
#[derive(Clone, Copy)]
pub struct Text<'a> {
    of: &'a dyn Print,
    format: Format<'a>,
}

impl<'a> Text<'a> {
    pub(crate) fn new(of: &'a dyn Print, format: Format<'a>) -> Self {
        Self { of, format }
    }

    /// Appends the text to `bytes`.
    pub fn append_to(&self, bytes: &mut Vec<u8>) {
        let mut sink = |chunk: &[u8]| bytes.extend_from_slice(chunk);
        Out::run(&mut sink, |out| self.of.print(&self.format, out));
    }

    /// Writes the text with a NUL behind it into `buffer`, cut where that ends,
    /// and gives the length of the whole text without the NUL. The text was cut
    /// where the length is not below that of the buffer, which may be empty.
    ///
    /// ```
    /// # use netfilter_conntrack::{Conntrack, Format, Tuple};
    /// # let tuple = Tuple::udp("192.0.2.1:5353".parse().unwrap(), "192.0.2.2:53".parse().unwrap())?;
    /// let entry = Conntrack::flow(tuple);
    /// let mut buffer = [0xff; 16];
    /// let len = entry.display(Format::plain()).snprintf(&mut buffer)?;
    /// assert_eq!(&buffer, b"udp      17 src\0");
    /// assert_eq!(len, entry.to_string().len());
    /// # Ok::<(), netfilter_conntrack::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Invalid`] for the plain text of an entry without a layer 4
    /// protocol, or without a layer 3 protocol where that is to be shown.
    /// Unlike `Display`, which writes `unknown`, this goes by the C library.
    /// The buffer then has the text in front of the missing part.
    #[doc(alias = "nfct_snprintf")]
    #[doc(alias = "nfct_snprintf_labels")]
    #[doc(alias = "nfexp_snprintf")]
    pub fn snprintf(&self, buffer: &mut [u8]) -> Result<usize> {
        let end = buffer.len().saturating_sub(1);
        let mut len = 0;
        let mut sink = |chunk: &[u8]| {
            let room = buffer.get_mut(len..end).unwrap_or_default();
            for (place, byte) in room.iter_mut().zip(chunk) {
                *place = *byte;
            }
            len += chunk.len();
        };
        let strict = self.format.strict();
        let complete = Out::run(&mut sink, |out| self.of.print(&strict, out));
        if let Some(nul) = buffer.get_mut(len.min(end)) {
            *nul = 0;
        }
        if complete {
            Ok(len)
        } else {
            Err(Error::Invalid("an entry without a protocol as plain text"))
        }
    }
}

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut result = Ok(());
        let mut sink = |chunk: &[u8]| {
            if result.is_ok() {
                result = write_lossily(f, chunk);
            }
        };
        Out::run(&mut sink, |out| self.of.print(&self.format, out));
        result
    }
}

impl fmt::Debug for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Text({self})")
    }
}

impl Print for Conntrack {
    fn print(&self, format: &Format<'_>, out: &mut Out<'_>) -> bool {
        match format.style {
            Style::Plain => self.print_plain(format, out),
            Style::Xml => {
                self.print_xml(format, out);
                true
            }
        }
    }
}

impl Conntrack {
    /// The entry as text in this format.
    #[must_use]
    pub fn display<'a>(&'a self, format: Format<'a>) -> Text<'a> {
        Text::new(self, format)
    }
}

/// The plain line that conntrack(8) prints, without any of the parts that are
/// to be asked for; see [`Conntrack::display`].
impl fmt::Display for Conntrack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.display(Format::plain()).fmt(f)
    }
}

fn write_lossily(f: &mut fmt::Formatter<'_>, bytes: &[u8]) -> fmt::Result {
    if let Ok(text) = std::str::from_utf8(bytes) {
        return f.write_str(text);
    }
    for part in bytes.utf8_chunks() {
        f.write_str(part.valid())?;
        if !part.invalid().is_empty() {
            f.write_str("\u{fffd}")?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conntrack::fields::Blob;
    use crate::conntrack::{Attr, EventKind, LabelMap, Show, Status};
    use crate::{Bitmask, Tuple};

    const NAMES: &[u8] = b"1 one\n2 two\n99 ninety nine\n";

    /// An entry with something in every field, and one with next to nothing.
    fn entries() -> [Conntrack; 2] {
        let tuple = Tuple::tcp(
            "[2001:db8::1]:40000".parse().unwrap(),
            "[::1]:21".parse().unwrap(),
        );
        let mut full = Conntrack::flow(tuple.unwrap().with_zone(3));
        let mut labels = Bitmask::new(127).unwrap();
        [1, 2, 3, 99].iter().for_each(|bit| labels.set(*bit));
        full.set_timeout(9)
            .set_mark(1)
            .set_zone(2)
            .set_id(3)
            .set_labels(labels);
        full.set_status(Status::ASSURED).set_helper("ft<p").unwrap();
        for attr in [
            Attr::OrigCounterPackets,
            Attr::OrigCounterBytes,
            Attr::TimestampStart,
        ] {
            full.store(attr, &[]);
        }
        let mut bare = Conntrack::new();
        bare.store(Attr::OrigL3proto, &[7]);
        bare.store(Attr::OrigL4proto, &[50]);
        [full, bare]
    }

    #[test]
    fn cut_at_every_size() {
        let names = LabelMap::parse(NAMES);
        let now = std::time::SystemTime::UNIX_EPOCH;
        for entry in entries() {
            for format in [Format::plain(), Format::xml()] {
                let format = format
                    .event(EventKind::New)
                    .show(Show::all())
                    .labels(&names);
                let text = entry.display(format.as_of(now));
                let mut whole = Vec::new();
                text.append_to(&mut whole);
                for size in 0..=whole.len() + 2 {
                    let mut memory = vec![0xff; size + 8];
                    let (buffer, behind) = memory.split_at_mut(size);
                    assert_eq!(text.snprintf(buffer).ok(), Some(whole.len()));
                    assert_eq!(behind, [0xff; 8]);
                    let Some(room) = size.checked_sub(1) else {
                        continue;
                    };
                    let kept = whole.len().min(room);
                    assert_eq!(buffer[..kept], whole[..kept]);
                    assert_eq!(buffer[kept], 0);
                    assert!(buffer[kept + 1..].iter().all(|byte| *byte == 0xff));
                }
            }
        }
    }

    #[test]
    fn texts_longer_than_a_chunk() {
        let [mut entry, _] = entries();
        let context = "ü".repeat(4000);
        entry.secctx = Some(Box::new(Blob([context.as_bytes(), b"\0"].concat())));
        entry.head.set.insert(Attr::Secctx);
        for format in [Format::plain(), Format::xml()] {
            let text = entry.display(format).to_string();
            assert!(text.contains(&context));
            let mut buffer = vec![0xff; 10_000];
            assert_eq!(
                entry.display(format).snprintf(&mut buffer).ok(),
                Some(text.len())
            );
            assert_eq!(&buffer[..text.len()], text.as_bytes());
        }
    }

    #[test]
    fn a_missing_protocol_is_unknown_or_refused() {
        let mut entry = Conntrack::new();
        entry.set_mark(5);
        assert_eq!(entry.to_string(), "unknown  0 mark=5");
        let mut buffer = [0xff; 32];
        let format = Format::plain().event(EventKind::Destroy);
        assert!(
            entry
                .display(Format::plain())
                .snprintf(&mut buffer)
                .is_err()
        );
        assert!(buffer.starts_with(b"\0"));
        assert!(entry.display(format).snprintf(&mut buffer).is_err());
        assert!(buffer.starts_with(b"[DESTROY] \0"));
        assert!(entry.display(format).snprintf(&mut buffer[..4]).is_err());
        assert!(buffer.starts_with(b"[DE\0TROY"));
        assert!(entry.display(Format::xml()).snprintf(&mut []).is_ok());
        entry.set_original(Tuple::new([1; 4].into(), [2; 4].into(), crate::L4Proto(50)).unwrap());
        entry.unset(Attr::OrigL3proto);
        assert!(entry.display(format).snprintf(&mut []).is_ok());
        assert!(
            entry
                .display(format.show(Show::LAYER3))
                .snprintf(&mut [])
                .is_err()
        );
    }

    #[test]
    fn display_of_bytes_that_are_not_utf8() {
        let [_, mut entry] = entries();
        entry.store(Attr::HelperName, b"f\xfftp");
        assert_eq!(entry.to_string(), "unknown  50 helper=f\u{fffd}tp");
        let mut bytes = Vec::new();
        entry.display(Format::plain()).append_to(&mut bytes);
        assert_eq!(bytes, b"unknown  50 helper=f\xfftp");
    }

    #[test]
    fn threads_do_not_share() {
        std::thread::scope(|scope| {
            for number in 0..4u8 {
                scope.spawn(move || {
                    let [mut entry, _] = entries();
                    entry.timestamp_start = u64::from(number) * 400_000_000_000_000_000;
                    entry.head.tuple.src[..].fill(number * 17);
                    let format = Format::xml().show(Show::all());
                    let texts = || {
                        [format, Format::plain().show(Show::TIMESTAMP)].map(|format| {
                            entry
                                .display(format.as_of(std::time::UNIX_EPOCH))
                                .to_string()
                        })
                    };
                    let first = texts();
                    for _ in 0..500 {
                        assert_eq!(texts(), first);
                    }
                });
            }
        });
    }

    #[test]
    fn errors_of_the_sink_are_passed_on() {
        struct Full;
        impl fmt::Write for Full {
            fn write_str(&mut self, _: &str) -> fmt::Result {
                Err(fmt::Error)
            }
        }
        let [entry, _] = entries();
        assert!(fmt::write(&mut Full, format_args!("{entry}")).is_err());
    }
}
