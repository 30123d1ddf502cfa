//! Commands that change something: from the selection to a dialog, and from there to an order.

use super::pilot::{engage, hand_over, hand_over_all};
use crate::app::activity::Activity;
use crate::app::command::Wish;
use crate::app::dialog::Dialog;
use crate::app::effect::Effect;
use crate::app::intent::{Choice, Intent};
use crate::app::msg::Notice;
use crate::app::overlay::{Menu, Overlay};
use crate::app::plan::{Subject, again, choices, plan, renewed, service_of};
use crate::app::state::State;
use crate::app::target::{canary_of_selection, subject, to_plan_again};
use crate::domain::write::{PlanId, accept, confirm};

/// Offers what `wish` can mean for the selection. Whoever reaches for the controls of a service flies
/// it: its pilots hand over at once.
pub fn offer(state: &mut State, wish: Wish, effects: &mut Vec<Effect>) {
    let found = subject(state, wish)
        .ok_or_else(|| "nothing is selected".to_owned())
        .and_then(|subject| Ok((choices(state, wish, &subject)?, subject)));
    let (found, subject) = match found {
        Ok(found) => found,
        Err(why) => {
            state.view.notice = Some(Notice::warning(why));
            return;
        }
    };
    take_over(state, &subject, effects);
    match found.as_slice() {
        [Choice { intent: Ok(intent), .. }] => open(state, intent.clone()),
        [Choice { text, intent: Err(why) }] => {
            state.view.notice = Some(Notice::warning(format!("{text}: {why}")));
        }
        _ => {
            let selected = found.iter().position(|c| c.intent.is_ok()).unwrap_or(0);
            let title = title(wish).into();
            state.view.overlay =
                Some(Overlay::Choose(Menu { title, choices: found, selected, typed: None }));
        }
    }
}

fn title(wish: Wish) -> &'static str {
    match wish {
        Wish::Approve => "Approve",
        Wish::Reject => "Reject",
        Wish::Promote => "Promote",
        Wish::RollBack => "Roll back",
        Wish::Hold => "Hold or release",
        Wish::Traffic => "Shift traffic",
        Wish::Flag => "Change a flag",
        Wish::Retry => "Retry",
        Wish::Stop => "Stop",
        Wish::Start => "Start",
        Wish::Undo => "Undo",
    }
}

fn take_over(state: &mut State, subject: &Subject, effects: &mut Vec<Effect>) {
    let Some(service) = service_of(state, subject) else { return };
    let why = "the operator took the controls";
    let handed = hand_over_all(state, Some(&service), why, effects);
    if let Some(canary) = handed.first() {
        let text = format!("you fly {canary} now: its pilot handed over");
        state.view.notice = Some(Notice::warning(text));
    }
}

/// Lets a pilot fly the selected canary; if one does, hands over to the operator at once.
pub fn fly(state: &mut State, effects: &mut Vec<Effect>) {
    let Some(canary) = canary_of_selection(state) else {
        state.view.notice = Some(Notice::warning("nothing selected has a canary"));
        return;
    };
    if state.pilots.get(&canary).is_some_and(|pilot| pilot.ended().is_none()) {
        hand_over(state, &canary, "the operator flies", effects);
        state.view.notice = Some(Notice::info(format!("you fly {canary} now")));
    } else if state.is_read_only() {
        let why = state.journal.as_ref().map(|why| format!(": {why}")).unwrap_or_default();
        state.view.notice = Some(Notice::warning(format!("read-only: no pilot may fly{why}")));
    } else {
        open(state, Intent::Fly { canary });
    }
}

/// Opens the confirmation of `intent`, or says why there is nothing to confirm.
pub fn open(state: &mut State, intent: Intent) {
    state.plans += 1;
    let id = PlanId(format!("{}-{}", state.setup.session, state.plans));
    match plan(state, &intent, "", id) {
        Ok(plan) => {
            let dialog = Dialog::new(intent, plan, state.view.last_key);
            state.view.overlay = Some(Overlay::Confirm(Box::new(dialog)));
        }
        Err(why) => state.view.notice = Some(Notice::warning(why)),
    }
}

/// Opens a new plan for what was wanted, of whatever is there by now.
pub fn open_again(state: &mut State, intent: &Intent) {
    open(state, renewed(state, intent));
}

/// Plans again what was not done because it had moved.
pub fn plan_again(state: &mut State) {
    if let Some(intent) = to_plan_again(state).cloned() {
        open_again(state, &intent);
    }
}

/// Confirms what the dialog shows; what stands in the way is shown in it.
pub fn submit(state: &mut State, mut dialog: Box<Dialog>, effects: &mut Vec<Effect>) {
    // Between the last frame and this key something may have moved.
    dialog.moved = again(state, &mut dialog.plan);
    if let Some(why) = dialog.other_reason() {
        dialog.refusal = Some(why.into());
        state.view.overlay = Some(Overlay::Confirm(dialog));
        return;
    }
    if let Intent::Fly { canary } = &dialog.intent {
        let accepted = accept(&dialog.plan, &dialog.answers());
        if let Err(why) = accepted.and_then(|_| engage(state, canary, None, effects)) {
            dialog.refusal = Some(why.into());
            state.view.overlay = Some(Overlay::Confirm(dialog));
        }
        return;
    }
    let confirmed = if dialog.moved.is_empty() {
        // What is shown stays without it: it may be changed until it is sent.
        let mut plan = dialog.plan.clone();
        plan.comment(&dialog.comment);
        confirm(&plan, &dialog.answers(), state.now)
    } else {
        Err("it has moved since it was shown: n makes a new plan".to_owned())
    };
    match confirmed {
        Ok(confirmed) => {
            state.activity.insert(0, Activity::confirmed(&confirmed, dialog.intent));
            state.view.notice = Some(Notice::info(format!("under way: {}", dialog.plan.title)));
            state.refresh_activity(&dialog.plan.id);
            effects.push(Effect::Submit(Box::new(confirmed)));
        }
        Err(why) => {
            dialog.refusal = Some(why.into());
            state.view.overlay = Some(Overlay::Confirm(dialog));
        }
    }
}

/// Keeps an open dialog true: its guards, and what has moved since it was shown.
pub fn keep_true(state: &mut State) {
    let mut overlay = state.view.overlay.take();
    if let Some(Overlay::Confirm(dialog)) = &mut overlay {
        dialog.moved = again(state, &mut dialog.plan);
        dialog.settle();
    }
    state.view.overlay = overlay;
}
