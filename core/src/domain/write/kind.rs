//! `Write`: one change of one thing in one backend.

use serde::{Deserialize, Serialize};

use crate::domain::ids::{ExecutionId, FlagId, ItemId, PipelineId, SourceId, TrafficId};
use crate::domain::source::Verb;
use crate::domain::text::SafeText;
use crate::domain::traffic::Arm;

/// One change of one thing in one backend.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "write", rename_all = "snake_case")]
pub enum Write {
    /// Approve or reject what waits in a stage.
    Answer {
        /// Whose approval.
        pipeline: PipelineId,
        /// In which stage.
        stage: SafeText,
        /// Of which action.
        action: SafeText,
        /// For which execution.
        execution: Option<ExecutionId>,
        /// Approve; otherwise reject.
        approve: bool,
        /// What is written beside the answer.
        comment: SafeText,
    },
    /// Run a failed stage again.
    Retry {
        /// Of which pipeline.
        pipeline: PipelineId,
        /// Which stage.
        stage: SafeText,
        /// For which execution.
        execution: ExecutionId,
        /// Every action, not only the failed ones.
        all: bool,
    },
    /// Stop an execution.
    Stop {
        /// Of which pipeline.
        pipeline: PipelineId,
        /// Which execution.
        execution: ExecutionId,
        /// Do not wait for the actions under way.
        abandon: bool,
        /// Why.
        reason: SafeText,
    },
    /// Start an execution with the newest revision.
    Start {
        /// Of which pipeline.
        pipeline: PipelineId,
    },
    /// Close the way into a stage.
    Hold {
        /// Of which pipeline.
        pipeline: PipelineId,
        /// Which stage.
        stage: SafeText,
        /// Why.
        reason: SafeText,
    },
    /// Open the way into a stage; what waits before it enters.
    Release {
        /// Of which pipeline.
        pipeline: PipelineId,
        /// Which stage.
        stage: SafeText,
    },
    /// Put an earlier execution back into a stage.
    RollBack {
        /// Of which pipeline.
        pipeline: PipelineId,
        /// Which stage.
        stage: SafeText,
        /// The execution that is put back.
        to: ExecutionId,
    },
    /// Let an execution pass a condition that failed.
    Override {
        /// Of which pipeline.
        pipeline: PipelineId,
        /// Which stage.
        stage: SafeText,
        /// For which execution.
        execution: ExecutionId,
        /// Before entry, or on success.
        condition: SafeText,
    },
    /// Set the share of each version of a traffic split, in per cent; those left out keep theirs.
    Shares {
        /// Which split.
        split: TrafficId,
        /// Versions and their shares, 0–100.
        shares: Vec<(SafeText, u32)>,
    },
    /// Set the weights of versions of a traffic split, as the backend counts them; those left out keep
    /// theirs.
    Weights {
        /// Which split.
        split: TrafficId,
        /// Versions and their weights.
        weights: Vec<(SafeText, u32)>,
    },
    /// Take one version of a traffic split out of traffic, or back in.
    Arm {
        /// Which split.
        split: TrafficId,
        /// Which version.
        arm: SafeText,
        /// What is wanted of it.
        wish: ArmWish,
    },
    /// Change a flag in one environment.
    Flag {
        /// Which flag.
        flag: FlagId,
        /// In which environment.
        environment: SafeText,
        /// How.
        change: FlagChange,
        /// By which of its paces it reaches everybody; the usual one if none is said.
        #[serde(default)]
        strategy: Option<SafeText>,
    },
}

/// What is wanted of a version of a traffic split.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ArmWish {
    /// It gets traffic.
    Ready,
    /// It gets no new visitors.
    Drain,
    /// It gets nothing at all.
    Maintenance,
    /// This weight, as the backend counts it.
    Weight(u32),
}

impl ArmWish {
    /// What was last wished of a version, as far as its state tells: one that takes no traffic
    /// because it fails says nothing of that.
    pub fn of(arm: &Arm) -> Option<Self> {
        let says = |word| arm.state.as_str().starts_with(word);
        match arm.usable {
            true => Some(Self::Ready),
            false if says("MAINT") => Some(Self::Maintenance),
            false if says("DRAIN") => Some(Self::Drain),
            // It stands by for others.
            false if says("UP") || says("no check") => Some(Self::Ready),
            false => None,
        }
    }

    /// The word for it.
    pub fn word(self) -> String {
        match self {
            Self::Ready => "ready".to_owned(),
            Self::Drain => "drain".to_owned(),
            Self::Maintenance => "maintenance".to_owned(),
            Self::Weight(weight) => format!("weight {weight}"),
        }
    }
}

/// A change of a flag.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "change", rename_all = "snake_case")]
pub enum FlagChange {
    /// On or off.
    Enabled {
        /// On.
        on: bool,
    },
    /// The share of a gradual roll-out.
    Percent {
        /// 0–100.
        percent: f64,
    },
    /// An attribute.
    Attribute {
        /// Its name.
        name: SafeText,
        /// Its value, as it is written.
        value: SafeText,
    },
    /// Marked as one to clean up, or no longer.
    Stale {
        /// Marked.
        stale: bool,
    },
    /// What is being rolled out is stopped: everybody gets again what was there before it.
    Halt,
    /// What was rolled out last is taken back: what was there before it returns, for every flag that
    /// it changed.
    Revert,
}

impl Write {
    /// What is changed.
    pub fn target(&self) -> ItemId {
        match self {
            Self::Answer { pipeline, .. }
            | Self::Retry { pipeline, .. }
            | Self::Stop { pipeline, .. }
            | Self::Start { pipeline }
            | Self::Hold { pipeline, .. }
            | Self::Release { pipeline, .. }
            | Self::RollBack { pipeline, .. }
            | Self::Override { pipeline, .. } => ItemId::Pipeline(pipeline.clone()),
            Self::Shares { split, .. } | Self::Weights { split, .. } | Self::Arm { split, .. } => {
                ItemId::Traffic(split.clone())
            }
            Self::Flag { flag, .. } => ItemId::Flag(flag.clone()),
        }
    }

    /// The source that is written to.
    pub fn source(&self) -> SourceId {
        self.target().source().clone()
    }

    /// What a source must be able to do.
    pub fn verb(&self) -> Verb {
        match self {
            Self::Answer { approve: true, .. } => Verb::Approve,
            Self::Answer { approve: false, .. } => Verb::Reject,
            Self::Retry { .. } => Verb::Retry,
            Self::Stop { .. } => Verb::Stop,
            Self::Start { .. } => Verb::Start,
            Self::Hold { .. } | Self::Release { .. } => Verb::Transition,
            Self::RollBack { .. } => Verb::Rollback,
            Self::Override { .. } => Verb::Override,
            Self::Shares { .. } | Self::Weights { .. } | Self::Arm { .. } => Verb::Traffic,
            Self::Flag { .. } => Verb::Flag,
        }
    }

    /// How many characters of a comment the backend takes with it; `None` if it takes none. The limits
    /// are those of `PutApprovalResult`, `StopPipelineExecution` and `DisableStageTransition` in the
    /// `CodePipeline` API reference, the tightest of all backends that know these writes.
    pub fn comment_room(&self) -> Option<usize> {
        match self {
            Self::Answer { .. } => Some(512),
            Self::Stop { .. } => Some(200),
            Self::Hold { .. } => Some(300),
            _ => None,
        }
    }

    /// Writes `comment` beside it, if it takes one.
    pub fn comment(&mut self, text: &SafeText) {
        match self {
            Self::Answer { comment, .. } => *comment = text.clone(),
            Self::Stop { reason, .. } | Self::Hold { reason, .. } => *reason = text.clone(),
            _ => {}
        }
    }

    /// Whether it is done whatever became of the steps before it, and those after it whatever became of
    /// it: closing a way in only ever helps.
    pub fn stands_alone(&self) -> bool {
        matches!(self, Self::Hold { .. })
    }

    /// Whether it takes something back to where it was safe, as far as it tells by itself; freezes let
    /// that pass. Of a roll back and of traffic, what is there now tells.
    pub fn is_to_safety(&self) -> bool {
        match self {
            Self::Hold { .. }
            | Self::Stop { .. }
            | Self::Answer { approve: false, .. }
            | Self::Flag {
                change: FlagChange::Enabled { on: false } | FlagChange::Halt | FlagChange::Revert,
                ..
            } => true,
            Self::Answer { .. }
            | Self::Retry { .. }
            | Self::Start { .. }
            | Self::Release { .. }
            | Self::RollBack { .. }
            | Self::Override { .. }
            | Self::Shares { .. }
            | Self::Weights { .. }
            | Self::Arm { .. }
            | Self::Flag { .. } => false,
        }
    }
}
