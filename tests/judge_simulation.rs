//! Seeded simulations: the judge is wrong no more often than it promises, however often one looks, and
//! as fast as its specification measured.

use flightdeck::judge::ratio::RatioEngine;
use flightdeck::judge::series::{SeriesEngine, SeriesSettings};
use flightdeck::judge::strict::StrictEngine;
use flightdeck::judge::{Counts, Direction};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, Normal, Poisson};

const PEEKS: usize = 1000;
/// The usual error rate of the baseline.
const RATE: f64 = 0.01;
/// The canary's share of traffic.
const SHARE: f64 = 0.05;
/// Minutes of baseline before the start.
const HISTORY: usize = 120;

fn poisson(rng: &mut ChaCha8Rng, mean: f64) -> f64 {
    Poisson::new(mean).map_or(0.0, |poisson| poisson.sample(rng))
}

/// One arm of one minute: errors come in bursts of a size with this mean (1 means one by one).
fn arm(rng: &mut ChaCha8Rng, requests: f64, rate: f64, burst: f64) -> Counts {
    let n = poisson(rng, requests).max(1.0);
    let mut errors = 0.0;
    if burst <= 1.0 {
        errors = poisson(rng, n * rate);
    } else {
        for _ in 0..poisson(rng, n * rate / burst) as u64 {
            // Geometric sizes with the wanted mean.
            errors += 1.0;
            while rng.random::<f64>() > 1.0 / burst {
                errors += 1.0;
            }
        }
    }
    Counts::new(n, errors)
}

fn minute(rng: &mut ChaCha8Rng, rpm: f64, factor: f64, burst: f64) -> (Counts, Counts) {
    (arm(rng, rpm * (1.0 - SHARE), RATE, burst), arm(rng, rpm * SHARE, RATE * factor, burst))
}

fn engine(rng: &mut ChaCha8Rng, rpm: f64, margin: f64, burst: f64) -> RatioEngine {
    let mut engine = RatioEngine::new(Direction::Increase, margin);
    for _ in 0..HISTORY {
        engine.learn(arm(rng, rpm * (1.0 - SHARE), RATE, burst));
    }
    engine
}

/// How many of `runs` may be wrong at a level: the level plus three binomial standard errors.
fn allowed(runs: usize, level: f64) -> usize {
    let runs = runs as f64;
    (runs * level + 3.0 * (runs * level * (1.0 - level)).sqrt()).floor() as usize
}

#[test]
fn counts_raise_few_false_alarms_in_a_thousand_peeks() {
    for (seed, runs, burst) in [(1, 150, 1.0), (2, 150, 4.0)] {
        let (alpha, mut harm, mut outside) = (0.05_f64, 0, 0);
        for run in 0..runs {
            let mut rng = ChaCha8Rng::seed_from_u64(seed * 10_000 + run);
            let mut judge = engine(&mut rng, 1000.0, 0.25, burst);
            let (mut alarmed, mut missed) = (false, false);
            for look in 0..PEEKS {
                let (baseline, canary) = minute(&mut rng, 1000.0, 1.0, burst);
                judge.push(baseline, canary);
                alarmed |= judge.evidence_with_restarts().reg >= -alpha.ln();
                // The interval is looked at less often, which only costs power to find a fault.
                if look % 10 == 9 {
                    let (low, high) = judge.confidence(alpha);
                    missed |= low > 1.0 || high.is_some_and(|high| high < 1.0);
                }
            }
            harm += usize::from(alarmed);
            outside += usize::from(missed);
        }
        let most = allowed(runs as usize, alpha);
        println!("bursts of {burst}: {harm} alarms, {outside} missed ranges in {runs} runs");
        assert!(harm <= most, "bursts of {burst}: {harm} false alarms in {runs} runs");
        assert!(outside <= most, "bursts of {burst}: {outside} ranges without 1 in {runs} runs");
    }
}

#[test]
fn a_canary_at_its_margin_is_rarely_cleared() {
    let (runs, beta, mut wrong) = (150, 0.05_f64, 0);
    for run in 0..runs {
        let mut rng = ChaCha8Rng::seed_from_u64(30_000 + run);
        let mut judge = engine(&mut rng, 1000.0, 0.5, 1.0);
        let mut cleared = false;
        for _ in 0..400 {
            let (baseline, canary) = minute(&mut rng, 1000.0, 1.5, 1.0);
            judge.push(baseline, canary);
            cleared |= judge.evidence().safe >= -beta.ln();
        }
        wrong += usize::from(cleared);
    }
    assert!(wrong <= allowed(runs as usize, beta), "{wrong} of {runs}");
}

#[test]
fn the_strict_engine_needs_no_history() {
    let (runs, alpha, mut wrong) = (200, 0.05_f64, 0);
    for run in 0..runs {
        let mut rng = ChaCha8Rng::seed_from_u64(40_000 + run);
        let mut judge = StrictEngine::new(Direction::Increase, 1.0);
        let mut alarmed = false;
        for _ in 0..PEEKS {
            let (baseline, canary) = minute(&mut rng, 1000.0, 1.0, 4.0);
            judge.push(baseline, canary);
            alarmed |= judge.ln_e() >= -alpha.ln();
        }
        wrong += usize::from(alarmed);
    }
    assert!(wrong <= allowed(runs as usize, alpha), "{wrong} of {runs}");
}

#[test]
fn series_raise_few_false_alarms_whatever_their_memory() {
    let (runs, alpha) = (400, 0.05_f64);
    for (seed, memory) in [(1, 0.0_f64), (2, 0.5), (3, 0.9)] {
        let mut wrong = 0;
        for run in 0..runs {
            let mut rng = ChaCha8Rng::seed_from_u64(seed * 100_000 + run);
            let noise = Normal::new(0.0, (1.0 - memory * memory).sqrt()).unwrap();
            let mut judge = SeriesEngine::new(SeriesSettings::default());
            let mut d: f64 = Normal::new(0.0, 1.0).unwrap().sample(&mut rng);
            let mut alarmed = false;
            for _ in 0..PEEKS {
                judge.push(d);
                alarmed |= judge.ln_two_sided(0.0) >= -alpha.ln();
                d = memory * d + noise.sample(&mut rng);
            }
            wrong += usize::from(alarmed);
        }
        println!("memory {memory}: {wrong} of {runs}");
        assert!(wrong <= allowed(runs as usize, alpha), "memory {memory}: {wrong} of {runs}");
    }
}

fn median(mut times: Vec<usize>) -> f64 {
    times.sort_unstable();
    times.get(times.len() / 2).map_or(f64::NAN, |time| *time as f64)
}

/// The median is within a quarter, or two ticks, of what the specification measured.
fn as_measured(what: &str, found: f64, measured: f64) {
    println!("{what}: {found}, measured {measured}");
    let reach = (0.25 * measured).max(2.0);
    assert!((found - measured).abs() <= reach, "{what}: {found} v {measured}");
}

/// Median minutes until `done` says so.
fn delay(
    seed: u64,
    runs: u64,
    (rpm, margin, factor): (f64, f64, f64),
    done: impl Fn(&RatioEngine) -> bool,
) -> f64 {
    let times = (0..runs).map(|run| {
        let mut rng = ChaCha8Rng::seed_from_u64(seed * 1_000_000 + run);
        let mut judge = engine(&mut rng, rpm, margin, 1.0);
        (1..=2000)
            .find(|_| {
                let (baseline, canary) = minute(&mut rng, rpm, factor, 1.0);
                judge.push(baseline, canary);
                done(&judge)
            })
            .unwrap_or(2000)
    });
    median(times.collect())
}

#[test]
fn harm_is_found_as_fast_as_measured() {
    let any = |alpha: f64| move |e: &RatioEngine| e.evidence_with_restarts().reg >= -alpha.ln();
    let beyond = |alpha: f64| move |e: &RatioEngine| e.evidence_with_restarts().fail >= -alpha.ln();
    let found = |seed, rpm, factor, alpha| delay(seed, 401, (rpm, 0.25, factor), any(alpha));
    as_measured("any, 2x, 10k", found(1, 1e4, 2.0, 0.05), 4.0);
    as_measured("any, 1.5x, 10k", found(2, 1e4, 1.5, 0.05), 11.0);
    as_measured("any, 1.5x, 10k, strict line", found(3, 1e4, 1.5, 0.01), 15.0);
    as_measured("any, 2x, 1k", found(4, 1e3, 2.0, 0.05), 28.0);
    as_measured("any, 2x, 1k, strict line", found(5, 1e3, 2.0, 0.01), 42.0);
    as_measured("any, 1.5x, 1k", found(6, 1e3, 1.5, 0.05), 88.0);
    let found = |seed, rpm, factor, alpha| delay(seed, 401, (rpm, 0.25, factor), beyond(alpha));
    as_measured("beyond 1.25, 2x, 10k", found(7, 1e4, 2.0, 0.05), 7.0);
    as_measured("beyond 1.25, 1.5x, 10k", found(8, 1e4, 1.5, 0.05), 48.0);
    as_measured("beyond 1.25, 2x, 1k", found(9, 1e3, 2.0, 0.05), 60.0);
}

#[test]
fn a_healthy_canary_is_cleared_as_fast_as_measured() {
    let clear = |e: &RatioEngine| e.evidence().safe >= 20.0_f64.ln();
    for (seed, rpm, margin, measured) in
        [(11, 1e4, 0.25, 34.0), (12, 1e4, 0.5, 9.0), (13, 1e4, 1.0, 3.0), (14, 1e3, 0.5, 77.0)]
    {
        let found = delay(seed, 401, (rpm, margin, 1.0), clear);
        as_measured(&format!("clearing {margin} at {rpm}"), found, measured);
    }
}

#[test]
fn late_harm_is_found_soon_after_a_restart_only() {
    let late = |restart: bool| {
        let times = (0..201).map(|run| {
            let mut rng = ChaCha8Rng::seed_from_u64(21_000_000 + run);
            let mut judge = engine(&mut rng, 1e4, 0.25, 1.0);
            for _ in 0..120 {
                let (baseline, canary) = minute(&mut rng, 1e4, 1.0, 1.0);
                judge.push(baseline, canary);
            }
            if restart {
                judge.restart();
            }
            (1..=500)
                .find(|_| {
                    let (baseline, canary) = minute(&mut rng, 1e4, 2.0, 1.0);
                    judge.push(baseline, canary);
                    judge.evidence_with_restarts().reg >= 20.0_f64.ln()
                })
                .unwrap_or(500)
        });
        median(times.collect())
    };
    as_measured("with restart", late(true), 4.0);
    as_measured("without", late(false), 19.0);
}

#[test]
fn a_shifted_series_is_found_as_fast_as_measured() {
    for (seed, shift, measured) in [(1_u64, 0.5, 58.0), (2, 1.0, 26.0), (3, 2.0, 17.0)] {
        let times = (0..301).map(|run| {
            let mut rng = ChaCha8Rng::seed_from_u64(seed * 7_000_000 + run);
            let noise = Normal::new(shift, 1.0).unwrap();
            let mut judge = SeriesEngine::new(SeriesSettings::default());
            (1..=2000)
                .find(|_| {
                    judge.push(noise.sample(&mut rng));
                    judge.ln_two_sided(0.0) >= 20.0_f64.ln()
                })
                .unwrap_or(2000)
        });
        as_measured(&format!("shift {shift}"), median(times.collect()), measured);
    }
}
