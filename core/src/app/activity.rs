//! Activity: the writes of this control room, from the order to the outcome.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::flight::{Flight, Told, title};
use super::intent::Intent;
use crate::domain::flight::FlightEvent;
use crate::domain::ids::ServiceId;
use crate::domain::text::SafeText;
use crate::domain::write::{Confirmed, Outcome, Plan, PlanId, Step, Write};

/// How far a write has come.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "phase", rename_all = "snake_case")]
pub enum Phase {
    /// The target is read again.
    Checking,
    /// It was recorded and is being sent.
    Sending,
    /// It was sent; its effect is looked for.
    Verifying,
    /// It is over.
    Ended {
        /// What came of it.
        outcome: Outcome,
    },
}

/// What became of one step of a plan.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WriteReport {
    /// The plan.
    pub plan: PlanId,
    /// Which step.
    pub step: usize,
    /// How far it has come.
    pub phase: Phase,
    /// When.
    pub at: Timestamp,
}

/// A plan that was confirmed, and what became of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Activity {
    /// The plan.
    pub plan: PlanId,
    /// What it is for.
    pub title: SafeText,
    /// Whose it is.
    pub service: Option<ServiceId>,
    /// When it was confirmed.
    pub at: Timestamp,
    /// Its steps; none of a flight, whose writes are plans of their own.
    pub steps: Vec<ActivityStep>,
    /// What a pilot told, if it is no plan but a flight.
    #[serde(default)]
    pub flight: Option<Flight>,
    /// Who confirmed it, on which host, in which process, if the journal tells it.
    #[serde(default)]
    pub by: Option<SafeText>,
    /// What was wanted, for a new plan if it had moved; only of what was confirmed here.
    #[serde(default)]
    pub intent: Option<Intent>,
}

/// One step of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ActivityStep {
    /// What is written.
    pub write: Write,
    /// The same in words.
    pub words: SafeText,
    /// The write that undoes it.
    pub undo: Option<Write>,
    /// Why nothing undoes it.
    pub no_undo: Option<SafeText>,
    /// How far it has come; nothing before its turn.
    pub phase: Option<Phase>,
    /// When it came so far.
    pub at: Option<Timestamp>,
}

impl ActivityStep {
    /// Whether its effect was seen.
    pub fn is_done(&self) -> bool {
        matches!(&self.phase, Some(Phase::Ended { outcome: Outcome::Done { .. } }))
    }
}

impl Activity {
    /// What came of it as a whole, once every step has ended: the first outcome that is not "done", or
    /// the last.
    pub fn outcome(&self) -> Option<&Outcome> {
        let mut told: Option<&Outcome> = None;
        for step in &self.steps {
            let Some(Phase::Ended { outcome }) = &step.phase else { return None };
            // A step that was not done may be followed by one that is done all the same.
            if told.is_none_or(|told| matches!(told, Outcome::Done { .. })) {
                told = Some(outcome);
            }
        }
        told
    }

    /// What was wanted, if nothing was done because it had moved.
    pub fn to_plan_again(&self) -> Option<&Intent> {
        let moved = matches!(self.outcome(), Some(Outcome::Moved { .. }));
        self.intent.as_ref().filter(|_| moved)
    }

    /// Whether a step of it was done, or may have been.
    pub fn did_something(&self) -> bool {
        self.steps.iter().any(|step| {
            let Some(Phase::Ended { outcome }) = &step.phase else { return false };
            matches!(outcome, Outcome::Done { .. } | Outcome::Unknown { .. })
        })
    }

    /// What was confirmed and wanted, before anything came of it.
    pub fn confirmed(confirmed: &Confirmed, intent: Intent) -> Self {
        let at = confirmed.at();
        Self { at, intent: Some(intent), ..Self::of(confirmed.plan()) }
    }

    /// Whether it came later than `earlier`, was done, and wrote to something that that wrote to.
    pub fn overtakes(&self, earlier: &Self) -> bool {
        let done = |step: &&ActivityStep| step.is_done();
        self.at > earlier.at
            && self.steps.iter().filter(done).any(|own| {
                earlier.steps.iter().any(|step| step.write.target() == own.write.target())
            })
    }

    /// A plan, before anything came of it.
    pub fn of(plan: &Plan) -> Self {
        let step = |step: &Step| ActivityStep {
            write: step.write.clone(),
            words: step.words.what.clone(),
            undo: step.undo.clone(),
            no_undo: step.no_undo.clone(),
            phase: None,
            at: None,
        };
        Self {
            plan: plan.id.clone(),
            title: plan.title.clone(),
            service: plan.service.clone(),
            at: plan.at,
            steps: plan.steps.iter().map(step).collect(),
            flight: None,
            by: None,
            intent: None,
        }
    }

    /// Whether it is a write that is still under way.
    pub fn is_under_way(&self) -> bool {
        self.flight.is_none() && self.outcome().is_none()
    }

    /// How far it has come, in words.
    pub fn progress(&self) -> String {
        if let Some(flight) = &self.flight {
            return flight.words();
        }
        let count = self.steps.len();
        let at = self.steps.iter().filter(|s| s.phase.is_some()).count();
        let word = match self.steps.iter().rev().find_map(|s| s.phase.as_ref()) {
            None => "begins",
            Some(Phase::Checking) => "reading the target again",
            Some(Phase::Sending) => "sent",
            Some(Phase::Verifying) => "looking for the effect",
            Some(Phase::Ended { .. }) => "done",
        };
        if count > 1 { format!("step {at} of {count}: {word}") } else { word.to_owned() }
    }

    /// Takes in what was read of it later; what had ended stays so.
    pub fn replace(&mut self, later: Self) {
        let before = std::mem::replace(self, later);
        self.intent = before.intent;
        for (now, was) in self.steps.iter_mut().zip(before.steps) {
            let ended = |step: &ActivityStep| matches!(step.phase, Some(Phase::Ended { .. }));
            if ended(&was) && !ended(now) {
                *now = was;
            }
        }
    }

    /// Takes in what became of a step.
    pub fn take(&mut self, report: WriteReport) {
        if let Some(step) = self.steps.get_mut(report.step) {
            step.at = Some(report.at);
            step.phase = Some(report.phase);
        }
    }

    /// The first that is told of a flight.
    pub fn of_flight(plan: PlanId, at: Timestamp, event: FlightEvent) -> Self {
        let (canary, service) = (event.canary.clone(), event.service.clone());
        let over = event.what.ends();
        let flight = Flight { canary: canary.clone(), told: vec![Told { at, event }], over };
        Self {
            plan,
            title: title(&canary),
            service: Some(service),
            at,
            steps: Vec::new(),
            flight: Some(flight),
            by: None,
            intent: None,
        }
    }

    /// Takes in what a pilot tells next.
    pub fn tell(&mut self, at: Timestamp, event: FlightEvent) {
        if let Some(flight) = &mut self.flight {
            flight.over = event.what.ends();
            flight.told.push(Told { at, event });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::{PipelineId, SourceId};

    #[test]
    fn what_has_ended_does_not_go_back() {
        let own = |phase: Phase| Activity {
            plan: PlanId("p".to_owned()),
            title: "start".into(),
            service: None,
            at: Timestamp::UNIX_EPOCH,
            steps: vec![ActivityStep {
                write: Write::Start { pipeline: PipelineId::new(&SourceId::new("aws"), "shop") },
                words: "start shop".into(),
                undo: None,
                no_undo: None,
                phase: Some(phase),
                at: None,
            }],
            flight: None,
            by: None,
            intent: None,
        };
        let ended = || Phase::Ended { outcome: Outcome::Done { note: None } };
        let unknown = || Phase::Ended { outcome: Outcome::Unknown { why: "lost".into() } };
        for (before, later, kept) in [
            (ended(), Phase::Verifying, ended()),
            (Phase::Sending, ended(), ended()),
            (Phase::Sending, Phase::Verifying, Phase::Verifying),
            (unknown(), ended(), ended()),
        ] {
            let mut activity = own(before);
            activity.replace(own(later));
            assert_eq!(activity.steps[0].phase, Some(kept));
        }
    }
}
