//! Times and ages as the operator reads them.

use jiff::tz::{Offset, TimeZone};
use jiff::{SignedDuration, Timestamp};

use crate::app::State;
use crate::domain::time::{age, coarse};

/// The clock time of `at`; its day where it is of another day and more than 20 hours away.
pub fn moment(state: &State, at: Timestamp) -> String {
    let (local, today) = (at.to_zoned(zone(state)), state.now.to_zoned(zone(state)));
    let far = at.duration_since(state.now).abs() > SignedDuration::from_hours(20);
    let days = far && local.date() != today.date();
    local.strftime(if days { "%b %d" } else { "%H:%M" }).to_string()
}

/// The clock of the header.
pub fn clock(state: &State) -> String {
    state.now.to_zoned(zone(state)).strftime("%H:%M").to_string()
}

/// Day and time, whole.
pub fn full(state: &State, at: Timestamp) -> String {
    at.to_zoned(zone(state)).strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// What the clock times are in.
pub fn zone_word(state: &State) -> String {
    if state.setup.options.utc_offset == 0 {
        "UTC".to_owned()
    } else {
        state.now.to_zoned(zone(state)).strftime("%:z").to_string()
    }
}

fn zone(state: &State) -> TimeZone {
    Offset::from_seconds(state.setup.options.utc_offset).map_or(TimeZone::UTC, TimeZone::fixed)
}

/// The age of something that moved: in steps of a minute, so that a calm screen stays still.
pub fn ago(state: &State, at: Timestamp) -> String {
    steady(age(state.now, at))
}

/// The same by the minutes of the clock: where there are many, they all move on at once, and between two
/// minutes nothing is drawn.
pub fn minutes(state: &State, at: Timestamp) -> String {
    let minute = |at: Timestamp| at.as_second().div_euclid(60);
    let minutes = (minute(state.now) - minute(at)).max(0);
    steady(SignedDuration::from_secs(60 * minutes))
}

/// How long it still takes until `at`.
pub fn until(state: &State, at: Timestamp) -> String {
    if at <= state.now {
        return "over".to_owned();
    }
    format!("in {}", steady(at.duration_since(state.now)))
}

/// A duration in steps of at least a minute.
pub fn steady(duration: SignedDuration) -> String {
    if duration < SignedDuration::from_mins(1) { "<1m".to_owned() } else { coarse(duration) }
}
