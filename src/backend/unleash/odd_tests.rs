//! Unleash of a version that nobody tried, and with texts that nobody meant well.

use super::*;

#[tokio::test]
async fn a_version_that_was_not_tried_is_read_and_warned_of() {
    let world = world!("v8");
    for (version, warned) in [("7.5.1", false), ("8.2.0", false), ("6.9.3", true), ("9.0.0", true)]
    {
        world.alter("ui-config", |config| config["version"] = json!(version));
        let server = world.serve().await;
        let seen = bench(&server.url, &json!({})).overview().await;
        assert!(!seen.facts.is_empty(), "{version}");
        let wanted = format!("Unleash {version}: flightdeck was checked with 7 and 8");
        let warnings: Vec<&str> = seen.warnings.iter().map(SafeText::as_str).collect();
        assert_eq!(warnings, if warned { vec![&*wanted] } else { vec![] });
    }
}

#[tokio::test]
async fn hostile_texts_reach_no_fact() {
    let evil = "x\u{1b}]52;c;ZXZpbA==\u{7}\u{202e}\u{200b}\u{9b}31m\r\ty";
    let world = world!("v7");
    for path in [
        "projects/default/features",
        "projects/default/features/new-tax",
        "search/events",
        "segments",
        "user",
        "ui-config",
    ] {
        world.alter(path, |value| poison(value, evil));
    }
    let server = world.serve().await;
    let bench = bench(&server.url, &json!({}));
    let overview = bench.overview().await;
    let new_tax = FlagId::new(&bench.source.meta.id, "default:new-tax");
    let items = bench.read(Topic::Items, vec![ItemId::Flag(new_tax)]).await.unwrap();
    let log = bench.read(Topic::Changes, Vec::new()).await.unwrap();
    assert!(!changes(&log).is_empty() && items.facts.len() == 1);
    let shown = serde_json::to_string(&(overview, items, log)).unwrap();
    let hostile = |c: char| c.is_control() || matches!(c, '\u{202e}' | '\u{200b}');
    assert!(!shown.contains("]52") && !shown.contains("\\u00") && !shown.contains(hostile));
}

/// Puts `evil` behind every text that no logic depends on.
fn poison(value: &mut Value, evil: &str) {
    const KEPT: [&str; 9] = [
        "name",
        "createdAt",
        "type",
        "project",
        "operator",
        "lastSeenAt",
        "rollout",
        "featureName",
        "environment",
    ];
    match value {
        Value::String(text) => text.push_str(evil),
        Value::Array(values) => values.iter_mut().for_each(|value| poison(value, evil)),
        Value::Object(members) => {
            for (name, value) in members.iter_mut() {
                if !KEPT.contains(&name.as_str()) || name == "title" {
                    poison(value, evil);
                }
            }
        }
        _ => {}
    }
}
