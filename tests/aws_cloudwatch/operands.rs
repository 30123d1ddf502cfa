//! Metric maths and tags: what is sent of them, and that it counts for what it takes.

use flightdeck::domain::observation::Topic;
use flightdeck::domain::series::{Operand, SeriesQuery, SeriesSpec};
use serde_json::{Value, json};

use super::aws::Cloud;
use super::metrics::{alarms, asked, cbor, data, metric, read, series, source, three, topic};
use super::{Arc, Mutex};

/// A hundred times the errors by the requests.
fn share(name: &str) -> SeriesSpec {
    let operand = |metric: &str| Operand {
        namespace: "AWS/ApplicationELB".to_owned(),
        name: metric.to_owned(),
        dimensions: vec![("LoadBalancer".to_owned(), "app/web/1".to_owned())],
        statistic: "Sum".to_owned(),
    };
    let operands = [("e", "Errors"), ("r", "Requests")];
    let operands = operands.map(|(key, name)| (key.to_owned(), operand(name))).into();
    let query = SeriesQuery::Maths { expression: "100 * e / SUM(r)".to_owned(), operands };
    SeriesSpec { query, ..metric(name) }
}

#[tokio::test]
async fn operands_go_along_and_are_not_answered() {
    let log: Arc<Mutex<Vec<Value>>> = Arc::default();
    let kept = Arc::clone(&log);
    // This server answers the operands too: they are passed over.
    let cloud = Cloud::start(move |request| {
        kept.lock().unwrap().push(asked(request));
        data(request, |_| three(90))
    })
    .await;
    let source = source(&cloud, &[], vec![metric("latency"), share("share")]);
    let seen = read(&source, &["latency", "share"]).await.unwrap();
    assert!(seen.faults.is_empty(), "{:?}", seen.faults);
    assert_eq!(series(&seen).len(), 2);
    let log = log.lock().unwrap();
    let queries = log[0]["MetricDataQueries"].as_array().unwrap();
    let ids: Vec<&str> = queries.iter().map(|query| query["Id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["fd_0", "fd_1", "fd_1_e", "fd_1_r"]);
    assert_eq!(queries[1]["Expression"], "100 * fd_1_e / SUM(fd_1_r)");
    assert_eq!((&queries[1]["ReturnData"], &queries[1]["Period"]), (&json!(true), &json!(60)));
    for (query, name) in [(&queries[2], "Errors"), (&queries[3], "Requests")] {
        assert_eq!(query["ReturnData"], false);
        let stat = &query["MetricStat"];
        assert_eq!((&stat["Stat"], &stat["Metric"]["MetricName"]), (&json!("Sum"), &json!(name)));
    }
}

#[tokio::test]
async fn a_refusal_that_names_an_operand_means_its_query() {
    let cloud = Cloud::start(|request| {
        let body = asked(request);
        let queries = body["MetricDataQueries"].as_array().unwrap();
        let bad =
            queries.iter().find(|query| query["MetricStat"]["Metric"]["MetricName"] == "Errors");
        match bad {
            Some(query) => {
                let message =
                    format!("Error in {}: no such statistic", query["Id"].as_str().unwrap());
                super::refusal(400, "ValidationError", &message)
            }
            None => data(request, |_| three(90)),
        }
    })
    .await;
    let names: Vec<String> = (0..20).map(|n| format!("m{n}")).collect();
    let mut specs: Vec<SeriesSpec> = names.iter().map(|name| metric(name)).collect();
    specs.push(share("share"));
    let source = source(&cloud, &[], specs);
    let mut asked: Vec<&str> = names.iter().map(String::as_str).collect();
    asked.push("share");
    let seen = read(&source, &asked).await.unwrap();
    assert_eq!((series(&seen).len(), seen.faults.len()), (20, 1));
    assert_eq!(cloud.count("GetMetricData"), 3, "the whole, the bad one, the others");
}

#[tokio::test]
async fn alarms_carry_their_tags_where_a_service_claims_by_them() {
    let cloud = Cloud::start(|request| match request.operation().as_str() {
        "DescribeAlarms" => cbor(&json!({ "MetricAlarms": [
            { "AlarmName": "p99", "AlarmArn": "arn:p99", "StateValue": "OK" },
            { "AlarmName": "errors", "AlarmArn": "arn:errors", "StateValue": "OK" }
        ] })),
        "ListTagsForResource" => {
            let of = asked(request)["ResourceARN"].as_str().unwrap().to_owned();
            cbor(&json!({ "Tags": [{ "Key": "of", "Value": of }] }))
        }
        _ => cbor(&json!({ "AlarmHistoryItems": [] })),
    })
    .await;
    for (wanted, calls) in [(false, 0), (true, 2)] {
        let source = source(&cloud, &[], Vec::new()).tagged(wanted);
        for _ in 0..2 {
            let seen = topic(&source, Topic::Overview).await.unwrap();
            for alarm in alarms(&seen) {
                let of = alarm.tags.values().next().map(flightdeck::domain::text::SafeText::as_str);
                let expected = format!("arn:{}", alarm.name);
                assert_eq!(of, wanted.then_some(expected.as_str()));
            }
        }
        assert_eq!(cloud.count("ListTagsForResource"), calls, "once for each alarm");
    }
}
