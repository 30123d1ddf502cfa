//! Tests of confirming: nothing but the right answers makes an order.

use jiff::Timestamp;

use super::*;
use crate::domain::ids::{PipelineId, SourceId};

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
    }
}

fn answers(go: bool, typed: &str, reason: &str) -> Answers {
    Answers { go, typed: typed.to_owned(), reason: reason.to_owned() }
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

#[test]
fn what_moved_is_named() {
    let seen = Expectation {
        facts: vec![("weight".into(), "10".into()), ("state".into(), "up".into())],
        token: None,
    };
    let mut now = seen.clone();
    assert_eq!(seen.moved(&now), []);
    now.facts = vec![("weight".into(), "20".into())];
    let moved = seen.moved(&now);
    let words: Vec<String> =
        moved.iter().map(|m| format!("{} {} {}", m.what, m.seen, m.now)).collect();
    assert_eq!(words, ["weight 10 20", "state up gone"]);
    let other = Expectation { token: Some(crate::domain::token::Token::new("b")), ..seen.clone() };
    assert_eq!(seen.moved(&other).len(), 1);
}
