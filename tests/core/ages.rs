//! What is old or missing is told wherever it is shown: on the row of a service, of a canary, in words.

use flightdeck::app::age::{behind, of_row, of_view};
use flightdeck::app::explain::{of_service, selected};
use flightdeck::app::row::{Attention, RowId};
use flightdeck::app::{Msg, State, update};
use flightdeck::domain::error::{Fault, FaultKind};
use flightdeck::domain::fact::{Fact, FactKind};
use flightdeck::domain::ids::{EnvironmentId, PipelineId, ServiceId, SourceId};
use flightdeck::domain::observation::{Observation, ReadFailed, Scope, Topic};
use flightdeck::domain::observed::Freshness;
use flightdeck::domain::pattern::Pattern;
use flightdeck::domain::pipeline::{RunState, Transition};
use flightdeck::domain::source::SourceHealth;

use crate::world::{fact, moment, pipeline, setup};

pub fn told(source: &str, at: u64, facts: Vec<Fact>, complete: Vec<FactKind>) -> Msg {
    let scope = Scope { topic: Topic::Overview, items: Vec::new() };
    let mut observation = Observation::new(&SourceId::new(source), 0, &scope, moment(at));
    observation.facts = facts;
    observation.complete = complete;
    Msg::Observed(Box::new(observation))
}

pub fn unreachable(source: &str, at: u64) -> Msg {
    Msg::ReadFailed(Box::new(ReadFailed {
        source: SourceId::new(source),
        epoch: 0,
        scope: Scope { topic: Topic::Overview, items: Vec::new() },
        at: moment(at),
        fault: Fault::new(FaultKind::Unreachable, "connection refused"),
    }))
}

fn checkout() -> RowId {
    RowId::Service(ServiceId::new("checkout"))
}

/// A pipeline from `aws`, an environment from `lab`, both of the checkout.
fn two_sources() -> State {
    let mut state = State::new(setup());
    update(&mut state, told("aws", 0, vec![fact(0, 0, 0, 1)], Vec::new()));
    update(&mut state, told("lab", 0, vec![fact(1, 1, 0, 0)], Vec::new()));
    state
}

#[test]
fn a_service_is_as_old_as_the_oldest_of_its_facts() {
    let mut state = two_sources();
    assert_eq!(of_row(&state, &checkout()).unwrap().freshness, Freshness::Fresh);
    assert_eq!(of_view(&state).worst(), Freshness::Fresh);
    let calm = of_service(&state, &ServiceId::new("checkout"));
    assert!(calm.iter().all(|line| !line.contains("stale")), "{calm:?}");

    update(&mut state, unreachable("lab", 60));
    update(&mut state, told("aws", 61, vec![fact(0, 0, 0, 1)], Vec::new()));
    let age = of_row(&state, &checkout()).unwrap();
    assert_eq!((age.freshness, age.at), (Freshness::Stale, moment(0)));
    assert_eq!(of_view(&state).stale, 1);
    let sources: Vec<_> = behind(&state, &checkout()).into_keys().collect();
    assert_eq!(sources, [SourceId::new("lab")]);
    let lines = selected(&state);
    assert!(lines[1].starts_with("stale: lab told it 1m ago (unreachable)"), "{lines:?}");

    // Too old to be taken for the truth: that comes first.
    update(&mut state, told("aws", 1000, vec![fact(0, 0, 0, 1)], Vec::new()));
    assert_eq!(of_row(&state, &checkout()).unwrap().freshness, Freshness::Lost);
    let lines = selected(&state);
    assert!(lines[0].starts_with("unknown by now"), "{lines:?}");

    update(&mut state, told("lab", 1001, vec![fact(1, 1, 0, 0)], Vec::new()));
    assert_eq!(of_row(&state, &checkout()).unwrap().freshness, Freshness::Fresh);
    assert!(behind(&state, &checkout()).is_empty());
}

#[test]
fn what_is_claimed_by_name_and_is_not_there_is_not_calm() {
    let mut setup = setup();
    setup.services[0].claims.pipelines = vec![Pattern::parse("aws/checkout-0")];
    setup.services[0].claims.environments = vec![Pattern::parse("lab/checkout-*")];
    let mut state = State::new(setup);
    let missing = |state: &State| state.rows.board.get(&checkout()).unwrap().missing.clone();
    // Nothing was listed yet: nothing is missing.
    assert!(missing(&state).is_empty());
    update(&mut state, told("aws", 0, Vec::new(), Vec::new()));
    assert!(missing(&state).is_empty(), "a part of a listing proves nothing");

    update(&mut state, told("aws", 1, Vec::new(), vec![FactKind::Pipelines]));
    assert_eq!(missing(&state).len(), 1);
    assert_eq!(state.rows.board.get(&checkout()).unwrap().attention, Attention::AtRisk);
    let lines = of_service(&state, &ServiceId::new("checkout"));
    assert!(lines.iter().any(|l| l.starts_with("aws/checkout-0 is claimed")), "{lines:?}");

    let there = fact(0, 0, 0, 0);
    assert_eq!(there.item().to_string(), "aws/checkout-0");
    update(&mut state, told("aws", 2, vec![there], vec![FactKind::Pipelines]));
    assert!(missing(&state).is_empty());
    // It goes away while we watch.
    update(&mut state, told("aws", 3, Vec::new(), vec![FactKind::Pipelines]));
    assert_eq!(missing(&state).len(), 1);
    // A pattern may mean nothing.
    update(&mut state, told("lab", 4, Vec::new(), vec![FactKind::Environments]));
    assert_eq!(missing(&state).len(), 1);
    let environment = EnvironmentId::new(&SourceId::new("lab"), "checkout-0");
    assert!(state.fleet.environments.get(&environment).is_none());
}

#[test]
fn a_read_of_what_is_gone_does_not_fail_for_ever() {
    let mut state = State::new(setup());
    let both = || vec![fact(0, 0, 0, 1), fact(0, 0, 1, 1)];
    let source = |state: &State| state.fleet.sources[&SourceId::new("aws")].clone();
    update(&mut state, told("aws", 0, both(), vec![FactKind::Pipelines]));
    for item in both().iter().map(Fact::item) {
        update(
            &mut state,
            Msg::ReadFailed(Box::new(ReadFailed {
                source: SourceId::new("aws"),
                epoch: 0,
                scope: Scope { topic: Topic::Items, items: vec![item] },
                at: moment(1),
                fault: Fault::new(FaultKind::Unreachable, "connection refused"),
            })),
        );
    }
    let one = both().split_off(1);
    update(&mut state, told("aws", 2, one, vec![FactKind::Pipelines]));
    assert_eq!(source(&state).health(), SourceHealth::Partly, "one of both is still there");
    update(&mut state, told("aws", 3, Vec::new(), vec![FactKind::Pipelines]));
    assert_eq!(source(&state).health(), SourceHealth::Answering);
    let row = RowId::Source(SourceId::new("aws"));
    assert_eq!(state.rows.sources.get(&row).unwrap().health, SourceHealth::Answering);
}

#[test]
fn a_stage_at_rest_is_held_since_its_door_was_closed() {
    let mut state = State::new(setup());
    let id = PipelineId::new(&SourceId::new("aws"), "checkout-0");
    let mut held = pipeline(id.clone(), 1);
    held.stages.truncate(1);
    held.stages[0].state = RunState::Succeeded;
    held.stages[0].since = Some(moment(0));
    held.stages[0].actions.clear();
    let mut transition =
        Transition { enabled: false, reason: None, by: None, at: Some(moment(600)) };
    held.stages[0].transition = Some(transition.clone());
    update(&mut state, told("aws", 700, vec![Fact::Pipeline(held.clone())], Vec::new()));
    let since = |state: &State| {
        let row = RowId::Item(Fact::Pipeline(held.clone()).item());
        state.rows.pipelines.get(&row).unwrap().stages[0].since
    };
    assert_eq!(since(&state), Some(moment(600)));
    // Who closed it when is not always known; since when the stage rests is another matter.
    transition.at = None;
    let mut unknown = held.clone();
    unknown.stages[0].transition = Some(transition);
    update(&mut state, told("aws", 701, vec![Fact::Pipeline(unknown)], Vec::new()));
    assert_eq!(since(&state), None);
}
