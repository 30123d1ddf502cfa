//! The day by keys, in a real terminal.

use crate::dialogs::{confirm, is_at, press_until};
use crate::room::Room;
use crate::{run, story};

#[tokio::test]
async fn an_operator_releases_takes_back_and_undoes() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path().display().to_string();
    let program = env!("CARGO_BIN_EXE_flightdeck");
    let words = ["--scenario", "good-canary"];
    let variables = [("HOME", &*home), ("LANG", "C.UTF-8")];
    let mut room = Room::run(120, 40, program, &words, &variables);

    // The approval is in the inbox; what ships is read; three keys and the typed name.
    room.shows("REHEARSAL good-canary").await;
    room.press("2").await;
    room.until("the approval", is_at("approve sessions-main Prod")).await;
    press_until(&mut room, "a", "PRODUCTION").await;
    room.shows("ships 8e21d4 shorter idle time-out").await;
    confirm(&mut room, "sessions", None, "8e21d4: done").await;

    // The canary goes a step on, and everything back and held.
    room.press("5").await;
    room.until("the canary", is_at("checkout.prod-eu")).await;
    press_until(&mut room, "t", "10% to canary").await;
    room.press("jj").await;
    room.until("the share", is_at("10% to canary")).await;
    press_until(&mut room, "\r", "Do it").await;
    confirm(&mut room, "checkout", Some("looks well"), "stable 90%: done").await;
    room.until("the new share", is_at("10%")).await;
    press_until(&mut room, "b", "roll back checkout, and hold").await;
    press_until(&mut room, "\r", "Do it").await;
    confirm(&mut room, "checkout", None, "roll back checkout, and hold: done").await;
    press_until(&mut room, "H", "release Prod of checkout-main").await;
    press_until(&mut room, "\r", "Do it").await;
    confirm(&mut room, "checkout", None, "elease Prod of checkout-main: done").await;

    // A flag goes off, and on again by the undo.
    room.press("6").await;
    room.shows("one-click").await;
    room.press("jj").await;
    room.until("the flag", is_at("one-click")).await;
    press_until(&mut room, "f", "enter takes").await;
    room.press("j").await;
    room.until("off", is_at("off in production")).await;
    press_until(&mut room, "\r", "Do it").await;
    confirm(&mut room, "checkout", None, "all at once): done").await;
    press_until(&mut room, "u", "Do it").await;
    confirm(&mut room, "checkout", None, "● on 20%       ● on               <1m you").await;
    room.press("9").await;
    room.shows("6 things done").await;
    room.press("q").await;
    assert_eq!(room.end().await.code(), Some(0));

    let told = story(folder.path());
    let wanted = [
        "approve Prod of sessions-main 8e21d4: done",
        "traffic of checkout.prod-eu: canary 10%, stable 90%: done",
        "roll back checkout, and hold: done, done",
        "release",
        "flag one-click in production: off",
        "undo: flag one-click in production: off",
    ];
    assert_eq!(told.len(), wanted.len(), "{told:#?}");
    for (told, begins) in told.iter().zip(wanted) {
        assert!(told.starts_with(begins) && told.ends_with("done"), "{told}");
    }
    assert_eq!(run(folder.path(), &["--scenario", "good-canary", "journal", "verify"]).0, 0);
}
