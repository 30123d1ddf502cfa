//! Flag rows.

use std::cmp::Reverse;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Facts;
use crate::app::row::{Row, RowId};
use crate::domain::ids::{FlagId, ItemId, ServiceId};
use crate::domain::text::SafeText;

/// One flag.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FlagRow {
    /// The flag.
    pub flag: FlagId,
    /// Whose it is; nobody's if it is unclaimed.
    pub services: Vec<ServiceId>,
    /// When it last changed anywhere.
    pub changed: Option<Timestamp>,
    /// Why it should be cleaned up.
    pub stale: Option<SafeText>,
    /// Why it is not known.
    pub unknown: Option<SafeText>,
}

impl Row for FlagRow {
    // What changed last is what people look for.
    type Order = (Reverse<Option<Timestamp>>, FlagId);

    fn id(&self) -> RowId {
        RowId::Item(ItemId::Flag(self.flag.clone()))
    }

    fn order(&self) -> Self::Order {
        (Reverse(self.changed), self.flag.clone())
    }

    fn search_text(&self) -> String {
        let mut text = format!("{} source:{}", self.flag.name, self.flag.source);
        for service in &self.services {
            text.push_str(&format!(" service:{service}"));
        }
        if self.services.is_empty() {
            text.push_str(" service:unclaimed");
        }
        if self.stale.is_some() {
            text.push_str(" is:stale");
        }
        text
    }
}

/// The row of a flag that exists.
pub fn row(id: &FlagId, facts: &Facts<'_>) -> Option<FlagRow> {
    let services = facts.membership.owners(&ItemId::Flag(id.clone())).to_vec();
    let mut row = FlagRow { flag: id.clone(), services, changed: None, stale: None, unknown: None };
    match facts.fleet.flags.get(id) {
        Some(o) => {
            row.changed = o.value.changed();
            row.stale = o.value.stale.clone();
            row.unknown = o.fault.as_ref().map(|f| f.message.clone());
        }
        None => row.unknown = Some(facts.fleet.flags.unread(id)?.message.clone()),
    }
    Some(row)
}
