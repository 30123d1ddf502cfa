//! Writes against a loopback socket that answers in the shapes of HAProxy 2.6.12.

use serde_json::json;

use super::tests::{Replay, bench};
use super::*;
use crate::domain::error::FaultKind;
use crate::domain::fleet::Fleet;
use crate::domain::ids::TrafficId;
use crate::domain::write::{
    Answers, ArmWish, Plan, PlanId, Step, Words, Write, confirm, expectation,
};

const HEAD: &str = "1\n# be_id be_name srv_id srv_name srv_admin_state srv_uweight srv_iweight\n";

/// Name, administrative state, weight, configured weight.
type Row = (&'static str, u32, u32, u32);

const PAIR: [Row; 2] = [("blue", 0, 90, 90), ("green", 0, 10, 10)];

fn states(rows: &[Row]) -> String {
    let line = |(at, (name, admin, weight, configured)): (usize, &Row)| {
        format!("2 web {at} {name} {admin} {weight} {configured}\n")
    };
    format!("{HEAD}{}\n", rows.iter().enumerate().map(line).collect::<String>())
}

/// What is told before a write.
fn told(level: &str, rows: &[Row]) -> String {
    let line = |(name, admin, weight, _): &Row| {
        let status = if *admin & 1 != 0 { "MAINT" } else { "UP" };
        format!("web,{name},2,{status},{weight},{weight},0\n")
    };
    format!(
        "{level}\n\nName: HAProxy\nVersion: 2.6.12\nNbproc: 1\nPid: 7\nUptime_sec: 9\n\n\
         # pxname,svname,type,status,weight,uweight,bck\n{}\n{}",
        rows.iter().map(line).collect::<String>(),
        states(rows)
    )
}

fn web() -> TrafficId {
    TrafficId::new(&SourceId::new("edge"), "web")
}

fn shares(shares: &[(&str, u32)]) -> Write {
    let shares = shares.iter().map(|(name, share)| ((*name).into(), *share)).collect();
    Write::Shares { split: web(), shares }
}

fn arm(name: &str, wish: ArmWish) -> Write {
    Write::Arm { split: web(), arm: name.into(), wish }
}

/// The order of `write`, after what `source` tells now was seen.
async fn order(bench: &super::tests::Bench, write: Write) -> Order {
    let mut fleet = Fleet::new([bench.source.meta()]);
    let mut seen = bench.overview().await.unwrap();
    seen.epoch = 0;
    fleet.apply(seen);
    let step = Step {
        expects: expectation(&write, &fleet).unwrap(),
        write,
        seen_at: Timestamp::UNIX_EPOCH,
        words: Words::default(),
        identity: None,
        place: "here".into(),
        undo: None,
        no_undo: None,
    };
    let plan = Plan {
        id: PlanId("1".to_owned()),
        title: "write".into(),
        service: None,
        steps: vec![step],
        guards: Vec::new(),
        at: Timestamp::UNIX_EPOCH,
        production: false,
        name: "web".into(),
        notes: Vec::new(),
        intent: serde_json::Value::Null,
    };
    let answers = Answers { go: true, ..Answers::default() };
    confirm(&plan, &answers, Timestamp::UNIX_EPOCH).unwrap().order(0).unwrap()
}

/// Sees `before`, reads `before` again, and sends; what came of it, and what was asked for.
async fn submit(before: &str, after: &str, write: Write) -> (Result<Receipt, Fault>, Vec<String>) {
    let answers = [before, before, after].map(|text| text.as_bytes().to_vec());
    let server = Replay::start(answers.to_vec()).await;
    let bench = bench(json!({ "address": server.address }), &[]);
    let order = order(&bench, write).await;
    let outcome = bench.source.submit(&order, &bench.context).await;
    let asked = server.asked.lock().unwrap().clone();
    (outcome, asked[1..].to_vec())
}

#[tokio::test]
async fn weights_go_out_in_one_line_raises_first_and_are_read_back() {
    let after = format!("\n\n{}", states(&[("blue", 0, 75, 90), ("green", 0, 25, 10)]));
    let wanted = shares(&[("blue", 75), ("green", 25)]);
    let (outcome, asked) = submit(&told("admin", &PAIR), &after, wanted).await;
    assert_eq!(
        outcome.unwrap().note.unwrap().as_str(),
        "web: green weight 25, before weight 10; blue weight 75, before weight 90"
    );
    assert_eq!(asked.len(), 2);
    assert_eq!(
        asked[1],
        "set server web/green weight 25;set server web/blue weight 75;show servers state web\n"
    );
}

#[tokio::test]
async fn states_are_set_and_read_back() {
    for (wish, command, admin, words) in [
        (ArmWish::Drain, "drain", 8, "green drain, before ready"),
        (ArmWish::Maintenance, "maint", 1, "green maintenance, before ready"),
    ] {
        let after = format!("\n{}", states(&[PAIR[0], ("green", admin, 10, 10)]));
        let (outcome, asked) = submit(&told("admin", &PAIR), &after, arm("green", wish)).await;
        assert_eq!(outcome.unwrap().note.unwrap().as_str(), format!("web: {words}"));
        let line = format!("set server web/green state {command};show servers state web\n");
        assert_eq!(asked[1], line);
    }
    let held = [PAIR[0], ("green", 2, 10, 10)];
    let after = format!("\n{}", states(&held));
    let (outcome, _) = submit(&told("admin", &held), &after, arm("green", ArmWish::Ready)).await;
    let fault = outcome.unwrap_err();
    assert!(fault.message.as_str().contains("as the server that it tracks"), "{fault}");
}

#[tokio::test]
async fn what_was_really_set_counts() {
    // Taken as 256 without a word, as HAProxy does with a relative weight of 300 %.
    let after = format!("\n{}", states(&[PAIR[0], ("green", 0, 256, 10)]));
    let wish = arm("green", ArmWish::Weight(250));
    let (outcome, _) = submit(&told("admin", &PAIR), &after, wish.clone()).await;
    let note = outcome.unwrap().note.unwrap();
    assert_eq!(
        note.as_str(),
        "web: not as asked: green weight 256 instead of weight 250; set: nothing"
    );
    // Accepted, and nothing happened.
    let after = format!("\n{}", states(&PAIR));
    let fault = submit(&told("admin", &PAIR), &after, wish).await.0.unwrap_err();
    assert_eq!(fault.kind, FaultKind::InvalidReply);
    assert!(fault.message.as_str().contains("green weight 10 instead of weight 250"), "{fault}");
    // One of two was refused.
    let after =
        format!("\nNo such server.\n\n{}", states(&[("blue", 0, 90, 90), ("green", 0, 25, 10)]));
    let wanted = shares(&[("blue", 75), ("green", 25)]);
    let note = submit(&told("admin", &PAIR), &after, wanted).await.0.unwrap().note.unwrap();
    assert_eq!(
        note.as_str(),
        "web: not as asked: blue weight 90 instead of weight 75; set: green weight 25, before \
         weight 10 (HAProxy: No such server.)"
    );
}

#[tokio::test]
async fn a_refusal_of_everything_says_why() {
    let refused = |text: &str| format!("{text}\n\n{}", states(&PAIR));
    let fixed = "Backend is using a static LB algorithm and only accepts weights '0%' and '100%'.";
    let level = FaultKind::Forbidden { permission: Some("level admin".into()) };
    for (said, kind, hint) in [
        ("Permission denied", level.clone(), "level admin"),
        ("No such server.", FaultKind::NotFound, "gone"),
        (fixed, FaultKind::InvalidRequest, "all or nothing"),
        ("Something new.", FaultKind::InvalidRequest, "accepts"),
    ] {
        let wish = arm("green", ArmWish::Weight(20));
        let fault = submit(&told("admin", &PAIR), &refused(said), wish).await.0.unwrap_err();
        assert_eq!(fault.kind, kind, "{fault}");
        assert!(fault.message.as_str().contains(said), "{fault}");
        assert!(fault.hint.as_str().contains(hint), "{}", fault.hint);
    }
    // The level is known before: nothing is sent.
    for own in ["user", "operator"] {
        let wish = arm("green", ArmWish::Drain);
        let (outcome, asked) = submit(&told(own, &PAIR), "", wish).await;
        let fault = outcome.unwrap_err();
        assert_eq!(fault.kind, level, "{fault}");
        assert!(fault.message.as_str().contains(own), "{fault}");
        assert_eq!(asked.len(), 1);
    }
}

#[tokio::test]
async fn what_moved_or_cannot_be_is_refused_before_anything_is_sent() {
    let now = told("admin", &[("blue", 0, 80, 90), ("green", 0, 20, 10)]);
    let answers = [told("admin", &PAIR), now].map(String::into_bytes);
    let server = Replay::start(answers.to_vec()).await;
    let bench = bench(json!({ "address": server.address }), &[]);
    let wanted = order(&bench, shares(&[("blue", 75), ("green", 25)])).await;
    let fault = bench.source.submit(&wanted, &bench.context).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Conflict);
    assert!(fault.message.as_str().contains("green was weight 10, is weight 20"), "{fault}");
    assert_eq!(server.asked.lock().unwrap().len(), 2);

    let before = told("admin", &PAIR);
    for (write, why) in [
        (shares(&[("blue", 75), ("green", 24)]), "add up to 99%"),
        (arm("green", ArmWish::Weight(257)), "between 0 and 256"),
        (arm("red", ArmWish::Ready), "no server red"),
    ] {
        let (outcome, asked) = submit(&before, "", write).await;
        let fault = outcome.unwrap_err();
        assert_eq!(fault.kind, FaultKind::InvalidRequest);
        assert!(fault.message.as_str().contains(why), "{fault}");
        assert_eq!(asked.len(), 1, "{why}");
    }
    let (outcome, asked) = submit(&before, "", shares(&[("blue", 90), ("green", 10)])).await;
    assert!(outcome.unwrap().note.unwrap().as_str().contains("nothing was sent"));
    assert_eq!(asked.len(), 1);
}

#[tokio::test]
async fn a_lost_answer_is_an_unknown_outcome() {
    let whole = format!("\n{}", states(&PAIR));
    let cut = &whole[..whole.len() - 1];
    let silent = "\n1\n# be_id be_name srv_id srv_name\n\n";
    for after in ["", "\n", cut, silent, "HTTP/1.1 400 Bad\r\n\r\n"] {
        let wish = arm("green", ArmWish::Weight(20));
        let fault = submit(&told("admin", &PAIR), after, wish).await.0.unwrap_err();
        assert_eq!(fault.kind, FaultKind::OutcomeUnknown, "{after:?}: {fault}");
    }
}

#[tokio::test]
async fn no_connection_for_the_write_means_that_nothing_was_sent() {
    let free = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("tcp://{}", free.local_addr().unwrap()).parse().unwrap();
    drop(free);
    let fault = socket::tell(&address, "x", Duration::from_secs(5)).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Unreachable);
}
