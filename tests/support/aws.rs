//! A small AWS on loopback for tests: answers what a test tells it to, and counts the calls.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use flightdeck::backend::aws::Sessions;
use flightdeck::backend::clock::WallClock;
use flightdeck::backend::context::{Meter, ReadContext};
use flightdeck::config::Schedule;
use flightdeck::config::scalar::HumanDuration;
use flightdeck::config::sources::AwsAccess;
use flightdeck::domain::ids::ItemId;
use flightdeck::domain::observation::{Scope, Topic};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// One request as it arrived.
#[derive(Clone, Debug)]
pub struct Request {
    pub method: String,
    /// Path and query.
    pub path: String,
    pub headers: BTreeMap<String, String>,
    pub body: Vec<u8>,
}

impl Request {
    /// The operation: from `X-Amz-Target`, the CBOR path, or the query protocol's body.
    pub fn operation(&self) -> String {
        if let Some(target) = self.headers.get("x-amz-target") {
            return target.rsplit('.').next().unwrap().to_owned();
        }
        if let Some((_, operation)) = self.path.split_once("/operation/") {
            return operation.to_owned();
        }
        let body = String::from_utf8_lossy(&self.body);
        match body.split('&').find_map(|pair| pair.strip_prefix("Action=")) {
            Some(action) => action.to_owned(),
            None => format!("{} {}", self.method, self.path),
        }
    }

    /// The JSON body.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }

    /// A text member of the JSON body.
    pub fn text(&self, member: &str) -> String {
        self.json()[member].as_str().unwrap_or_default().to_owned()
    }

    /// The access key that signed it.
    pub fn key(&self) -> String {
        let header = self.headers.get("authorization").cloned().unwrap_or_default();
        let rest = header.split_once("Credential=").map_or("", |(_, rest)| rest);
        rest.split('/').next().unwrap_or_default().to_owned()
    }
}

/// One answer.
#[derive(Clone, Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Reply {
    pub fn json(body: &Value) -> Self {
        Self::status(200, &body.to_string())
    }

    pub fn status(status: u16, body: &str) -> Self {
        let kind = ("content-type".to_owned(), "application/x-amz-json-1.1".to_owned());
        Self { status, headers: vec![kind], body: body.as_bytes().to_vec() }
    }

    /// An error as the JSON protocols carry it: code in `__type`, sentence in `message`.
    pub fn error(status: u16, code: &str, message: &str) -> Self {
        let body = serde_json::json!({ "__type": code, "message": message });
        Self::status(status, &body.to_string())
    }

    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }
}

type Answer = dyn Fn(&Request) -> Reply + Send + Sync;

/// The server; it ends with the test's runtime.
pub struct Cloud {
    pub url: String,
    calls: Arc<Mutex<Vec<String>>>,
    dir: tempfile::TempDir,
}

impl Cloud {
    /// Starts a server that answers with `answer`. Asked who is calling, it knows by itself.
    pub async fn start(answer: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let calls: Arc<Mutex<Vec<String>>> = Arc::default();
        let answer: Arc<Answer> = Arc::new(answer);
        let log = Arc::clone(&calls);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&answer), Arc::clone(&log)));
            }
        });
        let cloud = Self { url, calls, dir: tempfile::tempdir().unwrap() };
        cloud.sign_in_as("AKIDLAB");
        cloud
    }

    /// Writes the profile files: profile `lab` with this access key.
    pub fn sign_in_as(&self, key: &str) {
        let keys = format!("[lab]\naws_access_key_id = {key}\naws_secret_access_key = secret\n");
        std::fs::write(self.dir.path().join("credentials"), keys).unwrap();
        std::fs::write(self.dir.path().join("config"), "[profile lab]\nregion = eu-west-1\n")
            .unwrap();
    }

    /// Sessions that know the profile `lab`.
    pub fn sessions(&self) -> Sessions {
        let path = |name: &str| self.dir.path().join(name);
        Sessions::with_files(path("config"), path("credentials"))
    }

    /// Access to this server as `lab`.
    pub fn access(&self) -> AwsAccess {
        AwsAccess {
            profile: Some("lab".to_owned()),
            endpoint: Some(self.url.parse().unwrap()),
            ..AwsAccess::default()
        }
    }

    /// How many calls of each operation arrived.
    pub fn counts(&self) -> BTreeMap<String, usize> {
        let mut counts = BTreeMap::new();
        for call in self.calls.lock().unwrap().iter() {
            *counts.entry(call.clone()).or_default() += 1;
        }
        counts
    }

    /// How many calls of this operation arrived.
    pub fn count(&self, operation: &str) -> usize {
        self.counts().get(operation).copied().unwrap_or(0)
    }
}

async fn serve(stream: TcpStream, answer: Arc<Answer>, log: Arc<Mutex<Vec<String>>>) {
    let mut stream = BufReader::new(stream);
    while let Some(request) = read(&mut stream).await {
        let operation = request.operation();
        log.lock().unwrap().push(operation.clone());
        let reply = match operation.as_str() {
            "GetCallerIdentity" => Reply::status(200, IDENTITY),
            _ => answer(&request),
        };
        let mut head = format!("HTTP/1.1 {} X\r\n", reply.status);
        for (name, value) in &reply.headers {
            head += &format!("{name}: {value}\r\n");
        }
        head += &format!("content-length: {}\r\n\r\n", reply.body.len());
        if stream.write_all(head.as_bytes()).await.is_err()
            || stream.write_all(&reply.body).await.is_err()
            || stream.flush().await.is_err()
        {
            return;
        }
    }
}

async fn read(stream: &mut BufReader<TcpStream>) -> Option<Request> {
    let mut line = String::new();
    if stream.read_line(&mut line).await.ok()? == 0 {
        return None;
    }
    let mut words = line.split_whitespace();
    let (method, path) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut headers = BTreeMap::new();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await.ok()?;
        let Some((name, value)) = line.trim().split_once(':') else { break };
        headers.insert(name.to_lowercase(), value.trim().to_owned());
    }
    let length = headers.get("content-length").and_then(|l| l.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.ok()?;
    Some(Request { method, path, headers, body })
}

/// The sample response of the `GetCallerIdentity` page of the STS API reference.
pub const IDENTITY: &str = r#"<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
  <GetCallerIdentityResult>
    <Arn>arn:aws:iam::123456789012:user/Alice</Arn>
    <UserId>AIDACKCEVSQ6C2EXAMPLE</UserId>
    <Account>123456789012</Account>
  </GetCallerIdentityResult>
  <ResponseMetadata><RequestId>01234567-89ab-cdef-0123-456789abcdef</RequestId></ResponseMetadata>
</GetCallerIdentityResponse>"#;

/// A schedule that never makes a test wait.
pub fn schedule() -> Schedule {
    let seconds = HumanDuration::from_secs;
    Schedule {
        fast: seconds(5),
        slow: seconds(60),
        budget_per_minute: 1_000_000,
        deadline: seconds(10),
        stale_after: seconds(150),
        lost_after: seconds(900),
        jitter: 0.0,
        back_off_max: seconds(60),
    }
}

/// A context with room for any number of calls, and the meter that counts them.
pub fn context() -> (ReadContext, Arc<Meter>) {
    let meter = Arc::new(Meter::new(1_000_000));
    (ReadContext::new(Arc::new(WallClock), 0, Arc::clone(&meter)), meter)
}

pub fn scope(topic: Topic, items: Vec<ItemId>) -> Scope {
    Scope { topic, items }
}
