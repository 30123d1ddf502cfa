//! HAProxy against a loopback socket that replays what HAProxy 2.6.12 answered.
//!
//! `first.txt` and `second.txt` are the captured answers to the adapter's own commands, some
//! seconds apart; between them an operator set a weight, drained one server and disabled another.

use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex as StdMutex};

use jiff::SignedDuration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::*;
use crate::backend::clock::Clock;
use crate::backend::context::Meter;
use crate::config::Config;
use crate::domain::change::Change;
use crate::domain::environment::Health;
use crate::domain::error::FaultKind;
use crate::domain::ids::SeriesId;
use crate::domain::series::{Series, SeriesKind, SeriesQuery};
use crate::domain::traffic::TrafficSplit;

const FIRST: &str = include_str!("../../../tests/haproxy/first.txt");
const SECOND: &str = include_str!("../../../tests/haproxy/second.txt");
const NOW: i64 = 1_700_000_040;

pub(super) struct Hand(AtomicI64);

impl Clock for Hand {
    fn now(&self) -> Timestamp {
        Timestamp::from_second(self.0.load(Ordering::SeqCst)).unwrap()
    }
}

/// A socket that gives each conversation the next answer, and the last one ever after.
pub(super) struct Replay {
    pub(super) address: String,
    pub(super) asked: Arc<StdMutex<Vec<String>>>,
    task: JoinHandle<()>,
}

impl Drop for Replay {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Replay {
    pub(super) async fn start(answers: Vec<Vec<u8>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("tcp://{}", listener.local_addr().unwrap());
        let asked = Arc::new(StdMutex::new(Vec::new()));
        let (log, next) = (Arc::clone(&asked), AtomicUsize::new(0));
        let task = tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut line = Vec::new();
                while !line.ends_with(b"\n") && stream.read_buf(&mut line).await.unwrap() > 0 {}
                log.lock().unwrap().push(String::from_utf8(line).unwrap());
                let at = next.fetch_add(1, Ordering::SeqCst).min(answers.len() - 1);
                let _ = stream.write_all(&answers[at]).await;
            }
        });
        Self { address, asked, task }
    }
}

pub(super) struct Bench {
    pub(super) source: HaProxy,
    clock: Arc<Hand>,
    pub(super) context: ReadContext,
    meter: Arc<Meter>,
}

pub(super) fn bench(settings: serde_json::Value, queries: &[(&str, SeriesKind)]) -> Bench {
    let id = SourceId::new("edge");
    let specs = queries.iter().map(|(query, kind)| {
        let parts: Vec<&str> = query.split('/').collect();
        SeriesSpec {
            id: SeriesId::new(&id, query),
            query: SeriesQuery::Arm {
                split: parts[0].to_owned(),
                arm: parts[1].to_owned(),
                figure: parts[2].to_owned(),
            },
            kind: *kind,
            unit: "count".into(),
            step: SignedDuration::from_secs(60),
            window: SignedDuration::from_mins(10),
        }
    });
    let mut config = Config::default();
    config.polling.deadline = "500ms".parse().unwrap();
    let settings = serde_json::from_value(settings).unwrap();
    let source = HaProxy::new(id.clone(), settings, &config.schedule("edge"), specs.collect());
    let clock = Arc::new(Hand(AtomicI64::new(NOW)));
    let shared: Arc<dyn Clock> = clock.clone();
    let meter = Arc::new(Meter::new(60_000));
    let context = ReadContext::new(shared, 3, Arc::clone(&meter));
    Bench { source, clock, context, meter }
}

impl Bench {
    pub(super) async fn overview(&self) -> Result<Observation, Fault> {
        let scope = Scope { topic: Topic::Overview, items: Vec::new() };
        self.source.observe(&scope, &self.context).await
    }

    async fn series(&self, names: &[&str]) -> Observation {
        let items = names.iter().map(|n| ItemId::Series(SeriesId::new(&self.source.meta.id, n)));
        let scope = Scope { topic: Topic::Series, items: items.collect() };
        self.source.observe(&scope, &self.context).await.unwrap()
    }

    fn later(&self, seconds: i64) {
        self.clock.0.fetch_add(seconds, Ordering::SeqCst);
    }
}

async fn replay(answers: &[&str]) -> Replay {
    Replay::start(answers.iter().map(|text| text.as_bytes().to_vec()).collect()).await
}

fn of(server: &Replay) -> serde_json::Value {
    serde_json::json!({ "address": server.address })
}

fn split<'a>(answer: &'a Observation, name: &str) -> &'a TrafficSplit {
    let facts = answer.facts.iter();
    let mut splits =
        facts.filter_map(|f| if let Fact::Traffic(split) = f { Some(split) } else { None });
    splits.find(|split| split.id.name == *name).unwrap()
}

fn changes(answer: &Observation) -> Vec<&Change> {
    let facts = answer.facts.iter();
    facts.filter_map(|f| if let Fact::Change(change) = f { Some(change) } else { None }).collect()
}

fn figures(answer: &Observation) -> Vec<&Series> {
    let facts = answer.facts.iter();
    facts.filter_map(|f| if let Fact::Series(series) = f { Some(series) } else { None }).collect()
}

#[tokio::test]
async fn backends_are_splits_with_the_servers_as_they_are() {
    let server = replay(&[FIRST]).await;
    let bench = bench(of(&server), &[]);
    let answer = bench.overview().await.unwrap();
    let arms: Vec<_> = split(&answer, "checkout")
        .arms
        .iter()
        .map(|a| (a.name.as_str(), a.weight, a.usable, a.state.as_str(), a.health))
        .collect();
    assert_eq!(
        arms,
        [
            ("baseline", 90, true, "UP", Health::Healthy),
            ("canary", 10, true, "UP 29/30", Health::Degraded),
            ("old", 50, false, "DOWN L4CON", Health::Unhealthy),
            ("spare", 5, false, "no check, backup", Health::Unknown),
        ]
    );
    assert_eq!(split(&answer, "checkout").percent("canary"), Some(10.0));
    let canary = split(&answer, "checkout").arm("canary").unwrap();
    assert_eq!((canary.requests, canary.errors), (Some(8), Some(3)));
    assert_eq!(canary.error_rate, None);
    let identity = answer.identity.unwrap();
    assert_eq!(identity.as_str(), "level user (HAProxy 2.6.12-1+deb12u3, node edge-1)");
    assert_eq!(answer.complete, [FactKind::Traffic]);
    assert!(answer.warnings.is_empty() && answer.faults.is_empty());
    assert_eq!(*server.asked.lock().unwrap(), [format!("{COMMANDS}\n")]);
    assert_eq!(bench.meter.calls(), 1);
}

#[tokio::test]
async fn retries_are_no_requests_in_tcp_mode() {
    let server = replay(&[FIRST]).await;
    let answer = bench(of(&server), &[]).overview().await.unwrap();
    // 12 connections were made; the dead server was tried three times for each of its four.
    let counts: Vec<_> =
        split(&answer, "raw").arms.iter().map(|a| (a.requests, a.errors)).collect();
    assert_eq!(counts, [(Some(4), Some(4)), (Some(4), Some(0)), (Some(4), Some(0))]);
}

#[tokio::test]
async fn a_shift_of_traffic_is_a_change_and_two_reads_make_rates() {
    let server = replay(&[FIRST, SECOND]).await;
    let bench = bench(of(&server), &[]);
    assert!(changes(&bench.overview().await.unwrap()).is_empty());
    bench.later(20);
    let answer = bench.overview().await.unwrap();
    let checkout = split(&answer, "checkout");
    let states: Vec<_> =
        checkout.arms.iter().map(|a| (a.state.as_str(), a.usable, a.health)).collect();
    assert_eq!(
        states,
        [
            ("DRAIN", false, Health::Changing),
            ("UP", true, Health::Healthy),
            ("MAINT", false, Health::Unknown),
            ("no check, backup", false, Health::Unknown),
        ]
    );
    assert_eq!(checkout.percent("canary"), Some(100.0));
    assert_eq!(checkout.since.map(Timestamp::as_second), Some(NOW + 20));
    // 80 requests and 16 errors more within 20 s.
    let canary = checkout.arm("canary").unwrap();
    assert_eq!((canary.request_rate, canary.error_rate), (Some(4.0), Some(0.2)));
    let quiet = checkout.arm("baseline").unwrap();
    assert_eq!((quiet.request_rate, quiet.error_rate), (Some(0.0), None));
    let told: Vec<_> =
        changes(&answer).iter().map(|c| (c.title.as_str(), c.at.as_second() - NOW)).collect();
    assert_eq!(
        told,
        [
            ("checkout/baseline DRAIN, before UP", 13),
            ("checkout/canary weight 25, before 10", 20),
            ("checkout/old MAINT, before DOWN", 1),
        ]
    );
    bench.later(20);
    assert!(changes(&bench.overview().await.unwrap()).is_empty());
}

#[tokio::test]
async fn figures_become_series_and_a_restart_begins_at_zero() {
    let names = ["checkout/canary/requests", "checkout/canary/errors", "checkout/canary/weight"];
    let mut queries: Vec<_> = names.iter().map(|n| (*n, SeriesKind::Counter)).collect();
    queries.push(("checkout/canary/hrsp_5xx", SeriesKind::Gauge));
    // The third read meets a younger process; what it counted so far is what was captured first.
    let anew = FIRST.replace("Pid: ", "Pid: 9").replace("Uptime_sec: 10", "Uptime_sec: 30");
    let server = replay(&[FIRST, SECOND, &anew]).await;
    let bench = bench(of(&server), &queries);
    bench.overview().await.unwrap();
    for _ in 0..2 {
        bench.later(40);
        bench.overview().await.unwrap();
    }
    bench.later(40);
    let answer = bench.series(&[&names[..], &["checkout/canary/hrsp_5xx"]].concat()).await;
    let points = |at: usize| -> Vec<(i64, f64)> {
        figures(&answer)[at].points.iter().map(|p| (p.at.as_second() - NOW, p.value)).collect()
    };
    assert_eq!(points(0), [(0, 8.0), (40, 88.0), (50, 0.0), (80, 8.0), (120, 8.0)]);
    assert_eq!(points(1), [(0, 3.0), (40, 19.0), (50, 0.0), (80, 3.0), (120, 3.0)]);
    assert_eq!(points(2), [(0, 10.0), (40, 25.0), (80, 10.0), (120, 10.0)]);
    assert_eq!(points(3), [(40, 0.4), (80, 0.1), (120, 0.0)]);
    let kinds: Vec<_> = figures(&answer).iter().map(|s| s.kind).collect();
    let (counter, gauge) = (SeriesKind::Counter, SeriesKind::Gauge);
    assert_eq!(kinds, [counter, counter, gauge, gauge]);
    let note = figures(&answer)[0].note.clone().unwrap();
    assert_eq!(note.as_str(), "kept since flightdeck started; HAProxy has no history");
}

#[tokio::test]
async fn dense_reads_keep_the_newest_and_old_points_go() {
    let name = "checkout/canary/requests";
    let server = replay(&[FIRST]).await;
    let bench = bench(of(&server), &[(name, SeriesKind::Counter)]);
    for _ in 0..100 {
        bench.later(10);
        bench.overview().await.unwrap();
    }
    let answer = bench.series(&[name]).await;
    let points = &figures(&answer)[0].points;
    let gaps: Vec<i64> =
        points.windows(2).map(|p| p[1].at.as_second() - p[0].at.as_second()).collect();
    assert!(gaps.iter().rev().skip(1).all(|gap| *gap == 30), "{gaps:?}");
    assert_eq!(points.last().unwrap().at.as_second(), NOW + 1000);
    assert!(points[0].at.as_second() >= NOW + 400, "the window is ten minutes");
    assert_eq!(figures(&answer)[0].note, None);
}

#[tokio::test]
async fn a_failed_read_is_a_gap() {
    let name = "checkout/canary/requests";
    let cut = &FIRST[..FIRST.len() - 1];
    let server = replay(&[FIRST, cut, FIRST]).await;
    let bench = bench(of(&server), &[(name, SeriesKind::Counter)]);
    bench.overview().await.unwrap();
    bench.later(60);
    assert_eq!(bench.overview().await.unwrap_err().kind, FaultKind::InvalidReply);
    bench.later(60);
    let answer = bench.series(&[name]).await;
    let at: Vec<_> = figures(&answer)[0].points.iter().map(|p| p.at.as_second() - NOW).collect();
    assert_eq!(at, [0, 120]);
}

#[tokio::test]
async fn a_figure_that_does_not_exist_is_a_fault_of_that_series() {
    let queries = [
        ("checkout/canary/requests", ""),
        ("nobody/canary/requests", "there is no backend nobody with servers"),
        ("checkout/nobody/requests", "the backend checkout has no server nobody"),
        ("checkout/canary/colour", "the figure colour is not known"),
        ("raw/good/hrsp_5xx", "the figure hrsp_5xx is not kept for this server"),
    ];
    let names: Vec<_> = queries.iter().map(|(name, _)| *name).collect();
    let specs: Vec<_> = names.iter().map(|n| (*n, SeriesKind::Counter)).collect();
    let server = replay(&[FIRST]).await;
    let answer = bench(of(&server), &specs).series(&names).await;
    assert_eq!(figures(&answer).len(), 1);
    for ((item, fault), (name, why)) in answer.faults.iter().zip(&queries[1..]) {
        assert_eq!(item.name().as_str(), *name);
        assert_eq!(fault.kind, FaultKind::InvalidRequest);
        assert!(fault.message.as_str().ends_with(why), "{}", fault.message);
    }
    assert_eq!(answer.faults.len(), 4);
}

#[tokio::test]
async fn only_the_wanted_backends_are_read_and_a_pattern_without_any_is_told() {
    let server = replay(&[FIRST]).await;
    let mut settings = of(&server);
    settings["backends"] = serde_json::json!(["check*", "be_*"]);
    let answer = bench(settings, &[]).overview().await.unwrap();
    assert_eq!(answer.facts.len(), 1);
    assert_eq!(answer.warnings[0].as_str(), "no backend with servers matches be_*");
}

#[tokio::test]
async fn a_refused_command_is_told_and_spoils_no_other() {
    let start = FIRST.find("\n\n1\n# be_id").unwrap();
    let text = format!("{}\n\nPermission denied\n\n", &FIRST[..start]);
    let server = replay(&[&text]).await;
    let answer = bench(of(&server), &[]).overview().await.unwrap();
    assert_eq!(split(&answer, "checkout").arm("baseline").unwrap().weight, 90);
    let warnings: Vec<_> = answer.warnings.iter().map(SafeText::as_str).collect();
    let refused = "a command was refused: Permission denied";
    assert_eq!(warnings, ["show servers state is not answered", refused]);
}

#[tokio::test]
async fn answers_that_are_none_are_faults() {
    let narrow = FIRST.replacen("checkout,baseline,", "checkout,", 1);
    let cases: [(&[u8], FaultKind, &str); 8] = [
        (b"", FaultKind::InvalidReply, "without an answer"),
        (b"HTTP/1.0 400 Bad request\r\n\r\n", FaultKind::InvalidReply, "speaks HTTP"),
        (&FIRST.as_bytes()[..3000], FaultKind::InvalidReply, "ends before its end"),
        (
            b"Permission denied\n\n",
            FaultKind::Forbidden { permission: Some("level user".into()) },
            "Permission denied",
        ),
        (b"Unknown command: 'show stat'\n\n", FaultKind::InvalidReply, "Unknown command"),
        (b"# pxname,svname,\na,b,\n\n", FaultKind::InvalidReply, "there is no column type"),
        (narrow.as_bytes(), FaultKind::InvalidReply, "columns"),
        (b"\xff\xfe\x00garbage\n\n", FaultKind::InvalidReply, "garbage"),
    ];
    for (bytes, kind, why) in cases {
        let server = Replay::start(vec![bytes.to_vec()]).await;
        let fault = bench(of(&server), &[]).overview().await.unwrap_err();
        assert_eq!(fault.kind, kind, "{why}");
        assert!(fault.message.as_str().contains(why), "{}", fault.message);
        assert!(fault.message.as_str().contains("127.0.0.1"), "{}", fault.message);
    }
}

#[tokio::test]
async fn no_socket_is_unreachable_and_a_unix_socket_works() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("haproxy.sock");
    let settings = serde_json::json!({ "address": format!("unix://{}", path.display()) });
    let bench = bench(settings, &[]);
    let fault = bench.overview().await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Unreachable);
    assert!(fault.message.as_str().ends_with("there is no such socket"), "{}", fault.message);
    // A socket file that nobody listens at, as a killed HAProxy leaves it.
    let listener = tokio::net::UnixListener::bind(&path).unwrap();
    drop(listener);
    let fault = bench.overview().await.unwrap_err();
    assert!(fault.message.as_str().ends_with("connection refused"), "{}", fault.message);
    std::fs::remove_file(&path).unwrap();
    let listener = tokio::net::UnixListener::bind(&path).unwrap();
    let server = async {
        // The first conversation is never answered, the second is.
        let (_silent, _) = listener.accept().await.unwrap();
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.write_all(FIRST.as_bytes()).await.unwrap();
        let mut asked = vec![0; COMMANDS.len() + 1];
        stream.read_exact(&mut asked).await.unwrap();
    };
    let reads = async {
        let fault = bench.overview().await.unwrap_err();
        assert_eq!(fault.kind, FaultKind::Unreachable);
        assert!(fault.message.as_str().contains("within 0.5 s"), "{}", fault.message);
        assert_eq!(bench.overview().await.unwrap().facts.len(), 3);
    };
    tokio::join!(server, reads);
}

#[tokio::test]
async fn hostile_names_reach_no_fact() {
    let evil = "can\x1b]52;c;ZXZpbA==\x07\u{202e}\u{200b}\u{9b}31mary";
    let text = FIRST.replace("canary", evil).replace("node: edge-1", "node: \x1b[2Jedge");
    let server = replay(&[&text, &text.replace("UP 29/30", "\x1b[31mOUT\u{202e}")]).await;
    let bench = bench(of(&server), &[]);
    bench.overview().await.unwrap();
    bench.later(20);
    let answer = bench.overview().await.unwrap();
    assert_eq!(split(&answer, "checkout").arms[1].name.as_str(), "can··ary");
    assert_eq!(changes(&answer).len(), 1);
    let shown = serde_json::to_string(&answer).unwrap();
    let hostile = |c: char| c.is_control() || matches!(c, '\u{202e}' | '\u{200b}');
    assert!(!shown.contains("]52") && !shown.contains("\\u001b") && !shown.contains(hostile));
}

proptest::proptest! {
    /// Whatever bytes are lost, doubled or garbled: an answer or a fault, never a panic.
    #[test]
    fn garbled_answers_never_panic(
        from in 0..FIRST.len(), length in 0_usize..300, with in ".{0,40}", drop_rest: bool,
    ) {
        let mut bytes = FIRST.as_bytes().to_vec();
        let to = (from + length).min(bytes.len());
        bytes.splice(from..to, with.bytes());
        if drop_rest {
            bytes.truncate(from);
        }
        let text = String::from_utf8_lossy(&bytes);
        if let Ok(answer) = Answer::parse(&text) {
            let servers: Vec<&Server> = answer.servers.iter().collect();
            let id = SourceId::new("edge");
            let mut split = split::split(&id, "x", &servers);
            let now = Timestamp::from_second(NOW).unwrap();
            let mut memory = History::default();
            proptest::prop_assert!(memory.see(&mut split, &servers, now).len() <= servers.len());
        }
    }
}
