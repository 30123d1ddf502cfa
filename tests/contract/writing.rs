//! One stand per kind of source that can be written to: it answers reads, and takes writes.

use std::sync::Arc;

use flightdeck::backend::haproxy::HaProxy;
use flightdeck::backend::unleash::Unleash;
use flightdeck::domain::ids::{FlagId, TrafficId};
use flightdeck::domain::write::{ArmWish, FlagChange, Write};
use serde_json::{Value, json};

use crate::aws::{Reply, Request};
use crate::server::Server;
use crate::stands::{Stand, id, settings, stand};
pub use crate::writing_aws::{appconfig, codepipeline, deploying};

/// A kind of source, the writes that it takes, and how they are told from reads.
pub struct Hand {
    pub stand: Stand,
    pub writes: Vec<Write>,
    pub is_write: fn(&Request) -> bool,
}

pub async fn haproxy() -> Hand {
    let text = include_str!("../haproxy/first.txt").replacen("user", "admin", 1);
    let split = TrafficId::new(&id(), "checkout");
    let server = Server::lines(move |request| {
        let states = &text[text.find("1\n# be_id").unwrap()..];
        let set = request.path.strip_prefix("set server checkout/canary ");
        let Some((what, _)) = set.and_then(|what| what.split_once(';')) else {
            return Reply::status(200, &text);
        };
        // The state and the weight are the seventh and eighth figures of a line.
        let (column, value) = match what.split_once(' ').unwrap() {
            ("weight", weight) => (7, weight),
            ("state", "drain") => (6, "8"),
            ("state", other) => panic!("{other} is not asked for here"),
            _ => panic!("{what}"),
        };
        let set = |line: &str| {
            let mut cells: Vec<&str> = line.split(' ').collect();
            if cells.get(1) == Some(&"checkout") && cells.get(3) == Some(&"canary") {
                cells[column] = value;
            }
            cells.join(" ")
        };
        let told: Vec<String> = states.split('\n').map(set).collect();
        Reply::status(200, &format!("\n{}", told.join("\n")))
    })
    .await;
    let stand = stand(server, Vec::new(), Vec::new(), |given| {
        let settings = settings(json!({ "address": format!("tcp://{}", given.address) }));
        Arc::new(HaProxy::new(id(), settings, &given.schedule, Vec::new()))
    });
    let arm = |wish| Write::Arm { split: split.clone(), arm: "canary".into(), wish };
    Hand {
        stand,
        writes: vec![arm(ArmWish::Weight(33)), arm(ArmWish::Drain)],
        is_write: |request| request.path.starts_with("set "),
    }
}

pub async fn unleash() -> Hand {
    let server = Server::http(|request| match request.method.as_str() {
        "GET" => {
            let mut flag: Value =
                serde_json::from_str(include_str!("../unleash/v8/new-tax.json")).unwrap();
            let all = flag["environments"].as_array_mut().unwrap();
            all[1]["strategies"].as_array_mut().unwrap().truncate(1);
            Reply::json(&flag)
        }
        "POST" => Reply::status(200, ""),
        _ => Reply::json(&json!({ "name": "new-tax" })),
    })
    .await;
    let stand = stand(server, Vec::new(), Vec::new(), |given| {
        let token = json!({ "file": given.folder.join("token") });
        let settings =
            settings(json!({ "url": format!("http://{}", given.address), "token": token }));
        Arc::new(Unleash::new(id(), settings, &given.schedule))
    });
    let flag = FlagId::new(&id(), "default:new-tax");
    let change = |change| Write::Flag {
        flag: flag.clone(),
        environment: "production".into(),
        change,
        strategy: None,
    };
    Hand {
        stand,
        writes: vec![
            change(FlagChange::Enabled { on: false }),
            change(FlagChange::Percent { percent: 70.0 }),
            change(FlagChange::Stale { stale: true }),
        ],
        is_write: |request| request.method != "GET",
    }
}
