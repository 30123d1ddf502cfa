//! Timeline rows: changes of all sources, newest first.

use std::cmp::Reverse;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Facts;
use crate::app::row::{Row, RowId};
use crate::domain::change::ChangeKind;
use crate::domain::ids::{ChangeId, ItemId, ServiceId};
use crate::domain::text::SafeText;

/// One change.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ChangeRow {
    /// The change.
    pub change: ChangeId,
    /// When it happened.
    pub at: Timestamp,
    /// What kind of thing it was.
    pub kind: ChangeKind,
    /// In one sentence.
    pub title: SafeText,
    /// Who did it.
    pub who: Option<SafeText>,
    /// Where.
    pub environment: Option<SafeText>,
    /// What was changed.
    pub target: Option<ItemId>,
    /// Whose it was.
    pub services: Vec<ServiceId>,
}

impl Row for ChangeRow {
    type Order = (Reverse<Timestamp>, ChangeId);

    fn id(&self) -> RowId {
        RowId::Item(ItemId::Change(self.change.clone()))
    }

    fn order(&self) -> Self::Order {
        (Reverse(self.at), self.change.clone())
    }

    fn search_text(&self) -> String {
        let mut text = format!("{} kind:{}", self.title, self.kind.word());
        if let Some(who) = &self.who {
            text.push_str(&format!(" {who} who:{who}"));
        }
        if let Some(environment) = &self.environment {
            text.push_str(&format!(" in:{environment}"));
        }
        for service in &self.services {
            text.push_str(&format!(" {service} service:{service}"));
        }
        if self.services.is_empty() {
            text.push_str(" service:unclaimed");
        }
        text
    }
}

/// The row of a change.
pub fn row(id: &ChangeId, facts: &Facts<'_>) -> Option<ChangeRow> {
    let change = &facts.fleet.changes.get(id)?.value;
    let services = match &change.target {
        Some(item) => facts.membership.owners(item).to_vec(),
        None => Vec::new(),
    };
    Some(ChangeRow {
        change: id.clone(),
        at: change.at,
        kind: change.kind,
        title: change.title.clone(),
        who: change.who.clone(),
        environment: change.environment.clone(),
        target: change.target.clone(),
        services,
    })
}
