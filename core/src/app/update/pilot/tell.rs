//! What a pilot tells: for the journal, and for the pane of what was done.

use crate::app::activity::Activity;
use crate::app::effect::Effect;
use crate::app::pilot::Pilot;
use crate::app::select::canaries::split_of;
use crate::app::state::State;
use crate::domain::flight::{FlightEvent, FlightWord};
use crate::domain::text::SafeText;

/// Hands on what the pilot has told since.
pub(super) fn publish(state: &mut State, pilot: &mut Pilot, effects: &mut Vec<Effect>) {
    for (at, what, text) in std::mem::take(&mut pilot.untold) {
        let Some(event) = event(state, pilot, what, text) else { continue };
        match state.activity.iter_mut().find(|own| own.plan == pilot.flight) {
            Some(flight) => flight.tell(at, event.clone()),
            None => {
                let flight = Activity::of_flight(pilot.flight.clone(), at, event.clone());
                state.activity.insert(0, flight);
            }
        }
        state.refresh_activity(&pilot.flight);
        effects.push(Effect::Tell { flight: pilot.flight.clone(), at, event: Box::new(event) });
    }
}

fn event(state: &State, pilot: &Pilot, what: FlightWord, text: SafeText) -> Option<FlightEvent> {
    let mut specs = state.setup.services.iter().flat_map(|s| &s.canaries);
    let spec = specs.find(|spec| spec.id == pilot.canary)?;
    let split = split_of(spec, &state.fleet).map(|(_, split)| split);
    Some(FlightEvent {
        canary: spec.id.clone(),
        service: spec.service.clone(),
        what,
        text,
        share: split.and_then(|split| split.percent(spec.canary.as_str())),
        verdict: pilot.verdict.clone(),
    })
}
