//! The guard of the red line: nothing goes forward past what is bad, or not known to be good.

use super::safety::{concerned, is_to_safety};
use super::{needs_reason, pipeline_of};
use crate::app::age;
use crate::app::canary::Stand;
use crate::app::select::canaries::split_of;
use crate::app::state::State;
use crate::domain::alarm::AlarmState;
use crate::domain::canary::CanarySpec;
use crate::domain::fact::FactKind;
use crate::domain::ids::{AlarmId, ItemId};
use crate::domain::observation::Topic;
use crate::domain::observed::Freshness;
use crate::domain::pipeline::RunState;
use crate::domain::service::Service;
use crate::domain::source::SourceState;
use crate::domain::write::{GuardVerdict, Plan, Step, Write};

/// At most so many reasons are told at once.
const MOST: usize = 3;

/// Nothing of the services concerned is bad or unknown, for what goes forward.
pub(super) fn red_line(state: &State, plan: &Plan) -> GuardVerdict {
    if plan.steps.iter().all(|step| is_to_safety(state, &step.write)) {
        return GuardVerdict::Passed;
    }
    let mut found = Vec::new();
    for service in concerned(state, plan) {
        found.extend(service.canaries.iter().filter_map(|spec| canary(state, spec)));
        alarms(state, service, &mut found);
    }
    for step in &plan.steps {
        found.extend(stage_before(state, step));
    }
    // What is bad is told before what is not known.
    found.sort_by_key(|doubt| doubt.unknown);
    let more = found.len().saturating_sub(MOST);
    let mut told: Vec<String> = found.into_iter().take(MOST).map(|doubt| doubt.why).collect();
    if more > 0 {
        told.push(format!("and {more} more"));
    }
    if told.is_empty() { GuardVerdict::Passed } else { needs_reason(told.join("; ")) }
}

/// Something against it.
struct Doubt {
    /// It may be fine; nobody knows.
    unknown: bool,
    why: String,
}

fn bad(why: impl Into<String>) -> Doubt {
    Doubt { unknown: false, why: why.into() }
}

fn unknown(why: impl Into<String>) -> Doubt {
    Doubt { unknown: true, why: why.into() }
}

fn is_fresh(state: &State, item: &ItemId) -> bool {
    age::of_item(state, item).is_some_and(|age| age.freshness == Freshness::Fresh)
}

fn canary(state: &State, spec: &CanarySpec) -> Option<Doubt> {
    let name = &spec.name;
    let judged = state.watches.get(&spec.id).and_then(|watch| watch.judged.as_ref());
    if let Some(judged) = judged.filter(|judged| judged.stand == Stand::Harm) {
        return Some(bad(format!("the canary {name} does harm: {}", judged.sentence)));
    }
    // Without a split to look at, nobody said that there ever is a canary under way.
    spec.traffic.as_ref()?;
    let share = split_of(spec, &state.fleet)
        .filter(|(id, _)| is_fresh(state, &ItemId::Traffic((*id).clone())))
        .and_then(|(_, split)| split.percent(spec.canary.as_str()));
    let Some(share) = share else {
        return Some(unknown(format!("whether the canary {name} is under way is unknown")));
    };
    // Where nothing is measured by design, no verdict is missing.
    if share <= 0.0 || share >= 100.0 || spec.metrics.is_empty() {
        return None;
    }
    let mut series = spec.metrics.iter().flat_map(|metric| metric.data.series());
    let old = series.any(|id| !is_fresh(state, &ItemId::Series(id.clone())));
    match judged.map(|judged| (judged.stand, &judged.sentence)) {
        None => Some(unknown(format!("the verdict of the canary {name} is unknown"))),
        Some((Stand::AtRisk | Stand::Silent, why)) => {
            Some(bad(format!("the canary {name} is at risk: {why}")))
        }
        Some(_) if old => Some(unknown(format!(
            "the verdict of the canary {name} is stale: how it is is unknown"
        ))),
        Some((Stand::Watching | Stand::NoData, why)) => {
            Some(unknown(format!("the verdict of the canary {name} is unknown: {why}")))
        }
        Some(_) => None,
    }
}

fn alarms(state: &State, service: &Service, found: &mut Vec<Doubt>) {
    let Some(members) = state.membership.members(&service.id) else { return };
    found.extend(members.alarms.iter().filter_map(|id| alarm(state, id)));
    // A source that does not answer may have alarms that nobody has heard of.
    let claims = &service.claims;
    let silent = state.fleet.sources.values().filter(|source| {
        let id = source.meta.id.as_str();
        let named = claims
            .alarms
            .iter()
            .any(|pattern| crate::domain::pattern::glob(pattern.source.as_str(), id));
        (named || !claims.tags.is_empty())
            && source.meta.capabilities.reads.contains(&FactKind::Alarms)
            && !answers(state, source)
            && !members.alarms.iter().any(|alarm| alarm.source == source.meta.id)
    });
    found.extend(silent.map(|source| {
        let because =
            source.worst().map(|failing| format!(": {}", failing.fault)).unwrap_or_default();
        unknown(format!("whether an alarm of {} fires is unknown{because}", source.meta.id))
    }));
}

/// Whether what a source lists is up to date.
fn answers(state: &State, source: &SourceState) -> bool {
    let topic = Topic::Overview;
    let failing = source.is_failing(topic);
    source
        .last_ok
        .get(&topic)
        .is_some_and(|at| source.policy(topic).judge(state.now, *at, failing) == Freshness::Fresh)
}

fn alarm(state: &State, id: &AlarmId) -> Option<Doubt> {
    let Some(observed) = state.fleet.alarms.get(id) else {
        return Some(unknown(format!(
            "{} could not be read: whether it fires is unknown",
            id.name
        )));
    };
    let alarm = &observed.value;
    match (alarm.state, alarm.silenced) {
        // It may have ended since; nobody knows that either.
        (AlarmState::Firing, false) => Some(bad(format!("{} fires", alarm.name))),
        _ if !is_fresh(state, &ItemId::Alarm(id.clone())) => {
            Some(unknown(format!("{} is stale: whether it fires is unknown", alarm.name)))
        }
        (AlarmState::Unknown, false) => {
            Some(unknown(format!("the state of {} is unknown", alarm.name)))
        }
        _ => None,
    }
}

/// A stage before the one that something enters or leaves, which has failed.
fn stage_before(state: &State, step: &Step) -> Option<Doubt> {
    let (Write::Answer { pipeline, stage, approve: true, .. } | Write::Release { pipeline, stage }) =
        &step.write
    else {
        return None;
    };
    let before = pipeline_of(state, pipeline)?.stages.iter().take_while(|s| s.name != *stage);
    let mut told = before.filter_map(|before| match before.state {
        RunState::Failed => Some(bad(format!("{} has failed", before.name))),
        RunState::Unknown => Some(unknown(format!("how {} went is unknown", before.name))),
        _ => None,
    });
    told.next()
}
