//! Where a write happens, by name: what freezes and the production rule look at.

use crate::app::state::State;
use crate::domain::ids::{ItemId, PipelineId, TrafficId};
use crate::domain::text::SafeText;
use crate::domain::write::Write;

/// Names of the stage or environment that a write changes.
pub(super) struct Place {
    /// The names.
    pub(super) names: Vec<String>,
    /// Whether they tell in which environment it is; what is not told may be production.
    pub(super) told: bool,
    /// Whether the source of one of these environments says that customers are on it.
    customers: bool,
}

/// Where `write` happens.
pub(super) fn place(state: &State, write: &Write) -> Place {
    match write {
        // Many name the pipeline after the environment, and its stages Source, Build and Deploy.
        Write::Answer { pipeline, stage, .. }
        | Write::Retry { pipeline, stage, .. }
        | Write::Hold { pipeline, stage, .. }
        | Write::Release { pipeline, stage, .. }
        | Write::RollBack { pipeline, stage, .. }
        | Write::Override { pipeline, stage, .. } => of_pipeline(state, pipeline, Some(stage)),
        // It goes, or went, through every stage.
        Write::Start { pipeline } | Write::Stop { pipeline, .. } => {
            of_pipeline(state, pipeline, None)
        }
        Write::Shares { split, .. } | Write::Weights { split, .. } | Write::Arm { split, .. } => {
            of_split(state, split)
        }
        Write::Flag { environment, .. } => {
            let names = parts(environment.as_str());
            let customers = has_customers(state, &names);
            Place { names, told: !environment.as_str().is_empty(), customers }
        }
    }
}

/// Whether `write` touches production: by name, or because the source of the environment says so. What
/// tells of no environment counts as that.
pub(super) fn is_production(state: &State, write: &Write) -> bool {
    let Place { names, told, customers } = place(state, write);
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let traffic = matches!(write.target(), ItemId::Traffic(_));
    traffic || !told || customers || state.setup.policy.is_production(&names)
}

fn parts(name: &str) -> Vec<String> {
    name.split(['.', '/', ':']).map(str::to_owned).chain([name.to_owned()]).collect()
}

/// The names of one stage, or of all, and of the pipeline. Where these are the names of no environment,
/// those of the service that owns it say where it may be.
fn of_pipeline(state: &State, id: &PipelineId, stage: Option<&SafeText>) -> Place {
    let known = state.fleet.pipelines.get(id);
    let stages = known.map(|o| o.value.stages.as_slice()).unwrap_or_default();
    let own = parts(id.name.as_str());
    let all: Vec<String> =
        stages.iter().flat_map(|stage| parts(stage.name.as_str())).chain(own.clone()).collect();
    let mut names = match stage {
        Some(stage) => parts(stage.as_str()).into_iter().chain(own).collect(),
        None => all.clone(),
    };
    let told = are_environments(state, &all) || {
        let around = of_owners(state, id);
        let told = !around.is_empty();
        names.extend(around);
        told
    };
    // A stage may be called `Deploy-live`.
    let with_words = names.iter().cloned().chain(words(&names)).collect::<Vec<_>>();
    Place { customers: has_customers(state, &with_words), names, told }
}

fn words(names: &[String]) -> impl Iterator<Item = String> + '_ {
    names.iter().flat_map(|name| name.split(['-', '_'])).map(str::to_owned)
}

/// Whether the source of an environment of one of these names says that customers are on it.
fn has_customers(state: &State, names: &[String]) -> bool {
    state.fleet.environments.iter().any(|(id, o)| {
        let own = [&id.name, &o.value.name];
        let is_own = |name: &String| own.iter().any(|own| own.as_str().eq_ignore_ascii_case(name));
        o.value.production == Some(true) && names.iter().any(is_own)
    })
}

/// Whether one of `names`, or a word of it, is the name of an environment.
fn are_environments(state: &State, names: &[String]) -> bool {
    let plain: Vec<&str> = names.iter().map(String::as_str).collect();
    let words: Vec<String> = words(names).collect();
    let is_one = |name: &SafeText| {
        let mut told = names.iter().chain(&words);
        told.any(|own| own.eq_ignore_ascii_case(name.as_str()))
    };
    state.setup.policy.is_production(&plain)
        || state.fleet.environments.iter().any(|(_, o)| is_one(&o.value.name))
}

/// The environments of the services that own a pipeline.
fn of_owners(state: &State, id: &PipelineId) -> Vec<String> {
    let mut names = Vec::new();
    for owner in state.membership.owners(&ItemId::Pipeline(id.clone())) {
        let members = state.membership.members(owner);
        for id in members.iter().flat_map(|members| &members.environments) {
            names.push(id.name.to_string());
            names.extend(state.fleet.environments.get(id).map(|o| o.value.name.to_string()));
        }
        let service = state.setup.services.iter().filter(|service| service.id == *owner);
        for pattern in service.flat_map(|s| &s.canaries).filter_map(|c| c.environment.as_ref()) {
            if !pattern.name.as_str().contains(['*', '?']) {
                names.push(pattern.name.to_string());
            }
        }
    }
    names
}

fn of_split(state: &State, split: &TrafficId) -> Place {
    let around = around(state, split);
    let mut told = !around.is_empty();
    let names: Vec<String> = parts(split.name.as_str()).into_iter().chain(around).collect();
    let plain: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut known = state.fleet.environments.iter();
    told |= state.setup.policy.is_production(&plain)
        || known.any(|(_, o)| plain.iter().any(|name| o.value.name == **name));
    Place { customers: has_customers(state, &names), names, told }
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
