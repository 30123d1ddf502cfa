//! `Setup`: what is fixed before the first message, so that a recording can start from it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::key::Key;
use super::pane::Pane;
use crate::domain::ids::SourceId;
use crate::domain::policy::Policy;
use crate::domain::service::Service;
use crate::domain::source::{REHEARSAL, SourceMeta};
use crate::domain::text::SafeText;

/// What is fixed before the first message.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Setup {
    /// The services.
    pub services: Vec<Service>,
    /// The sources.
    pub sources: Vec<SourceMeta>,
    /// The rehearsal that is shown, if it is one.
    pub rehearsal: Option<Rehearsal>,
    /// How it is shown at first.
    pub options: Options,
    /// What counts as production, when nothing may change, how fast things may.
    pub policy: Policy,
    /// Keys that differ from the built-in ones, by command name.
    pub keys: BTreeMap<String, Vec<Key>>,
    /// Names of the themes that can be chosen.
    pub themes: Vec<String>,
    /// Names this session among those of this host: ids of plans begin with it.
    pub session: String,
    /// The time at the start.
    pub now: Timestamp,
}

/// The rehearsal that is shown.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rehearsal {
    /// Name of the scenario.
    pub scenario: SafeText,
    /// What it shows, in one sentence.
    pub story: SafeText,
    /// Speed of its clock; zero is paused.
    pub speed: f64,
    /// Seed of its chance.
    pub seed: u64,
    /// Real sources stand beside it: only a part of what is shown is rehearsed.
    pub partly: bool,
}

/// How things are shown at first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Options {
    /// The first pane.
    pub pane: Pane,
    /// Name of the theme.
    pub theme: String,
    /// Only ASCII.
    pub ascii: bool,
    /// Mouse reporting.
    pub mouse: bool,
    /// The board is grouped by owner.
    pub group_by_owner: bool,
    /// Nothing may be written.
    pub read_only: bool,
    /// Clock times are shown this many seconds east of UTC.
    pub utc_offset: i32,
    /// Columns and rows of the screen.
    pub size: (u16, u16),
}

impl Default for Options {
    fn default() -> Self {
        Self {
            pane: Pane::Board,
            theme: "default".to_owned(),
            ascii: false,
            mouse: false,
            group_by_owner: false,
            read_only: false,
            utc_offset: 0,
            size: (80, 24),
        }
    }
}

impl Setup {
    /// Whether nothing that is shown is real.
    pub fn is_rehearsal(&self) -> bool {
        self.rehearsal.as_ref().is_some_and(|rehearsal| !rehearsal.partly)
    }

    /// The scenario, if all of `sources` are rehearsed.
    pub fn rehearsed(&self, mut sources: impl Iterator<Item = SourceId>) -> Option<SafeText> {
        let rehearsal = self.rehearsal.as_ref()?;
        let is_rehearsed =
            |id| self.sources.iter().any(|s| s.id == id && s.kind.as_str() == REHEARSAL);
        sources.all(is_rehearsed).then(|| rehearsal.scenario.clone())
    }

    /// A setup without services and sources.
    pub fn empty(now: Timestamp) -> Self {
        Self {
            services: Vec::new(),
            sources: Vec::new(),
            rehearsal: None,
            options: Options::default(),
            policy: Policy::default(),
            keys: BTreeMap::new(),
            themes: vec!["default".to_owned()],
            session: "p".to_owned(),
            now,
        }
    }
}
