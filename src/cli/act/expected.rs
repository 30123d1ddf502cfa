//! Whether what is written to is what the caller saw.

use super::args::Go;
use crate::app::State;
use crate::domain::text::SafeText;
use crate::domain::write::{FlagChange, Plan, Step, Write};

/// Shortest beginning of a revision that is taken for it.
const SHORTEST_REVISION: usize = 6;
/// Shares are told rounded.
const NEAR: f64 = 0.75;

/// Fails with what is there instead.
pub fn expected(state: &State, plan: &Plan, go: &Go) -> Result<(), String> {
    if let Some(wanted) = &go.expect_execution
        && !plan.steps.iter().any(|step| executions(step).any(|own| own == *wanted))
    {
        return Err(format!("not what was expected: execution {wanted}; {}", there(plan)));
    }
    if let Some(wanted) = &go.expect_revision {
        if wanted.chars().count() < SHORTEST_REVISION {
            return Err(format!(
                "{wanted} is too short: give {SHORTEST_REVISION} characters or more"
            ));
        }
        let is_it = |own: &str| {
            let long = own.chars().count() >= SHORTEST_REVISION;
            long && (own.starts_with(&**wanted) || wanted.starts_with(own))
        };
        if !plan.steps.iter().filter_map(revision).any(is_it) {
            return Err(format!("not what was expected: revision {wanted}; {}", there(plan)));
        }
    }
    if let Some(wanted) = go.expect_percent {
        let shares: Vec<f64> =
            plan.steps.iter().filter_map(|step| percent(state, &step.write)).collect();
        if !shares.iter().any(|now| (now - wanted).abs() < NEAR) {
            let now: Vec<String> = shares.iter().map(|now| format!("{now:.0}%")).collect();
            let now = if now.is_empty() { "no share".to_owned() } else { now.join(", ") };
            return Err(format!("not what was expected: {wanted}%; there is {now}"));
        }
    }
    Ok(())
}

/// The executions that a step is about.
fn executions(step: &Step) -> impl Iterator<Item = String> {
    let own = match &step.write {
        Write::Answer { execution, .. } => execution.clone(),
        Write::Retry { execution, .. }
        | Write::Stop { execution, .. }
        | Write::Override { execution, .. } => Some(execution.clone()),
        _ => None,
    };
    let seen = ["execution", "newest execution"].into_iter();
    let seen = seen.filter_map(|name| step.expects.get(name)).map(ToString::to_string);
    own.map(|own| own.to_string()).into_iter().chain(seen)
}

/// The revision that a step is about: of a traffic split, that of the version that is written to, not
/// of those that get what is left.
fn revision(step: &Step) -> Option<&str> {
    match written(&step.write) {
        // `weight 10 drained 4f1c9a2`: the revision is the last word, if one is told.
        Some(arm) => {
            let words = step.expects.get(arm.as_str())?.as_str();
            let states = ["drained", "maintenance", "used"];
            let told = words.split_whitespace().skip(2).last();
            // A balancer may tell none: what runs where the canary does counts then.
            let beside = || step.expects.beside.iter().find(|own| own.slot == *arm);
            told.filter(|told| !states.contains(told)).or_else(|| Some(beside()?.revision.as_str()))
        }
        None => {
            let known = step.expects.get("revision").or_else(|| step.expects.get("version"))?;
            Some(known.as_str())
        }
    }
}

/// The version of a traffic split that is written to.
fn written(write: &Write) -> Option<&SafeText> {
    match write {
        // The others share the rest.
        Write::Shares { shares, .. } => shares.first().map(|(arm, _)| arm),
        Write::Arm { arm, .. } => Some(arm),
        _ => None,
    }
}

/// The share that a step changes, as it is now.
fn percent(state: &State, write: &Write) -> Option<f64> {
    match write {
        Write::Shares { split, .. } | Write::Arm { split, .. } => {
            state.fleet.traffic.get(split)?.value.percent(written(write)?.as_str())
        }
        Write::Flag { flag, environment, change: FlagChange::Percent { .. }, .. } => {
            state.fleet.flags.get(flag)?.value.environment(environment.as_str())?.gradual
        }
        _ => None,
    }
}

fn there(plan: &Plan) -> String {
    let facts = plan.steps.iter().flat_map(|step| step.expects.told());
    let all: Vec<String> = facts.map(|(name, value)| format!("{name} {value}")).collect();
    format!("there is {}", all.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Timestamp;
    use crate::domain::ids::{EnvironmentId, SourceId, TrafficId};
    use crate::domain::write::{ArmWish, Beside, Expectation, Words};

    /// A step that gives an arm a weight, which the balancer tells with these words.
    fn step(told: &str) -> Step {
        let split = TrafficId::new(&SourceId::new("lb"), "shop");
        let beside = Beside {
            environment: EnvironmentId::new(&SourceId::new("web"), "canary"),
            slot: "canary".into(),
            revision: "build-8".into(),
            binding: true,
        };
        let facts = vec![("canary".into(), told.into())];
        Step {
            write: Write::Arm { split, arm: "canary".into(), wish: ArmWish::Weight(5) },
            expects: Expectation { facts, token: None, beside: vec![beside] },
            seen_at: Timestamp::UNIX_EPOCH,
            words: Words::default(),
            identity: None,
            place: "here".into(),
            undo: None,
            no_undo: None,
        }
    }

    #[test]
    fn where_the_balancer_tells_no_revision_that_of_the_environment_counts() {
        for (told, revision) in [
            ("weight 10 4f1c9a", "4f1c9a"),
            ("weight 10 drained 4f1c9a", "4f1c9a"),
            ("weight 10", "build-8"),
            ("weight 10 drained", "build-8"),
            ("weight 10 in maintenance", "build-8"),
            ("weight 10 not used", "build-8"),
        ] {
            assert_eq!(super::revision(&step(told)), Some(revision), "{told}");
        }
    }
}
