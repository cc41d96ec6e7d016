//! What this crate deliberately writes in another way than the C library.

use std::ops::Range;

use crate::conntrack::{Attr, Conntrack, Counters, Direction};
use crate::expect::{Expect, ExpectAttr};

use super::until_nul;

/// The differences in the text of one object.
#[derive(Default, PartialEq)]
pub(super) struct Differences {
    /// A duration that is negative is 0 instead of a huge number.
    is_wrapped: bool,
    /// Elements of XML whose content is escaped.
    escaped: Vec<&'static str>,
    /// What XML has for the counters of the reply direction, which in C depends
    /// on the presence of those of the original direction.
    reply_counters: Option<String>,
    /// Plain text keeps a blank at the end of the helper's name.
    keeps_blank: bool,
    /// The part of a message that is about one tuple alone: in C its family
    /// goes to another tuple. The name of the tuple.
    only_tuple: Option<String>,
}

impl Differences {
    pub(super) fn of_entry(entry: &Conntrack, xml: bool) -> Self {
        let is_wrapped = is_wrapped(entry, xml);
        if !xml {
            return Self {
                is_wrapped,
                ..Self::default()
            };
        }
        let original = entry.counters(Direction::Original);
        let reply = entry.counters(Direction::Reply);
        let helper = Some(entry.helper_bytes()).filter(|_| entry.is_set(Attr::HelperName));
        let secctx = entry.secctx_bytes().filter(|_| entry.is_set(Attr::Secctx));
        let mut contents = vec![("helper", helper), ("secctx", secctx)];
        contents.retain(|(_, content)| content.is_some_and(needs_escape));
        Self {
            is_wrapped,
            escaped: contents.into_iter().map(|(element, _)| element).collect(),
            reply_counters: (original.is_some() != reply.is_some()).then(|| {
                reply.map_or_else(String::new, |Counters { packets, bytes }| {
                    format!(
                        "<counters><packets>{packets}</packets><bytes>{bytes}</bytes></counters>"
                    )
                })
            }),
            ..Self::default()
        }
    }

    /// `parsed_only` names the tuple that the expectation was parsed from, where
    /// it was one alone.
    pub(super) fn of_expect(expect: &Expect, xml: bool, parsed_only: Option<&str>) -> Self {
        let helper = until_nul(&expect.helper_name);
        let has_helper = expect.is_set(ExpectAttr::HelperName);
        let escaped = xml && has_helper && needs_escape(helper);
        Self {
            escaped: Vec::from_iter(escaped.then_some("helper-name")),
            keeps_blank: !xml && has_helper && helper.ends_with(b" "),
            only_tuple: parsed_only.map(str::to_owned),
            ..Self::default()
        }
    }

    pub(super) fn any(&self) -> bool {
        *self != Self::default()
    }

    /// The text of the C library with the differences.
    pub(super) fn apply(&self, text: &[u8]) -> Vec<u8> {
        let mut text = text.to_vec();
        let mut edits = self.edits(&text);
        edits.sort_by_key(|(range, _)| range.start);
        for (range, replacement) in edits.into_iter().rev() {
            text.splice(range, replacement);
        }
        text
    }

    /// What stands in front of the first difference.
    pub(super) fn front<'a>(&self, text: &'a [u8]) -> &'a [u8] {
        let edits = self.edits(text);
        let first = edits.iter().map(|(range, _)| range.start).min();
        &text[..first.unwrap_or(text.len())]
    }

    /// Where the text, which may be cut, is to be changed to what.
    fn edits(&self, text: &[u8]) -> Vec<(Range<usize>, Vec<u8>)> {
        let mut edits = Vec::new();
        let durations = ["delta-time=", "<deltatime>"];
        let duration = durations.iter().find_map(|front| behind(text, 0, front));
        if let Some(start) = duration.filter(|_| self.is_wrapped) {
            let digits = text[start..]
                .iter()
                .take_while(|byte| byte.is_ascii_digit());
            edits.push((start..start + digits.count(), b"0".to_vec()));
        }
        for element in &self.escaped {
            if let Some(start) = behind(text, 0, &format!("<{element}>")) {
                let close = format!("</{element}>");
                let mut windows = text[start..].windows(close.len());
                let len = windows.rposition(|part| part == close.as_bytes());
                let content = start..start + len.unwrap_or(text.len() - start);
                let escaped = escape(&text[content.clone()]);
                edits.push((content, escaped));
            }
        }
        if let Some(counters) = &self.reply_counters {
            edits.extend(counters_of_reply(text).map(|range| (range, counters.clone().into())));
        }
        if self.keeps_blank {
            edits.push((text.len()..text.len(), b" ".to_vec()));
        }
        if let Some(name) = &self.only_tuple {
            edits.push(own_family(text, name));
        }
        edits
    }
}

/// Whether the C library writes a negative duration.
fn is_wrapped(entry: &Conntrack, xml: bool) -> bool {
    let (start, stop) = (entry.timestamp_start, entry.timestamp_stop);
    let second = 1_000_000_000;
    let wrapped = if xml {
        entry.is_set(Attr::TimestampStop) && stop < start
    } else {
        stop != 0 && stop / second < start / second
    };
    entry.is_set(Attr::TimestampStart) && wrapped
}

fn needs_escape(content: &[u8]) -> bool {
    let special = |byte: &u8| b"&<>\"'".contains(byte) || *byte < b' ' && !b"\t\n\r".contains(byte);
    std::str::from_utf8(content).is_err() || content.iter().any(special)
}

fn escape(content: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(content)
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\'', "&apos;");
    let visible = |c: char| {
        if c < ' ' && !"\t\n\r".contains(c) {
            '\u{fffd}'
        } else {
            c
        }
    };
    text.chars().map(visible).collect::<String>().into()
}

/// Where the counters of the reply direction stand or would stand.
fn counters_of_reply(text: &[u8]) -> Option<Range<usize>> {
    let reply = behind(text, 0, "<meta direction=\"reply\">")?;
    let start = behind(text, reply, "</layer4>")?;
    let end =
        start + behind(&text[start..], 0, "</meta>").map_or(text.len() - start, |end| end - 7);
    let zone = behind(&text[..end], start, "</zone>");
    Some(zone.unwrap_or(start)..end)
}

/// The addresses in the text of the only tuple, which are those of the recorded
/// messages.
fn own_family(text: &[u8], only: &str) -> (Range<usize>, Vec<u8>) {
    let [source, destination] = match only {
        "mask" => ["255.255.255.255"; 2],
        _ => ["1.1.1.1", "2.2.2.2"],
    };
    if let Some(start) = behind(text, 0, "<layer3 ") {
        let end = behind(text, start, "</layer3>").unwrap();
        let [number, name] = if only == "expected" {
            ["2", "ipv4"]
        } else {
            ["0", "unknown"]
        };
        let mut layer3 = format!("protonum=\"{number}\" protoname=\"{name}\">");
        for tuple in ["expected", "mask", "master"] {
            let [source, destination] = if tuple == only {
                [source, destination]
            } else {
                [""; 2]
            };
            layer3 += &format!("<{tuple}><src>{source}</src><dst>{destination}</dst></{tuple}>");
        }
        return (start..end, (layer3 + "</layer3>").into());
    }
    let proto = if only == "expected" { 6 } else { 0 };
    let prefix = if only == "expected" {
        String::new()
    } else {
        format!("{only}-")
    };
    let ports = text.windows(6).position(|part| part == b"sport=").unwrap();
    let ports_end = behind(text, ports, "dport=").unwrap();
    let digits = text[ports_end..]
        .iter()
        .take_while(|byte| byte.is_ascii_digit());
    let ports = String::from_utf8(text[ports..ports_end + digits.count()].to_vec()).unwrap();
    let plain = format!("proto={proto} {prefix}src={source} {prefix}dst={destination} {ports}");
    (0..text.len(), plain.into())
}

/// The place behind the first `what` that stands at `from` or behind it.
fn behind(text: &[u8], from: usize, what: &str) -> Option<usize> {
    let mut windows = text[from..].windows(what.len());
    let place = windows.position(|part| part == what.as_bytes())?;
    Some(from + place + what.len())
}
