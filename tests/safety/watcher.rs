//! Watches every message for what must never happen, by means of its own.

use flightdeck::app::dialog::{DEAF, Dialog, Focus};
use flightdeck::app::key::{Key, KeyCode};
use flightdeck::app::overlay::Overlay;
use flightdeck::app::{Effect, Msg, State, update};
use flightdeck::domain::ids::ItemId;
use flightdeck::domain::write::{PlanId, Write};

/// A state under watch.
pub struct Watcher {
    pub state: State,
    /// The plan on the screen, with the facts of its targets as they were when it opened.
    shown: Option<(PlanId, Vec<String>)>,
    /// What keys alone have written into the field of the name since then.
    typed: String,
    /// When the dialog opened, or its window came back.
    deaf_from: u64,
    /// The window came back, and no key came since.
    back: bool,
    /// The latest time of a key.
    pub ms: u64,
    /// How many plans were submitted.
    pub submitted: usize,
}

fn dialog(state: &State) -> Option<&Dialog> {
    match &state.view.overlay {
        Some(Overlay::Confirm(dialog)) => Some(dialog),
        _ => None,
    }
}

/// What a write must not find changed, read straight from the facts.
fn facts(state: &State, write: &Write) -> Vec<String> {
    let fleet = &state.fleet;
    match write.target() {
        ItemId::Pipeline(id) => {
            let Some(known) = fleet.pipelines.get(&id) else { return vec!["gone".to_owned()] };
            let (Write::Answer { stage, .. }
            | Write::RollBack { stage, .. }
            | Write::Hold { stage, .. }
            | Write::Retry { stage, .. }
            | Write::Override { stage, .. }
            | Write::Release { stage, .. }) = write
            else {
                let runs = known.value.executions.iter();
                return match write {
                    Write::Stop { execution, .. } => runs
                        .filter(|run| run.id == *execution)
                        .map(|run| format!("{:?}", run.state))
                        .collect(),
                    Write::Start { .. } => runs.map(|run| run.id.to_string()).take(1).collect(),
                    _ => panic!("what must not change for {write:?}?"),
                };
            };
            let own = known.value.stages.iter().find(|own| own.name == *stage);
            let Some(own) = own else { return vec!["no stage".to_owned()] };
            match write {
                Write::Answer { .. } => {
                    let asks = own.approvals().map(|(_, ask)| {
                        let run = ask.execution.as_ref().and_then(|e| known.value.execution(e));
                        let ships = run.map(|run| run.revisions.clone());
                        format!("{:?} {:?} {ships:?}", ask.execution, ask.token)
                    });
                    asks.collect()
                }
                Write::RollBack { .. } => vec![format!("{:?} {:?}", own.execution, own.revision)],
                Write::Hold { .. } => vec![format!("{}", own.is_held())],
                Write::Release { .. } => vec![format!("{} {:?}", own.is_held(), own.inbound)],
                Write::Retry { .. } | Write::Override { .. } => {
                    vec![format!("{:?} {:?}", own.execution, own.state)]
                }
                _ => Vec::new(),
            }
        }
        ItemId::Traffic(id) => {
            let known = fleet.traffic.get(&id).map(|o| &o.value.arms);
            let arms = known.into_iter().flatten();
            arms.map(|arm| format!("{} {} {}", arm.name, arm.weight, arm.usable)).collect()
        }
        ItemId::Flag(id) => {
            let known = fleet.flags.get(&id).map(|o| &o.value.environments);
            let states = known.into_iter().flatten().filter(|own| match write {
                Write::Flag { environment, .. } => own.environment == *environment,
                _ => true,
            });
            states.map(|s| format!("{:?} {:?} {:?}", s.enabled, s.percent, s.version)).collect()
        }
        _ => Vec::new(),
    }
}

fn all_facts(state: &State, dialog: &Dialog) -> Vec<String> {
    dialog.plan.steps.iter().flat_map(|step| facts(state, &step.write)).collect()
}

impl Watcher {
    pub fn new(state: State) -> Self {
        Self {
            state,
            shown: None,
            typed: String::new(),
            deaf_from: 0,
            back: false,
            ms: 0,
            submitted: 0,
        }
    }

    /// The confirmation on the screen.
    pub fn dialog(&self) -> Option<&Dialog> {
        dialog(&self.state)
    }

    /// A key, so many milliseconds after the one before.
    pub fn press(&mut self, key: &str, after: u64) {
        let key = Key::parse(key).unwrap();
        self.send(&Msg::Key { key, ms: self.ms + after });
    }

    /// Sends `msg`, and panics when something happens that must not.
    pub fn send(&mut self, msg: &Msg) {
        let before = self.state.clone();
        let key = match msg {
            Msg::Key { key, ms } => {
                self.ms = self.ms.max(*ms);
                Some(*key)
            }
            _ => None,
        };
        if let (Some(_), true) = (key, self.back) {
            self.back = false;
            self.deaf_from = self.ms;
        }
        let effects = update(&mut self.state, msg.clone());
        self.check_submits(&before, key, &effects);
        self.check_fields(&before, key);
        self.remember(key);
        if let (Msg::Focus(true), Some(_)) = (msg, dialog(&self.state)) {
            self.back = true;
        }
    }

    /// Keys that are neither the way out nor late enough do nothing; on a small screen none does.
    fn is_deaf(&self, before: &State) -> bool {
        self.ms.saturating_sub(self.deaf_from) < DEAF || before.regions().is_none()
    }

    fn check_submits(&mut self, before: &State, key: Option<Key>, effects: &[Effect]) {
        let submits: Vec<_> = effects
            .iter()
            .filter_map(|effect| match effect {
                Effect::Submit(confirmed) => Some(confirmed),
                _ => None,
            })
            .collect();
        let Some(confirmed) = submits.first() else { return };
        assert_eq!(submits.len(), 1, "one plan at a time");
        self.submitted += 1;
        let key = key.expect("only a key submits");
        assert_eq!(key.code, KeyCode::Enter, "only Enter submits");
        let dialog = dialog(before).expect("only from a confirmation");
        assert!(matches!(dialog.focus, Focus::Go | Focus::Name), "the focus is on Cancel at first");
        assert!(!self.is_deaf(before), "too early, or not on the screen");
        assert!(!before.is_read_only(), "read-only");
        let plan = confirmed.plan();
        let (shown, seen) = self.shown.as_ref().expect("it was on the screen");
        assert_eq!((shown, &dialog.plan.id), (&plan.id, &plan.id), "another plan");
        let now = all_facts(before, dialog);
        assert_eq!(*seen, now, "something moved since it was shown");
        assert!(plan.refusals().next().is_none(), "a guard refuses it");
        if plan.production {
            assert_eq!(self.typed, plan.name.as_str(), "keys have typed the name");
        }
        if plan.needs_reason().next().is_some() {
            assert!(confirmed.reason().is_some_and(|reason| reason.as_str().trim().len() >= 3));
            // What was on the screen when the key was pressed is what the reason is for.
            assert_eq!(plan.wanting(), dialog.broken, "a guard that the reason is not for");
        }
    }

    /// What is in the fields changes by the keys that are meant for them, and by nothing else.
    fn check_fields(&mut self, before: &State, key: Option<Key>) {
        let (Some(old), Some(new)) = (dialog(before), dialog(&self.state)) else { return };
        if old.plan.id != new.plan.id {
            return;
        }
        // Where it cannot be confirmed any more, the focus is where it does no harm.
        let focus = if new.is_dead() { Focus::Cancel } else { old.focus };
        let same = (&old.typed, focus) == (&new.typed, new.focus);
        match key {
            None => assert!(same, "only keys type the name and move the focus"),
            Some(_) if self.is_deaf(before) => {
                let texts = |dialog: &Dialog| (dialog.comment.clone(), dialog.reason.clone());
                assert!(same && texts(old) == texts(new), "a key acted that was not meant");
            }
            Some(_) if old.focus != Focus::Name => assert_eq!(old.typed, new.typed),
            Some(key) => {
                match key.code {
                    KeyCode::Char('u') if key.ctrl => self.typed.clear(),
                    KeyCode::Char(c) if !key.ctrl && !key.alt => self.typed.push(c),
                    KeyCode::Backspace => drop(self.typed.pop()),
                    _ => {}
                }
                assert_eq!(new.typed, self.typed, "the field holds what keys have typed");
            }
        }
    }

    fn remember(&mut self, key: Option<Key>) {
        let Some(dialog) = dialog(&self.state) else {
            self.shown = None;
            return;
        };
        let known = self.shown.as_ref().is_some_and(|(id, _)| *id == dialog.plan.id);
        if !known {
            assert!(key.is_some(), "only a key opens a confirmation");
            assert_eq!(dialog.focus, Focus::Cancel);
            assert_eq!([&dialog.typed, &dialog.comment, &dialog.reason], ["", "", ""]);
            let facts = all_facts(&self.state, dialog);
            self.shown = Some((dialog.plan.id.clone(), facts));
            self.typed.clear();
            self.deaf_from = self.ms;
            self.back = false;
        }
    }
}
