//! What can be done to something: every choice in words, and why some of them cannot be taken.

use std::cmp::Reverse;

use super::compose::next_step;
use crate::app::command::Wish;
use crate::app::intent::{Choice, Custom, Intent};
use crate::app::select::canaries::split_of;
use crate::app::state::State;
use crate::domain::flag::{Flag, FlagState};
use crate::domain::ids::{FlagId, ItemId, PipelineId, ServiceId, TrafficId};
use crate::domain::pipeline::{Pipeline, RunState};
use crate::domain::text::SafeText;
use crate::domain::traffic::TrafficSplit;
use crate::domain::write::{ArmWish, FlagChange, PlanId, Write};

/// What it is to be done to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// A service with everything that belongs to it.
    Service(ServiceId),
    /// One thing.
    Item(ItemId),
    /// A plan that was carried out.
    Plan(PlanId),
    /// Whatever was done last.
    Last,
}

/// Shares that are offered for a version of which no steps are configured, in per cent.
const USUAL_STEPS: [f64; 6] = [0.0, 5.0, 10.0, 25.0, 50.0, 100.0];

/// What `wish` can mean for `subject`; or why it means nothing.
pub fn choices(state: &State, wish: Wish, subject: &Subject) -> Result<Vec<Choice>, String> {
    let found = match wish {
        Wish::Approve | Wish::Reject => answers(state, subject, wish == Wish::Approve),
        Wish::Promote => promotions(state, subject),
        Wish::RollBack => roll_backs(state, subject),
        Wish::Hold => gates(state, subject),
        Wish::Traffic => shifts(state, subject),
        Wish::Flag => flags(state, subject),
        Wish::Retry => retries(state, subject),
        Wish::Stop => stops(state, subject),
        Wish::Start => starts(state, subject),
        Wish::Undo => undo(state, subject),
    };
    if found.is_empty() {
        return Err(nothing(wish, &name(subject)));
    }
    Ok(found)
}

fn nothing(wish: Wish, name: &str) -> String {
    match wish {
        Wish::Approve | Wish::Reject => format!("nothing waits for an answer in {name}"),
        Wish::Promote => format!("{name} belongs to no service"),
        Wish::RollBack => format!("{name} has nothing that can be rolled back"),
        Wish::Hold => format!("{name} has no stage with a way in"),
        Wish::Traffic => format!("{name} has no traffic split"),
        Wish::Flag => format!("{name} has no flag"),
        Wish::Retry => format!("nothing has failed in {name}"),
        Wish::Stop => format!("nothing runs in {name}"),
        Wish::Start => format!("{name} has no pipeline"),
        Wish::Undo => "nothing was done that could be undone".to_owned(),
    }
}

fn name(subject: &Subject) -> String {
    match subject {
        Subject::Service(id) => id.to_string(),
        Subject::Item(item) => item.name().to_string(),
        Subject::Plan(_) | Subject::Last => "it".to_owned(),
    }
}

fn choice(text: impl Into<SafeText>, intent: Intent) -> Choice {
    Choice { text: text.into(), intent: Ok(intent) }
}

/// The service of `subject`.
pub fn service_of(state: &State, subject: &Subject) -> Option<ServiceId> {
    match subject {
        Subject::Service(id) => Some(id.clone()),
        Subject::Item(item) => state.membership.owners(item).first().cloned(),
        Subject::Plan(_) | Subject::Last => None,
    }
}

fn pipelines<'a>(state: &'a State, subject: &Subject) -> Vec<&'a Pipeline> {
    let ids: Vec<PipelineId> = match subject {
        Subject::Item(ItemId::Pipeline(id)) => vec![id.clone()],
        Subject::Item(_) | Subject::Plan(_) | Subject::Last => Vec::new(),
        Subject::Service(id) => state
            .membership
            .members(id)
            .map(|members| members.pipelines.iter().cloned().collect())
            .unwrap_or_default(),
    };
    ids.iter().filter_map(|id| state.fleet.pipelines.get(id)).map(|o| &*o.value).collect()
}

fn answers(state: &State, subject: &Subject, approve: bool) -> Vec<Choice> {
    let verb = if approve { "approve" } else { "reject" };
    let mut found = Vec::new();
    for pipeline in pipelines(state, subject) {
        for (stage, action, ask) in pipeline.approvals() {
            let several = stage.approvals().count() > 1;
            let run = ask.execution.as_ref().and_then(|id| pipeline.execution(id));
            let revision = run.and_then(|run| run.revisions.first()).or(stage.revision.as_ref());
            let shown = revision.map(|r| format!(" {}", r.short())).unwrap_or_default();
            let asked = if several { format!(" ({})", action.name) } else { String::new() };
            found.push(choice(
                format!("{verb} {} of {}{shown}{asked}", stage.name, pipeline.id.name),
                Intent::Answer {
                    pipeline: pipeline.id.clone(),
                    stage: Some(stage.name.clone()),
                    action: Some(action.name.clone()),
                    execution: ask.execution.clone(),
                    approve,
                },
            ));
        }
    }
    found
}

fn promotions(state: &State, subject: &Subject) -> Vec<Choice> {
    let Some(service) = service_of(state, subject) else { return answers(state, subject, true) };
    let mut found = answers(state, &Subject::Service(service.clone()), true);
    let specs = state.setup.services.iter().filter(|s| s.id == service).flat_map(|s| &s.canaries);
    for spec in specs {
        let Some((id, split)) = split_of(spec, &state.fleet) else { continue };
        let Some(now) = split.percent(spec.canary.as_str()) else { continue };
        if now > 0.0 && now < 100.0 {
            let percent = next_step(spec, now);
            let finish = if percent >= 100 { "finish the " } else { "" };
            found.push(choice(
                format!("{finish}canary {} from {now:.0}% to {percent}%", spec.name),
                Intent::Shift { split: id.clone(), arm: spec.canary.clone(), percent },
            ));
        }
    }
    // With one way forward there is nothing to choose.
    if found.len() > 1 {
        return found;
    }
    vec![choice(format!("promote {service}"), Intent::Promote { service })]
}

fn roll_backs(state: &State, subject: &Subject) -> Vec<Choice> {
    let mut found = Vec::new();
    if let Some(service) = service_of(state, subject) {
        found.push(choice(
            format!("roll back {service}, and hold"),
            Intent::RollBackAndHold { service, only: None },
        ));
    }
    let pipelines = pipelines(state, subject);
    let stages = pipelines.iter().flat_map(|pipeline| {
        let stages = pipeline.stages.iter().enumerate().skip(1).rev();
        stages.map(move |(at, stage)| (*pipeline, stage, at + 1 == pipeline.stages.len()))
    });
    for (pipeline, stage, last) in stages {
        for (to, why) in pipeline.rollback_targets(stage.name.as_str()) {
            // Of customers' stage alone it is told why something cannot be put back.
            if why.is_err() && !last {
                continue;
            }
            let run = pipeline.execution(&to);
            let revision = run.and_then(|run| run.revisions.first());
            let shown = revision.map_or_else(
                || to.as_str().chars().take(8).collect(),
                |r| {
                    let message = r.message.as_ref().map(|m| format!(" {m}")).unwrap_or_default();
                    format!("{}{message}", r.short())
                },
            );
            let text = format!("put {shown} back into {} of {}", stage.name, pipeline.id.name);
            found.push(Choice {
                text: text.into(),
                intent: match why {
                    Ok(()) => Ok(Intent::RollBack {
                        pipeline: pipeline.id.clone(),
                        stage: Some(stage.name.clone()),
                        to: Some(to),
                    }),
                    Err(why) => Err(why.into()),
                },
            });
        }
    }
    found
}

fn gates(state: &State, subject: &Subject) -> Vec<Choice> {
    let mut found = Vec::new();
    for pipeline in pipelines(state, subject) {
        for stage in pipeline.stages.iter().rev().filter(|s| s.transition.is_some()) {
            let hold = !stage.is_held();
            let verb = if hold { "hold" } else { "release" };
            let intent = Intent::Gate {
                pipeline: pipeline.id.clone(),
                stage: Some(stage.name.clone()),
                hold,
            };
            found.push(choice(format!("{verb} {} of {}", stage.name, pipeline.id.name), intent));
        }
    }
    // What is held already is looked for first.
    found.sort_by_key(|c| !matches!(&c.intent, Ok(Intent::Gate { hold: false, .. })));
    found
}

fn splits<'a>(state: &'a State, subject: &Subject) -> Vec<&'a TrafficSplit> {
    let ids: Vec<TrafficId> = match subject {
        Subject::Item(ItemId::Traffic(id)) => vec![id.clone()],
        _ => service_of(state, subject)
            .and_then(|service| state.membership.members(&service))
            .map(|members| members.traffic.iter().cloned().collect())
            .unwrap_or_default(),
    };
    ids.iter().filter_map(|id| state.fleet.traffic.get(id)).map(|o| &*o.value).collect()
}

fn shifts(state: &State, subject: &Subject) -> Vec<Choice> {
    let mut found = Vec::new();
    for split in splits(state, subject) {
        let specs = state.setup.services.iter().flat_map(|s| &s.canaries);
        let spec = specs
            .filter(|spec| split_of(spec, &state.fleet).is_some_and(|(id, _)| *id == split.id))
            .find(|spec| split.arm(spec.canary.as_str()).is_some());
        let arm = match spec {
            Some(spec) => &spec.canary,
            None => match split.arms.last() {
                Some(arm) => &arm.name,
                None => continue,
            },
        };
        let mut steps = spec.map_or_else(Vec::new, |spec| spec.steps.clone());
        if steps.is_empty() {
            steps = USUAL_STEPS.to_vec();
        }
        steps.extend([0.0, 100.0]);
        steps.sort_by(f64::total_cmp);
        steps.dedup();
        let now = split.percent(arm.as_str());
        for step in steps {
            // Configured steps are shares.
            let percent = step.round().clamp(0.0, 100.0) as u32;
            let text = match percent {
                0 => format!("{}: everything away from {arm}", split.id.name),
                100 => format!("{}: everything to {arm}", split.id.name),
                _ => format!("{}: {percent}% to {arm}", split.id.name),
            };
            let is_now = now.is_some_and(|now| (now - f64::from(percent)).abs() < 0.5);
            found.push(Choice {
                text: text.into(),
                intent: if is_now {
                    Err("it is so now".into())
                } else {
                    Ok(Intent::Shift { split: split.id.clone(), arm: arm.clone(), percent })
                },
            });
        }
        let custom = |text: String, of: Custom| {
            choice(text, Intent::Custom { of, text: SafeText::default() })
        };
        found.push(custom(
            format!("{}: another share to {arm}, in per cent:", split.id.name),
            Custom::Share(split.id.clone(), arm.clone()),
        ));
        for arm in &split.arms {
            found.push(custom(
                format!("{}: {} to the weight:", split.id.name, arm.name),
                Custom::Weight(split.id.clone(), arm.name.clone()),
            ));
            for wish in [ArmWish::Ready, ArmWish::Drain, ArmWish::Maintenance] {
                let write = Write::Arm { split: split.id.clone(), arm: arm.name.clone(), wish };
                let text = format!("{}: {} to {}", split.id.name, arm.name, wish.word());
                let intent = Intent::Writes { title: text.as_str().into(), writes: vec![write] };
                let is_now = wish == ArmWish::Ready && arm.usable;
                let intent = if is_now { Err("it is so now".into()) } else { Ok(intent) };
                found.push(Choice { text: text.into(), intent });
            }
        }
    }
    found
}

fn flags(state: &State, subject: &Subject) -> Vec<Choice> {
    let ids: Vec<FlagId> = match subject {
        Subject::Item(ItemId::Flag(id)) => vec![id.clone()],
        _ => service_of(state, subject)
            .and_then(|service| state.membership.members(&service))
            .map(|members| members.flags.iter().cloned().collect())
            .unwrap_or_default(),
    };
    let mut known: Vec<&Flag> =
        ids.iter().filter_map(|id| state.fleet.flags.get(id)).map(|o| &*o.value).collect();
    // What changed last is looked for first; switches before shares.
    known.sort_by_key(|flag| Reverse(flag.changed()));
    let mut found: Vec<Choice> = known.into_iter().flat_map(changes_of).collect();
    found.sort_by_key(|choice| match &choice.intent {
        Ok(Intent::Flag { change: FlagChange::Enabled { .. }, .. }) | Err(_) => 0,
        Ok(Intent::Flag { change: FlagChange::Percent { .. }, .. }) => 1,
        Ok(_) => 2,
    });
    found
}

fn changes_of(flag: &Flag) -> Vec<Choice> {
    let mut found = Vec::new();
    for own in &flag.environments {
        let intent = |change: FlagChange| Intent::Flag {
            flag: flag.id.clone(),
            environment: own.environment.clone(),
            change,
        };
        match own.enabled {
            Some(on) => {
                let word = if on { "off" } else { "on" };
                let text = format!("{} {word} in {}", flag.key, own.environment);
                let change = FlagChange::Enabled { on: !on };
                found.push(choice(text.as_str(), intent(change.clone())));
                found.extend(paced(flag, own, &change, &text));
            }
            None => found.push(Choice {
                text: format!("{} in {}", flag.key, own.environment).into(),
                intent: Err("whether it is on is unknown".into()),
            }),
        }
        if let Some(rollout) = &own.rollout {
            let text = format!("stop version {} of it in {}", rollout.version, own.environment);
            found.push(choice(text, intent(FlagChange::Halt)));
        } else if !own.paces.is_empty() {
            let text = format!("take the last roll-out of it back in {}", own.environment);
            found.push(choice(text, intent(FlagChange::Revert)));
        }
        if !own.paces.is_empty() || !own.attributes.is_empty() {
            let text = format!("{} in {}, an attribute as NAME=VALUE", flag.key, own.environment);
            let other = own.paces.iter().skip(1);
            let other = other.map(|p| (format!(", {}", p.words), Some(p.name.clone())));
            for (how, strategy) in std::iter::once((String::new(), None)).chain(other) {
                let of = Custom::Attribute(flag.id.clone(), own.environment.clone(), strategy);
                let text = format!("{text}{how}:");
                found.push(choice(text, Intent::Custom { of, text: SafeText::default() }));
            }
        }
        if let Some(now) = own.gradual {
            for percent in USUAL_STEPS.into_iter().filter(|p| (p - now).abs() >= 0.5) {
                let text = format!("{} for {percent:.0}% in {}", flag.key, own.environment);
                found.push(choice(text, intent(FlagChange::Percent { percent })));
            }
        }
    }
    if let Some(own) = flag.environments.first() {
        let stale = !flag.marked;
        let text = if stale { "mark it as one to clean up" } else { "no longer to clean up" };
        let change = FlagChange::Stale { stale };
        let environment = own.environment.clone();
        let text = format!("{}: {text}", flag.key);
        found.extend(paced(flag, own, &change, &text));
        found.push(choice(text, Intent::Flag { flag: flag.id.clone(), environment, change }));
    }
    found
}

/// The same change at each of the other paces.
fn paced<'a>(
    flag: &'a Flag,
    own: &'a FlagState,
    change: &'a FlagChange,
    text: &'a str,
) -> impl Iterator<Item = Choice> + 'a {
    own.paces.iter().skip(1).map(move |pace| {
        let text = format!("{text}, {}", pace.words);
        let write = Write::Flag {
            flag: flag.id.clone(),
            environment: own.environment.clone(),
            change: change.clone(),
            strategy: Some(pace.name.clone()),
        };
        let title = text.as_str().into();
        choice(text, Intent::Writes { title, writes: vec![write] })
    })
}

fn retries(state: &State, subject: &Subject) -> Vec<Choice> {
    let mut found = Vec::new();
    for pipeline in pipelines(state, subject) {
        for stage in &pipeline.stages {
            let place = format!("{} of {}", stage.name, pipeline.id.name);
            if stage.state == RunState::Failed {
                for all in [false, true] {
                    let what = if all { "every action" } else { "the failed actions" };
                    let intent = Intent::Retry {
                        pipeline: pipeline.id.clone(),
                        stage: Some(stage.name.clone()),
                        all,
                    };
                    found.push(choice(format!("run {what} of {place} again"), intent));
                }
            }
            let failed = stage.conditions.iter().filter(|c| c.state == RunState::Failed);
            for condition in failed {
                // What is held before the stage is not what runs in it; no other kind is overridable.
                let held = match condition.when.as_str() {
                    "before entry" => stage.inbound.as_ref().or(stage.execution.as_ref()),
                    "on success" => stage.execution.as_ref(),
                    _ => None,
                };
                let Some(execution) = held else { continue };
                let write = Write::Override {
                    pipeline: pipeline.id.clone(),
                    stage: stage.name.clone(),
                    execution: execution.clone(),
                    condition: condition.when.clone(),
                };
                let text = format!("override the condition {} of {place}", condition.when);
                let intent = Intent::Writes { title: text.as_str().into(), writes: vec![write] };
                found.push(choice(text, intent));
            }
        }
    }
    found
}

fn stops(state: &State, subject: &Subject) -> Vec<Choice> {
    let mut found = Vec::new();
    for pipeline in pipelines(state, subject) {
        let running = |s: RunState| matches!(s, RunState::Running | RunState::Waiting);
        for run in pipeline.executions.iter().filter(|run| running(run.state)) {
            let id: String = run.id.as_str().chars().take(8).collect();
            for abandon in [false, true] {
                let how = if abandon { "at once" } else { "after the actions that run" };
                let intent = Intent::Stop {
                    pipeline: pipeline.id.clone(),
                    execution: Some(run.id.clone()),
                    abandon,
                };
                found.push(choice(format!("stop {id} of {} {how}", pipeline.id.name), intent));
            }
        }
    }
    found
}

fn starts(state: &State, subject: &Subject) -> Vec<Choice> {
    let start = |p: &Pipeline| {
        choice(format!("start {}", p.id.name), Intent::Start { pipeline: p.id.clone() })
    };
    pipelines(state, subject).into_iter().map(start).collect()
}

/// The last write that was done, or the named one; as long as undoing it leads back.
fn undo(state: &State, subject: &Subject) -> Vec<Choice> {
    let wanted = |plan: &PlanId| match subject {
        Subject::Plan(own) => own == plan,
        Subject::Service(_) | Subject::Item(_) | Subject::Last => true,
    };
    let mut done = state.activity.iter().filter(|a| wanted(&a.plan) && a.did_something());
    let last = done.next().map(|activity| {
        let text = format!("undo: {}", activity.title).into();
        let intent = super::undo::undo(state, &activity.plan)
            .map(|_| Intent::Undo { plan: activity.plan.clone() })
            .map_err(SafeText::from);
        Choice { text, intent }
    });
    last.into_iter().collect()
}
