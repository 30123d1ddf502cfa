//! Fuzzy matching for filters and the palette.

use nucleo_matcher::pattern::{CaseMatching, Normalization, Pattern};
use nucleo_matcher::{Config, Matcher, Utf32Str};

/// A filter as it was typed: words match fuzzily, `key:value` words as they begin.
pub struct Filter {
    exact: Vec<String>,
    fuzzy: Option<Pattern>,
    matcher: Matcher,
    buffer: Vec<char>,
}

impl Filter {
    /// Reads what was typed.
    pub fn new(typed: &str) -> Self {
        let (exact, fuzzy): (Vec<&str>, Vec<&str>) =
            typed.split_whitespace().partition(|word| word.contains(':'));
        let exact = exact.into_iter().map(str::to_lowercase).collect();
        let fuzzy = fuzzy.join(" ");
        let fuzzy = (!fuzzy.is_empty())
            .then(|| Pattern::parse(&fuzzy, CaseMatching::Smart, Normalization::Smart));
        Self { exact, fuzzy, matcher: Matcher::new(Config::DEFAULT), buffer: Vec::new() }
    }

    /// Whether `text` passes.
    pub fn passes(&mut self, text: &str) -> bool {
        self.score(text).is_some()
    }

    /// How well `text` matches; `None` if it does not.
    pub fn score(&mut self, text: &str) -> Option<u32> {
        if !self.exact.is_empty() {
            let text = text.to_lowercase();
            if !self.exact.iter().all(|word| text.contains(word.as_str())) {
                return None;
            }
        }
        match &self.fuzzy {
            None => Some(0),
            Some(pattern) => {
                self.buffer.clear();
                pattern.score(Utf32Str::new(text, &mut self.buffer), &mut self.matcher)
            }
        }
    }
}

/// The entries whose text matches `typed`, best first; all, in their order, if nothing was typed.
pub fn ranked<T>(typed: &str, entries: Vec<T>, text: impl Fn(&T) -> String) -> Vec<T> {
    let mut filter = Filter::new(typed);
    let mut scored: Vec<(u32, T)> =
        entries.into_iter().filter_map(|e| Some((filter.score(&text(&e))?, e))).collect();
    // Stable: equal scores keep their order.
    scored.sort_by_key(|(score, _)| std::cmp::Reverse(*score));
    scored.into_iter().map(|(_, e)| e).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_fuzzy_and_pairs_are_exact() {
        for (typed, text, expected) in [
            ("", "anything", true),
            ("chk", "checkout", true),
            ("chk out", "checkout-main", true),
            ("xyz", "checkout", false),
            ("who:dana", "flag new-tax who:dana kind:flag", true),
            ("who:dan kind:flag tax", "flag new-tax who:dana kind:flag", true),
            ("who:lee", "flag new-tax who:dana kind:flag", false),
            ("WHO:Dana", "who:dana", true),
        ] {
            assert_eq!(Filter::new(typed).passes(text), expected, "{typed:?} in {text:?}");
        }
    }
}
