//! What a source is asked to read, and what it answers.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::error::Fault;
use super::fact::{Fact, FactKind};
use super::ids::{ItemId, SourceId};
use super::text::SafeText;

/// Kinds of read; each has its own cadence, and its failure dims only what it brought.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Topic {
    /// Everything that one cheap read tells: listings, and the state where a listing carries it.
    Overview,
    /// Named items, one by one, as found by the overview.
    Items,
    /// Named series.
    Series,
    /// What changed lately.
    Changes,
}

impl Topic {
    /// Every topic.
    pub const ALL: [Self; 4] = [Self::Overview, Self::Items, Self::Series, Self::Changes];

    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Overview => "overview",
            Self::Items => "items",
            Self::Series => "metrics",
            Self::Changes => "changes",
        }
    }
}

/// One read: the topic and, for `Items` and `Series`, which ones.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Scope {
    /// What kind of read.
    pub topic: Topic,
    /// Which items; empty for `Changes`. With an `Overview` it says which one is needed of it: a
    /// source that can then leaves the rest unread, and calls nothing complete.
    pub items: Vec<ItemId>,
}

/// What a source answered to one read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Observation {
    /// Who answered.
    pub source: SourceId,
    /// The epoch of the source in which it was asked; late replies of an earlier one are dropped.
    pub epoch: u64,
    /// What was asked.
    pub scope: Scope,
    /// When the answer was complete.
    pub at: Timestamp,
    /// What it said.
    pub facts: Vec<Fact>,
    /// Items that could not be read, while others could.
    pub faults: Vec<(ItemId, Fault)>,
    /// Kinds of which every existing item is named here (as a fact, a fault or in `items`):
    /// what is not named is gone.
    pub complete: Vec<FactKind>,
    /// Items that exist and are to be read one by one; `None` leaves the known list as it is.
    pub items: Option<Vec<ItemId>>,
    /// As whom the source sees us.
    pub identity: Option<SafeText>,
    /// What the source warns of.
    pub warnings: Vec<SafeText>,
}

impl Observation {
    /// An answer with nothing in it yet.
    pub fn new(source: &SourceId, epoch: u64, scope: &Scope, at: Timestamp) -> Self {
        Self {
            source: source.clone(),
            epoch,
            scope: scope.clone(),
            at,
            facts: Vec::new(),
            faults: Vec::new(),
            complete: Vec::new(),
            items: None,
            identity: None,
            warnings: Vec::new(),
        }
    }
}

/// A read that failed as a whole.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReadFailed {
    /// Who was asked.
    pub source: SourceId,
    /// The epoch in which it was asked.
    pub epoch: u64,
    /// What was asked.
    pub scope: Scope,
    /// When it failed.
    pub at: Timestamp,
    /// Why.
    pub fault: Fault,
}
