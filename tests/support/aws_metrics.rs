//! A `CloudWatch` for tests: replies in the shapes of its API reference, as its protocol (Smithy RPC
//! v2 CBOR) carries them, and short ways to read it.

use ciborium::Value as Cbor;
use flightdeck::backend::Source;
use flightdeck::backend::aws::CloudWatch;
use flightdeck::config::sources::CloudWatchSource;
use flightdeck::domain::alarm::Alarm;
use flightdeck::domain::change::Change;
use flightdeck::domain::error::Fault;
use flightdeck::domain::fact::Fact;
use flightdeck::domain::ids::{ItemId, SeriesId, SourceId};
use flightdeck::domain::observation::{Observation, Topic};
use flightdeck::domain::series::{Series, SeriesKind, SeriesQuery, SeriesSpec};
use jiff::SignedDuration;
use serde_json::{Value, json};

use super::aws::{Cloud, Reply, Request, context, schedule, scope};

/// A moment in a reply, in seconds since the epoch.
pub fn time(seconds: f64) -> Value {
    json!({ "$time": seconds })
}

/// A moment so many seconds before the test began.
pub fn ago(seconds: i64) -> Value {
    time((start() - seconds) as f64)
}

/// When the test began: what happened does not move while it is read.
fn start() -> i64 {
    static START: std::sync::OnceLock<i64> = std::sync::OnceLock::new();
    *START.get_or_init(|| jiff::Timestamp::now().as_second())
}

fn encode(value: &Value) -> Cbor {
    match value {
        Value::Null => Cbor::Null,
        Value::Bool(it) => Cbor::Bool(*it),
        Value::Number(it) if it.is_f64() => Cbor::Float(it.as_f64().unwrap()),
        Value::Number(it) => Cbor::Integer(it.as_i64().unwrap().into()),
        Value::String(it) if it == "NaN" => Cbor::Float(f64::NAN),
        Value::String(it) => Cbor::Text(it.clone()),
        Value::Array(it) => Cbor::Array(it.iter().map(encode).collect()),
        Value::Object(it) => match it.get("$time") {
            Some(seconds) => Cbor::Tag(1, Box::new(Cbor::Float(seconds.as_f64().unwrap()))),
            None => Cbor::Map(
                it.iter().map(|(key, value)| (Cbor::Text(key.clone()), encode(value))).collect(),
            ),
        },
    }
}

pub fn decode(value: &Cbor) -> Value {
    match value {
        Cbor::Bool(it) => json!(it),
        Cbor::Integer(it) => json!(i64::try_from(*it).unwrap()),
        Cbor::Float(it) => json!(it),
        Cbor::Text(it) => json!(it),
        Cbor::Tag(_, inner) => decode(inner),
        Cbor::Array(it) => it.iter().map(decode).collect(),
        Cbor::Map(it) => it
            .iter()
            .map(|(key, value)| (key.as_text().unwrap().to_owned(), decode(value)))
            .collect(),
        other => panic!("{other:?}"),
    }
}

/// A reply with `body` in CBOR.
pub fn cbor(body: &Value) -> Reply {
    let mut bytes = Vec::new();
    ciborium::into_writer(&encode(body), &mut bytes).unwrap();
    let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let headers =
        vec![header("content-type", "application/cbor"), header("smithy-protocol", "rpc-v2-cbor")];
    Reply { status: 200, headers, body: bytes }
}

/// A refusal: the shape in the body and the code of the older protocol in a header.
pub fn refusal(status: u16, code: &str, message: &str) -> Reply {
    let shape = format!("com.amazonaws.cloudwatch#{code}");
    let reply = cbor(&json!({ "__type": shape, "message": message }));
    Reply { status, ..reply }.header("x-amzn-query-error", &format!("{code};Sender"))
}

/// What was asked.
pub fn asked(request: &Request) -> Value {
    decode(&ciborium::from_reader(&request.body[..]).unwrap())
}

/// The queries of a `GetMetricData`.
pub fn queries(request: &Request) -> Vec<Value> {
    asked(request)["MetricDataQueries"].as_array().unwrap().clone()
}

/// An answer to a `GetMetricData`: what `answer` makes of each query.
pub fn data(request: &Request, answer: impl Fn(&Value) -> Value) -> Reply {
    let results: Vec<Value> = queries(request)
        .iter()
        .map(|query| {
            let mut result = answer(query);
            result["Id"] = query["Id"].clone();
            result
        })
        .collect();
    cbor(&json!({ "MetricDataResults": results, "Messages": [] }))
}

/// A result with three points, a minute apart, the last of them `last` seconds ago.
pub fn three(last: i64) -> Value {
    let last = (jiff::Timestamp::now().as_second() - last) / 60 * 60;
    json!({
        "Label": "x", "StatusCode": "Complete",
        "Timestamps": [time((last - 120) as f64), time((last - 60) as f64), time(last as f64)],
        "Values": [1.0, 2.0, 3.5]
    })
}

pub fn id(name: &str) -> SeriesId {
    SeriesId::new(&SourceId::new("cw"), name)
}

pub fn item(name: &str) -> ItemId {
    ItemId::Series(id(name))
}

/// A series of one metric: an hour in steps of a minute.
pub fn metric(name: &str) -> SeriesSpec {
    let query = SeriesQuery::Metric {
        namespace: "AWS/ApplicationELB".to_owned(),
        name: name.to_owned(),
        dimensions: vec![("LoadBalancer".to_owned(), "app/web/1".to_owned())],
        statistic: "p99".to_owned(),
    };
    SeriesSpec {
        id: id(name),
        query,
        kind: SeriesKind::Gauge,
        unit: "ms".into(),
        step: SignedDuration::from_secs(60),
        window: SignedDuration::from_hours(1),
    }
}

pub fn maths(name: &str, expression: &str) -> SeriesSpec {
    SeriesSpec { query: SeriesQuery::Expression(expression.to_owned()), ..metric(name) }
}

pub fn source(cloud: &Cloud, alarms: &[&str], specs: Vec<SeriesSpec>) -> CloudWatch {
    let settings = CloudWatchSource {
        aws: cloud.access(),
        alarms: alarms.iter().map(|g| g.parse().unwrap()).collect(),
        ..CloudWatchSource::default()
    };
    CloudWatch::new(SourceId::new("cw"), &settings, schedule(), specs, &cloud.sessions())
}

pub async fn read(source: &CloudWatch, names: &[&str]) -> Result<Observation, Fault> {
    let (context, _) = context();
    let items = names.iter().map(|name| item(name)).collect();
    source.observe(&scope(Topic::Series, items), &context).await
}

pub async fn topic(source: &CloudWatch, topic: Topic) -> Result<Observation, Fault> {
    let (context, _) = context();
    source.observe(&scope(topic, Vec::new()), &context).await
}

pub fn series(observation: &Observation) -> Vec<&Series> {
    let facts = observation.facts.iter();
    facts.filter_map(|fact| if let Fact::Series(it) = fact { Some(it) } else { None }).collect()
}

pub fn alarms(observation: &Observation) -> Vec<&Alarm> {
    let facts = observation.facts.iter();
    facts.filter_map(|fact| if let Fact::Alarm(it) = fact { Some(it) } else { None }).collect()
}

pub fn changes(observation: &Observation) -> Vec<&Change> {
    let facts = observation.facts.iter();
    facts.filter_map(|fact| if let Fact::Change(it) = fact { Some(it) } else { None }).collect()
}
