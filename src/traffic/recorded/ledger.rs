//! What was compared, by path pattern and field, and which of it is noise.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use super::compare::{Differences, Field, Pair, Part};
use crate::domain::pattern::glob;
use crate::domain::text::SafeText;
use crate::judge::special::ln_gamma;

/// Where the baseline itself is noisy, a difference counts only if chance makes one so one-sided in
/// at most one of so many comparisons.
pub const CHANCE: f64 = 100.0;
/// More patterns than this are counted as one.
const MOST_PATTERNS: usize = 500;
/// More fields than this of one pattern are counted as one.
const MOST_FIELDS: usize = 1_000;
/// The pattern of those beyond.
const OTHERS: &str = "(other paths)";

/// Who was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Asked {
    /// The version in use, for the first time.
    Baseline,
    /// The version under test.
    Canary,
    /// The version in use, for the second time.
    BaselineAgain,
}

impl Asked {
    /// In words.
    pub fn word(self) -> &'static str {
        match self {
            Self::Baseline => "the baseline",
            Self::Canary => "the canary",
            Self::BaselineAgain => "the baseline, asked again,",
        }
    }
}

/// One recorded request that was sent.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// The line or entry that it comes from.
    pub place: u64,
    /// Method and path, ids as `{}`.
    pub pattern: SafeText,
    /// Method and path, fit to be shown.
    pub request: SafeText,
    /// What came of it.
    pub outcome: Outcome,
}

/// What came of a request.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// The baseline answered, so that there is something to compare with. No answer of the canary is a
    /// difference, and one of the baseline, asked again, is noise.
    Compared {
        /// What the canary has otherwise than the baseline.
        canary: Differences,
        /// What the baseline, asked again, has otherwise than before.
        noise: Differences,
        /// Who did not answer, and why.
        silences: Vec<(Asked, SafeText)>,
        /// Whether a body was too long to be compared.
        cut: bool,
    },
    /// The baseline did not, or somebody could not be asked: nothing is known of the canary.
    Unknown {
        /// Who.
        asked: Asked,
        /// Why.
        why: SafeText,
    },
}

/// A place where a difference was seen.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Example {
    /// Method and path.
    pub request: SafeText,
    /// The line or entry of the recording.
    pub place: u64,
    /// What the baseline answered; null if there is no such field.
    pub before: Option<SafeText>,
    /// What the canary answered; null if there is no such field.
    pub after: Option<SafeText>,
}

/// How often a field differed.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// The canary from the baseline.
    pub canary: u64,
    /// The baseline from itself.
    pub noise: u64,
    /// The canary from the baseline, while the baseline was as before.
    pub canary_only: u64,
    /// The baseline from itself, while the canary was as the baseline.
    pub noise_only: u64,
    /// Where, at first.
    pub examples: Vec<Example>,
}

impl Tally {
    /// Whether the canary differs from the baseline otherwise than the baseline from itself.
    ///
    /// Without noise every difference is real. With noise, the two comparisons are exchangeable as
    /// long as the canary behaves as the baseline does, so that either is as likely to be the only
    /// one that differs: the sign test on those (binomial, one half).
    pub fn is_real(&self) -> bool {
        if self.noise == 0 {
            return self.canary > 0;
        }
        let (k, n) = (self.canary_only, self.canary_only + self.noise_only);
        k > 0 && at_least(k, n) <= 1.0 / CHANCE
    }
}

/// How likely `k` or more of `n` fair coins show heads.
fn at_least(k: u64, n: u64) -> f64 {
    let choose = |i: u64| {
        ln_gamma(n as f64 + 1.0) - ln_gamma(i as f64 + 1.0) - ln_gamma((n - i) as f64 + 1.0)
    };
    (k..=n).map(|i| (choose(i) - n as f64 * std::f64::consts::LN_2).exp()).sum()
}

/// What is known of one pattern.
#[derive(Clone, Debug, Default)]
pub struct PatternBook {
    /// Requests that were compared.
    pub compared: u64,
    /// Requests of which nothing is known.
    pub unknown: u64,
    numbers: BTreeMap<Field, usize>,
    tallies: Vec<Tally>,
    /// How many requests differed in exactly these fields.
    sets: BTreeMap<Vec<usize>, u64>,
}

impl PatternBook {
    /// Each field in which anything differed.
    pub fn fields(&self) -> impl Iterator<Item = (&Field, &Tally)> {
        self.numbers.iter().filter_map(|(field, n)| Some((field, self.tallies.get(*n)?)))
    }

    fn tally(&mut self, field: &Field) -> Option<(usize, &mut Tally)> {
        let number = match self.numbers.get(field) {
            Some(number) => *number,
            None if self.tallies.len() >= MOST_FIELDS => return None,
            None => {
                self.tallies.push(Tally::default());
                self.numbers.insert(field.clone(), self.tallies.len() - 1);
                self.tallies.len() - 1
            }
        };
        self.tallies.get_mut(number).map(|tally| (number, tally))
    }
}

/// How many requests came out how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Counts {
    /// The baseline answered.
    pub compared: u64,
    /// Of these: the canary answered as the baseline did.
    pub same: u64,
    /// Of these: what differed is noise of the baseline too.
    pub noise: u64,
    /// Of these: the canary differs.
    pub different: u64,
    /// The baseline did not answer, or somebody could not be asked: nothing is known.
    pub unknown: u64,
    /// Compared but for their bodies, which were too long.
    pub bodies_not_compared: u64,
    /// Compared, but they differ in more fields than are told apart.
    pub cut_short: u64,
}

/// Who did not answer, and why.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Silence {
    /// Who.
    pub asked: Asked,
    /// Why.
    pub why: SafeText,
    /// How often.
    pub count: u64,
    /// The first such request.
    pub request: SafeText,
}

/// What was entered of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entered {
    /// It was compared.
    Compared {
        /// The canary differed from the baseline.
        canary: bool,
        /// The baseline, asked again, differed from before.
        noise: bool,
    },
    /// It could not be.
    Unknown,
}

/// The book of a replay.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    /// Examples to keep of each difference.
    examples: usize,
    /// Fields that are not looked at; `*` and `?` as in file names.
    ignored: Vec<String>,
    /// By pattern.
    pub patterns: BTreeMap<SafeText, PatternBook>,
    /// Who did not answer.
    pub silences: Vec<Silence>,
    bodies_not_compared: u64,
    cut_short: u64,
}

impl Ledger {
    /// Nothing compared yet.
    pub fn new(examples: usize, ignored: Vec<String>) -> Self {
        Self { examples, ignored, ..Self::default() }
    }

    /// Enters what came of a request; returns whether anything that is looked at differed.
    pub fn enter(&mut self, exchange: Exchange) -> Entered {
        let known = self.patterns.contains_key(&exchange.pattern);
        let full = !known && self.patterns.len() >= MOST_PATTERNS;
        let pattern = if full { OTHERS.into() } else { exchange.pattern.clone() };
        let book = self.patterns.entry(pattern).or_default();
        match exchange.outcome {
            Outcome::Unknown { asked, why } => {
                book.unknown += 1;
                silent(&mut self.silences, asked, why, &exchange.request);
                Entered::Unknown
            }
            Outcome::Compared { mut canary, mut noise, silences, cut } => {
                book.compared += 1;
                for (asked, why) in silences {
                    silent(&mut self.silences, asked, why, &exchange.request);
                }
                self.bodies_not_compared += u64::from(cut);
                self.cut_short += u64::from(canary.more || noise.more);
                // What was compared in one pair only cannot be weighed against the other.
                let of_status = |d: &Differences| d.fields.keys().any(|f| f.part == Part::Status);
                let only_status = of_status(&canary) || of_status(&noise);
                for found in [&mut canary, &mut noise] {
                    found.fields.retain(|field, _| {
                        (!only_status || field.part == Part::Status)
                            && !self.ignored.iter().any(|i| glob(i, &field.label()))
                    });
                }
                let mut set = Vec::new();
                for (field, pair) in &canary.fields {
                    let Some((number, tally)) = book.tally(field) else {
                        self.cut_short += 1;
                        continue;
                    };
                    set.push(number);
                    let alone = !noise.fields.contains_key(field);
                    tally.canary += 1;
                    tally.canary_only += u64::from(alone);
                    if tally.examples.len() < self.examples && (alone || tally.canary_only == 0) {
                        tally.examples.push(example(&exchange.request, exchange.place, pair));
                    }
                }
                for field in noise.fields.keys() {
                    let Some((_, tally)) = book.tally(field) else { continue };
                    tally.noise += 1;
                    tally.noise_only += u64::from(!canary.fields.contains_key(field));
                }
                *book.sets.entry(set).or_default() += 1;
                Entered::Compared {
                    canary: !canary.fields.is_empty(),
                    noise: !noise.fields.is_empty(),
                }
            }
        }
    }

    /// How many requests came out how, by what is known now about noise.
    pub fn counts(&self) -> Counts {
        let mut counts = Counts {
            bodies_not_compared: self.bodies_not_compared,
            cut_short: self.cut_short,
            ..Counts::default()
        };
        for book in self.patterns.values() {
            counts.compared += book.compared;
            counts.unknown += book.unknown;
            for (set, times) in &book.sets {
                let is_real =
                    |number: &usize| book.tallies.get(*number).is_some_and(Tally::is_real);
                if set.is_empty() {
                    counts.same += times;
                } else if set.iter().any(is_real) {
                    counts.different += times;
                } else {
                    counts.noise += times;
                }
            }
        }
        counts
    }
}

fn silent(silences: &mut Vec<Silence>, asked: Asked, why: SafeText, request: &SafeText) {
    match silences.iter_mut().find(|s| s.asked == asked && s.why == why) {
        Some(silence) => silence.count += 1,
        None => silences.push(Silence { asked, why, count: 1, request: request.clone() }),
    }
}

fn example(request: &SafeText, place: u64, pair: &Pair) -> Example {
    Example {
        request: request.clone(),
        place,
        before: pair.before.clone(),
        after: pair.after.clone(),
    }
}

#[cfg(test)]
#[path = "ledger_tests.rs"]
mod tests;
