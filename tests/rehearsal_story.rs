//! A release day in the rehearsal, as a newcomer tries it by keys and from a script.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a failing unwrap in a test is a failing test"
)]

#[path = "support/dialogs.rs"]
mod dialogs;
#[path = "rehearsal_story/keys.rs"]
mod keys;
#[allow(dead_code, reason = "each test file uses a part of it")]
#[path = "pty/room.rs"]
mod room;
#[path = "rehearsal_story/script.rs"]
mod script;
#[path = "support/story.rs"]
mod story;

use std::path::Path;
use std::process::{Command, Stdio};

/// The program with these words in `home`: its exit code, and what it printed.
fn run(home: &Path, words: &[&str]) -> (i32, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_flightdeck"));
    command.env_clear().current_dir(home).env("HOME", home).env("LANG", "C.UTF-8");
    let done = command.args(words).stdin(Stdio::null()).output().unwrap();
    let text = String::from_utf8([done.stdout, done.stderr].concat()).unwrap();
    (done.status.code().unwrap(), text)
}

/// What the journal tells, the oldest first: each plan and how its steps ended.
fn story(home: &Path) -> Vec<String> {
    let (code, text) = run(home, &["journal", "-o", "json"]);
    assert_eq!(code, 0, "{text}");
    let told = story::story(&text).into_iter();
    told.map(|(title, ends)| format!("{title}: {}", ends.join(", "))).collect()
}
