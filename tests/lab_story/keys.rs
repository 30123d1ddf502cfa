//! The day by keys, in a real terminal.

use std::time::Duration;

use crate::day::Day;
use crate::room::Room;

/// Presses `keys` until the screen shows `text`: keys are ignored for a moment after a dialog opens.
async fn press_until(room: &mut Room, keys: &str, text: &str) {
    let mut pace = tokio::time::interval(Duration::from_millis(500));
    pace.tick().await;
    pace.tick().await;
    room.press(keys).await;
    room.shows(text).await;
}

/// Types the name that is asked for, letter by letter, and confirms.
async fn confirm(room: &mut Room, name: &str, done: &str) {
    let field = format!("type {name} to confirm");
    room.shows(&field).await;
    let mut pace = tokio::time::interval(Duration::from_millis(500));
    pace.tick().await;
    pace.tick().await;
    room.press("\t").await;
    let at_field = |screen: &vt100::Screen| {
        screen.contents().lines().any(|row| row.contains('▸') && row.contains("type "))
    };
    room.until("the field", at_field).await;
    for letter in name.chars() {
        let before = room.text();
        room.press(&letter.to_string()).await;
        room.until("the letter", |screen| screen.contents() != before).await;
    }
    room.press("\r").await;
    room.shows(done).await;
}

#[tokio::test]
#[ignore = "needs the lab: bash tests/run"]
async fn an_operator_releases_takes_back_and_undoes() {
    let day = Day::new("keys").await;
    let mut variables = Day::variables();
    variables.push(("HOME", day.home.path().display().to_string()));
    let variables: Vec<(&str, &str)> = variables.iter().map(|(k, v)| (*k, v.as_str())).collect();
    let config = day.home.path().join("day.toml").display().to_string();
    let program = env!("CARGO_BIN_EXE_flightdeck");
    let mut room = Room::run(120, 40, program, &["--config", &config], &variables);

    // The approval is in the inbox; what ships is read; three keys and the typed name.
    room.shows("◆1 waiting").await;
    room.press("2").await;
    room.shows("Production of shop").await;
    press_until(&mut room, "a", "PRODUCTION").await;
    room.shows("ships").await;
    confirm(&mut room, "shop", "done").await;
    assert_eq!(day.approval().await, "Succeeded");
    day.deployed().await;
    room.press("3").await;
    room.shows("✓ succeeded  Production").await;

    // The canary goes a step on, and everything back and held.
    room.press("5").await;
    room.shows("shop/production").await;
    press_until(&mut room, "t", "10%").await;
    println!("{}", room.text());
    press_until(&mut room, "b", "oll back").await;
    println!("{}", room.text());
}
