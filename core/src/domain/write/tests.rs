//! Tests of writes: only the right answers make an order; what moved is named; the way back.

use jiff::{SignedDuration, Timestamp};

use super::*;
use crate::domain::environment::Health;
use crate::domain::fact::Fact;
use crate::domain::fleet::Fleet;
use crate::domain::ids::{PipelineId, SourceId, TrafficId};
use crate::domain::observation::{Observation, Scope, Topic};
use crate::domain::observed::FreshnessPolicy;
use crate::domain::source::{Capabilities, SourceMeta};
use crate::domain::traffic::{Arm, TrafficSplit};

fn plan(production: bool, verdicts: &[GuardVerdict]) -> Plan {
    let pipeline = PipelineId::new(&SourceId::new("aws"), "shop-main");
    let step = Step {
        write: Write::Start { pipeline },
        expects: Expectation::default(),
        seen_at: Timestamp::UNIX_EPOCH,
        words: Words::default(),
        identity: None,
        place: "here".into(),
        undo: None,
        no_undo: None,
    };
    Plan {
        id: PlanId("1".to_owned()),
        title: "start".into(),
        service: None,
        steps: vec![step],
        guards: verdicts
            .iter()
            .map(|verdict| Guard { name: "guard".into(), verdict: verdict.clone() })
            .collect(),
        at: Timestamp::UNIX_EPOCH,
        production,
        name: "shop".into(),
        notes: Vec::new(),
        intent: serde_json::Value::Null,
    }
}

fn answers(go: bool, typed: &str, reason: &str) -> Answers {
    let reason_for = GuardVerdict::NeedsReason("red".into());
    let broken = vec![Guard { name: "guard".into(), verdict: reason_for }];
    Answers { go, typed: typed.to_owned(), reason: reason.to_owned(), broken, ..Answers::default() }
}

#[test]
fn only_the_right_answers_confirm() {
    let refused = GuardVerdict::Refused("frozen".into());
    let overridable = GuardVerdict::NeedsReason("red".into());
    for (production, verdicts, given, ok) in [
        (false, vec![], answers(true, "", ""), true),
        (false, vec![], answers(false, "", ""), false),
        (true, vec![], answers(true, "", ""), false),
        (true, vec![], answers(true, "sho", ""), false),
        (true, vec![], answers(true, "shop", ""), true),
        (false, vec![overridable.clone()], answers(true, "", "  "), false),
        (false, vec![overridable.clone()], answers(true, "", "fire"), true),
        (false, vec![GuardVerdict::Passed, refused], answers(true, "shop", "fire"), false),
    ] {
        let plan = plan(production, &verdicts);
        let confirmed = confirm(&plan, &given, Timestamp::UNIX_EPOCH);
        assert_eq!(confirmed.is_ok(), ok, "{production} {verdicts:?} {given:?}: {confirmed:?}");
    }
    let mut empty = plan(false, &[]);
    empty.steps.clear();
    assert!(confirm(&empty, &answers(true, "", ""), Timestamp::UNIX_EPOCH).is_err());
}

/// A comment is no reason, and a reason is for what was shown when it was given.
#[test]
fn only_a_reason_for_what_was_shown_breaks_the_glass() {
    let needs = |why: &str| GuardVerdict::NeedsReason(why.into());
    let plan = plan(false, &[needs("red")]);
    let with = |change: &dyn Fn(&mut Answers)| {
        let mut given = Answers::to(&plan, "", "fire");
        change(&mut given);
        confirm(&plan, &given, Timestamp::UNIX_EPOCH)
    };
    let confirmed = with(&|given| given.comment = "tested".to_owned()).unwrap();
    assert_eq!(confirmed.reason().unwrap(), "fire");
    assert_eq!(confirmed.comment().unwrap(), "tested");
    let comment = with(&|given| {
        given.comment = std::mem::take(&mut given.reason);
    });
    assert_eq!(comment.unwrap_err(), "guard: red; give a reason to go on");
    let other = with(&|given| given.broken[0].verdict = needs("orange"));
    let before = "guard: red; the reason was given before that was shown";
    assert_eq!(other.unwrap_err(), before);
    assert_eq!(with(&|given| given.broken.clear()).unwrap_err(), before);
    // Where no glass is broken, nothing tells that one was.
    let calm = super::tests::plan(false, &[]);
    let confirmed = confirm(&calm, &Answers::to(&calm, "", "fire"), Timestamp::UNIX_EPOCH);
    assert_eq!(confirmed.unwrap().reason(), None);
}

#[test]
fn what_moved_is_named() {
    let seen = Expectation {
        facts: vec![("weight".into(), "10".into()), ("state".into(), "up".into())],
        ..Expectation::default()
    };
    let mut now = seen.clone();
    assert_eq!(seen.moved(&now), []);
    now.facts = vec![("weight".into(), "20".into())];
    let moved = seen.moved(&now);
    let words: Vec<String> =
        moved.iter().map(|m| format!("{} {} {}", m.what, m.seen, m.now)).collect();
    assert_eq!(words, ["weight 10 20", "state up gone"]);
    // What has come since was not seen either.
    let mut more = seen.clone();
    more.facts.push(("canary".into(), "weight 5".into()));
    let moved = seen.moved(&more);
    let words: Vec<String> =
        moved.iter().map(|m| format!("{}: {}, {}", m.what, m.seen, m.now)).collect();
    assert_eq!(words, ["canary: not there, weight 5"]);
    let other = Expectation { token: Some(crate::domain::token::Token::new("b")), ..seen.clone() };
    assert_eq!(seen.moved(&other).len(), 1);
}

/// One version of a split, in this state, and what is true of its split.
fn arms(state: &str, usable: bool) -> (TrafficId, Fleet) {
    let source = SourceId::new("lb");
    let split = TrafficId::new(&source, "web");
    let scope = Scope { topic: Topic::Overview, items: Vec::new() };
    let mut answer = Observation::new(&source, 0, &scope, Timestamp::UNIX_EPOCH);
    let green = Arm {
        name: "green".into(),
        weight: 20,
        usable,
        state: state.into(),
        health: Health::Unknown,
        revision: None,
        request_rate: None,
        error_rate: None,
        requests: None,
        errors: None,
    };
    let told = TrafficSplit { id: split.clone(), arms: vec![green], since: None, automation: None };
    answer.facts.push(Fact::Traffic(told));
    let meta = SourceMeta {
        id: source,
        kind: "haproxy".into(),
        place: "here".into(),
        capabilities: Capabilities::default(),
        policy: FreshnessPolicy {
            stale_after: SignedDuration::from_mins(1),
            lost_after: SignedDuration::from_mins(5),
        },
    };
    let mut fleet = Fleet::new([meta]);
    fleet.apply(answer);
    (split, fleet)
}

#[test]
fn a_version_is_taken_out_let_in_and_put_back_as_it_was() {
    use ArmWish::{Drain, Maintenance, Ready, Weight};
    for (state, usable, fact, wish, back, seen_now) in [
        ("UP", true, "weight 20", Drain, Some(Ready), Seen::NotYet),
        ("UP 1/3", true, "weight 20", Maintenance, Some(Ready), Seen::NotYet),
        // Drained by its weight alone: it is let in.
        ("DRAIN", true, "weight 20", Ready, Some(Ready), Seen::Effect),
        ("DRAIN", false, "weight 20 drained", Ready, Some(Drain), Seen::NotYet),
        ("DRAIN", false, "weight 20 drained", Maintenance, Some(Drain), Seen::NotYet),
        (
            "MAINT (via web/blue)",
            false,
            "weight 20 in maintenance",
            Drain,
            Some(Maintenance),
            Seen::NotYet,
        ),
        ("MAINT", false, "weight 20 in maintenance", Maintenance, Some(Maintenance), Seen::Effect),
        ("UP, backup", false, "weight 20 not used", Maintenance, Some(Ready), Seen::NotYet),
        // It fails: what was wished of it before is not told.
        ("DOWN L4CON", false, "weight 20 not used", Drain, None, Seen::Effect),
        ("DOWN L4CON", false, "weight 20 not used", Weight(5), Some(Weight(20)), Seen::NotYet),
        ("UP", true, "weight 20", Weight(20), Some(Weight(20)), Seen::Effect),
    ] {
        let (split, fleet) = arms(state, usable);
        let arm = |wish| Write::Arm { split: split.clone(), arm: "green".into(), wish };
        let write = arm(wish);
        let before = expectation(&write, &fleet).unwrap();
        assert_eq!(before.get("green").unwrap().as_str(), fact, "{state}");
        assert_eq!(inverse(&write, &fleet).ok(), back.map(arm), "{state} {wish:?}");
        assert_eq!(seen(&write, &before, &fleet), seen_now, "{state} {wish:?}");
    }
}
