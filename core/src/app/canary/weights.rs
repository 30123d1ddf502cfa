//! The canary's share of the traffic, tick by tick: as it was set for as long as that was watched,
//! before that the configured step that explains what was measured.

use std::collections::VecDeque;

use jiff::Timestamp;

/// How much likelier another step must be before it is believed: about a thousand to one, logarithm.
const SURE: f64 = 7.0;
/// The most that one tick adds to it: an odd one alone never looks like a step.
const ONE_TICK: f64 = 3.5;
/// The nearest that a share comes to none or all: beyond it, one stray request would decide.
const EDGE: f64 = 1e-4;
/// Weights remembered; a rollout has fewer steps.
const MOST: usize = 64;

/// The shares of one canary, 0–1.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Weights {
    /// Since when each was set, oldest first.
    set: VecDeque<(Timestamp, f64)>,
    /// What the last tick was taken to be at.
    current: Option<f64>,
    /// How much each of the other steps is likelier, by now.
    leaning: Vec<(f64, f64)>,
}

impl Weights {
    /// It was seen at `seen` that the share is set to `share`, since `since` if the source tells.
    pub fn note(&mut self, share: f64, since: Option<Timestamp>, seen: Timestamp) {
        let last = self.set.back().copied();
        if last.is_some_and(|(_, known)| same(known, share)) {
            return;
        }
        let told = since.filter(|since| *since <= seen && last.is_none_or(|(at, _)| at < *since));
        self.set.push_back((told.unwrap_or(seen), share));
        if self.set.len() > MOST {
            self.set.pop_front();
        }
    }

    /// The share in a tick that begins at `begins`, given the `steps` it may have had, and the requests
    /// of the baseline and the canary in this tick and the two after it.
    pub fn at(
        &mut self,
        begins: Timestamp,
        steps: impl Iterator<Item = f64>,
        requests: [(f64, f64); 3],
    ) -> Option<f64> {
        let set = self.set.iter().rev().find(|(since, _)| *since <= begins);
        if let Some((_, share)) = set {
            self.take(*share);
            return self.current;
        }
        let newest = self.set.back().map(|(_, share)| *share);
        let steps: Vec<f64> =
            steps.chain(newest).map(|step| step.clamp(EDGE, 1.0 - EDGE)).collect();
        let [now, next, later] = requests;
        let Some(current) = self.current else {
            let together = sum(sum(now, next), later);
            let nearest = likeliest(steps.into_iter(), together).or(newest)?;
            self.take(nearest);
            return self.current;
        };
        self.lean(current, &steps, now);
        let sure = self.leaning.iter().filter(|(_, by)| *by >= SURE).map(|(step, _)| *step);
        if let Some(step) = likeliest(sure, sum(now, next)) {
            self.take(step);
        }
        self.current
    }

    /// Goes back to an earlier tick, without forgetting what was seen to be set.
    pub fn rewind(&mut self) {
        self.current = None;
        self.leaning.clear();
    }

    fn take(&mut self, share: f64) {
        self.current = Some(share);
        self.leaning.clear();
    }

    /// Weighs what one tick says of every other step against the middle between it and the current one:
    /// a share that stays between two steps is no step.
    fn lean(&mut self, current: f64, steps: &[f64], requests: (f64, f64)) {
        for step in steps.iter().copied().filter(|step| !same(*step, current)) {
            let middle = 1.0 / (1.0 + (-f64::midpoint(logit(current), logit(step))).exp());
            let said = fit(step, requests) - fit(middle, requests);
            let said = said.clamp(-ONE_TICK, ONE_TICK);
            match self.leaning.iter_mut().find(|(known, _)| same(*known, step)) {
                Some((_, by)) => *by = (*by + said).max(0.0),
                None => self.leaning.push((step, said.max(0.0))),
            }
        }
    }
}

/// Whether two are the very same share: both come from the same list.
fn same(a: f64, b: f64) -> bool {
    a.total_cmp(&b).is_eq()
}

/// The logarithm of how well a share explains the requests of both arms.
fn fit(share: f64, (baseline, canary): (f64, f64)) -> f64 {
    canary * share.ln() + baseline * (-share).ln_1p()
}

fn logit(share: f64) -> f64 {
    share.ln() - (-share).ln_1p()
}

fn sum(a: (f64, f64), b: (f64, f64)) -> (f64, f64) {
    (a.0 + b.0, a.1 + b.1)
}

/// The step that explains these requests best; none without requests.
fn likeliest(steps: impl Iterator<Item = f64>, requests: (f64, f64)) -> Option<f64> {
    let best = steps.max_by(|a, b| fit(*a, requests).total_cmp(&fit(*b, requests)));
    best.filter(|_| requests.0 + requests.1 > 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const STEPS: [f64; 5] = [0.01, 0.05, 0.1, 0.25, 0.5];

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + 60 * minute).unwrap()
    }

    /// The shares taken of ticks with these canary requests of a thousand each.
    fn taken(canary: &[f64]) -> Vec<f64> {
        let mut weights = Weights::default();
        let tick = |n: usize| canary.get(n).map_or((0.0, 0.0), |k| (1_000.0 - k, *k));
        (0..canary.len())
            .zip(0..)
            .map(|(n, minute)| {
                let requests = [tick(n), tick(n + 1), tick(n + 2)];
                weights.at(at(minute), STEPS.into_iter(), requests).unwrap()
            })
            .collect()
    }

    fn steps(taken: &[f64]) -> usize {
        taken.windows(2).filter(|pair| !same(pair[0], pair[1])).count()
    }

    #[test]
    fn noise_around_a_step_and_between_two_is_no_step() {
        for mean in [10.0, 30.0, 50.0, 70.0, 72.0, 75.0, 100.0, 400.0] {
            // Ups and downs of two standard deviations and more.
            let noise = |n: i32| f64::from(n * 37 % 11 - 5) * 0.45 * f64::sqrt(mean);
            let canary: Vec<f64> = (0..300).map(|n| (mean + noise(n)).max(0.0).round()).collect();
            let taken = taken(&canary);
            assert_eq!(steps(&taken), 0, "{mean}: {taken:?}");
        }
    }

    #[test]
    fn a_real_step_is_found_within_two_ticks_and_an_odd_tick_is_none() {
        let mut canary = vec![50.0; 40];
        canary.extend([250.0; 40]);
        canary[20] = 400.0;
        let taken = taken(&canary);
        assert_eq!(steps(&taken), 1, "{taken:?}");
        assert_eq!((taken[39], taken[42]), (0.05, 0.25));
    }

    #[test]
    fn few_requests_decide_after_some_ticks_only() {
        let mut weights = Weights::default();
        let tick = |k: f64| (20.0 - k, k);
        let mut all = Vec::new();
        for (n, minute) in (0..60).zip(0..) {
            // One request of twenty, at times two or none; later five.
            let k = if n < 30 { [1.0, 0.0, 2.0, 1.0][n % 4] } else { 5.0 };
            let step = weights.at(at(minute), STEPS.into_iter(), [tick(k); 3]).unwrap();
            all.push(step);
        }
        assert_eq!(steps(&all[1..30]), 0, "{all:?}");
        assert_eq!(all.last(), Some(&0.25));
        assert!(steps(&all[30..]) <= 2, "{all:?}");
    }

    #[test]
    fn what_was_seen_to_be_set_counts_whatever_was_measured() {
        let mut weights = Weights::default();
        weights.note(0.1, None, at(10));
        weights.note(0.1, None, at(11));
        weights.note(0.25, None, at(20));
        let mut of = |n| weights.at(at(n), STEPS.into_iter(), [(950.0, 50.0); 3]);
        assert_eq!(of(5), Some(0.05), "before anything was seen, it is what was measured");
        assert_eq!(of(10), Some(0.1));
        assert_eq!(of(19), Some(0.1));
        assert_eq!(of(20), Some(0.25));
        assert_eq!(of(90), Some(0.25));
        // A source that tells since when is believed, but not about what was seen before.
        weights.note(0.5, Some(at(30)), at(40));
        weights.note(0.05, Some(at(35)), at(50));
        weights.note(1.0, Some(at(2)), at(60));
        let mut of = |n| weights.at(at(n), STEPS.into_iter(), [(950.0, 50.0); 3]);
        for (minute, share) in [(29, 0.25), (30, 0.5), (36, 0.05), (59, 0.05), (60, 1.0)] {
            assert_eq!(of(minute), Some(share), "{minute}");
        }
    }

    #[test]
    fn without_requests_the_share_is_what_is_set_now_if_that_is_known() {
        let silent = [(0.0, 0.0); 3];
        let mut weights = Weights::default();
        assert_eq!(weights.at(at(0), STEPS.into_iter(), silent), None);
        weights.note(0.25, None, at(10));
        assert_eq!(weights.at(at(0), STEPS.into_iter(), silent), Some(0.25));
        assert_eq!(weights.at(at(1), STEPS.into_iter(), silent), Some(0.25));
    }
}
