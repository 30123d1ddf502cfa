//! A backend on loopback that answers well, badly or not at all, as a test tells it.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

use crate::aws::{Reply, Request};
use crate::poison;

/// How it answers.
#[derive(Clone, Debug)]
pub enum Mood {
    Well,
    /// This, whatever is asked.
    Always(Reply),
    /// An answer with nothing in it, in the format of a good one.
    Nothing,
    /// Half of a good answer, as if it were the whole.
    Half,
    /// Half of a good answer, then the connection ends.
    Cut,
    /// The connection ends at once.
    Close,
    Hang,
    /// Well, but for the request of this number: that one is never answered.
    HangAt(usize),
    /// Well, but for the request of this number: that one is answered so.
    At(usize, Box<Mood>),
    /// Well, but with a text of this answer altered.
    Poison {
        key: String,
        leaf: usize,
        evil: Vec<u8>,
    },
}

type Well = dyn Fn(&Request) -> Reply + Send + Sync;

/// The server; it ends with the test's runtime.
pub struct Server {
    /// `127.0.0.1:PORT`.
    pub address: String,
    mood: Mutex<Mood>,
    asked: AtomicUsize,
    /// The requests since the mood was set.
    log: Mutex<Vec<Request>>,
    /// Good answers by what was asked.
    answers: Mutex<BTreeMap<String, Reply>>,
    /// Told when a request is not going to be answered.
    pub hangs: Notify,
}

impl Server {
    /// Speaks HTTP and answers with `well`.
    pub async fn http(well: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Arc<Self> {
        Self::start(true, Arc::new(well)).await
    }

    /// Answers each line with the body of `well`, then ends the connection.
    pub async fn lines(well: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Arc<Self> {
        Self::start(false, Arc::new(well)).await
    }

    async fn start(http: bool, well: Arc<Well>) -> Arc<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = Arc::new(Self {
            address: listener.local_addr().unwrap().to_string(),
            mood: Mutex::new(Mood::Well),
            asked: AtomicUsize::new(0),
            log: Mutex::default(),
            answers: Mutex::default(),
            hangs: Notify::new(),
        });
        let shared = Arc::clone(&server);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (shared, well) = (Arc::clone(&shared), Arc::clone(&well));
                tokio::spawn(async move { shared.serve(stream, http, &*well).await });
            }
        });
        server
    }

    pub fn set(&self, mood: Mood) {
        *self.mood.lock().unwrap() = mood;
        self.asked.store(0, Ordering::SeqCst);
        self.log.lock().unwrap().clear();
    }

    /// The requests since the mood was set, in their order.
    pub fn requests(&self) -> Vec<Request> {
        self.log.lock().unwrap().clone()
    }

    /// Requests since the mood was set.
    pub fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    /// Good answers so far, by what was asked.
    pub fn answers(&self) -> BTreeMap<String, Reply> {
        self.answers.lock().unwrap().clone()
    }

    async fn serve(&self, stream: TcpStream, http: bool, well: &Well) -> Option<()> {
        let mut stream = BufReader::new(stream);
        loop {
            let request = if http { read(&mut stream).await? } else { line(&mut stream).await? };
            let number = self.asked.fetch_add(1, Ordering::SeqCst) + 1;
            self.log.lock().unwrap().push(request.clone());
            let key = key(&request);
            let good = well(&request);
            let mood = self.mood.lock().unwrap().clone();
            if matches!(mood, Mood::Well) {
                self.answers.lock().unwrap().insert(key.clone(), good.clone());
            }
            let (mut reply, mut cut) = (good, false);
            let mood = match mood {
                Mood::At(at, mood) if at == number => *mood,
                mood => mood,
            };
            match mood {
                Mood::Always(other) => reply = other,
                Mood::Nothing => reply.body = poison::nothing(&reply),
                Mood::Half => reply.body.truncate(reply.body.len() / 2),
                Mood::Cut => cut = true,
                Mood::Close => return None,
                Mood::Hang => return self.hang().await,
                Mood::HangAt(at) if at == number => return self.hang().await,
                Mood::Poison { key: poisoned, leaf, evil } if poisoned == key => {
                    reply = poison::poison(&reply, leaf, &evil);
                }
                Mood::Well | Mood::HangAt(_) | Mood::At(..) | Mood::Poison { .. } => {}
            }
            let mut bytes = Vec::new();
            if http {
                bytes.extend(format!("HTTP/1.1 {} X\r\n", reply.status).into_bytes());
                for (name, value) in &reply.headers {
                    bytes.extend(format!("{name}: {value}\r\n").into_bytes());
                }
                bytes.extend(format!("content-length: {}\r\n\r\n", reply.body.len()).into_bytes());
            }
            let end = if cut { reply.body.len() / 2 } else { reply.body.len() };
            bytes.extend(&reply.body[..end]);
            stream.write_all(&bytes).await.ok()?;
            stream.flush().await.ok()?;
            if cut || !http {
                return None;
            }
        }
    }

    async fn hang(&self) -> Option<()> {
        self.hangs.notify_one();
        std::future::pending().await
    }
}

/// What is asked, whatever the parameters.
fn key(request: &Request) -> String {
    let operation = request.operation();
    if operation.starts_with(&request.method) {
        return request.path.split('?').next().unwrap().to_owned();
    }
    operation
}

async fn line(stream: &mut BufReader<TcpStream>) -> Option<Request> {
    let mut line = String::new();
    stream.read_line(&mut line).await.ok().filter(|n| *n > 0)?;
    let path = line.trim().to_owned();
    Some(Request { method: String::new(), path, headers: BTreeMap::new(), body: Vec::new() })
}

async fn read(stream: &mut BufReader<TcpStream>) -> Option<Request> {
    let first = line(stream).await?.path;
    let mut words = first.split(' ');
    let (method, path) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut headers = BTreeMap::new();
    while let Some((name, value)) = line(stream).await?.path.split_once(':') {
        headers.insert(name.to_lowercase(), value.trim().to_owned());
    }
    let length = headers.get("content-length").map_or(0, |length| length.parse().unwrap());
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.ok()?;
    Some(Request { method, path, headers, body })
}
