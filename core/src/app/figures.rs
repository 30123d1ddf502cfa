//! Whether the figures of a canary are young enough to go by.

use jiff::SignedDuration;

use super::age::of_item;
use super::canary::known_until;
use super::state::State;
use crate::domain::canary::CanarySpec;
use crate::domain::ids::ItemId;
use crate::domain::observed::Freshness;
use crate::domain::time::{age, coarse};

/// Figures that are older do not carry a step forward; some backends tell them minutes late.
const OLDEST: SignedDuration = SignedDuration::from_mins(10);

/// Why the figures of a canary are too old to go by, or not known at all.
pub fn old(state: &State, spec: &CanarySpec) -> Option<String> {
    for metric in &spec.metrics {
        for id in metric.data.series() {
            match of_item(state, &ItemId::Series(id.clone())).map(|age| age.freshness) {
                Some(Freshness::Fresh) => {}
                Some(other) => {
                    return Some(format!("the figures of {} are {}", metric.name, other.word()));
                }
                None => return Some(format!("the figures of {} are unknown", metric.name)),
            }
        }
    }
    let old = age(state.now, known_until(spec, &state.fleet)?);
    (old > OLDEST).then(|| format!("there are no figures of the last {}", coarse(OLDEST)))
}
