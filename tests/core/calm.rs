//! "Nothing needs you" is said only where everything was read and nothing does: by the row of the
//! service, the header, the Inbox and the exit code alike.

use flightdeck::app::activity::{Activity, ActivityStep, Phase};
use flightdeck::app::explain::of_service;
use flightdeck::app::needs::needs;
use flightdeck::app::pane::Pane;
use flightdeck::app::report::{Status, Wanted, status};
use flightdeck::app::row::{Attention, RowId};
use flightdeck::app::select::board::BoardRow;
use flightdeck::app::select::inbox::AskKind;
use flightdeck::app::{Msg, State, update};
use flightdeck::cli::exit::Exit;
use flightdeck::cli::headless::exit;
use flightdeck::domain::alarm::AlarmState;
use flightdeck::domain::environment::Health;
use flightdeck::domain::fact::{Fact, FactKind};
use flightdeck::domain::ids::ServiceId;
use flightdeck::domain::write::{Outcome, PlanId, Write};
use flightdeck::ui::theme::Theme;
use flightdeck::ui::{Look, draw};
use ratatui::buffer::{Buffer, Cell};
use ratatui::layout::Rect;

use crate::ages::{told, unreachable};
use crate::world::{fact, moment, setup};

fn row<'a>(state: &'a State, service: &str) -> &'a BoardRow {
    state.rows.board.get(&RowId::Service(ServiceId::new(service))).unwrap()
}

fn first(state: &State, service: &str) -> String {
    of_service(state, &ServiceId::new(service)).swap_remove(0)
}

/// Everything was listed, and nothing was found but `facts` of the lab.
fn heard(facts: Vec<Fact>) -> State {
    let mut setup = setup();
    for service in &mut setup.services {
        service.canaries.clear();
    }
    let mut state = State::new(setup);
    let every = FactKind::ALL.to_vec();
    update(&mut state, told("aws", 0, Vec::new(), every.clone()));
    update(&mut state, told("lab", 0, facts, every));
    update(&mut state, Msg::Tick(moment(1)));
    state
}

/// The exit code of a picture for which the keepers have read all there is.
fn of(mut picture: Status) -> Exit {
    picture.settled = true;
    exit(&picture)
}

fn header(state: &State) -> String {
    let (width, height) = (200, 50);
    let mut buffer = Buffer::empty(Rect::new(0, 0, width, height));
    let mut state = state.clone();
    state.view.size = (width, height);
    draw(&state, &Look::new(Theme::fallback(), false), &mut buffer);
    buffer.content.iter().take(usize::from(width)).map(Cell::symbol).collect()
}

fn environment(health: Health, production: Option<bool>) -> Fact {
    let Fact::Environment(mut environment) = fact(1, 1, 0, 0) else { panic!() };
    environment.health = health;
    environment.production = production;
    environment.summary = Some("HTTP 500 Internal Server Error".into());
    Fact::Environment(environment)
}

#[test]
fn what_was_never_read_is_not_calm() {
    let mut state = State::new(setup());
    for service in ["checkout", "payments"] {
        assert_eq!(row(&state, service).attention, Attention::AtRisk);
        let said = first(&state, service);
        assert_eq!(said, "unknown: nothing of it was read yet (aws, lab: not heard yet)");
    }
    update(&mut state, unreachable("lab", 1));
    update(&mut state, told("aws", 1, Vec::new(), FactKind::ALL.to_vec()));
    assert_eq!(first(&state, "checkout"), "unknown: nothing of it was read yet (lab: unreachable)");
    // A part of it is known now: the rest is not told as calm for that.
    update(&mut state, told("aws", 2, vec![fact(0, 0, 0, 1)], vec![FactKind::Pipelines]));
    let said = of_service(&state, &ServiceId::new("checkout"));
    assert!(said.iter().any(|l| l.contains("the alarms of lab were never read")), "{said:?}");
    assert_eq!(row(&state, "checkout").attention, Attention::AtRisk);
    update(&mut state, told("lab", 3, Vec::new(), FactKind::ALL.to_vec()));
    assert!(!row(&state, "checkout").is_unread());
    assert!(!first(&state, "checkout").contains("unknown"));
}

#[test]
fn the_health_of_what_was_never_read_is_unknown() {
    let state = State::new(setup());
    assert_eq!(row(&state, "checkout").health, Some(Health::Unknown));
    assert_eq!(row(&heard(Vec::new()), "checkout").health, None);
}

#[test]
fn header_inbox_board_and_exit_code_agree() {
    let Fact::Alarm(mut alarm) = fact(4, 1, 0, 0) else { panic!() };
    alarm.state = AlarmState::Firing;
    let mut silenced = alarm.clone();
    silenced.silenced = true;
    alarm.silenced = false;
    let cases: Vec<(&str, Fact, &[AskKind], &str, Exit)> = vec![
        ("calm", environment(Health::Healthy, Some(true)), &[], "nothing needs you", Exit::Good),
        (
            "broken",
            environment(Health::Unhealthy, Some(true)),
            &[AskKind::Unhealthy],
            "1 unhealthy",
            Exit::Failing,
        ),
        (
            "broken, nobody said where",
            environment(Health::Unhealthy, None),
            &[AskKind::Unhealthy],
            "1 unhealthy",
            Exit::Failing,
        ),
        (
            "broken, not production",
            environment(Health::Unhealthy, Some(false)),
            &[],
            "nothing needs you",
            Exit::Good,
        ),
        ("fires", Fact::Alarm(alarm), &[AskKind::Alarm], "1 alarm", Exit::Failing),
        ("silenced", Fact::Alarm(silenced), &[], "nothing needs you", Exit::Good),
    ];
    for (case, fact, asks, said, code) in cases {
        let state = heard(vec![fact]);
        let kinds: Vec<AskKind> = state.rows.inbox.iter().map(|ask| ask.kind).collect();
        assert_eq!(kinds, asks, "{case}");
        assert!(header(&state).contains(said), "{case}: {}", header(&state));
        assert_eq!(header(&state).contains("nothing needs you"), code == Exit::Good, "{case}");
        let calls = row(&state, "checkout").attention <= Attention::Waiting;
        assert_eq!(calls, !asks.is_empty(), "{case}");
        let picture = status(&state, &Wanted::default());
        assert_eq!(of(picture), code, "{case}");
        // Of one service it is the same.
        let wanted = Wanted { service: Some(ServiceId::new("checkout")), pane: None };
        assert_eq!(of(status(&state, &wanted)), code, "{case}");
    }
    let mut state = heard(Vec::new());
    update(&mut state, unreachable("lab", 2));
    assert!(!header(&state).contains("nothing needs you"), "{}", header(&state));
    assert_eq!(of(status(&state, &Wanted::default())), Exit::Unknown);
}

#[test]
fn a_service_with_something_unread_is_counted_where_no_source_fails() {
    let mut setup = setup();
    setup.services.truncate(1);
    setup.services[0].canaries.clear();
    let mut state = State::new(setup);
    // It answers, but does not say that this is all there is.
    for source in ["aws", "lab"] {
        update(&mut state, told(source, 0, Vec::new(), vec![FactKind::Pipelines]));
    }
    assert_eq!(needs(&state).unknown, 1);
    assert!(header(&state).contains("1 unknown"), "{}", header(&state));
}

/// A write to the pipeline of the checkout, confirmed at this moment, that ended like this.
fn write(plan: &str, at: u64, outcome: Outcome) -> Activity {
    let Fact::Pipeline(pipeline) = fact(0, 1, 0, 0) else { panic!() };
    let step = ActivityStep {
        write: Write::Start { pipeline: pipeline.id },
        words: "start".into(),
        undo: None,
        no_undo: None,
        phase: Some(Phase::Ended { outcome }),
        at: Some(moment(at)),
    };
    Activity {
        plan: PlanId(plan.to_owned()),
        title: "start checkout-0".into(),
        service: Some(ServiceId::new("checkout")),
        at: moment(at),
        steps: vec![step],
        flight: None,
        by: None,
        intent: None,
    }
}

#[test]
fn a_write_of_which_nobody_knows_what_became_waits_for_a_human() {
    let mut state = heard(Vec::new());
    let lost = write("p-1", 0, Outcome::Unknown { why: "no answer came".into() });
    update(&mut state, Msg::Past(vec![lost.clone()]));
    let asks: Vec<_> = state.rows.inbox.iter().map(|ask| (ask.kind, ask.id.clone())).collect();
    assert_eq!(asks, [(AskKind::Unsure, RowId::Plan(PlanId("p-1".to_owned())))]);
    assert!(header(&state).contains("1 write unsure"), "{}", header(&state));
    // Enter shows it where it is told.
    update(&mut state, crate::world::key("2"));
    update(&mut state, crate::world::key("enter"));
    assert_eq!(state.view.pane, Pane::Activity);
    // A later one to the same target was done: it matters no more.
    let done = write("p-2", 60, Outcome::Done { note: None });
    update(&mut state, Msg::Past(vec![lost, done]));
    assert!(state.rows.inbox.is_empty());
}
