//! What is shown of a canary that cannot be judged as it is described.

use super::judged::{Judged, Stand};
use crate::domain::canary::CanarySpec;
use crate::domain::text::SafeText;
use crate::judge::spec::SpecError;
use crate::judge::{Action, Verdict};

/// A human has to change the description: nothing is judged, nothing passes, nothing is taken back.
pub fn because(spec: &CanarySpec, error: &SpecError) -> Judged {
    Judged {
        stand: Stand::AtRisk,
        verdict: Verdict::NotEnoughData,
        answer: None,
        lead: "NOT JUDGED".into(),
        action: Action::HoldAndPage,
        sentence: SafeText::from(format!("{} cannot be judged as described: {error}.", spec.id)),
        weight: None,
        counted: None,
        odds: SafeText::default(),
        line: 1.0 / spec.alpha,
        metrics: Vec::new(),
        notes: Vec::new(),
        suspects: Vec::new(),
        seconds_at: Vec::new(),
        ticks: 0,
        tick_seconds: 0.0,
        until: None,
        seconds_needed: None,
        trail: Vec::new(),
        trail_steps: Vec::new(),
    }
}
