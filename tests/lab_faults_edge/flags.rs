//! Every kind of change of a flag in Unleash under every fault.

use std::path::PathBuf;
use std::sync::Arc;

use flightdeck::backend::port::Source;
use flightdeck::domain::write::{FlagChange, Write};
use futures::future::join_all;
use serde_json::json;

use crate::hands::{Breaker, source};
use crate::lab::address;
use crate::lamp::{Lamp, OFF, ON, percent, stale};
use crate::table::{DEADLINES, How, Target, Told, faults_of_any_way, play};

/// What only servers that speak HTTP can answer, and what happens to tokens.
fn rows() -> Vec<(How, Told)> {
    let status = |status: u16| json!({ "kind": "status", "status": status });
    let after = |status: u16| json!({ "kind": "status", "status": status, "after": true });
    let mut rows = faults_of_any_way();
    for failing in [500, 502, 503, 504] {
        // Something on the way says so, and Unleash never hears of it; or it has done it.
        rows.push((How::Way(2, status(failing)), Told::Unknown));
        rows.push((How::Way(2, after(failing)), Told::Found));
    }
    rows.push((How::Way(2, after(429)), Told::Found));
    for (refusal, word) in [(429, "throttled"), (401, "not authenticated"), (403, "forbidden")] {
        rows.push((How::Way(2, status(refusal)), Told::Failed(word)));
        rows.push((How::Way(1, status(refusal)), Told::Failed(word)));
        rows.push((How::Way(0, status(refusal)), Told::Refused));
    }
    rows.push((How::Way(1, status(503)), Told::Failed("server error")));
    rows.push((How::Way(0, status(503)), Told::Refused));
    // Expired, and of somebody who may only look.
    rows.push((How::Key("*:*.expired"), Told::Refused));
    rows.push((How::Key("LAB_UNLEASH_TOKEN_VIEWER"), Told::Failed("forbidden")));
    rows
}

struct Switch {
    lamp: Lamp,
    breaker: Breaker,
    /// On or off before, and marked as stale.
    before: (&'static str, bool),
    change: FlagChange,
    word: &'static str,
    token: PathBuf,
    _folder: tempfile::TempDir,
}

impl Target for Switch {
    fn write(&self) -> Write {
        self.lamp.write(self.change.clone())
    }

    fn breaker(&self) -> &Breaker {
        &self.breaker
    }

    fn sources(&self) -> [Arc<dyn Source>; 2] {
        let token = json!({ "file": self.token });
        let broken = format!("http://127.0.0.1:{}", self.breaker.port);
        let at = |url, deadline| {
            source(json!({ "kind": "unleash", "url": url, "token": token }), deadline)
        };
        [at(address("LAB_UNLEASH_URL"), DEADLINES[0]), at(broken, DEADLINES[1])]
    }

    async fn ready(&self) {
        self.lamp.reset().await;
        let (verb, marked) = self.before;
        self.lamp.switch(verb).await;
        self.lamp.mark(marked).await;
    }

    async fn meddle(&self) {
        self.lamp.share("41").await;
    }

    fn key(&self, key: Option<&str>) {
        let key = key.unwrap_or("LAB_UNLEASH_TOKEN_EDITOR");
        let token = if key.starts_with("LAB_") { address(key) } else { key.to_owned() };
        std::fs::write(&self.token, token).unwrap();
    }

    async fn effects(&self) -> usize {
        self.lamp.effects().await
    }

    fn script(&self) -> (String, String) {
        let settings = format!(
            r#"
            [sources.edge]
            kind = "unleash"
            url = "{}"
            token = {{ env = "LAB_UNLEASH_TOKEN_EDITOR" }}
            "#,
            address("LAB_UNLEASH_URL")
        );
        let words = format!("flag {} {} --environment production", self.lamp.name, self.word);
        (settings, words)
    }
}

impl Switch {
    async fn new(
        name: &str,
        word: &'static str,
        before: (&'static str, bool),
        change: FlagChange,
    ) -> Self {
        let lamp = Lamp::new(&format!("faults.{name}")).await;
        let to = address("LAB_UNLEASH_URL").replace("http://", "");
        let breaker = Breaker::new(&format!("faults-{name}"), &to).await;
        let folder = tempfile::tempdir().unwrap();
        let token = folder.path().join("token");
        let this = Self { lamp, breaker, before, change, word, token, _folder: folder };
        this.key(None);
        this
    }
}

#[tokio::test]
#[ignore = "needs the lab: bash tests/run"]
async fn every_kind_of_change_of_a_flag_under_every_fault() {
    let rows = rows();
    let kinds = [
        ("on", "on", ("off", false), ON),
        ("off", "off", ("on", false), OFF),
        ("share", "55%", ("on", false), percent(55.0)),
        ("stale", "stale", ("off", false), stale(true)),
        ("fresh", "not-stale", ("off", true), stale(false)),
    ];
    let all = kinds.map(async |(name, word, before, change)| {
        let switch = Switch::new(name, word, before, change).await;
        play(&switch, &rows).await
    });
    let wrong = join_all(all).await.concat();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
