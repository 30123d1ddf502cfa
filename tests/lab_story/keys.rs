//! The day by keys, in a real terminal.

use std::time::Duration;

use crate::day::Day;
use crate::program::variables;
use crate::room::Room;

/// Presses `keys` until the screen shows `text`: keys are ignored for a moment after a dialog opens.
async fn press_until(room: &mut Room, keys: &str, text: &str) {
    let mut pace = tokio::time::interval(Duration::from_millis(500));
    pace.tick().await;
    pace.tick().await;
    room.press(keys).await;
    room.shows(text).await;
}

/// Whether the cursor of the dialog is on the line with `text`.
fn is_at(text: &str) -> impl Fn(&vt100::Screen) -> bool {
    let text = text.to_owned();
    move |screen| screen.contents().lines().any(|row| row.contains('▸') && row.contains(&text))
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
async fn confirm(room: &mut Room, why: Option<&str>, done: &str) {
    room.shows("type shop to confirm").await;
    let mut pace = tokio::time::interval(Duration::from_millis(500));
    pace.tick().await;
    pace.tick().await;
    room.press("\t").await;
    room.until("the name", is_at("type shop")).await;
    type_in(room, "shop").await;
    if let Some(why) = why {
        room.press("\t").await;
        room.until("the reason", is_at("reason to go on")).await;
        type_in(room, why).await;
        room.press("\t").await;
        room.until("the button", |screen| screen.contents().contains("▸[ Do it ]")).await;
    }
    room.press("\r").await;
    room.shows(done).await;
}

#[tokio::test]
#[ignore = "needs the lab: bash tests/run"]
async fn an_operator_releases_takes_back_and_undoes() {
    let day = Day::new("keys").await;
    let mut variables = variables();
    variables.push(("HOME", day.home.path().display().to_string()));
    let variables: Vec<(&str, &str)> = variables.iter().map(|(k, v)| (*k, v.as_str())).collect();
    let config = day.home.path().join("lab.toml").display().to_string();
    let program = env!("CARGO_BIN_EXE_flightdeck");
    let mut room = Room::run(120, 40, program, &["--config", &config], &variables);

    // The approval is in the inbox; what ships is read; three keys and the typed name.
    room.shows("◆1 waiting").await;
    room.press("2").await;
    room.shows("Production of shop").await;
    press_until(&mut room, "a", "PRODUCTION").await;
    room.shows("ships").await;
    confirm(&mut room, None, ": done").await;
    assert_eq!(day.approval().await, "Succeeded");
    day.deployed().await;
    room.press("3").await;
    room.shows("✓ succeeded  Production").await;

    // The canary goes a step on, and everything back and held.
    room.press("5").await;
    room.shows("shop/production").await;
    press_until(&mut room, "t", "10% to green").await;
    press_until(&mut room, "\r", "Do it").await;
    confirm(&mut room, None, "blue 90%: done").await;
    assert_eq!(day.edge.split("shop").await.percent("green"), Some(10.0));
    press_until(&mut room, "p", "Do it").await;
    room.shows("the verdict of the canary production is unknown").await;
    confirm(&mut room, Some("looks well"), "10% to 25%: done").await;
    assert_eq!(day.edge.split("shop").await.percent("green"), Some(25.0));
    press_until(&mut room, "b", "roll back shop, and hold").await;
    press_until(&mut room, "\r", "Do it").await;
    room.shows("ay back").await;
    confirm(&mut room, None, "roll back shop, and hold: done").await;
    assert_eq!(day.edge.split("shop").await.percent("green"), Some(0.0));
    assert_eq!(day.production().await["inboundTransitionState"]["enabled"], false);
    press_until(&mut room, "H", "elease Production of shop").await;
    confirm(&mut room, None, "open").await;
    room.shows("elease Production of shop: done").await;
    assert_eq!(day.production().await["inboundTransitionState"]["enabled"], true);

    // The flag goes off, and on again by the undo.
    room.press("6").await;
    room.shows(&day.lamp.name).await;
    press_until(&mut room, "f", "enter takes").await;
    room.press("j").await;
    room.until("off", is_at("off in production")).await;
    press_until(&mut room, "\r", "Do it").await;
    confirm(&mut room, None, "in production: off: done").await;
    assert!(!day.lamp.is_on().await);
    press_until(&mut room, "u", "Do it").await;
    confirm(&mut room, None, "turned on in production").await;
    assert!(day.lamp.is_on().await);
    room.press("9").await;
    room.shows("7 things done").await;
    room.press("q").await;
    assert_eq!(room.end().await.code(), Some(0));

    let flag = format!("flag {} in production: off", day.lamp.name);
    let wanted = [
        ("approve Production of shop", 1),
        ("traffic of shop: green 10%, blue 90%", 1),
        ("promote shop: canary from 10% to 25%", 1),
        ("roll back shop, and hold", 2),
        ("release Production of shop", 1),
        (&*flag, 1),
        (&*format!("undo: {flag}"), 1),
    ];
    let story = day.story();
    assert_eq!(story.len(), wanted.len(), "{story:#?}");
    for ((title, ends), (begins, steps)) in story.iter().zip(wanted) {
        assert!(title.starts_with(begins), "{story:#?}");
        assert_eq!(*ends, vec!["done"; steps], "{story:#?}");
    }
}
