//! `Revision`: what is shipped.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::text::SafeText;

/// A commit, an image digest or a bundle version.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Revision {
    /// The full id, as its backend names it.
    pub id: SafeText,
    /// The first line of the commit message, or what the source says of it.
    pub message: Option<SafeText>,
    /// Who made it.
    pub author: Option<SafeText>,
    /// When it was made.
    pub at: Option<Timestamp>,
    /// Where to read about it.
    pub link: Option<SafeText>,
    /// The source action or repository it came by.
    pub origin: Option<SafeText>,
}

impl Revision {
    /// A revision of which only the id is known.
    pub fn of(id: &str) -> Self {
        Self { id: SafeText::new(id), ..Self::default() }
    }

    /// The id as people write it: six digits of a hash (algorithm prefix dropped), else at most 12.
    pub fn short(&self) -> String {
        let id = self.id.as_str();
        let id = id.strip_prefix("sha256:").unwrap_or(id);
        let is_hash = id.len() >= 12 && id.bytes().all(|b| b.is_ascii_hexdigit());
        super::text::fit(id, 12).chars().take(if is_hash { 6 } else { 12 }).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_ids() {
        for (id, short) in [
            ("4f1c9a7be2d94f1c9a7be2d94f1c9a7be2d9aaaa", "4f1c9a"),
            ("sha256:4f1c9a7be2d94f1c9a7be2d9", "4f1c9a"),
            ("v1.42.0", "v1.42.0"),
            ("release-2026-11-23-hotfix", "release-202…"),
        ] {
            assert_eq!(Revision::of(id).short(), short);
        }
    }
}
