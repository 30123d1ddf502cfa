//! One flight of the program: what it says line by line, how it ends, and what the journal has of it.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

/// No flight of these tests lasts longer.
const LIMIT: Duration = Duration::from_secs(170);

/// The program, in a home of its own.
pub fn program(home: &Path, words: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_flightdeck"));
    command.env_clear().current_dir(home).env("HOME", home).env("LANG", "C.UTF-8").envs([
        ("AWS_ACCESS_KEY_ID", "LABALICE"),
        ("AWS_SECRET_ACCESS_KEY", "lab"),
        ("AWS_REGION", "eu-west-1"),
        ("AWS_EC2_METADATA_DISABLED", "true"),
    ]);
    command.args(["--config", "lab.toml"]).args(words.split(' ')).kill_on_drop(true);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Its exit code and what it printed.
pub async fn run(home: &Path, words: &str) -> (i32, String) {
    let done = tokio::time::timeout(LIMIT, program(home, words).output()).await.unwrap().unwrap();
    let text = String::from_utf8([done.stdout, done.stderr].concat()).unwrap();
    (done.status.code().unwrap(), text)
}

/// A pilot at work.
pub struct Flight {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    /// What it has said so far.
    pub said: Vec<String>,
}

impl Flight {
    /// Lets one fly the shop's canary.
    pub fn begin(home: &Path, words: &str) -> Self {
        let mut child = program(home, &format!("pilot shop --yes{words}")).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines, said: Vec::new() }
    }

    /// Waits until it says this.
    pub async fn until(&mut self, words: &str) {
        let wait = async {
            while let Some(line) = self.lines.next_line().await.unwrap() {
                self.said.push(line);
                if self.said.last().unwrap().contains(words) {
                    return true;
                }
            }
            false
        };
        let found = tokio::time::timeout(LIMIT, wait).await;
        assert!(matches!(found, Ok(true)), "it never said {words:?}: {:#?}", self.said);
    }

    /// What it says within so long.
    pub async fn says_within(&mut self, long: Duration) -> Vec<String> {
        let mut said = Vec::new();
        let end = tokio::time::Instant::now() + long;
        while let Ok(Ok(Some(line))) = tokio::time::timeout_at(end, self.lines.next_line()).await {
            said.push(line.clone());
            self.said.push(line);
        }
        said
    }

    /// Waits until it has ended: its exit code and all that it said.
    pub async fn end(mut self) -> (i32, String) {
        let wait = async {
            while let Some(line) = self.lines.next_line().await.unwrap() {
                self.said.push(line);
            }
            let mut errors = String::new();
            self.child.stderr.take().unwrap().read_to_string(&mut errors).await.unwrap();
            self.said.push(errors);
            self.child.wait().await.unwrap()
        };
        let ended = tokio::time::timeout(LIMIT, wait).await;
        let Ok(status) = ended else { panic!("it never ended: {:#?}", self.said) };
        (status.code().unwrap(), self.said.join("\n"))
    }

    /// Ends it at once, without a goodbye.
    pub async fn kill(mut self) {
        self.child.kill().await.unwrap();
    }

    /// Presses Ctrl-C.
    pub async fn ctrl_c(&self) {
        let pid = self.child.id().unwrap().to_string();
        let status = Command::new("kill").args(["-INT", &pid]).status().await.unwrap();
        assert!(status.success());
    }

    /// Interrupts it as Ctrl-C does, and waits for its end.
    pub async fn interrupt(self) -> (i32, String) {
        self.ctrl_c().await;
        self.end().await
    }
}

/// What was sent by the journal of this home, oldest first: the share of the canary, or the word for
/// something else.
pub async fn sent(home: &Path) -> Vec<String> {
    let (code, told) = run(home, "journal verify").await;
    assert_eq!(code, 0, "{told}");
    let folder = home.join(".local/state/flightdeck/journal");
    let mut files: Vec<_> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|e| e == "jsonl"));
    files.sort();
    let text: String = files.iter().map(|path| std::fs::read_to_string(path).unwrap()).collect();
    let events = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    events
        .map(|line| line["record"]["event"].clone())
        .filter(|event| event["event"] == "sending")
        .map(|event| word(&event["order"]["write"]))
        .collect()
}

fn word(write: &Value) -> String {
    let shares = write["shares"].as_array().into_iter().flatten();
    let green = shares.filter(|pair| pair[0] == "green").map(|pair| pair[1].to_string()).next();
    green.unwrap_or_else(|| write["write"].as_str().unwrap_or("?").to_owned())
}
