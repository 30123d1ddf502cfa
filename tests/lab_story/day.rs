//! A service with a release that is live, the next that waits, a canary without traffic, and a flag that
//! is on.

use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::edge::Edge;
use crate::lab::address;
use crate::lamp::Lamp;
use crate::pipes::World;

pub struct Day {
    pub world: World,
    pub edge: Edge,
    pub lamp: Lamp,
    pub execution: String,
    pub home: tempfile::TempDir,
}

impl Day {
    pub async fn new(name: &str) -> Self {
        let world = World::new(&format!("story-{name}")).await;
        let shop = json!({ "name": "shop", "stages": [
            { "name": "Source", "actions": ["Code:Source"] },
            { "name": "Production", "actions": ["Approve:Approval", "Deploy:Deploy"] },
        ] });
        world.lab("pipelines", json!({ "pipelines": [shop] })).await;
        world.run_to("shop", "end").await;
        let execution = world.run_to("shop", "Production").await;
        let edge = Edge::calm().await;
        edge.set_weights("shop", 100, 0).await;
        let lamp = Lamp::new(&format!("story-{name}")).await;
        lamp.switch("on").await;
        let home = tempfile::tempdir().unwrap();
        let day = Self { world, edge, lamp, execution, home };
        std::fs::write(day.home.path().join("day.toml"), day.settings()).unwrap();
        day
    }

    fn settings(&self) -> String {
        format!(
            r#"
            polling = {{ fast = "1s", slow = "1s", budget_per_minute = 6000 }}
            [sources.pipes]
            kind = "codepipeline"
            endpoint = "{}"
            [sources.edge]
            kind = "haproxy"
            address = "tcp://127.0.0.1:{}"
            backends = ["shop"]
            [sources.flags]
            kind = "unleash"
            url = "{}"
            token = {{ env = "LAB_UNLEASH_TOKEN_EDITOR" }}
            projects = ["default"]
            [services.shop]
            pipelines = ["pipes/shop"]
            traffic = ["edge/shop"]
            flags = ["flags/default:{}"]
            [[services.shop.canaries]]
            name = "production"
            traffic = "edge/shop"
            baseline = "blue"
            canary = "green"
            steps = [10, 25, 50, 100]
            signals = {{ source = "edge" }}
            "#,
            self.world.url,
            self.edge.admin,
            address("LAB_UNLEASH_URL"),
            self.lamp.name,
        )
    }

    pub fn variables() -> Vec<(&'static str, String)> {
        vec![
            ("AWS_ACCESS_KEY_ID", "LABALICE".to_owned()),
            ("AWS_SECRET_ACCESS_KEY", "lab".to_owned()),
            ("AWS_REGION", "eu-west-1".to_owned()),
            ("AWS_EC2_METADATA_DISABLED", "true".to_owned()),
            ("LAB_UNLEASH_TOKEN_EDITOR", address("LAB_UNLEASH_TOKEN_EDITOR")),
        ]
    }

    /// The program with these words: its exit code, and what it printed.
    pub fn run(&self, words: &[&str]) -> (i32, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_flightdeck"));
        command.env_clear().current_dir(self.home.path()).env("HOME", self.home.path());
        command.env("LANG", "C.UTF-8").envs(Self::variables()).stdin(Stdio::null());
        let done = command.args(["--config", "day.toml"]).args(words).output().unwrap();
        let text = String::from_utf8([done.stdout, done.stderr].concat()).unwrap();
        (done.status.code().unwrap(), text)
    }

    /// The state of the stage that goes to production.
    pub async fn production(&self) -> Value {
        let (status, state) = self.world.bob("GetPipelineState", json!({ "name": "shop" })).await;
        assert_eq!(status, 200, "{state}");
        state["stageStates"][1].clone()
    }

    /// How the approval stands.
    pub async fn approval(&self) -> String {
        let stage = self.production().await;
        stage["actionStates"][0]["latestExecution"]["status"].as_str().unwrap().to_owned()
    }

    /// The deployment ends well.
    pub async fn deployed(&self) {
        let deploy = json!({ "pipeline": "shop", "action": "Deploy", "outcome": "Succeeded" });
        self.world.lab("advance", deploy).await;
    }

    /// What the journal tells, the oldest first: each plan and how it ended.
    pub fn story(&self) -> Vec<(String, Vec<String>)> {
        let (code, text) = self.run(&["journal", "-o", "json"]);
        assert_eq!(code, 0, "{text}");
        let report: Value = serde_json::from_str(&text).unwrap();
        let mut plans: Vec<(String, String, Vec<String>)> = Vec::new();
        for entry in report["entries"].as_array().unwrap() {
            let record = &entry["record"];
            let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            let plan = word(&record["plan"]);
            if !plans.iter().any(|(known, ..)| *known == plan) {
                plans.push((plan.clone(), word(&record["title"]), Vec::new()));
            }
            if record["event"]["event"] == "ended" {
                let own = plans.iter_mut().find(|(known, ..)| *known == plan).unwrap();
                own.2.push(word(&record["event"]["outcome"]["outcome"]));
            }
        }
        plans.into_iter().map(|(_, title, ends)| (title, ends)).collect()
    }
}
