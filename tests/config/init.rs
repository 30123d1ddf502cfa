//! `flightdeck init` with adapters that answer, refuse and hang: what it writes, and when not.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use flightdeck::backend::clock::WallClock;
use flightdeck::backend::{Cadence, ReadContext, Source};
use flightdeck::cli::init::{InitArgs, run};
use flightdeck::config::sources::SourceConfig;
use flightdeck::config::{Config, load_text};
use flightdeck::domain::error::{Fault, FaultKind};
use flightdeck::domain::ids::{ItemId, PipelineId, SourceId, TrafficId};
use flightdeck::domain::observation::{Observation, Scope};
use flightdeck::domain::observed::FreshnessPolicy;
use flightdeck::domain::source::{Capabilities, SourceMeta};
use futures::future::BoxFuture;

/// CodePipeline answers with two pipelines, HAProxy with a split, AppConfig refuses, and
/// CloudWatch never answers.
struct Fake {
    id: SourceId,
    kind: &'static str,
}

impl Source for Fake {
    fn meta(&self) -> SourceMeta {
        let length = jiff::SignedDuration::from_secs(60);
        SourceMeta {
            id: self.id.clone(),
            kind: self.kind.into(),
            place: "here".into(),
            capabilities: Capabilities::default(),
            policy: FreshnessPolicy { stale_after: length, lost_after: length },
        }
    }

    fn cadence(&self) -> Cadence {
        Cadence::of(&Config::default().schedule(self.id.as_str()))
    }

    fn observe<'a>(
        &'a self,
        scope: &'a Scope,
        context: &'a ReadContext,
    ) -> BoxFuture<'a, Result<Observation, Fault>> {
        Box::pin(async move {
            context.spend().await;
            let mut seen = context.answer(&self.id, scope);
            seen.items = Some(match self.kind {
                "codepipeline" => ["checkout-main", "search-main"]
                    .map(|name| ItemId::Pipeline(PipelineId::new(&self.id, name)))
                    .into(),
                "haproxy" => vec![ItemId::Traffic(TrafficId::new(&self.id, "be_checkout"))],
                "appconfig" => {
                    let kind = FaultKind::Forbidden { permission: None };
                    return Err(Fault::new(kind, "appconfig:ListApplications is missing"));
                }
                _ => std::future::pending().await,
            });
            Ok(seen)
        })
    }
}

#[expect(clippy::unnecessary_wraps, reason = "real adapters can refuse to be made")]
fn build(name: &str, config: &SourceConfig) -> Result<Arc<dyn Source>, String> {
    Ok(Arc::new(Fake { id: SourceId::new(name), kind: config.kind() }))
}

struct Seen {
    code: u8,
    out: String,
    err: String,
}

async fn init(args: &InitArgs) -> Seen {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let clock = Arc::new(WallClock);
    let deadline = Duration::from_millis(300);
    let code = run(args, &build, clock, deadline, &mut out, &mut err).await.unwrap();
    Seen { code, out: String::from_utf8(out).unwrap(), err: String::from_utf8(err).unwrap() }
}

fn args(output: &Path) -> InitArgs {
    InitArgs {
        haproxy: Some("tcp://127.0.0.1:9999".to_owned()),
        output: Some(output.to_owned()),
        ..InitArgs::default()
    }
}

#[tokio::test]
async fn what_answers_is_written_and_what_does_not_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("new/config.toml");
    let seen = init(&args(&path)).await;
    assert_eq!(seen.code, 0, "{}", seen.err);
    assert!(seen.out.ends_with("config.toml: 2 services\n"), "{}", seen.out);
    for told in [
        "pipelines: 2 pipelines\n",
        "flags: not reached: appconfig:ListApplications is missing",
        "alarms: not reached: no answer within",
        "haproxy: 1 traffic split\n",
    ] {
        assert!(seen.err.contains(told), "{told} not in\n{}", seen.err);
    }
    let text = std::fs::read_to_string(&path).unwrap();
    let config = load_text("config.toml", &text, &[]).unwrap().config;
    assert_eq!(config.sources.keys().collect::<Vec<_>>(), ["haproxy", "pipelines"]);
    assert_eq!(config.services["checkout"].traffic[0].to_string(), "haproxy/be_checkout");
}

#[tokio::test]
async fn a_file_that_is_there_is_kept_unless_forced() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.toml");
    std::fs::write(&path, "mine").unwrap();
    let kept = init(&args(&path)).await;
    assert_eq!(kept.code, 2);
    assert!(kept.err.contains("is there already"), "{}", kept.err);
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "mine");
    let forced = init(&InitArgs { force: true, ..args(&path) }).await;
    assert_eq!(forced.code, 0, "{}", forced.err);
    assert!(std::fs::read_to_string(&path).unwrap().contains("[services.checkout]"));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[tokio::test]
async fn the_standard_output_gets_the_file_alone() {
    let seen = init(&args(Path::new("-"))).await;
    assert_eq!(seen.code, 0, "{}", seen.err);
    assert!(load_text("out", &seen.out, &[]).is_ok(), "{}", seen.out);
}

#[tokio::test]
async fn nothing_is_written_when_nothing_answers() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.toml");
    let unleash = InitArgs {
        no_aws: true,
        haproxy: None,
        unleash: Some("http://127.0.0.1:1".to_owned()),
        ..args(&path)
    };
    let seen = init(&unleash).await;
    assert_eq!(seen.code, 1);
    assert!(seen.err.ends_with("no source could be reached: nothing written\n"), "{}", seen.err);
    assert!(!path.exists());
}

#[tokio::test]
async fn wrong_arguments_are_refused() {
    let wrong = InitArgs { haproxy: Some("localhost".to_owned()), ..args(Path::new("-")) };
    let seen = init(&wrong).await;
    assert_eq!(seen.code, 2);
    assert!(seen.err.starts_with("--haproxy localhost: "), "{}", seen.err);
    let nothing = InitArgs { no_aws: true, haproxy: None, ..args(Path::new("-")) };
    assert_eq!(init(&nothing).await.code, 2);
}
