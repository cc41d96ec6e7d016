//! The texts that the C library wrote, case by case; see
//! `tests/data/vectors/README.md`.

pub(crate) mod calls;
mod clock;
mod differences;

use std::process::Command;
use std::{env, fs};

use serde_json::Value as Json;

use crate::conntrack::{EventKind, Format, LabelMap, Print, Show, Text};
use crate::error::Error;
use differences::Differences;

#[test]
fn entries() {
    in_each_zone("golden::entries", |zone| {
        let cases = cases("printing");
        assert_eq!(cases.len(), 935);
        let mut outcomes = Outcomes::default();
        for case in cases.iter().filter(|case| zone_of(case) == zone) {
            let entry = calls::entry(&case["attrs"]);
            let differences = Differences::of_entry(&entry, is_xml(case));
            outcomes.replay(case, &entry, &differences);
        }
        let expected = match zone {
            "UTC" => Outcomes {
                same: 879,
                different: 32,
                different_and_cut: 15,
                not_for_rust: 5,
            },
            _ => Outcomes {
                same: 2,
                ..Outcomes::default()
            },
        };
        assert_eq!(outcomes, expected);
    });
}

#[test]
fn expectations() {
    let cases = cases("printing-expect");
    assert_eq!(cases.len(), 227);
    let mut outcomes = Outcomes::default();
    for case in &cases {
        let expect = calls::expect(&case["attrs"]);
        let only = has_quirk(case, "exp-parse-family-swap").then(|| {
            let name = case["name"].as_str().unwrap().split('-').nth(2);
            name.unwrap()
        });
        let differences = Differences::of_expect(&expect, is_xml(case), only);
        outcomes.replay(case, &expect, &differences);
    }
    let expected = Outcomes {
        same: 209,
        different: 13,
        different_and_cut: 3,
        not_for_rust: 2,
    };
    assert_eq!(outcomes, expected);
}

const ZONES: [&str; 3] = ["UTC", "EST5EDT,M3.2.0,M11.1.0", "XYZ-5:30"];

/// Names the zone in the processes that [`in_each_zone`] starts.
const ZONE: &str = "NETFILTER_CONNTRACK_TEST_ZONE";

/// Runs `test` in each time zone by running the test function `name` again.
///
/// The C library takes the zone from the environment, which is not to be
/// changed while other tests run.
fn in_each_zone(name: &str, test: impl Fn(&str)) {
    if let Ok(zone) = env::var(ZONE) {
        return test(&zone);
    }
    for zone in ZONES {
        let output = Command::new(env::current_exe().unwrap())
            .args(["--exact", name, "--nocapture"])
            .env("TZ", zone)
            .env(ZONE, zone)
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(
            text.contains("test result: ok. 1 passed"),
            "{zone}: {text}{errors}"
        );
    }
}

pub(crate) fn cases(file: &str) -> Vec<Json> {
    let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/vectors");
    let lines = fs::read_to_string(format!("{directory}/{file}.jsonl")).unwrap();
    lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn zone_of(case: &Json) -> &str {
    case.get("tz")
        .map_or(ZONES[0], |zone| zone.as_str().unwrap())
}

fn is_xml(case: &Json) -> bool {
    case["out_type"] == 1
}

fn has_quirk(case: &Json, quirk: &str) -> bool {
    let quirks = case.get("quirk").and_then(Json::as_array);
    quirks.is_some_and(|quirks| quirks.iter().any(|one| one == quirk))
}

/// How many cases came out in which way.
#[derive(Debug, Default, PartialEq)]
struct Outcomes {
    /// As in the C library; the length of a text that is cut is the true one.
    same: usize,
    /// With deliberate differences.
    different: usize,
    /// Also, but only the text in front of the first difference is known.
    different_and_cut: usize,
    /// Languages that only C calls can ask for.
    not_for_rust: usize,
}

impl Outcomes {
    fn replay(&mut self, case: &Json, of: &dyn Print, differences: &Differences) {
        let name = case["name"].as_str().unwrap();
        let names = case.get("labelmap").and_then(label_map);
        let Some(format) = format(case, names.as_ref()) else {
            assert!(
                has_quirk(case, "bad-out-type") || case["size"] == 0,
                "{name}"
            );
            self.not_for_rust += 1;
            return;
        };
        let text = Text::new(of, format);
        let theirs = match (&case["text"], case.get("text_hex")) {
            (_, Some(hex)) => calls::bytes(hex),
            (text, None) => text.as_str().unwrap_or_default().into(),
        };
        // The true length of a text that is cut stands beside what C returned.
        let full = case.get("full_ret").unwrap_or(&case["ret"]).as_i64();
        let size = case["size"].as_u64().unwrap().min(1 << 16) as usize;
        let mut buffer = vec![0xff; size];
        let len = match text.snprintf(&mut buffer) {
            Ok(len) => len,
            Err(error) => {
                assert!(
                    matches!(error, Error::Invalid(_)) && full == Some(-1),
                    "{name}"
                );
                assert_eq!(until_nul(&buffer), theirs, "{name}");
                self.same += 1;
                return;
            }
        };
        let mut whole = Vec::new();
        text.append_to(&mut whole);
        assert_eq!(text.to_string(), String::from_utf8_lossy(&whole), "{name}");
        assert_eq!(len, whole.len(), "{name}");
        if size == 0 {
            // C aborts.
            assert!(has_quirk(case, "size-0-abort"), "{name}");
            self.different += 1;
            return;
        }
        let ours = until_nul(&buffer);
        assert_eq!(ours, &whole[..len.min(size - 1)], "{name}");
        let is_whole = full == Some(theirs.len() as i64);
        if !differences.any() {
            assert_same(ours, &theirs, name);
            assert_eq!(full, Some(len as i64), "{name}");
            self.same += 1;
        } else if is_whole {
            let changed = differences.apply(&theirs);
            assert_ne!(changed, theirs, "{name}");
            assert_same(ours, &changed, name);
            self.different += 1;
        } else {
            let front = differences.front(&theirs);
            assert_same(&ours[..front.len()], front, name);
            self.different_and_cut += 1;
        }
    }
}

fn assert_same(ours: &[u8], theirs: &[u8], name: &str) {
    let (shown, expected) = (ours.escape_ascii(), theirs.escape_ascii());
    assert!(ours == theirs, "{name}: {shown}\ninstead of {expected}");
}

fn until_nul(buffer: &[u8]) -> &[u8] {
    let end = buffer.iter().position(|byte| *byte == 0);
    &buffer[..end.expect("a NUL")]
}

fn format<'a>(case: &Json, names: Option<&'a LabelMap>) -> Option<Format<'a>> {
    let mut format = match case["out_type"].as_u64().unwrap() {
        0 => Format::plain(),
        1 => Format::xml(),
        _ => return None,
    };
    let flags = case["out_flags"].as_u64().unwrap();
    format = format.show(Show::from_bits_retain(flags as u32));
    if let Some(names) = names {
        format = format.labels(names);
    }
    Some(match case["msg_type"].as_u64().unwrap() {
        1 => format.event(EventKind::New),
        2 => format.event(EventKind::Update),
        4 => format.event(EventKind::Destroy),
        _ => format,
    })
}

fn label_map(lines: &Json) -> Option<LabelMap> {
    let lines = lines.as_array()?.iter();
    let lines = lines.map(|line| format!("{} {}\n", line[0], line[1].as_str().unwrap()));
    Some(LabelMap::parse(lines.collect::<String>().as_bytes()))
}
