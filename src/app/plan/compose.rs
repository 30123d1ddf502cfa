//! What an intent comes down to, for this service and at this moment.

use super::Composed;
use crate::app::intent::{Intent, rollback_targets};
use crate::app::select::canaries::split_of;
use crate::app::state::State;
use crate::domain::canary::{CanarySpec, Purpose};
use crate::domain::ids::{CanaryId, ExecutionId, ItemId, PipelineId, ServiceId};
use crate::domain::pipeline::{Pipeline, RunState, Stage};
use crate::domain::text::SafeText;
use crate::domain::time::coarse;
use crate::domain::traffic::TrafficSplit;
use crate::domain::write::{Outcome, Write, words};

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
            let (pipeline_id, stage) = (pipeline.clone(), stage.name.clone());
            let write = if *hold {
                let reason = reason(comment, "held by an operator");
                Write::Hold { pipeline: pipeline_id, stage, reason }
            } else {
                Write::Release { pipeline: pipeline_id, stage }
            };
            Ok(one(state, pipeline, write))
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
            let write = shares(&observed.value, arm, *percent)?;
            let item = ItemId::Traffic(split.clone());
            Ok(composed(state, &item, vec![write]))
        }
        Intent::Flag { flag, environment, change } => {
            let write = Write::Flag {
                flag: flag.clone(),
                environment: environment.clone(),
                change: change.clone(),
                strategy: None,
            };
            Ok(composed(state, &ItemId::Flag(flag.clone()), vec![write]))
        }
        Intent::Promote { service } => promote(state, service, comment),
        Intent::RollBackAndHold { service, only } => {
            roll_back_and_hold(state, service, only.as_ref(), comment)
        }
        Intent::Fly { canary } => fly(state, canary),
        Intent::Undo { plan } => undo(state, plan),
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

fn reason(comment: &str, usual: &str) -> SafeText {
    let comment = comment.trim();
    SafeText::new(if comment.is_empty() { usual } else { comment })
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
    let (stage, action, ask) =
        found.ok_or_else(|| format!("nothing in {} waits for an answer", id.name))?;
    let write = Write::Answer {
        pipeline: id.clone(),
        stage: stage.name.clone(),
        action: action.name.clone(),
        execution: ask.execution.clone(),
        approve,
        comment: reason(comment, if approve { "approved" } else { "rejected" }),
    };
    let mut composed = composed(state, &ItemId::Pipeline(id.clone()), vec![write]);
    let ships = match &ask.execution {
        Some(asked) => pipeline.would_ship_with(asked),
        None => pipeline.would_ship(stage.name.as_str()),
    };
    match ships {
        Some(revisions) if revisions.is_empty() => {
            composed.notes.push("ships nothing new".to_owned());
        }
        Some(revisions) => composed.notes.extend(revisions.iter().map(|revision| {
            let text =
                |t: &Option<SafeText>| t.as_ref().map(|t| format!(" {t}")).unwrap_or_default();
            format!(
                "ships {}{}{}",
                revision.short(),
                text(&revision.message),
                text(&revision.author)
            )
        })),
        None => composed.notes.push("what would ship is unknown".to_owned()),
    }
    Ok(composed)
}

fn roll_back(
    pipeline: &Pipeline,
    stage: Option<&SafeText>,
    to: Option<&ExecutionId>,
) -> Result<Write, String> {
    let stage = chosen(pipeline, stage, |_| true)?;
    let targets = rollback_targets(pipeline, stage.name.as_str());
    let to = match to {
        Some(wanted) => match targets.iter().find(|(id, _)| id == wanted) {
            Some((id, Ok(()))) => id.clone(),
            Some((_, Err(why))) => return Err(format!("{wanted} cannot be put back: {why}")),
            None => return Err(format!("{wanted} is no execution of {}", pipeline.id.name)),
        },
        None => {
            // What was there before what is there now.
            let current = stage.execution.as_ref();
            let after =
                targets.iter().position(|(id, _)| Some(id) == current).map_or(0, |at| at + 1);
            let mut older = targets.iter().skip(after);
            let eligible = older.find(|(_, why)| why.is_ok());
            eligible
                .map(|(id, _)| id.clone())
                .ok_or_else(|| format!("no execution of {} can be put back", pipeline.id.name))?
        }
    };
    Ok(Write::RollBack { pipeline: pipeline.id.clone(), stage: stage.name.clone(), to })
}

/// One version gets `percent`; the others share the rest in proportion to what they have now.
fn shares(split: &TrafficSplit, arm: &SafeText, percent: u32) -> Result<Write, String> {
    let percent = percent.min(100);
    if split.arm(arm.as_str()).is_none() {
        return Err(format!("{} has no version {arm}", split.id.name));
    }
    let others: Vec<(&SafeText, f64)> = split
        .arms
        .iter()
        // Those that take no traffic keep what they would get.
        .filter(|own| own.name != *arm && own.usable)
        .map(|own| (&own.name, split.percent(own.name.as_str()).unwrap_or(0.0)))
        .collect();
    if others.is_empty() && percent < 100 {
        return Err(format!("no other version of {} takes the rest of the traffic", split.id.name));
    }
    let sum: f64 = others.iter().map(|(_, share)| share).sum();
    let mut left = 100 - percent;
    let mut shares = vec![(arm.clone(), percent)];
    let count = others.len();
    for (i, (name, share)) in others.into_iter().enumerate() {
        let own = if i + 1 == count {
            left
        } else if sum > 0.0 {
            // At most 100.
            ((f64::from(100 - percent) * share / sum).round() as u32).min(left)
        } else {
            left / u32::try_from(count - i).unwrap_or(1)
        };
        left -= own;
        shares.push((name.clone(), own));
    }
    Ok(Write::Shares { split: split.id.clone(), shares })
}

/// Pipelines of a service, those that want a human first.
fn pipelines<'a>(state: &'a State, service: &ServiceId) -> Vec<&'a Pipeline> {
    let Some(members) = state.membership.members(service) else { return Vec::new() };
    let known = members.pipelines.iter().filter_map(|id| state.fleet.pipelines.get(id));
    let mut all: Vec<&Pipeline> = known.map(|o| &*o.value).collect();
    all.sort_by_key(|p| p.approvals().next().is_none());
    all
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
        let write = shares(split, &spec.canary, next)?;
        let mut plan = composed(state, &ItemId::Traffic(split.id.clone()), vec![write]);
        plan.title = if next == 100 {
            format!("promote {service}: finish the canary, all traffic to it")
        } else {
            format!("promote {service}: canary from {now:.0}% to {next}%")
        };
        plan.service = Some(service.clone());
        if let Some(judged) = state.watches.get(&spec.id).and_then(|w| w.judged.as_ref()) {
            plan.notes.push(format!("{}: {}", judged.lead, judged.sentence));
        }
        return Ok(plan);
    }
    Err(format!(
        "{service} has nothing to promote: nothing waits for approval, and no canary is under way"
    ))
}

/// The share after `now`, as configured; in the end all of it.
pub(super) fn next_step(spec: &CanarySpec, now: f64) -> u32 {
    let next = spec.steps.iter().copied().find(|step| *step > now + 0.5).unwrap_or(100.0);
    next.round().clamp(0.0, 100.0) as u32
}

fn roll_back_and_hold(
    state: &State,
    service: &ServiceId,
    only: Option<&CanaryId>,
    comment: &str,
) -> Result<Composed, String> {
    let mut writes = Vec::new();
    let specs = state.setup.services.iter().filter(|s| s.id == *service).flat_map(|s| &s.canaries);
    // The alternatives of an experiment are both good enough to stay.
    let specs = specs.filter(|spec| spec.purpose == Purpose::Canary);
    for spec in specs.filter(|spec| only.is_none_or(|only| spec.id == *only)) {
        let Some((_, split)) = split_of(spec, &state.fleet) else { continue };
        if split.percent(spec.canary.as_str()).is_some_and(|p| p > 0.0 && p < 100.0) {
            writes.push(shares(split, &spec.canary, 0)?);
        }
    }
    let pipelines = pipelines(state, service);
    if writes.is_empty() && only.is_none() {
        let pipeline =
            pipelines.first().ok_or_else(|| format!("{service} has no pipeline to roll back"))?;
        writes.push(roll_back(pipeline, None, None)?);
    }
    if let Some(pipeline) = pipelines.first()
        && let Some(last) = pipeline.stages.last().filter(|s| !s.is_held())
    {
        writes.push(Write::Hold {
            pipeline: pipeline.id.clone(),
            stage: last.name.clone(),
            reason: reason(comment, "rolled back and held by an operator"),
        });
    }
    if writes.is_empty() {
        return Err(format!("{service} has no traffic to take back, and is held already"));
    }
    Ok(Composed {
        title: format!("roll back {}, and hold", only.map_or(service.text(), CanaryId::text)),
        service: Some(service.clone()),
        writes,
        notes: vec!["nothing new enters until the hold is released".to_owned()],
    })
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
            "P hands over to you at once; so does a change by anybody else".to_owned(),
        ],
    })
}

fn undo(state: &State, plan: &crate::domain::write::PlanId) -> Result<Composed, String> {
    let own = state
        .activity
        .iter()
        .find(|activity| activity.plan == *plan)
        .ok_or("that write is not known here")?;
    let mut writes = Vec::new();
    // What was done last is undone first.
    for step in own.steps.iter().rev() {
        let done = matches!(
            &step.phase,
            Some(crate::app::activity::Phase::Ended { outcome: Outcome::Done { .. } })
        );
        match (&step.undo, done) {
            (Some(undo), true) => writes.push(undo.clone()),
            (None, true) => {
                let why = step.no_undo.clone().unwrap_or_default();
                return Err(format!("{} cannot be undone: {why}", step.words));
            }
            (_, false) => {}
        }
    }
    if writes.is_empty() {
        return Err(format!("{} was not done: there is nothing to undo", own.title));
    }
    Ok(Composed {
        title: format!("undo: {}", own.title),
        service: own.service.clone(),
        writes,
        notes: Vec::new(),
    })
}
