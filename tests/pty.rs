//! The control room in a real terminal: it opens, follows keys and sizes, and leaves no trace.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a failing unwrap in a test is a failing test"
)]

#[path = "pty/leaving.rs"]
mod leaving;
#[path = "pty/manners.rs"]
mod manners;
#[path = "pty/pilot.rs"]
mod pilot;
#[path = "pty/room.rs"]
mod room;

use std::os::unix::process::ExitStatusExt;
use std::time::Duration;

use pty_process::Size;
use room::{Room, cells};
use rustix::process::Signal;

/// Moves down the inbox to the approval of sessions: past what failed, and a canary if it is bad by now.
async fn to_sessions(room: &mut Room) {
    let at = |screen: &vt100::Screen| {
        let rows = screen.contents();
        rows.lines().find(|row| row.contains('▸')).unwrap_or_default().to_owned()
    };
    while !at(room.screen.screen()).contains("sessions-main") {
        let before = at(room.screen.screen());
        room.press("j").await;
        room.until("the next line", |screen| at(screen) != before).await;
    }
}

#[tokio::test]
async fn it_opens_follows_keys_and_sizes_and_leaves_no_trace() {
    let mut room = Room::open(80, 24, &[]);
    room.shows("checkout").await;
    assert!(room.screen.screen().alternate_screen());
    room.press("2").await;
    room.shows("things wait for a human").await;
    room.press("?").await;
    room.shows("esc closes").await;
    room.press("\x1b").await;
    room.until("no help", |screen| !screen.contents().contains("esc closes")).await;
    room.pty.resize(Size::new(40, 120)).unwrap();
    room.screen.screen_mut().set_size(cells(40), cells(120));
    room.until("a wider screen", |screen| screen.contents().contains("9Activity")).await;
    room.press("q").await;
    let status = room.end().await;
    assert_eq!(status.code(), Some(0), "{status:?}");
    room.is_restored();
}

#[tokio::test]
async fn a_signal_to_leave_restores_the_terminal_and_is_told_in_the_exit_code() {
    for (signal, code) in [(Signal::TERM, 143), (Signal::HUP, 129), (Signal::INT, 130)] {
        let mut room = Room::open(80, 24, &[]);
        room.shows("checkout").await;
        room.signal(signal);
        let status = room.end().await;
        assert_eq!((status.code(), status.signal()), (Some(code), None), "{signal:?}");
        room.is_restored();
    }
}

#[tokio::test]
async fn pasted_text_is_no_keys() {
    let mut room = Room::open(80, 24, &[]);
    room.shows("checkout").await;
    room.press("\x1b[200~2q:quit\r\x1b[201~").await;
    room.shows("pasted text was ignored").await;
    // The same without brackets: all of it at once.
    room.press("2q:quit\r").await;
    room.press("\x1b[200~again\x1b[201~").await;
    room.shows("pasted text was ignored").await;
    room.signal(Signal::TERM);
    assert_eq!(room.end().await.code(), Some(143));
}

#[tokio::test]
async fn what_nobody_could_continue_is_not_stopped() {
    let mut room = Room::open(80, 24, &[]);
    room.shows("checkout").await;
    // It leads its own session, so no shell waits for it.
    room.press("\x1a").await;
    room.press("2").await;
    room.shows("things wait for a human").await;
    room.press("q").await;
    assert_eq!(room.end().await.code(), Some(0));
    room.is_restored();
}

#[tokio::test]
async fn an_approval_is_given_with_three_keys_and_the_typed_name() {
    let mut room = Room::open(100, 30, &["--scenario", "bad-canary"]);
    room.shows("checkout").await;
    room.press("2").await;
    room.shows("sessions-main").await;
    to_sessions(&mut room).await;
    room.press("a").await;
    room.shows("type sessions to confirm").await;
    // Keys are ignored for a moment; the field is reached when they are not.
    let mut tries = tokio::time::interval(Duration::from_millis(500));
    tries.tick().await;
    tries.tick().await;
    room.press("\t").await;
    room.until("the field", |screen| {
        screen.contents().lines().any(|row| row.contains('▸') && row.contains("type sessions"))
    })
    .await;
    for key in "sessions".chars() {
        let before = room.text();
        room.press(&key.to_string()).await;
        room.until("the letter", |screen| screen.contents() != before).await;
    }
    room.press("\r").await;
    room.shows("approve Prod of sessions-main 8e21d4: done").await;
    room.press("9").await;
    room.shows("1 thing done").await;
    room.press("q").await;
    assert_eq!(room.end().await.code(), Some(0));
}

#[tokio::test]
async fn without_a_journal_the_room_is_read_only_with_the_reason_until_there_is_one() {
    let home = tempfile::tempdir().unwrap();
    let state = home.path().join(".local/state/flightdeck/rehearsal");
    std::fs::create_dir_all(&state).unwrap();
    std::fs::write(state.join("journal"), "in the way").unwrap();
    let program = env!("CARGO_BIN_EXE_flightdeck");
    let mut room = Room::run_at(home, 200, 30, program, &["--scenario", "bad-canary"], &[]);
    room.shows("READ ONLY, no journal").await;
    room.press("2").await;
    room.shows("things wait for a human").await;
    room.press("a").await;
    room.shows("journal cannot be written").await;
    assert!(!room.text().contains("type "), "nothing can be confirmed:\n{}", room.text());
    let state = room.home.path().join(".local/state/flightdeck/rehearsal");
    std::fs::remove_file(state.join("journal")).unwrap();
    room.shows("the journal takes writes again").await;
    room.until("no READ ONLY", |screen| !screen.contents().contains("READ ONLY")).await;
    to_sessions(&mut room).await;
    room.press("a").await;
    room.shows("type sessions to confirm").await;
    room.signal(Signal::TERM);
    assert_eq!(room.end().await.code(), Some(143));
}
