//! The fleet: what a listing may not undo, what is forgotten, and what a clock does that goes back.

use flightdeck::app::pane::Pane;
use flightdeck::app::report::{Wanted, Watcher, status};
use flightdeck::app::row::{Attention, RowId};
use flightdeck::app::{Msg, State, unreadable, update};
use flightdeck::cli::exit::Exit;
use flightdeck::cli::headless::exit;
use flightdeck::domain::Timestamp;
use flightdeck::domain::change::{Change, ChangeKind};
use flightdeck::domain::error::{Fault, FaultKind};
use flightdeck::domain::fact::{Fact, FactKind};
use flightdeck::domain::fleet::{Fleet, MAX_CHANGES, Touched};
use flightdeck::domain::ids::{ChangeId, ItemId, PipelineId, ServiceId, SourceId};
use flightdeck::domain::observation::{Observation, ReadFailed, Scope, Topic};
use flightdeck::domain::observed::Freshness;
use flightdeck::domain::pipeline::Pipeline;
use flightdeck::domain::service::Service;
use flightdeck::domain::source::SourceHealth;

use crate::world::{fact, moment, setup, source};

const AWS: &str = "aws";

fn named(name: &str) -> PipelineId {
    PipelineId::new(&SourceId::new(AWS), name)
}

/// The listing at `at`: `checkout-0` and nothing more, as a listing tells it.
fn listing(at: u64) -> Observation {
    let scope = Scope { topic: Topic::Overview, items: Vec::new() };
    let mut seen = Observation::new(&SourceId::new(AWS), 0, &scope, moment(at));
    seen.facts = vec![Fact::Pipeline(Pipeline::listed(named("checkout-0")))];
    seen.items = Some(vec![ItemId::Pipeline(named("checkout-0"))]);
    seen.complete = vec![FactKind::Pipelines];
    seen
}

/// A read of `checkout-0` at `at`, which is not allowed.
fn refused(at: u64) -> Observation {
    let item = ItemId::Pipeline(named("checkout-0"));
    let scope = Scope { topic: Topic::Items, items: vec![item.clone()] };
    let mut seen = Observation::new(&SourceId::new(AWS), 0, &scope, moment(at));
    seen.faults = vec![(item, forbidden())];
    seen
}

fn forbidden() -> Fault {
    let permission = Some("codepipeline:GetPipelineState".into());
    Fault::new(FaultKind::Forbidden { permission }, "not allowed to read checkout-0")
}

fn observed(seen: Observation) -> Msg {
    Msg::Observed(Box::new(seen))
}

#[test]
fn a_listing_does_not_wipe_that_a_pipeline_may_not_be_read() {
    let mut fleet = Fleet::new([source(AWS)]);
    fleet.apply(listing(0));
    assert!(!fleet.apply(refused(1)).items.is_empty());
    let before = fleet.pipelines.clone();
    for at in [60, 120, 180] {
        assert!(fleet.apply(listing(at)).items.is_empty(), "nothing is new");
        assert!(fleet.apply(refused(at + 1)).items.is_empty(), "nothing is new");
    }
    assert_eq!(fleet.pipelines, before);
    let row = fleet.pipelines.get(&named("checkout-0")).unwrap();
    assert_eq!(row.fault, Some(forbidden()));
    // Nothing of it was confirmed since, so it ages.
    assert_eq!(row.at, moment(0));
    assert_eq!(fleet.freshness(row, moment(10)), Freshness::Stale);
    assert_eq!(fleet.freshness(row, moment(1_000)), Freshness::Lost);

    // What a listing tells besides is taken in, and the fault stays.
    let mut newer = listing(240);
    let renamed = Pipeline { version: Some(7), ..Pipeline::listed(named("checkout-0")) };
    newer.facts = vec![Fact::Pipeline(renamed)];
    fleet.apply(newer);
    let row = fleet.pipelines.get(&named("checkout-0")).unwrap();
    assert_eq!((row.value.version, &row.fault), (Some(7), &Some(forbidden())));
    assert_eq!(row.at, moment(0));
}

#[test]
fn a_fault_that_came_before_the_listing_stays_too_and_a_read_heals_it() {
    let mut fleet = Fleet::new([source(AWS)]);
    fleet.apply(refused(0));
    fleet.apply(listing(1));
    let row = fleet.pipelines.get(&named("checkout-0")).unwrap();
    assert_eq!(row.fault, Some(forbidden()));
    assert!(fleet.pipelines.unread(&named("checkout-0")).is_none());
    let mut read = refused(2);
    read.faults.clear();
    read.facts = vec![fact(0, 0, 0, 1)];
    fleet.apply(read);
    let row = fleet.pipelines.get(&named("checkout-0")).unwrap();
    assert!(row.fault.is_none() && row.value.detail);
    assert_eq!((row.at, row.topic), (moment(2), Topic::Items));
}

#[test]
fn a_source_with_something_that_cannot_be_read_answers_only_partly() {
    let mut fleet = Fleet::new([source(AWS)]);
    let health = |fleet: &Fleet| fleet.sources[&SourceId::new(AWS)].health();
    let is_news = |touched: Touched| touched.source.is_some();
    assert!(is_news(fleet.apply(listing(0))));
    assert_eq!(health(&fleet), SourceHealth::Answering);
    assert!(is_news(fleet.apply(refused(1))), "the row of the source changes");
    assert_eq!(health(&fleet), SourceHealth::Partly);
    assert!(!is_news(fleet.apply(refused(2))));
    let [items] = &unreadable::of(&fleet, &SourceId::new(AWS))[..] else { panic!("one reason") };
    let words = "1 pipeline: forbidden, missing codepipeline:GetPipelineState (checkout-0)";
    assert_eq!(items.words(), words);

    // It heals when it is read, and when it is gone.
    let mut read = refused(3);
    read.faults.clear();
    read.facts = vec![fact(0, 0, 0, 1)];
    assert!(is_news(fleet.apply(read)));
    assert_eq!(health(&fleet), SourceHealth::Answering);
    fleet.apply(refused(4));
    assert_eq!(health(&fleet), SourceHealth::Partly);
    let mut empty = listing(5);
    (empty.facts, empty.items) = (Vec::new(), Some(Vec::new()));
    assert!(is_news(fleet.apply(empty)));
    assert_eq!(health(&fleet), SourceHealth::Answering);
    assert!(unreadable::of(&fleet, &SourceId::new(AWS)).is_empty());
}

#[test]
fn a_service_whose_pipeline_was_never_read_is_not_calm() {
    let mut state = State::new(setup());
    let board = |state: &State| {
        let row = state.rows.board.get(&RowId::Service(ServiceId::new("checkout"))).unwrap();
        (row.attention, row.unread)
    };
    update(&mut state, observed(listing(0)));
    assert_eq!(board(&state), (Attention::AtRisk, 1), "a listing says nothing of its state");
    let picture = status(&state, &Wanted::default());
    assert_eq!(picture.unknown.len(), 1);
    assert_eq!(picture.unknown[0].fault.kind, FaultKind::NotReadYet);
    assert_eq!(exit(&picture), Exit::Unknown);

    let mut watcher = Watcher::default();
    update(&mut state, observed(refused(1)));
    assert!(!watcher.news(&state).is_empty());
    for at in [60, 120] {
        update(&mut state, observed(listing(at)));
        assert_eq!(board(&state), (Attention::AtRisk, 1));
        let told = watcher.news(&state);
        assert!(told.is_empty(), "{told:?}");
        update(&mut state, observed(refused(at + 1)));
        let told = watcher.news(&state);
        assert!(told.is_empty(), "{told:?}");
    }
    let picture = status(&state, &Wanted::default());
    assert_eq!(picture.unknown[0].fault, forbidden());
    assert_eq!(picture.summary.stale, 0, "it is unknown, not stale");
    let [failing] = &picture.sources[0].failing_items[..] else { panic!("{:?}", picture.sources) };
    assert_eq!((failing.kind.as_str(), failing.count), ("pipeline", 1));
    let missing = failing.missing_permission.as_ref().unwrap();
    assert_eq!(missing.as_str(), "codepipeline:GetPipelineState");
}

#[test]
fn a_last_value_that_cannot_be_confirmed_puts_its_service_at_risk() {
    let mut state = State::new(setup());
    let scope = Scope { topic: Topic::Overview, items: Vec::new() };
    let mut seen = Observation::new(&SourceId::new(AWS), 0, &scope, moment(0));
    // An environment, a flag and an alarm of the checkout.
    seen.facts = vec![fact(1, 0, 0, 0), fact(3, 0, 0, 0), fact(4, 0, 0, 0)];
    let items: Vec<ItemId> = seen.facts.iter().map(Fact::item).collect();
    update(&mut state, observed(seen));
    let id = RowId::Service(ServiceId::new("checkout"));
    assert_eq!(state.rows.board.get(&id).unwrap().unread, 0);
    let mut failed = Observation::new(&SourceId::new(AWS), 0, &scope, moment(1));
    failed.faults = items.into_iter().map(|item| (item, forbidden())).collect();
    update(&mut state, observed(failed));
    let row = state.rows.board.get(&id).unwrap();
    assert_eq!(row.unread, 3);
    assert!(row.attention <= Attention::AtRisk);
}

#[test]
fn what_nobody_claims_is_found_by_a_word_in_every_list() {
    let mut state = State::new(setup());
    let scope = Scope { topic: Topic::Overview, items: Vec::new() };
    let mut seen = Observation::new(&SourceId::new(AWS), 0, &scope, moment(0));
    // `payments` claims by tag alone, and these have none.
    seen.facts = (0..5).map(|kind| fact(kind, 0, 1, 0)).collect();
    seen.facts.push(change(7));
    update(&mut state, observed(seen));
    for pane in [Pane::Pipelines, Pane::Environments, Pane::Flags, Pane::Timeline] {
        let rows = state.rows.order(pane);
        assert!(!rows.is_empty(), "{pane:?}");
        for row in rows {
            let text = state.rows.search_text(pane, row);
            assert!(text.contains("service:unclaimed"), "{pane:?}: {text}");
        }
    }
    // It has a row of its own on the board, while there is something of it.
    let id = RowId::Service(Service::unclaimed().id);
    let row = state.rows.board.get(&id).unwrap();
    assert!(row.pipeline.is_some() && row.health.is_some(), "{row:?}");
    assert_eq!(state.rows.board.order().len(), state.setup.services.len());
    assert_eq!(State::new(setup()).rows.board.get(&id), None);
    // A source that wants credentials is nobody's, and not for want of a claim.
    let fault = Fault::new(FaultKind::NotAuthenticated, "expired");
    let source = SourceId::new("lab");
    let failed = ReadFailed { source: source.clone(), epoch: 0, scope, at: moment(1), fault };
    update(&mut state, Msg::ReadFailed(Box::new(failed)));
    let text = state.rows.search_text(Pane::Inbox, &RowId::Source(source));
    assert!(text.contains("sign in") && !text.contains("unclaimed"), "{text}");
}

fn change(second: usize) -> Fact {
    Fact::Change(Change {
        id: ChangeId::new(&SourceId::new(AWS), &format!("c{second:06}")),
        at: moment(second as u64),
        kind: ChangeKind::Deploy,
        title: "it was deployed".into(),
        who: None,
        target: None,
        environment: None,
        detail: None,
        link: None,
    })
}

fn changes(seconds: impl Iterator<Item = usize>) -> Observation {
    let scope = Scope { topic: Topic::Changes, items: Vec::new() };
    let mut seen = Observation::new(&SourceId::new(AWS), 0, &scope, moment(0));
    seen.facts = seconds.map(change).collect();
    seen
}

#[test]
fn the_oldest_changes_are_forgotten_and_do_not_come_back() {
    let mut fleet = Fleet::new([source(AWS)]);
    let touched = fleet.apply(changes(0..MAX_CHANGES + 300));
    assert_eq!(fleet.changes.len(), MAX_CHANGES);
    let oldest = fleet.changes.iter().map(|(_, o)| o.value.at).min();
    assert_eq!(oldest, Some(moment(300)));
    assert!(touched.items.len() >= MAX_CHANGES);
    // The same answer again, and older ones: nothing of that is new.
    let before = fleet.changes.clone();
    let revision = fleet.changes.revision();
    assert!(fleet.apply(changes(0..MAX_CHANGES + 300)).items.is_empty());
    assert_eq!(fleet.changes.revision(), revision);
    assert_eq!(fleet.changes, before);
    // A newer one takes the place of the oldest.
    let newest = MAX_CHANGES + 300;
    let touched = fleet.apply(changes(std::iter::once(newest)));
    assert_eq!(touched.items, [change(newest).item(), change(300).item()]);
    assert_eq!(fleet.changes.len(), MAX_CHANGES);
}

#[test]
fn a_clock_that_goes_back_does_not_keep_facts_fresh() {
    let mut state = State::new(setup());
    let hour = 3_600;
    let read = |at: u64| {
        let scope = Scope { topic: Topic::Overview, items: Vec::new() };
        let mut seen = Observation::new(&SourceId::new(AWS), 0, &scope, moment(at));
        seen.facts = vec![fact(0, 0, 0, 1)];
        observed(seen)
    };
    update(&mut state, read(hour));
    let freshness = |state: &State, now: Timestamp| {
        state.fleet.freshness(state.fleet.pipelines.get(&named("checkout-0")).unwrap(), now)
    };
    // Somebody sets the clock an hour back, and nothing can be read any more.
    update(&mut state, Msg::Tick(moment(10)));
    assert_eq!(freshness(&state, moment(100)), Freshness::Fresh);
    assert_eq!(freshness(&state, moment(200)), Freshness::Stale);
    assert_eq!(freshness(&state, moment(1_000)), Freshness::Lost);
    let source = &state.fleet.sources[&SourceId::new(AWS)];
    assert_eq!(source.last_answer(), Some(moment(10)));
}

#[test]
fn what_an_earlier_keeper_asked_changes_nothing() {
    let mut fleet = Fleet::new([source(AWS)]);
    let newer = Observation { epoch: 1, ..listing(10) };
    fleet.apply(newer);
    let mut late = listing(20);
    late.facts.clear();
    assert!(fleet.apply(late).items.is_empty());
    assert!(fleet.pipelines.get(&named("checkout-0")).is_some());
}
