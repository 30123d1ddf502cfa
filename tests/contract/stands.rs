//! One stand per kind of source: a server that answers well, and adapters that read it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use flightdeck::backend::Source;
use flightdeck::backend::aws::{AppConfig, CloudWatch, CodePipeline, Sessions};
use flightdeck::backend::haproxy::HaProxy;
use flightdeck::backend::probe_http::ProbeHttp;
use flightdeck::backend::prometheus::Prometheus;
use flightdeck::backend::unleash::Unleash;
use flightdeck::config::Schedule;
use flightdeck::config::sources::{
    AppConfigSource, AwsAccess, CloudWatchSource, CodePipelineSource,
};
use flightdeck::domain::ids::{ItemId, SeriesId, SourceId};
use flightdeck::domain::series::{Operand, SeriesKind, SeriesQuery, SeriesSpec};
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::account::{self, Account};
use crate::aws::{Reply, Request};
use crate::metrics;
use crate::pipes;
use crate::server::{Mood, Server};

/// A kind of source and what its contract is tested with.
pub struct Stand {
    pub server: Arc<Server>,
    make: Box<dyn Fn(Schedule) -> Arc<dyn Source>>,
    /// What it may be asked for under the topic of series.
    pub series: Vec<ItemId>,
    /// Answers that mean something, by the word of the fault that they mean.
    pub refusals: Vec<(&'static str, Mood)>,
    /// Whether the state of the backend is itself what is observed: then no answer is a failure.
    pub probes: bool,
    /// Whether an answer without any member says "there is nothing": no list in it is required.
    pub may_be_empty: bool,
    _folder: tempfile::TempDir,
}

impl Stand {
    /// An adapter that has read nothing yet.
    pub fn source(&self) -> Arc<dyn Source> {
        (self.make)(schedule("20s"))
    }

    /// One that soon gives up waiting.
    pub fn hasty(&self) -> Arc<dyn Source> {
        (self.make)(schedule("700ms"))
    }
}

/// The name of every source here.
pub fn id() -> SourceId {
    SourceId::new("it")
}

fn schedule(deadline: &str) -> Schedule {
    Schedule { deadline: deadline.parse().unwrap(), ..crate::aws::schedule() }
}

pub fn settings<T: serde::de::DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).unwrap()
}

fn spec(name: &str, query: SeriesQuery, kind: SeriesKind) -> SeriesSpec {
    SeriesSpec {
        id: SeriesId::new(&id(), name),
        query,
        kind,
        unit: "ms".into(),
        step: SignedDuration::from_secs(60),
        window: SignedDuration::from_mins(30),
    }
}

fn always(reply: Reply) -> Mood {
    Mood::Always(reply)
}

/// What every server that speaks HTTP may answer, and what it means.
fn usual_refusals() -> Vec<(&'static str, Mood)> {
    vec![
        ("not authenticated", always(Reply::status(401, "{}"))),
        ("forbidden", always(Reply::status(403, r#"{"message":"no"}"#))),
        ("throttled", always(Reply::status(429, "slow down").header("retry-after", "30"))),
        ("server error", always(Reply::status(503, "<html>oops</html>"))),
    ]
}

/// What an adapter is made of.
pub struct Given<'a> {
    pub address: &'a str,
    pub specs: &'a [SeriesSpec],
    /// Where credentials are kept.
    pub folder: &'a std::path::Path,
    pub schedule: Schedule,
}

pub fn stand(
    server: Arc<Server>,
    specs: Vec<SeriesSpec>,
    refusals: Vec<(&'static str, Mood)>,
    make: impl Fn(&Given<'_>) -> Arc<dyn Source> + 'static,
) -> Stand {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_owned();
    let keys = "[lab]\naws_access_key_id = AKIDLAB\naws_secret_access_key = secret\n";
    std::fs::write(path.join("credentials"), keys).unwrap();
    std::fs::write(path.join("config"), "[profile lab]\nregion = eu-west-1\n").unwrap();
    std::fs::write(path.join("token"), "t0ken").unwrap();
    let address = server.address.clone();
    let series = specs.iter().map(|spec| ItemId::Series(spec.id.clone())).collect();
    let make = Box::new(move |schedule| {
        make(&Given { address: &address, specs: &specs, folder: &path, schedule })
    });
    Stand { server, make, series, refusals, probes: false, may_be_empty: false, _folder: folder }
}

pub async fn prometheus() -> Stand {
    let server = Server::http(|request| {
        let start = query(request, "start").and_then(|text| text.parse::<f64>().ok());
        let body = match request.path.split('?').next().unwrap() {
            "/api/v1/query_range" => json!({ "resultType": "matrix", "result": [{
                "metric": { "job": "web", "instance": "a:1" },
                "values": [[start.unwrap_or(1.7e9), "1.5"], [start.unwrap_or(1.7e9) + 60.0, "2"]]
            }] }),
            "/api/v1/rules" => json!({ "groups": [{ "name": "g", "file": "f", "rules": [{
                "type": "alerting", "name": "Slow", "query": "x > 1", "duration": 60, "state": "firing",
                "labels": { "severity": "page" }, "annotations": { "summary": "it is slow" },
                "health": "ok", "lastError": "",
                "alerts": [{ "labels": { "alertname": "Slow", "job": "web" }, "annotations": { "summary": "it is slow" },
                    "state": "firing", "activeAt": "2026-01-01T00:00:00Z", "value": "2e+00" }]
            }] }] }),
            "/api/v1/targets" => json!({ "activeTargets": [{
                "labels": { "job": "web", "instance": "a:1" }, "scrapePool": "web",
                "scrapeUrl": "http://a:1/metrics", "lastError": "refused", "health": "down"
            }] }),
            other => return Reply::status(404, other),
        };
        let remarks = json!(["a remark"]);
        Reply::json(&json!({ "status": "success", "data": body, "warnings": remarks, "infos": remarks }))
    })
    .await;
    let specs = vec![spec("p99", SeriesQuery::Expression("x".to_owned()), SeriesKind::Gauge)];
    stand(server, specs, usual_refusals(), |given| {
        let settings = settings(json!({ "url": format!("http://{}", given.address) }));
        Arc::new(Prometheus::new(id(), settings, &given.schedule, given.specs.to_vec()).unwrap())
    })
}

pub async fn http() -> Stand {
    let server = Server::http(|_| {
        Reply::json(&json!({ "build": { "version": "v1" } })).header("x-version", "v2")
    })
    .await;
    let mut stand = stand(server, Vec::new(), usual_refusals(), |given| {
        let url = format!("http://{}/health", given.address);
        let targets = json!([
            { "name": "shop", "url": url, "version_pointer": "/build/version", "environment": "prod" },
            { "name": "head", "url": url, "version_header": "x-version" },
        ]);
        Arc::new(
            ProbeHttp::new(id(), settings(json!({ "targets": targets })), &given.schedule).unwrap(),
        )
    });
    stand.probes = true;
    stand
}

pub async fn haproxy() -> Stand {
    let text = include_str!("../haproxy/first.txt");
    let server = Server::lines(move |_| Reply::status(200, text)).await;
    let query = |figure: &str| SeriesQuery::Arm {
        split: "checkout".to_owned(),
        arm: "canary".to_owned(),
        figure: figure.to_owned(),
    };
    let specs = vec![
        spec("requests", query("requests"), SeriesKind::Counter),
        spec("rtime", query("rtime"), SeriesKind::Gauge),
    ];
    let refusals = vec![("forbidden", always(Reply::status(200, "Permission denied\n\n")))];
    stand(server, specs, refusals, |given| {
        let settings = settings(json!({ "address": format!("tcp://{}", given.address) }));
        Arc::new(HaProxy::new(id(), settings, &given.schedule, given.specs.to_vec()))
    })
}

pub async fn unleash() -> Stand {
    // A few of each are enough: the others are alike.
    let short = |text: &str, list: &str, most: usize| {
        let mut value: Value = serde_json::from_str(text).unwrap();
        value[list].as_array_mut().unwrap().truncate(most);
        value.to_string()
    };
    let features = short(include_str!("../unleash/v8/features.json"), "features", 2);
    let events = short(include_str!("../unleash/v8/events.json"), "events", 3);
    let answers = [
        ("projects", include_str!("../unleash/v8/projects.json")),
        ("projects/default/features", &features),
        ("search/events", &events),
        ("segments", include_str!("../unleash/v8/segments.json")),
        ("user", include_str!("../unleash/v8/user.json")),
        ("ui-config", include_str!("../unleash/v8/ui-config.json")),
    ];
    let answers = answers.map(|(path, body)| (path, body.to_owned()));
    let server = Server::http(move |request| {
        let path = request.path.trim_start_matches("/api/admin/").split('?').next().unwrap();
        if let Some(name) = path.strip_prefix("projects/default/features/") {
            let mut flag: Value =
                serde_json::from_str(include_str!("../unleash/v8/new-tax.json")).unwrap();
            flag["name"] = json!(name);
            return Reply::json(&flag);
        }
        match answers.iter().find(|(known, _)| *known == path) {
            Some((_, body)) => Reply::status(200, body),
            None => Reply::status(404, path),
        }
    })
    .await;
    stand(server, Vec::new(), usual_refusals(), |given| {
        let token = json!({ "file": given.folder.join("token") });
        let settings =
            settings(json!({ "url": format!("http://{}", given.address), "token": token }));
        Arc::new(Unleash::new(id(), settings, &given.schedule))
    })
}

pub fn access(given: &Given<'_>) -> AwsAccess {
    AwsAccess {
        profile: Some("lab".to_owned()),
        endpoint: Some(format!("http://{}", given.address).parse().unwrap()),
        ..AwsAccess::default()
    }
}

pub fn sessions(given: &Given<'_>) -> Sessions {
    Sessions::with_files(given.folder.join("config"), given.folder.join("credentials"))
}

pub fn aws_refusals(refusal: fn(u16, &str, &str) -> Reply) -> Vec<(&'static str, Mood)> {
    vec![
        ("not authenticated", always(refusal(400, "ExpiredTokenException", "it expired"))),
        ("forbidden", always(refusal(403, "AccessDeniedException", "no"))),
        ("throttled", always(refusal(429, "ThrottlingException", "Rate exceeded"))),
        ("server error", always(refusal(500, "InternalFailure", "oops"))),
    ]
}

/// Who is calling is asked for as well.
pub async fn aws_server(well: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Arc<Server> {
    Server::http(move |request| match request.operation().as_str() {
        "GetCallerIdentity" => Reply::status(200, crate::aws::IDENTITY),
        _ => well(request),
    })
    .await
}

pub async fn codepipeline() -> Stand {
    // Its times are those of the first answer, so that what is told of them stays the same.
    let told: Mutex<BTreeMap<String, Reply>> = Mutex::default();
    let server = aws_server(move |request| match request.operation().as_str() {
        "ListPipelines" => Reply::json(&json!({ "pipelines": [{
            "name": "checkout", "version": 3, "pipelineType": "V2",
            "executionMode": "QUEUED", "created": 1.7e9, "updated": 1.7e9
        }] })),
        other => {
            let mut told = told.lock().unwrap();
            told.entry(other.to_owned()).or_insert_with(|| pipes::checkout(request)).clone()
        }
    })
    .await;
    stand(server, Vec::new(), aws_refusals(Reply::error), |given| {
        let settings = CodePipelineSource { aws: access(given), ..CodePipelineSource::default() };
        Arc::new(CodePipeline::new(id(), &settings, given.schedule, &sessions(given)))
    })
}

pub async fn cloudwatch() -> Stand {
    let server = aws_server(|request| {
        match request.operation().as_str() {
            "GetMetricData" => metrics::data(request, |_| metrics::three(90)),
            "DescribeAlarms" => metrics::cbor(&json!({
                "MetricAlarms": [{
                    "AlarmName": "checkout p99", "ActionsEnabled": true, "StateValue": "ALARM",
                    "AlarmArn": "arn:aws:cloudwatch:eu-west-1:123456789012:alarm:checkout p99",
                    "AlarmDescription": "page payments", "StateReason": "Threshold Crossed",
                    "StateUpdatedTimestamp": metrics::ago(10), "StateTransitionedTimestamp": metrics::ago(600),
                    "MetricName": "TargetResponseTime", "Namespace": "AWS/ApplicationELB",
                    "ExtendedStatistic": "p99", "Period": 60, "EvaluationPeriods": 5, "Threshold": 0.5,
                    "Dimensions": [{ "Name": "LoadBalancer", "Value": "app/web/1" }],
                    "ComparisonOperator": "GreaterThanThreshold"
                }],
                "CompositeAlarms": [{
                    "AlarmName": "checkout", "StateValue": "OK", "ActionsEnabled": true,
                    "AlarmRule": "ALARM(\"checkout p99\")", "StateUpdatedTimestamp": metrics::ago(50)
                }]
            })),
            _ if metrics::asked(request)["HistoryItemType"] != "StateUpdate" => {
                metrics::cbor(&json!({ "AlarmHistoryItems": [] }))
            }
            _ => metrics::cbor(&json!({ "AlarmHistoryItems": [{
                "AlarmName": "checkout p99", "AlarmType": "MetricAlarm", "Timestamp": metrics::ago(600),
                "HistoryItemType": "StateUpdate", "HistorySummary": "Alarm updated from OK to ALARM",
                "HistoryData": "{}"
            }] })),
        }
    })
    .await;
    let operand = Operand {
        namespace: "AWS/ApplicationELB".to_owned(),
        name: "RequestCount".to_owned(),
        dimensions: Vec::new(),
        statistic: "Sum".to_owned(),
    };
    let operands = [("m".to_owned(), operand)].into();
    let query = SeriesQuery::Maths { expression: "m / 2".to_owned(), operands };
    let specs = vec![spec("share", query, SeriesKind::Gauge)];
    let refusals = aws_refusals(metrics::refusal);
    let mut stand = stand(server, specs, refusals, |given| {
        let settings = CloudWatchSource { aws: access(given), ..CloudWatchSource::default() };
        Arc::new(CloudWatch::new(
            id(),
            &settings,
            given.schedule,
            given.specs.to_vec(),
            &sessions(given),
        ))
    });
    stand.may_be_empty = true;
    stand
}

pub async fn appconfig() -> Stand {
    let account = Account::shop();
    let server = aws_server(move |request| account.answer(request)).await;
    stand(server, Vec::new(), aws_refusals(account::refusal), |given| {
        let settings = AppConfigSource { aws: access(given), ..AppConfigSource::default() };
        Arc::new(AppConfig::new(id(), &settings, given.schedule, &sessions(given)))
    })
}

fn query(request: &Request, name: &str) -> Option<String> {
    let body = String::from_utf8_lossy(&request.body).into_owned();
    let asked = request.path.split_once('?').map_or(body, |(_, query)| query.to_owned());
    let wanted = format!("{name}=");
    asked.split('&').find_map(|pair| pair.strip_prefix(&wanted)).map(str::to_owned)
}
