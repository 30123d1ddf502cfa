//! Sentences about a pipeline.

use super::{ago, unread};
use crate::app::state::State;
use crate::domain::ids::PipelineId;
use crate::domain::pipeline::{Pipeline, RunState, Stage};

/// Sentences about a pipeline: what failed, waits, is held, moves, or that it is calm.
pub fn sentences(state: &State, id: &PipelineId) -> Vec<String> {
    let Some(observed) = state.fleet.pipelines.get(id) else {
        return unread(state.fleet.pipelines.unread(id));
    };
    let pipeline = &*observed.value;
    let mut lines = Vec::new();
    if let Some(fault) = &observed.fault {
        lines.push(format!("not confirmed for {}: {fault}", ago(state, observed.at)));
    }
    lines.extend(pipeline.stages.iter().filter_map(|stage| trouble(state, pipeline, stage)));
    if lines.is_empty() {
        lines.push(calm(state, pipeline));
    }
    lines
}

/// What a stage wants of a human, if anything.
pub fn trouble(state: &State, pipeline: &Pipeline, stage: &Stage) -> Option<String> {
    let name = &pipeline.id.name;
    let revision = stage.revision.as_ref().map(|r| format!(" {}", r.short())).unwrap_or_default();
    if stage.state == RunState::Failed {
        let action = stage.actions.iter().find(|a| a.state == RunState::Failed);
        let why = action
            .and_then(|a| a.error.as_ref().or(a.summary.as_ref()))
            .map(|w| format!(": {w}"))
            .unwrap_or_default();
        let at = stage.since.map(|at| format!(" {} ago", ago(state, at))).unwrap_or_default();
        return Some(format!("{} of {name}{revision} failed{at}{why}", stage.name));
    }
    if let Some((_, ask)) = stage.approvals().next() {
        let since = ask.requested.map(|at| format!(" for {}", ago(state, at))).unwrap_or_default();
        let until = match ask.deadline {
            Some(at) if at > state.now => {
                let left = crate::domain::time::coarse(at.duration_since(state.now));
                format!(", {left} left")
            }
            Some(_) => ", its deadline is over".to_owned(),
            None => String::new(),
        };
        let ships = pipeline
            .would_ship(stage.name.as_str())
            .map(|revisions| match revisions.len() {
                0 => "; ships nothing new".to_owned(),
                1 => format!("; ships {}", revision_words(&revisions)),
                n => format!("; ships {n} revisions: {}", revision_words(&revisions)),
            })
            .unwrap_or_default();
        return Some(format!(
            "{} of {name}{revision} waits for approval{since}{until}{ships}",
            stage.name
        ));
    }
    if stage.is_held() {
        let held = stage.transition.as_ref()?;
        let by = held.by.as_ref().map(|by| format!(" by {by}")).unwrap_or_default();
        let at = held.at.map(|at| format!(" {} ago", ago(state, at))).unwrap_or_default();
        let why = held.reason.as_ref().map(|r| format!(": {r}")).unwrap_or_default();
        let waiting = if stage.inbound.is_some() { ", one waits before it" } else { "" };
        return Some(format!("{} of {name} is held{by}{at}{waiting}{why}", stage.name));
    }
    None
}

fn calm(state: &State, pipeline: &Pipeline) -> String {
    let name = &pipeline.id.name;
    if let Some(stage) = pipeline.stages.iter().find(|s| s.state.is_moving()) {
        let revision =
            stage.revision.as_ref().map(|r| format!(" {}", r.short())).unwrap_or_default();
        let since = stage.since.map(|at| format!(" for {}", ago(state, at))).unwrap_or_default();
        return format!("{} of {name}{revision} is {}{since}", stage.name, stage.state.word());
    }
    if !pipeline.detail {
        return format!("{name} is listed; its stages were not read yet");
    }
    match pipeline.stages.last() {
        Some(last) => {
            let revision =
                last.revision.as_ref().map(|r| format!(" {}", r.short())).unwrap_or_default();
            let since = last.since.map(|at| format!(" for {}", ago(state, at))).unwrap_or_default();
            format!("{name} is calm: {}{revision} {}{since}", last.name, last.state.word())
        }
        None => format!("{name} has no stages"),
    }
}

fn revision_words(revisions: &[&crate::domain::revision::Revision]) -> String {
    let words: Vec<String> = revisions
        .iter()
        .take(3)
        .map(|r| match &r.message {
            Some(message) => format!("{} {message}", r.short()),
            None => r.short(),
        })
        .collect();
    words.join(" · ")
}
