//! Guards: rules that a plan must pass, each with a name and a reason; shown before anything is sent.

mod capacity;
mod freeze;
mod red_line;
mod safety;
mod target;

pub(super) use safety::{concerned, is_to_safety};
pub(super) use target::{against, not_fresh};

use jiff::Timestamp;

use super::place;
use crate::app::state::State;
use crate::domain::ids::{ExecutionId, PipelineId};
use crate::domain::pipeline::{Pipeline, RunState};
use crate::domain::text::SafeText;
use crate::domain::write::{FlagChange, Guard, GuardVerdict, Outcome, Plan, Write};

type Rule = fn(&State, &Plan) -> GuardVerdict;

/// Every guard, in the order of the dialog.
const RULES: [(&str, Rule); 11] = [
    ("read-only", read_only),
    ("ability", ability),
    ("fresh", fresh),
    ("in flight", in_flight),
    ("rate", rate),
    ("not superseded", superseded),
    ("two persons", two_persons),
    ("freeze", freeze::freeze),
    ("red line", red_line::red_line),
    ("capacity", capacity::capacity),
    ("no dead end", dead_end),
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
    if state.setup.options.read_only || state.setup.policy.read_only {
        return refused("it was started read-only; safety.read_only = false allows writes");
    }
    if state.view.locked {
        return refused("writes were locked here; L allows them again");
    }
    if let Some(why) = &state.journal {
        return refused(format!("no write without a journal: {why}"));
    }
    GuardVerdict::Passed
}

/// The source can do it.
fn ability(state: &State, plan: &Plan) -> GuardVerdict {
    let against = plan.steps.iter().find_map(|step| target::unable(state, &step.write));
    against.map_or(GuardVerdict::Passed, refused)
}

/// What was seen is fresh: nobody acts on old facts.
fn fresh(state: &State, plan: &Plan) -> GuardVerdict {
    let mut targets = plan.steps.iter().map(|step| step.write.target());
    let against = targets.find_map(|target| not_fresh(state, &target));
    against.map_or(GuardVerdict::Passed, refused)
}

/// No other write to the same target is under way, and what became of the last one is known.
fn in_flight(state: &State, plan: &Plan) -> GuardVerdict {
    let mut open = None;
    for step in &plan.steps {
        let item = step.write.target();
        if let Some(busy) = target::busy(state, &item, Some(&plan.id)) {
            return refused(busy);
        }
        // The newest comes first.
        let last = target::others(state, &item, Some(&plan.id)).next();
        if let Some(last) = last.filter(|a| matches!(a.outcome(), Some(Outcome::Unknown { .. }))) {
            open.get_or_insert_with(|| last.title.clone());
        }
    }
    match open {
        Some(title) => needs_reason(format!("what became of \"{title}\" is unknown")),
        None => GuardVerdict::Passed,
    }
}

/// Not too many writes a minute. The way to safety is only asked for a reason.
fn rate(state: &State, plan: &Plan) -> GuardVerdict {
    let minute = jiff::SignedDuration::from_mins(1);
    // A clock that was set back leaves writes in the future: these do not count for ever.
    let is_late = |at: Timestamp| state.now.duration_since(at).abs() < minute;
    let lately: usize = state
        .activity
        .iter()
        .filter(|a| a.plan != plan.id && is_late(a.at))
        .map(|a| a.steps.len())
        .sum();
    let most = state.setup.policy.writes_per_minute;
    // A plan of many steps may still go by itself.
    let own = plan.steps.len().min(most.max(1));
    if lately + own <= most || plan.steps.is_empty() {
        return GuardVerdict::Passed;
    }
    let why = format!("{lately} writes in the last minute and {own} more: {most} are allowed");
    if plan.steps.iter().all(|step| safety::is_to_safety(state, &step.write)) {
        return needs_reason(why);
    }
    refused(format!("{why}; wait a little"))
}

fn pipeline_of<'a>(state: &'a State, id: &PipelineId) -> Option<&'a Pipeline> {
    state.fleet.pipelines.get(id).map(|o| &*o.value)
}

fn short(execution: &ExecutionId) -> String {
    execution.as_str().chars().take(8).collect()
}

/// The execution that is answered, retried, stopped or waved through is still the one that counts.
fn superseded(state: &State, plan: &Plan) -> GuardVerdict {
    let mut doubt = None;
    for step in &plan.steps {
        let (pipeline, execution) = match &step.write {
            Write::Answer { pipeline, execution: Some(execution), .. }
            | Write::Retry { pipeline, execution, .. }
            | Write::Stop { pipeline, execution, .. }
            | Write::Override { pipeline, execution, .. } => (pipeline, execution),
            Write::Answer { .. } => {
                doubt = Some("which execution waits for the answer is unknown".to_owned());
                continue;
            }
            _ => continue,
        };
        let Some(known) = pipeline_of(state, pipeline) else { continue };
        let id = short(execution);
        match known.execution(execution).map(|run| run.state) {
            None | Some(RunState::Unknown) => {
                doubt = Some(format!("whether a newer execution overtook {id} is unknown"));
            }
            Some(RunState::Superseded) => {
                return refused(format!("a newer execution overtook {id}; act on that one"));
            }
            Some(over @ (RunState::Stopped | RunState::Stopping | RunState::Cancelled))
                if matches!(step.write, Write::Answer { .. } | Write::Override { .. }) =>
            {
                return refused(format!("{id} is {}: nothing of it goes on", over.word()));
            }
            Some(_) => {}
        }
        if let Write::Answer { approve: true, .. } = &step.write
            && let Some(live) = newer_live(known, execution)
        {
            doubt = Some(format!("{} is newer and live: {id} would take its place", short(live)));
        }
        if let Write::Retry { stage, .. } = &step.write
            && let Some(now) = known.stage(stage.as_str()).and_then(|s| s.execution.as_ref())
            && now != execution
        {
            return refused(format!("{} is in {stage} now; act on that one", short(now)));
        }
    }
    doubt.map_or(GuardVerdict::Passed, needs_reason)
}

/// The execution that is live, if it is newer than `execution`.
fn newer_live<'a>(known: &'a Pipeline, execution: &ExecutionId) -> Option<&'a ExecutionId> {
    let last = known.stages.last().filter(|stage| stage.state == RunState::Succeeded)?;
    let live = last.execution.as_ref()?;
    // Executions are told the newest first.
    let place = |id: &ExecutionId| known.executions.iter().position(|run| run.id == *id);
    (place(live)? < place(execution)?).then_some(live)
}

/// Nobody approves what they started themselves, where the source tells who that was.
fn two_persons(state: &State, plan: &Plan) -> GuardVerdict {
    let mut unknown = None;
    for step in &plan.steps {
        let Write::Answer { pipeline, execution: Some(execution), approve: true, .. } = &step.write
        else {
            continue;
        };
        let run = pipeline_of(state, pipeline).and_then(|known| known.execution(execution));
        let Some(by) = run.and_then(|run| run.by.as_ref()) else { continue };
        match &step.identity {
            Some(own) if is_same(own, by) => {
                let id = short(execution);
                return refused(format!("{by} started {id}, and that is you; ask somebody else"));
            }
            Some(_) => {}
            None => unknown = Some(format!("whether {by}, who started it, is you is unknown")),
        }
    }
    unknown.map_or(GuardVerdict::Passed, needs_reason)
}

/// Whether the identity `own` is, or names as one of its words, the person `by`.
fn is_same(own: &SafeText, by: &SafeText) -> bool {
    let (own, by) = (own.as_str().to_lowercase(), by.as_str().to_lowercase());
    // The name is the end of an ARN; names in IAM may hold commas and the like.
    if own.starts_with("arn:") {
        let end = |arn: &str| arn.rsplit(['/', ':']).next().map(str::to_owned);
        let by = if by.starts_with("arn:") { end(&by) } else { Some(by) };
        return end(&own) == by;
    }
    let words = |c: char| !c.is_alphanumeric() && !matches!(c, '-' | '.' | '@' | '_' | '+' | '=');
    own == by || own.split(words).any(|word| word == by)
}

/// Nothing is cut off: what would lead back stays, and what undoes a write is known before it.
fn dead_end(state: &State, plan: &Plan) -> GuardVerdict {
    for step in &plan.steps {
        if let Some(why) = safety::cut_off(state, &step.write) {
            return needs_reason(why);
        }
        match (&step.write, &step.no_undo) {
            (Write::Stop { abandon: true, .. }, _) => {
                return needs_reason(
                    "actions are left where they are, half done; nothing takes them back",
                );
            }
            (Write::Override { condition, .. }, _) => {
                return needs_reason(format!(
                    "the condition {condition} said no; what has passed it cannot be called back"
                ));
            }
            // These are the way back.
            (Write::Flag { change: FlagChange::Halt | FlagChange::Revert, .. }, _) => {}
            (Write::Shares { .. } | Write::Weights { .. } | Write::Flag { .. }, Some(why)) => {
                return needs_reason(format!("the way back is unknown: {why}"));
            }
            _ => {}
        }
    }
    GuardVerdict::Passed
}
