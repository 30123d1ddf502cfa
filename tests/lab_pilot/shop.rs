//! A shop of each test's own: two web servers behind a HAProxy, and a Prometheus that scrapes them.

use std::fmt::Write as _;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::lab::post;
use crate::load::{Load, RATE};

/// How much of the old version's past Prometheus knows, in seconds.
const PAST: u64 = 280;

/// HAProxy answers.
const TALKS: u8 = 0;
/// It will not answer any more once it has been told to change something.
const LISTENS: u8 = 1;
/// It does not answer.
const MUTE: u8 = 2;

/// The servers, gone with their test.
pub struct Shop {
    pub folder: tempfile::TempDir,
    servers: Vec<Child>,
    /// The port of HAProxy's socket, and of what listens in before it.
    behind: u16,
    admin: u16,
    prometheus: u16,
    web: [u16; 2],
    /// What was told to HAProxy through `admin`, without reads.
    told: Arc<Mutex<Vec<String>>>,
    mood: Arc<AtomicU8>,
    _load: Load,
}

impl Drop for Shop {
    fn drop(&mut self) {
        for server in &mut self.servers {
            let _ = server.kill();
            let _ = server.wait();
        }
    }
}

impl Shop {
    /// Opens it: all traffic is blue's, which fails one request in a hundred; green fails `errors`.
    pub async fn open(errors: f64) -> Self {
        let free: Vec<TcpListener> =
            (0..5).map(|_| TcpListener::bind("127.0.0.1:0").unwrap()).collect();
        let ports: Vec<u16> = free.iter().map(|l| l.local_addr().unwrap().port()).collect();
        drop(free);
        let [front, behind, prometheus, blue, green] = ports[..] else { unreachable!() };
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path();
        let servers = vec![
            web(blue, "1.4.2"),
            web(green, "1.5.0"),
            haproxy(at, front, behind, [blue, green]),
            prometheus_server(at, prometheus, [blue, green]),
        ];
        let told = Arc::new(Mutex::new(Vec::new()));
        let mood = Arc::new(AtomicU8::new(TALKS));
        let admin = listen_in(behind, Arc::clone(&told), Arc::clone(&mood)).await;
        for url in [
            format!("http://127.0.0.1:{blue}/health"),
            format!("http://127.0.0.1:{green}/health"),
            format!("http://127.0.0.1:{front}/health"),
            format!("http://127.0.0.1:{prometheus}/-/ready"),
        ] {
            answers(&url).await;
        }
        let shop = Self {
            folder,
            servers,
            admin,
            behind,
            prometheus,
            web: [blue, green],
            told,
            mood,
            _load: Load::begin(front),
        };
        shop.blue(json!({ "errors": 0.01 })).await;
        shop.green(json!({ "errors": errors })).await;
        shop
    }

    /// Changes how the old version answers.
    pub async fn blue(&self, shape: Value) {
        self.shape(self.web[0], shape).await;
    }

    /// Changes how the new version answers.
    pub async fn green(&self, shape: Value) {
        self.shape(self.web[1], shape).await;
    }

    async fn shape(&self, port: u16, shape: Value) {
        let (status, told) = post(&format!("http://127.0.0.1:{port}/lab"), &[], &shape).await;
        assert_eq!(status, 200, "{told}");
    }

    /// The weights that HAProxy really has, of blue and green.
    pub async fn weights(&self) -> (u32, u32) {
        let mut socket = TcpStream::connect(("127.0.0.1", self.behind)).await.unwrap();
        socket.write_all(b"get weight shop/blue;get weight shop/green\n").await.unwrap();
        let mut said = String::new();
        socket.read_to_string(&mut said).await.unwrap();
        let words: Vec<u32> =
            said.lines().filter_map(|line| line.split(' ').next()?.parse().ok()).collect();
        let [blue, green] = words[..] else { panic!("{said}") };
        (blue, green)
    }

    /// The share of green that they come to, in per cent.
    pub async fn share(&self) -> u32 {
        let (blue, green) = self.weights().await;
        (f64::from(green) * 100.0 / f64::from(blue + green)).round() as u32
    }

    /// The new weights of green that were told to HAProxy, in their order.
    pub fn told(&self) -> Vec<u32> {
        let told = self.told.lock().unwrap();
        let weight = |command: &str| {
            command.strip_prefix("set server shop/green weight ")?.trim().parse().ok()
        };
        told.iter().flat_map(|line| line.split(';')).filter_map(weight).collect()
    }

    /// From the next change on HAProxy answers nobody: what it is told is done, and nobody hears of it.
    pub fn mute_after_a_change(&self) {
        self.mood.store(LISTENS, Ordering::SeqCst);
    }

    /// It answers again.
    pub fn talk(&self) {
        self.mood.store(TALKS, Ordering::SeqCst);
    }

    /// Waits until HAProxy was told to give green so many weights, one after the other.
    pub async fn until_told(&self, steps: usize) {
        let mut pace = tokio::time::interval(Duration::from_millis(2));
        let told = async {
            while self.told().len() < steps {
                pace.tick().await;
            }
        };
        let told = tokio::time::timeout(Duration::from_secs(170), told).await;
        assert!(told.is_ok(), "it was told {:?} only", self.told());
    }

    /// Stops Prometheus in the middle of whatever it does, or lets it go on.
    pub fn freeze_prometheus(&self, freeze: bool) {
        let signal = if freeze { "-STOP" } else { "-CONT" };
        let pid = self.servers[3].id().to_string();
        assert!(Command::new("kill").args([signal, &pid]).status().unwrap().success());
    }

    /// The parts of a configuration that say where the shop is.
    pub fn sources(&self) -> String {
        format!(
            r#"
            [polling]
            fast = "1s"
            slow = "1s"
            deadline = "2s"
            budget_per_minute = 6000
            [freshness]
            stale_after = "6s"
            lost_after = "1m"
            [sources.edge]
            kind = "haproxy"
            address = "tcp://127.0.0.1:{}"
            [sources.metrics]
            kind = "prometheus"
            url = "http://127.0.0.1:{}"
            "#,
            self.admin, self.prometheus
        )
    }
}

async fn answers(url: &str) {
    let up = async {
        let mut pace = tokio::time::interval(Duration::from_millis(50));
        loop {
            pace.tick().await;
            if reqwest::get(url).await.is_ok_and(|answer| answer.status().is_success()) {
                return;
            }
        }
    };
    tokio::time::timeout(Duration::from_mins(1), up).await.unwrap();
}

fn spawn(command: &mut Command) -> Child {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

fn web(port: u16, version: &str) -> Child {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/lab/web.py");
    spawn(Command::new("python3").args([script, &port.to_string(), version]))
}

fn haproxy(folder: &Path, front: u16, admin: u16, [blue, green]: [u16; 2]) -> Child {
    let text = format!(
        "global\n stats socket ipv4@127.0.0.1:{admin} level admin\n\
         defaults\n mode http\n timeout connect 2s\n timeout client 30s\n timeout server 30s\n\
         frontend shop\n bind 127.0.0.1:{front}\n default_backend shop\n\
         backend shop\n balance roundrobin\n option httpchk GET /health\n\
         \x20default-server check inter 1s rise 1 fall 3\n\
         \x20server blue 127.0.0.1:{blue} weight 90\n server green 127.0.0.1:{green} weight 0\n"
    );
    let file = folder.join("haproxy.cfg");
    std::fs::write(&file, text).unwrap();
    spawn(Command::new("/usr/sbin/haproxy").arg("-db").arg("-f").arg(&file))
}

/// With a past of the old version, so that the judge knows how regular its errors are.
fn prometheus_server(folder: &Path, port: u16, [blue, green]: [u16; 2]) -> Child {
    let (data, words) = (folder.join("data"), folder.join("past.txt"));
    std::fs::write(&words, past(blue)).unwrap();
    let made = Command::new("promtool")
        .args(["tsdb", "create-blocks-from", "openmetrics", "--quiet"])
        .args([&words, &data])
        .output()
        .unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let arm = |port: u16, name: &str| {
        format!("      - targets: [\"127.0.0.1:{port}\"]\n        labels: {{ arm: {name} }}\n")
    };
    let text = format!(
        "global: {{ scrape_interval: 250ms, scrape_timeout: 250ms }}\nscrape_configs:\n\
         \x20 - job_name: shop\n    static_configs:\n{}{}",
        arm(blue, "blue"),
        arm(green, "green")
    );
    let file = folder.join("prometheus.yml");
    std::fs::write(&file, text).unwrap();
    spawn(
        Command::new("prometheus")
            .arg(format!("--config.file={}", file.display()))
            .arg(format!("--storage.tsdb.path={}", data.display()))
            .arg(format!("--web.listen-address=127.0.0.1:{port}")),
    )
}

/// What was counted before the shop was opened.
fn past(blue: u16) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let mut text = String::from("# TYPE http_requests counter\n");
    for (code, share) in [("200", 0.99), ("500", 0.01)] {
        for half in 0..2 * PAST {
            let (at, count) = (half as f64 / 2.0, half as f64 / 2.0 * RATE * share);
            let labels =
                format!("arm=\"blue\",code=\"{code}\",instance=\"127.0.0.1:{blue}\",job=\"shop\"");
            let at = (now - PAST) as f64 + at;
            writeln!(text, "http_requests_total{{{labels}}} {count:.0} {at:.1}").unwrap();
        }
    }
    text + "# EOF\n"
}

/// Passes on what is told to the socket of HAProxy, and notes what changes something.
async fn listen_in(to: u16, told: Arc<Mutex<Vec<String>>>, mood: Arc<AtomicU8>) -> u16 {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let (told, mood) = (Arc::clone(&told), Arc::clone(&mood));
            tokio::spawn(async move {
                let Ok(server) = TcpStream::connect(("127.0.0.1", to)).await else { return };
                let (mut from_client, mut to_client) = client.into_split();
                let (mut from_server, mut to_server) = server.into_split();
                let silence = Arc::clone(&mood);
                let down = tokio::spawn(async move {
                    let mut buffer = vec![0; 16_384];
                    while let Ok(read @ 1..) = from_server.read(&mut buffer).await {
                        if silence.load(Ordering::SeqCst) == MUTE {
                            // The client waits for as long as it likes.
                            std::future::pending::<()>().await;
                        }
                        if to_client.write_all(&buffer[..read]).await.is_err() {
                            break;
                        }
                    }
                });
                let mut buffer = vec![0; 16_384];
                while let Ok(read @ 1..) = from_client.read(&mut buffer).await {
                    let line = String::from_utf8_lossy(&buffer[..read]).into_owned();
                    if line.contains("set server") {
                        told.lock().unwrap().push(line);
                        let _ = mood.compare_exchange(
                            LISTENS,
                            MUTE,
                            Ordering::SeqCst,
                            Ordering::SeqCst,
                        );
                    }
                    if to_server.write_all(&buffer[..read]).await.is_err() {
                        break;
                    }
                }
                let _ = to_server.shutdown().await;
                let _ = down.await;
            });
        }
    });
    port
}
