//! What a script wants to answer may have been answered before: then it is told by whom and how.

use super::args::{Act, Staged};
use crate::app::State;
use crate::cli::exit::{Exit, Failure};
use crate::domain::ids::ItemId;
use crate::domain::pipeline::{Action, RunState, Stage};

/// The answer that was given before to exactly what `act` expects to answer, as a failure of its own.
pub fn answered(state: &State, act: &Act) -> Option<Failure> {
    let (Act::Approve(args) | Act::Reject(args)) = act else { return None };
    let (pipeline, stage, action) = state.fleet.pipelines.iter().find_map(|(id, known)| {
        let owners = state.membership.owners(&ItemId::Pipeline(id.clone()));
        let named = id.name.as_str() == args.name
            || format!("{}/{}", id.source, id.name) == args.name
            || owners.iter().any(|owner| owner.as_str() == args.name);
        let stages = if named { known.value.stages.as_slice() } else { &[] };
        let mut asked = stages.iter().filter(|stage| is_expected(stage, args)).flat_map(|stage| {
            stage.actions.iter().filter(|action| is_answered(action, args)).map(move |a| (stage, a))
        });
        asked.next().map(|(stage, action)| (id, stage, action))
    })?;
    let word = if action.state == RunState::Succeeded { "approved" } else { "rejected" };
    let by = action.by.as_ref().map(|by| format!(" by {by}")).unwrap_or_default();
    let at = action.at.map(|at| format!(" at {at}")).unwrap_or_default();
    let message = format!(
        "{} of {} was {word}{by}{at}: answered before, nothing was sent",
        stage.name, pipeline.name
    );
    Some(Failure { exit: Exit::Answered, message })
}

/// Whether what is in the stage is what was expected.
fn is_expected(stage: &Stage, args: &Staged) -> bool {
    let wanted = args.stage.as_ref().is_none_or(|name| stage.name == **name);
    let execution = args.go.expect_execution.as_ref().map(|wanted| {
        stage.execution.as_ref().is_some_and(|execution| execution.as_str() == wanted)
    });
    let revision = args.go.expect_revision.as_ref().map(|wanted| {
        stage.revision.as_ref().is_some_and(|own| own.id.as_str().starts_with(wanted.as_str()))
    });
    let expected = [execution, revision];
    wanted && expected.iter().any(Option::is_some) && expected.into_iter().flatten().all(|is| is)
}

fn is_answered(action: &Action, args: &Staged) -> bool {
    let over = matches!(action.state, RunState::Succeeded | RunState::Failed);
    let wanted = args.action.as_ref().is_none_or(|name| action.name == **name);
    over && wanted && action.category == "Approval"
}
