//! Writes to a real Unleash: flags changed as an editor, as a viewer, and by others.

use flightdeck::domain::error::FaultKind;
use flightdeck::domain::write::{Outcome, Write, inverse};
use serde_json::json;

use crate::hands::{
    Breaker, carry_out, confirmed, context, is_forbidden, losses, race, read, submit, submit_seen,
};
use crate::lab::address;
use crate::lamp::{EDITOR, Lamp, OFF, ON, PROJECT, admin, at, editor, percent, stale};

#[tokio::test]
#[ignore = "needs the lab: bash tests/run"]
async fn a_flag_is_turned_on_and_off_by_the_person_whose_token_it_is() {
    let (lamp, source) = (Lamp::new("switch").await, editor());
    for (change, on, event) in
        [(ON, true, "feature-environment-enabled"), (OFF, false, "feature-environment-disabled")]
    {
        submit(&*source, lamp.write(change.clone())).await.unwrap();
        assert_eq!(lamp.is_on().await, on);
        assert_eq!(lamp.log().await[0], (event.to_owned(), EDITOR.to_owned()));
        let note = submit(&*source, lamp.write(change)).await.unwrap().note.unwrap();
        assert!(note.as_str().contains("nothing was sent"), "{note}");
    }
}

#[tokio::test]
#[ignore = "needs the lab: bash tests/run"]
async fn a_share_changes_and_nothing_else_of_its_strategy() {
    let (lamp, source) = (Lamp::new("share").await, editor());
    let before = lamp.raw_production().await;
    assert_eq!(lamp.told(&*source).await.environments[1].gradual, Some(40.0));
    for share in [55.0, 0.0, 100.0] {
        submit(&*source, lamp.write(percent(share))).await.unwrap();
        let mut expected = before.clone();
        expected["strategies"][0]["parameters"]["rollout"] = json!(format!("{share}"));
        assert_eq!(lamp.raw_production().await, expected);
        assert_eq!(lamp.log().await[0].1, EDITOR);
    }
    for share in [12.5, 101.0, -1.0, f64::NAN] {
        let fault = submit(&*source, lamp.write(percent(share))).await.unwrap_err();
        assert_eq!(fault.kind, FaultKind::InvalidRequest, "{share}: {fault}");
    }
    // Which of two is meant, nobody can tell.
    lamp.add(&json!({ "name": "flexibleRollout", "parameters": { "rollout": "5" } })).await;
    let fault = submit(&*source, lamp.write(percent(30.0))).await.unwrap_err();
    assert!(fault.message.as_str().contains("2 gradual roll-outs"), "{fault}");
}

#[tokio::test]
#[ignore = "needs the lab: bash tests/run"]
async fn a_flag_is_marked_as_stale_and_no_longer() {
    let (lamp, source) = (Lamp::new("stale").await, editor());
    for marked in [true, false] {
        submit(&*source, lamp.write(stale(marked))).await.unwrap();
        assert_eq!(lamp.raw().await["stale"], marked);
        assert_eq!(lamp.told(&*source).await.marked, marked);
    }
    assert_eq!(lamp.raw().await["description"], "of a test");
}

#[tokio::test]
#[ignore = "needs the lab: bash tests/run"]
async fn turning_on_what_has_only_disabled_strategies_would_be_for_everybody() {
    let (lamp, source) = (Lamp::new("disabled").await, editor());
    let strategies = lamp.raw_production().await["strategies"].clone();
    let path = format!("{}/strategies/{}", lamp.path(), strategies[0]["id"].as_str().unwrap());
    let disable = json!([{ "op": "replace", "path": "/disabled", "value": true }]);
    admin(reqwest::Method::PATCH, &path, &disable).await;
    let fault = submit(&*source, lamp.write(ON)).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::InvalidRequest);
    assert!(fault.message.as_str().contains("for everybody"), "{fault}");
    assert!(!lamp.is_on().await);
    assert_eq!(lamp.raw_production().await["strategies"].as_array().unwrap().len(), 1);
}

#[tokio::test]
#[ignore = "needs the lab: bash tests/run"]
async fn a_forbidden_token_is_a_refusal_with_the_missing_permission() {
    let lamp = Lamp::new("viewer").await;
    let viewer = at(&address("LAB_UNLEASH_URL"), "LAB_UNLEASH_TOKEN_VIEWER");
    for (change, permission) in [
        (ON, "UPDATE_FEATURE_ENVIRONMENT"),
        (percent(50.0), "UPDATE_FEATURE_STRATEGY"),
        (stale(true), "UPDATE_FEATURE"),
    ] {
        let fault = submit(&*viewer, lamp.write(change.clone())).await.unwrap_err();
        assert!(is_forbidden(&fault, permission), "{fault:?}");
        assert!(fault.hint.as_str().contains(permission), "{}", fault.hint);
        let outcome = carry_out(&*viewer, &viewer, lamp.write(change)).await;
        let Outcome::Failed { fault } = outcome else { panic!("{outcome:?}") };
        assert!(is_forbidden(&fault, permission), "{fault:?}");
    }
    let raw = lamp.raw().await;
    assert_eq!((lamp.is_on().await, &raw["stale"]), (false, &json!(false)));
    assert_eq!(lamp.rollout().await, "40");
}

#[tokio::test]
#[ignore = "needs the lab: bash tests/run"]
async fn where_change_requests_are_wanted_it_says_what_to_do() {
    let (lamp, source) = (Lamp::new("request").await, editor());
    let write = Write::Flag {
        flag: lamp.id(),
        environment: "development".into(),
        change: ON,
        strategy: None,
    };
    let fault = submit(&*source, write).await.unwrap_err();
    assert!(is_forbidden(&fault, "SKIP_CHANGE_REQUEST"), "{fault:?}");
    assert!(fault.message.as_str().contains("need a change request"), "{fault}");
    assert!(fault.hint.as_str().contains(&format!("/features/{}", lamp.name)), "{}", fault.hint);
    assert_eq!(lamp.raw().await["environments"][0]["enabled"], false);
}

#[tokio::test]
#[ignore = "needs the lab: bash tests/run"]
async fn a_flag_that_moved_or_went_is_not_written_to() {
    let (lamp, source) = (Lamp::new("moved").await, editor());
    let strategies = lamp.raw_production().await["strategies"].clone();
    let path = format!("{}/strategies/{}", lamp.path(), strategies[0]["id"].as_str().unwrap());
    for (change, values) in [
        (ON, json!(["be", "lu", "nl"])),
        (percent(70.0), json!(["be", "lu", "nl", "fr"])),
        (stale(true), json!(["be"])),
    ] {
        let order = confirmed(&*source, lamp.write(change)).await.order(0).unwrap();
        let patch = json!([{ "op": "replace", "path": "/constraints/0/values", "value": values }]);
        admin(reqwest::Method::PATCH, &path, &patch).await;
        let fault = source.submit(&order, &context()).await.unwrap_err();
        assert_eq!(fault.kind, FaultKind::Conflict);
        assert!(fault.message.as_str().contains("rules was near first"), "{fault}");
    }
    // Unleash itself refuses what moved after that last look.
    let late = json!([
        { "op": "test", "path": "/parameters/rollout", "value": "39" },
        { "op": "add", "path": "/parameters/rollout", "value": "99" },
    ]);
    let url = format!("{}{PROJECT}{path}", address("LAB_UNLEASH_URL"));
    let request = reqwest::Client::new().patch(url).json(&late);
    let request = request.header("authorization", address("LAB_UNLEASH_TOKEN"));
    let answer = request.send().await.unwrap();
    assert_eq!(answer.status().as_u16(), 500);
    assert!(answer.text().await.unwrap().contains("TEST_OPERATION_FAILED"));
    assert_eq!((lamp.is_on().await, lamp.rollout().await.as_str()), (false, "40"));
    let order = confirmed(&*source, lamp.write(stale(true))).await.order(0).unwrap();
    admin(reqwest::Method::DELETE, &format!("/features/{}", lamp.name), &json!({})).await;
    let fault = source.submit(&order, &context()).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::NotFound, "{fault}");
}

#[tokio::test]
#[ignore = "needs the lab: bash tests/run"]
async fn a_lost_answer_is_unknown_and_the_gateway_finds_what_was_done() {
    let (lamp, direct) = (Lamp::new("lost").await, editor());
    let to = address("LAB_UNLEASH_URL").replace("http://", "");
    let breaker = Breaker::new("unleash-lost", &to).await;
    let url = format!("http://127.0.0.1:{}", breaker.port);
    let through = at(&url, "LAB_UNLEASH_TOKEN_EDITOR");
    for (round, loss) in losses().iter().enumerate() {
        let share = 50.0 + f64::from(u8::try_from(round).unwrap());
        breaker.breaks(1, loss).await;
        let told = submit_seen(&*direct, &*through, lamp.write(percent(share))).await;
        assert_eq!(told.unwrap_err().kind, FaultKind::OutcomeUnknown, "{loss}");
        assert_eq!(lamp.rollout().await, format!("{share}"), "{loss}");

        for change in [ON, percent(10.0), stale(true), OFF, percent(90.0), stale(false)] {
            // The gateway reads once more before.
            breaker.breaks(2, loss).await;
            let outcome = carry_out(&*direct, &through, lamp.write(change.clone())).await;
            let Outcome::Done { note } = outcome else { panic!("{loss} {change:?}: {outcome:?}") };
            assert!(note.unwrap().as_str().contains("answer was lost"), "{loss} {change:?}");
        }
    }
    // Each was done once, in three rounds with seven writes each; a mark is told of twice.
    let log = lamp.log().await;
    let own = |(what, who): &&(String, String)| who == EDITOR && what != "feature-metadata-updated";
    assert_eq!(log.iter().filter(own).count(), 21, "{log:?}");
}

#[tokio::test]
#[ignore = "needs the lab: bash tests/run"]
async fn an_answer_of_something_in_between_is_unknown_or_a_refusal_by_its_status() {
    let (lamp, direct) = (Lamp::new("between").await, editor());
    let to = address("LAB_UNLEASH_URL").replace("http://", "");
    let breaker = Breaker::new("unleash-between", &to).await;
    let through = at(&format!("http://127.0.0.1:{}", breaker.port), "LAB_UNLEASH_TOKEN_EDITOR");
    for (fault, unknown) in [
        (json!({ "kind": "status", "status": 500 }), true),
        (json!({ "kind": "status", "status": 503 }), true),
        (json!({ "kind": "hang" }), true),
        (json!({ "kind": "status", "status": 429, "retry_after": 5 }), false),
        (json!({ "kind": "status", "status": 401 }), false),
    ] {
        breaker.breaks(1, &fault).await;
        let told = submit_seen(&*direct, &*through, lamp.write(ON)).await.unwrap_err();
        assert_eq!(told.kind == FaultKind::OutcomeUnknown, unknown, "{fault}: {told:?}");
        assert!(!lamp.is_on().await, "{fault}");
        // Before anything was sent, the same is never a question.
        breaker.breaks(0, &fault).await;
        let told = submit_seen(&*direct, &*through, lamp.write(ON)).await.unwrap_err();
        assert_ne!(told.kind, FaultKind::OutcomeUnknown, "{fault}: {told:?}");
    }
    // What was not done is found not to be done.
    breaker.breaks(2, &json!({ "kind": "status", "status": 502 })).await;
    let outcome = carry_out(&*direct, &through, lamp.write(ON)).await;
    assert!(matches!(outcome, Outcome::Unknown { .. }), "{outcome:?}");
    assert!(!lamp.is_on().await);
}

#[tokio::test]
#[ignore = "needs the lab: bash tests/run"]
async fn of_two_who_change_a_flag_at_once_one_wins() {
    let (lamp, source) = (Lamp::new("race").await, editor());
    for round in 0..10 {
        let (one, other) = (f64::from(1 + round), f64::from(51 + round));
        let writes = [lamp.write(percent(one)), lamp.write(percent(other))];
        let (outcomes, winner) = race(&source, writes).await;
        assert!(matches!(outcomes[0], Outcome::Done { .. }), "{outcomes:?}");
        let refused = matches!(outcomes[1], Outcome::Refused { .. } | Outcome::Moved { .. });
        assert!(refused, "{outcomes:?}");
        let share = if winner == lamp.write(percent(one)) { one } else { other };
        assert_eq!(lamp.rollout().await, format!("{share}"));
    }
    let changes = lamp.log().await.iter().filter(|(_, who)| who == EDITOR).count();
    assert_eq!(changes, 10);
}

#[tokio::test]
#[ignore = "needs the lab: bash tests/run"]
async fn through_the_gateway_changes_are_done_and_undone() {
    let (lamp, source) = (Lamp::new("undo").await, editor());
    let before = lamp.raw().await;
    for change in [ON, percent(75.0), stale(true)] {
        let write = lamp.write(change);
        let undo = inverse(&write, &read(&*source, &write).await).unwrap();
        for write in [write, undo] {
            let outcome = carry_out(&*source, &source, write.clone()).await;
            assert!(matches!(outcome, Outcome::Done { .. }), "{write:?}: {outcome:?}");
        }
    }
    let after = lamp.raw().await;
    for member in ["environments", "stale", "description"] {
        assert_eq!(before[member], after[member], "{member}");
    }
}
