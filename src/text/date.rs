//! Dates of entries.

use super::Out;
use super::local_time::LocalTime;

const WEEKDAYS: [&str; 7] = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

/// Writes a time in seconds since the epoch as C's `ctime` does, without its
/// newline: `Tue Nov 14 22:13:20 2023`. Nothing where local time is not known.
pub(crate) fn ctime(out: &mut Out<'_>, seconds: u64) {
    let Some(time) = LocalTime::at_in_current_zone(seconds) else {
        return;
    };
    out.put(name(&WEEKDAYS, time.weekday));
    out.put(" ");
    out.put(name(&MONTHS, time.month));
    out.put(if time.day < 10 { "  " } else { " " });
    out.decimal(time.day);
    for (separator, number) in [(" ", time.hour), (":", time.minute), (":", time.second)] {
        out.put(separator);
        out.two_digits(number);
    }
    out.put(" ");
    out.decimal(time.year.unsigned_abs());
}

/// Writes a time in seconds since the epoch as the element `<when>`. Nothing
/// where local time is not known.
pub(crate) fn when(out: &mut Out<'_>, seconds: u64) {
    let Some(time) = LocalTime::at(seconds) else {
        return;
    };
    out.put("<when><hour>");
    out.decimal(time.hour);
    out.put("</hour><min>");
    out.two_digits(time.minute);
    out.put("</min><sec>");
    out.two_digits(time.second);
    out.put("</sec><wday>");
    out.decimal(time.weekday + 1);
    out.put("</wday><day>");
    out.decimal(time.day);
    out.put("</day><month>");
    out.decimal(time.month + 1);
    out.put("</month><year>");
    out.decimal(time.year.unsigned_abs());
    out.put("</year></when>");
}

fn name<const N: usize>(names: &[&'static str; N], number: u8) -> &'static str {
    names.get(usize::from(number)).copied().unwrap_or_default()
}
