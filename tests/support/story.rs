//! What `journal -o json` tells, as a story.

use serde_json::Value;

/// Each plan, the oldest first: what it was for, and how its steps ended.
pub fn story(journal: &str) -> Vec<(String, Vec<String>)> {
    let report: Value = serde_json::from_str(journal).unwrap();
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
