//! Prometheus against a loopback server that answers in the shapes of its documented HTTP API.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use jiff::SignedDuration;

use super::*;
use crate::backend::clock::Clock;
use crate::backend::context::Meter;
use crate::backend::responder::{Asked, Reply, Responder, closed_port};
use crate::config::Config;
use crate::domain::alarm::AlarmState;
use crate::domain::environment::Health;
use crate::domain::series::{Series, SeriesKind, SeriesQuery};

/// A clock that stands until it is set.
struct Hand(AtomicI64);

impl Clock for Hand {
    fn now(&self) -> Timestamp {
        Timestamp::from_second(self.0.load(Ordering::SeqCst)).unwrap()
    }
}

const NOW: i64 = 1_700_000_040;

struct Bench {
    source: Prometheus,
    clock: Arc<Hand>,
    context: ReadContext,
}

fn bench(url: &str, queries: &[(&str, &str)]) -> Bench {
    bench_of(url, queries, SeriesQuery::Expression)
}

fn bench_of(url: &str, queries: &[(&str, &str)], make: fn(String) -> SeriesQuery) -> Bench {
    let id = SourceId::new("prom");
    let specs = queries.iter().map(|(name, query)| SeriesSpec {
        id: SeriesId::new(&id, name),
        query: make((*query).to_owned()),
        kind: SeriesKind::Gauge,
        unit: "ms".into(),
        step: SignedDuration::from_secs(60),
        window: SignedDuration::from_mins(10),
    });
    let settings = serde_json::from_value(serde_json::json!({ "url": url })).unwrap();
    let schedule = Config::default().schedule("prom");
    let source = Prometheus::new(id.clone(), settings, &schedule, specs.collect()).unwrap();
    let clock = Arc::new(Hand(AtomicI64::new(NOW)));
    let shared: Arc<dyn Clock> = clock.clone();
    Bench { source, clock, context: ReadContext::new(shared, 3, Arc::new(Meter::new(60_000))) }
}

impl Bench {
    async fn series(&self, names: &[&str]) -> Result<Observation, Fault> {
        let items = names.iter().map(|n| ItemId::Series(SeriesId::new(&self.source.meta.id, n)));
        let scope = Scope { topic: Topic::Series, items: items.collect() };
        self.source.observe(&scope, &self.context).await
    }

    async fn overview(&self) -> Result<Observation, Fault> {
        let scope = Scope { topic: Topic::Overview, items: Vec::new() };
        self.source.observe(&scope, &self.context).await
    }
}

fn series_of(answer: &Observation) -> Vec<&Series> {
    let facts = answer.facts.iter();
    facts.filter_map(|fact| if let Fact::Series(s) = fact { Some(s) } else { None }).collect()
}

/// A matrix with one series per entry: its labels as JSON, and `(seconds, value)` pairs.
fn matrix(results: &[(&str, &[(i64, &str)])]) -> String {
    let results: Vec<String> = results
        .iter()
        .map(|(labels, values)| {
            let values: Vec<String> =
                values.iter().map(|(at, value)| format!(r#"[{at}.781,"{value}"]"#)).collect();
            format!(r#"{{"metric":{labels},"values":[{}]}}"#, values.join(","))
        })
        .collect();
    let results = results.join(",");
    format!(r#"{{"status":"success","data":{{"resultType":"matrix","result":[{results}]}}}}"#)
}

#[tokio::test]
async fn odd_numbers_are_no_points_and_are_told() {
    let server = Responder::start(|_| {
        let values = [
            (NOW - 120, "1.5"),
            (NOW - 60, "NaN"),
            (NOW - 30, "+Inf"),
            (NOW - 20, "-Inf"),
            (NOW, "2"),
        ];
        Reply::json(&matrix(&[(r#"{"job":"web"}"#, &values)]))
    })
    .await;
    let answer = bench(&server.url, &[("p99", "x")]).series(&["p99"]).await.unwrap();
    let series = series_of(&answer)[0];
    let values: Vec<f64> = series.points.iter().map(|p| p.value).collect();
    assert_eq!(values, [1.5, 2.0]);
    assert_eq!(series.points[0].at.as_millisecond(), (NOW - 120) * 1000 + 781);
    assert_eq!(series.note.as_ref().unwrap().as_str(), "3 values are NaN or infinite");
    assert!(answer.faults.is_empty());
    assert_eq!(answer.epoch, 3);
}

#[tokio::test]
async fn no_data_is_a_series_that_says_so_and_an_error_is_a_fault() {
    let server = Responder::start(|asked| match asked.query["query"].as_str() {
        "empty" => Reply::json(&matrix(&[])),
        "warned" => Reply::json(
            r#"{"status":"success","data":{"resultType":"matrix","result":[]},
                "warnings":["a store did not answer"],"infos":["not a counter?"]}"#,
        ),
        _ => Reply::status(
            400,
            r#"{"status":"error","errorType":"bad_data","error":"1:3: parse error: unexpected end"}"#,
        ),
    })
    .await;
    let bench = bench(&server.url, &[("a", "empty"), ("b", "warned"), ("c", "(")]);
    let answer = bench.series(&["a", "b", "c"]).await.unwrap();
    let [empty, warned] = series_of(&answer)[..] else { panic!("{answer:?}") };
    assert!(empty.points.is_empty());
    assert_eq!(empty.note.as_ref().unwrap().as_str(), "no data in the last 10m");
    let note = warned.note.as_ref().unwrap().as_str();
    assert_eq!(note, "no data in the last 10m; a store did not answer; not a counter?");
    assert_eq!(answer.warnings, ["a store did not answer"]);
    let (item, fault) = &answer.faults[0];
    assert_eq!(item.name(), &SafeText::new("c"));
    assert_eq!(fault.kind, FaultKind::InvalidRequest);
    assert!(fault.message.as_str().contains("parse error: unexpected end"), "{fault}");
}

#[tokio::test]
async fn several_series_are_never_chosen_from() {
    let server = Responder::start(|_| {
        let one: (&str, &[(i64, &str)]) = (r#"{"pod":"a"}"#, &[(NOW, "1")]);
        Reply::json(&matrix(&[one, (r#"{"pod":"b"}"#, &[]), (r#"{"pod":"c"}"#, &[])]))
    })
    .await;
    let answer = bench(&server.url, &[("p99", "x")]).series(&["p99"]).await.unwrap();
    let fault = &answer.faults[0].1;
    assert_eq!(fault.kind, FaultKind::InvalidRequest);
    let message = fault.message.as_str();
    assert!(message.ends_with(r#"several series: {pod="a"}, {pod="b"} and 1 more"#), "{message}");
    assert!(fault.hint.as_str().contains("sum("));
}

#[tokio::test]
async fn histograms_and_other_types_are_refused_with_words() {
    for (data, words) in [
        (r#"{"resultType":"vector","result":[]}"#, "a vector instead of a matrix"),
        (
            r#"{"resultType":"matrix","result":[{"metric":{},"histograms":[[1,{"count":"1"}]]}]}"#,
            "native histograms",
        ),
        (
            r#"{"resultType":"matrix","result":[{"metric":{},"values":[[1,"x"]]}]}"#,
            "\"x\" is not a number",
        ),
    ] {
        let body = format!(r#"{{"status":"success","data":{data}}}"#);
        let server = Responder::start(move |_| Reply::json(&body)).await;
        let answer = bench(&server.url, &[("h", "x")]).series(&["h"]).await.unwrap();
        let fault = &answer.faults[0].1;
        assert!(fault.message.as_str().contains(words), "{fault}");
    }
}

/// One point per step between start and end, like a real server, which refuses too many.
fn dense(asked: &Asked) -> Reply {
    let number = |name: &str| asked.query[name].parse::<f64>().unwrap();
    let (start, end, step) = (number("start"), number("end"), number("step"));
    if (end - start) / step > 11_000.0 {
        return Reply::status(
            400,
            r#"{"status":"error","errorType":"bad_data","error":"exceeded maximum resolution"}"#,
        );
    }
    let count = ((end - start) / step) as i64;
    let values: Vec<String> =
        (0..=count).map(|i| format!(r#"[{},"{i}"]"#, start + i as f64 * step)).collect();
    let values = values.join(",");
    Reply::json(&format!(
        r#"{{"status":"success","data":{{"resultType":"matrix","result":[{{"metric":{{}},"values":[{values}]}}]}}}}"#
    ))
}

#[tokio::test]
async fn a_long_window_is_read_in_parts_that_the_server_allows() {
    let server = Responder::start(dense).await;
    let mut bench = bench(&server.url, &[("p99", "x")]);
    for spec in bench.source.specs.values_mut() {
        spec.window = SignedDuration::from_mins(25_000);
    }
    let answer = bench.series(&["p99"]).await.unwrap();
    let points = &series_of(&answer)[0].points;
    assert_eq!(points.len(), 25_001);
    assert!(points.windows(2).all(|p| p[1].at.duration_since(p[0].at).as_secs() == 60));
    assert_eq!(server.asked().len(), 3);
}

#[tokio::test]
async fn later_reads_ask_only_for_what_is_new() {
    let server = Responder::start(dense).await;
    let bench = bench(&server.url, &[("p99", "x")]);
    assert_eq!(series_of(&bench.series(&["p99"]).await.unwrap())[0].points.len(), 11);
    bench.clock.0.fetch_add(60, Ordering::SeqCst);
    let answer = bench.series(&["p99"]).await.unwrap();
    // Two steps of overlap for late points, and the new one.
    assert_eq!(series_of(&answer)[0].points.len(), 4);
    let asked = server.asked();
    assert_eq!(asked[0].query["start"], format!("{}.000", NOW - 600));
    assert_eq!(asked[1].query["start"], format!("{}.000", NOW - 120));
    assert_eq!(asked[1].query["timeout"], "10000ms");
    // After a long pause the window begins anew.
    bench.clock.0.fetch_add(86_400, Ordering::SeqCst);
    assert_eq!(series_of(&bench.series(&["p99"]).await.unwrap())[0].points.len(), 11);
}

#[tokio::test]
async fn a_series_that_changes_its_labels_is_read_anew() {
    let server = Responder::start(|asked| {
        let pod = if asked.query["end"] == format!("{NOW}.000") { "a" } else { "b" };
        Reply::json(&matrix(&[(&format!(r#"{{"pod":"{pod}"}}"#), &[(NOW, "1")])]))
    })
    .await;
    let bench = bench(&server.url, &[("p99", "x")]);
    bench.series(&["p99"]).await.unwrap();
    bench.clock.0.fetch_add(60, Ordering::SeqCst);
    bench.series(&["p99"]).await.unwrap();
    let starts: Vec<String> = server.asked().iter().map(|a| a.query["start"].clone()).collect();
    let expected = [NOW - 600, NOW - 60, NOW - 540].map(|at| format!("{at}.000"));
    assert_eq!(starts, expected);
}

#[tokio::test]
async fn a_long_expression_is_posted() {
    let server = Responder::start(dense).await;
    let query = format!("sum({})", "x".repeat(3_000));
    bench(&server.url, &[("p99", &query)]).series(&["p99"]).await.unwrap();
    let asked = &server.asked()[0];
    assert_eq!(asked.headers["content-type"], "application/x-www-form-urlencoded");
    assert_eq!(asked.query["query"], query);
}

#[tokio::test]
async fn a_dead_server_fails_the_whole_read() {
    let bench = bench(&closed_port(), &[("a", "x"), ("b", "y")]);
    assert_eq!(bench.series(&["a", "b"]).await.unwrap_err().kind, FaultKind::Unreachable);
    assert_eq!(bench.overview().await.unwrap_err().kind, FaultKind::Unreachable);
}

const RULES: &str = r#"{"status":"success","data":{"groups":[{"name":"web","file":"/r.yml","rules":[
 {"type":"recording","name":"r","query":"1","health":"ok"},
 {"type":"alerting","name":"Quiet","query":"up == 0","duration":300,"labels":{"severity":"page"},
  "annotations":{},"alerts":[],"health":"ok","state":"inactive"},
 {"type":"alerting","name":"Errors","query":"e > 1","duration":0,"labels":{"severity":"warning"},
  "alerts":[
   {"labels":{"alertname":"Errors","severity":"warning","service":"checkout"},
    "annotations":{"summary":"checkout \u001b[31mfails"},"state":"firing",
    "activeAt":"2023-11-14T22:00:00.123456789Z","value":"2e+00"},
   {"labels":{"alertname":"Errors","severity":"warning","service":"search"},
    "annotations":{},"state":"pending","activeAt":"2023-11-14T22:01:00Z","value":"3"}],
  "health":"ok","state":"firing"},
 {"type":"alerting","name":"Total","query":"sum(e) > 1","labels":{},
  "alerts":[{"labels":{"alertname":"Total"},"annotations":{},"state":"firing","value":"9"}],"health":"ok"},
 {"type":"alerting","name":"Broken","query":"x","labels":{},"alerts":null,"health":"err",
  "lastError":"many-to-many matching"},
 {"type":"alerting","name":"Twice","query":"x > 1","labels":{"severity":"warning"},"alerts":[],"health":"ok"},
 {"type":"alerting","name":"Twice","query":"x > 2","labels":{"severity":"critical"},"alerts":[],"health":"unknown"}
]}]}}"#;

const TARGETS: &str = r#"{"status":"success","data":{"activeTargets":[
 {"discoveredLabels":{},"labels":{"instance":"a:9100","job":"node","team":"x"},"scrapePool":"node",
  "scrapeUrl":"http://a:9100/metrics","lastError":"","health":"up"},
 {"labels":{"instance":"b:9100","job":"node","team":"x"},"scrapePool":"node",
  "scrapeUrl":"http://b:9100/metrics","lastError":"connection refused","health":"down"},
 {"labels":{"instance":"c:80","job":"web"},"scrapePool":"web","scrapeUrl":"http://c:80/metrics",
  "lastError":"","health":"unknown"},
 {"labels":{"instance":"d:80","job":"edge"},"scrapePool":"edge","scrapeUrl":"http://d:80/metrics",
  "lastError":"","health":"up"}],"droppedTargets":[]}}"#;

fn overview_server(asked: &Asked) -> Reply {
    match asked.path.as_str() {
        "/api/v1/rules" => Reply::json(RULES),
        "/api/v1/targets" => Reply::json(TARGETS),
        _ => Reply::status(404, ""),
    }
}

#[tokio::test]
async fn rules_and_their_alerts_are_alarms() {
    let server = Responder::start(overview_server).await;
    let answer = bench(&server.url, &[]).overview().await.unwrap();
    assert_eq!(answer.complete, [FactKind::Alarms, FactKind::Environments]);
    let alarms: BTreeMap<&str, _> = answer
        .facts
        .iter()
        .filter_map(|fact| match fact {
            Fact::Alarm(alarm) => Some((alarm.id.name.as_str(), alarm)),
            _ => None,
        })
        .collect();
    let states: Vec<(&str, AlarmState)> = alarms.iter().map(|(id, a)| (*id, a.state)).collect();
    assert_eq!(
        states,
        [
            ("Broken", AlarmState::Unknown),
            (r#"Errors{service="checkout"}"#, AlarmState::Firing),
            (r#"Errors{service="search"}"#, AlarmState::Pending),
            ("Quiet", AlarmState::Ok),
            ("Total", AlarmState::Firing),
            (r#"web/Twice{severity="critical"}"#, AlarmState::Unknown),
            (r#"web/Twice{severity="warning"}"#, AlarmState::Ok),
        ]
    );
    let checkout = alarms[r#"Errors{service="checkout"}"#];
    assert_eq!(checkout.reason.as_ref().unwrap().as_str(), "checkout fails");
    assert_eq!(checkout.severity.as_ref().unwrap().as_str(), "warning");
    assert_eq!(checkout.tags[&SafeText::new("service")].as_str(), "checkout");
    assert!(checkout.since.is_some());
    assert_eq!(alarms["Total"].reason.as_ref().unwrap().as_str(), "value 9");
    assert_eq!(alarms["Quiet"].rule.as_ref().unwrap().as_str(), "up == 0 for 300 s");
    assert_eq!(alarms["Broken"].reason.as_ref().unwrap().as_str(), "many-to-many matching");
}

#[tokio::test]
async fn scrape_jobs_are_environments() {
    let server = Responder::start(overview_server).await;
    let answer = bench(&server.url, &[]).overview().await.unwrap();
    let environments: Vec<_> = answer
        .facts
        .iter()
        .filter_map(|fact| match fact {
            Fact::Environment(e) => Some(e),
            _ => None,
        })
        .collect();
    let shown: Vec<_> = environments
        .iter()
        .map(|e| (e.name.as_str(), e.health, e.summary.as_ref().unwrap().as_str()))
        .collect();
    assert_eq!(
        shown,
        [
            ("edge", Health::Healthy, "1 of 1 targets up"),
            ("node", Health::Degraded, "1 of 2 targets up; down: b:9100 (connection refused)"),
            ("web", Health::Unknown, "0 of 1 targets up, 1 not scraped yet"),
        ]
    );
    assert_eq!(environments[1].slots[0].healthy, Some(1));
    assert_eq!(environments[1].tags[&SafeText::new("team")].as_str(), "x");
    assert!(!environments[1].tags.contains_key(&SafeText::new("instance")));
}

#[tokio::test]
async fn what_one_call_cannot_tell_the_other_still_does() {
    let server = Responder::start(|asked| match asked.path.as_str() {
        "/api/v1/rules" => Reply::status(403, ""),
        "/api/v1/alerts" => Reply::json(
            r#"{"status":"success","data":{"alerts":[{"labels":{"alertname":"Errors","a":"b"},
                "annotations":{"description":"bad"},"state":"firing","value":"1"}]}}"#,
        ),
        _ => Reply::status(500, "boom"),
    })
    .await;
    let bench = bench(&server.url, &[]);
    *bench.source.jobs.lock().unwrap() = vec![EnvironmentId::new(&SourceId::new("prom"), "node")];
    let answer = bench.overview().await.unwrap();
    assert_eq!(answer.complete, [FactKind::Alarms]);
    let [Fact::Alarm(alarm)] = &answer.facts[..] else { panic!("{answer:?}") };
    assert_eq!(alarm.id.name.as_str(), r#"Errors{a="b"}"#);
    assert_eq!(alarm.state, AlarmState::Firing);
    // The job that was known is not silently old: it carries the fault.
    assert_eq!(answer.faults[0].0.name().as_str(), "node");
    assert_eq!(answer.faults[0].1.kind, FaultKind::ServerError);
    assert!(answer.warnings[0].as_str().starts_with("only active alerts are known"));
}

#[tokio::test]
async fn an_instant_query_adds_one_point_a_read() {
    let server = Responder::start(|asked| {
        assert_eq!(asked.path, "/api/v1/query");
        let time: f64 = asked.query["time"].parse().unwrap();
        let result = match asked.query["query"].as_str() {
            "one" => {
                format!(r#"{{"resultType":"vector","result":[{{"metric":{{}},"value":[{time},"7"]}}]}}"#)
            }
            "scalar" => format!(r#"{{"resultType":"scalar","result":[{time},"2.5"]}}"#),
            "none" => r#"{"resultType":"vector","result":[]}"#.to_owned(),
            "nan" => format!(r#"{{"resultType":"scalar","result":[{time},"NaN"]}}"#),
            "two" => format!(
                r#"{{"resultType":"vector","result":[{{"metric":{{"a":"1"}},"value":[{time},"7"]}},{{"metric":{{"a":"2"}},"value":[{time},"7"]}}]}}"#
            ),
            _ => r#"{"resultType":"matrix","result":[]}"#.to_owned(),
        };
        Reply::json(&format!(r#"{{"status":"success","data":{result}}}"#))
    })
    .await;
    let names = ["one", "scalar", "none", "nan", "two", "range"];
    let queries = names.map(|name| (name, name));
    let bench = bench_of(&server.url, &queries, SeriesQuery::Instant);
    for second in [NOW, NOW + 37] {
        bench.clock.0.store(second, Ordering::SeqCst);
        let answer = bench.series(&names).await.unwrap();
        let read = series_of(&answer);
        let points: Vec<Vec<(i64, f64)>> = read
            .iter()
            .map(|s| s.points.iter().map(|p| (p.at.as_second(), p.value)).collect())
            .collect();
        assert_eq!(points, [vec![(second, 7.0)], vec![(second, 2.5)], vec![], vec![]]);
        let notes: Vec<_> = read.iter().filter_map(|s| s.note.as_ref()).collect();
        assert_eq!(notes[0].as_str(), "no data now");
        assert_eq!(notes[1].as_str(), "no number now: 1 values are NaN or infinite");
        let faults: Vec<_> = answer.faults.iter().map(|(_, fault)| fault).collect();
        assert!(faults[0].message.as_str().contains("several series"), "{}", faults[0]);
        assert!(faults[1].message.as_str().contains("neither one number"), "{}", faults[1]);
    }
}
