//! What wants its name typed: what is production by name, and what its source says is.

use std::collections::BTreeMap;

use flightdeck::app::dialog::{Dialog, Focus};
use flightdeck::app::intent::Intent;
use flightdeck::app::overlay::Overlay;
use flightdeck::app::{Effect, Msg};
use flightdeck::domain::environment::{Environment, Health};
use flightdeck::domain::fact::Fact;
use flightdeck::domain::ids::{EnvironmentId, SourceId};
use flightdeck::domain::text::SafeText;
use flightdeck::domain::write::FlagChange;

use crate::world::*;

/// An environment by its id and its name, and whether its source says that customers are on it.
fn environment(id: &str, name: &str, production: Option<bool>) -> Fact {
    Fact::Environment(Environment {
        id: EnvironmentId::new(&SourceId::new("lb"), id),
        name: name.into(),
        production,
        health: Health::Healthy,
        summary: None,
        revision: None,
        slots: Vec::new(),
        address: None,
        latency: None,
        tls_expires: None,
        since: None,
        link: None,
        tags: BTreeMap::new(),
    })
}

/// A flag that is told of in this environment alone.
fn flag_in(place: &str) -> (Fact, Intent) {
    let mut flag = flag();
    flag.environments[0].environment = place.into();
    let (environment, change) = (SafeText::new(place), FlagChange::Enabled { on: false });
    (Fact::Flag(flag), Intent::Flag { flag: flag_id(), environment, change })
}

/// A pipeline whose last stage, which waits for an approval, is called so.
fn stage(name: &str) -> (Fact, Intent) {
    let mut now = pipeline();
    now.stages[2].name = name.into();
    (Fact::Pipeline(now), approve())
}

/// What is written to and how, what an http target says of the environment, and whether it is protected.
type Case = ((Fact, Intent), Option<(&'static str, &'static str, Option<bool>)>, bool);

#[test]
fn what_its_source_calls_production_is_as_protected_as_what_is_named_so() {
    let (yes, no) = (Some(true), Some(false));
    let cases: Vec<Case> = vec![
        // By name, whatever a source says.
        (flag_in("production"), None, true),
        (flag_in("production"), Some(("production", "production", no)), true),
        (stage("prod"), Some(("prod", "prod", no)), true),
        // Only a source knows.
        (flag_in("live"), None, false),
        (flag_in("live"), Some(("live", "live", None)), false),
        (flag_in("live"), Some(("live", "live", no)), false),
        (flag_in("live"), Some(("live", "live", yes)), true),
        (flag_in("Live"), Some(("web-1", "live", yes)), true),
        (flag_in("web-1"), Some(("web-1", "live", yes)), true),
        (flag_in("pre-live"), Some(("live", "live", yes)), false),
        (flag_in("staging"), Some(("live", "live", yes)), false),
        (stage("live"), Some(("live", "live", yes)), true),
        (stage("Deploy-live"), Some(("live", "live", yes)), true),
        (stage("live"), Some(("live", "live", no)), false),
        // Its names are those of another environment.
        (stage("staging"), Some(("staging", "staging", no)), false),
    ];
    for ((fact, intent), told, production) in cases {
        let mut room = Room::calm();
        let said = format!("{intent:?} {told:?}");
        room.tell(fact);
        if let Some((id, name, says)) = told {
            room.tell(environment(id, name, says));
        }
        assert_eq!(room.plan(&intent).unwrap().production, production, "{said}");
    }
}

/// The names of its stages are those of no environment: where the service is, it is.
#[test]
fn a_pipeline_is_production_where_the_environment_of_its_service_is() {
    for (says, production) in [(Some(true), true), (Some(false), false), (None, false)] {
        let mut setup = setup();
        setup.services[0].canaries[0].environment =
            Some(flightdeck::domain::pattern::Pattern::parse("lb/web-1"));
        let mut room = Room::with(setup);
        let (mut now, intent) = (pipeline(), approve());
        for (stage, name) in now.stages.iter_mut().zip(["Source", "Build", "Deploy"]) {
            stage.name = name.into();
        }
        room.tell(Fact::Pipeline(now));
        room.tell(environment("web-1", "the shop", says));
        assert_eq!(room.plan(&intent).unwrap().production, production, "{says:?}");
    }
}

fn dialog(room: &Room) -> &Dialog {
    match &room.state.view.overlay {
        Some(Overlay::Confirm(dialog)) => dialog,
        other => panic!("{other:?}: {:?}", room.state.view.notice),
    }
}

#[test]
fn its_dialog_wants_the_name_and_sends_nothing_without_it() {
    for (says, wants) in [(Some(true), true), (Some(false), false)] {
        let mut room = Room::calm();
        room.send(Msg::Resize { width: 120, height: 40 });
        let (fact, _) = stage("live");
        room.tell(fact);
        room.tell(environment("live", "live", says));
        let mut ms = 0;
        let mut press = |room: &mut Room, text: &str| {
            ms += 500;
            let effects = room.send(key(text, ms));
            effects.iter().filter(|effect| matches!(effect, Effect::Submit(_))).count()
        };
        press(&mut room, "a");
        assert_eq!(dialog(&room).stops().contains(&Focus::Name), wants, "{says:?}");
        while dialog(&room).focus != Focus::Go {
            press(&mut room, "tab");
        }
        let sent = press(&mut room, "enter");
        assert_eq!(sent, usize::from(!wants), "{says:?}");
        if !wants {
            continue;
        }
        let refusal = dialog(&room).refusal.clone().unwrap();
        assert!(refusal.as_str().starts_with("type shop to confirm"), "{refusal}");
        while dialog(&room).focus != Focus::Name {
            press(&mut room, "tab");
        }
        for letter in ["s", "h", "o", "p"] {
            assert_eq!(press(&mut room, letter), 0);
        }
        assert_eq!(press(&mut room, "enter"), 1);
    }
}
