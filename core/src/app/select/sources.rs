//! Source rows.

use std::cmp::Reverse;

use serde::{Deserialize, Serialize};

use crate::app::row::{Row, RowId};
use crate::domain::ids::SourceId;
use crate::domain::source::{SourceHealth, SourceState};
use crate::domain::text::SafeText;

/// One source.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SourceRow {
    /// The source.
    pub source: SourceId,
    /// Its kind.
    pub kind: SafeText,
    /// Where it is.
    pub place: SafeText,
    /// How it is.
    pub health: SourceHealth,
}

impl Row for SourceRow {
    type Order = (Reverse<SourceHealth>, SourceId);

    fn id(&self) -> RowId {
        RowId::Source(self.source.clone())
    }

    fn order(&self) -> Self::Order {
        (Reverse(self.health), self.source.clone())
    }

    fn search_text(&self) -> String {
        format!("{} kind:{} {}", self.source, self.kind, self.place)
    }
}

/// The row of a source.
pub fn row(state: &SourceState) -> SourceRow {
    SourceRow {
        source: state.meta.id.clone(),
        kind: state.meta.kind.clone(),
        place: state.meta.place.clone(),
        health: state.health(),
    }
}
