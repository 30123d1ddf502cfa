//! What a write waits for: its target and what its guards look at, and nothing else.

use std::collections::BTreeSet;

use flightdeck::app::intent::Intent;
use flightdeck::app::plan::{holders, looked_at};
use flightdeck::domain::fact::FactKind;
use flightdeck::domain::ids::{ServiceId, SourceId};
use flightdeck::domain::pattern::Pattern;
use flightdeck::domain::policy::{Day, Freeze, Window};
use flightdeck::domain::write::FlagChange;

use crate::world::*;

fn names(found: &BTreeSet<SourceId>) -> Vec<&str> {
    found.iter().map(SourceId::as_str).collect()
}

fn flag(on: bool) -> Intent {
    Intent::Flag {
        flag: flag_id(),
        environment: "production".into(),
        change: FlagChange::Enabled { on },
    }
}

#[test]
fn a_name_is_looked_for_where_it_can_be() {
    let mut setup = setup();
    let mut other = setup.sources[2].clone();
    other.id = SourceId::new("more-flags");
    setup.sources.push(other);
    let mut tagged = setup.services[0].clone();
    tagged.id = ServiceId::new("tagged");
    tagged.claims.flags.clear();
    tagged.claims.tags.insert("team".into(), "web".into());
    setup.services.push(tagged);
    let room = Room::with(setup);
    for (name, kind, wanted) in [
        // A service: in what it claims.
        ("shop", FactKind::Flags, &["flags"][..]),
        ("shop", FactKind::Pipelines, &["aws"]),
        ("shop", FactKind::Traffic, &["lb"]),
        // By tags it may claim anything.
        ("tagged", FactKind::Flags, &["flags", "more-flags"]),
        // Anything else: wherever there is something of the kind, unless the source is said.
        ("new-checkout", FactKind::Flags, &["flags", "more-flags"]),
        ("more-flags/new-checkout", FactKind::Flags, &["more-flags"]),
        ("web/new-checkout", FactKind::Flags, &["flags", "more-flags"]),
    ] {
        let found = holders(&room.state, name, &[kind]);
        assert_eq!(names(&found), wanted, "{name} {kind:?}");
    }
}

#[test]
fn what_goes_forward_needs_what_the_red_line_looks_at_and_the_way_to_safety_does_not() {
    let room = Room::calm();
    for (intent, wanted) in [
        (approve(), &["aws", "lb", "prom"][..]),
        (reject(), &["aws"]),
        (flag(true), &["aws", "flags", "lb", "prom"]),
        (flag(false), &["flags"]),
        (shift("canary", 5), &["aws", "lb", "prom"]),
    ] {
        let found = looked_at(&room.state, &room.plan(&intent).unwrap());
        assert_eq!(names(&found), wanted, "{intent:?}");
    }
    let mut room = Room::calm();
    let busy = split(&[("stable", 50, true), ("canary", 50, true)]);
    room.tell(flightdeck::domain::fact::Fact::Traffic(busy));
    let back = looked_at(&room.state, &room.plan(&shift("canary", 0)).unwrap());
    assert_eq!(names(&back), ["lb"]);
}

#[test]
fn alarms_elsewhere_are_needed_by_who_claims_them() {
    let mut setup = setup();
    let mut watch = setup.sources[0].clone();
    watch.id = SourceId::new("watch");
    setup.sources.push(watch);
    let room = Room::with(setup.clone());
    let found = looked_at(&room.state, &room.plan(&approve()).unwrap());
    assert!(!names(&found).contains(&"watch"), "{found:?}");
    setup.services[0].claims.alarms.push(Pattern::parse("watch/shop-*"));
    let room = Room::with(setup);
    let found = looked_at(&room.state, &room.plan(&approve()).unwrap());
    assert!(names(&found).contains(&"watch"), "{found:?}");
}

#[test]
fn a_freeze_needs_the_environments_around_a_split() {
    let mut setup = setup();
    let mut web = setup.sources[1].clone();
    web.id = SourceId::new("web");
    web.capabilities.reads = vec![FactKind::Environments];
    setup.sources.push(web);
    let needs_web = |setup: flightdeck::app::Setup, percent: u32| {
        let mut room = Room::with(setup);
        let busy = split(&[("stable", 50, true), ("canary", 50, true)]);
        room.tell(flightdeck::domain::fact::Fact::Traffic(busy));
        let found = looked_at(&room.state, &room.plan(&shift("canary", percent)).unwrap());
        names(&found).contains(&"web")
    };
    assert!(!needs_web(setup.clone(), 75));
    let freeze = |even_to_safety| Freeze {
        name: "weekend".into(),
        window: Window::Weekly {
            days: vec![Day::Saturday],
            from: jiff::civil::time(0, 0, 0, 0),
            until: jiff::civil::time(23, 0, 0, 0),
            zone: "UTC".into(),
        },
        environments: vec!["prod*".into()],
        services: Vec::new(),
        owners: Vec::new(),
        verbs: Vec::new(),
        even_to_safety,
    };
    setup.policy.freezes = vec![freeze(false)];
    assert!(needs_web(setup.clone(), 75));
    assert!(!needs_web(setup.clone(), 0), "the way to safety is not frozen");
    setup.policy.freezes = vec![freeze(true)];
    assert!(needs_web(setup, 0));
}
