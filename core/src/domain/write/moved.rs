//! `Moved`: what is not as it was seen.

use serde::{Deserialize, Serialize};

use crate::domain::text::SafeText;

/// Something that is no longer as it was seen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moved {
    /// What.
    pub what: SafeText,
    /// As it was seen.
    pub seen: SafeText,
    /// As it is now.
    pub now: SafeText,
}
