//! Evidence as odds, in words: never a p-value, never "% probability".

use serde::{Deserialize, Serialize};

/// Odds above this are not told apart.
const CAP: f64 = 10_000.0;

/// How strong evidence is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Strength {
    /// Below 1:1.
    None,
    /// Below 10:1.
    Weak,
    /// Below 100:1.
    Strong,
    /// 100:1 and above.
    Decisive,
}

impl Strength {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Weak => "weak",
            Self::Strong => "strong",
            Self::Decisive => "decisive",
        }
    }
}

/// An e-value as odds against "all is well" (or, for safety, against "beyond the margin").
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Odds {
    /// Natural logarithm of the e-value, not capped; `null` in JSON means no evidence at all.
    #[serde(with = "super::special::log_e")]
    pub ln: f64,
    /// The odds to one, capped at 10,000.
    pub to_one: f64,
    /// For people: two digits, such as `410:1`; cut, not rounded, so that it never overstates.
    pub text: String,
    /// The word for it.
    pub strength: Strength,
}

impl Odds {
    /// From the logarithm of an e-value; something that is not a number counts as no opinion.
    pub fn from_ln(ln: f64) -> Self {
        let ln = if ln.is_nan() { 0.0 } else { ln };
        let to_one = ln.exp().min(CAP);
        // A line that is reached up to rounding is reached.
        let at_least = |line: f64| to_one >= line * (1.0 - 1e-12);
        let strength = if at_least(100.0) {
            Strength::Decisive
        } else if at_least(10.0) {
            Strength::Strong
        } else if at_least(1.0) {
            Strength::Weak
        } else {
            Strength::None
        };
        Self { ln, to_one, text: text(ln, to_one), strength }
    }
}

fn text(ln: f64, to_one: f64) -> String {
    let nudged = to_one * (1.0 + 1e-12);
    if ln > CAP.ln() * (1.0 + 1e-12) {
        ">10,000:1".to_owned()
    } else if nudged < 0.1 {
        "<0.1:1".to_owned()
    } else if nudged < 10.0 {
        format!("{:.1}:1", (nudged * 10.0).floor() / 10.0)
    } else {
        let unit = 10_f64.powf(nudged.log10().floor() - 1.0);
        format!("{}:1", thousands((nudged / unit).floor() * unit))
    }
}

/// A whole number with commas between thousands.
pub(crate) fn thousands(x: f64) -> String {
    let digits = format!("{:.0}", x.abs());
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at) % 3 == 0 {
            out.push(',');
        }
        out.push(digit);
    }
    if x < 0.0 { format!("-{out}") } else { out }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odds_read_like_odds() {
        let shown = |e: f64| Odds::from_ln(e.ln()).text;
        assert_eq!(shown(412.0), "410:1");
        assert_eq!(shown(0.64), "0.6:1");
        assert_eq!(shown(0.001), "<0.1:1");
        assert_eq!(shown(9.99), "9.9:1");
        assert_eq!(shown(10.0), "10:1");
        assert_eq!(shown(100.0), "100:1");
        assert_eq!(shown(9999.0), "9,900:1");
        assert_eq!(shown(10_000.0), "10,000:1");
        assert_eq!(shown(1e9), ">10,000:1");
        assert_eq!(Odds::from_ln(f64::NEG_INFINITY).text, "<0.1:1");
        assert_eq!(Odds::from_ln(f64::NAN).text, "1.0:1");
    }

    #[test]
    fn words_follow_the_lines() {
        let word = |e: f64| Odds::from_ln(e.ln()).strength.word();
        assert_eq!(
            [word(0.9), word(1.0), word(10.0), word(99.0), word(100.0)],
            ["none", "weak", "strong", "strong", "decisive"]
        );
    }
}
