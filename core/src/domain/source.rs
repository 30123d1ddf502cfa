//! Sources: one configured backend each, with its own health, age, budget and errors.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::error::Fault;
use super::fact::FactKind;
use super::ids::{ItemId, SourceId};
use super::observation::Topic;
use super::observed::FreshnessPolicy;
use super::text::SafeText;

/// The kind of the sources that are no more than practice.
pub const REHEARSAL: &str = "rehearsal";

/// What is known of a source before it is asked anything.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SourceMeta {
    /// Who it is.
    pub id: SourceId,
    /// Its kind, as in the configuration: `codepipeline`, `prometheus`, …
    pub kind: SafeText,
    /// Where it is: account and region, or address.
    pub place: SafeText,
    /// What it can tell and do.
    pub capabilities: Capabilities,
    /// When its facts are stale and lost.
    pub policy: FreshnessPolicy,
}

/// What a source can tell and do. No capability, no key.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Capabilities {
    /// Kinds of fact that it reports.
    pub reads: Vec<FactKind>,
    /// Reads that it answers.
    pub topics: Vec<Topic>,
    /// Verbs that it can carry out.
    pub writes: Vec<Verb>,
}

/// What can be done to a target.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Verb {
    /// Approve a waiting execution.
    Approve,
    /// Reject it.
    Reject,
    /// Run failed actions or a stage again.
    Retry,
    /// Stop an execution.
    Stop,
    /// Start an execution.
    Start,
    /// Close or open the way into a stage.
    Transition,
    /// Go back to an earlier execution.
    Rollback,
    /// Let an execution pass a failed condition.
    Override,
    /// Change the weights of a traffic split.
    Traffic,
    /// Change a flag.
    Flag,
}

impl Verb {
    /// The word for it, as in "cannot …".
    pub fn word(self) -> &'static str {
        match self {
            Self::Approve => "approve",
            Self::Reject => "reject",
            Self::Retry => "retry",
            Self::Stop => "stop an execution",
            Self::Start => "start an execution",
            Self::Transition => "hold or release a transition",
            Self::Rollback => "roll back",
            Self::Override => "override a condition",
            Self::Traffic => "shift traffic",
            Self::Flag => "change a flag",
        }
    }
}

/// What is known of a source now.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SourceState {
    /// What was known before.
    pub meta: SourceMeta,
    /// Counts how often its keeper was started again; late replies of an earlier epoch are dropped.
    pub epoch: u64,
    /// As whom it sees us.
    pub identity: Option<SafeText>,
    /// When each kind of read last succeeded.
    pub last_ok: BTreeMap<Topic, Timestamp>,
    /// Kinds of read that fail now, why and since when.
    pub failing: BTreeMap<Topic, Failing>,
    /// How many items could not be read at their last attempt, whatever else it answers.
    pub unreadable: usize,
    /// Kinds of which it has listed everything there is, at least once.
    pub listed: BTreeSet<FactKind>,
    /// What it warned of last.
    pub warnings: Vec<SafeText>,
    /// Traffic figures, from the supervisor.
    pub report: SourceReport,
}

/// A kind of read that fails.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Failing {
    /// The newest reason.
    pub fault: Fault,
    /// When it began to fail.
    pub since: Timestamp,
    /// How many times in a row.
    pub times: u32,
    /// What was asked for, if it was asked by name: once all of that is gone, nothing fails.
    pub items: BTreeSet<ItemId>,
}

/// Calls made, budget and schedule of a source.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SourceReport {
    /// API calls since the start.
    pub calls: u64,
    /// API calls in the last minute.
    pub calls_last_minute: u32,
    /// API calls allowed a minute.
    pub budget_per_minute: u32,
    /// Reads under way.
    pub in_flight: u32,
    /// No read before this moment, because the source asked for it or keeps failing.
    pub backoff_until: Option<Timestamp>,
    /// How long the schedule takes to read every item once, within the budget; none if nothing is
    /// read item by item.
    pub sweep: Option<SignedDuration>,
    /// Items known to exist that were not read yet.
    pub unread_items: u32,
    /// Everything was asked for and was read, or failed, at least once.
    pub settled: bool,
}

/// How a source is as a whole.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum SourceHealth {
    /// Answers everything it is asked.
    Answering,
    /// Has not answered yet.
    Pending,
    /// Answers some reads and fails others, or cannot read some of its items.
    Partly,
    /// Asks for fewer calls.
    Throttled,
    /// Does not let us in.
    NotAuthenticated,
    /// Does not answer.
    Failing,
}

impl SourceHealth {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Answering => "answering",
            Self::Pending => "pending",
            Self::Partly => "partly",
            Self::Throttled => "throttled",
            Self::NotAuthenticated => "not authenticated",
            Self::Failing => "failing",
        }
    }
}

impl SourceState {
    /// A source that was not asked yet.
    pub fn new(meta: SourceMeta) -> Self {
        Self {
            meta,
            epoch: 0,
            identity: None,
            last_ok: BTreeMap::new(),
            failing: BTreeMap::new(),
            unreadable: 0,
            listed: BTreeSet::new(),
            warnings: Vec::new(),
            report: SourceReport::default(),
        }
    }

    /// How it is as a whole.
    pub fn health(&self) -> SourceHealth {
        use super::error::FaultKind;
        let kinds = || self.failing.values().map(|f| &f.fault.kind);
        if kinds().any(|k| *k == FaultKind::NotAuthenticated) {
            SourceHealth::NotAuthenticated
        } else if self.failing.is_empty() {
            match (self.last_ok.is_empty(), self.unreadable) {
                (true, _) => SourceHealth::Pending,
                (false, 0) => SourceHealth::Answering,
                (false, _) => SourceHealth::Partly,
            }
        } else if kinds().all(|k| matches!(k, FaultKind::Throttled { .. })) {
            SourceHealth::Throttled
        } else if self.last_ok.keys().any(|t| !self.failing.contains_key(t)) {
            SourceHealth::Partly
        } else {
            SourceHealth::Failing
        }
    }

    /// The worst thing that fails now: the oldest failure.
    pub fn worst(&self) -> Option<&Failing> {
        self.failing.values().min_by_key(|f| f.since)
    }

    /// When it last answered anything.
    pub fn last_answer(&self) -> Option<Timestamp> {
        self.last_ok.values().max().copied()
    }

    /// When facts that came by a read of `topic` are stale and lost: not before the schedule could
    /// have confirmed them.
    pub fn policy(&self, topic: Topic) -> FreshnessPolicy {
        match (topic, self.report.sweep) {
            (Topic::Items, Some(sweep)) => self.meta.policy.at_pace(sweep),
            _ => self.meta.policy,
        }
    }

    /// Whether facts of `topic` can no longer be confirmed: that read fails, or the whole source does.
    pub fn is_failing(&self, topic: Topic) -> bool {
        use super::error::FaultKind;
        self.failing.iter().any(|(&failing, f)| {
            let throttled = matches!(f.fault.kind, FaultKind::Throttled { .. });
            (failing == topic && !throttled)
                || (failing == Topic::Overview && f.fault.is_source_wide())
                || f.fault.kind == FaultKind::NotAuthenticated
        })
    }
}
