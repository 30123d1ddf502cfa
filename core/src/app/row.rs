//! Rows of list panes: who they are, and how much they need a human.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::domain::ids::{CanaryId, ItemId, ServiceId, SourceId};
use crate::domain::text::SafeText;
use crate::domain::write::PlanId;

/// Who a row is: a selection holds on to this, never to a row number.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RowId {
    /// A service.
    Service(ServiceId),
    /// A fact.
    Item(ItemId),
    /// Something of an item that waits for a human: the item and which part of it.
    Ask(ItemId, SafeText),
    /// A canary.
    Canary(CanaryId),
    /// A source.
    Source(SourceId),
    /// A plan that was confirmed.
    Plan(PlanId),
}

/// How much something needs a human; the order of every list.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Attention {
    /// Broken, or harming customers now.
    Failing,
    /// Waits for a decision.
    Waiting,
    /// May become bad: a canary at risk, a held transition, something that cannot be read.
    AtRisk,
    /// Moves by itself.
    Moving,
    /// Nothing to do.
    Calm,
}

/// A row of a list pane.
pub trait Row: PartialEq {
    /// What it sorts by: what needs attention first. Must not depend on the time of day.
    type Order: Ord;
    /// Who it is.
    fn id(&self) -> RowId;
    /// Its place.
    fn order(&self) -> Self::Order;
    /// What the filter looks at: words, and `key:value` pairs.
    fn search_text(&self) -> String;
    /// What it counts as, one bit for each count of its index: counts are kept, never gathered.
    fn marks(&self) -> u16 {
        0
    }
}
