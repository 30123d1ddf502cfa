//! What is judged of a real Prometheus that scrapes real servers: everything they served, and nothing
//! twice, whatever their counters and the scrapes go through.
#![cfg(feature = "aws")]
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a failing unwrap in a test is a failing test"
)]

#[allow(dead_code, reason = "each test file uses a part of it")]
#[path = "support/lab.rs"]
mod lab;

use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use flightdeck::app::canary::Watch;
use flightdeck::cli::global::Global;
use flightdeck::cli::start::start;
use flightdeck::domain::ids::CanaryId;
use flightdeck::judge::report::Report;
use flightdeck::runtime::headless::Headless;
use lab::{address, post};
use serde_json::{Value, json};

/// Seconds between two ticks of the canary.
const TICK: f64 = 5.0;
/// Seconds between two scrapes of each; one that takes longer fails, so a busy machine gets some.
const SCRAPES: [f64; 2] = [1.0, 2.0];
/// Failed requests of both, by how they were told to fail.
const ERRORS: [f64; 2] = [0.05, 0.1];
const LONG: Duration = Duration::from_mins(2);

/// Two web servers, and a Prometheus that scrapes the one twice as often as the other.
struct Place {
    folder: tempfile::TempDir,
    web: [u16; 2],
    servers: [Child; 2],
    prometheus: u16,
    scraper: Child,
    /// Requests and failures that each has answered.
    served: [(f64, f64); 2],
    client: reqwest::Client,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.pause(false);
        for child in self.servers.iter_mut().chain([&mut self.scraper]) {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

impl Place {
    async fn open() -> Self {
        // Its own servers, by the lab's programs.
        address("LAB_PROMETHEUS_URL");
        let free: Vec<TcpListener> =
            (0..3).map(|_| TcpListener::bind("127.0.0.1:0").unwrap()).collect();
        let ports: Vec<u16> = free.iter().map(|l| l.local_addr().unwrap().port()).collect();
        drop(free);
        let [blue, green, prometheus] = ports[..] else { unreachable!() };
        let folder = tempfile::tempdir().unwrap();
        let mut place = Self {
            servers: [web(blue), web(green)],
            scraper: scraper(folder.path(), prometheus, [blue, green]),
            web: [blue, green],
            prometheus,
            served: [(0.0, 0.0); 2],
            client: reqwest::Client::new(),
            folder,
        };
        place.up(&format!("http://127.0.0.1:{prometheus}/-/ready")).await;
        for arm in 0..2 {
            place.told_to_fail(arm).await;
        }
        place
    }

    async fn up(&self, url: &str) {
        let up = async || self.client.get(url).send().await.is_ok_and(|a| a.status().is_success());
        until(up).await;
    }

    async fn told_to_fail(&mut self, arm: usize) {
        let url = format!("http://127.0.0.1:{}", self.web[arm]);
        self.up(&format!("{url}/health")).await;
        post(&format!("{url}/lab"), &[], &json!({ "errors": ERRORS[arm] })).await;
    }

    /// Both are visited, from the middle of a tick to the middle of one `ticks` later.
    async fn visits(&mut self, ticks: u32) {
        mid_tick().await;
        let end = SystemTime::now() + Duration::from_secs_f64(TICK * f64::from(ticks));
        let mut pace = tokio::time::interval(Duration::from_millis(15));
        while SystemTime::now() < end {
            pace.tick().await;
            for arm in 0..2 {
                let url = format!("http://127.0.0.1:{}/", self.web[arm]);
                let answer = self.client.get(url).send().await.unwrap();
                self.served[arm].0 += 1.0;
                self.served[arm].1 += f64::from(u8::from(answer.status() == 500));
                answer.bytes().await.unwrap();
            }
        }
    }

    /// Until Prometheus has seen `counted` requests of each since its counter began.
    async fn scraped(&self, counted: [f64; 2]) {
        for (arm, wanted) in ["blue", "green"].into_iter().zip(counted) {
            let query = format!("sum(http_requests_total{{arm=\"{arm}\"}})");
            let url = format!("http://127.0.0.1:{}/api/v1/query", self.prometheus);
            until(async || {
                let asked = self.client.get(&url).query(&[("query", &query)]).send().await.unwrap();
                let told: Value = asked.json().await.unwrap();
                let value = told["data"]["result"][0]["value"][1].as_str();
                value.is_some_and(|value| value.parse() == Ok(wanted))
            })
            .await;
        }
    }

    /// Waits for a moment at which neither is being scraped. Prometheus marks a series as gone from a
    /// scrape on that it could not finish, and what came after it until the next one is nobody's.
    async fn between_scrapes(&self) {
        let url = format!("http://127.0.0.1:{}/api/v1/query", self.prometheus);
        until(async || {
            let query = [("query", "time() - timestamp(up)")];
            let told: Value =
                self.client.get(&url).query(&query).send().await.unwrap().json().await.unwrap();
            let quiet = |(arm, every): (&str, f64)| {
                let mut all = told["data"]["result"].as_array().unwrap().iter();
                let of = all.find(|one| one["metric"]["arm"] == arm);
                let age = of.and_then(|one| one["value"][1].as_str()?.parse::<f64>().ok());
                age.is_some_and(|age| (0.2..every * 0.6).contains(&age))
            };
            ["blue", "green"].into_iter().zip(SCRAPES).all(quiet)
        })
        .await;
    }

    /// Stops Prometheus, or lets it go on.
    fn pause(&self, pause: bool) {
        let signal = if pause { "-STOP" } else { "-CONT" };
        let pid = self.scraper.id().to_string();
        assert!(Command::new("kill").args([signal, &pid]).status().unwrap().success());
    }

    /// The first server ends, and another one begins with counters of zero.
    async fn restart_blue(&mut self) {
        self.servers[0].kill().unwrap();
        self.servers[0].wait().unwrap();
        self.servers[0] = web(self.web[0]);
        self.told_to_fail(0).await;
    }

    fn room(&self) -> Headless {
        let file = self.folder.path().join("room.toml");
        std::fs::write(&file, configuration(self.prometheus)).unwrap();
        let global = Global { config: Some(file), ..Global::default() };
        match start(&global, Vec::new(), false) {
            Ok(started) => Headless::start(started.setup, started.sources, started.clock),
            Err(failure) => panic!("{failure}"),
        }
    }
}

/// The usual signals, of two that get as many requests as they get.
fn configuration(prometheus: u16) -> String {
    format!(
        r#"
        [polling]
        fast = "1s"
        slow = "1s"
        deadline = "2s"
        budget_per_minute = 6000
        [sources.metrics]
        kind = "prometheus"
        url = "http://127.0.0.1:{prometheus}"
        [[services.shop.canaries]]
        name = "production"
        baseline = "blue"
        canary = "green"
        warm_up = "0s"
        history = "10s"
        deadline = "10m"
        tick = "{TICK}s"
        signals = {{ source = "metrics", labels = 'arm="{{arm}}"' }}
        "#
    )
}

fn spawn(command: &mut Command) -> Child {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

fn web(port: u16) -> Child {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/lab/web.py");
    spawn(Command::new("python3").args([script, &port.to_string(), "1.0"]))
}

fn scraper(folder: &Path, port: u16, [blue, green]: [u16; 2]) -> Child {
    let job = |name: &str, target: u16, every: &str| {
        format!(
            "  - job_name: {name}\n    scrape_interval: {every}\n    scrape_timeout: {every}\n    \
             static_configs:\n      - targets: [\"127.0.0.1:{target}\"]\n        \
             labels: {{ arm: {name} }}\n"
        )
    };
    let [often, seldom] = SCRAPES.map(|seconds| format!("{seconds}s"));
    let jobs = job("blue", blue, &often) + &job("green", green, &seldom);
    let file = folder.join("prometheus.yml");
    std::fs::write(&file, format!("scrape_configs:\n{jobs}")).unwrap();
    spawn(
        Command::new("prometheus")
            .arg(format!("--config.file={}", file.display()))
            .arg(format!("--storage.tsdb.path={}", folder.join("data").display()))
            .arg(format!("--web.listen-address=127.0.0.1:{port}")),
    )
}

/// Waits for something, looking often.
async fn until(mut done: impl AsyncFnMut() -> bool) {
    let mut pace = tokio::time::interval(Duration::from_millis(50));
    let looking = async {
        while !done().await {
            pace.tick().await;
        }
    };
    tokio::time::timeout(LONG, looking).await.unwrap();
}

/// Waits for the middle of a tick: both arms are scraped before its end.
async fn mid_tick() {
    until(async || {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs_f64();
        (0.2..0.4).contains(&((now / TICK).fract()))
    })
    .await;
}

/// What was judged of `metric` so far: requests and events, of the baseline and the canary.
fn judged(report: &Report, metric: &str) -> [(f64, f64); 2] {
    let metric = report.metrics.iter().find(|m| m.name == metric).unwrap();
    let Some(absolute) = &metric.absolute else { return [(0.0, 0.0); 2] };
    let totals = &absolute.totals;
    [(totals.baseline.n, totals.baseline.k), (totals.canary.n, totals.canary.k)]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs the lab: bash tests/run"]
async fn resets_gaps_and_other_times_of_scrapes_lose_nothing_and_count_nothing_twice() {
    let mut place = Place::open().await;
    // From the counters' zeros on, one tick at least.
    place.scraped([0.0, 0.0]).await;
    let mut room = place.room();
    mid_tick().await;
    mid_tick().await;

    place.visits(2).await;
    place.scraped([place.served[0].0, place.served[1].0]).await;
    // A counter begins anew, unseen, and no scrape fails meanwhile.
    let before = place.served[0].0;
    place.between_scrapes().await;
    place.pause(true);
    place.restart_blue().await;
    place.pause(false);
    // Were its first scrape to fail, what it had counted until the second would be nobody's.
    place.scraped([0.0, place.served[1].0]).await;
    place.visits(2).await;
    place.scraped([place.served[0].0 - before, place.served[1].0]).await;
    // No scrapes for some ticks; the counters go on.
    place.between_scrapes().await;
    place.pause(true);
    place.visits(3).await;
    place.pause(false);
    place.visits(2).await;
    place.scraped([place.served[0].0 - before, place.served[1].0]).await;

    let id = CanaryId::new("shop/production");
    let served = place.served;
    // Prometheus stretches what it saw within a window to all of it: here by a millisecond of a tick.
    let stretch = (TICK + 0.001) / TICK;
    let all = |judged: [(f64, f64); 2]| {
        judged.iter().zip(&served).all(|(judged, served)| judged.0 >= served.0 - 0.5)
    };
    let waiting = async {
        loop {
            room.next().await;
            let report = room.state.watches.get(&id).and_then(Watch::report);
            if let Some(report) = report.filter(|report| all(judged(report, "errors"))) {
                return report;
            }
        }
    };
    let Ok(report) = tokio::time::timeout(LONG, waiting).await else {
        let report = room.state.watches.get(&id).and_then(Watch::report);
        panic!("{served:?} were served, {:?} judged", report.map(|r| judged(&r, "errors")));
    };
    for (judged, served) in judged(&report, "errors").into_iter().zip(served) {
        for (judged, served) in [(judged.0, served.0), (judged.1, served.1)] {
            // Not where a counter begins: it is not stretched below zero.
            let near = (served - 1e-6..=served * stretch + 1e-6).contains(&judged);
            assert!(near, "{served} were served, {judged} judged");
        }
    }
    // What is slow was found: all answers were fast.
    let slow = report.metrics.iter().find(|m| m.name == "slow").unwrap();
    assert!(slow.usable_ticks >= 3, "{slow:?}");
    let notes = room.state.fleet.series.iter().filter_map(|(_, s)| s.value.note.clone());
    let told: Vec<String> = notes.map(|note| note.as_str().to_owned()).collect();
    let wanted = "beyond 0.05 s, the bucket of the baseline's p95";
    assert!(told.iter().any(|note| note.starts_with(wanted)), "{told:?}");
}
