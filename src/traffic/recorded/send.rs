//! Sends each recorded request to the baseline, the canary, and the baseline again, within limits.

use std::sync::Arc;
use std::time::Duration;

use reqwest::header::HeaderMap;
use tokio::sync::Semaphore;
use tokio::sync::mpsc::UnboundedSender;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use super::Recorded;
use super::clean::Cleaner;
use super::compare::{Prepared, compare, compare_silence};
use super::ledger::{Asked, Exchange, Outcome};
use super::normalise::{pattern, shown};
use super::pace::{Pace, offsets};
use crate::domain::text::{SafeText, fit};
use crate::traffic::target::{NoAnswer, Target, Wire};

/// So wide is a request as an example shows it, in cells.
const REQUEST_WIDTH: usize = 120;
/// A wait longer than this is cut into several: clocks of the system count no further.
const LONGEST_WAIT: Duration = Duration::from_hours(365 * 24);

/// Both sides, and how they are asked.
pub struct Sides {
    /// The version in use.
    pub baseline: Target,
    /// The version under test.
    pub canary: Target,
    /// Headers sent with each request, in place of those recorded; they may be credentials.
    pub headers: HeaderMap,
    /// What of an answer of the baseline is not shown.
    pub clean_baseline: Cleaner,
    /// What of an answer of the canary is not shown.
    pub clean_canary: Cleaner,
    /// Bytes of a body that are compared at most.
    pub keep: usize,
    /// Path patterns that go before those found.
    pub patterns: Vec<String>,
}

/// How fast and how many at once.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// When each is due.
    pub pace: Pace,
    /// Recorded requests a second, at most; each is sent three times.
    pub rate: f64,
    /// Recorded requests under way at once, at most.
    pub concurrency: usize,
}

/// No answer.
struct Silent {
    why: SafeText,
    /// It is ours: the request was not sent.
    unsent: bool,
}

/// What the sender tells.
#[derive(Debug)]
pub enum Event {
    /// A request is sent.
    Begun {
        /// So much later than it was due by its pace.
        late: Duration,
    },
    /// It is over.
    Done(Box<Exchange>),
}

impl Sides {
    /// Sends one recorded request three times, one after the other.
    pub async fn exchange(&self, recorded: &Recorded) -> Exchange {
        let mut headers = recorded.headers.clone();
        for (name, value) in &self.headers {
            headers.insert(name, value.clone());
        }
        let wire = Wire {
            method: recorded.method.clone(),
            path: recorded.path.clone(),
            headers,
            body: recorded.body.clone(),
        };
        let method = &recorded.method;
        let safe = |path: &str| {
            let line = format!("{method} {}", self.clean_baseline.clean(path));
            SafeText::from(fit(SafeText::new(&line).as_str(), REQUEST_WIDTH))
        };
        Exchange {
            place: recorded.place,
            pattern: safe(&pattern(&recorded.path, &self.patterns)),
            request: safe(&shown(&recorded.path)),
            outcome: self.outcome(&wire).await,
        }
    }

    async fn outcome(&self, wire: &Wire) -> Outcome {
        let before = match self.ask(Asked::Baseline, wire).await {
            Ok(answer) => answer,
            Err(Silent { why, .. }) => return Outcome::Unknown { asked: Asked::Baseline, why },
        };
        let canary = self.ask(Asked::Canary, wire).await;
        let again = self.ask(Asked::BaselineAgain, wire).await;
        // What never left this machine says nothing of anybody.
        for (asked, answer) in [(Asked::Canary, &canary), (Asked::BaselineAgain, &again)] {
            if let Err(Silent { why, unsent: true }) = answer {
                return Outcome::Unknown { asked, why: why.clone() };
            }
        }
        let mut silences = Vec::new();
        let mut beside = |asked: Asked, answer: &Result<Prepared, Silent>| match answer {
            Ok(answer) => compare(&before, answer),
            Err(silent) => {
                silences.push((asked, silent.why.clone()));
                compare_silence(&before, &silent.why)
            }
        };
        let differences = (beside(Asked::Canary, &canary), beside(Asked::BaselineAgain, &again));
        let answers = [Some(&before), canary.as_ref().ok(), again.as_ref().ok()];
        Outcome::Compared {
            canary: differences.0,
            noise: differences.1,
            silences,
            cut: answers.into_iter().flatten().any(Prepared::is_cut),
        }
    }

    async fn ask(&self, asked: Asked, wire: &Wire) -> Result<Prepared, Silent> {
        let (target, cleaner) = match asked {
            Asked::Canary => (&self.canary, &self.clean_canary),
            Asked::Baseline | Asked::BaselineAgain => (&self.baseline, &self.clean_baseline),
        };
        let mut wire = wire.clone();
        target.at_home(&mut wire.headers);
        match target.send(&wire, self.keep).await {
            Ok(answer) => Ok(Prepared::new(&answer, cleaner)),
            Err(why) => {
                let unsent = matches!(why, NoAnswer::Unsent(_));
                let why = match why {
                    NoAnswer::Timeout => "did not answer in time".into(),
                    NoAnswer::Connection(why) => format!("cannot be reached: {why}"),
                    NoAnswer::Unsent(why) => format!("could not be asked from here: {why}"),
                };
                Err(Silent { why: SafeText::new(&cleaner.clean(&why)), unsent })
            }
        }
    }
}

/// Sends all of `requests` and tells what came of them; ends when all is over. Dropped, it takes back
/// what is under way.
pub async fn replay(
    sides: Arc<Sides>,
    requests: Vec<Recorded>,
    limits: Limits,
    tell: UnboundedSender<Event>,
) {
    let places = Arc::new(Semaphore::new(limits.concurrency.max(1)));
    let gap = Duration::try_from_secs_f64(1.0 / limits.rate).unwrap_or(LONGEST_WAIT);
    let begin = Instant::now();
    let mut free = begin;
    let mut under_way = JoinSet::new();
    for (offset, recorded) in offsets(&requests, limits.pace).into_iter().zip(requests) {
        let due = begin + offset.min(LONGEST_WAIT);
        sleep_until(due.max(free)).await;
        // The semaphore is never closed.
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        let now = Instant::now();
        free = now + gap;
        if tell.send(Event::Begun { late: now.saturating_duration_since(due) }).is_err() {
            return;
        }
        let (sides, tell) = (Arc::clone(&sides), tell.clone());
        under_way.spawn(async move {
            let exchange = sides.exchange(&recorded).await;
            drop(place);
            // Who listens no longer has stopped the replay.
            let _ = tell.send(Event::Done(Box::new(exchange)));
        });
        while under_way.try_join_next().is_some() {}
    }
    while under_way.join_next().await.is_some() {}
}
