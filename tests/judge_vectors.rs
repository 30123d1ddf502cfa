//! Runs the judge against a file of reference cases: every kind, every case, within the stated
//! tolerances. `FLIGHTDECK_JUDGE_VECTORS` names another file of the same schema.
#![expect(clippy::indexing_slicing, reason = "what a reference file lacks must fail the test")]

#[path = "judge/vector_compat.rs"]
mod compat;
#[path = "judge/vector_engines.rs"]
mod engines;
#[path = "judge/vector_support.rs"]
mod support;
#[path = "judge/vector_verdict.rs"]
mod verdict;

use serde_json::Value;
use support::Case;

fn run(case: &mut Case<'_>) -> Result<(), String> {
    match case.kind() {
        "mann_whitney" => compat::mann_whitney(case),
        "kayenta_classify" => compat::kayenta_classify(case),
        "kayenta_score" => compat::kayenta_score(case),
        "argo_metric" => compat::argo_metric(case),
        "argo_run" => compat::argo_run(case),
        "flagger_loop" => compat::flagger_loop(case),
        "event_ratio" => engines::event_ratio(case),
        "strict_tick" => engines::strict_tick(case),
        "beta_binomial" => engines::beta_binomial(case),
        "quantile_ranks" => engines::quantile_ranks(case),
        "series_tmix" => engines::series_tmix(case),
        "asymp_cs" => engines::asymp_cs(case),
        "combine" => engines::combine(case),
        "verdict" => verdict::verdict(case),
        other => Err(format!("unknown kind `{other}`")),
    }
}

#[test]
fn judge_vectors() {
    let path = std::env::var("FLIGHTDECK_JUDGE_VECTORS").unwrap_or_else(|_| {
        concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors/judge.json").into()
    });
    let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{path}: {e}"));
    let file: Value = serde_json::from_str(&text).unwrap_or_else(|e| panic!("{path}: {e}"));
    let cases = file["cases"].as_array().unwrap_or_else(|| panic!("{path}: no `cases`"));
    assert!(!cases.is_empty(), "{path}: no case in it");
    let mut complaints = Vec::new();
    let mut compared = 0;
    for (at, value) in cases.iter().enumerate() {
        let mut case = Case::new(value);
        if let Err(reason) = run(&mut case) {
            case.complain(reason);
        }
        case.complain_about_unread();
        if case.compared == 0 {
            case.complain("nothing was compared".into());
        }
        compared += case.compared;
        let id = value["id"].as_str().unwrap_or("?");
        complaints.extend(case.complaints.iter().map(|what| format!("#{at} {id}: {what}")));
    }
    println!("{} cases, {compared} values compared", cases.len());
    assert!(
        complaints.is_empty(),
        "{} complaints about {path}:\n{}",
        complaints.len(),
        complaints.join("\n")
    );
}
