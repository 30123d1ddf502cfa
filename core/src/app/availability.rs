//! Which commands can be used now, and why others cannot.

use super::command::{Command, Place};
use super::pane::Pane;
use super::plan::choices;
use super::state::State;
use super::target::{canary_of_selection, subject, to_plan_again};

/// Whether the operator is where commands of `place` have a meaning.
pub fn is_here(place: Place, state: &State) -> bool {
    let pane = state.view.pane;
    match place {
        Place::Everywhere => true,
        Place::Lists => pane.is_list(),
        Place::Details => pane.has_detail() || pane == Pane::Service,
        Place::Board => pane == Pane::Board,
        Place::Acts => !matches!(pane, Pane::Sources),
        Place::Rehearsal => state.setup.is_rehearsal(),
    }
}

/// Why `command` cannot be used now; `None` if it can.
pub fn disabled(command: Command, state: &State) -> Option<String> {
    let spec = command.spec()?;
    if !is_here(spec.place, state) {
        return Some(
            match spec.place {
                Place::Rehearsal => "only while nothing but the rehearsal is shown",
                Place::Board => "only on the board",
                Place::Details => "this pane has no details",
                Place::Acts => "nothing here can be acted on",
                Place::Lists | Place::Everywhere => "this pane has no list",
            }
            .to_owned(),
        );
    }
    let nothing_selected =
        state.selected(state.view.pane).is_none() && state.view.pane != Pane::Service;
    match command {
        Command::Wish(_) if state.view.locked => {
            Some("read-only; L allows writes again".to_owned())
        }
        Command::Wish(_) | Command::Lock
            if state.setup.options.read_only || state.setup.policy.read_only =>
        {
            Some("read-only by configuration".to_owned())
        }
        Command::Wish(_) if state.journal.is_some() => {
            state.journal.as_ref().map(|why| format!("read-only: {why}"))
        }
        Command::Wish(wish) => match subject(state, wish) {
            None => Some("nothing is selected".to_owned()),
            Some(subject) => choices(state, wish, &subject).err(),
        },
        Command::Again if state.view.locked || state.journal.is_some() => {
            Some("read-only".to_owned())
        }
        Command::Again if to_plan_again(state).is_none() => {
            Some("nothing was refused because it had moved".to_owned())
        }
        Command::Fly if canary_of_selection(state).is_none() => {
            Some("nothing selected has a canary".to_owned())
        }
        Command::Open if state.view.pane == Pane::Service => {
            Some("all of the service is shown here; 3 to 7 show its parts".to_owned())
        }
        Command::Open | Command::CopyId | Command::CopyLink if nothing_selected => {
            Some("nothing is selected".to_owned())
        }
        Command::CopyLink if super::target::link(state).is_none() => {
            Some("it has no link".to_owned())
        }
        _ => None,
    }
}
