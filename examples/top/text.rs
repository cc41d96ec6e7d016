//! Numbers and addresses in few characters.

use std::time::Duration;

/// A number of bytes in at most five characters: `0`, `999`, `1.2k`, `340M`.
pub(crate) fn bytes(number: u64) -> String {
    const UNITS: [char; 6] = ['k', 'M', 'G', 'T', 'P', 'E'];
    if number < 1000 {
        return number.to_string();
    }
    let (mut whole, mut rest) = (number, 0);
    let mut unit = ' ';
    for next in UNITS {
        if whole < 1000 {
            break;
        }
        (whole, rest, unit) = (whole / 1000, whole % 1000 / 100, next);
    }
    match whole {
        0..100 => format!("{whole}.{rest}{unit}"),
        _ => format!("{whole}{unit}"),
    }
}

/// A number with its thousands apart.
pub(crate) fn count(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A time in at most four characters: `59s`, `12m`, `47h`, `400d`.
pub(crate) fn age(time: Duration) -> String {
    match time.as_secs() {
        seconds @ 0..100 => format!("{seconds}s"),
        seconds @ 100..6_000 => format!("{}m", seconds / 60),
        seconds @ 6_000..360_000 => format!("{}h", seconds / 3_600),
        seconds => format!("{}d", seconds / 86_400),
    }
}

/// The text in so many characters. What does not fit is cut out of the middle:
/// both the network in front and the port behind tell more.
pub(crate) fn fit(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return format!("{text:width$}");
    }
    let behind = width.saturating_sub(1) / 2;
    let before = width.saturating_sub(1) - behind;
    let length = text.chars().count();
    let cut = text.chars().take(before).chain(['~']);
    cut.chain(text.chars().skip(length - behind))
        .take(width)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_short() {
        let cases = [
            (0, "0"),
            (999, "999"),
            (1_000, "1.0k"),
            (1_999, "1.9k"),
            (99_999, "99.9k"),
            (100_000, "100k"),
            (999_999, "999k"),
            (1_000_000, "1.0M"),
            (12_345_678_901, "12.3G"),
            (u64::MAX, "18.4E"),
        ];
        for (number, text) in cases {
            assert_eq!(bytes(number), text);
        }
    }

    #[test]
    fn thousands_are_apart() {
        let cases = [
            (0, "0"),
            (999, "999"),
            (1_000, "1,000"),
            (1_234_567, "1,234,567"),
        ];
        for (number, text) in cases {
            assert_eq!(count(number), text);
        }
    }

    #[test]
    fn ages_are_short() {
        let cases = [
            (0, "0s"),
            (99, "99s"),
            (100, "1m"),
            (5_999, "99m"),
            (6_000, "1h"),
            (359_999, "99h"),
            (360_000, "4d"),
        ];
        for (seconds, text) in cases {
            assert_eq!(age(Duration::from_secs(seconds)), text);
        }
    }

    #[test]
    fn a_long_text_loses_its_middle() {
        assert_eq!(fit("[2001:db8::1]:443", 17), "[2001:db8::1]:443");
        assert_eq!(fit("[2001:db8::1]:443", 9), "[200~:443");
        assert_eq!(fit("short", 7), "short  ");
        assert_eq!(fit("abc", 1), "~");
        assert_eq!(fit("abc", 0), "");
    }
}
