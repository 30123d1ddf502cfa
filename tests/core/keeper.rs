//! Keepers: whatever one source does, it is said so, it heals, and no other source is touched.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use flightdeck::app::effect::Refresh;
use flightdeck::backend::Cadence;
use flightdeck::backend::clock::WallClock;
use flightdeck::backend::context::ReadContext;
use flightdeck::domain::Timestamp;
use flightdeck::domain::error::FaultKind;
use flightdeck::domain::fact::FactKind;
use flightdeck::domain::ids::{ItemId, SourceId};
use flightdeck::domain::observation::Topic;
use flightdeck::domain::observed::Freshness;
use flightdeck::domain::source::SourceHealth;
use flightdeck::runtime::headless::Headless;
use jiff::SignedDuration;

use crate::scripted::*;
use crate::support::{pipeline as numbered, seconds, series};

/// Reads seldom, so that calls can be counted, and tries again soon after a failure.
fn calm() -> Cadence {
    Cadence {
        overview: seconds(3_600),
        fast: seconds(3_600),
        slow: seconds(3_600),
        series: seconds(3_600),
        concurrency: 2,
        longest_pause: Duration::from_millis(20),
        budget_per_minute: 60_000,
        ..crate::support::cadence()
    }
}

fn healthy() -> Arc<Scripted> {
    Scripted::new("good", calm(), |scope, _| match scope.topic {
        Topic::Overview => listing(vec![item("good", "one"), item("good", "two")]),
        _ => each(scope),
    })
}

fn good_is_complete(room: &Room) -> bool {
    room.knows("good", "one") && room.knows("good", "two")
}

#[tokio::test]
async fn a_panic_is_said_and_healed_and_touches_nobody_else() {
    for at_once in [false, true] {
        let bad = Scripted::new("bad", calm(), move |_, before| match (before, at_once) {
            (0..3, false) => Step::Panic,
            (0..3, true) => Step::PanicAtOnce,
            _ => answer(vec![pipeline("bad", "back")]),
        });
        let mut room = Room::open(&[healthy(), Arc::clone(&bad)]);
        room.until("the panic is shown", |room| {
            room.source("bad").worst().is_some_and(|f| f.fault.kind == FaultKind::Crashed)
        })
        .await;
        let message = room.source("bad").worst().unwrap().fault.message.to_string();
        assert!(message.contains("bad") && message.contains("overview"), "{message}");
        room.until("the other is complete", good_is_complete).await;
        assert_eq!(room.source("good").health(), SourceHealth::Answering);
        room.until("it heals", |room| room.knows("bad", "back")).await;
        assert_eq!(room.source("bad").health(), SourceHealth::Answering);
        assert_eq!(bad.asked().len(), 4);
    }
}

#[tokio::test]
async fn a_source_that_hangs_is_given_up_at_its_deadline() {
    let short = Cadence { deadline: Duration::from_millis(150), concurrency: 1, ..calm() };
    let bad = Scripted::new("bad", short, |_, before| match before {
        0 | 1 => Step::Hang,
        _ => answer(vec![pipeline("bad", "back")]),
    });
    let mut room = Room::open(&[Arc::clone(&bad), healthy()]);
    room.until("the other is complete", good_is_complete).await;
    room.until("the hang is shown", |room| {
        room.source("bad").worst().is_some_and(|f| f.fault.kind == FaultKind::Unreachable)
    })
    .await;
    assert!(room.source("bad").worst().unwrap().fault.message.as_str().contains("within 0.15 s"));
    room.until("it heals", |room| room.knows("bad", "back")).await;
}

#[tokio::test]
async fn one_item_that_hangs_does_not_keep_the_others_from_being_read() {
    let short = Cadence { deadline: Duration::from_millis(300), batch: 4, ..calm() };
    let bad = Scripted::new("bad", short, |scope, _| match scope.topic {
        Topic::Overview => listing((0..12).map(|n| item("bad", &format!("p{n}"))).collect()),
        _ if scope.items.contains(&item("bad", "p5")) => Step::Hang,
        _ => each(scope),
    });
    let mut room = Room::open(&[bad]);
    room.until("all others are read", |room| room.state.fleet.pipelines.len() == 11).await;
    room.until("the one is said to be unread", |room| {
        room.state.fleet.pipelines.unread(&pipeline_id("bad", "p5")).is_some()
    })
    .await;
}

#[tokio::test]
async fn a_flood_is_cut_said_and_takes_nothing_away() {
    let flood = Scripted::new("flood", calm(), |_, before| match before {
        0 => answer(vec![pipeline("flood", "zz-known")]),
        _ => Step::Answer(Answer {
            facts: (0..50_001).map(|n| pipeline("flood", &format!("p{n}"))).collect(),
            complete: vec![FactKind::Pipelines],
            ..Answer::default()
        }),
    });
    let mut room = Room::open(&[flood, healthy()]);
    room.until("the first answer", |room| room.knows("flood", "zz-known")).await;
    room.pool.refresh(&Refresh::Source(SourceId::new("flood")));
    room.until("the flood", |room| !room.source("flood").warnings.is_empty()).await;
    assert!(room.source("flood").warnings[0].as_str().contains("50001 facts"));
    let own = |room: &Room| {
        let all = room.state.fleet.pipelines.iter();
        all.filter(|(id, _)| id.source.as_str() == "flood").count()
    };
    // It comes in parts: the first 50,000, and the one that was known before.
    room.until("all of it", |room| own(room) == 50_001).await;
    assert!(room.knows("flood", "zz-known") && room.knows("flood", "p49999"));
    assert!(!room.knows("flood", "p50000"));
    room.until("the other is complete", good_is_complete).await;
}

#[tokio::test]
async fn a_source_cannot_speak_for_another() {
    let impostor = Scripted::new("bad", calm(), |_, _| {
        Step::Answer(Answer {
            facts: vec![pipeline("good", "forged")],
            complete: vec![FactKind::Pipelines],
            impostor: Some(SourceId::new("good")),
            ..Answer::default()
        })
    });
    let mut room = Room::open(&[healthy(), impostor]);
    room.until("the other is complete", good_is_complete).await;
    room.until("it is refused", |room| room.source("bad").health() == SourceHealth::Failing).await;
    assert!(!room.knows("good", "forged") && good_is_complete(&room));
}

#[tokio::test]
async fn a_failure_keeps_the_last_value_and_heals() {
    let source = Scripted::new("a", calm(), |_, before| match before {
        1..=3 => Step::Fail(FaultKind::NotAuthenticated),
        _ => answer(vec![pipeline("a", "p")]),
    });
    let mut room = Room::open(&[Arc::clone(&source)]);
    room.until("the first answer", |room| room.knows("a", "p")).await;
    room.pool.refresh(&Refresh::All);
    room.until("it fails", |room| room.source("a").health() == SourceHealth::NotAuthenticated)
        .await;
    assert!(room.knows("a", "p"));
    let known = |room: &Room| {
        let fact = room.state.fleet.pipelines.get(&pipeline_id("a", "p")).unwrap();
        room.state.fleet.freshness(fact, Timestamp::now())
    };
    assert_eq!(known(&room), Freshness::Stale);
    room.until("it heals", |room| room.source("a").health() == SourceHealth::Answering).await;
    assert_eq!(known(&room), Freshness::Fresh);
    assert_eq!(source.asked().len(), 5);
}

#[tokio::test]
async fn a_listing_that_fails_settles() {
    let down = Scripted::new("down", calm(), |_, _| Step::Fail(FaultKind::Unreachable));
    let sources = [healthy(), down];
    let series =
        [ItemId::Series(flightdeck::domain::ids::SeriesId::new(&SourceId::new("down"), "errors"))];
    let configured = configured(&sources, &series);
    let mut headless = Headless::start(setup(&sources), configured, Arc::new(WallClock));
    assert!(headless.settle(seconds(30)).await);
    assert_eq!(headless.state.fleet.pipelines.len(), 2);
    let down = &headless.state.fleet.sources[&SourceId::new("down")];
    assert_eq!(down.health(), SourceHealth::Failing);
}

#[tokio::test]
async fn one_source_is_not_held_up_by_another_that_never_answers() {
    let mute = Scripted::new("mute", calm(), |_, _| Step::Hang);
    let sources = [healthy(), mute];
    let configured = configured(&sources, &[]);
    let mut headless = Headless::start(setup(&sources), configured, Arc::new(WallClock));
    let only = |id: &str| BTreeSet::from([SourceId::new(id)]);
    let now = tokio::time::Instant::now();
    assert!(headless.settle_for(&only("good"), now + seconds(30)).await);
    assert_eq!(headless.state.fleet.pipelines.len(), 2);
    let mute = &headless.state.fleet.sources[&SourceId::new("mute")];
    assert_eq!(mute.health(), SourceHealth::Pending, "it is not known, and not called well");
    assert!(!headless.settle_for(&only("mute"), now).await, "a limit is a limit");
    // Nothing that counts is left to wait for.
    assert!(headless.settle_for(&BTreeSet::new(), now).await);
}

#[tokio::test]
async fn a_headless_picture_without_sources_settles_at_once() {
    let mut headless = Headless::start(setup(&[]), Vec::new(), Arc::new(WallClock));
    assert!(headless.settle(seconds(30)).await);
}

#[tokio::test]
async fn calls_are_counted_and_reads_repeat_only_when_due() {
    let source = Scripted::new("a", calm(), |scope, _| match scope.topic {
        Topic::Overview => listing((0..30).map(numbered).collect()),
        _ => match each(scope) {
            Step::Answer(mut answer) => {
                answer.calls = 3 * scope.items.len();
                Step::Answer(answer)
            }
            other => other,
        },
    });
    let mut room = Room::open(&[Arc::clone(&source)]);
    room.until("everything was read", |room| {
        let report = &room.source("a").report;
        room.state.fleet.pipelines.len() == 30 && report.in_flight == 0 && report.unread_items == 0
    })
    .await;
    assert_eq!(room.source("a").report.calls, 1 + 30 * 3);
    assert_eq!(room.source("a").report.calls_last_minute, 1 + 30 * 3);
    assert_eq!(source.asked().len(), 1 + 30);
}

#[tokio::test]
async fn a_refresh_reads_what_was_asked_for_and_nothing_of_others() {
    let (good, other) = (healthy(), Scripted::new("other", calm(), |_, _| answer(Vec::new())));
    let mut room = Room::open(&[Arc::clone(&good), Arc::clone(&other)]);
    let idle = |room: &Room| {
        let idle = |id| room.source(id).report.in_flight == 0 && room.source(id).report.calls > 0;
        good_is_complete(room) && idle("good") && idle("other")
    };
    room.until("everything was read", idle).await;
    room.pool.refresh(&Refresh::Items(vec![item("good", "two")]));
    room.until("it is read again", |room| room.source("good").report.calls == 5).await;
    let again: Vec<_> = good.asked().split_off(3);
    assert!(again.iter().any(|s| s.items == [item("good", "two")]));
    assert!(again.iter().any(|s| s.topic == Topic::Overview));
    assert_eq!(other.asked().len(), 1);
    room.pool.refresh(&Refresh::All);
    room.until("all is read again", |room| {
        room.source("good").report.calls == 8 && room.source("other").report.calls == 2
    })
    .await;
}

#[tokio::test]
async fn series_are_read_only_when_somebody_looks() {
    let source = Scripted::new("a", calm(), |_, _| answer(Vec::new()));
    let mut room = Room::with_series(&[Arc::clone(&source)], &[series(0), series(1)]);
    room.until("the overview", |room| room.source("a").report.calls == 1).await;
    room.watch([series(1)]);
    room.until("the series", |room| room.source("a").report.calls == 2).await;
    // Asking for everything does not wake what nobody looks at.
    room.watch([]);
    room.pool.refresh(&Refresh::All);
    room.until("the overview again", |room| room.source("a").report.calls == 3).await;
    let topics: Vec<Topic> = source.asked().iter().map(|s| s.topic).collect();
    assert_eq!(topics, [Topic::Overview, Topic::Series, Topic::Overview]);
    assert_eq!(source.asked()[1].items, [series(1)]);
}

#[tokio::test]
async fn waiting_for_the_budget_does_not_count_against_the_deadline() {
    // 1,000 calls pass at once, then 100 a second: 40 more take 0.4 s.
    let tight =
        Cadence { budget_per_minute: 6_000, deadline: Duration::from_millis(200), ..calm() };
    let source = Scripted::new("a", tight, |_, _| {
        let facts = vec![pipeline("a", "p")];
        Step::Answer(Answer { facts, calls: 1_040, ..Answer::default() })
    });
    let mut room = Room::open(&[Arc::clone(&source)]);
    room.until("it answers", |room| room.knows("a", "p")).await;
    assert_eq!(source.asked().len(), 1);
}

#[tokio::test]
async fn facts_that_the_budget_cannot_confirm_sooner_are_not_called_stale() {
    let budget = Cadence { slow: seconds(60), budget_per_minute: 120, ..calm() };
    let many = Scripted::new("a", budget, |scope, _| match scope.topic {
        Topic::Overview => listing((0..1_000).map(numbered).collect()),
        _ => each(scope),
    });
    let mut room = Room::open(&[many]);
    let first = pipeline_id("a", "p00000");
    room.until("the first item", |room| room.state.fleet.pipelines.get(&first).is_some()).await;
    room.until("the pace is told", |room| room.source("a").report.sweep.is_some()).await;
    // 1,000 items at 120 calls a minute, and a tenth more because waits vary.
    assert_eq!(room.source("a").report.sweep, Some(SignedDuration::from_secs(550)));
    let fact = room.state.fleet.pipelines.get(&first).unwrap();
    let at = |s| room.state.fleet.freshness(fact, fact.at + SignedDuration::from_secs(s));
    assert_eq!([at(1_100), at(1_101)], [Freshness::Fresh, Freshness::Stale]);
    assert_eq!([at(2_200), at(2_201)], [Freshness::Stale, Freshness::Lost]);
}

#[tokio::test]
async fn a_request_to_wait_is_shown_as_the_moment_of_the_next_read() {
    let until = Timestamp::now() + SignedDuration::from_secs(90);
    let source = Scripted::new("a", calm(), move |_, _| {
        Step::Fail(FaultKind::Throttled { until: Some(until) })
    });
    let mut room = Room::open(&[Arc::clone(&source)]);
    room.until("the wait is shown", |room| room.source("a").report.backoff_until.is_some()).await;
    let shown = room.source("a").report.backoff_until.unwrap();
    assert!(shown.duration_since(until).abs() < SignedDuration::from_secs(20), "{shown}");
    room.pool.refresh(&Refresh::All);
    room.watch([item("a", "x")]);
    assert_eq!(room.source("a").health(), SourceHealth::Throttled);
    assert_eq!(source.asked().len(), 1);
}

#[tokio::test]
async fn dropping_the_pool_ends_what_is_under_way() {
    let hanging =
        Scripted::new("a", Cadence { deadline: seconds(3_600), ..calm() }, |_, _| Step::Hang);
    let mut room = Room::open(&[Arc::clone(&hanging)]);
    room.until("it is asked", |_| hanging.asked().len() == 1).await;
    drop(room);
    let alone = async {
        while Arc::strong_count(&hanging) > 1 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(seconds(30), alone).await.expect("the keeper lets go of its source");
}

#[tokio::test]
async fn what_others_ask_of_a_source_is_reported_among_its_calls() {
    let mut room = Room::open(&[healthy()]);
    room.until("it is complete", good_is_complete).await;
    let id = SourceId::new("good");
    let meter = room.pool.meters().of(&id, calm().budget_per_minute);
    let before = meter.calls();
    let asking = ReadContext::new(Arc::new(WallClock), 0, meter).at_once();
    for _ in 0..7 {
        asking.spend().await;
    }
    room.until("they are told of", |room| {
        let report = &room.source("good").report;
        report.calls >= before + 7 && report.calls_last_minute >= 7
    })
    .await;
    assert_eq!(room.source("good").report.calls, before + 7);
}
