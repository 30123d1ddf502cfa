//! Guards: rules that a plan must pass, each with a name and a reason; shown before anything is sent.

use super::{freshness, place};
use crate::app::canary::Stand;
use crate::app::state::State;
use crate::domain::alarm::AlarmState;
use crate::domain::observed::Freshness;
use crate::domain::pipeline::RunState;
use crate::domain::policy::Frozen;
use crate::domain::time::age;
use crate::domain::write::{Guard, GuardVerdict, Plan, Write};

type Rule = fn(&State, &Plan) -> GuardVerdict;

/// Every guard, in the order of the dialog.
const RULES: [(&str, Rule); 9] = [
    ("read-only", read_only),
    ("ability", ability),
    ("fresh", fresh),
    ("in flight", in_flight),
    ("rate", rate),
    ("not superseded", superseded),
    ("two persons", two_persons),
    ("freeze", freeze),
    ("red line", red_line),
];

/// What every guard says of `plan`.
pub(super) fn guards(state: &State, plan: &Plan) -> Vec<Guard> {
    RULES
        .iter()
        .map(|(name, rule)| Guard { name: (*name).into(), verdict: rule(state, plan) })
        .collect()
}

fn refused(why: impl Into<String>) -> GuardVerdict {
    GuardVerdict::Refused(why.into().into())
}

fn needs_reason(why: impl Into<String>) -> GuardVerdict {
    GuardVerdict::NeedsReason(why.into().into())
}

/// Nothing is written in read-only mode.
fn read_only(state: &State, _: &Plan) -> GuardVerdict {
    if state.is_read_only() {
        return refused("this control room is read-only");
    }
    GuardVerdict::Passed
}

/// The source can do it.
fn ability(state: &State, plan: &Plan) -> GuardVerdict {
    for step in &plan.steps {
        let (id, verb) = (step.write.source(), step.write.verb());
        let can = state
            .fleet
            .sources
            .get(&id)
            .is_some_and(|source| source.meta.capabilities.writes.contains(&verb));
        if !can {
            return refused(format!("{id} cannot {}", verb.word()));
        }
    }
    GuardVerdict::Passed
}

/// What was seen is fresh: nobody acts on old facts.
fn fresh(state: &State, plan: &Plan) -> GuardVerdict {
    for step in &plan.steps {
        let name = step.write.target().name().clone();
        match freshness(state, step) {
            Some(Freshness::Fresh) => {}
            Some(old) => return refused(format!("{name} is {}; r reads it again", old.word())),
            None => return refused(format!("{name} was not read")),
        }
    }
    GuardVerdict::Passed
}

/// No other write to the same target is under way.
fn in_flight(state: &State, plan: &Plan) -> GuardVerdict {
    for step in &plan.steps {
        let target = step.write.target();
        let busy = state.activity.iter().filter(|a| a.is_under_way()).find(|activity| {
            activity.plan != plan.id && activity.steps.iter().any(|s| s.write.target() == target)
        });
        if let Some(busy) = busy {
            return refused(format!("\"{}\" is under way", busy.title));
        }
    }
    GuardVerdict::Passed
}

/// Not too many writes a minute.
fn rate(state: &State, plan: &Plan) -> GuardVerdict {
    let minute = jiff::SignedDuration::from_mins(1);
    let lately = state
        .activity
        .iter()
        .filter(|a| a.plan != plan.id && age(state.now, a.at) < minute)
        .count();
    let most = state.setup.policy.writes_per_minute;
    if lately >= most {
        return refused(format!("{lately} writes in the last minute, {most} are allowed"));
    }
    GuardVerdict::Passed
}

/// The execution that is answered, retried or stopped was not overtaken.
fn superseded(state: &State, plan: &Plan) -> GuardVerdict {
    for step in &plan.steps {
        let (Write::Answer { pipeline, execution: Some(execution), .. }
        | Write::Retry { pipeline, execution, .. }
        | Write::Stop { pipeline, execution, .. }) = &step.write
        else {
            continue;
        };
        let known = state.fleet.pipelines.get(pipeline);
        let run = known.and_then(|o| o.value.execution(execution).cloned());
        if run.is_some_and(|run| run.state == RunState::Superseded) {
            return refused("a newer execution overtook it");
        }
    }
    GuardVerdict::Passed
}

/// Nobody approves what they started themselves, where the source tells who that was.
fn two_persons(state: &State, plan: &Plan) -> GuardVerdict {
    for step in &plan.steps {
        let Write::Answer { pipeline, execution: Some(execution), approve: true, .. } = &step.write
        else {
            continue;
        };
        let run =
            state.fleet.pipelines.get(pipeline).and_then(|o| o.value.execution(execution).cloned());
        let (Some(by), Some(own)) = (run.and_then(|run| run.by), &step.identity) else { continue };
        let own_words =
            own.as_str().split(|c: char| !c.is_alphanumeric() && c != '-' && c != '.' && c != '@');
        if own == &by || own_words.into_iter().any(|word| by == word) {
            return refused(format!("{by} started it, and that is you"));
        }
    }
    GuardVerdict::Passed
}

/// No freeze lasts.
fn freeze(state: &State, plan: &Plan) -> GuardVerdict {
    let service = plan.service.as_ref();
    let owners = state
        .setup
        .services
        .iter()
        .find(|s| Some(&s.id) == service)
        .map(|s| s.owners.iter().map(crate::domain::text::SafeText::as_str).collect())
        .unwrap_or_default();
    let mut what = Frozen {
        service: service.map(crate::domain::ids::ServiceId::as_str),
        owners,
        environments: Vec::new(),
    };
    for step in &plan.steps {
        let names = place::names(state, &step.write);
        let verb = step.write.verb();
        let safe = is_to_safety(state, &step.write);
        for freeze in &state.setup.policy.freezes {
            let environments = names.iter().map(String::as_str).collect();
            let asked = Frozen { environments, ..what.clone() };
            if freeze.holds(&asked, verb, safe, state.now) {
                return needs_reason(format!("frozen: {}", freeze.name));
            }
        }
        what.environments.clear();
    }
    GuardVerdict::Passed
}

/// Whether a write takes something back to where it was safe.
fn is_to_safety(state: &State, write: &Write) -> bool {
    match write {
        // Away from the canary is to safety, towards it is not.
        Write::Shares { split, shares } => {
            let canaries = state.setup.services.iter().flat_map(|s| &s.canaries);
            let mut known = canaries.filter(|spec| {
                spec.traffic.as_ref().is_some_and(|p| p.matches(&split.source, split.name.as_str()))
            });
            known.any(|spec| {
                let wanted =
                    shares.iter().find(|(arm, _)| *arm == spec.canary).map(|(_, p)| f64::from(*p));
                let now = state
                    .fleet
                    .traffic
                    .get(split)
                    .and_then(|o| o.value.percent(spec.canary.as_str()));
                wanted.zip(now).is_some_and(|(wanted, now)| wanted < now)
            })
        }
        other => other.is_to_safety(),
    }
}

/// Nothing of the service is known to be bad, for what goes forward.
fn red_line(state: &State, plan: &Plan) -> GuardVerdict {
    if plan.steps.iter().all(|step| is_to_safety(state, &step.write)) {
        return GuardVerdict::Passed;
    }
    let Some(service) = &plan.service else { return GuardVerdict::Passed };
    let specs = state.setup.services.iter().filter(|s| s.id == *service).flat_map(|s| &s.canaries);
    for spec in specs {
        let judged = state.watches.get(&spec.id).and_then(|w| w.judged.as_ref());
        if let Some(judged) = judged.filter(|j| j.stand == Stand::Harm) {
            return needs_reason(format!("the canary does harm: {}", judged.sentence));
        }
    }
    let Some(members) = state.membership.members(service) else { return GuardVerdict::Passed };
    for alarm in members.alarms.iter().filter_map(|id| state.fleet.alarms.get(id)) {
        if alarm.value.state == AlarmState::Firing && !alarm.value.silenced {
            return needs_reason(format!("{} fires", alarm.value.name));
        }
    }
    for step in &plan.steps {
        if let Write::Answer { pipeline, stage, approve: true, .. } = &step.write
            && let Some(observed) = state.fleet.pipelines.get(pipeline)
        {
            let before = observed.value.stages.iter().take_while(|s| s.name != *stage);
            if let Some(failed) = before.into_iter().find(|s| s.state == RunState::Failed) {
                return needs_reason(format!("{} has failed", failed.name));
            }
        }
    }
    GuardVerdict::Passed
}
