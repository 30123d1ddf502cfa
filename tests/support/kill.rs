//! Killed at any step of a write: the next start accounts for it, and nothing is done twice.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::process::Command;

use crate::hands::Breaker;
use crate::program::run;

/// Looks back at what was left, and finds nothing to do.
const LOOK_BACK: &str = "undo no-such-plan --yes";
/// How long an answer takes, in seconds, that comes after the end of the one who waits for it.
const LATE: f64 = 1.0;
/// How often a step is tried for, where the program was faster than the one who kills it.
const TRIES: usize = 20;

/// A write of the program that is killed again and again.
pub struct Victim<'a> {
    /// The home folder, where the journal is.
    pub home: &'a Path,
    /// The program with these words.
    pub program: &'a (dyn Fn(&str) -> std::process::Command + Sync),
    /// What is done. After a write of which the outcome is unknown, the next one wants a reason.
    pub words: &'a str,
    /// How many steps its plan has.
    pub steps: usize,
    /// The ways to its servers.
    pub ways: &'a [&'a Breaker],
    /// How long each answer takes there, in seconds, so that every step can be seen.
    pub slowly: f64,
}

impl Victim<'_> {
    async fn answers_take(&self, seconds: f64) {
        for way in self.ways {
            way.always(&json!({ "kind": "latency", "seconds": seconds })).await;
        }
    }
}

/// When the program is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum At {
    /// As soon as the journal has so many lines of it.
    Line(usize),
    /// As soon as the server has done it.
    Effect,
}

/// Kills it at each step. `ready` makes everything as it was before and `effects` tells how many of
/// the steps the server has done since then. Returns the events and the outcome of each.
pub async fn walk(
    victim: &Victim<'_>,
    ready: impl AsyncFn(),
    effects: impl AsyncFn() -> usize,
) -> BTreeMap<At, Vec<String>> {
    let lines = 1 + 3 * victim.steps;
    let points = (0..=lines).map(At::Line).chain([At::Effect]);
    let mut stories = BTreeMap::new();
    victim.answers_take(victim.slowly).await;
    for at in points {
        let mut reached = false;
        for _ in 0..TRIES {
            ready().await;
            let before = events(victim.home).len();
            if at == At::Effect {
                victim.answers_take(LATE).await;
            }
            kill(victim, at, before, &effects).await;
            victim.answers_take(victim.slowly).await;
            let left = events(victim.home).len() - before;
            let story = accounted(victim, before, effects().await).await;
            // Nothing more happens afterwards.
            assert_eq!(effects().await, done(&events(victim.home)[before..]), "{at:?}: {story:?}");
            reached = match at {
                At::Line(lines) => left == lines,
                At::Effect => left < 3 * victim.steps,
            };
            if reached {
                stories.insert(at, story);
                break;
            }
        }
        assert!(reached, "{} was never killed at {at:?}", victim.words);
    }
    let (code, told) = run((victim.program)("journal verify")).await;
    assert_eq!(code, 0, "{}: {told}", victim.words);
    stories
}

/// Starts it, and kills it then, if it has not ended before.
async fn kill(victim: &Victim<'_>, at: At, before: usize, effects: &impl AsyncFn() -> usize) {
    let mut command = Command::from((victim.program)(victim.words));
    command.stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
    let mut child = command.spawn().unwrap();
    let mut pace = tokio::time::interval(Duration::from_millis(3));
    pace.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    while child.try_wait().unwrap().is_none() {
        let lines = events(victim.home).len() - before;
        let now = match at {
            At::Line(wanted) => lines >= wanted,
            // Asking a server costs more than reading a file, and slows down what is waited for: it
            // is asked once the last step is being sent.
            At::Effect => lines >= 3 * victim.steps - 1 && effects().await >= victim.steps,
        };
        if now {
            break;
        }
        pace.tick().await;
    }
    child.kill().await.unwrap();
}

/// What the journal tells of it after the next start; `effects` is how much the server has done.
async fn accounted(victim: &Victim<'_>, before: usize, effects: usize) -> Vec<String> {
    let (code, told) = run((victim.program)(LOOK_BACK)).await;
    assert_eq!(code, 20, "{told}");
    let now = events(victim.home);
    let own = &now[before..];
    let count = |wanted: &str| own.iter().filter(|event| word(event) == wanted).count();
    let story: Vec<String> = own.iter().map(|event| word(event).to_owned()).collect();
    assert!(count("confirmed") <= 1 && count("sending") <= victim.steps, "{story:?}");
    assert_eq!(count("ended"), count("sending"), "{}: {story:?}: {told}", victim.words);
    assert_eq!(done(own), effects, "{own:?}");
    own.iter().map(|event| outcome(event).unwrap_or_else(|| word(event)).to_owned()).collect()
}

/// The events of the journal in this home folder, oldest first.
pub fn events(home: &Path) -> Vec<Value> {
    let folder = home.join(".local/state/flightdeck/journal");
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|e| e == "jsonl"));
    files.sort();
    let text: String = files.iter().map(|path| std::fs::read_to_string(path).unwrap()).collect();
    // The last line may be half written.
    let lines = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    lines.map(|line| line["record"]["event"].clone()).collect()
}

/// The word for an event.
pub fn word(event: &Value) -> &str {
    event["event"].as_str().unwrap()
}

/// What came of it, if the event is the end of a step.
pub fn outcome(event: &Value) -> Option<&str> {
    event["outcome"]["outcome"].as_str()
}

/// How many steps were done.
fn done(events: &[Value]) -> usize {
    events.iter().filter(|event| outcome(event) == Some("done")).count()
}
