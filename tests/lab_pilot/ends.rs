//! Pilots that are killed, that meet each other, and that may not fly.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use crate::flight::{Flight, run, sent};
use crate::shop::Shop;
use crate::verdicts::{CLAIM, canary, is_held, line, pipes};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs the lab: bash tests/run"]
async fn killed_again_and_again_a_walk_goes_on_where_it_was_and_a_second_pilot_is_refused() {
    let shop = Shop::open(0.01).await;
    let home = shop.folder.path();
    std::fs::write(home.join("lab.toml"), shop.sources() + &canary(1.0, "")).unwrap();
    // The moment that HAProxy is told something; its answer is lost.
    let flight = Flight::begin(home, "");
    shop.until_told(1).await;
    flight.kill().await;
    // While it watches; meanwhile nobody else flies this canary.
    let mut flight = Flight::begin(home, "");
    flight.until("10%: WATCHING").await;
    let (code, said) = run(home, "pilot shop --yes").await;
    assert_eq!(code, 10, "{said}");
    assert!(said.contains("another pilot flies this canary"), "{said}");
    flight.kill().await;
    // In the middle of a later step.
    let flight = Flight::begin(home, "");
    shop.until_told(2).await;
    flight.kill().await;
    let (code, said) = Flight::begin(home, "").end().await;
    assert_eq!(code, 0, "{said}");
    assert_eq!(shop.share().await, 100, "{said}");
    assert_eq!(shop.told().len(), 3, "{:?}", shop.told());
    assert_eq!(sent(home).await, ["10", "50", "100"], "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs the lab: bash tests/run"]
async fn who_interrupts_a_write_gets_the_canary_when_its_end_is_known() {
    let shop = Shop::open(0.01).await;
    let home = shop.folder.path();
    std::fs::write(home.join("lab.toml"), shop.sources() + &canary(1.0, "")).unwrap();
    let flight = Flight::begin(home, "");
    shop.until_told(1).await;
    let (code, said) = flight.interrupt().await;
    assert_eq!(code, 10, "{said}");
    assert!(said.contains("handed over: it was interrupted"), "{said}");
    assert_eq!(shop.share().await, 10);
    let (code, told) = run(home, "journal").await;
    assert_eq!(code, 0, "{told}");
    assert!(told.contains("ended step 1") && !told.contains("no outcome yet"), "{told}");
    assert!(told.contains("pilot handed over"), "{told}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs the lab: bash tests/run"]
async fn who_cannot_wait_leaves_a_write_under_way_and_the_next_finds_out_and_repeats_nothing() {
    let shop = Shop::open(0.01).await;
    let home = shop.folder.path();
    std::fs::write(home.join("lab.toml"), shop.sources() + &canary(1.0, "")).unwrap();
    shop.mute_after_a_change();
    let mut flight = Flight::begin(home, "");
    shop.until_told(1).await;
    flight.ctrl_c().await;
    flight.until("handing over after: ").await;
    let (code, said) = flight.interrupt().await;
    assert_eq!(code, 12, "{said}");
    assert!(said.contains("its end is looked up at the next start: traffic"), "{said}");
    let (code, told) = run(home, "journal").await;
    assert_eq!(code, 0, "{told}");
    assert!(told.contains("no outcome yet"), "{told}");
    // While HAProxy is mute, nobody knows; then the share is found as it was left, and flown on.
    shop.talk();
    let mut flight = Flight::begin(home, "");
    flight.until("10%: WATCHING").await;
    assert_eq!(flight.interrupt().await.0, 10);
    assert_eq!(shop.share().await, 10);
    assert_eq!(sent(home).await, ["10"], "no step is repeated");
    let told = run(home, "journal").await.1;
    assert!(!told.contains("no outcome yet"), "{told}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs the lab: bash tests/run"]
async fn taken_back_a_canary_stays_there_until_a_human_lets_it_begin_again() {
    let shop = Shop::open(0.5).await;
    let home = shop.folder.path();
    let world = line("pilot-back").await;
    let text = shop.sources() + &pipes(&world) + &canary(0.25, CLAIM);
    std::fs::write(home.join("lab.toml"), text).unwrap();
    // Killed between taking it back and the hold; the next one holds.
    let flight = Flight::begin(home, "");
    shop.until_told(1).await;
    let slow = json!({ "kind": "slow", "operations": ["GetPipelineState"], "seconds": 1 });
    world.lab("faults", json!({ "faults": [slow] })).await;
    shop.until_told(2).await;
    flight.kill().await;
    world.lab("faults", json!({ "faults": [] })).await;
    let (code, said) = Flight::begin(home, "").end().await;
    assert_eq!(code, 11, "{said}");
    assert!(said.contains("it was taken back before, and not held yet"), "{said}");
    assert!(is_held(&world).await, "{said}");
    // Held, nobody flies; released, the first step is a human's.
    let mut flight = Flight::begin(home, "");
    flight.until("a human is needed: Production of shop is held: release it first").await;
    assert_eq!(flight.interrupt().await.0, 10);
    let (code, said) = run(home, "release shop --yes").await;
    assert_eq!(code, 0, "{said}");
    let mut flight = Flight::begin(home, "");
    flight.until("a human is needed: it was taken back").await;
    assert_eq!(flight.interrupt().await.0, 10);
    assert_eq!(shop.weights().await.1, 0);
    assert_eq!(sent(home).await, ["10", "0", "hold", "release"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs the lab: bash tests/run"]
async fn a_freeze_holds_it_and_read_only_lets_none_fly() {
    let shop = Shop::open(0.01).await;
    let home = shop.folder.path();
    let config = |more: &str| {
        let text = format!("{}{}{more}", shop.sources(), canary(1.0, ""));
        std::fs::write(home.join("lab.toml"), text).unwrap();
    };
    config("[safety]\nread_only = true\n");
    let (code, said) = run(home, "pilot shop --yes").await;
    assert_eq!(code, 20, "{said}");
    assert!(said.contains("read-only"), "{said}");

    let now = Timestamp::now();
    let (from, until) = (now - SignedDuration::from_hours(1), now + SignedDuration::from_secs(25));
    config(&format!(
        "[[freeze]]\nname = \"quarter end\"\nfrom = \"{from:.0}\"\nuntil = \"{until:.0}\"\n"
    ));
    let mut flight = Flight::begin(home, "");
    flight.until("holding before 10%: ").await;
    let held = flight.said.last().unwrap();
    assert!(held.contains("frozen: quarter end"), "{held}");
    assert_eq!(flight.says_within(Duration::from_secs(3)).await, Vec::<String>::new());
    assert_eq!((shop.told().len(), shop.share().await), (0, 0));
    // When it is over, the walk begins.
    flight.until("10%: set").await;
    assert!(Timestamp::now() >= until - SignedDuration::from_secs(1));
    let (code, said) = flight.interrupt().await;
    assert_eq!(code, 10, "{said}");
    assert_eq!(sent(home).await, ["10"], "{said}");
}
