//! The program in a home of its own, with the settings of `lab.toml` there.

use std::path::Path;
use std::process::{Command, Stdio};

/// Writes `lab.toml`: it reads often, writes as much as it likes, and looks for an effect so long.
pub fn settle(home: &Path, patience: &str, settings: &str) {
    let usual = format!(
        "polling = {{ fast = \"1s\", slow = \"1s\", budget_per_minute = 6000 }}\n\
         safety = {{ writes_per_minute = 1000, patience = \"{patience}\" }}\n"
    );
    std::fs::write(home.join("lab.toml"), usual + settings).unwrap();
}

/// Who it is, for all servers of the lab.
pub fn variables() -> Vec<(&'static str, String)> {
    let mut all = vec![
        ("LANG", "C.UTF-8".to_owned()),
        ("AWS_ACCESS_KEY_ID", "LABALICE".to_owned()),
        ("AWS_SECRET_ACCESS_KEY", "lab".to_owned()),
        ("AWS_REGION", "eu-west-1".to_owned()),
        ("AWS_EC2_METADATA_DISABLED", "true".to_owned()),
    ];
    let token = "LAB_UNLEASH_TOKEN_EDITOR";
    all.extend(std::env::var(token).ok().map(|value| (token, value)));
    all
}

/// The program with these words.
pub fn program<'a>(home: &Path, words: impl IntoIterator<Item = &'a str>) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_flightdeck"));
    command.env_clear().current_dir(home).env("HOME", home).envs(variables());
    command.args(["--config", "lab.toml"]).args(words).stdin(Stdio::null());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Runs it to its end: its exit code and what it printed.
pub async fn run(command: Command) -> (i32, String) {
    let done = tokio::process::Command::from(command).kill_on_drop(true).output().await.unwrap();
    let text = String::from_utf8([done.stdout, done.stderr].concat()).unwrap();
    (done.status.code().unwrap(), text)
}
