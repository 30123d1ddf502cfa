//! CloudWatch as a source: replies in the shapes of its API reference, decoded by the real SDK.
#![cfg(feature = "aws")]
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a failing unwrap in a test is a failing test"
)]

#[allow(dead_code, reason = "each test file uses a part of it")]
#[path = "support/aws.rs"]
mod aws;
#[path = "support/aws_metrics.rs"]
mod metrics;
#[path = "aws_cloudwatch/operands.rs"]
mod operands;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use aws::{Cloud, context, schedule, scope};
use flightdeck::backend::Source;
use flightdeck::domain::alarm::AlarmState;
use flightdeck::domain::change::ChangeKind;
use flightdeck::domain::error::FaultKind;
use flightdeck::domain::fact::FactKind;
use flightdeck::domain::ids::ItemId;
use flightdeck::domain::observation::Topic;
use flightdeck::domain::series::SeriesQuery;
use metrics::{
    ago, alarms, asked, cbor, changes, data, id, item, maths, metric, queries, read, refusal,
    series, source, three, time, topic,
};
use serde_json::{Value, json};

#[tokio::test]
async fn a_thousand_series_are_two_calls() {
    let cloud = Cloud::start(|request| data(request, |_| three(90))).await;
    let names: Vec<String> = (0..1_000).map(|n| format!("m{n:04}")).collect();
    let specs = names.iter().map(|name| metric(name)).collect();
    let source = source(&cloud, &[], specs);
    assert_eq!(source.cadence().batch, 500);
    let (context, meter) = context();
    let items = names.iter().map(|name| item(name)).collect();
    let seen = source.observe(&scope(Topic::Series, items), &context).await.unwrap();
    assert_eq!(series(&seen).len(), 1_000);
    assert!(seen.faults.is_empty() && seen.complete.is_empty(), "{:?}", seen.faults);
    assert_eq!((cloud.count("GetMetricData"), meter.calls()), (2, 2));
    let first = series(&seen)[0];
    assert_eq!(first.points.iter().map(|p| p.value).collect::<Vec<_>>(), [1.0, 2.0, 3.5]);
    assert_eq!((first.note.as_ref(), first.unit.as_str()), (None, "ms"));
}

#[tokio::test]
async fn what_is_sent_is_what_was_configured() {
    let log: Arc<Mutex<Vec<Value>>> = Arc::default();
    let kept = Arc::clone(&log);
    let cloud = Cloud::start(move |request| {
        kept.lock().unwrap().push(asked(request));
        data(request, |_| three(90))
    })
    .await;
    let specs = vec![metric("latency"), maths("share", "SUM(SEARCH('x', 'Sum', 60))")];
    let source = source(&cloud, &[], specs);
    read(&source, &["latency", "share"]).await.unwrap();
    read(&source, &["latency"]).await.unwrap();
    let log = log.lock().unwrap();
    let [latency, share] = &log[0]["MetricDataQueries"].as_array().unwrap()[..] else {
        panic!("{log:?}")
    };
    let stat = &latency["MetricStat"];
    assert_eq!((stat["Stat"].as_str(), stat["Period"].as_i64()), (Some("p99"), Some(60)));
    assert_eq!(stat["Metric"]["Namespace"], "AWS/ApplicationELB");
    assert_eq!(stat["Metric"]["MetricName"], "latency");
    assert_eq!(
        stat["Metric"]["Dimensions"],
        json!([{ "Name": "LoadBalancer", "Value": "app/web/1" }])
    );
    assert_eq!(share["Expression"], "SUM(SEARCH('x', 'Sum', 60))");
    assert!(share.get("MetricStat").is_none());
    assert_eq!(log[0]["ScanBy"], "TimestampAscending");
    let length =
        |ask: &Value| ask["EndTime"].as_f64().unwrap() - ask["StartTime"].as_f64().unwrap();
    assert!((3_600.0..3_700.0).contains(&length(&log[0])), "{}", length(&log[0]));
    // The second read asks for what is new, and for what may have changed behind it.
    assert!((300.0..600.0).contains(&length(&log[1])), "{}", length(&log[1]));
}

#[tokio::test]
async fn pages_are_put_together() {
    let cloud = Cloud::start(|request| {
        let now = jiff::Timestamp::now().as_second() / 60 * 60;
        let page = |at: i64, value: f64, status: &str| {
            json!({
                "Id": "fd_0", "Label": "x", "StatusCode": status,
                "Timestamps": [time(at as f64)], "Values": [value]
            })
        };
        match asked(request)["NextToken"].as_str() {
            None => cbor(&json!({
                "MetricDataResults": [page(now - 120, 1.0, "PartialData")], "NextToken": "two"
            })),
            Some("two") => cbor(&json!({
                "MetricDataResults": [page(now - 60, 2.0, "Complete")],
                "Messages": [{ "Code": "MaxMetricsExceeded", "Value": "only the first 500" }]
            })),
            other => panic!("{other:?}"),
        }
    })
    .await;
    let seen = read(&source(&cloud, &[], vec![metric("latency")]), &["latency"]).await.unwrap();
    let [latency] = &series(&seen)[..] else { panic!("{seen:?}") };
    assert_eq!(latency.points.iter().map(|p| p.value).collect::<Vec<_>>(), [1.0, 2.0]);
    assert_eq!(latency.note, None, "the last page was complete");
    assert_eq!(seen.warnings[0].as_str(), "MaxMetricsExceeded: only the first 500");
}

#[tokio::test]
async fn each_series_has_its_own_status() {
    let cloud = Cloud::start(|request| {
        data(request, |query| {
            let name = query["MetricStat"]["Metric"]["MetricName"].as_str().unwrap_or("maths");
            let mut result = three(90);
            match name {
                "partial" => {
                    result["StatusCode"] = json!("PartialData");
                    result["Messages"] =
                        json!([{ "Code": "Slow", "Value": "try \u{1b}[31mlater" }]);
                }
                "broken" => result["StatusCode"] = json!("InternalError"),
                "forbidden" => {
                    result["StatusCode"] = json!("Forbidden");
                    result["Messages"] = json!([{ "Code": "Forbidden", "Value": "other account" }]);
                }
                "silent" => {
                    result["Timestamps"] = json!([]);
                    result["Values"] = json!([]);
                }
                "odd" => result["Values"] = json!([1.0, "NaN", 3.0]),
                "uneven" => result["Values"] = json!([1.0]),
                _ => {}
            }
            result
        })
    })
    .await;
    let names = ["good", "partial", "broken", "forbidden", "silent", "odd", "uneven"];
    let specs = names.iter().map(|name| metric(name)).collect();
    let seen = read(&source(&cloud, &[], specs), &names).await.unwrap();
    assert_eq!(cloud.count("GetMetricData"), 1);
    let of = |name: &str| series(&seen).into_iter().find(|s| s.id == id(name)).unwrap();
    let note = |name: &str| of(name).note.as_ref().map(|n| n.as_str().to_owned());
    assert_eq!(note("good"), None);
    assert_eq!(note("partial").unwrap(), "partial data; Slow: try later");
    assert_eq!(of("partial").points.len(), 3);
    assert_eq!(note("silent").unwrap(), "no data in the last 1h");
    assert_eq!(note("odd").unwrap(), "1 values are NaN or infinite");
    assert_eq!(of("odd").points.len(), 2);
    let faults: Vec<_> =
        seen.faults.iter().map(|(item, f)| (item.name().as_str(), &f.kind)).collect();
    let permission = Some("cloudwatch:GetMetricData".into());
    assert_eq!(
        faults,
        [
            ("broken", &FaultKind::ServerError),
            ("forbidden", &FaultKind::Forbidden { permission }),
            ("uneven", &FaultKind::InvalidReply),
        ]
    );
}

#[tokio::test]
async fn a_search_must_find_one_series() {
    let cloud = Cloud::start(|request| {
        let results: Vec<Value> = queries(request)
            .iter()
            .flat_map(|query| {
                let count = match query["Expression"].as_str().unwrap() {
                    "two" => 2,
                    "none" => 0,
                    _ => 1,
                };
                (0..count).map(|n| {
                    let mut result = three(90);
                    result["Id"] = query["Id"].clone();
                    result["Label"] = json!(format!("server {n}"));
                    result
                })
            })
            .collect();
        cbor(&json!({ "MetricDataResults": results }))
    })
    .await;
    let specs = ["one", "two", "none"].map(|name| maths(name, name));
    let seen = read(&source(&cloud, &[], specs.into()), &["one", "two", "none"]).await.unwrap();
    let found: Vec<_> =
        series(&seen).iter().map(|s| (s.id.name.as_str(), s.points.len())).collect();
    assert_eq!(found, [("one", 3), ("none", 0)]);
    assert_eq!(series(&seen)[1].note.as_ref().unwrap().as_str(), "no data in the last 1h");
    let (item, fault) = &seen.faults[0];
    assert_eq!((item.name().as_str(), &fault.kind), ("two", &FaultKind::InvalidRequest));
    assert!(fault.message.as_str().contains("server 0, server 1"), "{}", fault.message);
}

#[tokio::test]
async fn a_query_that_is_refused_does_not_spoil_the_others() {
    for names_it in [true, false] {
        let mended = Arc::new(AtomicBool::new(false));
        let good = Arc::clone(&mended);
        let cloud = Cloud::start(move |request| {
            let bad = queries(request)
                .iter()
                .find(|q| q["Expression"] == "oops" && !good.load(Ordering::Relaxed))
                .map(|query| query["Id"].as_str().unwrap().to_owned());
            match bad {
                Some(bad) if names_it => {
                    let said = format!("Error in expression '{bad}': syntax error");
                    refusal(400, "ValidationError", &said)
                }
                Some(_) => refusal(400, "InvalidParameterValue", "something is wrong"),
                None => data(request, |_| three(90)),
            }
        })
        .await;
        let names: Vec<String> = (0..20).map(|n| format!("m{n:02}")).collect();
        let specs = names.iter().map(|name| match name.as_str() {
            "m07" => maths(name, "oops"),
            _ => metric(name),
        });
        let source = source(&cloud, &[], specs.collect());
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let seen = read(&source, &names).await.unwrap();
        assert_eq!(series(&seen).len(), 19);
        assert_eq!(seen.faults.len(), 1);
        assert_eq!(seen.faults[0].0, item("m07"));
        assert_eq!(seen.faults[0].1.kind, FaultKind::InvalidRequest);
        // From now on it is asked alone.
        let before = cloud.count("GetMetricData");
        assert_eq!(series(&read(&source, &names).await.unwrap()).len(), 19);
        assert!(cloud.count("GetMetricData") - before <= 3);
        mended.store(true, Ordering::Relaxed);
        assert_eq!(series(&read(&source, &names).await.unwrap()).len(), 20);
        let before = cloud.count("GetMetricData");
        read(&source, &names).await.unwrap();
        assert_eq!(cloud.count("GetMetricData") - before, 1, "it heals");
    }
}

#[tokio::test]
async fn what_cannot_be_asked_is_said() {
    let cloud = Cloud::start(|request| data(request, |_| three(90))).await;
    let mut arm = metric("arm");
    let (split, name, figure) = ("web".to_owned(), "canary".to_owned(), "errors".to_owned());
    arm.query = SeriesQuery::Arm { split, arm: name, figure };
    let source = source(&cloud, &[], vec![metric("latency"), arm]);
    let seen = read(&source, &["latency", "arm", "nobody"]).await.unwrap();
    assert_eq!(series(&seen).len(), 1);
    let faults: Vec<_> = seen.faults.iter().map(|(item, _)| item.name().as_str()).collect();
    assert_eq!(faults, ["arm", "nobody"]);
    let fault = topic(&source, Topic::Items).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::InvalidRequest);
}

#[tokio::test]
async fn throttling_and_expired_keys_are_the_sources_own() {
    for (status, code, expected) in [
        (400, "Throttling", FaultKind::Throttled { until: None }),
        (403, "ExpiredToken", FaultKind::NotAuthenticated),
        (500, "InternalServiceFault", FaultKind::ServerError),
    ] {
        let cloud = Cloud::start(move |_| refusal(status, code, "no")).await;
        let source = source(&cloud, &[], vec![metric("a"), metric("b")]);
        assert_eq!(read(&source, &["a", "b"]).await.unwrap_err().kind, expected);
        assert_eq!(cloud.count("GetMetricData"), 1);
        assert_eq!(topic(&source, Topic::Overview).await.unwrap_err().kind, expected);
        assert_eq!(topic(&source, Topic::Changes).await.unwrap_err().kind, expected);
    }
}

/// The members of `DescribeAlarms` and `DescribeAlarmHistory` as their API reference names them.
fn answer(request: &aws::Request) -> aws::Reply {
    let asked = asked(request);
    let body = match (request.operation().as_str(), asked["NextToken"].as_str()) {
        ("DescribeAlarms", None) => {
            assert_eq!(asked["AlarmTypes"], json!(["MetricAlarm", "CompositeAlarm"]));
            json!({
                "MetricAlarms": [{
                    "AlarmName": "checkout p99",
                    "AlarmArn": "arn:aws:cloudwatch:eu-west-1:123456789012:alarm:checkout p99",
                    "ActionsEnabled": true, "StateValue": "ALARM",
                    "StateReason": "Threshold Crossed: 3 datapoints",
                    "StateUpdatedTimestamp": ago(10), "StateTransitionedTimestamp": ago(600),
                    "MetricName": "TargetResponseTime", "Namespace": "AWS/ApplicationELB",
                    "ExtendedStatistic": "p99", "Period": 60, "EvaluationPeriods": 5,
                    "DatapointsToAlarm": 3, "Threshold": 0.5,
                    "Dimensions": [{ "Name": "LoadBalancer", "Value": "app/web/1" }],
                    "ComparisonOperator": "GreaterThanThreshold"
                }, {
                    "AlarmName": "other", "StateValue": "INSUFFICIENT_DATA",
                    "EvaluationState": "PARTIAL_DATA", "StateReason": "too many metrics",
                    "ActionsEnabled": false, "EvaluationPeriods": 1, "Threshold": 2.0,
                    "ComparisonOperator": "LessThanOrEqualToThreshold",
                    "Metrics": [
                        { "Id": "m1", "ReturnData": false },
                        { "Id": "e1", "Expression": "m1 / 2", "ReturnData": true, "Period": 300 }
                    ]
                }],
                "CompositeAlarms": [], "NextToken": "two"
            })
        }
        ("DescribeAlarms", Some("two")) => json!({
            "MetricAlarms": [],
            "CompositeAlarms": [{
                "AlarmName": "checkout", "StateValue": "OK", "ActionsEnabled": true,
                "AlarmRule": "ALARM(\"checkout p99\") AND ALARM(\"checkout errors\")",
                "ActionsSuppressedBy": "Alarm", "StateUpdatedTimestamp": ago(50)
            }]
        }),
        ("DescribeAlarmHistory", None) if asked["HistoryItemType"] == "StateUpdate" => json!({
            "AlarmHistoryItems": [{
                "AlarmName": "checkout p99", "AlarmType": "MetricAlarm", "Timestamp": ago(600),
                "HistoryItemType": "StateUpdate",
                "HistorySummary": "Alarm updated from OK to ALARM",
                "HistoryData": json!({
                    "version": "1.0", "oldState": { "stateValue": "OK" },
                    "newState": { "stateValue": "ALARM", "stateReason": "Threshold Crossed" }
                }).to_string()
            }],
            "NextToken": "more"
        }),
        ("DescribeAlarmHistory", Some("more")) => json!({
            "AlarmHistoryItems": [{
                "AlarmName": "checkout p99", "AlarmType": "MetricAlarm", "Timestamp": ago(7_200),
                "HistoryItemType": "StateUpdate",
                "HistorySummary": "Alarm updated from ALARM to OK", "HistoryData": "{\"cut"
            }]
        }),
        ("DescribeAlarmHistory", None) => json!({
            "AlarmHistoryItems": [{
                "AlarmName": "other", "AlarmType": "MetricAlarm", "Timestamp": ago(900),
                "HistoryItemType": "ConfigurationUpdate",
                "HistorySummary": "Alarm \"other\" updated", "HistoryData": "{}"
            }]
        }),
        other => panic!("{other:?}"),
    };
    cbor(&body)
}

#[tokio::test]
async fn alarms_of_both_kinds_carry_their_state_rule_and_history() {
    let cloud = Cloud::start(answer).await;
    let seen = topic(&source(&cloud, &[], Vec::new()), Topic::Overview).await.unwrap();
    assert_eq!(seen.complete, [FactKind::Alarms]);
    let identity = seen.identity.as_ref().unwrap().as_str();
    assert!(identity.starts_with("arn:aws:iam::123456789012:user/Alice"), "{identity}");
    let [p99, other, composite] = &alarms(&seen)[..] else { panic!("{seen:?}") };
    assert_eq!((p99.name.as_str(), p99.state), ("checkout p99", AlarmState::Firing));
    let rule =
        "p99 AWS/ApplicationELB TargetResponseTime LoadBalancer=app/web/1 > 0.5, 3 of 5 × 1m";
    assert_eq!(p99.rule.as_ref().unwrap().as_str(), rule);
    assert_eq!(p99.kind.as_str(), "metric");
    let now = jiff::Timestamp::now();
    let since = now.duration_since(p99.since.unwrap()).as_secs();
    assert!((599..700).contains(&since), "when it began, not when it was last evaluated: {since}");
    let history: Vec<_> = p99.history.iter().map(|e| e.state).collect();
    assert_eq!(history, [AlarmState::Firing, AlarmState::Ok]);
    assert_eq!(p99.history[0].reason.as_ref().unwrap().as_str(), "Threshold Crossed");
    assert_eq!((other.state, other.silenced), (AlarmState::Unknown, true));
    assert_eq!(other.rule.as_ref().unwrap().as_str(), "m1 / 2 <= 2, 1 of 1 × 5m");
    assert_eq!(other.reason.as_ref().unwrap().as_str(), "PARTIAL_DATA: too many metrics");
    assert_eq!((composite.kind.as_str(), composite.state), ("composite", AlarmState::Ok));
    assert!(composite.silenced && composite.rule.is_some());
}

#[tokio::test]
async fn what_happened_to_alarms_is_told_once() {
    let cloud = Cloud::start(answer).await;
    let source = source(&cloud, &[], Vec::new());
    let seen = topic(&source, Topic::Changes).await.unwrap();
    let told: Vec<_> = changes(&seen).iter().map(|c| (c.kind, c.title.as_str())).collect();
    assert_eq!(
        told,
        [
            (ChangeKind::Alarm, "checkout p99 firing"),
            (ChangeKind::Alarm, "checkout p99 ok"),
            (ChangeKind::Config, "other alarm: Alarm \"other\" updated"),
        ]
    );
    let Some(ItemId::Alarm(target)) = &changes(&seen)[0].target else { panic!("{seen:?}") };
    assert_eq!(target.name.as_str(), "checkout p99");
    let calls = cloud.count("DescribeAlarmHistory");
    assert_eq!(calls, 3);
    // The alarms have their history now; nobody reads it again for them.
    let alarms = topic(&source, Topic::Overview).await.unwrap();
    assert_eq!(metrics::alarms(&alarms)[0].history.len(), 2);
    assert_eq!(cloud.count("DescribeAlarmHistory"), calls);
}

#[tokio::test]
async fn changes_within_one_moment_keep_their_order() {
    let at = ago(60);
    let cloud = Cloud::start(move |request| {
        let entry = |to: &str| {
            json!({
                "AlarmName": "x", "Timestamp": at, "HistoryItemType": "StateUpdate",
                "HistorySummary": format!("Alarm updated from OK to {to}")
            })
        };
        match asked(request)["HistoryItemType"].as_str() {
            Some("StateUpdate") => cbor(&json!({
                "AlarmHistoryItems": [entry("ALARM"), entry("INSUFFICIENT_DATA"), entry("OK")]
            })),
            Some(_) => cbor(&json!({ "AlarmHistoryItems": [] })),
            None => cbor(&json!({ "MetricAlarms": [{ "AlarmName": "x", "StateValue": "ALARM" }] })),
        }
    })
    .await;
    let source = source(&cloud, &[], Vec::new());
    for _ in 0..2 {
        let seen = topic(&source, Topic::Changes).await.unwrap();
        let told: Vec<_> = changes(&seen).iter().map(|c| c.title.as_str()).collect();
        assert_eq!(told, ["x firing", "x unknown", "x ok"]);
        let seen = topic(&source, Topic::Overview).await.unwrap();
        let history: Vec<_> = alarms(&seen)[0].history.iter().map(|e| e.state).collect();
        assert_eq!(history, [AlarmState::Firing, AlarmState::Unknown, AlarmState::Ok]);
    }
}

#[tokio::test]
async fn only_the_named_alarms_are_told() {
    let cloud = Cloud::start(answer).await;
    let source = source(&cloud, &["checkout*"], Vec::new());
    let seen = topic(&source, Topic::Overview).await.unwrap();
    assert_eq!(alarms(&seen).len(), 2);
    let seen = topic(&source, Topic::Changes).await.unwrap();
    assert_eq!(changes(&seen).len(), 2);
}

#[tokio::test]
async fn alarms_are_told_without_their_history_where_that_is_forbidden() {
    let cloud = Cloud::start(|request| match request.operation().as_str() {
        "DescribeAlarmHistory" => refusal(403, "AccessDenied", "not allowed"),
        _ => answer(request),
    })
    .await;
    let source = source(&cloud, &[], Vec::new());
    let seen = topic(&source, Topic::Overview).await.unwrap();
    assert!(alarms(&seen).len() == 3 && alarms(&seen)[0].history.is_empty());
    topic(&source, Topic::Overview).await.unwrap();
    assert_eq!(cloud.count("DescribeAlarmHistory"), 1, "the changes' own read goes on trying");
    let fault = topic(&source, Topic::Changes).await.unwrap_err();
    let permission = Some("cloudwatch:DescribeAlarmHistory".into());
    assert_eq!(fault.kind, FaultKind::Forbidden { permission });
}

#[tokio::test]
async fn a_page_that_fails_leaves_the_known_alarms_alone() {
    let cloud = Cloud::start(|request| match asked(request)["NextToken"].as_str() {
        Some("two") => refusal(500, "InternalServiceFault", "try again"),
        _ => answer(request),
    })
    .await;
    let fault = topic(&source(&cloud, &[], Vec::new()), Topic::Overview).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::ServerError);
}

#[test]
fn figures_are_not_asked_for_oftener_than_they_appear() {
    let sessions = flightdeck::backend::aws::Sessions::new();
    let settings = flightdeck::config::sources::CloudWatchSource::default();
    let cadence = |step: i64| {
        let mut spec = metric("x");
        spec.step = jiff::SignedDuration::from_secs(step);
        let id = flightdeck::domain::ids::SourceId::new("cw");
        let source = flightdeck::backend::aws::CloudWatch::new(
            id,
            &settings,
            schedule(),
            vec![spec],
            &sessions,
        );
        source.cadence().series.as_secs()
    };
    assert_eq!([cadence(1), cadence(30), cadence(60), cadence(3_600)], [5, 30, 60, 60]);
}
