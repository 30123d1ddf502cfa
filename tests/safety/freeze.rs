//! Freezes: what they hold up, what they let pass, and the reason that breaks the glass.

use flightdeck::app::intent::Intent;
use flightdeck::domain::fact::Fact;
use flightdeck::domain::policy::{Day, Freeze, Window};
use flightdeck::domain::source::Verb;
use flightdeck::domain::write::{Answers, FlagChange, confirm};

use crate::world::*;

const GUARD: &str = "freeze";

/// All of this Monday.
fn freeze() -> Freeze {
    Freeze {
        name: "migration".into(),
        window: Window::Dated { from: moment(-3600), until: moment(3600) },
        services: Vec::new(),
        environments: Vec::new(),
        owners: Vec::new(),
        verbs: Vec::new(),
        even_to_safety: false,
    }
}

fn room(freeze: Freeze) -> Room {
    let mut setup = setup();
    setup.policy.freezes = vec![freeze];
    Room::with(setup)
}

fn flag_on() -> Intent {
    Intent::Flag {
        flag: flag_id(),
        environment: "production".into(),
        change: FlagChange::Percent { percent: 100.0 },
    }
}

/// How the freeze differs, what is wanted, and what the guard says.
type Row = (fn(&mut Freeze), Intent, &'static str);

const FROZEN: &str = "reason: frozen: migration, until 2026-11-23 13:00 UTC";

#[test]
fn a_freeze_holds_up_what_it_names() {
    let rows: Vec<Row> = vec![
        (|_| {}, approve(), FROZEN),
        (|_| {}, flag_on(), FROZEN),
        (|_| {}, shift("canary", 5), FROZEN),
        (|_| {}, reject(), "passed"),
        (|f| f.even_to_safety = true, reject(), FROZEN),
        (|f| f.services = vec!["shop".into()], approve(), FROZEN),
        (|f| f.services = vec!["stock".into()], approve(), "passed"),
        (|f| f.owners = vec!["web".into()], approve(), FROZEN),
        (|f| f.owners = vec!["data".into()], approve(), "passed"),
        (|f| f.environments = vec!["prod*".into()], approve(), FROZEN),
        (|f| f.environments = vec!["prod*".into()], flag_on(), FROZEN),
        (|f| f.environments = vec!["prod*".into()], shift("canary", 5), FROZEN),
        (|f| f.environments = vec!["staging".into()], approve(), "passed"),
        (|f| f.environments = vec!["staging".into()], shift("canary", 5), "passed"),
        (|f| f.verbs = vec![Verb::Flag], approve(), "passed"),
        (|f| f.verbs = vec![Verb::Flag], flag_on(), FROZEN),
        (
            |f| f.window = Window::Dated { from: moment(60), until: moment(120) },
            approve(),
            "passed",
        ),
        (
            |f| {
                f.window = Window::Weekly {
                    days: vec![Day::Monday],
                    from: "12:00".parse().unwrap(),
                    until: "14:30".parse().unwrap(),
                    zone: "Europe/Berlin".to_owned(),
                };
            },
            approve(),
            "reason: frozen: migration, until 14:30 Europe/Berlin",
        ),
    ];
    for (number, (change, intent, wanted)) in rows.into_iter().enumerate() {
        let mut freeze = freeze();
        change(&mut freeze);
        assert_eq!(room(freeze).verdict(&intent, GUARD), wanted, "row {number}");
    }
}

#[test]
fn where_the_environment_is_not_told_the_freeze_may_hold() {
    let mut setup = setup();
    setup.services[0].canaries[0].environment = None;
    setup.policy.freezes = vec![Freeze { environments: vec!["prod*".into()], ..freeze() }];
    let room = Room::with(setup);
    assert_eq!(
        room.verdict(&shift("canary", 5), GUARD),
        "reason: whether migration freezes shop is unknown: its environment is not told"
    );
}

#[test]
fn a_freeze_ends_by_itself() {
    let mut room = room(freeze());
    assert_eq!(room.verdict(&approve(), GUARD), FROZEN);
    room.wait(3599);
    assert_eq!(room.verdict(&approve(), GUARD), FROZEN);
    room.wait(1);
    assert_eq!(room.verdict(&approve(), GUARD), "passed");
}

#[test]
fn without_a_reason_it_is_refused_and_with_one_it_passes_and_is_kept() {
    let mut room = room(freeze());
    room.tell(Fact::Pipeline(pipeline()));
    let plan = room.plan(&approve()).unwrap();
    let answers =
        |reason: &str| Answers { go: true, typed: "shop".to_owned(), reason: reason.to_owned() };
    for reason in ["", "  ", "ok"] {
        let why = confirm(&plan, &answers(reason), moment(0)).unwrap_err();
        assert_eq!(
            why,
            "freeze: frozen: migration, until 2026-11-23 13:00 UTC; give a reason to go on"
        );
    }
    let confirmed = confirm(&plan, &answers("the shop is down"), moment(0)).unwrap();
    assert_eq!(confirmed.reason().unwrap(), "the shop is down");
    // What the journal keeps tells of the freeze and of the reason.
    let kept = serde_json::to_string(&confirmed).unwrap();
    assert!(kept.contains("frozen: migration") && kept.contains("the shop is down"), "{kept}");
}
