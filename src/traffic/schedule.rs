//! When which request is due: made of the design alone, so that no answer can delay it.

use std::time::Duration;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::design::{Design, Order, Pace};

/// One request that is due: the same for both sides.
#[derive(Clone, Debug, PartialEq)]
pub struct Shot {
    /// Counted from 0.
    pub number: u64,
    /// When it is due, from the start.
    pub at: Duration,
    /// Which tick it belongs to, counted from 0.
    pub tick: u64,
    /// Which request it is, counted from 0.
    pub request: usize,
    /// The value of each variable, by its number.
    pub picks: Vec<u64>,
}

/// All shots of a design, in the order in which they are due. The same seed gives the same ones.
#[derive(Clone, Debug)]
pub struct Schedule<'d> {
    design: &'d Design,
    chance: ChaCha8Rng,
    /// Sums of the weights up to each request.
    weights: Vec<f64>,
    number: u64,
    /// When the last one was due, in seconds; only for a random pace.
    last: f64,
}

impl<'d> Schedule<'d> {
    /// From the beginning.
    pub fn new(design: &'d Design) -> Self {
        let mut sum = 0.0;
        let weights = design.requests.iter().map(|request| {
            sum += request.weight;
            sum
        });
        Self {
            weights: weights.collect(),
            chance: ChaCha8Rng::seed_from_u64(design.seed),
            design,
            number: 0,
            last: 0.0,
        }
    }

    fn due(&mut self) -> f64 {
        match self.design.pace {
            // Of the number, not of the time before: no error adds up.
            Pace::Even => self.number as f64 / self.design.rate,
            Pace::Random => {
                let uniform: f64 = self.chance.random();
                self.last -= (1.0 - uniform).ln() / self.design.rate;
                self.last
            }
        }
    }

    fn request(&mut self) -> usize {
        let whole = self.weights.last().copied().unwrap_or(0.0);
        let point = self.chance.random::<f64>() * whole;
        self.weights.partition_point(|sum| *sum <= point).min(self.weights.len().saturating_sub(1))
    }
}

impl Iterator for Schedule<'_> {
    type Item = Shot;

    fn next(&mut self) -> Option<Shot> {
        if self.number >= self.design.max_requests {
            return None;
        }
        let at = Duration::try_from_secs_f64(self.due()).ok()?;
        if at >= self.design.whole() {
            return None;
        }
        let request = self.request();
        let number = self.number;
        let picks = self
            .design
            .variables
            .iter()
            .map(|variable| match variable.order {
                Order::Turn => number % variable.count(),
                Order::Random => self.chance.random_range(0..variable.count()),
            })
            .collect();
        self.number += 1;
        Some(Shot { number, at, tick: tick_of(self.design, at), request, picks })
    }
}

/// The tick of a time. The warm-up has ticks of its own, the last of which may be short.
pub fn tick_of(design: &Design, at: Duration) -> u64 {
    let ticks = |time: Duration| time.as_nanos() / design.tick.as_nanos().max(1);
    let tick = match at.checked_sub(design.warm_up) {
        None => ticks(at),
        Some(measured) => u128::from(design.spec.warm_up_ticks) + ticks(measured),
    };
    u64::try_from(tick).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::path::Path;

    use super::*;
    use crate::traffic::design::parse;

    fn design(more: &str) -> Design {
        let text = format!(
            "rate = 40\nduration = '3s'\nwarm_up = '1500ms'\n{more}\n\
             [variables.n]\nrange = [1, 3]\norder = 'turn'\n\
             [variables.any]\nlist = ['a', 'b', 'c', 'd']\n\
             [requests.often]\npath = '/{{{{n}}}}'\nweight = 3\n\
             [requests.rare]\npath = '/{{{{any}}}}'\n\
             [requests.never]\npath = '/'\nweight = 0\n"
        );
        parse(Path::new("p.toml"), &text).unwrap_or_else(|report| panic!("{report}"))
    }

    #[test]
    fn an_even_pace_keeps_its_distances_to_the_end() {
        let design = design("");
        let shots: Vec<Shot> = Schedule::new(&design).collect();
        assert_eq!(shots.len(), 180);
        for (number, shot) in shots.iter().enumerate() {
            let planned = Duration::from_secs_f64(number as f64 * 0.025);
            assert!(shot.at.abs_diff(planned) < Duration::from_micros(1), "{shot:?}");
        }
        assert!(shots.iter().all(|shot| shot.at < design.whole()));
    }

    #[test]
    fn the_warm_up_has_ticks_of_its_own() {
        let design = design("");
        let ticks = |ms: u64| tick_of(&design, Duration::from_millis(ms));
        assert_eq!(design.spec.warm_up_ticks, 2);
        assert_eq!(
            [0, 999, 1000, 1499, 1500, 2499, 2500, 4499].map(ticks),
            [0, 0, 1, 1, 2, 2, 3, 4]
        );
        let mut counts = BTreeMap::new();
        for shot in Schedule::new(&design) {
            *counts.entry(shot.tick).or_insert(0) += 1;
        }
        assert_eq!(
            counts.into_iter().collect::<Vec<_>>(),
            [(0, 40), (1, 20), (2, 40), (3, 40), (4, 40)]
        );
    }

    #[test]
    fn the_seed_decides_and_nothing_else() {
        let all = |more: &str| Schedule::new(&design(more)).collect::<Vec<Shot>>();
        assert_eq!(all("seed = 7"), all("seed = 7"));
        assert_ne!(all("seed = 7"), all("seed = 8"));
        assert_eq!(all("seed = 7\npace = 'random'"), all("seed = 7\npace = 'random'"));
    }

    #[test]
    fn requests_come_by_weight_and_values_by_order() {
        let design = design("");
        let shots: Vec<Shot> = Schedule::new(&design).collect();
        let count = |request: usize| shots.iter().filter(|s| s.request == request).count();
        // In the order of their names: never, often, rare.
        assert_eq!(count(0), 0);
        assert!((110..=160).contains(&count(1)), "{}", count(1));
        // Variables too: any, n.
        assert!(shots.iter().all(|shot| shot.picks[1] == shot.number % 3));
        let values: Vec<u64> = shots.iter().map(|shot| shot.picks[0]).collect();
        assert!((0..4).all(|pick| values.contains(&pick)) && values.iter().all(|pick| *pick < 4));
    }

    #[test]
    fn a_random_pace_has_the_same_rate_and_the_cap() {
        let long = "pace = 'random'\nseed = 3";
        let design = design(long);
        let shots: Vec<Shot> = Schedule::new(&design).collect();
        assert!((140..=220).contains(&shots.len()), "{}", shots.len());
        assert!(shots.windows(2).all(|pair| pair[0].at <= pair[1].at));
        let capped = Design { max_requests: 50, ..design };
        assert_eq!(Schedule::new(&capped).count(), 50);
    }
}
