//! Every kind of write to HAProxy under every fault.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use flightdeck::backend::port::Source;
use flightdeck::domain::write::{ArmWish, Write};
use futures::future::join_all;

use crate::edge::{Edge, arm, at_within, shares};
use crate::hands::Breaker;
use crate::table::{DEADLINES, How, Target, Told, faults_of_any_way, play};

/// The weights of blue and green, and the state of green.
type Standing = (u32, u32, &'static str);

/// A kind of write, from 90 and 10 and this state of green to that.
struct Kind {
    words: &'static str,
    write: Write,
    before: &'static str,
    after: Standing,
}

fn kinds() -> Vec<Kind> {
    let kind = |words, write, before, after| Kind { words, write, before, after };
    let green = |wish| arm("shop", "green", wish);
    vec![
        kind("traffic shop --percent 25", shares("shop", 75, 25), "ready", (75, 25, "no check")),
        kind("traffic shop --weight 40", green(ArmWish::Weight(40)), "ready", (90, 40, "no check")),
        kind("traffic shop --drain", green(ArmWish::Drain), "ready", (90, 10, "DRAIN")),
        kind("traffic shop --maintenance", green(ArmWish::Maintenance), "ready", (90, 10, "MAINT")),
        kind("traffic shop --ready", green(ArmWish::Ready), "maint", (90, 10, "no check")),
        kind("traffic shop --percent 100", shares("shop", 0, 100), "ready", (0, 10, "no check")),
        kind(
            "rollback shop --accept-current",
            shares("shop", 100, 0),
            "ready",
            (90, 0, "no check"),
        ),
    ]
}

struct Split {
    edge: Edge,
    breaker: Breaker,
    kind: Kind,
    /// Somebody else has changed the weight of blue.
    meddled: AtomicBool,
    /// The source goes through a socket that may only be looked at.
    looking: AtomicBool,
}

impl Target for Split {
    fn write(&self) -> Write {
        self.kind.write.clone()
    }

    fn breaker(&self) -> &Breaker {
        &self.breaker
    }

    fn sources(&self) -> [Arc<dyn Source>; 2] {
        let looking = self.looking.load(Ordering::Relaxed);
        let broken = u16::try_from(self.breaker.port).unwrap();
        let through = if looking { self.edge.user } else { broken };
        [at_within(self.edge.admin, DEADLINES[0]), at_within(through, DEADLINES[1])]
    }

    async fn ready(&self) {
        self.meddled.store(false, Ordering::Relaxed);
        self.edge.set_weights("shop", 90, 10).await;
        self.edge.set_state("shop", "green", self.kind.before).await;
        // Checks of health take a moment.
        let mut pace = tokio::time::interval(Duration::from_millis(50));
        let as_before = async {
            while self.standing().await != self.before() {
                pace.tick().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(10), as_before).await.unwrap();
    }

    async fn meddle(&self) {
        self.meddled.store(true, Ordering::Relaxed);
        self.edge.set_weights("shop", 91, 10).await;
    }

    fn key(&self, key: Option<&str>) {
        self.looking.store(key.is_some(), Ordering::Relaxed);
    }

    async fn effects(&self) -> usize {
        let now = self.standing().await;
        let (blue, green, state) = self.kind.after;
        if now == (blue, green, state.to_owned()) {
            return 1;
        }
        assert_eq!(now, self.before(), "it is neither as before nor as wanted");
        0
    }

    fn script(&self) -> (String, String) {
        let settings = format!(
            r#"
            [sources.edge]
            kind = "haproxy"
            address = "tcp://127.0.0.1:{}"
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
            "#,
            self.edge.admin
        );
        (settings, self.kind.words.to_owned())
    }
}

impl Split {
    async fn new(number: usize, kind: Kind) -> Self {
        let edge = Edge::calm().await;
        let to = format!("127.0.0.1:{}", edge.admin);
        let breaker = Breaker::new(&format!("faults-e{number}"), &to).await;
        let (meddled, looking) = (AtomicBool::new(false), AtomicBool::new(false));
        Self { edge, breaker, kind, meddled, looking }
    }

    fn before(&self) -> (u32, u32, String) {
        let blue = if self.meddled.load(Ordering::Relaxed) { 91 } else { 90 };
        let state = if self.kind.before == "ready" { "no check" } else { "MAINT" };
        (blue, 10, state.to_owned())
    }

    async fn standing(&self) -> (u32, u32, String) {
        let split = self.edge.split("shop").await;
        let [blue, green] = ["blue", "green"].map(|name| split.arm(name).unwrap());
        let words = ["no check", "DRAIN", "MAINT"];
        let state = words.into_iter().find(|word| green.state.as_str().contains(word));
        (blue.weight, green.weight, state.unwrap_or("else").to_owned())
    }
}

#[tokio::test]
#[ignore = "needs the lab: bash tests/run"]
async fn every_kind_of_write_to_traffic_under_every_fault() {
    let mut rows = faults_of_any_way();
    rows.push((How::Key("user"), Told::Failed("forbidden")));
    let all = kinds().into_iter().enumerate().map(async |(number, kind)| {
        let split = Split::new(number, kind).await;
        play(&split, &rows).await
    });
    let wrong = join_all(all).await.concat();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
