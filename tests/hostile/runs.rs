//! Runs: a folder, files and figures with hostile names, and lines with hostile text in them.

use flightdeck::backend::runs::Runs;
use flightdeck::domain::ids::{ItemId, SeriesId};
use flightdeck::domain::series::{SeriesKind, SeriesQuery, SeriesSpec};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use crate::drawn::nothing_of_a_source_is_drawn;
use crate::poison::EVIL;
use crate::stands::{id, settings};

#[tokio::test]
async fn nothing_of_a_run_is_drawn() {
    let folder = tempfile::tempdir().unwrap();
    // A name cannot have a slash in it.
    let evil = EVIL.replace('/', "");
    let inside = folder.path().join(format!("runs{evil}"));
    std::fs::create_dir(&inside).unwrap();
    let tick = json!({
        "format": format!("flightdeck/probe-tick/{EVIL}"), "at": Timestamp::now(),
        "baseline": { EVIL: 1, "sent": 10, "errors": EVIL },
        "canary": { EVIL: 2, "sent": 10, "errors": 1, "latency_ms": EVIL }
    });
    let text = format!("{tick}\n{EVIL}\n{{\"format\":\"{0}\"}}\n{tick}\n", "x");
    std::fs::write(inside.join(format!("good{evil}.ndjson")), &text).unwrap();
    std::fs::write(inside.join("broken.ndjson"), EVIL.repeat(50)).unwrap();
    let spec = |number: usize, run: &str, arm: &str, figure: &str| SeriesSpec {
        id: SeriesId::new(&id(), &format!("{number}{EVIL}")),
        query: SeriesQuery::Arm { split: run.into(), arm: arm.into(), figure: figure.into() },
        kind: SeriesKind::Delta,
        unit: EVIL.into(),
        step: SignedDuration::from_secs(1),
        window: SignedDuration::from_hours(1),
    };
    let good = format!("good{evil}");
    let specs = vec![
        spec(0, &good, "canary", "requests"),
        spec(1, &good, "canary", EVIL),
        spec(2, &good, EVIL, "errors"),
        spec(3, "broken", "baseline", "p99"),
        spec(4, EVIL, "baseline", "p99"),
        spec(5, &format!("none{evil}"), "baseline", "p99"),
    ];
    let series: Vec<ItemId> = specs.iter().map(|spec| ItemId::Series(spec.id.clone())).collect();
    for folder in [inside.clone(), folder.path().join(format!("nowhere{evil}"))] {
        let settings = settings(json!({ "folder": folder }));
        let source = Runs::new(id(), settings, &crate::aws::schedule(), specs.clone());
        nothing_of_a_source_is_drawn(&source, &series).await;
    }
}
