//! Rows of the activity pane: plans that were confirmed, the newest first.

use std::cmp::Reverse;

use jiff::Timestamp;

use crate::app::activity::Activity;
use crate::app::flight::Flight;
use crate::app::row::{Attention, Row, RowId};
use crate::domain::ids::ServiceId;
use crate::domain::text::SafeText;
use crate::domain::write::{OutcomeKind, PlanId};

/// A plan that was confirmed.
#[derive(Clone, Debug, PartialEq)]
pub struct ActivityRow {
    /// Which.
    pub plan: PlanId,
    /// What it is for.
    pub title: SafeText,
    /// Whose it is.
    pub service: Option<ServiceId>,
    /// When it was confirmed.
    pub at: Timestamp,
    /// What came of it; `None` while it is under way, and of a flight.
    pub outcome: Option<OutcomeKind>,
    /// The flight, if a pilot's is told.
    pub flight: Option<Flight>,
    /// The same in a sentence.
    pub sentence: SafeText,
}

/// The row of `activity`.
pub fn row(activity: &Activity) -> ActivityRow {
    let outcome = activity.outcome();
    ActivityRow {
        plan: activity.plan.clone(),
        title: activity.title.clone(),
        service: activity.service.clone(),
        at: activity.at,
        outcome: outcome.map(crate::domain::write::Outcome::kind),
        flight: activity.flight.clone(),
        sentence: match outcome {
            Some(outcome) => outcome.sentence().into(),
            None => activity.progress().into(),
        },
    }
}

impl ActivityRow {
    /// How much it needs a human.
    pub fn attention(&self) -> Attention {
        if let Some(flight) = &self.flight {
            return match flight.last() {
                _ if flight.over => Attention::Calm,
                Some(event) if event.what.calls() => Attention::Waiting,
                _ => Attention::Moving,
            };
        }
        match self.outcome {
            None => Attention::Moving,
            Some(OutcomeKind::Done | OutcomeKind::Answered) => Attention::Calm,
            Some(OutcomeKind::Unknown) => Attention::Failing,
            Some(
                OutcomeKind::Failed
                | OutcomeKind::Moved
                | OutcomeKind::Refused
                | OutcomeKind::Unrecorded,
            ) => Attention::AtRisk,
        }
    }
}

impl Row for ActivityRow {
    type Order = Reverse<Timestamp>;

    fn id(&self) -> RowId {
        RowId::Plan(self.plan.clone())
    }

    fn order(&self) -> Self::Order {
        Reverse(self.at)
    }

    fn search_text(&self) -> String {
        let service = self.service.as_ref().map(|id| format!(" service:{id}")).unwrap_or_default();
        format!("{} {}{service}", self.title, self.sentence)
    }
}
