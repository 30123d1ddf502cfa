//! Freezes as they are written, and the moments they mean: clocks that jump included.

use flightdeck::config::explain::explain;
use flightdeck::config::origin::Layer;
use flightdeck::config::{Inputs, Loaded, load, load_text};
use flightdeck::domain::Timestamp;
use flightdeck::domain::policy::{Day, Freeze, Window};
use flightdeck::domain::source::Verb;

use crate::fixtures::files;

fn loaded() -> Loaded {
    let path = files("valid").into_iter().find(|path| path.ends_with("freezes.toml")).unwrap();
    load_text("freezes.toml", &std::fs::read_to_string(path).unwrap(), &[]).unwrap()
}

fn freeze(name: &str) -> Freeze {
    loaded().config.freezes().into_iter().find(|freeze| freeze.name == *name).unwrap()
}

fn dated(from: &str, until: &str) -> Window {
    Window::Dated { from: from.parse().unwrap(), until: until.parse().unwrap() }
}

/// One freeze of a file that says only this of it.
fn of(lines: &str) -> Freeze {
    let text = format!("[[freeze]]\nname = \"x\"\nzone = \"Europe/Berlin\"\n{lines}\n");
    match load_text("x.toml", &text, &[]) {
        Ok(loaded) => loaded.config.freezes().remove(0),
        Err(report) => panic!("{report}"),
    }
}

fn check(window: &Window, moments: &[(&str, bool)]) {
    for (moment, lasts) in moments {
        let at: Timestamp = moment.parse().unwrap();
        assert_eq!(window.lasts(at), *lasts, "{moment}");
    }
}

#[test]
fn what_is_written_is_what_is_meant() {
    assert_eq!(loaded().config.safety.writes_per_minute, 3);
    assert_eq!(loaded().config.freezes().len(), 5);
    let weekend = freeze("weekend");
    let Window::Weekly { days, from, until, zone } = &weekend.window else { panic!("{weekend:?}") };
    assert_eq!(*days, [Day::Friday, Day::Saturday, Day::Sunday]);
    assert_eq!((from.hour(), until.hour(), zone.as_str()), (16, 8, "Europe/Berlin"));
    assert_eq!(weekend.environments, ["prod*"]);
    assert_eq!(weekend.verbs, [Verb::Approve, Verb::Traffic, Verb::Flag]);
    assert!(!weekend.even_to_safety);
    let year = freeze("end of year");
    assert!(year.even_to_safety && year.verbs.is_empty());
    assert_eq!(year.window, dated("2026-12-18T23:00:00Z", "2027-01-02T05:00:00Z"));
    assert_eq!(freeze("migration").window, dated("2026-12-01T08:00:00Z", "2026-12-01T10:00:00Z"));
}

#[test]
fn a_time_that_does_not_exist_or_comes_twice_is_meant_as_widely_as_it_can_be() {
    // From 02:00 on it is 03:00: what would be 02:30 is a moment of the hour before.
    assert_eq!(freeze("spring").window, dated("2027-03-28T00:30:00Z", "2027-03-28T01:30:00Z"));
    // It is 02:30 twice: from the first to the second.
    assert_eq!(freeze("autumn").window, dated("2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z"));
}

#[test]
fn every_week_holds_when_clocks_go_forward() {
    // 2027-03-28 in Berlin: 02:00 becomes 03:00 at 01:00 UTC.
    let weekly = of("days = [\"sunday\"]\nfrom = \"01:30\"\nuntil = \"03:30\"").window;
    check(
        &weekly,
        &[
            ("2027-03-28T00:29:59Z", false),
            ("2027-03-28T00:30:00Z", true),
            ("2027-03-28T01:29:59Z", true),
            ("2027-03-28T01:30:00Z", false),
        ],
    );
    // It begins in the hour that is left out, so with the first moment after it.
    let weekly = of("days = [\"sunday\"]\nfrom = \"02:30\"\nuntil = \"03:30\"").window;
    check(
        &weekly,
        &[
            ("2027-03-28T00:59:59Z", false),
            ("2027-03-28T01:00:00Z", true),
            ("2027-03-28T01:30:00Z", false),
        ],
    );
    // Over midnight of that night.
    let weekly = of("days = [\"saturday\"]\nfrom = \"22:00\"\nuntil = \"04:00\"").window;
    check(
        &weekly,
        &[
            ("2027-03-27T20:59:59Z", false),
            ("2027-03-27T21:00:00Z", true),
            ("2027-03-28T01:59:59Z", true),
            ("2027-03-28T02:00:00Z", false),
        ],
    );
}

#[test]
fn every_week_holds_both_times_when_clocks_go_back() {
    // 2026-10-25 in Berlin: 03:00 becomes 02:00 at 01:00 UTC.
    let weekly = of("days = [\"sunday\"]\nfrom = \"02:15\"\nuntil = \"02:45\"").window;
    check(
        &weekly,
        &[
            ("2026-10-25T00:14:59Z", false),
            ("2026-10-25T00:15:00Z", true),
            ("2026-10-25T00:45:00Z", false),
            ("2026-10-25T01:15:00Z", true),
            ("2026-10-25T01:44:59Z", true),
            ("2026-10-25T01:45:00Z", false),
        ],
    );
}

#[test]
fn equal_times_are_a_whole_day() {
    let weekly = of("days = [\"monday\"]\nfrom = \"00:00\"\nuntil = \"00:00\"").window;
    check(
        &weekly,
        &[
            ("2026-11-22T22:59:59Z", false),
            ("2026-11-22T23:00:00Z", true),
            ("2026-11-23T22:59:59Z", true),
            ("2026-11-23T23:00:00Z", false),
        ],
    );
}

#[test]
fn the_examples_in_the_documentation_are_right() {
    let text = flightdeck::config::load::DEFAULT_TOML;
    let (_, rest) = text.split_once("# freeze = []\n").unwrap();
    let lines: Vec<&str> = rest.lines().map_while(|line| line.strip_prefix('#')).collect();
    let example = format!(
        "{}\n[services.checkout]\nowners = [\"payments-core\"]\n[services.payments]\n",
        lines.iter().map(|line| line.trim()).filter(|line| !line.starts_with('#')).fold(
            String::new(),
            |text, line| if line.starts_with("rollback") { text } else { text + line + "\n" }
        )
    );
    match load_text("example.toml", &example, &[]) {
        Ok(loaded) => assert_eq!(loaded.config.freezes().len(), 2),
        Err(report) => panic!("{example}\n{report}"),
    }
}

#[test]
fn a_freeze_is_explained() {
    let tree = loaded().tree;
    let told = explain(&tree, "freeze[0].zone").unwrap();
    assert_eq!(told.value.as_deref(), Some("\"Europe/Berlin\""));
    assert!(told.origin.unwrap().to_string().starts_with("freezes.toml:12"));
    assert!(told.doc.unwrap().contains("time zone"));
    assert_eq!(explain(&tree, "freeze[0].days[0]").unwrap().allowed.len(), 7);
    let wrong = explain(&tree, "freeze[0].zones").unwrap_err().to_string();
    assert!(wrong.contains("did you mean `freeze[0].zone`?"), "{wrong}");
    assert!(explain(&tree, "safety.writes_per_minute").unwrap().doc.is_some());
}

#[test]
fn a_project_file_neither_adds_nor_ends_freezes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("project.toml");
    std::fs::write(&path, "freeze = []\n[safety]\nwrites_per_minute = 500\n").unwrap();
    let inputs = Inputs { files: vec![(Layer::Project, path)], ..Inputs::default() };
    let report = load(&inputs).unwrap_err().to_string();
    assert!(report.contains("freeze: a project file cannot say when nothing may change"));
    assert!(report.contains("safety.writes_per_minute: a project file can only set read_only"));
}
