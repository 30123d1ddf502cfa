//! The panes, in the order of their number keys.

use serde::{Deserialize, Serialize};

/// A pane.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pane {
    /// Services and their stages.
    Board,
    /// Everything that waits for a human.
    Inbox,
    /// Pipelines with stages, actions and executions.
    Pipelines,
    /// Environments and traffic splits.
    Environments,
    /// Canaries.
    Canaries,
    /// Flags.
    Flags,
    /// Every change on one clock.
    Timeline,
    /// One service in one screen.
    Service,
    /// What was done from here, and what came of it.
    Activity,
    /// Who answers and who does not.
    Sources,
}

impl Pane {
    /// Every pane, in order.
    pub const ALL: [Self; 10] = [
        Self::Board,
        Self::Inbox,
        Self::Pipelines,
        Self::Environments,
        Self::Canaries,
        Self::Flags,
        Self::Timeline,
        Self::Service,
        Self::Activity,
        Self::Sources,
    ];

    /// Its title.
    pub fn title(self) -> &'static str {
        match self {
            Self::Board => "Board",
            Self::Inbox => "Inbox",
            Self::Pipelines => "Pipelines",
            Self::Environments => "Environments",
            Self::Canaries => "Canaries",
            Self::Flags => "Flags",
            Self::Timeline => "Timeline",
            Self::Service => "Service",
            Self::Activity => "Activity",
            Self::Sources => "Sources",
        }
    }

    /// Its title where there is little room.
    pub fn short_title(self) -> &'static str {
        match self {
            Self::Pipelines => "Pipes",
            Self::Environments => "Envs",
            Self::Timeline => "Time",
            Self::Activity => "Acts",
            other => other.title(),
        }
    }

    /// Its name in configuration and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Board => "board",
            Self::Inbox => "inbox",
            Self::Pipelines => "pipelines",
            Self::Environments => "environments",
            Self::Canaries => "canaries",
            Self::Flags => "flags",
            Self::Timeline => "timeline",
            Self::Service => "service",
            Self::Activity => "activity",
            Self::Sources => "sources",
        }
    }

    /// The pane of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|p| p.name() == name)
    }

    /// Its number key.
    pub fn digit(self) -> char {
        match self {
            Self::Board => '1',
            Self::Inbox => '2',
            Self::Pipelines => '3',
            Self::Environments => '4',
            Self::Canaries => '5',
            Self::Flags => '6',
            Self::Timeline => '7',
            Self::Service => '8',
            Self::Activity => '9',
            Self::Sources => '0',
        }
    }

    /// Whether it shows details of the selected row beside or instead of its list.
    pub fn has_detail(self) -> bool {
        !matches!(self, Self::Board | Self::Inbox | Self::Service)
    }

    /// Whether it is a list of rows with a selection.
    pub fn is_list(self) -> bool {
        self != Self::Service
    }
}
