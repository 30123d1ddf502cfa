//! Flags of `AppConfig`: a version of the raw document, a deployment, its way back.

use std::sync::Arc;

use flightdeck::backend::Source;
use flightdeck::backend::clock::WallClock;
use flightdeck::backend::context::{Meter, ReadContext};
use flightdeck::domain::error::FaultKind;
use flightdeck::domain::fact::Fact;
use flightdeck::domain::observation::{Scope, Topic};
use flightdeck::domain::write::{FlagChange, Outcome, Write, inverse, words};

use crate::hands::{Breaker, carry_out, confirmed, context, losses, read, submit, submit_seen};
use crate::lab::address;
use crate::shop::{DOCUMENT, OFF, ON, Shop};

fn counted() -> (ReadContext, Arc<Meter>) {
    let meter = Arc::new(Meter::new(1_000_000));
    (ReadContext::new(Arc::new(WallClock), 0, Arc::clone(&meter)), meter)
}

#[tokio::test]
#[ignore = "needs the lab: bash tests/run"]
async fn a_flag_goes_off_and_on_again_and_the_rest_of_the_document_stays() {
    let shop = Shop::new("toggle").await;
    let source: Arc<dyn Source> = Arc::new(shop.source("at-once"));
    let off = shop.change("tax", OFF);
    let back = inverse(&off, &read(&*source, &off).await).unwrap();
    let outcome = carry_out(&*source, &source, off).await;
    let Outcome::Done { note: Some(note) } = &outcome else { panic!("{outcome:?}") };
    assert!(note.as_str().starts_with("version 2, deployment 2, "), "{note}");
    assert!(note.as_str().contains("all at once"), "{note}");
    let changed = DOCUMENT.replace(r#""enabled": true"#, r#""enabled": false"#);
    assert_eq!(shop.text(2).await, changed);
    let tax = shop.state("tax").await;
    assert_eq!((tax.enabled, tax.version.unwrap().as_str()), (Some(false), "2"));
    assert!(tax.paces[0].words.as_str().ends_with("at-once: all at once"));

    let rate = FlagChange::Attribute { name: "rate".into(), value: "7.50".into() };
    for write in [back, shop.change("tax", rate)] {
        let outcome = carry_out(&*source, &source, write).await;
        assert!(matches!(outcome, Outcome::Done { .. }), "{outcome:?}");
    }
    assert_eq!(shop.text(4).await, DOCUMENT.replace(r#""rate": 5"#, r#""rate": 7.50"#));
    assert_eq!(shop.state("tax").await.enabled, Some(true));

    // What is so already is not sent.
    let receipt = submit(&*source, shop.change("cart", OFF)).await.unwrap();
    assert!(receipt.note.unwrap().as_str().contains("nothing was sent"));
    let nonsense = FlagChange::Attribute { name: "rate".into(), value: "much".into() };
    let fault = submit(&*source, shop.change("tax", nonsense)).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::InvalidRequest);
    assert_eq!(shop.versions().await, 4);
}

#[tokio::test]
#[ignore = "needs the lab: bash tests/run"]
async fn only_the_change_ships_and_what_is_left_out_is_said() {
    let shop = Shop::new("left-out").await;
    shop.version(&DOCUMENT.replace(r#""rate": 5"#, r#""rate": 9"#)).await;
    let receipt = submit(&shop.source("at-once"), shop.change("tax", OFF)).await.unwrap();
    let note = receipt.note.unwrap();
    assert!(note.as_str().contains("it is version 1 with this change"), "{note}");
    assert!(note.as_str().contains("(version 2) is not in it"), "{note}");
    assert!(shop.text(3).await.contains(r#""rate": 5"#));
}

#[tokio::test]
#[ignore = "needs the lab: bash tests/run"]
async fn a_slow_deployment_shows_its_progress_and_is_stopped() {
    let shop = Shop::new("slowly").await;
    let source: Arc<dyn Source> = Arc::new(shop.source("slowly"));
    let outcome = carry_out(&*source, &source, shop.change("tax", OFF)).await;
    let Outcome::Done { note: Some(note) } = &outcome else { panic!("{outcome:?}") };
    assert!(note.as_str().contains("linear 10 % over 60m, bakes 30m"), "{note}");
    let tax = shop.state("tax").await;
    let rollout = tax.rollout.unwrap();
    assert_eq!((tax.enabled, rollout.enabled), (Some(true), Some(false)));
    assert_eq!(rollout.state.as_str(), "DEPLOYING");

    // One at a time: the next change is refused before anything of it is made.
    let versions = shop.versions().await;
    let fault = submit(&*source, shop.change("cart", ON)).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Conflict, "{fault}");
    assert!(fault.message.as_str().contains("deployment 2 of flags version 2"), "{fault}");
    assert_eq!(shop.versions().await, versions);

    let outcome = carry_out(&*source, &source, shop.change("tax", FlagChange::Halt)).await;
    assert!(matches!(outcome, Outcome::Done { .. }), "{outcome:?}");
    assert_eq!(shop.deployments().await[1], ("2".to_owned(), "ROLLED_BACK".to_owned()));
    let tax = shop.state("tax").await;
    assert_eq!((tax.enabled, tax.rollout), (Some(true), None));
    let fault = submit(&*source, shop.change("tax", FlagChange::Halt)).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Conflict, "{fault}");
}

#[tokio::test]
#[ignore = "needs the lab: bash tests/run"]
async fn the_strategy_is_chosen_among_those_that_the_settings_offer() {
    let shop = Shop::new("chosen").await;
    let source = shop.source("at-once slowly");
    let by = |name: &str| {
        let mut write = shop.change("tax", OFF);
        let Write::Flag { strategy, .. } = &mut write else { panic!("{write:?}") };
        *strategy = Some(name.into());
        write
    };
    let fleet = read(&source, &by("slowly")).await;
    let to = |write: &Write| words(write, &fleet).to.unwrap().to_string();
    assert_eq!(to(&by("slowly")), "off (slowly: linear 10 % over 60m, bakes 30m)");
    assert_eq!(to(&shop.change("tax", OFF)), "off (at-once: all at once)");
    let fault = submit(&source, by("AppConfig.AllAtOnce")).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::InvalidRequest, "{fault}");
    assert_eq!(shop.versions().await, 1);
    let note = submit(&source, by("slowly")).await.unwrap().note.unwrap();
    assert!(note.as_str().ends_with("slowly: linear 10 % over 60m, bakes 30m"), "{note}");
}

#[tokio::test]
#[ignore = "needs the lab: bash tests/run"]
async fn the_last_deployment_is_taken_back_with_everything_in_it() {
    let shop = Shop::new("revert").await;
    let source: Arc<dyn Source> = Arc::new(shop.source("at-once"));
    let fault = submit(&*source, shop.change("tax", FlagChange::Revert)).await.unwrap_err();
    assert!(fault.message.as_str().contains("nothing before"), "{fault}");
    submit(&*source, shop.change("tax", OFF)).await.unwrap();
    let outcome = carry_out(&*source, &source, shop.change("tax", FlagChange::Revert)).await;
    assert!(matches!(outcome, Outcome::Done { .. }), "{outcome:?}");
    assert_eq!(shop.deployments().await[1].1, "REVERTED");
    let tax = shop.state("tax").await;
    assert_eq!((tax.enabled, tax.version.unwrap().as_str()), (Some(true), "1"));
    let fault = submit(&*source, shop.change("tax", FlagChange::Revert)).await.unwrap_err();
    assert!(fault.message.as_str().contains("taken back already"), "{fault}");
}

#[tokio::test]
#[ignore = "needs the lab: bash tests/run"]
async fn what_moved_since_it_was_seen_is_not_changed() {
    let shop = Shop::new("moved").await;
    let source: Arc<dyn Source> = Arc::new(shop.source("at-once"));
    let order = confirmed(&*source, shop.change("tax", OFF)).await.order(0).unwrap();
    let other = shop.version(&DOCUMENT.replace(r#""rate": 5"#, r#""rate": 9"#)).await;
    shop.deploy(other, "at-once").await;
    let fault = source.submit(&order, &context()).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Conflict, "{fault}");
    assert!(fault.message.as_str().contains("version was 1, is 2"), "{fault}");
    assert_eq!((shop.versions().await, shop.deployments().await.len()), (2, 2));
}

#[tokio::test]
#[ignore = "needs the lab: bash tests/run"]
async fn a_lost_answer_to_the_deployment_is_unknown_and_was_done_once() {
    // The calls of a change that goes well: the last two make the version and deploy it.
    let calm = Shop::new("calm").await;
    let (context, meter) = counted();
    let eyes = calm.source("at-once");
    let order = confirmed(&eyes, calm.change("tax", OFF)).await.order(0).unwrap();
    calm.source("at-once").submit(&order, &context).await.unwrap();
    let reads = meter.calls() - 2;
    for (at, loss) in losses().iter().enumerate() {
        let shop = Shop::new(&format!("lost-{at}")).await;
        let to = address("LAB_AWS_URL").replace("http://", "");
        let breaker = Breaker::new(&format!("flags-{at}"), &to).await;
        let url = format!("http://127.0.0.1:{}", breaker.port);
        let eyes = shop.source("at-once");

        // The answer to the new version is lost: it exists, and nobody gets it.
        let behind = shop.source_at("at-once", &url, 1);
        breaker.breaks(reads, loss).await;
        let fault = submit_seen(&eyes, &behind, shop.change("tax", OFF)).await.unwrap_err();
        assert_eq!(fault.kind, FaultKind::Unreachable, "{loss}: {fault}");
        assert!(fault.message.as_str().contains("nothing was deployed"), "{fault}");
        assert_eq!((shop.versions().await, shop.deployments().await.len()), (2, 1), "{loss}");

        let behind = shop.source_at("at-once", &url, 1);
        breaker.breaks(reads + 1, loss).await;
        let fault = submit_seen(&eyes, &behind, shop.change("tax", OFF)).await.unwrap_err();
        assert_eq!(fault.kind, FaultKind::OutcomeUnknown, "{loss}: {fault}");
        assert_eq!(shop.deployments().await.len(), 2, "{loss}");
        assert_eq!(shop.state("tax").await.enabled, Some(false), "{loss}");
    }
}

#[tokio::test]
#[ignore = "needs the lab: bash tests/run"]
async fn who_needs_one_flag_reads_one_application() {
    const NARROW: &str = "narrow";
    let shop = Shop::new(NARROW).await;
    let _other = Shop::new("narrow-other").await;
    let source = shop.source_of(&format!("{NARROW}*"), "at-once", &address("LAB_AWS_URL"), 10);
    let target = shop.change("tax", OFF).target();
    let scope = Scope { topic: Topic::Overview, items: vec![target] };
    let answer = source.observe(&scope, &context()).await.unwrap();
    assert!(answer.complete.is_empty(), "it says nothing of the others");
    let flags = answer.facts.iter().filter(|fact| matches!(fact, Fact::Flag(_)));
    let names: Vec<String> = flags.map(|fact| fact.item().name().to_string()).collect();
    assert_eq!(names.len(), 3, "{names:?}");
    assert!(names.iter().all(|name| name.starts_with(&format!("{}/", shop.name))), "{names:?}");
}
