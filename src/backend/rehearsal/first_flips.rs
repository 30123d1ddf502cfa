//! How the flags of a scenario came to be what they are when the world opens.

use jiff::SignedDuration;

use super::script::{FlagScript, Flip, Script};
use super::span::Span;

/// The environments of every flag.
pub const ENVIRONMENTS: [&str; 2] = ["staging", "production"];
/// Where nothing is said, flags were set so long ago.
const LONG_AGO: Span = Span::secs(-9 * 86_400);
/// Staging is so much earlier.
const EARLIER: SignedDuration = SignedDuration::from_hours(5);

/// How the flags of a scenario came to be what they are when the world opens.
pub fn first_flips(script: &Script) -> Vec<Flip> {
    let each = |flag: &FlagScript, environment: &str| {
        let at = if flag.at.seconds() < 0.0 { flag.at } else { LONG_AGO };
        let production = environment == "production";
        Flip {
            at: if production { at } else { Span(at.0 - EARLIER) },
            flag: flag.key.clone(),
            environment: environment.to_owned(),
            on: flag.on || !production,
            percent: if production { flag.percent } else { 100.0 },
            over: Span::default(),
            by: flag.by.clone(),
            attribute: None,
            back: None,
        }
    };
    let flags = script.flags.iter();
    flags.flat_map(|flag| ENVIRONMENTS.map(|environment| each(flag, environment))).collect()
}
