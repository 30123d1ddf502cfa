//! The book of a probe: what was due, what came of it, and, tick by tick, what the judge says.

use std::collections::BTreeMap;
use std::time::Duration;

use schemars::JsonSchema;
use serde::Serialize;

use super::design::{Design, ERRORS, SLOW};
use super::frozen::Frozen;
use super::tally::{Done, Tally};
use crate::judge::{Action, Analysis, Report, Sample, SpecError, Verdict};

/// One of the two that are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The version in use.
    Baseline,
    /// The version under test.
    Canary,
}

/// Both, or something of both.
#[derive(Clone, Debug, Default, PartialEq, Serialize, JsonSchema)]
pub struct Both<T> {
    /// The version in use.
    pub baseline: T,
    /// The version under test.
    pub canary: T,
}

impl<T> Both<T> {
    /// Of one side.
    pub fn of(&self, side: Side) -> &T {
        match side {
            Side::Baseline => &self.baseline,
            Side::Canary => &self.canary,
        }
    }

    /// Of one side, to change it.
    pub fn of_mut(&mut self, side: Side) -> &mut T {
        match side {
            Side::Baseline => &mut self.baseline,
            Side::Canary => &mut self.canary,
        }
    }
}

/// What the book is told.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// A request is due, to both sides.
    Due {
        /// In which tick.
        tick: u64,
        /// How much later than planned this machine came to it.
        late: Duration,
    },
    /// A request is over.
    Done {
        /// To which side.
        side: Side,
        /// In which tick it was due.
        tick: u64,
        /// Which request it was, counted from 0.
        request: usize,
        /// What came of it.
        done: Done,
    },
    /// Nothing more is due.
    AllDue,
}

/// One tick that was judged.
#[derive(Clone, Debug, PartialEq)]
pub struct Tick {
    /// Counted from 0.
    pub number: u64,
    /// Whether it belongs to the warm-up.
    pub warm_up: bool,
    /// What came of its requests.
    pub tallies: Both<Tally>,
    /// What is known after it.
    pub verdict: Verdict,
    /// Odds of harm after it.
    pub odds: String,
}

#[derive(Clone, Debug, Default)]
struct Open {
    due: u64,
    tallies: Both<Tally>,
}

/// The book.
#[derive(Clone, Debug)]
pub struct Book {
    analysis: Analysis,
    warm_up_ticks: u64,
    baseline_errors: f64,
    /// From when on an answer is slow to a request that has no limit of its own.
    frozen: Frozen,
    /// Whether each request has a limit of its own.
    limited: Vec<bool>,
    /// Requests of later ticks that were over before the warm-up was: what is slow was not known.
    held: Vec<(Side, u64, usize, Done)>,
    open: BTreeMap<u64, Open>,
    /// The next tick to judge.
    next: u64,
    /// The newest tick in which something was due; nothing more is due in those before.
    newest: u64,
    all_due: bool,
    /// Requests that were due, to each side; the warm-up is among them.
    pub due: u64,
    /// How much later than planned this machine came to a request, at most.
    pub late: Duration,
    /// What came of all, without the warm-up.
    pub tallies: Both<Tally>,
    /// The same by request.
    pub by_request: Vec<Both<Tally>>,
    /// Requests that are over, to each side; the warm-up is among them.
    pub over: Both<u64>,
}

impl Book {
    /// An empty book.
    ///
    /// # Errors
    /// A specification that cannot be judged.
    pub fn new(design: &Design) -> Result<Self, SpecError> {
        let mut analysis = Analysis::new(design.spec.clone())?;
        analysis.step(0.5);
        Ok(Self {
            analysis,
            warm_up_ticks: design.spec.warm_up_ticks,
            baseline_errors: design.baseline_errors,
            frozen: Frozen::new(design.requests.len(), design.learns()),
            limited: design.requests.iter().map(|request| request.latency.is_some()).collect(),
            held: Vec::new(),
            open: BTreeMap::new(),
            next: 0,
            newest: 0,
            all_due: false,
            due: 0,
            late: Duration::ZERO,
            tallies: Both::default(),
            by_request: vec![Both::default(); design.requests.len()],
            over: Both::default(),
        })
    }

    /// Takes one event; returns the ticks that it completed, in their order.
    pub fn take(&mut self, event: Event) -> Vec<Tick> {
        match event {
            Event::Due { tick, late } => {
                self.due += 1;
                self.late = self.late.max(late);
                self.newest = self.newest.max(tick);
                self.open.entry(tick).or_default().due += 1;
            }
            Event::Done { side, tick, request, done } => {
                *self.over.of_mut(side) += 1;
                if tick < self.warm_up_ticks {
                    if side == Side::Baseline && done.is_timed() && done.limit.is_none() {
                        self.frozen.learn(request, done.latency);
                    }
                    self.open.entry(tick).or_default().tallies.of_mut(side).add(&done);
                } else if self.frozen.is_set() {
                    self.count(side, tick, request, done);
                } else {
                    self.held.push((side, tick, request, done));
                }
            }
            Event::AllDue => self.all_due = true,
        }
        let mut judged = self.judge();
        if !self.frozen.is_set() && self.is_warm() {
            self.frozen.set();
            for (side, tick, request, done) in std::mem::take(&mut self.held) {
                self.count(side, tick, request, done);
            }
            judged.extend(self.judge());
        }
        judged
    }

    /// Counts a request of after the warm-up.
    fn count(&mut self, side: Side, tick: u64, request: usize, mut done: Done) {
        done.limit = done.limit.or(self.frozen.limit(request));
        self.tallies.of_mut(side).add(&done);
        if let Some(both) = self.by_request.get_mut(request) {
            both.of_mut(side).add(&done);
        }
        self.open.entry(tick).or_default().tallies.of_mut(side).add(&done);
    }

    /// Whether everything of the warm-up is over.
    fn is_warm(&self) -> bool {
        let begun = self.all_due || self.newest >= self.warm_up_ticks;
        begun && self.open.first_key_value().is_none_or(|(tick, _)| *tick >= self.warm_up_ticks)
    }

    /// From when on an answer to this request was called slow, if the warm-up told that; none while it
    /// is under way, and of what has a limit of its own.
    pub fn learned(&self, request: usize) -> Option<Duration> {
        let own = self.limited.get(request).copied().unwrap_or(false);
        self.frozen.limit(request).filter(|_| !own)
    }

    /// What is known now. A baseline that fails itself, as by a wrong path in the design, is no
    /// yardstick: nobody passes by being as bad.
    pub fn report(&self) -> Report {
        let mut report = self.analysis.report();
        let baseline = &self.tallies.baseline;
        let share = baseline.errors() as f64 / baseline.sent.max(1) as f64;
        if report.verdict == Verdict::Pass && share > self.baseline_errors {
            report.verdict = Verdict::NotEnoughData;
            report.action = Action::Hold;
            "NO YARDSTICK".clone_into(&mut report.lead);
            report.sentence = format!(
                "the canary is no worse, but {:.0}% of the baseline's own answers are errors (up to \
                 {:.0}% are tolerated).",
                100.0 * share,
                100.0 * self.baseline_errors
            );
        }
        report
    }

    /// Whether nothing more is due.
    pub fn is_all_due(&self) -> bool {
        self.all_due
    }

    /// Requests that were due and are not over, to each side.
    pub fn under_way(&self) -> Both<u64> {
        Both {
            baseline: self.due.saturating_sub(self.over.baseline),
            canary: self.due.saturating_sub(self.over.canary),
        }
    }

    fn judge(&mut self) -> Vec<Tick> {
        let mut judged = Vec::new();
        while let Some((&number, open)) = self.open.first_key_value() {
            let over = |tally: &Tally| tally.over() == open.due;
            let complete = (self.all_due || number < self.newest)
                && over(&open.tallies.baseline)
                && over(&open.tallies.canary);
            if !complete {
                break;
            }
            // With few requests some ticks have none, and the warm-up is counted in ticks.
            while self.next < number {
                self.analysis.push(&[]);
                self.next += 1;
            }
            let Some((number, open)) = self.open.pop_first() else { break };
            let both = &open.tallies;
            self.analysis.push_named([
                (ERRORS, sample(both, |tally| (tally.sent, tally.errors()))),
                (SLOW, sample(both, |tally| (tally.limited, tally.slow))),
            ]);
            self.next = number + 1;
            let report = self.report();
            judged.push(Tick {
                number,
                warm_up: number < self.warm_up_ticks,
                tallies: open.tallies,
                verdict: report.verdict,
                odds: report.harm.text,
            });
        }
        judged
    }
}

fn sample(both: &Both<Tally>, counts: impl Fn(&Tally) -> (u64, u64)) -> Sample {
    let of = |side| {
        let (requests, events) = counts(both.of(side));
        (requests as f64, events as f64)
    };
    Sample::counts(of(Side::Baseline), of(Side::Canary))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::traffic::design::parse;
    use crate::traffic::tally::Outcome;

    fn book() -> Book {
        let text = "rate = 100\nduration = '60s'\nwarm_up = '2s'\nlatency = '100ms'\n\
                    [requests.home]\npath = '/'\n";
        Book::new(&parse(Path::new("p.toml"), text).unwrap()).unwrap()
    }

    fn due(tick: u64) -> Event {
        Event::Due { tick, late: Duration::from_millis(tick) }
    }

    fn over(side: Side, tick: u64, outcome: Outcome) -> Event {
        let latency = Duration::from_millis(5);
        let limit = Some(Duration::from_millis(100));
        let done = Done { outcome, wait: Duration::ZERO, latency, limit };
        Event::Done { side, tick, request: 0, done }
    }

    /// Numbers of the ticks that an event completes.
    fn take(book: &mut Book, event: Event) -> Vec<u64> {
        book.take(event).iter().map(|tick| tick.number).collect()
    }

    #[test]
    fn a_tick_is_judged_when_all_of_it_is_over_on_both_sides_and_those_before_are() {
        let mut book = book();
        for tick in [0, 0, 1] {
            assert!(take(&mut book, due(tick)).is_empty());
        }
        let good = |side, tick| over(side, tick, Outcome::Good);
        assert!(take(&mut book, good(Side::Canary, 1)).is_empty());
        assert!(take(&mut book, good(Side::Baseline, 1)).is_empty());
        assert!(take(&mut book, good(Side::Canary, 0)).is_empty());
        assert!(take(&mut book, good(Side::Canary, 0)).is_empty());
        assert!(take(&mut book, good(Side::Baseline, 0)).is_empty());
        assert_eq!(take(&mut book, good(Side::Baseline, 0)), [0]);
        // More may be due in the newest one.
        assert_eq!(take(&mut book, Event::AllDue), [1]);
        assert_eq!((book.due, book.over.clone()), (3, Both { baseline: 3, canary: 3 }));
        assert_eq!(book.late, Duration::from_millis(1));
        assert_eq!(book.under_way(), Both::default());
    }

    #[test]
    fn what_is_slow_is_learned_from_the_baseline_in_the_warm_up() {
        let text = "rate = 100\nduration = '60s'\nwarm_up = '2s'\n[requests.home]\npath = '/'\n";
        let mut book = Book::new(&parse(Path::new("p.toml"), text).unwrap()).unwrap();
        let answer = |side, tick, ms| {
            let latency = Duration::from_millis(ms);
            let done = Done { outcome: Outcome::Good, wait: Duration::ZERO, latency, limit: None };
            Event::Done { side, tick, request: 0, done }
        };
        let mut late = None;
        for tick in 0..40 {
            for number in 0..100 {
                book.take(due(tick));
                let slow = if tick < 2 { number } else { 50 };
                let last = answer(Side::Baseline, tick, slow);
                // One of the warm-up ends long after it.
                if (tick, number) == (1, 99) {
                    late = Some(last);
                } else {
                    drop(book.take(last));
                }
                // The canary is slow in the warm-up too: nobody asks it what is slow.
                let slow = if number < 20 { 200 } else { 50 };
                book.take(answer(Side::Canary, tick, slow));
            }
            if tick == 4 {
                assert_eq!((book.learned(0), book.tallies.canary.sent), (None, 0));
                assert_eq!((book.over.canary, book.under_way().canary), (500, 0));
                let judged = take(&mut book, late.take().unwrap());
                assert_eq!(judged, [1, 2, 3], "what was held is judged now");
                assert_eq!(book.tallies.canary.limited, 300);
            }
        }
        book.take(Event::AllDue);
        let learned = book.learned(0).unwrap().as_millis();
        assert!((93..=96).contains(&learned), "{learned}");
        let (canary, baseline) = (&book.tallies.canary, &book.tallies.baseline);
        assert_eq!((canary.limited, canary.slow), (3_800, 760));
        assert_eq!((baseline.limited, baseline.slow), (3_800, 0));
        let report = book.report();
        assert_eq!((report.verdict, &report.culprits[..]), (Verdict::Fail, &[SLOW.to_owned()][..]));
    }

    #[test]
    fn the_warm_up_is_sent_and_not_counted() {
        let mut book = book();
        for tick in 0..4 {
            book.take(due(tick));
            for side in [Side::Baseline, Side::Canary] {
                book.take(over(side, tick, Outcome::Status(500)));
            }
        }
        book.take(Event::AllDue);
        assert_eq!((book.due, book.tallies.canary.errors()), (4, 2));
        assert_eq!(book.by_request[0].baseline.sent, 2);
        assert_eq!(book.report().ticks, 2);
    }

    #[test]
    fn errors_of_the_canary_alone_end_in_a_failure() {
        let mut book = book();
        let mut verdicts = Vec::new();
        for tick in 0..12 {
            for number in 0..100 {
                verdicts.extend(book.take(due(tick)));
                book.take(over(Side::Baseline, tick, Outcome::Good));
                let outcome = if number < 30 { Outcome::Timeout } else { Outcome::Good };
                verdicts.extend(book.take(over(Side::Canary, tick, outcome)));
            }
        }
        verdicts.extend(book.take(Event::AllDue));
        let warm: Vec<bool> = verdicts.iter().map(|tick| tick.warm_up).collect();
        assert_eq!(warm.iter().filter(|warm| **warm).count(), 2);
        assert_eq!(verdicts[2].verdict, Verdict::NotEnoughData);
        assert_eq!(verdicts.last().unwrap().verdict, Verdict::Fail);
        assert_eq!(book.report().culprits, [ERRORS]);
    }

    #[test]
    fn two_sides_without_errors_pass_by_the_floor() {
        let mut book = book();
        for tick in 0..62 {
            for _ in 0..100 {
                book.take(due(tick));
                book.take(over(Side::Baseline, tick, Outcome::Good));
                book.take(over(Side::Canary, tick, Outcome::Good));
            }
        }
        book.take(Event::AllDue);
        let report = book.report();
        assert_eq!(report.verdict, Verdict::Pass, "{report:?}");
        assert!(report.notes.is_empty(), "{:?}", report.notes);
    }

    #[test]
    fn a_baseline_that_fails_itself_lets_nobody_pass() {
        let mut book = book();
        for tick in 0..62 {
            for _ in 0..100 {
                book.take(due(tick));
                book.take(over(Side::Baseline, tick, Outcome::Status(404)));
                book.take(over(Side::Canary, tick, Outcome::Status(404)));
            }
        }
        book.take(Event::AllDue);
        assert_eq!(book.analysis.report().verdict, Verdict::Pass);
        let report = book.report();
        assert_eq!(
            (report.verdict, report.lead.as_str()),
            (Verdict::NotEnoughData, "NO YARDSTICK")
        );
        assert!(report.sentence.contains("100% of the baseline's own"), "{}", report.sentence);
    }

    #[test]
    fn ticks_without_a_request_keep_the_count() {
        let mut book = book();
        for tick in [0, 5, 9] {
            book.take(due(tick));
            book.take(over(Side::Baseline, tick, Outcome::Good));
            book.take(over(Side::Canary, tick, Outcome::Good));
        }
        assert_eq!(take(&mut book, Event::AllDue), [9]);
        let report = book.report();
        assert_eq!(report.ticks, 8, "ten, and two of them are the warm-up");
        assert_eq!(report.verdict, Verdict::NotEnoughData);
    }
}
