//! A small HTTP server on loopback, and what it was asked.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// What a server does with a request: counted from 0, and as it came. None: it never answers.
type Answering = dyn Fn(u64, &str) -> Option<String> + Send + Sync;

/// A small HTTP/1.1 server on loopback; it ends with the test.
pub struct Server {
    /// Its address.
    pub url: String,
    seen: Arc<Mutex<Vec<String>>>,
    load: Arc<Load>,
    _runtime: tokio::runtime::Runtime,
}

impl Server {
    /// Starts one.
    pub fn start(answering: impl Fn(u64, &str) -> Option<String> + Send + Sync + 'static) -> Self {
        Self::start_slow(Duration::ZERO, answering)
    }

    /// Starts one that thinks for so long before each answer.
    pub fn start_slow(
        think: Duration,
        answering: impl Fn(u64, &str) -> Option<String> + Send + Sync + 'static,
    ) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let seen = Arc::new(Mutex::new(Vec::new()));
        let count = Arc::new(AtomicU64::new(0));
        let answering: Arc<Answering> = Arc::new(answering);
        let log = Arc::clone(&seen);
        let load = Arc::new(Load { think, ..Load::default() });
        let of_all = Arc::clone(&load);
        runtime.spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (answering, log, count) =
                    (Arc::clone(&answering), Arc::clone(&log), Arc::clone(&count));
                tokio::spawn(serve(stream, answering, log, count, Arc::clone(&of_all)));
            }
        });
        Self { url, seen, load, _runtime: runtime }
    }

    /// From the first request it was sent to the last.
    pub fn span(&self) -> Duration {
        let arrivals = self.load.arrivals.lock().unwrap();
        let ends = arrivals.first().zip(arrivals.last());
        ends.map_or(Duration::ZERO, |(first, last)| last.duration_since(*first))
    }

    /// How many requests it had at once, at most.
    pub fn most_at_once(&self) -> u64 {
        self.load.most.load(Ordering::SeqCst)
    }

    /// The requests it was sent, as they came.
    pub fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }
}

/// When requests came, and how many there were at once.
#[derive(Default)]
struct Load {
    think: Duration,
    arrivals: Mutex<Vec<Instant>>,
    now: AtomicU64,
    most: AtomicU64,
}

async fn serve(
    mut stream: TcpStream,
    answering: Arc<Answering>,
    log: Arc<Mutex<Vec<String>>>,
    count: Arc<AtomicU64>,
    load: Arc<Load>,
) {
    let mut bytes = Vec::new();
    loop {
        let end = loop {
            let head = bytes.windows(4).position(|four| four == b"\r\n\r\n").map(|at| at + 4);
            let length = head.map(|end| {
                let text = String::from_utf8_lossy(&bytes[..end]).to_lowercase();
                let length =
                    text.split("content-length: ").nth(1).and_then(|t| t.split('\r').next());
                end + length.map_or(0, |text| text.parse::<usize>().unwrap())
            });
            if let Some(end) = length.filter(|end| bytes.len() >= *end) {
                break end;
            }
            let mut more = [0; 4096];
            match stream.read(&mut more).await {
                Ok(0) | Err(_) => return,
                Ok(read) => bytes.extend_from_slice(&more[..read]),
            }
        };
        let request = String::from_utf8_lossy(&bytes[..end]).into_owned();
        bytes.drain(..end);
        log.lock().unwrap().push(request.clone());
        load.arrivals.lock().unwrap().push(Instant::now());
        load.most.fetch_max(load.now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        tokio::time::sleep(load.think).await;
        load.now.fetch_sub(1, Ordering::SeqCst);
        match answering(count.fetch_add(1, Ordering::SeqCst), &request) {
            Some(answer) => stream.write_all(answer.as_bytes()).await.unwrap(),
            None => std::future::pending().await,
        }
    }
}

/// An answer with a JSON body.
#[expect(clippy::unnecessary_wraps, reason = "it stands where a server may not answer")]
pub fn json(status: &str, body: &str) -> Option<String> {
    Some(format!(
        "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    ))
}

/// The path and query of a request.
pub fn path_of(request: &str) -> &str {
    request.split(' ').nth(1).unwrap()
}
