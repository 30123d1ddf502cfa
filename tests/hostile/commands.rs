//! The commands that print: what a backend, a journal and a file of figures say reaches no terminal
//! as anything but visible characters.

use serde_json::{Value, json};

use crate::aws::{Cloud, Reply, Request};
use crate::child::{Laptop, Seen};
use crate::drawn::is_hostile;
use crate::pipes::checkout;
use crate::poison::EVIL;

fn assert_clean(seen: &Seen, what: &str) {
    for text in [&seen.out, &seen.err] {
        assert!(!text.contains(|c: char| c != '\n' && is_hostile(c)), "{what}: {text:?}");
    }
    assert!(!seen.out.is_empty() || !seen.err.is_empty(), "{what} says nothing");
}

/// Puts hostile text behind everything that people wrote, and leaves what is matched by name.
fn spoil(value: &mut Value) {
    match value {
        Value::String(text) if text.contains(' ') => text.push_str(EVIL),
        Value::Array(values) => values.iter_mut().for_each(spoil),
        Value::Object(members) => {
            for (name, value) in members {
                match value {
                    Value::String(text)
                        if matches!(name.as_str(), "CustomData" | "lastUpdatedBy") =>
                    {
                        text.push_str(EVIL);
                    }
                    other => spoil(other),
                }
            }
        }
        _ => {}
    }
}

fn spoiled(request: &Request) -> Reply {
    if request.operation() == "ListPipelines" {
        return Reply::json(&json!({ "pipelines": [
            { "name": "checkout", "version": 4 }, { "name": format!("x{EVIL}"), "version": 1 }
        ] }));
    }
    if request.text("name").starts_with('x') || request.text("pipelineName").starts_with('x') {
        return Reply::error(400, "ValidationException", EVIL);
    }
    let reply = checkout(request);
    let mut body: Value = serde_json::from_slice(&reply.body).unwrap();
    spoil(&mut body);
    Reply::json(&body)
}

async fn deck() -> (Cloud, Laptop) {
    let cloud = Cloud::start(spoiled).await;
    let laptop = Laptop::new();
    let name = serde_json::to_string(&format!("all{}", EVIL.replace(['/', '\u{7f}'], ""))).unwrap();
    let web = serde_json::to_string(&format!("web{}", EVIL.replace('\u{7f}', ""))).unwrap();
    laptop.aws("credentials", "[lab]\naws_access_key_id = A\naws_secret_access_key = s\n");
    laptop.configure(&format!(
        "[sources.pipes]\nkind = \"codepipeline\"\nprofile = \"lab\"\nregion = \"eu-west-1\"\n\
         endpoint = \"{0}\"\n\
         [sources.web]\nkind = \"http\"\n[[sources.web.targets]]\nname = {web}\nurl = \"{0}/health\"\n\
         [services.all]\ndescription = {name}\nowners = [{name}]\nlinks = {{ {name} = {name} }}\n\
         pipelines = [\"pipes/*\"]\nenvironments = [\"web/*\"]\n",
        cloud.url
    ));
    (cloud, laptop)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_backends_say_is_printed_harmlessly() {
    let (cloud, laptop) = deck().await;
    let settled = laptop.run(&["status"], &[]).await;
    assert_clean(&settled, "status");
    assert!(settled.out.contains("checkout"), "{settled:?}");
    for command in [
        &["sources"][..],
        &["sources", "-o", "json"],
        &["status", "-s", "all"],
        &["status", "-o", "ndjson"],
        &["watch", "--for", "3", "-o", "plain"],
        &["watch", "--for", "3", "-o", "ndjson"],
        &["approve", "checkout", "--stage", "Staging", "--dry-run"],
        &["approve", "checkout", "--stage", "Staging", "--dry-run", "-o", "json"],
        &["stop", "checkout", "--dry-run"],
        &["approve", &format!("x{EVIL}"), "--dry-run"],
        &["wait", "--for", &format!("checkout/{EVIL}=succeeded"), "--timeout", "1"],
    ] {
        assert_clean(&laptop.run(command, &[]).await, &format!("{command:?}"));
    }
    assert!(cloud.count("GetPipelineState") > 0);
    assert_eq!(cloud.count("PutApprovalResult"), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_journal_that_somebody_wrote_into_is_printed_harmlessly() {
    let (_cloud, laptop) = deck().await;
    let folder = laptop.run(&["journal", "path"], &[]).await.out;
    let folder = std::path::Path::new(folder.trim());
    assert!(folder.starts_with(laptop.path()), "{}", folder.display());
    std::fs::create_dir_all(folder).unwrap();
    let record = |event: Value| {
        let mut record = json!({
            "at": "2026-01-01T00:00:00Z", "plan": EVIL, "title": EVIL, "step": 0, "who": EVIL
        });
        record
            .as_object_mut()
            .unwrap()
            .extend(json!({ "event": event }).as_object().unwrap().clone());
        json!({ "hash": EVIL, "prev": EVIL, "record": record }).to_string()
    };
    let lines = [
        record(json!({ "event": "confirmed", "plan": { "reason": EVIL, "title": EVIL } })),
        record(json!({ "event": "sending", "order": EVIL })),
        record(json!({ "event": "reply", "reply": { "message": EVIL } })),
        record(json!({ "event": "ended", "outcome": { "failed": EVIL }, "sentence": EVIL })),
        EVIL.to_owned(),
    ];
    std::fs::write(folder.join("2026-01-01.jsonl"), lines.join("\n") + "\n").unwrap();
    for command in [
        &["journal"][..],
        &["journal", "verify"],
        &["journal", "-o", "json"],
        &["journal", "-o", "ndjson"],
    ] {
        let seen = laptop.run(command, &[]).await;
        assert_clean(&seen, &format!("{command:?}"));
        assert_eq!(seen.code, 1, "{command:?}: {seen:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn figures_with_hostile_names_are_judged_harmlessly() {
    let (_cloud, laptop) = deck().await;
    // Within a cell there is neither a comma nor a line end.
    let evil: String = EVIL.chars().filter(|c| !matches!(c, '\r' | '\n')).collect();
    let mut text = format!("latency{evil},errors,requests\n");
    for tick in 0..60 {
        text += &format!("{},{},100\n", 100 + tick % 7, tick % 2);
    }
    for name in ["old.csv", "new.csv"] {
        std::fs::write(laptop.path().join(name), &text).unwrap();
    }
    let judge = ["canary", "judge", "--baseline", "old.csv", "--canary", "new.csv"];
    for more in [&[][..], &["--counts", "errors/requests"], &["-o", "json"], &["--mode", "kayenta"]]
    {
        let args = [&judge[..], more].concat();
        let seen = laptop.run(&args, &[]).await;
        assert_clean(&seen, &format!("{more:?}"));
    }
    let broken = laptop.path().join("broken.csv");
    std::fs::write(&broken, format!("{evil}\n{evil}\n")).unwrap();
    let args = ["canary", "judge", "--baseline", "broken.csv", "--canary", "new.csv"];
    assert_clean(&laptop.run(&args, &[]).await, "broken");
}
