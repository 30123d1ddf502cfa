//! The program from a script: traffic and flags, shown first, then done, undone and told of.

use std::path::Path;

use crate::edge::Edge;
use crate::lab::address;
use crate::lamp::Lamp;
use crate::program::program;

/// Its exit code and what it printed.
pub fn run(home: &Path, words: &str) -> (i32, String) {
    let done = program(home, words.split(' ')).output().unwrap();
    let text = String::from_utf8([done.stdout, done.stderr].concat()).unwrap();
    (done.status.code().unwrap(), text)
}

#[tokio::test]
#[ignore = "needs the lab: bash tests/run"]
async fn a_canary_and_a_flag_are_moved_and_moved_back_from_a_script() {
    let (edge, lamp) = (Edge::start().await, Lamp::new("script").await);
    let home = tempfile::tempdir().unwrap();
    let (admin, url, name) = (edge.admin, address("LAB_UNLEASH_URL"), &lamp.name);
    let text = format!(
        r#"
        polling = {{ fast = "1s", slow = "1s", budget_per_minute = 600 }}
        [sources.edge]
        kind = "haproxy"
        address = "tcp://127.0.0.1:{admin}"
        backends = ["shop"]
        [sources.flags]
        kind = "unleash"
        url = "{url}"
        token = {{ env = "LAB_UNLEASH_TOKEN_EDITOR" }}
        [services.shop]
        traffic = ["edge/shop"]
        flags = ["flags/default:edge.script.*"]
        [[services.shop.canaries]]
        name = "production"
        traffic = "edge/shop"
        baseline = "blue"
        canary = "green"
        steps = [10, 25, 50, 100]
        signals = {{ source = "edge" }}
        "#
    );
    std::fs::write(home.path().join("lab.toml"), text).unwrap();
    // Nothing is known of this canary, so shifting to it wants a reason.
    let script = |words: &str| {
        let reason = if words.contains("--") { " --break-glass drill" } else { "" };
        run(home.path(), &format!("{words}{reason}"))
    };

    let (code, told) = script("traffic shop --percent 25 --dry-run");
    assert_eq!((code, edge.weights("shop").await), (0, (90, 10)), "{told}");
    for (words, weights) in [
        ("traffic shop --percent 25 --yes", (75, 25)),
        ("traffic shop --weight 30 --yes", (75, 30)),
        ("undo --accept-current --yes", (75, 25)),
        ("rollback shop --yes --accept-current", (90, 0)),
    ] {
        let (code, told) = script(words);
        assert_eq!((code, edge.weights("shop").await), (0, weights), "{words}: {told}");
    }
    for (change, on, rollout) in [("on", true, "40"), ("75%", true, "75")] {
        let (code, told) = script(&format!("flag {name} {change} --environment production --yes"));
        assert_eq!((code, lamp.is_on().await), (0, on), "{change}: {told}");
        assert_eq!(lamp.rollout().await, rollout, "{told}");
    }
    let (code, told) = script("undo --accept-current --yes");
    assert_eq!((code, lamp.rollout().await.as_str()), (0, "40"), "{told}");

    let (code, told) = script("journal -o json");
    assert_eq!(code, 0, "{told}");
    assert_eq!(told.matches("\"sending\"").count(), 7, "{told}");
    assert_eq!(script("journal verify").0, 0);
}
