//! Laws that the judge obeys on any data: invariances, monotonicity, and never a panic.

use flightdeck::judge::combine::{ClosedTest, ln_weighted_mean};
use flightdeck::judge::kayenta::mann_whitney::Samples;
use flightdeck::judge::kayenta::{MetricResult, Settings, Thresholds, classify, score};
use flightdeck::judge::ratio::RatioEngine;
use flightdeck::judge::series::{SeriesEngine, SeriesSettings};
use flightdeck::judge::strict::StrictEngine;
use flightdeck::judge::{
    Analysis, Counts, Direction, MetricKind, MetricSpec, Sample, Spec, Verdict, beta_binomial,
};
use proptest::prelude::*;

type Tick = (f64, f64, f64, f64);

/// Plausible traffic: requests of both arms and events among them.
fn tick() -> impl Strategy<Value = Tick> {
    (1_u32..20_000, 1_u32..3_000, 0.0_f64..0.1, 0.0_f64..0.1).prop_map(|(n, m, p, q)| {
        (f64::from(n), (f64::from(n) * p).round(), f64::from(m), (f64::from(m) * q).round())
    })
}

fn ticks() -> impl Strategy<Value = Vec<Tick>> {
    prop::collection::vec(tick(), 1..12)
}

/// Anything a double can be.
fn wild() -> impl Strategy<Value = f64> {
    prop_oneof![
        any::<f64>(),
        Just(f64::NAN),
        Just(f64::INFINITY),
        Just(f64::NEG_INFINITY),
        Just(0.0),
        Just(f64::MAX),
        Just(f64::MIN_POSITIVE),
        Just(1e15),
        0.0_f64..1e4,
    ]
}

fn arms(t: &Tick) -> (Counts, Counts) {
    (Counts::new(t.0, t.1), Counts::new(t.2, t.3))
}

fn fed(direction: Direction, data: &[Tick], tempered: bool) -> RatioEngine {
    let mut engine = RatioEngine::new(direction, 0.5);
    if !tempered {
        engine = engine.without_dispersion();
    }
    for t in data {
        let (baseline, canary) = arms(t);
        engine.push(baseline, canary);
    }
    engine
}

fn near(a: f64, b: f64) -> bool {
    (a.is_infinite() && b.is_infinite() && a.signum() * b.signum() > 0.0)
        || (a - b).abs() <= 1e-7 * (1.0 + a.abs().max(b.abs()))
}

fn spec() -> Spec {
    let errors = MetricSpec {
        kind: MetricKind::Count { floor: Some(0.001), strict: false },
        ..MetricSpec::errors("errors")
    };
    let strict = MetricSpec {
        kind: MetricKind::Count { floor: None, strict: true },
        critical: true,
        ..MetricSpec::errors("timeouts")
    };
    Spec {
        warm_up_ticks: 1,
        deadline_ticks: Some(40),
        steps: vec![0.05, 0.25, 1.0],
        metrics: vec![
            errors,
            strict,
            MetricSpec::conversions("orders"),
            MetricSpec::latency("p95"),
            MetricSpec { muted: true, ..MetricSpec::latency("cpu") },
        ],
        ..Spec::default()
    }
}

fn row(t: &Tick) -> Vec<Sample> {
    let counts = Sample::counts((t.0, t.1), (t.2, t.3));
    vec![counts, counts, counts, Sample::values(t.0, t.2), Sample::values(t.1, t.3)]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn only_the_split_of_traffic_matters_to_ratios(data in ticks(), factor in 0.01_f64..100.0) {
        let scaled: Vec<Tick> =
            data.iter().map(|t| (t.0 * factor, t.1, t.2 * factor, t.3)).collect();
        let a = fed(Direction::Increase, &data, true).evidence_with_restarts();
        let b = fed(Direction::Increase, &scaled, true).evidence_with_restarts();
        prop_assert!(near(a.reg, b.reg) && near(a.fail, b.fail) && near(a.safe, b.safe));
    }

    #[test]
    fn swapping_arms_and_direction_changes_nothing(data in ticks()) {
        let swapped: Vec<Tick> = data.iter().map(|t| (t.2, t.3, t.0, t.1)).collect();
        let up = fed(Direction::Increase, &data, false);
        let down = fed(Direction::Decrease, &swapped, false);
        prop_assert!(near(up.evidence().reg, down.evidence().reg));
        prop_assert!(near(up.estimate().ln(), -down.estimate().ln()));
        prop_assert!(near(up.ln_either().0, down.ln_either().1));
    }

    #[test]
    fn an_event_moved_to_the_canary_is_evidence_of_harm(data in ticks(), moved in 1.0_f64..50.0) {
        let mut worse = data.clone();
        let last = worse.last_mut().unwrap();
        let moved = moved.min(last.1);
        last.1 -= moved;
        last.3 += moved;
        let (a, b) = (fed(Direction::Increase, &data, true), fed(Direction::Increase, &worse, true));
        let (a, b) = (a.evidence(), b.evidence());
        prop_assert!(b.reg >= a.reg - 1e-9 && b.fail >= a.fail - 1e-9 && b.safe <= a.safe + 1e-9);
    }

    #[test]
    fn the_order_of_ticks_does_not_matter_to_one_start(data in ticks()) {
        let reversed: Vec<Tick> = data.iter().rev().copied().collect();
        let a = fed(Direction::Increase, &data, false).evidence();
        let b = fed(Direction::Increase, &reversed, false).evidence();
        prop_assert!(near(a.reg, b.reg) && near(a.fail, b.fail) && near(a.safe, b.safe));
    }

    #[test]
    fn looking_changes_nothing_and_gaps_add_nothing(data in ticks(), at in 0_usize..12) {
        let mut looked = Analysis::new(spec()).unwrap();
        let mut quiet = Analysis::new(spec()).unwrap();
        let mut gappy = Analysis::new(spec()).unwrap();
        for (i, t) in data.iter().enumerate() {
            looked.push(&row(t));
            let _ = (looked.report(), looked.decide(), looked.report());
            quiet.push(&row(t));
            gappy.push(&row(t));
            if i == at {
                gappy.push(&[]);
                let silent = Sample::counts((100.0, 1.0), (0.0, 0.0));
                gappy.push(&[silent, silent, silent]);
            }
        }
        prop_assert_eq!(looked.report(), quiet.report());
        for (a, b) in quiet.metrics().iter().zip(gappy.metrics()) {
            // A gap at the very beginning may only fall into the warm-up.
            prop_assert_eq!(a.evidence, b.evidence);
        }
    }

    #[test]
    fn equal_rates_under_any_split_are_no_harm(
        splits in prop::collection::vec(0.001_f64..0.999, 1..30),
        rate in 0.001_f64..0.2,
    ) {
        let mut engine = RatioEngine::new(Direction::Increase, 0.5);
        for split in splits {
            let (n, m) = (1e5 * (1.0 - split), 1e5 * split);
            engine.push(Counts::new(n, n * rate), Counts::new(m, m * rate));
        }
        let evidence = engine.evidence_with_restarts();
        prop_assert!(evidence.reg < 1e-9 && evidence.fail < 1e-9, "{evidence:?}");
        let (low, high) = engine.confidence(0.05);
        prop_assert!(low < 1.0 && high.is_none_or(|high| high > 1.0));
    }

    #[test]
    fn a_failure_is_never_taken_back(bad in ticks(), good in ticks()) {
        let mut analysis = Analysis::new(Spec { warm_up_ticks: 0, ..spec() }).unwrap();
        let mut failed = false;
        for t in &bad {
            analysis.push(&row(&(t.0 * 10.0, t.1, t.2, t.2)));
            failed |= analysis.verdict() == Verdict::Fail;
        }
        for t in &good {
            analysis.step(0.25);
            analysis.push(&row(&(t.0, t.1, t.2, 0.0)));
            prop_assert!(!failed || analysis.verdict() == Verdict::Fail);
            failed |= analysis.verdict() == Verdict::Fail;
        }
        let score = analysis.score();
        prop_assert!((0.0..=100.0).contains(&score));
    }

    #[test]
    fn a_series_cares_for_ratios_only(
        pairs in prop::collection::vec((1.0_f64..1e3, 1.0_f64..1e3), 12..30),
        unit in 1e-6_f64..1e6,
    ) {
        let run = |unit: f64| {
            let mut engine = SeriesEngine::new(SeriesSettings::default());
            for (a, b) in &pairs {
                engine.push_pair(a * unit, b * unit);
            }
            engine
        };
        let (a, b) = (run(1.0), run(unit));
        prop_assert!(near(a.ln_two_sided(0.1), b.ln_two_sided(0.1)));
        let spread = |scale: f64| {
            let mut engine = SeriesEngine::new(SeriesSettings::default());
            for (a, b) in &pairs {
                engine.push((b / a).ln() * scale);
            }
            engine.ln_two_sided(0.0)
        };
        prop_assert!(near(spread(1.0), spread(unit)), "scale-free against a mean of 0");
    }

    #[test]
    fn adjusted_evidence_is_monotone_and_never_above_its_own(
        values in prop::collection::vec((-5.0_f64..30.0, 0.1_f64..5.0), 1..12),
        raise in 0.0_f64..5.0,
        at in 0_usize..12,
    ) {
        let mut raised = values.clone();
        let slot = at % raised.len();
        raised[slot].0 += raise;
        let (before, after) = (ClosedTest::new(&values), ClosedTest::new(&raised));
        for (old, new) in values.iter().zip(&raised) {
            let (a, b) = (before.ln_adjusted(old.0, old.1), after.ln_adjusted(new.0, new.1));
            prop_assert!(b >= a - 1e-9 && a <= old.0 + 1e-9);
            prop_assert!(a <= ln_weighted_mean(&values) + 1e-9);
        }
    }

    #[test]
    fn exact_roots_do_not_depend_on_the_unit_and_mirror_with_the_arms(
        x in prop::collection::vec(0.1_f64..10.0, 8..16),
        y in prop::collection::vec(0.1_f64..10.0, 8..16),
        power in -20_i32..20,
    ) {
        // A power of two changes no digit.
        let scale = 2.0_f64.powi(power);
        let scaled = |v: &[f64]| v.iter().map(|x| x * scale).collect::<Vec<_>>();
        let settings = Settings { exact_roots: true, ..Settings::default() };
        let label = classify(&settings, &x, &y).classification;
        prop_assert_eq!(label, classify(&settings, &scaled(&x), &scaled(&y)).classification);
        let there = Samples::new(&x, &y).unwrap().exact_crossings(0.98).unwrap();
        let back = Samples::new(&y, &x).unwrap().exact_crossings(0.98).unwrap();
        prop_assert!(near(there.low, -back.high) && near(there.estimate, -back.estimate));
    }

    #[test]
    fn nothing_panics_and_nothing_becomes_not_a_number(
        numbers in prop::collection::vec(wild(), 4..40),
        weights in prop::collection::vec(wild(), 1..6),
    ) {
        let mut analysis = Analysis::new(spec()).unwrap();
        let mut strict = StrictEngine::new(Direction::Decrease, 0.9);
        for (i, t) in numbers.windows(4).enumerate() {
            if let Some(weight) = weights.get(i % 7) {
                analysis.step(*weight);
            }
            let t = (t[0], t[1], t[2], t[3]);
            analysis.push(&row(&t));
            let (baseline, canary) = arms(&t);
            strict.push(baseline, canary);
            strict.restart();
        }
        let report = analysis.report();
        let all = report.metrics.iter().flat_map(|metric| {
            [metric.harm.ln, metric.any_harm.ln, metric.safety.ln, metric.adjusted_harm.ln]
        });
        for ln in all.chain([report.harm.ln, report.score, strict.ln_e_with_restarts()]) {
            prop_assert!(!ln.is_nan() && ln < f64::INFINITY, "{report:?}");
        }
        prop_assert!(!report.lead.is_empty() && !report.sentence.contains("NaN"), "{report:?}");
        let text = serde_json::to_string(&report).unwrap();
        prop_assert_eq!(serde_json::from_str::<flightdeck::judge::Report>(&text).unwrap().lead, report.lead);
        let share = beta_binomial::Share { k: numbers[0], n: numbers[1] };
        let _ = (share.ln_m(numbers[2]), share.confidence(numbers[3]), share.ln_below(numbers[2]));
        let _ = beta_binomial::quantile_ranks(7, numbers[0], numbers[1], numbers[2]);
        let _ = flightdeck::judge::series::asymptotic_confidence(
            numbers[0], numbers[1], numbers[2], numbers[3], 30.0);
        let _ = flightdeck::judge::series::calibrate_v_min(&numbers);
    }

    #[test]
    fn kayenta_never_panics(
        a in prop::collection::vec(wild(), 0..12),
        b in prop::collection::vec(wild(), 0..12),
        exact in any::<bool>(),
        outliers in any::<bool>(),
        factor in wild(),
    ) {
        let settings = Settings {
            exact_roots: exact,
            remove_outliers: outliers,
            outlier_factor: factor,
            ..Settings::default()
        };
        let outcome = classify(&settings, &a, &b);
        let result = MetricResult {
            classification: outcome.classification,
            critical: outcome.critical,
            groups: vec!["g".into()],
            muted: false,
        };
        let weights = [("g".to_owned(), factor)].into();
        let _ = score(&[result], &weights, Thresholds { pass: factor, marginal: 75.0 });
    }

    #[test]
    fn a_saved_analysis_goes_on_where_it_was(data in ticks(), more in ticks()) {
        let mut kept = Analysis::new(spec()).unwrap();
        kept.step(0.05);
        for t in &data {
            kept.push(&row(t));
        }
        kept.step(0.25);
        let text = serde_json::to_string(&kept).unwrap();
        let mut back: Analysis = serde_json::from_str(&text).unwrap();
        for t in &more {
            kept.push(&row(t));
            back.push(&row(t));
        }
        let (a, b) = (kept.report(), back.report());
        prop_assert!(near(a.harm.ln, b.harm.ln) && near(a.score, b.score));
        prop_assert_eq!((a.lead, a.obstacles), (b.lead, b.obstacles));
    }
}
