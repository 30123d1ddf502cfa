//! What a replay found, as data: the document of `flightdeck replay -o json`.

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::compare::{Field, Kind, Part};
use super::import::{Format, Intake, Unreadable};
use super::ledger::{Counts, Example, Ledger, Silence, Tally};
use super::pace::Pace;
use crate::domain::text::SafeText;

/// Name and version of the format.
pub const FORMAT: &str = "flightdeck/replay/1";
/// Later than this, in seconds, the pace was not kept.
const LATE: f64 = 0.5;

/// What is known about the canary.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Finding {
    /// It answers otherwise than the baseline, beyond the noise.
    Different,
    /// Everything was compared, and nothing differs beyond the noise.
    Same,
    /// Nothing differs in what was compared, but not everything could be.
    Unknown,
    /// Nothing could be compared.
    Nothing,
}

/// Why a replay ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(tag = "why", rename_all = "snake_case")]
pub enum Ended {
    /// Everything was sent, and is over.
    AllSent,
    /// A signal came.
    Interrupted {
        /// Its number.
        signal: u8,
    },
}

/// Both addresses.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Places {
    /// Of the version in use.
    pub baseline: SafeText,
    /// Of the version under test.
    pub canary: SafeText,
}

/// What is known of a run beside what was compared.
pub struct Run {
    /// The recording.
    pub file: SafeText,
    /// Its format.
    pub format: Format,
    /// Both addresses.
    pub places: Places,
    /// How fast it was to be.
    pub pace: Pace,
    /// When it began.
    pub began: Timestamp,
    /// How long it took.
    pub seconds: f64,
    /// Why it ended.
    pub ended: Ended,
    /// Recorded requests that were to be sent.
    pub planned: u64,
    /// How much later than due a request was begun at most, in seconds.
    pub late: f64,
    /// Whether any request has a time.
    pub timed: bool,
}

/// The recording, and what of it was left out.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Recording {
    /// The file.
    pub file: SafeText,
    /// Its format.
    pub format: Format,
    /// Lines or entries that were read, good or not.
    pub read: u64,
    /// Those that could not be read.
    pub unreadable: Unreadable,
    /// Requests that were not to be sent, by the reason.
    pub skipped: BTreeMap<String, u64>,
    /// Credentials that were taken out, as `header cookie` or `query token`, and how often.
    pub scrubbed: BTreeMap<String, u64>,
    /// Requests by the host they were recorded for.
    pub hosts: BTreeMap<String, u64>,
}

/// A field in which answers differ.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Difference {
    /// Which part of the answer.
    pub part: Part,
    /// The name of a header, or a JSON pointer whose list indexes and ids are `{}`; empty for a whole.
    pub field: SafeText,
    /// How the canary differs.
    pub kind: Kind,
    /// In how many requests the canary differed from the baseline.
    pub count: u64,
    /// In how many requests the baseline differed from itself in this way.
    pub noise: u64,
    /// Some of them.
    pub examples: Vec<Example>,
}

/// What is known of the paths of one pattern.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct OfPattern {
    /// Method and path, ids as `{}`.
    pub pattern: SafeText,
    /// Requests that were compared.
    pub compared: u64,
    /// Requests of which nothing is known.
    pub unknown: u64,
    /// What really differs, most often first.
    pub differences: Vec<Difference>,
    /// What differs as the baseline differs from itself.
    pub noise: Vec<Difference>,
}

/// What a replay found.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct ReplayReport {
    /// Name and version of this format.
    #[schemars(extend("const" = FORMAT))]
    pub format: &'static str,
    /// What is known about the canary.
    pub finding: Finding,
    /// Why it ended.
    pub ended: Ended,
    /// The recording.
    pub recording: Recording,
    /// Both addresses.
    pub places: Places,
    /// How fast it was to be: `1x`, `2x`, `max`.
    pub pace: String,
    /// How much later than due a request was begun at most, in seconds.
    pub late_seconds: f64,
    /// When it began.
    pub began: Timestamp,
    /// How long it took.
    pub seconds: f64,
    /// Recorded requests that were to be sent.
    pub planned: u64,
    /// Those that were not begun, or were under way, when it was ended early.
    pub not_finished: u64,
    /// How many came out how.
    pub requests: Counts,
    /// Who did not answer, and why.
    pub silences: Vec<Silence>,
    /// By path pattern, those with differences first.
    pub patterns: Vec<OfPattern>,
    /// What a reader should know.
    pub notes: Vec<String>,
}

impl ReplayReport {
    /// What is known at the end of `run`.
    pub fn of(run: Run, intake: &Intake, ledger: &Ledger) -> Self {
        let requests = ledger.counts();
        let done = requests.compared + requests.unknown;
        let mut patterns: Vec<OfPattern> = ledger
            .patterns
            .iter()
            .map(|(pattern, book)| {
                let (real, noise): (Vec<_>, Vec<_>) = book.fields().partition(|(_, t)| t.is_real());
                OfPattern {
                    pattern: pattern.clone(),
                    compared: book.compared,
                    unknown: book.unknown,
                    differences: listed(real, true),
                    noise: listed(noise, false),
                }
            })
            .collect();
        patterns.sort_by_key(|of| {
            let most = of.differences.first().map_or(0, |difference| difference.count);
            std::cmp::Reverse((most, of.compared))
        });
        Self {
            format: FORMAT,
            finding: finding(&requests),
            ended: run.ended,
            notes: notes(&run, intake, &requests),
            recording: Recording {
                file: run.file,
                format: run.format,
                read: intake.read,
                unreadable: intake.unreadable.clone(),
                skipped: intake.skipped.clone(),
                scrubbed: intake.scrubbed().clone(),
                hosts: intake.hosts.clone(),
            },
            places: run.places,
            pace: run.pace.to_string(),
            late_seconds: run.late,
            began: run.began,
            seconds: run.seconds,
            planned: run.planned,
            not_finished: run.planned.saturating_sub(done),
            requests,
            silences: ledger.silences.clone(),
            patterns,
        }
    }
}

/// One word for all; what could not be compared never counts as the same.
fn finding(counts: &Counts) -> Finding {
    if counts.different > 0 {
        Finding::Different
    } else if counts.compared == 0 {
        Finding::Nothing
    } else if counts.unknown + counts.bodies_not_compared + counts.cut_short > 0 {
        Finding::Unknown
    } else {
        Finding::Same
    }
}

fn listed(fields: Vec<(&Field, &Tally)>, with_examples: bool) -> Vec<Difference> {
    let mut listed: Vec<Difference> = fields
        .into_iter()
        .map(|(field, tally)| Difference {
            part: field.part,
            field: field.name.clone(),
            kind: field.kind,
            count: tally.canary,
            noise: tally.noise,
            // Two values of a noisy field tell nothing.
            examples: if with_examples { tally.examples.clone() } else { Vec::new() },
        })
        .collect();
    listed.sort_by_key(|difference| std::cmp::Reverse(difference.count));
    listed
}

fn notes(run: &Run, intake: &Intake, counts: &Counts) -> Vec<String> {
    let mut notes = Vec::new();
    let mut say = |condition: bool, text: String| {
        if condition {
            notes.push(text);
        }
    };
    let hosts = intake.hosts.len();
    say(
        hosts > 1 && run.planned > 0,
        format!("recorded for {hosts} hosts, all of them sent here: --host picks some"),
    );
    say(
        !intake.scrubbed().is_empty(),
        "credentials were taken out: --header 'Name: env:VAR' brings fresh ones".to_owned(),
    );
    let paced = matches!(run.pace, Pace::Times(_));
    say(
        paced && !run.timed && run.planned > 0,
        "nothing recorded has a time: sent as fast as the limits let it".to_owned(),
    );
    say(
        paced && run.timed && run.late > LATE,
        format!("the pace was not kept: up to {:.1} s late; --rate and --concurrency limit it", {
            run.late
        }),
    );
    say(
        counts.bodies_not_compared > 0,
        format!("{} bodies were too long to be compared: --body-limit", counts.bodies_not_compared),
    );
    say(
        counts.cut_short > 0,
        format!("{} requests differ in more fields than are told apart", counts.cut_short),
    );
    notes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_not_be_compared_is_never_the_same() {
        let same = Counts { compared: 3, same: 3, ..Counts::default() };
        for (counts, expected) in [
            (Counts::default(), Finding::Nothing),
            (Counts { unknown: 3, ..Counts::default() }, Finding::Nothing),
            (same, Finding::Same),
            (Counts { noise: 1, same: 2, ..same }, Finding::Same),
            (Counts { unknown: 1, ..same }, Finding::Unknown),
            (Counts { bodies_not_compared: 1, ..same }, Finding::Unknown),
            (Counts { different: 1, unknown: 1, ..same }, Finding::Different),
        ] {
            assert_eq!(finding(&counts), expected, "{counts:?}");
        }
    }
}
