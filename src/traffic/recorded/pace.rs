//! When each recorded request is due: at its original pace, scaled, or at once.

use std::str::FromStr;
use std::time::Duration;

use super::Recorded;

/// How fast.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Pace {
    /// So many times as fast as it was recorded.
    Times(f64),
    /// As fast as the limits let it.
    Max,
}

impl FromStr for Pace {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "max" {
            return Ok(Self::Max);
        }
        let number = text.strip_suffix('x').unwrap_or(text).parse::<f64>().ok();
        number
            .filter(|times| times.is_finite() && *times > 0.0)
            .map(Self::Times)
            .ok_or_else(|| "write 1 for the original pace, 2x, 0.5x, or max".to_owned())
    }
}

impl std::fmt::Display for Pace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Times(times) => write!(f, "{times}x"),
            Self::Max => f.write_str("max"),
        }
    }
}

/// How long after the first each of `requests`, which are in the order of their times, is due. One
/// without a time is due with the one before it.
pub fn offsets(requests: &[Recorded], pace: Pace) -> Vec<Duration> {
    let first = requests.iter().find_map(|request| request.at);
    let mut last = Duration::ZERO;
    let mut offsets = Vec::with_capacity(requests.len());
    for request in requests {
        if let (Pace::Times(times), Some(first), Some(at)) = (pace, first, request.at) {
            let passed = at.duration_since(first).as_secs_f64().max(0.0) / times;
            // More than the type can hold is never.
            last = Duration::try_from_secs_f64(passed).unwrap_or(Duration::MAX).max(last);
        }
        offsets.push(last);
    }
    offsets
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use reqwest::Method;
    use reqwest::header::HeaderMap;

    use super::*;

    fn request(millisecond: Option<i64>) -> Recorded {
        Recorded {
            place: 1,
            at: millisecond.map(|ms| Timestamp::from_millisecond(ms).unwrap()),
            method: Method::GET,
            path: "/".to_owned(),
            headers: HeaderMap::new(),
            body: None,
        }
    }

    #[test]
    fn requests_are_due_as_they_were_recorded() {
        let times = [None, Some(1_000), Some(1_500), None, Some(3_000)];
        let requests: Vec<Recorded> = times.into_iter().map(request).collect();
        for (pace, expected) in [
            ("1", [0, 0, 500, 500, 2_000]),
            ("2x", [0, 0, 250, 250, 1_000]),
            ("0.5x", [0, 0, 1_000, 1_000, 4_000]),
            ("max", [0; 5]),
        ] {
            let due: Vec<u128> =
                offsets(&requests, pace.parse().unwrap()).iter().map(Duration::as_millis).collect();
            assert_eq!(due, expected, "{pace}");
        }
        assert!(offsets(&[], Pace::Max).is_empty());
    }

    #[test]
    fn odd_paces_are_refused() {
        for text in ["", "x", "0", "-1", "inf", "NaN", "fast", "1e999"] {
            assert!(text.parse::<Pace>().is_err(), "{text}");
        }
        assert_eq!(
            "1e-300".parse::<Pace>().map(|p| offsets(&[request(Some(0))], p)).unwrap(),
            [Duration::ZERO]
        );
    }
}
