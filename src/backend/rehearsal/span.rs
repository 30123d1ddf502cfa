//! Times in scenario files: offsets from the start and durations, as people write them.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Deserializer};

/// A signed length of time: `90s`, `-4m`, `-2d3h`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span(pub SignedDuration);

impl Span {
    /// So many seconds.
    pub const fn secs(seconds: i64) -> Self {
        Self(SignedDuration::from_secs(seconds))
    }

    /// Its length in seconds.
    pub fn seconds(self) -> f64 {
        self.0.as_secs_f64()
    }

    /// The moment so far from `start`; `start` itself if there is no such moment.
    pub fn after(self, start: Timestamp) -> Timestamp {
        start.checked_add(self.0).unwrap_or(start)
    }

    /// Reads `90s`, `-4m`, `1h30m`, `-2d`.
    pub fn parse(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is not a time: write it like 90s, -4m, 1h30m or -2d");
        let (sign, mut rest) = match text.strip_prefix('-') {
            Some(rest) => (-1, rest),
            None => (1, text.strip_prefix('+').unwrap_or(text)),
        };
        if rest.is_empty() {
            return Err(wrong());
        }
        let mut total: i64 = 0;
        while !rest.is_empty() {
            let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
            let (number, tail) = rest.split_at_checked(digits).ok_or_else(wrong)?;
            let number: i64 = number.parse().map_err(|_| wrong())?;
            let mut chars = tail.chars();
            let unit = match chars.next() {
                Some('s') => 1,
                Some('m') => 60,
                Some('h') => 3_600,
                Some('d') => 86_400,
                _ => return Err(wrong()),
            };
            total = number
                .checked_mul(unit)
                .and_then(|part| total.checked_add(part))
                // Beyond some years the calendar ends.
                .filter(|total| *total < 1_000_000_000)
                .ok_or_else(wrong)?;
            rest = chars.as_str();
        }
        Ok(Self::secs(sign * total))
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_as_people_write_them() {
        for (text, seconds) in
            [("90s", 90), ("-4m", -240), ("1h30m", 5_400), ("-2d", -172_800), ("+5m", 300)]
        {
            assert_eq!(Span::parse(text), Ok(Span::secs(seconds)), "{text}");
        }
        for text in ["", "-", "4", "m", "4x", "4m3", "é", "99999999999999999999s", "999999999d"] {
            assert!(Span::parse(text).is_err(), "{text}");
        }
    }
}
