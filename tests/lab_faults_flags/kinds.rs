//! Every kind of write to flags: what has to stand before, and what has happened after.

use std::sync::Arc;

use flightdeck::backend::port::Source;
use flightdeck::domain::write::{FlagChange, Write};
use tokio::sync::Mutex;

use crate::hands::Breaker;
use crate::lab::address;
use crate::shop::{DOCUMENT, OFF, Shop};
use crate::table::Target;

/// A kind of write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    On,
    Off,
    Stale,
    Rate,
    Share,
    Slowly,
    Halt,
    Revert,
}

pub const KINDS: [Kind; 8] = [
    Kind::On,
    Kind::Off,
    Kind::Stale,
    Kind::Rate,
    Kind::Share,
    Kind::Slowly,
    Kind::Halt,
    Kind::Revert,
];

impl Kind {
    /// Whether it makes a version and deploys it.
    pub fn deploys(self) -> bool {
        !matches!(self, Self::Halt | Self::Revert)
    }

    /// The flag that is changed: one is on, one off, and one on for some.
    pub fn flag(self) -> &'static str {
        match self {
            Self::On => "cart",
            Self::Share => "split",
            _ => "tax",
        }
    }

    /// The request that does it.
    pub fn request(self) -> &'static str {
        if self.deploys() { "^POST \\S+/deployments " } else { "^DELETE \\S+/deployments/" }
    }

    fn change(self) -> FlagChange {
        match self {
            Self::On => FlagChange::Enabled { on: true },
            Self::Off | Self::Slowly => OFF,
            Self::Stale => FlagChange::Stale { stale: true },
            Self::Rate => FlagChange::Attribute { name: "rate".into(), value: "7".into() },
            Self::Share => FlagChange::Percent { percent: 25.0 },
            Self::Halt => FlagChange::Halt,
            Self::Revert => FlagChange::Revert,
        }
    }

    pub fn words(self) -> &'static str {
        match self {
            Self::On => "on",
            Self::Off => "off",
            Self::Stale => "stale",
            Self::Rate => "rate=7",
            Self::Share => "25%",
            Self::Slowly => "off --strategy slowly",
            Self::Halt => "halt",
            Self::Revert => "revert",
        }
    }
}

/// An application that waits for one kind of write.
pub struct Scene {
    pub kind: Kind,
    name: String,
    pub breaker: Breaker,
    stand: Mutex<Stand>,
}

/// The application as it is made anew for each row.
struct Stand {
    shop: Arc<Shop>,
    /// Deployments before the write.
    before: Vec<(String, String)>,
}

/// The document with another rate, as somebody else wrote it.
fn theirs(rate: u32) -> String {
    DOCUMENT.replace(r#""rate": 5"#, &format!(r#""rate": {rate}"#))
}

async fn stand(kind: Kind, name: &str) -> Stand {
    let shop = Arc::new(Shop::new(name).await);
    match kind {
        Kind::Halt => {
            let second = shop.version(&theirs(8)).await;
            shop.deploy(second, "slowly").await;
        }
        Kind::Revert => {
            let second = shop.version(&theirs(8)).await;
            shop.deploy(second, "at-once").await;
        }
        _ => {}
    }
    let before = shop.deployments().await;
    Stand { shop, before }
}

impl Scene {
    pub async fn new(kind: Kind, row: &str) -> Self {
        let name = format!("faults-{kind:?}-{row}").to_lowercase();
        let to = address("LAB_AWS_URL").replace("http://", "");
        let breaker = Breaker::new(&name, &to).await;
        let stand = Mutex::new(stand(kind, &name).await);
        Self { kind, name, breaker, stand }
    }

    pub async fn shop(&self) -> Arc<Shop> {
        Arc::clone(&self.stand.lock().await.shop)
    }

    fn now(&self) -> Arc<Shop> {
        Arc::clone(&self.stand.try_lock().unwrap().shop)
    }

    pub fn settings(&self, url: &str) -> String {
        format!(
            r#"
            [sources.ac]
            kind = "appconfig"
            region = "eu-west-1"
            endpoint = "{url}"
            applications = ["{}"]
            strategies = ["at-once", "slowly"]
            "#,
            self.now().name
        )
    }

    pub fn through(&self) -> String {
        format!("http://127.0.0.1:{}", self.breaker.port)
    }

    pub async fn close(&self) {
        self.shop().await.close().await;
    }
}

impl Target for Scene {
    fn write(&self) -> Write {
        let mut write = self.now().change(self.kind.flag(), self.kind.change());
        if let (Kind::Slowly, Write::Flag { strategy, .. }) = (self.kind, &mut write) {
            *strategy = Some("slowly".into());
        }
        write
    }

    fn breaker(&self) -> &Breaker {
        &self.breaker
    }

    fn sources(&self) -> [Arc<dyn Source>; 2] {
        let shop = self.now();
        let strategies = "at-once slowly";
        let direct = shop.source_at(strategies, &address("LAB_AWS_URL"), 30);
        [Arc::new(direct), Arc::new(shop.source_at(strategies, &self.through(), 4))]
    }

    async fn ready(&self) {
        let mut now = self.stand.lock().await;
        now.shop.close().await;
        *now = stand(self.kind, &self.name).await;
    }

    async fn meddle(&self) {
        let mut now = self.stand.lock().await;
        if self.kind == Kind::Halt {
            now.shop.stop_last().await;
        } else {
            let theirs = now.shop.version(&theirs(9)).await;
            now.shop.deploy(theirs, "at-once").await;
        }
        now.before = now.shop.deployments().await;
    }

    fn key(&self, _: Option<&str>) {}

    /// Deployments that were begun, stopped or taken back.
    async fn effects(&self) -> usize {
        let stand = self.stand.lock().await;
        let now = stand.shop.deployments().await;
        let same = |at: usize| stand.before.get(at).is_some_and(|was| *was == now[at]);
        (0..now.len()).filter(|at| !same(*at)).count()
    }

    fn script(&self) -> (String, String) {
        let words =
            format!("flag {} {} --environment production", self.kind.flag(), self.kind.words());
        (self.settings(&address("LAB_AWS_URL")), words)
    }
}
