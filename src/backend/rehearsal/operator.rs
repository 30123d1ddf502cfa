//! Whoever acts here, and what an act is refused with.

use crate::domain::error::{Fault, FaultKind};
use crate::domain::text::SafeText;

/// How the operator is called in the world.
pub const YOU: &str = "you";

/// It is not any more as it was seen.
pub fn conflict(why: impl Into<SafeText>) -> Fault {
    Fault::new(FaultKind::Conflict, why)
}

/// It cannot be asked for.
pub fn invalid(why: impl Into<SafeText>) -> Fault {
    Fault::new(FaultKind::InvalidRequest, why)
}
