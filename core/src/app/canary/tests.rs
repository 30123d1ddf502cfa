//! Tests of the watch: series in, verdict out, in whatever portions they come.

use super::*;
use crate::domain::canary::{AtVerdict, CountPair, Policy, Purpose};
use crate::domain::environment::Health;
use crate::domain::fact::{Fact, FactKind};
use crate::domain::ids::{CanaryId, SeriesId, ServiceId, SourceId, TrafficId};
use crate::domain::observation::{Observation, Scope, Topic};
use crate::domain::observed::FreshnessPolicy;
use crate::domain::pattern::Pattern;
use crate::domain::rule::{Limits, Rule};
use crate::domain::series::{Point, Series, SeriesKind};
use crate::domain::source::{Capabilities, SourceMeta};
use crate::domain::traffic::Arm;
use crate::judge::{Action, Verdict};

const STEP: i64 = 60;

pub(super) fn source() -> SourceId {
    SourceId::new("prom")
}

pub(super) fn spec() -> CanarySpec {
    let id = |name: &str| SeriesId::new(&source(), name);
    let pair = |arm: &str| CountPair {
        events: id(&format!("{arm}.errors")),
        requests: id(&format!("{arm}.requests")),
    };
    CanarySpec {
        id: CanaryId::new("shop.prod"),
        service: ServiceId::new("shop"),
        name: "prod".into(),
        purpose: Purpose::Canary,
        environment: None,
        traffic: Some(Pattern::parse("prom/shop")),
        baseline: "stable".into(),
        canary: "canary".into(),
        metrics: vec![CanaryMetric {
            name: "errors".into(),
            unit: "errors".into(),
            direction: Direction::Increase,
            data: CanaryData::Counts { baseline: pair("stable"), canary: pair("canary") },
            margin: 0.5,
            weight: 1.0,
            required: true,
            critical: false,
            floor: None,
            muted: false,
            strict: false,
            v_min: None,
            rule: None,
        }],
        warm_up: SignedDuration::ZERO,
        steps: vec![5.0, 50.0, 100.0],
        bake: SignedDuration::ZERO,
        history: SignedDuration::from_hours(2),
        deadline: SignedDuration::from_hours(4),
        at: AtVerdict::default(),
        alpha: 0.01,
        beta: 0.05,
        policy: Policy::default(),
    }
}

pub(super) fn fleet() -> Fleet {
    Fleet::new([SourceMeta {
        id: source(),
        kind: "test".into(),
        place: "here".into(),
        capabilities: Capabilities { reads: vec![FactKind::Series], ..Capabilities::default() },
        policy: FreshnessPolicy {
            stale_after: SignedDuration::from_mins(5),
            lost_after: SignedDuration::from_mins(50),
        },
    }])
}

fn split(percent: u32) -> TrafficSplit {
    let arm = |name: &str, weight| Arm {
        name: name.into(),
        weight,
        usable: true,
        state: "up".into(),
        health: Health::Healthy,
        revision: None,
        request_rate: None,
        error_rate: None,
        requests: None,
        errors: None,
    };
    TrafficSplit {
        id: TrafficId::new(&source(), "shop"),
        arms: vec![arm("stable", 100 - percent), arm("canary", percent)],
        since: None,
        automation: None,
    }
}

/// Tells minutes `from..to` of all four series; the canary has traffic from minute 60 on.
fn tell(fleet: &mut Fleet, from: i64, to: i64, canary_errors: f64) {
    fleet.apply(answer(from, to, canary_errors));
}

fn answer(from: i64, to: i64, canary_errors: f64) -> Observation {
    let at = |minute: i64| Timestamp::from_second(1_800_000_000 + minute * STEP).unwrap();
    let mut answer = Observation::new(
        &source(),
        0,
        &Scope { topic: Topic::Series, items: Vec::new() },
        at(to - 1),
    );
    for (name, begins, value) in [
        ("stable.requests", 0, 9_500.0),
        ("stable.errors", 0, 95.0),
        ("canary.requests", 60, 500.0),
        ("canary.errors", 60, canary_errors),
    ] {
        let points = (from.max(begins)..to).map(|m| Point { at: at(m), value }).collect();
        answer.facts.push(Fact::Series(Series {
            id: SeriesId::new(&source(), name),
            kind: SeriesKind::Delta,
            unit: "1".into(),
            step: SignedDuration::from_secs(STEP),
            points,
            note: None,
        }));
    }
    answer
}

#[test]
fn a_harmful_canary_is_found_and_a_good_one_is_cleared() {
    for (errors, stand) in [(15.0, Stand::Harm), (5.0, Stand::Cleared)] {
        let (mut watch, mut fleet) = (Watch::default(), fleet());
        tell(&mut fleet, 0, 400, errors);
        watch.refresh(&spec(), Some(&split(5)), &fleet);
        let judged = watch.judged.expect("it is judged");
        assert_eq!(judged.stand, stand, "{} {}", judged.lead, judged.sentence);
        assert_eq!(judged.ticks, 339, "the newest tick may still be revised");
    }
}

#[test]
fn portions_do_not_matter() {
    let (mut whole, mut told) = (Watch::default(), fleet());
    tell(&mut told, 0, 120, 9.0);
    whole.refresh(&spec(), Some(&split(5)), &told);
    let (mut parts, mut told) = (Watch::default(), fleet());
    for from in (0..120).step_by(10) {
        tell(&mut told, from, from + 10, 9.0);
        parts.refresh(&spec(), Some(&split(5)), &told);
        // The same again changes nothing.
        parts.refresh(&spec(), Some(&split(5)), &told);
    }
    assert_eq!(parts.judged, whole.judged);
    assert!(whole.judged.is_some());
}

#[test]
fn series_that_come_one_by_one_are_judged_as_together() {
    let (mut whole, mut told) = (Watch::default(), fleet());
    tell(&mut told, 0, 120, 9.0);
    whole.refresh(&spec(), Some(&split(5)), &told);
    let (mut parts, mut told) = (Watch::default(), fleet());
    let all = answer(0, 120, 9.0);
    for fact in &all.facts {
        told.apply(Observation { facts: vec![fact.clone()], ..all.clone() });
        parts.refresh(&spec(), Some(&split(5)), &told);
    }
    assert_eq!(parts.judged, whole.judged);
}

#[test]
fn an_ended_canary_is_forgotten_and_an_unread_split_is_not_an_end() {
    let (mut watch, mut told) = (Watch::default(), fleet());
    tell(&mut told, 0, 90, 15.0);
    watch.refresh(&spec(), Some(&split(5)), &told);
    let before = watch.clone();
    assert!(before.judged.is_some());
    watch.refresh(&spec(), None, &told);
    assert_eq!(watch, before);
    watch.refresh(&spec(), Some(&split(0)), &told);
    assert_eq!(watch, Watch::default());
}

#[test]
fn nothing_is_judged_before_anything_is_known() {
    let (mut watch, mut told) = (Watch::default(), fleet());
    watch.refresh(&spec(), Some(&split(5)), &told);
    assert_eq!(watch.judged, None);
    // Only the baseline reports.
    tell(&mut told, 0, 50, 1.0);
    watch.refresh(&spec(), Some(&split(5)), &told);
    assert_eq!(watch.judged, None);
    assert!(known_until(&spec(), &told).is_some());
}

#[test]
fn without_a_required_metric_all_are_required() {
    let (mut watch, mut told) = (Watch::default(), fleet());
    tell(&mut told, 0, 400, 5.0);
    let mut spec = spec();
    spec.metrics.iter_mut().for_each(|metric| metric.required = false);
    watch.refresh(&spec, Some(&split(5)), &told);
    assert_eq!(watch.judged.map(|judged| judged.verdict), Some(Verdict::Pass));
}

#[test]
fn the_guilty_and_the_muted_are_marked() {
    let (mut watch, mut told) = (Watch::default(), fleet());
    tell(&mut told, 0, 400, 15.0);
    let mut spec = spec();
    let muted = CanaryMetric { name: "shown".into(), muted: true, ..spec.metrics[0].clone() };
    spec.metrics.push(muted);
    watch.refresh(&spec, Some(&split(5)), &told);
    let judged = watch.judged.unwrap();
    let marks: Vec<Option<Mark>> = judged.metrics.iter().map(|metric| metric.mark).collect();
    assert_eq!(marks, [Some(Mark::Culprit), Some(Mark::Muted)]);
}

/// The stable version converts 1 % of its visits.
#[test]
fn an_experiment_says_which_is_better_and_is_never_harm() {
    let mut spec = spec();
    spec.purpose = Purpose::Experiment;
    spec.metrics[0].direction = Direction::Decrease;
    spec.metrics[0].margin = 0.3;
    for (conversions, answer, lead) in [
        (10.0, Answer::Canary, "CANARY IS BETTER"),
        (2.0, Answer::Baseline, "STABLE IS BETTER"),
        (5.0, Answer::Same, "NO DIFFERENCE THAT MATTERS"),
    ] {
        let (mut watch, mut told) = (Watch::default(), fleet());
        tell(&mut told, 0, 2_400, conversions);
        watch.refresh(&spec, Some(&split(5)), &told);
        let judged = watch.judged.unwrap();
        assert_eq!(judged.answer, Some(answer), "{}", judged.sentence);
        assert_eq!((judged.lead.as_str(), judged.stand), (lead, Stand::Cleared));
        assert_eq!(judged.action, Action::Wait);
    }
    let (mut watch, mut told) = (Watch::default(), fleet());
    tell(&mut told, 0, 70, 5.0);
    watch.refresh(&spec, Some(&split(5)), &told);
    let judged = watch.judged.unwrap();
    assert_eq!((judged.answer, judged.stand), (Some(Answer::Open), Stand::Watching));
}

#[test]
fn what_is_missing_or_fine_anyway_answers_no_experiment() {
    let mut spec = spec();
    spec.purpose = Purpose::Experiment;
    spec.metrics[0].margin = 0.3;
    spec.metrics[0].critical = true;
    // No failure at all on either side, fewer than a floor allows.
    spec.metrics[0].floor = Some(0.1);
    let (mut watch, mut told) = (Watch::default(), fleet());
    let mut none = answer(0, 400, 0.0);
    for fact in &mut none.facts {
        let Fact::Series(series) = fact else { continue };
        if series.id.name.as_str() == "stable.errors" {
            series.points.iter_mut().for_each(|point| point.value = 0.0);
        }
    }
    told.apply(none);
    watch.refresh(&spec, Some(&split(5)), &told);
    let judged = watch.judged.clone().unwrap();
    assert_eq!(judged.answer, Some(Answer::Open), "{} {}", judged.lead, judged.sentence);
    // The new one falls silent: that makes the old one no better.
    let (mut watch, mut told) = (Watch::default(), fleet());
    tell(&mut told, 0, 70, 5.0);
    watch.refresh(&spec, Some(&split(5)), &told);
    tell_baseline(&mut told, 70, 90);
    watch.refresh(&spec, Some(&split(5)), &told);
    let judged = watch.judged.unwrap();
    assert!(judged.sentence.as_str().contains("canary silent"), "{}", judged.sentence);
    assert_eq!(judged.answer, Some(Answer::Open), "{} {}", judged.lead, judged.sentence);
}

/// One answer in which only the baseline reports, in minutes `from..to`.
fn tell_baseline(fleet: &mut Fleet, from: i64, to: i64) {
    let mut answer = answer(from, to, 1.0);
    for fact in &mut answer.facts {
        if let Fact::Series(series) = fact
            && series.id.name.as_str().starts_with("canary")
        {
            series.points.clear();
        }
    }
    fleet.apply(answer);
}

#[test]
fn a_canary_that_never_says_anything_is_silent_and_one_that_begins_late_is_judged() {
    let (mut watch, mut told) = (Watch::default(), fleet());
    for minute in (10..60).step_by(2) {
        tell_baseline(&mut told, 0, minute);
        watch.refresh(&spec(), Some(&split(5)), &told);
        let silent = watch.judged.as_ref().is_some_and(|j| j.stand == Stand::Silent);
        assert_eq!(silent, minute >= 16, "{minute}: {:?}", watch.judged);
    }
    let judged = watch.judged.clone().unwrap();
    assert_eq!(judged.lead, *"NO DATA", "{}", judged.sentence);
    assert_eq!(judged.action, crate::judge::Action::HoldAndPage);
    tell(&mut told, 0, 400, 5.0);
    watch.refresh(&spec(), Some(&split(5)), &told);
    assert_eq!(watch.judged.unwrap().stand, Stand::Cleared);
}

#[test]
fn an_earlier_canary_is_another_one() {
    let (mut watch, mut told) = (Watch::default(), fleet());
    // The first did harm from minute 60 to 160, then only the baseline reported, then came the next.
    tell(&mut told, 0, 160, 50.0);
    tell_baseline(&mut told, 160, 170);
    watch.refresh(&spec(), Some(&split(5)), &told);
    assert_eq!(watch.judged, None, "what is over says nothing of what has only begun");
    told.apply(answer(170, 400, 5.0));
    watch.refresh(&spec(), Some(&split(5)), &told);
    let judged = watch.judged.unwrap();
    assert_eq!(judged.stand, Stand::Cleared, "{} {}", judged.lead, judged.sentence);
}

/// Who opens the room in the middle sees what one sees who has watched from the start.
#[test]
fn a_restart_gives_the_verdict_and_the_burstiness_of_one_that_watched_all_along() {
    // Errors in bursts, so that the history matters.
    let bursts = |fleet: &mut Fleet, from: i64, to: i64| {
        let mut answer = answer(from, to, 6.0);
        for fact in &mut answer.facts {
            let Fact::Series(series) = fact else { continue };
            if series.id.name.as_str() == "stable.errors" {
                let burst = |p: &Point| if p.at.as_second() / STEP % 7 == 0 { 60.0 } else { 0.0 };
                series.points.iter_mut().for_each(|p| p.value += burst(p));
            }
        }
        fleet.apply(answer);
    };
    let (mut always, mut told) = (Watch::default(), fleet());
    for minute in (2..=240).step_by(2) {
        bursts(&mut told, minute - 2, minute);
        always.refresh(&spec(), Some(&split(5)), &told);
    }
    let mut restarted = Watch::default();
    restarted.refresh(&spec(), Some(&split(5)), &told);
    let (always, restarted) = (always.report().unwrap(), restarted.report().unwrap());
    assert!(always.metrics[0].burstiness.unwrap() > 1.5, "{:?}", always.metrics[0].burstiness);
    assert_eq!(restarted, always);
}

/// The share is set in steps, and nobody tells when: harm is sought anew once for each, not at every
/// tick whose measured share lies nearer to another step.
#[test]
fn a_measured_share_does_not_step_by_itself() {
    let (mut watch, mut told) = (Watch::default(), fleet());
    let mut spec = spec();
    spec.steps = vec![4.0, 5.0, 6.0, 100.0];
    let mut answer = answer(0, 400, 5.0);
    for fact in &mut answer.facts {
        let Fact::Series(series) = fact else { continue };
        if series.id.name.as_str() == "canary.requests" {
            // By chance between 4.5 and 5.5 per cent.
            let noise = |p: &Point| (p.at.as_second() / STEP * 37 % 11 - 5) as f64 * 11.0;
            series.points.iter_mut().for_each(|p| p.value += noise(p));
        }
    }
    told.apply(answer);
    watch.refresh(&spec, Some(&split(5)), &told);
    assert_eq!(watch.judged.unwrap().trail_steps, []);
}

#[test]
fn a_canary_that_cannot_be_judged_says_why() {
    let (mut watch, mut told) = (Watch::default(), fleet());
    tell(&mut told, 0, 400, 5.0);
    let mut spec = spec();
    spec.metrics[0].floor = Some(1.0);
    watch.refresh(&spec, Some(&split(5)), &told);
    let judged = watch.judged.unwrap();
    assert_eq!((judged.lead.as_str(), judged.action), ("NOT JUDGED", Action::HoldAndPage));
    assert!(judged.sentence.as_str().contains("floor is 1"), "{}", judged.sentence);
}

/// The spec of the tests under a counting policy, whose errors have to be a share of at most 0.02.
fn ruled(policy: Policy) -> CanarySpec {
    let mut spec = CanarySpec { policy, bake: SignedDuration::from_mins(3), ..spec() };
    spec.metrics[0].rule = Some(match policy {
        Policy::Flagger { .. } => Rule::Range { min: None, max: Some(0.02) },
        _ => Rule::Measured {
            success: Some("result[0] <= 0.02".to_owned().try_into().unwrap()),
            failure: None,
            limits: Limits { interval: true, failure_limit: 1, ..Limits::default() },
        },
    });
    spec
}

#[test]
fn rules_of_other_tools_judge_the_canary_alone_and_say_whose_they_are() {
    for (policy, words) in [
        (Policy::ArgoRollouts, "errors failed 2 of 2 measurements, 1 are tolerated: 0.03"),
        (Policy::Flagger { threshold: 2 }, "2 failed checks, 2 take it back. errors 0.03"),
    ] {
        for (errors, stand, action) in
            [(15.0, Stand::Harm, Action::RollBack), (5.0, Stand::Cleared, Action::NextStep)]
        {
            let (mut watch, mut fleet) = (Watch::default(), fleet());
            tell(&mut fleet, 0, 400, errors);
            watch.refresh(&ruled(policy), Some(&split(5)), &fleet);
            let judged = watch.judged.expect("it is judged");
            let said = format!("{}: {}", judged.lead, judged.sentence);
            assert_eq!((judged.stand, judged.action), (stand, action), "{said}");
            assert_eq!(said.contains(words), stand == Stand::Harm, "{said}");
            assert_eq!(judged.counted.unwrap().as_str(), format!("by {}", policy.words()));
            assert!(judged.odds.is_empty() && judged.metrics[0].counted.is_some());
        }
    }
}

#[test]
fn a_silence_is_no_failed_check() {
    for policy in [Policy::ArgoRollouts, Policy::Flagger { threshold: 1 }] {
        let (mut watch, mut fleet) = (Watch::default(), fleet());
        tell(&mut fleet, 0, 70, 5.0);
        watch.refresh(&ruled(policy), Some(&split(5)), &fleet);
        let mut later = answer(70, 90, 5.0);
        let canary = SeriesId::new(&source(), "canary.requests");
        for fact in &mut later.facts {
            if let Fact::Series(series) = fact
                && series.id == canary
            {
                series.points.clear();
            }
        }
        fleet.apply(later);
        watch.refresh(&ruled(policy), Some(&split(5)), &fleet);
        let judged = watch.judged.expect("it is judged");
        let said = format!("{}: {}", judged.lead, judged.sentence);
        assert_eq!(judged.stand, Stand::Silent, "{said}");
        assert_eq!(judged.action, Action::HoldAndPage, "{said}");
        assert!(said.starts_with("NO DATA: canary silent"), "{said}");
    }
}
