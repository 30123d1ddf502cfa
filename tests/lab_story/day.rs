//! A service with a release that is live, the next that waits, a canary without traffic, and a flag that
//! is on.

use serde_json::{Value, json};

use crate::edge::Edge;
use crate::lab::address;
use crate::lamp::Lamp;
use crate::pipes::World;
use crate::program::{program, settle};

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
        settle(day.home.path(), "1m", &day.settings());
        day
    }

    fn settings(&self) -> String {
        format!(
            r#"
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

    /// The program with these words: its exit code, and what it printed.
    pub fn run(&self, words: &[&str]) -> (i32, String) {
        let done = program(self.home.path(), words.iter().copied()).output().unwrap();
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
        crate::story::story(&text)
    }
}
