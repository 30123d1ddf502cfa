//! `Intent`: what the operator wants.

use serde::{Deserialize, Serialize};

use crate::domain::ids::{CanaryId, ExecutionId, FlagId, PipelineId, ServiceId, TrafficId};
use crate::domain::text::SafeText;
use crate::domain::write::{FlagChange, PlanId, Write};

/// What the operator wants.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "intent", rename_all = "snake_case")]
pub enum Intent {
    /// Approve or reject what waits in a stage; the first that waits, if no stage is named.
    Answer {
        /// In which pipeline.
        pipeline: PipelineId,
        /// In which stage.
        stage: Option<SafeText>,
        /// Of which action; a stage can ask several people.
        action: Option<SafeText>,
        /// For which execution.
        execution: Option<ExecutionId>,
        /// Approve; otherwise reject.
        approve: bool,
    },
    /// Run a failed stage again.
    Retry {
        /// Of which pipeline.
        pipeline: PipelineId,
        /// Which stage; the failed one, if none is named.
        stage: Option<SafeText>,
        /// Every action, not only the failed ones.
        all: bool,
    },
    /// Stop the execution that runs.
    Stop {
        /// Of which pipeline.
        pipeline: PipelineId,
        /// Which; the newest that runs, if none is named.
        execution: Option<ExecutionId>,
        /// Do not wait for the actions under way.
        abandon: bool,
    },
    /// Start an execution.
    Start {
        /// Of which pipeline.
        pipeline: PipelineId,
    },
    /// Close or open the way into a stage.
    Gate {
        /// Of which pipeline.
        pipeline: PipelineId,
        /// Which stage; the last, if none is named.
        stage: Option<SafeText>,
        /// Close it.
        hold: bool,
    },
    /// Put an earlier execution back into a stage.
    RollBack {
        /// Of which pipeline.
        pipeline: PipelineId,
        /// Which stage; the last, if none is named.
        stage: Option<SafeText>,
        /// Which execution; the newest that is eligible, if none is named.
        to: Option<ExecutionId>,
    },
    /// Set the share of the canary.
    Shift {
        /// Of which split.
        split: TrafficId,
        /// Which version.
        arm: SafeText,
        /// Its share, 0–100; the others share the rest as they do now.
        percent: u32,
    },
    /// Change a flag.
    Flag {
        /// Which.
        flag: FlagId,
        /// In which environment.
        environment: SafeText,
        /// How.
        change: FlagChange,
    },
    /// One step further: approve what waits, or shift to the next traffic step, or finish.
    Promote {
        /// Which service.
        service: ServiceId,
    },
    /// Back to what ran before, and hold, so that it is not done again.
    RollBackAndHold {
        /// Which service.
        service: ServiceId,
        /// Only this canary of it, and never the version before; a pilot answers for no other.
        only: Option<CanaryId>,
    },
    /// Let a pilot walk the canary's share upwards, and back if it does harm.
    Fly {
        /// Which canary.
        canary: CanaryId,
    },
    /// Undo a plan of this control room.
    Undo {
        /// Which.
        plan: PlanId,
    },
    /// Set something to what is typed.
    Custom {
        /// What.
        of: Custom,
        /// What was typed.
        text: SafeText,
    },
    /// Writes as they are, made from a journal.
    Writes {
        /// What they are for.
        title: SafeText,
        /// The writes.
        writes: Vec<Write>,
    },
}

/// Something that is set to what is typed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Custom {
    /// The share of a version, in per cent.
    Share(TrafficId, SafeText),
    /// The weight of a version, as the backend counts it.
    Weight(TrafficId, SafeText),
    /// An attribute of a flag, as `NAME=VALUE`, in an environment, by a strategy; by the usual one
    /// without.
    Attribute(FlagId, SafeText, Option<SafeText>),
}

/// One line of a choice: what it would do, or why it cannot.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Choice {
    /// What is shown.
    pub text: SafeText,
    /// What it means; or why it cannot be chosen.
    pub intent: Result<Intent, SafeText>,
}
