//! The names of labels.

use std::ffi::{CStr, CString};
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use crate::error::{Error, Result};

/// The names of labels, as the file `connlabel.conf` gives them.
///
/// Each line of the file has the number of a label, 0 to 1023, and its name:
/// letters, digits, hyphens and blanks.
///
/// ```
/// use netfilter_conntrack::LabelMap;
///
/// let map = LabelMap::parse(b"# bit  name\n1 web\n0x10 from eth0\n");
/// assert_eq!(map.name(16), Some("from eth0"));
/// assert_eq!(map.bit("web"), Some(1));
/// ```
///
/// # File format
/// - A line that begins with `#` is a comment. Blank lines are skipped.
/// - The number is decimal, hexadecimal behind `0x`, or octal behind `0`. White
///   space may stand before it; none is needed behind it: `5abc` names label 5
///   `abc`.
/// - The rest of the line is the name, without white space around it.
/// - A line is ignored as a whole where the number is missing, negative or
///   above 1023; where the name is empty or has another character than `A`–`Z`,
///   `a`–`z`, `0`–`9`, `-` and blank, such as a comment behind it; and where an
///   earlier line has the same number or the same name.
#[doc(alias = "nfct_labelmap")]
#[doc(alias = "nfct_labelmap_destroy")]
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LabelMap {
    /// At the place of its number the name of a label; empty where it has none.
    names: Vec<CString>,
}

impl LabelMap {
    /// Where the names are looked for by default.
    #[doc(alias = "nfct_labels_get_path")]
    pub const DEFAULT_PATH: &str = "/etc/xtables/connlabel.conf";

    /// The highest number of a label in the file.
    pub const MAX_BIT: u32 = 1023;

    /// Reads the names from [`DEFAULT_PATH`](Self::DEFAULT_PATH).
    ///
    /// # Errors
    /// As [`load`](Self::load).
    pub fn load_default() -> Result<Self> {
        Self::load(Self::DEFAULT_PATH)
    }

    /// Reads the names from a file. One without any gives an empty map, where
    /// `nfct_labelmap_new` gives NULL.
    ///
    /// # Errors
    /// [`Error::Io`] of the call `"open"` or `"read"`.
    #[doc(alias = "nfct_labelmap_new")]
    pub fn load(path: impl AsRef<Path>) -> Result<Self> {
        let failed = |call| {
            move |error: io::Error| Error::Io {
                call,
                errno: error.raw_os_error().unwrap_or(libc::EIO),
            }
        };
        let mut file = File::open(path).map_err(failed("open"))?;
        let mut content = Vec::new();
        file.read_to_end(&mut content).map_err(failed("read"))?;
        Ok(Self::parse(&content))
    }

    /// The names in the content of a file.
    #[must_use]
    pub fn parse(content: &[u8]) -> Self {
        let mut map = Self::default();
        for line in content.split(|byte| *byte == b'\n') {
            if let Some((bit, name)) = parse_line(line) {
                map.insert(bit, name);
            }
        }
        map
    }

    /// The name of a label.
    #[must_use]
    pub fn name(&self, bit: u32) -> Option<&str> {
        let name = self.name_or_empty(bit)?.to_str().ok()?;
        (!name.is_empty()).then_some(name)
    }

    /// The name of a label as a C string; an empty one where it has none but a
    /// higher one does, `None` above the highest. Counting up to `None`
    /// therefore lists the map.
    #[doc(alias = "nfct_labelmap_get_name")]
    #[must_use]
    pub fn name_or_empty(&self, bit: u32) -> Option<&CStr> {
        self.names
            .get(usize::try_from(bit).ok()?)
            .map(|name| &**name)
    }

    /// The label with exactly this name.
    #[doc(alias = "nfct_labelmap_get_bit")]
    #[must_use]
    pub fn bit(&self, name: impl AsRef<[u8]>) -> Option<u32> {
        let name = name.as_ref();
        let has_name = |known: &CString| !name.is_empty() && known.as_bytes() == name;
        let place = self.names.iter().position(has_name)?;
        u32::try_from(place).ok()
    }

    /// All labels with a name, in ascending order.
    pub fn iter(&self) -> impl Iterator<Item = (u32, &str)> {
        let bits = (0..).zip(&self.names).map(|(bit, _)| bit);
        bits.filter_map(|bit| Some((bit, self.name(bit)?)))
    }

    /// Whether no label has a name.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    fn insert(&mut self, bit: u16, name: CString) {
        if self.bit(name.as_bytes()).is_some() {
            return;
        }
        let place = usize::from(bit);
        if self.names.len() <= place {
            self.names.resize(place + 1, CString::default());
        }
        match self.names.get_mut(place) {
            Some(free) if free.is_empty() => *free = name,
            _ => {}
        }
    }
}

/// The number and the name in a line, where it has both.
fn parse_line(line: &[u8]) -> Option<(u16, CString)> {
    if line.starts_with(b"#") {
        return None;
    }
    let (bit, rest) = parse_number(line)?;
    let until_nul = rest.split(|byte| *byte == 0).next()?;
    let name = trim(until_nul);
    let allowed = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b' ' | b'-');
    if name.is_empty() || !name.iter().all(allowed) {
        return None;
    }
    Some((bit, CString::new(name).ok()?))
}

/// The number of a label that stands at the front as `strtoul` of base 0 would
/// read it, but for a minus sign; and what stands behind it.
fn parse_number(line: &[u8]) -> Option<(u16, &[u8])> {
    let unsigned = trim_start(line);
    let unsigned = unsigned.strip_prefix(b"+").unwrap_or(unsigned);
    let (radix, digits) = match unsigned {
        [b'0', b'x' | b'X', digits @ ..] if digits.first().is_some_and(u8::is_ascii_hexdigit) => {
            (16, digits)
        }
        [b'0', ..] => (8, unsigned),
        _ => (10, unsigned),
    };
    let is_digit = |byte: &u8| char::from(*byte).is_digit(radix);
    let end = digits
        .iter()
        .position(|byte| !is_digit(byte))
        .unwrap_or(digits.len());
    let (digits, rest) = digits.split_at_checked(end)?;
    let number = u64::from_str_radix(std::str::from_utf8(digits).ok()?, radix).ok()?;
    let bit = u16::try_from(number).ok()?;
    (u32::from(bit) <= LabelMap::MAX_BIT).then_some((bit, rest))
}

/// C's white space; Rust's ASCII one lacks the vertical tab.
fn is_space(byte: &u8) -> bool {
    byte.is_ascii_whitespace() || *byte == 0x0b
}

fn trim_start(bytes: &[u8]) -> &[u8] {
    let start = bytes.iter().position(|byte| !is_space(byte));
    start
        .and_then(|start| bytes.get(start..))
        .unwrap_or_default()
}

fn trim(bytes: &[u8]) -> &[u8] {
    let bytes = trim_start(bytes);
    let last = bytes.iter().rposition(|byte| !is_space(byte));
    last.and_then(|last| bytes.get(..=last)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(content: impl AsRef<[u8]>) -> Vec<(u32, String)> {
        let map = LabelMap::parse(content.as_ref());
        map.iter()
            .map(|(bit, name)| (bit, name.to_owned()))
            .collect()
    }

    #[test]
    fn lines() {
        for (content, expected) in [
            ("", &[][..]),
            ("# 1 comment\n\n \n", &[]),
            (" # 1 indented\n", &[]),
            ("1 foo", &[(1, "foo")]),
            ("5abc\n", &[(5, "abc")]),
            ("0x1f hexa\n010 eight\n", &[(8, "eight"), (31, "hexa")]),
            ("08foo\n+4 four\n", &[(0, "8foo"), (4, "four")]),
            ("0xyz\n", &[(0, "xyz")]),
            ("0X1F big\n", &[(31, "big")]),
            ("0x1fabel\n", &[]),
            ("1 a\n1 b\n", &[(1, "a")]),
            ("1 a\n2 a\n2 c\n", &[(1, "a"), (2, "c")]),
            ("1 a_b\n1 good\n", &[(1, "good")]),
            ("1 a\n2 A\n", &[(1, "a"), (2, "A")]),
            ("1 foo # c\n2 ok\n", &[(2, "ok")]),
            ("1 a,b\n2 \"c\"\n3 d\te\n4 ü\n5 ok\n", &[(5, "ok")]),
            ("1023 max\n1024 over\n", &[(1023, "max")]),
            ("7\n8 \n2 ok\n", &[(2, "ok")]),
            ("1 2\n", &[(1, "2")]),
            ("\t\x0b 3 \t two  blanks \x0c\r\n", &[(3, "two  blanks")]),
            ("1 nul\0 ignored_\n2 ok", &[(1, "nul"), (2, "ok")]),
            ("99999999999999999999999 x\n2 ok\n", &[(2, "ok")]),
            ("-18446744073709551615 x\n-1 y\n-0 z\n+ q\n", &[]),
            ("+-1 x\n++1 y\n+ 1 z\n", &[]),
        ] {
            let expected: Vec<_> = expected
                .iter()
                .map(|(b, n)| (*b, (*n).to_owned()))
                .collect();
            assert_eq!(names(content), expected, "{content:?}");
        }
    }

    #[test]
    fn long_lines_are_one_line() {
        let comment = format!("#{}9 nine\n1 one\n", "x".repeat(1022));
        assert_eq!(names(comment), [(1, "one".to_owned())]);
        let long = "n".repeat(5000);
        assert_eq!(names(format!("3 {long}\n")), [(3, long)]);
    }

    #[test]
    fn look_up() {
        let map = LabelMap::parse(b"3 three\n1 one\n");
        assert_eq!(
            (map.name(1), map.name(2), map.name(4)),
            (Some("one"), None, None)
        );
        assert_eq!(map.name_or_empty(2), Some(c""));
        assert_eq!(
            (map.name_or_empty(4), map.name_or_empty(u32::MAX)),
            (None, None)
        );
        assert_eq!(
            (map.bit("three"), map.bit("One"), map.bit("")),
            (Some(3), None, None)
        );
        assert!(LabelMap::parse(b"no number").is_empty());
    }

    #[test]
    fn files() {
        let missing = LabelMap::load("/nonexistent/connlabel.conf").unwrap_err();
        assert!(matches!(
            missing,
            Error::Io {
                call: "open",
                errno: libc::ENOENT
            }
        ));
        let directory = LabelMap::load("/").unwrap_err();
        assert!(matches!(
            directory,
            Error::Io {
                call: "read",
                errno: libc::EISDIR
            }
        ));
        assert!(LabelMap::load("/dev/null").unwrap().is_empty());
        let path = std::env::temp_dir().join(format!("connlabel-{}", std::process::id()));
        std::fs::write(&path, "0 zero\r\n127 last\r\n").unwrap();
        let map = LabelMap::load(&path);
        std::fs::remove_file(&path).unwrap();
        assert_eq!(map.unwrap(), LabelMap::parse(b"0 zero\n127 last"));
    }
}
