//! Killed at every step of a write to traffic or to a flag, of each kind.

use crate::edge::Edge;
use crate::hands::Breaker;
use crate::killing::{At, Victim, walk};
use crate::lab::address;
use crate::lamp::Lamp;
use crate::program::{program, settle};

/// Each answer takes so long, in seconds: of a socket, and of a server whose log has to be asked what
/// it did.
const SLOWLY: [f64; 2] = [0.12, 0.4];

/// The end of each story: done, where the server had done it; unknown, where it had not.
fn is_told(stories: &std::collections::BTreeMap<At, Vec<String>>, words: &str) {
    let end = |at| stories[&at].last().map(String::as_str);
    assert_eq!(end(At::Line(0)), None, "{words}");
    assert_eq!(end(At::Line(1)), Some("confirmed"), "{words}");
    assert!(matches!(end(At::Line(2)), Some("done" | "unknown")), "{words}: {stories:?}");
    // What the server said is in the journal then.
    for at in [At::Line(3), At::Line(4)] {
        assert_eq!(end(at), Some("done"), "{words}: {stories:?}");
    }
    assert!(end(At::Effect) == Some("done"), "{words}: {stories:?}");
}

/// A home with these settings.
fn home(settings: &str) -> tempfile::TempDir {
    let home = tempfile::tempdir().unwrap();
    settle(home.path(), "2s", settings);
    home
}

/// Walks through every step of `words`, from green in this state to weights and a state.
async fn traffic(name: &str, words: &str, before: &str, after: (u32, u32, &str)) {
    let edge = Edge::calm().await;
    let way = Breaker::new(&format!("kill-{name}"), &format!("127.0.0.1:{}", edge.admin)).await;
    let port = way.port;
    let home = home(&format!(
        r#"
        [sources.edge]
        kind = "haproxy"
        address = "tcp://127.0.0.1:{port}"
        backends = ["shop"]
        [services.shop]
        traffic = ["edge/shop"]
        [[services.shop.canaries]]
        name = "production"
        traffic = "edge/shop"
        baseline = "blue"
        canary = "green"
        steps = [10, 25, 50, 100]
        signals = {{ source = "edge" }}
        "#
    ));
    let words = format!("{words} --yes --break-glass again");
    let program = |words: &str| program(home.path(), words.split(' '));
    let victim = Victim {
        home: home.path(),
        program: &program,
        words: &words,
        steps: 1,
        ways: &[&way],
        slowly: SLOWLY[0],
    };
    let ready = async || {
        edge.set_weights("shop", 90, 10).await;
        edge.set_state("shop", "green", before).await;
    };
    let effects = async || {
        let split = edge.split("shop").await;
        let [blue, green] = ["blue", "green"].map(|name| split.arm(name).unwrap());
        let weights = (blue.weight, green.weight) == (after.0, after.1);
        usize::from(weights && green.state.as_str().contains(after.2))
    };
    is_told(&walk(&victim, ready, effects).await, &words);
}

#[tokio::test]
#[ignore = "needs the lab: bash tests/run"]
async fn killed_at_every_step_a_write_to_traffic_is_accounted_for_and_never_done_twice() {
    tokio::join!(
        traffic("percent", "traffic shop --percent 25", "ready", (75, 25, "no check")),
        traffic("weight", "traffic shop --weight 40", "ready", (90, 40, "no check")),
        traffic("drain", "traffic shop --drain", "ready", (90, 10, "DRAIN")),
        traffic("maintenance", "traffic shop --maintenance", "ready", (90, 10, "MAINT")),
        traffic("ready", "traffic shop --ready", "maint", (90, 10, "no check")),
        traffic("full", "traffic shop --percent 100", "ready", (0, 10, "no check")),
        traffic("back", "rollback shop --accept-current", "ready", (90, 0, "no check")),
    );
}

/// Walks through every step of a change of a flag that is on before, or off.
async fn flag(name: &str, change: &str, before: &str) {
    let lamp = Lamp::new(&format!("kill.{name}")).await;
    let to = address("LAB_UNLEASH_URL").replace("http://", "");
    let way = Breaker::new(&format!("kill-flag-{name}"), &to).await;
    let port = way.port;
    let home = home(&format!(
        r#"
        [sources.flags]
        kind = "unleash"
        url = "http://127.0.0.1:{port}"
        token = {{ env = "LAB_UNLEASH_TOKEN_EDITOR" }}
        "#
    ));
    let words =
        format!("flag {} {change} --environment production --yes --break-glass again", lamp.name);
    let program = |words: &str| program(home.path(), words.split(' '));
    let victim = Victim {
        home: home.path(),
        program: &program,
        words: &words,
        steps: 1,
        ways: &[&way],
        slowly: SLOWLY[1],
    };
    let ready = async || {
        lamp.reset().await;
        lamp.switch(before).await;
        lamp.mark(change == "not-stale").await;
    };
    let effects = async || lamp.effects().await;
    is_told(&walk(&victim, ready, effects).await, &words);
}

#[tokio::test]
#[ignore = "needs the lab: bash tests/run"]
async fn killed_at_every_step_a_change_of_a_flag_is_accounted_for_and_never_done_twice() {
    tokio::join!(
        flag("on", "on", "off"),
        flag("off", "off", "on"),
        flag("share", "55%", "on"),
        flag("stale", "stale", "off"),
        flag("fresh", "not-stale", "off"),
    );
}
