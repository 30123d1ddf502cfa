//! `flightdeck canary`: verdicts for scripts, on files and on what is under way.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a failing unwrap in a test is a failing test"
)]

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use assert_cmd::Command;
use flightdeck::config::load_text;
use serde_json::Value;

struct Desk(tempfile::TempDir);

impl Desk {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    /// Exit code, stdout and stderr.
    fn run(&self, args: &[&str]) -> (i32, String, String) {
        let mut command = Command::cargo_bin("flightdeck").unwrap();
        command.env_clear().env("HOME", self.0.path()).env("LANG", "C.UTF-8");
        let output = command.current_dir(self.0.path()).args(args).output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
    }

    fn judge(&self, baseline: &Path, canary: &Path, more: &[&str]) -> (i32, String, String) {
        let (baseline, canary) = (baseline.to_str().unwrap(), canary.to_str().unwrap());
        let mut args = vec!["canary", "judge", "--baseline", baseline, "--canary", canary];
        args.extend(more);
        self.run(&args)
    }
}

/// Minutes `from..to` with so many requests, errors and a p99 that wobbles around `p99`.
fn minutes(from: i64, to: i64, requests: u32, errors: u32, p99: f64) -> String {
    let mut text = "time,requests,errors,p99\n".to_owned();
    for minute in from..to {
        let wobble = f64::from(u32::try_from((minute * 37) % 11).unwrap()) - 5.0;
        let at = 1_780_000_000 + minute * 60;
        writeln!(text, "{at},{requests},{errors},{}", p99 + wobble).unwrap();
    }
    text
}

#[test]
fn the_verdict_is_the_exit_code() {
    let desk = Desk::new();
    let baseline = desk.file("old.csv", &minutes(0, 400, 9_500, 95, 200.0));
    for (rows, errors, code, said) in [
        (60..400, 15, 30, "fail: canary"),
        (60..400, 5, 0, "pass: canary"),
        (60..63, 5, 32, "not enough data: canary"),
    ] {
        let canary = desk.file("new.csv", &minutes(rows.start, rows.end, 500, errors, 200.0));
        let (found, out, err) = desk.judge(&baseline, &canary, &["--counts", "errors/requests"]);
        assert_eq!(found, code, "{out}{err}");
        assert!(out.starts_with(said), "{out}");
        assert!(out.contains("60 rows before the canary's first taught the noise"), "{out}");
    }
}

#[test]
fn what_nobody_said_is_told() {
    let desk = Desk::new();
    let baseline = desk.file("old.csv", &minutes(0, 200, 9_500, 95, 200.0));
    let canary = desk.file("new.csv", &minutes(0, 200, 500, 5, 200.0));
    let (code, out, err) = desk.judge(&baseline, &canary, &["-o", "json"]);
    assert_eq!(err, "");
    let found: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(found["format"], "flightdeck/canary-judge/1");
    assert_eq!(found["assumed"][0], "errors counts events among requests, and more is worse");
    assert_eq!(found["assumed"][1], "p99 is a level, and more is worse");
    assert_eq!(code, if found["verdict"] == "pass" { 0 } else { 32 });
    let weight = found["judged"]["weight"].as_f64().unwrap();
    assert!((weight - 0.05).abs() < 1e-9, "{weight}");
}

#[test]
fn what_is_agreed_may_be_a_file() {
    let desk = Desk::new();
    let baseline = desk.file("old.csv", &minutes(0, 400, 9_500, 950, 200.0));
    let canary = desk.file("new.csv", &minutes(60, 400, 500, 20, 200.0));
    let metrics = "[[metrics]]\nname = \"orders\"\nkind = \"counts\"\nevents = \"errors\"\n";
    let spec = desk.file("spec.toml", &format!("{metrics}direction = \"decrease\"\n"));
    let (code, out, err) = desk.judge(&baseline, &canary, &["--spec", spec.to_str().unwrap()]);
    assert_eq!(code, 30, "{out}{err}");
    let spec = desk.file("spec.toml", &format!("{metrics}colour = \"red\"\n"));
    let (code, _, err) = desk.judge(&baseline, &canary, &["--spec", spec.to_str().unwrap()]);
    assert_eq!(code, 2);
    assert!(err.contains("spec.toml") && err.contains("colour"), "{err}");
}

#[test]
fn faults_in_the_files_say_where() {
    let desk = Desk::new();
    let good = desk.file("old.csv", "requests,errors\n100,1\n");
    for (text, said) in [
        ("requests,errors\n100,few\n", "new.csv:2: column `errors`: `few` is no number"),
        ("requests,fails\n100,1\n", "new.csv: there is no column `errors`"),
        ("time,requests,errors\n1,100,1\n", "rows cannot be paired"),
        ("", "new.csv:1: a column without a name"),
    ] {
        let bad = desk.file("new.csv", text);
        let (code, out, err) = desk.judge(&good, &bad, &[]);
        assert_eq!((code, out.as_str()), (2, ""), "{err}");
        assert!(err.contains(said), "{err}");
    }
    let (code, _, err) = desk.judge(&good, Path::new("nowhere.csv"), &[]);
    assert_eq!(code, 2);
    assert!(err.contains("cannot read nowhere.csv"), "{err}");
    let (code, _, err) = desk.judge(&good, &good, &["--margin", "latency=0.1"]);
    assert_eq!(code, 2);
    assert!(err.contains("no such metric is judged; there are errors"), "{err}");
}

/// The shape is that of the canary configuration that Kayenta's documentation shows.
const KAYENTA: &str = r#"{
  "name": "shop-prod", "description": "errors and latency", "configVersion": "1.0",
  "applications": ["shop"], "judge": { "name": "NetflixACAJudge-v1.0", "judgeConfigurations": {} },
  "metrics": [
    { "name": "errors", "groups": ["Errors"], "scopeName": "default",
      "query": { "type": "prometheus", "serviceType": "prometheus", "metricName": "errors",
                 "labelBindings": ["service=\"shop\"", "version=\"${scope}\""], "groupByFields": [] },
      "analysisConfigurations": { "canary": { "direction": "increase", "critical": true,
        "nanStrategy": "replace", "effectSize": { "allowedIncrease": 1.2 } } } },
    { "name": "p99", "groups": ["Latency"], "scopeName": "default",
      "query": { "type": "prometheus", "serviceType": "prometheus",
                 "customInlineTemplate": "PromQL:max(p99{version=\"${scope}\"})" },
      "analysisConfigurations": { "canary": { "direction": "either",
        "outliers": { "strategy": "remove" } } } },
    { "name": "cpu", "groups": ["Latency"], "scopeName": "default",
      "query": { "type": "stackdriver", "metricType": "cpu" },
      "analysisConfigurations": { "canary": { "direction": "decrease" } } }
  ],
  "classifier": { "groupWeights": { "Errors": 60, "Latency": 40 },
                  "scoreThresholds": { "pass": 90, "marginal": 70 } }
}"#;

#[test]
fn kayentas_rules_score_as_kayenta_does() {
    let desk = Desk::new();
    let without_cpu = KAYENTA.replace("\"name\": \"cpu\"", "\"name\": \"p99\"");
    let config = desk.file("kayenta.json", &without_cpu);
    let more = ["--mode", "kayenta", "--spec", config.to_str().unwrap(), "-o", "json"];
    let baseline = desk.file("old.csv", &minutes(0, 60, 9_500, 95, 200.0));
    for (errors, code, score) in [(95, 0, 100.0), (300, 30, 0.0)] {
        let canary = desk.file("new.csv", &minutes(0, 60, 9_500, errors, 200.0));
        let (found, out, err) = desk.judge(&baseline, &canary, &more);
        assert_eq!(found, code, "{out}{err}");
        let found: Value = serde_json::from_str(&out).unwrap();
        assert_eq!(found["kayenta"]["score"], score);
        assert_eq!(found["kayenta"]["pass"], 90.0);
    }
    let (code, out, _) = desk.judge(&baseline, &baseline, &["--mode", "kayenta", "--pass", "101"]);
    assert_eq!(code, 31, "{out}");
    assert!(out.contains("score 100 (pass from 101, marginal from 75)"), "{out}");
    assert!(!out.contains("points are enough"), "{out}");
    let few = desk.file("few.csv", &minutes(0, 12, 9_500, 95, 200.0));
    let (_, out, _) = desk.judge(&baseline, &few, &["--mode", "kayenta"]);
    assert!(out.contains("p99: 12 points are enough; Kayenta's guide asks for 50"), "{out}");
}

#[test]
fn argos_limits_count_the_measurements_of_the_canary() {
    let desk = Desk::new();
    let old = desk.file("old.csv", "requests,errors\n100,0\n");
    let new = desk.file("new.csv", "requests,errors\n100,1\n100,9\n100,4\n,\n100,1\n");
    let rule = "[[metrics]]\nname = \"errors\"\nevents = \"errors\"\n";
    for (more, code, said) in [
        ("failure = \"result[0] > 0.05\"\nfailure_limit = 1\ncount = 4\n", 0, "run Successful"),
        ("success = \"<= 0.05\"\ncount = 4\n", 30, "run Failed"),
        ("success = \"<= 0.02\"\nfailure = \"> 0.2\"\ncount = 4\n", 31, "run Inconclusive"),
        ("consecutive_error_limit = 0\n", 30, "run Error"),
        ("failure_limit = -1\n", 32, "errors has no count"),
    ] {
        let spec = desk.file("argo.toml", &format!("{rule}{more}"));
        let args = ["--mode", "argo", "--spec", spec.to_str().unwrap()];
        let (found, out, err) = desk.judge(&old, &new, &args);
        assert_eq!(found, code, "{more}{out}{err}");
        assert!(out.contains(said) && out.contains("the baseline was not looked at"), "{out}");
    }
    for (more, said) in
        [("success = \"high\"\n", "`high` is no condition"), ("limit = 1\n", "limit")]
    {
        let spec = desk.file("argo.toml", &format!("{rule}{more}"));
        let args = ["--mode", "argo", "--spec", spec.to_str().unwrap()];
        let (code, _, err) = desk.judge(&old, &new, &args);
        assert_eq!(code, 2, "{err}");
        assert!(err.contains("argo.toml") && err.contains("line 4") && err.contains(said), "{err}");
    }
}

#[test]
fn flaggers_failed_checks_add_up() {
    let desk = Desk::new();
    let old = desk.file("old.csv", "p99\n100\n");
    let new = desk.file("new.csv", "p99\n900\n100\n900\n100\n\"\"\n");
    for (threshold, steps, code, said) in [
        (2, "step_weight = 10\n", 30, "Failed at 0%: 2 failed checks, 2 take it back"),
        (3, "step_weight = 10\n", 32, "Progressing at 30%: 2 failed checks, 3 take it back"),
        (3, "step_weights = [10, 20]\n", 0, "Promoting at 20%: 1 failed checks"),
    ] {
        let metric = "[[metrics]]\nname = \"p99\"\nmax = 500\n";
        let spec = desk.file("f.toml", &format!("threshold = {threshold}\n{steps}{metric}"));
        let args = ["--mode", "flagger", "--spec", spec.to_str().unwrap()];
        let (found, out, err) = desk.judge(&old, &new, &args);
        assert_eq!(found, code, "{out}{err}");
        assert!(out.contains(said), "{out}");
    }
    let (code, _, err) = desk.judge(&old, &new, &["--mode", "flagger"]);
    assert_eq!(code, 2);
    assert!(err.contains("--spec FILE"), "{err}");
}

#[test]
fn kayentas_configuration_becomes_one_of_ours() {
    let desk = Desk::new();
    let file = desk.file("kayenta.json", KAYENTA);
    let (code, out, err) = desk.run(&["canary", "import-kayenta", file.to_str().unwrap()]);
    assert_eq!((code, err.as_str()), (0, ""), "{out}");
    let source = "[sources.prometheus]\nkind = \"prometheus\"\nurl = \"http://127.0.0.1:9090\"\n\n";
    let config = load_text("imported.toml", &format!("{source}{out}"), &[]).unwrap().config;
    let canary = &config.services()[0].canaries[0];
    assert_eq!(canary.id.as_str(), "shop/shop-prod");
    let metrics: Vec<(&str, f64, f64, bool)> =
        canary.metrics.iter().map(|m| (m.name.as_str(), m.margin, m.weight, m.critical)).collect();
    assert_eq!(metrics, [("errors", 0.2, 60.0, true), ("p99", 0.1, 20.0, false)]);
    assert!(out.contains(r#"query = 'avg(errors{service="shop",version="{arm}"})'"#), "{out}");
    // What has no counterpart is not lost, and does not stop the rest.
    assert!(out.contains("# this kind of query has no counterpart yet"), "{out}");
    assert!(out.contains("# name = \"cpu\""), "{out}");
    let bad = desk.file("bad.json", "{\"metrics\": 7}");
    let (code, _, err) = desk.run(&["canary", "import-kayenta", bad.to_str().unwrap()]);
    assert_eq!(code, 2);
    assert!(err.contains("bad.json: this is no canary configuration of Kayenta"), "{err}");
}

#[test]
fn what_is_under_way_is_listed_and_judged() {
    let desk = Desk::new();
    let world = ["--scenario", "bad-canary", "--set", "rehearsal.speed=240"];
    let run = |more: &[&str]| desk.run(&[more, &world[..]].concat());
    let (code, out, err) = run(&["canary", "list"]);
    assert_eq!(code, 0, "{err}");
    assert!(out.contains("checkout.prod-eu") && out.contains("errors, p99, orders"), "{out}");
    let (code, out, err) = run(&["canary", "watch", "checkout", "--until-verdict", "--for", "60"]);
    let lines: Vec<Value> = out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let last = lines.last().unwrap();
    let expected = match last["verdict"].as_str().unwrap() {
        // As long as it is good.
        "pass" => 0,
        "fail" => 30,
        "marginal" => 31,
        other => panic!("{other}: {out}"),
    };
    assert_eq!(code, expected, "{out}{err}");
    assert_eq!(last["format"], "flightdeck/canary-event/1");
    // Good or not when it is first judged: it is bad three quarters of an hour later.
    let (code, out, err) = run(&["canary", "watch", "checkout", "--for", "12"]);
    let last: Value = serde_json::from_str(out.lines().last().unwrap()).unwrap();
    assert_eq!((code, &last["verdict"]), (30, &Value::from("fail")), "{out}{err}");
    let (code, out, _) = run(&["canary", "status", "chekout"]);
    assert_eq!((code, out.as_str()), (2, ""));
}

#[test]
fn a_flight_is_told_line_by_line_and_in_the_journal() {
    let desk = Desk::new();
    let world = ["--scenario", "bad-canary", "--set", "rehearsal.speed=240"];
    let fly = [&["pilot", "checkout", "--yes", "-o", "ndjson"], &world[..]].concat();
    let (code, out, err) = desk.run(&fly);
    let lines: Vec<Value> = out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let last = lines.last().unwrap();
    assert_eq!(last["end"], "rolled_back", "{out}{err}");
    assert_eq!((code, &last["phase"]), (11, &Value::from("rolled back")), "{out}{err}");
    assert_eq!(last["verdict"], "fail");
    assert!(lines.iter().any(|line| line["share"] == 10.0 && line["end"].is_null()), "{out}");
    let journal = |more: &[&str]| desk.run(&[&["journal"], more, &world[..]].concat());
    let (code, out, err) = journal(&[]);
    assert_eq!(code, 0, "{err}");
    for told in ["pilot engaged", "pilot rolled back", "verdict fail", "rolled back, and held"] {
        assert!(out.contains(told), "{told}: {out}");
    }
    assert!(out.contains(": by the pilot: 10%: ROLL BACK"), "{out}");
    assert!(!out.contains("no outcome yet"), "{out}");
    assert_eq!(journal(&["verify"]).0, 0);
    let (code, _, err) = desk.run(&["pilot", "checkout", "--limit", "4294967295"]);
    assert_eq!(code, 2, "{err}");
}

#[test]
fn a_canary_without_traffic_passes_no_gate() {
    let desk = Desk::new();
    let world = ["--scenario", "quiet-day"];
    let (code, out, err) = desk.run(&[&["canary", "status"], &world[..]].concat());
    assert_eq!(code, 32, "{out}{err}");
    assert!(out.contains("not under way"), "{out}");
    let watch = ["canary", "watch", "checkout", "--until-verdict", "--for", "3"];
    let (code, out, err) = desk.run(&[&watch[..], &world[..]].concat());
    assert_eq!(code, 32, "{out}{err}");
    let other = ["canary", "status", "checkout", "--canary", "nothing"];
    let (code, out, _) = desk.run(&[&other[..], &world[..]].concat());
    assert_eq!((code, out.as_str()), (2, ""));
}

#[test]
fn a_canary_of_which_nothing_is_known_is_not_well() {
    let desk = Desk::new();
    let config = desk.file(
        "dead.toml",
        "[sources.prom]\nkind = \"prometheus\"\nurl = \"http://127.0.0.1:1\"\n\
         [sources.edge]\nkind = \"haproxy\"\naddress = \"tcp://127.0.0.1:1\"\n\
         [[services.shop.canaries]]\nname = \"prod\"\ntraffic = \"edge/be_shop\"\n\
         signals = { source = \"prom\", labels = 'version=\"{arm}\"' }\n",
    );
    let (code, out, err) =
        desk.run(&["canary", "status", "--config", config.to_str().unwrap(), "--wait", "5"]);
    assert_eq!(code, 12, "{out}{err}");
    assert!(out.contains("unknown: shop/prod: its traffic split was not read"), "{out}");
}

/// Shares of failed requests between 0.00004 and 0.00008, half as much again on the canary.
#[test]
fn kayentas_blindness_for_tiny_values_is_said_and_can_be_healed() {
    let desk = Desk::new();
    let shares = |factor: f64| {
        let mut text = "time,share\n".to_owned();
        for minute in 0..60 {
            let value = factor * 1e-5 * (4.0 + f64::from((minute * 37) % 11) * 0.2);
            writeln!(text, "{},{value:e}", 1_780_000_000 + minute * 60).unwrap();
        }
        text
    };
    let (baseline, canary) =
        (desk.file("baseline.csv", &shares(1.0)), desk.file("canary.csv", &shares(1.5)));
    let (code, out, err) = desk.judge(&baseline, &canary, &["--mode", "kayenta"]);
    assert_eq!(code, 0, "{out}{err}");
    assert!(out.contains("or judge with --exact-roots"), "{out}");
    let (code, out, err) =
        desk.judge(&baseline, &canary, &["--mode", "kayenta", "--exact-roots", "-o", "json"]);
    assert_ne!(code, 0, "{out}{err}");
    let found: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(found["kayenta"]["metrics"][0]["classification"], "High", "{out}");
    let (code, _, err) = desk.judge(&baseline, &canary, &["--exact-roots"]);
    assert_eq!(code, 2, "{err}");
    assert!(err.contains("--mode kayenta"), "{err}");
}

#[test]
fn levels_are_calibrated_by_two_files_of_one_version() {
    let desk = Desk::new();
    let slow = |phase: f64| {
        let mut text = "time,p99\n".to_owned();
        for minute in 0..400_i32 {
            let value = 200.0 * (1.0 + 0.1 * (f64::from(minute) / 60.0 + phase).sin());
            writeln!(text, "{},{value}", 1_780_000_000 + minute * 60).unwrap();
        }
        text
    };
    let (one, other) = (desk.file("a.csv", &slow(0.0)), desk.file("b.csv", &slow(1.0)));
    let (code, out, err) = desk.judge(&one, &other, &["--calibrate"]);
    assert_eq!(code, 0, "{out}{err}");
    assert!(out.starts_with("p99: v_min = ") && out.contains("400 pairs"), "{out}");
    let (_, out, _) = desk.judge(&one, &other, &["--calibrate", "-o", "json"]);
    let found: Value = serde_json::from_str(&out).unwrap();
    assert!(found["metrics"][0]["v_min"].as_f64().unwrap() > 10.0, "{out}");
    // The same file twice has no differences.
    let (code, out, _) = desk.judge(&one, &one, &["--calibrate"]);
    assert!(code != 0 && out.contains("not known"), "{code} {out}");
    let counts = desk.file("counts.csv", &minutes(0, 30, 1_000, 10, 200.0));
    let (code, _, err) =
        desk.judge(&counts, &counts, &["--calibrate", "--counts", "errors/requests"]);
    assert_eq!(code, 2, "{err}");
}
