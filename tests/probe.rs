//! `flightdeck probe` against two small HTTP servers: verdicts, open loop, safety, and an early end.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a failing unwrap in a test is a failing test"
)]

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// What a server does with a request: counted from 0, and as it came.
type Answering = dyn Fn(u64, &str) -> Answer + Send + Sync;

struct Answer {
    status: u16,
    headers: String,
    body: String,
    /// A stalled server answers so much later.
    after: Duration,
}

fn answer(status: u16, body: &str) -> Answer {
    Answer { status, headers: String::new(), body: body.to_owned(), after: Duration::ZERO }
}

fn good() -> Answer {
    answer(200, r#"{"state":"ok","user":7}"#)
}

/// A small HTTP/1.1 server on loopback; it ends with the test.
struct Server {
    url: String,
    hits: Arc<AtomicU64>,
    _runtime: tokio::runtime::Runtime,
}

impl Server {
    fn start(answering: impl Fn(u64, &str) -> Answer + Send + Sync + 'static) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let hits = Arc::new(AtomicU64::new(0));
        let answering: Arc<Answering> = Arc::new(answering);
        let counted = Arc::clone(&hits);
        runtime.spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&answering), Arc::clone(&counted)));
            }
        });
        Self { url, hits, _runtime: runtime }
    }

    fn hits(&self) -> u64 {
        self.hits.load(Ordering::SeqCst)
    }
}

async fn serve(mut stream: TcpStream, answering: Arc<Answering>, hits: Arc<AtomicU64>) {
    let mut seen = Vec::new();
    loop {
        let end = loop {
            if let Some(at) = seen.windows(4).position(|four| four == b"\r\n\r\n") {
                break at + 4;
            }
            let mut more = [0; 4096];
            match stream.read(&mut more).await {
                Ok(0) | Err(_) => return,
                Ok(n) => seen.extend_from_slice(&more[..n]),
            }
        };
        // None of the requests here has a body.
        let head: Vec<u8> = seen.drain(..end).collect();
        let head = String::from_utf8_lossy(&head).into_owned();
        let Answer { status, headers, body, after } =
            answering(hits.fetch_add(1, Ordering::SeqCst), &head);
        if !after.is_zero() {
            tokio::time::sleep(after).await;
        }
        let length = body.len();
        let text =
            format!("HTTP/1.1 {status} X\r\ncontent-length: {length}\r\n{headers}\r\n{body}");
        if stream.write_all(text.as_bytes()).await.is_err() {
            return;
        }
    }
}

struct Home(tempfile::TempDir);

impl Home {
    fn new(design: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("p.toml"), design).unwrap();
        Self(folder)
    }

    fn command(&self, baseline: &str, canary: &str, more: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_flightdeck"));
        command
            .args(["probe", "p.toml", "--baseline", baseline, "--canary", canary])
            .args(more)
            .env("HOME", self.0.path())
            .env("PROBE_TOKEN", "s3cret-token")
            // A proxy would be another host.
            .env("HTTP_PROXY", "http://127.0.0.1:9")
            .current_dir(self.0.path());
        command
    }

    fn run(&self, baseline: &Server, canary: &Server, more: &[&str]) -> Output {
        self.command(&baseline.url, &canary.url, more).output().unwrap()
    }

    /// The report, which fits its schema, and the exit code.
    fn report(&self, baseline: &Server, canary: &Server, more: &[&str]) -> (Value, i32) {
        let more = [&["-o", "json"], more].concat();
        let output = self.run(baseline, canary, &more);
        let text = String::from_utf8(output.stdout).unwrap();
        let error = String::from_utf8_lossy(&output.stderr);
        assert_eq!(error, "", "nothing is said off a terminal: {error}");
        (fits("probe", &text), output.status.code().unwrap())
    }
}

fn fits(name: &str, text: &str) -> Value {
    let path: PathBuf =
        Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("assets/schema/{name}.json"));
    let schema: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let value: Value = serde_json::from_str(text).unwrap_or_else(|why| panic!("{why}: {text}"));
    let validator = jsonschema::validator_for(&schema).unwrap();
    let errors: Vec<String> =
        validator.iter_errors(&value).map(|e| format!("{}: {e}", e.instance_path())).collect();
    assert!(errors.is_empty(), "{name}: {errors:#?}");
    value
}

fn number(value: &Value, pointer: &str) -> u64 {
    let found = value.pointer(pointer).and_then(Value::as_u64);
    found.unwrap_or_else(|| panic!("{pointer} in {value:#}"))
}

const HOME: &str = "[requests.home]\npath = '/'\nexpect = [{ at = '/state', equals = 'ok' }]\n";

#[test]
fn equal_servers_pass() {
    let [old, new] = [Server::start(|_, _| good()), Server::start(|_, _| good())];
    let design = "rate = 200\nduration = '8s'\ntick = '100ms'\n[judge]\nerrors_floor = 0.05\n";
    let home = Home::new(&format!("{design}{HOME}"));
    let (report, code) = home.report(&old, &new, &["--stop-at-verdict"]);
    assert_eq!((report["verdict"].as_str(), code), (Some("pass"), 0), "{report:#}");
    assert_eq!(report["ended"]["why"], "verdict");
    for side in ["baseline", "canary"] {
        assert_eq!(number(&report, &format!("/sides/{side}/errors")), 0);
        assert!(number(&report, &format!("/sides/{side}/sent")) > 50);
    }
    let (report, code) = home.report(&old, &old, &["--stop-at-verdict"]);
    assert_eq!((report["verdict"].as_str(), code), (Some("pass"), 0), "{report:#}");
}

#[test]
fn too_little_is_no_pass() {
    let [old, new] = [Server::start(|_, _| good()), Server::start(|_, _| good())];
    let home = Home::new(&format!("rate = 20\nduration = '1s'\nwarm_up = '500ms'\n{HOME}"));
    let (report, code) = home.report(&old, &new, &[]);
    assert_eq!((report["verdict"].as_str(), code), (Some("not_enough_data"), 32), "{report:#}");
    assert_eq!(report["ended"]["why"], "all_sent");
    // Everything that was due went to both, and the warm-up is not counted.
    assert_eq!((number(&report, "/due"), old.hits(), new.hits()), (30, 30, 30));
    assert_eq!(number(&report, "/sides/canary/sent"), 20);
    let bars = report["sides"]["canary"]["histogram"].as_array().unwrap();
    assert_eq!(bars.iter().map(|bar| number(bar, "/count")).sum::<u64>(), 20);
}

#[test]
fn a_canary_with_errors_fails_and_each_sort_is_told_apart() {
    let old = Server::start(|_, _| good());
    let new = Server::start(|number, _| match number % 10 {
        0 | 5 => answer(500, ""),
        7 => answer(200, r#"{"state":"down"}"#),
        _ => good(),
    });
    let home = Home::new(&format!("rate = 100\nduration = '5s'\n{HOME}"));
    let (report, code) = home.report(&old, &new, &["--stop-at-verdict"]);
    assert_eq!((report["verdict"].as_str(), code), (Some("fail"), 30), "{report:#}");
    assert_eq!(report["judged"]["action"], "roll_back");
    let [status, expectation] =
        ["status", "expectation"].map(|sort| number(&report, &format!("/sides/canary/{sort}")));
    assert!(status > expectation && expectation > 0, "{report:#}");
    assert_eq!(number(&report, "/sides/canary/errors"), status + expectation);
    assert_eq!(number(&report, "/sides/baseline/errors"), 0);
    let notes = report["notes"].to_string();
    assert!(notes.contains("status 500") && notes.contains("/state is"), "{notes}");
    // The other way round it is no failure: better than the baseline is never worse. Nor is it a pass:
    // a baseline with so many errors is no yardstick.
    let (report, code) = home.report(&new, &old, &[]);
    assert_eq!((report["verdict"].as_str(), code), (Some("not_enough_data"), 32), "{report:#}");
    assert_eq!(report["judged"]["lead"], "NO YARDSTICK", "{report:#}");
}

#[test]
fn nobody_there_is_a_failure_of_that_side() {
    let old = Server::start(|_, _| good());
    let gone = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", gone.local_addr().unwrap());
    drop(gone);
    let home = Home::new(&format!("rate = 50\nduration = '8s'\n{HOME}"));
    let output = home.command(&old.url, &url, &["--stop-at-verdict"]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(30), "{text}");
    let line = |head: &str| text.lines().find(|line| line.trim().starts_with(head)).unwrap();
    let words: Vec<&str> = line("connection failed").split_whitespace().collect();
    assert_eq!(words[2], "0", "{text}");
    assert!(words[3].parse::<u64>().unwrap() > 10, "{text}");
    assert!(text.contains("the canary said: Connection refused"), "{text}");
}

#[test]
fn a_stall_shows_in_every_request_that_was_due_meanwhile() {
    // From its 20th request on the canary answers nothing until 1.2 s later.
    let old = Server::start(|_, _| good());
    let stall = Duration::from_millis(1_200);
    let since = std::sync::Mutex::new(None::<std::time::Instant>);
    let new = Server::start(move |number, _| {
        let mut since = since.lock().unwrap();
        if number == 20 {
            *since = Some(std::time::Instant::now());
        }
        let left = since.map_or(Duration::ZERO, |since| stall.saturating_sub(since.elapsed()));
        Answer { after: left, ..good() }
    });
    let design = "rate = 50\nduration = '3s'\nconcurrency = 2\nlatency = '200ms'\n";
    let home = Home::new(&format!("{design}{HOME}"));
    let (report, _) = home.report(&old, &new, &[]);
    // A loop that waits for answers would see two slow ones, one for each place. Here 50 were due in
    // the first second of the stall, each of which came more than 200 ms late.
    let canary = |what: &str| number(&report, &format!("/sides/canary/{what}"));
    assert!(canary("slow") >= 45, "{report:#}");
    assert!(canary("waited") >= 45, "{report:#}");
    assert_eq!((canary("sent"), canary("unsent"), canary("errors")), (150, 0, 0), "{report:#}");
    let longest = report["sides"]["canary"]["longest_wait_ms"].as_f64().unwrap();
    let p90 = report["sides"]["canary"]["latency_ms"]["p90"].as_f64().unwrap();
    assert!(longest > 900.0 && p90 > 500.0, "{report:#}");
    // The baseline has places of its own: it did not wait for the canary.
    assert_eq!(number(&report, "/sides/baseline/sent"), 150);
    assert!(number(&report, "/sides/baseline/slow") < canary("slow"), "{report:#}");
}

#[test]
fn the_warm_up_tells_what_is_slow_if_nobody_said() {
    let old = Server::start(|_, _| good());
    let new = Server::start(|number, _| Answer {
        after: Duration::from_millis(if number % 2 == 0 { 0 } else { 700 }),
        ..good()
    });
    let design = "rate = 50\nduration = '8s'\nwarm_up = '1s'\ntick = '500ms'\n";
    let home = Home::new(&format!("{design}{HOME}"));
    let planned = home.run(&old, &new, &["--dry-run"]);
    let planned = String::from_utf8(planned.stdout).unwrap();
    assert!(planned.contains("p95 in the warm-up"), "{planned}");
    let (report, code) = home.report(&old, &new, &["--stop-at-verdict"]);
    assert_eq!((code, report["verdict"].as_str()), (30, Some("fail")), "{report:#}");
    let limit = report["requests"][0]["slow_ms"].as_f64().unwrap();
    assert!(limit < 700.0, "{report:#}");
    assert!(report["notes"].to_string().contains("baseline's p95 in the warm-up"), "{report:#}");
    assert!(number(&report, "/sides/canary/slow") > 10, "{report:#}");
    assert_eq!(number(&report, "/sides/canary/errors"), 0, "{report:#}");
}

#[test]
fn what_could_not_be_sent_is_counted() {
    let old = Server::start(|_, _| good());
    let new = Server::start(|_, _| Answer { after: Duration::from_mins(1), ..good() });
    let design = "rate = 50\nduration = '2s'\nconcurrency = 3\ntimeout = '500ms'\n\
                  latency = '300ms'\n";
    let home = Home::new(&format!("{design}{HOME}"));
    let (report, code) = home.report(&old, &new, &[]);
    let canary = |what: &str| number(&report, &format!("/sides/canary/{what}"));
    assert_eq!(canary("sent") + canary("unsent"), 100, "{report:#}");
    assert!(canary("timeout") >= 3 && canary("unsent") > 50, "{report:#}");
    assert_eq!(canary("timeout"), canary("errors"));
    assert_eq!((canary("slow"), canary("limited")), (100, 100));
    assert_eq!(code, 30, "{report:#}");
    assert!(report["notes"].to_string().contains("could not be sent"), "{report:#}");
}

#[test]
fn a_signal_ends_it_with_what_was_measured() {
    for (signal, code) in
        [(rustix::process::Signal::INT, 130), (rustix::process::Signal::TERM, 143)]
    {
        let [old, new] = [Server::start(|_, _| good()), Server::start(|_, _| good())];
        let home = Home::new(&format!("rate = 50\nduration = '5m'\ntick = '200ms'\n{HOME}"));
        let mut child: Child = home
            .command(&old.url, &new.url, &["-o", "ndjson"])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut first = String::new();
        out.read_line(&mut first).unwrap();
        assert_eq!(number(&fits("probe-tick", &first), "/tick"), 0);
        rustix::process::kill_process(
            rustix::process::Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap(),
            signal,
        )
        .unwrap();
        let mut rest = String::new();
        out.read_to_string(&mut rest).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(code));
        let report = fits("probe", rest.lines().last().unwrap());
        assert_eq!(report["ended"]["why"], "interrupted");
        assert!(number(&report, "/sides/canary/sent") >= 10, "{report:#}");
        let due = number(&report, "/due");
        for side in ["baseline", "canary"] {
            let over = number(&report, &format!("/sides/{side}/sent"));
            assert_eq!(over + number(&report, &format!("/cut_off/{side}")), due, "{report:#}");
        }
    }
}

#[test]
fn only_the_two_hosts_are_asked() {
    let other = Server::start(|_, _| good());
    let away = format!("location: {}/x\r\n", other.url);
    let old = Server::start(|_, _| good());
    let new =
        Server::start(move |_, _| Answer { headers: away.clone(), ..answer(302, "elsewhere") });
    for follow in ["", "follow_redirects = true\n"] {
        let design = format!("rate = 20\nduration = '500ms'\n{follow}{HOME}");
        let (report, _) = Home::new(&design).report(&old, &new, &[]);
        assert_eq!(number(&report, "/sides/canary/status"), 10, "{report:#}");
    }
    assert_eq!((other.hits(), new.hits()), (0, 20));
    // Within the same host they are followed if that is asked for.
    let here = Server::start(|_, head| {
        if head.starts_with("GET /there ") {
            return good();
        }
        Answer { headers: "location: /there\r\n".to_owned(), ..answer(302, "") }
    });
    let design = format!("rate = 20\nduration = '500ms'\nfollow_redirects = true\n{HOME}");
    let (report, _) = Home::new(&design).report(&old, &here, &[]);
    assert_eq!(number(&report, "/sides/canary/errors"), 0, "{report:#}");
}

#[test]
fn secrets_are_sent_and_never_shown() {
    let heard = |_: u64, head: &str| {
        let token = head.lines().find_map(|line| line.strip_prefix("authorization: Bearer "));
        let path = head.split_whitespace().nth(1).unwrap_or_default();
        let right = token == Some("s3cret-token") && path == "/u/7?from=a%20b";
        // It repeats the secret where something else is expected.
        let state = if right { token.unwrap() } else { "nothing" };
        answer(200, &format!(r#"{{"state":"{state}","user":7}}"#))
    };
    let [old, new] = [Server::start(heard), Server::start(heard)];
    let design = "rate = 20\nduration = '500ms'\n\
        [headers]\nauthorization = 'Bearer {{token}}'\n\
        [variables.token]\nsecret = { env = 'PROBE_TOKEN' }\n\
        [variables.user]\nrange = [7, 7]\n[variables.from]\nlist = ['a b']\n\
        [requests.user]\npath = '/u/{{user}}?from={{from}}'\n\
        expect = [{ at = '/user', equals = '{{user}}' }, { at = '/state', equals = 'ok' }]\n";
    let home = Home::new(design);
    let (report, _) = home.report(&old, &new, &[]);
    assert_eq!(number(&report, "/sides/canary/expectation"), 10, "{report:#}");
    let text = report.to_string();
    assert!(text.contains("/state is \\\"(secret)\\\""), "{text}");
    assert!(!text.contains("s3cret"), "{text}");
    let mut unset = home.command(&old.url, &new.url, &[]);
    let output = unset.env_remove("PROBE_TOKEN").output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(error.contains("variable token: the environment variable PROBE_TOKEN"), "{error}");
}

#[test]
fn what_is_not_meant_is_not_sent() {
    let server = Server::start(|_, _| good());
    for (design, told) in [
        ("rate = 9000\nduration = '1m'\n", "p.toml:1:8: rate: rate × (warm_up + duration)"),
        ("rate = 1\nduration = '1s'\nmethod = 1\n", "p.toml:3:1: method: unknown key"),
    ] {
        let output = Home::new(&format!("{design}{HOME}")).run(&server, &server, &[]);
        let error = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{error}");
        assert!(error.contains(told), "{error}");
    }
    let design = format!("rate = 1\nduration = '1s'\n{HOME}method = 'DELETE'\n");
    let output = Home::new(&design).run(&server, &server, &[]);
    let error = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{error}");
    assert!(error.contains("unsafe_methods = true"), "{error}");
    let home = Home::new(&format!("rate = 10\nduration = '5m'\n{HOME}"));
    let output = home.run(&server, &server, &["--dry-run"]);
    let text = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{text}");
    assert!(text.contains("about 3000 requests"), "{text}");
    let odd = home.command("file:///etc", &server.url, &[]).output().unwrap();
    assert_eq!(odd.status.code(), Some(2));
    assert_eq!(server.hits(), 0);
}

#[test]
fn on_a_terminal_one_line_tells_how_far_it_is() {
    let [old, new] = [Server::start(|_, _| good()), Server::start(|_, _| good())];
    let home = Home::new(&format!("rate = 50\nduration = '5m'\ntick = '200ms'\n{HOME}"));
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let text = runtime.block_on(async {
        let (mut pty, pts) = pty_process::open().unwrap();
        pty.resize(pty_process::Size::new(24, 120)).unwrap();
        let mut child = pty_process::Command::new(env!("CARGO_BIN_EXE_flightdeck"))
            .args(["probe", "p.toml", "--baseline", &old.url, "--canary", &new.url])
            .env_clear()
            .env("LANG", "C.UTF-8")
            .current_dir(home.0.path())
            .spawn(pts)
            .unwrap();
        let mut text = String::new();
        let reading = async {
            let mut asked = false;
            let mut bytes = [0; 4096];
            // The other end of a terminal that nobody holds any more is an error.
            while let Ok(count) = pty.read(&mut bytes).await {
                text.push_str(&String::from_utf8_lossy(&bytes[..count]));
                if !asked && text.contains("WATCHING") {
                    pty.write_all(b"\x03").await.unwrap();
                    asked = true;
                }
            }
        };
        assert!(tokio::time::timeout(Duration::from_mins(1), reading).await.is_ok(), "{text}");
        assert_eq!(child.wait().await.unwrap().code(), Some(130), "{text}");
        text
    });
    assert!(text.contains("\r\u{1b}[K0 s of 300 s | "), "{text:?}");
    let (_, result) = text.rsplit_once("\r\u{1b}[K").unwrap();
    // The terminal sends the signal first, and then shows the key, before or after the line is gone.
    let result = result.strip_prefix("^C").unwrap_or(result);
    assert!(result.starts_with("p.toml: canary http://"), "the line is gone: {result:?}");
    assert!(result.contains("not enough data, interrupted after"), "{result:?}");
}
