//! Who watches a flight: the control room, beside the pilot.

use std::path::Path;

use crate::room::Room;

/// The room of somebody at this home, at the pane of this key.
pub async fn at(home: &Path, pane: &str) -> Room {
    let (place, file) = (home.display().to_string(), home.join("lab.toml").display().to_string());
    let variables = [
        ("HOME", &*place),
        ("AWS_ACCESS_KEY_ID", "LABALICE"),
        ("AWS_SECRET_ACCESS_KEY", "lab"),
        ("AWS_REGION", "eu-west-1"),
        ("AWS_EC2_METADATA_DISABLED", "true"),
    ];
    let program = env!("CARGO_BIN_EXE_flightdeck");
    let mut room = Room::run(160, 45, program, &["--config", &file], &variables);
    room.shows("1Board").await;
    room.press(pane).await;
    room
}

/// Waits until it shows all of this, one after the other, and leaves.
pub async fn sees(mut room: Room, texts: &[&str]) {
    for text in texts {
        room.shows(text).await;
    }
    room.press("q").await;
    assert_eq!(room.end().await.code(), Some(0));
}
