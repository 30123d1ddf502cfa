//! From arguments to an intent: names are looked up, what is ambiguous is refused with the choices.

use std::collections::BTreeSet;

use super::args::{Act, FlagArgs, RollBackArgs, Staged, TrafficArgs};
use crate::app::State;
use crate::app::activity::Activity;
use crate::app::command::Wish;
use crate::app::intent::{Choice, Intent};
use crate::app::plan::{self, Subject, choices};
use crate::cli::exit::{Exit, Failure};
use crate::domain::fact::FactKind;
use crate::domain::ids::{ExecutionId, ItemId, PipelineId, ServiceId, SourceId};
use crate::domain::text::SafeText;
use crate::domain::write::{ArmWish, FlagChange, PlanId, Write};

/// What has stages.
const PIPELINES: &[FactKind] = &[FactKind::Pipelines];
/// What goes forward and back as a whole.
const WHOLE: &[FactKind] = &[FactKind::Pipelines, FactKind::Traffic];

/// What `act` wants; or why that is not clear, or cannot be.
pub fn intent(state: &State, act: &Act) -> Result<Intent, Failure> {
    match act {
        Act::Approve(args) => staged(state, Wish::Approve, args),
        Act::Reject(args) => staged(state, Wish::Reject, args),
        Act::Retry(args) => staged(state, Wish::Retry, args),
        Act::Stop(args) => staged(state, Wish::Stop, args),
        Act::Hold(args) => gate(state, args, true),
        Act::Release(args) => gate(state, args, false),
        Act::Override(args) => pass(state, args),
        Act::Promote(args) => {
            one(offered(state, Wish::Promote, &subject(state, &args.name, WHOLE)?)?)
        }
        Act::Start(args) => {
            one(offered(state, Wish::Start, &subject(state, &args.name, PIPELINES)?)?)
        }
        Act::RollBack(args) => roll_back(state, args),
        Act::Traffic(args) => traffic(state, args),
        Act::Flag(args) => flag(state, args),
        Act::Undo(args) => {
            let subject = match &args.plan {
                Some(plan) => Subject::Plan(PlanId(plan.clone())),
                None => Subject::Last,
            };
            one(offered(state, Wish::Undo, &subject)?)
        }
    }
}

/// The kinds of thing that `act` can be about.
fn kinds(act: &Act) -> &'static [FactKind] {
    match act {
        Act::Promote(_) | Act::RollBack(_) => WHOLE,
        Act::Traffic(_) => &[FactKind::Traffic],
        Act::Flag(_) => &[FactKind::Flags],
        Act::Undo(_) => &[],
        _ => PIPELINES,
    }
}

/// The plan that is undone.
fn undone<'a>(state: &'a State, wanted: Option<&String>) -> Option<&'a Activity> {
    let is_it = |a: &&Activity| wanted.is_none_or(|own| *own == a.plan.0);
    state.activity.iter().filter(is_it).find(|a| a.did_something())
}

/// The sources that may hold what `act` is about.
pub fn holders(state: &State, act: &Act) -> BTreeSet<SourceId> {
    match (name_of(act), act) {
        (Some(name), _) => plan::holders(state, name, kinds(act)),
        (None, Act::Undo(args)) => {
            let steps = undone(state, args.plan.as_ref()).map(|a| a.steps.as_slice());
            steps.unwrap_or_default().iter().map(|step| step.write.source()).collect()
        }
        (None, _) => BTreeSet::new(),
    }
}

/// What `act` is about, as far as it is known: what belongs to the service, or is called so.
pub fn items(state: &State, act: &Act) -> Vec<ItemId> {
    let Some(name) = name_of(act) else {
        let Act::Undo(args) = act else { return Vec::new() };
        let steps = undone(state, args.plan.as_ref()).map(|a| a.steps.as_slice());
        return steps.unwrap_or_default().iter().map(|step| step.write.target()).collect();
    };
    let service = ServiceId::new(name);
    let is_service = state.setup.services.iter().any(|s| s.id == service);
    let mut all = all(state, kinds(act));
    all.retain(|item| {
        if is_service {
            state.membership.owners(item).contains(&service)
        } else {
            is_named(state, item, name)
        }
    });
    all
}

/// What `act` names: a service, or something by its own name.
fn name_of(act: &Act) -> Option<&str> {
    Some(match act {
        Act::Undo(_) => return None,
        Act::Promote(args) | Act::Start(args) => &args.name,
        Act::RollBack(args) => &args.name,
        Act::Traffic(args) => &args.name,
        Act::Flag(args) => &args.name,
        Act::Approve(args)
        | Act::Reject(args)
        | Act::Hold(args)
        | Act::Release(args)
        | Act::Override(args)
        | Act::Retry(args)
        | Act::Stop(args) => &args.name,
    })
}

/// Nothing can be done, for a reason that lies in the backends.
fn refused(why: impl Into<String>) -> Failure {
    Failure { exit: Exit::Refused, message: why.into() }
}

fn offered(state: &State, wish: Wish, subject: &Subject) -> Result<Vec<Choice>, Failure> {
    choices(state, wish, subject).map_err(refused)
}

/// The service, pipeline, traffic split or flag of this name.
fn subject(state: &State, name: &str, kinds: &[FactKind]) -> Result<Subject, Failure> {
    if state.setup.services.iter().any(|s| s.id.as_str() == name) {
        return Ok(Subject::Service(ServiceId::new(name)));
    }
    // Other kinds were not waited for, and would be met by chance.
    let items = all(state, kinds);
    let mut named = items.iter().filter(|item| is_named(state, item, name));
    match (named.next(), named.next()) {
        (Some(item), None) => Ok(Subject::Item(item.clone())),
        (Some(one), Some(other)) => Err(Failure::usage(format!(
            "{name} is in {} and in {}: write SOURCE/{name}",
            one.source(),
            other.source()
        ))),
        (None, _) if !is_listed(state, name, kinds) => {
            Err(refused(format!("nothing is known that is called {name}")))
        }
        (None, _) => {
            let services = state.setup.services.iter().map(|s| s.id.to_string());
            let all: Vec<String> =
                services.chain(items.iter().map(|item| item.name().to_string())).collect();
            let near = all.iter().min_by_key(|known| strsim::damerau_levenshtein(known, name));
            let hint = near.map(|near| format!(", did you mean {near}?")).unwrap_or_default();
            Err(Failure::usage(format!(
                "there is no service, pipeline, split or flag {name}{hint}"
            )))
        }
    }
}

/// Everything of these kinds that is known.
fn all(state: &State, kinds: &[FactKind]) -> Vec<ItemId> {
    let fleet = &state.fleet;
    let of_kind = |kind: &FactKind| -> Vec<ItemId> {
        match kind {
            FactKind::Pipelines => {
                fleet.pipelines.iter().map(|(id, _)| ItemId::Pipeline(id.clone())).collect()
            }
            FactKind::Traffic => {
                fleet.traffic.iter().map(|(id, _)| ItemId::Traffic(id.clone())).collect()
            }
            FactKind::Flags => fleet.flags.iter().map(|(id, _)| ItemId::Flag(id.clone())).collect(),
            _ => Vec::new(),
        }
    };
    kinds.iter().flat_map(of_kind).collect()
}

/// Whether the sources that may hold `name` have told what they have: otherwise it may be there.
fn is_listed(state: &State, name: &str, kinds: &[FactKind]) -> bool {
    let holders = plan::holders(state, name, kinds);
    let sources = state.fleet.sources.values();
    sources
        .filter(|source| holders.contains(&source.meta.id))
        .all(|source| source.report.settled && source.worst().is_none())
}

fn is_named(state: &State, item: &ItemId, name: &str) -> bool {
    let own = item.name();
    let is_key = match item {
        ItemId::Flag(id) => state.fleet.flags.get(id).is_some_and(|o| o.value.key == *name),
        _ => false,
    };
    is_key || *own == *name || format!("{}/{own}", item.source()) == name
}

/// The only choice that is left.
fn one(mut found: Vec<Choice>) -> Result<Intent, Failure> {
    if found.len() > 1 {
        let all: Vec<String> = found.iter().map(|c| format!("\n  {}", c.text)).collect();
        return Err(Failure::usage(format!("that can mean several things:{}", all.concat())));
    }
    match found.pop() {
        Some(Choice { intent: Ok(intent), .. }) => Ok(intent),
        Some(Choice { text, intent: Err(why) }) => Err(refused(format!("{text}: {why}"))),
        None => Err(refused("nothing fits")),
    }
}

fn staged(state: &State, wish: Wish, args: &Staged) -> Result<Intent, Failure> {
    let mut found = offered(state, wish, &subject(state, &args.name, PIPELINES)?)?;
    found.retain(|choice| match &choice.intent {
        Ok(Intent::Answer { stage, action, .. }) => {
            let wanted = args.action.as_ref();
            fits(args, stage.as_ref())
                && wanted.is_none_or(|wanted| action.as_ref().is_some_and(|own| *own == **wanted))
        }
        Ok(Intent::Retry { stage, all, .. }) => fits(args, stage.as_ref()) && *all == args.all,
        Ok(Intent::Stop { abandon, .. }) => *abandon == args.all,
        Ok(_) => false,
        Err(_) => true,
    });
    one(chosen(found, args))
}

/// Of several, those of the execution that is expected; what is left is compared with it later.
fn chosen(found: Vec<Choice>, args: &Staged) -> Vec<Choice> {
    let Some(wanted) = &args.go.expect_execution else { return found };
    let is_it = |choice: &Choice| match &choice.intent {
        Ok(Intent::Answer { execution, .. } | Intent::Stop { execution, .. }) => {
            execution.as_ref().is_some_and(|own| own.as_str() == wanted)
        }
        _ => false,
    };
    let (own, other): (Vec<Choice>, Vec<Choice>) = found.into_iter().partition(is_it);
    if own.is_empty() { other } else { own }
}

fn fits(args: &Staged, stage: Option<&crate::domain::text::SafeText>) -> bool {
    args.stage.as_ref().is_none_or(|wanted| stage.is_some_and(|own| *own == **wanted))
}

/// Past a condition that failed.
fn pass(state: &State, args: &Staged) -> Result<Intent, Failure> {
    let none = || refused(format!("no condition has failed in {}", args.name));
    let subject = subject(state, &args.name, PIPELINES)?;
    let mut found = choices(state, Wish::Retry, &subject).map_err(|_| none())?;
    found.retain(|choice| match &choice.intent {
        Ok(Intent::Writes { writes, .. }) => writes.iter().any(|write| match write {
            Write::Override { stage, .. } => fits(args, Some(stage)),
            _ => false,
        }),
        _ => false,
    });
    if found.is_empty() {
        return Err(none());
    }
    one(found)
}

/// The last stage, unless one is named: that is where customers are.
fn gate(state: &State, args: &Staged, hold: bool) -> Result<Intent, Failure> {
    let mut found = offered(state, Wish::Hold, &subject(state, &args.name, PIPELINES)?)?;
    found.retain(|choice| match &choice.intent {
        Ok(Intent::Gate { stage, hold: own, .. }) => *own == hold && fits(args, stage.as_ref()),
        _ => false,
    });
    if hold && args.stage.is_none() {
        found.truncate(1);
    }
    if found.is_empty() {
        let (name, word) = (&args.name, if hold { "that is open" } else { "that is held" });
        return Err(refused(format!("{name} has no stage {word}")));
    }
    one(found)
}

fn roll_back(state: &State, args: &RollBackArgs) -> Result<Intent, Failure> {
    let mut found = offered(state, Wish::RollBack, &subject(state, &args.name, WHOLE)?)?;
    let Some(to) = &args.to else {
        if args.stage.is_some() {
            return before(state, args);
        }
        // What is there now, or never went through, is no way back.
        if found.iter().any(|choice| choice.intent.is_ok()) {
            found.retain(|choice| choice.intent.is_ok());
        }
        found.truncate(1);
        return one(found);
    };
    let of_revision = |pipeline: &PipelineId, execution: &ExecutionId| {
        let known = state.fleet.pipelines.get(pipeline);
        let run = known.and_then(|o| o.value.execution(execution).cloned());
        run.is_some_and(|run| run.revisions.iter().any(|r| r.id.as_str().starts_with(&**to)))
    };
    found.retain(|choice| match &choice.intent {
        Ok(Intent::RollBack { pipeline, stage, to: Some(own) }) => {
            let named = args.stage.as_ref().is_none_or(|wanted| is_stage(stage.as_ref(), wanted));
            named && (own.as_str() == to || of_revision(pipeline, own))
        }
        Ok(_) => false,
        Err(_) => choice.text.as_str().contains(&**to),
    });
    if found.is_empty() {
        return Err(refused(format!("{to} is nothing that {} could go back to", args.name)));
    }
    // The newest that carries it.
    found.truncate(1);
    one(found)
}

fn is_stage(stage: Option<&SafeText>, wanted: &str) -> bool {
    stage.is_some_and(|own| *own == *wanted)
}

/// What was in a stage before what is in it now.
fn before(state: &State, args: &RollBackArgs) -> Result<Intent, Failure> {
    let stage = args.stage.as_deref().unwrap_or_default();
    let mut found: Vec<PipelineId> = Vec::new();
    for choice in offered(state, Wish::RollBack, &subject(state, &args.name, WHOLE)?)? {
        if let Ok(Intent::RollBack { pipeline, stage: own, .. }) = choice.intent
            && is_stage(own.as_ref(), stage)
            && !found.contains(&pipeline)
        {
            found.push(pipeline);
        }
    }
    match found.as_slice() {
        [one] => {
            Ok(Intent::RollBack { pipeline: one.clone(), stage: Some(stage.into()), to: None })
        }
        [] => Err(refused(format!("nothing can be put back into {stage} of {}", args.name))),
        _ => Err(Failure::usage(format!("{} has several pipelines: name one", args.name))),
    }
}

fn traffic(state: &State, args: &TrafficArgs) -> Result<Intent, Failure> {
    let found = offered(state, Wish::Traffic, &subject(state, &args.name, &[FactKind::Traffic])?)?;
    let mut arms: Vec<(crate::domain::ids::TrafficId, crate::domain::text::SafeText)> = Vec::new();
    for choice in &found {
        if let Ok(Intent::Shift { split, arm, .. }) = &choice.intent
            && !arms.contains(&(split.clone(), arm.clone()))
        {
            arms.push((split.clone(), arm.clone()));
        }
    }
    let (split, canary) = match arms.as_slice() {
        [one] => one.clone(),
        [] => return Err(refused(format!("{} has no traffic that could be shifted", args.name))),
        several => {
            let names: Vec<String> =
                several.iter().map(|(split, _)| split.name.to_string()).collect();
            let all = names.join(", ");
            return Err(Failure::usage(format!(
                "{} has several splits: name one of {all}",
                args.name
            )));
        }
    };
    let arm = args.version.as_deref().map_or(canary, Into::into);
    let wish = if args.drain {
        ArmWish::Drain
    } else if args.maintenance {
        ArmWish::Maintenance
    } else if args.ready {
        ArmWish::Ready
    } else if let Some(weight) = args.weight {
        ArmWish::Weight(weight)
    } else {
        let percent = args.percent.ok_or_else(|| {
            Failure::usage("say what: --percent N, --weight N, --drain, --maintenance or --ready")
        })?;
        return Ok(Intent::Shift { split, arm, percent });
    };
    let title = format!("{arm} of {} to {}", split.name, wish.word());
    Ok(Intent::Writes { title: title.into(), writes: vec![Write::Arm { split, arm, wish }] })
}

fn flag(state: &State, args: &FlagArgs) -> Result<Intent, Failure> {
    let Subject::Item(ItemId::Flag(id)) = subject(state, &args.name, &[FactKind::Flags])? else {
        return Err(Failure::usage(format!("{} is no flag", args.name)));
    };
    let known = state
        .fleet
        .flags
        .get(&id)
        .ok_or_else(|| refused(format!("{} could not be read", id.name)))?;
    let names: Vec<&crate::domain::text::SafeText> =
        known.value.environments.iter().map(|e| &e.environment).collect();
    let environment = match (&args.environment, names.as_slice()) {
        (Some(wanted), all) => {
            let found = all.iter().find(|own| ***own == **wanted);
            found
                .ok_or_else(|| Failure::usage(format!("{} has no environment {wanted}", id.name)))?
        }
        (None, [one]) => one,
        (None, all) => {
            let all: Vec<String> = all.iter().map(ToString::to_string).collect();
            let all = all.join(" | ");
            return Err(Failure::usage(format!("say in which environment: --environment {all}")));
        }
    };
    let change = change(&args.change).map_err(Failure::usage)?;
    let environment = (*environment).clone();
    let Some(wanted) = &args.strategy else {
        return Ok(Intent::Flag { flag: id, environment, change });
    };
    let own = known.value.environment(environment.as_str());
    let paces = own.map(|own| own.paces.as_slice()).unwrap_or_default();
    let Some(pace) = paces.iter().find(|pace| pace.name == **wanted) else {
        let all: Vec<&str> = paces.iter().map(|pace| pace.name.as_str()).collect();
        let all = if all.is_empty() { "none".to_owned() } else { all.join(" | ") };
        return Err(Failure::usage(format!("{} has no strategy {wanted}: {all}", id.name)));
    };
    let title = format!("{} {} in {environment} ({})", id.name, args.change, pace.name);
    let strategy = Some(pace.name.clone());
    let write = Write::Flag { flag: id, environment, change, strategy };
    Ok(Intent::Writes { title: title.into(), writes: vec![write] })
}

fn change(text: &str) -> Result<FlagChange, String> {
    Ok(match text {
        "on" | "off" => FlagChange::Enabled { on: text == "on" },
        "stale" | "not-stale" => FlagChange::Stale { stale: text == "stale" },
        "halt" => FlagChange::Halt,
        "revert" => FlagChange::Revert,
        _ => {
            if let Some((name, value)) = text.split_once('=') {
                return Ok(FlagChange::Attribute { name: name.into(), value: value.into() });
            }
            let percent = text.strip_suffix('%').and_then(|number| number.parse::<f64>().ok());
            match percent.filter(|p| (0.0..=100.0).contains(p)) {
                Some(percent) => FlagChange::Percent { percent },
                None => {
                    return Err(format!(
                        "`{text}` is no change: on, off, 25%, stale, not-stale, halt, revert or NAME=VALUE"
                    ));
                }
            }
        }
    })
}
