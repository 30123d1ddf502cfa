//! Pilots that fly by the rules of other tools, whose thresholds their users keep.

use crate::flight::{Flight, run, sent};
use crate::pipes::World;
use crate::shop::Shop;
use crate::verdicts::{CLAIM, canary, is_held, line, pipes};
use crate::watching::{at, sees};

/// The shop's canary under `policy`, with the `rule` of its errors.
fn ruled(policy: &str, rule: &str, claims: &str) -> String {
    let text = canary(0.25, claims);
    let text = text.replace("name = \"production\"", &format!("name = \"production\"\n{policy}"));
    text.replace("required = true", &format!("rule = {{ {rule} }}"))
}

async fn is_taken_back(name: &str, policy: &str, rule: &str, words: &[&str]) {
    let shop = Shop::open(0.4).await;
    let world: World = line(name).await;
    let home = shop.folder.path();
    let text = shop.sources() + &pipes(&world) + &ruled(policy, rule, CLAIM);
    std::fs::write(home.join("lab.toml"), text).unwrap();
    let (code, said) = Flight::begin(home, "").end().await;
    assert_eq!(code, 11, "{said}");
    for words in words {
        assert!(said.contains(words), "{words}: {said}");
    }
    assert_eq!(shop.weights().await.1, 0, "{said}");
    assert_eq!(sent(home).await, ["10", "0", "hold"], "{said}");
    assert!(is_held(&world).await, "{said}");
    let told = run(home, "journal").await.1;
    assert!(told.contains("pilot rolled back"), "{told}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs the lab: bash tests/run"]
async fn failures_beyond_argos_limit_are_taken_back() {
    let rule = "success = \"result[0] <= 0.1\", failure_limit = 1";
    let words =
        ["ROLL BACK: errors failed 2 of 2 measurements, 1 are tolerated", "result[0] <= 0.1"];
    is_taken_back("pilot-argo", "policy = \"argo-rollouts\"", rule, &words).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs the lab: bash tests/run"]
async fn failed_checks_of_flagger_add_up_until_they_take_back() {
    let policy = "policy = \"flagger\"\nthreshold = 3";
    let words = ["ROLL BACK: 3 failed checks, 3 take it back", "wanted at most 0.1"];
    is_taken_back("pilot-flagger", policy, "max = 0.1", &words).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs the lab: bash tests/run"]
async fn a_canary_within_its_range_is_walked_to_everybody_and_its_pane_says_by_which_rules() {
    let shop = Shop::open(0.01).await;
    let home = shop.folder.path();
    let policy = "policy = \"flagger\"\nthreshold = 3";
    let text = shop.sources() + &ruled(policy, "max = 0.3", "");
    std::fs::write(home.join("lab.toml"), text).unwrap();
    let mut flight = Flight::begin(home, "");
    flight.until("10%: CLEARED").await;
    sees(at(home, "5").await, &["10%", "CLEARED", "by Flagger's rules", "failed"]).await;
    let (code, said) = flight.end().await;
    assert_eq!(code, 0, "{said}");
    assert_eq!(shop.share().await, 100);
    assert_eq!(sent(home).await, ["10", "50", "100"], "{said}");
}
