//! A pilot in a terminal: any key hands over, and in the background it leaves the terminal alone.

use super::room::Room;

const WORLD: [&str; 6] =
    ["pilot", "checkout", "--yes", "--scenario", "good-canary", "--set=rehearsal.speed=60"];

#[tokio::test]
async fn any_key_hands_over_at_once() {
    let mut room = Room::open(120, 40, &WORLD);
    room.shows("flying").await;
    room.press("x").await;
    room.shows("handed over: a key was pressed").await;
    assert_eq!(room.end().await.code(), Some(10));
}

#[tokio::test]
async fn in_the_background_it_flies_and_takes_no_keys() {
    let program = env!("CARGO_BIN_EXE_flightdeck");
    // With job control, what runs in the background is stopped if it touches the terminal.
    let script =
        format!("set -m; {program} {} --limit 1 & wait $!; echo ended with $?", WORLD.join(" "));
    let mut room = Room::run(120, 40, "/bin/bash", &["-c", &script], &[]);
    room.shows("flying").await;
    room.shows("its time is over").await;
    room.shows("ended with 10").await;
    assert!(!room.text().contains("Stopped"), "{}", room.text());
    room.end().await;
}
