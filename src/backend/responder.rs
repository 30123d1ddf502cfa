//! A small HTTP server on loopback for tests: answers by a function, and misbehaves on demand.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// A request as it arrived.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub method: String,
    pub path: String,
    pub query: BTreeMap<String, String>,
    pub headers: BTreeMap<String, String>,
    pub body: String,
}

/// What the server does with a request.
pub(crate) enum Reply {
    /// A whole answer: status, further header lines, body.
    Http(u16, Vec<(&'static str, String)>, Vec<u8>),
    /// These bytes, then the connection is closed.
    Raw(Vec<u8>),
    /// Headers, then bytes without end.
    Flood,
    /// No answer at all.
    Hang,
}

impl Reply {
    /// 200 with a JSON document.
    pub(crate) fn json(body: &str) -> Self {
        Self::status(200, body)
    }

    /// A JSON document with another status.
    pub(crate) fn status(status: u16, body: &str) -> Self {
        Self::Http(
            status,
            vec![("Content-Type", "application/json".to_owned())],
            body.as_bytes().to_vec(),
        )
    }
}

/// The server; it stops when dropped.
pub(crate) struct Responder {
    pub url: String,
    asked: Arc<Mutex<Vec<Asked>>>,
    task: JoinHandle<()>,
}

impl Drop for Responder {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Responder {
    /// Starts a server that answers with `answer`.
    pub(crate) async fn start(answer: impl Fn(&Asked) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let answer = Arc::new(answer);
        let log = Arc::clone(&asked);
        let task = tokio::spawn(async move {
            let mut connections = tokio::task::JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let (answer, log) = (Arc::clone(&answer), Arc::clone(&log));
                connections.spawn(async move {
                    let _ = serve(stream, &*answer, &log).await;
                });
            }
        });
        Self { url, asked, task }
    }

    /// The requests so far.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }
}

async fn serve(
    mut stream: TcpStream,
    answer: &(impl Fn(&Asked) -> Reply + Send + Sync),
    log: &Mutex<Vec<Asked>>,
) -> std::io::Result<()> {
    let mut buffer = Vec::new();
    let head = loop {
        if let Some(end) = buffer.windows(4).position(|w| w == b"\r\n\r\n") {
            break end;
        }
        if stream.read_buf(&mut buffer).await? == 0 {
            return Ok(());
        }
    };
    let text = String::from_utf8_lossy(&buffer[..head]).into_owned();
    let mut lines = text.split("\r\n");
    let first: Vec<&str> = lines.next().unwrap().split(' ').collect();
    let (method, target) = (first[0].to_owned(), first[1]);
    let headers: BTreeMap<String, String> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
        .collect();
    let length = headers.get("content-length").map_or(0, |n| n.parse().unwrap());
    while buffer.len() < head + 4 + length {
        stream.read_buf(&mut buffer).await?;
    }
    let body = String::from_utf8_lossy(&buffer[head + 4..]).into_owned();
    let url = reqwest::Url::parse(&format!("http://x{target}")).unwrap();
    let form = reqwest::Url::parse(&format!("http://x/?{body}")).unwrap();
    let query = url.query_pairs().into_owned().chain(form.query_pairs().into_owned()).collect();
    let asked = Asked { method, path: url.path().to_owned(), query, headers, body };
    let reply = answer(&asked);
    log.lock().unwrap().push(asked);
    match reply {
        Reply::Http(status, lines, body) => {
            let mut head = format!("HTTP/1.1 {status} X\r\nContent-Length: {}\r\n", body.len());
            for (name, value) in lines {
                head.push_str(&format!("{name}: {value}\r\n"));
            }
            head.push_str("Connection: close\r\n\r\n");
            stream.write_all(head.as_bytes()).await?;
            stream.write_all(&body).await?;
        }
        Reply::Raw(bytes) => stream.write_all(&bytes).await?,
        Reply::Flood => {
            stream.write_all(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n").await?;
            loop {
                stream.write_all(&[b'x'; 8192]).await?;
            }
        }
        Reply::Hang => std::future::pending().await,
    }
    stream.shutdown().await
}

/// The address of a port on which nothing listens.
pub(crate) fn closed_port() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}
