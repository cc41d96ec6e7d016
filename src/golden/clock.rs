//! Texts that depend on the time of writing, as of times at which the C library
//! was asked.

use std::time::{Duration, SystemTime};

use super::in_each_zone;
use crate::conntrack::{Attr, Conntrack, Format, L4Proto, Show};

fn as_of(format: Format<'_>, seconds: u64) -> Format<'_> {
    format.as_of(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds))
}

fn entry(start: u64) -> Conntrack {
    let mut entry = Conntrack::new();
    entry.store(Attr::OrigL4proto, &[L4Proto::ICMP.0]);
    entry.timestamp_start = start;
    entry.head.set.insert(Attr::TimestampStart);
    entry
}

fn text(entry: &Conntrack, format: Format<'_>, seconds: u64) -> String {
    entry.display(as_of(format, seconds)).to_string()
}

#[test]
fn when() {
    in_each_zone("golden::clock::when", |zone| {
        let element = |seconds| {
            let mut entry = Conntrack::new();
            entry.set_helper("ftp").unwrap();
            let text = text(&entry, Format::xml().show(Show::TIME), seconds);
            let (_, tail) = text.split_once("</meta><when>").unwrap();
            tail.strip_suffix("</when><helper>ftp</helper></flow>")
                .unwrap()
                .to_owned()
        };
        let [time, date] = match zone {
            "UTC" => [
                "<hour>22</hour><min>13</min>",
                "<wday>3</wday><day>14</day>",
            ],
            "XYZ-5:30" => ["<hour>3</hour><min>43</min>", "<wday>4</wday><day>15</day>"],
            _ => [
                "<hour>17</hour><min>13</min>",
                "<wday>3</wday><day>14</day>",
            ],
        };
        let expected = format!("{time}<sec>20</sec>{date}<month>11</month><year>2023</year>");
        assert_eq!(element(1_700_000_000), expected);
        if zone == "UTC" {
            let expected = "<hour>0</hour><min>00</min><sec>05</sec>\
                            <wday>5</wday><day>1</day><month>1</month><year>1970</year>";
            assert_eq!(element(5), expected);
            // Far beyond what a 32-bit clock holds.
            assert!(element(18_446_744_073).ends_with("<month>7</month><year>2554</year>"));
        }
    });
}

#[test]
fn dates() {
    in_each_zone("golden::clock::dates", |zone| {
        let mut entry = entry(1_699_999_990_500_000_000);
        entry.head.set.insert(Attr::TimestampStop);
        let text = text(&entry, Format::plain().show(Show::TIMESTAMP), 1_700_000_000);
        let (_, times) = text.split_once("delta-time=").unwrap();
        let expected = match zone {
            "UTC" => "10 [start=Tue Nov 14 22:13:10 2023] [stop=Thu Jan  1 00:00:00 1970]",
            "XYZ-5:30" => "10 [start=Wed Nov 15 03:43:10 2023] [stop=Thu Jan  1 05:30:00 1970]",
            _ => "10 [start=Tue Nov 14 17:13:10 2023] [stop=Wed Dec 31 19:00:00 1969]",
        };
        assert_eq!(times, expected);
    });
}

#[test]
fn durations_without_an_end() {
    let plain = |start, now| {
        let text = text(&entry(start), Format::plain(), now);
        text.split_once("delta-time=").unwrap().1.to_owned()
    };
    let xml = |start, now| {
        let text = text(&entry(start), Format::xml(), now);
        let (_, rest) = text.split_once("<deltatime>").unwrap();
        rest.split_once('<').unwrap().0.to_owned()
    };
    for (start, now, seconds) in [
        (1_699_999_990_500_000_000, 1_700_000_000, "10"),
        (1_699_999_990_500_000_000, 1_699_999_990, "0"),
        // In the future, where C writes 18446744073709551613.
        (1_700_000_003_500_000_000, 1_700_000_000, "0"),
        (0, 1_700_000_000, "1700000000"),
        (u64::MAX, 0, "0"),
    ] {
        assert_eq!(plain(start, now), seconds);
        assert_eq!(xml(start, now), seconds);
    }
}

#[test]
fn the_clock_is_read_where_no_time_is_given() {
    let now = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap();
    let text = entry(0).to_string();
    let (_, seconds) = text.split_once("delta-time=").unwrap();
    let seconds: u64 = seconds.parse().unwrap();
    // The clock that is read may be some milliseconds behind.
    let earliest = now.as_secs() - 1;
    assert!((earliest..earliest + 60).contains(&seconds));
}

#[test]
fn a_time_that_no_calendar_holds_is_left_out() {
    let mut entry = entry(0);
    entry.set_helper("ftp").unwrap();
    let text = text(&entry, Format::xml().show(Show::TIME), i64::MAX as u64);
    assert!(
        text.ends_with("</deltatime></meta><helper>ftp</helper></flow>"),
        "{text}"
    );
}
