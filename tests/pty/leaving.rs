//! Leaving: by Ctrl-C, by a terminal that is gone, and what a recording keeps of the session.

use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use crate::room::{PATIENCE, Room};

#[tokio::test]
async fn ctrl_c_twice_leaves() {
    let mut room = Room::open(80, 24, &[]);
    room.shows("checkout").await;
    room.press("\x03").await;
    room.shows("ctrl-c again leaves").await;
    // Any other key stays.
    room.press("2").await;
    room.shows("things wait for a human").await;
    room.press("\x03").await;
    room.shows("ctrl-c again leaves").await;
    room.press("\x03").await;
    assert_eq!(room.end().await.code(), Some(0));
    room.is_restored();
}

/// The window is closed: there is no terminal any more, and nobody to restore it for.
#[tokio::test]
async fn a_terminal_that_is_gone_ends_the_process() {
    for width in [80, 200] {
        let mut room = Room::open(width, 50, &[]);
        room.shows("checkout").await;
        let Room { pty, mut child, .. } = room;
        drop(pty);
        let status = tokio::time::timeout(PATIENCE, child.wait()).await.unwrap().unwrap();
        assert_eq!(status.code(), Some(129), "{status:?}");
    }
}

#[tokio::test]
async fn a_recording_ends_in_the_same_frame_and_keeps_no_secret() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("session.ndjson");
    std::fs::write(&file, "old, and open to all").unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
    let path = file.to_str().unwrap().to_owned();
    let program = env!("CARGO_BIN_EXE_flightdeck");
    let args = ["--record", &path, "--scenario", "quiet-day"];
    let mut room = Room::run_at(home, 100, 30, program, &args, &[]);
    room.shows("all fresh").await;
    room.press("6").await;
    room.shows("flags").await;
    room.press("\x1b[200~hunter2-is-my-password\x1b[201~").await;
    room.shows("pasted text was ignored").await;
    room.press("/").await;
    room.press("\x1b[200~tax\x1b[201~").await;
    room.shows("/tax").await;
    room.press("\r").await;
    // A key that comes with another would be a paste.
    room.until("the list", |screen| !screen.contents().contains("enter keeps it")).await;
    room.shows("filter: tax").await;
    let shown = rows(&room.text());
    room.press("q").await;
    assert_eq!(room.end().await.code(), Some(0));
    let kept = std::fs::read_to_string(&file).unwrap();
    assert!(!kept.contains("hunter2"), "what no field took is not kept");
    assert!(kept.contains("tax"));
    let mode = std::fs::metadata(&file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "nobody else reads it");
    let replayed = Command::new(program).args(["replay-session", &path]).output().unwrap();
    assert!(replayed.status.success(), "{replayed:?}");
    assert_eq!(rows(&String::from_utf8(replayed.stdout).unwrap()), shown);
}

/// The rows of a screen, but for what the moment decides: the clock, ages and calls.
fn rows(text: &str) -> Vec<String> {
    text.lines().skip(1).map(|row| row.trim_end().to_owned()).filter(|r| !r.is_empty()).collect()
}

/// A home with themes: one that is right, one that is wrong, one that is no file.
fn home_with_themes() -> tempfile::TempDir {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join(".config/flightdeck/themes");
    std::fs::create_dir_all(folder.join("folder.toml")).unwrap();
    std::fs::write(folder.join("mine.toml"), "inherits = \"light\"\n").unwrap();
    std::fs::write(folder.join("broken.toml"), "[roles]\nbda = { fg = \"red\" }\n").unwrap();
    home
}

#[tokio::test]
async fn themes_of_the_users_folder_are_used_or_told_to_be_wrong() {
    let program = env!("CARGO_BIN_EXE_flightdeck");
    let args = ["--theme", "mine"];
    let mut room = Room::run_at(home_with_themes(), 100, 30, program, &args, &[]);
    room.shows("checkout").await;
    room.signal(rustix::process::Signal::TERM);
    assert_eq!(room.end().await.code(), Some(143));
    for (name, said) in [
        ("broken", "line 2"),
        ("folder", "cannot be read"),
        ("nowhere", "there is none of this name"),
    ] {
        let args = ["--theme", name];
        let mut room = Room::run_at(home_with_themes(), 100, 30, program, &args, &[]);
        let status = room.end().await;
        assert_eq!(status.code(), Some(2), "{name}: {}", room.text());
        assert!(room.text().contains(said), "{name}: {}", room.text());
    }
}
