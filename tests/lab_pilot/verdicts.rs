//! What a pilot makes of a bad canary and of a good one.

use flightdeck::judge::sample::Counts;
use flightdeck::judge::{Action, Analysis, MetricSpec, Sample, Spec};
use serde_json::json;

use crate::flight::{Flight, run, sent};
use crate::load::RATE;
use crate::pipes::World;
use crate::shop::Shop;
use crate::watching::{at, sees};

/// A canary by its errors; `margin` is how many more of them are tolerated. `claims` is what else
/// belongs to its service.
pub fn canary(margin: f64, claims: &str) -> String {
    format!(
        r#"
        [services.shop]
        traffic = ["edge/shop"]
        {claims}
        [[services.shop.canaries]]
        name = "production"
        traffic = "edge/shop"
        baseline = "blue"
        canary = "green"
        steps = [10, 50, 100]
        warm_up = "4s"
        bake = "10s"
        history = "5m"
        tick = "2s"
        alpha = 0.05
        [[services.shop.canaries.metrics]]
        name = "errors"
        kind = "counts"
        source = "metrics"
        events = 'sum(increase(http_requests_total{{arm="{{arm}}",code="500"}}[2s]))'
        requests = 'sum(increase(http_requests_total{{arm="{{arm}}"}}[2s]))'
        margin = {margin}
        required = true
        "#
    )
}

/// Where the shop's versions come from.
pub const CLAIM: &str = "pipelines = [\"pipes/shop\"]";

/// A pipeline of the shop in a world of its own.
pub async fn line(name: &str) -> World {
    let world = World::new(name).await;
    world.lab("pipelines", json!({ "pipelines": [{ "name": "shop" }] })).await;
    world
}

/// The part of a configuration that says where it is.
pub fn pipes(world: &World) -> String {
    let url = &world.url;
    format!(
        "[sources.pipes]\nkind = \"codepipeline\"\nregion = \"eu-west-1\"\nendpoint = \"{url}\"\n"
    )
}

/// Whether the way into its last stage is closed.
pub async fn is_held(world: &World) -> bool {
    let (_, state) = world.bob("GetPipelineState", json!({ "name": "shop" })).await;
    let last = state["stageStates"].as_array().unwrap().last().unwrap();
    last["inboundTransitionState"]["enabled"] == false
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs the lab: bash tests/run"]
async fn twice_the_errors_at_a_tenth_of_the_traffic_are_caught_taken_back_and_held() {
    let shop = Shop::open(0.02).await;
    let world = line("pilot-bad").await;
    let home = shop.folder.path();
    let text = shop.sources() + &pipes(&world) + &canary(0.25, CLAIM);
    std::fs::write(home.join("lab.toml"), text).unwrap();
    let (code, said) = Flight::begin(home, "").end().await;
    assert_eq!(code, 11, "{said}");
    assert!(said.contains("back to the baseline: 10%: ROLL BACK: errors"), "{said}");
    assert_eq!(shop.weights().await.1, 0, "{said}");
    assert_eq!(sent(home).await, ["10", "0", "hold"], "{said}");
    assert!(is_held(&world).await, "{said}");
    let told = run(home, "journal").await.1;
    for words in
        ["pilot engaged", "pilot rolled back", "rolled back, and held", "ROLL BACK: errors"]
    {
        assert!(told.contains(words), "{words}: {told}");
    }
    let told = ["pilot of shop/production", "done       hold Production of shop", "BACK- errors"];
    sees(at(home, "9").await, &told).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs the lab: bash tests/run"]
async fn a_canary_as_good_as_its_baseline_is_walked_to_everybody() {
    let shop = Shop::open(0.01).await;
    let home = shop.folder.path();
    let text = shop.sources() + &canary(1.0, "");
    std::fs::write(home.join("lab.toml"), text).unwrap();
    let mut flight = Flight::begin(home, "");
    flight.until("10%: WATCHING").await;
    sees(at(home, "5").await, &["10%", "WATCHING"]).await;
    let (code, said) = flight.end().await;
    assert_eq!(code, 0, "{said}");
    assert_eq!(shop.weights().await.0, 0, "{said}");
    assert_eq!(shop.share().await, 100);
    assert_eq!(sent(home).await, ["10", "50", "100"], "{said}");
    let told = run(home, "journal").await.1;
    for words in ["pilot engaged", "by the pilot: 10%: CLEARED", "pilot finished"] {
        assert!(told.contains(words), "{words}: {told}");
    }
    sees(at(home, "9").await, &["finished"]).await;
}

/// Requests at a tenth of the traffic until the judge says `wanted`, if the canary fails `errors` of
/// its own and the baseline one in a hundred.
fn requests_until(wanted: Action, errors: f64, margin: f64) -> f64 {
    let spec = Spec {
        alpha: 0.05,
        tick_seconds: 2.0,
        warm_up_ticks: 2,
        min_bake_ticks: 5,
        steps: vec![0.1],
        metrics: vec![MetricSpec { margin, ..MetricSpec::errors("errors") }],
        ..Spec::default()
    };
    let all = RATE * spec.tick_seconds;
    let mut analysis = Analysis::new(spec).unwrap();
    assert!(analysis.learn("errors", (0..130).map(|_| Counts::new(all, all * 0.01))));
    analysis.step(0.1);
    let (old, new) = (0.9 * all, 0.1 * all);
    let tick = Sample::Counts {
        baseline: Some(Counts::new(old, old * 0.01)),
        canary: Some(Counts::new(new, new * errors)),
    };
    let ticks = (1..500).find(|_| {
        analysis.push(&[tick]);
        analysis.decide().action == wanted
    });
    f64::from(ticks.unwrap()) * all
}

#[test]
fn a_minute_or_so_of_this_load_tells_the_two_apart() {
    let bad = requests_until(Action::RollBack, 0.02, 0.25);
    let good = requests_until(Action::NextStep, 0.01, 1.0);
    assert!((20_000.0..50_000.0).contains(&bad), "{bad}");
    assert!((10_000.0..30_000.0).contains(&good), "{good}");
}
