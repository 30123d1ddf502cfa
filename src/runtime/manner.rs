//! How keepers read: ahead of their budget or not, and in step with nobody.

use std::hash::{BuildHasher, RandomState};

use crate::domain::ids::SourceId;

/// How keepers read.
#[derive(Clone, Copy, Debug, Default)]
pub struct Manner {
    /// Somebody waits for one picture: calls are lent.
    pub lends: bool,
    /// What waits vary by; drawn anew for each keeper without one, so that no two rooms ask in step.
    pub seed: Option<u64>,
}

impl Manner {
    /// What the waits of a source vary by: rooms that were started together must not ask in step,
    /// nor must the sources of one.
    pub fn seed_of(self, id: &SourceId) -> u64 {
        let own = id.as_str().bytes().fold(0, |sum: u64, b| sum.wrapping_mul(31) + u64::from(b));
        let room = self.seed.unwrap_or_else(|| RandomState::new().hash_one(id));
        own.wrapping_add(room)
    }
}
