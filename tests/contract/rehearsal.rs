//! The practice world keeps the contract too: what needs no server of the laws that the others keep.

use std::collections::BTreeSet;
use std::sync::Arc;

use flightdeck::backend::clock::WallClock;
use flightdeck::backend::context::Meter;
use flightdeck::backend::{ReadContext, Source, rehearsal};
use flightdeck::domain::error::FaultKind;
use flightdeck::domain::fact::{Fact, FactKind};
use flightdeck::domain::fleet::Fleet;
use flightdeck::domain::ids::{FlagId, ItemId, PipelineId, SourceId, TrafficId};
use flightdeck::domain::observation::{Scope, Topic};
use flightdeck::domain::write::{ArmWish, FlagChange, Write, expectation};
use futures::FutureExt;
use jiff::{SignedDuration, Timestamp};

use crate::laws::{check, context, kind, read_all};
use crate::poison::survives;
use crate::writes::order;

/// Here some sources do not answer, which is what it shows.
const NOT_ALL_ANSWER: [&str; 2] = ["dead-backends", "flapping-metrics"];

type Sources = Vec<(Arc<dyn Source>, Vec<ItemId>)>;

fn open(scenario: &str, ago: i64) -> Sources {
    let start = Timestamp::now() - SignedDuration::from_secs(ago);
    let world = rehearsal::open(scenario, 1, 1.0, start).unwrap();
    let series = |specs: Vec<flightdeck::domain::series::SeriesSpec>| {
        specs.into_iter().map(|spec| ItemId::Series(spec.id)).collect()
    };
    world.sources.into_iter().map(|(source, specs)| (source, series(specs))).collect()
}

fn scope(topic: Topic, series: &[ItemId]) -> Scope {
    let items = if topic == Topic::Series { series.to_vec() } else { Vec::new() };
    Scope { topic, items }
}

#[tokio::test]
async fn every_scenario_answers_for_itself_and_counts_its_calls() {
    for scenario in rehearsal::names() {
        // At last everybody is there.
        for ago in [0, 150, 750] {
            let sources = open(scenario, ago);
            assert!(!sources.is_empty());
            for (source, series) in &sources {
                answers_for_itself(scenario, &**source, series).await;
            }
        }
    }
}

async fn answers_for_itself(scenario: &str, source: &dyn Source, series: &[ItemId]) {
    let meta = source.meta();
    let (context, meter) = context();
    let mut told: BTreeSet<FactKind> = BTreeSet::new();
    let mut refused = false;
    for topic in Topic::ALL {
        let (scope, calls) = (scope(topic, series), meter.calls());
        let read = source.observe(&scope, &context).await;
        if !meta.capabilities.topics.contains(&topic) {
            let nothing = read.is_err() || read.is_ok_and(|answer| answer.facts.is_empty());
            assert!(nothing, "{scenario} {}: {topic:?} is not declared", meta.id);
            continue;
        }
        assert_eq!(meter.calls() - calls, 1, "{scenario} {}: {topic:?}", meta.id);
        let answer = match read {
            Ok(answer) => answer,
            Err(fault) if NOT_ALL_ANSWER.contains(&scenario) => {
                assert!(!fault.message.is_empty() && !fault.hint.is_empty());
                refused = true;
                continue;
            }
            Err(fault) => panic!("{scenario} {}, {topic:?}: {fault}", meta.id),
        };
        check(source, &scope, &answer);
        assert_eq!(survives(&answer), None);
        let distinct: BTreeSet<ItemId> = answer.facts.iter().map(Fact::item).collect();
        assert_eq!(distinct.len(), answer.facts.len(), "{scenario} {}: told twice", meta.id);
        assert!(answer.faults.is_empty(), "{scenario} {}: {:?}", meta.id, answer.faults);
        assert!(answer.identity.is_some(), "{scenario} {}", meta.id);
        told.extend(answer.facts.iter().map(kind));
    }
    let declared: BTreeSet<FactKind> = meta.capabilities.reads.iter().copied().collect();
    // These are told of what moved between two reads.
    let missing: Vec<_> = declared.difference(&told).filter(|k| **k != FactKind::Changes).collect();
    assert!(refused || missing.is_empty(), "{scenario} {}: never told: {missing:?}", meta.id);
}

#[tokio::test]
async fn whoever_does_not_answer_comes_back() {
    for scenario in NOT_ALL_ANSWER {
        let mut refusals = BTreeSet::new();
        for ago in [0, 90, 150] {
            for (source, series) in &open(scenario, ago) {
                let reads = read_all(&**source, series, &[]).await;
                if reads.iter().any(|(_, read)| read.is_err()) {
                    refusals.insert(source.meta().id);
                }
            }
        }
        assert!(!refusals.is_empty(), "{scenario}");
        for (source, series) in &open(scenario, 750) {
            for (scope, read) in read_all(&**source, series, &[]).await {
                assert!(read.is_ok(), "{scenario} {}: {scope:?}", source.meta().id);
            }
        }
    }
}

#[tokio::test]
async fn a_dropped_read_is_harmless() {
    for (source, series) in &open("bad-canary", 0) {
        let whole = names(&**source, series).await;
        for topic in source.meta().capabilities.topics {
            // The budget is used up: the read waits, and is dropped.
            let meter = Arc::new(Meter::new(1));
            let spent = ReadContext::new(Arc::new(WallClock), 7, Arc::clone(&meter));
            while spent.spend().now_or_never().is_some() {}
            let scope = scope(topic, series);
            assert!(source.observe(&scope, &spent).now_or_never().is_none(), "{topic:?}");
            let after = names(&**source, series).await;
            assert!(after.is_superset(&whole), "{topic:?}");
        }
    }
}

/// What `source` tells of, but for changes, which pass.
async fn names(source: &dyn Source, series: &[ItemId]) -> BTreeSet<ItemId> {
    let reads = read_all(source, series, &[]).await;
    let facts = reads.into_iter().flat_map(|(_, read)| read.unwrap().facts);
    facts.map(|fact| fact.item()).collect()
}

fn writes() -> Vec<Write> {
    let payments = PipelineId::new(&SourceId::new("pipelines-eu"), "payments-main");
    let hold = Write::Hold { pipeline: payments.clone(), stage: "Test".into(), reason: "x".into() };
    let split = TrafficId::new(&SourceId::new("edge"), "checkout.prod-eu");
    let shares = vec![("stable".into(), 75), ("canary".into(), 25)];
    vec![
        Write::Start { pipeline: payments },
        hold,
        Write::Shares { split: split.clone(), shares },
        Write::Arm { split, arm: "canary".into(), wish: ArmWish::Drain },
        Write::Flag {
            flag: FlagId::new(&SourceId::new("flags"), "new-tax"),
            environment: "production".into(),
            change: FlagChange::Enabled { on: false },
            strategy: None,
        },
    ]
}

#[tokio::test]
async fn a_write_is_counted_and_what_moved_is_not_done() {
    for write in writes() {
        let sources = open("bad-canary", 0);
        let (source, _) = sources.iter().find(|(s, _)| s.meta().id == write.source()).unwrap();
        assert!(source.meta().capabilities.writes.contains(&write.verb()), "{write:?}");
        let fleet = seen(&**source).await;
        let expects = expectation(&write, &fleet).unwrap();
        for at in 0..expects.facts.len() {
            let mut moved = expects.clone();
            moved.facts[at].1 = "something else".into();
            let told = source.submit(&order(&write, moved), &context().0).await.unwrap_err();
            assert_eq!(told.kind, FaultKind::Conflict, "{write:?}: {told}");
            let now = expectation(&write, &seen(&**source).await).unwrap();
            assert_eq!(now, expects, "{write:?}: nothing was done");
        }
        let (context, meter) = context();
        source.submit(&order(&write, expects.clone()), &context).await.unwrap();
        assert_eq!(meter.calls(), 1, "{write:?}");
        let now = expectation(&write, &seen(&**source).await).unwrap();
        assert_ne!(now, expects, "{write:?}: it was done");
    }
}

async fn seen(source: &dyn Source) -> Fleet {
    let mut answer = source.observe(&scope(Topic::Overview, &[]), &context().0).await.unwrap();
    answer.epoch = 0;
    let mut fleet = Fleet::new([source.meta()]);
    fleet.apply(answer);
    fleet
}
