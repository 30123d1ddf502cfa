//! From a configuration to a start: what must not be mixed is refused with words.
#![allow(clippy::unwrap_used, reason = "a failing unwrap in a test is a failing test")]

use flightdeck::cli::exit::Failure;
use flightdeck::cli::global::Global;
use flightdeck::cli::start::{Started, start};
use flightdeck::domain::ids::SourceId;

/// What a start with this configuration is refused for.
fn refusal(text: &str) -> Option<String> {
    started(text).err().map(|failure| failure.to_string())
}

fn started(text: &str) -> Result<Started, Failure> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("config.toml");
    std::fs::write(&file, text).unwrap();
    let global = Global { config: Some(file), ..Global::default() };
    start(&global, Vec::new(), false)
}

#[test]
fn names_that_the_rehearsal_has_are_taken_while_it_is_there() {
    let both = "[sources.practice]\nkind = \"rehearsal\"\n";
    let edge = "[sources.edge]\nkind = \"haproxy\"\naddress = \"tcp://127.0.0.1:9\"\n";
    let checkout = "[services.sim-checkout]\ntraffic = [\"edge/*\"]\n";
    assert_eq!(refusal(&format!("{edge}{checkout}")), None);
    let source = refusal(&format!("{both}{edge}")).unwrap();
    assert!(source.contains("source edge"), "{source}");
    let other = edge.replace("sources.edge", "sources.proxy");
    let mine = checkout.replace("edge/", "proxy/");
    let service = refusal(&format!("{both}{other}{mine}")).unwrap();
    assert!(service.contains("service sim-checkout"), "{service}");
    let mine = mine.replace("services.sim-checkout", "services.checkout");
    assert_eq!(refusal(&format!("{both}{other}{mine}")), None);
}

#[test]
fn the_rehearsal_beside_real_sources_is_set_apart_and_runs_with_them() {
    let alone = started("[rehearsal]\nspeed = 8.0\n").unwrap();
    assert!(alone.setup.is_rehearsal() && alone.speed.is_some());
    let text = "[rehearsal]\nspeed = 8.0\n[sources.practice]\nkind = \"rehearsal\"\n\
                [sources.proxy]\nkind = \"haproxy\"\naddress = \"tcp://127.0.0.1:9\"\n";
    let beside = started(text).unwrap();
    // What is written lasts, so it is recorded where real writes are.
    assert!(!beside.setup.is_rehearsal());
    let rehearsal = beside.setup.rehearsal.as_ref().unwrap();
    assert!(rehearsal.partly && beside.speed.is_none());
    assert!((rehearsal.speed - 1.0).abs() < f64::EPSILON);
    let names: Vec<_> = beside.setup.services.iter().map(|s| s.id.clone()).collect();
    let (unclaimed, services) = beside.setup.services.split_last().unwrap();
    assert!(unclaimed.is_unclaimed());
    for service in services {
        assert!(service.id.as_str().starts_with("sim-"), "{}", service.id);
        assert!(service.needs.iter().all(|need| names.contains(need)), "{}", service.id);
        assert!(service.canaries.iter().all(|c| c.service == service.id), "{}", service.id);
    }
    let scenario = |names: &[&str]| beside.setup.rehearsed(names.iter().map(|n| SourceId::new(n)));
    assert!(scenario(&["edge", "flags"]).is_some());
    assert_eq!(scenario(&["edge", "proxy"]), None);
}
