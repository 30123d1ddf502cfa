//! What the judge tells people and the autopilot in each situation.

#![expect(clippy::unwrap_used, reason = "a failing unwrap in a test is a failing test")]

use flightdeck::judge::metric::DataState;
use flightdeck::judge::{
    Action, Analysis, Counts, MetricKind, MetricSpec, Obstacle, Report, Sample, Spec, Verdict,
};

fn spec(metrics: Vec<MetricSpec>) -> Spec {
    Spec { warm_up_ticks: 0, steps: vec![0.05, 0.1, 0.5, 1.0], metrics, ..Spec::default() }
}

fn started(spec: Spec) -> Analysis {
    let mut analysis = Analysis::new(spec).unwrap();
    let history = (0..120).map(|i| Counts::new(9500.0, 90.0 + f64::from(i % 3) * 5.0));
    analysis.learn("errors", history);
    analysis.step(0.05);
    analysis
}

/// One minute at 10,000 requests, 5 % on the canary, which has so many errors.
fn errors(on_canary: f64) -> Sample {
    Sample::counts((9500.0, 95.0), (500.0, on_canary))
}

/// A p95 that wobbles, a given factor slower on the canary.
fn p95(at: usize, factor: f64) -> Sample {
    let wobble = 1.0 + 0.05 * (at as f64 * 2.4).sin();
    Sample::values(100.0, 100.0 * factor * wobble)
}

fn told(analysis: &Analysis) -> Report {
    let report = analysis.report();
    println!("{}  {}", report.lead, report.sentence);
    report
}

#[test]
fn harm_is_rolled_back_and_named() {
    let mut analysis = started(spec(vec![MetricSpec::errors("errors")]));
    for _ in 0..15 {
        analysis.push(&[errors(15.0)]);
    }
    let report = told(&analysis);
    assert_eq!((report.verdict, report.action), (Verdict::Fail, Action::RollBack));
    assert_eq!(
        (report.lead.as_str(), report.culprits.as_slice()),
        ("ROLL BACK", &["errors".into()][..])
    );
    for part in ["errors", "× baseline (plausible ", " pp", "extra a minute", "(line 100:1)"] {
        assert!(report.sentence.contains(part), "no `{part}` in: {}", report.sentence);
    }
    let absolute = report.metrics.first().unwrap().absolute.unwrap();
    assert!(
        (absolute.baseline_rate - 0.01).abs() < 1e-12
            && (absolute.canary_rate - 0.03).abs() < 1e-12
    );
    assert!((absolute.extra_per_minute - 10.0).abs() < 1.5, "500 a minute, two points more");
}

#[test]
fn watching_tells_how_long_at_which_traffic() {
    let mut analysis = started(spec(vec![MetricSpec::errors("errors")]));
    for _ in 0..4 {
        analysis.push(&[errors(5.0)]);
    }
    let report = told(&analysis);
    assert_eq!((report.verdict, report.action), (Verdict::NotEnoughData, Action::Wait));
    assert!(report.lead == "WATCHING" && report.sentence.starts_with("no sign of harm"));
    assert!(
        report.sentence.contains(" at 5%, ~") && report.sentence.contains("to clear errors ≤1.5×")
    );
    let (now, more) = (report.seconds_needed.unwrap(), report.seconds_at.first().unwrap());
    assert!((more.weight - 0.1).abs() < 1e-12);
    assert!((more.seconds / now - 0.0475 / 0.09).abs() < 1e-9, "time goes with 1/(w·(1−w))");
    assert!(report.seconds_at.iter().all(|at| at.weight < 1.0), "no comparison without a baseline");
}

#[test]
fn a_pass_bakes_before_the_next_step_and_again_after_it() {
    let mut analysis = started(spec(vec![MetricSpec::errors("errors")]));
    let minute = Sample::counts((90_000.0, 900.0), (10_000.0, 100.0));
    analysis.push(&[minute]);
    analysis.push(&[minute]);
    let report = told(&analysis);
    assert_eq!((report.verdict, report.action), (Verdict::Pass, Action::Wait));
    assert!(report.obstacles.contains(&Obstacle::Baking { ticks: 3 }));
    for _ in 0..3 {
        analysis.push(&[minute]);
    }
    let report = told(&analysis);
    assert_eq!((report.lead.as_str(), report.action), ("CLEARED", Action::NextStep));
    analysis.step(0.1);
    analysis.push(&[minute]);
    assert_eq!(analysis.decide().action, Action::Wait);
}

#[test]
fn what_was_cleared_and_is_worse_since_takes_no_step() {
    let mut analysis = started(spec(vec![MetricSpec::errors("errors")]));
    let minute = |events: f64| Sample::counts((90_000.0, 900.0), (10_000.0, events));
    for _ in 0..6 {
        analysis.push(&[minute(100.0)]);
    }
    assert_eq!(told(&analysis).action, Action::NextStep);
    // At the margin: no harm beyond it is ever proven, and the evidence for less melts away.
    let mut seen = Vec::new();
    for _ in 0..60 {
        analysis.push(&[minute(165.0)]);
        let report = analysis.report();
        seen.push((report.verdict, report.action));
        if report.verdict != Verdict::Pass {
            break;
        }
    }
    assert_eq!(*seen.last().unwrap(), (Verdict::NotEnoughData, Action::Wait), "{seen:?}");
    let report = told(&analysis);
    assert_eq!(analysis.verdict(), Verdict::Pass, "the evidence as such is never taken back");
    assert_eq!(report.lead, "WATCHING");
    assert!(
        report.sentence.starts_with("was cleared, and is worse since: errors 1."),
        "{report:?}"
    );
    assert!(report.safe.is_empty(), "{:?}", report.safe);
    let worsened = Obstacle::Worsened { metric: "errors".to_owned() };
    assert!(report.obstacles.contains(&worsened), "{:?}", report.obstacles);
}

#[test]
fn a_silent_canary_holds_and_a_critical_one_rolls_back() {
    for (critical, verdict, action) in
        [(false, Verdict::Marginal, Action::HoldAndPage), (true, Verdict::Fail, Action::RollBack)]
    {
        for silence in [Some(Counts::new(0.0, 0.0)), None] {
            let metric = MetricSpec { critical, ..MetricSpec::errors("errors") };
            let mut analysis = started(spec(vec![metric]));
            analysis.push(&[errors(5.0)]);
            let baseline = Some(Counts::new(9500.0, 95.0));
            for _ in 0..4 {
                analysis.push(&[Sample::Counts { baseline, canary: silence }]);
            }
            assert_eq!(analysis.decide().action, Action::Wait, "four ticks are not silence yet");
            analysis.push(&[Sample::Counts { baseline, canary: silence }]);
            let report = told(&analysis);
            assert_eq!((report.verdict, report.action), (verdict, action));
            assert_eq!(report.lead, "NO DATA");
            assert!(report.sentence.starts_with("canary silent 5 min while baseline reports."));
            assert_eq!(report.sentence.contains("Roll back"), critical);
            assert_eq!(report.metrics.first().unwrap().data, DataState::CanarySilent { ticks: 5 });
        }
    }
}

#[test]
fn too_little_traffic_is_not_silence() {
    let mut analysis = started(spec(vec![MetricSpec::errors("errors")]));
    for _ in 0..6 {
        analysis.push(&[Sample::counts((3.0, 0.0), (0.0, 0.0))]);
    }
    assert_eq!(analysis.decide().verdict, Verdict::NotEnoughData, "at 5 % one request is expected");
}

#[test]
fn a_required_metric_without_data_blocks_the_pass() {
    let mut analysis =
        started(spec(vec![MetricSpec::errors("errors"), MetricSpec::latency("p95")]));
    for at in 0..60 {
        analysis.push(&[errors(5.0), p95(at, 1.0)]);
    }
    assert_eq!(analysis.decide().action, Action::NextStep);
    for _ in 0..5 {
        analysis.push(&[errors(5.0), Sample::Missing]);
    }
    let report = told(&analysis);
    assert_eq!((report.evidence, report.verdict), (Verdict::Pass, Verdict::NotEnoughData));
    assert_eq!((report.lead.as_str(), report.action), ("NO DATA", Action::Wait));
    assert!(report.sentence.contains("p95 not readable for 5 min"), "{}", report.sentence);
    analysis.push(&[errors(5.0), p95(3, 1.0)]);
    assert_eq!(analysis.decide().verdict, Verdict::Pass);
}

#[test]
fn an_uncalibrated_series_alone_calls_a_human() {
    for (v_min, action) in [(None, Action::HoldAndPage), (Some(1.2), Action::RollBack)] {
        let slow = MetricSpec { kind: MetricKind::Series { v_min }, ..MetricSpec::latency("p95") };
        let mut analysis = started(spec(vec![MetricSpec::errors("errors"), slow]));
        for at in 0..40 {
            analysis.push(&[errors(5.0), p95(at, 1.5)]);
        }
        let report = told(&analysis);
        assert_eq!((report.verdict, report.action), (Verdict::Fail, action));
        assert_eq!(report.culprits, ["p95"]);
        assert_eq!(report.safe, ["errors"]);
    }
}

#[test]
fn a_critical_silence_takes_back_whatever_a_series_had_shown() {
    let critical = MetricSpec { critical: true, weight: Some(1.0), ..MetricSpec::errors("errors") };
    let mut analysis = started(spec(vec![critical, MetricSpec::latency("p95")]));
    for at in 0..60 {
        analysis.push(&[errors(5.0), p95(at, 1.5)]);
    }
    assert_eq!(analysis.decide().action, Action::HoldAndPage, "the series alone calls a human");
    let baseline = Some(Counts::new(9500.0, 95.0));
    for at in 0..5 {
        analysis.push(&[Sample::Counts { baseline, canary: None }, p95(at, 1.5)]);
    }
    let report = told(&analysis);
    assert_eq!((report.verdict, report.action), (Verdict::Fail, Action::RollBack));
}

#[test]
fn of_metrics_of_which_none_is_required_all_are_and_the_muted_say_nothing() {
    let loose = |name| MetricSpec { required: false, ..MetricSpec::errors(name) };
    let mut analysis = started(spec(vec![loose("errors"), loose("others")]));
    for _ in 0..60 {
        analysis.push(&[errors(5.0), Sample::Missing]);
    }
    assert_eq!(analysis.verdict(), Verdict::NotEnoughData, "the other one has shown nothing");
    for _ in 0..60 {
        analysis.push(&[errors(5.0), errors(5.0)]);
    }
    assert_eq!(analysis.verdict(), Verdict::Pass);
    let muted = MetricSpec { muted: true, ..MetricSpec::errors("errors") };
    let mut analysis = started(spec(vec![muted]));
    for _ in 0..60 {
        analysis.push(&[errors(50.0)]);
    }
    let report = told(&analysis);
    assert_eq!((report.verdict, report.action), (Verdict::NotEnoughData, Action::Wait));
}

#[test]
fn a_deadline_holds_and_never_passes() {
    let late = Spec { deadline_ticks: Some(3), ..spec(vec![MetricSpec::errors("errors")]) };
    let mut analysis = started(late);
    for _ in 0..3 {
        analysis.push(&[errors(5.0)]);
    }
    let report = told(&analysis);
    assert_eq!((report.lead.as_str(), report.action), ("HOLD", Action::Hold));
    for _ in 0..30 {
        analysis.push(&[errors(5.0)]);
    }
    let report = told(&analysis);
    assert_eq!((report.verdict, report.action), (Verdict::Pass, Action::Hold));
}

#[test]
fn nothing_yet_and_warm_up_are_states_of_their_own() {
    let warm = Spec { warm_up_ticks: 3, ..spec(vec![MetricSpec::errors("errors")]) };
    let mut analysis = started(warm);
    analysis.push(&[errors(400.0)]);
    assert_eq!(told(&analysis).lead, "WARMING UP");
    analysis.push(&[errors(400.0)]);
    analysis.push(&[errors(400.0)]);
    let report = told(&analysis);
    assert_eq!((report.lead.as_str(), report.ticks), ("NO DATA", 0));
    assert_eq!(report.metrics.first().unwrap().data, DataState::Awaited);
}

#[test]
fn worse_but_tolerated_is_marginal_until_it_is_safe() {
    let mut analysis = started(spec(vec![MetricSpec::errors("errors")]));
    let minute = Sample::counts((40_000.0, 400.0), (10_000.0, 133.0));
    let mut seen = Vec::new();
    for _ in 0..60 {
        analysis.push(&[minute]);
        let report = analysis.report();
        if seen.last() != Some(&report.verdict) {
            println!("{}  {}", report.lead, report.sentence);
            seen.push(report.verdict);
        }
    }
    assert_eq!(seen, [Verdict::NotEnoughData, Verdict::Marginal, Verdict::Pass]);
}

#[test]
fn errors_that_the_baseline_has_none_of_are_told_as_they_are() {
    let mut analysis = started(spec(vec![MetricSpec::errors("errors")]));
    for _ in 0..10 {
        analysis.push(&[Sample::counts((1000.0, 0.0), (1000.0, 250.0))]);
    }
    let report = told(&analysis);
    assert_eq!(report.verdict, Verdict::Fail);
    assert!(report.sentence.contains("+25.0 pp, ≈250 extra a minute"), "{}", report.sentence);
}

#[test]
fn bursts_and_missing_events_are_said() {
    let mut analysis = started(spec(vec![MetricSpec::errors("errors")]));
    for at in 0..30 {
        let burst = if at % 4 == 0 { 400.0 } else { 10.0 };
        analysis.push(&[Sample::counts((9500.0, burst), (500.0, burst / 19.0))]);
    }
    let report = told(&analysis);
    assert!(report.notes.iter().any(|note| note.starts_with("errors are bursty (×")), "{report:?}");
    let mut quiet = Analysis::new(spec(vec![MetricSpec::errors("errors")])).unwrap();
    for _ in 0..10 {
        quiet.push(&[Sample::counts((9500.0, 0.0), (500.0, 0.0))]);
    }
    let report = told(&quiet);
    assert!(report.sentence.starts_with("no sign of harm"), "1:1 is where everyone starts");
    assert!(report.notes.iter().any(|note| note.contains("a floor could clear it")));
}

#[test]
fn a_specification_without_sense_is_refused() {
    let bad = |change: fn(&mut Spec)| {
        let mut spec = spec(vec![MetricSpec::errors("errors")]);
        change(&mut spec);
        Analysis::new(spec).map(|_| ()).unwrap_err().to_string()
    };
    assert!(bad(|s| s.metrics.clear()).contains("no metric"));
    assert!(bad(|s| s.alpha = f64::NAN).contains("alpha"));
    assert!(bad(|s| s.metrics.push(MetricSpec::errors("errors"))).contains("twice"));
    assert!(bad(|s| s.metrics.iter_mut().for_each(|m| m.margin = -1.0)).contains("margin"));
    assert!(bad(|s| s.steps.push(5.0)).contains("step"));
}
