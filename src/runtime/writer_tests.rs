//! Tests of the writer: what other processes do is seen here too.

use jiff::Timestamp;

use super::*;
use crate::app::activity::ActivityStep;
use crate::backend::clock::WallClock;
use crate::domain::ids::{PipelineId, SourceId};
use crate::domain::write::{Expectation, Plan, PlanId, Step, Words, Write};
use crate::store::journal::{Event, Journal, Record};

fn plan() -> Plan {
    let step = Step {
        write: Write::Start { pipeline: PipelineId::new(&SourceId::new("aws"), "shop-main") },
        expects: Expectation::default(),
        seen_at: Timestamp::now(),
        words: Words::default(),
        identity: None,
        place: "here".into(),
        undo: None,
        no_undo: None,
    };
    Plan {
        id: PlanId("other-1".to_owned()),
        title: "start shop-main".into(),
        service: None,
        steps: vec![step],
        guards: Vec::new(),
        at: Timestamp::now(),
        production: false,
        name: "shop-main".into(),
        notes: Vec::new(),
        intent: serde_json::Value::Null,
    }
}

#[tokio::test(start_paused = true)]
async fn what_another_process_writes_is_taken_in_from_its_beginning_to_its_end() {
    let folder = tempfile::tempdir().unwrap();
    let journal = Journal::new(folder.path().join("journal"));
    let write = |step: Option<usize>, event: Event| {
        let (plan, title) = ("other-1".to_owned(), "start shop-main".into());
        let (at, who) = (Timestamp::now(), "kim@there".into());
        journal.append(&Record { at, plan, title, step, who, event }).unwrap();
    };
    let (out, mut inbox) = mpsc::channel(64);
    let (clock, here) = (Arc::new(WallClock), folder.path().to_owned());
    let _writer = Writer::start(Gateway::new([], clock, here, "dana@here".into()), &out, true);
    let mut told = async |wanted: &dyn Fn(&[Activity]) -> bool| {
        while let Some(msg) = inbox.recv().await {
            if matches!(&msg, Msg::Past(past) if wanted(past)) {
                return;
            }
        }
        panic!("it was never told");
    };
    told(&<[Activity]>::is_empty).await;
    write(None, Event::Confirmed { plan: serde_json::json!({ "plan": plan() }), origin: None });
    write(Some(0), Event::Sending { order: serde_json::json!({}) });
    told(&|past| past.iter().any(Activity::is_under_way)).await;
    let outcome = serde_json::to_value(Outcome::Done { note: None }).unwrap();
    write(Some(0), Event::Ended { outcome, sentence: "done".into(), looked: None });
    told(&|past| past.iter().any(|activity| activity.steps.iter().all(ActivityStep::is_done)))
        .await;
}
