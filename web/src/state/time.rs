//! Instants and durations as text.
//!
//! The console sends RFC 3339 in UTC. Local time needs the browser's offset,
//! which comes in as an argument.

/// Microseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Instant(pub(crate) i64);

const SECOND: i64 = 1_000_000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

impl Instant {
    /// Reads `2026-01-31T23:59:59.123456Z`; `None` for anything else.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        let separators = [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':')];
        if separators
            .iter()
            .any(|&(at, byte)| bytes.get(at) != Some(&byte))
        {
            return None;
        }
        let number = |from: usize, to: usize| digits(bytes.get(from..to)?);
        let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
        let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
        let in_range = (1..=12).contains(&month)
            && (1..=31).contains(&day)
            && hour < 24
            && minute < 60
            && second <= 60;
        if !in_range {
            return None;
        }
        let fraction = text.get(19..)?.strip_suffix('Z')?;
        let micros = match fraction.strip_prefix('.') {
            None if fraction.is_empty() => 0,
            Some(decimals) if (1..=9).contains(&decimals.len()) => {
                let mut micros = digits(decimals.as_bytes())?;
                for _ in decimals.len()..6 {
                    micros *= 10;
                }
                for _ in 6..decimals.len() {
                    micros /= 10;
                }
                micros
            }
            _ => return None,
        };
        let days = days_from_civil(year, month, day);
        Some(Self(
            days * DAY + hour * HOUR + minute * MINUTE + second * SECOND + micros,
        ))
    }

    /// Milliseconds since 1970, as the browser counts.
    pub(crate) fn from_millis(millis: f64) -> Self {
        Self((millis * 1000.0) as i64)
    }

    /// Milliseconds since 1970.
    pub(crate) fn millis(self) -> f64 {
        (self.0 / 1000) as f64
    }

    /// `14:03:59.123` at this offset from UTC.
    pub(crate) fn clock(self, offset: Offset) -> String {
        let of_day = (self.0 + offset.micros()).rem_euclid(DAY);
        let mut text = String::with_capacity(12);
        pad(&mut text, of_day / HOUR, 2);
        text.push(':');
        pad(&mut text, of_day % HOUR / MINUTE, 2);
        text.push(':');
        pad(&mut text, of_day % MINUTE / SECOND, 2);
        text.push('.');
        pad(&mut text, of_day % SECOND / 1000, 3);
        text
    }

    /// The day at this offset from UTC, counted from 1970.
    pub(crate) fn day(self, offset: Offset) -> i64 {
        (self.0 + offset.micros()).div_euclid(DAY)
    }

    /// `2026-01-31 14:03:59` at this offset from UTC.
    pub(crate) fn local(self, offset: Offset) -> String {
        let local = self.0 + offset.micros();
        let (year, month, day) = civil_from_days(local.div_euclid(DAY));
        let mut text = String::with_capacity(19);
        pad(&mut text, year, 4);
        text.push('-');
        pad(&mut text, month, 2);
        text.push('-');
        pad(&mut text, day, 2);
        text.push(' ');
        text.push_str(&self.clock(offset)[..8]);
        text
    }

    /// `2026-01-31 14:03:59.123456 UTC`.
    pub(crate) fn utc(self) -> String {
        let mut text = self.local(Offset(0));
        text.push('.');
        pad(&mut text, self.0.rem_euclid(SECOND), 6);
        text.push_str(" UTC");
        text
    }

    /// `2026-01-31T14:03:59.123456Z`, as RFC 3339 has it.
    pub(crate) fn rfc3339(self) -> String {
        self.utc().replacen(' ', "T", 1).replacen(" UTC", "Z", 1)
    }

    /// How long ago, in the largest unit that fits: `12 s ago`.
    pub(crate) fn ago(self, now: Self) -> String {
        let age = now.0 - self.0;
        let (count, unit) = match age {
            ..SECOND => return "just now".to_owned(),
            SECOND..MINUTE => (age / SECOND, " s ago"),
            MINUTE..HOUR => (age / MINUTE, " min ago"),
            HOUR..DAY => (age / HOUR, " h ago"),
            _ => (age / DAY, " d ago"),
        };
        count.to_string() + unit
    }

    /// The time since an earlier instant, signed: `+1.250 s`.
    pub(crate) fn since(self, earlier: Self) -> String {
        let delta = self.0 - earlier.0;
        let mut text = String::from(if delta < 0 { "-" } else { "+" });
        let delta = delta.abs();
        text.push_str(&(delta / SECOND).to_string());
        text.push('.');
        pad(&mut text, delta % SECOND / 1000, 3);
        text.push_str(" s");
        text
    }
}

/// Minutes east of UTC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Offset(pub(crate) i32);

impl Offset {
    fn micros(self) -> i64 {
        i64::from(self.0) * MINUTE
    }
}

/// A measured duration: `0.8 ms`, `42 ms`, `1.25 s`, `2 min 5 s`.
pub(crate) fn elapsed(millis: f64) -> String {
    let tenths = (millis.max(0.0) * 10.0).round() as u64;
    match tenths {
        ..100 => decimal(tenths, 1) + " ms",
        100..10_000 => (tenths / 10).to_string() + " ms",
        10_000..600_000 => decimal(tenths / 100, 2) + " s",
        _ => {
            let seconds = tenths / 10_000;
            (seconds / 60).to_string() + " min " + &(seconds % 60).to_string() + " s"
        }
    }
}

/// A running clock, as exact as the page's clock ticks: whole seconds.
pub(crate) fn running(millis: f64) -> String {
    let seconds = (millis.max(0.0) / 1000.0) as u64;
    match seconds {
        ..60 => seconds.to_string() + " s",
        _ => (seconds / 60).to_string() + " min " + &(seconds % 60).to_string() + " s",
    }
}

fn decimal(number: u64, places: usize) -> String {
    let scale = 10_u64.pow(places as u32);
    let mut text = (number / scale).to_string();
    text.push('.');
    pad(&mut text, (number % scale) as i64, places);
    text
}

fn pad(text: &mut String, number: i64, width: usize) {
    let digits = number.to_string();
    for _ in digits.len()..width {
        text.push('0');
    }
    text.push_str(&digits);
}

fn digits(bytes: &[u8]) -> Option<i64> {
    bytes.iter().try_fold(0_i64, |number, byte| {
        byte.is_ascii_digit()
            .then(|| number * 10 + i64::from(byte - b'0'))
    })
}

/// Days since 1970-01-01 in the proleptic Gregorian calendar. Years start in
/// March here, so that the leap day is the last one.
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let years = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * years + years / 4 - years / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 {
        shifted + 3
    } else {
        shifted - 9
    };
    let year = years + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Instant {
        Instant::parse(text).unwrap()
    }

    #[test]
    fn parses_what_the_console_sends() {
        assert_eq!(at("1970-01-01T00:00:00Z"), Instant(0));
        assert_eq!(at("2026-01-01T00:00:00.000001Z").0, 1_767_225_600_000_001);
        assert_eq!(at("2024-02-29T12:00:00.5Z").0, 1_709_208_000_500_000);
        assert_eq!(at("2024-02-29T12:00:00.123456789Z").0 % SECOND, 123_456);
    }

    #[test]
    fn refuses_the_rest() {
        for text in [
            "",
            "2026-01-01",
            "2026-01-01T00:00:00",
            "2026-13-01T00:00:00Z",
            "2026-01-01T00:00:00.Z",
            "2026-01-01T24:00:00Z",
            "20é6-01-01T00:00:00Z",
            "2026-01-01T00:00:00+01:00",
        ] {
            assert_eq!(Instant::parse(text), None, "{text}");
        }
    }

    #[test]
    fn dates_come_back() {
        for text in [
            "2026-01-31T23:59:59Z",
            "2000-02-29T00:00:00Z",
            "1969-12-31T01:02:03Z",
        ] {
            let shown = at(text).local(Offset(0)).replace(' ', "T") + "Z";
            assert_eq!(shown, text);
            assert_eq!(Instant::parse(&at(text).rfc3339()), Some(at(text)));
        }
    }

    #[test]
    fn local_time_crosses_midnight() {
        let instant = at("2026-03-01T00:30:00.042Z");
        assert_eq!(instant.clock(Offset(-60)), "23:30:00.042");
        assert_eq!(instant.local(Offset(-60)), "2026-02-28 23:30:00");
    }

    #[test]
    fn exact_time() {
        assert_eq!(
            at("2026-03-01T00:30:00.000042Z").utc(),
            "2026-03-01 00:30:00.000042 UTC"
        );
    }

    #[test]
    fn ages_and_deltas() {
        let then = at("2026-01-01T00:00:00Z");
        for (later, expected) in [
            ("2025-12-31T23:00:00Z", "just now"),
            ("2026-01-01T00:00:59Z", "59 s ago"),
            ("2026-01-01T00:01:00Z", "1 min ago"),
            ("2026-01-01T23:59:00Z", "23 h ago"),
            ("2026-01-03T01:00:00Z", "2 d ago"),
        ] {
            assert_eq!(then.ago(at(later)), expected);
        }
        assert_eq!(at("2026-01-01T00:00:01.25Z").since(then), "+1.250 s");
        assert_eq!(then.since(at("2026-01-01T00:00:01.25Z")), "-1.250 s");
    }

    #[test]
    fn durations() {
        for (millis, expected) in [
            (0.0, "0.0 ms"),
            (0.84, "0.8 ms"),
            (9.94, "9.9 ms"),
            (42.4, "42 ms"),
            (1250.0, "1.25 s"),
            (59_990.0, "59.99 s"),
            (125_000.0, "2 min 5 s"),
            (-1.0, "0.0 ms"),
        ] {
            assert_eq!(elapsed(millis), expected, "{millis}");
        }
        for (millis, expected) in [
            (-1.0, "0 s"),
            (1_990.0, "1 s"),
            (59_999.0, "59 s"),
            (61_000.0, "1 min 1 s"),
        ] {
            assert_eq!(running(millis), expected, "{millis}");
        }
    }
}
