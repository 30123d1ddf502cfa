//! Manners on odd days: a terminal that takes nothing, a shell that stops us, panics, many sizes.

use std::io::Write;

use flightdeck::terminal::modes::{CONTROL_ROOM, Modes};
use pty_process::Size;
use rustix::process::Signal;

use crate::room::{PATIENCE, Room, cells};

/// How many whole screens were drawn.
fn cleared(raw: &[u8]) -> usize {
    raw.windows(4).filter(|bytes| bytes == b"\x1b[2J").count()
}

/// Makes it write more than the terminal holds, while nobody reads.
async fn stall(room: &mut Room) {
    for _ in 0..40 {
        room.press("\x0c").await;
        // Below the length of a frame keys are told together.
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn a_terminal_that_takes_nothing_stops_neither_keys_nor_signals() {
    let mut room = Room::open(200, 50, &[]);
    room.shows("checkout").await;
    stall(&mut room).await;
    room.signal(Signal::TERM);
    let status = tokio::time::timeout(PATIENCE, room.child.wait()).await.unwrap().unwrap();
    assert_eq!(status.code(), Some(143));

    let mut room = Room::open(200, 50, &[]);
    room.shows("checkout").await;
    stall(&mut room).await;
    room.press("q").await;
    let status = tokio::time::timeout(PATIENCE, room.child.wait()).await.unwrap().unwrap();
    assert_eq!(status.code(), Some(0));
}

#[tokio::test]
async fn a_terminal_that_takes_again_shows_what_is_now_and_not_what_was() {
    let mut room = Room::open(200, 50, &[]);
    room.shows("checkout").await;
    stall(&mut room).await;
    room.press("2").await;
    let before = room.raw.len();
    room.shows("things wait for a human").await;
    let drawn = cleared(&room.raw[before..]);
    assert!(drawn <= 20, "{drawn} of 40 screens were drawn though nobody read them");
    room.press("q").await;
    assert_eq!(room.end().await.code(), Some(0));
    room.is_restored();
}

#[tokio::test]
async fn a_storm_of_sizes_ends_in_the_last_one() {
    let mut room = Room::open(80, 24, &[]);
    room.shows("checkout").await;
    for width in 0..60 {
        room.pty.resize(Size::new(24 + width % 20, 80 + width)).unwrap();
    }
    room.pty.resize(Size::new(40, 120)).unwrap();
    room.screen.screen_mut().set_size(cells(40), cells(120));
    room.until("a screen of the last size", |screen| {
        let text = screen.contents();
        let rows: Vec<&str> = text.lines().collect();
        rows.len() == 40 && rows[39].contains("enter open") && rows[1].contains("9Activity")
    })
    .await;
    let drawn = cleared(&room.raw);
    assert!(drawn < 40, "{drawn} screens for 61 sizes");
    room.press("q").await;
    assert_eq!(room.end().await.code(), Some(0));
    room.is_restored();
}

#[tokio::test]
async fn a_shell_stops_it_and_takes_it_up_again() {
    let shell = ["--norc", "--noprofile", "-i"];
    let prompt = [("PS1", "ready> "), ("PATH", "/usr/bin:/bin")];
    let mut room = Room::run(100, 30, "bash", &shell, &prompt);
    room.shows("ready>").await;
    room.press(&format!("{}\r", env!("CARGO_BIN_EXE_flightdeck"))).await;
    room.shows("REHEARSAL").await;
    room.press("\x1a").await;
    room.until("the shell", |s| !s.alternate_screen() && s.contents().contains("Stopped")).await;
    assert!(!room.screen.screen().hide_cursor());
    room.press("fg\r").await;
    room.until("the room again", |s| s.alternate_screen() && s.contents().contains("checkout"))
        .await;
    room.press("2").await;
    room.shows("things wait for a human").await;
    room.press("q").await;
    room.until("the shell", |screen| !screen.alternate_screen()).await;
    room.press("exit\r").await;
    assert_eq!(room.end().await.code(), Some(0));
    room.is_restored();
}

const CHILD: &str = "FLIGHTDECK_TEST_PANICS";

/// What the next test runs in a terminal of its own; by itself it does nothing.
#[test]
fn a_thread_that_draws_panics() {
    if std::env::var_os(CHILD).is_none() {
        return;
    }
    let _modes = Modes::enter(&CONTROL_ROOM).unwrap();
    print!("half a frame");
    std::io::stdout().flush().unwrap();
    // On another thread a panic leaves the screen alone.
    let other = std::thread::spawn(|| panic!("elsewhere")).join();
    assert!(other.is_err());
    panic!("the drawing failed");
}

#[tokio::test]
async fn a_panic_restores_the_terminal_before_it_is_told() {
    let own = std::env::current_exe().unwrap();
    let name = "manners::a_thread_that_draws_panics";
    let args = ["--exact", name, "--nocapture", "--test-threads", "1"];
    let mut room = Room::run(100, 30, own.to_str().unwrap(), &args, &[(CHILD, "1")]);
    room.until("the panic", |screen| {
        !screen.alternate_screen() && screen.contents().contains("the drawing failed")
    })
    .await;
    assert!(!room.end().await.success());
    room.is_restored();
    let text = String::from_utf8_lossy(&room.raw).into_owned();
    let (left, told) =
        (text.find("\x1b[?1049l").unwrap(), text.find("the drawing failed").unwrap());
    assert!(left < told, "{text}");
}

#[tokio::test]
async fn dead_backends_are_told_and_keep_nothing_waiting() {
    let home = tempfile::tempdir().unwrap();
    let config = home.path().join("dead.toml");
    let text = "[sources.prom]\nkind = \"prometheus\"\nurl = \"http://127.0.0.1:1\"\n\
                [sources.edge]\nkind = \"haproxy\"\naddress = \"tcp://127.0.0.1:1\"\n\
                [services.shop]\ntraffic = [\"edge/shop\"]\n";
    std::fs::write(&config, text).unwrap();
    let mut room = Room::open(100, 30, &["--config", config.to_str().unwrap()]);
    room.shows("shop").await;
    // Nothing was ever read of it: that is no calm.
    room.shows("unknown: nothing of it was read yet (edge: unreachable)").await;
    room.shows("? unknown").await;
    assert!(!room.text().contains("nothing needs you"), "{}", room.text());
    room.press("0").await;
    room.until("both faults", |screen| {
        let text = screen.contents();
        text.contains("edge") && text.contains("prom") && text.contains("refused")
    })
    .await;
    room.press("1").await;
    room.shows("1 service").await;
    room.press("q").await;
    assert_eq!(room.end().await.code(), Some(0));
    room.is_restored();
}

#[tokio::test]
async fn a_terminal_that_can_do_little_is_served_or_told() {
    let mut room = Room::run(80, 24, env!("CARGO_BIN_EXE_flightdeck"), &[], &[("TERM", "dumb")]);
    let status = room.end().await;
    assert_eq!(status.code(), Some(2), "{}", room.text());
    assert!(room.text().contains("--plain"), "{}", room.text());
}
