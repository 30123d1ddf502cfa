//! Inbox rows: everything that waits for a human, most urgent first.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Facts;
use super::canaries::CanaryRow;
use crate::app::activity::Activity;
use crate::app::pilot::Pilot;
use crate::app::row::{Row, RowId};
use crate::domain::error::FaultKind;
use crate::domain::ids::{ItemId, ServiceId};
use crate::domain::pipeline::RunState;
use crate::domain::source::SourceState;
use crate::domain::text::SafeText;
use crate::domain::write::OutcomeKind;

/// Something that waits for a human.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AskRow {
    /// Who it is.
    pub id: RowId,
    /// What kind of thing is wanted.
    pub kind: AskKind,
    /// Whose it is.
    pub services: Vec<ServiceId>,
    /// What it is about, short.
    pub title: SafeText,
    /// What to know before acting.
    pub detail: Option<SafeText>,
    /// Since when it waits.
    pub since: Option<Timestamp>,
    /// When it is too late.
    pub deadline: Option<Timestamp>,
}

/// Kinds of ask, most urgent first.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum AskKind {
    /// An alarm fires.
    Alarm,
    /// An environment that customers are on does not work.
    Unhealthy,
    /// A stage failed.
    Failed,
    /// A canary does harm, or may.
    Canary,
    /// A pilot holds, and calls a human.
    Pilot,
    /// Nobody knows what became of a write.
    Unsure,
    /// An execution waits for approval.
    Approval,
    /// An execution waits behind a closed transition.
    Held,
    /// A source wants new credentials.
    SignIn,
}

impl AskKind {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Alarm => "alarm",
            Self::Unhealthy => "unhealthy",
            Self::Failed => "failed",
            Self::Canary => "canary",
            Self::Pilot => "pilot",
            Self::Unsure => "unsure",
            Self::Approval => "approve",
            Self::Held => "held",
            Self::SignIn => "sign in",
        }
    }
}

impl Row for AskRow {
    // Within a kind: the nearest deadline, then the longest wait.
    type Order = (AskKind, bool, Option<Timestamp>, Option<Timestamp>, RowId);

    fn id(&self) -> RowId {
        self.id.clone()
    }

    fn order(&self) -> Self::Order {
        (self.kind, self.deadline.is_none(), self.deadline, self.since, self.id.clone())
    }

    fn search_text(&self) -> String {
        let mut text = format!("{} kind:{}", self.title, self.kind.word());
        for service in &self.services {
            text.push_str(&format!(" {service} service:{service}"));
        }
        // A source belongs to nobody, and nobody forgot to claim it.
        if self.services.is_empty() && self.kind != AskKind::SignIn {
            text.push_str(" service:unclaimed");
        }
        text
    }

    fn marks(&self) -> u16 {
        1 << self.kind as u16
    }
}

/// What of `item` waits for a human.
pub fn of_item(item: &ItemId, facts: &Facts<'_>) -> Vec<AskRow> {
    match item {
        ItemId::Pipeline(id) => match facts.fleet.pipelines.get(id) {
            Some(o) => of_pipeline(item, &o.value, facts),
            None => Vec::new(),
        },
        ItemId::Alarm(id) => facts
            .fleet
            .alarms
            .get(id)
            .filter(|o| o.value.calls())
            .map(|o| AskRow {
                id: RowId::Ask(item.clone(), "firing".into()),
                kind: AskKind::Alarm,
                services: facts.membership.owners(item).to_vec(),
                title: o.value.name.clone(),
                detail: o.value.reason.clone(),
                since: o.value.since,
                deadline: None,
            })
            .into_iter()
            .collect(),
        ItemId::Environment(id) => facts
            .fleet
            .environments
            .get(id)
            .filter(|o| o.value.harms_customers())
            .map(|o| AskRow {
                id: RowId::Ask(item.clone(), "unhealthy".into()),
                kind: AskKind::Unhealthy,
                services: facts.membership.owners(item).to_vec(),
                title: o.value.name.clone(),
                detail: o.value.summary.clone(),
                since: o.value.since,
                deadline: None,
            })
            .into_iter()
            .collect(),
        _ => Vec::new(),
    }
}

/// What a write wants of a human: to look what became of it, if nobody knows.
pub fn of_activity(activity: &Activity) -> Option<AskRow> {
    let outcome = activity.outcome().filter(|o| o.kind() == OutcomeKind::Unknown)?;
    Some(AskRow {
        id: RowId::Plan(activity.plan.clone()),
        kind: AskKind::Unsure,
        services: activity.service.iter().cloned().collect(),
        title: activity.title.clone(),
        detail: Some(outcome.sentence().into()),
        since: Some(activity.at),
        deadline: None,
    })
}

fn of_pipeline(
    item: &ItemId,
    pipeline: &crate::domain::pipeline::Pipeline,
    facts: &Facts<'_>,
) -> Vec<AskRow> {
    let services = facts.membership.owners(item).to_vec();
    let ask = |part: String, kind, stage: &str| AskRow {
        id: RowId::Ask(item.clone(), part.into()),
        kind,
        services: services.clone(),
        title: format!("{} {stage}", pipeline.id.name).into(),
        detail: None,
        since: None,
        deadline: None,
    };
    let mut asks = Vec::new();
    for stage in &pipeline.stages {
        for (action, approval) in stage.approvals() {
            // In parallel mode one action may wait for several executions at once.
            let execution = approval.execution.as_ref().map_or("", |e| e.as_str());
            let mut row = ask(
                format!("approve/{}/{}/{execution}", stage.name, action.name),
                AskKind::Approval,
                stage.name.as_str(),
            );
            row.detail = approval.message.clone();
            row.since = approval.requested;
            row.deadline = approval.deadline;
            asks.push(row);
        }
        if stage.state == RunState::Failed {
            let mut row =
                ask(format!("failed/{}", stage.name), AskKind::Failed, stage.name.as_str());
            let failed = stage.actions.iter().find(|a| a.state == RunState::Failed);
            row.detail = failed.and_then(|a| a.error.clone().or_else(|| a.summary.clone()));
            row.since = stage.since;
            asks.push(row);
        }
        if stage.is_held() && stage.inbound.is_some() {
            let mut row = ask(format!("held/{}", stage.name), AskKind::Held, stage.name.as_str());
            let transition = stage.transition.as_ref();
            row.detail = transition.and_then(|t| t.reason.clone());
            row.since = transition.and_then(|t| t.at);
            asks.push(row);
        }
    }
    asks
}

/// What a canary, or the pilot that flies it, wants from a human.
pub fn of_canary(row: &CanaryRow, facts: &Facts<'_>) -> Option<AskRow> {
    let pilot = facts.pilots.get(&row.canary).and_then(Pilot::asks);
    let judged = row.judged.as_ref();
    let risky = judged.filter(|judged| judged.stand.is_risky());
    let (kind, detail, since) = match (pilot, risky) {
        (Some((why, since)), _) => (AskKind::Pilot, why.clone(), Some(since)),
        (None, Some(judged)) => {
            (AskKind::Canary, format!("{}: {}", judged.lead, judged.sentence).into(), None)
        }
        (None, None) => return None,
    };
    Some(AskRow {
        id: RowId::Canary(row.canary.clone()),
        kind,
        services: vec![row.service.clone()],
        title: row.canary.text().clone(),
        detail: Some(detail),
        since,
        deadline: None,
    })
}

/// What a source wants from a human.
pub fn of_source(state: &SourceState) -> Option<AskRow> {
    // What fails for another reason, and perhaps for longer, is not what a human has to do.
    let refused = state.failing.values().filter(|f| f.fault.kind == FaultKind::NotAuthenticated);
    let failing = refused.min_by_key(|failing| failing.since)?;
    Some(AskRow {
        id: RowId::Source(state.meta.id.clone()),
        kind: AskKind::SignIn,
        services: Vec::new(),
        title: state.meta.id.text().clone(),
        detail: Some(failing.fault.hint.clone()),
        since: Some(failing.since),
        deadline: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::error::Fault;
    use crate::domain::ids::SourceId;
    use crate::domain::observation::Topic;
    use crate::domain::observed::FreshnessPolicy;
    use crate::domain::source::{Capabilities, Failing, SourceMeta};

    #[test]
    fn signing_in_is_told_by_the_read_that_was_refused() {
        let mut state = SourceState::new(SourceMeta {
            id: SourceId::new("pipes"),
            kind: "codepipeline".into(),
            place: "eu-west-1".into(),
            capabilities: Capabilities::default(),
            policy: FreshnessPolicy {
                stale_after: jiff::SignedDuration::from_mins(2),
                lost_after: jiff::SignedDuration::from_mins(15),
            },
        });
        let at = |second| Timestamp::from_second(second).unwrap();
        let failing = |kind, hint: &str, since| Failing {
            fault: Fault::new(kind, "x").hint(hint),
            since: at(since),
            times: 1,
            items: std::collections::BTreeSet::new(),
        };
        state.failing.insert(Topic::Overview, failing(FaultKind::Unreachable, "the network", 1));
        assert_eq!(of_source(&state), None);
        let refused = failing(FaultKind::NotAuthenticated, "run `aws sso login`", 2);
        state.failing.insert(Topic::Items, refused);
        let row = of_source(&state).unwrap();
        assert_eq!(row.detail.unwrap().as_str(), "run `aws sso login`");
        assert_eq!(row.since, Some(at(2)));
    }
}
