//! Tells a paste without brackets from typing: several printable keys within a few milliseconds.

use std::time::Duration;

/// Keys closer than this are not typed by hand.
pub const GAP: Duration = Duration::from_millis(5);
/// A burst is over after this much quiet.
const QUIET: Duration = Duration::from_millis(50);

/// Watches the times of printable keys. tmux and mosh may strip the brackets of a paste.
#[derive(Debug, Default)]
pub struct BurstDetector {
    last: Option<Duration>,
    burst: bool,
}

/// What a printable key is part of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Typing.
    Typed,
    /// A paste: it belongs in a text field or nowhere.
    Pasted,
}

impl BurstDetector {
    /// A printable key arrived at `at` since the start.
    pub fn key(&mut self, at: Duration) -> Verdict {
        let gap = self.last.map(|last| at.saturating_sub(last));
        self.last = Some(at);
        match gap {
            Some(gap) if gap < GAP => self.burst = true,
            Some(gap) if gap < QUIET => {}
            _ => self.burst = false,
        }
        if self.burst { Verdict::Pasted } else { Verdict::Typed }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdicts(times: &[u64]) -> String {
        let mut detector = BurstDetector::default();
        let key = |ms: &u64| match detector.key(Duration::from_millis(*ms)) {
            Verdict::Typed => 't',
            Verdict::Pasted => 'p',
        };
        times.iter().map(key).collect()
    }

    #[test]
    fn bursts_are_pastes_until_it_is_quiet() {
        assert_eq!(verdicts(&[0, 100, 200]), "ttt");
        assert_eq!(verdicts(&[0, 1, 2, 3]), "tppp");
        // A gap within a paste does not end it; quiet does.
        assert_eq!(verdicts(&[0, 1, 30, 60, 61]), "tpppp");
        assert_eq!(verdicts(&[0, 1, 60, 130]), "tptt");
        // Key repeat of a held key is slower than a paste.
        assert_eq!(verdicts(&[0, 30, 60, 90]), "tttt");
    }
}
