//! Tells a paste without brackets from typing: several printable keys within a few milliseconds.

use std::time::Duration;

/// Keys closer than this are not typed by hand.
pub const GAP: Duration = Duration::from_millis(5);
/// A burst is over after this much quiet.
const QUIET: Duration = Duration::from_millis(50);

/// Keys of one run that can still be a held key.
const LONGEST_RUN: usize = 64;

/// Watches the times of printable keys. tmux and mosh may strip the brackets of a paste.
#[derive(Debug, Default)]
pub struct BurstDetector {
    last: Option<(char, Duration)>,
    /// How many times the same key has come in a row.
    run: usize,
    burst: bool,
}

/// What a printable key is part of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Typing.
    Typed,
    /// The same key again, at once: a key that is held down, told late and all together. Unless
    /// another one follows at once: then all of them are a paste.
    Repeated,
    /// A paste: it belongs in a text field or nowhere.
    Pasted,
}

impl BurstDetector {
    /// The printable key `c` arrived at `at` since the start.
    pub fn key(&mut self, c: char, at: Duration) -> Verdict {
        let gap = self.last.map(|(_, last)| at.saturating_sub(last));
        let same = self.last.is_some_and(|(last, _)| last == c) && !c.is_whitespace();
        self.run = if same { self.run + 1 } else { 0 };
        self.last = Some((c, at));
        let quick = gap.is_some_and(|gap| gap < GAP);
        let held = same && self.run < LONGEST_RUN;
        match gap {
            Some(gap) if gap < GAP && !held => self.burst = true,
            Some(gap) if gap < QUIET => {}
            _ => self.burst = false,
        }
        match (self.burst, quick) {
            (true, _) => Verdict::Pasted,
            (false, true) => Verdict::Repeated,
            (false, false) => Verdict::Typed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdicts(keys: &str, times: &[u64]) -> String {
        let mut detector = BurstDetector::default();
        let key = |(c, ms): (char, &u64)| match detector.key(c, Duration::from_millis(*ms)) {
            Verdict::Typed => 't',
            Verdict::Repeated => 'r',
            Verdict::Pasted => 'p',
        };
        keys.chars().zip(times).map(key).collect()
    }

    #[test]
    fn bursts_are_pastes_until_it_is_quiet() {
        assert_eq!(verdicts("abc", &[0, 100, 200]), "ttt");
        assert_eq!(verdicts("abcd", &[0, 1, 2, 3]), "tppp");
        // A gap within a paste does not end it; quiet does.
        assert_eq!(verdicts("abcde", &[0, 1, 30, 60, 61]), "tpppp");
        assert_eq!(verdicts("abcd", &[0, 1, 60, 130]), "tptt");
        // Key repeat of a held key is slower than a paste.
        assert_eq!(verdicts("jjjj", &[0, 30, 60, 90]), "tttt");
    }

    #[test]
    fn a_held_key_over_a_slow_line_is_no_paste() {
        assert_eq!(verdicts("jjjj", &[0, 1, 33, 66]), "trtt");
        assert_eq!(verdicts("jjjjj", &[0, 1, 2, 3, 33]), "trrrt");
        // What another key follows at once was no held key.
        assert_eq!(verdicts("aab", &[0, 1, 2]), "trp");
        // Nobody holds these down, and they do the most.
        for key in ["\n\n", "\t\t", "  "] {
            assert_eq!(verdicts(key, &[0, 1]), "tp", "{key:?}");
        }
        // A paste does not become typing because a letter comes twice in it.
        assert_eq!(verdicts("abbb", &[0, 1, 2, 3]), "tppp");
        let long = "x".repeat(200);
        let times: Vec<u64> = (0..200).collect();
        assert!(verdicts(&long, &times).ends_with('p'), "nobody holds a key so fast so long");
    }
}
