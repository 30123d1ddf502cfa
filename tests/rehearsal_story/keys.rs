//! The day by keys, in a real terminal.

use std::time::Duration;

use crate::room::Room;
use crate::{run, story};

/// Longer than keys are ignored after a dialog has opened.
const DEAF: Duration = Duration::from_millis(500);

/// Lets the time pass in which a new dialog ignores keys.
async fn listen() {
    let mut pace = tokio::time::interval(DEAF);
    pace.tick().await;
    pace.tick().await;
}

/// Presses `keys` once they are heard, and waits for `text`.
async fn press_until(room: &mut Room, keys: &str, text: &str) {
    listen().await;
    room.press(keys).await;
    room.shows(text).await;
}

/// The lines that a cursor is on.
fn cursor(screen: &vt100::Screen) -> String {
    let rows = screen.contents();
    rows.lines().filter(|row| row.contains('▸')).collect::<Vec<_>>().join("\n")
}

/// Whether a cursor is on the line with `text`.
fn is_at(text: &str) -> impl Fn(&vt100::Screen) -> bool {
    let text = text.to_owned();
    move |screen| cursor(screen).contains(&text)
}

/// Moves down to the line with `text`.
async fn go_to(room: &mut Room, text: &str) {
    for _ in 0..40 {
        if is_at(text)(room.screen.screen()) {
            return;
        }
        let before = cursor(room.screen.screen());
        room.press("j").await;
        room.until("the next line", |screen| cursor(screen) != before).await;
    }
    panic!("{text} is not there:\n{}", room.text());
}

/// Types letter by letter, as a person does.
async fn type_in(room: &mut Room, text: &str) {
    for letter in text.chars() {
        let before = room.text();
        room.press(&letter.to_string()).await;
        room.until("the letter", |screen| screen.contents() != before).await;
    }
}

/// Types the name that is asked for, and why if that is needed, and confirms.
async fn confirm(room: &mut Room, name: &str, done: &str) {
    room.shows(&format!("type {name} to confirm")).await;
    listen().await;
    let needed = room.text().contains("reason to go on");
    room.press("\t").await;
    room.until("the name", is_at(&format!("type {name}"))).await;
    type_in(room, name).await;
    if needed {
        room.press("\t").await;
        room.until("the reason", is_at("reason to go on")).await;
        type_in(room, "a drill").await;
        room.press("\t").await;
        room.until("the button", |screen| screen.contents().contains("▸[ Do it ]")).await;
    }
    room.press("\r").await;
    room.shows(done).await;
}

#[tokio::test]
async fn an_operator_releases_takes_back_and_undoes() {
    let mut room = Room::open(140, 45, &["--scenario", "good-canary"]);

    // The approval is in the inbox; what ships is read; the answer is given and seen to proceed.
    room.shows("waiting").await;
    room.press("2").await;
    room.shows("WANTS").await;
    go_to(&mut room, "approve sessions-main Prod").await;
    press_until(&mut room, "a", "PRODUCTION").await;
    room.shows("ships 8e21d4").await;
    confirm(&mut room, "sessions", "approve Prod of sessions-main 8e21d4: done").await;
    press_until(&mut room, "3", "sessions-main").await;
    go_to(&mut room, "sessions-main").await;
    room.until("the stage runs", |screen| {
        screen.contents().lines().any(|row| row.contains("running") && row.contains("Prod"))
    })
    .await;

    // The canary goes a step on, and everything back and held.
    press_until(&mut room, "5", "checkout").await;
    press_until(&mut room, "t", "25% to canary").await;
    go_to(&mut room, "25% to canary").await;
    press_until(&mut room, "\r", "Do it").await;
    confirm(&mut room, "checkout", "stable 75%: done").await;
    press_until(&mut room, "b", "roll back checkout, and hold").await;
    press_until(&mut room, "\r", "Do it").await;
    confirm(&mut room, "checkout", "roll back checkout, and hold: done").await;

    // A flag goes off and on, and what was done last is undone.
    press_until(&mut room, "6", "one-click").await;
    go_to(&mut room, "one-click").await;
    press_until(&mut room, "f", "one-click off in production").await;
    go_to(&mut room, "one-click off in production").await;
    press_until(&mut room, "\r", "Do it").await;
    room.shows("all at once").await;
    confirm(&mut room, "checkout", "all at once): done").await;
    press_until(&mut room, "f", "one-click on in production").await;
    go_to(&mut room, "one-click on in production").await;
    press_until(&mut room, "\r", "Do it").await;
    confirm(&mut room, "checkout", "in production: on (AllAtOnce: all at once): done").await;
    press_until(&mut room, "u", "Do it").await;
    confirm(&mut room, "checkout", "undo: flag one-click").await;
    room.press("9").await;
    room.shows("6 things done").await;
    room.press("q").await;
    assert_eq!(room.end().await.code(), Some(0));

    let home = room.home.path();
    let told = story(home);
    let wanted = [
        "approve Prod of sessions-main 8e21d4: done",
        "traffic of checkout.prod-eu: canary 25%, stable 75%: done",
        "roll back checkout, and hold: done, done",
        "flag one-click in production: off (AllAtOnce: all at once): done",
        "flag one-click in production: on (AllAtOnce: all at once): done",
        "undo: flag one-click in production: on (AllAtOnce: all at once): done",
    ];
    assert_eq!(told, wanted);
    let (code, said) = run(home, &["journal", "verify"]);
    assert_eq!(code, 0, "{said}");
}
