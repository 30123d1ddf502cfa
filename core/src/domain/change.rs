//! Changes: anything that altered an environment; the timeline is made of these.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ids::{ChangeId, ItemId};
use super::text::SafeText;

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Change {
    /// Who it is; the same change read twice has the same id.
    pub id: ChangeId,
    /// When it happened.
    pub at: Timestamp,
    /// What kind of thing it was.
    pub kind: ChangeKind,
    /// In one short sentence: `new-tax on in prod`.
    pub title: SafeText,
    /// Who did it, where the source tells.
    pub who: Option<SafeText>,
    /// What it was done to.
    pub target: Option<ItemId>,
    /// The environment it was done in, by name.
    pub environment: Option<SafeText>,
    /// More, for the detail view.
    pub detail: Option<SafeText>,
    /// Page to read about it.
    pub link: Option<SafeText>,
}

/// Kinds of change.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum ChangeKind {
    /// A revision reached an environment.
    Deploy,
    /// It was taken back.
    Rollback,
    /// A pipeline started, ended, was stopped or held.
    Pipeline,
    /// A human answered.
    Approval,
    /// A flag changed.
    Flag,
    /// Traffic was shifted.
    Traffic,
    /// An alarm changed its state.
    Alarm,
    /// Infrastructure changed.
    Stack,
    /// Configuration changed.
    Config,
    /// A person logged in.
    Login,
}

impl ChangeKind {
    /// Every kind, in the order of a filter menu.
    pub const ALL: [Self; 10] = [
        Self::Deploy,
        Self::Rollback,
        Self::Pipeline,
        Self::Approval,
        Self::Flag,
        Self::Traffic,
        Self::Alarm,
        Self::Stack,
        Self::Config,
        Self::Login,
    ];

    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Deploy => "deploy",
            Self::Rollback => "rollback",
            Self::Pipeline => "pipeline",
            Self::Approval => "approval",
            Self::Flag => "flag",
            Self::Traffic => "traffic",
            Self::Alarm => "alarm",
            Self::Stack => "stack",
            Self::Config => "config",
            Self::Login => "login",
        }
    }
}
