//! What a configuration means: services, series, schedules.

use flightdeck::config::{Loaded, load_text};
use flightdeck::domain::canary::CanaryData;
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
