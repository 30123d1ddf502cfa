//! Inbox rows: everything that waits for a human, most urgent first.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Facts;
use crate::app::row::{Row, RowId};
use crate::domain::alarm::AlarmState;
use crate::domain::error::FaultKind;
use crate::domain::ids::{ItemId, ServiceId};
use crate::domain::pipeline::RunState;
use crate::domain::source::SourceState;
use crate::domain::text::SafeText;

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
    /// A stage failed.
    Failed,
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
            Self::Failed => "failed",
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
        text
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
            .filter(|o| o.value.state == AlarmState::Firing && !o.value.silenced)
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
        _ => Vec::new(),
    }
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
