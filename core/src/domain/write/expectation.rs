//! What was seen of a write's target, and what of it has moved since.

use serde::{Deserialize, Serialize};

use super::beside::Beside;
use super::kind::{ArmWish, Write};
use super::moved::Moved;
use crate::domain::fleet::Fleet;
use crate::domain::ids::ExecutionId;
use crate::domain::pipeline::{Approval, Pipeline, Stage};
use crate::domain::text::SafeText;
use crate::domain::token::Token;

/// What was seen of the target: the write is refused if any of it has moved.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Expectation {
    /// Names and values, as they are shown.
    pub facts: Vec<(SafeText, SafeText)>,
    /// The token of the approval, if one is answered.
    pub token: Option<Token>,
    /// What was seen beside the target, in other sources.
    #[serde(default)]
    pub beside: Vec<Beside>,
}

impl Expectation {
    fn of<const N: usize>(facts: [(&str, String); N]) -> Self {
        let facts = facts.into_iter().map(|(name, value)| (name.into(), value.into())).collect();
        Self { facts, ..Self::default() }
    }

    /// The value of this name.
    pub fn get(&self, name: &str) -> Option<&SafeText> {
        self.facts.iter().find(|(own, _)| *own == name).map(|(_, value)| value)
    }

    /// All that was seen, of the target and beside it, as it is shown.
    pub fn told(&self) -> impl Iterator<Item = (SafeText, SafeText)> + '_ {
        let beside = self.beside.iter().map(|own| (own.what(), own.short()));
        self.facts.iter().cloned().chain(beside)
    }

    /// That nothing of what was seen is there any more, because of `why`.
    pub fn gone(&self, why: &str) -> Moved {
        let seen: Vec<String> =
            self.facts.iter().map(|(name, value)| format!("{name} {value}")).collect();
        Moved { what: "target".into(), seen: seen.join(", ").into(), now: why.into() }
    }

    /// What is different in `now`.
    pub fn moved(&self, now: &Self) -> Vec<Moved> {
        let gone = SafeText::new("gone");
        let mut moved: Vec<Moved> = self
            .facts
            .iter()
            .filter_map(|(what, seen)| {
                let now = now.get(what.as_str()).unwrap_or(&gone);
                (now != seen).then(|| Moved {
                    what: what.clone(),
                    seen: seen.clone(),
                    now: now.clone(),
                })
            })
            .collect();
        let new = now.facts.iter().filter(|(what, _)| self.get(what.as_str()).is_none());
        moved.extend(new.map(|(what, now)| Moved {
            what: what.clone(),
            seen: "not there".into(),
            now: now.clone(),
        }));
        if self.token != now.token && moved.is_empty() {
            moved.push(Moved {
                what: "approval".into(),
                seen: "the one on the screen".into(),
                now: "another one".into(),
            });
        }
        moved
    }
}

/// What is true of the target of `write` now; or why that is not known.
pub fn expectation(write: &Write, fleet: &Fleet) -> Result<Expectation, String> {
    match write {
        Write::Answer { pipeline, stage, action, execution, .. } => {
            let pipeline = known(fleet, pipeline)?;
            let stage = stage_of(pipeline, stage)?;
            let ask = waiting(stage, action, execution.as_ref()).ok_or_else(|| {
                format!("nothing waits for an answer in {} of {}", stage.name, pipeline.id.name)
            })?;
            let mut seen = Expectation::of([
                ("execution", ask.execution.as_ref().map(ToString::to_string).unwrap_or_default()),
                ("revision", revision_of(pipeline, stage, ask)),
            ]);
            seen.token = ask.token.clone();
            Ok(seen)
        }
        Write::Override { pipeline, stage, execution, .. } => {
            let stage = stage_of(known(fleet, pipeline)?, stage)?;
            // What is held before the stage is not what runs in it.
            let there = |id: &&ExecutionId| *id == execution;
            let held = stage.inbound.iter().chain(&stage.execution).find(there);
            let held = held.or(stage.execution.as_ref());
            let held = held.map(ToString::to_string).unwrap_or_default();
            Ok(Expectation::of([("execution", held), ("state", stage.state.word().to_owned())]))
        }
        Write::Retry { pipeline, stage, .. } => {
            let stage = stage_of(known(fleet, pipeline)?, stage)?;
            let current = stage.execution.as_ref().map(ToString::to_string).unwrap_or_default();
            Ok(Expectation::of([("execution", current), ("state", stage.state.word().to_owned())]))
        }
        Write::Stop { pipeline, execution, .. } => {
            let pipeline = known(fleet, pipeline)?;
            let run = pipeline.execution(execution).ok_or_else(|| {
                format!("{execution} is no execution of {} that is told of", pipeline.id.name)
            })?;
            Ok(Expectation::of([("state", run.state.word().to_owned())]))
        }
        Write::Start { pipeline } => {
            let pipeline = known(fleet, pipeline)?;
            let newest = pipeline.executions.first().map(|e| e.id.to_string()).unwrap_or_default();
            Ok(Expectation::of([("newest execution", newest)]))
        }
        Write::Hold { pipeline, stage, .. } | Write::Release { pipeline, stage } => {
            let stage = stage_of(known(fleet, pipeline)?, stage)?;
            let open = if stage.is_held() { "closed" } else { "open" };
            let inbound = stage.inbound.as_ref().map(ToString::to_string).unwrap_or_default();
            Ok(match write {
                // Whatever waits before the stage would enter: it is part of what was seen.
                Write::Release { .. } => {
                    Expectation::of([("way", open.to_owned()), ("waiting", inbound)])
                }
                _ => Expectation::of([("way", open.to_owned())]),
            })
        }
        Write::RollBack { pipeline, stage, .. } => {
            let stage = stage_of(known(fleet, pipeline)?, stage)?;
            Ok(Expectation::of([
                (
                    "execution",
                    stage.execution.as_ref().map(ToString::to_string).unwrap_or_default(),
                ),
                ("revision", stage.revision.as_ref().map(|r| r.id.to_string()).unwrap_or_default()),
                ("state", stage.state.word().to_owned()),
            ]))
        }
        Write::Shares { split, .. } | Write::Weights { split, .. } | Write::Arm { split, .. } => {
            let observed = fleet.traffic.get(split).ok_or_else(|| unread(split.name.as_str()))?;
            let mut seen = Expectation::default();
            for arm in &observed.value.arms {
                let usable = match ArmWish::of(arm) {
                    Some(ArmWish::Maintenance) => " in maintenance",
                    Some(ArmWish::Drain) => " drained",
                    _ if !arm.usable => " not used",
                    _ => "",
                };
                let revision =
                    arm.revision.as_ref().map(|r| format!(" {}", r.short())).unwrap_or_default();
                let value = format!("weight {}{usable}{revision}", arm.weight);
                seen.facts.push((arm.name.clone(), value.into()));
            }
            Ok(seen)
        }
        Write::Flag { flag, environment, .. } => {
            let observed = fleet.flags.get(flag).ok_or_else(|| unread(flag.name.as_str()))?;
            let state = observed
                .value
                .environment(environment.as_str())
                .ok_or_else(|| format!("{} is not told of in {environment}", flag.name))?;
            let enabled = match state.enabled {
                Some(true) => "on",
                Some(false) => "off",
                None => {
                    return Err(format!("whether {} is on in {environment} is unknown", flag.name));
                }
            };
            let percent = state.percent.map(|p| format!("{p}")).unwrap_or_default();
            let rules: Vec<&str> = state.rules.iter().map(SafeText::as_str).collect();
            Ok(Expectation::of([
                ("state", enabled.to_owned()),
                ("percent", percent),
                ("rules", rules.join("; ")),
                ("version", state.version.as_ref().map(ToString::to_string).unwrap_or_default()),
                (
                    "stale",
                    observed.value.stale.as_ref().map(ToString::to_string).unwrap_or_default(),
                ),
            ]))
        }
    }
}

/// The approval that waits for one execution in one action.
pub(super) fn waiting<'a>(
    stage: &'a Stage,
    action: &SafeText,
    execution: Option<&crate::domain::ids::ExecutionId>,
) -> Option<&'a Approval> {
    stage
        .approvals()
        .filter(|(own, _)| own.name == *action)
        .map(|(_, ask)| ask)
        .find(|ask| execution.is_none() || ask.execution.as_ref() == execution)
}

fn revision_of(pipeline: &Pipeline, stage: &Stage, ask: &Approval) -> String {
    let asked = ask.execution.as_ref().and_then(|id| pipeline.execution(id));
    let first = asked.and_then(|run| run.revisions.first()).or(stage.revision.as_ref());
    first.map(|revision| revision.id.to_string()).unwrap_or_default()
}

pub(super) fn known<'a>(
    fleet: &'a Fleet,
    id: &crate::domain::ids::PipelineId,
) -> Result<&'a Pipeline, String> {
    let observed = fleet.pipelines.get(id).ok_or_else(|| unread(id.name.as_str()))?;
    if observed.value.detail { Ok(&observed.value) } else { Err(unread(id.name.as_str())) }
}

pub(super) fn stage_of<'a>(pipeline: &'a Pipeline, stage: &SafeText) -> Result<&'a Stage, String> {
    pipeline
        .stage(stage.as_str())
        .ok_or_else(|| format!("{} has no stage {stage}", pipeline.id.name))
}

fn unread(name: &str) -> String {
    format!("{name} could not be read")
}
