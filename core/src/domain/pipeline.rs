//! Pipelines, stages, actions, executions and pending approvals, in CodePipeline's terms.

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ids::{ExecutionId, PipelineId};
use super::revision::Revision;
use super::text::SafeText;
use super::token::Token;

/// A pipeline as its backend last described it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Pipeline {
    /// Who it is.
    pub id: PipelineId,
    /// The backend's type of it, for example `V2`.
    pub flavour: Option<SafeText>,
    /// What happens to executions that meet.
    pub mode: ExecutionMode,
    /// Version of the pipeline's structure.
    pub version: Option<u64>,
    /// In order. Empty while only the listing has been read: see `detail`.
    pub stages: Vec<Stage>,
    /// Newest first; as many as were read.
    pub executions: Vec<Execution>,
    /// Whether the stages have been read (a listing alone says nothing about the state).
    pub detail: bool,
    /// Page of the pipeline in its backend's console.
    pub link: Option<SafeText>,
    /// Tags of the backend, for services that claim by tag.
    pub tags: BTreeMap<SafeText, SafeText>,
    /// When its definition last changed.
    pub updated: Option<Timestamp>,
}

/// `SUPERSEDED`, `QUEUED` or `PARALLEL`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ExecutionMode {
    /// A newer execution overtakes an older one that waits.
    #[default]
    Superseded,
    /// One after the other.
    Queued,
    /// All at once; a stage has no one current execution.
    Parallel,
}

/// Where a stage, an action or an execution stands.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum RunState {
    /// It could not be read, or the backend gave a state this program does not know.
    Unknown,
    /// Has not run yet.
    NotRun,
    /// Is running.
    Running,
    /// Waits for a human.
    Waiting,
    /// Ended well.
    Succeeded,
    /// Ended badly.
    Failed,
    /// Is being stopped.
    Stopping,
    /// Was stopped.
    Stopped,
    /// Was overtaken by a newer one.
    Superseded,
    /// Was cancelled.
    Cancelled,
    /// Was skipped by a condition.
    Skipped,
}

impl RunState {
    /// Every state.
    pub const ALL: [Self; 11] = [
        Self::Unknown,
        Self::NotRun,
        Self::Running,
        Self::Waiting,
        Self::Succeeded,
        Self::Failed,
        Self::Stopping,
        Self::Stopped,
        Self::Superseded,
        Self::Cancelled,
        Self::Skipped,
    ];

    /// Whether it will move without a human.
    pub fn is_moving(self) -> bool {
        matches!(self, Self::Running | Self::Stopping)
    }

    /// The word for it, at most ten letters.
    pub fn word(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::NotRun => "not run",
            Self::Running => "running",
            Self::Waiting => "waiting",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Stopping => "stopping",
            Self::Stopped => "stopped",
            Self::Superseded => "superseded",
            Self::Cancelled => "cancelled",
            Self::Skipped => "skipped",
        }
    }
}

/// One stage.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Stage {
    /// Its name, unique within the pipeline.
    pub name: SafeText,
    /// Where it stands; `Waiting` if one of its actions waits for approval.
    pub state: RunState,
    /// The execution that is in it, or was last (none in `Parallel` mode).
    pub execution: Option<ExecutionId>,
    /// What that execution carries.
    pub revision: Option<Revision>,
    /// The execution that waits to enter it.
    pub inbound: Option<ExecutionId>,
    /// The way into it, unless it is the first stage.
    pub transition: Option<Transition>,
    /// In order of their run.
    pub actions: Vec<Action>,
    /// Entry and exit conditions with their last result.
    pub conditions: Vec<Condition>,
    /// When its state last changed, as far as the backend tells.
    pub since: Option<Timestamp>,
}

impl Stage {
    /// The approvals that wait in it.
    pub fn approvals(&self) -> impl Iterator<Item = (&Action, &Approval)> {
        self.actions.iter().filter_map(|action| Some((action, action.approval.as_ref()?)))
    }

    /// Whether the way into it is closed.
    pub fn is_held(&self) -> bool {
        self.transition.as_ref().is_some_and(|t| !t.enabled)
    }
}

/// The way into a stage.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Transition {
    /// Open, or disabled by someone.
    pub enabled: bool,
    /// Why it is disabled.
    pub reason: Option<SafeText>,
    /// Who changed it last.
    pub by: Option<SafeText>,
    /// When it was changed last.
    pub at: Option<Timestamp>,
}

/// One action of a stage.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Action {
    /// Its name, unique within the stage.
    pub name: SafeText,
    /// Source, Build, Test, Deploy, Approval, Invoke, …
    pub category: SafeText,
    /// What runs it, for example `CodeBuild`.
    pub provider: SafeText,
    /// Where it stands.
    pub state: RunState,
    /// What the backend says of its last run.
    pub summary: Option<SafeText>,
    /// The error of its last run.
    pub error: Option<SafeText>,
    /// When its state last changed.
    pub at: Option<Timestamp>,
    /// Share done, 0–100, where the backend tells.
    pub percent: Option<u8>,
    /// Who last acted on it by hand.
    pub by: Option<SafeText>,
    /// What it last worked on.
    pub revision: Option<Revision>,
    /// Its log or console page.
    pub link: Option<SafeText>,
    /// The decision it waits for.
    pub approval: Option<Approval>,
}

/// A pending human decision, bound to one execution and its token.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Approval {
    /// The execution that would proceed; unknown in some backends' parallel mode.
    pub execution: Option<ExecutionId>,
    /// Proof that the answer belongs to this request; never shown.
    pub token: Option<Token>,
    /// When it was asked.
    pub requested: Option<Timestamp>,
    /// When it times out.
    pub deadline: Option<Timestamp>,
    /// What the pipeline's author asks the approver to look at.
    pub message: Option<SafeText>,
    /// A page to look at before deciding.
    pub link: Option<SafeText>,
}

/// An entry or exit condition of a stage.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Condition {
    /// `before entry`, `on success` or `on failure`.
    pub when: SafeText,
    /// Where it stands.
    pub state: RunState,
    /// Its rules and what they said.
    pub summary: Option<SafeText>,
    /// When it was last judged.
    pub at: Option<Timestamp>,
}

/// One run of a pipeline.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Execution {
    /// Who it is.
    pub id: ExecutionId,
    /// Where it stands.
    pub state: RunState,
    /// What the backend says of it.
    pub summary: Option<SafeText>,
    /// When it started.
    pub started: Option<Timestamp>,
    /// When it last moved.
    pub updated: Option<Timestamp>,
    /// What started it, in words: `push to main`, `manual start`, `schedule`.
    pub trigger: Option<SafeText>,
    /// Who started it, where the backend tells.
    pub by: Option<SafeText>,
    /// What it carries, one per source action.
    pub revisions: Vec<Revision>,
    /// The execution it rolls back to, if it is a rollback.
    pub rollback_to: Option<ExecutionId>,
}

impl Pipeline {
    /// A pipeline of which only the listing is known.
    pub fn listed(id: PipelineId) -> Self {
        Self {
            id,
            flavour: None,
            mode: ExecutionMode::default(),
            version: None,
            stages: Vec::new(),
            executions: Vec::new(),
            detail: false,
            link: None,
            tags: BTreeMap::new(),
            updated: None,
        }
    }

    /// The stage called `name`.
    pub fn stage(&self, name: &str) -> Option<&Stage> {
        self.stages.iter().find(|s| s.name == *name)
    }

    /// The execution with this id, if it was read.
    pub fn execution(&self, id: &ExecutionId) -> Option<&Execution> {
        self.executions.iter().find(|e| e.id == *id)
    }

    /// Whether anything in it will move without a human.
    pub fn is_moving(&self) -> bool {
        self.stages.iter().any(|s| s.state.is_moving())
    }

    /// Every approval that waits in it, with its stage and action.
    pub fn approvals(&self) -> impl Iterator<Item = (&Stage, &Action, &Approval)> {
        self.stages.iter().flat_map(|s| s.approvals().map(move |(action, ask)| (s, action, ask)))
    }

    /// What would ship if `stage` proceeded: the revisions of the executions newer than the one
    /// that last succeeded in the last stage, up to and including the one in `stage`, newest first.
    /// `None` if the executions that were read do not reach back far enough to tell.
    pub fn would_ship(&self, stage: &str) -> Option<Vec<&Revision>> {
        self.would_ship_with(self.stage(stage)?.execution.as_ref()?)
    }

    /// What is live while `entering` is on its way, as far as it is told.
    pub fn live_before(&self, entering: &ExecutionId) -> Option<&Execution> {
        let last = self.stages.last()?;
        let live = match last.state {
            RunState::Succeeded => last.execution.as_ref().and_then(|id| self.execution(id)),
            _ => None,
        };
        let from = self.executions.iter().position(|e| e.id == *entering)?;
        let mut older = self.executions.iter().skip(from + 1);
        let live = live.or_else(|| older.find(|e| e.state == RunState::Succeeded))?;
        // What came after what was put back ships again with the next one.
        self.execution(self.origin(&live.id))
    }

    /// The same for one execution: several may wait in a stage. `None` too if what is live is newer.
    pub fn would_ship_with(&self, entering: &ExecutionId) -> Option<Vec<&Revision>> {
        let from = self.executions.iter().position(|e| e.id == *entering)?;
        let live_revision = self.live_before(entering)?;
        let to = self.executions.iter().position(|e| e.id == live_revision.id)?;
        if to < from {
            return None;
        }
        let mut seen: Vec<&Revision> = Vec::new();
        for execution in self.executions.iter().take(to).skip(from) {
            for revision in &execution.revisions {
                let known = seen.iter().any(|r| r.id == revision.id)
                    || live_revision.revisions.iter().any(|r| r.id == revision.id);
                if !known {
                    seen.push(revision);
                }
            }
        }
        Some(seen)
    }
}
