//! What came of the requests to one side: counts, each sort of failure apart, and a histogram of latency.

use std::time::Duration;

use hdrhistogram::Histogram;
use schemars::JsonSchema;
use serde::Serialize;

use crate::domain::text::SafeText;

/// The longest latency told apart, in microseconds: an hour.
const LONGEST: u64 = 3_600_000_000;
/// Digits of a latency that are right.
const DIGITS: u8 = 3;
/// Different words kept of one sort of failure, in the order in which they came.
const WORDS: usize = 3;

/// What came of one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The answer was right.
    Good,
    /// Another status than expected.
    Status(u16),
    /// The answer did not say what was expected.
    Expectation(SafeText),
    /// No connection, or one that broke.
    Connection(SafeText),
    /// No complete answer in time.
    Timeout,
    /// No place became free in time.
    Waited,
    /// This machine could not send it.
    Unsent(SafeText),
}

/// One request that is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Done {
    /// What came of it.
    pub outcome: Outcome,
    /// How long it waited for a free place.
    pub wait: Duration,
    /// From the time it was due to its end.
    pub latency: Duration,
    /// From when on it is slow.
    pub limit: Option<Duration>,
}

impl Done {
    /// Whether it has a latency worth telling. A refused connection is fast, and would make the rest look
    /// fast; what this machine could not send took no time at all.
    pub fn is_timed(&self) -> bool {
        !matches!(self.outcome, Outcome::Connection(_) | Outcome::Unsent(_))
    }
}

/// Sums of one side.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tally {
    /// Requests that were sent, and are over.
    pub sent: u64,
    /// Requests that were due and could not be sent: no place became free, or this machine failed.
    pub unsent: u64,
    /// Sent ones with an unexpected status.
    pub status: u64,
    /// Sent ones whose answer did not say what was expected.
    pub expectation: u64,
    /// Sent ones without a connection, or with one that broke.
    pub connection: u64,
    /// Sent ones without a complete answer in time.
    pub timeout: u64,
    /// Those with a latency limit; unsent ones too, for they took longer than any limit.
    pub limited: u64,
    /// Those of them beyond it.
    pub slow: u64,
    /// Those that waited for a free place.
    pub waited: u64,
    /// The longest such wait.
    pub longest_wait: Duration,
    /// Latency.
    pub latencies: Latencies,
    /// In other words, what went wrong: the first few of each sort.
    pub words: Vec<SafeText>,
}

impl Tally {
    /// Counts one more.
    pub fn add(&mut self, done: &Done) {
        let unsent = matches!(done.outcome, Outcome::Waited | Outcome::Unsent(_));
        *if unsent { &mut self.unsent } else { &mut self.sent } += 1;
        match &done.outcome {
            Outcome::Good | Outcome::Waited => {}
            Outcome::Status(status) => {
                self.status += 1;
                self.say(&format!("status {status}").as_str().into());
            }
            Outcome::Expectation(why) => {
                self.expectation += 1;
                self.say(why);
            }
            Outcome::Connection(why) => {
                self.connection += 1;
                self.say(why);
            }
            Outcome::Timeout => self.timeout += 1,
            Outcome::Unsent(why) => self.say(why),
        }
        // What failed before it was sent for another reason than waiting took no time worth telling.
        let timed = !matches!(done.outcome, Outcome::Unsent(_));
        if let Some(limit) = done.limit.filter(|_| timed) {
            self.limited += 1;
            self.slow += u64::from(done.latency > limit);
        }
        if !done.wait.is_zero() {
            self.waited += 1;
            self.longest_wait = self.longest_wait.max(done.wait);
        }
        if done.is_timed() {
            self.latencies.record(done.latency);
        }
    }

    /// Sent ones that went wrong, whatever way.
    pub fn errors(&self) -> u64 {
        self.status + self.expectation + self.connection + self.timeout
    }

    /// Requests that are over, sent or not.
    pub fn over(&self) -> u64 {
        self.sent + self.unsent
    }

    fn say(&mut self, words: &SafeText) {
        if self.words.len() < WORDS && !self.words.contains(words) {
            self.words.push(words.clone());
        }
    }
}

/// A histogram of latency; a place in memory is taken with the first.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Latencies(Option<Histogram<u64>>);

impl Latencies {
    /// Takes one more.
    pub fn record(&mut self, latency: Duration) {
        if self.0.is_none() {
            self.0 = Histogram::new_with_bounds(1, LONGEST, DIGITS).ok();
        }
        if let Some(histogram) = &mut self.0 {
            let micros = u64::try_from(latency.as_micros()).unwrap_or(LONGEST);
            histogram.saturating_record(micros.max(1));
        }
    }

    /// How many there are.
    pub fn count(&self) -> u64 {
        self.0.as_ref().map_or(0, Histogram::len)
    }

    /// The latency that a share `quantile` of all do not exceed; none without any.
    pub fn at(&self, quantile: f64) -> Option<Duration> {
        let histogram = self.0.as_ref().filter(|h| !h.is_empty())?;
        Some(Duration::from_micros(histogram.value_at_quantile(quantile)))
    }

    /// The histogram in bars that double in width, from the shortest latency to the longest.
    pub fn bars(&self) -> Vec<Bar> {
        let Some(histogram) = self.0.as_ref().filter(|h| !h.is_empty()) else { return Vec::new() };
        let mut bars: Vec<Bar> = histogram
            .iter_log(100, 2.0)
            .map(|step| Bar {
                up_to_ms: step.value_iterated_to() as f64 / 1e3,
                count: step.count_since_last_iteration(),
            })
            .collect();
        let empty = bars.iter().take_while(|bar| bar.count == 0).count();
        bars.drain(..empty);
        bars
    }
}

/// One bar of a histogram.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Bar {
    /// Latencies up to so many milliseconds, and beyond those of the bar before.
    pub up_to_ms: f64,
    /// How many.
    pub count: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn done(outcome: Outcome, ms: u64) -> Done {
        Done {
            outcome,
            wait: Duration::ZERO,
            latency: Duration::from_millis(ms),
            limit: Some(Duration::from_millis(100)),
        }
    }

    #[test]
    fn every_sort_of_failure_is_counted_apart() {
        let mut tally = Tally::default();
        for (outcome, ms) in [
            (Outcome::Good, 5),
            (Outcome::Good, 101),
            (Outcome::Status(500), 5),
            (Outcome::Status(500), 5),
            (Outcome::Expectation("/x is 1, expected 2".into()), 5),
            (Outcome::Connection("refused".into()), 1),
            (Outcome::Timeout, 2_000),
            (Outcome::Waited, 2_000),
            (Outcome::Unsent("too many open files".into()), 0),
        ] {
            tally.add(&done(outcome, ms));
        }
        let sorts = [tally.status, tally.expectation, tally.connection, tally.timeout];
        assert_eq!(sorts, [2, 1, 1, 1]);
        assert_eq!((tally.sent, tally.unsent, tally.over(), tally.errors()), (7, 2, 9, 5));
        assert_eq!((tally.limited, tally.slow), (8, 3));
        // Neither the refused connection nor what this machine could not send has a latency.
        assert_eq!(tally.latencies.count(), 7);
        let words: Vec<&str> = tally.words.iter().map(SafeText::as_str).collect();
        assert_eq!(words, ["status 500", "/x is 1, expected 2", "refused"]);
    }

    #[test]
    fn waiting_is_told() {
        let mut tally = Tally::default();
        for wait in [0, 30, 70] {
            let wait = Duration::from_millis(wait);
            tally.add(&Done { wait, ..done(Outcome::Good, 90) });
        }
        assert_eq!((tally.waited, tally.longest_wait), (2, Duration::from_millis(70)));
    }

    #[test]
    fn latencies_have_quantiles_and_bars() {
        let mut latencies = Latencies::default();
        assert_eq!((latencies.at(0.5), latencies.bars()), (None, Vec::new()));
        for ms in 1..=1000 {
            latencies.record(Duration::from_millis(ms));
        }
        latencies.record(Duration::from_secs(100_000));
        let near = |quantile: f64, ms: f64| {
            let found = latencies.at(quantile).unwrap().as_secs_f64() * 1e3;
            assert!((found / ms - 1.0).abs() < 0.002, "{quantile}: {found} is not {ms}");
        };
        near(0.5, 501.0);
        near(0.99, 991.0);
        near(1.0, 3_600_000.0);
        let bars = latencies.bars();
        assert_eq!(bars.iter().map(|bar| bar.count).sum::<u64>(), 1001);
        assert!(bars.windows(2).all(|pair| pair[0].up_to_ms < pair[1].up_to_ms), "{bars:?}");
        assert!(bars[0].count > 0);
    }
}
