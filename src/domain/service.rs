//! Services: what a team owns, and which resources belong to it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::canary::CanarySpec;
use super::ids::{SeriesId, ServiceId, SourceId};
use super::text::SafeText;

/// What a team owns; ties together the resources that belong to it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Service {
    /// Who it is.
    pub id: ServiceId,
    /// What it does.
    pub description: Option<SafeText>,
    /// Teams or people.
    pub owners: Vec<SafeText>,
    /// 1 is the most important.
    pub tier: Option<u8>,
    /// Name and address of pages about it.
    pub links: Vec<(SafeText, SafeText)>,
    /// What it cannot work without.
    pub needs: Vec<ServiceId>,
    /// Which resources belong to it.
    pub claims: Claims,
    /// Figures to show besides those of its canaries.
    pub metrics: Vec<MetricSpec>,
    /// Its canaries.
    pub canaries: Vec<CanarySpec>,
}

impl Service {
    /// A service of which only the name is known.
    pub fn named(id: &str) -> Self {
        Self {
            id: ServiceId::new(id),
            description: None,
            owners: Vec::new(),
            tier: None,
            links: Vec::new(),
            needs: Vec::new(),
            claims: Claims::default(),
            metrics: Vec::new(),
            canaries: Vec::new(),
        }
    }
}

/// A figure of a service.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MetricSpec {
    /// What people call it.
    pub name: SafeText,
    /// Its numbers.
    pub series: SeriesId,
}

/// Patterns by which resources belong to a service.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Claims {
    /// Pipelines.
    pub pipelines: Vec<Pattern>,
    /// Environments.
    pub environments: Vec<Pattern>,
    /// Traffic splits.
    pub traffic: Vec<Pattern>,
    /// Flags, by `project:key`.
    pub flags: Vec<Pattern>,
    /// Alarms.
    pub alarms: Vec<Pattern>,
    /// A resource with all of these tags belongs to it too.
    pub tags: BTreeMap<SafeText, SafeText>,
}

impl Claims {
    /// Whether the tags alone claim a resource.
    pub fn by_tags(&self, tags: &BTreeMap<SafeText, SafeText>) -> bool {
        !self.tags.is_empty() && self.tags.iter().all(|(k, v)| tags.get(k) == Some(v))
    }
}

/// `source/name`, both with `*` and `?`; without `/` it is a name in any source.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Pattern {
    /// Pattern of the source's name.
    pub source: SafeText,
    /// Pattern of the name within it.
    pub name: SafeText,
}

impl Pattern {
    /// Reads `source/name` or `name`.
    pub fn parse(text: &str) -> Self {
        match text.split_once('/') {
            Some((source, name)) => Self { source: source.into(), name: name.into() },
            None => Self { source: "*".into(), name: text.into() },
        }
    }

    /// Whether it means the thing called `name` of `source`.
    pub fn matches(&self, source: &SourceId, name: &str) -> bool {
        glob(self.source.as_str(), source.as_str()) && glob(self.name.as_str(), name)
    }
}

/// Whether `text` is of the form `pattern`; `*` stands for any run of characters, `?` for one.
pub fn glob(pattern: &str, text: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let text: Vec<char> = text.chars().collect();
    // Classic two-pointer match: remember the last star and how much it has eaten.
    let (mut p, mut t) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while let Some(&c) = text.get(t) {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, t));
                p += 1;
            }
            Some(&q) if q == '?' || q == c => {
                p += 1;
                t += 1;
            }
            _ => match star {
                Some((at, eaten)) => {
                    star = Some((at, eaten + 1));
                    p = at + 1;
                    t = eaten + 1;
                }
                None => return false,
            },
        }
    }
    pattern.iter().skip(p).all(|&q| q == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs() {
        for (pattern, text, expected) in [
            ("checkout", "checkout", true),
            ("checkout", "checkout-main", false),
            ("checkout*", "checkout-main", true),
            ("*-main", "checkout-main", true),
            ("*out*in", "checkout-main", true),
            ("c?eckout", "checkout", true),
            ("*", "", true),
            ("?", "", false),
            ("a*b*c", "aXbXbXc", true),
            ("a*b*c", "aXbXbX", false),
        ] {
            assert_eq!(glob(pattern, text), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn a_pattern_without_a_source_means_any() {
        let source = SourceId::new("aws-eu");
        assert!(Pattern::parse("checkout*").matches(&source, "checkout-main"));
        assert!(Pattern::parse("aws-*/checkout*").matches(&source, "checkout-main"));
        assert!(!Pattern::parse("gcp/checkout*").matches(&source, "checkout-main"));
    }
}
