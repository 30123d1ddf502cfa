//! Writes to a real HAProxy: weights and states as they are set, and where requests go.

use flightdeck::domain::error::FaultKind;
use flightdeck::domain::write::{ArmWish, Outcome, Write, inverse};
use serde_json::json;

use crate::edge::{Edge, arm, at, id, shares};
use crate::hands::{
    Breaker, carry_out, confirmed, context, is_forbidden, losses, race, read, submit, submit_seen,
};

#[tokio::test]
#[ignore = "needs the lab: bash tests/run"]
async fn a_canary_is_shifted_promoted_and_taken_back_and_requests_follow() {
    let edge = Edge::start().await;
    let source = edge.source();
    for (blue, green, weights) in [
        (75, 25, (75, 25)),
        (50, 50, (50, 50)),
        (0, 100, (0, 10)),
        (100, 0, (90, 0)),
        (90, 10, (90, 10)),
    ] {
        let note = submit(&*source, shares("shop", blue, green)).await.unwrap().note.unwrap();
        assert!(note.as_str().starts_with("shop: "), "{note}");
        assert_eq!(edge.weights("shop").await, weights, "{note}");
        let reached = edge.green_of(100).await;
        assert!(reached.abs_diff(green as usize) <= 2, "{reached} of 100 requests, not {green}");
    }
    // One version alone: the other keeps its weight.
    let only = Write::Shares { split: id("shop"), shares: vec![("green".into(), 40)] };
    submit(&*source, only).await.unwrap();
    assert_eq!(edge.weights("shop").await, (90, 60));
    // Absolute.
    submit(&*source, arm("shop", "green", ArmWish::Weight(256))).await.unwrap();
    assert_eq!(edge.weights("shop").await, (90, 256));
    // Nobody touched the one that stands by.
    assert_eq!(edge.split("shop").await.arm("spare").unwrap().weight, 50);
}

#[tokio::test]
#[ignore = "needs the lab: bash tests/run"]
async fn a_version_is_drained_kept_out_and_let_in_again() {
    let edge = Edge::start().await;
    let source = edge.source();
    submit(&*source, shares("shop", 50, 50)).await.unwrap();
    for wish in [ArmWish::Drain, ArmWish::Maintenance, ArmWish::Drain] {
        submit(&*source, arm("shop", "green", wish)).await.unwrap();
        let split = edge.split("shop").await;
        let green = split.arm("green").unwrap();
        assert!(!green.usable, "{green:?}");
        let word = if wish == ArmWish::Drain { "DRAIN" } else { "MAINT" };
        assert!(green.state.as_str().contains(word), "{green:?}");
        assert_eq!(edge.green_of(20).await, 0);
    }
    // Out of traffic, it cannot get a share.
    let fault = submit(&*source, shares("shop", 40, 60)).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::InvalidRequest);
    assert!(fault.message.as_str().contains("green takes no traffic (DRAIN"), "{fault}");
    submit(&*source, arm("shop", "green", ArmWish::Ready)).await.unwrap();
    assert_eq!(edge.weights("shop").await, (50, 50));
    assert!(edge.green_of(20).await > 0);
}

#[tokio::test]
#[ignore = "needs the lab: bash tests/run"]
async fn the_traps_of_weights_are_no_traps() {
    let edge = Edge::start().await;
    let source = edge.source();
    // A relative weight is cut at 256 without a word, and a share of nothing is nothing.
    assert_eq!(edge.raw("set server shop/blue weight 300%").await, "\n");
    assert_eq!(edge.weights("shop").await, (256, 10));
    assert_eq!(edge.raw("set server fresh/green weight 10%").await, "\n");
    assert_eq!(edge.weights("fresh").await, (10, 0));
    // Absolute weights are what they say.
    submit(&*source, shares("shop", 70, 30)).await.unwrap();
    assert_eq!(edge.weights("shop").await, (70, 30));
    submit(&*source, shares("fresh", 90, 10)).await.unwrap();
    assert_eq!(edge.weights("fresh").await, (90, 10));
    let fault = submit(&*source, arm("shop", "blue", ArmWish::Weight(300))).await.unwrap_err();
    assert!(fault.message.as_str().contains("between 0 and 256"), "{fault}");
    // A way of balancing that takes all or nothing says so; all and nothing it takes.
    let fault = submit(&*source, shares("fixed", 75, 25)).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::InvalidRequest);
    assert!(fault.message.as_str().contains("static LB algorithm"), "{fault}");
    assert!(fault.hint.as_str().contains("all or nothing"), "{}", fault.hint);
    assert_eq!(edge.weights("fixed").await, (90, 10));
    submit(&*source, shares("fixed", 0, 100)).await.unwrap();
    assert_eq!(edge.weights("fixed").await, (0, 10));
    submit(&*source, shares("fixed", 90, 10)).await.unwrap();
    assert_eq!(edge.weights("fixed").await, (90, 10));
}

#[tokio::test]
#[ignore = "needs the lab: bash tests/run"]
async fn a_socket_of_too_low_a_level_is_a_refusal_with_the_level() {
    let edge = Edge::start().await;
    let low = at(edge.user);
    for write in [shares("shop", 75, 25), arm("shop", "green", ArmWish::Drain)] {
        let fault = submit(&*low, write).await.unwrap_err();
        assert!(is_forbidden(&fault, "level admin"), "{fault:?}");
        assert!(fault.message.as_str().contains("level user"), "{fault}");
        assert!(fault.hint.as_str().contains("stats socket"), "{}", fault.hint);
    }
    let outcome = carry_out(&*low, &low, shares("shop", 75, 25)).await;
    assert!(matches!(outcome, Outcome::Failed { .. }), "{outcome:?}");
    assert_eq!(edge.weights("shop").await, (90, 10));
}

#[tokio::test]
#[ignore = "needs the lab: bash tests/run"]
async fn what_moved_since_it_was_seen_is_not_written_over() {
    let edge = Edge::start().await;
    let source = edge.source();
    for (change, what) in [
        ("set server shop/green weight 20", "green was weight 10, is weight 20"),
        ("set server shop/green state drain", "green was weight 20, is weight 20 drained"),
    ] {
        let order = confirmed(&*source, shares("shop", 75, 25)).await.order(0).unwrap();
        edge.raw(change).await;
        let fault = source.submit(&order, &context()).await.unwrap_err();
        assert_eq!(fault.kind, FaultKind::Conflict);
        assert!(fault.message.as_str().contains(what), "{fault}");
        assert_eq!(edge.weights("shop").await, (90, 20));
    }
}

#[tokio::test]
#[ignore = "needs the lab: bash tests/run"]
async fn a_lost_answer_is_unknown_and_the_gateway_finds_that_it_was_done() {
    let edge = Edge::start().await;
    let direct = edge.source();
    let to = format!("127.0.0.1:{}", edge.admin);
    let breaker = Breaker::new("haproxy-lost", &to).await;
    let through = at(u16::try_from(breaker.port).unwrap());
    for (at, loss) in losses().iter().enumerate() {
        let green = 20 + u32::try_from(at).unwrap();
        // The read right before passes, the answer to the write is lost.
        breaker.breaks(1, loss).await;
        let wanted = shares("shop", 100 - green, green);
        let fault = submit_seen(&*direct, &*through, wanted).await.unwrap_err();
        assert_eq!(fault.kind, FaultKind::OutcomeUnknown, "{loss}: {fault}");
        assert_eq!(edge.weights("shop").await, (100 - green, green), "{loss}");

        let back = shares("shop", 90, 10);
        // The gateway reads once more before.
        breaker.breaks(2, loss).await;
        let outcome = carry_out(&*direct, &through, back).await;
        let Outcome::Done { note } = outcome else { panic!("{loss}: {outcome:?}") };
        assert!(note.unwrap().as_str().contains("answer was lost"), "{loss}");
        assert_eq!(edge.weights("shop").await, (90, 10), "{loss}");
    }
    for (at, loss) in losses().iter().enumerate() {
        let wish = if at % 2 == 0 { ArmWish::Drain } else { ArmWish::Ready };
        breaker.breaks(2, loss).await;
        let outcome = carry_out(&*direct, &through, arm("shop", "green", wish)).await;
        assert!(matches!(outcome, Outcome::Done { .. }), "{loss}: {outcome:?}");
    }
}

#[tokio::test]
#[ignore = "needs the lab: bash tests/run"]
async fn what_never_reached_it_is_no_outcome_to_wonder_about() {
    let edge = Edge::start().await;
    let direct = edge.source();
    let breaker = Breaker::new("haproxy-before", &format!("127.0.0.1:{}", edge.admin)).await;
    let through = at(u16::try_from(breaker.port).unwrap());
    for fault in [json!({ "kind": "reset", "bytes": 0 }), json!({ "kind": "hang" })] {
        // The read right before is what breaks.
        breaker.breaks(0, &fault).await;
        let told = submit_seen(&*direct, &*through, shares("shop", 75, 25)).await.unwrap_err();
        assert!(!matches!(told.kind, FaultKind::OutcomeUnknown), "{fault}: {told}");
        assert_eq!(edge.weights("shop").await, (90, 10), "{fault}");
    }
    // Refused as it connects for the write: noticed before anything is sent, or just after.
    breaker.breaks(1, &json!({ "kind": "refuse" })).await;
    let told = submit_seen(&*direct, &*through, shares("shop", 75, 25)).await.unwrap_err();
    let honest = matches!(told.kind, FaultKind::OutcomeUnknown | FaultKind::Unreachable);
    assert!(honest, "{told}");
    assert_eq!(edge.weights("shop").await, (90, 10));
}

#[tokio::test]
#[ignore = "needs the lab: bash tests/run"]
async fn of_two_who_shift_at_once_one_wins() {
    let edge = Edge::start().await;
    let source = edge.source();
    for round in 0..30 {
        let (one, other) = (11 + round, 51 + round);
        let writes = [shares("shop", 100 - one, one), shares("shop", 100 - other, other)];
        let (outcomes, winner) = race(&source, writes).await;
        assert!(matches!(outcomes[0], Outcome::Done { .. }), "{outcomes:?}");
        let refused = matches!(outcomes[1], Outcome::Refused { .. } | Outcome::Moved { .. });
        assert!(refused, "{outcomes:?}");
        let green = if winner == shares("shop", 100 - one, one) { one } else { other };
        assert_eq!(edge.weights("shop").await, (100 - green, green));
    }
}

#[tokio::test]
#[ignore = "needs the lab: bash tests/run"]
async fn through_the_gateway_a_shift_is_done_and_undone() {
    let edge = Edge::start().await;
    let source = edge.source();
    for write in [
        shares("shop", 75, 25),
        arm("shop", "green", ArmWish::Weight(30)),
        arm("shop", "green", ArmWish::Drain),
        arm("shop", "blue", ArmWish::Weight(0)),
        arm("shop", "spare", ArmWish::Maintenance),
    ] {
        let before = edge.split("shop").await;
        let undo = inverse(&write, &read(&*source, &write).await).unwrap();
        for write in [write, undo] {
            let outcome = carry_out(&*source, &source, write.clone()).await;
            assert!(matches!(outcome, Outcome::Done { .. }), "{write:?}: {outcome:?}");
        }
        let after = edge.split("shop").await;
        for (before, after) in before.arms.iter().zip(&after.arms) {
            assert_eq!((before.weight, before.usable), (after.weight, after.usable));
        }
    }
}
