//! From a configuration to a start: what must not be mixed is refused with words.
#![allow(clippy::unwrap_used, reason = "a failing unwrap in a test is a failing test")]

use flightdeck::cli::global::Global;
use flightdeck::cli::start::start;

/// What a start with this configuration is refused for.
fn refusal(text: &str) -> Option<String> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("config.toml");
    std::fs::write(&file, text).unwrap();
    let global = Global { config: Some(file), ..Global::default() };
    start(&global, Vec::new(), false).err().map(|failure| failure.to_string())
}

#[test]
fn names_that_the_rehearsal_has_are_taken_while_it_is_there() {
    let both = "[sources.practice]\nkind = \"rehearsal\"\n";
    let edge = "[sources.edge]\nkind = \"haproxy\"\naddress = \"tcp://127.0.0.1:9\"\n";
    let checkout = "[services.checkout]\ntraffic = [\"edge/*\"]\n";
    assert_eq!(refusal(&format!("{edge}{checkout}")), None);
    let source = refusal(&format!("{both}{edge}")).unwrap();
    assert!(source.contains("source edge"), "{source}");
    let other = edge.replace("sources.edge", "sources.proxy");
    let mine = checkout.replace("edge/", "proxy/");
    let service = refusal(&format!("{both}{other}{mine}")).unwrap();
    assert!(service.contains("service checkout"), "{service}");
    let mine = mine.replace("services.checkout", "services.till");
    assert_eq!(refusal(&format!("{both}{other}{mine}")), None);
}
