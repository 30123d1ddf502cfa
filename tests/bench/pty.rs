//! How long an operator waits in a real terminal: for the first frame, and for a frame after a key.
//!
//! A plain program: it prints its figures. Each is measured from outside, with everything between the
//! keyboard and the screen but the terminal's own drawing.

use std::time::{Duration, Instant};

use room::Room;

#[allow(
    dead_code,
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "each file uses a part of it, and a failing unwrap is a failing measurement"
)]
#[path = "../pty/room.rs"]
mod room;

const STARTS: usize = 20;
const KEYS: usize = 200;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    println!("200x50, rehearsal bad-canary, {STARTS} starts, {KEYS} keys");
    let mut first = Vec::new();
    let mut bytes = 0;
    for _ in 0..STARTS {
        let begin = Instant::now();
        let mut room = Room::open(200, 50, &[]);
        room.until("the first frame", |screen| screen.contents().contains("1Board")).await;
        first.push(begin.elapsed());
        room.shows("checkout").await;
        bytes = room.raw.len();
        room.press("q").await;
        room.end().await;
    }
    tell("from start to first frame", first);
    println!("bytes until the board is filled: {bytes}");

    let mut room = Room::open(200, 50, &[]);
    room.shows("checkout").await;
    let mut waits = Vec::new();
    let before = room.raw.len();
    for at in 0..KEYS {
        // Faster than that, two keys would be taken for a paste.
        tokio::time::sleep(Duration::from_millis(60)).await;
        let (key, shown) =
            if at % 2 == 0 { ("2", "wait for a human") } else { ("1", "services ·") };
        let begin = Instant::now();
        room.press(key).await;
        room.shows(shown).await;
        waits.push(begin.elapsed());
    }
    tell("from key to the other pane", waits);
    println!("bytes a key, changing panes: {}", (room.raw.len() - before) / KEYS);
    println!("resident: {}", resident(&room));
    room.press("q").await;
    room.end().await;
}

/// Median, 99th percentile and maximum.
fn tell(what: &str, mut times: Vec<Duration>) {
    times.sort();
    let at = |share: usize| times.get((times.len() * share / 100).min(times.len() - 1)).copied();
    let ms = |time: Option<Duration>| time.map_or(0.0, |time| time.as_secs_f64() * 1e3);
    println!("{what}: median {:.1} ms, p99 {:.1} ms", ms(at(50)), ms(at(99)));
}

/// What the kernel says of the memory of the program.
fn resident(room: &Room) -> String {
    let pid = room.child.id().unwrap_or_default();
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.map_or("unknown".to_owned(), |size| size.trim().to_owned())
}
