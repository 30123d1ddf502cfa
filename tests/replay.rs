//! `flightdeck replay` against two small HTTP servers: what differs, what is noise, what stays secret.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a failing unwrap in a test is a failing test"
)]

#[path = "replay/server.rs"]
mod server;

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;

use server::{Server, json, path_of};

/// One secret of each kind that a recording can hold; none may come out anywhere.
const SECRETS: [&str; 9] = [
    "hunter2bearer",
    "hunter2cookie",
    "hunter2query",
    "hunter2user",
    "hunter2body",
    "hunter2line",
    "hunter2proxy",
    "hunter2apikey",
    "hunter2matrix",
];

/// A shop with a random request id and a time in each answer, and its own address in some.
fn shop(n: u64, request: &str, canary: bool) -> Option<String> {
    let path = path_of(request);
    let host = request.split("host: ").nth(1).unwrap().split('\r').next().unwrap();
    if path.starts_with("/orders/") {
        let name = if canary { "amount" } else { "total" };
        let offset = if canary { 5_000 } else { 0 };
        return json(
            "200 OK",
            &format!(
                r#"{{"id":"r{}","at":{},"order":{{"{name}":12}},"self":"http://{host}{path}"}}"#,
                n * 31 + offset,
                n + offset
            ),
        );
    }
    match path {
        "/cart" if canary => json("404 Not Found", "{}"),
        "/old" => Some(format!(
            "HTTP/1.1 302 Found\r\nLocation: http://{host}/new\r\nContent-Length: 0\r\n\r\n"
        )),
        _ => json("200 OK", r#"{"items":[1,2,3]}"#),
    }
}

struct Room(tempfile::TempDir);

impl Room {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    fn command(&self, file: &Path, baseline: &str, canary: &str, more: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_flightdeck"));
        command
            .arg("replay")
            .arg(file)
            .args(["--baseline", baseline, "--canary", canary])
            .args(more)
            .env("HOME", self.0.path())
            .env("FLIGHTDECK_STATE", self.0.path().join("state"))
            .env("LANG", "C.UTF-8")
            .env_remove("XDG_CONFIG_HOME")
            .current_dir(self.0.path());
        command
    }

    fn run(&self, file: &Path, baseline: &str, canary: &str, more: &[&str]) -> Output {
        self.command(file, baseline, canary, more).output().unwrap()
    }
}

fn text(output: &Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

fn document(output: &Output) -> Value {
    let report: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|why| {
        panic!("{why}: {}", text(output));
    });
    let schema = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/schema/replay.json");
    let schema: Value = serde_json::from_str(&std::fs::read_to_string(schema).unwrap()).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let errors: Vec<String> = validator.iter_errors(&report).map(|e| e.to_string()).collect();
    assert!(errors.is_empty(), "{errors:#?}");
    report
}

fn ndjson(paths: &[String]) -> String {
    let lines: Vec<String> =
        paths.iter().map(|path| format!("{{\"path\":\"{path}\"}}\n")).collect();
    lines.concat()
}

fn two_shops() -> (Server, Server) {
    (Server::start(|n, r| shop(n, r, false)), Server::start(|n, r| shop(n, r, true)))
}

/// What differs, as `pattern field kind count`.
fn differences(report: &Value) -> Vec<String> {
    let mut found = Vec::new();
    for of in report["patterns"].as_array().unwrap() {
        for d in of["differences"].as_array().unwrap() {
            let part = d["part"].as_str().unwrap();
            let [pattern, field, kind] =
                [&of["pattern"], &d["field"], &d["kind"]].map(|v| v.as_str().unwrap());
            found.push(format!("{pattern} {part} {field} {kind} {}", d["count"]));
        }
    }
    found.sort();
    found
}

#[test]
fn a_renamed_field_and_a_status_are_found_and_noise_is_not() {
    let (baseline, canary) = two_shops();
    let room = Room::new();
    let mut paths: Vec<String> = (1..=20).map(|n| format!("/orders/{n}?page=1")).collect();
    paths.extend(["/cart", "/items", "/old"].map(str::to_owned));
    let file = room.file("day.ndjson", &ndjson(&paths));
    let output = room.run(&file, &baseline.url, &canary.url, &["--pace", "max", "-o", "json"]);
    assert_eq!(output.status.code(), Some(33), "{}", text(&output));
    let report = document(&output);
    assert_eq!(report["finding"], "different");
    assert_eq!(
        differences(&report),
        [
            "GET /cart status  value 1",
            "GET /orders/{} json /order/amount added 20",
            "GET /orders/{} json /order/total missing 20",
        ]
    );
    let orders = &report["patterns"][0];
    let noisy: Vec<&str> =
        orders["noise"].as_array().unwrap().iter().map(|n| n["field"].as_str().unwrap()).collect();
    assert_eq!(noisy, ["/at", "/id"]);
    let example = &orders["differences"][0]["examples"];
    assert_eq!(example.as_array().unwrap().len(), 3);
    let requests = &report["requests"];
    for (name, expected) in [("compared", 23), ("same", 2), ("different", 21), ("unknown", 0)] {
        assert_eq!(requests[name], expected, "{name}");
    }
    // Twice and once; redirects were not followed.
    assert_eq!((baseline.seen().len(), canary.seen().len()), (46, 23));
    assert!(baseline.seen().iter().all(|request| path_of(request) != "/new"));

    let output = room.run(&file, &baseline.url, &canary.url, &["--pace", "max"]);
    let table = text(&output);
    for words in [
        "different\n",
        "GET /orders/{}: 20 compared; noise: /at, /id",
        "/order/total: missing in the canary in 20 of 20",
        "status: another value in 1 of 1",
        "baseline  200\n         canary    404",
    ] {
        assert!(table.contains(words), "{words}\n{table}");
    }
}

#[test]
fn the_same_answers_are_the_same_from_every_format() {
    let (baseline, other) = (
        Server::start(|n, r| shop(n, r, false)),
        Server::start(|n, r| shop(n + 1_000_000, r, false)),
    );
    let room = Room::new();
    let log: Vec<String> = (1..=12)
        .map(|n| {
            format!("::1 - ann [31/Jan/2026:08:00:00 +0000] \"GET /orders/{n} HTTP/1.1\" 200 5\n")
        })
        .collect();
    let entries: Vec<String> = (1..=12)
        .map(|n| {
            format!(r#"{{"startedDateTime":"2026-01-31T08:00:00.{n:02}Z","request":{{"method":"GET","url":"https://shop.example/orders/{n}","headers":[]}}}}"#)
        })
        .collect();
    let har = format!(r#"{{"log":{{"entries":[{}]}}}}"#, entries.join(","));
    for (name, content, format) in [("a.log", log.concat(), "access-log"), ("a.har", har, "har")] {
        let file = room.file(name, &content);
        let output = room.run(&file, &baseline.url, &other.url, &["-o", "json"]);
        let report = document(&output);
        assert_eq!(output.status.code(), Some(0), "{name}: {report:#}");
        assert_eq!(report["finding"], "same");
        assert_eq!(report["recording"]["format"], format);
        assert_eq!((&report["requests"]["noise"], &report["planned"]), (&12.into(), &12.into()));
    }
}

/// A recording with a secret in every place that can hold one.
fn full_of_secrets() -> String {
    [
        r#"{"url":"https://ann:hunter2user@shop.example/orders/1?page=2&access_token=hunter2query","headers":{"Authorization":"Bearer hunter2bearer","Cookie":"s=hunter2cookie","Accept":"a/b"}}"#,
        r#"{"path":"/orders/2;jsessionid=hunter2matrix?sig=hunter2query","headers":{"Proxy-Authorization":"Basic hunter2proxy","X-Api-Key":"hunter2apikey"}}"#,
        r#"{"method":"POST","path":"/orders/3","headers":{"Content-Type":"application/json"},"body":{"password":"hunter2body","note":"kept"}}"#,
        r#"{"method":"DELETE","path":"/orders/4?token=hunter2query"}"#,
        r#"{"path":"hunter2line","token":"hunter2line"}"#,
        "hunter2line: not json",
    ]
    .join("\n")
}

#[test]
fn no_secret_of_the_recording_is_sent_printed_or_reported() {
    // What is sent comes back in the answer, so that whatever was sent would be shown.
    let echo = |n: u64, request: &str| {
        let text = serde_json::to_string(request).unwrap();
        json("200 OK", &format!("{{\"n\":{n},\"you sent\":{text},\"extra{}\":1}}", n % 7))
    };
    let (baseline, canary) = (Server::start(echo), Server::start(echo));
    let room = Room::new();
    let file = room.file("day.ndjson", &full_of_secrets());
    for more in [
        &["-o", "json"][..],
        &["-o", "ndjson"],
        &[],
        &["--dry-run"],
        &["--allow-method", "POST"],
        &["--format", "access-log"],
        &["--format", "har"],
    ] {
        let output = room.run(&file, &baseline.url, &canary.url, more);
        let shown = text(&output);
        for secret in SECRETS {
            assert!(!shown.contains(secret), "{secret} {more:?}\n{shown}");
        }
        assert!(!shown.contains("hunter2"), "{more:?}\n{shown}");
    }
    let sent = [baseline.seen(), canary.seen()].concat().join("\n");
    assert!(!sent.contains("hunter2"), "{sent}");
    assert!(sent.contains("accept: a/b") && sent.contains("/orders/1?page=2 "), "{sent}");
    assert!(sent.contains(r#"{"password":"scrubbed","note":"kept"}"#), "{sent}");
    assert!(!sent.contains("DELETE"), "{sent}");
    for entry in walk(room.0.path()).iter().filter(|path| **path != file) {
        let bytes = std::fs::read(entry).unwrap();
        assert!(!String::from_utf8_lossy(&bytes).contains("hunter2"), "{}", entry.display());
    }
}

fn walk(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        if entry.is_dir() { found.extend(walk(&entry)) } else { found.push(entry) }
    }
    found
}

#[test]
fn fresh_credentials_come_by_reference_and_are_not_shown() {
    let echo = |name: &'static str| {
        move |_: u64, request: &str| {
            let text = serde_json::to_string(request).unwrap();
            json("200 OK", &format!("{{\"{name}\":{text}}}"))
        }
    };
    let (baseline, canary) = (Server::start(echo("one")), Server::start(echo("two")));
    let room = Room::new();
    let file = room.file("a.ndjson", "{\"path\":\"/a\"}");
    let header = ["--header", "Authorization: Bearer env:FRESH", "-o", "json"];
    let output = room
        .command(&file, &baseline.url, &canary.url, &header)
        .env("FRESH", "fr3shs3cr3t")
        .output()
        .unwrap();
    let shown = text(&output);
    assert!(shown.contains("Bearer") && !shown.contains("fr3shs3cr3t"), "{shown}");
    let sent = [baseline.seen(), canary.seen()].concat();
    assert_eq!(sent.len(), 3);
    assert!(sent.iter().all(|request| request.contains("authorization: Bearer fr3shs3cr3t")));

    for (header, words) in [
        ("Authorization: Bearer fr3shs3cr3t", "env:VAR"),
        ("Authorization: env:NOWHERE", "NOWHERE is not set"),
    ] {
        let output = room.run(&file, &baseline.url, &canary.url, &["--header", header]);
        let shown = text(&output);
        assert_eq!(output.status.code(), Some(2), "{shown}");
        assert!(shown.contains(words) && !shown.contains("fr3shs3cr3t"), "{shown}");
    }
}

#[test]
fn only_safe_methods_are_sent_unless_allowed_by_name() {
    let (baseline, canary) = two_shops();
    let room = Room::new();
    let lines = ["GET", "POST", "PUT", "DELETE"]
        .map(|method| format!("{{\"method\":\"{method}\",\"path\":\"/items\"}}"))
        .join("\n");
    let file = room.file("a.ndjson", &lines);
    let output = room.run(&file, &baseline.url, &canary.url, &["-o", "json"]);
    let report = document(&output);
    assert_eq!(report["recording"]["skipped"]["method POST is not allowed"], 1);
    assert_eq!(baseline.seen().len(), 2);
    let allowed = ["-o", "json", "--allow-method", "POST", "--allow-method", "PUT"];
    let output = room.run(&file, &baseline.url, &canary.url, &allowed);
    assert_eq!(document(&output)["planned"], 3);
    let methods: std::collections::BTreeSet<String> =
        baseline.seen().iter().map(|r| r.split(' ').next().unwrap().to_owned()).collect();
    assert_eq!(methods.into_iter().collect::<Vec<_>>(), ["GET", "POST", "PUT"]);
}

#[test]
fn no_answer_where_the_baseline_answers_is_a_difference_and_never_the_same() {
    let (baseline, _) = two_shops();
    let room = Room::new();
    let file = room.file("a.ndjson", &ndjson(&["/items".to_owned(), "/orders/1".to_owned()]));
    // A port that nobody listens on.
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let nobody = format!("http://{}", free.local_addr().unwrap());
    drop(free);
    let output = room.run(&file, &baseline.url, &nobody, &["-o", "json"]);
    let counts = |report: &Value| {
        ["different", "same", "noise", "unknown"]
            .map(|name| report["requests"][name].as_u64().unwrap())
    };
    let report = document(&output);
    assert_eq!(report["finding"], "different", "{}", text(&output));
    assert_eq!(counts(&report), [2, 0, 0, 0]);
    assert_eq!(report["silences"][0]["asked"], "canary");

    // One of two is never answered by the canary.
    let slow = Server::start(|n, r| if path_of(r) == "/items" { shop(n, r, false) } else { None });
    let more = ["-o", "json", "--timeout", "0.5"];
    let output = room.run(&file, &baseline.url, &slow.url, &more);
    let report = document(&output);
    assert_eq!(report["finding"], "different", "{}", text(&output));
    assert_eq!(counts(&report), [1, 1, 0, 0]);

    // The baseline answers nothing: nothing is known.
    let output = room.run(&file, &nobody, &baseline.url, &["-o", "json"]);
    assert_eq!(output.status.code(), Some(34), "{}", text(&output));
    assert_eq!(counts(&document(&output)), [0, 0, 0, 2]);

    // A baseline that often does not answer either, asked again, makes it noise.
    let paths: Vec<String> = (0..12).map(|_| "/items".to_owned()).collect();
    let file_of_many = room.file("many.ndjson", &ndjson(&paths));
    let dropping = |from: u64, every: u64| {
        Server::start(move |n, r| (n % every != from).then(|| shop(n, r, false)).flatten())
    };
    // Of the baseline every second request is the second one.
    let (flaky, canary) = (dropping(3, 4), dropping(0, 2));
    let more = ["-o", "json", "--timeout", "0.5", "--concurrency", "1"];
    let output = room.run(&file_of_many, &flaky.url, &canary.url, &more);
    let report = document(&output);
    assert_eq!(report["finding"], "same", "{report}");
    assert_eq!(counts(&report), [0, 6, 6, 0], "{report}");

    // A body that is too long to be compared is not the same either.
    let output =
        room.run(&file, &baseline.url, &baseline.url, &["-o", "json", "--body-limit", "3"]);
    assert_eq!(output.status.code(), Some(12), "{}", text(&output));
    assert_eq!(document(&output)["requests"]["bodies_not_compared"], 2);
}

#[test]
fn an_interrupted_replay_tells_what_was_compared() {
    let good = |n: u64, r: &str| if path_of(r) == "/never" { None } else { shop(n, r, false) };
    let (baseline, canary) = (Server::start(good), Server::start(good));
    let room = Room::new();
    let mut paths = vec!["/items".to_owned(); 5];
    paths.push("/never".to_owned());
    let file = room.file("a.ndjson", &ndjson(&paths));
    let more = ["-o", "json", "--concurrency", "1", "--timeout", "600"];
    let child: Child = room
        .command(&file, &baseline.url, &canary.url, &more)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let ends = std::time::Instant::now() + std::time::Duration::from_mins(1);
    while !baseline.seen().iter().any(|request| path_of(request) == "/never") {
        assert!(std::time::Instant::now() < ends, "it was never asked");
        std::thread::yield_now();
    }
    let pid = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130), "{}", text(&output));
    let report = document(&output);
    assert_eq!(report["requests"]["compared"], 5);
    assert_eq!((&report["not_finished"], &report["ended"]["signal"]), (&1.into(), &2.into()));
}

#[test]
fn what_cannot_be_read_is_counted_and_shown_with_its_line() {
    let (baseline, _) = two_shops();
    let room = Room::new();
    let file = room.file("a.ndjson", "{\"path\":\"/items\"}\noops\n\n{\"path\":7}\n");
    let output = room.run(&file, &baseline.url, &baseline.url, &[]);
    assert_eq!(output.status.code(), Some(0));
    let shown = text(&output);
    for words in [
        "2 of 3 could not be read:",
        "a.ndjson, line 2: not JSON: expected value at column 1",
        "a.ndjson, line 4: `path` is not a text",
    ] {
        assert!(shown.contains(words), "{words}\n{shown}");
    }
    let broken = room.file("b.har", "{\"log\":\n  {\"entries\":[}}");
    let output = room.run(&broken, &baseline.url, &baseline.url, &[]);
    let shown = text(&output);
    assert_eq!(output.status.code(), Some(2), "{shown}");
    assert!(shown.contains("b.har:2: not JSON") && shown.contains("--format"), "{shown}");
    let output = room.run(&room.0.path().join("none"), &baseline.url, &baseline.url, &[]);
    assert!(text(&output).contains("none: No such file"), "{}", text(&output));
    let empty = room.file("c.ndjson", "\n");
    let output = room.run(&empty, &baseline.url, &baseline.url, &[]);
    assert_eq!(output.status.code(), Some(34), "{}", text(&output));
}

/// What the servers see of `--concurrency`, `--rate` and `--pace`.
#[test]
fn no_more_is_sent_at_once_and_in_a_second_than_was_allowed() {
    let room = Room::new();
    let many = room.file("many.ndjson", &ndjson(&vec!["/items".to_owned(); 12]));
    let replayed = |file: &Path, more: &[&str], think: u64| {
        let think = std::time::Duration::from_millis(think);
        let start = |canary: bool| Server::start_slow(think, move |n, r| shop(n, r, canary));
        let (baseline, canary) = (start(false), start(true));
        let output = room.run(file, &baseline.url, &canary.url, more);
        assert_eq!(output.status.code(), Some(0), "{}", text(&output));
        (baseline, canary)
    };
    for (allowed, least) in [(1, 1), (2, 1), (12, 3)] {
        let concurrency = allowed.to_string();
        let more = ["--pace", "max", "--rate", "1000", "--concurrency", concurrency.as_str()];
        let (baseline, canary) = replayed(&many, &more, 150);
        for side in [&baseline, &canary] {
            let most = side.most_at_once();
            assert!((least..=allowed).contains(&most), "{most} at once, {allowed} allowed");
        }
    }
    // Twelve at 20 a second take eleven times 50 ms, whatever their pace.
    let (_, canary) = replayed(&many, &["--pace", "max", "--rate", "20"], 0);
    assert!(canary.span().as_millis() >= 500, "{:?}", canary.span());
    // A second and a half as it was recorded, and a quarter of that.
    let lines: Vec<String> = ["00.0", "00.5", "01.5"]
        .map(|at| format!("{{\"path\":\"/items\",\"at\":\"2026-01-01T00:00:{at}Z\"}}"))
        .to_vec();
    let timed = room.file("timed.ndjson", &lines.join("\n"));
    let (_, original) = replayed(&timed, &["--pace", "1"], 0);
    let (_, faster) = replayed(&timed, &["--pace", "4x"], 0);
    assert!(original.span().as_millis() >= 1_400, "{:?}", original.span());
    assert!(faster.span().as_millis() >= 300, "{:?}", faster.span());
    assert!(faster.span() < original.span(), "{:?} {:?}", faster.span(), original.span());
}

#[test]
fn limits_and_fields_that_are_ignored() {
    let (baseline, canary) = two_shops();
    let room = Room::new();
    let file = room
        .file("a.ndjson", &ndjson(&(1..=9).map(|n| format!("/orders/{n}")).collect::<Vec<_>>()));
    let more = ["-o", "json", "--limit", "4", "--ignore", "/order/*"];
    let output = room.run(&file, &baseline.url, &canary.url, &more);
    let report = document(&output);
    assert_eq!(output.status.code(), Some(0), "{report:#}");
    assert_eq!(report["recording"]["skipped"]["beyond the limit"], 5);
    assert_eq!(canary.seen().len(), 4);
    let output = room.run(&file, &baseline.url, &canary.url, &["--dry-run"]);
    assert!(text(&output).contains("would send 9 requests"), "{}", text(&output));
    assert_eq!(canary.seen().len(), 4);
    for more in [["--rate", "0"], ["--pace", "fast"], ["--concurrency", "0"], ["--timeout", "-1"]] {
        let output = room.run(&file, &baseline.url, &canary.url, &more);
        assert_eq!(output.status.code(), Some(2), "{more:?} {}", text(&output));
    }
}
