//! The program itself on a machine of its own: a home with `~/.aws`, and only the environment told.

use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

/// Far beyond what any of these runs needs.
const LIMIT: Duration = Duration::from_mins(1);

/// A home folder, with nothing in it at first.
pub struct Laptop(tempfile::TempDir);

/// What a run said.
#[derive(Debug)]
pub struct Seen {
    pub code: i32,
    pub out: String,
    #[allow(dead_code, reason = "it is told when a test fails")]
    pub err: String,
}

impl Seen {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

impl Laptop {
    pub fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// Writes a file of `~/.aws`, whole at once.
    pub fn aws(&self, name: &str, text: &str) {
        let path = self.0.path().join(".aws").join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        let part = path.with_extension("part");
        std::fs::write(&part, text).unwrap();
        std::fs::rename(&part, &path).unwrap();
    }

    /// The folder itself.
    pub fn path(&self) -> &std::path::Path {
        self.0.path()
    }

    pub fn configure(&self, text: &str) {
        std::fs::write(self.0.path().join("deck.toml"), text).unwrap();
    }

    fn command(&self, args: &[&str], variables: &[(&str, &str)]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_flightdeck"));
        command.env_clear().current_dir(self.0.path()).kill_on_drop(true);
        command.env("HOME", self.0.path()).env("LANG", "C.UTF-8");
        command.env("FLIGHTDECK_STATE", self.0.path().join("state"));
        // The discard port of this machine, where nothing listens.
        command.env("AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://127.0.0.1:9");
        command.envs(variables.iter().copied());
        command.args(["--config", "deck.toml"]).args(args);
        command
    }

    /// `flightdeck status -o json`.
    pub async fn status(&self, variables: &[(&str, &str)]) -> Seen {
        self.run(&["status", "-o", "json"], variables).await
    }

    /// Any command that ends by itself.
    pub async fn run(&self, args: &[&str], variables: &[(&str, &str)]) -> Seen {
        let run = self.command(args, variables).output();
        let done = tokio::time::timeout(LIMIT, run).await.unwrap().unwrap();
        Seen {
            code: done.status.code().unwrap(),
            out: String::from_utf8(done.stdout).unwrap(),
            err: String::from_utf8(done.stderr).unwrap(),
        }
    }

    /// `flightdeck watch`, which goes on until it is dropped.
    pub fn watch(&self, variables: &[(&str, &str)]) -> Watch {
        let mut command = self.command(&["watch", "-o", "plain"], variables);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Watch { _child: child, lines }
    }
}

/// A program that goes on, and what it says.
pub struct Watch {
    _child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Watch {
    /// Reads on until a line has these words.
    pub async fn until(&mut self, words: &str) {
        let mut seen = Vec::new();
        let find = async {
            while let Some(line) = self.lines.next_line().await.unwrap() {
                if line.contains(words) {
                    return true;
                }
                seen.push(line);
            }
            false
        };
        let found = tokio::time::timeout(LIMIT, find).await.unwrap_or(false);
        assert!(found, "{words} was never said: {seen:#?}");
    }
}
