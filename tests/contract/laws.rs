//! The laws that every kind of source keeps.

use std::collections::BTreeSet;
use std::sync::Arc;

use flightdeck::backend::Source;
use flightdeck::backend::clock::WallClock;
use flightdeck::backend::context::{Meter, ReadContext};
use flightdeck::domain::environment::Health;
use flightdeck::domain::error::{Fault, FaultKind};
use flightdeck::domain::fact::{Fact, FactKind};
use flightdeck::domain::ids::ItemId;
use flightdeck::domain::observation::{Observation, Scope, Topic};
use jiff::Timestamp;

use crate::aws::Reply;
use crate::poison::{EVIL, leaves, survives};
use crate::server::Mood;
use crate::stands::{Stand, id};

const EPOCH: u64 = 7;

type Read = (Scope, Result<Observation, Fault>);

pub fn context() -> (ReadContext, Arc<Meter>) {
    let meter = Arc::new(Meter::new(1_000_000));
    (ReadContext::new(Arc::new(WallClock), EPOCH, Arc::clone(&meter)), meter)
}

/// Everything that may be asked of `source`, in the order in which the schedule would.
pub async fn read_all(source: &dyn Source, series: &[ItemId], items: &[ItemId]) -> Vec<Read> {
    let (context, _) = context();
    let mut items = items.to_vec();
    let mut reads = Vec::new();
    let topics = source.meta().capabilities.topics;
    for topic in Topic::ALL.into_iter().filter(|topic| topics.contains(topic)) {
        let wanted = match topic {
            Topic::Items => items.clone(),
            Topic::Series => series.to_vec(),
            Topic::Overview | Topic::Changes => Vec::new(),
        };
        let scope = Scope { topic, items: wanted };
        let read = source.observe(&scope, &context).await;
        if let Ok(Observation { items: Some(found), .. }) = &read {
            items.clone_from(found);
        }
        reads.push((scope, read));
    }
    reads
}

/// What one answer may and may not hold, whatever the backend said.
pub fn check(source: &dyn Source, scope: &Scope, answer: &Observation) {
    let meta = source.meta();
    assert_eq!((&answer.source, answer.epoch, &answer.scope), (&meta.id, EPOCH, scope));
    let named = answer.facts.iter().map(Fact::item);
    let named = named.chain(answer.faults.iter().map(|(item, _)| item.clone()));
    for item in named.chain(answer.items.iter().flatten().cloned()) {
        assert_eq!(*item.source(), meta.id, "it speaks of {item}");
    }
    let reads: BTreeSet<FactKind> = meta.capabilities.reads.iter().copied().collect();
    for fact in &answer.facts {
        assert!(reads.contains(&kind(fact)), "{:?} is not declared", kind(fact));
    }
    assert!(answer.complete.iter().all(|kind| reads.contains(kind)));
    for fact in &answer.facts {
        if let Fact::Series(series) = fact {
            assert!(series.points.iter().all(|p| p.value.is_finite()), "{}", series.id);
            assert!(series.points.windows(2).all(|p| p[0].at < p[1].at), "{}", series.id);
        }
    }
}

pub fn kind(fact: &Fact) -> FactKind {
    match fact {
        Fact::Pipeline(_) => FactKind::Pipelines,
        Fact::Environment(_) => FactKind::Environments,
        Fact::Traffic(_) => FactKind::Traffic,
        Fact::Flag(_) => FactKind::Flags,
        Fact::Alarm(_) => FactKind::Alarms,
        Fact::Series(_) => FactKind::Series,
        Fact::Change(_) => FactKind::Changes,
    }
}

/// It answers what it declares, with facts of its own, and each call is drawn from the budget.
pub async fn answers_for_itself(stand: &Stand) {
    let source = stand.source();
    let (context, meter) = context();
    let topics = source.meta().capabilities.topics;
    assert_eq!(stand.server.asked(), 0, "making it does no I/O");
    let (mut items, mut told) = (Vec::new(), BTreeSet::new());
    for topic in Topic::ALL {
        let wanted = match topic {
            Topic::Items => items.clone(),
            Topic::Series => stand.series.clone(),
            Topic::Overview | Topic::Changes => Vec::new(),
        };
        let scope = Scope { topic, items: wanted };
        let (asked, calls) = (stand.server.asked(), meter.calls());
        if !topics.contains(&topic) {
            let answer = source.observe(&scope, &context).await;
            assert!(answer.is_err() || answer.unwrap().facts.is_empty());
            assert_eq!(stand.server.asked(), asked, "{topic:?} is not declared");
            continue;
        }
        let answer = source.observe(&scope, &context).await.unwrap();
        check(&*source, &scope, &answer);
        let distinct: BTreeSet<ItemId> = answer.facts.iter().map(Fact::item).collect();
        assert_eq!(distinct.len(), answer.facts.len(), "{topic:?}: an item is told twice");
        assert!(answer.faults.is_empty(), "{topic:?}: {:?}", answer.faults);
        let asked = (stand.server.asked() - asked) as u64;
        assert_eq!(meter.calls() - calls, asked, "{topic:?}: calls that were drawn and made");
        assert!(asked > 0, "{topic:?} is declared");
        told.extend(answer.facts.iter().map(kind));
        items.extend(answer.items.unwrap_or_default());
    }
    let declared: BTreeSet<FactKind> = source.meta().capabilities.reads.into_iter().collect();
    // These are told of what moved between two reads.
    let missing: Vec<_> = declared.difference(&told).filter(|k| **k != FactKind::Changes).collect();
    assert!(missing.is_empty(), "declared and never told: {missing:?}");
    assert_eq!(source.meta().id, id());
    assert!(!source.meta().place.is_empty() && !source.meta().kind.is_empty());
}

/// Each text of each answer in turn is made hostile: a fact, a fault or nothing comes of it, and
/// nothing that a terminal could take for an order.
pub async fn nothing_hostile_gets_through(stand: &Stand) {
    let source = stand.source();
    let reads = read_all(&*source, &stand.series, &[]).await;
    let items: Vec<ItemId> =
        reads.iter().filter_map(|(_, read)| read.as_ref().ok()?.items.clone()).flatten().collect();
    let megabyte = "é".repeat(500_000).into_bytes();
    let answers = stand.server.answers();
    assert!(!answers.is_empty());
    for (key, answer) in answers {
        let count = leaves(&answer);
        for leaf in 0..count {
            let mut evils = vec![EVIL.as_bytes()];
            if leaf % (count / 3 + 1) == 0 {
                evils.extend([&b"\xff\xfe\x9b31m"[..], &megabyte]);
            }
            for evil in evils {
                stand.server.set(Mood::Poison { key: key.clone(), leaf, evil: evil.to_vec() });
                // One that read before, and one that sees nothing else.
                for source in [Arc::clone(&source), stand.source()] {
                    for (scope, read) in read_all(&*source, &stand.series, &items).await {
                        if let Ok(answer) = &read {
                            check(&*source, &scope, answer);
                        }
                        assert_eq!(survives(&read), None, "{key}, text {leaf}");
                    }
                }
            }
        }
    }
    // The headers, the reasons and the bodies of refusals are shown too.
    let evil: String = EVIL.chars().filter(|c| !matches!(c, '\r' | '\n')).collect();
    for status in [200, 302, 400, 401, 403, 404, 429, 500] {
        let body = serde_json::json!({ "message": EVIL, "__type": EVIL, "error": EVIL });
        for body in [body.to_string(), EVIL.to_owned()] {
            let reply = Reply::status(status, &body).header("location", &evil);
            stand.server.set(Mood::Always(reply.header("x-amzn-errortype", &evil)));
            for (_, read) in read_all(&*stand.source(), &stand.series, &items).await {
                assert_eq!(survives(&read), None, "{status}");
            }
        }
    }
}

/// The items that a well source finds.
async fn items(stand: &Stand) -> Vec<ItemId> {
    stand.server.set(Mood::Well);
    let reads = read_all(&*stand.source(), &stand.series, &[]).await;
    reads.into_iter().filter_map(|(_, read)| read.ok()?.items).flatten().collect()
}

/// The faults of a read that failed; a read that succeeded says so of each item it was asked for.
fn faults(stand: &Stand, scope: &Scope, read: &Result<Observation, Fault>) -> Vec<Fault> {
    match read {
        Err(fault) => vec![fault.clone()],
        Ok(answer) => {
            let of_items = matches!(scope.topic, Topic::Items | Topic::Series) || stand.probes;
            assert!(of_items, "{:?} of a backend that fails succeeds: {answer:?}", scope.topic);
            assert!(answer.facts.is_empty() || stand.probes, "facts of nothing: {answer:?}");
            assert!(!answer.faults.is_empty() || stand.probes, "no fault: {answer:?}");
            answer.faults.iter().map(|(_, fault)| fault.clone()).collect()
        }
    }
}

/// What a probe finds of a target that answers so is never "healthy".
fn never_healthy(read: &Result<Observation, Fault>) {
    for fact in read.iter().flat_map(|answer| &answer.facts) {
        let Fact::Environment(found) = fact else { continue };
        assert_ne!(found.health, Health::Healthy, "{found:?}");
    }
}

/// A refusal is the fault that it means, on every topic; a wish to wait is kept.
pub async fn refusals_are_what_they_mean(stand: &Stand) {
    let items = items(stand).await;
    for (word, mood) in &stand.refusals {
        stand.server.set(mood.clone());
        let source = stand.source();
        let before = Timestamp::now();
        for (scope, read) in read_all(&*source, &stand.series, &items).await {
            never_healthy(&read);
            for fault in faults(stand, &scope, &read) {
                assert_eq!(fault.kind.word(), *word, "{:?}: {fault:?}", scope.topic);
                assert!(!fault.hint.is_empty() && !fault.message.is_empty());
                if let (FaultKind::Throttled { until }, Mood::Always(reply)) = (&fault.kind, mood)
                    && reply.headers.iter().any(|(name, _)| name == "retry-after")
                {
                    let wait = until.unwrap().duration_since(before).as_secs();
                    assert!((29..=31).contains(&wait), "{wait}");
                }
            }
        }
        // It heals by itself.
        stand.server.set(Mood::Well);
        for (scope, read) in read_all(&*source, &stand.series, &items).await {
            assert!(read.unwrap().faults.is_empty(), "{word}: {:?} does not heal", scope.topic);
        }
    }
}

/// What is no answer is a fault: never a panic, never an empty world.
pub async fn broken_answers_are_faults(stand: &Stand) {
    let items = items(stand).await;
    let status = |body: &str| Mood::Always(Reply::status(200, body));
    let mut moods = vec![
        ("garbage", "invalid reply", status("<html>Sign in</html>")),
        ("another shape", "invalid reply", status("[[[]]]")),
        ("empty", "invalid reply", status("")),
        ("nothing", "invalid reply", Mood::Nothing),
        ("half", "invalid reply", Mood::Half),
        ("cut", "", Mood::Cut),
        ("closed", "", Mood::Close),
        ("silence", "unreachable", Mood::Hang),
    ];
    if stand.probes {
        // The address is asked whether it answers, not what.
        moods.retain(|(name, ..)| matches!(*name, "cut" | "closed" | "silence"));
    }
    if stand.may_be_empty {
        moods.retain(|(name, ..)| *name != "nothing");
    }
    for (name, word, mood) in moods {
        stand.server.set(mood);
        let source = if name == "silence" { stand.hasty() } else { stand.source() };
        for (scope, read) in read_all(&*source, &stand.series, &items).await {
            never_healthy(&read);
            for fault in faults(stand, &scope, &read) {
                let topic = scope.topic;
                let expected = [word, "invalid reply", "unreachable"];
                let expected = if word.is_empty() { &expected[1..] } else { &expected[..1] };
                assert!(expected.contains(&fault.kind.word()), "{name}, {topic:?}: {fault:?}");
            }
        }
        stand.server.set(Mood::Well);
        for (scope, read) in read_all(&*source, &stand.series, &items).await {
            assert!(read.unwrap().faults.is_empty(), "{name}: {:?} does not heal", scope.topic);
        }
    }
}

/// A read that is dropped while any of its calls is under way changes nothing of later ones.
pub async fn a_dropped_read_is_harmless(stand: &Stand) {
    let items = items(stand).await;
    let names = |reads: Vec<Read>| -> BTreeSet<ItemId> {
        let answers = reads.into_iter().map(|(_, read)| read.unwrap());
        answers.flat_map(|answer| answer.facts).map(|fact| fact.item()).collect()
    };
    let whole = names(read_all(&*stand.source(), &stand.series, &items).await);
    for topic in stand.source().meta().capabilities.topics {
        let wanted = match topic {
            Topic::Items => items.clone(),
            Topic::Series => stand.series.clone(),
            Topic::Overview | Topic::Changes => Vec::new(),
        };
        let scope = Scope { topic, items: wanted };
        for at in 1.. {
            let source = stand.source();
            let (context, _) = context();
            stand.server.set(Mood::HangAt(at));
            let dropped = tokio::select! {
                biased;
                () = stand.server.hangs.notified() => true,
                _ = source.observe(&scope, &context) => false,
            };
            stand.server.set(Mood::Well);
            if !dropped {
                assert!(at > 1, "{topic:?} asks nothing");
                break;
            }
            let after = names(read_all(&*source, &stand.series, &items).await);
            assert!(
                after.is_superset(&whole),
                "{topic:?}, call {at}: {:?}",
                whole.difference(&after)
            );
        }
    }
}
