//! The plan: when each execution enters and leaves each stage, worked out once for the whole time.
//!
//! Nothing is simulated step by step, so the state at any moment can be told directly.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use rand::Rng;

use super::chance::{Chance, hex, pick, stream};
use super::deeds::Deed;
use super::script::{Approved, Run, Script, ServiceScript};
use super::span::Span;
use super::visit::{Site, Visit};
use crate::domain::pipeline::{ExecutionMode, RunState};

/// How far back things happened before the world opens.
const PAST: SignedDuration = SignedDuration::from_hours(26);
/// How far ahead calm services go on shipping.
const AHEAD: SignedDuration = SignedDuration::from_hours(72);
/// Executions that are told of a pipeline.
pub const TOLD: usize = 12;

/// An execution, with its way through the stages.
#[derive(Clone, Debug)]
pub struct Planned {
    /// What the script says of it.
    pub run: Run,
    /// Its id.
    pub id: String,
    /// When it starts.
    pub start: Timestamp,
    /// The first stage that it visits.
    pub first: usize,
    /// Its stages from there on, as far as it ever gets.
    pub visits: Vec<Visit>,
    /// When a newer one overtakes it.
    pub superseded: Option<Timestamp>,
    /// When it was stopped before it entered the stage that was next.
    pub stopped: Option<Timestamp>,
}

impl Planned {
    /// Its visit of stage `i`.
    pub fn visit(&self, i: usize) -> Option<&Visit> {
        self.visits.get(i.checked_sub(self.first)?)
    }

    fn visit_mut(&mut self, i: usize) -> Option<&mut Visit> {
        self.visits.get_mut(i.checked_sub(self.first)?)
    }

    /// The state of the whole execution at `now`, and since when.
    pub fn state(&self, now: Timestamp) -> (RunState, Timestamp) {
        if let Some(at) = self.superseded.filter(|at| *at <= now) {
            return (RunState::Superseded, at);
        }
        if let Some(at) = self.stopped.filter(|at| *at <= now) {
            return (RunState::Stopped, at);
        }
        let last = self.visits.iter().rev().find_map(|visit| visit.state(now));
        let complete = self.visits.iter().all(|v| v.left.is_some_and(|at| at <= now));
        match last {
            Some((RunState::Succeeded, at)) if complete => (RunState::Succeeded, at),
            Some((state @ (RunState::Failed | RunState::Stopped | RunState::Stopping), at)) => {
                (state, at)
            }
            Some((_, at)) => (RunState::Running, at),
            None => (RunState::Running, self.start),
        }
    }

    /// Whether it stands before stage `i` at `now`, and may still enter.
    pub fn is_inbound(&self, i: usize, now: Timestamp) -> bool {
        let gone = self.superseded.or(self.stopped).is_some_and(|at| at <= now);
        !gone && self.visit(i).is_some_and(|visit| visit.is_inbound(now))
    }

    /// When it was through stage `i`.
    pub fn through(&self, i: usize) -> Option<Timestamp> {
        self.visit(i).filter(|v| v.end == RunState::Succeeded)?.left
    }
}

/// All executions of all services, the oldest first.
pub type Plan = BTreeMap<String, Vec<Planned>>;

/// Works out the plan of `script`.
pub fn plan(script: &Script, chance: &Chance, start: Timestamp) -> Plan {
    script
        .services
        .iter()
        .map(|service| {
            let mut runs: Vec<Run> =
                script.runs.iter().filter(|r| r.service == service.name).cloned().collect();
            runs.extend(daily(service, script, chance));
            runs.sort_by_key(|run| run.at);
            (service.name.clone(), line(service, script, runs, chance, start))
        })
        .collect()
}

/// What a service ships on an ordinary day; nothing from two hours before its first scripted
/// execution on, so that the story is not disturbed.
fn daily(service: &ServiceScript, script: &Script, chance: &Chance) -> Vec<Run> {
    let end = script
        .runs
        .iter()
        .filter(|run| run.service == service.name && !run.by_hand)
        .map(|run| run.at.seconds() - 7_200.0)
        .fold(AHEAD.as_secs_f64(), f64::min);
    let stream = stream(&format!("daily {}", service.name));
    let mut every = chance.at(stream, 0);
    // Important services ship less often.
    let period = every.random_range(4_000.0..9_000.0) * if service.tier == 1 { 2.5 } else { 1.0 };
    let mut runs = Vec::new();
    let mut at = -PAST.as_secs_f64() + every.random_range(0.0..period);
    let mut n = 1;
    while at < end {
        let mut rng = chance.at(stream, n);
        let author = pick(&mut rng, &PEOPLE).copied().unwrap_or("sam");
        let verb = pick(&mut rng, &VERBS).copied().unwrap_or("change");
        let thing = pick(&mut rng, &THINGS).copied().unwrap_or("things");
        let approver = pick(&mut rng, &PEOPLE).copied().unwrap_or("lee");
        runs.push(Run {
            at: Span::secs(at as i64),
            service: service.name.clone(),
            revision: hex(&mut rng, 40),
            author: author.to_owned(),
            message: format!("{verb} {thing}"),
            fails: None,
            stopped: None,
            refused: None,
            approved: Some(Approved {
                by: approver.to_owned(),
                after: Span::secs(rng.random_range(90..900)),
            }),
            by_hand: false,
            puts_back: None,
        });
        at += period * rng.random_range(0.6..1.4);
        n += 1;
    }
    runs
}

const PEOPLE: [&str; 8] = ["dana", "lee", "sam", "noor", "priya", "tomas", "ines", "kofi"];
const VERBS: [&str; 8] = ["speed up", "simplify", "fix", "log", "retry", "cache", "rename", "bump"];
const THINGS: [&str; 10] = [
    "the cart lookup",
    "address checks",
    "currency rounding",
    "session tokens",
    "the image proxy",
    "stock counts",
    "http client",
    "the nightly job",
    "search ranking",
    "receipt e-mail",
];

fn line(
    service: &ServiceScript,
    script: &Script,
    runs: Vec<Run>,
    chance: &Chance,
    start: Timestamp,
) -> Vec<Planned> {
    let mut planned: Vec<Planned> = Vec::new();
    for run in runs {
        // A draw of its own for each, so that one more changes nothing about the others.
        let name = format!("run {} {} {}", service.name, run.revision, run.at.seconds());
        let mut rng = chance.at(stream(&name), 0);
        let id = [8, 4, 4, 4, 12].map(|digits| hex(&mut rng, digits)).join("-");
        let begun = run.at.after(start);
        let goes_to = run.puts_back.as_ref().map(|(stage, _)| stage);
        let first = goes_to.and_then(|to| service.stages.iter().position(|s| s == to)).unwrap_or(0);
        let deeds: Vec<&Deed> = script.deeds.iter().filter(|deed| deed.execution == id).collect();
        let mut this = Planned {
            run,
            id,
            start: begun,
            first,
            visits: Vec::new(),
            superseded: None,
            stopped: None,
        };
        let mut ready = begun;
        for (i, stage) in service.stages.iter().enumerate().skip(first) {
            let work = SignedDuration::from_secs_f64(usual(stage) * rng.random_range(0.8..1.25));
            let site = Site { service, script, run: &this.run, deeds: &deeds, i, start };
            let entered = entry(&site, &mut planned, ready);
            let stopped = site.stopped_before(ready, entered);
            let visit = match stopped {
                Some(_) => Visit::before(ready),
                None => site.visit(ready, entered, work),
            };
            this.stopped = stopped;
            let (left, end) = (visit.left, visit.end);
            this.visits.push(visit);
            match left {
                Some(left) if end == RunState::Succeeded => ready = left,
                _ => break,
            }
        }
        planned.push(this);
    }
    planned
}

/// When a run that stands before stage `i` can enter it: not while a transition is closed, and not
/// while another works there. One that waits for a human there is overtaken.
fn entry(site: &Site<'_>, before: &mut [Planned], arrived: Timestamp) -> Option<Timestamp> {
    let Site { service, script, i, start, .. } = *site;
    let mut ready = site.let_in(arrived)?;
    for hold in script.holds.iter().filter(|h| h.service == service.name) {
        if service.stages.get(i) == Some(&hold.stage) && hold.at.after(start) <= ready {
            match hold.until {
                Some(until) => ready = ready.max(until.after(start)),
                None => return None,
            }
        }
    }
    if service.mode == ExecutionMode::Parallel {
        return Some(ready);
    }
    for other in before.iter_mut() {
        let stopped = other.stopped;
        let Some(visit) = other.visit_mut(i) else { continue };
        match (visit.entered, visit.approved, visit.left) {
            (Some(_), _, Some(left)) => ready = ready.max(left),
            (Some(_), None, None) if service.mode == ExecutionMode::Superseded => {
                visit.left = Some(ready);
                visit.end = RunState::Superseded;
                other.superseded = Some(ready);
            }
            // It stands in nobody's way any more.
            (None, ..) if stopped.is_some_and(|at| at <= arrived) => {}
            (None, ..) if service.mode == ExecutionMode::Superseded => {
                other.superseded = other.superseded.or(Some(arrived));
            }
            // Queued behind one that nobody has decided on yet, or behind a canary.
            _ => return None,
        }
    }
    Some(ready)
}

/// How long the work of a stage takes, in seconds.
fn usual(stage: &str) -> f64 {
    match stage {
        "Source" => 9.0,
        "Build" => 150.0,
        "Test" => 240.0,
        "Prod" => 200.0,
        _ => 120.0,
    }
}
