//! A replay second by second, in the form of which a canary can be judged: how many requests were
//! compared, and in how many the canary, or the baseline asked again, differed.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::Serialize;

use super::ledger::Entered;
use crate::traffic::book::Both;

/// Name and version of the format.
pub const FORMAT: &str = "flightdeck/replay-tick/1";
/// The length of a tick.
const LENGTH: Duration = Duration::from_secs(1);

/// What was compared in one tick.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct ReplayTick {
    /// Name and version of this format.
    #[schemars(extend("const" = FORMAT))]
    pub format: &'static str,
    /// Its number, from 0.
    pub tick: u64,
    /// When it ended: its requests were compared in the `seconds` before.
    pub at: Timestamp,
    /// How long it was.
    pub seconds: f64,
    /// Requests of which nothing is known, because the baseline did not answer.
    pub unknown: u64,
    /// The baseline, asked again, against itself: noise.
    #[serde(flatten)]
    pub sides: Both<Compared>,
}

/// What was compared of one side.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Compared {
    /// Requests that were compared.
    pub sent: u64,
    /// Those whose answer was not that which the baseline had given.
    pub differences: u64,
}

/// Counts until a tick is over.
#[derive(Debug)]
pub struct Ticks {
    began: Timestamp,
    number: u64,
    unknown: u64,
    sides: Both<Compared>,
}

impl Ticks {
    /// Nothing counted yet.
    pub fn new(began: Timestamp) -> Self {
        Self { began, number: 0, unknown: 0, sides: Both::default() }
    }

    /// Counts one more.
    pub fn add(&mut self, entered: Entered) {
        let Entered::Compared { canary, noise } = entered else {
            self.unknown += 1;
            return;
        };
        for (side, differs) in [(&mut self.sides.canary, canary), (&mut self.sides.baseline, noise)]
        {
            side.sent += 1;
            side.differences += u64::from(differs);
        }
    }

    /// The tick that is over after so long, if one is; those in which nothing was compared are left out.
    pub fn over(&mut self, elapsed: Duration) -> Option<ReplayTick> {
        let now = elapsed.as_secs() / LENGTH.as_secs();
        (now > self.number).then(|| self.end(now)).flatten()
    }

    /// The last one, which may be short.
    pub fn last(&mut self) -> Option<ReplayTick> {
        self.end(self.number + 1)
    }

    fn end(&mut self, next: u64) -> Option<ReplayTick> {
        let tick = std::mem::replace(&mut self.number, next);
        let unknown = std::mem::take(&mut self.unknown);
        let sides = std::mem::take(&mut self.sides);
        let ended = SignedDuration::from_secs(i64::try_from(tick + 1).unwrap_or(i64::MAX));
        (unknown > 0 || sides != Both::default()).then(|| ReplayTick {
            format: FORMAT,
            tick,
            at: self.began.saturating_add(ended).unwrap_or(self.began),
            seconds: LENGTH.as_secs_f64(),
            unknown,
            sides,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_second_is_told_once_and_a_silent_one_is_not() {
        let began: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
        let mut ticks = Ticks::new(began);
        let compared = |canary, noise| Entered::Compared { canary, noise };
        ticks.add(compared(true, false));
        ticks.add(compared(true, true));
        ticks.add(Entered::Unknown);
        assert!(ticks.over(Duration::from_millis(999)).is_none());
        let first = ticks.over(Duration::from_millis(1_010)).unwrap();
        assert_eq!(first.sides.canary, Compared { sent: 2, differences: 2 });
        assert_eq!(first.sides.baseline, Compared { sent: 2, differences: 1 });
        assert_eq!((first.tick, first.unknown), (0, 1));
        assert_eq!(first.at, "2026-01-01T00:00:01Z".parse().unwrap());
        assert!(ticks.over(Duration::from_secs(3)).is_none(), "nothing was compared");
        ticks.add(compared(false, false));
        let last = ticks.last().unwrap();
        assert_eq!((last.tick, last.at), (3, "2026-01-01T00:00:04Z".parse().unwrap()));
        assert!(ticks.last().is_none());
    }
}
