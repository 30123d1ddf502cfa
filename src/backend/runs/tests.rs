//! Runs as their files tell them: growing, torn, foreign, hostile.

use std::sync::Arc;

use jiff::SignedDuration;

use super::*;
use crate::backend::clock::WallClock;
use crate::backend::context::Meter;
use crate::config::Config;
use crate::domain::series::SeriesKind;

fn spec(name: &str, run: &str, side: &str, figure: &str) -> SeriesSpec {
    SeriesSpec {
        id: SeriesId::new(&SourceId::new("runs"), name),
        query: SeriesQuery::Arm { split: run.into(), arm: side.into(), figure: figure.into() },
        kind: SeriesKind::Delta,
        unit: "count".into(),
        step: SignedDuration::from_secs(10),
        window: SignedDuration::from_hours(1),
    }
}

fn line(seconds_ago: i64, warm_up: bool, sent: u64, errors: u64) -> String {
    let at = jiff::Timestamp::now() - SignedDuration::from_secs(seconds_ago);
    let side = |errors| serde_json::json!({ "sent": sent, "errors": errors, "latency_ms": { "p99": 12.5 } });
    let tick = serde_json::json!({
        "format": "flightdeck/probe-tick/1", "at": at, "warm_up": warm_up,
        "baseline": side(0), "canary": side(errors),
    });
    format!("{tick}\n")
}

async fn read(folder: &Path, specs: &[SeriesSpec]) -> (Observation, u64) {
    let settings = RunsSource { folder: folder.to_owned(), ..RunsSource::default() };
    let schedule = Config::default().schedule("runs");
    let source = Runs::new(SourceId::new("runs"), settings, &schedule, specs.to_vec());
    let meter = Arc::new(Meter::new(1_000));
    let context = ReadContext::new(Arc::new(WallClock), 0, meter);
    let items = specs.iter().map(|spec| ItemId::Series(spec.id.clone())).collect();
    let scope = Scope { topic: Topic::Series, items };
    let answer = source.observe(&scope, &context).await.unwrap();
    (answer, context.calls())
}

fn values(answer: &Observation, at: usize) -> Vec<f64> {
    let Some(Fact::Series(series)) = answer.facts.get(at) else { panic!("{answer:?}") };
    series.points.iter().map(|point| point.value).collect()
}

#[tokio::test]
async fn each_figure_of_each_side_is_told_and_the_warm_up_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let report = "{\"format\": \"flightdeck/probe/1\", \"verdict\": \"pass\"}\n";
    let text = [
        line(7_200, false, 9, 9),
        line(40, true, 100, 50),
        line(30, false, 100, 1),
        line(20, false, 90, 2),
        report.to_owned(),
    ];
    std::fs::write(folder.path().join("shop.ndjson"), text.concat()).unwrap();
    let specs = [
        spec("errors", "shop", "canary", "errors"),
        spec("requests", "shop", "baseline", "requests"),
        spec("p99", "shop", "canary", "p99"),
        spec("none", "shop", "canary", "differences"),
    ];
    let (answer, calls) = read(folder.path(), &specs).await;
    assert_eq!(calls, 1, "one look at one file");
    assert_eq!(values(&answer, 0), [1.0, 2.0]);
    assert_eq!(values(&answer, 1), [100.0, 90.0]);
    assert_eq!(values(&answer, 2), [12.5, 12.5]);
    assert!(values(&answer, 3).is_empty(), "what is not told is not zero");
    assert!(answer.faults.is_empty(), "{:?}", answer.faults);
}

#[tokio::test]
async fn a_line_that_is_half_written_waits_and_others_are_counted() {
    let folder = tempfile::tempdir().unwrap();
    let mut text = line(30, false, 100, 1) + "what is this\n" + &line(20, false, 90, 2);
    let half = line(10, false, 80, 3);
    text.push_str(half.get(..40).unwrap());
    std::fs::write(folder.path().join("shop.ndjson"), &text).unwrap();
    let specs = [spec("errors", "shop", "canary", "errors")];
    let (answer, _) = read(folder.path(), &specs).await;
    assert_eq!(values(&answer, 0), [1.0, 2.0]);
    let Some(Fact::Series(series)) = answer.facts.first() else { panic!("{answer:?}") };
    assert_eq!(series.note, Some("1 line could not be read".into()));
    std::fs::write(folder.path().join("shop.ndjson"), text + half.get(40..).unwrap()).unwrap();
    let (answer, _) = read(folder.path(), &specs).await;
    assert_eq!(values(&answer, 0), [1.0, 2.0, 3.0]);
}

#[tokio::test]
async fn a_run_that_is_not_there_is_unknown_and_spoils_no_other() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("shop.ndjson"), line(30, false, 100, 1)).unwrap();
    std::fs::create_dir(folder.path().join("folder.ndjson")).unwrap();
    let specs = [
        spec("errors", "shop", "canary", "errors"),
        spec("gone", "gone", "canary", "errors"),
        spec("folder", "folder", "canary", "errors"),
        spec("out", "../secret", "canary", "errors"),
        spec("side", "shop", "left", "errors"),
    ];
    let (answer, _) = read(folder.path(), &specs).await;
    assert_eq!(values(&answer, 0), [1.0]);
    let kinds: Vec<&FaultKind> = answer.faults.iter().map(|(_, fault)| &fault.kind).collect();
    let invalid = &FaultKind::InvalidRequest;
    assert_eq!(kinds, [&FaultKind::Unreachable, &FaultKind::Unreachable, invalid, invalid]);
}
