//! Bytes as the text of an XML element.

use super::Out;

/// Writes bytes so that they stay text in XML 1.0.
///
/// Markup becomes entities. What XML cannot hold, control characters and bytes
/// that are not UTF-8, becomes U+FFFD.
pub(crate) fn xml(out: &mut Out<'_>, bytes: &[u8]) {
    for part in bytes.utf8_chunks() {
        valid(out, part.valid());
        if !part.invalid().is_empty() {
            out.put(REPLACEMENT);
        }
    }
}

const REPLACEMENT: &str = "\u{fffd}";

fn valid(out: &mut Out<'_>, text: &str) {
    let mut rest = text;
    while let Some(place) = rest.find(|c| substitute(c).is_some()) {
        let (plain, special) = rest.split_at(place);
        out.put(plain);
        let mut chars = special.chars();
        out.put(chars.next().and_then(substitute).unwrap_or_default());
        rest = chars.as_str();
    }
    out.put(rest);
}

/// What stands for a character that cannot stand for itself.
fn substitute(c: char) -> Option<&'static str> {
    Some(match c {
        '&' => "&amp;",
        '<' => "&lt;",
        '>' => "&gt;",
        '"' => "&quot;",
        '\'' => "&apos;",
        '\t' | '\n' | '\r' => return None,
        '\0'..' ' | '\u{fffe}' | '\u{ffff}' => REPLACEMENT,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn escaped(bytes: &[u8]) -> String {
        let mut text = Vec::new();
        Out::run(&mut |chunk| text.extend_from_slice(chunk), |out| {
            xml(out, bytes);
        });
        String::from_utf8(text).unwrap()
    }

    #[test]
    fn markup_and_what_xml_cannot_hold() {
        for (bytes, expected) in [
            (&b"system_u:object_r:x_t:s0"[..], "system_u:object_r:x_t:s0"),
            (b"", ""),
            (b"<a&b>\"'", "&lt;a&amp;b&gt;&quot;&apos;"),
            (b"a\tb\nc\rd", "a\tb\nc\rd"),
            (b"\x01\x1b[0m\x7f", "\u{fffd}\u{fffd}[0m\x7f"),
            (b"\xfe\x80x", "\u{fffd}\u{fffd}x"),
            (
                "h\u{e4}\u{fffe}\u{ffff}\u{1f600}".as_bytes(),
                "hä\u{fffd}\u{fffd}😀",
            ),
            (b"cut \xe2\x82", "cut \u{fffd}"),
        ] {
            assert_eq!(escaped(bytes), expected);
        }
    }
}
