//! An operator's hands: keys one by one, and dialogs as they are gone through.

use std::time::Duration;

use crate::room::Room;

/// Presses `keys` until the screen shows `text`: keys are ignored for a moment after a dialog opens.
pub async fn press_until(room: &mut Room, keys: &str, text: &str) {
    let mut pace = tokio::time::interval(Duration::from_millis(500));
    pace.tick().await;
    pace.tick().await;
    room.press(keys).await;
    room.shows(text).await;
}

/// Whether the cursor of the dialog is on the line with `text`.
pub fn is_at(text: &str) -> impl Fn(&vt100::Screen) -> bool {
    let text = text.to_owned();
    move |screen| screen.contents().lines().any(|row| row.contains('▸') && row.contains(&text))
}

/// Types letter by letter, as a person does.
pub async fn type_in(room: &mut Room, text: &str) {
    for letter in text.chars() {
        let before = room.text();
        room.press(&letter.to_string()).await;
        room.until("the letter", |screen| screen.contents() != before).await;
    }
}

/// Types the name that is asked for, and why where that is asked for too, and confirms. Whether it is
/// can depend on the minute: on what a judge knows by then.
pub async fn confirm(room: &mut Room, name: &str, why: Option<&str>, done: &str) {
    room.shows(&format!("type {name} to confirm")).await;
    let mut pace = tokio::time::interval(Duration::from_millis(500));
    pace.tick().await;
    pace.tick().await;
    room.press("\t").await;
    room.until("the name", is_at(&format!("type {name}"))).await;
    type_in(room, name).await;
    let asked = |_: &&str| room.text().contains("reason to go on");
    if let Some(why) = why.filter(asked) {
        room.press("\t").await;
        room.until("the reason", is_at("reason to go on")).await;
        type_in(room, why).await;
        room.press("\t").await;
        room.until("the button", |screen| screen.contents().contains("▸[ Do it ]")).await;
    }
    room.press("\r").await;
    room.shows(done).await;
}
