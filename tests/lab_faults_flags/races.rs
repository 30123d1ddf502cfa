//! Two control rooms on two hosts change a flag at once, many times.

use std::sync::Arc;

use flightdeck::backend::port::Source;
use flightdeck::domain::write::Outcome;

use crate::hands::confirmed;
use crate::kinds::{Kind, Scene};
use crate::table::{Target, pass};

/// How often.
const ROUNDS: usize = 10;

#[tokio::test]
#[ignore = "needs the lab: bash tests/run"]
async fn of_two_hosts_that_change_a_flag_at_once_exactly_one_does_and_the_other_is_told() {
    let scene = Scene::new(Kind::Off, "race").await;
    for round in 0..ROUNDS {
        scene.ready().await;
        let [one, _] = scene.sources();
        let [other, _] = scene.sources();
        let (mine, theirs) =
            (confirmed(&*one, scene.write()).await, confirmed(&*other, scene.write()).await);
        let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
        let (one, other): (Arc<dyn Source>, Arc<dyn Source>) = (one, other);
        let (a, b) = tokio::join!(
            pass(&one, &mine, folders[0].path()),
            pass(&other, &theirs, folders[1].path())
        );
        let outcomes = [a, b];
        let done = outcomes.iter().filter(|it| matches!(it, Outcome::Done { .. })).count();
        let told = outcomes.iter().filter(|it| matches!(it, Outcome::Moved { .. })).count();
        assert_eq!((done, told), (1, 1), "{round}: {outcomes:?}");
        assert_eq!(scene.effects().await, 1, "{round}: {outcomes:?}");
    }
    scene.close().await;
}
