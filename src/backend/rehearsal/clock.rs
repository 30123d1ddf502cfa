//! The simulated clock: it runs at a speed that can be changed.

use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use jiff::{SignedDuration, Timestamp};

use crate::backend::clock::Clock;

/// Fastest speed; beyond it a simulated day passes between two frames.
const MAX_SPEED: f64 = 3_600.0;

/// A clock that starts at a fixed moment and runs at a speed that can be changed.
#[derive(Debug)]
pub struct SimulatedClock {
    pace: Mutex<Pace>,
}

#[derive(Debug, Clone, Copy)]
struct Pace {
    from: Timestamp,
    since: Instant,
    speed: f64,
}

impl Pace {
    fn at(self, instant: Instant) -> Timestamp {
        let passed = instant.saturating_duration_since(self.since).as_secs_f64() * self.speed;
        SignedDuration::try_from_secs_f64(passed)
            .ok()
            .and_then(|passed| self.from.checked_add(passed).ok())
            .unwrap_or(self.from)
    }
}

impl SimulatedClock {
    /// A clock that shows `start` now and runs `speed` times as fast as the wall's; zero is paused.
    pub fn new(start: Timestamp, speed: f64) -> Self {
        let pace = Pace { from: start, since: Instant::now(), speed: sane(speed) };
        Self { pace: Mutex::new(pace) }
    }

    /// Runs on from the present moment at this speed; zero is a pause.
    pub fn set_speed(&self, speed: f64) {
        let mut pace = self.pace.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        *pace = Pace { from: pace.at(now), since: now, speed: sane(speed) };
    }

    /// How many times as fast as the wall's it runs.
    pub fn speed(&self) -> f64 {
        self.pace.lock().unwrap_or_else(PoisonError::into_inner).speed
    }
}

impl Clock for SimulatedClock {
    fn now(&self) -> Timestamp {
        self.pace.lock().unwrap_or_else(PoisonError::into_inner).at(Instant::now())
    }
}

fn sane(speed: f64) -> f64 {
    if speed.is_finite() { speed.clamp(0.0, MAX_SPEED) } else { 1.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_paused_clock_stands_and_a_changed_speed_never_jumps() {
        let start = Timestamp::UNIX_EPOCH;
        let clock = SimulatedClock::new(start, 0.0);
        assert_eq!(clock.now(), start);
        let mut last = clock.now();
        for speed in [1.0, 60.0, 0.0, 10.0, f64::NAN, -3.0, 1e9] {
            clock.set_speed(speed);
            let now = clock.now();
            assert!(now >= last, "went back at x{speed}");
            last = now;
        }
        assert!((clock.speed() - MAX_SPEED).abs() < 1e-9);
    }

    #[test]
    fn a_pace_multiplies_the_time_that_passed() {
        let since = Instant::now();
        let pace = Pace { from: Timestamp::UNIX_EPOCH, since, speed: 60.0 };
        let later = pace.at(since + std::time::Duration::from_secs(10));
        assert_eq!(later, Timestamp::UNIX_EPOCH + SignedDuration::from_mins(10));
    }
}
