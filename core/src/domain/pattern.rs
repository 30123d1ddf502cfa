//! `Pattern`: names of resources with `*` and `?`.

use serde::{Deserialize, Serialize};

use super::ids::SourceId;
use super::text::SafeText;

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

    /// Whether it means one thing of one source, by name.
    pub fn is_exact(&self) -> bool {
        let plain = |text: &SafeText| !text.as_str().contains(['*', '?']);
        plain(&self.source) && plain(&self.name)
    }

    /// How the names that it means begin: what stands before the first wildcard.
    pub fn start(&self) -> &str {
        start(self.name.as_str())
    }

    /// Whether something of `source` may be meant.
    pub fn means_source(&self, source: &SourceId) -> bool {
        glob(self.source.as_str(), source.as_str())
    }

    /// Whether it means the thing called `name` of `source`.
    pub fn matches(&self, source: &SourceId, name: &str) -> bool {
        self.means_source(source) && glob(self.name.as_str(), name)
    }
}

fn start(pattern: &str) -> &str {
    pattern.split_once(['*', '?']).map_or(pattern, |(start, _)| start)
}

/// Whether `text` is of the form `pattern`; `*` stands for any run of characters, `?` for one.
pub fn glob(pattern: &str, text: &str) -> bool {
    // Nearly all patterns differ from a text before their first wildcard.
    let start = start(pattern);
    if start.len() == pattern.len() {
        return pattern == text;
    }
    if !text.starts_with(start) {
        return false;
    }
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
        for (pattern, exact) in
            [("aws-eu/checkout", true), ("checkout", false), ("aws-*/a", false), ("aws/a?", false)]
        {
            assert_eq!(Pattern::parse(pattern).is_exact(), exact, "{pattern}");
        }
    }
}
