//! Arguments of the commands that change something.

use clap::{Args as ClapArgs, Subcommand};

use crate::cli::headless::Format;

/// How it is done, the same for every command that changes something.
#[derive(Clone, Debug, Default, ClapArgs)]
pub struct Go {
    /// Print the plan and what the guards say; send nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Do it; nothing is sent without this
    #[arg(long, short)]
    pub yes: bool,
    /// Go on only if this revision is what is written to (at least 6 characters)
    #[arg(long, value_name = "REVISION")]
    pub expect_revision: Option<String>,
    /// Go on only if this execution is what is written to
    #[arg(long, value_name = "EXECUTION")]
    pub expect_execution: Option<String>,
    /// Traffic, share of a flag: go on only if the share is this now
    #[arg(long, value_name = "PERCENT")]
    pub expect_percent: Option<f64>,
    /// Go on with whatever is there now
    #[arg(long, conflicts_with_all = ["expect_revision", "expect_execution", "expect_percent"])]
    pub accept_current: bool,
    /// What is written beside it
    #[arg(long, visible_alias = "reason", value_name = "TEXT", default_value = "")]
    pub comment: String,
    /// Pass over a guard that wants a reason, and say why; no comment does that
    #[arg(long, value_name = "REASON", default_value = "")]
    pub break_glass: String,
    /// Follow it to the end: until the stage has succeeded or failed, the execution has stopped, or
    /// the flag is rolled out
    #[arg(long, short)]
    pub wait: bool,
    /// Wait at most so long, for sources and for the end
    #[arg(long, value_name = "SECONDS", default_value_t = 600)]
    pub timeout: u64,
    /// How to write it
    #[arg(long, short, value_enum, default_value_t)]
    pub output: Format,
}

/// A service or pipeline, and how it is done.
#[derive(Clone, Debug, ClapArgs)]
pub struct Named {
    /// A service, or a pipeline by its name
    #[arg(value_name = "SERVICE")]
    pub name: String,
    /// How
    #[command(flatten)]
    pub go: Go,
}

/// A service or pipeline and one of its stages.
#[derive(Clone, Debug, ClapArgs)]
pub struct Staged {
    /// A service, or a pipeline by its name
    #[arg(value_name = "SERVICE")]
    pub name: String,
    /// In this stage
    #[arg(long, value_name = "STAGE")]
    pub stage: Option<String>,
    /// Approve, reject: this action, where a stage asks several people
    #[arg(long, value_name = "ACTION")]
    pub action: Option<String>,
    /// Retry: every action of the stage; stop: at once, without waiting for the actions that run
    #[arg(long)]
    pub all: bool,
    /// How
    #[command(flatten)]
    pub go: Go,
}

/// What to roll back to.
#[derive(Clone, Debug, ClapArgs)]
pub struct RollBackArgs {
    /// A service, or a pipeline by its name
    #[arg(value_name = "SERVICE")]
    pub name: String,
    /// Put this execution (or revision) back, and hold nothing; without it, traffic or the stage goes
    /// back to what ran before, and the way in is closed
    #[arg(long, value_name = "EXECUTION")]
    pub to: Option<String>,
    /// In this stage, and hold nothing; the last one, if none is named
    #[arg(long, value_name = "STAGE")]
    pub stage: Option<String>,
    /// How
    #[command(flatten)]
    pub go: Go,
}

/// How to shift traffic.
#[derive(Clone, Debug, ClapArgs)]
pub struct TrafficArgs {
    /// A service, or a traffic split by its name
    #[arg(value_name = "SERVICE")]
    pub name: String,
    /// Share of the version, in per cent
    #[arg(long, value_name = "PERCENT", value_parser = clap::value_parser!(u32).range(0..=100))]
    pub percent: Option<u32>,
    /// Weight of the version, as the backend counts it
    #[arg(long, value_name = "WEIGHT", conflicts_with = "percent")]
    pub weight: Option<u32>,
    /// Which version; the canary, if none is named
    #[arg(long, value_name = "VERSION")]
    pub version: Option<String>,
    /// Give the version no new visitors
    #[arg(long, conflicts_with_all = ["percent", "weight", "maintenance", "ready"])]
    pub drain: bool,
    /// Give the version nothing at all
    #[arg(long, conflicts_with_all = ["percent", "weight", "ready"])]
    pub maintenance: bool,
    /// Give the version traffic again
    #[arg(long, conflicts_with_all = ["percent", "weight"])]
    pub ready: bool,
    /// How
    #[command(flatten)]
    pub go: Go,
}

/// How to change a flag.
#[derive(Clone, Debug, ClapArgs)]
pub struct FlagArgs {
    /// The flag's key
    #[arg(value_name = "FLAG")]
    pub name: String,
    /// `on`, `off`, a share as `25%`, `stale`, `not-stale`, `NAME=VALUE` of an attribute, or of what
    /// is deployed: `halt` what is under way, `revert` the last
    #[arg(value_name = "CHANGE")]
    pub change: String,
    /// In this environment; needed if the flag has several
    #[arg(long, short, value_name = "NAME")]
    pub environment: Option<String>,
    /// By this deployment strategy, one of those in the configuration
    #[arg(long, value_name = "NAME")]
    pub strategy: Option<String>,
    /// How
    #[command(flatten)]
    pub go: Go,
}

/// What to undo.
#[derive(Clone, Debug, ClapArgs)]
pub struct UndoArgs {
    /// The plan, as the journal names it; the last one that did something with --accept-current,
    /// whichever terminal it was done in
    #[arg(value_name = "PLAN")]
    pub plan: Option<String>,
    /// How
    #[command(flatten)]
    pub go: Go,
}

/// What is to be done.
#[derive(Clone, Debug, Subcommand)]
pub enum Act {
    /// Approve what waits in a stage
    Approve(Staged),
    /// Reject what waits in a stage
    Reject(Staged),
    /// One step further: approve what waits, shift to the next traffic step, or finish
    Promote(Named),
    /// Go back to what ran before, and hold
    #[command(visible_alias = "roll-back")]
    #[command(name = "rollback")]
    RollBack(RollBackArgs),
    /// Close the way into a stage
    Hold(Staged),
    /// Open the way into a stage
    Release(Staged),
    /// Shift traffic between versions, drain one, or take it back
    Traffic(TrafficArgs),
    /// Switch a flag, or change its share
    Flag(FlagArgs),
    /// Let what waits at a stage pass a condition that failed
    Override(Staged),
    /// Run again what failed
    Retry(Staged),
    /// Stop what runs
    Stop(Staged),
    /// Start an execution
    Start(Named),
    /// Undo what was done last, or a plan of the journal
    Undo(UndoArgs),
}

impl Go {
    /// Whether it is said what was seen, or that whatever is there will do.
    pub fn is_blind(&self) -> bool {
        let said = self.expect_revision.is_some()
            || self.expect_execution.is_some()
            || self.expect_percent.is_some();
        !said && !self.accept_current
    }
}

impl Act {
    /// How it is done.
    pub fn go(&self) -> &Go {
        match self {
            Self::Promote(own) | Self::Start(own) => &own.go,
            Self::RollBack(own) => &own.go,
            Self::Traffic(own) => &own.go,
            Self::Flag(own) => &own.go,
            Self::Undo(own) => &own.go,
            Self::Approve(own)
            | Self::Reject(own)
            | Self::Hold(own)
            | Self::Release(own)
            | Self::Override(own)
            | Self::Retry(own)
            | Self::Stop(own) => &own.go,
        }
    }

    /// What was seen must be said, because something else may be there by now.
    pub fn needs_expectation(&self) -> bool {
        match self {
            Self::Approve(_) | Self::Promote(_) | Self::RollBack(_) | Self::Override(_) => true,
            // The last one may be somebody else's.
            Self::Undo(own) => own.plan.is_none(),
            _ => false,
        }
    }
}
