//! A lab of the test's own, whose servers really die and come back: who loses one dims its facts alone.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use flightdeck::app::key::Key;
use flightdeck::app::row::RowId;
use flightdeck::app::{Msg, State, age, update};
use flightdeck::domain::environment::Health;
use flightdeck::domain::ids::{EnvironmentId, ItemId, ServiceId, SourceId};
use flightdeck::domain::observed::Freshness;
use flightdeck::domain::source::SourceHealth;
use flightdeck::runtime::headless::Headless;
use flightdeck::ui::theme::Theme;
use flightdeck::ui::{Look, draw};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::{LONG, REAL, health, room_of};

/// All servers, gone with the test.
struct Lab {
    run: tempfile::TempDir,
}

impl Drop for Lab {
    fn drop(&mut self) {
        self.told(&["stop"], &[]);
    }
}

impl Lab {
    fn start() -> Self {
        let lab = Self { run: tempfile::tempdir().unwrap() };
        assert!(lab.told(&["start"], &[]), "the lab did not start");
        lab
    }

    /// Whether the lab did as it was told.
    fn told(&self, before: &[&str], after: &[&str]) -> bool {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/lab/lab.py");
        let mut command = Command::new("python3");
        command.arg(script).args(before).arg(self.run.path()).args(after);
        command.status().unwrap().success()
    }

    fn kill(&self, server: &str) {
        assert!(self.told(&["kill"], &[server]), "{server}");
    }

    fn again(&self, server: &str) {
        assert!(self.told(&["again"], &[server]), "{server}");
    }

    /// The example's configuration with the addresses of these servers.
    fn configuration(&self) -> PathBuf {
        let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/examples/lab.toml");
        let mut text = std::fs::read_to_string(example).unwrap();
        let addresses = std::fs::read_to_string(self.run.path().join("lab.env")).unwrap();
        for (name, value) in addresses.lines().filter_map(|line| line.split_once('=')) {
            text = text.replace(&format!("${{{name}}}"), value);
        }
        let file = self.run.path().join("room.toml");
        std::fs::write(&file, text).unwrap();
        file
    }
}

/// What is known of each source but the practice world, and how it can be relied on.
fn facts(state: &State) -> Vec<(ItemId, Freshness)> {
    let fleet = &state.fleet;
    let items = (fleet.pipelines.iter().map(|(id, _)| ItemId::Pipeline(id.clone())))
        .chain(fleet.environments.iter().map(|(id, _)| ItemId::Environment(id.clone())))
        .chain(fleet.traffic.iter().map(|(id, _)| ItemId::Traffic(id.clone())))
        .chain(fleet.flags.iter().map(|(id, _)| ItemId::Flag(id.clone())))
        .chain(fleet.alarms.iter().map(|(id, _)| ItemId::Alarm(id.clone())))
        .chain(fleet.series.iter().map(|(id, _)| ItemId::Series(id.clone())));
    let real = items.filter(|item| REAL.contains(&item.source().as_str()));
    real.map(|item| {
        let freshness = age::of_item(state, &item).unwrap().freshness;
        (item, freshness)
    })
    .collect()
}

/// The sources of which something is not fresh.
fn dim(state: &State) -> BTreeSet<String> {
    let old = facts(state).into_iter().filter(|(_, freshness)| *freshness != Freshness::Fresh);
    old.map(|(item, _)| item.source().to_string()).collect()
}

/// The sources that do not answer everything.
fn silent(room: &Headless) -> BTreeSet<String> {
    let silent = REAL.iter().filter(|source| health(room, source) != SourceHealth::Answering);
    silent.map(ToString::to_string).collect()
}

/// Takes in messages, and lets the time go on, until it is so.
async fn until(room: &mut Headless, what: &str, is_so: impl Fn(&Headless) -> bool) {
    let wait = async {
        let mut pace = tokio::time::interval(std::time::Duration::from_millis(200));
        while !is_so(room) {
            tokio::select! {
                more = room.next() => assert!(more, "no source is left"),
                _ = pace.tick() => drop(room.tick()),
            }
        }
    };
    if tokio::time::timeout(LONG, wait).await.is_err() {
        let known = facts(&room.state).len();
        panic!(
            "never {what}: {known} facts, silent {:?}, dim {:?}",
            silent(room),
            dim(&room.state)
        );
    }
}

/// The rows of a pane as they are drawn, each a line.
fn drawn(state: &State, pane: &str) -> Vec<String> {
    let mut state = state.clone();
    update(&mut state, Msg::Resize { width: 160, height: 50 });
    for key in format!(":{pane}").chars().map(|c| c.to_string()).chain(["enter".to_owned()]) {
        update(&mut state, Msg::Key { key: Key::parse(&key).unwrap(), ms: 0 });
    }
    let mut buffer = Buffer::empty(Rect::new(0, 0, 160, 50));
    draw(&state, &Look::new(Theme::fallback(), false), &mut buffer);
    let line = |y| (0..160).map(|x| buffer[(x, y)].symbol()).collect::<String>();
    (0..50).map(line).collect()
}

fn row<'a>(lines: &'a [String], name: &str) -> &'a str {
    // The detail is beside the rows.
    let rows = lines.iter().map(|line| line.split('│').next().unwrap_or_default());
    let found = rows.into_iter().find(|row| row.split_whitespace().any(|word| word == name));
    found.unwrap_or_else(|| panic!("no {name}: {lines:#?}"))
}

/// All of what is known of these sources, and nothing else, gets old; then all is as before.
async fn lost(lab: &Lab, room: &mut Headless, server: &str, sources: &[&str], comes_back: bool) {
    let own: BTreeSet<String> = sources.iter().map(ToString::to_string).collect();
    lab.kill(server);
    until(room, &format!("lost {server}"), |room| {
        let known = facts(&room.state).into_iter();
        let mut of_it = known.filter(|(item, _)| own.contains(item.source().as_str()));
        silent(room) == own && of_it.all(|(_, freshness)| freshness != Freshness::Fresh)
    })
    .await;
    assert_eq!(dim(&room.state), own, "{server}");
    let lines = drawn(&room.state, "sources");
    for source in REAL {
        // Kinds of read fail one after the other, each when its time comes.
        let answering = row(&lines, source).contains("answering");
        assert_ne!(answering, own.contains(source), "{server}: {}", row(&lines, source));
    }
    if comes_back {
        lab.again(server);
        let well = |room: &Headless| silent(room).is_empty() && dim(&room.state).is_empty();
        until(room, &format!("back from the loss of {server}"), well).await;
    }
}

#[tokio::test]
#[ignore = "needs the lab: bash tests/run"]
async fn whoever_loses_its_server_dims_alone_and_heals_with_it() {
    let lab = Lab::start();
    let mut room = room_of(&lab.configuration());
    let well = |room: &Headless| {
        silent(room).is_empty() && dim(&room.state).is_empty() && facts(&room.state).len() > 25
    };
    until(&mut room, "well", well).await;

    lost(&lab, &mut room, "prometheus", &["prometheus"], true).await;
    lost(&lab, &mut room, "haproxy", &["haproxy"], true).await;
    lost(&lab, &mut room, "unleash", &["unleash"], true).await;

    // Of an address that does not answer, just that is known.
    let id = EnvironmentId::new(&SourceId::new("web"), "search");
    let of = |room: &Headless| room.state.fleet.environments.get(&id).unwrap().value.health;
    assert_eq!(of(&room), Health::Healthy);
    lab.kill("web-green");
    until(&mut room, "unhealthy", |room| of(room) == Health::Unhealthy).await;
    assert_eq!(silent(&room), BTreeSet::new());
    let board = drawn(&room.state, "board");
    assert!(row(&board, "lab-search").contains("unhealthy"), "{board:#?}");
    lab.again("web-green");
    until(&mut room, "healthy", |room| of(room) == Health::Healthy).await;

    // What it holds in memory is gone with it.
    lost(&lab, &mut room, "codepipeline", &["pipes"], false).await;
    let service = RowId::Service(ServiceId::new("lab-payments"));
    assert_ne!(age::of_row(&room.state, &service).unwrap().freshness, Freshness::Fresh);
    lab.again("codepipeline");
    until(&mut room, "answered", |room| silent(room).is_empty()).await;
    lost(&lab, &mut room, "ministack", &["appconfig", "cloudwatch"], false).await;
}
