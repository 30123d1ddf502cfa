//! `Retry-After` (RFC 9110, section 10.2.3): seconds, or a date in any of the three HTTP forms.

use jiff::civil::DateTime;
use jiff::fmt::strtime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use reqwest::header::{HeaderMap, RETRY_AFTER};

/// When to come back, if the answer says so.
pub fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Timestamp> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse::<u64>() {
        let seconds = i64::try_from(seconds).unwrap_or(i64::MAX);
        let until = now.checked_add(SignedDuration::from_secs(seconds));
        return Some(until.unwrap_or(Timestamp::MAX));
    }
    http_date(text)
}

/// A date as HTTP writes it (RFC 9110, section 5.6.7): today's form and the two obsolete ones.
fn http_date(text: &str) -> Option<Timestamp> {
    ["%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT", "%a %b %e %H:%M:%S %Y"]
        .iter()
        .find_map(|form| strtime::parse(form, text).ok()?.to_datetime().ok())
        .and_then(|date: DateTime| date.to_zoned(TimeZone::UTC).ok())
        .map(|zoned| zoned.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_and_dates() {
        let now: Timestamp = "1994-11-06T08:49:00Z".parse().unwrap();
        for (text, expected) in [
            ("37", Some("1994-11-06T08:49:37Z")),
            (" 0 ", Some("1994-11-06T08:49:00Z")),
            ("Sun, 06 Nov 1994 08:49:37 GMT", Some("1994-11-06T08:49:37Z")),
            ("Sunday, 06-Nov-94 08:49:37 GMT", Some("1994-11-06T08:49:37Z")),
            ("Sun Nov  6 08:49:37 1994", Some("1994-11-06T08:49:37Z")),
            ("soon", None),
            ("-5", None),
            ("1.5", None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(RETRY_AFTER, text.parse().unwrap());
            let expected = expected.map(|t| t.parse::<Timestamp>().unwrap());
            assert_eq!(retry_after(&headers, now), expected, "{text:?}");
        }
        assert_eq!(retry_after(&HeaderMap::new(), now), None);
    }

    #[test]
    fn an_absurd_number_of_seconds_is_the_end_of_time() {
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, "18446744073709551615".parse().unwrap());
        assert_eq!(retry_after(&headers, Timestamp::UNIX_EPOCH), Some(Timestamp::MAX));
    }
}
