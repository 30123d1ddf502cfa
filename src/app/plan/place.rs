//! Where a write happens, by name: what freezes and the production rule look at.

use crate::app::state::State;
use crate::domain::ids::TrafficId;
use crate::domain::pipeline::Pipeline;
use crate::domain::write::Write;

/// Names of the stage or environment that `write` changes.
pub(super) fn names(state: &State, write: &Write) -> Vec<String> {
    let parts = |name: &str| -> Vec<String> {
        name.split(['.', '/', ':']).map(str::to_owned).chain([name.to_owned()]).collect()
    };
    match write {
        // Many name the pipeline after the environment, and its stages Source, Build and Deploy.
        Write::Answer { pipeline, stage, .. }
        | Write::Retry { pipeline, stage, .. }
        | Write::Hold { pipeline, stage, .. }
        | Write::Release { pipeline, stage, .. }
        | Write::RollBack { pipeline, stage, .. }
        | Write::Override { pipeline, stage, .. } => {
            parts(stage.as_str()).into_iter().chain(parts(pipeline.name.as_str())).collect()
        }
        Write::Start { pipeline } | Write::Stop { pipeline, .. } => {
            // It goes, or went, through every stage.
            let stages = state.fleet.pipelines.get(pipeline).map(|o| stages(&o.value));
            stages.unwrap_or_default().into_iter().chain(parts(pipeline.name.as_str())).collect()
        }
        Write::Shares { split, .. } | Write::Arm { split, .. } => {
            parts(split.name.as_str()).into_iter().chain(around(state, split)).collect()
        }
        Write::Flag { environment, .. } => parts(environment.as_str()),
    }
}

/// The environments that the canaries of a traffic split are said to run in.
fn around(state: &State, split: &TrafficId) -> Vec<String> {
    let canaries = state.setup.services.iter().flat_map(|s| &s.canaries);
    let mine = canaries.filter(|spec| {
        let pattern = spec.traffic.as_ref();
        pattern.is_some_and(|p| p.matches(&split.source, split.name.as_str()))
    });
    let mut names = Vec::new();
    for pattern in mine.filter_map(|spec| spec.environment.as_ref()) {
        let known = state.fleet.environments.iter();
        for (id, o) in known.filter(|(id, _)| pattern.matches(&id.source, id.name.as_str())) {
            names.extend([id.name.to_string(), o.value.name.to_string()]);
        }
        // A plain name says enough, even if nothing was read there yet.
        if !pattern.name.as_str().contains(['*', '?']) {
            names.push(pattern.name.to_string());
        }
    }
    names
}

fn stages(pipeline: &Pipeline) -> Vec<String> {
    pipeline.stages.iter().map(|stage| stage.name.to_string()).collect()
}

/// The same for freezes; `None` if nothing tells in which environment it is.
pub(super) fn environments(state: &State, write: &Write) -> Option<Vec<String>> {
    let names = names(state, write);
    let told = match write {
        Write::Shares { split, .. } | Write::Arm { split, .. } => {
            let plain: Vec<&str> = names.iter().map(String::as_str).collect();
            let mut known = state.fleet.environments.iter();
            state.setup.policy.is_production(&plain)
                || !around(state, split).is_empty()
                || known.any(|(_, o)| plain.iter().any(|name| o.value.name == **name))
        }
        _ => !names.is_empty(),
    };
    told.then_some(names)
}

/// Whether `write` touches production. A traffic split of which nothing is known counts as that.
pub(super) fn is_production(state: &State, write: &Write) -> bool {
    let names = names(state, write);
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let traffic = matches!(write, Write::Shares { .. } | Write::Arm { .. });
    traffic || state.setup.policy.is_production(&names)
}
