//! The guard of freezes: when nothing may change, a reason breaks the glass.

use super::safety::{concerned, is_to_safety};
use super::{needs_reason, place};
use crate::app::state::State;
use crate::domain::policy::{Freeze, Frozen};
use crate::domain::text::SafeText;
use crate::domain::write::{GuardVerdict, Plan, Step};

/// No freeze lasts. Where it is unknown whether one holds, it may.
pub(super) fn freeze(state: &State, plan: &Plan) -> GuardVerdict {
    let mut unknown = None;
    for freeze in &state.setup.policy.freezes {
        for step in &plan.steps {
            match holds(state, plan, step, freeze) {
                Holds::No => {}
                Holds::Yes => {
                    let until = freeze.window.until();
                    return needs_reason(format!("frozen: {}, {until}", freeze.name));
                }
                Holds::Unknown => {
                    let name = step.write.target();
                    unknown = Some(format!(
                        "whether {} freezes {} is unknown: its environment is not told",
                        freeze.name,
                        name.name(),
                    ));
                }
            }
        }
    }
    unknown.map_or(GuardVerdict::Passed, needs_reason)
}

enum Holds {
    No,
    Yes,
    Unknown,
}

fn holds(state: &State, plan: &Plan, step: &Step, freeze: &Freeze) -> Holds {
    let (verb, safe) = (step.write.verb(), is_to_safety(state, &step.write));
    let place = place::place(state, &step.write);
    let environments: Vec<&str> = place.names.iter().map(String::as_str).collect();
    let services = concerned(state, plan);
    // Something that no service owns can still be frozen by its environment alone.
    let mut asked: Vec<Frozen<'_>> = services
        .iter()
        .map(|service| Frozen {
            service: Some(service.id.as_str()),
            owners: service.owners.iter().map(SafeText::as_str).collect(),
            environments: environments.clone(),
        })
        .collect();
    if asked.is_empty() {
        asked.push(Frozen { service: None, owners: Vec::new(), environments });
    }
    if asked.iter().any(|what| freeze.holds(what, verb, safe, state.now)) {
        return Holds::Yes;
    }
    let anywhere = Freeze { environments: Vec::new(), ..freeze.clone() };
    let somewhere = asked.iter().any(|what| anywhere.holds(what, verb, safe, state.now));
    if !place.told && somewhere { Holds::Unknown } else { Holds::No }
}
