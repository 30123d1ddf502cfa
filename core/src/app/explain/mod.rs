//! The sentences that explain the selected row: what is wrong, how sure, what changed before.

mod canary;
mod pipeline;
mod service;

use jiff::{SignedDuration, Timestamp};

use super::age;
use super::row::RowId;
use super::select::timeline::ChangeRow;
use super::state::State;
use super::unreadable;
use crate::domain::error::Fault;
use crate::domain::ids::{ItemId, ServiceId};
use crate::domain::observed::Freshness;
use crate::domain::source::{SourceHealth, SourceState};
use crate::domain::time::{age as age_of, coarse};
use crate::domain::write::{Outcome, PlanId};

/// Changes further back than this are not told in the strip.
const LATELY: SignedDuration = SignedDuration::from_hours(2);
/// Changes told in one sentence.
const CHANGES: usize = 3;

/// Sentences about the selected row, the most important first.
pub fn selected(state: &State) -> Vec<String> {
    match state.selected(state.view.pane) {
        Some(row) => row_sentences(state, row),
        None => Vec::new(),
    }
}

/// Sentences about a service.
pub fn of_service(state: &State, id: &ServiceId) -> Vec<String> {
    row_sentences(state, &RowId::Service(id.clone()))
}

/// Sentences about a pipeline.
pub fn of_pipeline(state: &State, id: &crate::domain::ids::PipelineId) -> Vec<String> {
    pipeline::sentences(state, id)
}

/// Sentences about a fact.
pub fn of_item(state: &State, item: &ItemId) -> Vec<String> {
    row_sentences(state, &RowId::Item(item.clone()))
}

/// Sentences about a source.
pub fn of_source(state: &State, id: &crate::domain::ids::SourceId) -> Vec<String> {
    state.fleet.sources.get(id).map(|s| source(state, s)).unwrap_or_default()
}

fn row_sentences(state: &State, row: &RowId) -> Vec<String> {
    let mut sentences = about(state, row);
    if let Some((freshness, text)) = not_fresh(state, row) {
        // What is lost must not be read as the truth; what is stale is still the likeliest.
        let at = if freshness == Freshness::Lost { 0 } else { sentences.len().min(1) };
        sentences.insert(at, text);
    }
    sentences
}

/// Which facts of a row are old, how old, and what keeps them from being read.
fn not_fresh(state: &State, row: &RowId) -> Option<(Freshness, String)> {
    let behind = age::behind(state, row);
    let worst = behind.values().map(|age| age.freshness).max()?;
    let told = behind.iter().map(|(id, age)| {
        let failing = state.fleet.sources.get(id).and_then(SourceState::worst);
        let why = failing.map(|f| format!(" ({})", f.fault.kind.word())).unwrap_or_default();
        format!("{id} told it {} ago{why}", ago(state, age.at))
    });
    let lead = match worst {
        Freshness::Lost => "unknown by now, this is the last that was read",
        _ => "stale",
    };
    Some((worst, format!("{lead}: {}", told.collect::<Vec<_>>().join(", "))))
}

fn about(state: &State, row: &RowId) -> Vec<String> {
    match row {
        RowId::Service(id) => service::sentences(state, id),
        RowId::Ask(item, _) | RowId::Item(item) => item_sentences(state, item),
        RowId::Canary(id) => canary::sentences(state, id),
        RowId::Source(id) => of_source(state, id),
        RowId::Plan(plan) => activity(state, plan),
    }
}

fn activity(state: &State, plan: &PlanId) -> Vec<String> {
    let Some(own) = state.activity.iter().find(|a| a.plan == *plan) else { return Vec::new() };
    let what = own.outcome().map_or_else(|| own.progress(), Outcome::sentence);
    vec![format!("{}: {what}", own.title)]
}

fn item_sentences(state: &State, item: &ItemId) -> Vec<String> {
    let fleet = &state.fleet;
    let mut sentences = match item {
        ItemId::Pipeline(id) => pipeline::sentences(state, id),
        ItemId::Environment(id) => match fleet.environments.get(id) {
            Some(o) => {
                let e = &o.value;
                let since =
                    e.since.map(|at| format!(" since {}", ago(state, at))).unwrap_or_default();
                let summary = e.summary.as_ref().map(|s| format!(": {s}")).unwrap_or_default();
                let runs = e
                    .revision
                    .as_ref()
                    .map(|r| format!(", runs {}", r.short()))
                    .unwrap_or_default();
                vec![format!("{} is {}{since}{runs}{summary}", e.name, e.health.word())]
            }
            None => unread(fleet.environments.unread(id)),
        },
        ItemId::Traffic(id) => match fleet.traffic.get(id) {
            Some(o) => {
                let arms: Vec<String> = o
                    .value
                    .arms
                    .iter()
                    .map(|arm| {
                        let percent = o.value.percent(arm.name.as_str());
                        let share = percent.map_or("?".to_owned(), |p| format!("{p:.0}%"));
                        format!("{} {share} ({})", arm.name, arm.health.word())
                    })
                    .collect();
                vec![format!("{} splits traffic: {}", id.name, arms.join(", "))]
            }
            None => unread(fleet.traffic.unread(id)),
        },
        ItemId::Flag(id) => match fleet.flags.get(id) {
            Some(o) => flag(state, &o.value),
            None => unread(fleet.flags.unread(id)),
        },
        ItemId::Alarm(id) => match fleet.alarms.get(id) {
            Some(o) => {
                let a = &o.value;
                let since =
                    a.since.map(|at| format!(" for {}", ago(state, at))).unwrap_or_default();
                let why = a.reason.as_ref().map(|r| format!(": {r}")).unwrap_or_default();
                vec![format!("{} {}{since}{why}", a.name, a.state.word())]
            }
            None => unread(fleet.alarms.unread(id)),
        },
        ItemId::Change(id) => match fleet.changes.get(id) {
            Some(o) => {
                let c = &o.value;
                let who = c.who.as_ref().map(|w| format!(" by {w}")).unwrap_or_default();
                let mut lines = vec![format!("{} ago{who}: {}", ago(state, c.at), c.title)];
                lines.extend(c.detail.as_ref().map(ToString::to_string));
                lines
            }
            None => Vec::new(),
        },
        ItemId::Series(_) => Vec::new(),
    };
    if !matches!(item, ItemId::Change(_))
        && let Some(owner) = state.membership.owners(item).first()
    {
        sentences.extend(lately(state, owner));
    }
    sentences
}

fn flag(state: &State, flag: &crate::domain::flag::Flag) -> Vec<String> {
    let mut states: Vec<String> = flag
        .environments
        .iter()
        .map(|e| {
            let word = match e.enabled {
                Some(true) => "on",
                Some(false) => "off",
                None => "unknown",
            };
            let percent = match e.percent {
                _ if e.enabled != Some(true) => String::new(),
                Some(p) if p < 100.0 => format!(" {p:.0}%"),
                None if !e.rules.is_empty() => " by rules".to_owned(),
                _ => String::new(),
            };
            format!("{} {word}{percent}", e.environment)
        })
        .collect();
    if let Some(stale) = &flag.stale {
        states.push(format!("stale: {stale}"));
    }
    let newest = flag.environments.iter().filter(|e| e.changed.is_some()).max_by_key(|e| e.changed);
    let mut lines = vec![format!("{}: {}", flag.key, states.join(" · "))];
    if let Some(e) = newest
        && let Some(at) = e.changed
    {
        let who = e.by.as_ref().map(|w| format!(" by {w}")).unwrap_or_default();
        lines.push(format!("changed {} ago{who} in {}", ago(state, at), e.environment));
    }
    lines
}

fn source(state: &State, source: &SourceState) -> Vec<String> {
    let Some(failing) = source.worst() else {
        let heard = match source.last_answer() {
            Some(at) => format!("last heard {} ago", ago(state, at)),
            None => "has not answered yet".to_owned(),
        };
        let identity = source.identity.as_ref().map(|i| format!(", as {i}")).unwrap_or_default();
        let word = match source.health() {
            SourceHealth::Partly => health_words(source).to_owned(),
            health => format!("is {}", health.word()),
        };
        let mut sentences = vec![format!("{} {word}{identity}; {heard}", source.meta.id)];
        for items in unreadable::of(&state.fleet, &source.meta.id) {
            sentences.push(format!("{} · {}", items.words(), items.fault.hint));
        }
        return sentences;
    };
    let word = health_words(source);
    vec![
        format!(
            "{}: {word} for {}: {}",
            source.meta.id,
            ago(state, failing.since),
            failing.fault.message
        ),
        match failing.times {
            0 | 1 => failing.fault.hint.to_string(),
            times => format!("{} · tried {times} times", failing.fault.hint),
        },
    ]
}

fn health_words(source: &SourceState) -> &'static str {
    match source.health() {
        SourceHealth::Partly => "answers only partly",
        health => health.word(),
    }
}

/// What changed lately in a service, newest first, in one sentence.
pub fn lately(state: &State, service: &ServiceId) -> Option<String> {
    // Newest first: what is older is not looked at.
    let recent = state.rows.timeline.iter().take_while(|row| age_of(state.now, row.at) <= LATELY);
    let told: Vec<String> = recent
        .filter(|row| row.at <= state.now && row.services.contains(service))
        .take(CHANGES)
        .map(|row| format!("{} ago {}", ago(state, row.at), change_words(row)))
        .collect();
    (!told.is_empty()).then(|| told.join(" · "))
}

/// Changes of a service, newest first.
pub fn changes_of<'a>(
    state: &'a State,
    service: &'a ServiceId,
) -> impl Iterator<Item = &'a ChangeRow> {
    let past = |row: &&ChangeRow| row.at <= state.now;
    state.rows.timeline.iter().filter(past).filter(move |row| row.services.contains(service))
}

fn change_words(row: &ChangeRow) -> String {
    match &row.who {
        Some(who) if !row.title.as_str().starts_with(who.as_str()) => {
            format!("{who}: {}", row.title)
        }
        _ => row.title.to_string(),
    }
}

fn unread(fault: Option<&Fault>) -> Vec<String> {
    match fault {
        Some(fault) => vec![format!("unknown: {fault}"), fault.hint.to_string()],
        None => vec!["unknown: not read yet".to_owned()],
    }
}

/// How long ago, in steps of a minute, so that a calm screen stays still.
fn ago(state: &State, at: Timestamp) -> String {
    let age = age_of(state.now, at);
    if age < SignedDuration::from_mins(1) { "<1m".to_owned() } else { coarse(age) }
}
