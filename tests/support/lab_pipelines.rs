//! Worlds of the pipeline stand-in, each of one test's own, and short ways to read them.

use std::sync::Arc;

use flightdeck::backend::Source;
use flightdeck::backend::aws::{CodePipeline, Sessions};
use flightdeck::backend::clock::WallClock;
use flightdeck::backend::context::{Meter, ReadContext};
use flightdeck::config::Schedule;
use flightdeck::config::scalar::HumanDuration;
use flightdeck::config::sources::{AwsAccess, CodePipelineSource};
use flightdeck::domain::error::Fault;
use flightdeck::domain::fact::Fact;
use flightdeck::domain::ids::{ItemId, PipelineId, SourceId};
use flightdeck::domain::observation::{Observation, Scope, Topic};
use flightdeck::domain::pipeline::Pipeline;
use serde_json::{Value, json};

use super::lab::{address, post};

/// A world of pipelines in the stand-in.
pub struct World {
    pub url: String,
    dir: tempfile::TempDir,
}

impl World {
    /// The one that the lab has filled. Only for reading: other tests look at it too.
    pub fn seeded() -> Self {
        Self::at(address("LAB_CODEPIPELINE_URL"))
    }

    /// An empty one of this test's own.
    pub async fn new(name: &str) -> Self {
        let world = Self::at(format!("{}/w/{name}", address("LAB_CODEPIPELINE_URL")));
        world.lab("reset", json!({})).await;
        world
    }

    /// One at this address.
    pub fn at(url: String) -> Self {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("config"), "[profile lab]\nregion = eu-west-1\n").unwrap();
        Self { url, dir }
    }

    /// A call of the control endpoint.
    pub async fn lab(&self, name: &str, body: Value) -> Value {
        let (status, answer) = post(&format!("{}/lab/{name}", self.url), &[], &body).await;
        assert_eq!(status, 200, "{name}: {answer}");
        answer
    }

    /// A call of the service by somebody else.
    pub async fn bob(&self, operation: &str, body: Value) -> (u16, Value) {
        let target = format!("CodePipeline_20150709.{operation}");
        let headers = [("x-amz-target", target.as_str()), ("authorization", "Credential=LABBOB/")];
        post(&format!("{}/", self.url), &headers, &body).await
    }

    /// Starts an execution and lets it come as far as this stage.
    pub async fn run_to(&self, pipeline: &str, stage: &str) -> String {
        let started = self.lab("start", json!({ "pipeline": pipeline })).await;
        let id = started["execution"].as_str().unwrap().to_owned();
        self.lab("advance", json!({ "pipeline": pipeline, "execution": id, "to": stage })).await;
        id
    }

    /// Replies of the stand-in that did not fit the service's own model.
    pub async fn violations(&self) -> Value {
        self.lab("calls", json!({})).await["violations"].clone()
    }

    /// A source that sees and changes this world as alice.
    pub fn source(&self, deadline: u64) -> CodePipeline {
        self.source_of("LABALICE", deadline)
    }

    /// The same as whoever has this access key.
    pub fn source_of(&self, key: &str, deadline: u64) -> CodePipeline {
        let path = |name: &str| self.dir.path().join(name);
        let secret = "aws_secret_access_key = lab";
        let keys = format!("[lab]\naws_access_key_id = {key}\n{secret}\n");
        std::fs::write(path(key), keys).unwrap();
        let sessions = Sessions::with_files(path("config"), path(key));
        let settings = CodePipelineSource {
            aws: AwsAccess {
                profile: Some("lab".to_owned()),
                endpoint: Some(self.url.parse().unwrap()),
                ..AwsAccess::default()
            },
            ..CodePipelineSource::default()
        };
        CodePipeline::new(SourceId::new("pipes"), &settings, schedule(deadline), &sessions)
    }
}

/// A schedule whose calls may take so many seconds.
pub fn schedule(deadline: u64) -> Schedule {
    let seconds = HumanDuration::from_secs;
    Schedule {
        fast: seconds(5),
        slow: seconds(60),
        budget_per_minute: 1_000_000,
        deadline: seconds(deadline),
        stale_after: seconds(150),
        lost_after: seconds(900),
        jitter: 0.0,
        back_off_max: seconds(60),
    }
}

/// The item of a pipeline of [`World::source`].
pub fn item(name: &str) -> ItemId {
    ItemId::Pipeline(PipelineId::new(&SourceId::new("pipes"), name))
}

/// One read.
pub async fn observe(
    source: &dyn Source,
    topic: Topic,
    items: Vec<ItemId>,
) -> Result<Observation, Fault> {
    let meter = Arc::new(Meter::new(1_000_000));
    let context = ReadContext::new(Arc::new(WallClock), 0, meter);
    source.observe(&Scope { topic, items }, &context).await
}

/// The pipelines by these names, read one by one.
pub async fn read(source: &dyn Source, names: &[&str]) -> Result<Observation, Fault> {
    observe(source, Topic::Items, names.iter().map(|name| item(name)).collect()).await
}

/// The pipeline of this name in an answer.
pub fn pipeline<'a>(seen: &'a Observation, name: &str) -> &'a Pipeline {
    let found = seen.facts.iter().find_map(|fact| match fact {
        Fact::Pipeline(pipeline) if pipeline.id.name.as_str() == name => Some(pipeline),
        _ => None,
    });
    found.unwrap_or_else(|| panic!("no pipeline {name} in {:?}", seen.faults))
}
