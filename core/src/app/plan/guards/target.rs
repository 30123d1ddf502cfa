//! What stands against writing to one target, whatever the rest of a plan is.

use crate::app::activity::Activity;
use crate::app::age;
use crate::app::state::State;
use crate::domain::ids::ItemId;
use crate::domain::observed::Freshness;
use crate::domain::write::{PlanId, Write};

/// Why its source cannot do it.
pub(super) fn unable(state: &State, write: &Write) -> Option<String> {
    let (id, verb) = (write.source(), write.verb());
    let Some(source) = state.fleet.sources.get(&id) else {
        return Some(format!("{id} is no source that is configured here"));
    };
    let kind = &source.meta.kind;
    (!source.meta.capabilities.writes.contains(&verb))
        .then(|| format!("{id} ({kind}) cannot {}; do it there by hand", verb.word()))
}

/// Why what was seen of `item` is nothing to act on.
pub(in crate::app::plan) fn not_fresh(state: &State, item: &ItemId) -> Option<String> {
    let name = item.name();
    let source = state.fleet.sources.get(item.source());
    let because = source
        .and_then(|s| s.worst())
        .map(|failing| format!(": {}", failing.fault))
        .unwrap_or_default();
    match age::of_item(state, item).map(|age| age.freshness) {
        Some(Freshness::Fresh) => None,
        Some(Freshness::Stale) => Some(format!("{name} is stale{because}; r reads it again")),
        Some(Freshness::Lost) => {
            Some(format!("how {name} is now is unknown{because}; r reads it again"))
        }
        None => Some(format!("how {name} is is unknown{because}: it was not read yet")),
    }
}

/// The other plans that write to `item`, the newest first.
pub(super) fn others<'a>(
    state: &'a State,
    item: &'a ItemId,
    own: Option<&'a PlanId>,
) -> impl Iterator<Item = &'a Activity> {
    state.activity.iter().filter(move |activity| {
        own != Some(&activity.plan)
            && activity.steps.iter().any(|step| step.write.target() == *item)
    })
}

/// What of another plan is under way there.
pub(super) fn busy(state: &State, item: &ItemId, own: Option<&PlanId>) -> Option<String> {
    let busy = others(state, item, own).find(|activity| activity.is_under_way())?;
    let by = busy.by.as_ref().map(|by| format!(", by {by}")).unwrap_or_default();
    Some(format!("\"{}\" is under way{by}; wait until it has ended", busy.title))
}

/// Why `write` cannot be a step of a plan now, if that is so.
pub(in crate::app::plan) fn against(state: &State, write: &Write) -> Option<String> {
    let target = write.target();
    unable(state, write)
        .or_else(|| not_fresh(state, &target))
        .or_else(|| busy(state, &target, None))
}
