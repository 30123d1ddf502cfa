//! Whether the effect of a write can be seen.

use super::expectation::{Expectation, known, stage_of, waiting};
use super::kind::{ArmWish, FlagChange, Write};
use crate::domain::fleet::Fleet;
use crate::domain::pipeline::RunState;
use crate::domain::text::SafeText;

/// What a reading after a write shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seen {
    /// The effect.
    Effect,
    /// Not yet.
    NotYet,
    /// Something else than was wanted.
    Other(String),
    /// It could not be read.
    Unknown(String),
}

/// Whether the effect of `write` can be seen; `before` is what was true when it was sent.
pub fn seen(write: &Write, before: &Expectation, fleet: &Fleet) -> Seen {
    match look(write, before, fleet) {
        Ok(seen) => seen,
        Err(why) => Seen::Unknown(why),
    }
}

fn effect(is: bool) -> Seen {
    if is { Seen::Effect } else { Seen::NotYet }
}

fn unknown(what: &str) -> Seen {
    Seen::Unknown(format!("{what} could not be read"))
}

fn look(write: &Write, before: &Expectation, fleet: &Fleet) -> Result<Seen, String> {
    Ok(match write {
        Write::Answer { pipeline, stage, action, execution, approve, .. } => {
            let pipeline = known(fleet, pipeline)?;
            let stage = stage_of(pipeline, stage)?;
            if waiting(stage, action, execution.as_ref())
                .is_some_and(|ask| ask.token == before.token)
            {
                return Ok(Seen::NotYet);
            }
            // No longer waiting; by this answer, or by somebody else's?
            let own = execution.as_ref().is_none_or(|e| stage.execution.as_ref() == Some(e));
            let now = stage.actions.iter().find(|a| a.name == *action).map(|a| a.state);
            match (own, now, approve) {
                (true, Some(RunState::Unknown), _) => unknown(&format!("the state of {action}")),
                (true, Some(RunState::Succeeded), true) | (true, Some(RunState::Failed), false) => {
                    Seen::Effect
                }
                (true, Some(RunState::Succeeded), false) => {
                    Seen::Other("it was approved".to_owned())
                }
                (true, Some(RunState::Failed), true) => Seen::Other("it was rejected".to_owned()),
                (true, _, _) => Seen::NotYet,
                (false, ..) => {
                    let run =
                        execution.as_ref().and_then(|e| pipeline.execution(e)).map(|e| e.state);
                    match (run, approve) {
                        (Some(RunState::Succeeded | RunState::Running), true)
                        | (Some(RunState::Failed), false) => Seen::Effect,
                        // Side by side, an execution ends a moment after its answer.
                        (Some(RunState::Running | RunState::Waiting), false)
                            if stage.execution.is_none() =>
                        {
                            Seen::NotYet
                        }
                        (Some(RunState::Unknown), _) => unknown("the state of the execution"),
                        (Some(RunState::Superseded), _) => {
                            Seen::Other("a newer execution overtook it".to_owned())
                        }
                        (Some(state), _) => {
                            Seen::Other(format!("the execution is {}", state.word()))
                        }
                        (None, _) => Seen::NotYet,
                    }
                }
            }
        }
        Write::Retry { pipeline, stage, execution, .. } => {
            let pipeline = known(fleet, pipeline)?;
            let stage = stage_of(pipeline, stage)?;
            let (own, now) = match &stage.execution {
                Some(own) => (own == execution, Some(stage.state)),
                // Side by side, a stage has no execution of its own.
                None => (true, pipeline.execution(execution).map(|e| e.state)),
            };
            match now {
                _ if !own => Seen::NotYet,
                Some(RunState::Unknown) | None => unknown("the state of the stage"),
                Some(now) => effect(now != RunState::Failed),
            }
        }
        Write::Stop { pipeline, execution, .. } => {
            let run = known(fleet, pipeline)?.execution(execution).map(|e| e.state);
            match run {
                Some(RunState::Stopped | RunState::Stopping | RunState::Cancelled) => Seen::Effect,
                Some(RunState::Running | RunState::Waiting) | None => Seen::NotYet,
                Some(RunState::Unknown) => unknown("the state of the execution"),
                Some(state) => Seen::Other(format!("it had {} before", state.word())),
            }
        }
        Write::Start { pipeline } => {
            let newest = known(fleet, pipeline)?.executions.first().map(|e| e.id.to_string());
            let was = before.get("newest execution").map(ToString::to_string);
            effect(newest.is_some() && newest != was)
        }
        Write::Hold { pipeline, stage, .. } => {
            effect(stage_of(known(fleet, pipeline)?, stage)?.is_held())
        }
        Write::Release { pipeline, stage } => {
            effect(!stage_of(known(fleet, pipeline)?, stage)?.is_held())
        }
        Write::RollBack { pipeline, stage, to } => {
            let pipeline = known(fleet, pipeline)?;
            let stage = stage_of(pipeline, stage)?;
            let run = stage.execution.as_ref().and_then(|id| pipeline.execution(id));
            let back = run.is_some_and(|run| run.rollback_to.as_ref() == Some(to));
            effect(back || stage.execution.as_ref() == Some(to))
        }
        Write::Override { pipeline, stage, condition, .. } => {
            let stage = stage_of(known(fleet, pipeline)?, stage)?;
            let own = stage.conditions.iter().find(|c| c.when == *condition);
            match own.map(|c| c.state) {
                Some(RunState::Unknown) | None => unknown(&format!("the condition {condition}")),
                Some(state) => effect(state != RunState::Failed),
            }
        }
        Write::Shares { split, shares } => {
            let observed = fleet.traffic.get(split).ok_or("the traffic split could not be read")?;
            let mut all = true;
            for (arm, wanted) in shares {
                let Some(now) = observed.value.percent(arm.as_str()) else {
                    return Ok(Seen::Unknown(format!("the share of {arm} could not be read")));
                };
                all &= (now - f64::from(*wanted)).abs() < 0.75;
            }
            effect(all)
        }
        Write::Weights { split, weights } => {
            let observed = fleet.traffic.get(split).ok_or("the traffic split could not be read")?;
            let mut all = true;
            for (name, wanted) in weights {
                let arm = observed.value.arm(name.as_str());
                all &= arm.ok_or_else(|| format!("{name} is gone"))?.weight == *wanted;
            }
            effect(all)
        }
        Write::Arm { split, arm, wish } => {
            let observed = fleet.traffic.get(split).ok_or("the traffic split could not be read")?;
            let arm = observed.value.arm(arm.as_str()).ok_or_else(|| format!("{arm} is gone"))?;
            // Of one that fails, nothing else is told: it takes no traffic, as was wished.
            let now = ArmWish::of(arm);
            effect(match wish {
                ArmWish::Ready => now == Some(*wish),
                ArmWish::Drain | ArmWish::Maintenance => now.is_none_or(|now| now == *wish),
                ArmWish::Weight(weight) => arm.weight == *weight,
            })
        }
        Write::Flag { flag, environment, change, .. } => {
            let observed = fleet.flags.get(flag).ok_or("the flag could not be read")?;
            let state = observed
                .value
                .environment(environment.as_str())
                .ok_or_else(|| format!("it is not told of in {environment}"))?;
            match change {
                FlagChange::Enabled { on } => match state.enabled {
                    Some(now) => {
                        // On its way with everything it takes is as much as there is to see.
                        let then = state.rollout.as_ref().and_then(|r| r.enabled);
                        effect(now == *on || then == Some(*on))
                    }
                    None => Seen::Unknown("whether it is on is unknown".to_owned()),
                },
                FlagChange::Percent { percent } => {
                    effect(state.gradual.is_some_and(|now| (now - percent).abs() < 0.01))
                }
                FlagChange::Attribute { name, value } => {
                    let then = state.rollout.iter().flat_map(|r| &r.attributes);
                    let told = state.attributes.iter().chain(then);
                    effect(told.filter(|(own, _)| own == name).any(|(_, now)| same(now, value)))
                }
                FlagChange::Halt if state.enabled.is_none() => unknown("what is deployed"),
                FlagChange::Halt => effect(state.rollout.is_none()),
                FlagChange::Revert => match &state.version {
                    None => unknown("the version"),
                    Some(now) => effect(before.get("version") != Some(now)),
                },
                FlagChange::Stale { stale } => effect(observed.value.marked == *stale),
            }
        }
    })
}

/// Whether two values are the same; numbers are, however they are written.
fn same(one: &SafeText, other: &SafeText) -> bool {
    let number = |text: &SafeText| text.as_str().trim().parse::<f64>().ok();
    one == other || number(one).is_some_and(|it| Some(it) == number(other))
}
