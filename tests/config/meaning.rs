//! What a configuration means: services, series, schedules.

use flightdeck::config::{Loaded, load_text};
use flightdeck::domain::canary::{CanaryData, Purpose};
use flightdeck::domain::ids::SourceId;
use flightdeck::domain::series::{SeriesKind, SeriesQuery};

use crate::fixtures::{files, variables};

fn full() -> Loaded {
    let path = files("valid").into_iter().find(|path| path.ends_with("full.toml")).unwrap();
    load_text("full.toml", &std::fs::read_to_string(path).unwrap(), &variables()).unwrap()
}

#[test]
fn services_are_described_in_the_vocabulary() {
    let services = full().config.services();
    let checkout = services.iter().find(|s| s.id.as_str() == "checkout").unwrap();
    assert_eq!(checkout.owners[0], "payments-core");
    assert_eq!(checkout.needs[0].as_str(), "payments");
    assert!(checkout.claims.pipelines[0].matches(&SourceId::new("aws-eu"), "checkout-main"));
    let canary = &checkout.canaries[0];
    assert_eq!(canary.id.as_str(), "checkout/prod");
    let margins: Vec<(&str, f64, f64)> =
        canary.metrics.iter().map(|m| (m.name.as_str(), m.margin, m.weight)).collect();
    assert_eq!(margins, [("errors", 0.5, 5.0), ("orders", 0.1, 1.0), ("p99", 0.25, 1.0)]);
}

#[test]
fn every_series_of_a_service_is_asked_of_its_source() {
    let config = full().config;
    let asked = config.series();
    for service in config.services() {
        let metrics = service.metrics.iter().map(|metric| &metric.series);
        let canaries = service.canaries.iter().flat_map(|canary| &canary.metrics);
        for id in metrics.chain(canaries.flat_map(|metric| metric.data.series())) {
            let specs = &asked[&id.source];
            assert_eq!(specs.iter().filter(|spec| spec.id == *id).count(), 1, "{id}");
        }
    }
}

#[test]
fn the_arm_stands_in_the_query() {
    let config = full().config;
    let services = config.services();
    let checkout = services.iter().find(|s| s.id.as_str() == "checkout").unwrap();
    let asked = config.series();
    let spec = |id: &flightdeck::domain::ids::SeriesId| {
        asked[&id.source].iter().find(|spec| spec.id == *id).unwrap()
    };
    let CanaryData::Counts { canary, baseline } = &checkout.canaries[0].metrics[0].data else {
        panic!("errors are counts")
    };
    assert_eq!(
        spec(&canary.events).query,
        SeriesQuery::Arm {
            split: "be_checkout".to_owned(),
            arm: "green".to_owned(),
            figure: "errors".to_owned()
        }
    );
    assert_eq!(spec(&canary.events).kind, SeriesKind::Counter);
    let SeriesQuery::Arm { arm, .. } = &spec(&baseline.requests).query else {
        panic!("requests are counted by the arm")
    };
    assert_eq!(arm, "blue");
}

#[test]
fn a_source_overrides_the_general_schedule() {
    let config = full().config;
    let own = config.schedule("aws-eu");
    assert_eq!((own.slow.get().as_secs(), own.budget_per_minute), (120, 60));
    assert_eq!(own.deadline, config.polling.deadline);
    assert_eq!(config.freshness_policy("aws-eu").stale_after.as_secs(), 300);
    assert_eq!(config.schedule("unknown").slow, config.polling.slow);
}

#[test]
fn the_usual_signals_are_written_out() {
    let path = files("valid").into_iter().find(|path| path.ends_with("signals.toml")).unwrap();
    let text = std::fs::read_to_string(path).unwrap();
    let config = load_text("signals.toml", &text, &variables()).unwrap().config;
    let services = config.services();
    let canaries = &services[0].canaries;
    let names = |index: usize| -> Vec<&str> {
        canaries[index].metrics.iter().map(|metric| metric.name.as_str()).collect()
    };
    assert_eq!(names(0), ["errors", "slow", "saturation", "traffic"]);
    assert_eq!(names(1), ["errors", "p95", "traffic"]);
    // What is written out takes the place of the template of the same name.
    assert_eq!(names(2), ["errors", "saturation", "traffic", "latency"]);
    assert_eq!(names(3), ["orders"]);
    let asked = config.series();
    let query = |index: usize, metric: usize| {
        let id = canaries[index].metrics[metric].data.series()[0];
        asked[&id.source].iter().find(|spec| spec.id == *id).unwrap().query.clone()
    };
    // Whatever the distance of scrapes: the values at both ends of a tick, and three between.
    let bad = r#"sum(increase(http_requests_total{service="shop",version="blue",code=~"5.."}[60001ms:15000ms]))"#;
    assert_eq!(query(0, 0), SeriesQuery::Expression(bad.to_owned()));
    let bad = r#"sum(increase(orders_total{version="blue"}[60001ms:15000ms]))"#;
    assert_eq!(query(3, 0), SeriesQuery::Expression(bad.to_owned()));
    // Nobody said what is slow: the bucket of the baseline's p95 is, for both.
    let SeriesQuery::Beyond(slow) = query(0, 1) else { panic!("a threshold is to be found") };
    assert!(slow.expression.contains(r#"version="blue",le="{edge}""#), "{slow:?}");
    assert_eq!(
        slow.buckets,
        r#"sum by (le) (increase(http_request_duration_seconds_bucket{service="shop",version="blue"}[7200s]))"#
    );
    assert!(slow.begun.contains(r#"version="green"}"#), "{slow:?}");
    let of_canary = &canaries[0].metrics[1].data.series()[2];
    let asked_of_canary = asked[&of_canary.source].iter().find(|s| s.id == **of_canary).unwrap();
    let SeriesQuery::Beyond(other) = &asked_of_canary.query else { panic!("for both") };
    assert!(other.expression.contains(r#"version="green",le="{edge}""#), "{other:?}");
    assert_eq!((&other.buckets, &other.begun), (&slow.buckets, &slow.begun));
    // A room that is opened in the middle of a flight reads all of it, and the history before.
    let id = canaries[0].metrics[0].data.series()[0];
    let spec = asked[&id.source].iter().find(|spec| spec.id == *id).unwrap();
    assert_eq!(spec.window.as_mins(), 3 + 4 * 60 + 2 * 60);
    let SeriesQuery::Metric { name, dimensions, .. } = query(1, 0) else {
        panic!("a statistic is asked for")
    };
    assert_eq!(name, "HTTPCode_Target_5XX_Count");
    assert_eq!(dimensions, [("TargetGroup".to_owned(), "shop-blue".to_owned())]);
    let SeriesQuery::Arm { split, arm, figure } = query(2, 0) else {
        panic!("a counter of the proxy is asked for")
    };
    assert_eq!((&*split, &*arm, &*figure), ("be_shop", "blue", "errors"));
    let voices: Vec<(bool, bool)> =
        canaries[0].metrics.iter().map(|m| (m.required, m.muted)).collect();
    assert_eq!(voices, [(true, false), (true, false), (false, false), (false, true)]);
}

#[test]
fn a_canary_says_what_is_done_at_each_verdict() {
    let path = files("valid").into_iter().find(|path| path.ends_with("signals.toml")).unwrap();
    let text = std::fs::read_to_string(path).unwrap();
    let config = load_text("signals.toml", &text, &variables()).unwrap().config;
    let services = config.services();
    let canaries = &services[0].canaries;
    let at = |index: usize| {
        let at = canaries[index].at;
        (at.pass_steps, at.marginal_rolls_back, at.fail_rolls_back)
    };
    assert_eq!(at(0), (true, false, true));
    assert_eq!(at(1), (false, true, false));
    assert_eq!((canaries[0].deadline.as_hours(), canaries[1].deadline.as_mins()), (4, 90));
    assert_eq!((canaries[2].alpha, canaries[2].beta), (0.02, 0.1));
    assert_eq!(canaries[3].purpose, Purpose::Experiment);
    assert_eq!(canaries[2].metrics[3].v_min, Some(2.5));
    assert!(canaries[3].metrics[0].strict);
}
