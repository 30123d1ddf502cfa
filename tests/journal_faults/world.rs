//! A rehearsal whose journal can be broken: a state folder of its own, and the program run in it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use flightdeck::store::journal::{Journal, Record, Verified};
use serde_json::Value;

/// Every verb that writes, each doing something in the rehearsal; `undo` has nothing to undo there,
/// because what a rehearsal has done does not last.
pub const VERBS: [&str; 12] = [
    "approve payments --accept-current",
    "reject payments",
    "promote checkout --accept-current",
    "rollback checkout --accept-current",
    "hold search",
    "release inventory",
    "traffic checkout --percent 25",
    "flag new-tax off --environment production",
    "retry search",
    "stop payments",
    "start search",
    "undo",
];

/// The program that is tested.
pub fn program() -> PathBuf {
    env!("CARGO_BIN_EXE_flightdeck").into()
}

/// A home with a state folder.
pub struct World {
    home: tempfile::TempDir,
}

impl World {
    /// Nothing was written yet.
    pub fn new() -> Self {
        Self { home: tempfile::tempdir().unwrap() }
    }

    /// The journal has a story to tell already.
    pub fn with_a_past() -> Self {
        let world = Self::new();
        for words in ["hold search", "flag new-tax off --environment production"] {
            assert_eq!(world.run(words).code, 0);
        }
        world
    }

    pub fn home(&self) -> &Path {
        self.home.path()
    }

    /// The folder that holds the journal's folder.
    pub fn state(&self) -> PathBuf {
        self.home.path().join("state/rehearsal")
    }

    pub fn folder(&self) -> PathBuf {
        self.state().join("journal")
    }

    /// The one file with lines.
    pub fn lines(&self) -> PathBuf {
        let mut files: Vec<PathBuf> =
            fs::read_dir(self.folder()).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.retain(|path| path.extension().is_some_and(|ending| ending == "jsonl"));
        assert_eq!(files.len(), 1, "{files:?}");
        files.remove(0)
    }

    pub fn journal(&self) -> Verified {
        Journal::new(self.folder()).read(None).unwrap()
    }

    /// Everything in the journal's folder; locks and what becomes `HEAD` do not count.
    pub fn contents(&self) -> Vec<(String, Vec<u8>)> {
        let Ok(entries) = fs::read_dir(self.folder()) else { return Vec::new() };
        let mut all: Vec<_> = entries
            .map(|entry| entry.unwrap())
            .filter(|entry| entry.metadata().unwrap().is_file())
            .map(|entry| {
                (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap())
            })
            .filter(|(name, _)| name != "HEAD.new" && name != "LOCK")
            .collect();
        all.sort();
        all
    }

    /// `program` with a rehearsal, these words and the journal of this world.
    pub fn command(&self, program: &Path, words: &str) -> Command {
        let mut command = Command::new(program);
        command.args(["--rehearse"]).args(words.split(' '));
        if !words.starts_with("journal") {
            command.args(["--yes", "--break-glass", "drill", "--output", "json"]);
        }
        self.set(&mut command);
        command
    }

    /// The surroundings of a command.
    pub fn set(&self, command: &mut Command) {
        command.env_clear().current_dir("/").env("HOME", self.home.path()).env("LANG", "C.UTF-8");
        command.env("PATH", "/usr/bin:/bin");
        command.env("FLIGHTDECK_STATE", self.home.path().join("state"));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    }

    pub fn run(&self, words: &str) -> Told {
        Told::of(&self.command(&program(), words).output().unwrap())
    }

    /// Nothing but crashes is found, by the program too.
    pub fn is_whole(&self, about: &str) {
        let known = self.journal();
        assert!(known.is_whole(), "{about}: {:?}", known.findings);
        let told = self.run("journal verify");
        assert_eq!(told.code, 0, "{about}: {}", told.text);
    }
}

/// What the program told.
pub struct Told {
    pub code: i32,
    pub text: String,
    /// What it printed, if that was a document.
    pub json: Value,
}

impl Told {
    pub fn of(output: &Output) -> Self {
        let out = String::from_utf8_lossy(&output.stdout);
        let json = serde_json::from_str(&out).unwrap_or_default();
        let text = format!("{out}{}", String::from_utf8_lossy(&output.stderr));
        Self { code: output.status.code().unwrap_or(-1), text, json }
    }

    /// What came of the steps of the plan.
    pub fn outcomes(&self) -> Vec<String> {
        let steps = self.json["steps"].as_array().cloned().unwrap_or_default();
        let outcomes = steps.iter().filter_map(|step| step["outcome"].as_str());
        outcomes.map(str::to_owned).collect()
    }
}

/// How often the lines after the first `from` tell of this.
pub fn count(records: &[Record], word: &str) -> usize {
    records.iter().filter(|record| record.event.word() == word).count()
}
