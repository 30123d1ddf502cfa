//! Which versions run where the canaries of a traffic split do: part of what is approved.

use super::guards::is_to_safety;
use super::lookup::canaries_of;
use crate::app::state::State;
use crate::domain::ids::ItemId;
use crate::domain::write::{Beside, Write};

/// What runs where the canaries of the split that `write` changes do, as far as it is told.
pub(super) fn of(state: &State, write: &Write) -> Vec<Beside> {
    let ItemId::Traffic(split) = write.target() else { return Vec::new() };
    let binding = !is_to_safety(state, write);
    let mut found: Vec<Beside> = Vec::new();
    for spec in canaries_of(state, &split) {
        let Some(pattern) = &spec.environment else { continue };
        let known = state.fleet.environments.iter();
        let own = known.filter(|(id, _)| pattern.matches(&id.source, id.name.as_str()));
        for (_, environment) in own {
            found.extend(Beside::seen(&environment.value, &spec.canary, binding));
        }
    }
    found.sort_by(|a, b| (&a.environment, &a.slot).cmp(&(&b.environment, &b.slot)));
    // Two canaries of one name, as of two services, are the same fleet.
    found.dedup();
    found
}
