//! `Sent`: a write that was sent, with what must be known to recognise it again.

use crate::domain::text::SafeText;
use crate::domain::write::{Expectation, Write};

/// A write that was sent.
pub(super) struct Sent<'a> {
    pub(super) write: &'a Write,
    /// What was true when it was.
    pub(super) was: &'a Expectation,
    /// As whom, where that is told.
    pub(super) me: Option<&'a SafeText>,
}
