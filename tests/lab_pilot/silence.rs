//! What a pilot makes of figures that do not come: of the canary, or from Prometheus at all.

use serde_json::json;

use crate::flight::{Flight, run, sent};
use crate::shop::Shop;
use crate::verdicts::canary;
use crate::watching::{at, sees};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs the lab: bash tests/run"]
async fn a_silent_canary_is_held_and_a_human_is_called() {
    let shop = Shop::open(0.01).await;
    let home = shop.folder.path();
    std::fs::write(home.join("lab.toml"), shop.sources() + &canary(1.0, "")).unwrap();
    let silent = "holding, a human is needed: 10%: NO DATA: canary silent";

    // Nothing was ever measured of it.
    shop.green(json!({ "metrics": false })).await;
    let mut flight = Flight::begin(home, "");
    flight.until(silent).await;
    let (code, said) = flight.interrupt().await;
    assert_eq!(code, 10, "{said}");

    // It falls silent on the way, and nothing that comes later promotes it.
    shop.green(json!({ "metrics": true })).await;
    let mut flight = Flight::begin(home, " --limit 1");
    flight.until("10%: WATCHING").await;
    shop.green(json!({ "metrics": false })).await;
    flight.until(silent).await;
    // Who looks sees the same.
    sees(at(home, "5").await, &["NO DATA: canary silent"]).await;
    sees(at(home, "9").await, &["a human is needed", "canary silent"]).await;
    shop.green(json!({ "metrics": true })).await;
    let (code, said) = flight.end().await;
    assert_eq!(code, 10, "{said}");
    assert_eq!(shop.share().await, 10, "{said}");
    assert_eq!(sent(home).await, ["10"], "{said}");
    let told = run(home, "journal").await.1;
    assert!(told.contains("pilot grounded") && told.contains("NO DATA: canary silent"), "{told}");
    assert!(told.contains("pilot handed over"), "{told}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs the lab: bash tests/run"]
async fn a_prometheus_that_comes_and_goes_is_unknown_and_neither_promotes_nor_takes_back() {
    let shop = Shop::open(0.01).await;
    let home = shop.folder.path();
    std::fs::write(home.join("lab.toml"), shop.sources() + &canary(0.7, "")).unwrap();
    // Not cleared before Prometheus has come and gone, however long each takes.
    let mut flight = Flight::begin(home, "");
    flight.until("10%: WATCHING").await;
    let mut room = at(home, "5").await;
    room.shows("WATCHING").await;
    for _ in 0..2 {
        shop.freeze_prometheus(true);
        flight.until("holding: the figures of errors are").await;
        let before = shop.told();
        // What is not known does not become known by waiting.
        let long = std::time::Duration::from_secs(3);
        assert_eq!(flight.says_within(long).await, Vec::<String>::new());
        assert_eq!(shop.told(), before);
        assert_eq!(before, [10], "{:#?}", flight.said);
        let (code, said) = run(home, "canary status shop --wait 3").await;
        assert_eq!(code, 12, "{said}");
        room.shows("stale").await;
        shop.freeze_prometheus(false);
        flight.until("10%: WATCHING").await;
    }
    room.press("q").await;
    assert_eq!(room.end().await.code(), Some(0));
    // Once it stays, the walk goes on.
    let (code, said) = flight.end().await;
    assert_eq!(code, 0, "{said}");
    assert_eq!(sent(home).await, ["10", "50", "100"], "{said}");
    assert!(!said.contains("back to the baseline"), "{said}");
    let told = run(home, "journal").await.1;
    assert!(told.contains("pilot holding") && told.contains("the figures of errors are"), "{told}");
    assert!(told.contains("pilot flying") && told.contains("pilot finished"), "{told}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs the lab: bash tests/run"]
async fn a_side_that_is_down_is_no_share_that_somebody_set() {
    let shop = Shop::open(0.01).await;
    let home = shop.folder.path();
    std::fs::write(home.join("lab.toml"), shop.sources() + &canary(1.0, "")).unwrap();
    let mut flight = Flight::begin(home, "");
    flight.until("10%: set").await;
    shop.green(json!({ "status": 503 })).await;
    flight.until("a human is needed: green does not take its traffic: it is DOWN").await;
    shop.green(json!({ "status": 200 })).await;
    let (code, said) = flight.interrupt().await;
    assert_eq!(code, 10, "{said}");

    // All the traffic is the canary's because nobody else takes it: that is no end of a walk.
    shop.blue(json!({ "status": 503 })).await;
    let mut flight = Flight::begin(home, "");
    flight.until("a human is needed: blue does not take its traffic: it is DOWN").await;
    let (code, said) = flight.interrupt().await;
    assert_eq!(code, 10, "{said}");
    assert_eq!(sent(home).await, ["10"], "{said}");
}
