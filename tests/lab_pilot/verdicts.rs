//! What a pilot makes of a bad canary and of a good one.

use serde_json::json;

use crate::flight::{Flight, sent};
use crate::pipes::World;
use crate::shop::Shop;

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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs the lab: bash tests/run"]
async fn twice_the_errors_at_a_tenth_of_the_traffic_are_caught_taken_back_and_held() {
    let shop = Shop::open(0.02).await;
    let world = World::new("pilot-bad").await;
    world.lab("pipelines", json!({ "pipelines": [{ "name": "shop" }] })).await;
    let home = shop.folder.path();
    let text = format!(
        "{}[sources.pipes]\nkind = \"codepipeline\"\nregion = \"eu-west-1\"\nendpoint = \"{}\"\n{}",
        shop.sources(),
        world.url,
        canary(0.25, "pipelines = [\"pipes/shop\"]")
    );
    std::fs::write(home.join("lab.toml"), text).unwrap();
    let (code, said) = Flight::begin(home, "").end().await;
    assert_eq!(code, 11, "{said}");
    assert!(said.contains("back to the baseline: 10%: ROLL BACK: errors"), "{said}");
    assert_eq!(shop.weights().await.1, 0, "{said}");
    assert_eq!(sent(home).await, ["10", "0", "hold"], "{said}");
    let (_, state) = world.bob("GetPipelineState", json!({ "name": "shop" })).await;
    let last = state["stageStates"].as_array().unwrap().last().unwrap();
    assert_eq!(last["inboundTransitionState"]["enabled"], false, "{state}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs the lab: bash tests/run"]
async fn a_canary_as_good_as_its_baseline_is_walked_to_everybody() {
    let shop = Shop::open(0.01).await;
    let home = shop.folder.path();
    let text = shop.sources() + &canary(1.0, "");
    std::fs::write(home.join("lab.toml"), text).unwrap();
    let (code, said) = Flight::begin(home, "").end().await;
    assert_eq!(code, 0, "{said}");
    assert_eq!(shop.weights().await.0, 0, "{said}");
    assert_eq!(shop.share().await, 100);
    assert_eq!(sent(home).await, ["10", "50", "100"], "{said}");
}
