//! Coarse ages and durations as people say them: `3m`, `2h`, `9d`.

use jiff::{SignedDuration, Timestamp};

/// Time from `then` to `now`; zero if `then` lies in the future.
pub fn age(now: Timestamp, then: Timestamp) -> SignedDuration {
    now.duration_since(then).max(SignedDuration::ZERO)
}

/// A duration in one coarse unit, so that a screen changes seldom: `now` below 5 s, then `Ns`
/// in steps of 5 s, `Nm`, `Nh`, `Nd`.
pub fn coarse(duration: SignedDuration) -> String {
    let seconds = duration.as_secs().max(0);
    match seconds {
        0..=4 => "now".to_owned(),
        5..=59 => format!("{}s", seconds / 5 * 5),
        60..=3_599 => format!("{}m", seconds / 60),
        3_600..=172_799 => format!("{}h", seconds / 3_600),
        _ => format!("{}d", seconds / 86_400),
    }
}

/// The coarse age of `then` at `now`.
pub fn coarse_age(now: Timestamp, then: Timestamp) -> String {
    coarse(age(now, then))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_are_coarse() {
        for (seconds, shown) in [
            (-3, "now"),
            (4, "now"),
            (7, "5s"),
            (59, "55s"),
            (61, "1m"),
            (3_599, "59m"),
            (3_600, "1h"),
            (172_799, "47h"),
            (172_800, "2d"),
        ] {
            assert_eq!(coarse(SignedDuration::from_secs(seconds)), shown);
        }
    }
}
