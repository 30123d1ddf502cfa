//! A plan and what came of it, as data for scripts.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::app::setup::Setup;
use crate::domain::ids::{ServiceId, SourceId};
use crate::domain::text::SafeText;
use crate::domain::write::{GuardVerdict, Outcome, OutcomeKind, Plan};

/// Name and version of the format.
pub const ACT_FORMAT: &str = "flightdeck/act/1";

/// A plan, whether it was carried out, and what came of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Act {
    /// Name and version of this format.
    #[schemars(extend("const" = ACT_FORMAT))]
    pub format: String,
    /// The id of the plan; `undo` takes it.
    pub plan: String,
    /// What it is for.
    pub title: SafeText,
    /// The scenario, if nothing of this is real.
    pub rehearsal: Option<SafeText>,
    /// Whose it is.
    pub service: Option<ServiceId>,
    /// It touches production.
    pub production: bool,
    /// When it was made.
    pub at: Timestamp,
    /// What is written, in this order.
    pub steps: Vec<ActStep>,
    /// What the guards say.
    pub guards: Vec<ActGuard>,
    /// What to know besides.
    pub notes: Vec<SafeText>,
    /// Why nothing was sent, if nothing was.
    pub refusal: Option<SafeText>,
}

/// One step of a plan.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ActStep {
    /// What it does.
    pub what: SafeText,
    /// What is there now, if that says more.
    pub from: Option<SafeText>,
    /// What will be there.
    pub to: Option<SafeText>,
    /// The source that is written to.
    pub source: SourceId,
    /// Where it is written: account, region, host.
    pub place: SafeText,
    /// As whom, if the source tells.
    pub identity: Option<SafeText>,
    /// What was seen of its target, and of where a canary runs: the write is refused if any of it
    /// moves.
    pub seen: Vec<Seen>,
    /// When that was read.
    pub seen_at: Timestamp,
    /// Why nothing undoes it, if nothing does.
    pub no_undo: Option<SafeText>,
    /// What came of it; nothing if it was not carried out.
    pub outcome: Option<OutcomeKind>,
    /// The same in a sentence.
    pub sentence: Option<SafeText>,
}

/// One fact that was seen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Seen {
    /// Which.
    pub what: SafeText,
    /// Its value.
    pub value: SafeText,
}

/// What one guard says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ActGuard {
    /// Its name.
    pub name: SafeText,
    /// `passed`, `needs reason` or `refused`.
    pub verdict: SafeText,
    /// Why, unless it passed.
    pub why: Option<SafeText>,
}

/// `plan` as data, before anything is sent.
pub fn act(plan: &Plan, setup: &Setup) -> Act {
    let steps = plan.steps.iter().map(|step| ActStep {
        what: step.words.what.clone(),
        from: step.words.from.clone(),
        to: step.words.to.clone(),
        source: step.write.source(),
        place: step.place.clone(),
        identity: step.identity.clone(),
        seen: step.expects.told().map(|(what, value)| Seen { what, value }).collect(),
        seen_at: step.seen_at,
        no_undo: step.no_undo.clone(),
        outcome: None,
        sentence: None,
    });
    let guards = plan.guards.iter().map(|guard| {
        let (verdict, why) = match &guard.verdict {
            GuardVerdict::Passed => ("passed", None),
            GuardVerdict::NeedsReason(why) => ("needs reason", Some(why.clone())),
            GuardVerdict::Refused(why) => ("refused", Some(why.clone())),
        };
        ActGuard { name: guard.name.clone(), verdict: verdict.into(), why }
    });
    Act {
        format: ACT_FORMAT.to_owned(),
        plan: plan.id.0.clone(),
        title: plan.title.clone(),
        rehearsal: setup.rehearsed(plan.steps.iter().map(|step| step.write.source())),
        service: plan.service.clone(),
        production: plan.production,
        at: plan.at,
        steps: steps.collect(),
        guards: guards.collect(),
        notes: plan.notes.clone(),
        refusal: None,
    }
}

/// What is told where there is no plan: why.
pub fn no_act(why: &str, setup: &Setup, at: Timestamp) -> Act {
    let rehearsal = setup.rehearsal.as_ref().map(|rehearsal| rehearsal.scenario.clone());
    Act {
        format: ACT_FORMAT.to_owned(),
        plan: String::new(),
        title: SafeText::default(),
        rehearsal,
        service: None,
        production: false,
        at,
        steps: Vec::new(),
        guards: Vec::new(),
        notes: Vec::new(),
        refusal: Some(SafeText::new(why)),
    }
}

impl Act {
    /// Takes in what came of the steps, in their order.
    pub fn take(&mut self, outcomes: &[Outcome]) {
        for (step, outcome) in self.steps.iter_mut().zip(outcomes) {
            step.outcome = Some(outcome.kind());
            step.sentence = Some(outcome.sentence().into());
        }
    }
}
