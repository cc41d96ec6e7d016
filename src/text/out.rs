//! Where text goes: pieces are gathered on the stack and handed on in chunks.

/// Bytes of a chunk; most plain lines fit into one.
const CHUNK: usize = 512;

/// Takes text piece by piece and gives it to a sink in chunks.
///
/// A piece is never divided between two chunks, so that a sink which needs
/// UTF-8 sees whole characters wherever the pieces have them.
pub(crate) struct Out<'a> {
    chunk: [u8; CHUNK],
    len: usize,
    sink: &'a mut dyn FnMut(&[u8]),
}

impl<'a> Out<'a> {
    /// Runs `print` and hands all it writes to `sink`.
    pub(crate) fn run<R>(sink: &'a mut dyn FnMut(&[u8]), print: impl FnOnce(&mut Self) -> R) -> R {
        let mut out = Self {
            chunk: [0; CHUNK],
            len: 0,
            sink,
        };
        let result = print(&mut out);
        out.flush();
        result
    }

    /// Writes a string.
    #[inline(never)]
    pub(crate) fn put(&mut self, piece: &str) {
        self.bytes(piece.as_bytes());
    }

    /// Writes bytes as they are.
    #[inline(always)]
    pub(crate) fn bytes(&mut self, piece: &[u8]) {
        let end = self.len.wrapping_add(piece.len());
        match self.chunk.get_mut(self.len..end) {
            Some(room) => {
                room.copy_from_slice(piece);
                self.len = end;
            }
            None => self.next_chunk(piece),
        }
    }

    /// Writes a number in decimal.
    #[inline]
    pub(crate) fn decimal(&mut self, number: impl Into<u64>) {
        let mut rest = number.into();
        let digits = rest.checked_ilog10().map_or(1, |log| log as usize + 1);
        let mut pairs = self.room(digits).rchunks_exact_mut(2);
        for pair in pairs.by_ref() {
            pair.copy_from_slice(two_digits((rest % 100) as u8));
            rest /= 100;
        }
        for digit in pairs.into_remainder() {
            *digit = b'0' + rest as u8;
        }
    }

    /// Writes a number below 100 in two digits.
    pub(crate) fn two_digits(&mut self, number: u8) {
        self.bytes(two_digits(number));
    }

    /// Writes a number in lower-case hexadecimal without leading zeros.
    #[inline]
    pub(crate) fn hex(&mut self, number: u16) {
        let mut rest = usize::from(number);
        let digits = number.checked_ilog2().map_or(1, |log| log as usize / 4 + 1);
        for place in self.room(digits).iter_mut().rev() {
            *place = HEX_DIGITS[rest % HEX_DIGITS.len()];
            rest /= HEX_DIGITS.len();
        }
    }

    /// Makes `len` bytes, at most 20, part of the text, to be filled.
    #[inline(always)]
    fn room(&mut self, len: usize) -> &mut [u8] {
        if CHUNK - self.len < len {
            self.flush();
        }
        let start = self.len;
        self.len += len;
        self.chunk.get_mut(start..self.len).unwrap_or_default()
    }

    /// Hands the chunk on and begins another with `piece`.
    #[cold]
    fn next_chunk(&mut self, piece: &[u8]) {
        self.flush();
        match self.chunk.get_mut(..piece.len()) {
            Some(room) => {
                room.copy_from_slice(piece);
                self.len = piece.len();
            }
            None => (self.sink)(piece),
        }
    }

    fn flush(&mut self) {
        if let Some(text) = self.chunk.get(..self.len) {
            (self.sink)(text);
        }
        self.len = 0;
    }
}

const HEX_DIGITS: &[u8; 16] = b"0123456789abcdef";

/// The digits of `number % 100`.
#[inline(always)]
fn two_digits(number: u8) -> &'static [u8; 2] {
    const PAIRS: [[u8; 2]; 100] = {
        let mut pairs = [[b'0'; 2]; 100];
        let mut number = 0;
        while number < pairs.len() {
            pairs[number] = [b'0' + number as u8 / 10, b'0' + number as u8 % 10];
            number += 1;
        }
        pairs
    };
    &PAIRS[usize::from(number) % PAIRS.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(print: impl FnOnce(&mut Out<'_>)) -> String {
        let mut text = Vec::new();
        Out::run(&mut |chunk| text.extend_from_slice(chunk), print);
        String::from_utf8(text).unwrap()
    }

    #[test]
    fn numbers_are_written_as_the_standard_library_does() {
        let powers = (0..64).map(|bit| 1u64 << bit);
        let tens = (0..20).map(|power| 10u64.pow(power));
        let around = powers.chain(tens).flat_map(|n| [n - 1, n, n + 1]);
        for number in around.chain([u64::MAX]) {
            assert_eq!(written(|out| out.decimal(number)), number.to_string());
        }
        for number in 0..=u16::MAX {
            assert_eq!(written(|out| out.hex(number)), format!("{number:x}"));
        }
        for number in 0..100 {
            assert_eq!(
                written(|out| out.two_digits(number)),
                format!("{number:02}")
            );
        }
    }

    #[test]
    fn pieces_stay_whole_over_chunks() {
        for offset in 0..CHUNK {
            let mut chunks = Vec::new();
            let mut sink = |chunk: &[u8]| chunks.push(String::from_utf8(chunk.to_vec()).unwrap());
            let blank = " ".repeat(offset);
            Out::run(&mut sink, |out| {
                out.put(&blank);
                out.put("äöü€");
                out.decimal(u64::MAX);
                out.put("ß");
            });
            assert_eq!(chunks.concat(), format!("{blank}äöü€{}ß", u64::MAX));
        }
    }

    #[test]
    fn pieces_longer_than_a_chunk() {
        let long = "x".repeat(CHUNK + 1);
        let exact = "y".repeat(CHUNK);
        let text = written(|out| {
            for piece in ["a", &long, "b", &exact, &exact, "c"] {
                out.put(piece);
            }
        });
        assert_eq!(text, format!("a{long}b{exact}{exact}c"));
    }
}
