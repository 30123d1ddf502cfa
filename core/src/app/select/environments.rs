//! Environment rows: environments and traffic splits.

use serde::{Deserialize, Serialize};

use super::Facts;
use crate::app::row::{Attention, Row, RowId};
use crate::domain::environment::Health;
use crate::domain::ids::{ItemId, ServiceId};
use crate::domain::text::SafeText;

/// One environment or traffic split.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EnvironmentRow {
    /// Which one.
    pub item: ItemId,
    /// What people call it.
    pub name: SafeText,
    /// Whose it is; nobody's if it is unclaimed.
    pub services: Vec<ServiceId>,
    /// How much it needs a human.
    pub attention: Attention,
    /// How it is.
    pub health: Health,
    /// Why it is not known.
    pub unknown: Option<SafeText>,
}

impl Row for EnvironmentRow {
    type Order = (Attention, SafeText, ItemId);

    fn id(&self) -> RowId {
        RowId::Item(self.item.clone())
    }

    fn order(&self) -> Self::Order {
        (self.attention, self.name.clone(), self.item.clone())
    }

    fn search_text(&self) -> String {
        let mut text = format!("{} {} source:{}", self.name, self.item.name(), self.item.source());
        for service in &self.services {
            text.push_str(&format!(" service:{service}"));
        }
        if self.services.is_empty() {
            text.push_str(" service:unclaimed");
        }
        text
    }
}

/// The row of an environment or a traffic split that exists.
pub fn row(item: &ItemId, facts: &Facts<'_>) -> Option<EnvironmentRow> {
    let services = facts.membership.owners(item).to_vec();
    let (name, health, unknown) = match item {
        ItemId::Environment(id) => match facts.fleet.environments.get(id) {
            Some(o) => {
                (o.value.name.clone(), o.value.health, o.fault.as_ref().map(|f| f.message.clone()))
            }
            None => {
                let fault = facts.fleet.environments.unread(id)?;
                (id.name.clone(), Health::Unknown, Some(fault.message.clone()))
            }
        },
        ItemId::Traffic(id) => match facts.fleet.traffic.get(id) {
            Some(o) => (
                id.name.clone(),
                o.value.arms.iter().map(|a| a.health).max().unwrap_or_default(),
                o.fault.as_ref().map(|f| f.message.clone()),
            ),
            None => {
                let fault = facts.fleet.traffic.unread(id)?;
                (id.name.clone(), Health::Unknown, Some(fault.message.clone()))
            }
        },
        _ => return None,
    };
    let attention = match health {
        Health::Unhealthy => Attention::Failing,
        Health::Degraded | Health::Unknown => Attention::AtRisk,
        Health::Changing => Attention::Moving,
        Health::Healthy if unknown.is_some() => Attention::AtRisk,
        Health::Healthy => Attention::Calm,
    };
    Some(EnvironmentRow { item: item.clone(), name, services, attention, health, unknown })
}
