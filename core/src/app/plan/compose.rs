//! What an intent comes down to, for this service and at this moment.

use super::Composed;
use super::back::roll_back_and_hold;
use super::lookup::{canaries_of, pipelines, reason};
use super::shares::shift;
use super::undo::undo;
use crate::app::intent::{Custom, Intent};
use crate::app::select::canaries::split_of;
use crate::app::state::State;
use crate::domain::canary::{CanarySpec, Purpose};
use crate::domain::ids::{CanaryId, ExecutionId, FlagId, ItemId, PipelineId, ServiceId};
use crate::domain::pipeline::{Pipeline, RunState, Stage};
use crate::domain::revision::Revision;
use crate::domain::text::SafeText;
use crate::domain::time::coarse;
use crate::domain::write::{ArmWish, FlagChange, Write, words};

/// What `intent` comes down to.
pub(super) fn compose(state: &State, intent: &Intent, comment: &str) -> Result<Composed, String> {
    match intent {
        Intent::Answer { pipeline, stage, action, execution, approve } => {
            let which = (stage.as_ref(), action.as_ref(), execution.as_ref());
            answer(state, pipeline, which, *approve, comment)
        }
        Intent::Retry { pipeline, stage, all } => {
            let known = known(state, pipeline)?;
            let failed = match stage {
                Some(name) => stage_of(known, name)?,
                None => known
                    .stages
                    .iter()
                    .find(|s| s.state == RunState::Failed)
                    .ok_or_else(|| format!("no stage of {} has failed", pipeline.name))?,
            };
            let execution =
                failed.execution.clone().ok_or("which execution failed is not known")?;
            let (stage, all) = (failed.name.clone(), *all);
            Ok(one(
                state,
                pipeline,
                Write::Retry { pipeline: pipeline.clone(), stage, execution, all },
            ))
        }
        Intent::Stop { pipeline, execution, abandon } => {
            let known = known(state, pipeline)?;
            let running = |state: RunState| matches!(state, RunState::Running | RunState::Waiting);
            let execution = execution.clone().or_else(|| {
                known.executions.iter().find(|e| running(e.state)).map(|e| e.id.clone())
            });
            let execution =
                execution.ok_or_else(|| format!("nothing runs in {}", pipeline.name))?;
            let reason = reason(comment, "stopped by an operator");
            let (pipeline_id, abandon) = (pipeline.clone(), *abandon);
            Ok(one(
                state,
                pipeline,
                Write::Stop { pipeline: pipeline_id, execution, abandon, reason },
            ))
        }
        Intent::Start { pipeline } => {
            Ok(one(state, pipeline, Write::Start { pipeline: pipeline.clone() }))
        }
        Intent::Gate { pipeline, stage, hold } => {
            let known = known(state, pipeline)?;
            let stage = chosen(known, stage.as_ref(), |s| s.is_held() != *hold)?;
            if stage.is_held() == *hold {
                let word = if *hold { "held already" } else { "not held" };
                return Err(format!("{} of {} is {word}", stage.name, pipeline.name));
            }
            let enters = stage.inbound.as_ref().filter(|_| !*hold);
            let notes = enters.map(|id| ships(known.would_ship_with(id))).unwrap_or_default();
            let (pipeline_id, stage) = (pipeline.clone(), stage.name.clone());
            let write = if *hold {
                let reason = reason(comment, "held by an operator");
                Write::Hold { pipeline: pipeline_id, stage, reason }
            } else {
                Write::Release { pipeline: pipeline_id, stage }
            };
            Ok(Composed { notes, ..one(state, pipeline, write) })
        }
        Intent::RollBack { pipeline, stage, to } => {
            let write = roll_back(known(state, pipeline)?, stage.as_ref(), to.as_ref())?;
            Ok(one(state, pipeline, write))
        }
        Intent::Shift { split, arm, percent } => {
            let observed = state
                .fleet
                .traffic
                .get(split)
                .ok_or_else(|| format!("{} could not be read", split.name))?;
            let write = shift(state, &observed.value, arm, *percent)?;
            let mut composed = composed(state, &ItemId::Traffic(split.clone()), vec![write]);
            let now = observed.value.percent(arm.as_str()).unwrap_or(0.0);
            let mut own = canaries_of(state, split).filter(|spec| spec.canary == *arm);
            if let Some(spec) = own.next().filter(|_| f64::from(*percent) > now) {
                composed.notes = forward(state, spec, *percent);
            }
            Ok(composed)
        }
        Intent::Flag { flag, environment, change } => {
            Ok(flag_to(state, (flag, environment), change.clone(), None))
        }
        Intent::Promote { service } => promote(state, service, comment),
        Intent::RollBackAndHold { service, only } => {
            roll_back_and_hold(state, service, only.as_ref(), comment)
        }
        Intent::Fly { canary } => fly(state, canary),
        Intent::Undo { plan } => undo(state, plan),
        Intent::Custom { of: Custom::Attribute(flag, environment, strategy), text } => {
            let change = attribute(text)?;
            Ok(flag_to(state, (flag, environment), change, strategy.clone()))
        }
        Intent::Custom { of: Custom::Share(split, arm), text } => {
            let percent = number(text).filter(|percent| *percent <= 100);
            let percent = percent.ok_or("type a whole number from 0 to 100")?;
            let (split, arm) = (split.clone(), arm.clone());
            compose(state, &Intent::Shift { split, arm, percent }, comment)
        }
        Intent::Custom { of: Custom::Weight(split, arm), text } => {
            let weight = number(text).ok_or("type a whole number")?;
            let (split, arm) = (split.clone(), arm.clone());
            let title = format!("{arm} of {} to weight {weight}", split.name).into();
            let wish = ArmWish::Weight(weight);
            let writes = vec![Write::Arm { split, arm, wish }];
            compose(state, &Intent::Writes { title, writes }, comment)
        }
        Intent::Writes { title, writes } => Ok(Composed {
            title: title.to_string(),
            service: writes
                .first()
                .and_then(|write| state.membership.owners(&write.target()).first().cloned()),
            writes: writes.clone(),
            notes: Vec::new(),
        }),
    }
}

/// A whole number that was typed, as of per cent.
fn number(text: &SafeText) -> Option<u32> {
    text.as_str().trim().trim_end_matches('%').trim_end().parse().ok()
}

/// An attribute that was typed.
fn attribute(text: &SafeText) -> Result<FlagChange, String> {
    let parts = text.as_str().split_once('=').map(|(name, value)| (name.trim(), value.trim()));
    let (name, value) = parts.filter(|(name, _)| !name.is_empty()).ok_or("type NAME=VALUE")?;
    Ok(FlagChange::Attribute { name: name.into(), value: value.into() })
}

/// A change of a flag in an environment, by this strategy; by the usual one without.
fn flag_to(
    state: &State,
    (flag, environment): (&FlagId, &SafeText),
    change: FlagChange,
    strategy: Option<SafeText>,
) -> Composed {
    let (item, flag, environment) = (ItemId::Flag(flag.clone()), flag.clone(), environment.clone());
    composed(state, &item, vec![Write::Flag { flag, environment, change, strategy }])
}

fn known<'a>(state: &'a State, id: &PipelineId) -> Result<&'a Pipeline, String> {
    let observed = state.fleet.pipelines.get(id);
    observed.map(|o| &*o.value).ok_or_else(|| format!("{} could not be read", id.name))
}

fn stage_of<'a>(pipeline: &'a Pipeline, name: &SafeText) -> Result<&'a Stage, String> {
    pipeline.stage(name.as_str()).ok_or_else(|| format!("{} has no stage {name}", pipeline.id.name))
}

/// The named stage; else the last one that fits, else the last.
fn chosen<'a>(
    pipeline: &'a Pipeline,
    name: Option<&SafeText>,
    fits: impl Fn(&Stage) -> bool,
) -> Result<&'a Stage, String> {
    match name {
        Some(name) => stage_of(pipeline, name),
        None => pipeline
            .stages
            .iter()
            .rfind(|s| fits(s))
            .or(pipeline.stages.last())
            .ok_or_else(|| format!("{} has no stages", pipeline.id.name)),
    }
}

fn composed(state: &State, item: &ItemId, writes: Vec<Write>) -> Composed {
    let said: Vec<String> = writes
        .iter()
        .map(|write| {
            let words = words(write, &state.fleet);
            // What it will be says more than the verb, where it is not the verb itself.
            let to = match write {
                Write::Shares { .. } | Write::Flag { .. } => words.to,
                _ => None,
            };
            to.map_or_else(|| words.what.to_string(), |to| format!("{}: {to}", words.what))
        })
        .collect();
    Composed {
        title: said.join(", and "),
        service: state.membership.owners(item).first().cloned(),
        writes,
        notes: Vec::new(),
    }
}

fn one(state: &State, pipeline: &PipelineId, write: Write) -> Composed {
    composed(state, &ItemId::Pipeline(pipeline.clone()), vec![write])
}

/// Stage, action and execution, as far as they are named.
type Which<'a> = (Option<&'a SafeText>, Option<&'a SafeText>, Option<&'a ExecutionId>);

fn answer(
    state: &State,
    id: &PipelineId,
    (stage, action, execution): Which<'_>,
    approve: bool,
    comment: &str,
) -> Result<Composed, String> {
    let pipeline = known(state, id)?;
    let found = pipeline.approvals().find(|(own, asking, ask)| {
        stage.is_none_or(|name| own.name == *name)
            && action.is_none_or(|name| asking.name == *name)
            && execution.is_none_or(|id| ask.execution.as_ref() == Some(id))
    });
    let (stage, action, ask) = found.ok_or_else(|| {
        // What is named may have been answered while something else waits.
        let asked = execution
            .map(|id| id.as_str().chars().take(8).collect())
            .into_iter()
            .chain(stage.map(ToString::to_string));
        match asked.chain(action.map(ToString::to_string)).next() {
            Some(named) => format!("{named} of {} does not wait for an answer", id.name),
            None => format!("nothing in {} waits for an answer", id.name),
        }
    })?;
    let write = Write::Answer {
        pipeline: id.clone(),
        stage: stage.name.clone(),
        action: action.name.clone(),
        execution: ask.execution.clone(),
        approve,
        comment: reason(comment, if approve { "approved" } else { "rejected" }),
    };
    let mut composed = composed(state, &ItemId::Pipeline(id.clone()), vec![write]);
    composed.notes.extend(ships(match &ask.execution {
        Some(asked) => pipeline.would_ship_with(asked),
        None => pipeline.would_ship(stage.name.as_str()),
    }));
    Ok(composed)
}

/// What ships, one line each.
fn ships(revisions: Option<Vec<&Revision>>) -> Vec<String> {
    let text = |t: &Option<SafeText>| t.as_ref().map(|t| format!(" {t}")).unwrap_or_default();
    match revisions {
        Some(revisions) if revisions.is_empty() => vec!["ships nothing new".to_owned()],
        Some(revisions) => {
            let all = revisions.into_iter().map(|revision| {
                let (message, author) = (text(&revision.message), text(&revision.author));
                format!("ships {}{message}{author}", revision.short())
            });
            all.collect()
        }
        None => vec!["what would ship is unknown".to_owned()],
    }
}

fn roll_back(
    pipeline: &Pipeline,
    stage: Option<&SafeText>,
    to: Option<&ExecutionId>,
) -> Result<Write, String> {
    let stage = chosen(pipeline, stage, |_| true)?;
    let to = match to {
        Some(wanted) => {
            let targets = pipeline.rollback_targets(stage.name.as_str());
            match targets.into_iter().find(|(id, _)| id == wanted) {
                Some((id, Ok(()))) => id,
                Some((_, Err(why))) => return Err(format!("{wanted} cannot be put back: {why}")),
                None => return Err(format!("{wanted} is no execution of {}", pipeline.id.name)),
            }
        }
        None => pipeline.before(stage)?,
    };
    Ok(Write::RollBack { pipeline: pipeline.id.clone(), stage: stage.name.clone(), to })
}

fn promote(state: &State, service: &ServiceId, comment: &str) -> Result<Composed, String> {
    for pipeline in pipelines(state, service) {
        if pipeline.approvals().next().is_some() {
            let mut plan = answer(state, &pipeline.id, (None, None, None), true, comment)?;
            plan.title = format!("promote {service}: {}", plan.title);
            return Ok(plan);
        }
    }
    let specs = state.setup.services.iter().filter(|s| s.id == *service).flat_map(|s| &s.canaries);
    for spec in specs {
        let Some((_, split)) = split_of(spec, &state.fleet) else { continue };
        let Some(now) = split.percent(spec.canary.as_str()) else { continue };
        if now <= 0.0 || now >= 100.0 {
            continue;
        }
        let next = next_step(spec, now);
        let write = shift(state, split, &spec.canary, next)?;
        let mut plan = composed(state, &ItemId::Traffic(split.id.clone()), vec![write]);
        plan.title = if next == 100 {
            format!("promote {service}: finish the canary, all traffic to it")
        } else {
            format!("promote {service}: canary from {now:.0}% to {next}%")
        };
        plan.service = Some(service.clone());
        plan.notes = forward(state, spec, next);
        return Ok(plan);
    }
    Err(format!(
        "{service} has nothing to promote: nothing waits for approval, and no canary is under way"
    ))
}

/// What to know before a canary gets more.
fn forward(state: &State, spec: &CanarySpec, percent: u32) -> Vec<String> {
    let judged = state.watches.get(&spec.id).and_then(|watch| watch.judged.as_ref());
    let verdict = judged.map(|judged| format!("{}: {}", judged.lead, judged.sentence));
    let last = (percent >= 100)
        .then(|| format!("this finishes the canary {}: everything goes to it", spec.name));
    verdict.into_iter().chain(last).collect()
}

/// The share after `now`, as configured; in the end all of it.
pub(super) fn next_step(spec: &CanarySpec, now: f64) -> u32 {
    let next = spec.steps.iter().copied().find(|step| *step > now + 0.5).unwrap_or(100.0);
    next.round().clamp(0.0, 100.0) as u32
}

/// No write yet: what a pilot does later, it plans then.
fn fly(state: &State, canary: &CanaryId) -> Result<Composed, String> {
    let spec = state
        .setup
        .services
        .iter()
        .flat_map(|s| &s.canaries)
        .find(|c| c.id == *canary)
        .ok_or_else(|| format!("there is no canary {canary}"))?;
    if spec.purpose == Purpose::Experiment {
        return Err(format!("{canary} is an experiment: no pilot flies it, the answer is yours"));
    }
    let (split, traffic) = split_of(spec, &state.fleet)
        .ok_or_else(|| format!("the traffic split of {canary} could not be read"))?;
    let share = traffic.percent(spec.canary.as_str());
    let now = share.map_or_else(|| "unknown".to_owned(), |p| format!("{p:.0}%"));
    let mut steps: Vec<String> = spec
        .steps
        .iter()
        .filter(|step| share.is_none_or(|share| **step > share))
        .map(|step| format!("{step:.0}%"))
        .collect();
    if steps.last().is_none_or(|last| last != "100%") {
        steps.push("100%".to_owned());
    }
    Ok(Composed {
        title: format!("let a pilot fly {canary}"),
        service: Some(spec.service.clone()),
        writes: Vec::new(),
        notes: vec![
            format!("{} of {} has {now}, then {}", spec.canary, split.name, steps.join(", ")),
            if spec.at.pass_steps {
                "a step forward when the canary is shown to do no harm and has baked"
            } else {
                "every step forward is yours, it only watches"
            }
            .to_owned(),
            if spec.at.fail_rolls_back {
                "harm: everything back to the baseline at once, and the way in is held"
            } else {
                "harm: it holds, and a human is needed"
            }
            .to_owned(),
            format!("no step forward later than {} from now", coarse(spec.deadline)),
            "anything unclear, a freeze, or no data: it holds, and a human is needed".to_owned(),
            "P, or any key that writes to this service, hands over to you at once; so does a \
             change by anybody else"
                .to_owned(),
        ],
    })
}
