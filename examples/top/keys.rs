//! Bytes of a terminal in, keys out.

/// A key that means something here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Key {
    Character(char),
    Enter,
    Backspace,
    Escape,
    /// Ctrl and this letter.
    Control(char),
}

/// Puts together what one key sends in several bytes.
#[derive(Debug, Default)]
pub(crate) struct Decoder {
    state: State,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Start,
    /// After an escape byte: the key of that name, or the beginning of another.
    Escape,
    /// Inside of what an arrow or a function key sends.
    Sequence,
}

impl Decoder {
    /// Takes in a byte.
    pub(crate) fn push(&mut self, byte: u8) -> Option<Key> {
        match (self.state, byte) {
            (State::Escape, b'[' | b'O') => self.state = State::Sequence,
            // The parameters go on.
            (State::Sequence, b'0'..=b'9' | b';' | b'[') => {}
            (State::Sequence, _) => self.state = State::Start,
            (_, 0x1b) => self.state = State::Escape,
            // A key together with Alt.
            (State::Escape, _) => self.state = State::Start,
            (State::Start, _) => return key(byte),
        }
        None
    }

    /// Whether it depends on what comes next which key it is.
    pub(crate) fn is_unsure(&self) -> bool {
        self.state == State::Escape
    }

    /// Nothing has come for a while.
    pub(crate) fn pause(&mut self) -> Option<Key> {
        match std::mem::take(&mut self.state) {
            State::Escape => Some(Key::Escape),
            _ => None,
        }
    }
}

fn key(byte: u8) -> Option<Key> {
    Some(match byte {
        b'\r' | b'\n' => Key::Enter,
        0x08 | 0x7f => Key::Backspace,
        0x01..=0x1a => Key::Control(char::from(byte - 1 + b'a')),
        b' '..=b'~' => Key::Character(char::from(byte)),
        // Addresses and names of states are ASCII.
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(bytes: &[u8]) -> Vec<Key> {
        let mut decoder = Decoder::default();
        let pushed = bytes.iter().map(|byte| decoder.push(*byte));
        let mut keys: Vec<_> = pushed.flatten().collect();
        keys.extend(decoder.pause());
        keys
    }

    #[test]
    fn bytes_are_keys() {
        let expected = [
            Key::Character('q'),
            Key::Enter,
            Key::Backspace,
            Key::Control('c'),
        ];
        assert_eq!(keys(b"q\r\x7f\x03"), expected);
    }

    #[test]
    fn what_arrows_and_function_keys_send_is_skipped() {
        assert_eq!(
            keys(b"\x1b[A\x1bOB\x1b[1;5C\x1b[15~\x1b[[Aq"),
            [Key::Character('q')]
        );
        // Alt-x, and a letter of two bytes.
        assert_eq!(keys("\x1bxöq".as_bytes()), [Key::Character('q')]);
    }

    #[test]
    fn escape_is_a_key_if_nothing_follows() {
        assert_eq!(keys(b"\x1b"), [Key::Escape]);
        let mut decoder = Decoder::default();
        assert_eq!(decoder.push(0x1b), None);
        assert!(decoder.is_unsure());
        assert_eq!(decoder.push(b'['), None);
        assert!(!decoder.is_unsure());
        assert_eq!(decoder.push(b'A'), None);
        assert_eq!(decoder.push(b'q'), Some(Key::Character('q')));
    }
}
