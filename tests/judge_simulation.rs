//! Seeded simulations: the judge is wrong no more often than it promises, however often one looks, and
//! as fast as its specification measured.

use flightdeck::judge::ratio::RatioEngine;
use flightdeck::judge::series::{SeriesEngine, SeriesSettings};
use flightdeck::judge::strict::StrictEngine;
use flightdeck::judge::{Analysis, Counts, Direction, MetricSpec, Sample, Spec};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, Normal, Poisson};

const PEEKS: usize = 1000;
/// Minutes after which a delay is no longer waited for.
const LONGEST: usize = 8000;
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

/// How many of `runs` may be wrong where a share of `level` is: that and three binomial standard errors. The
/// levels are those that the specification measured, far below the promised 5 %.
fn allowed(runs: usize, level: f64) -> usize {
    let runs = runs as f64;
    (runs * level + 3.0 * (runs * level * (1.0 - level)).sqrt()).floor() as usize
}

#[test]
fn counts_raise_few_false_alarms_in_a_thousand_peeks() {
    for (seed, runs, burst, measured, of_ranges) in
        [(1, 150, 1.0, 0.01, 0.018), (2, 150, 4.0, 0.02, 0.039)]
    {
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
        println!("bursts of {burst}: {harm} alarms, {outside} missed ranges in {runs} runs");
        let most = allowed(runs as usize, measured);
        assert!(harm <= most, "bursts of {burst}: {harm} false alarms in {runs} runs");
        let most = allowed(runs as usize, of_ranges);
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
    assert!(wrong <= allowed(runs as usize, 0.02), "{wrong} of {runs}");
}

/// Eight metrics of a healthy canary that is walked through three shares of the traffic, each with bursts
/// of its own: the whole analysis, with its warm-up, restarts and closed test.
#[test]
fn a_whole_analysis_of_eight_metrics_raises_few_false_alarms_over_three_steps() {
    let (runs, alpha) = (60, 0.05_f64);
    let bursts = [1.0, 1.0, 1.0, 1.0, 4.0, 4.0, 4.0, 4.0];
    let names: Vec<String> = (0..bursts.len()).map(|n| format!("metric {n}")).collect();
    let (mut alarmed, mut blamed) = (0, 0);
    for run in 0..runs {
        let mut rng = ChaCha8Rng::seed_from_u64(50_000 + run);
        let metrics = names.iter().map(|name| MetricSpec::errors(name)).collect();
        let steps = vec![0.05, 0.25, 0.5];
        let spec =
            Spec { alpha, warm_up_ticks: 3, steps: steps.clone(), metrics, ..Spec::default() };
        let mut analysis = Analysis::new(spec).unwrap();
        for (name, burst) in names.iter().zip(bursts) {
            let past = (0..HISTORY).map(|_| arm(&mut rng, 1000.0, RATE, burst));
            assert!(analysis.learn(name, past.collect::<Vec<_>>()));
        }
        let (mut worse, mut guilty) = (false, false);
        for share in steps {
            analysis.step(share);
            for _ in 0..80 {
                let tick: Vec<Sample> = bursts
                    .iter()
                    .map(|burst| Sample::Counts {
                        baseline: Some(arm(&mut rng, 1000.0 * (1.0 - share), RATE, *burst)),
                        canary: Some(arm(&mut rng, 1000.0 * share, RATE, *burst)),
                    })
                    .collect();
                analysis.push(&tick);
                worse |= analysis.ln_global().1 >= -alpha.ln();
                guilty |= analysis.metrics().iter().any(|metric| metric.failed || metric.worse);
            }
        }
        alarmed += usize::from(worse);
        blamed += usize::from(guilty);
    }
    println!("{alarmed} alarms, {blamed} metrics blamed in {runs} runs");
    assert!(alarmed <= allowed(runs as usize, 0.01), "{alarmed} of {runs}");
    assert!(blamed <= allowed(runs as usize, 0.01), "{blamed} of {runs}");
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
    assert!(wrong <= allowed(runs as usize, 0.039), "{wrong} of {runs}");
}

#[test]
fn series_raise_few_false_alarms_whatever_their_memory() {
    let (runs, alpha) = (400, 0.05_f64);
    for (seed, memory, measured) in [(1, 0.0_f64, 0.01), (2, 0.5, 0.023), (3, 0.9, 0.037)] {
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
        assert!(wrong <= allowed(runs as usize, measured), "memory {memory}: {wrong} of {runs}");
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
        (1..=LONGEST)
            .find(|tick| {
                let (baseline, canary) = minute(&mut rng, rpm, factor, 1.0);
                judge.push(baseline, canary);
                // Where it takes days, an hour's worth of looks is enough.
                (*tick < 200 || tick % 10 == 0) && done(&judge)
            })
            .unwrap_or(LONGEST)
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
    as_measured("any, 1.5x, 1k, strict line", found(15, 1e3, 1.5, 0.01), 124.0);
    as_measured("any, 2x, 10k, strict line", found(16, 1e4, 2.0, 0.01), 5.0);
    // The slow ones, by fewer runs.
    let slow = |seed, runs, rpm, factor, alpha| delay(seed, runs, (rpm, 0.25, factor), any(alpha));
    as_measured("any, 1.1x, 10k", slow(17, 101, 1e4, 1.1, 0.05), 231.0);
    as_measured("any, 1.1x, 10k, strict line", slow(18, 101, 1e4, 1.1, 0.01), 316.0);
    as_measured("any, 1.1x, 1k", slow(19, 41, 1e3, 1.1, 0.05), 2115.0);
    as_measured("any, 1.1x, 1k, strict line", slow(20, 41, 1e3, 1.1, 0.01), 2964.0);
    let found = |seed, rpm, factor, alpha| delay(seed, 401, (rpm, 0.25, factor), beyond(alpha));
    as_measured("beyond 1.25, 2x, 10k", found(7, 1e4, 2.0, 0.05), 7.0);
    as_measured("beyond 1.25, 1.5x, 10k", found(8, 1e4, 1.5, 0.05), 48.0);
    as_measured("beyond 1.25, 2x, 1k", found(9, 1e3, 2.0, 0.05), 60.0);
    as_measured("beyond 1.25, 2x, 10k, strict line", found(22, 1e4, 2.0, 0.01), 9.0);
    as_measured("beyond 1.25, 1.5x, 10k, strict line", found(23, 1e4, 1.5, 0.01), 65.0);
    as_measured("beyond 1.25, 2x, 1k, strict line", found(24, 1e3, 2.0, 0.01), 83.0);
    let slow = |seed, alpha| delay(seed, 81, (1e3, 0.25, 1.5), beyond(alpha));
    as_measured("beyond 1.25, 1.5x, 1k", slow(25, 0.05), 420.0);
    as_measured("beyond 1.25, 1.5x, 1k, strict line", slow(26, 0.01), 609.0);
}

#[test]
fn a_healthy_canary_is_cleared_as_fast_as_measured() {
    let clear = |e: &RatioEngine| e.evidence().safe >= 20.0_f64.ln();
    for (seed, runs, rpm, margin, measured) in [
        (11, 401, 1e4, 0.25, 34.0),
        (12, 401, 1e4, 0.5, 9.0),
        (13, 401, 1e4, 1.0, 3.0),
        (14, 401, 1e3, 0.5, 77.0),
        (27, 101, 1e3, 0.25, 269.0),
        (28, 401, 1e3, 1.0, 24.0),
    ] {
        let found = delay(seed, runs, (rpm, margin, 1.0), clear);
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
