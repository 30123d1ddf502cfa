//! `Wish`: what the operator is after.

use serde::{Deserialize, Serialize};

/// What the operator is after, before it is known what that means here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Wish {
    /// Approve what waits.
    Approve,
    /// Reject what waits.
    Reject,
    /// One step further.
    Promote,
    /// Back to what ran before.
    RollBack,
    /// Close or open the way into a stage.
    Hold,
    /// Shift traffic.
    Traffic,
    /// Change a flag.
    Flag,
    /// Run again what failed.
    Retry,
    /// Stop what runs.
    Stop,
    /// Start an execution.
    Start,
    /// Take back what was done.
    Undo,
}
