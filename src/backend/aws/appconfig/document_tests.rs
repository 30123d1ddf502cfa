//! Tests of flag documents.

use serde_json::json;

use super::*;

fn parse(document: &Value) -> Document {
    Document::parse(document.to_string().as_bytes()).unwrap()
}

fn entry(value: &Value) -> Entry {
    let document =
        parse(&json!({ "version": "1", "flags": { "x": {} }, "values": { "x": value } }));
    document.flags.get(&"x".into()).unwrap().clone()
}

fn setting(value: &Value) -> Setting {
    entry(value).setting.unwrap()
}

#[test]
fn a_flag_has_a_definition_and_a_value() {
    let document = parse(&json!({
        "version": "1",
        "flags": {
            "tax": {
                "name": "New tax", "description": "taxes of 2026",
                "_deprecation": { "status": "planned", "date": "2026-12-31" },
                "attributes": { "rate": { "constraints": { "type": "number" } } },
                "_updatedAt": "2026-01-01T00:00:00Z"
            },
            "bare": { "name": "Bare" }
        },
        "values": {
            "tax": { "enabled": true, "rate": 5, "places": ["a"], "note": "x",
                     "_updatedAt": "2026-02-01T00:00:00Z" }
        }
    }));
    let tax = document.flags.get(&"tax".into()).unwrap();
    assert_eq!(tax.description.as_ref().unwrap().as_str(), "taxes of 2026");
    assert_eq!(tax.stale.as_ref().unwrap().as_str(), "deprecated, to be removed by 2026-12-31");
    assert_eq!(tax.edited.unwrap().to_string(), "2026-02-01T00:00:00Z");
    let said = tax.setting.as_ref().unwrap();
    assert!(said.enabled && !said.has_variants && said.rules.is_empty());
    let attributes: Vec<_> =
        said.attributes.iter().map(|(name, value)| format!("{name}={value}")).collect();
    assert_eq!(attributes, ["rate=5", "places=[\"a\"]", "note=x"]);
    let bare = document.flags.get(&"bare".into()).unwrap();
    assert_eq!(
        (bare.setting.as_ref(), bare.description.as_ref().unwrap().as_str()),
        (None, "Bare")
    );
}

#[test]
fn variants_are_told_in_their_order() {
    let said = setting(&json!({ "_variants": [
        { "name": "QA", "enabled": true, "rule": "(ends_with $email \"@example.org\")",
          "attributeValues": { "rate": 7 } },
        { "name": "Default Variant", "enabled": false, "attributeValues": { "rate": 5 } }
    ] }));
    assert!(said.enabled && said.has_variants);
    assert_eq!(said.percent, None, "the rule says more than a share");
    let rules: Vec<_> = said.rules.iter().map(SafeText::as_str).collect();
    assert_eq!(rules, ["QA on: (ends_with $email \"@example.org\")", "Default Variant off"]);
    let names: Vec<_> = said.attributes.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["QA: rate", "Default Variant: rate"]);
}

#[test]
fn a_split_alone_is_a_share() {
    let share = |rule: &str, default: bool| {
        let value = json!({ "_variants": [
            { "name": "some", "enabled": true, "rule": rule },
            { "name": "rest", "enabled": default }
        ] });
        setting(&value).percent
    };
    assert_eq!(share("(split pct::10 by::$user)", false), Some(10.0));
    assert_eq!(share("(split by::$user pct::2.5)", false), Some(2.5));
    assert_eq!(share("(split pct::10 by::$user)", true), None);
    assert_eq!(share("(and (split pct::10 by::$user) (eq $a 1))", false), None);
    assert_eq!(share("(split pct::x by::$user)", false), None);
}

#[test]
fn differences_are_told_in_a_word() {
    let (off, on) = (entry(&json!({ "enabled": false })), entry(&json!({ "enabled": true })));
    let five = entry(&json!({ "enabled": true, "rate": 5, "_updatedAt": "2026-02-01T00:00:00Z" }));
    let six = entry(&json!({ "enabled": true, "rate": 6 }));
    let difference = |a: Option<&Entry>, b: Option<&Entry>| Entry::difference(a, b);
    assert_eq!(difference(Some(&off), Some(&on)).as_deref(), Some("on"));
    assert_eq!(difference(Some(&on), Some(&off)).as_deref(), Some("off"));
    assert_eq!(difference(None, Some(&off)).as_deref(), Some("added, off"));
    assert_eq!(difference(Some(&off), None).as_deref(), Some("removed"));
    assert_eq!(difference(Some(&five), Some(&six)).as_deref(), Some("rate = 6"));
    assert_eq!(difference(Some(&on), Some(&on)), None);
    let edited = Entry { edited: None, ..five.clone() };
    assert_eq!(difference(Some(&edited), Some(&five)), None, "an edit back and forth is none");
}

#[test]
fn what_is_no_flag_document_is_refused() {
    for content in ["", "hello", "[]", "{\"flags\": []}", "{\"values\": 1}", "\u{0}"] {
        assert!(Document::parse(content.as_bytes()).is_err(), "{content}");
    }
    assert_eq!(Document::parse(b"{}").unwrap(), Document::default());
    let odd =
        Document::parse(br#"{"flags":{"a":1},"values":{"a":2,"b":{"enabled":"x"}}}"#).unwrap();
    assert_eq!(odd.flags.len(), 2, "odd values are no reason to lose the other flags");
}
