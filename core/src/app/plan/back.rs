//! Roll back and hold: traffic away from what is new, or the stage back; and every way in closed.

use std::collections::BTreeMap;

use super::Composed;
use super::guards::{against, not_fresh};
use super::lookup::{pipelines, reason};
use super::shares::{has_other, other_canaries, spread};
use crate::app::select::canaries::split_of;
use crate::app::state::State;
use crate::domain::canary::{CanarySpec, Purpose};
use crate::domain::ids::{CanaryId, ItemId, ServiceId, TrafficId};
use crate::domain::pattern::Pattern;
use crate::domain::pipeline::{Pipeline, RunState, Stage};
use crate::domain::text::SafeText;
use crate::domain::traffic::TrafficSplit;
use crate::domain::write::Write;

/// Where every pipeline that can be held is held, and no more is promised than is done.
pub(super) fn roll_back_and_hold(
    state: &State,
    service: &ServiceId,
    only: Option<&CanaryId>,
    comment: &str,
) -> Result<Composed, String> {
    let mut notes = Vec::new();
    let mut writes = traffic(state, service, only, &mut notes)?;
    let pipelines = pipelines(state, service);
    let stage = if writes.is_empty() && only.is_none() {
        Some(stage_back(state, service, &pipelines)?)
    } else {
        None
    };
    let back = !writes.is_empty() || stage.is_some();
    // A way in that is closed may hold up what is put back: that goes first.
    writes.extend(stage);
    let mut held = Vec::new();
    for pipeline in &pipelines {
        match hold(state, pipeline, comment) {
            Ok(hold) => {
                held.push(place(pipeline));
                writes.push(hold);
            }
            Err(why) => notes.push(why),
        }
    }
    let claims = state.setup.services.iter().find(|own| own.id == *service).map(|own| &own.claims);
    if pipelines.is_empty() && claims.is_some_and(|claims| !claims.pipelines.is_empty()) {
        notes.push(format!("not held: no pipeline of {service} could be read"));
    }
    let what = only.map_or(service.text(), CanaryId::text);
    if writes.is_empty() {
        notes.insert(0, format!("{what} has no traffic to take back"));
        return Err(notes.join("; "));
    }
    if !held.is_empty() {
        let all = held.join(", ");
        notes.insert(0, format!("nothing new enters {all} until the hold is released"));
    }
    let title = match (back, held.is_empty()) {
        (true, false) => format!("roll back {what}, and hold"),
        (true, true) => format!("roll back {what}"),
        (false, _) => format!("hold {what}"),
    };
    Ok(Composed { title, service: Some(service.clone()), writes, notes })
}

fn place(pipeline: &Pipeline) -> String {
    let last = pipeline.stages.last().map(|stage| format!("{} of ", stage.name));
    format!("{}{}", last.unwrap_or_default(), pipeline.id.name)
}

/// Closes the way into the last stage; or says why it stays as it is.
fn hold(state: &State, pipeline: &Pipeline, comment: &str) -> Result<Write, String> {
    let name = &pipeline.id.name;
    let last = pipeline.stages.last().filter(|_| pipeline.detail);
    let last = last.ok_or_else(|| format!("not held: the stages of {name} could not be read"))?;
    if last.transition.is_none() {
        return Err(format!("not held: {} has no way in that could be closed", place(pipeline)));
    }
    let write = Write::Hold {
        pipeline: pipeline.id.clone(),
        stage: last.name.clone(),
        reason: reason(comment, "rolled back and held by an operator"),
    };
    match against(state, &write) {
        Some(why) => Err(format!("not held: {why}")),
        None if last.is_held() => Err(format!("{} is held already", place(pipeline))),
        None => Ok(write),
    }
}

/// What puts the stage back that did it: with several pipelines the one that failed, else the one
/// that changed last.
fn stage_back(
    state: &State,
    service: &ServiceId,
    pipelines: &[&Pipeline],
) -> Result<Write, String> {
    let pipeline = match pipelines {
        [] => return Err(format!("{service} has no pipeline to roll back")),
        [one] => one,
        several => {
            let choose = |why: String| {
                Err(format!(
                    "which pipeline of {service} goes back is not known: {why}; choose what is put back"
                ))
            };
            let item = |pipeline: &Pipeline| ItemId::Pipeline(pipeline.id.clone());
            if let Some(why) = several.iter().find_map(|p| not_fresh(state, &item(p))) {
                return choose(why);
            }
            match culprit(several) {
                Some(one) => one,
                None => return choose("no one of them failed or changed last".to_owned()),
            }
        }
    };
    let last = pipeline.stages.last();
    let last = last.ok_or_else(|| format!("{} has no stages", pipeline.id.name))?;
    let to = pipeline.before(last)?;
    Ok(Write::RollBack { pipeline: pipeline.id.clone(), stage: last.name.clone(), to })
}

fn culprit<'a>(pipelines: &'a [&'a Pipeline]) -> Option<&'a Pipeline> {
    let lasts: Vec<(&Pipeline, &Stage)> =
        pipelines.iter().filter_map(|own| Some((*own, own.stages.last()?))).collect();
    let mut failed = lasts.iter().filter(|(_, stage)| stage.state == RunState::Failed);
    match (failed.next(), failed.next()) {
        (Some((one, _)), None) => return Some(one),
        (Some(_), Some(_)) => return None,
        (None, _) => {}
    }
    let mut changed = Vec::new();
    for (pipeline, stage) in lasts {
        let run = stage.execution.as_ref().and_then(|id| pipeline.execution(id));
        let at = stage.since.or_else(|| run.and_then(|run| run.updated.or(run.started)));
        changed.push((at?, pipeline));
    }
    changed.sort_by_key(|(at, _)| std::cmp::Reverse(*at));
    match changed.as_slice() {
        [(_, one)] => Some(one),
        [(at, one), (next, _), ..] if at > next => Some(one),
        _ => None,
    }
}

/// What a canary has of its split.
enum Share<'a> {
    /// Some.
    Of(&'a TrafficId, &'a TrafficSplit),
    /// Nothing that could be taken back, for this reason if there is one to tell.
    Nothing(Option<String>),
    /// Nobody knows.
    Unknown(String),
}

fn share<'a>(state: &'a State, spec: &CanarySpec) -> Share<'a> {
    let Some(pattern) = &spec.traffic else { return Share::Nothing(None) };
    let Some((id, split)) = split_of(spec, &state.fleet) else {
        let Pattern { source, name } = pattern;
        return Share::Unknown(format!("{source}/{name} could not be read"));
    };
    if let Some(why) = not_fresh(state, &ItemId::Traffic(id.clone())) {
        return Share::Unknown(why);
    }
    match split.percent(spec.canary.as_str()) {
        Some(share) if share > 0.0 => Share::Of(id, split),
        Some(_) => Share::Nothing(None),
        None if split.arm(spec.canary.as_str()).is_none() => Share::Nothing(None),
        None => Share::Nothing(Some(format!("no version of {} takes traffic", id.name))),
    }
}

/// Takes the traffic away from every canary of the service that has some: once for each split.
fn traffic(
    state: &State,
    service: &ServiceId,
    only: Option<&CanaryId>,
    notes: &mut Vec<String>,
) -> Result<Vec<Write>, String> {
    let specs = state.setup.services.iter().filter(|s| s.id == *service).flat_map(|s| &s.canaries);
    // The alternatives of an experiment are both good enough to stay.
    let specs = specs.filter(|spec| spec.purpose == Purpose::Canary);
    let mut away: BTreeMap<&TrafficId, (&TrafficSplit, Vec<&CanarySpec>)> = BTreeMap::new();
    let mut unknown = Vec::new();
    for spec in specs.filter(|spec| only.is_none_or(|only| spec.id == *only)) {
        match share(state, spec) {
            Share::Of(id, split) => {
                away.entry(id).or_insert((split, Vec::new())).1.push(spec);
            }
            Share::Nothing(why) => notes.extend(why),
            Share::Unknown(why) => {
                unknown.push(format!("whether {} has traffic is unknown: {why}", spec.canary));
            }
        }
    }
    let mut writes = Vec::new();
    for (_, (split, specs)) in away {
        let mut fixed: Vec<(SafeText, u32)> = Vec::new();
        for spec in &specs {
            if fixed.iter().all(|(own, _)| *own != spec.canary) {
                fixed.push((spec.canary.clone(), 0));
            }
        }
        let mut kept = fixed.clone();
        kept.extend(other_canaries(state, split, &fixed));
        if has_other(split, &kept) {
            fixed = kept;
        } else if !has_other(split, &fixed) {
            // Right after a full promotion the old version may be gone.
            let name = &split.id.name;
            notes.push(format!("no other version of {name} takes traffic: its shares stay"));
            continue;
        }
        let home: Vec<SafeText> = specs.iter().map(|spec| spec.baseline.clone()).collect();
        writes.push(spread(split, fixed, &home)?);
    }
    // What is unknown is not passed over for something else.
    if writes.is_empty() && !unknown.is_empty() {
        let or = if only.is_some() { "" } else { "; or choose what is put back into a stage" };
        return Err(format!("{}{or}", unknown.join("; ")));
    }
    notes.extend(unknown);
    Ok(writes)
}
