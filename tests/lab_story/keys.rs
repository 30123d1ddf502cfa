//! The day by keys, in a real terminal.

use crate::day::Day;
use crate::dialogs::{confirm, is_at, press_until, type_in};
use crate::program::variables;
use crate::room::Room;

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
    confirm(&mut room, "shop", None, ": done").await;
    assert_eq!(day.approval().await, "Succeeded");
    day.deployed().await;
    room.press("3").await;
    room.shows("✓ succeeded  Production").await;

    // The canary goes a step on, and everything back and held.
    room.press("5").await;
    room.shows("shop/production").await;
    press_until(&mut room, "t", "10% to green").await;
    press_until(&mut room, "\r", "Do it").await;
    confirm(&mut room, "shop", None, "blue 90%: done").await;
    assert_eq!(day.edge.split("shop").await.percent("green"), Some(10.0));
    press_until(&mut room, "p", "Do it").await;
    room.shows("the verdict of the canary production is unknown").await;
    room.shows("reason to go on").await;
    confirm(&mut room, "shop", Some("looks well"), "10% to 25%: done").await;
    assert_eq!(day.edge.split("shop").await.percent("green"), Some(25.0));
    press_until(&mut room, "b", "roll back shop, and hold").await;
    press_until(&mut room, "\r", "Do it").await;
    room.shows("ay back").await;
    confirm(&mut room, "shop", None, "roll back shop, and hold: done").await;
    assert_eq!(day.edge.split("shop").await.percent("green"), Some(0.0));
    assert_eq!(day.production().await["inboundTransitionState"]["enabled"], false);
    press_until(&mut room, "H", "elease Production of shop").await;
    confirm(&mut room, "shop", None, "open").await;
    room.shows("elease Production of shop: done").await;
    assert_eq!(day.production().await["inboundTransitionState"]["enabled"], true);

    // The flag goes off, and on again by the undo.
    // Flags of other tests may have changed later, and stand above it.
    room.press("6").await;
    room.shows("FLAG  ").await;
    press_until(&mut room, "/", "enter keeps it").await;
    type_in(&mut room, &day.lamp.name).await;
    room.press("\r").await;
    room.until("the flag", is_at(&day.lamp.name)).await;
    press_until(&mut room, "f", "enter takes").await;
    room.press("j").await;
    room.until("off", is_at("off in production")).await;
    press_until(&mut room, "\r", "Do it").await;
    confirm(&mut room, "shop", None, "in production: off: done").await;
    assert!(!day.lamp.is_on().await);
    press_until(&mut room, "u", "Do it").await;
    confirm(&mut room, "shop", None, "turned on in production").await;
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
