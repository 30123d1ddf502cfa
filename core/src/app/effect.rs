//! `Effect`: what `update` asks the runtime to do, as data.

use jiff::Timestamp;
use serde::Serialize;

use super::interest::Interest;
use crate::domain::flight::FlightEvent;
use crate::domain::ids::{CanaryId, ItemId, SourceId, TrafficId};
use crate::domain::write::{Confirmed, PlanId};

/// An order to the runtime.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// What the operator looks at changed: read that often and the rest seldom.
    Watch(Interest),
    /// Read this now, budget permitting.
    Refresh(Refresh),
    /// Carry out what was confirmed.
    Submit(Box<Confirmed>),
    /// Take, or give back, a canary for a pilot of this session alone.
    Lease {
        /// Which canary.
        canary: CanaryId,
        /// The split that gives it traffic.
        split: TrafficId,
        /// Under which name the flight is recorded.
        flight: PlanId,
        /// Take it.
        take: bool,
    },
    /// Record what a pilot tells.
    Tell {
        /// Under which name its flight is recorded.
        flight: PlanId,
        /// When.
        at: Timestamp,
        /// What.
        event: Box<FlightEvent>,
    },
    /// Put the text on the operator's clipboard.
    Copy(String),
    /// Switch to the theme of this name.
    LoadTheme(String),
    /// Switch mouse reporting on or off.
    Mouse(bool),
    /// Run the rehearsal's clock at this speed.
    Speed(f64),
    /// Draw every cell again.
    Redraw,
    /// Leave the screen, stop the process, and come back.
    Suspend,
    /// Leave.
    Quit,
}

/// What to read now.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Refresh {
    /// Every source.
    All,
    /// One source.
    Source(SourceId),
    /// These items, and the overviews of their sources.
    Items(Vec<ItemId>),
    /// What was written to: a read that began before tells nothing of it any more.
    Written(ItemId),
}
