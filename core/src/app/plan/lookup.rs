//! What several parts of a plan look up.

use crate::app::select::canaries::split_of;
use crate::app::state::State;
use crate::domain::canary::CanarySpec;
use crate::domain::ids::{ServiceId, TrafficId};
use crate::domain::pipeline::Pipeline;
use crate::domain::text::SafeText;

/// The canaries that get their traffic from `split`.
pub(super) fn canaries_of<'a>(
    state: &'a State,
    split: &'a TrafficId,
) -> impl Iterator<Item = &'a CanarySpec> {
    state
        .setup
        .services
        .iter()
        .flat_map(|s| &s.canaries)
        .filter(move |spec| split_of(spec, &state.fleet).is_some_and(|(id, _)| id == split))
}

/// Pipelines of a service, those that want a human first.
pub(super) fn pipelines<'a>(state: &'a State, service: &ServiceId) -> Vec<&'a Pipeline> {
    let Some(members) = state.membership.members(service) else { return Vec::new() };
    let known = members.pipelines.iter().filter_map(|id| state.fleet.pipelines.get(id));
    let mut all: Vec<&Pipeline> = known.map(|o| &*o.value).collect();
    all.sort_by_key(|p| p.approvals().next().is_none());
    all
}

/// The reason that is given with a write: the comment, or the usual one.
pub(super) fn reason(comment: &str, usual: &str) -> SafeText {
    let comment = comment.trim();
    SafeText::new(if comment.is_empty() { usual } else { comment })
}
