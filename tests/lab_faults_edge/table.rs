//! The table: a fault, where it strikes, what is told of it, and how often the server did it.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use flightdeck::backend::clock::WallClock;
use flightdeck::backend::port::Source;
use flightdeck::domain::write::{Confirmed, Outcome, Write};
use flightdeck::runtime::gateway::Gateway;
use flightdeck::store::journal::Journal;
use serde_json::{Value, json};

use crate::hands::{Breaker, confirmed};
use crate::program::{program, run, settle};

/// How long the source waits past what breaks, and through it: room for a busy machine.
pub const DEADLINES: [&str; 2] = ["30s", "4s"];
/// The effect of a write is looked for so long.
const PATIENCE: Duration = Duration::from_millis(2_500);

/// What breaks.
#[derive(Clone, Debug)]
pub enum How {
    /// The way to the server, after so many exchanges: the gateway reads once, the source once more,
    /// and the third is the write.
    Way(u64, Value),
    /// Somebody else changes the target after it was confirmed.
    Moved,
    /// What lets us in is replaced by this after it was confirmed.
    Key(&'static str),
}

/// What has to be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    /// It is as it was wanted, which was found out by reading again; by whom, nothing tells.
    Found,
    /// Nobody knows.
    Unknown,
    /// Nobody knows, or it is known that it was not done.
    NotDone,
    /// Refused before it was recorded as sent.
    Refused,
    /// The same, with what has moved.
    Difference,
    /// Failed, with this in the sentence.
    Failed(&'static str),
}

impl Told {
    fn fits(self, outcome: &Outcome) -> bool {
        match (self, outcome) {
            (Self::Found, Outcome::Done { note: Some(note) }) => {
                note.as_str().contains("shows that it was done; by whom is not told")
            }
            (Self::Unknown | Self::NotDone, Outcome::Unknown { why }) => {
                why.as_str().contains("not seen yet")
            }
            (Self::NotDone, Outcome::Failed { .. }) => true,
            (Self::Refused, Outcome::Refused { why, .. }) => why.as_str().contains("read again"),
            (Self::Difference, Outcome::Moved { moved, .. }) => {
                !moved.is_empty() && moved.iter().all(|m| m.seen != m.now)
            }
            (Self::Failed(word), Outcome::Failed { fault }) => {
                outcome.sentence().contains(word) && !fault.hint.as_str().is_empty()
            }
            _ => false,
        }
    }

    /// Whether the server did it.
    fn effects(self) -> usize {
        usize::from(self == Self::Found)
    }

    /// The lines of the journal.
    fn lines(self) -> &'static [&'static str] {
        match self {
            Self::Refused | Self::Difference => &["confirmed", "ended"],
            _ => &["confirmed", "sending", "reply", "ended"],
        }
    }
}

/// What every kind of source can have.
pub fn faults_of_any_way() -> Vec<(How, Told)> {
    let reset = || json!({ "kind": "reset", "bytes": 0 });
    let hang = || json!({ "kind": "hang" });
    vec![
        (How::Way(2, reset()), Told::Found),
        (How::Way(2, json!({ "kind": "truncate", "bytes": 0 })), Told::Found),
        // Longer than the deadline.
        (How::Way(2, json!({ "kind": "latency", "seconds": 6 })), Told::Found),
        (How::Way(2, json!({ "kind": "refuse" })), Told::NotDone),
        (How::Way(2, hang()), Told::Unknown),
        (How::Way(1, reset()), Told::Failed("failed")),
        (How::Way(1, hang()), Told::Failed("within")),
        (How::Way(0, reset()), Told::Refused),
        (How::Way(0, hang()), Told::Refused),
        (How::Moved, Told::Difference),
    ]
}

/// What is written to, and how it is now.
pub trait Target {
    /// What is written.
    fn write(&self) -> Write;
    /// The way that breaks.
    fn breaker(&self) -> &Breaker;
    /// The source past what breaks, and through it.
    fn sources(&self) -> [Arc<dyn Source>; 2];
    /// Makes everything as it was before.
    async fn ready(&self);
    /// Somebody else changes it.
    async fn meddle(&self);
    /// Replaces what lets us in by this; or puts it back.
    fn key(&self, key: Option<&str>);
    /// How often it was done since it was ready or somebody else has changed it.
    async fn effects(&self) -> usize;
    /// A configuration, and the words that do the same.
    fn script(&self) -> (String, String);
}

/// Plays every row, and tells of those that went wrong.
pub async fn play(target: &impl Target, rows: &[(How, Told)]) -> Vec<String> {
    let name = target.script().1;
    let mut wrong = Vec::new();
    for (how, told) in rows {
        if let Err(why) = row(target, how, *told).await {
            wrong.push(format!("{name}: {how:?}: {why}"));
        }
    }
    if let Err(why) = two_programs(target).await {
        wrong.push(format!("{name}: two at once: {why}"));
    }
    wrong
}

async fn row(target: &impl Target, how: &How, told: Told) -> Result<(), String> {
    let none = json!({ "kind": "none" });
    target.ready().await;
    let [direct, _] = target.sources();
    let confirmed = confirmed(&*direct, target.write()).await;
    match how {
        How::Way(skip, fault) => target.breaker().breaks(*skip, fault).await,
        How::Moved => target.meddle().await,
        How::Key(key) => target.key(Some(key)),
    }
    let [_, through] = target.sources();
    let folder = tempfile::tempdir().unwrap();
    let outcome = pass(&through, &confirmed, folder.path()).await;
    target.breaker().breaks(0, &none).await;
    target.key(None);
    if !told.fits(&outcome) {
        return Err(format!("{outcome:?} is not {told:?}"));
    }
    let effects = target.effects().await;
    if effects != told.effects() {
        return Err(format!("it was done {effects} times, and {told:?} was told"));
    }
    is_recorded(folder.path(), told.lines(), &outcome)
}

/// What a gateway with its journal and locks in `folder` makes of what was confirmed.
pub async fn pass(source: &Arc<dyn Source>, confirmed: &Confirmed, folder: &Path) -> Outcome {
    let (sources, who) = ([Arc::clone(source)], "dana@lab".into());
    let gateway = Gateway::new(sources, Arc::new(WallClock), folder.to_owned(), who);
    let gateway = gateway.patience(PATIENCE);
    let (out, mut inbox) = tokio::sync::mpsc::channel(64);
    let listen = async { while inbox.recv().await.is_some() {} };
    let work = async {
        let outcomes = gateway.carry_out(confirmed, &out).await;
        drop(out);
        outcomes
    };
    tokio::join!(work, listen).0.remove(0)
}

/// The journal tells exactly these events and this outcome, and is whole.
fn is_recorded(folder: &Path, lines: &[&str], outcome: &Outcome) -> Result<(), String> {
    let known = Journal::new(folder.join("journal")).read(None).unwrap();
    if !known.findings.is_empty() || !known.unresolved().is_empty() {
        return Err(format!("the journal is not in order: {:?}", known.findings));
    }
    let words: Vec<&str> = known.entries.iter().map(|entry| entry.record.event.word()).collect();
    if words != lines {
        return Err(format!("the journal tells of {words:?}, not of {lines:?}"));
    }
    let last = serde_json::to_value(&known.entries.last().unwrap().record.event).unwrap();
    let same = last["outcome"] == serde_json::to_value(outcome).unwrap()
        && last["sentence"] == outcome.sentence();
    if same { Ok(()) } else { Err(format!("the journal tells {last}, not {outcome:?}")) }
}

/// Two programs do the same at once: it is done once, and the other one is told.
async fn two_programs(target: &impl Target) -> Result<(), String> {
    target.ready().await;
    let (settings, words) = target.script();
    let home = tempfile::tempdir().unwrap();
    settle(home.path(), "5s", &settings);
    let words = format!("{words} --yes --break-glass drill");
    let (one, other) = {
        let run = || run(program(home.path(), words.split(' ')));
        tokio::join!(run(), run())
    };
    let codes = [one.0, other.0];
    // The later one is told that the first one is at it, that it has moved, or that it is so already.
    let told = codes.contains(&0) && codes.iter().all(|code| [0, 20, 22].contains(code));
    let effects = target.effects().await;
    if !told || effects != 1 {
        return Err(format!("done {effects} times: {codes:?}\n{}\n{}", one.1, other.1));
    }
    let (code, text) = run(program(home.path(), ["journal", "verify"])).await;
    let folder = home.path().join(".local/state/flightdeck/journal");
    let open = Journal::new(folder).read(None).unwrap().unresolved().len();
    if (code, open) == (0, 0) { Ok(()) } else { Err(format!("{open} are open: {text}")) }
}
